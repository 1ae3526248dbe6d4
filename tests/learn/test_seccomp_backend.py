# SPDX-License-Identifier: Apache-2.0
"""The backend "seccomp": the same as ptrace sees, but for the calls that it lets through unseen."""
import pathlib
import re
import signal
import subprocess
import time

import pytest

from conftest import BUILD, PALE, PATIENCE, ROOT, run
from test_backends import wait_until_taken

PROBES = BUILD / "tests/learn/probes"


def names(path):
    return re.findall(r"^(?:ASSUMED|RULE|ARG|RISK)\((\w+)", (ROOT / path).read_text(), re.M)


ASSUMED = set(names("learn/assumed.def"))


def learn(tmp_path, backend, *argv):
    out, rec = tmp_path / f"{backend}.pale", tmp_path / f"{backend}.rec"
    r = run([PALE, "learn", "--backend", backend, "-o", out, "-r", rec, "--", *argv])
    assert r.rc == 0, r
    return rec, out.read_text()


# A signal that comes meanwhile has clone made again; and glibc's mkstemp(3) asks for another random number
# where that is above the largest multiple of 62^10, so that all names are alike: one time in 22.
AGAIN = {"clone", "getrandom"}


def facts(path):
    """Without how often files were used, and when anything was."""
    found = set()
    for line in path.read_text().splitlines():
        fact, _, column = line.partition("\t")
        kind, *words = fact.split()
        if kind == "file":
            found.add(re.sub(r"palexx-\w{6}", "palexx-", fact))
        elif kind in ("tuple", "value", "bits", "received", "capability"):
            found.add((fact, "" if words[1:] and words[1] in AGAIN else column.split("@")[0]))
        elif kind == "call" and words[1] in AGAIN:
            found.add(fact)
        elif kind == "call" and words[1] not in ASSUMED:
            found.add((fact, column.split("@")[0]))
    return found


@pytest.mark.parametrize("probe", ["files", "counts", "signals", "int80", "threadexec", "odd", "jit", "vforks"])
def test_but_for_the_assumed_calls_it_sees_what_ptrace_sees(tmp_path, probe):
    argv = {"files": [PROBES / "files", tmp_path / "d"], "counts": [PROBES / "counts", "20"]}
    seen = {}
    for backend in ("ptrace", "seccomp"):
        (tmp_path / "d").mkdir(exist_ok=True)
        rec, _ = learn(tmp_path, backend, *argv.get(probe, [PROBES / probe]))
        seen[backend] = facts(rec)
        for left in (tmp_path / "d").iterdir():
            left.unlink() if not left.is_dir() else run(["rm", "-r", left], check=0)
    assert seen["ptrace"] == seen["seccomp"]


def test_assumed_calls_are_told_apart_from_what_was_seen(tmp_path):
    rec, text = learn(tmp_path, "seccomp", "cat", "/etc/passwd")
    calls = {w[2]: line for line in rec.read_text().splitlines() if (w := line.split())[0] == "call"}
    assert {n for n in calls if " assumed" in calls[n]} <= ASSUMED
    assert " assumed\t" in calls["write"] and " assumed" not in calls["openat"]
    group = text.split("# assumed: let through without a look")[1]
    assert re.search(r"allow write, [^;]*; # assumed: whether it is made was not seen", group)
    assert "close assumed" in text and "backend seccomp" in text
    assert run([PALE, "propose", rec]).out == text  # read back, they are what they were


def test_what_another_run_saw_counts_more_than_what_was_assumed(tmp_path):
    one, _ = learn(tmp_path, "seccomp", "cat", "/etc/passwd")
    other, _ = learn(tmp_path, "ptrace", "cat", "/etc/passwd")
    both, again = tmp_path / "both", tmp_path / "again"
    run([PALE, "merge", one, other, "-o", both], check=0)
    run([PALE, "merge", other, one, "-o", again], check=0)
    assert both.read_bytes() == again.read_bytes()
    text = run([PALE, "propose", both], check=0).out
    assert re.search(r"allow write; +# 1x in 1 of 2 runs", text)
    assert re.search(r"readv, .*# assumed", text.replace("\n", " "))


def test_none_of_the_assumed_calls_is_worth_a_look():
    risky = (ROOT / "compiler/tables/risk.def").read_text()
    assert len(ASSUMED) > 30
    assert not ASSUMED & set(names("learn/rules.def"))
    assert not [n for n in ASSUMED if re.search(rf"\b{n}\b(?!.*\*/)", risky)]


def test_its_workload_ends_with_it(tmp_path):
    """The filter stays: without the tracer it would refuse nearly everything."""
    pid = tmp_path / "pid"
    p = subprocess.Popen([PALE, "learn", "--backend", "seccomp", "-o", tmp_path / "p", "--", "sh", "-c",
                          f"trap '' INT TERM; echo $$ > {pid}.new; mv {pid}.new {pid}; "
                          "while :; do sleep 0.1; done"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + PATIENCE
    while not pid.exists() and time.monotonic() < until:
        time.sleep(0.02)
    for _ in range(2):
        p.send_signal(signal.SIGTERM)
        wait_until_taken(p)
    _, err = p.communicate(timeout=PATIENCE)
    assert not pathlib.Path(f"/proc/{pid.read_text().strip()}").exists(), err
    assert "still runs" not in err


def test_it_gains_no_rights_and_says_so(tmp_path):
    _, text = learn(tmp_path, "seccomp", "grep", "NoNewPrivs:.*1", "/proc/self/status")
    assert "capabilities: not observed (ptrace cannot see them)" in text


def test_a_filter_of_the_workloads_own_hides_calls_and_that_is_said(tmp_path):
    _, text = learn(tmp_path, "seccomp", PROBES / "selffilter")
    assert "calls that it refuses are not seen by that of the recorder" in re.sub(r"\n# +", " ", text)


def test_what_runs_already_is_not_its_business(tmp_path):
    p = subprocess.Popen(["sleep", "30"])
    try:
        r = run([PALE, "learn", "--backend", "seccomp", "-o", tmp_path / "p", "--pid", str(p.pid)])
    finally:
        p.kill()
        p.wait(PATIENCE)
    assert r.rc == 125 and "the seccomp backend records commands" in r.err, r
    assert "--backend ptrace" in r.err
