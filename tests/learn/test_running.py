# SPDX-License-Identifier: Apache-2.0
"""Processes that run already: recorded from here on, with what they hold, and left alone."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import PALE, PATIENCE, need, need_root, run
from recordings import Recording
from test_backends import BACKENDS, PROBES, cgroup, usable, waits  # noqa: F401
from test_snapshots import wait_for

@pytest.fixture
def home():
    d = pathlib.Path(tempfile.mkdtemp(prefix="pale", dir="/tmp"))  # short: a socket's name must fit
    (d / "in").touch()
    yield d
    shutil.rmtree(d)


@pytest.fixture
def holder(home):
    with subprocess.Popen([PROBES / "holder", home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          bufsize=1, cwd="/") as p:
        assert p.stdout.readline() == "ready\n"
        yield p
        p.kill()


def say(holder, word):
    holder.stdin.write(word)
    holder.stdin.flush()
    assert holder.stdout.readline() == "did\n"


def watch(tmp_path, *options):
    p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "-r", tmp_path / "rec", *map(str, options)],
                         stderr=subprocess.PIPE, text=True)
    wait_for(lambda: p.poll() is not None or waits(p.pid))
    assert p.poll() is None, p.communicate(timeout=PATIENCE)
    return p


def facts(rec, kind):
    return {line.split("\t")[0] for line in rec.text.splitlines() if line.startswith(kind)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_process_is_recorded_from_here_on_with_what_it_holds(tmp_path, home, holder, backend):
    usable(backend)
    p = watch(tmp_path, "--backend", backend, "--pid", holder.pid)
    for word in "tc":
        say(holder, word)
    holder.stdin.close()
    err = p.communicate(timeout=PATIENCE)[1]
    proved = backend not in ("ebpf-btf", "ebpf-raw") or "PL408" in err  # asked for by its name: what is not counted is said
    assert holder.wait(timeout=PATIENCE) == 7 and p.returncode == 0 and "PL406" in err and proved, err
    assert err.count("\n") == 1 + ("PL408" in err), err
    rec, text = Recording(tmp_path / "rec"), (tmp_path / "p.pale").read_text()
    head = rec.runs[1]
    assert rec.losses == "none" and head["midway"] is True and "left-running" not in head, head
    assert head["program"] == f'"{os.path.realpath(PROBES / "holder")}"' and head["name"] == '"holder"'
    assert head["command"] == f'"{PROBES / "holder"} {home}"'
    # what was done since, in a thread and in a child that are new
    assert rec.calls["x86_64", "getsid"] == 1 and rec.calls["x86_64", "getpgid"] == 1
    assert rec.files[f"{home}/child"][0] == "w" and head["tasks"] == "4"
    # and what it has from before, all of it and nothing else
    assert facts(rec, f'file "{home}') - {f'file "{home}/child" w owned'} == {
        f'file "{home}/" - owned held', f'file "{home}/in" r owned held', f'file "{home}/log" a owned held',
        f'file "{home}/sock" w owned held'}
    assert facts(rec, "tuple") == {"tuple x86_64 socket 0x1 0x2 0x0 held", "tuple x86_64 socket 0xa 0x1 0x6 held"}
    assert "call x86_64 socket held" in facts(rec, "call") and rec.calls["x86_64", "pause"] >= 1
    assert set("rmx") == set(rec.files[os.path.realpath(PROBES / "holder")][0])
    plain = re.sub(r" +", " ", text)
    assert "# begun midway: " in text and f"file r {home}/in; # held when the recording began" in plain
    assert "network inet6 stream; # 1x, held when the recording began" in plain
    if backend != "ptrace":  # which interrupts it
        assert "allow pause; # slept in: held when the recording began" in plain
    assert run([PALE, "propose", tmp_path / "rec"], check=0).out == text
    assert run([PALE, "merge", tmp_path / "rec"], check=0).out == rec.text
    run([PALE, "check", tmp_path / "p.pale"], check=0)


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_process_lives_on_when_its_recording_ends(tmp_path, holder, backend):
    usable(backend)
    p = watch(tmp_path, "--backend", backend, "--pid", holder.pid)
    say(holder, "c")
    p.send_signal(signal.SIGINT)
    assert p.wait(timeout=PATIENCE) == 0 and Recording(tmp_path / "rec").runs[1]["interrupted"] is True
    say(holder, "t")
    p = watch(tmp_path, "--backend", backend, "--pid", holder.pid)
    p.kill()
    p.wait(timeout=PATIENCE)
    say(holder, "c")
    holder.stdin.close()
    assert holder.wait(timeout=PATIENCE) == 7


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_several_processes_are_one_recording_until_the_last_ends(tmp_path, holder, backend):
    usable(backend)
    with subprocess.Popen(["sh", "-c", "read x; exec cat /etc/hostname"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as other:
        p = watch(tmp_path, "--backend", backend, "--pid", holder.pid, "--pid", other.pid)
        other.communicate(b"\n")
    time.sleep(0.3)
    assert p.poll() is None
    say(holder, "c")
    holder.stdin.close()
    assert p.wait(timeout=PATIENCE) == 0, p.stderr.read()
    rec = Recording(tmp_path / "rec")
    assert "/etc/hostname" in rec.files and rec.calls["x86_64", "getpgid"] == 1
    assert not {"program", "name", "command"} & set(rec.runs[1])


def test_ptrace_says_that_children_are_left(tmp_path, holder):
    p = watch(tmp_path, "--backend", "ptrace", "--pid", holder.pid)
    say(holder, "d")
    os.kill(holder.pid, signal.SIGKILL)
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 0 and "PL413" in err and f"process {holder.pid} started still run" in err, err


def test_cgroups_and_processes_are_recorded_together(tmp_path, holder, cgroup):  # noqa: F811
    usable("ebpf")
    other = cgroup.parent / "other"
    other.mkdir()
    try:
        p = watch(tmp_path, "--backend", "ebpf", "--cgroup", cgroup, "--cgroup", other, "--pid", holder.pid)
        for group, name in ((cgroup, "hostname"), (other, "hosts"), (cgroup.parent, "passwd")):
            run(["sh", "-c", f"echo $$ > {group}/cgroup.procs; exec cat /etc/{name}"], check=0)
        time.sleep(0.5)
        assert p.poll() is None  # both have emptied, the process has not ended
        (cgroup.parent / "cgroup.procs").write_text(str(holder.pid))  # wherever it is
        say(holder, "c")
        holder.stdin.close()
        assert p.wait(timeout=PATIENCE) == 0, p.stderr.read()
    finally:
        other.rmdir()
    rec = Recording(tmp_path / "rec")
    assert {"/etc/hostname", "/etc/hosts"} <= set(rec.files) and "/etc/passwd" not in rec.files
    assert rec.calls["x86_64", "getpgid"] == 1 and rec.losses == "none"


def test_a_cgroup_that_is_made_anew_is_recorded_on(tmp_path, cgroup):  # noqa: F811
    usable("ebpf")
    p = watch(tmp_path, "--backend", "ebpf", "--cgroup", cgroup, "--until", "10m")
    for name in ("hostname", "hosts"):
        run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; exec cat /etc/{name}"], check=0)
        cgroup.rmdir()
        time.sleep(0.4)
        cgroup.mkdir()
        time.sleep(0.4)
    p.send_signal(signal.SIGTERM)
    assert p.wait(timeout=PATIENCE) == 0, p.stderr.read()
    assert {"/etc/hostname", "/etc/hosts"} <= set(Recording(tmp_path / "rec").files)


def stopped_as_it_gets_ready(tmp_path, pid):
    """learn --until 1s, stopped once it takes signals, and before it records; None: it was too fast."""
    p = subprocess.Popen([PALE, "learn", "--backend", "ebpf", "-o", tmp_path / "p", "-r", tmp_path / "rec", "--pid", str(pid), "--until", "1s"],
                         stderr=subprocess.PIPE, text=True)
    taken = 1 << (signal.SIGALRM - 1)
    while not int(re.search(r"^SigCgt:\s*(\w+)", pathlib.Path(f"/proc/{p.pid}/status").read_text(), re.M)[1], 16) & taken:
        assert p.poll() is None
    p.send_signal(signal.SIGSTOP)
    wait_for(lambda: re.search(r"^State:\s*T", pathlib.Path(f"/proc/{p.pid}/status").read_text(), re.M))
    if not waits(p.pid):
        return p
    p.kill()
    p.communicate(timeout=60)
    return None


def test_the_time_of_a_recording_begins_when_it_records(tmp_path):
    usable("ebpf")
    with subprocess.Popen(["sh", "-c", "while :; do sleep .05; done"]) as busy:
        try:
            p = next(p for p in (stopped_as_it_gets_ready(tmp_path, busy.pid) for _ in range(20)) if p)
            time.sleep(2.5)  # as long as it takes to load where all are busy
            p.send_signal(signal.SIGCONT)
            err = p.communicate(timeout=120)[1]
        finally:
            busy.kill()
    run_ = Recording(tmp_path / "rec").runs[1]
    assert p.returncode == 0 and float(run_["duration"]) >= 1, (err, run_)


def test_what_a_cgroup_s_processes_hold_is_in_the_recording(tmp_path, home, holder, cgroup):  # noqa: F811
    usable("ebpf")
    (cgroup / "cgroup.procs").write_text(str(holder.pid))
    p = watch(tmp_path, "--backend", "ebpf", "--cgroup", cgroup.parent)
    say(holder, "t")
    holder.stdin.close()
    assert p.wait(timeout=PATIENCE) == 0, p.stderr.read()
    rec = Recording(tmp_path / "rec")
    assert f'file "{home}/log" a owned held' in facts(rec, "file") and rec.runs[1]["midway"] is True


def refusal(pid, *options, prefix=()):
    r = run([*prefix, PALE, "learn", "--pid", str(pid), "-o", "/dev/null", "--until", "1s", *options])
    return r.rc, r.err


def test_who_cannot_be_watched_is_told_in_a_sentence(holder):
    rc, err = refusal(0x7ffffff0)
    assert rc == 125 and "there is no process 2147483632" in err, err
    task = max(int(t) for t in os.listdir(f"/proc/{holder.pid}/task"))
    rc, err = refusal(task)
    assert rc == 125 and f"{task} is a thread of process {holder.pid}" in err and f"--pid {holder.pid}" in err
    with subprocess.Popen(["true"]) as gone:
        wait_for(lambda: " Z " in pathlib.Path(f"/proc/{gone.pid}/stat").read_text())
        rc, err = refusal(gone.pid)
        assert rc == 125 and "has ended, and only waits for its parent" in err, err
    if pathlib.Path("/proc/2/comm").exists() and "kthreadd" in pathlib.Path("/proc/2/comm").read_text():
        rc, err = refusal(2)
        assert rc == 125 and "2 is a thread of the kernel" in err, err
    r = run(["sh", "-c", f"exec {PALE} learn --pid $$ -o /dev/null"])
    assert r.rc == 125 and "pale would record itself" in r.err, r
    for wrong in ("0", "x", "-5", "99999999999", ""):
        rc, err = refusal(wrong)
        assert rc == 125 and "'--pid' takes a process' number" in err, err
    rc, err = refusal(holder.pid, "--", "true")
    assert rc == 125 and "give a command, or --container NAME, --cgroup DIR or --pid P" in err


def test_somebody_else_s_process_and_one_that_is_traced_are_told(tmp_path, holder):
    need_root()
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    rc, err = refusal(holder.pid, prefix=user)
    assert rc == 125 and f"process {holder.pid}, of user 0, may not be looked at by user 65534" in err, err
    first = watch(tmp_path, "--backend", "ptrace", "--pid", holder.pid)
    rc, err = refusal(holder.pid, "--backend", "ptrace")
    assert rc == 125 and f"process {first.pid} traces process {holder.pid} already" in err, err
    first.kill()
    first.wait()


def test_a_process_without_a_call_is_told_and_proposes_nothing(tmp_path, holder):
    usable("ebpf")
    out = tmp_path / "p.pale"
    r = run([PALE, "learn", "--backend", "ebpf", "--pid", str(holder.pid), "--until", "1s", "-o", out])
    assert r.rc == 1 and f"process {holder.pid} made no call before the signal, or the time was over" in r.err, r
    assert not out.exists()


def test_pids_of_another_namespace_are_those_that_pale_counts(tmp_path):
    """In a pid namespace of its own pale's numbers are not the kernel's."""
    usable("ebpf")
    script = (f"{PROBES}/waiter >/dev/null & p=$!; "
              f"{PALE} learn --backend ebpf --pid $p -o {tmp_path}/p.pale -r {tmp_path}/rec & l=$!; i=0; "
              "until grep -qE '^(7|271) ' /proc/$l/syscall || [ $i = 4000 ]; do sleep .05; i=$((i+1)); done; "
              "kill $p; wait $l; echo rc $?")
    r = run([need("unshare"), "--pid", "--fork", "--mount-proc", "sh", "-c", script])
    assert "rc 0" in r.out, r
    assert Recording(tmp_path / "rec").calls["x86_64", "exit_group"] == 1
