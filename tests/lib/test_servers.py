# SPDX-License-Identifier: Apache-2.0
"""Servers of Debian's: where they serve from, what they drop then, and that they serve on without it."""
import re
import struct
import sys

import pytest

from conftest import PALE, PATIENCE, ROOT, need, need_root, program, run
from recordings import Recording

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("workloads")]

# What the start alone does, and what serving does too.
SERVERS = {
    "nginx": ("/usr/sbin/nginx", "epoll_wait",
              {"execve", "bind", "listen", "setuid", "setgid", "setgroups", "clone", "socket", "chown"},
              {"accept4", "openat", "sendfile", "writev"}),
    "redis": ("/usr/bin/redis-server", "epoll_wait", {"bind", "listen", "socket"}, {"accept4", "clone", "rename"}),
}


def workload(name, *prefix, **kw):
    return run([sys.executable, ROOT / "tests/workloads.py", name, *prefix], timeout=PATIENCE, **kw)


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_serves_on_behind_what_was_learned_of_its_serving(tmp_path, name):
    need_root()
    binary, by, start, serve = SERVERS[name]
    need(binary)
    first, second, bpf = tmp_path / "s.pale", tmp_path / "s-serve.pale", tmp_path / "s.bpf"
    r = workload(name, PALE, "learn", "--phases", "-o", first, "-r", tmp_path / "rec", "--")
    assert r.rc == 0, r
    rec = Recording(tmp_path / "rec")
    assert rec.losses == "none" and rec.runs[1]["serve-from"].strip('"') == by
    assert not start & rec.serve_names() and start - {"execve"} <= rec.names(), rec.serve_names()
    assert serve <= rec.serve_names(), rec.serve_names()
    # A thread that the start made may come to run only now, and glibc ends a program without rseq.
    if "rseq" in rec.names():
        assert "rseq" in {w for line in re.findall(r"^ *allow ([^;]*);", second.read_text(), re.M) for w in line.split(", ")}
    r = run([PALE, "diff", "--layers", "seccomp", "--fail-on", "looser", first, second], check=0)
    assert " tighter: " in r.out, r
    run([PALE, "compile", "-q", "-t", "bpf", "-o", bpf, second], check=0)
    count = tmp_path / "count"
    count.write_bytes(bytes(8))
    tmp_path.chmod(0o755)
    env = ["env", f"LD_PRELOAD={program('lib/preload')}", f"SERVE_FILTER={bpf}", f"SERVE_COUNT={count}"]
    r = workload(name, *env, PALE, "run", "--layers", "seccomp", first, "--")
    assert r.rc == 0, r
    loaded, failed = struct.unpack("II", count.read_bytes())
    assert loaded >= (2 if name == "nginx" else 1) and not failed, (loaded, failed)
