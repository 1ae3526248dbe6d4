# SPDX-License-Identifier: Apache-2.0
"""What pale learn records of awkward programs is what the kernel asks for, or it says what is missing."""
import collections
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from agreement import TIERS, VERDICTS, Bench, HERE, program, rows, verdict, write  # noqa: E402
from conftest import LONG  # noqa: E402
from guest import System  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

STEP = 1 if LONG else 48  # some of each file in make test: two boots, and half a minute of a processor
GUEST = os.environ.get("AGREE_GUEST", "debian12")  # the table is that of Linux 6.1
ONLY = os.environ.get("AGREE_ONLY")  # those whose program/case it is found in, a regular expression


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    some = [r for r in rows() if re.search(ONLY, r.word)] if ONLY else rows()[::STEP]
    return Bench(System(GUEST), some, tmp_path_factory.mktemp("agree"))


def test_the_table_holds_every_program():
    found = set()
    for source in HERE.glob("*.c"):
        listed = subprocess.run([program(f"agree/{source.stem}")], capture_output=True, text=True, timeout=60, check=True)
        found |= {f"{source.stem}/{case}" for case in listed.stdout.split()}
    assert found == {r.word for r in rows()} and len(found) == len(rows()) >= 100
    wrong = [r.word for r in rows() for t in TIERS for e in r.expected[t].split("/") if verdict(e) not in [*VERDICTS, "?"]]
    assert not wrong, wrong


def test_programs_end_as_they_do_unwatched(bench):
    """Nothing is refused by a profile in complain mode, so they end as under an empty one."""
    odd = [(r.row.case, r.tier, r.status, r.ends) for r in bench.results
           if r.ends.get(r.tier) != r.ends.get("all") or (r.status != "0" and "tracing" not in r.losses)]
    assert not odd, odd


@pytest.mark.parametrize("tier", TIERS)
def test_the_verdicts_are_those_of_the_table(bench, tier, record_property):
    """A worse one is a fault; a better one wants to be written down, in programs.txt: AGREE_WRITE=1 does it."""
    counts, table, wrong = collections.Counter(), [], []
    for r in bench.results:
        if r.tier != tier:
            continue
        counts[r.verdict] += 1
        table.append(f"{r.row.origin:9} {r.row.case:32} {r.verdict:9} recall {r.recall:4.2f} precision {r.precision:4.2f} under its filter {r.filtered}")
        if r.found not in r.row.expected[tier].split("/") and r.row.expected[tier] != "?":  # ?: was not looked at yet
            wrong.append(f"{r.row.word}: {r.found}, the table has {r.row.expected[tier]}\n" + "\n".join([*r.unsaid, *map(str, sorted(r.false))]))
    print("\n".join(table))
    n = sum(counts.values())
    record_property("figure", f"agreement with AppArmor, {tier}: {n} programs, " + ", ".join(f"{counts[v]} {v}" for v in VERDICTS)
                    + f"; as before under the filter {sum(r.filtered == '0' for r in bench.results if r.tier == tier)}")
    if os.environ.get("AGREE_WRITE"):
        write({(r.row.word, tier): r.found for r in bench.results if r.tier == tier})
    else:
        assert not wrong, "\n".join(wrong)
