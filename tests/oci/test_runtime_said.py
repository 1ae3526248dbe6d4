# SPDX-License-Identifier: Apache-2.0
"""Whatever command reads a JSON profile, it reads it as the runtime that --runtime names does, and says
what one that was not measured is taken as."""
import json

import pytest

REFUSES = {"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}
PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [REFUSES]}
LINE = 'type=1326 comm="x" arch=c000003e syscall=101 code=0x50000'
READERS = {"sim": (["{}", "ptrace"], "ERRNO(1)  ptrace"), "explain": (["{}", "ptrace"], "decides        ERRNO(1)"),
           "why": ([LINE, "{}"], "allowed by: taking ptrace out of that entry"), "diff": (["{}", "{}"], "same: "),
           "import": (["{}"], "errno EPERM ptrace;"), "check": (["{}"], "libseccomp"),
           "compile": (["-t", "bpf", "-o", "/dev/null", "--host", "x86_64", "{}"], ""),
           "lint": (["--error-on", "none", "{}"], "finding"), "run": (["{}", "--", "true"], "")}


def ask(pale, tmp_path, command, profile, *options, **kw):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(profile))
    args, said = READERS[command]
    r = pale(command, *options, *(a.format(path) if a == "{}" else a for a in args), **kw)
    return r, said


@pytest.mark.parametrize("command", READERS)
def test_flags_are_read_as_the_named_runtime_takes_them(pale, tmp_path, command):
    profile = {**PROFILE, "flags": ["SECCOMP_FILTER_FLAG_LOG"]}
    r, _ = ask(pale, tmp_path, command, profile, "--runtime", "debian12")
    assert "runc before 1.2 refuses a profile with 'flags'" in r.err + r.out, r
    assert "'--runtime docker-28.5'" in r.err + r.out and (r.rc or command == "lint"), r
    for runtime in "docker-28.5", "podman-5.4":
        r, said = ask(pale, tmp_path, command, profile, "--runtime", runtime, check=0)
        assert said in r.out and "SJ031" not in r.err + r.out, r


@pytest.mark.parametrize("command", READERS)
def test_architectures_are_read_as_the_named_runtime_takes_them(pale, tmp_path, command):
    profile = {**PROFILE, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_LOONGARCH64"]}
    r, _ = ask(pale, tmp_path, command, profile, "--runtime", "debian12")
    assert "SCMP_ARCH_LOONGARCH64" in r.err + r.out and (r.rc or command == "lint"), r
    if command not in ("check", "compile"):  # whose loader is the library at hand
        r, said = ask(pale, tmp_path, command, profile, "--runtime", "debian13", check=0)
        assert said in r.out and "error" not in r.err, r


def test_crun_looks_at_six_conditions_of_an_entry(pale, tmp_path):
    """A seventh is none to crun (libcrun/seccomp.c); to runc it repeats an argument, and each stands alone."""
    six = [{"index": i, "value": 16, "op": "SCMP_CMP_LE"} for i in range(6)]
    for name, args in ("six", six), ("seven", [*six, {"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]):
        (tmp_path / f"{name}.json").write_text(json.dumps({**PROFILE, "syscalls": [{**REFUSES, "args": args}]}))
    files = tmp_path / "six.json", tmp_path / "seven.json"
    for runtime, same in ("docker-28.5", False), ("podman-5.4", True):
        r = pale("diff", "--runtime", runtime, *files, check=0 if same else 1)
        assert ("\nsame: " in r.out) == same, r
        read = [pale("import", "--name", "x", "--runtime", runtime, f, check=0).out for f in files]
        assert (read[0] == read[1]) == same, read
        ask = [pale("sim", "--runtime", runtime, f, "ptrace(20)", check=0).out for f in files]
        assert ask[0].startswith("ALLOW") and ask[1].startswith("ALLOW" if same else "ERRNO(1)"), ask


@pytest.mark.parametrize("command", READERS)
def test_one_that_was_not_measured_is_told(pale, tmp_path, command):
    r, _ = ask(pale, tmp_path, command, PROFILE, "--runtime", "runc-1.2.3", check=0)
    assert r.err.count("[PL257 not-measured]") == 1 and "taken as runc-1.3.6+libseccomp-2.6.1" in r.err, r
    r, _ = ask(pale, tmp_path, command, PROFILE, "--runtime", "runk-1.1")
    assert r.rc == (125 if command == "run" else 2) and "'runk-1.1' is no runtime" in r.err, r


NEAREST = [("docker", "docker-28.5"), ("Docker-28.5", "docker-28.5"), ("podmn-5.8", "podman-5.8"), ("podman", "podman-5.8"),
           ("debian14", "debian13"), ("debian11", "debian12"), ("debian", "debian13"), ("crun", "crun-1.28"),
           ("runc-v1.1.5", "runc-1.1.5"), ("runc-1.1.5+libseccomp", "runc-1.1.5"), ("runc-1.2.x", "runc-1.1.15"),
           ("instaled", "installed"), ("containerd-1.7.x", "containerd-1.7"), ("runk-1.4.3", "runc-1.4.3")]


@pytest.mark.parametrize("command", READERS)
def test_one_that_is_none_is_told_with_the_nearest(pale, tmp_path, command):
    for name, near in NEAREST:
        r, _ = ask(pale, tmp_path, command, PROFILE, "--runtime", name)
        assert r.rc == (125 if command == "run" else 2), r
        assert f"'{name}' is no runtime; did you mean '{near}'?" in r.err, r
    r, _ = ask(pale, tmp_path, command, PROFILE, "--runtime", "ubuntu-24.04")  # none is near: all are named
    assert "is no runtime; known are runc-1.1.5+" in r.err and "podman-5.8" in r.err, r
