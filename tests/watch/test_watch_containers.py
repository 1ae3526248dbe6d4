# SPDX-License-Identifier: Apache-2.0
"""pale watch and containers that come and go: whose a refusal was is known when they have ended."""
import os
import shutil
import subprocess
import time

import pytest

from conftest import need, need_root
from engines import Docker
from test_watch import call, watching

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.once]


@pytest.fixture(scope="module")
def docker(tmp_path_factory):
    need_root()
    need("runc")
    if not any(os.path.exists(f"{p}/cgroup.procs") for p in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")):
        pytest.skip("no cgroup v2 is mounted here")
    root = tmp_path_factory.mktemp("r")
    (root / "bin").mkdir()
    shutil.copy(need("busybox"), root / "bin/busybox")
    docker = Docker(tmp_path_factory.mktemp("e"))
    try:
        docker.imports(subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True, timeout=30).stdout, "probe:bb")
        yield docker
    finally:
        docker.clear()
        docker.end()


class Told:
    """Lines in a log that pale watch reads, each told before the next is written."""

    def __init__(self, w, log):
        self.w, self.log, self.nr = w, log, 200

    def __call__(self, pid):
        self.nr += 1
        with open(self.log, "a") as f:
            f.write(call(self.nr, pid, at=f"{time.time():.3f}"))
        return self.w.until(lambda e: e["event"] == "refusal" and e["nr"] == self.nr)

    def has_looked(self):
        """The second line is read in a later round than the first, which began behind all that was there before."""
        for _ in range(2):
            self(os.getpid())


def came_and_went(docker, told, name):
    """The number of its first process, which is no more."""
    docker("run", "-d", "--network", "none", "--name", name, "probe:bb", "/bin/busybox", "sleep", "600")
    pid = int(docker("inspect", "-f", "{{.State.Pid}}", name))
    told.has_looked()
    whole = docker("inspect", "-f", "{{.Id}}", name)
    docker("rm", "-f", name)
    assert not os.path.exists(f"/proc/{pid}")
    return pid, whole


@pytest.mark.parametrize("named", [True, False])
def test_a_refusal_of_a_container_that_has_ended_has_its_name_and_image(docker, tmp_path, named):
    """Asked at the socket that DOCKER_HOST names, and found by the dockerd that runs; which may have been started again."""
    log = tmp_path / "log"
    log.write_text("")
    host = f"DOCKER_HOST={docker.env['DOCKER_HOST']}"
    docker("run", "-d", "--network", "none", "--name", "early", "probe:bb", "/bin/busybox", "sleep", "600")
    early = int(docker("inspect", "-f", "{{.State.Pid}}", "early"))
    with watching("--from", log, before=["env", *([host] if named else ["-u", "DOCKER_HOST"])]) as w:
        told = Told(w, log)
        told.has_looked()
        docker("rm", "-f", "early")
        assert told(early)["container"]["name"] == "early"  # it was there before
        pid, whole = came_and_went(docker, told, "web")
        assert told(pid)["container"] == {"engine": "docker", "id": whole, "name": "web", "image": "probe:bb"}
        docker.daemon.end()
        assert told(early)["container"]["name"] == "early"
        docker.start()
        pid, whole = came_and_went(docker, told, "again")
        assert told(pid)["container"] == {"engine": "docker", "id": whole, "name": "again", "image": "probe:bb"}
        got, _ = w.end()
    assert got[-1]["nowhere"] == 0


def test_who_was_in_no_container_is_gone_when_it_has_ended(docker, tmp_path):
    log = tmp_path / "log"
    log.write_text("")
    with watching("--from", log) as w, subprocess.Popen(["true"]) as p:
        told = Told(w, log)
        told.has_looked()
        p.wait(20)
        assert told(p.pid)["where"] == "gone"
