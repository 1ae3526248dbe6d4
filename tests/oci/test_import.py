# SPDX-License-Identifier: Apache-2.0
"""Docker and OCI JSON read as what a runtime loads; bad JSON told where it stands."""
import json
import subprocess

import pytest

from conftest import ROOT, program, run

DOCKER = ROOT / "profiles" / "found" / "docker-default.json"
PLAIN = ["--runtime", "crun-1.8+libseccomp-2.5.4"]  # the default answers for numbers without a name
CAPS = ["none", "sys_chroot", "sys_admin,sys_chroot,bpf,perfmon", "sys_ptrace,syslog,sys_time"]


def profile(*entries, default="SCMP_ACT_ERRNO", arches=("SCMP_ARCH_X86_64",), **more):
    return {"defaultAction": default, "architectures": list(arches), "syscalls": list(entries), **more}


def entry(names, action="SCMP_ACT_ALLOW", **more):
    return {"names": names.split(), "action": action, **more}


def arg(index, op, value, two=0):
    return {"index": index, "op": "SCMP_CMP_" + op, "value": value, "valueTwo": two}


def built(tmp_path, source, caps="none"):
    """The filter that the machine's libseccomp builds of a profile."""
    bpf = tmp_path / "filter.bpf"
    proc = subprocess.run([program("oci/ocitool"), "libseccomp", source, caps], capture_output=True)
    assert proc.returncode == 0, proc.stderr
    bpf.write_bytes(proc.stdout)
    return bpf


def agrees(tmp_path, source, caps="none", names=True):
    """Import against libseccomp, all numbers and boundary arguments."""
    args = [program("oci/ocitool"), "compare", source, built(tmp_path, source, caps), caps]
    return run(args + (["unknown-names"] if names else []))


def put(tmp_path, value, name="p.json"):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


# ---- Docker's default ----

@pytest.mark.parametrize("caps", CAPS)
def test_docker_default_means_what_libseccomp_builds_of_it(tmp_path, caps):
    r = agrees(tmp_path, DOCKER, caps)
    lines = r.out.splitlines()
    # Debian's libseccomp has no x32 number for map_shadow_stack; nothing else may differ.
    assert all("nr 1073742277 " in line for line in lines[:-1]), r
    assert int(lines[-1].split()[0]) > 3000
    assert lines[-1].endswith((" 0 differ", " 1 differ")), r


@pytest.mark.parametrize("caps", CAPS)
def test_docker_default_survives_import_and_compile(pale, tmp_path, caps):
    policy, back = tmp_path / "d.pale", tmp_path / "back.json"
    pale("import", DOCKER, "-o", policy, "--name", "d", "--host", "x86_64", *PLAIN, check=0)
    env = ["--caps", caps if caps != "none" else "", "--kernel", "6.18", "--host", "x86_64"]
    r = pale("compile", policy, *env, "-t", "docker", "--approximate", check=0)
    assert "includes" not in r.out and "excludes" not in r.out
    back.write_text(r.out)
    for a, b in [(DOCKER, policy), (DOCKER, back), (policy, back)]:
        r = run([program("oci/ocitool"), "equal", a, b, caps], check=0)
        assert r.out.splitlines()[-1].endswith(" 0 differ")


def test_runcs_stub_is_no_exact_compile(pale, tmp_path):
    policy = tmp_path / "d.pale"
    pale("import", DOCKER, "--host", "x86_64", *PLAIN, "-o", policy, check=0)
    env = ["--caps", "", "--kernel", "6.18", "--host", "x86_64", "-t", "docker"]
    r = pale("compile", policy, *env, check=1)
    assert "PL225" in r.err and "--approximate" in r.err and not r.out
    pale("compile", policy, *env, "--runtime", "crun-1.8+libseccomp-2.5.4", check=0)


def test_import_prints_a_policy_that_fmt_leaves_alone(pale, tmp_path):
    r = pale("import", DOCKER, check=0)
    again = pale("fmt", "-", input=r.out, check=0)
    assert again.out == r.out
    assert "when not capability sys_admin {" in r.out
    assert "allow clone((reg arg0 & 0x7e020000) == 0);" in r.out
    assert "when kernel >= 4.8 {" in r.out


# ---- semantics, each against libseccomp ----

SHAPES = {
    "plain": [entry("read write openat")],
    "name_not_names": [{"name": "read", "action": "SCMP_ACT_ALLOW", "args": None}],
    "every_operator": [entry("socket", args=[arg(0, "EQ", 2), arg(1, "NE", 3), arg(2, "LT", 9)]),
                       entry("lseek", args=[arg(1, "GE", 1 << 40)]),
                       entry("prctl", args=[arg(0, "LE", 40)]), entry("kill", args=[arg(1, "GT", 0)])],
    "masked_value_is_masked": [entry("ioctl", args=[arg(1, "MASKED_EQ", 0xf0, 0x1f)])],
    "repeated_index_is_any": [entry("socket", args=[arg(0, "EQ", 2), arg(0, "EQ", 10), arg(1, "EQ", 1)])],
    "unconditional_swallows": [entry("personality", args=[arg(0, "EQ", 8)]),
                               entry("personality", "SCMP_ACT_KILL_PROCESS")],
    "unconditional_swallows_either_order": [entry("personality", "SCMP_ACT_KILL_PROCESS"),
                                            entry("personality", args=[arg(0, "EQ", 8)])],
    "first_unconditional_wins": [entry("bpf", "SCMP_ACT_LOG"), entry("bpf", "SCMP_ACT_KILL")],
    "like_the_default_is_skipped": [entry("read"), entry("read", "SCMP_ACT_ERRNO", args=[arg(0, "EQ", 3)])],
    "errno_defaults_to_eperm": [entry("bpf", "SCMP_ACT_TRACE"), entry("read", "SCMP_ACT_ERRNO", errnoRet=38)],
    # The kernel calls the second parameter of these arg2.
    "parameters_named_like_registers": [
        entry("prctl keyctl", args=[arg(1, "EQ", 5), arg(2, "EQ", 7), arg(5, "EQ", 9)]),
        entry("arch_prctl", args=[arg(2, "EQ", 3)])],
    "disjoint_conditions": [entry("prctl", args=[arg(0, "EQ", 2)]),
                            entry("prctl", "SCMP_ACT_KILL_PROCESS", args=[arg(0, "EQ", 40)])],
    "unknown_names": [entry("read no_such_call_anywhere s390_pci_mmio_read")],
    "duplicates": [entry("read read"), entry("read")],
}


@pytest.mark.parametrize("arches", [("SCMP_ARCH_X86_64",), ("SCMP_ARCH_X86_64", "SCMP_ARCH_X32"),
                                    ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32")],
                         ids=["x86_64", "x32", "i386"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_import_means_what_libseccomp_builds(tmp_path, shape, arches):
    r = agrees(tmp_path, put(tmp_path, profile(*SHAPES[shape], arches=arches)))
    assert r.rc == 0 and r.out.endswith(" 0 differ\n"), r


def test_high_words_are_cut_on_narrow_architectures_as_libseccomp_does(tmp_path):
    arches = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    p = profile(entry("kill", args=[arg(1, "EQ", (1 << 32) + 9)]), arches=arches)
    r = agrees(tmp_path, put(tmp_path, p))
    assert r.rc == 0, r


def test_socketcall_gets_the_rules_that_libseccomp_adds(pale, tmp_path):
    # (With a multiplexed name alone first, libseccomp 2.5.4 forgets to load the number.)
    p = profile(entry("read"), entry("socket", args=[arg(0, "EQ", 2)]), entry("accept semop"),
                arches=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
    path = put(tmp_path, p)
    assert agrees(tmp_path, path).rc == 0
    out = pale("import", path, check=0).out
    assert "socketcall(reg arg0 == 1)" in out and "ipc(reg arg0 == 1)" in out


def test_a_planted_difference_is_seen(tmp_path):
    path = put(tmp_path, profile(entry("read write")))
    bpf = built(tmp_path, path)
    other = put(tmp_path, profile(entry("read")), "other.json")
    r = run([program("oci/ocitool"), "compare", other, bpf, "none"])
    assert r.rc == 1 and "nr 1 " in r.out


def test_config_json_and_standard_input(pale, tmp_path):
    config = {"ociVersion": "1.0.2", "linux": {"seccomp": profile(entry("read"))}}
    r = pale("import", "-", input=json.dumps(config), check=0)
    assert r.out.startswith("policy imported {") and "allow read;" in r.out
    assert "foreign kill-thread;" in r.out and "unknown errno ENOSYS;" in r.out


def test_arch_map_takes_the_hosts_row(pale, tmp_path):
    p = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [entry("read")],
         "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                     {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}]}
    path = put(tmp_path, p)
    assert "arch x86_64, i386;" in pale("import", path, "--host", "x86_64", check=0).out.replace("    ", " ")
    r = pale("import", path, "--host", "aarch64", check=0)
    assert "arch aarch64, arm;" in r.out and "x86_64" not in r.out and not r.err
    p["archMap"][1]["subArchitectures"] = ["SCMP_ARCH_MIPSEL"]  # one that pale has no table for
    r = pale("import", put(tmp_path, p), "--host", "aarch64", check=0)
    assert "arch aarch64;" in r.out and "SCMP_ARCH_MIPSEL" in r.err


def test_only_the_first_row_of_the_host_counts(pale, tmp_path):
    p = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [entry("read")],
         "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": None},
                     {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}]}
    out = pale("import", put(tmp_path, p), "--host", "x86_64", check=0).out
    assert "x86_64;" in out and "i386" not in out


def test_what_every_kernel_excludes_is_never_in(pale, tmp_path):
    """An empty minKernel is version 0.0 to Docker, which every kernel has; the words "0.0" it refuses."""
    p = profile(entry("read", excludes={"minKernel": ""}), entry("write", includes={"minKernel": ""}))
    out = pale("import", put(tmp_path, p), check=0).out
    assert "allow read" not in out and "allow write;" in out and "never in force: every kernel" in out
    p = profile(entry("write", includes={"minKernel": "0.0"}))
    assert "[SJ018 " in pale("import", put(tmp_path, p), check=1).err


# ---- what cannot be imported ----

BAD = {
    "one_condition_two_actions": (profile(entry("kill", args=[arg(0, "EQ", 9)]),
                                          entry("kill", "SCMP_ACT_LOG", args=[arg(0, "EQ", 9)])), "SC112"),
    # Both become socketcall(1, ...) on i386, which libseccomp answers with EEXIST.
    "two_actions_behind_socketcall": (
        profile(entry("socket", args=[arg(0, "EQ", 2)]),
                entry("socket", "SCMP_ACT_LOG", args=[arg(0, "EQ", 40)]),
                arches=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]), "SC112"),
    "negative": (profile(entry("kill", args=[arg(0, "EQ", -1)])), "SJ005"),
    "float": (profile(entry("kill", args=[arg(0, "EQ", 1.5)])), "SJ005"),
    "two_to_the_64": (profile(entry("kill", args=[arg(0, "EQ", 1 << 64)])), "SJ005"),
    "string_value": (profile(entry("kill", args=[arg(0, "EQ", "9")])), "SJ005"),
    "index_6": (profile(entry("kill", args=[arg(6, "EQ", 9)])), "SJ014"),
    "errno_4096": (profile(entry("kill", "SCMP_ACT_ERRNO", errnoRet=4096)), "SJ016"),
    "unknown_action": (profile(entry("kill", "SCMP_ACT_ALOW")), "did you mean 'SCMP_ACT_ALLOW'?"),
    "unknown_operator": (profile(entry("kill", args=[arg(0, "EQUAL", 1)])), "SJ010"),
    "unknown_architecture": (profile(arches=["SCMP_ARCH_AMD64"]), "SJ009"),
    "no_default": ({"syscalls": []}, "SJ007"),
    "no_action": (profile({"names": ["read"]}), "SJ008"),
    "name_and_names": (profile({"name": "read", "names": ["write"], "action": "SCMP_ACT_ALLOW"}), "SJ012"),
    "both_arch_lists": (profile(archMap=[{"architecture": "SCMP_ARCH_X86_64"}]), "SJ011"),
    "names_no_list": (profile({"names": "read", "action": "SCMP_ACT_ALLOW"}), "SJ026"),
    "calls_no_list": ({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": {}}, "SJ026"),
    "entry_no_object": (profile("read"), "SJ026"),
    "kernel": (profile(entry("read", includes={"minKernel": "4"})), "SJ018"),
    "no_object": ("[]", "SJ026"),
    "truncated": ('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["rea', "SJ0"),
    "nul_byte": ('{"defaultAction": "SCMP_ACT_\x00ERRNO"}', "SJ0"),
    "empty": ("", "PL001"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_json_is_told_where_it_stands(pale, tmp_path, case):
    text, want = BAD[case]
    path = put(tmp_path, text)
    r = pale("import", path, check=1)
    assert want in r.err and not r.out, r
    assert f"{path}:" in r.err


def test_several_mistakes_in_one_run(pale, tmp_path):
    p = profile(entry("read", "SCMP_ACT_X"), entry("kill", args=[arg(9, "EQ", 1)]), entry("a", "Y"))
    r = pale("import", put(tmp_path, p), check=1)
    assert r.err.count("error:") == 3


def test_a_capability_that_nobody_has_is_never_in_force(pale, tmp_path):
    """Engines compare the words letter by letter."""
    p = profile(entry("bpf"), entry("read", includes={"caps": ["sys_admin"]}),
                entry("mount", includes={"caps": ["CAP_CHOWN", "CAP_NOPE"]}),
                entry("kill", excludes={"caps": ["cap_sys_admin"]}))
    path = put(tmp_path, p)
    r = pale("import", path, check=0)
    assert r.err.count("[SJ020 ") == 3 and "CAP_SYS_ADMIN" in r.err, r
    assert r.out.count("# never in force: includes a capability that does not exist") == 2, r.out
    assert "allow read" not in r.out and "allow mount" not in r.out and "allow kill" in r.out, r.out
    r = pale("sim", "--caps", "sys_admin,chown", path, "read", "mount", "kill", "bpf", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ERRNO(1)", "ERRNO(1)", "ALLOW", "ALLOW"]


def test_what_has_no_effect_is_said(pale, tmp_path):
    p = profile(entry("read nosuchcall"), entry("write", "SCMP_ACT_ERRNO"), entry("kill", errno="EPERM"))
    r = pale("import", put(tmp_path, p), check=0)
    for word in ("SC101", "PL275", "SJ023"):
        assert word in r.err
    assert "# not calls of these architectures: nosuchcall" in r.out


def test_usage(pale):
    assert pale("import").rc == 2
    assert pale("import", "a", "b").rc == 2
    assert pale("import", "--name", "9 x", "a").rc == 2
    assert pale("import", "/no/such/file").rc == 3
    assert "usage: pale import" in pale("import", "--help", check=0).out


# ---- Podman's dialect: errnos by name ----

def podman(**more):
    return {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [entry("read execve"), entry("mount", "SCMP_ACT_ERRNO", **more)]}


def test_an_errno_by_name_is_podmans(pale, tmp_path):
    path = put(tmp_path, podman(errno="ENOSYS"))
    r = pale("sim", path, "mount", "bpf", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ERRNO(38)", "ERRNO(1)"] and "SJ023" in r.err, r
    r = pale("sim", path, "mount", "--as", "docker:runc", check=0)
    assert r.out.startswith("ERRNO(1)"), r


def test_name_and_number_of_an_errno_must_agree(pale, tmp_path):
    r = pale("sim", put(tmp_path, podman(errno="ENOSYS", errnoRet=38)), "mount", check=0)
    assert r.out.startswith("ERRNO(38)") and not r.err, r
    r = pale("sim", put(tmp_path, podman(errno="ENOSYS", errnoRet=1)), "mount", check=1)
    assert "high: Podman answers 'ENOSYS'" in r.err and "PL273" in r.err, r
    r = pale("sim", put(tmp_path, podman(errno="ENOSYSS")), "mount", check=1)
    assert "[SJ023" in r.err and "'ENOSYS'" in r.err and "PL273" in r.err, r
    r = pale("sim", put(tmp_path, podman(errno="ENOSYSS")), "mount", "--as", "docker:runc", check=0)
    assert r.out.startswith("ERRNO(1)"), r
