# SPDX-License-Identifier: Apache-2.0
"""Every machine: its programs against libseccomp's own for it, what a policy means there, and
the words of JSON profiles."""
import json
import os
import re
import struct

import pytest

from conftest import ROOT, program, run

ARCHES = ["x86_64", "x32", "i386", "aarch64", "arm", "riscv64", "s390x", "ppc64le", "mips64el",
          "loongarch64"]
NEW = ARCHES[4:]
HALVES = ["x32", "i386", "arm"]  # where libseccomp compares the lower half of a register
PROFILES = int(os.environ.get("ARCH_PROFILES", "60"))


def policy(tmp_path, body, arch, head="default errno EPERM;"):
    p = tmp_path / "test.pale"
    p.write_text(f"policy test {{ level linux 6.18; arch {arch}; {head}\n{body} }}\n")
    return p


@pytest.mark.parametrize("arch", ARCHES)
def test_programs_are_libseccomp_s(arch, record_property):
    r = run([program("arch/scmp"), "-n", PROFILES, "-s", 7, arch], timeout=300)
    if r.rc == 77:
        pytest.skip(f"this libseccomp does not know {arch}")
    assert r.rc == 0 and "; 0 differences" in r.out, r
    allowed, refused, killed = map(int, re.search(
        r"(\d+) allowed, (\d+) refused, (\d+) killed", r.out).groups())
    assert min(allowed, refused, killed) >= PROFILES, r
    ours, theirs = map(int, re.search(r"(\d+) instructions \(libseccomp (\d+)\)", r.out).groups())
    if PROFILES >= 60:  # a sum: of fewer profiles it says little
        assert ours <= theirs * (1 if arch in HALVES else 0.8), r
    record_property("figure", "libseccomp's filter and ours, " + r.out.strip())


# ---- what a policy means there ----

def test_an_errno_has_each_machine_s_number(pale, tmp_path):
    p = policy(tmp_path, "allow execve; errno ENOSYS clone3; errno 38 bpf; deny swapon; "
               "deny namespace user;", ", ".join(ARCHES), "default errno EDEADLOCK;")
    for arch in ARCHES:
        enosys = 89 if arch == "mips64el" else 38
        deadlock = {"mips64el": 56, "ppc64le": 58}.get(arch, 35)
        out = pale("sim", p, "--arch", arch, "clone3()", "bpf()", "swapon()", "#4000",
                   "unshare(CLONE_NEWUSER)", check=0).out.splitlines()
        assert [line.split()[0] for line in out] == [
            f"ERRNO({n})" for n in (enosys, 38, deadlock, enosys, deadlock)], (arch, out)


def test_foreign_has_one_errno(pale, tmp_path):
    p = policy(tmp_path, "allow execve;", "x86_64, mips64el",
               "default errno EPERM; foreign errno ENOSYS;")
    r = pale("compile", "-t", "bpf", "-o", tmp_path, p, check=1)
    assert "38 on x86_64 and 89 on mips64el" in r.err and "PL252" in r.err
    assert "--arch" in r.err  # the way out
    for arch, number in (("mips64el", 89), ("x86_64", 38)):
        pale("compile", "-t", "bpf", "-o", tmp_path, "--arch", arch, p, check=0)
        code = (tmp_path / f"test.{arch}.bpf").read_bytes()
        assert struct.pack("<HBBI", 6, 0, 0, 0x50000 | number) in code


def test_json_has_one_default(pale, tmp_path):
    p = policy(tmp_path, "allow execve;", "x86_64, mips64el")
    r = pale("compile", "-t", "docker", "--runtime", "crun-1.8", p, check=1)
    assert "one default" in r.err and "--arch" in r.err
    r = pale("compile", "-t", "docker", p, check=0)  # runc's stub has each machine's own number
    assert "PL286" in r.err and "holes in the table of mips64el answer 38" in r.err
    out = pale("compile", "-t", "docker", "--arch", "mips64el", p, check=0).out
    assert json.loads(out)["defaultErrnoRet"] == 89
    p = policy(tmp_path, "allow execve;", "x86_64, mips64el", "default errno EPERM; unknown errno 38;")
    assert json.loads(pale("compile", "-t", "docker", "--runtime", "crun-1.8", p,
                           check=0).out)["defaultErrnoRet"] == 38


@pytest.mark.parametrize("arch, ret, text", [
    ("SCMP_ARCH_MIPSEL64", 38, "errno 38"), ("SCMP_ARCH_MIPSEL64", 1, "errno EPERM"),
    ("SCMP_ARCH_S390X", 38, "errno ENOSYS")])
def test_an_errno_read_from_json_is_a_number(pale, tmp_path, arch, ret, text):
    name = {"SCMP_ARCH_MIPSEL64": "mips64el", "SCMP_ARCH_S390X": "s390x"}[arch]
    path = tmp_path / "p.json"
    path.write_text(json.dumps({
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 7, "architectures": [arch],
        "syscalls": [{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ret},
                     {"names": ["execve"], "action": "SCMP_ACT_ALLOW"}]}))
    out = pale("import", "--host", name, path, check=0).out
    assert f"arch {name};" in out and f"{text} clone3;" in out
    again = tmp_path / "again.pale"
    again.write_text(out)
    assert pale("sim", again, "clone3()", check=0).out.startswith(f"ERRNO({ret})")


@pytest.mark.parametrize("arch, index", [("s390x", 1), ("riscv64", 0), ("mips64el", 0),
                                         ("ppc64le", 0), ("arm", 0), ("loongarch64", 0)])
def test_clone_s_flags_lie_where_the_machine_has_them(pale, tmp_path, arch, index):
    p = policy(tmp_path, "allow execve, clone(flags lacks CLONE_NEWUSER);", arch)
    args = ["0"] * 2
    args[index] = "0x10000000"
    out = pale("sim", p, "--arch", arch, f"clone(arg{index}=0x10000000)", f"clone(arg{1 - index}="
               "0x10000000)", check=0).out.splitlines()
    assert [line.split()[0] for line in out] == ["ERRNO(1)", "ALLOW"]


def test_a_type_of_socket_is_the_machine_s(pale, tmp_path):
    p = policy(tmp_path, "allow execve; network inet stream; allow socketpair(domain == AF_UNIX, "
               "(type & SOCK_TYPE_MASK) == SOCK_DGRAM);", "x86_64, mips64el")
    for arch, stream, dgram in (("x86_64", 1, 2), ("mips64el", 2, 1)):
        out = pale("sim", p, "--arch", arch, f"socket(2, {stream})", f"socket(2, {dgram})",
                   f"socketpair(1, {dgram})", f"socketpair(1, {stream})", check=0).out.splitlines()
        assert [line.split()[0] for line in out] == ["ALLOW", "ERRNO(1)"] * 2, arch


@pytest.mark.parametrize("arch, body, message", [
    ("s390x", "allow mmap(prot lacks PROT_EXEC);", "'prot'"),     # behind a pointer
    ("arm", "allow pread64(pos == 0);", "'pos'"),                   # in two halves
    ("arm", "allow fallocate(offset == 0);", "'offset'"),
    ("s390x", "allow socket(family == AF_INET); allow socketcall;", "'socketcall'"),
    ("ppc64le", "allow socket(family == AF_INET); allow socketcall;", "'socketcall'"),
    ("s390x", "errno EACCES shmget; allow ipc;", "'ipc'")])
def test_what_cannot_be_compared_there_is_told(pale, tmp_path, arch, body, message):
    r = pale("sim", policy(tmp_path, "allow execve; " + body, arch), "execve()")
    assert message in r.err and ("error" in r.err or "warning" in r.err), r


def test_split_values_are_compared_by_their_halves(pale, tmp_path):
    p = policy(tmp_path, "allow execve, pread64(poslo == 7, poshi == 0), "
               "truncate64(offset_low < 100, offset_high == 0);", "arm")
    out = pale("sim", p, "pread64(arg4=7)", "pread64(arg3=7)", "truncate64(arg2=99)",
               "truncate64(arg3=1)", check=0).out.splitlines()
    assert [line.split()[0] for line in out] == ["ALLOW", "ERRNO(1)", "ALLOW", "ERRNO(1)"]


def test_arm_s_far_numbers_are_calls(pale, tmp_path):
    p = policy(tmp_path, "allow execve, set_tls;", "arm")
    raw = "".join(f"arm {nr} 0 0 0 0 0 0\n" for nr in (0xF0005, 0xF0002, 0xF0007, 0xEFFFF, 500))
    for layer in ("policy", "bpf"):
        r = pale("sim", p, "--raw", "--as", layer, input=raw, check=0)
        assert r.out.split() == ["ALLOW", "ERRNO(1)", "ERRNO(38)", "ERRNO(38)", "ERRNO(38)"], layer


def test_numbers_below_mips64el_s_are_unknown(pale, tmp_path):
    p = policy(tmp_path, "allow execve, read;", "mips64el")
    out = pale("sim", p, "#5000", "#0", "#4999", "#5001", check=0).out.splitlines()
    assert [line.split()[0] for line in out] == ["ALLOW", "ERRNO(89)", "ERRNO(89)", "ERRNO(1)"]


# ---- files ----

def test_arm_alone_is_a_machine_of_its_own(pale, tmp_path):
    pale("compile", "-t", "bpf", "-o", f"{tmp_path}/", policy(tmp_path, "allow execve;", "arm"), check=0)
    assert (tmp_path / "test.arm.bpf").exists()
    pale("compile", "-t", "bpf", "-o", f"{tmp_path}/", policy(tmp_path, "allow execve;", "aarch64, arm"),
         check=0)
    assert (tmp_path / "test.aarch64.bpf").exists()


def test_only_s390x_has_its_bytes_the_other_way(pale, tmp_path):
    p = policy(tmp_path, "allow execve;", ", ".join(ARCHES))
    pale("compile", "-t", "bpf", "-o", f"{tmp_path}/", p, check=0)
    files = {f.name.split(".")[1]: f.read_bytes() for f in tmp_path.glob("*.bpf")}
    assert files.keys() == {"x86_64", "aarch64", "riscv64", "s390x", "ppc64le", "mips64el",
                            "loongarch64"}
    for family, code in files.items():
        order = ">" if family == "s390x" else "<"
        assert struct.unpack(order + "HBBI", code[:8]) == (0x20, 0, 0, 4), family  # ld arch


SCMP = {"arm": "SCMP_ARCH_ARM", "riscv64": "SCMP_ARCH_RISCV64", "s390x": "SCMP_ARCH_S390X",
        "ppc64le": "SCMP_ARCH_PPC64LE", "mips64el": "SCMP_ARCH_MIPSEL64",
        "loongarch64": "SCMP_ARCH_LOONGARCH64"}


@pytest.mark.parametrize("arch", NEW)
def test_json_says_the_architecture_and_reads_it(pale, tmp_path, arch):
    head = "default errno EPERM; unknown errno ENOSYS; foreign kill-thread;"
    p = policy(tmp_path, "allow execve, read, openat(flags lacks O_CREAT);", arch, head)
    for target in ("docker", "oci"):
        path = tmp_path / f"{target}.json"
        path.write_text(pale("compile", "-t", target, p, check=0).out)
        doc = json.loads(path.read_text())
        if target == "oci":
            assert doc["architectures"] == [SCMP[arch]]
        else:
            assert doc["archMap"] == [{"architecture": SCMP[arch], "subArchitectures": []}]
        back = tmp_path / f"{target}.pale"
        back.write_text(pale("import", "--host", arch, path, check=0).out)
        assert f"arch {arch};" in back.read_text()
        for call in ("read()", "openat()", "write()", "#400"):
            assert pale("sim", back, call, check=0).out.split()[0] == \
                pale("sim", p, call, check=0).out.split()[0], (target, call)


def test_the_archmap_row_of_aarch64_has_arm(pale, tmp_path):
    p = policy(tmp_path, "allow execve;", "x86_64, i386, aarch64, arm")
    doc = json.loads(pale("compile", "-t", "docker", p, check=0).out)
    assert {r["architecture"]: r["subArchitectures"] for r in doc["archMap"]} == {
        "SCMP_ARCH_X86_64": ["SCMP_ARCH_X86"], "SCMP_ARCH_AARCH64": ["SCMP_ARCH_ARM"]}


# ---- sets and examples ----

@pytest.mark.parametrize("arch", ARCHES)
def test_sets_hold_on_every_machine(pale, tmp_path, arch):
    """What a set names and a machine lacks adds nothing, silently."""
    names = sorted(p.stem for p in (ROOT / "profiles" / "sets").glob("*.pale"))
    assert len(names) > 5
    for name in names:
        p = policy(tmp_path, f"use {name}; allow execve;", arch)
        r = pale("sim", p, "--sets", ROOT / "profiles" / "sets", "execve()", check=0)
        assert r.out.startswith("ALLOW") and "PL115" not in r.err and "error" not in r.err, r


@pytest.mark.parametrize("arch", ["aarch64", "riscv64", "ppc64le", "mips64el", "loongarch64"])
def test_examples_hold_where_arguments_are_in_registers(pale, tmp_path, arch):
    examples = sorted((ROOT / "profiles" / "examples").glob("*.pale"))
    assert examples
    for example in examples:
        text, n = re.subn(r"\barch +[^;]*;", f"arch x86_64, {arch};", example.read_text(), count=1)
        assert n
        p = tmp_path / example.name
        p.write_text(text)
        r = pale("sim", "--arch", arch, p, "--sets", ROOT / "profiles" / "sets", "execve()", check=0)
        assert r.out.startswith("ALLOW"), r
