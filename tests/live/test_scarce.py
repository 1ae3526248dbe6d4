# SPDX-License-Identifier: Apache-2.0
"""`pale run` and `pale learn` where the system is short of something."""
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile

import pytest

from conftest import PALE, PATIENCE, need, need_root, run, sanitized

ALLOW = "policy p {\n\tarch x86_64;\n\tdefault allow;\n\terrno EXDEV getppid;\n%s}\n"
MODES = [[], ["--count"], ["--verify"], ["--log"]]


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

@pytest.mark.once  # a sanitizer reserves more address space than the limit
@pytest.mark.parametrize("kind", STARTS)
def test_out_of_memory_is_a_failure_of_pales_own(kp, kind):
    """Status 3 could be the command's. Address space from what the loader takes upwards."""
    words = [str(w) for w in [*started(kind, kp), need("busybox"), "sh", "-c", "exit 3"]]
    seen = set()
    for size in range(4 << 20, 9 << 20, 32 << 10):
        r = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, preexec_fn=lambda:
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
    """Without 32 and 33: they are the C library's, and no test can set them."""
    return {n + 1 for n in range(64) if int(mask, 16) >> n & 1} - {32, 33}


SEEN = ("SigQ", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")


def dispositions(words, setting):
    r = subprocess.run([str(w) for w in [*words, need("busybox"), "cat", "/proc/self/status"]],
                       preexec_fn=setting, restore_signals=False, capture_output=True, text=True,
                       timeout=PATIENCE)
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
    if sanitized():  # they are a sanitizer's own
        ignored = ignored - {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE}
    here = as_found(ignored, blocked)
    plain = dispositions([], here)
    assert plain["SigIgn"] == {int(n) for n in ignored} and plain["SigBlk"] == {int(n) for n in blocked}
    assert dispositions(started(kind, kp), here) == plain


# ---- descriptors, processes ----

@pytest.mark.parametrize("mode", MODES)
def test_a_limit_of_open_files_below_those_that_are_open_is_set(kp, mode):
    """A listener takes a descriptor: the limit comes once it is there."""
    for n in (0, 1, 3, 4, 20):
        kp.write_text(ALLOW % f"\tlimit nofile {n};\n")
        shown = run([PALE, "run", *mode, kp, "--", need("busybox"), "sh", "-c", "ulimit -n; ulimit -Hn"])
        assert (shown.rc, shown.out) == (0, f"{n}\n{n}\n"), shown


@pytest.mark.parametrize("mode", ["--count", "--verify"])
def test_a_process_that_cannot_be_started_is_called_that(kp, mode, tmp_path):
    need_root()
    nobody = [need("setpriv"), "--reuid", "64999", "--regid", "64999", "--clear-groups"]
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        shutil.copy(PALE, d)
        shutil.copy(kp, d)
        r = run([*nobody, need("prlimit"), "--nproc=1", f"{d}/pale", "run", mode, f"{d}/p.pale", "--",
                 need("busybox"), "true"], env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert r.rc == 125 and "PL314" in r.err and "cannot be started" in r.err, r


def test_a_limit_of_processes_that_does_not_hold_root_is_noted(kp):
    need_root()
    kp.write_text(ALLOW % "\tlimit nproc 5;\n")
    r = run([PALE, "run", kp, "--", need("busybox"), "true"])
    assert r.rc == 0 and "PL311" in r.err, r


# ---- no /proc ----

def test_sets_beside_the_binary_are_found_without_proc(tmp_path):
    need_root()
    p = tmp_path / "p.pale"
    p.write_text("policy p { arch x86_64; default errno EPERM; use start-run; use libc; }")
    script = 'mount -t tmpfs none /proc && exec "$@"'
    env = {k: v for k, v in os.environ.items() if k != "PALE_PATH"}
    env["ASAN_OPTIONS"] = "detect_leaks=0"
    r = run([need("unshare"), "-m", need("sh"), "-c", script, "sh", PALE, "run", p, "--", need("busybox"),
             "true"], env=env)
    assert r.rc == 0, r
