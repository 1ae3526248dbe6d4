# SPDX-License-Identifier: Apache-2.0
"""The JSON writer: exactly the policy, or an error that names the rule and a way out."""
import json
import random
import subprocess

import pytest

from conftest import ROOT, program, run
from profiles import never_both

TOOL = "oci/ocitool"
HEAD = "level linux 6.18; layers seccomp; arch {arch}; default {default}; unknown {unknown};"


def source(body, arch="x86_64", default="errno EPERM", unknown="errno ENOSYS"):
    return f"policy p {{ {HEAD.format(arch=arch, default=default, unknown=unknown)} {body} }}\n"


def write(pale, text, target="docker", *options, check=None):
    return pale("compile", "-", "-t", target, *options, input=text, check=check)


def entries(r):
    return json.loads(r.out)["syscalls"]


def test_the_json_default_is_unknown_and_known_calls_are_named(pale):
    r = write(pale, source("allow read;"), check=0)
    p = json.loads(r.out)
    assert (p["defaultAction"], p["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 38)
    assert p["flags"] == []
    assert p["archMap"] == [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}]
    by_action = {(e["action"], e.get("errnoRet")): e["names"] for e in p["syscalls"]}
    assert by_action[("SCMP_ACT_ALLOW", None)] == ["read"]
    assert "write" in by_action[("SCMP_ACT_ERRNO", 1)] and len(by_action) == 2


def test_the_oci_dialect_lists_architectures(pale):
    p = json.loads(write(pale, source("allow read;", arch="x86_64, i386, aarch64"), "oci", check=0).out)
    assert p["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"]
    assert "archMap" not in p


def test_output_is_the_same_each_time(pale):
    text = source("allow socket(domain in {AF_INET, AF_UNIX}), ioctl(cmd != TIOCSTI);")
    assert write(pale, text, check=0).out == write(pale, text, check=0).out


def test_entries_are_disjoint_and_none_is_the_default(pale):
    r = write(pale, source("allow socket(domain in 1..20, (type & SOCK_TYPE_MASK) == SOCK_STREAM);"
                           "kill socket(domain == 9); errno ENOSYS clone3;"), check=0)
    p = json.loads(r.out)
    *entries, last = p["syscalls"]
    # Docker before 23 hands the default's errno not over: what a rule says is said there, too.
    assert last == {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}
    for e in entries:
        assert (e["action"], e.get("errnoRet")) != (p["defaultAction"], p["defaultErrnoRet"])
        assert "clone3" not in e["names"]
    mine = [e for e in p["syscalls"] if "socket" in e["names"]]
    assert len(mine) > 3
    assert all(never_both(x, y) for i, x in enumerate(mine) for y in mine[i + 1:])


@pytest.mark.parametrize("arch", ["i386", "x32", "i386, x32", "x32, aarch64"])
@pytest.mark.parametrize("target", ["docker", "oci"])
def test_the_machines_own_architecture_must_be_listed(pale, arch, target):
    r = write(pale, source("allow read;", arch=arch), target)
    assert r.rc == 1 and not r.out and "[PL232 json-no-native]" in r.err
    assert "list 'x86_64' too" in r.err


@pytest.mark.parametrize("body, options, want", [
    ("allow #570;", {}, "PL222"),
    ("trap 7 bpf;", {}, "PL224"),
    ("notify bpf;", {}, "PL224"),
    ("allow read, write;", {"unknown": "errno EPERM"}, "PL225"),
    ("allow read, write;", {"unknown": "kill"}, "PL225"),
    ("allow lseek(offset in 1..0xfffffffffffff);", {}, None),
    ("kill mseal;", {"default": "allow", "unknown": "allow"}, "PL227"),
    ("when arch x86_64 { allow read; }", {"arch": "x86_64, i386"}, "PL221"),
    ("allow lseek(offset == 0x100000000);", {"arch": "x86_64, x32"}, "PL221"),
    ("errno ENOSYS socketcall; allow socket;", {"arch": "x86_64, i386"}, "PL223"),
    ("allow accept4;", {"arch": "x86_64, i386", "unknown": "errno EPERM"}, "PL2"),
])
def test_what_json_cannot_say_is_refused_with_a_way_out(pale, body, options, want):
    r = write(pale, source(body, **options))
    if want is None:
        assert r.rc == 0, r
        return
    assert r.rc == 1 and want in r.err and not r.out, r
    assert "help:" in r.err


def test_too_many_entries_name_the_call(pale):
    values = ", ".join(str(v * 7919) for v in range(3000))
    r = write(pale, source(f"allow ioctl(cmd in {{{values}}});"))
    assert r.rc == 1 and "PL228" in r.err and "'ioctl' needs" in r.err


def test_an_unknown_kill_is_not_loosened_even_by_approximate(pale):
    r = write(pale, source("allow read, write;", unknown="kill", default="kill"), "docker", "--approximate")
    assert r.rc == 1 and "PL225" in r.err


def test_names_that_the_runtime_lacks_are_said(pale):
    text = source("allow read, mseal, futex_wait;")
    r = write(pale, text, "docker", "--runtime", "runc-1.1+libseccomp-2.5.4", check=0)
    assert "PL226" in r.err and "futex_wait, mseal" in r.err
    r = write(pale, text, "docker", "--runtime", "runc-1.3+libseccomp-2.6.1", check=0)
    assert "PL226" not in r.err


@pytest.mark.parametrize("runtime", ["", "runc", "runc-", "runc-x", "docker-", "runc-1.1+", "podman",
                                     "runc-1.1+libseccomp-2.5.4.1", "runc-999999"])
def test_a_malformed_runtime_is_wrong_usage(pale, runtime):
    assert write(pale, source("allow read;"), "docker", "--runtime", runtime).rc == 2


@pytest.mark.parametrize("runtime", ["runc-1.1+libseccomp-2.5.4", "runc-1.1.5", "crun-1.8+libseccomp-2.6",
                                     "docker-20.10.24+runc-1.1+libseccomp-2.5.4-1+deb12u1"])
def test_a_runtime_is_parsed(pale, runtime):
    r = write(pale, source("allow read;", unknown="errno ENOSYS"), "docker", "--runtime", runtime,
              "--approximate")
    assert r.rc == 0, r


# ---- against the filter that libseccomp builds ----

CONDITIONS = ["socket(domain == {n})", "socket(domain in {{AF_UNIX, {n}}}, type == {m})",
              "prctl(option in {n}..{m})", "ioctl(cmd in {{{n}, {m}, 0x5412}})", "kill(sig != {n})",
              "personality(persona == 0xffffffff)", "lseek(whence >= {n})", "mprotect(prot lacks {p})",
              "mmap(prot lacks PROT_EXEC or flags lacks MAP_ANONYMOUS)", "fcntl(cmd < {n})",
              "setpriority(which == 0, niceval < 0)", "madvise(behavior == {n})",
              "clone(reg arg0 == {n})", "getpriority(reg arg1 >= {m})", "unshare(unshare_flags lacks CLONE_NEWUSER)"]


def random_policy(rng):
    rules = []
    for cond in rng.sample(CONDITIONS, 6):
        n = rng.randrange(1, 60)
        rule = cond.format(n=n, m=n + rng.randrange(1, 30), p=rng.choice([1, 2, 4, 5]))
        rules.append(f"{rng.choice(['allow', 'errno EACCES', 'kill', 'log'])} {rule};")
    plain = " ".join(f"allow {name};" for name in rng.sample(["read", "write", "close", "openat", "futex"], 3))
    default = rng.choice(["errno EPERM", "kill", "allow"])
    arch = rng.choice(["x86_64", "x86_64, x32", "x86_64"])
    return source(plain + " ".join(rules), arch=arch, default=default)


@pytest.mark.parametrize("seed", range(25))
def test_libseccomp_builds_the_policy_of_the_json(pale, tmp_path, seed):
    policy = tmp_path / "p.pale"
    policy.write_text(random_policy(random.Random(seed)))
    r = pale("compile", policy, "-t", "docker")
    if r.rc:  # x32 sees low words only: some rules have no exact JSON there
        assert "PL221" in r.err, r
        return
    (tmp_path / "p.json").write_text(r.out)
    proc = subprocess.run([program(TOOL), "libseccomp", tmp_path / "p.json", "none"], capture_output=True)
    assert proc.returncode == 0, proc.stderr
    (tmp_path / "p.bpf").write_bytes(proc.stdout)
    r = run([program(TOOL), "compare", policy, tmp_path / "p.bpf", "none", "unknown-names"])
    lines = r.out.splitlines()
    assert all("nr 1073742277 " in line for line in lines[:-1]), r
    assert int(lines[-1].split()[0]) > 1000
    run([program(TOOL), "equal", policy, policy, "none"], check=0)


def test_the_examples_compile_for_docker(pale):
    for path in sorted((ROOT / "profiles" / "examples").glob("*.pale")):
        r = pale("compile", path, "-t", "docker", check=0)
        assert json.loads(r.out)["defaultErrnoRet"] == 38


# ---- what no container would start with ----

def test_libseccomp_takes_no_errno_above_4094(pale):
    assert write(pale, source("errno 4094 read;"), check=0).out
    for body, default in (("errno 4095 read;", "errno EPERM"), ("allow read;", "errno 4095"),
                          ("errno 4095 read(fd == 3);", "errno EPERM")):
        r = write(pale, source(body, default=default))
        assert r.rc == 1 and not r.out and "json-verdict" in r.err and "4094" in r.err, r
        assert write(pale, source(body, default=default), "bpf", "-o", "/dev/null").rc == 0


def test_one_list_for_both_byte_orders_is_refused_and_rows_are_not(pale):
    text = source("allow read;", arch="x86_64, s390x")
    r = write(pale, text, "oci", "--runtime", "runc-1.1+libseccomp-2.6.1")
    assert r.rc == 1 and not r.out and "runtime-refuses" in r.err and "byte order" in r.err, r
    assert len(json.loads(write(pale, text, "docker", check=0).out)["archMap"]) == 2


def test_an_architecture_that_the_named_libseccomp_does_not_know(pale):
    # memfd_secret is newer on the second one, where it would be unknown.
    text = source("allow read, memfd_secret;", arch="x86_64, loongarch64")
    r = write(pale, text, "oci", "--runtime", "runc-1.1+libseccomp-2.5.4")
    assert r.rc == 1 and not r.out and "runtime-refuses" in r.err and "2.6" in r.err, r
    # The named one does; the installed one still shows what it builds for x86_64.
    assert write(pale, text, "oci", "--runtime", "runc-1.1.15+libseccomp-2.6.0", check=0).out


def test_a_number_above_the_last_that_runc_finds_is_told(pale):
    # libseccomp has shmctl behind ipc on ppc64le, where Linux 5.1 gave it 396.
    text = source("errno EPERM ipc; allow shmctl;", arch="ppc64le", default="errno ENOSYS")
    r = write(pale, text, "docker", "--runtime", "runc-1.1+libseccomp-2.6.1")
    assert r.rc == 1 and not r.out and "json-unknown-calls" in r.err and "shmctl" in r.err, r
    assert write(pale, text, "docker", "--runtime", "crun-1.8+libseccomp-2.6.1", check=0).out
    text = text.replace("allow shmctl;", "allow shmctl, openat2;")
    assert write(pale, text, "docker", "--runtime", "runc-1.1+libseccomp-2.6.1", check=0).out
