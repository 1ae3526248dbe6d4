# SPDX-License-Identifier: Apache-2.0
"""Shared fixtures, and the count that every run ends with.

The binary under test is $PALE or build/pale; test programs lie under $PALE_BUILD (build).
With REQUIRE_ALL=1 a skip is a failure unless tests/skips.txt has its test and reason.
"""
import contextlib
import fcntl
import fnmatch
import functools
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("PALE_BUILD", ROOT / "build")).resolve()
PALE = os.environ.get("PALE", str(BUILD / "pale"))
LONG = bool(os.environ.get("PALE_LONG"))  # all of each check that is otherwise a fixed part
# How long is waited for what must come, in seconds. A machine that does twenty things at once is slow,
# which is no fault; what never comes is found all the same.
PATIENCE = 300
# What is recorded is the interpreter's: the first in PATH may be a script of a version manager's, whose shell asks the name service.
PYTHON = sys.executable
os.environ.setdefault("HOME", pwd.getpwuid(os.getuid()).pw_dir)  # without it programs ask, too
ASAN_OPTIONS = "detect_leaks=1:abort_on_error=0:exitcode=99"
os.environ.setdefault("ASAN_OPTIONS", ASAN_OPTIONS)
os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:exitcode=99")


# Under nohup or as a background job these are ignored, and what is tested would inherit that.
for _s in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_s) == signal.SIG_IGN:
        signal.signal(_s, signal.default_int_handler if _s == signal.SIGINT else signal.SIG_DFL)


class Result:
    def __init__(self, proc):
        self.rc, self.out, self.err = proc.returncode, proc.stdout, proc.stderr

    def __repr__(self):
        return f"rc {self.rc}\n--- out\n{self.out[-4000:]}\n--- err\n{self.err[-4000:]}"


def _sanitized_environment(argv, env):
    """The environment for one run under ASan: leaks are looked for in every third, which the words
    choose, so that each command and option is among them and the same ones each time. The look is
    a third of what a short run costs, memory is an arena that ends with its command, and the fuzz
    targets look at the libraries' leaks. What a test says of ASAN_OPTIONS itself stays."""
    if env.get("ASAN_OPTIONS") != ASAN_OPTIONS or LONG or not sanitized():
        return env
    words = " ".join(os.path.basename(str(a)) for a in argv[1:])
    if zlib.crc32(words.encode("utf-8", "surrogateescape")) % 3 == 0:
        return env
    return {**env, "ASAN_OPTIONS": ASAN_OPTIONS.replace("detect_leaks=1", "detect_leaks=0")}


def run(argv, input=None, check=None, timeout=PATIENCE, text=True, **kw):
    """Runs argv; a sanitizer report fails the test whatever the test wants to see."""
    kw["env"] = _sanitized_environment(argv, os.environ if kw.get("env") is None else kw["env"])
    proc = subprocess.run([str(a) for a in argv], input=input, capture_output=True,
                          timeout=timeout, text=text,
                          errors="surrogateescape" if text else None,
                          stdin=subprocess.DEVNULL if input is None else None, **kw)
    r = Result(proc)
    err = r.err if text else r.err.decode("utf-8", "replace")
    assert "Sanitizer" not in err and "runtime error:" not in err, r
    assert r.rc != 99, r
    if check is not None:
        assert r.rc == check, r
    return r


PEAK = ("import resource, subprocess, sys; p = subprocess.run(sys.argv[2:]);"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "open(sys.argv[1], 'w').write(f'{u.ru_maxrss} {u.ru_utime + u.ru_stime}'); sys.exit(p.returncode)")


def run_costs(tmp_path, argv, **kw):
    """run(), and its peak (KiB) and CPU time (s). A small process starts it: the kernel counts what the
    program's parent had before the exec, and a worker of the tests has a lot."""
    r = run(["/usr/bin/python3", "-c", PEAK, tmp_path / "costs", *argv], **kw)
    peak, seconds = (tmp_path / "costs").read_text().split()
    (tmp_path / "costs").unlink()
    return r, int(peak), float(seconds)


def spent():
    """Seconds of the processor of what was started and has ended: what else runs here is not in them."""
    return os.times().children_user + os.times().children_system


@pytest.fixture
def pale():
    """pale("sim", file, "read", check=0) -> .rc .out .err"""
    def call(*args, **kw):
        return run([PALE, *args], **kw)
    call.path = PALE
    return call


AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


@pytest.fixture
def open_dir(tmp_path):
    """A directory that everybody may use."""
    tmp_path.chmod(0o777)
    for d in list(tmp_path.parents)[:3]:
        d.chmod(d.stat().st_mode | 0o055)
    return tmp_path


def program(name):
    """A test program built by `make tests-bin`: program("live/attack")."""
    p = BUILD / "tests" / name
    if not p.exists():  # a room tested by hand: build just this one
        variant = ["make", "-s", "-C", str(ROOT), f"BUILD={os.path.relpath(BUILD, ROOT)}"]
        build_once(p, BUILD, [*variant, os.path.relpath(p, ROOT)])
    return str(p)


def build_once(p, build, argv):
    """One worker builds, the others wait: the rule gives it its name when it is whole."""
    p.parent.mkdir(parents=True, exist_ok=True)
    with open(build / "tests" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not p.exists():
            subprocess.run(argv, check=True)


def skip(reason):
    pytest.skip(reason)


def need(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def need_root():
    if os.geteuid() != 0:
        pytest.skip("needs root")


@functools.lru_cache(maxsize=None)
def sanitized():
    """Is the binary under test built with ASan?"""
    return b"__asan_init" in pathlib.Path(PALE).read_bytes()


def shared(*parts):
    """A file of ../shared (PALE_SHARED), which tests may use but not need."""
    base = pathlib.Path(os.environ.get("PALE_SHARED", ROOT.parent / "shared"))
    p = base.joinpath(*parts)
    if not p.exists():
        pytest.skip("needs ../shared, which is not there")
    return p


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- what is not repeated under the sanitizers ----

def some(n):
    """How many of n random things: a third where the sanitizers repeat what ran whole, with the
    answers compared, a moment ago. They are the first ones of the same seed, and it is the same
    code that each further one runs through; PALE_LONG takes all."""
    return n if LONG or not sanitized() else max(1, n // 3)



ONCE = {  # tests, and why: what they drive is not built with sanitizers, or is the same code again
    "tests/house/*": "sources and scripts are looked at",
    "tests/sim/test_equal.py::*planted*": "a build of its own, without sanitizers",
    "tests/sim/test_equal.py::test_compile_writes_nothing_when_the_program_is_wrong*": "that build, too",
    "tests/tables/test_tables.py::test_numbers_are_*": "headers and libraries against the tables' text",
    "tests/tables/test_tables.py::test_constants_are_*": "compilers against the tables' text",
    "tests/tables/test_tables.py::test_libseccomp_knows_*": "a library against the tables' text",
    "tests/lint/test_apparmor_rules.py::test_cases_are_profiles_that_parsers_take*": "parsers against the cases' text",
    "tests/loop/*": "minutes of what tests/learn does, with other programs",
    "tests/lint/test_apparmor_packaged.py::*3.0*": "another release's words of the same profiles",
}


# The kernel's programs attached in another way: what reads of them is the same, and in `ebpf`.
ATTACHED_OTHERWISE = re.compile(r"tests/learn/.*\Webpf-(tp|btf|raw)\b")

FIRST = ("tests/unit/", "tests/target/", "tests/random/", "tests/sim/")  # minutes in a few tests


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    for item in items:
        for pattern, reason in ONCE.items():
            if fnmatch.fnmatch(item.nodeid, pattern):
                item.add_marker(pytest.mark.once(reason))
        if ATTACHED_OTHERWISE.match(item.nodeid):
            item.add_marker(pytest.mark.once("what reads of it is the same"))
    # Else these come last, and all workers but one have nothing left to do.
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


# ---- where the time goes ----

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """Seconds of a test and the processor's of them, with what it started and waited for."""
    began, spent = time.monotonic(), sum(os.times()[:4])
    yield
    item.user_properties.append(("time", (time.monotonic() - began, sum(os.times()[:4]) - spent)))


def _rooms(reports):
    """{room: [tests, seconds, the processor's]}"""
    rooms = {}
    for r in reports:
        for k, (seconds, spent) in [p for p in r.user_properties if p[0] == "time"]:
            row = rooms.setdefault(r.nodeid.split("/")[1], [0, 0, 0])
            for i, n in enumerate((1, seconds, spent)):
                row[i] += n
    return rooms


# ---- nothing stays ----

MARK = "PALE_TEST_WORKER"  # stands in the environment of all that a worker's tests start


def started_here(mark):
    """{pid: (its command line, the test that started it)} of what runs and has our mark."""
    found = {}
    for d in pathlib.Path("/proc").iterdir():
        if not d.name.isdigit() or int(d.name) == os.getpid():
            continue
        try:
            env = (d / "environ").read_bytes().split(b"\0")
            words = (d / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:  # it has ended, or is another user's
            continue
        if f"{MARK}={mark}".encode() not in env:
            continue
        test = [e.partition(b"=")[2] for e in env if e.startswith(b"PYTEST_CURRENT_TEST=")]
        found[int(d.name)] = (words.strip(), test[0].decode() if test else "no test")
    return found


def outlives(pid, ms):
    """Does it still run that long after? What was killed may not have ended yet."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        waiting = select.poll()
        waiting.register(fd, select.POLLIN)
        return not waiting.poll(ms)
    finally:
        os.close(fd)


def end_what_is_left(mark, ms=3000):
    """Kills what the tests have left running; a line for each."""
    left = [f"{pid} ({words}), of {test}" for pid, (words, test) in started_here(mark).items()
            if outlives(pid, ms)]
    for pid in started_here(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return left


@pytest.fixture(scope="session", autouse=True)
def nothing_stays():
    """At a worker's end; the test that it fails is its last one, the message names the right one."""
    os.environ[MARK] = mark = f"{os.getpid()}.{os.urandom(8).hex()}"
    yield
    left = end_what_is_left(mark)
    assert not left, "processes outlived their tests: " + "; ".join(left)


# ---- the closing count ----

def _allowed_skips():
    rows = []
    path = ROOT / "tests" / "skips.txt"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.strip() and not line.startswith("#"):
            test, _, reason = line.partition("\t")
            rows.append((test.strip(), reason.strip()))
    return rows


def _reason(report):
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def _skip_is_known(report, rows):
    return any(fnmatch.fnmatch(report.nodeid, t) and r in _reason(report) for t, r in rows)


def _failure(report):
    """One line: the test, the step and the first line of what it said."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash else str(report.longrepr)
    where = f" at {crash.path}:{crash.lineno}" if crash else ""
    said = " ".join(said.splitlines()[:3])[:500]
    return f"{report.nodeid} ({report.when}{where}): {said}".replace(str(ROOT) + os.sep, "")


def _tidy(config):
    """Cgroups that runtimes leave, of which pale-NAME-PID is ours, and what is still mounted in our folders: both outlive us."""
    ours = re.compile(rf"/pale-(\w+-)?{os.getpid()}\b")
    for d, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
        if ours.search(d):
            with contextlib.suppress(OSError):
                os.rmdir(d)
    factory = getattr(config, "_tmp_path_factory", None)
    base = factory and str(factory.getbasetemp())
    for line in reversed(pathlib.Path("/proc/self/mounts").read_text().splitlines()):
        if base and line.split()[1].startswith(base + os.sep):
            subprocess.run(["umount", "-l", line.split()[1]], capture_output=True)


def pytest_sessionfinish(session, exitstatus):
    config = session.config
    _tidy(config)
    if hasattr(config, "workerinput"):
        return
    stats = config.pluginmanager.getplugin("terminalreporter").stats
    skipped = stats.get("skipped", [])
    rows = _allowed_skips()
    unknown = []
    if os.environ.get("REQUIRE_ALL") == "1":
        unknown = [r for r in skipped if not _skip_is_known(r, rows)]
    config.pale_unknown = unknown
    config.pale_failures = [_failure(r) for k in ("failed", "error") for r in stats.get(k, [])]
    config.pale_failures += [f"{r.nodeid}: skipped: {_reason(r)}" for r in unknown]
    config.pale_figures = [v for r in stats.get("passed", []) for k, v in r.user_properties
                           if k == "figure"]
    config.pale_rooms = _rooms(stats.get("passed", []) + stats.get("failed", []))
    config.pale_counts = (len(stats.get("passed", [])),
                          len(stats.get("failed", [])) + len(stats.get("error", [])) + len(unknown),
                          len(skipped) - len(unknown))
    if unknown and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_unconfigure(config):
    counts = getattr(config, "pale_counts", None)
    if counts is None:
        return
    for figure in config.pale_figures:  # what tests measured: record_property("figure", text)
        print(f"figure: {figure}")
    if os.environ.get("PALE_COUNT"):
        for room, row in sorted(config.pale_rooms.items(), key=lambda kv: -kv[1][1]):
            print("%s: %d tests, %.0f s, %.0f s of the processor" % (room, *row))
    for r in config.pale_unknown:
        print(f"skipped, and REQUIRE_ALL=1: {r.nodeid}: {_reason(r)}")
    line = "%d passed, %d failed, %d skipped" % counts
    if os.environ.get("PALE_COUNT"):
        pathlib.Path(os.environ["PALE_COUNT"]).write_text(
            "\n".join([line, *config.pale_failures]))
    else:
        print(line)
