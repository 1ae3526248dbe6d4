# SPDX-License-Identifier: Apache-2.0
"""The closed loop's core: what few runs are enough for, on programs that are at hand (`make loop`: all)."""
import json
import os
import subprocess
import sys

from conftest import PALE, ROOT, need_root, run, skip

sys.path.insert(0, str(ROOT / "tests/loop"))
import jobs  # noqa: E402

CORE = ["perl", "tar", "busybox", "git"]


def test_twenty_two_jobs_say_what_their_third_load_adds():
    assert len(jobs.JOBS) == 22 == len({j.name for j in jobs.JOBS})
    for j in jobs.JOBS:
        assert j.head["third"] and j.head["packages"] and j.head["argv"]
        assert len({j.text(n) for n in (1, 2, 3)}) == 3


def installed(job):
    r = subprocess.run(["dpkg-query", "-W", "-f", "${Status}\n", *job.head["packages"].split()],
                       capture_output=True, text=True)
    return r.returncode == 0 and set(r.stdout.splitlines()) == {"install ok installed"}


def test_a_margin_is_enough_for_what_one_run_did_not_show(tmp_path):
    need_root()
    at_hand = [j.name for j in jobs.JOBS if (j.name in CORE or os.environ.get("PALE_LONG")) and installed(j)]
    if not at_hand:
        skip("none of the loop's programs is installed")
    out = tmp_path / "loop.json"
    r = run([sys.executable, ROOT / "tests/loop/loop.py", "-k", ",".join(at_hand), "--json", out],
            env={**os.environ, "PALE": str(PALE)}, timeout=900)
    assert r.rc == 0, r
    print(r.out)
    rows = json.loads(out.read_text())
    assert {row["name"] for row in rows} == set(at_hand)
    refused = {v: [row["name"] for row in rows if row[v]["refused"]] for v in ("one", "family", "two")}
    assert refused["one"], refused  # else the loads show nothing
    assert len(refused["family"]) * 2 <= len(refused["one"]) and len(refused["two"]) <= 2, refused
    for row in rows:
        assert set(row["one"]["allowed"]) < set(row["family"]["allowed"])
        assert len(row["family"]["allowed"]) - len(row["one"]["allowed"]) <= 50
