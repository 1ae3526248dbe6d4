# SPDX-License-Identifier: Apache-2.0
"""Real runtimes load the JSON, and the filter that the kernel then holds is the policy."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import PATIENCE, need, need_root, program, run
from runtimes import installed

DEBIAN = "libseccomp-2.5.4-1+deb12u1"
ALLOWING = """policy allowing {
    level linux 6.18; layers seccomp; arch x86_64, i386, x32;
    default allow; unknown errno ENOSYS; foreign kill-process;
    errno EPERM mkdir, mkdirat; errno EACCES reboot;
    kill kexec_load; errno EPERM socketcall;
    errno EPERM socket(domain in {AF_VSOCK, AF_ALG});
    errno EPERM ioctl(cmd == TIOCSTI), personality(persona == 0xffffffff);
    log sched_setscheduler(policy == SCHED_FIFO);
}
"""
# No name that the runtime might miss, no `unknown` of its own: exact for old engines as well.
DENYING = """policy denying {
    level linux 6.18; layers seccomp; arch x86_64;
    default allow; unknown allow; foreign kill-process;
    errno ENOENT mkdir, mkdirat;
    errno EPERM socket(domain == AF_VSOCK), socket(domain == AF_INET, (type & SOCK_TYPE_MASK) == SOCK_RAW);
    errno EBUSY lseek(offset in 4096..1000000);
}
"""
POLICIES = {"allowing": ALLOWING, "denying": DENYING}


def compiled(pale, tmp_path, text, target, runtime):
    policy = tmp_path / "policy.pale"
    policy.write_text(text)
    r = pale("compile", policy, "-t", target, "--runtime", runtime, check=0)
    return policy, r.out


@pytest.fixture
def rootfs(tmp_path):
    root = tmp_path / "rootfs"
    for d in ("bin", "tmp", "proc", "dev", "sys"):
        (root / d).mkdir(parents=True)
    shutil.copy(need("busybox"), root / "bin" / "busybox")
    for name in ("sh", "mkdir", "sleep"):
        (root / "bin" / name).symlink_to("busybox")
    return root


def bundle(tmp_path, seccomp, args):
    """An OCI bundle with this seccomp object under linux.seccomp."""
    run([need("runc"), "spec"], cwd=tmp_path, check=0)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    config["process"]["terminal"] = False
    config["process"]["args"] = args
    config["process"].pop("rlimits", None)
    config["root"] = {"path": "rootfs", "readonly": False}
    config["linux"]["seccomp"] = json.loads(seccomp)
    path.write_text(json.dumps(config))


def filter_is_policy(tmp_path, pid, policy):
    """Reads the filter back and compares it with the policy."""
    proc = subprocess.run([program("oci/getfilter"), str(pid)], capture_output=True)
    assert proc.returncode == 0, proc.stderr
    held = tmp_path / "held.bpf"
    held.write_bytes(proc.stdout)
    r = run([program("oci/ocitool"), "compare", policy, held, "none", "unknown-names"])
    lines = r.out.splitlines()
    # Debian's libseccomp has no x32 number for map_shadow_stack.
    assert all("nr 1073742277 " in line for line in lines[:-1]), r
    assert int(lines[-1].split()[0]) > 1000, r


@pytest.mark.parametrize("runtime", ["runc", "crun"])
@pytest.mark.parametrize("which", POLICIES)
def test_the_kernel_holds_the_policy_after(pale, tmp_path, rootfs, runtime, which):
    need_root()
    need(runtime)
    version = {"runc": "runc-1.1", "crun": "crun-1.8"}[runtime]
    policy, seccomp = compiled(pale, tmp_path, POLICIES[which], "oci", f"{version}+{DEBIAN}")
    bundle(tmp_path, seccomp, ["/bin/sleep", "60"])
    name = f"pale-{runtime}-{which}-{os.getpid()}"
    argv = installed(runtime).argv(tmp_path / "state")
    pid_file = tmp_path / "pid"
    with open(tmp_path / "log", "w") as log:
        started = subprocess.run([*argv, "run", "-d", "--pid-file", str(pid_file), name],
                                 cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 timeout=PATIENCE)
    assert started.returncode == 0, (tmp_path / "log").read_text()
    try:
        filter_is_policy(tmp_path, pid_file.read_text().strip(), policy)
    finally:
        subprocess.run([*argv, "delete", "-f", name], cwd=tmp_path, capture_output=True)


@pytest.mark.parametrize("runtime", ["runc", "crun"])
def test_a_refused_call_fails_inside(pale, tmp_path, rootfs, runtime):
    need_root()
    need(runtime)
    version = {"runc": "runc-1.1", "crun": "crun-1.8"}[runtime]
    _, seccomp = compiled(pale, tmp_path, DENYING, "oci", f"{version}+{DEBIAN}")
    bundle(tmp_path, seccomp, ["/bin/mkdir", "/tmp/x"])
    name = f"pale-{runtime}-mkdir-{os.getpid()}"
    r = run([*installed(runtime).argv(tmp_path / "state"), "run", name], cwd=tmp_path)
    assert r.rc == 1 and "No such file or directory" in r.err, r


# ---- Docker ----

@pytest.fixture(scope="module")
def docker(tmp_path_factory):
    """A dockerd of its own, with one busybox image; yields a function that runs the client."""
    need_root()
    daemon, client = need("dockerd"), need("docker")
    d = tmp_path_factory.mktemp("docker")
    root = d / "image"
    for name in ("bin", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(need("busybox"), root / "bin" / "busybox")
    for name in ("sh", "mkdir", "sleep"):
        (root / "bin" / name).symlink_to("busybox")
    sock = d / "docker.sock"
    log = open(d / "log", "w")
    proc = subprocess.Popen(
        [daemon, "-H", f"unix://{sock}", "--data-root", d / "root", "--exec-root", d / "exec",
         "--pidfile", d / "pid", "--iptables=false", "--ip6tables=false", "--bridge=none",
         "--storage-driver=vfs"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def call(*args, **kw):
        return run([client, "-H", f"unix://{sock}", *args], **kw)

    try:
        deadline = time.monotonic() + 30
        while call("version").rc != 0:
            assert proc.poll() is None and time.monotonic() < deadline, (d / "log").read_text()[-2000:]
        tar = d / "image.tar"
        run(["tar", "-C", root, "-cf", tar, "."], check=0)
        call("import", tar, "pale:test", check=0)
        yield call
    finally:
        proc.terminate()
        proc.wait(timeout=PATIENCE)
        log.close()


def docker_runtime(docker):
    version = docker("version", "--format", "{{.Server.Version}}", check=0).out.strip()
    return f"docker-{re.match(r'[0-9]+.[0-9]+', version)[0]}+runc-1.1+{DEBIAN}"


def test_docker_loads_the_policy(pale, tmp_path, docker):
    policy, seccomp = compiled(pale, tmp_path, DENYING, "docker", docker_runtime(docker))
    (tmp_path / "sec.json").write_text(seccomp)
    options = ["--network", "none", "--security-opt", f"seccomp={tmp_path}/sec.json"]
    r = docker("run", "--rm", *options, "pale:test", "/bin/mkdir", "/tmp/x")
    assert r.rc == 1 and "No such file or directory" in r.err, r
    box = docker("run", "-d", *options, "pale:test", "/bin/sleep", "60", check=0).out.strip()
    try:
        pid = docker("inspect", "-f", "{{.State.Pid}}", box, check=0).out.strip()
        filter_is_policy(tmp_path, pid, policy)
    finally:
        docker("rm", "-f", box)


def test_old_docker_ignores_the_default_errno_and_compile_knows(pale, tmp_path):
    runtime = "docker-20.10"
    policy = tmp_path / "policy.pale"
    policy.write_text(ALLOWING.replace(", i386, x32", "").replace("errno EPERM socketcall;", ""))
    r = pale("compile", policy, "-t", "docker", "--runtime", runtime, check=1)
    assert "PL225" in r.err and "Docker before 23" in r.err
    r = pale("compile", policy, "-t", "docker", "--runtime", runtime, "--approximate", check=0)
    assert '"defaultErrnoRet": 1' in r.out and "PL230" in r.err
