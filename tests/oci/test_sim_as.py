# SPDX-License-Identifier: Apache-2.0
"""sim --as docker:runc and docker:crun: the layers of a container, on every kind of file."""
import json

import pytest

from conftest import ROOT
from runtimes import library

LIBRARY = library()

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
    r = pale("sim", DOCKER, "mount", "--as", "docker:runc", check=1)
    assert "[PL131 environment-unknown]" in r.err and "--caps docker" in r.err and not r.out
    r = pale("sim", DOCKER, "ptrace", "--as", "docker:runc", "--caps", "none", check=1)
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
    assert "[SC112 same-cond-two-actions]" in r.err and "does not start" in r.err and not r.out
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}))
    r = pale("sim", path, "read", "--as", "docker:runc", check=1)
    assert "runc before 1.2" in r.err
    pale("sim", path, "read", "--as", "docker:runc", "--runtime", "runc-1.2+libseccomp-2.5.4", check=0)


def test_what_only_the_library_can_tell_is_not_guessed(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "op": "SCMP_CMP_LT", "value": 9}]},
        {"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "op": "SCMP_CMP_EQ", "value": 3}]}]}))
    other = "libseccomp-2.5.4" if LIBRARY.startswith("libseccomp-2.6.0") else "libseccomp-2.6.0"
    r = pale("sim", path, "read(3, 3)", "--as", "docker:runc", "--runtime", "runc-1.1+" + other, check=1)
    assert "[PL267 runtime-undefined]" in r.err and "'read'(0x3, 0x3" in r.err and not r.out
    places = [path.read_text().index(f'"read"], "action": "SCMP_ACT_{a}') + 1 for a in ("ALLOW", "LOG")]
    assert any(f"p.json:1:{p}: error: " in r.err for p in places), r
    r = pale("sim", path, "read(3)", "write", "--as", "docker:runc", "--runtime", "runc-1.1+" + other, check=0)
    assert answers(r) == ["ALLOW", "ERRNO(1)"]  # what nobody disputes


def test_what_depends_on_the_environment_is_asked_for_that_call_alone(pale, tmp_path):
    r = pale("sim", DOCKER, "read", "mount", "openat", "--as", "docker:crun", check=1)
    assert answers(r) == ["ALLOW", "ALLOW"] and r.err.count("[PL131") == 1
    text = "x86_64 0 0 0 0 0 0 0\nx86_64 165 0 0 0 0 0 0\n"
    r = pale("sim", DOCKER, "--raw", "--as", "docker:runc", input=text, check=1)
    assert r.out == "ALLOW\n" and "[PL131" in r.err


def test_dockers_own_capabilities_have_a_word(pale, tmp_path):
    r = pale("sim", DOCKER, "chroot", "mount", "--as", "docker:runc", "--caps", "docker", check=0)
    assert answers(r) == ["ALLOW", "ERRNO(1)"]
    assert answers(pale("sim", DOCKER, "chroot", "mount", "--caps", "docker,sys_admin", "--as", "docker:runc", check=0)) == ["ALLOW", "ALLOW"]
    fourteen = ["chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service",
                "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"]
    text = "policy p { layers seccomp; arch x86_64; default errno EPERM; %s }"
    every = text % " ".join(f"when capability {c} {{ allow #{300 + i}; }}" for i, c in enumerate(fourteen))
    calls = [f"#{300 + i}" for i in range(14)]
    r = pale("sim", "-", *calls, "--caps", "docker", input=every, check=0)
    assert answers(r) == ["ALLOW"] * 14
    no = text % "when capability sys_admin, sys_ptrace, net_admin, sys_nice { allow read; }"
    assert answers(pale("sim", "-", "read", "--caps", "docker", input=no, check=0)) == ["ERRNO(1)"]


OVERLAP = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
    {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
     "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_NE"}]}]}


def test_of_two_that_match_the_one_that_decides_is_named(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(OVERLAP, indent=1))
    place = [i for i, line in enumerate(path.read_text().splitlines(), 1) if '"socket"' in line]
    r = pale("sim", path, "socket(AF_VSOCK)", "socket(AF_INET)", "--as", "docker:runc", "--runtime",
             "runc-1.1+" + LIBRARY, check=0)
    lines = r.out.splitlines()
    assert lines[0].startswith("ERRNO(1)") and f"p.json:{place[0]}:" in lines[0]
    assert lines[0].endswith("'socket', of two that match") and lines[1].endswith(": 'socket'")


def test_the_library_that_is_here_is_named_as_runtime_takes_it(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(OVERLAP))
    r = pale("sim", path, "socket(AF_VSOCK)", "--as", "docker:crun", "--runtime", "crun-1.8+libseccomp-2.9.9", check=1)
    assert LIBRARY.split("-", 1)[1] in r.err and f"--runtime crun-1.8+{LIBRARY}" in r.err
    pale("sim", path, "socket(AF_VSOCK)", "--as", "docker:crun", "--runtime", f"crun-1.8+{LIBRARY}", check=0)


@pytest.mark.parametrize("name, good", [
    ("runc-1.1+libseccomp-2.5.4-debian12", False), ("runc-1.1-x+libseccomp-2.5.4", False),
    ("runc-1.1+libseccomp-2.5.4-1+deb12u1-x", False), ("runc-1.1+libseccomp-2.5.4+debian", False),
    ("runc-1.1+libseccomp-2.5.4-", False), ("deb12u1+runc-1.1", False),
    ("runc-1.1+libseccomp-2.5.4-1+deb12u1", True), ("runc-1.1.5+ds1-1+deb12u1+libseccomp-2.5.4-1+deb12u1", True),
    ("runc-1.3.6+libseccomp-2.6.1-1+b2", True), ("runc-1.1.15+ds1-2+b4+libseccomp-2.6.0-2", True),
    ("docker-20.10.24+runc-1.1.5+libseccomp-2.5.4-1", True), ("runc-1.1.12-0ubuntu3.1+libseccomp-2.5.5-1ubuntu3", True)])
def test_a_packagers_suffix_is_known_or_refused(pale, name, good):
    r = pale("sim", DOCKER, "read", "--as", "docker:runc", "--runtime", name)
    assert r.rc == (0 if good else 2), r
    assert good or "is no runtime" in r.err


def test_setup_on_s390x_is_enosys_under_runc(pale, tmp_path):
    """Facts, 6.11: the number that the kernel makes of those it does not know."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_S390X"],
                                "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}]}))
    for layer, want in [("docker:runc", "ERRNO(38)"), ("docker:crun", "ERRNO(1)")]:
        r = pale("sim", path, "#0", "#1", "write", "--arch", "s390x", "--host", "s390x", "--as", layer, check=0)
        assert answers(r) == [want, "ERRNO(1)", "ALLOW"]
