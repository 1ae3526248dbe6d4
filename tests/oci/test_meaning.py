# SPDX-License-Identifier: Apache-2.0
"""What a JSON profile means, to every command alike: Podman's errno by name, machines without a row,
what runc answers beside it."""
import json
import re

import pytest

from conftest import PATIENCE, ROOT
from runtimes import asked, library

PODMAN = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS",
          "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
                      {"architecture": "SCMP_ARCH_MIPSEL64", "subArchitectures": []}],
          "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}


def put(tmp_path, value, name="p.json"):
    path = tmp_path / name
    path.write_text(json.dumps(value))
    return path


def imported(pale, path, *more):
    out = path.with_suffix(".pale")
    pale("import", path, "-o", out, *more, check=0)
    return out


# ---- an errno by name and by number ----

def test_an_errno_that_differs_on_one_machine_stops_no_command(pale, tmp_path):
    path = put(tmp_path, PODMAN)
    pale("diff", path, path, check=0)
    r = pale("explain", path, "open", check=0)
    assert "open on x86_64\n  decides        ERRNO(38)" in r.out
    assert "open on mips64el\n  decides        ERRNO(89)" in r.out
    r = pale("explain", path, "open", "--arch", "x86_64", check=0)
    assert "ERRNO(38)" in r.out and not r.err
    r = pale("why", "type=1326 arch=c000003e syscall=2 code=0x50000", path, check=0)
    assert "ERRNO(38)" in r.out
    r = pale("sim", path, "open", "--host", "mips64el", "--arch", "mips64el", check=0)
    assert r.out.startswith("ERRNO(89)") and "[PL286 errno-by-machine]" in r.err
    for command in ("check", "lint"):
        assert "PL273" not in pale(command, path).err
    policy = imported(pale, path)
    assert "default errno ENOSYS;" in policy.read_text()
    pale("diff", path, policy, check=0)


def test_a_name_alone_is_each_machines_own_number(pale, tmp_path):
    profile = dict(PODMAN, syscalls=[{"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errno": "ELOOP"}],
                   defaultErrno="EPERM", defaultErrnoRet=1)
    path = put(tmp_path, profile)
    policy = imported(pale, path)
    assert "errno ELOOP bpf;" in policy.read_text() and "default errno EPERM;" in policy.read_text()
    pale("diff", path, policy, check=0)
    r = pale("explain", path, "bpf")
    assert "ERRNO(40)" in r.out and "ERRNO(90)" in r.out


def test_an_errno_that_differs_everywhere_is_a_contradiction(pale, tmp_path):
    path = put(tmp_path, dict(PODMAN, defaultErrno="EACCES", defaultErrnoRet=1))
    assert "[PL273 import-inexact]" in pale("import", path, check=1).err


# ---- machines without a row of archMap ----

@pytest.mark.parametrize("go, arch, own", [("ppc64le", "ppc64le", "sync_file_range2"), ("s390x", "s390x", "s390_pci_mmio_read"),
                                           ("riscv64", "riscv64", "riscv_flush_icache"), ("arm", "arm", "arm_fadvise64_64")])
def test_a_machine_without_a_row_decides_its_own_architecture(pale, tmp_path, go, arch, own):
    path = put(tmp_path, {
        "defaultAction": "SCMP_ACT_ERRNO", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}],
        "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"},
                     {"names": [own], "action": "SCMP_ACT_ALLOW", "includes": {"arches": [go]}}]})
    r = pale("diff", path, imported(pale, path), check=0)
    assert f"x86_64, {arch}" in r.out
    r = pale("sim", path, "read", "--host", arch, "--arch", arch, check=0)
    assert r.out.startswith("ALLOW")
    assert f"on {arch}\n" in pale("explain", path, own, check=0).out


def test_dockers_default_is_its_own_import_in_every_environment(pale, tmp_path):
    from conftest import ROOT
    policy = tmp_path / "d.pale"
    docker = ROOT / "profiles" / "found" / "docker-default.json"
    pale("import", docker, "-o", policy, check=0)
    pale("diff", docker, policy, check=0)


# ---- what runc answers beside it ----

def test_an_import_answers_unknown_numbers_as_runc_does(pale, tmp_path):
    path = put(tmp_path, {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                          "syscalls": [{"names": ["read", "clone3"], "action": "SCMP_ACT_ALLOW"}]})
    policy = imported(pale, path)
    assert "default errno EPERM;\n    unknown errno ENOSYS;" in policy.read_text()
    for target in ("docker", "oci"):
        pale("compile", policy, "-t", target, check=0)
    # The file itself says nothing of them: its default stands.
    assert pale("sim", path, "#335", check=0).out.startswith("ERRNO(1)")
    for dflt, want in [("ALLOW", "allow"), ("LOG", "log"), ("KILL_PROCESS", "errno ENOSYS")]:
        path = put(tmp_path, {"defaultAction": "SCMP_ACT_" + dflt, "syscalls": []})
        assert f"unknown {want};" in imported(pale, path).read_text()


def test_an_import_for_crun_keeps_the_default(pale, tmp_path):
    path = put(tmp_path, {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []})
    crun = ["--runtime", "crun-1.8+libseccomp-2.5.4"]
    policy = imported(pale, path, *crun)
    assert "unknown errno EPERM;" in policy.read_text()
    pale("compile", policy, "-t", "oci", *crun, check=0)
    assert pale("import", "--runtime", "youki-1", path).rc == 2


# ---- and back ----

MIPS = [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
        {"architecture": "SCMP_ARCH_MIPSEL64", "subArchitectures": []}]


def with_args(name, action, *args, **more):
    return {"names": [name], "action": "SCMP_ACT_" + action, **more,
            "args": [{"index": i, "value": v, "op": "SCMP_CMP_" + op} for i, op, v in args]}


BACK = {
    "enosys_by_machine": [{"names": ["read", "openat2"], "action": "SCMP_ACT_ALLOW"}],
    "x32_one_argument": [with_args("personality", "ALLOW", (0, "EQ", v)) for v in (0, 8, 0x20000, 0xffffffff)],
    "x32_not_equal": [with_args("socket", "ALLOW", (0, "NE", 40))],
    "x32_two_arguments": [with_args("socket", "ERRNO", (0, "EQ", 16), (2, "EQ", 9), errnoRet=22),
                          with_args("socket", "ALLOW", (2, "NE", 9)), with_args("socket", "ALLOW", (0, "NE", 16))],
    "x32_three_arguments": [with_args("prctl", "ALLOW", (0, "EQ", 4), (1, "LE", 1), (3, "EQ", 0))],
    "x32_order": [with_args("kill", "ALLOW", (1, "GT", 9)), with_args("prctl", "LOG", (0, "LT", 5))],
    "x32_gated": [with_args("personality", "ALLOW", (0, "EQ", 8), includes={"caps": ["CAP_SYS_ADMIN"]})],
}


@pytest.mark.parametrize("runtime", [[], ["--runtime", "crun-1.8.1"]], ids=["runc", "crun"])
@pytest.mark.parametrize("case", BACK)
def test_an_import_compiles_back_to_where_it_came_from(pale, tmp_path, case, runtime):
    rows = MIPS if not runtime else MIPS[:1]
    base = [{"names": ["socketcall", "futex_waitv"], "action": "SCMP_ACT_ALLOW"}]
    path = put(tmp_path, {"defaultAction": "SCMP_ACT_ERRNO", "archMap": rows, "syscalls": base + BACK[case]})
    policy, back = imported(pale, path, *runtime), tmp_path / "back.json"
    r = pale("compile", policy, "-t", "docker", "-o", back, *runtime, check=0)
    assert "exact for" in r.err
    pale("diff", path, back, check=0)
    pale("diff", policy, back, check=0)


def test_a_high_word_of_its_own_is_still_refused_where_low_words_are_compared(pale, tmp_path):
    path = put(tmp_path, {"defaultAction": "SCMP_ACT_ERRNO", "archMap": MIPS, "syscalls": [
        with_args("kill", "ALLOW", (1, "EQ", (1 << 32) + 9)), with_args("prctl", "ALLOW", (0, "EQ", 1))]})
    r = pale("compile", imported(pale, path), "-t", "docker", check=1)
    assert "[PL221 json-arch-differs]" in r.err and "'kill'" in r.err


def test_crun_has_no_stub_for_a_machine_with_its_own_enosys(pale, tmp_path):
    text = ("policy p { level linux 6.18; layers seccomp; arch x86_64, mips64el; default errno EPERM;"
            " unknown errno ENOSYS; foreign kill-thread; allow read, execve; }")
    r = pale("compile", "-", "-t", "docker", "--runtime", "crun-1.8+libseccomp-2.5.4", input=text, check=1)
    assert "[PL252 errno-differs]" in r.err
    r = pale("compile", "-", "-t", "docker", input=text, check=0)
    assert "[PL286 errno-by-machine]" in r.err and "exact for" in r.err


def test_an_errno_above_the_last_name_is_not_lost_in_the_stub(pale, tmp_path):
    """38 is ENOSYS here and another errno on MIPS, where the stub would answer 89."""
    text = ("policy p { level linux 6.18; layers seccomp; arch x86_64, mips64el; default errno 38;"
            " unknown errno ENOSYS; foreign kill-thread; allow read, execve; }")
    r = pale("compile", "-", "-t", "docker", input=text, check=1)
    assert "[PL225 json-unknown-calls]" in r.err and "on mips64el" in r.err
    pale("compile", "-", "-t", "docker", "--approximate", input=text, check=0)


@pytest.mark.parametrize("version, native", [("1.1.5", False), ("1.1.8", False), ("1.1.14", False), ("1.1.15", True),
                                             ("1.2", True), ("1.2.0", True), ("1.3.6", True)])
def test_the_stub_for_the_machines_own_architecture_came_with_1_1_15(pale, tmp_path, version, native):
    path = put(tmp_path, {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"],
                          "syscalls": [{"names": ["kcmp"], "action": "SCMP_ACT_ALLOW"}]})
    r = pale("sim", path, "#450", "--arch", "x86_64", "--host", "x86_64", "--as", "docker:runc", "--runtime",
             f"runc-{version}+libseccomp-2.5.4", check=0)
    assert r.out.startswith("ERRNO(38)" if native else "ERRNO(1)")


def test_x32_listed_alone_elsewhere_decides_no_x86_64_call(pale, tmp_path):
    path = put(tmp_path, {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X32"],
                          "syscalls": [{"names": ["bpf"], "action": "SCMP_ACT_ERRNO"}]})
    r = pale("sim", path, "read", "bpf", "--arch", "x86_64", "--host", "aarch64", "--as", "docker:runc", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["KILL_THREAD", "KILL_THREAD"]
    r = pale("sim", path, "read", "bpf", "--arch", "x32", "--host", "aarch64", "--as", "docker:runc", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ALLOW", "ERRNO(1)"]


@pytest.mark.parametrize("file, name", [("1244Matt.json", "p1244Matt"), ("9 lives!.json", "p9-lives"), ("--x.json", "x"),
                                        ("web_1.json", "web_1"), ("2024.10.json", "p2024-10"), (".json", "imported"),
                                        ("é.json", "imported")])
def test_a_policy_is_named_after_its_file(pale, tmp_path, file, name):
    path = put(tmp_path, {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}, file)
    text = pale("import", path, check=0).out
    assert text.startswith(f"policy {name} {{")
    pale("check", "-", input=text)


# ---- two entries, one call ----

def entry(names, action="ALLOW", args=(), **more):
    e = {"names": names.split(), "action": "SCMP_ACT_" + action, **more}
    if args:
        e["args"] = [{"index": i, "value": v, "op": "SCMP_CMP_" + op} for i, op, v in args]
    return e


def profile(*entries, **more):
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [entry("read write exit_group execve"), *entries], **more}


# Each with a call that both match.
OVERLAPS = {
    "vsock": ([entry("socket", "ERRNO", [(0, "EQ", 40)], errnoRet=1), entry("socket", args=[(0, "NE", 16)])],
              "socket(40)"),
    "podman": ([entry("socket", "ERRNO", [(0, "EQ", 16), (2, "EQ", 9)], errnoRet=22),
                entry("socket", args=[(2, "NE", 9)]), entry("socket", "LOG", [(0, "NE", 16)])], "socket(2)"),
    "two_arguments": ([entry("lseek", args=[(0, "LT", 9)]), entry("lseek", "LOG", [(2, "EQ", 1)])], "lseek(3, 0, 1)"),
    "looser_inside": ([entry("kill", args=[(0, "GT", 9)]), entry("kill", "ERRNO", [(0, "GT", 3)], errnoRet=6)],
                      "kill(10)"),
    "one_rank": ([entry("lseek", "ERRNO", [(0, "LT", 9)], errnoRet=5), entry("lseek", "ERRNO", [(2, "EQ", 1)], errnoRet=6)],
                 "lseek(3, 0, 1)"),
    "three": ([entry("kill", "LOG", [(0, "LT", 9)]), entry("kill", args=[(0, "LT", 20)]),
               entry("kill", "ERRNO", [(1, "EQ", 9)], errnoRet=3)], "kill(3, 9)"),
    "gated": ([entry("kill", "LOG", [(0, "LT", 9)], includes={"caps": ["CAP_KILL"]}), entry("kill", args=[(0, "LT", 20)])],
              "kill(3)"),
    "masks": ([entry("ioctl", args=[(1, "LT", 0x5500)]), entry("ioctl", "TRAP", [(1, "GT", 0x5400)])], "ioctl(0, 0x5413)"),
}
EVERY = ["--caps", "kill", "--kernel", "6.18", "--host", "x86_64"]


@pytest.mark.parametrize("case", OVERLAPS)
def test_an_import_says_what_libseccomp_builds_of_entries_that_overlap(pale, tmp_path, case):
    from conftest import program, run
    path = put(tmp_path, profile(*OVERLAPS[case][0]))
    policy, built = imported(pale, path, "--runtime", "crun-1.8+" + library()), tmp_path / "built.bpf"
    for caps in ("none", "kill"):
        built.write_bytes(run([program("oci/ocitool"), "libseccomp", path, caps], text=False, check=0).out)
        r = run([program("oci/ocitool"), "compare", policy, built, caps])
        assert r.out.endswith(" 0 differ\n"), (r, policy.read_text())


@pytest.mark.parametrize("case", OVERLAPS)
def test_entries_that_overlap_stop_no_command(pale, tmp_path, case):
    entries, call = OVERLAPS[case]
    path = put(tmp_path, profile(*entries))
    for command in (["check", path], ["diff", path, path], ["explain", path, "read"], ["explain", path, call.split("(")[0]],
                    ["sim", path, "read", *EVERY], ["sim", path, call, *EVERY], ["import", path, *asked()],
                    ["import", "--approximate", path], ["sim", "--as", "docker:runc", path, "read", call, *EVERY],
                    ["why", "type=1326 arch=c000003e syscall=0 code=0x50000", path]):
        r = pale(*command)
        assert r.rc == 0 and "error" not in r.err, (command, r)
    r = pale("import", path, *asked(), check=0)
    assert "[SC153 overlapping-entries]" in r.err and "depends on libseccomp: " in r.err
    assert "the other one" in r.err


def test_approximate_takes_the_more_restrictive_and_says_so(pale, tmp_path):
    path = put(tmp_path, profile(*OVERLAPS["looser_inside"][0]))
    assert pale("sim", "-", "kill(10)", input=pale("import", path, *asked(), check=0).out, check=0).out.startswith("ALLOW")
    r = pale("import", "--approximate", path, *asked(), check=0)
    assert "[PL281 import-tighter]" in r.err and "ERRNO(6)" in r.err
    assert pale("sim", "-", "kill(10)", "kill(5)", input=r.out, check=0).out.count("ERRNO(6)") == 2


def test_an_import_for_another_libseccomp_is_refused_with_a_way_out(pale, tmp_path):
    path = put(tmp_path, profile(*OVERLAPS["vsock"][0]))
    r = pale("import", path, "--runtime", "runc-1.1+libseccomp-2.9.9", check=1)
    assert r.err.count("[PL273 import-inexact]") == 1 and "--approximate" in r.err and not r.out
    way = r.err.split("'--runtime ", 1)[1].split("'")[0]
    pale("import", path, "--runtime", way, check=0)
    pale("import", path, "--runtime", "runc-1.1+libseccomp-2.9.9", "--approximate", check=0)


def test_one_condition_with_two_actions_starts_no_container(pale, tmp_path):
    path = put(tmp_path, profile(entry("kill", args=[(1, "EQ", 9)]), entry("kill", "LOG", [(1, "EQ", 9)])))
    r = pale("import", path, check=1)
    assert r.err.count("[SC112 same-cond-two-actions]") == 1 and "the container does not start" in r.err
    assert "PL273" not in r.err


def test_a_disputed_call_says_whom_it_depends_on(pale, tmp_path):
    path = put(tmp_path, profile(*OVERLAPS["vsock"][0]))
    r = pale("sim", path, "socket(AF_VSOCK)", "socket(AF_INET)", "read", check=0)
    lines = r.out.splitlines()
    assert lines[0].startswith("ERRNO(1)") and "; depends on libseccomp: 2." in lines[0]
    assert lines[0].endswith("says ERRNO(1)") and not any("depends" in line for line in lines[1:])
    assert not r.err
    r = pale("explain", path, "socket", check=0)
    assert "disputed       'socket'(0x28, " in r.out and "depends on libseccomp: 2." in r.out
    assert "  disputed  " not in pale("explain", path, "socket(AF_INET)", check=0).out
    assert "  disputed  " in pale("explain", path, "socket(AF_VSOCK)", check=0).out
    assert "  disputed  " not in pale("explain", path, "read", check=0).out
    r = pale("why", "type=1326 arch=c000003e syscall=41 code=0x50000", path, check=0)
    assert "depends on libseccomp: 2." in r.out
    r = pale("sim", path, "--raw", input="x86_64 41 40 1 0 0 0 0\nx86_64 41 2 1 0 0 0 0\n", check=0)
    assert r.out == "ERRNO(1)\nALLOW\n"


def test_sim_asks_for_the_environment_where_the_call_hangs_on_it(pale, tmp_path):
    from conftest import ROOT
    docker = ROOT / "profiles" / "found" / "docker-default.json"
    r = pale("sim", docker, "read", "openat", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ALLOW", "ALLOW"]
    for call, option in [("mount", "--caps"), ("ptrace", "--kernel")]:
        r = pale("sim", docker, call, *(["--caps", "none"] if option == "--kernel" else []), check=1)
        assert "[PL131 environment-unknown]" in r.err and option in r.err and not r.out
    path = put(tmp_path, profile(entry("bpf", includes={"minKernel": "6.1"}), entry("kill", includes={"arches": ["amd64"]})))
    assert pale("sim", path, "read", "kill", check=0).out.count("ALLOW  ") == 2  # x86_64 calls are made nowhere else
    assert "--kernel" in pale("sim", path, "bpf", check=1).err
    assert pale("sim", path, "bpf", "--kernel", "6.1", check=0).out.startswith("ALLOW")


# ---- conditions, and names that come late ----

@pytest.mark.parametrize("call, want", [
    ("personality", ["if persona == 8 (PER_LINUX32)", "if persona == 0xffffffff"]),
    ("socket", ["if domain < 38", "if domain > 40", "if domain == 39"]),
    ("clone", ["if (flags & 0x7e020000) == 0"])])
def test_explain_says_the_condition_of_an_entry(pale, tmp_path, call, want):
    from conftest import ROOT
    docker = ROOT / "profiles" / "found" / "docker-default.json"
    out = pale("explain", docker, call, "--arch", "x86_64", check=0).out
    assert all(w in out for w in want), out
    config = put(tmp_path, {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        entry("prctl", args=[(0, "EQ", 4), (1, "NE", 1)])]}}}, "config.json")
    out = pale("explain", config, "prctl", check=0).out
    assert "op == 4 (PR_SET_DUMPABLE)" in out and "arg2 != 1" in out
    policy = "policy p { layers seccomp; arch x86_64; default errno EPERM; allow prctl(option == 4); }"
    assert "prctl(option == 4)" in pale("explain", "-", "prctl", input=policy, check=0).out


@pytest.mark.parametrize("arch, number", [
    ("c00000b7", 97), ("c00000f3", 97), ("80000016", 303), ("40000003", 310), ("40000028", 337),
], ids=["aarch64", "riscv64", "s390x", "i386", "arm"])
@pytest.mark.parametrize("engine", ["docker:runc", "docker:crun"])
def test_a_record_of_another_machine_is_answered_as_there(pale, arch, number, engine):
    line = f'type=1326 comm="t" arch={arch} syscall={number} code=0x50000'
    runtime = "docker-28.5" if engine == "docker:runc" else "podman-5.8"
    r = pale("why", "--as", engine, "--runtime", runtime, "--caps", "docker", "--kernel", "6.1", line,
             ROOT / "profiles" / "found" / "docker-default.json", check=0)
    assert "unshare" in r.out and "  ERRNO(1)  " in r.out and "never answers" not in r.out, r


def test_a_name_that_a_machine_s_libseccomp_lacks_is_told_of_that_machine(pale):
    docker = ROOT / "profiles" / "found" / "docker-default.json"
    line = 'type=1326 comm="t" arch=40000028 syscall=452 code=0x50000'
    r = pale("why", "--as", "docker:runc", "--runtime", "runc-1.1.5+libseccomp-2.5.4", line, docker, check=0)
    assert "  ERRNO(1)  " in r.out and "never answers" not in r.out and "does not know the name" in r.out, r


def test_a_runtime_that_does_not_start_there_has_no_answer(pale):
    docker = ROOT / "profiles" / "found" / "docker-default.json"
    line = 'type=1326 comm="t" arch=c00000f3 syscall=97 code=0x50000'
    r = pale("why", "--as", "docker:runc", "--runtime", "runc-1.1.5+libseccomp-2.5.4", line, docker, check=1)
    assert r.out == "" and "SCMP_ARCH_RISCV64" in r.err, r


def test_entries_of_another_machine_answer_its_records(pale, tmp_path):
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
               "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
                           {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []}],
               "syscalls": [entry("read"),
                            entry("unshare", "LOG", includes={"arches": ["arm64"]}),
                            entry("unshare", "TRACE", excludes={"arches": ["arm64"]})]}
    path = put(tmp_path, profile)
    lines = ('type=1326 comm="t" arch=c00000b7 syscall=97\n'
             'type=1326 comm="t" arch=c000003e syscall=272\n'
             'type=1326 comm="t" arch=c00000b7 syscall=97 pid=1 code=0x7ffc0000\n')
    for as_ in ([], ["--as", "docker:runc", "--runtime", "runc-1.1.5+libseccomp-2.5.4"]):
        out = pale("why", *as_, "-", path, input=lines, check=0).out
        assert [x.split()[0] for x in out.splitlines() if re.match("  [A-Z]", x)] == [
            "LOG", "TRACE(1)", "LOG"], out


LATE = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [entry("fchmodat2 fchmodat read mseal")]}


@pytest.mark.parametrize("name, number, since", [("fchmodat2", 452, "2.5.5"), ("mseal", 462, "2.5.6")])
def test_why_knows_names_that_an_older_libseccomp_does_not(pale, tmp_path, name, number, since):
    path = put(tmp_path, LATE)
    line = f'type=1326 comm="tar" arch=c000003e syscall={number} code=0x50000'
    r = pale("why", line, path, check=0)
    assert f"but libseccomp before {since} does not know the name" in r.out and "another filter" not in r.out
    r = pale("why", line, "--as", "docker:crun", "--runtime", "crun-1.8+libseccomp-2.5.4", path, check=0)
    assert r.out.splitlines()[1].startswith("  ERRNO(1)") and f"before {since} does not know the name" in r.out
    r = pale("why", line, "--as", "docker:crun", "--runtime", "crun-1.21+libseccomp-2.6.0", path, check=0)
    assert "never answers so" in r.out and "ALLOW" in r.out
    r = pale("why", line, "--as", "docker:runc", "--runtime", "runc-1.1+libseccomp-2.5.4", path, check=0)
    assert "ERRNO(38)" in r.out and "runc: ENOSYS" in r.out
    r = pale("why", line, "--runtime", "runc-1.1.5+libseccomp-2.5.4", path, check=0)
    assert f"but libseccomp before {since} does not know the name" in r.out, r
    r = pale("why", line, "--runtime", "docker-28.5", path, check=0)
    assert "does not know the name" not in r.out and "never answers so" in r.out, r
    for option in ["--as", "docker:runc"], ["--runtime", "debian12"]:
        assert f"{option[0]} is about a FILE" in pale("why", line, *option, check=2).err


def test_a_record_has_no_number_and_none_is_made_up(pale, tmp_path):
    policy = tmp_path / "x.pale"
    policy.write_text("policy x { layers seccomp; arch x86_64; default allow; errno EACCES rmdir; trap mkdir;"
                      " trace 3 chdir; }")
    for nr, code, word, answer in [(84, "0x50000", "ERRNO", "ERRNO(13)"), (83, "0x30000", "TRAP", "TRAP(0)"),
                                   (80, "0x7ff00000", "TRACE", "TRACE(3)")]:
        r = pale("why", f"type=1326 arch=c000003e syscall={nr} code={code}", policy, check=0)
        first, second = r.out.splitlines()[:2]
        assert first.endswith(f": {word}") and second.strip().startswith(answer), r
    # A line with a number, which no kernel writes, is not taken for another filter's.
    r = pale("why", "type=1326 arch=c000003e syscall=84 code=0x50001", policy, check=0)
    assert "never answers" not in r.out and "ERRNO(13)" in r.out


@pytest.mark.parametrize("case", OVERLAPS)
def test_lint_names_both_entries_and_a_call_that_meets_them(pale, tmp_path, case):
    entries, call = OVERLAPS[case]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(profile(*entries), indent=1))
    r = pale("lint", "--runtime", "any", "--format", "json", path)
    found = [f for f in json.loads(r.out)["findings"] if f["id"] == "SC153"]
    text = pale("lint", "--runtime", "any", path).out
    assert "[SC153 overlapping-entries]" in text and "the other entry" in text
    assert f"'{call.split('(')[0]}(" in text and len(found) == text.count("[SC153") > 0
    disjoint = put(tmp_path, profile(entry("kill", args=[(1, "EQ", 9)]), entry("kill", "LOG", [(1, "EQ", 8)])), "q.json")
    assert "SC153" not in pale("lint", "--runtime", "any", disjoint).out


def test_calls_that_some_machines_lack_are_one_note_before_an_error(pale, tmp_path):
    from conftest import ROOT
    policy = tmp_path / "d.pale"
    pale("import", ROOT / "profiles" / "found" / "docker-default.json", "-o", policy, check=0)
    policy.write_text(policy.read_text().replace("unknown errno ENOSYS;", "unknown errno EPERM;"))
    r = pale("compile", policy, "-t", "docker", check=1)
    assert r.err.count("[PL115") == 1 and r.err.count("error:") == 1
    two = "policy p { layers seccomp; arch x86_64, aarch64, riscv64; default errno EPERM; allow open, renameat; }"
    assert pale("check", "-", input=two).err.count("[PL115") == 2


def test_more_overlaps_than_the_budget_are_refused_at_once_with_its_number(pale, tmp_path):
    many = [entry("kill", "LOG" if i % 2 else "ALLOW", [(i % 3, "GT", i * 7919 % 100003)]) for i in range(900)]
    path = put(tmp_path, profile(*many))
    for command in ("check", "import"):
        r = pale(command, path, check=1, timeout=PATIENCE)
        assert r.err.count("[PL273") == 1 and "more than 1000 pairs" in r.err and not r.out.startswith("policy")
    few = put(tmp_path, profile(*many[:30]))
    assert pale("sim", few, "read", check=0).out.startswith("ALLOW")


def test_more_environments_than_are_asked_leave_it_open(pale, tmp_path):
    caps = ["CHOWN", "KILL", "SETUID", "SETGID", "SYSLOG", "SYS_ADMIN", "NET_ADMIN", "BPF"]
    gated = [entry("kill", "LOG" if i % 2 else "ALLOW", [(0, "GT", i)], includes={"caps": ["CAP_" + c]})
             for i, c in enumerate(caps)]
    path = put(tmp_path, profile(*gated))
    assert "[PL273" in pale("import", path, check=1).err
    assert "is taken, LOG" in pale("check", path).err
    assert pale("sim", path, "read", "--caps", "all", check=0).out.startswith("ALLOW")
    r = pale("sim", path, "read", "kill(99)", "--caps", "all", check=1)
    assert "[PL267 runtime-undefined]" in r.err and r.out.startswith("ALLOW")


@pytest.mark.parametrize("host", ["x86_64", "aarch64", "s390x", "ppc64le", "mips64el", "riscv64"])
def test_dockers_default_is_its_import_on_each_machine(pale, tmp_path, host):
    """With --host: what other machines' calls meet there is no difference, nobody makes them."""
    path, text = ROOT / "profiles/found/docker-default.json", tmp_path / "d.pale"
    text.write_text(pale("import", path, check=0).out)
    for caps, kernel in (("none", "6.18"), ("docker", "4.4"), ("sys_admin", "5.9")):
        r = pale("diff", "--host", host, "--caps", caps, "--kernel", kernel, path, text, check=0)
        assert "same:" in r.out and "is looser" not in r.out, r


def test_calls_of_other_machines_are_not_compared_with_a_host(pale, tmp_path):
    a, b = tmp_path / "a.pale", tmp_path / "b.pale"
    a.write_text("policy a { arch x86_64, aarch64; default errno EPERM; }")
    b.write_text("policy b { arch x86_64; default errno EPERM; }")
    pale("diff", a, b, check=1)
    pale("diff", "--host", "x86_64", a, b, check=0)
    pale("diff", "--host", "aarch64", a, b, check=1)
    b.write_text("policy b { arch x86_64, aarch64; default errno EPERM; foreign errno EPERM; }")
    assert "foreign" in pale("diff", "--host", "x86_64", a, b, check=1).out  # i386, unlisted
