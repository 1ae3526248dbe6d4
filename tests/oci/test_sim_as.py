# SPDX-License-Identifier: Apache-2.0
"""sim --as docker:runc and docker:crun: the layers of a container, on every kind of file."""
import json

import pytest

from conftest import ROOT

DOCKER = ROOT / "profiles" / "found" / "docker-default.json"
ENV = ["--caps", "sys_chroot", "--kernel", "6.18", "--host", "x86_64"]
POLICY = """policy p {
    level linux 6.18; layers seccomp; arch x86_64, i386;
    default errno EPERM; unknown errno ENOSYS; foreign kill-process;
    allow read, write, openat, execve, exit_group; errno EPERM socketcall;
}
"""


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "p.pale"
    path.write_text(POLICY)
    return path


def answers(r):
    return [line.split("  ")[0] for line in r.out.splitlines()]


def test_each_layer_says_that_it_decided(pale):
    calls = ["read", "chroot", "mount", "clone3", "#500"]
    r = pale("sim", DOCKER, *calls, "--as", "docker:runc", *ENV, check=0)
    assert answers(r) == ["ALLOW", "ALLOW", "ERRNO(1)", "ERRNO(38)", "ERRNO(38)"]
    lines = r.out.splitlines()
    assert lines[0].endswith(": 'read'") and lines[2].endswith(": 'defaultAction'")
    assert lines[4].endswith("runc: ENOSYS for numbers above all that the profile names")
    r = pale("sim", DOCKER, *calls, "--as", "docker:crun", *ENV, check=0)
    assert answers(r)[4] == "ERRNO(1)" and r.out.splitlines()[4].endswith(": 'defaultAction'")
    r = pale("sim", DOCKER, "read", "--arch", "aarch64", "--as", "docker:runc", *ENV, check=0)
    assert answers(r) == ["KILL_THREAD"] and "does not list" in r.out


def test_capabilities_kernel_and_machine_decide(pale):
    for caps, kernel, want in [("none", "6.18", "ERRNO(1)"), ("sys_admin", "6.18", "ALLOW")]:
        r = pale("sim", DOCKER, "mount", "--as", "docker:runc", "--caps", caps, "--kernel", kernel, check=0)
        assert answers(r) == [want]
    r = pale("sim", DOCKER, "read", "--as", "docker:runc", check=1)
    assert "[PL131 environment-unknown]" in r.err and "--caps" in r.err and not r.out
    r = pale("sim", DOCKER, "read", "--as", "docker:runc", "--caps", "none", check=1)
    assert "--kernel" in r.err
    r = pale("sim", DOCKER, "read", "--arch", "aarch64", "--as", "docker:runc", "--caps", "none", "--kernel", "6.18",
             "--host", "aarch64", check=0)
    assert answers(r) == ["ALLOW"]


def test_an_old_engine_ignores_the_default_errno(pale, tmp_path):
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 95, "architectures": ["SCMP_ARCH_X86_64"],
               "syscalls": [{"names": ["read", "openat2"], "action": "SCMP_ACT_ALLOW"}]}
    path, config = tmp_path / "p.json", tmp_path / "config.json"
    path.write_text(json.dumps(profile))
    config.write_text(json.dumps({"linux": {"seccomp": profile}}))
    old = ["--as", "docker:runc", "--runtime", "docker-20.10+runc-1.1+libseccomp-2.5.4"]
    assert answers(pale("sim", path, "mount", *old, check=0)) == ["ERRNO(1)"]
    assert answers(pale("sim", path, "mount", "--as", "docker:runc", check=0)) == ["ERRNO(95)"]
    assert answers(pale("sim", config, "mount", *old, check=0)) == ["ERRNO(95)"]  # past the engine


def test_a_policy_answers_by_its_json(pale, policy):
    r = pale("sim", policy, "read", "mount", "#600", "--as", "docker:runc", check=0)
    assert answers(r) == ["ALLOW", "ERRNO(1)", "ERRNO(38)"] and "p.docker.json:" in r.out
    text = "x86_64 -1 0 0 0 0 0 0\nx32 0 0 0 0 0 0 0\ni386 102 1 0 0 0 0 0\nx86_64 0 0 0 0 0 0 0\n"
    r = pale("sim", policy, "--raw", "--as", "docker:runc", input=text, check=0)
    assert r.out.splitlines() == ["ERRNO(38)", "KILL_THREAD", "ERRNO(1)", "ALLOW"]
    r = pale("sim", policy, "--raw", input=text, check=0)  # the policy's own meaning differs there
    assert r.out.splitlines() == ["ALLOW", "KILL_PROCESS", "ERRNO(1)", "ALLOW"]


def test_a_program_answers_for_itself(pale, policy, tmp_path):
    bpf = tmp_path / "p.bpf"
    pale("compile", policy, "-t", "bpf", "-o", bpf, check=0)
    assert answers(pale("sim", bpf, "read", "mount", check=0)) == ["ALLOW", "ERRNO(1)"]
    r = pale("sim", bpf, "read", "--as", "docker:runc", check=1)
    assert "is a BPF program" in r.err


def test_what_cannot_start_is_said(pale, tmp_path):
    path = tmp_path / "p.json"
    entry = {"names": ["read"], "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 3}]}
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {**entry, "action": "SCMP_ACT_ALLOW"}, {**entry, "action": "SCMP_ACT_LOG"}]}))
    r = pale("sim", path, "read", "--as", "docker:runc", check=1)
    assert "[PL265 runtime-refuses]" in r.err and "does not start" in r.err and not r.out
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}))
    r = pale("sim", path, "read", "--as", "docker:runc", check=1)
    assert "runc before 1.2" in r.err
    pale("sim", path, "read", "--as", "docker:runc", "--runtime", "runc-1.2+libseccomp-2.5.4", check=0)


def test_what_only_the_library_can_tell_is_not_guessed(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "op": "SCMP_CMP_LT", "value": 9}]},
        {"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "op": "SCMP_CMP_EQ", "value": 3}]}]}))
    r = pale("sim", path, "read(3, 3)", "--as", "docker:runc", "--runtime", "runc-1.1+libseccomp-2.6.0", check=1)
    assert "[PL267 runtime-undefined]" in r.err and "'read'(0, 0x3" in r.err and not r.out


def test_setup_on_s390x_is_enosys_under_runc(pale, tmp_path):
    """Facts, 6.11: the number that the kernel makes of those it does not know."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_S390X"],
                                "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}]}))
    for layer, want in [("docker:runc", "ERRNO(38)"), ("docker:crun", "ERRNO(1)")]:
        r = pale("sim", path, "#0", "#1", "write", "--arch", "s390x", "--host", "s390x", "--as", layer, check=0)
        assert answers(r) == [want, "ERRNO(1)", "ALLOW"]
