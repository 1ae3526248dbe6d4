# SPDX-License-Identifier: Apache-2.0
"""Whatever is missing in a proposal is told: faults of the system, of the workload, of the user."""
import os
import re
import resource
import shutil
import signal
import subprocess

import pytest

from conftest import AS_NOBODY, BUILD, PALE, PATIENCE, need, need_root, run, skip
from recordings import Recording
from test_awkward import python
from test_backends import (ATTACHED, BACKENDS, PROBES, cgroup, child_of, learn, start,  # noqa: F401
                           start_cgroup, usable, wait_until_taken)


def rules(text):
    """The statements of a proposal, without their evidence, which is another in every run."""
    return re.sub(r"[ \t]+", " ", re.sub(r"#.*", "", text)).split("\n", 20)


# ---- what the workload hides, or wants for itself ----

def test_what_a_workload_that_is_not_dumpable_opens_is_lost_and_told(open_dir):
    need_root()
    need("setpriv")
    out = open_dir / "p.pale"
    r = run([*AS_NOBODY, PALE, "learn", "--backend", "ptrace", "-o", out, "--", PROBES / "hidden",
             open_dir])
    # /etc/hostname, out, made, socket
    assert r.rc == 1 and "PL404" in r.err and "4 paths could not be resolved" in r.err, r
    assert re.search(r"# losses: +4 paths could not be resolved$", out.read_text(), re.M)


def test_root_s_recordings_have_them(tmp_path):
    need_root()
    for backend in BACKENDS:
        root = tmp_path / backend
        root.mkdir()
        rec, _ = learn(tmp_path, backend, PROBES / "hidden", root)
        assert rec.losses == "none" and rec.files["/etc/hostname"][0] == "r"
        assert {f"{root}/out", f"{root}/made/", f"{root}/socket"} <= set(rec.files)


def test_a_workload_that_traces_is_a_loss_under_ptrace(tmp_path):
    usable("ptrace")
    out = tmp_path / "p.pale"
    r = run([PALE, "learn", "--backend", "ptrace", "-o", out, "--", PROBES / "tracer"])
    assert r.rc == 1, r
    assert re.search(r"[23] calls of ptrace were refused because pale traced already", r.err)
    assert "eBPF records programs that trace others" in r.err


@pytest.mark.parametrize("backend", ATTACHED)
def test_a_workload_that_traces_is_none_under_ebpf(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PROBES / "tracer")
    assert rec.losses == "none"


def test_set_id_programs_without_their_rights_in_the_recording_are_said(open_dir):
    need_root()
    need("setpriv")
    program, out = open_dir / "program", open_dir / "p.pale"
    shutil.copy(PROBES / "reexec", program)
    program.chmod(0o4755)
    run([*AS_NOBODY, PALE, "learn", "--backend", "ptrace", "-o", out, "--", program, "again"],
        check=0)
    assert f"(no_new_privs) and while it was recorded (traced by a user): {program}\n" in \
        out.read_text()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_workload_that_outlives_its_recording_is_said(tmp_path, backend):
    p, out = start([PROBES / "waiter", "deaf"], tmp_path, backend)
    with child_of(p) as child:
        p.send_signal(signal.SIGTERM)
        wait_until_taken(p)
        p.send_signal(signal.SIGTERM)
        p.wait(PATIENCE)
    err = p.communicate(timeout=PATIENCE)[1]
    assert "PL413" in err and f"still runs as process {child}" in err, err
    assert "ended by a signal to pale, which the workload outlived" in out.read_text()


# ---- faults of the system ----

# LeakSanitizer cannot work where strace does.
TRACED = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}

def inject(tmp_path, backend, call, fault, n, argv=("/bin/true",)):
    """A recording where the n-th such call of pale's own fails; what it says and proposes."""
    out = tmp_path / "injected.pale"
    out.unlink(missing_ok=True)
    r = run([need("strace"), "-o", "/dev/null", "-e", f"trace={call}", "-e",
             f"inject={call}:error={fault}:when={n}", PALE, "learn", "--backend", backend, "-o", out,
             "--", *argv], env=TRACED)
    return r, out.read_text() if out.exists() else ""


def calls_made(tmp_path, backend, call):
    usable(backend)
    log, out = tmp_path / "log", tmp_path / "plain.pale"
    r = run([need("strace"), "-o", log, "-e", f"trace={call}", PALE, "learn", "--backend", backend,
             "-o", out, "--", "/bin/true"], env=TRACED)
    if r.rc == 1 and "ptrace" in r.err:
        skip("strace cannot trace here")
    assert r.rc == 0, r
    return [line for line in log.read_text().splitlines() if line.startswith(call)], out.read_text()


def assert_told(r, text, plain):
    """The same proposal, a failure that says why, or a loss that is told."""
    if r.rc == 0:
        assert rules(text) == rules(plain), r
    elif r.rc == 1:
        assert re.search("PL404|PL411|PL414", r.err), r
    else:
        assert r.rc in (125, 126, 127) and r.err, r


def samples(lines, kind):
    """One of each group of equal questions, from its middle: numbers from 1."""
    groups = {}
    for i, line in enumerate(lines, 1):
        groups.setdefault(kind(line), []).append(i)
    return [at[len(at) // 2] for at in groups.values()]


def test_a_map_that_cannot_be_read_to_its_end_is_told(tmp_path):
    lines, plain = calls_made(tmp_path, "ebpf", "bpf")
    reading = [i for i, line in enumerate(lines) if "BPF_MAP_GET_NEXT_KEY" in line]
    assert reading, lines[-5:]

    def kind(line):  # a map's first key is asked for without one before it
        what, fd = re.match(r"bpf\((\w+)(?:, \{map_fd=(\d+))?", line).groups()
        return what, fd, "key=NULL" in line or fd

    # What libbpf tries first: whether arrays can be mapped decides whether there is a .bss at all.
    loading = lines[:reading[0]]
    links = [n for n, line in enumerate(loading, 1) if "BPF_LINK_CREATE" in line]
    for n in [next(n for n, line in enumerate(loading, 1) if "BPF_F_MMAPABLE" in line), links[-1]]:
        r, text = inject(tmp_path, "ebpf", "bpf", "ENOMEM", n)
        assert_told(r, text, plain)
    start = reading[0]
    for n in samples(lines[start:], kind):
        r, text = inject(tmp_path, "ebpf", "bpf", "ENOMEM", start + n)
        assert_told(r, text, plain)
        if "GET_NEXT_KEY" in lines[start + n - 1]:
            assert r.rc == 1 and re.search("reads of what was recorded failed", r.err), r


@pytest.mark.parametrize("call,fault", [("openat", "EMFILE"), ("readlink", "EIO"), ("pread64", "EIO"),
                                        ("newfstatat", "EIO")])
def test_what_ptrace_cannot_look_at_is_told(tmp_path, call, fault):
    lines, plain = calls_made(tmp_path, "ptrace", call)

    def kind(line):
        return re.sub(r"\d+", "", line.split(" = ")[0])

    for n in samples(lines, kind):
        if "/proc/self/environ" in lines[n - 1]:
            continue  # a sanitizer's, which looks for its options there
        r, text = inject(tmp_path, "ptrace", call, fault, n)
        if "/proc/self/exe" in lines[n - 1]:
            continue  # where its sets are: without them execve is implied, and said to be
        assert_told(r, text, plain)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_sets_that_cannot_be_read_are_told(open_dir, what):
    need_root()
    need("setpriv")
    sets, out = open_dir / "sets", open_dir / "p.pale"
    sets.mkdir()
    (sets / "mine.pale").write_text("set mine { allow read; }\n")
    (sets / "mine.pale").chmod(0o600)
    sets.chmod(0o700 if what == "directory" else 0o755)
    r = run([*AS_NOBODY, PALE, "learn", "--backend", "ptrace", "-o", out, "--", "/bin/true"],
            env={**os.environ, "PALE_PATH": str(sets)})
    assert r.rc == 1 and "PL414" in r.err and "Permission denied" in r.err and str(sets) in r.err, r
    assert "# sets that could not be read, and so were not used: 1\n" in out.read_text()


def test_a_program_that_may_not_be_read_is_a_loss(open_dir):
    need_root()
    need("setpriv")
    program, out = open_dir / "program", open_dir / "p.pale"
    shutil.copy("/bin/true", program)
    program.chmod(0o711)
    r = run([*AS_NOBODY, PALE, "learn", "--backend", "ptrace", "-o", out, "--", program])
    assert r.rc == 1 and "PL404" in r.err, r


@pytest.mark.parametrize("what", [
    "os.mkdir('new')", "call(59, b'./none', None, None)", "call(21, b'/proc/%d/cwd' % os.getppid(), 0)", "call(89, b'/proc/%d/exe' % os.getppid(), bytes(9), 9)",
    "call(2, b'/proc/%d/root/none' % os.getppid(), 0)", "os.getpid()"])
def test_names_of_a_process_that_may_not_be_looked_into_are_lost(open_dir, what):
    """Whoever has no privilege may not read the memory of what is not dumpable, though it is traced (kernel/ptrace.c)."""
    need_root()
    need("setpriv")
    r = run([*AS_NOBODY, PALE, "learn", "--backend", "ptrace", "-o", open_dir / "p.pale", "--", *python(
        f"os.chdir('{open_dir}'); ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); {what}; os._exit(0)")])
    lost = re.search("1 paths could not be resolved", r.err)
    assert (r.rc, bool(lost)) == ((0, False) if "getpid()" in what and "getppid" not in what else (1, True)), r


def test_a_kernel_without_btf_is_said_to_have_none():
    need_root()
    script = (f"mount -t tmpfs none /sys/kernel/btf && {PALE} learn --backend ebpf -o /dev/null -- true; "
              f"echo rc $?; {PALE} learn -o /dev/null -- true")
    r = run([need("unshare"), "-m", "sh", "-c", script])
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        skip("this kernel has none anyway")
    assert r.out == "rc 125\n" and "eBPF backend does not work here: this kernel has no BTF" in r.err, r
    assert "recording with ptrace, as eBPF does not work here: this kernel has no BTF" in r.err


MISSED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>

/* What a kernel says of a program that it had to skip seven times. */
long syscall(long nr, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    va_list ap;
    long a[6], ret;

    va_start(ap, nr);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    ret = real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (nr == SYS_bpf && a[0] == BPF_OBJ_GET_INFO_BY_FD && ret == 0) {
        union bpf_attr *attr = (union bpf_attr *)a[1];
        struct bpf_prog_info *info = (struct bpf_prog_info *)attr->info.info;

        if (attr->info.info_len >= __builtin_offsetof(struct bpf_prog_info, recursion_misses) + 8 &&
            info->type == BPF_PROG_TYPE)
            info->recursion_misses = 7;
    }
    return ret;
}
"""


@pytest.mark.once
@pytest.mark.parametrize("backend,kind", [("ebpf-tp", "TRACEPOINT"), ("ebpf-btf", "TRACING"),
                                          ("ebpf-raw", "RAW_TRACEPOINT")])
def test_events_that_the_kernel_missed_are_told_with_their_cause_and_the_way_out(tmp_path, backend, kind):
    usable(backend)
    (tmp_path / "m.c").write_text(MISSED)
    run(["cc", "-shared", "-fPIC", f"-DBPF_PROG_TYPE=BPF_PROG_TYPE_{kind}", "-o", tmp_path / "m.so",
         tmp_path / "m.c", "-ldl"], check=0)
    out = tmp_path / "p.pale"
    r = run([PALE, "learn", "--backend", backend, "-o", out, "--", "/bin/true"],
            env={**os.environ, "LD_PRELOAD": str(tmp_path / "m.so")})
    assert r.rc == 1 and re.search(r"incomplete: \d+ events were missed by the kernel", r.err), r
    assert "a program that its CPU is in already" in r.err, r
    assert "'--backend ptrace' is slower and misses nothing" in r.err, r
    assert re.search(r"^# losses: +\d+ events were missed by the kernel$", out.read_text(), re.M)


COUNTED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long nr, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    va_list ap;
    long a[6];

    va_start(ap, nr);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (nr == SYS_perf_event_open && REFUSED) {
        errno = EACCES;
        return -1;
    }
    return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t read(int fd, void *p, size_t n)
{
    ssize_t (*real)(int, void *, size_t) = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    ssize_t got = real(fd, p, n);
    char name[64], file[64] = "";

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    if (got == 8 && readlink(name, file, sizeof(file) - 1) > 0 && strstr(file, "perf_event"))
        *(unsigned long *)p += MORE;
    return got;
}
"""


def counted_otherwise(tmp_path, refused, more):
    usable("ebpf-btf")
    (tmp_path / "c.c").write_text(COUNTED)
    run(["cc", "-shared", "-fPIC", f"-DREFUSED={refused}", f"-DMORE={more}", "-o", tmp_path / "c.so",
         tmp_path / "c.c", "-ldl"], check=0)
    r = run([PALE, "learn", "--backend", "ebpf-btf", "-o", tmp_path / "p.pale", "--recording", tmp_path / "rec",
             "--", "/bin/true"], env={**os.environ, "LD_PRELOAD": str(tmp_path / "c.so")})
    return r, (tmp_path / "rec").read_text()


@pytest.mark.once
def test_calls_that_perf_counted_and_no_program_saw_are_told_with_their_number(tmp_path):
    r, rec = counted_otherwise(tmp_path, 0, 5)
    assert r.rc == 1 and "incomplete: 5 calls were not recorded [PL404" in r.err, r
    assert "perf counted more calls than the programs saw" in r.err, r
    assert "\nrun 1 lost-uncounted 5\n" in rec and "no-witness" not in rec
    assert re.search(r"^# losses: +5 calls were not recorded$", (tmp_path / "p.pale").read_text(), re.M)


@pytest.mark.once
@pytest.mark.parametrize("refused,more,why", [
    (1, 0, "perf does not count calls here: Permission denied"),
    (0, -5, "perf counted fewer calls than there were")])
def test_where_nothing_counts_the_calls_that_is_said(tmp_path, refused, more, why):
    r, rec = counted_otherwise(tmp_path, refused, more)
    assert r.rc == 0 and f"that no call was missed is not proved: {why}" in r.err and "PL408" in r.err, r
    assert f'\nrun 1 no-witness "{why}' in rec and "lost-" not in rec


@pytest.mark.parametrize("backend", ["ebpf", "ebpf-tp", "ebpf-btf", "ebpf-raw"])
def test_tasks_that_share_a_cpu_are_counted_to_the_call(tmp_path, backend):
    usable(backend)
    r = run([PALE, "learn", "--backend", backend, "-o", tmp_path / "p", "--recording", tmp_path / "rec", "--",
             BUILD / "tests/learn/probes/switched", 1000])
    rec = Recording(tmp_path / "rec")
    assert r.rc == 0 and "PL408" not in r.err and rec.losses == "none", r
    assert [rec.calls["x86_64", c] for c in ("read", "write", "openat", "sethostname", "mkdir", "rmdir")] == \
        [4000, 4000, 4008, 40, 40, 40]
    assert rec.tasks == 45


# ---- nothing, or the wrong thing ----

def test_a_cgroup_that_nobody_comes_to_gives_no_proposal(tmp_path, cgroup):  # noqa: F811
    usable("ebpf")
    p = start_cgroup(tmp_path, "ebpf", cgroup)
    p.send_signal(signal.SIGINT)
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 1 and "PL411" in err and "before the signal" in err, err
    assert not (tmp_path / "c.pale").exists()


def test_what_is_no_cgroup_is_not_blamed_on_ebpf(tmp_path, cgroup):  # noqa: F811
    for name, why in (("/nonexist", "no directory '/nonexist'"), ("web1", "no directory 'web1'"),
                      ("/etc/passwd", "is no directory"), (tmp_path, "not in a cgroup v2 hierarchy"),
                      ("", "no directory ''"), (f"{cgroup}/x\x1b", "no directory")):
        r = run([PALE, "learn", "--cgroup", name, "-o", tmp_path / "p"])
        assert r.rc == 125 and why in r.err and "PL410" in r.err and "eBPF" not in r.err, r
        assert "\x1b" not in r.err
    name = str(cgroup).removeprefix("/sys/fs/cgroup/unified/").removeprefix("/sys/fs/cgroup/")
    r = run([PALE, "learn", "--cgroup", name])
    assert r.rc == 125 and f"did you mean '{cgroup}'?" in r.err, r


def test_a_cgroup_with_pale_in_it_is_refused(tmp_path, cgroup):  # noqa: F811
    for watched in (cgroup, cgroup.parent, cgroup.parent.parent):
        r = run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; exec {PALE} learn --cgroup {watched}"])
        assert r.rc == 125 and "pale itself is in" in r.err, r


def test_options_given_twice_are_refused():
    for options in (["--until", "1s", "--until", "2s", "--", "true"], ["-o", "/a", "--output", "/b", "--", "true"],
                    ["--for", "run", "--for", "runc", "--", "true"]):
        r = run([PALE, "learn", *options])
        assert r.rc == 125 and "is given twice" in r.err, r
    r = run([PALE, "learn", "-o", "/tmp/x", "--recording", "/tmp/x", "--", "true"])
    assert r.rc == 125 and "the same file" in r.err, r


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_script_without_its_first_line_is_not_given_to_a_shell(tmp_path, backend):
    """As `pale run` has it: what is learned can be run."""
    usable(backend)
    script, mark = tmp_path / "script", tmp_path / "mark"
    script.write_text(f"touch {mark}\n")
    script.chmod(0o755)
    r = run([PALE, "learn", "--backend", backend, "-o", tmp_path / "p", "--", script])
    assert r.rc == 126 and "Exec format error" in r.err and "#!/bin/sh" in r.err, r
    assert not mark.exists() and not (tmp_path / "p").exists()


@pytest.mark.parametrize("backend, call", [("ebpf", "bpf"), ("ptrace", "ptrace")])
@pytest.mark.parametrize("word", ["TERM", "HUP"])
def test_a_signal_before_the_command_has_started_keeps_it_from_starting(tmp_path, backend, call, word):
    """It comes with a call that loading takes, or attaching."""
    usable(backend)
    mark, out = tmp_path / "mark", tmp_path / "p"
    out.write_text("old")
    for n in (1, 30) if backend == "ebpf" else (1,):
        r = run([need("strace"), "-o", "/dev/null", "-e", f"trace={call}", "-e",
                 f"inject={call}:signal={word}:when={n}", PALE, "learn", "--backend", backend, "-o", out,
                 "--", "touch", mark], env=TRACED,
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
        assert r.rc == 1 and "the signal came before 'touch' was started" in r.err, r
        assert not mark.exists() and out.read_text() == "old"


# ---- clients ----

@pytest.fixture
def clients(tmp_path):
    """Programs of those names that do nothing, first in PATH."""
    d = tmp_path / "bin"
    d.mkdir()
    for name in ("docker", "podman", "kubectl", "systemctl", "docker-compose", "crictl", "at", "batch",
                 "busctl", "gosu", "service", "su"):
        (d / name).write_text("#!/bin/sh\nexit 0\n")
        (d / name).chmod(0o755)
    return {**os.environ, "PATH": f"{d}:{os.environ['PATH']}"}


@pytest.mark.parametrize("argv", [
    ["docker", "run", "--rm", "alpine", "ls"], ["podman", "run", "x"], ["kubectl", "exec", "x"],
    ["systemctl", "start", "x"], ["docker-compose", "up"], ["env", "-u", "C", "A=b", "crictl", "ps"],
    ["nice", "-n", "5", "docker", "run"], ["timeout", "-s", "KILL", "9", "docker", "run"],
    ["nohup", "setsid", "env", "docker", "run"], ["sh", "-c", "cd /; exec docker run x"],
    ["bash", "-ec", "A=b timeout 5 'docker' run x"], ["at", "-f", "job", "now"], ["busctl", "call", "x"],
    ["su", "-", "web", "-c", "docker run x"], ["gosu", "web", "docker", "run"],
])
def test_a_client_is_not_taken_for_the_work(tmp_path, clients, argv):
    out = tmp_path / "p.pale"
    r = run([PALE, "learn", "--backend", "ptrace", "-o", out, "-r", tmp_path / "rec", "--", *argv], env=clients)
    assert r.rc == 1 and "PL415" in r.err and "--cgroup" in r.err, r
    again = run([PALE, "propose", tmp_path / "rec"])
    assert again.rc == 1 and again.out == out.read_text() and "PL415" in again.err and "--cgroup" in again.err, again
    assert re.search(r"^# NOT THE WORK: '[\w-]+' has it done in another process tree", out.read_text(), re.M)
    r = run([PALE, "learn", "--backend", "ptrace", "--allow-loss", "-o", out, "--", *argv], env=clients)
    assert r.rc == 0 and "PL415" in r.err, r


def test_a_service_is_started_by_systemd_only_where_that_runs(tmp_path, clients):
    need_root()
    learn = f"{PALE} learn --backend ptrace -o {tmp_path}/p -- service x start"
    r = run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none /run; exec {learn}"], env=clients)
    assert r.rc == 0 and not r.err, r
    r = run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none /run; mkdir -p /run/systemd/system; exec {learn}"],
            env=clients)
    assert r.rc == 1 and "'service' has the work done in another process tree" in r.err, r


def test_a_program_of_one_s_own_is_no_queue_of_the_system(tmp_path, clients):
    batch = tmp_path / "bin/batch"
    r = run([PALE, "learn", "--backend", "ptrace", "-o", tmp_path / "p", "--", batch])
    assert r.rc == 0 and "other process trees" not in (tmp_path / "p").read_text(), r


@pytest.mark.parametrize("argv", [["echo", "docker"], ["sh", "-c", "echo docker"], ["env", "echo", "docker"],
                                  ["timeout", "9", "echo", "podman"]])
def test_a_word_is_no_client(tmp_path, argv):
    r = run([PALE, "learn", "--backend", "ptrace", "-o", tmp_path / "p", "--", *argv])
    assert r.rc == 0 and "PL415" not in r.err, r


def test_a_client_that_a_workload_executes_is_named(tmp_path, clients):
    script, out = tmp_path / "job", tmp_path / "p.pale"
    script.write_text("#!/bin/sh\nsystemctl status x; true\n")
    script.chmod(0o755)
    r = run([PALE, "learn", "--backend", "ptrace", "-o", out, "--", script], env=clients)
    assert r.rc == 0, r
    assert "work done in other process trees, unseen: systemctl\n" in out.read_text()


# ---- many files ----

def test_a_proposal_that_no_command_would_read_is_told(tmp_path):
    """6,000 names, each of 3,000 bytes with its directories, are more than 16 MiB of text."""
    usable("ebpf")
    deep, out = tmp_path.joinpath(*["d" * 250] * 11), tmp_path / "p.pale"
    deep.mkdir(parents=True)
    r = run([PALE, "learn", "--backend", "ebpf", "--exact", "-o", out, "--", PROBES / "many", deep, 6000, 236],
            timeout=300)
    assert r.rc == 1 and "PL412" in r.err and "--max-paths" in r.err, r
    assert out.stat().st_size > 16 << 20


@pytest.mark.once  # a sanitizer takes memory and descriptors of its own
@pytest.mark.parametrize("backend", ["auto", "ebpf"])
@pytest.mark.parametrize("what, value, word", [
    (resource.RLIMIT_AS, 12000 << 10, "out of memory"), (resource.RLIMIT_NOFILE, 8, "Too many open files"),
])
def test_what_is_short_is_not_what_the_kernel_lacks(tmp_path, backend, what, value, word):
    need_root()
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        skip("this kernel has no BTF")
    p = subprocess.run([PALE, "learn", "--backend", backend, "-o", tmp_path / "o", "--", "/bin/true"],
                       capture_output=True, text=True, timeout=PATIENCE,
                       preexec_fn=lambda: resource.setrlimit(what, (value, value)))
    assert p.returncode == 125 and word in p.stderr and "PL020" in p.stderr, p
    assert "BTF" not in p.stderr and not (tmp_path / "o").exists(), p
