# SPDX-License-Identifier: Apache-2.0
"""tests/policy/errors/NAME.pale -> NAME.err: every diagnostic of the resolver, its place and way out.

UPDATE=1 writes the .err files anew; their diffs are read. The file's name begins with an id that
must be among the messages.
"""
import os
import pathlib
import re

import pytest

from conftest import PALE, ROOT, run

HERE = pathlib.Path(__file__).parent / "errors"
CASES = sorted(p.name for p in HERE.glob("*.pale"))

# Told by commands, not by the resolver: other tests of this room show them.
ELSEWHERE = {"PL140", "PL141", "PL143", "PL144", "PL145", "PL104", "PL146", "PL147", "PL148"}


@pytest.mark.parametrize("case", CASES)
def test_message(case):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PALE_")} | {"NO_COLOR": "1"}
    r = run([PALE, "sim", case, "getpid"], cwd=HERE, env=env)
    assert r.rc in (0, 1), r
    got = f"status {r.rc}\n{r.err}"
    want = (HERE / case).with_suffix(".err")
    if os.environ.get("UPDATE"):
        want.write_text(got)
    assert got == want.read_text()
    assert f"[{case[:5]} " in r.err
    assert (r.rc == 1) == (": error:" in r.err)


def test_every_diagnostic_of_the_room_is_shown():
    rows = re.findall(r"^DIAG\((PL1[0-4]\d),", (ROOT / "compiler/base/diag.def").read_text(), re.M)
    shown = {i for c in CASES for i in re.findall(r"\[(PL\d{3}) ", (HERE / c).with_suffix(".err").read_text())}
    assert len(rows) > 40
    assert set(rows) - shown - ELSEWHERE == set()
