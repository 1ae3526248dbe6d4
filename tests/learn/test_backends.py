# SPDX-License-Identifier: Apache-2.0
"""What the two backends record of programs whose calls are known."""
import contextlib
import functools
import os
import pathlib
import re
import select
import string
import shutil
import signal
import subprocess

import pytest

from conftest import BUILD, PALE, PATIENCE, PYTHON, need, need_root, run, sanitized, skip
from recordings import Recording

PROBES = BUILD / "tests/learn/probes"
# The ways in which the programs are attached that this kernel may have; plain ebpf takes the best.
ATTACHED = ["ebpf", "ebpf-tp", "ebpf-raw"]
BACKENDS = [*ATTACHED, "ptrace"]


@functools.lru_cache(maxsize=None)
def tried(backend):
    """Loading is the only test there is: a recording of `true` that says why not."""
    return run([PALE, "learn", "--backend", backend, "-o", "/dev/null", "--", "true"])


def usable(backend):
    if backend != "ptrace":
        need_root()
        r = tried(backend)
        if r.rc == 125:
            skip(f"{backend}: {r.err.splitlines()[0]}")
        assert r.rc == 0, r


def learn(tmp_path, backend, *argv, rc=0, options=(), **kw):
    usable(backend)
    out, rec = tmp_path / f"{backend}.pale", tmp_path / f"{backend}.rec"
    r = run([PALE, "learn", "--backend", backend, "-o", out, "--recording", rec, *options, "--",
             *argv], **kw)
    assert rc is None or r.rc == rc, r
    run([PALE, "fmt", "--check", out], check=0)
    return Recording(rec), out.read_text()


@pytest.mark.parametrize("backend", BACKENDS)
def test_threads_and_children_are_counted_exactly(tmp_path, backend):
    n = 2000 if backend == "ptrace" else 100000
    rec, text = learn(tmp_path, backend, PROBES / "counts", n)
    assert rec.calls["x86_64", "getppid"] == 7 * n
    assert rec.tasks == 6  # main, 3 threads, 2 children
    assert rec.losses == "none"
    assert f"allow getppid; # {7 * n}x" in re.sub(r"allow\s+", "allow ", text)


@pytest.mark.parametrize("backend", ATTACHED)
def test_a_loop_of_2_million_calls_loses_nothing(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PROBES / "spin", 2000000)
    assert rec.calls["x86_64", "getppid"] == 2000000
    assert rec.losses == "none"


@pytest.mark.parametrize("backend", BACKENDS)
def test_int80_is_recorded_as_i386(tmp_path, backend):
    if run([PROBES / "int80"]).rc:
        skip("this kernel has no i386 emulation")
    rec, text = learn(tmp_path, backend, PROBES / "int80")
    assert rec.calls["i386", "getpid"] == 7
    assert rec.calls["x86_64", "getpid"] == 7
    assert ("x86_64", "writev") not in rec.calls
    assert "arch x86_64, i386;" in re.sub(r" +", " ", text)
    block = text[text.index("when arch i386"):]
    assert re.search(r"allow +getpid;", block[:block.index("}")])
    out = tmp_path / f"{backend}.pale"
    sim = run([PALE, "sim", out, "--raw"], input="i386 20 0 0 0 0 0 0\ni386 5 0 0 0 0 0 0\n")
    assert sim.out.split() == ["ALLOW", "ERRNO(1)"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_calls_that_the_program_refuses_itself(tmp_path, backend):
    """Tracepoints come after seccomp, PTRACE_SYSCALL stops before it: the one known difference."""
    rec, _ = learn(tmp_path, backend, PROBES / "selffilter")
    assert rec.calls.get(("x86_64", "getpgrp"), 0) == (5 if backend == "ptrace" else 0)
    assert "0x26:1" in rec.args["prctl", 0]  # PR_SET_NO_NEW_PRIVS


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_storm_of_vforks(tmp_path, backend):
    n = 100 if backend == "ptrace" else 500
    rec, _ = learn(tmp_path, backend, PROBES / "vforks", n)
    assert rec.calls["x86_64", "getsid"] == n
    assert rec.calls["x86_64", "execve"] == n
    assert rec.tasks == n + 1
    assert rec.losses == "none"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_daemon_is_followed_after_its_parents_have_gone(tmp_path, backend):
    mark = tmp_path / "mark"
    rec, _ = learn(tmp_path, backend, PROBES / "daemon", mark)
    assert mark.read_text() == "x"  # the recording ended after the daemon
    assert rec.calls["x86_64", "getsid"] == 1
    assert "w" in rec.files[str(mark)][0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_thread_that_execs_is_still_followed(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PROBES / "threadexec")
    assert rec.calls["x86_64", "getsid"] == 3
    assert rec.losses == "none"


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_and_values_that_mean_nothing(tmp_path, backend):
    rec, text = learn(tmp_path, backend, PROBES / "odd")
    assert rec.calls["x86_64", "#900"] == 1
    assert not any(name == "unknown" for _, name in rec.calls)
    assert ("# call #900 (x86_64): 1x, not in the table, so newer than Linux 7.3 or nobody's; left to "
            "`unknown`,\n#   which refuses it; 'allow #900;' lets it pass, in BPF") in text
    assert "beyond any table: " in text
    assert "0x3:1" in rec.args["prctl", 0]        # garbage above 32 bits is not a value
    assert "unbounded" in rec.args["ioctl", 1]    # 100 values
    assert re.search(r"allow +ioctl;", text)      # and so it is not bounded
    assert re.search(r"prctl\(option in \{PR_GET_DUMPABLE, 9999\}\)", text)
    assert "# without a name here, so newer than Linux 7.3 or nobody's: 9999\n" in text


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_word_for_a_newer_call_is_true(tmp_path, backend):
    """What it is left to refuses it, and the line that is offered lets it pass."""
    learn(tmp_path, backend, PROBES / "odd")
    policy = tmp_path / f"{backend}.pale"
    refused = run([PALE, "sim", policy, "#900"], check=0).out
    assert refused.startswith("ERRNO(38)"), refused
    policy.write_text(re.sub(r"\n\}\n$", "\n    allow #900;\n}\n", policy.read_text()))
    assert run([PALE, "sim", policy, "#900"], check=0).out.startswith("ALLOW")
    run([PALE, "compile", "-t", "bpf", "-o", tmp_path / "f.bpf", policy], check=0)


@pytest.fixture
def other():
    """A process that the workload has not started."""
    with subprocess.Popen(["sleep", "1000"]) as p:
        yield p.pid
        p.kill()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_reader_of_other_processes_needs_ptrace(tmp_path, backend, other):  # noqa: F811
    """The kernel asks AppArmor for `ptrace read` then."""
    script = (f"cat /proc/{other}/environ /proc/$$/task/$$/maps /proc/{other}/status /proc/self/environ "
              "/proc/thread-self/auxv >/dev/null")
    rec, text = learn(tmp_path, backend, "/bin/sh", "-c", script + "; exit 0")
    peers = {re.sub(r"\d+", "N", name) for name in rec.peers}
    assert peers == {"/proc/N/environ", "/proc/N/task/N/maps", "/proc/N/status"}, rec.peers
    assert len(rec.ours) == 1 and next(iter(rec.ours)).endswith("/maps"), "the shell is recorded itself"
    assert re.search(rf"^    ptrace \(read\); # 1x, .*by opening /proc/{other}/environ; of whichever profile, "
                     "which was not seen$", text, re.M), text
    assert re.search(r"^    ptrace \(read, readby\) peer=@\{profile_name\}; # 1x, .*/maps$", text, re.M), text
    _, text = learn(tmp_path, backend, "/bin/sh", "-c",
                    f"cat /proc/{other}/status /proc/self/environ /proc/thread-self/maps >/dev/null; exit 0")
    assert not re.search("^ *ptrace ", text, re.M), text


def files_seen(rec, root):
    return {k[len(root):]: v[0] for k, v in rec.files.items() if k.startswith(root)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_files_as_the_kernel_resolves_them(tmp_path, backend):
    root = tmp_path / "work"
    root.mkdir()
    rec, text = learn(tmp_path, backend, PROBES / "files", root)
    seen = files_seen(rec, f"{root}/")
    assert rec.losses == "none"
    assert seen["real"] == "rw"            # through ./sub/../link too, chmod, truncate
    assert seen["link"] == "w"             # made, never opened as itself
    assert seen["sub/"] == "rw"            # mkdir, then opened
    assert seen["sub/at"] == "wk"          # openat seen from sub, flock
    assert seen["sub/below/"] == "w"       # mkdirat, unlinkat(AT_REMOVEDIR)
    assert seen["gone"] == "rw"
    assert "w" in seen["old"] and seen["sub/new"] == "w"
    assert "l" in seen["hard"]
    assert "w" in seen["sock"]
    assert seen["appended"] == "wa"        # w: to make it
    assert "missing" not in seen
    deep = "/".join(["n" * 200] * 5 + ["d"] * 30 + ["deepest"])
    assert seen[deep] == "rw"
    temp = [f for f in rec.files if f.startswith("/tmp/palexx-")]
    assert len(temp) == 1
    made = temp[0].removeprefix("/tmp/palexx-")
    kinds = sum(any(c in k for c in made) for k in (string.ascii_lowercase, string.ascii_uppercase,
                                                     string.digits))
    if kinds > 1:
        assert re.search(r"file rw /tmp/palexx-\?{6}; # .*random name", text)
    else:  # one name in ninety looks like a word: it is left as it is
        assert re.search(rf"file rw /tmp/palexx-{made};", text)


def test_backends_agree_on_files(tmp_path):
    per = []
    for backend in BACKENDS:
        root = tmp_path / "work"
        root.mkdir()
        rec, _ = learn(tmp_path, backend, PROBES / "files", root)
        per.append(files_seen(rec, f"{root}/"))
        run(["rm", "-rf", root], check=0)
    assert per[0] == per[1] == per[2]


@pytest.mark.parametrize("backend", BACKENDS)
def test_scripts_and_their_interpreters(tmp_path, backend):
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.write_text("#!/bin/sh\nexec /bin/echo inner \"$@\"\n")
    outer.write_text(f"#!{inner} -x\n")
    inner.chmod(0o755)
    outer.chmod(0o755)
    rec, text = learn(tmp_path, backend, outer)
    sh, echo = os.path.realpath("/bin/sh"), os.path.realpath("/bin/echo")
    for f, seen, rule in (inner, "rm", "mr"), (outer, "x", "ix"), (sh, "rm", "mr"), (echo, "rmx", "mrix"):
        assert rec.files[str(f)][0] == seen, (f, rec.text)
        assert re.search(rf"file {rule} {f};", text), text
    ld = [f for f in rec.files if "/ld-linux" in f]
    assert ld and set("rm") <= set(rec.files[ld[0]][0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_command_s_exit_status_is_passed_on(tmp_path, backend):
    learn(tmp_path, backend, "sh", "-c", "exit 42", rc=42)
    learn(tmp_path, backend, "sh", "-c", "kill -9 $$", rc=128 + 9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_cannot_be_executed(tmp_path, backend):
    usable(backend)
    out = tmp_path / "p.pale"
    for argv, rc in ((["/nonexistent/x"], 127), (["/etc/passwd"], 126)):
        r = run([PALE, "learn", "--backend", backend, "-o", out, "--", *argv])
        assert r.rc == rc, r
        assert re.search("there is no program|cannot be executed", r.err) and argv[0] in r.err
        assert not out.exists()


@pytest.mark.parametrize("backend", BACKENDS)
def test_too_many_paths_are_a_loss_and_said(tmp_path, backend):
    usable(backend)
    out = tmp_path / "p.pale"
    argv = [PALE, "learn", "--backend", backend, "--max-paths", "2", "-o", out]
    r = run([*argv, "--", "true"])
    assert r.rc == 1, r
    assert "PL404" in r.err and "paths found no room" in r.err
    assert re.search(r"# losses: +\d+ paths found no room", out.read_text())
    assert run([*argv, "--allow-loss", "--", "true"]).rc == 0


def test_an_output_that_cannot_be_written_is_said_before_anything_runs(tmp_path):
    mark = tmp_path / "mark"
    for options in (["-o", "/no/such/dir/x"], ["-o", tmp_path], ["--recording", "/no/such/x"]):
        r = run([PALE, "learn", "--backend", "ptrace", *options, "--", "touch", mark])
        assert r.rc == 125 and "cannot be written" in r.err, r
    assert not mark.exists()


def test_a_full_disk_does_not_cost_the_recording(tmp_path):
    r = run([PALE, "learn", "--backend", "ptrace", "-o", "/dev/full", "--", "true"])
    assert r.rc == 125 and "No space left" in r.err and complete(r.out), r
    need_root()
    script = (f"mount -t tmpfs -o size=16k none {tmp_path} && head -c 16384 /dev/zero >{tmp_path}/full; "
              f"echo old >{tmp_path}/p.pale; "  # an empty file: the name fits, its text does not
              f"{PALE} learn --backend ptrace -o {tmp_path}/p.pale -- true; echo rc $?; ls {tmp_path}")
    r = run([need("unshare"), "-m", "sh", "-c", script])
    assert "rc 125\n" in r.out and r.out.startswith("# Proposed by"), r
    assert r.out.split()[-2:] == ["full", "p.pale"], r  # nothing half written beside it


# ---- awkward programs ----

@pytest.mark.parametrize("backend", BACKENDS)
def test_more_signals_than_values_are_kept(tmp_path, backend):
    _, text = learn(tmp_path, backend, PROBES / "signals")
    plain = re.sub(r" +", " ", text)
    assert "signal hup -> @{profile_name}; # 1x" in plain
    assert "signal send; # more different signals than are kept: any" in plain


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_in_memory_is_followed_and_said(tmp_path, backend):
    rec, text = learn(tmp_path, backend, PROBES / "reexec", "memory")
    assert rec.calls["x86_64", "getsid"] == 1 and rec.losses == "none"
    assert re.search(r"executed from memory, .*: 1$", text, re.M), text
    assert not any("memfd" in f for f in rec.files)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_deleted_program_keeps_its_name(tmp_path, backend):
    program = tmp_path / "program"
    shutil.copy(PROBES / "reexec", program)
    rec, text = learn(tmp_path, backend, program, "deleted")
    assert rec.calls["x86_64", "getsid"] == 1 and rec.losses == "none"
    assert set("rx") <= set(rec.files[str(program)][0])
    assert not any("(deleted)" in f for f in rec.files)
    assert "could not be read afterwards, interpreter unknown: 1" in text


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("how", ["chroot", "bind"])
def test_names_below_another_root_are_not_looked_up_in_ours(tmp_path, backend, how):
    """There, /link leads to /real. Here, links of the same names lead to what was never touched."""
    need_root()
    jail, other = tmp_path / "jail", tmp_path / "other"
    (jail / "real").mkdir(parents=True)
    other.mkdir()
    (jail / "real" / "gone").touch()
    if how == "chroot":
        shutil.copy(PROBES / "jail", jail)
        (jail / "link").symlink_to("/real")
        real = pathlib.Path("/real")
        made = not real.exists()
        if made:
            real.mkdir()
    else:
        (jail / "link").mkdir()
        made = False
    try:
        rec, text = learn(tmp_path, backend, PROBES / "jail", how, jail)
    finally:
        if made:
            real.rmdir()
    assert rec.files[f"{jail}/link/made/"][0] == "w" and rec.files[f"{jail}/link/gone"][0] == "w"
    assert not any(f.startswith("/real") for f in rec.files)
    assert "another mount namespace, links in them not followed: 2" in text
    if how == "chroot":
        assert set("rx") <= set(rec.files[f"{jail}/jail"][0])
        assert "could not be read afterwards, interpreter unknown: 1" in text
    else:
        assert "no rule for AppArmor" not in text
        assert [rule for rule in rec.rules if rule.startswith("mount options=(rw, bind) ")], rec.rules


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_set_id_program_is_named(tmp_path, backend):
    program = tmp_path / "program"
    shutil.copy(PROBES / "reexec", program)
    program.chmod(0o4755)
    _, text = learn(tmp_path, backend, program, "again")
    assert f"# set-id program, without its rights under 'pale run' (no_new_privs): {program}" in text


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_is_attached_to_by_its_own_name_only(tmp_path, backend):
    program = tmp_path / 'a b{c}*"?[x]'
    shutil.copy(PROBES / "reexec", program)
    learn(tmp_path, backend, program, "again")
    out = tmp_path / f"{backend}.pale"
    profile = run([PALE, "compile", "-t", "apparmor", "-o", "-", out], check=0).out
    assert '/a b\\{c\\}\\*\\"\\?\\[x\\]"' in profile, profile
    if shutil.which("apparmor_parser"):
        assert re.search(r"^apparmor +ok", run([PALE, "check", out]).out, re.M)


@pytest.mark.parametrize("backend", BACKENDS)
def test_protocols_that_a_rule_leaves_free_are_named(tmp_path, backend):
    code = ("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15); "
            "socket.socket(socket.AF_INET, socket.SOCK_STREAM)")
    _, text = learn(tmp_path, backend, PYTHON, "-Sc", code)
    plain = re.sub(r" +", " ", text)
    assert "network netlink raw; # 1x, any protocol; seen: 15\n" in plain
    assert "network inet stream; # 1x\n" in plain


@pytest.mark.parametrize("backend", BACKENDS)
def test_signals_that_kill_or_are_ignored_were_received_too(tmp_path, backend):
    """Their sender needed permission, whatever became of them; the kernel's SIGPIPE needs none."""
    job = "yes | read x; trap '' HUP; kill -HUP $$; kill -TERM $$"
    _, text = learn(tmp_path, backend, "/bin/sh", "-c", job, rc=143)
    plain = re.sub(r" +", " ", text)
    assert re.search(r"signal term -> @\{profile_name\}; # 1x, first at [0-9.]+ m?s, to itself$", plain, re.M)
    assert re.search(r"signal hup -> @\{profile_name\}; # 1x, first at [0-9.]+ m?s, to itself$", plain, re.M)
    pipe = re.search(r"signal pipe -> @\{profile_name\}; # 1x.*; take it out if this was only a pipe without", plain)
    assert bool(pipe) == (backend == "ptrace") == bool(re.search("signal.* pipe", plain))


# ---- the end, by signals ----

def start(argv, tmp_path, backend, *options):
    usable(backend)
    out = tmp_path / "p.pale"
    p = subprocess.Popen([PALE, "learn", "--backend", backend, "-o", out, *options, "--",
                          *map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, start_new_session=True)
    if p.stdout.readline() != "ready\n":
        p.kill()
        pytest.fail(p.communicate()[1])
    return p, out


def complete(text):
    return text.startswith("# Proposed by") and text.endswith("}\n") and "allow" in text


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_pale_ends_the_workload_and_gives_a_whole_proposal(tmp_path, backend, sig):
    p, out = start([PROBES / "waiter"], tmp_path, backend)
    p.send_signal(sig)
    p.communicate(timeout=PATIENCE)
    assert p.returncode == 7  # the workload's own
    text = out.read_text()
    assert complete(text) and "rt_sigtimedwait" in text
    run([PALE, "fmt", "--check", out], check=0)


@contextlib.contextmanager
def child_of(p):
    """The workload of a pale that learns; both are gone afterwards, whatever happens between."""
    child = 0
    try:
        child = int(open(f"/proc/{p.pid}/task/{p.pid}/children").read().split()[0])
        yield child
    finally:
        p.kill()
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def wait_until_taken(p):
    """A second signal must not merge with the first, which is pending until its handler runs."""
    while any(int(w, 16) for w in re.findall(r"(?:SigPnd|ShdPnd):\s+(\w+)",
                                             open(f"/proc/{p.pid}/status").read())):
        pass


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_second_signal_finishes_at_once_and_lets_the_workload_live(tmp_path, backend):
    p, out = start([PROBES / "waiter", "deaf"], tmp_path, backend)
    with child_of(p) as child:
        p.send_signal(signal.SIGTERM)
        wait_until_taken(p)
        p.send_signal(signal.SIGTERM)
        p.wait(PATIENCE)
        assert p.returncode == 128 + signal.SIGTERM
        assert complete(out.read_text()) and "ended by a signal to pale" in out.read_text()
        assert "TracerPid:\t0\n" in open(f"/proc/{child}/status").read()


@pytest.mark.parametrize("backend", BACKENDS)
def test_killing_pale_leaves_no_tracing_and_no_half_file(tmp_path, backend):
    p, out = start([PROBES / "waiter", "deaf"], tmp_path, backend)
    with child_of(p) as child:
        if backend == "ptrace":  # PTRACE_O_EXITKILL
            fd = os.pidfd_open(child)
            waiting = select.poll()
            waiting.register(fd, select.POLLIN)
            p.kill()
            assert waiting.poll(30000), "the tracee outlived its tracer"
            os.close(fd)
        else:
            p.kill()
            p.wait(PATIENCE)
            assert "TracerPid:\t0\n" in open(f"/proc/{child}/status").read()
        p.wait(PATIENCE)
    assert list(tmp_path.iterdir()) == []


# ---- privileges, cgroups ----

def test_ptrace_needs_no_privilege(tmp_path):
    need_root()
    need("setpriv")
    tmp_path.chmod(0o777)
    for d in list(tmp_path.parents)[:3]:
        d.chmod(d.stat().st_mode | 0o055)
    out = tmp_path / "p.pale"
    r = run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", PALE, "learn",
             "-o", out, "--", "true"])
    assert r.rc == 0, r
    assert "recorded-by-ptrace" in r.err  # auto fell back, and said so
    assert "backend ptrace" in out.read_text()
    assert "capabilities: not observed" in out.read_text()


def test_a_backend_that_does_not_work_executes_nothing(tmp_path):
    need_root()
    need("setpriv")
    tmp_path.chmod(0o777)
    mark = tmp_path / "mark"
    r = run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", PALE, "learn",
             "--backend", "ebpf", "-o", "/dev/null", "--", "touch", mark])
    assert r.rc == 125, r
    assert "PL401" in r.err and not mark.exists()


NO_PROC = ("umount -l /proc", "'/proc/self/ns/pid' is not there: it needs /proc and /sys")


# LeakSanitizer is none without /proc, and reads there that it is not to be one.
@pytest.mark.parametrize("without,words", [
    *([] if sanitized() else [NO_PROC]),
    ("mount -t tmpfs none /sys", "'/sys/devices/system/cpu/possible' is not there: it needs /proc and /sys"),
    ("ulimit -f 1", "files may not be large enough here"), ("ulimit -n 20", "Too many open files")])
def test_what_the_machine_does_not_give_is_told_by_its_name(tmp_path, without, words):
    usable("ebpf")
    mark = tmp_path / "mark"
    r = run([need("unshare"), "-m", "sh", "-c",
             f"{without}; exec {PALE} learn --backend ebpf -o /dev/null -- touch {mark}"])
    assert r.rc == 125 and words in r.err and not mark.exists(), r


def waits(pid):
    """In the call in which a recorder waits for what it records (poll, ppoll, wait4), and not in one before."""
    return pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[0] in ("7", "271", "61")


@pytest.fixture
def cgroup():
    base = next((d for d in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
                 if os.path.exists(f"{d}/cgroup.procs") and
                 os.path.exists(f"{d}/cgroup.controllers")), None)
    if not base:
        skip("no cgroup v2 hierarchy")
    group = pathlib.Path(base) / f"pale-test-{os.getpid()}"
    inner = group / "inner"
    inner.mkdir(parents=True)
    yield inner
    for d in (inner, group):
        if d.exists():
            d.rmdir()


def start_cgroup(tmp_path, backend, group):
    p = subprocess.Popen([PALE, "learn", "--backend", backend, "--cgroup", group, "-o",
                          tmp_path / "c.pale", "--recording", tmp_path / "c.rec"],
                         stderr=subprocess.PIPE, text=True)
    while not waits(p.pid):
        assert p.poll() is None, p.stderr.read()
    return p


def test_a_cgroup_is_recorded_and_nothing_beside_it(tmp_path, cgroup):
    usable("ebpf")
    p = start_cgroup(tmp_path, "ebpf", cgroup.parent)
    run([PROBES / "spin", "500"], check=0)  # outside
    run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; exec {PROBES}/spin 700"], check=0)
    err = p.communicate(timeout=PATIENCE)[1]  # the group has emptied
    assert p.returncode == 0 and err == ""
    # sh may ask once
    assert Recording(tmp_path / "c.rec").calls["x86_64", "getppid"] in (700, 701)


@pytest.mark.parametrize("backend", ATTACHED)
def test_a_task_that_leaves_the_cgroup_is_a_loss_and_said(tmp_path, cgroup, backend):
    usable(backend)
    p = start_cgroup(tmp_path, backend, cgroup)
    run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; "
                     f"exec {PROBES}/leaver {cgroup.parent}/cgroup.procs"], check=0)
    err = p.communicate(timeout=PATIENCE)[1]
    rec = Recording(tmp_path / "c.rec")
    assert rec.calls["x86_64", "getsid"] == 3 and ("x86_64", "getpgid") not in rec.calls
    assert rec.losses == {"left": 1}
    assert p.returncode == 1 and "PL404" in err, err


def test_a_cgroup_with_processes_in_it_is_begun_midway_and_said(tmp_path, cgroup):
    usable("ebpf")
    waiter = subprocess.Popen([PROBES / "waiter"], stdout=subprocess.PIPE, text=True)
    try:
        assert waiter.stdout.readline() == "ready\n"
        (cgroup / "cgroup.procs").write_text(str(waiter.pid))
        p = start_cgroup(tmp_path, "ebpf", cgroup)
        waiter.terminate()
        assert waiter.wait(PATIENCE) == 7
    finally:
        waiter.kill()
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 0 and "PL406" in err, err
    assert "begun midway" in (tmp_path / "c.pale").read_text()


def test_a_cgroup_that_is_removed_ends_the_recording(tmp_path, cgroup):
    usable("ebpf")
    p = start_cgroup(tmp_path, "ebpf", cgroup)
    cgroup.rmdir()
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 1 and "PL411" in err and "no process ran in it" in err, err
    assert not (tmp_path / "c.pale").exists()


def test_usage():
    for argv in ([], ["--backend", "x", "--", "true"], ["--max-paths", "0", "--", "true"],
                 ["--cgroup", "/x", "--", "true"], ["-r", "-", "--", "true"], ["-r", "-", "-o", "-", "--", "true"]):
        r = run([PALE, "learn", *argv])
        assert r.rc == 125 and "usage: pale learn" in r.err and not r.out, r
    assert run([PALE, "learn", "--help"], check=0).out.startswith("usage: pale learn")


GROUP = """
import os, signal
for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(sig, lambda *a: None)
    os.kill(0, sig)
    if not os.fork():
        os.kill(0, sig)
        os._exit(0)
    os.wait()
os.mkdir({dir!r})
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_signal_of_the_workload_s_to_its_own_group_ends_no_recording(tmp_path, backend):
    """As of Apache's to end or restart its children: pale is in that group."""
    made, policy = tmp_path / "made", tmp_path / "p.pale"
    r = run([PALE, "learn", "--backend", backend, "-o", policy, "--", PYTHON, "-S", "-c", GROUP.format(dir=str(made))],
            start_new_session=True)
    assert r.rc == 0 and not r.err, r
    text = policy.read_text()
    assert f"file w {made}/;" in text and "ended by a signal" not in text, text
