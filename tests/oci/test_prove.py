# SPDX-License-Identifier: Apache-2.0
"""The proof that JSON is the policy: it lets right JSON pass, and finds every planted difference
and every filter that libseccomp really builds wrong, each with a call that shows it."""
import copy
import json
import os
import time

import pytest

from conftest import PALE, ROOT, program, run

RUNC, CRUN = "runc-1.1+libseccomp-2.5.4", "crun-1.8+libseccomp-2.5.4"
POLICY = """policy p {
    level linux 6.18; layers seccomp; arch x86_64, x32;
    default errno EPERM; unknown errno ENOSYS; foreign kill-process;
    allow read, write, openat, close, exit_group, execve;
    allow socket(domain in {AF_UNIX, AF_INET}, (type & SOCK_TYPE_MASK) == SOCK_STREAM);
    allow ioctl(cmd in 0x5401..0x5420);
    kill kexec_load; log chroot; trap mount;
}
"""


def prove(tmp_path, policy, value, runtime=RUNC, limit=None):
    (tmp_path / "p.pale").write_text(policy)
    (tmp_path / "p.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return run([program("oci/loaded"), "prove", tmp_path / "p.pale", tmp_path / "p.json", runtime,
                *([str(limit)] if limit else [])])


def written(tmp_path, policy, runtime=RUNC):
    (tmp_path / "w.pale").write_text(policy)
    return json.loads(run([PALE, "compile", "-t", "docker", "-q", "--runtime", runtime, tmp_path / "w.pale"],
                          check=0).out)


def entry_of(p, name, conditional=False):
    return next(e for e in p["syscalls"] if name in e["names"] and bool(e.get("args")) == conditional)


def drop_name(p):
    entry_of(p, "openat")["names"].remove("openat")


def add_name(p):
    entry_of(p, "openat")["names"].append("ptrace")


def other_errno(p):
    next(e for e in p["syscalls"] if e["action"] == "SCMP_ACT_ERRNO")["errnoRet"] = 13


def other_action(p):
    entry_of(p, "kexec_load")["action"] = "SCMP_ACT_KILL_THREAD"


def other_value(p):
    entry_of(p, "socket", True)["args"][0]["valueTwo"] ^= 4


def other_mask(p):
    entry_of(p, "ioctl", True)["args"][0]["value"] ^= 1 << 20


def drop_entry(p):
    p["syscalls"].remove(entry_of(p, "ioctl", True))


def other_default(p):
    p["defaultErrnoRet"] = 1


def no_x32(p):
    for row in p["archMap"]:
        row["subArchitectures"] = []


PLANTED = {drop_name: "'openat'(0, 0, 0, 0, 0, 0) on x86_64", add_name: "'ptrace'(0, 0, 0, 0, 0, 0) on x86_64",
           other_errno: "ERRNO(13) for", other_action: "KILL_THREAD for 'kexec_load'",
           other_value: "'socket'(", other_mask: "'ioctl'(", drop_entry: "'ioctl'(0, 0x54",
           other_default: "number 0x14e(", no_x32: "on x32; the policy says"}


@pytest.mark.parametrize("runtime", [RUNC, CRUN])
def test_what_is_written_passes(tmp_path, runtime):
    r = prove(tmp_path, POLICY, written(tmp_path, POLICY, runtime), runtime)
    assert r.rc == 0 and "PL229" not in r.err, r


@pytest.mark.parametrize("plant", PLANTED, ids=lambda f: f.__name__)
def test_a_planted_difference_is_found(tmp_path, plant):
    good = written(tmp_path, POLICY)
    bad = copy.deepcopy(good)
    plant(bad)
    assert bad != good
    r = prove(tmp_path, POLICY, bad)
    assert r.rc == 1 and "[PL229 json-runtime-differs]" in r.err, r
    if plant is other_default:  # numbers that no name has
        assert "ERRNO(1) for number" in r.err, r
    else:
        assert PLANTED[plant] in r.err, r


def test_the_stub_of_runc_is_in_the_proof(tmp_path):
    """JSON that is right for crun, by its entries alone, is not for runc."""
    policy = POLICY.replace("unknown errno ENOSYS", "unknown errno EPERM")
    value = written(tmp_path, policy, CRUN)
    assert prove(tmp_path, policy, value, CRUN).rc == 0
    r = prove(tmp_path, policy, value, RUNC)
    assert r.rc == 1 and "answers ERRNO(38) for" in r.err and "the policy says ERRNO(1)" in r.err, r


# What libseccomp 2.5.4 and 2.6.1 build otherwise than the rules say: the reading is right, so only
# the filter that it really builds can tell.
WRONG = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
         "syscalls": [{"names": ["lseek"], "action": "SCMP_ACT_ALLOW",
                       "args": [{"index": 0, "op": "SCMP_CMP_LE", "value": 10},
                                {"index": 1, "op": "SCMP_CMP_EQ", "value": 37}]},
                      {"names": ["lseek"], "action": "SCMP_ACT_ALLOW",
                       "args": [{"index": 0, "op": "SCMP_CMP_LT", "value": 40},
                                {"index": 1, "op": "SCMP_CMP_LT", "value": 1}]}]}
WRONG_POLICY = """policy p {
    level linux 6.18; layers seccomp; arch x86_64; default errno ENOSYS; foreign kill-process;
    allow lseek(reg arg0 <= 10, reg arg1 == 37); allow lseek(reg arg0 < 40, reg arg1 < 1);
}
"""


def test_what_libseccomp_builds_wrong_is_vetoed(tmp_path):
    r = prove(tmp_path, WRONG_POLICY, WRONG)
    assert r.rc == 1 and "the filter that libseccomp builds of this JSON answers ALLOW for 'lseek'(" in r.err, r
    assert "the policy says ERRNO(38)" in r.err and "-t bpf" in r.err
    for e in WRONG["syscalls"]:  # each entry by itself is built right
        one = dict(WRONG, syscalls=[e])
        text = WRONG_POLICY.replace("allow lseek(reg arg0 < 40, reg arg1 < 1);" if e is WRONG["syscalls"][0]
                                    else "allow lseek(reg arg0 <= 10, reg arg1 == 37);", "")
        assert prove(tmp_path, text, one).rc == 0
    # And what pale writes for the same policy is built right.
    assert prove(tmp_path, WRONG_POLICY, written(tmp_path, WRONG_POLICY)).rc == 0


def test_sim_shows_what_libseccomp_builds(pale, tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(WRONG))
    version = run([program("oci/loaded"), "installed", "-", "-", "-"], check=0).out.strip()
    r = pale("sim", path, "lseek(11, 37)", "lseek(3, 37)", "--as", "docker:crun", "--runtime",
             f"crun-1.8+libseccomp-{version}", check=0)
    lines = r.out.splitlines()
    assert lines[0].startswith("ALLOW") and lines[0].endswith("libseccomp: its filter, which the entries do not say")
    assert lines[1].startswith("ALLOW") and "wrong.json:1:" in lines[1]
    assert "[PL266 runtime-builds-otherwise]" in r.err


@pytest.mark.once
def test_json_that_cannot_be_proved_in_time_is_an_error(tmp_path):
    """Nobody writes it silently: here libseccomp never comes to an end."""
    (tmp_path / "slow.c").write_text("#include <unistd.h>\nint seccomp_export_bpf(void *c, int fd);\n"
                                     "int seccomp_export_bpf(void *c, int fd) { (void)c; (void)fd; return pause(); }\n")
    (tmp_path / "busy.c").write_text(  # as the kernel ends it, without the seconds of a processor before
        "#include <signal.h>\n#include <sys/resource.h>\nint seccomp_export_bpf(void *c, int fd) { struct rlimit l;\n"
        "getrlimit(RLIMIT_CPU, &l); return l.rlim_cur == 5 ? raise(SIGXCPU) : 0; }\n")
    for name in "slow", "busy":
        run(["cc", "-shared", "-fPIC", "-w", "-o", tmp_path / f"{name}.so", tmp_path / f"{name}.c"], check=0)
    assert prove(tmp_path, POLICY, written(tmp_path, POLICY)).rc == 0
    argv = [program("oci/loaded"), "prove", tmp_path / "p.pale", tmp_path / "p.json", RUNC, "60"]
    r = run(argv, env={**os.environ, "LD_PRELOAD": str(tmp_path / "slow.so")})
    assert r.rc == 1 and "error: libseccomp's filter for x86_64 was not compared: it took too long" in r.err, r
    assert "[PL231 json-unchecked]" in r.err and "nothing was written" in r.err
    out = tmp_path / "out.json"
    r = run([PALE, "compile", tmp_path / "p.pale", "-t", "docker", "-o", out],
            env={**os.environ, "LD_PRELOAD": str(tmp_path / "busy.so")})
    assert r.rc == 1 and "[PL231 json-unchecked]" in r.err and not out.exists(), r


@pytest.mark.once
def test_what_others_on_the_machine_take_is_none_of_libseccomp_s_time(pale, tmp_path):
    """It is 5 s, of a processor: a build machine with many jobs had JSON refused."""
    (tmp_path / "late.c").write_text(
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <unistd.h>\nint seccomp_export_bpf(void *c, int fd) {\n"
        "int (*real)(void *, int) = dlsym(RTLD_NEXT, \"seccomp_export_bpf\"); sleep(6); return real(c, fd); }\n")
    run(["cc", "-shared", "-fPIC", "-w", "-o", tmp_path / "late.so", tmp_path / "late.c", "-ldl"], check=0)
    (tmp_path / "p.pale").write_text(POLICY)
    late = {**os.environ, "LD_PRELOAD": str(tmp_path / "late.so")}
    r = run([PALE, "compile", "-q", tmp_path / "p.pale", "-t", "docker"], env=late)
    assert r.rc == 0 and r.out == run([PALE, "compile", "-q", tmp_path / "p.pale", "-t", "docker"], check=0).out, r


@pytest.mark.once
def test_the_whole_compile_of_dockers_default(tmp_path, record_property):
    out, source = tmp_path / "d.json", ROOT / "profiles" / "found" / "docker-default.json"
    argv = [PALE, "compile", source, "-t", "docker", "-q", "--approximate", "--caps", "none", "--kernel", "6.18",
            "--host", "x86_64", "-o", out]
    times = []
    for _ in range(15):
        start = time.perf_counter()
        run(argv, check=0)
        times.append(1000 * (time.perf_counter() - start))
    used = os.times().children_user
    run(argv, check=0)
    record_property("figure", f"Docker's default to JSON, proof and libseccomp's filter included, whole process: "
                    f"{sorted(times)[7]:.0f} ms (median of 15, best {min(times):.0f}), "
                    f"{1000 * (os.times().children_user - used):.0f} ms of it computing")
    assert min(times) < 2000
