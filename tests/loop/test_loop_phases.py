# SPDX-License-Identifier: Apache-2.0
"""Where servers of Debian's that are at hand serve from, and what they drop then."""
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

from conftest import PALE, ROOT, need_root, run, skip
from recordings import Recording
from test_loop import installed

sys.path.insert(0, str(ROOT / "tests/loop"))
import jobs  # noqa: E402
import loop  # noqa: E402

# By which call, what the start alone makes, and what serving makes too.
SERVERS = {
    "postgres": ({"pselect6", "epoll_wait"}, {"bind", "listen", "shmget"}, {"accept", "clone", "pwrite64"}),
    "php-fpm": ({"accept"}, {"bind", "listen", "setuid", "setgroups", "clone"}, {"accept", "openat", "read"}),
    "memcached": ({"epoll_wait"}, {"bind", "listen", "setuid", "setgroups"}, {"accept4", "sendmsg"}),
    "haproxy": ({"epoll_wait"}, {"bind", "listen", "setuid", "chdir"}, {"accept4", "recvfrom", "sendto"}),
}


@pytest.mark.once
@pytest.mark.xdist_group("loop")
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_seen_to_serve_and_its_second_policy_allows_less(tmp_path, name):
    need_root()
    job = next(j for j in jobs.JOBS if j.name == name)
    if not os.environ.get("PALE_LONG"):
        skip("PALE_LONG: servers of Debian's")
    if not installed(job):
        skip(f"{job.head['packages']}: not installed")
    by, start, serve = SERVERS[name]
    base = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))  # users other than root's go there
    base.chmod(0o777)
    rec, first = tmp_path / "rec", tmp_path / "s.pale"
    loop.run_job(job, 1, [PALE, "learn", "--phases", "-r", rec, "-o", first, "--"], base, base)
    shutil.rmtree(base)
    seen = Recording(rec)
    assert seen.losses == "none" and seen.runs[1]["serve-from"].strip('"') in by, seen.runs
    assert start <= seen.names() - seen.serve_names(), seen.serve_names()
    assert serve <= seen.serve_names() <= seen.names()
    r = run([PALE, "diff", "--layers", "seccomp", "--fail-on", "looser", first, tmp_path / "s-serve.pale"], check=0)
    assert " tighter: " in r.out
