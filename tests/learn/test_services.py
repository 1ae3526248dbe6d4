# SPDX-License-Identifier: Apache-2.0
"""Real servers in containers: recorded under a load, and run again under what was proposed."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from conftest import LONG, PALE, PATIENCE, ROOT, need, need_root, run, skip
from engines import Docker
from recordings import Recording
from test_backends import usable, waits

HERE = ROOT / "tests/fleet"
sys.path.insert(0, str(HERE))
import roots  # noqa: E402
import services  # noqa: E402

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.once]
ALL = services.services()
SHORT = ["redis"]  # the smallest
UNCONFINED = ["--security-opt", "seccomp=unconfined"]
CONTROL = "listen"  # of each server one call, that the counting of refusals is seen to see
NNP = ["--security-opt", "no-new-privileges"]


@pytest.fixture(scope="module")
def docker(tmp_path_factory):
    """With the hook installed as `--runtime pale`."""
    need_root()
    usable("ebpf")
    need("dockerd")
    d = tmp_path_factory.mktemp("docker")
    run([PALE, "hook", "--install", "docker", "--config", d / "daemon.json", "--directory", d / "hooked", "--yes"], check=0)
    docker = Docker(d, options=["--config-file", d / "daemon.json"])
    docker.hooked = d / "hooked"
    yield docker
    docker.clear()
    docker.end()


@pytest.fixture(scope="module")
def image(docker, tmp_path_factory):
    """A function: the service's image, made once."""
    made = {}

    def of(service):
        if service.name not in made:
            if not roots.is_installed(service.packages):
                skip(f"{' '.join(service.packages)} is not installed")
            work = tmp_path_factory.mktemp(service.name)
            extra = {**service.extra, **(services.java_classes(work) if service.name == "java" else {})}
            tar = roots.make(work / "tar", service.packages, extra, work / "more")
            docker.imports(tar, f"pale/{service.name}")
            tar.unlink()
            made[service.name] = f"pale/{service.name}"
        return made[service.name]
    return of


class Served:
    """It runs as a container of its name until it is ended, asked meanwhile as its users do."""

    def __init__(self, docker, image, service, *options):
        self.docker, self.service = docker, service
        said = docker("run", "-d", "--network", "none", "--name", service.name, "--health-cmd", service.health,
                      "--health-interval", "1s", *service.options, *options, image, *service.argv)
        self.id = said.split("\n")[-1]
        assert re.fullmatch("[0-9a-f]{64}", self.id), said

    def inspect(self, what):
        return self.docker("inspect", "-f", "{{" + what + "}}", self.service.name)

    def asked(self):
        pid = self.inspect(".State.Pid")
        r = run(["nsenter", "-t", pid, "-n", "/usr/bin/python3", HERE / "loads.py", self.service.name], timeout=240)
        assert r.rc == 0, f"{r}\n{self.docker('logs', self.service.name)[-2000:]}"
        self.healthy()
        said = run([self.docker.client, "exec", self.service.name, *self.service.exec], env=self.docker.env)
        assert said.rc == 0, said

    def healthy(self):
        end = time.monotonic() + PATIENCE
        while self.inspect(".State.Health.Status") != "healthy":
            assert time.monotonic() < end, self.inspect("json .State.Health")
            time.sleep(0.2)

    def end(self):
        self.docker("stop", "-t", "200", self.service.name)
        status = self.inspect(".State.ExitCode")
        self.docker("rm", "-f", self.service.name)
        assert status in ("0", "143"), status  # 143: a JVM's, on SIGTERM


def served(docker, image, service, *options):
    s = Served(docker, image(service), service, *options)
    s.asked()
    s.end()
    return s.id


def recorded(docker, image, service, where):
    """By its name, from before its start."""
    p = subprocess.Popen([PALE, "learn", "--container", service.name, "--wait", "-o", where / "p.pale", "-r", where / "rec"],
                         env=docker.env, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + PATIENCE
    while p.poll() is None and not waits(p.pid) and time.monotonic() < end:
        time.sleep(0.02)
    try:
        served(docker, image, service, *UNCONFINED)
        err = p.communicate(timeout=PATIENCE)[1]
    finally:
        p.kill()
    assert p.returncode == 0, err
    return Recording(where / "rec")


def compiled(policy, where, *options):
    """Docker's JSON; one that lets pass and logs what would be refused also logs `listen`."""
    out = where / ("log.json" if options else "p.json")
    run([PALE, "compile", "-q", *options, "-t", "docker", "-o", out, policy], check=0)
    if options:
        profile = json.loads(out.read_text())
        for e in profile["syscalls"]:
            if e["action"] == "SCMP_ACT_ALLOW" and CONTROL in e["names"]:
                e["names"].remove(CONTROL)
        out.write_text(json.dumps(profile))
    return out


class Counted:
    """What a container's filter would have refused meanwhile, as the kernel logs it."""

    def __init__(self, docker):
        self.process = subprocess.Popen([PALE, "watch", "--format", "json"], env=docker.env, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        assert "reads the kernel's" in self.process.stderr.readline()

    def end(self, container):
        time.sleep(0.5)
        self.process.send_signal(signal.SIGTERM)
        events = [json.loads(line) for line in self.process.communicate(timeout=PATIENCE)[0].splitlines()]
        assert self.process.returncode == 0 and not events[-1]["dropped_records"], events[-1]
        return sorted({e["call"] for e in events if e["event"] == "refusal" and e.get("container", {}).get("id") == container})


def refused(docker, image, service, log, *options):
    """The calls that it makes and the policy does not allow, all of them let pass and counted; CONTROL too."""
    counted, container = Counted(docker), None
    try:
        container = served(docker, image, service, "--security-opt", f"seccomp={log}", *options)
    finally:
        calls = counted.end(container)
    return calls


def allowed(profile):
    return {n for e in json.loads(pathlib.Path(profile).read_text())["syscalls"] if e["action"] == "SCMP_ACT_ALLOW" for n in e["names"]}


@pytest.fixture(scope="module")
def dockers(tmp_path_factory):
    return allowed(compiled(ROOT / "profiles/docker-default.pale", tmp_path_factory.mktemp("default")))


@pytest.mark.parametrize("name", list(ALL) if LONG else SHORT)
def test_a_server_runs_under_what_was_learned_of_it_in_a_container(docker, image, dockers, tmp_path, name, record_property):
    service = ALL[name]
    rec = recorded(docker, image, service, tmp_path)
    assert rec.losses == "none" and "midway" not in rec.runs[1], rec.runs
    text = (tmp_path / "p.pale").read_text()
    assert "use start-runc" in text and "sys_admin" not in text and "overlay" not in text, text
    enforced, logged = compiled(tmp_path / "p.pale", tmp_path), compiled(tmp_path / "p.pale", tmp_path, "--log-only")
    calls = refused(docker, image, service, logged)
    with_nnp = refused(docker, image, service, logged, *NNP) if LONG else calls
    for more in ([], NNP) if LONG else (NNP,):
        served(docker, image, service, "--security-opt", f"seccomp={enforced}", *more)
    apparmor = run([PALE, "compile", "-q", "-t", "apparmor", "-o", tmp_path / "aa", tmp_path / "p.pale"])
    assert apparmor.rc == 0, apparmor
    parsed = run([need("apparmor_parser"), "-Q", "-K", "-M", "/usr/share/apparmor-features/features", tmp_path / "aa"])
    assert parsed.rc == 0, parsed
    expected = {CONTROL} | set(re.findall(r"^ +errno ENOSYS (\w+);", text, re.M))  # what libcs try first
    caps = re.findall(r"^ +capability ([^;]+);", text, re.M)
    left = allowed(enforced) & dockers
    record_property("figure", f"{name:9} {len(rec.names()):4} calls made, {len(allowed(enforced)):4} allowed, "
                    f"{len(left) / len(dockers):.0%} of Docker's default's {len(dockers)} left; capabilities: {', '.join(caps) or 'none'}; "
                    f"refused: {len(set(calls) - expected)}, with no-new-privileges {len(set(with_nnp) - expected)}")
    assert all(CONTROL in c and set(c) <= expected for c in (calls, with_nnp)), (calls, with_nnp)


@pytest.mark.skipif(not LONG, reason="PALE_LONG: servers recorded by the hook as well")
@pytest.mark.parametrize("name", list(ALL))
def test_a_server_runs_under_what_the_hook_recorded_of_it(docker, image, tmp_path, name, record_property):
    service = ALL[name]
    container = served(docker, image, service, "--runtime", "pale", *UNCONFINED)
    end = time.monotonic() + PATIENCE
    while not (found := [f for f in docker.hooked.glob(f"*{container[:12]}*/*") if not f.name.startswith(".")]):
        assert time.monotonic() < end, list(docker.hooked.glob("*/*"))
        time.sleep(0.1)
    rec = Recording(found[0])
    assert rec.losses == "none" and "midway" not in rec.runs[1], rec.runs
    run([PALE, "propose", "-o", tmp_path / "p.pale", found[0]], check=0)
    text = (tmp_path / "p.pale").read_text()
    assert "use start-runc" in text and "met: runc " in text and "sys_admin" not in text, text
    calls = refused(docker, image, service, compiled(tmp_path / "p.pale", tmp_path, "--log-only"))
    served(docker, image, service, "--security-opt", f"seccomp={compiled(tmp_path / 'p.pale', tmp_path)}")
    expected = {CONTROL} | set(re.findall(r"^ +errno ENOSYS (\w+);", text, re.M))
    record_property("figure", f"{name:9} by the hook: {len(rec.names())} calls made; refused: {len(set(calls) - expected)}")
    assert CONTROL in calls and set(calls) <= expected, calls
