# SPDX-License-Identifier: Apache-2.0
"""Start and serving told apart: where each process serves from, and what it does then."""
import os
import re
import socket
import sys

import pytest

from conftest import PALE, PATIENCE, run
from recordings import Recording
from test_backends import BACKENDS, PROBES, cgroup, learn, usable  # noqa: F401
from test_margin import margin, propose as proposal, record
from test_running import home, holder, say, watch  # noqa: F401

# What of serves.c shows that it has started, and what the recording calls that.
BY = {"accept": "accept", "epoll": "epoll_wait", "poll": "poll", "select": "pselect6"}


def told(rec):
    return rec.runs[1]["serve-from"].strip('"')


def check_phases(rec, *, only_start=("getpriority",), only_serve=("getrusage",)):
    """The whole run has all; serving what is made behind the border, alone or too."""
    start, serve = rec.names(), rec.serve_names()
    assert serve <= start and set(only_start) <= start - serve, sorted(start - serve)
    assert set(only_serve) <= serve, sorted(serve)
    for (arch, name), n in rec.serve_calls.items():
        assert n <= rec.calls[arch, name], name
    for name in only_serve:
        assert rec.serve_calls["x86_64", name] == rec.calls["x86_64", name], name


@pytest.mark.parametrize("way", BY)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_process_serves_from_where_it_waits_for_others(tmp_path, backend, way):
    rec, _ = learn(tmp_path, backend, PROBES / "serves", way)
    assert told(rec) == BY[way] and 0 < int(rec.runs[1]["serving"]) < int(rec.runs[1]["duration"])
    check_phases(rec)
    assert rec.serve_calls["x86_64", "sysinfo"] == 1 and rec.calls["x86_64", "sysinfo"] == 2
    assert "listen" not in rec.serve_names() and ("socket", 2, 1, 0) not in rec.serve_tuples


@pytest.mark.parametrize("backend", BACKENDS)
def test_workers_serve_and_who_made_them_does_not(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PROBES / "serves", "worker")
    assert told(rec) == "accept"
    check_phases(rec, only_start=("getpriority", "sched_get_priority_min", "wait4"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_threads_of_a_process_serve_with_it(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PROBES / "serves", "thread")
    check_phases(rec, only_serve=("getrusage", "sched_get_priority_max"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_one_that_serves_starts_serves_whatever_that_executes(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PROBES / "serves", "program")
    check_phases(rec, only_serve=("getrusage", "sched_get_priority_min"))
    assert rec.serve_calls["x86_64", "execve"] == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_ready_is_said_of_the_whole_service(tmp_path, backend):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        rec, _ = learn(tmp_path, backend, PROBES / "serves", "ready",
                       env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert told(rec) == "READY=1"
    check_phases(rec)
    assert rec.serve_calls["x86_64", "sendmsg"] == 1 and rec.calls["x86_64", "sendmsg"] == 2


@pytest.mark.parametrize("way,serve_from,by", [("signal", "SIGUSR2", "SIGUSR2"), ("signal", "auto", "SIGUSR2"),
                                               ("after", "after=3s", "after"), ("accept", "getrusage", "getrusage")])
@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_the_border_can_be_said(tmp_path, backend, way, serve_from, by):
    rec, _ = learn(tmp_path, backend, PROBES / "serves", way, options=["--serve-from", serve_from])
    assert told(rec) == by
    check_phases(rec)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_that_never_serves_is_said_to(tmp_path, backend):
    rec, _ = learn(tmp_path, backend, PROBES / "serves", "client")
    assert told(rec) == "never" and not rec.serve_calls and "serving" not in rec.runs[1]


def test_behind_a_filter_the_first_connection_tells_and_what_nobody_looks_at_is_in_both(tmp_path):
    rec, _ = learn(tmp_path, "seccomp", PROBES / "serves", "accept")
    assert told(rec) == "accept"
    assert {"accept", "read", "futex"} <= rec.serve_names() and "listen" not in rec.serve_names()
    assert "serve call x86_64 futex assumed\t" in rec.text


@pytest.mark.parametrize("said, looked_at", [("auto", "accept accept4"), ("accept", "accept"), ("SIGUSR2", ""), ("after=9h", ""), ("listen", "")])
def test_behind_a_filter_connections_are_let_through_where_they_show_nobody_that_it_serves(tmp_path, said, looked_at):
    rec, _ = learn(tmp_path, "seccomp", PROBES / "serves", "accept", options=["--serve-from", said])
    assumed = {call for call in ("accept", "accept4") if f"call x86_64 {call} assumed\t" in rec.text}
    assert assumed == {"accept", "accept4"} - set(looked_at.split()) and "accept" in rec.names()
    assert told(rec) == {"listen": "listen", "auto": "accept", "accept": "accept"}.get(said, "never")


def test_that_connections_are_assumed_makes_no_server_of_a_program(tmp_path):
    """Its margin would be a server's."""
    assumed, seen = ["x86_64 accept assumed", "x86_64 accept4 assumed"], ["accept", "accept4"]
    alone, listens, accepts = (margin(proposal(record(tmp_path, [*calls, "sendfile", "read"])))
                               for calls in (assumed, [*assumed, "listen"], seen))
    assert alone.keys() < listens.keys() == accepts.keys()


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_ran_before_is_taken_to_serve(tmp_path, holder, backend):  # noqa: F811
    usable(backend)
    p = watch(tmp_path, "--backend", backend, "--pid", holder.pid)
    for word in "tc":
        say(holder, word)
    holder.stdin.close()
    assert p.communicate(timeout=PATIENCE) and holder.wait(timeout=PATIENCE) == 7 and p.returncode == 0
    rec = Recording(tmp_path / "rec")
    assert told(rec) == "midway" and rec.serve_calls == rec.calls  # also by the thread and the child that were made
    r = propose(tmp_path / "rec", tmp_path, rc=1)
    assert "PL422" in r.err and "midway" in r.err, r


@pytest.mark.parametrize("backend", ["ebpf", "ebpf-tp", "ebpf-raw"])
def test_a_program_that_what_ran_before_executes_starts(tmp_path, cgroup, backend):  # noqa: F811
    usable(backend)
    p = watch(tmp_path, "--backend", backend, "--cgroup", cgroup)
    run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; exec {PROBES}/serves epoll"], check=0)
    assert p.communicate(timeout=PATIENCE) and p.returncode == 0
    rec = Recording(tmp_path / "rec")
    assert told(rec) == "epoll_wait" and rec.losses == "none"
    check_phases(rec)


@pytest.mark.parametrize("wrong,words", [
    (["--serve-from", "soon"], "takes auto, READY=1"), (["--serve-from", "after=1"], "after=30s"),
    (["--backend", "seccomp", "--serve-from", "epoll_wait"], "without a look")])
def test_a_border_that_cannot_be_is_refused_before_anything_runs(tmp_path, wrong, words):
    r = run([PALE, "learn", *wrong, "--", "touch", tmp_path / "made"])
    assert r.rc == 125 and words in r.err and not (tmp_path / "made").exists(), r


# ---- what is proposed of them ----

def propose(rec, tmp_path, *options, rc=0):
    r = run([PALE, "propose", "--phases", "-o", tmp_path / "web.pale", *options, rec])
    assert r.rc == rc, r
    return r


def loosened(a, b):
    """Lines of what B allows and A does not."""
    return run([PALE, "diff", "--layers", "seccomp", "--fail-on", "looser", a, b])


@pytest.mark.parametrize("margin", ["family", "none"])
@pytest.mark.parametrize("way", ["epoll", "program"])
def test_two_policies_of_which_the_second_allows_less_and_no_call_of_the_start(tmp_path, way, margin):
    learn(tmp_path, "ebpf", PROBES / "serves", way)
    propose(tmp_path / "ebpf.rec", tmp_path, "--margin", margin)
    first, second = tmp_path / "web.pale", tmp_path / "web-serve.pale"
    run([PALE, "fmt", "--check", first, second], check=0)
    r = loosened(first, second)
    assert r.rc == 0 and " tighter: " in r.out, r

    def verdict(policy, call):
        return run([PALE, "sim", policy, call]).out.split()[0]

    assert "policy serves-serve {" in second.read_text() and "layers seccomp;" in second.read_text()
    for call in ("getpriority", "listen", "seccomp(1, 0, 0)", "prctl(38, 1)"):
        assert verdict(first, call) == "ALLOW", call
        assert verdict(second, call) != "ALLOW", call
    for call in ("getrusage", "accept", "sysinfo", "exit_group"):
        assert verdict(first, call) == verdict(second, call) == "ALLOW", call
    assert (verdict(second, "execve") == "ALLOW") == (way == "program")
    text = first.read_text()
    assert "calls are the start's alone, of risk:" in text and "listen" in text
    assert "serves from epoll_wait" in text or "serves from accept" in text


def test_what_loads_the_second_policy_is_not_allowed_twice_where_a_start_set_has_it(tmp_path):
    learn(tmp_path, "ebpf", PROBES / "serves", "epoll")
    for starts, rules in (("run", ["prctl", "seccomp"]), ("run,runc", ["seccomp"])):
        propose(tmp_path / "ebpf.rec", tmp_path, "--for", starts)
        text = (tmp_path / "web.pale").read_text()
        assert re.findall(r"allow (\w+)\(.*# implied: loads the second policy", text) == rules
        r = run([PALE, "lint", "--runtime", "any", "--select", "DS506", tmp_path / "web.pale"])
        assert r.rc == 0 and "DS506" not in r.out, r
        for call in ("seccomp(1, 0, 0)", "prctl(38, 1)"):
            assert run([PALE, "sim", tmp_path / "web.pale", call], check=0).out.startswith("ALLOW"), call


def test_a_second_policy_that_cannot_be_is_told_and_not_made(tmp_path):
    learn(tmp_path, "ebpf", PROBES / "serves", "client")
    r = propose(tmp_path / "ebpf.rec", tmp_path, rc=1)
    assert "PL422" in r.err and "no process came to serve" in r.err and "--serve-from" in r.err, r
    assert (tmp_path / "web.pale").exists() and not (tmp_path / "web-serve.pale").exists()


def test_of_runs_together_what_one_does_while_serving_counts(tmp_path):
    recs = []
    for way in ("accept", "thread", "client"):
        learn(tmp_path, "ebpf", PROBES / "serves", way)
        recs.append((tmp_path / "ebpf.rec").rename(tmp_path / f"{way}.rec"))
    propose(recs[2], tmp_path, *recs[:2])
    text = (tmp_path / "web-serve.pale").read_text()
    assert "sched_get_priority_max" in text and "getpriority" not in text
    assert loosened(tmp_path / "web.pale", tmp_path / "web-serve.pale").rc == 0
    old = tmp_path / "old.rec"  # of a pale that knew no phases
    lines = [line for line in recs[0].read_text().splitlines() if not line.startswith("serve ")
             and " serve-from " not in line and " serving " not in line]
    lines[-1] = f"end 1 {sum(not line.startswith(('pale ', 'run ', 'end ')) for line in lines)}"
    old.write_text("\n".join([*lines, ""]))
    r = propose(old, tmp_path, recs[1], rc=1)
    assert "PL422" in r.err and "not in each recording" in r.err, r


def second_margin(recording, tmp_path):
    propose(recording, tmp_path)
    return [margin((tmp_path / name).read_text()) for name in ("web.pale", "web-serve.pale")]


WRITES = """import os, socket, sys
start, serve = sys.argv[1:]
with socket.create_server(("127.0.0.1", 0)) as s, socket.create_connection(s.getsockname()):
    open(start, "w").close()
    s.accept()
    for _ in range(2):
        open(serve, "r" if serve == start else "w").close()
"""


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize("backend", ["ebpf", "ptrace", "seccomp"])
def test_files_that_the_start_alone_wrote_are_not_written_while_serving(tmp_path, backend, writes):
    start = tmp_path / "start"
    rec, _ = learn(tmp_path, backend, sys.executable, "-c", WRITES, start, tmp_path / "serve" if writes else start)
    assert told(rec) in ("accept", "accept4")
    first, then = second_margin(tmp_path / f"{backend}.rec", tmp_path)
    assert first["ftruncate"].startswith("files written: ")
    assert ("ftruncate" in then) == writes and "getrusage" in then, then


OPENED = "serve value x86_64 openat 2"
UNIX = ["serve call x86_64 socket", "serve tuple x86_64 socket 0x1 0x1 0x0"]


@pytest.mark.parametrize("call, more, is_one", [
    ("openat", [f"{OPENED} 0x80000"], False), ("openat", [f"{OPENED} 0x80000", f"{OPENED} 0x241"], True), ("openat", [], True),
    ("openat2", [], True), ("creat", [], True), ("rename", [], True), ("mkdir", [], True), ("read", [], False), ("io_uring_enter", [], True),
    ("connect", [], False), ("connect", UNIX, True), ("connect", [UNIX[0]], True), ("connect", [UNIX[0], UNIX[1].replace("0x1 0x1", "0x2 0x1")], False),
    ("openat assumed", [], False)])
def test_what_a_call_shows_of_files_that_are_written_while_serving(tmp_path, call, more, is_one):
    """Where files were written at all: of those is not known when."""
    facts = [f"serve call x86_64 {call}", "serve call x86_64 accept4", *more]
    for f in ("file \"/srv/a\" w", "file \"/dev/null\" w"):
        rec = record(tmp_path, [], f, *{w for f in facts for w in (f, f.removeprefix("serve "))})
        rec.write_text(rec.read_text().replace("run 1 tasks", 'run 1 serve-from "accept4"\nrun 1 serving 5000\nrun 1 tasks'))
        first, then = second_margin(rec, tmp_path)
        wrote = f.startswith('file "/srv')
        assert [("fsync" in m and m["fsync"].startswith("files written")) for m in (first, then)] == [wrote, wrote and is_one]


@pytest.mark.parametrize("options,words", [
    ([], "-o FILE.pale"), (["-o", "-"], "-o FILE.pale"),
    (["-o", "w.pale", "--report", "w-serve.pale"], "where --phases writes")])
def test_two_policies_take_files_for_both(tmp_path, options, words):
    r = run([PALE, "learn", "--phases", *options, "--", "touch", "made"], cwd=tmp_path)
    assert r.rc == 125 and words in r.err and not (tmp_path / "made").exists(), r
