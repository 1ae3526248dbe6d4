# SPDX-License-Identifier: Apache-2.0
"""pale watch and containers that come and go: whose a refusal was is known when they have ended."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from conftest import LONG, need, need_root
from engines import Containerd, Docker, Podman, UsersPodman, daemons, end_killed, scoped, take_slices
from test_watch import call, wait_for as waits_for, watching

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.once]
KILLED = pytest.mark.skipif(not LONG, reason="PALE_LONG: engines that are killed")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    need_root()
    need("runc")
    if not any(os.path.exists(f"{p}/cgroup.procs") for p in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")):
        pytest.skip("no cgroup v2 is mounted here")
    root = tmp_path_factory.mktemp("r")
    (root / "bin").mkdir()
    shutil.copy(need("busybox"), root / "bin/busybox")
    return root


def tar_of(root):
    return subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True, timeout=30).stdout


@pytest.fixture
def ctr(tmp_path_factory, root):
    ctr = Containerd(tmp_path_factory.mktemp("e"))
    try:
        yield ctr
    finally:
        ctr.end()


@pytest.fixture(scope="module")
def docker(tmp_path_factory, root):
    docker = Docker(tmp_path_factory.mktemp("e"))
    try:
        docker.imports(tar_of(root), "probe:bb")
        yield docker
    finally:
        docker.clear()
        docker.end()


class Told:
    """Lines in a log that pale watch reads, each told before the next is written."""

    def __init__(self, w, log, inside=None):
        """inside: somebody whose lines are told."""
        self.w, self.log, self.nr, self.inside = w, log, 200, inside or os.getpid()

    def writes(self, pid):
        self.nr += 1
        with open(self.log, "a") as f:
            f.write(call(self.nr, pid, at=f"{time.time():.3f}"))

    def __call__(self, pid):
        self.writes(pid)
        return self.w.until(lambda e: e["event"] == "refusal" and e["nr"] == self.nr)

    def has_looked(self):
        """The second line is read in a later round than the first, which began behind all that was there before."""
        for _ in range(2):
            self(self.inside)


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


def ctrs(ctr, root, name, options=()):
    """The number of the first process of a container that runs from now on."""
    ctr("run", "-d", *options, "--rootfs", str(root), name, "/bin/busybox", "sleep", "600")
    return next(int(line.split()[1]) for line in ctr("task", "ls").splitlines() if line.split()[0] == name)


def test_ctrs_containers_are_watched_by_name_also_when_they_have_ended(ctr, root, tmp_path):
    """Their cgroups are called by their namespaces and names, and tell of themselves no container."""
    log, space = tmp_path / "log", ctr.client[-1]
    log.write_text("")
    early = ctrs(ctr, root, "early")
    with watching("--from", log, "--container", "job", "--container", "early") as w:
        told = Told(w, log, inside=early)
        told.has_looked()
        early_is, job_is = ({"engine": "containerd", "id": n, "namespace": space, "name": n} for n in ("early", "job"))
        assert told(early)["container"] == early_is
        job, other = ctrs(ctr, root, "job"), ctrs(ctr, root, "job2")
        told.has_looked()
        ctr.clear()
        assert not os.path.exists(f"/proc/{job}")
        for pid in (other, os.getpid()):
            told.writes(pid)
        assert told(job)["container"] == job_is and told(early)["container"] == early_is
        got, err = w.end()
    assert got[-1]["nowhere"] == 0 and "; elsewhere than --container says: 2" in err, err
    assert "'early'" not in err, err


def test_what_containerd_has_as_a_scope_of_systemds_is_watched_by_name(ctr, root, tmp_path):
    """As ctr --runc-systemd-cgroup has it, and with what nerdctl gives of its labels to the runtime."""
    log, top, nerd = tmp_path / "log", f"pale{os.getpid()}", "ab" * 30 + "beef"
    log.write_text("")
    options = ["--runc-binary", str(scoped(tmp_path / "runc")), "--cgroup"]
    try:
        with watching("--from", log, "--container", "unit", "--container", "shown") as w:
            unit = ctrs(ctr, root, "unit", [*options, f"{top}-front.slice:ctr:unit"])
            shown = ctrs(ctr, root, nerd, [*options, f"{top}.slice:nerdctl:{nerd}", "--annotation", "nerdctl/name=shown"])
            told = Told(w, log, inside=unit)
            told.has_looked()
            ctr.clear()
            assert not os.path.exists(f"/proc/{unit}")
            assert told(unit)["container"] == {"engine": "containerd", "id": "unit", "namespace": ctr.client[-1], "name": "unit"}
            assert told(shown)["container"] == {"engine": "containerd", "id": nerd, "namespace": ctr.client[-1], "name": "shown"}
            w.end()
    finally:
        ctr.clear()
        take_slices(top)


def test_a_name_that_two_namespaces_have_is_told_once_while_both_are_watched(ctr, root, tmp_path):
    log = tmp_path / "log"
    log.write_text("")
    one, two = (ctr.of(f"{ctr.client[-1]}-{n}") for n in ("one", "two"))
    try:
        pids = [ctrs(c, root, "web") for c in (one, two)]
        called = [f"containerd:{c.client[-1]}/web" for c in (one, two)]
        with watching("--from", log, "--container", "web") as w:
            told = Told(w, log)
            assert [told(pid)["container"]["namespace"] for pid in pids * 2] == [c.client[-1] for c in (one, two)] * 2
            err = w.end()[1]
        assert err.count("and also") == 1 and (f"pale watch: 'web' is the container {called[0]}, and also {called[1]}: both are told; "
                                               f"'--container {called[0]}' is one of them\n") in err, err
        with watching("--from", log, "--container", "web", "--container", "wbe") as w:  # before anything is refused
            said = [w.p.stderr.readline() for _ in range(2)]
            assert said[0] == f"pale watch: 'web' is the container {called[0]}, and also {called[1]}: both are told; '--container {called[0]}' is one of them\n"
            assert said[1] == "pale watch: no container that runs is called 'wbe'; did you mean 'web'? It is told of when it comes\n"
            w.end()
        with watching("--from", log, "--container", called[1]) as w:
            told = Told(w, log)
            told.writes(pids[0])
            assert told(pids[1])["container"]["namespace"] == two.client[-1]
            assert "and also" not in w.end()[1]
    finally:
        for c in (one, two):
            c.clear()


def test_a_users_own_podman_has_its_containers_watched_by_name(root, tmp_path):
    """In a cgroup that is delegated to him. Its storage is his alone: of root without privileges, too, so the name is the monitor's."""
    log, podman = tmp_path / "log", UsersPodman(tar_of(root))
    log.write_text("")
    try:
        with watching("--from", log, "--container", "podman:mine") as w:
            mine, other = podman.two("/bin/busybox", "sleep", "600")
            whole = podman("inspect", "-f", "{{.Id}}", "mine")
            told = Told(w, log, inside=mine)
            is_it = {"engine": "podman", "id": whole, "name": "mine"}
            told.has_looked()
            told.writes(other)
            assert told(mine)["container"] == is_it
            for pid in (mine, other):
                os.kill(pid, signal.SIGKILL)
            waits_for(lambda: not os.path.exists(f"/proc/{mine}"))
            assert told(mine)["container"] == is_it
            assert "; elsewhere than --container says: 1" in w.end()[1]
    finally:
        podman.end()


@pytest.mark.parametrize("kind", [Docker, pytest.param(Podman, marks=KILLED), pytest.param(Containerd, marks=KILLED)])
def test_of_an_engine_that_is_killed_the_containers_are_still_told(kind, root, tmp_path, tmp_path_factory):
    """One that was met before, and its first process when nobody is there any more who started it."""
    engine, log = kind(tmp_path_factory.mktemp("e")), tmp_path / "log"
    log.write_text("")
    run_it = ["run", "-d", *(["--rootfs", str(root), "web"] if kind is Containerd else ["--name", "web", *(["--network", "none"] if kind is Docker else []), engine.image])]
    try:
        if kind is not Containerd:
            engine.imports(tar_of(root), engine.image)
        engine(*run_it, "/bin/busybox", "sh", "-c", "while :; do /bin/busybox sleep 600; done")
        pid = next(int(line.split()[1]) for line in engine("task", "ls").splitlines() if line.split()[0] == "web") if kind is Containerd else \
            int(engine("inspect", "-f", "{{.State.Pid}}", "web"))
        assert pid > 0
        with watching("--from", log, "--container", "web") as w:
            told = Told(w, log, inside=pid)
            told.has_looked()
            for one in daemons(engine):
                os.kill(one, signal.SIGKILL)
            waits_for(lambda: not daemons(engine))
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
            waits_for(lambda: children.read_text().split())
            old = children.read_text().split()[0]
            os.kill(int(old), signal.SIGKILL)
            waits_for(lambda: children.read_text().split() not in ([], [old]))
            for inside in (pid, int(children.read_text().split()[0])):  # of which the second began when none was there
                assert told(inside)["container"]["name"] == "web"
            w.end()
        os.kill(pid, signal.SIGKILL)
    finally:
        end_killed(engine)


def test_who_was_in_no_container_is_gone_when_it_has_ended(docker, tmp_path):
    log = tmp_path / "log"
    log.write_text("")
    with watching("--from", log) as w, subprocess.Popen(["true"]) as p:
        told = Told(w, log)
        told.has_looked()
        p.wait(20)
        assert told(p.pid)["where"] == "gone"
