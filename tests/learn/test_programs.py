# SPDX-License-Identifier: Apache-2.0
"""Which program made which call."""
import os
import re
import shutil

import pytest

from conftest import LONG, PALE, need, run
from recordings import Recording
from test_backends import BACKENDS, PROBES, cgroup, learn, usable  # noqa: F401
from test_recordings import quote
from test_replay import replay, seccomp
from test_running import home, holder, say, watch  # noqa: F401

ALL = [*BACKENDS, "seccomp"]
PYTHON = os.path.realpath("/usr/bin/python3")
TRUE = os.path.realpath("/bin/true")


def of_all(rec, exact):
    """Whatever was seen is somebody's, and nobody made what was not."""
    assert rec.runs[1]["programs-seen"] is True
    looked_at = {c for c in rec.calls if f"call {c[0]} {c[1]} assumed\t" not in rec.text}
    assert set().union(*rec.by.values()) == looked_at
    for call in looked_at if exact else ():
        assert sum(made.get(call, 0) for made in rec.by.values()) == rec.calls[call], call
    if "serve-from" in rec.runs[1]:
        of_serving(rec, exact)


def of_serving(rec, exact):
    """The same of what was made while serving; and what a program makes then it makes in the whole run."""
    assert rec.runs[1]["programs-by-phase"] is True
    looked_at = {c for c in rec.serve_calls if f"serve call {c[0]} {c[1]} assumed\t" not in rec.text}
    assert set().union(*rec.serve_by.values()) == looked_at
    for call in looked_at if exact else ():
        assert sum(made.get(call, 0) for made in rec.serve_by.values()) == rec.serve_calls[call], call
    for program, made in rec.serve_by.items():
        for call, n in made.items():
            assert n <= rec.by[program][call], (program, call)


@pytest.mark.parametrize("backend", ALL)
def test_until_its_exec_a_process_is_of_the_program_that_started_it(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PYTHON, "-c", "import os\nif not os.fork():\n  os.getpriority(0, 0)\n  "
                   f"os.execv('{TRUE}', ['true'])\nos.wait()\nos.sched_getscheduler(0)")
    assert {str(p) for p in rec.by} == {PYTHON, TRUE}
    mine, other = rec.made_by(PYTHON), rec.made_by(TRUE)
    assert {"getpriority", "execve", "sched_getscheduler"} <= mine and "execve" not in other, (mine, other)
    assert not {"getpriority", "sched_getscheduler"} & other and {"openat", "mmap"} <= mine & other
    of_all(rec, backend in ("ptrace", "seccomp"))


@pytest.mark.parametrize("backend", ALL)
def test_where_a_thread_executes_another_program_its_process_runs_that(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PYTHON, "-c", "import os, threading\nt = threading.Thread(target=os.execv, args=("
                   f"'{PYTHON}', ['python3', '-S', '-c', 'import os; os.execv(\"/bin/sh\", [\"sh\", \"-c\", \"umask 77\"])']))\n"
                   "t.start()\nt.join()")
    shell = os.path.realpath("/bin/sh")
    assert {str(p) for p in rec.by} == {PYTHON, shell}
    assert "umask" in rec.made_by(shell) and "umask" not in rec.made_by(PYTHON)
    of_all(rec, backend in ("ptrace", "seccomp"))


@pytest.mark.parametrize("backend", ALL)
def test_a_name_leads_to_what_runs_and_what_has_no_path_is_others(tmp_path, backend):
    odd, script = tmp_path / "a b\n\"\\\xff", tmp_path / "script"
    os.symlink(TRUE, tmp_path / "link")
    odd.write_bytes(open(TRUE, "rb").read())
    script.write_text(f"#!{PYTHON}\nimport os\nos.getpriority(0, 0)\n")
    odd.chmod(0o755)
    script.chmod(0o755)
    rec, _ = learn(tmp_path, backend, PYTHON, "-c", "import os, sys, subprocess\nfor p in sys.argv[1:]:\n  subprocess.run([p])\n"
                   f"fd = os.memfd_create('x')\nos.write(fd, open('{TRUE}', 'rb').read())\nif not os.fork():\n"
                   "  os.execve(fd, ['x'], {})\nos.wait()", tmp_path / "link", odd, script)
    assert set(rec.by) == {PYTHON, TRUE, str(odd), None}
    assert "getpriority" in rec.made_by(PYTHON) and ("x86_64", "exit_group") in rec.by[None]


SERVES = os.path.realpath(PROBES / "serves")


def by_phase(rec, program, arch="x86_64"):
    """What a program makes while it starts, and while it serves."""
    made, serves = rec.by.get(program, {}), rec.serve_by.get(program, {})
    return ({c for (a, c), n in made.items() if a == arch and n > serves.get((a, c), 0)},
            {c for a, c in serves if a == arch})


@pytest.mark.parametrize("backend", ALL)
def test_who_makes_a_call_is_told_of_start_and_serving_apart(tmp_path, backend):
    """A shell starts a server, which executes itself for a connection; what the shell does serves nobody."""
    rec, _ = learn(tmp_path, backend, "sh", "-c", f"umask 77; {SERVES} program; umask 22")
    shell = os.path.realpath("/bin/sh")
    assert set(rec.by) == {shell, SERVES} and set(rec.serve_by) == {SERVES}
    of_all(rec, backend in ("ptrace", "seccomp"))
    start, serving = by_phase(rec, SERVES)
    assert {"listen", "getpriority"} <= start - serving and "sysinfo" in start & serving
    assert {"getrusage", "sched_get_priority_min", "execve"} <= serving - start  # the first exec is the shell's
    assert "umask" in by_phase(rec, shell)[0]


def test_all_backends_tell_the_same_of_who_makes_what_when(tmp_path):
    """Where a call is made and how often it is interrupted is none of it: the names, of each phase."""
    told = {}
    for backend in BACKENDS:
        rec, _ = learn(tmp_path, backend, "sh", "-c", f"umask 77; {SERVES} program; umask 22")
        told[backend] = {p: by_phase(rec, p) for p in rec.by}
    assert all(one == told["ptrace"] for one in told.values()), told


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_without_files_who_makes_what_when_is_told_the_same(tmp_path, backend):
    with_files, without = (learn(tmp_path, backend, "sh", "-c", f"umask 77; {SERVES} program", options=options)[0]
                           for options in ([], ["--no-files"]))
    assert "no-files" in without.runs[1] and "no-files" not in with_files.runs[1]
    of_all(without, backend == "ptrace")
    assert {p: by_phase(without, p) for p in without.by} == {p: by_phase(with_files, p) for p in with_files.by}


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_ran_before_is_known_by_what_it_runs(tmp_path, holder, backend):  # noqa: F811
    usable(backend)
    p = watch(tmp_path, "--backend", backend, "--pid", holder.pid)
    for word in "tc":
        say(holder, word)
    holder.stdin.close()
    assert p.communicate(timeout=120) and holder.wait(timeout=120) == 7 and p.returncode == 0
    rec = Recording(tmp_path / "rec")
    assert set(rec.by) == {os.path.realpath(PROBES / "holder")} and rec.losses == "none"
    assert {"getsid", "getpgid", "socket"} <= rec.made_by(os.path.realpath(PROBES / "holder"))
    of_all(rec, False)
    assert rec.serve_by == rec.by  # it is taken to serve, also by what it held


@pytest.mark.parametrize("backend", ["ebpf", "ebpf-tp", "ebpf-raw"])
def test_what_comes_into_a_cgroup_is_known_with_its_first_call(tmp_path, cgroup, backend):  # noqa: F811
    usable(backend)
    p = watch(tmp_path, "--backend", backend, "--cgroup", cgroup)
    run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; umask 77; exec {TRUE}"], check=0)
    assert p.communicate(timeout=120) and p.returncode == 0
    rec = Recording(tmp_path / "rec")
    assert set(rec.by) == {os.path.realpath("/bin/sh"), TRUE} and rec.losses == "none"
    assert {"umask", "execve"} <= rec.made_by(os.path.realpath("/bin/sh"))
    of_all(rec, False)


@pytest.mark.parametrize("backend", ["ebpf", *(["ptrace"] if LONG else [])])
def test_beyond_those_that_are_told_apart_programs_are_others_and_nothing_is_lost(tmp_path, backend):
    shutil.copy(PROBES / "spin", tmp_path / "p0")
    for i in range(1, 260):
        os.link(tmp_path / "p0", tmp_path / f"p{i}")
    script = tmp_path / "all"
    script.write_text("".join(f"{tmp_path}/p{i} 1\n" for i in range(260)))
    rec, _ = learn(tmp_path, backend, "sh", script)
    assert len(rec.by) == 255 and rec.losses == "none" and "getppid" in {c for _, c in rec.by[None]}
    assert all("getppid" in {c for _, c in made} for by, made in rec.by.items() if by != os.path.realpath("/bin/sh"))


def test_a_shorter_command_line_keeps_the_programs_which_are_files(tmp_path):
    rec, _ = learn(tmp_path, "ptrace", "sh", "-c", ": s3cret; /bin/true", options=["--no-arguments"])
    assert "s3cret" not in rec.text and TRUE in rec.by


# ---- of logs ----

def test_strace_shows_the_same(tmp_path):
    """By the names that were given; the command's own exec is its first call there."""
    need("strace")
    script = f"umask 77; {TRUE}; (umask 7; (ulimit -c 0; {TRUE}); exec /bin/cat /etc/hostname); /bin/cat /etc/hostname | /usr/bin/wc; :"
    log = tmp_path / "trace"
    run(["strace", "-f", "-y", "-o", log, "/bin/sh", "-c", script], check=0)
    live, _ = learn(tmp_path, "ptrace", "/bin/sh", "-c", script)
    made = replay(tmp_path, "strace", log.read_text())
    of_all(made, True)
    names = {"/bin/sh": os.path.realpath("/bin/sh"), "/bin/cat": os.path.realpath("/bin/cat")}
    assert {names.get(p, p) for p in made.by} == set(live.by)
    waits = {"restart_syscall", "rt_sigreturn"}  # whether a wait is interrupted is a race
    for program in made.by:
        assert (made.made_by(program) ^ live.made_by(names.get(program, program))) - waits == set(), program


CHILDREN = """100 execve("/bin/a", ["a"], 0x7ff /* 1 var */) = 0
100 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
101 getppid() = 100
101 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
102 getuid() = 0
102 execve("/bin/c", ["c"], 0x7ff /* 1 var */) = 0
102 getgid() = 0
101 <... clone resumed>) = 102
101 execve("/bin/b", ["b"], 0x7ff /* 1 var */) = -1 ENOENT (No such file or directory)
101 execve("/bin/b", ["b"], 0x7ff /* 1 var */) = 0
101 getpid() = 101
101 +++ exited with 0 +++
100 <... clone resumed>) = 101
100 clone(child_stack=NULL, flags=SIGCHLD) = 101
101 geteuid() = 0
103 getegid() = 0
"""


def test_of_strace_whose_a_child_is_its_maker_tells_also_later(tmp_path):
    made = replay(tmp_path, "strace", CHILDREN)
    assert made.made_by("/bin/a") == {"execve", "clone", "getppid", "getuid", "geteuid"}
    assert made.made_by("/bin/b") == {"getpid"} and made.made_by("/bin/c") == {"getgid"}
    assert set(made.by[None]) == {("x86_64", "getegid")}  # nobody made it


SUPERSEDED = """100 execve("/bin/a", ["a"], 0x7ff /* 1 var */) = 0
100 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD) = 101
101 getppid() = 99
101 execve("/bin/b", ["b"], 0x7ff /* 1 var */ <unfinished ...>
100 futex(0x7f, FUTEX_WAIT, 1, NULL <unfinished ...>) = ?
100 +++ superseded by execve in pid 101 +++
100 <... execve resumed>) = 0
100 getpid() = 100
"""


def test_of_strace_an_exec_of_a_thread_is_one_of_its_process(tmp_path):
    made = replay(tmp_path, "strace", SUPERSEDED)
    assert made.made_by("/bin/b") == {"getpid"} and made.made_by("/bin/a") == {"execve", "clone", "getppid", "futex"}
    assert made.calls["x86_64", "execve"] == 2 and set(made.by) == {"/bin/a", "/bin/b"}
    told_of_none = replay(tmp_path, "strace", SUPERSEDED.replace("in pid 101", "in pid 102"))
    assert set(told_of_none.by) == {"/bin/a", None} and ("x86_64", "getpid") in told_of_none.by[None]


def test_of_strace_that_came_midway_what_runs_is_not_known_until_it_executes(tmp_path):
    made = replay(tmp_path, "strace", CHILDREN.split("\n", 1)[1] + '100 execve("/bin/d", ["d"], 0x7ff /* 1 var */) = 0\n')
    assert set(made.by) == {None, "/bin/b", "/bin/c"} and "clone" in {c for _, c in made.by[None]}


def test_audits_records_have_the_program(tmp_path):
    lines = [seccomp(0), seccomp(1, exe="/usr/bin/sh"), seccomp(1), seccomp(2).replace('exe="/usr/bin/web" ', "")]
    made = replay(tmp_path, "audit", "\n".join(lines), "--comm", "web")
    assert made.by == {"/usr/bin/web": {("x86_64", "read"): 1, ("x86_64", "write"): 1},
                       "/usr/bin/sh": {("x86_64", "write"): 1}, None: {("x86_64", "open"): 1}}


# ---- what is proposed of it ----

HEAD = """pale recording 1
run 1 id 44e20cfe700abec92f24d52abb214ae2
run 1 machine x86_64
run 1 kernel "6.1"
run 1 libc "static"
run 1 tier "ebpf"
run 1 capabilities-seen
run 1 programs-seen
"""
BY = ["/usr/bin/mount", "/usr/bin/web\n<b>"]


def recording(facts, head=HEAD):
    facts = sorted(f"{f}\t1:1" for f in facts)
    return "\n".join([head + facts[0], *facts[1:], f"end 1 {len(facts)}\n"])


def two_programs(*more):
    return recording([*(f"call x86_64 {c}" for c in ("read", "mount", "bpf", "chroot", "socket")),
                      *(f"by {quote(BY[0])} x86_64 {c}" for c in ("read", "mount", "chroot")),
                      *(f"by {quote(BY[1])} x86_64 {c}" for c in ("read", "bpf", "socket", "chroot")), *more])


def propose(tmp_path, text):
    (tmp_path / "rec").write_text(text)
    return run([PALE, "propose", "--allow-loss", tmp_path / "rec"], check=0).out


def test_a_rule_of_risk_says_which_of_several_programs_alone_needs_it(tmp_path):
    out = propose(tmp_path, two_programs())
    assert set(re.findall(r"# only (.*) makes it\n +allow (\w+);", out)) == {("/usr/bin/web\\x0a<b>", "bpf"),
                                                                            ("/usr/bin/mount", "mount")}
    run([PALE, "fmt", "--check", "-"], input=out, check=0)
    assert "makes it" not in propose(tmp_path, two_programs().replace("run 1 programs-seen\n", ""))
    of_others = propose(tmp_path, two_programs("by others x86_64 mount"))
    assert "only /usr/bin/mount" not in of_others and "# only /usr/bin/web" in of_others


def test_nothing_else_of_a_proposal_comes_from_who_made_a_call(tmp_path):
    rec, text = learn(tmp_path, "ptrace", "sh", "-c", f"umask 77; {TRUE}; exec cat /etc/hostname")
    assert len(rec.by) == 3
    lines = [line for line in rec.text.splitlines() if not line.startswith("by ") and line != "run 1 programs-seen"]
    facts = sum(not line.startswith(("run ", "pale ", "end ")) for line in lines)
    assert propose(tmp_path, "\n".join([*lines[:-1], f"end 1 {facts}\n"])) == text == propose(tmp_path, rec.text)


# ---- of the second policy ----

PHASES = HEAD.replace("run 1 capabilities", 'run 1 serve-from "accept4"\nrun 1 serving 5000\nrun 1 capabilities')
BY_PHASE = PHASES + "run 1 programs-by-phase\n"


def served(head, *more):
    """Both start with chroot and serve with read; the one mounts while it serves, too, bpf is the other's start."""
    start, serves = {BY[0]: ("read", "mount", "chroot"), BY[1]: ("read", "mount", "bpf", "chroot")}, {
        BY[0]: ("read", "mount"), BY[1]: ("read", "bpf")}
    return recording([*(f"call x86_64 {c}" for c in ("read", "mount", "bpf", "chroot")),
                      *(f"serve call x86_64 {c}" for c in ("read", "mount", "bpf")),
                      *(f"by {quote(p)} x86_64 {c}" for p, made in start.items() for c in made),
                      *(f"serve by {quote(p)} x86_64 {c}" for p, made in serves.items() for c in made if "phase" in head),
                      *more], head)


def second(tmp_path, *texts):
    for i, text in enumerate(texts):
        (tmp_path / f"rec{i}").write_text(text.replace("44e20cfe", f"44e20cf{i}"))
    run([PALE, "propose", "--phases", "-o", tmp_path / "p.pale", *(tmp_path / f"rec{i}" for i in range(len(texts)))], check=0)
    run([PALE, "fmt", "--check", tmp_path / "p-serve.pale"], check=0)
    return [set(re.findall(r"# only (.*) (makes it.*)\n +allow (\w+);", (tmp_path / name).read_text()))
            for name in ("p.pale", "p-serve.pale")]


def test_the_second_policy_says_which_program_alone_needs_a_rule_while_serving(tmp_path):
    first, then = second(tmp_path, served(BY_PHASE))
    assert first == {("/usr/bin/web\\x0a<b>", "makes it", "bpf")}
    assert then == {("/usr/bin/web\\x0a<b>", "makes it while serving", "bpf"), ("/usr/bin/mount", "makes it while serving", "mount")}
    _, of_others = second(tmp_path, served(BY_PHASE, "serve by others x86_64 mount", "by others x86_64 mount"))
    assert of_others == {("/usr/bin/web\\x0a<b>", "makes it while serving", "bpf")}


def test_where_one_program_alone_serves_that_is_not_said_of_each_rule(tmp_path):
    text = served(BY_PHASE)
    lines = [line for line in text.splitlines() if not line.startswith(f"serve by {quote(BY[0])}") and "serve call x86_64 mount" not in line]
    lines[-1] = f"end 1 {sum(not line.startswith(('run ', 'pale ', 'end ')) for line in lines)}\n"
    assert second(tmp_path, "\n".join(lines))[1] == set()


def test_of_older_recordings_it_says_what_is_known_of_the_whole_run(tmp_path):
    """Who alone makes a call in all of it does while serving; who else does then is not known."""
    known = ("/usr/bin/web\\x0a<b>", "makes it", "bpf")
    for texts in ([served(PHASES)], [served(PHASES), served(BY_PHASE)], [served(BY_PHASE), served(PHASES)]):
        assert second(tmp_path, *texts) == [{known}] * 2


def test_what_a_program_makes_while_serving_it_has_to_make_at_all(tmp_path):
    """A recording that says otherwise has been edited: it is read, kept as it is, and nothing comes of that fact."""
    odd = served(BY_PHASE, f"serve by {quote('/usr/bin/a')} x86_64 mount", f"serve by {quote(BY[1])} x86_64 chroot")
    assert second(tmp_path, odd)[1] == {("/usr/bin/web\\x0a<b>", "makes it while serving", "bpf"),
                                        ("/usr/bin/mount", "makes it while serving", "mount")}
    assert run([PALE, "merge", tmp_path / "rec0"], check=0).out == (tmp_path / "rec0").read_text()
