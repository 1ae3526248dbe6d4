# SPDX-License-Identifier: Apache-2.0
"""Attacks that succeed without a filter are refused under every example policy: by pale run,
by runc with the OCI JSON, by a real Docker engine with the Docker JSON."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import attacks  # noqa: E402
from conftest import PALE, PATIENCE, ROOT, need, need_root, run  # noqa: E402

ids = dict(argvalues=attacks.POLICIES, ids=lambda p: p.stem)
# A mount that succeeds, because nothing refuses it, must not stay.
OWN_MOUNTS = ["unshare", "-m", "--propagation", "private"]


@pytest.fixture(scope="module")
def free():
    need_root()
    return attacks.outcome(run([*OWN_MOUNTS, attacks.attacker(), "all"], check=0).out)


def shell_status(argv):
    """128+N for a signal: pale has become the command, so the signal is its own."""
    rc = run(argv).rc
    return 128 - rc if rc < 0 else rc


@pytest.mark.parametrize("policy", **ids)
def test_pale_run_refuses_what_succeeds_without_it(free, policy):
    under = [PALE, "run", policy, "--layers", "seccomp", "--", attacks.attacker()]
    attacks.check(free, attacks.outcome(run([*OWN_MOUNTS, *under, "all"], check=0).out),
                  run([attacks.attacker(), attacks.FOREIGN]).rc,
                  shell_status([*under, attacks.FOREIGN]))


def test_every_named_attack_succeeds_here(free):
    assert {n: free.get(n) for n in attacks.NAMED} == {n: "ok" for n in attacks.NAMED}


def test_x32_numbers_are_not_taken_for_x86_64_ones():
    """Without a filter this kernel says ENOSYS; under one they are foreign and kill."""
    assert attacks.outcome(run([attacks.attacker(), "foreign.x32"]).out) in (
        {"foreign.x32": "refused ENOSYS"}, {"foreign.x32": "ok"})
    assert shell_status([PALE, "run", attacks.LIVE, "--", attacks.attacker(),
                         "foreign.x32"]) == attacks.KILLED


def my_capabilities():
    """By name: a runtime cannot give what it has not."""
    status = pathlib.Path("/proc/self/status").read_text()
    mine = int(re.search(r"CapEff:\s*(\S+)", status)[1], 16)
    return ["CAP_" + n.upper() for i, n in enumerate(CAPS.split()) if mine >> i & 1]


NEW_CAPS = ("CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE")


CAPS = """chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap
linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module
sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time
sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog
wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"""


# ---- runc ----

def compiled(policy, target, out):
    run([PALE, "compile", policy, "-t", target, "-o", out], check=0)
    return out


class Runc:
    """A bundle of one static program, with every capability, so that only seccomp refuses."""

    def __init__(self, directory):
        self.runc, self.dir = need("runc"), directory
        root = directory / "rootfs"
        for d in ("tmp", "proc", "dev", "sys"):
            (root / d).mkdir(parents=True)
        shutil.copy(attacks.attacker(), root / "attack")
        shutil.copy(need("busybox"), root / "busybox")
        run([self.runc, "spec", "-b", directory], check=0)
        self.config = json.loads((directory / "config.json").read_text())

    def run(self, argv, seccomp=None):
        c = self.config
        every = my_capabilities()
        c["process"].update(terminal=False, args=argv, noNewPrivileges=True,
                            capabilities={k: every for k in
                                          ("bounding", "effective", "permitted", "inheritable")})
        c["process"].pop("rlimits", None)
        c["root"]["readonly"] = False
        c["linux"].pop("seccomp", None)
        if seccomp:
            c["linux"]["seccomp"] = seccomp
        (self.dir / "config.json").write_text(json.dumps(c))
        return run([self.runc, "run", "-b", self.dir, f"pale-{os.getpid()}-{time.monotonic_ns()}"])


@pytest.mark.once
@pytest.mark.parametrize("policy", **ids)
def test_runc_refuses_what_succeeds_without_it(tmp_path, policy):
    need_root()
    bundle = Runc(tmp_path / "bundle")
    seccomp = json.loads(compiled(policy, "oci", tmp_path / "p.json").read_text())
    attacks.check(attacks.outcome(bundle.run(["/attack", "all"]).out),
                  attacks.outcome(bundle.run(["/attack", "all"], seccomp).out),
                  bundle.run(["/attack", attacks.FOREIGN]).rc,
                  bundle.run(["/attack", attacks.FOREIGN], seccomp).rc)


# ---- Docker ----

@pytest.fixture(scope="module")
def docker(tmp_path_factory):
    need_root()
    dockerd, client = need("dockerd"), need("docker")
    d = tmp_path_factory.mktemp("docker")
    with open(d / "log", "w") as log:
        daemon = subprocess.Popen(
            [dockerd, "--host", f"unix://{d}/sock", "--data-root", d / "root", "--exec-root",
             d / "exec", "--pidfile", d / "pid", "--iptables=false", "--ip6tables=false",
             "--bridge=none"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    env = {**os.environ, "DOCKER_HOST": f"unix://{d}/sock"}
    try:
        end = time.monotonic() + PATIENCE
        while subprocess.run([client, "version"], env=env, capture_output=True).returncode:
            assert daemon.poll() is None and time.monotonic() < end, (d / "log").read_text()[-2000:]
            time.sleep(0.05)  # nothing else tells that its socket answers
        root = d / "image"
        (root / "tmp").mkdir(parents=True)
        shutil.copy(attacks.attacker(), root / "attack")
        shutil.copy(need("busybox"), root / "busybox")
        tar = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True)
        subprocess.run([client, "import", "-", "pale:attack"], input=tar.stdout, env=env,
                       capture_output=True, check=True)

        # Docker 20.10 knows none behind audit_read; CAP_SYS_ADMIN covers the newer ones.
        caps = [f"--cap-add={c}" for c in my_capabilities() if c not in NEW_CAPS]

        def container(profile, *argv):
            return run([client, "run", "--rm", "--network", "none", *caps, "--security-opt",
                        f"seccomp={profile}", "pale:attack", *argv], env=env)
        yield container
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE)


@pytest.mark.once
@pytest.mark.xdist_group("docker")
@pytest.mark.parametrize("policy", **ids)
def test_docker_refuses_what_succeeds_without_it(docker, tmp_path, policy):
    profile = compiled(policy, "docker", tmp_path / "p.json")
    free = docker("unconfined", "/attack", "all", attacks.FOREIGN)
    attacks.check(attacks.outcome(free.out),
                  attacks.outcome(docker(profile, "/attack", "all").out),
                  free.rc, docker(profile, "/attack", attacks.FOREIGN).rc, free)


@pytest.mark.once
@pytest.mark.xdist_group("docker")
def test_the_profile_that_lets_nothing_start_is_mended_by_lint(docker, tmp_path):
    """profiles/found/seccomp-profile.json lacks arch_prctl and clone: no program of glibc starts under it."""
    profile = tmp_path / "p.json"
    profile.write_bytes((ROOT / "profiles/found/seccomp-profile.json").read_bytes())
    shell = ["/busybox", "sh", "-c", "/busybox true && /busybox echo started"]
    assert "started" not in docker(profile, *shell).out
    assert "SC140" in run([PALE, "lint", "--fix=unsafe", profile]).err
    assert docker(profile, *shell).out == "started\n"
