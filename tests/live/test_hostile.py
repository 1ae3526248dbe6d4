# SPDX-License-Identifier: Apache-2.0
"""`pale run` against commands that attack it, and filters above that lie to it."""
import ctypes
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import pathlib

import pytest

from conftest import PALE, PATIENCE, PYTHON, need, need_root, program, run, sanitized

ALLOW = "policy p {\n\tarch x86_64;\n\tdefault allow;\n%s}\n"
REFUSES = ALLOW % "\tcapability chown;\n\terrno EXDEV getppid;\n"
LISTENING = ["--count", "--verify"]
NO_LEAKS = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


@pytest.fixture
def hostile():
    return program("live/hostile")


@pytest.fixture
def policy(tmp_path):
    def write(text=REFUSES, name="p.pale"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def total(r):
    return int(re.search(r"pale run: (\d+) calls? ", r.err)[1])


# ---- reaching for pale ----

NOTHING = {"getfd", "mem", "fd", "maps", "environ", "ptrace", "vm"}


def reached(r):
    said = dict(line.split() for line in r.out.splitlines())
    assert set(said) == NOTHING, r
    return {way for way, answer in said.items() if answer == "ok"}


@pytest.mark.parametrize("mode", LISTENING)
def test_the_command_cannot_reach_into_pale(hostile, policy, mode):
    """Its listener is there, and its memory: whoever has one answers its own calls."""
    r = run([PALE, "run", mode, policy(), "--", hostile, "reach"])
    assert r.rc == 0 and reached(r) == set(), r
    assert "PL313" not in r.err


@pytest.mark.parametrize("mode", LISTENING)
def test_nor_can_the_command_of_an_unprivileged_user(hostile, policy, mode):
    need_root()
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        for f in (PALE, hostile, policy(ALLOW % "\terrno EXDEV getppid;\n")):
            shutil.copy(f, d)
        r = run([need("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups", f"{d}/pale",
                 "run", mode, f"{d}/p.pale", "--", f"{d}/hostile", "reach"], env=NO_LEAKS)
    assert r.rc == 0 and reached(r) == set() and "PL313" not in r.err, r


def test_a_command_that_keeps_the_capability_for_it_is_warned_of(hostile, policy):
    need_root()
    p = policy(ALLOW % "\terrno EXDEV getppid;\n")
    r = run([PALE, "run", "--count", p, "--", hostile, "call"])
    assert r.out == "getppid EXDEV\n" and "PL313" in r.err, r
    assert "PL313" not in run([PALE, "run", p, "--", hostile, "call"]).err


def test_a_command_that_takes_pales_descriptors_ends(hostile, policy):
    """prlimit(2) asks for the same user and nothing else; without descriptors nobody can wait."""
    r = run([PALE, "run", "--count", policy(), "--", hostile, "starve"], env=NO_LEAKS)
    assert r.rc == 125 and "PL315" in r.err and "getppid ok" not in r.out, r


# ---- interrupted ----

@pytest.mark.parametrize("mode", LISTENING)
def test_an_error_of_poll_is_not_the_end_of_the_listener(hostile, policy, mode):
    """The kernel says POLLERR where a signal keeps it from looking: here every seventh time."""
    error = "poke_exit=@arg1=00000000010000000000000001000800"  # the second's revents: POLLERR
    r = run([need("strace"), "-o", "/dev/null", "-e", f"inject=poll:{error}:when=20+7", PALE, "run", mode,
             policy(), "--", hostile, "mill", "2", "50"], env=NO_LEAKS)
    assert total(r) == 100, r
    assert r.out == ("0 wrong\n" if mode == "--count" else "100 wrong\n"), r


@pytest.mark.parametrize("call", ["ioctl", "poll", "wait4"])
@pytest.mark.parametrize("when", ["1+2", "2+2", "1+3", "2+3"])
def test_nothing_that_is_interrupted_is_given_up(hostile, policy, call, when):
    p = policy()
    for mode, wrong in (("--count", 0), ("--verify", 40)):
        r = run([need("strace"), "-o", "/dev/null", "-e", f"inject={call}:error=EINTR:when={when}", PALE,
                 "run", mode, p, "--", hostile, "mill", "2", "20"], env=NO_LEAKS)
        assert r.out == f"{wrong} wrong\n" and total(r) == 40, r


def test_a_kill_verdict_is_carried_out_when_interrupted(hostile, policy):
    p = policy(ALLOW % "\tkill getppid;\n")
    for when in ("1+2", "2+2"):
        r = run([need("strace"), "-o", "/dev/null", "-e", f"inject=ioctl:error=EINTR:when={when}", PALE,
                 "run", "--count", p, "--", hostile, "call"], env=NO_LEAKS)
        assert (r.rc, r.out) == (128 + 31, "") and total(r) == 1, r


def test_pale_that_is_stopped_and_continued_loses_nothing(hostile, policy):
    proc = subprocess.Popen([PALE, "run", "--count", policy(), "--", hostile, "mill", "64", "50"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(300):
        if proc.poll() is not None:
            break
        proc.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, proc.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        proc.send_signal(signal.SIGCONT)
    out, err = proc.communicate(timeout=PATIENCE)
    assert proc.returncode == 0 and out == "0 wrong\n" and "3200 calls refused" in err


# ---- every verdict ----

VERDICTS = ["errno EXDEV", "kill", "kill-thread", "trap", "log", "trace", "notify"]


def answers(hostile, p, *mode):
    said = {}
    for way in ("call", "thread", "handled", "blocked", "child"):
        r = run([PALE, "run", *mode, p, "--", hostile, way], env=NO_LEAKS)
        said[way] = (128 - r.rc if r.rc < 0 else r.rc, r.out)
    return said


@pytest.mark.parametrize("verdict, by", [(v, "rule") for v in VERDICTS] + [(v, "default") for v in VERDICTS[:4]])
def test_counting_answers_as_the_policy_says(hostile, policy, verdict, by):
    """The caller, its threads, its handlers and its parent see what they see without --count."""
    if by == "rule":
        p = policy(ALLOW % f"\t{verdict} getppid;\n")
    else:  # what the default is, but for every other call
        names = run([PALE, "list", "syscalls"], check=0).out
        names = sorted(set(re.findall(r"^\s*([a-z]\w+)\b", names, re.M)) - {"getppid"})
        known = [n for n in names if "unknown" not in n]
        p = policy("policy p {\n\tarch x86_64;\n\tdefault %s;\n\tallow %s;\n}\n" % (verdict, ", ".join(known)))
    assert answers(hostile, p, "--count") == answers(hostile, p)


def test_what_no_listener_can_answer_is_said_to_be_uncounted(hostile, policy):
    for verdict, counted in (("kill-thread", 0), ("trap", 0), ("kill", 1), ("errno EXDEV", 1)):
        p = policy(ALLOW % f"\t{verdict} getppid;\n")
        r = run([PALE, "run", "--count", p, "--", hostile, "call"])
        assert ("PL312" in r.err) == (not counted) and total(r) == counted, r
        r = run([PALE, "run", "--verify", p, "--", hostile, "call"])
        assert r.out == "getppid ok\n" and total(r) == 1 and "PL312" not in r.err, r


def test_kill_stays_before_what_the_filter_answers_itself(hostile, policy):
    p = policy(ALLOW % ("\tkill #100000(arg0 in { 1, 3 });\n\tkill-thread #100000(arg0 < 5);\n"
                        "\ttrap #100000(arg0 in { 3, 7 });\n\tkill #100001;\n\tkill-thread #100001;\n"
                        "\tkill-thread #100002(arg0 != 0);\n\terrno EXDEV #100002;\n"))
    for nr, args in ((100000, (1, 2, 3, 4, 6, 7)), (100001, (0,)), (100002, (0, 1))):
        for arg in args:
            said = []
            for mode in ([], ["--count"]):
                r = run([PALE, "run", *mode, p, "--", hostile, "thread", nr, arg], env=NO_LEAKS)
                said.append((128 - r.rc if r.rc < 0 else r.rc, r.out))
            assert said[0] == said[1], (nr, arg, said)


def test_a_command_with_a_listener_of_its_own(hostile, policy):
    """The kernel allows one."""
    need_root()
    p = policy()
    assert run([PALE, "run", p, "--", hostile, "listener"]).out == "listener ok\n"
    assert run([PALE, "run", "--count", p, "--", hostile, "listener"]).out == "listener EBUSY\n"


@pytest.mark.parametrize("mode", LISTENING)
def test_a_command_that_makes_pale_its_tracer_does_not_hang(hostile, policy, mode):
    r = run([PALE, "run", mode, policy(), "--", hostile, "traced"])
    assert (r.rc, r.out) == (0, "traceme ok\nhandled\n"), r


def test_more_kinds_of_calls_than_people_read_are_only_counted(hostile, policy, tmp_path):
    p = policy("policy p {\n\tarch x86_64;\n\tdefault allow;\n\tunknown errno EXDEV;\n}\n")
    r = run([PALE, "run", "--count", "--report", tmp_path / "r.json", p, "--", hostile, "kinds", 5000])
    report = json.loads((tmp_path / "r.json").read_text())
    assert r.out == "5000 refused\n" and report["total"] == 5000, r.out
    assert len(report["refusals"]) == 4096 and report["unnamed"] == 904
    assert "904 of them" in r.err


# ---- filters above ----

SECCOMP, PRCTL, PRLIMIT, CAPSET, CAPGET, IOCTL, POLL, CLONE, GETPID, GETPPID, SIGNALFD, PROCMASK = (
    317, 157, 302, 126, 125, 16, 7, 56, 39, 110, 289, 14)
NO_NEW_PRIVS, CAPBSET_DROP, CAPBSET_READ, DUMPABLE, PDEATHSIG, SUBREAPER = 38, 24, 23, 4, 1, 36


def under(action, calls, p, mode, tmp_path):
    mark = tmp_path / "executed"
    r = run([program("live/above"), action, *calls, "--", PALE, "run", *mode, p, "--", need("busybox"), "sh",
             "-c", f": >{mark}"], env=NO_LEAKS)
    assert not mark.exists(), (calls, mode, r)
    return r


@pytest.mark.parametrize("mode", [[], ["--count"], ["--verify"], ["--log"]])
def test_a_call_that_a_filter_above_fakes_stops_it(policy, tmp_path, mode):
    """An errno of 0: the caller is told that it is done, and nothing was done."""
    need_root()
    p = policy(ALLOW % "\tcapability chown;\n\terrno EXDEV getppid;\n\tlimit core 0;\n\tlimit nofile 9;\n")
    fakes = [f"{SECCOMP}", f"{SECCOMP},0,1", f"{PRCTL}", f"{PRCTL},0,{NO_NEW_PRIVS}",
             f"{PRCTL},0,{CAPBSET_DROP}", f"{PRCTL},0,{CAPBSET_READ}", f"{PRCTL},1,21", f"{PRLIMIT}",
             f"{PRLIMIT},1,7", f"{CAPSET}", f"{CAPGET}"]
    if mode in (["--count"], ["--verify"]):
        fakes += [f"{PRCTL},0,{DUMPABLE}", f"{PRCTL},0,{PDEATHSIG}", f"{PRCTL},0,{SUBREAPER}", f"{IOCTL}",
                  f"{POLL}", f"{CLONE}", f"{GETPID}", f"{GETPPID}", f"{SIGNALFD}", f"{PROCMASK}",
                  f"{SECCOMP},1,40"]
    for fake in fakes:
        r = under("fake", [fake], p, mode, tmp_path)
        assert r.rc == 125 and "[PL3" in r.err, (fake, r)


@pytest.mark.parametrize("mode", [[], ["--count"], ["--verify"], ["--log"]])
def test_a_call_that_a_filter_above_refuses_stops_it(policy, tmp_path, mode):
    need_root()
    p = policy(ALLOW % "\tcapability chown;\n\terrno EXDEV getppid;\n\tlimit core 0;\n")
    for errno in ("1", "38"):
        # A sanitizer asks for limits before main().
        for call in (SECCOMP, PRCTL, CAPSET, CAPGET, *([] if sanitized() else [PRLIMIT])):
            r = under(errno, [f"{call}"], p, mode, tmp_path)
            assert r.rc == 125 and "[PL3" in r.err, (call, r)


@pytest.mark.parametrize("mode", LISTENING)
def test_the_process_for_the_command_ended_by_a_filter_above(policy, tmp_path, mode):
    """A call that only the child makes, CAPBSET_DROP."""
    need_root()
    r = under("kill", [f"{PRCTL},0,{CAPBSET_DROP}"], policy(), [mode], tmp_path)
    assert r.rc == 128 + 31 and "PL314" in r.err and "SIGSYS" in r.err, r


# ---- signals ----

def launched(words, **kw):
    return subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **kw)


def line_of(proc):
    ready, _, _ = select.select([proc.stdout], [], [], 60)
    assert ready, "no line within a minute"
    return proc.stdout.readline().strip()


@pytest.mark.parametrize("mode", [[], ["--count"]])
def test_every_signal_that_can_be_is_passed_on(hostile, policy, mode):
    """In no mode does the command get less than it would alone, values included."""
    own = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}
    sent = set(range(1, 65)) - {9, 19, 32, 33, 17, 15} - (own if mode else set())
    proc = launched([PALE, "run", *mode, policy(), "--", hostile, "await"], bufsize=1)
    try:
        assert line_of(proc) == "ready"
        for n in sorted(sent):
            proc.send_signal(n)
            assert line_of(proc) == f"{n} 0"
        ctypes.CDLL(None).sigqueue(proc.pid, 40, ctypes.c_void_p(4711))
        assert line_of(proc) == "40 4711"
        proc.terminate()
        assert proc.wait(PATIENCE) == 5
    finally:
        proc.kill()
        proc.communicate()


def stopped(pid):
    return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED)


@pytest.mark.parametrize("everybody", [False, True])
def test_pale_stops_with_its_command_and_goes_on_with_it(policy, everybody):
    """As the shell that started it wants to see; SIGTSTP to pale alone, and to the whole group."""
    proc = launched([PALE, "run", "--count", policy(), "--", need("busybox"), "sh", "-c",
                     "echo ready; read x; echo $x; exit 6"], preexec_fn=os.setpgrp)
    send = (lambda s: os.killpg(proc.pid, s)) if everybody else proc.send_signal
    try:
        assert line_of(proc) == "ready"
        for _ in range(3):
            send(signal.SIGTSTP)
            seen = stopped(proc.pid)
            assert (seen.si_code, seen.si_status) == (os.CLD_STOPPED, signal.SIGTSTP)
            send(signal.SIGCONT)
        proc.stdin.write("on\n")
        proc.stdin.flush()
        assert line_of(proc) == "on"
        assert proc.wait(PATIENCE) == 6
    finally:
        if proc.poll() is None:
            os.killpg(proc.pid, signal.SIGKILL)
        proc.communicate()


def shell_with_a_job(words, told):
    """A session with a terminal: the job in the foreground is stopped, then goes on."""
    job = os.fork()
    if not job:
        os.setpgrp()
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(words[0], words)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    _, status = os.waitpid(job, os.WUNTRACED)
    os.write(told, b"stopped\n" if os.WIFSTOPPED(status) else b"ended\n")
    os.killpg(job, signal.SIGCONT)
    _, status = os.waitpid(job, 0)
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def read_until(fd, word):
    text = b""
    while word not in text:
        ready, _, _ = select.select([fd], [], [], 60)
        assert ready, text
        text += os.read(fd, 4096)
    return text


def test_a_terminals_stop_stops_both(policy):
    words = [str(w) for w in [PALE, "run", "--count", policy(), "--", need("busybox"), "sh", "-c",
                              "echo ready; read x; exit 6"]]
    r, w = os.pipe()
    pid, terminal = pty.fork()
    if not pid:
        try:
            shell_with_a_job(words, w)
        finally:
            os._exit(9)
    try:
        read_until(terminal, b"ready")
        os.write(terminal, b"\x1a")
        assert read_until(r, b"\n") == b"stopped\n"
        os.write(terminal, b"on\n")
        assert read_until(r, b"\n") == b"6\n"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for fd in (r, w, terminal):
            os.close(fd)


def test_what_outlives_a_killed_pale_is_still_refused(hostile, policy):
    """A child in a session of its own is not killed with it; nobody answers, so the kernel does."""
    proc = launched([PALE, "run", "--count", policy(), "--", hostile, "left"])
    assert line_of(proc) == "ready"
    proc.kill()
    proc.wait(PATIENCE)
    proc.stdin.close()
    assert line_of(proc) == "getppid ENOSYS"
    proc.stdout.close(), proc.stderr.close()


def test_a_name_in_the_report_is_printed_safely(hostile, policy, tmp_path):
    p = policy(name="a\x1b[31m\n\u009b.pale")
    r = run([PALE, "run", "--count", "--report", tmp_path / "r.json", p, "--", hostile, "call"])
    assert "\x1b" not in r.err and "\u009b" not in r.err and r"a\x1b[31m\x0a\xc2\x9b.pale:5" in r.err, r
    text = pathlib.Path(tmp_path / "r.json").read_text()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert "a\\x1b[31m" in json.loads(text)["refusals"][0]["why"]


@pytest.mark.parametrize("mode", [[], ["--count"], ["--log"]])
def test_the_name_of_a_program_that_the_kernel_refuses_is_printed_safely(policy, tmp_path, mode):
    script = tmp_path / "a\x1b[31m\n"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    r = run([PALE, "run", *mode, policy(), "--", script])
    assert r.rc == 127 and "\x1b" not in r.err and "a\\x1b[31m\\x0a'" in r.err, r


# ---- taking what pale needs ----

REACH = """
import ctypes, os, resource as r, signal, time
pale = int(open("/proc/self/status").read().split("PPid:")[1].split()[0])
libc = ctypes.CDLL(None, use_errno=True)
%s
for _ in range(5000):
    libc.syscall(100000 + _)
print("passed" if libc.syscall(110) >= 0 else os.strerror(ctypes.get_errno()), flush=True)
"""
ENDS = {  # what it does to pale: pale's own end
    "r.prlimit(pale, r.RLIMIT_AS, (1, 1))": {125},
    "r.prlimit(pale, r.RLIMIT_CPU, (0, 0))": {-9},
    "os.kill(pale, signal.SIGTRAP); signal.pause()": {-5},
    "libc.prctl(1, 0); os.kill(pale, 9); os.setsid()": {-9},
    "r.prlimit(pale, r.RLIMIT_FSIZE, (0, 0)); r.prlimit(pale, r.RLIMIT_SIGPENDING, (0, 0))": {0},
    "[os.kill(pale, s) for s in (17, 18, 23, 28) * 500]": {0},
    "os.closerange(3, 99); os.mkdir('x'); os.chdir('x'); os.rmdir('../x'); libc.prctl(4, 0)": {0},
}


@pytest.mark.parametrize("what", [  # a sanitizer ends otherwise where memory does
    pytest.param(w, marks=[pytest.mark.once] if "_AS" in w else []) for w in ENDS])
def test_whatever_the_command_takes_from_pale_no_refused_call_passes(policy, tmp_path, what):
    """The end of pale is the command's, or the kernel answers ENOSYS."""
    p = policy(ALLOW % "\tcapability chown;\n\tunknown errno EXDEV;\n\terrno EXDEV getppid;\n")
    proc = subprocess.run([PALE, "run", "--count", p, "--", PYTHON, "-Sc", REACH % what],
                          capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path, env=NO_LEAKS)
    assert proc.returncode in ENDS[what], proc
    said = proc.stdout.strip()  # it may be ended before its newline
    assert said in ("", "Function not implemented", "Invalid cross-device link"), proc
    assert proc.returncode != 0 or said == "Invalid cross-device link"
    assert proc.returncode != 125 or "out of memory" in proc.stderr
