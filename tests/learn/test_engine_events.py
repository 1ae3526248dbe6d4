# SPDX-License-Identifier: Apache-2.0
"""What engines do with a container while it is recorded: held, changed, renamed, restarted; and engines that are killed."""
import os
import pathlib
import re
import signal

import pytest

from conftest import LONG, PATIENCE, run
from engines import Containerd, Docker, Podman, daemons, end_killed
from recordings import Recording
from test_container_targets import learn, rootfs, until_watched  # noqa: F401
from test_engines import programs
from test_snapshots import wait_for

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.once]
NAME = "goes"
ROUNDS = "while :; do cat /proc/version >/dev/null; [ -e /go ] && cat /go; echo x >>/rounds; sleep .1; done"


class Goes:
    """A container of an engine of the test's own that goes round."""

    def __init__(self, engine, rootfs):
        self.engine, self.rootfs = engine, rootfs
        if not isinstance(engine, Containerd):
            engine.imports(rootfs[1], engine.image)

    def start(self):
        argv = ["/bin/sh", "-c", ROUNDS]
        if isinstance(self.engine, Containerd):
            self.engine("run", "-d", "--rootfs", str(self.rootfs[0]), NAME, *argv)
        else:
            self.engine("run", "-d", "--network", "none", "--name", NAME, self.engine.image, *argv) if isinstance(self.engine, Docker) else \
                self.engine("run", "-d", "--name", NAME, self.engine.image, *argv)
        self.find()

    def find(self, name=NAME):
        if isinstance(self.engine, Containerd):
            self.pid = next(int(line.split()[1]) for line in self.engine("task", "ls").splitlines() if line.split()[0] == name)
        else:
            self.pid = int(self.engine("inspect", "-f", "{{.State.Pid}}", name))
        assert self.pid > 0

    def root(self, path):
        return pathlib.Path(f"/proc/{self.pid}/root{path}")

    def rounds(self, n=4):
        """Whole ones, from here on."""
        wait_for(self.root("/rounds").exists)
        size = self.root("/rounds").stat().st_size
        wait_for(lambda: self.root("/rounds").stat().st_size >= size + 2 * n)

    def end(self):
        (self.rootfs[0] / "rounds").unlink(missing_ok=True)
        (self.rootfs[0] / "go").unlink(missing_ok=True)
        end_killed(self.engine)


KINDS = {"docker": Docker, "podman": Podman, "containerd": Containerd}


@pytest.fixture
def goes(request, rootfs, tmp_path_factory):  # noqa: F811
    g = Goes(KINDS[request.param](tmp_path_factory.mktemp("e")), rootfs)
    try:
        yield g
    finally:
        g.end()


def recorded(p, tmp_path):
    """It ends by itself."""
    err = p.communicate(timeout=PATIENCE)[1]
    rec = Recording(tmp_path / "rec")
    assert p.returncode == 0 and rec.losses == "none", err
    return rec, err


@pytest.mark.parametrize("goes", ["docker", pytest.param("podman", marks=pytest.mark.skipif(not LONG, reason="PALE_LONG: engines that are killed")),
                                  pytest.param("containerd", marks=pytest.mark.skipif(not LONG, reason="PALE_LONG: engines that are killed"))], indirect=True)
def test_of_an_engine_that_is_killed_the_container_is_recorded_to_its_end(goes, tmp_path):
    """With all that it has beside the container; what the container does since is in the recording, which is whole."""
    p = learn(goes.engine, tmp_path, "--container", NAME, "--wait")
    try:
        until_watched(p)
        goes.start()
        goes.rounds()
        killed = daemons(goes.engine)
        assert killed
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not daemons(goes.engine) and p.poll() is None)
        goes.root("/go").write_text("go\n")
        goes.rounds()
        os.kill(goes.pid, signal.SIGKILL)
        rec, err = recorded(p, tmp_path)
        assert "/go" in rec.files and "midway" not in rec.runs[1] and NAME in rec.runs[1]["containers"], (rec.runs, err)
    finally:
        p.kill()
        p.wait(PATIENCE)


@pytest.mark.parametrize("goes", ["docker"], indirect=True)
def test_a_container_that_is_held_changed_renamed_and_restarted_is_recorded_on(goes, tmp_path):
    """It is the same by its id; one that gets the name since is recorded as well."""
    docker = goes.engine
    p = learn(docker, tmp_path, "--container", NAME, "--wait", "--until", "1h")
    try:
        until_watched(p)
        goes.start()
        goes.rounds()
        docker("pause", NAME)
        docker("unpause", NAME)
        docker("update", "--memory", "64m", "--memory-swap", "64m", "--restart", "no", NAME)
        goes.rounds()
        docker("rename", NAME, "other")
        docker("run", "--rm", "--network", "none", "--name", "third", docker.image, "true")  # for which all is looked at anew
        docker("restart", "-t", "0", "other")
        docker("stop", "-t", "0", "other")
        docker("run", "--rm", "--network", "none", "--name", "fourth", docker.image, "true")
        docker("start", "other")
        goes.find("other")
        goes.root("/go").write_text("go\n")
        goes.rounds()
        p.send_signal(signal.SIGTERM)
        rec, err = recorded(p, tmp_path)
        assert "/go" in rec.files and "," not in rec.runs[1]["containers"], (rec.runs, err)
    finally:
        p.kill()
        p.wait(PATIENCE)


@pytest.mark.parametrize("goes", ["docker"], indirect=True)
def test_a_container_is_recorded_without_its_files(goes, tmp_path):
    p = learn(goes.engine, tmp_path, "--container", NAME, "--wait", "--no-files")
    try:
        until_watched(p)
        goes.start()
        goes.rounds()
        goes.engine("rm", "-f", NAME)
        rec, err = recorded(p, tmp_path)
        text = (tmp_path / "p.pale").read_text()
        assert "no-files" in rec.runs[1] and "files-written" in rec.runs[1] and "midway" not in rec.runs[1], err
        assert {os.path.basename(f) for f in rec.files} == {"busybox"} and {"openat", "write", "fork", "vfork", "clone"} & rec.names()
        assert "layers seccomp; # no apparmor: files were not observed" in text and "use start-runc" in text and not re.search(r"^ +file ", text, re.M)
    finally:
        p.kill()
        p.wait(PATIENCE)


@pytest.mark.skipif(not LONG, reason="PALE_LONG: what engines do with a container")
@pytest.mark.parametrize("goes", ["podman"], indirect=True)
def test_what_is_run_beside_it_with_all_privileges_is_the_workloads_but_not_its_making(goes, tmp_path):
    """podman exec -l --privileged: of its own calls and capabilities the recording tells, of those that runc makes of it apart."""
    podman = goes.engine
    p = learn(podman, tmp_path, "--container", NAME, "--wait")
    try:
        until_watched(p)
        goes.start()
        goes.rounds()
        podman("pause", NAME)
        podman("unpause", NAME)
        assert podman("exec", "-l", "--privileged", "/bin/busybox", "chroot", "/", "/bin/echo", "in") == "in"
        podman("rm", "-f", "-t", "0", NAME)
        rec, err = recorded(p, tmp_path)
        assert "chroot" in rec.names() and "midway" not in rec.runs[1], err
        text = (tmp_path / "p.pale").read_text()
        assert re.search(r"^ +capability sys_chroot;", text, re.M) and "sys_admin" not in text and "setns" not in rec.names(), text
    finally:
        p.kill()
        p.wait(PATIENCE)


COMPOSED = """services:
  web: {image: "probe:bb", network_mode: none, scale: 2, command: [sh, -c, '%s']}
  db: {image: "probe:bb", network_mode: none, command: [sleep, '600']}
""" % ROUNDS


@pytest.mark.skipif(not LONG, reason="PALE_LONG: what engines do with a container")
@pytest.mark.parametrize("goes", ["docker"], indirect=True)
@pytest.mark.parametrize("wanted, called", [(["--label", "com.docker.compose.service=web"], {"docker:shop-web-1", "docker:shop-web-2"}),
                                            (["--container", "shop-web-2"], {"docker:shop-web-2"})])
def test_what_docker_compose_starts_is_recorded_by_its_service_and_by_its_name(goes, tmp_path, wanted, called):
    docker, file = goes.engine, tmp_path / "compose.yaml"
    file.write_text(COMPOSED)
    compose = [programs("compose-2") / "docker-compose", "-p", "shop", "-f", file]
    p = learn(docker, tmp_path, *wanted, "--wait")
    try:
        until_watched(p)
        run([*compose, "up", "-d"], env=docker.env, check=0)
        for name in ("shop-web-1", "shop-web-2"):
            goes.find(name)
            goes.rounds()
        run([*compose, "down", "-t", "0"], env=docker.env, check=0)
        rec, err = recorded(p, tmp_path)
        assert {w.split()[0] for w in rec.runs[1]["containers"].strip('"').split(", ")} == called and "/proc/version" in rec.files, err
    finally:
        p.kill()
        p.wait(PATIENCE)
