# SPDX-License-Identifier: Apache-2.0
"""Start and serving told apart: where each process serves from, and what it does then."""
import os
import socket

import pytest

from conftest import PALE, run
from recordings import Recording
from test_backends import BACKENDS, PROBES, learn

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
                                               ("after", "after=1s", "after"), ("accept", "getrusage", "getrusage")])
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


@pytest.mark.parametrize("wrong,words", [
    (["--serve-from", "soon"], "takes auto, READY=1"), (["--serve-from", "after=1"], "after=30s"),
    (["--backend", "seccomp", "--serve-from", "epoll_wait"], "without a look")])
def test_a_border_that_cannot_be_is_refused_before_anything_runs(tmp_path, wrong, words):
    r = run([PALE, "learn", *wrong, "--", "touch", tmp_path / "made"])
    assert r.rc == 125 and words in r.err and not (tmp_path / "made").exists(), r
