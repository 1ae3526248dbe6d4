# SPDX-License-Identifier: Apache-2.0
"""`pale run` and `pale learn` where the system is short of something."""
import re
import resource
import signal
import subprocess

import pytest

from conftest import PALE, need, run

ALLOW = "policy p {\n\tarch x86_64;\n\tdefault allow;\n\terrno EXDEV getppid;\n%s}\n"
MODES = [[], ["--count"], ["--verify"], ["--log"]]


def sanitized():
    return "__asan_init" in subprocess.run(["nm", "-D", PALE], capture_output=True, text=True).stdout


@pytest.fixture
def kp(tmp_path):
    path = tmp_path / "p.pale"
    path.write_text(ALLOW % "")
    return path


def started(kind, policy):
    """The words that start a command, but for the command."""
    if kind == "learn":
        return [PALE, "learn", "--backend", "ptrace", "-o", policy.parent / "learnt", "--"]
    return [PALE, "run", *kind, policy, "--"]


STARTS = [*MODES, "learn"]


# ---- memory ----

@pytest.mark.parametrize("kind", STARTS)
def test_out_of_memory_is_a_failure_of_pales_own(kp, kind):
    """Status 3 could be the command's. Address space from what the loader takes upwards."""
    if sanitized():
        pytest.skip("a sanitizer reserves more address space than the limit")
    words = [str(w) for w in [*started(kind, kp), need("busybox"), "sh", "-c", "exit 3"]]
    seen = set()
    for size in range(4 << 20, 7 << 20, 32 << 10):
        r = subprocess.run(words, capture_output=True, text=True, timeout=60, preexec_fn=lambda:
                           resource.setrlimit(resource.RLIMIT_AS, (size, size)))
        if r.returncode in (-9, -11, 127):
            continue  # the kernel or the loader, before main
        if r.returncode == 3:
            break
        assert r.returncode in (125, 126), (size, r)
        seen |= set(re.findall("out of memory", r.stderr))
    else:
        pytest.fail("never enough")
    assert seen


# ---- file sizes ----

def test_a_report_past_the_file_size_limit_is_told_and_leaves_nothing(kp, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    r = run([need("prlimit"), "--fsize=0", PALE, "run", "--count", "--report", out / "r", kp, "--",
             need("busybox"), "true"])
    assert r.rc == 125 and "File too large" in r.err, r
    assert list(out.iterdir()) == []


# ---- what the command finds ----

def numbers(mask):
    return {n + 1 for n in range(64) if int(mask, 16) >> n & 1}


SEEN = ("SigQ", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")


def dispositions(words, setting):
    r = subprocess.run([str(w) for w in [*words, need("busybox"), "cat", "/proc/self/status"]],
                       preexec_fn=setting, restore_signals=False, capture_output=True, text=True,
                       timeout=60)
    assert r.returncode == 0, r
    found = dict(re.findall(r"^(\w+):\s*(.*)$", r.stdout, re.M))
    return {k: numbers(found[k]) for k in SEEN if k != "SigQ"}


def as_found(ignored, blocked):
    def setting():
        for n in set(range(1, 65)) - {9, 19, 32, 33}:
            signal.signal(n, signal.SIG_IGN if n in ignored else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return setting


@pytest.mark.parametrize("kind", STARTS)
@pytest.mark.parametrize("ignored, blocked", [
    (set(), set()),
    ({signal.SIGXFSZ, signal.SIGPIPE, signal.SIGCHLD, signal.SIGTSTP}, {signal.SIGTERM, signal.SIGCHLD}),
    ({signal.SIGHUP, signal.SIGINT, signal.SIGALRM, 40}, {signal.SIGXFSZ, signal.SIGCONT, 64, 34}),
    (set(range(1, 65)) - {9, 19, 32, 33}, set()),
])
def test_signals_reach_the_command_as_pale_found_them(kp, kind, ignored, blocked):
    here = as_found(ignored, blocked)
    plain = dispositions([], here)
    assert plain["SigIgn"] == {int(n) for n in ignored} and plain["SigBlk"] == {int(n) for n in blocked}
    if kind == "learn" and ignored & {signal.SIGINT, signal.SIGTERM, signal.SIGALRM}:
        here = as_found(ignored - {signal.SIGINT, signal.SIGTERM, signal.SIGALRM}, blocked)
        plain = dispositions([], here)
    assert dispositions(started(kind, kp), here) == plain
