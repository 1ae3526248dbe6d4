# SPDX-License-Identifier: Apache-2.0
"""pale replay: what strace and the kernel's log have written down is the recording of the same run."""
import json
import os
import re
import resource
import subprocess
import time

import pytest

from conftest import LONG, PALE, PATIENCE, need, need_root, run
from recordings import Recording
from test_backends import cgroup, start_cgroup, usable  # noqa: F401
from test_workloads import JOBS

THREADS = ("import os, signal, socket, subprocess, threading, fcntl, ctypes\n"
           "signal.signal(signal.SIGUSR1, lambda *a: None)\n"
           "for f, t in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_NETLINK, socket.SOCK_RAW),\n"
           "             (socket.AF_INET6, socket.SOCK_DGRAM)):\n    socket.socket(f, t)\n"
           "a = socket.socketpair()\nsubprocess.run(['sh', '-c', 'kill -USR1 $PPID; exit 3'])\n"
           "ts = [threading.Thread(target=os.getppid) for i in range(8)]\n"
           "[t.start() for t in ts]; [t.join() for t in ts]\n"
           "ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\nfcntl.ioctl(a[0], 0x5421, b'\\0\\0\\0\\0')\n")


def python_job(tmp_path, prefix):
    return run([*prefix, "/usr/bin/python3", "-c", THREADS])


def git_job(tmp_path, prefix):
    need("git")
    (tmp_path / "x").mkdir()
    return run([*prefix, "sh", "-c", f"cd {tmp_path}/x && git init -q . && echo a > a && git add a && "
                "git -c user.name=a -c user.email=a@b commit -qm a && git gc -q"])


def tar_job(tmp_path, prefix):
    return run([*prefix, "sh", "-c", f"cd {tmp_path} && tar cJf x.tar.xz /etc/alternatives && tar tJf x.tar.xz | "
                "perl -ne 'print if /vi/' | sort | uniq -c"], check=None)


SHORT = {"shell": JOBS["shell"], "threads": python_job}
MORE = {**JOBS, "git": git_job, "tar": tar_job}


def replay(tmp_path, source, text, *args, check=0):
    log, rec = tmp_path / "log", tmp_path / "log.rec"
    log.write_bytes(text if isinstance(text, bytes) else text.encode())
    r = run([PALE, "replay", "--from", source, *args, "-o", rec, log], check=check)
    return Recording(rec) if check == 0 else r


def closed(recording):
    """Its arguments, value by value with the count, and the combinations."""
    return {(k, v) for k, vs in recording.args.items() for v in vs if ":" in v}, recording.tuples


@pytest.mark.once
@pytest.mark.parametrize("name", {**SHORT, **(MORE if LONG else {})})
def test_what_strace_saw_of_a_run_replays_to_what_was_recorded_of_it(tmp_path, cgroup, name):  # noqa: F811
    need_root()
    need("strace")
    usable("ebpf")
    log = tmp_path / "trace"
    p = start_cgroup(tmp_path, "ebpf", cgroup)
    work = tmp_path / "work"
    work.mkdir()
    {**SHORT, **MORE}[name](work, ["strace", "-f", "-y", "-tt", "-o", log, "sh", "-c",
                                   f'echo $$ > {cgroup}/cgroup.procs; exec "$@"', "sh"])
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 0, err
    lines = log.read_bytes().split(b"\n")
    begin = next(i for i, line in enumerate(lines) if re.search(rb" write\(1.*cgroup.procs.* = \d+$", line))
    live, made = Recording(tmp_path / "c.rec"), replay(tmp_path, "strace", b"\n".join(lines[begin + 1:]))
    assert live.losses == made.losses == "none"
    assert made.calls == live.calls and closed(made) == closed(live)
    assert sum(live.calls.values()) > 300


ONE = "socket(S, 2, 1, 0); system '/bin/true'; mkdir '/nonexistent/x'; kill 0, $$"
FORMS_OF_STRACE = ["-f", "-ff", "-f -yy -Y -tt -T -i -n -k", "-f -ttt -X verbose", "-f -r -X raw", "-f -t -xx -v", "-f -s 0 -a 80", "-f -C",
                   "-f -C -w -e read=all -e write=all -tt"]


@pytest.mark.once
def test_however_strace_writes_a_run_it_replays_to_the_same(tmp_path):
    need("strace")
    need("perl")
    seen = {}
    for at, form in enumerate(FORMS_OF_STRACE):
        log = tmp_path / f"t{at}"
        run(["strace", *form.split(), "-o", log, "/usr/bin/perl", "-e", ONE], env={"PATH": "/usr/bin:/bin"}, check=0)
        logs = sorted(tmp_path.glob(f"t{at}*"), key=lambda p: int(p.suffix[1:] or 0))
        run([PALE, "replay", "--from", "strace", *logs, "-o", tmp_path / "r.rec"], check=0)
        made = Recording(tmp_path / "r.rec")
        seen[form] = (made.calls, closed(made), made.tasks, made.losses)
    assert len(seen["-f"][0]) > 25 and seen["-f"][2] == 2
    for form, what in seen.items():
        assert what == seen["-f"], form


HEAD = 'execve("/bin/x", ["x"], 0x7ffd /* 3 vars */) = 0\n'
SEEN = {"calls": {"execve": 1, "read": 2, "clone": 1, "getpid": 1, "restart_syscall": 1, "kill": 1, "exit_group": 2,
                  "mmap": 1, "ioctl": 2, "socket": 1, "openat": 2, "unlinkat": 1, "rename": 1}}
TEXT = """7 05:17:52.5 execve("/bin/nope", ["x"], 0x7ffd /* 3 vars */) = -1 ENOENT (No such file or directory)
7 05:17:53.0 execve("/bin/x", ["x", "a\\"(<"], 0x7ffd /* 3 vars */) = 0
7 05:17:53.1 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD <unfinished ...>
8 05:17:53.2 read(0</dev/pts/0<char 136:0>>,  <unfinished ...>
7 05:17:53.3 <... clone resumed>, child_tidptr=0x7fa) = 8
7 05:17:53.4 openat(AT_FDCWD</home/u>, "a b", O_WRONLY|O_CREAT|O_APPEND, 0666) = 3</home/u/a b>
7 05:17:53.4 openat(AT_FDCWD</home/u>, "none", O_RDONLY) = -1 ENOENT (No such file or directory)
7 05:17:53.4 unlinkat(AT_FDCWD</home/u>, "../v/w", 0) = -1 EPERM (Operation not permitted) (INJECTED)
7 05:17:53.4 rename("/srv/a", "/srv/b") = 0
8 05:17:53.5 <... read resumed>0x7ff, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
8 05:17:53.5 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=0} ---
8 05:17:53.5 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=9, si_uid=0, si_status=0} ---
8 05:17:53.6 restart_syscall(<... resuming interrupted read ...>) = 1
8 05:17:53.6 ioctl(3</home/u/a b>, _IOC(_IOC_READ|_IOC_WRITE, 0x54, 0x2a, 0x4), 0x7ff) = 0
8 05:17:53.6 ioctl(3, SNDCTL_TMR_TIMEBASE or SNDRV_TIMER_IOCTL_NEXT_DEVICE or TCGETS, {B38400 opost}) = 0
8 05:17:53.6 mmap(NULL, 8192, PROT_READ|PROT_EXEC, MAP_PRIVATE, 3</lib/l.so>, 0) = 0x7fa
8 05:17:53.6 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 4<UDP:[1]>
7 05:17:53.7 getpid() = 7
7 05:17:53.7 kill(8, SIGRT_2) = 0
8 05:17:53.8 exit_group(0) = ?
8 05:17:53.8 +++ exited with 0 +++
7 05:17:53.9 read(0,  <detached ...>
7 05:17:54.0 exit_group(0 <unfinished ...>
strace: Process 9 attached
""".replace("SNDCTL_TMR_TIMEBASE or SNDRV_TIMER_IOCTL_NEXT_DEVICE or TCGETS", "TCGETS or SNDCTL_TMR_TIMEBASE")


def test_unfinished_calls_signals_restarts_and_injected_errors_count_as_they_were_made(tmp_path):
    made = replay(tmp_path, "strace", TEXT)
    assert {n: c for (a, n), c in made.calls.items()} == SEEN["calls"] and made.losses == "none"
    assert sorted(v for k, vs in made.args.items() for v in vs if ":" in v) == sorted(
        ["0x1200011:1", "0xc004542a:1", "0x5401:1", "0x5:1", "0x22:1", "0x2:1", "0x0:1", "0x441:1"])
    assert made.tuples == {("socket", 2, 0x80002, 0)}
    assert {p: f[0] for p, f in made.files.items()} == {
        "/bin/x": "rmx", "/home/u/a b": "wa", "/lib/l.so": "m", "/srv/a": "rw", "/srv/a/": "rw", "/srv/b": "w",
        "/srv/b/": "w"}
    assert "received 10 ours\t1:1@500000000\n" in made.text
    assert made.runs[1]["duration"] == "1000000000" and made.runs[1]["program"] == '"/bin/x"'


def test_a_file_a_process_and_one_of_all_replay_to_the_same(tmp_path):
    whole = replay(tmp_path, "strace", TEXT)
    each = {pid: [line[2:] for line in TEXT.splitlines() if line.startswith(pid)] for pid in "78"}
    paths = []
    for pid, lines in each.items():
        paths.append(tmp_path / f"t.{pid}")
        paths[-1].write_text("\n".join(lines) + "\n")
    run([PALE, "replay", "--from", "strace", *paths, "-o", tmp_path / "ff.rec"])
    made = Recording(tmp_path / "ff.rec")
    assert made.calls == whole.calls and made.files == whole.files and made.tasks == whole.tasks == 2


SOCKETS = """7 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3<socket:[70]>
7 bind(3<socket:[70]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
8 socket(AF_INET6, SOCK_DGRAM, IPPROTO_IP) = 3<socket:[71]>
8 connect(3<socket:[71]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.1")}, 16) = 0
7 connect(4<socket:[72]>, {sa_family=AF_INET, sin_port=htons(5), sin_addr=inet_addr("10.0.0.1")}, 16) = 0
8 socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = 3<socket:[70]>
8 connect(3<socket:[70]>, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.0.0.1")}, 16) = 0
"""


def test_the_type_of_a_socket_is_what_it_was_made_with_where_that_was_shown(tmp_path):
    made = replay(tmp_path, "strace", "7 " + HEAD + SOCKETS)
    assert set(made.addresses) == {("bind", "inet", "stream", "80", "loopback"), ("connect", "inet", "dgram", "53", "private"),
                                   ("connect", "inet", "-", "5", "private"), ("connect", "inet", "raw", "0", "private")}


def test_a_call_that_its_task_was_killed_in_has_no_end(tmp_path):
    made = replay(tmp_path, "strace", "7 " + HEAD + "8 read(0,  <unfinished ...>\n8 <... read resumed> <unfinished ...>) = ?\n"
                  "8 +++ killed by SIGKILL +++\n8 getpid() = 8\n")
    assert made.losses == "none" and made.calls["x86_64", "read"] == made.calls["x86_64", "getpid"] == 1


def test_without_y_files_are_not_observed_and_said(tmp_path):
    made = replay(tmp_path, "strace", HEAD + 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3\nunlink("/x") = 0\n')
    assert made.files == {} and made.runs[1]["no-files"] is True and made.losses == "none"
    out = run([PALE, "propose", tmp_path / "log.rec"]).out
    assert "files: not observed" in out and "layers seccomp;" in out
    assert "capabilities: not observed (what was replayed does not show them)" in out


def test_of_calls_that_a_replay_has_no_rule_of_it_is_not_said_that_they_failed(tmp_path):
    replay(tmp_path, "audit", "[   12.34] " + seccomp(165) + "\n")
    text = run([PALE, "propose", tmp_path / "log.rec"]).out
    assert "as a replay tells too little of them: mount\n" in text and "none was seen to succeed" not in text, text
    mounts = 'mount("a", "/b", "c", 0, NULL) = -1 ENODEV (No such device)\numount2("/b", 0) = 0\n'
    for files in ('openat(AT_FDCWD</>, "/x", O_RDONLY) = 3</x>\n', ""):  # -y: without it there is no layer for such a rule
        replay(tmp_path, "strace", HEAD + files + mounts)
        text = run([PALE, "propose", tmp_path / "log.rec"], check=0).out
        assert ("umount /b{,/};" in text) == bool(files) and "none was seen to succeed" not in text, text
    replay(tmp_path, "strace", HEAD + 'ptrace(PTRACE_ATTACH, 5) = -1 ESRCH (No such process)\n')
    assert "as none was seen to succeed: ptrace\n" in run([PALE, "propose", tmp_path / "log.rec"], check=0).out


@pytest.mark.parametrize("call, looks", [
    ("PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 4321, PR_SCHED_CORE_SCOPE_THREAD, NULL", True), ("0x3e, 0x1, 4321, 0, NULL", True),
    ("PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_THREAD, NULL", False), ("PR_SET_PDEATHSIG, 9, 4321", False)])
def test_a_core_that_is_shared_with_another_process_is_a_look_at_it(tmp_path, call, looks):
    """sched_core_share_pid() of kernel/sched/core_sched.c; a machine without hyperthreads answers ENODEV before it asks."""
    made = replay(tmp_path, "strace", "7 " + HEAD + f"7 prctl({call}) = 0\n")
    assert set(made.rules) == ({"ptrace (read)"} if looks else set()), made.rules


@pytest.mark.parametrize("of, looks", [
    ("4321, -1, -1, PERF_FLAG_FD_CLOEXEC", True), ("4321, -1, -1, 0", True), ("-1, 0, -1, PERF_FLAG_FD_CLOEXEC", False), ("0, -1, -1, 0", False),
    ("3, 0, -1, PERF_FLAG_PID_CGROUP", False), ("3, 0, -1, PERF_FLAG_PID_CGROUP|PERF_FLAG_FD_CLOEXEC", False)])
def test_events_of_a_processor_or_a_cgroup_look_at_nobody(tmp_path, of, looks):
    made = replay(tmp_path, "strace", "7 " + HEAD + "7 perf_event_open({type=PERF_TYPE_SOFTWARE, size=0, config=PERF_COUNT_SW_CPU_CLOCK, ...}, "
                  f"{of}) = 4\n")
    assert set(made.rules) == ({"ptrace (read)"} if looks else set()), made.rules


@pytest.mark.parametrize("line, said", [
    ("Hello from the program", "no line of strace's"), ("read(3, \"x\"", None), ("nosuch(1) = 0", "'nosuch' is no call"),
    ("ioctl(0, NO_SUCH_NAME, 0x7ff) = 0", "an argument of 'ioctl' could not be read"),
    ("<... read resumed>\"x\", 1) = 1", None), ("\x00\x01", "no line of strace's"), ("socket(AF_INET) = 3", "an argument of 'socket'")])
def test_a_line_that_does_not_read_is_placed_and_is_a_loss(tmp_path, line, said):
    r = replay(tmp_path, "strace", HEAD + line + "\n", check=None)
    assert (r.rc == 1) == bool(said), r
    assert said is None or (said in r.err.replace("a NUL byte", "no line of strace's") and "line 2" in r.err)
    assert (Recording(tmp_path / "log.rec").losses != "none") == bool(said)


def test_a_log_without_a_call_is_no_recording(tmp_path):
    for source in ("strace", "audit", "apparmor"):
        r = replay(tmp_path, source, "Nov 29 host kernel: hello world\n" if source != "strace" else "", check=1)
        assert "nothing was recorded" in r.err and not (tmp_path / "log.rec").exists()


def seccomp(nr, comm="web", exe="/usr/bin/web", pid=42, stamp="1700000000.500:7"):
    return (f'audit: type=1326 audit({stamp}): auid=0 uid=0 gid=0 ses=1 subj=unconfined pid={pid} comm="{comm}" '
            f'exe="{exe}" sig=0 arch=c000003e syscall={nr} compat=0 ip=0x7f code=0x7ffc0000')


LINES = [seccomp(41, stamp="1700000000.500:7"), seccomp(0, stamp="1700000001.000:8"), seccomp(0, pid=43, stamp="1700000002.500:9")]
FORMS = {"dmesg": lambda t: "[   12.34] " + t, "journal": lambda t: "Nov 29 10:00:00 host kernel: " + t,
         "ausearch": lambda t: t.replace("audit: type=1326 audit(", "type=SECCOMP msg=audit(").replace("): ", ") : ", 1),
         "journald": lambda t: "Nov 29 10:00:00 host audit[42]: SECCOMP " + t.split("): ")[1],
         "json": lambda t: json.dumps({"_TRANSPORT": "kernel", "MESSAGE": t})}


def test_seccomps_records_replay_alike_in_every_form_they_are_printed_in(tmp_path):
    for form, write in FORMS.items():
        made = replay(tmp_path, "audit", "".join(f"{write(line)}\nsome other line\n" for line in LINES))
        assert made.calls == {("x86_64", "socket"): 1, ("x86_64", "read"): 2}, form
        assert made.runs[1]["program"] == '"/usr/bin/web"' and made.tasks == 2
        assert made.runs[1]["no-arguments"] is made.runs[1]["no-files"] is made.runs[1]["answered-only"] is True
        assert form == "journald" or made.runs[1]["duration"] == "2000000000"
    out = run([PALE, "propose", tmp_path / "log.rec"]).out
    assert "allow socket;" in out and "arguments: not observed" in out and "only what was refused or logged" in out
    (tmp_path / "p.pale").write_text(out)
    run([PALE, "check", "-t", "bpf", tmp_path / "p.pale"])


def test_of_several_programs_in_a_log_one_is_chosen(tmp_path):
    text = "\n".join([seccomp(0), seccomp(1, comm="sh", exe="/bin/sh", pid=50), seccomp(1, comm="sh", exe="/bin/sh", pid=51)])
    r = replay(tmp_path, "audit", text, check=1)
    assert "several programs: /usr/bin/web, /bin/sh" in r.err and "--exe PATH" in r.err
    for args, want in ((["--comm", "web"], {("x86_64", "read"): 1}), (["--exe", "/bin/sh"], {("x86_64", "write"): 2}),
                       (["--pid", "51"], {("x86_64", "write"): 1})):
        assert replay(tmp_path, "audit", text, *args).calls == want
    assert "3 are of others" in replay(tmp_path, "audit", text, "--comm", "x", check=1).err


DENIED = """[1.5] audit: type=1400 audit(1700000000.1:1): apparmor="DENIED" operation="open" class="file" profile="web" name="/etc/shadow" pid=7 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
[1.5] audit: type=1400 audit(1700000000.2:2): apparmor="ALLOWED" operation="mknod" class="file" profile="web" name="/srv/new" pid=7 comm="cat" requested_mask="c" denied_mask="c" fsuid=1 ouid=0
[1.5] audit: type=1400 audit(1700000000.3:3): apparmor="DENIED" operation="capable" class="cap" profile="web" pid=7 comm="cat" capability=1  capname="dac_override"
[1.5] audit: type=1400 audit(1700000000.4:4): apparmor="DENIED" operation="create" class="net" profile="web" pid=8 comm="cat" family="inet" sock_type="dgram" protocol=17 requested_mask="create" denied_mask="create"
[1.5] audit: type=1400 audit(1700000000.5:5): apparmor="DENIED" operation="signal" class="signal" profile="web" pid=8 comm="cat" requested_mask="receive" denied_mask="receive" signal=term peer="unconfined"
[1.5] audit: type=1400 audit(1700000000.6:6): apparmor="DENIED" operation="mount" class="mount" info="failed mntpnt match" error=-13 profile="web" name="/mnt/" pid=8 comm="cat" fstype="tmpfs" srcname="tmpfs" flags="rw"
[1.5] audit: type=1400 audit(1700000000.6:7): apparmor="DENIED" operation="setrlimit" class="rlimits" profile="web" pid=8 comm="cat" rlimit=nofile value=2048
"""


def test_apparmors_records_replay_to_files_capabilities_sockets_and_signals(tmp_path):
    made = replay(tmp_path, "apparmor", DENIED)
    assert made.files == {"/etc/shadow": ("r", True), "/srv/new": ("w", False)}
    assert made.tuples == {("socket", 2, 2, 17)} and "capability dac_override x86_64 #1023\t1:1@200000000" in made.text
    assert 'received 15 label "unconfined"\t1:1' in made.text and made.runs[1]["unkept"] == "1" and made.runs[1]["no-calls"] is True
    out = run([PALE, "propose", tmp_path / "log.rec"]).out
    for want in ("layers apparmor;", "file r /etc/shadow;", "capability dac_override;", "network inet dgram;",
                 "signal receive term -> unconfined;", "mount fstype=tmpfs options=(rw) tmpfs -> /mnt/;", "no facts for, and so no rule is here: 1", "calls: not observed"):
        assert want in out, out
    (tmp_path / "p.pale").write_text(out)
    run([PALE, "check", tmp_path / "p.pale"])
    two = DENIED + DENIED.replace('profile="web"', 'profile="db"')
    assert "several profiles: web, db" in replay(tmp_path, "apparmor", two, check=1).err
    assert replay(tmp_path, "apparmor", two, "--profile", "db").files == made.files


def test_a_process_s_number_in_a_name_is_known_by_the_line_s(tmp_path):
    strace = HEAD + "".join(f'{pid} openat(AT_FDCWD</srv>, "w-{n}", O_WRONLY|O_CREAT, 0666) = 3</srv/w-{n}>\n' for pid, n in ((4711, 4711), (4711, 4712)))
    log = "\n".join(DENIED.splitlines()[1].replace("/srv/new", f"/srv/w-{n}").replace("pid=7", "pid=4711") for n in (4711, 4712))
    for source, text in (("strace", "4711 " + strace), ("apparmor", log)):
        made = replay(tmp_path, source, text).text
        assert re.findall(r'(?m)^file "/srv/w-(\d+)" w.* numbered\t', made) == ["4711"], made


def test_a_log_that_is_replayed_twice_is_one_run(tmp_path):
    replay(tmp_path, "strace", TEXT)
    first = (tmp_path / "log.rec").read_bytes()
    replay(tmp_path, "strace", TEXT)
    assert (tmp_path / "log.rec").read_bytes() == first
    assert run([PALE, "merge", tmp_path / "log.rec", tmp_path / "log.rec"]).out.encode() == first
    replay(tmp_path, "strace", TEXT + "7 getpid() = 7\n")
    assert (tmp_path / "log.rec").read_text().splitlines()[1] != first.decode().splitlines()[1]


@pytest.mark.once
def test_a_log_of_any_length_takes_the_memory_of_what_is_different_in_it(tmp_path):
    block = TEXT.encode() * 100
    times = (1 << 30 if LONG else 8 << 20) // len(block) + 1
    p = subprocess.Popen([PALE, "replay", "--from", "strace", "-", "-o", tmp_path / "r"], stdin=subprocess.PIPE,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20)))
    for _ in range(times):
        p.stdin.write(block)
    p.stdin.close()
    assert p.wait() == 0
    # Only the first execve is looked for: of later ones that failed each was made.
    assert Recording(tmp_path / "r").calls["x86_64", "getpid"] == 100 * times


@pytest.mark.once
def test_hostile_logs_are_bounded(tmp_path):
    many = "".join(f"{i} read(0,  <unfinished ...>\n" for i in range(200000))
    made = replay(tmp_path, "strace", "1 " + HEAD + many)
    assert made.calls["x86_64", "read"] == 200000 and made.tasks == 200000
    deep = HEAD + "read(" + "(" * 100000 + "\n" + "write(" + "[{" * 100000 + "\n" + "x" * (3 << 20) + "\n"
    assert "line 4: the line is too long" in replay(tmp_path, "strace", deep, check=1).err


@pytest.mark.parametrize("command", ["merge", "replay"])
def test_what_takes_longer_than_a_second_says_how_far_it_is_on_a_terminal_alone(tmp_path, command):
    replay(tmp_path, "strace", TEXT)
    slow, rec = tmp_path / "slow", tmp_path / "log.rec"
    os.mkfifo(slow)
    argv = {"merge": ["merge", slow, rec], "replay": ["replay", "--from", "strace", slow]}[command]
    text = {"merge": [b"", rec.read_bytes()], "replay": [TEXT.encode(), b"7 getpid() = 7\n" * 2100]}[command]
    ours, theirs = os.openpty()
    p = subprocess.Popen([PALE, *argv, "-o", tmp_path / "out"], stderr=theirs)
    os.close(theirs)
    with open(slow, "wb", buffering=0) as f:
        f.write(text[0])
        time.sleep(1.1)
        f.write(text[1])
    assert p.wait() == 0
    said = os.read(ours, 4096).decode()
    os.close(ours)
    line = {"merge": "pale merge: 1 of 2 recordings", "replay": "pale replay: 1024 lines"}[command]
    assert said.startswith(f"\r\033[K{line}") and said.endswith("\r\033[K"), said
