# SPDX-License-Identifier: Apache-2.0
"""Real programs: both backends record the same, and a replay under the proposal refuses nothing.

One refusal is the proposal's own: clone3 is answered ENOSYS, because a filter cannot see its
flags; libcs then use clone, whose flags are checked. It is counted apart, by rule.
"""
import json
import re
import sys

import pytest

from conftest import PALE, ROOT, need, need_root, run
from recordings import Recording

# Calls whose occurrence is a matter of timing, not of what the program does.
RACES = {
    "restart_syscall",  # only when a stop interrupts a sleep
    "futex",            # only when a lock is contended
    "sched_yield",      # likewise
    "madvise",          # a thread that ends frees its stack, if the process does not end first
    "exit",             # that thread's end, likewise
    "rt_sigreturn",     # a signal may come before its handler is set, or merge with another
    "clock_nanosleep",  # nginx waits for its old workers only if they are not gone yet
    "wait4",            # a shell may have been told of a child's end before it asks
    "recvfrom", "recvmsg", "epoll_ctl",  # a reply may be there before it is waited for
}

GCC_MAIN = "int f(int);\nint main(void) { return f(41) - 42; }\n"
GCC_F = "#include <math.h>\nint f(int x) { return x + (int)cos(0.0); }\n"

SCRIPT = """#!/bin/sh
set -e
cd "$1"
t=$(mktemp)
echo hello > "$t"
tr a-z A-Z < "$t" > upper
mkdir -p d/e
mv upper d/e/file
ln -s file d/e/link
chmod 600 d/e/link
grep -q HELLO d/e/link
ls -l d/e | wc -l
trap 'echo hup' HUP
kill -HUP $$
find d -type f | sort | head -1
rm -r d "$t"
"""


def gcc_job(tmp_path, prefix):
    need("gcc")
    (tmp_path / "main.c").write_text(GCC_MAIN)
    (tmp_path / "f.c").write_text(GCC_F)
    return run([*prefix, "gcc", "-O1", "-o", tmp_path / "job", tmp_path / "main.c",
                tmp_path / "f.c", "-lm"])


def shell_job(tmp_path, prefix):
    script = tmp_path / "job.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    return run([*prefix, script, tmp_path])


def server_job(name):
    def job(tmp_path, prefix):
        need_root()
        need({"nginx": "nginx", "redis": "redis-server", "python": "python3"}[name])
        return run([sys.executable, ROOT / "tests/workloads.py", name, *prefix])
    return job


JOBS = {"nginx": server_job("nginx"), "redis": server_job("redis"),
        "python": server_job("python"), "gcc": gcc_job, "shell": shell_job}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    done = {}

    def get(name):
        if name not in done:
            tmp = tmp_path_factory.mktemp(name)
            per = {}
            for backend in ("ebpf", "ptrace"):
                work = tmp / "work"
                work.mkdir(exist_ok=True)
                out, rec = tmp / f"{backend}.pale", tmp / f"{backend}.rec"
                r = JOBS[name](work, [PALE, "learn", "--backend", backend, "-o", out,
                                      "--recording", rec, "--"])
                assert r.rc == 0, r
                per[backend] = (Recording(rec), out)
            done[name] = (work, per)
        return done[name]
    return get


@pytest.mark.parametrize("name", JOBS)
def test_both_backends_record_the_same_calls(recorded, name):
    need_root()
    per = recorded(name)[1]
    ebpf, ptrace = per["ebpf"][0], per["ptrace"][0]
    assert ebpf.losses == ptrace.losses == "none"
    assert len(ebpf.names()) > 25
    assert ebpf.names() ^ ptrace.names() <= RACES
    assert ebpf.tuples ^ ptrace.tuples == set() or {t[:3] for t in ebpf.tuples} == \
        {t[:3] for t in ptrace.tuples}


def masked(files):
    """What the run itself makes anew: random names, process ids. And libgcc_s: glibc loads it
    when the first thread ends, if the process does not end first."""
    out = {}
    for path, (perms, _) in files.items():
        if "/libgcc_s.so." in path:
            continue
        path = re.sub(r"^/tmp/(cc|tmp\.)\w+", r"/tmp/\1*", path)
        path = re.sub(r"^/proc/\d+/", "/proc/*/", path)
        path = re.sub(r"/temp-\d+\.rdb$", "/temp-*.rdb", path)
        out[path] = set(out.get(path, "")) | set(perms)
    return out


@pytest.mark.parametrize("name", JOBS)
def test_both_backends_record_the_same_files(recorded, name):
    need_root()
    per = recorded(name)[1]
    assert masked(per["ebpf"][0].files) == masked(per["ptrace"][0].files)


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_replay_under_the_proposal_refuses_nothing(recorded, tmp_path, name, backend):
    need_root()
    work, per = recorded(name)
    report = tmp_path / "report.json"
    r = JOBS[name](work, [PALE, "run", "--layers", "seccomp", "--count", "--report", report,
                          per[backend][1], "--"])
    assert r.rc == 0, r
    data = json.loads(report.read_text())
    assert data["by_default"] == 0 and data["lost"] == 0, data
    for refusal in data["refusals"]:
        assert (refusal["name"], refusal["verdict"]) == ("clone3", "ERRNO(38)"), refusal


@pytest.mark.parametrize("name", JOBS)
def test_every_target_takes_the_proposal(recorded, name):
    need_root()
    r = run([PALE, "check", recorded(name)[1]["ebpf"][1]])
    assert r.rc == 0 and "refused" not in r.out, r


def test_the_proposal_of_nginx_is_one_to_sign(recorded):
    need_root()
    text = recorded("nginx")[1]["ebpf"][1].read_text()
    plain = re.sub(r"(?m)^ +|(?<=\S) {2,}", " ", text)
    for line in ("program /usr/sbin/nginx;", "network inet stream; #", "file r /etc/nginx/nginx.conf; #",
                 "capability net_bind_service; #", "signal receive hup; #", "use start-run;",
                 "ioctl(cmd in {FIONBIO, FIOASYNC}); #", "file mrix /usr/sbin/nginx; #",
                 "# losses: none", "PR_SET_DUMPABLE"):
        assert line in plain, (line, text)
    assert "sys_admin" not in text  # memory accounting asks for it: noise
    held = recorded("nginx")[1]["ptrace"][1].read_text()
    assert "capabilities: not observed (ptrace cannot see them)" in held
    assert "not observed: all that the command had" in held  # and none less, or it could not start
    whole = re.sub(r"(?<=[,|])\n|(?<= and)\n|(?<= or)\n", " ", plain)  # what was broken at a hundred columns
    policy = whole[:whole.index("# Not seen in any run")]  # what is below is the margin
    for line in policy.splitlines():  # each rule with its evidence
        if re.match(r" *(allow|file|owner|network|capability|signal) ", line):
            assert re.search(r"# (\d+x|implied: )", line), line
