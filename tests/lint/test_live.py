# SPDX-License-Identifier: Apache-2.0
"""What the findings say of the running system is seen there: filters built by libseccomp, as the
runtimes build them, around real programs (tests/lint/confine.c)."""
import json
import os
import platform
import re
import sys

import pytest

from conftest import PATIENCE, ROOT, need, program, run

EPERM, ENOSYS = 1, 38
NEW = tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split("."))) >= (2, 41)
SEED = json.loads((ROOT / "profiles" / "found" / "seccomp-profile.json").read_text())
NAMES = SEED["syscalls"][0]["names"]
THREAD = "import threading as t; x = t.Thread(target=print, args=('ran',)); x.start(); x.join()"

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the rows are x86_64's")


def confined(mode, errno, names, *cmd):
    return run([program("lint/confine"), mode, errno, *names, "--", *cmd],
               timeout=PATIENCE, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})


def seed(errno, extra, *cmd):
    """The seed profile as a loader without ENOSYS stub applies it, with some calls added."""
    return confined("allow", errno, NAMES + extra, *cmd)


def finding(pale, rule):
    """Of the seed profile with a call behind all others, which keeps runc's own ENOSYS away."""
    text = {**SEED, "syscalls": [{**SEED["syscalls"][0], "names": [*NAMES, "mseal"]}]}
    r = pale("lint", "--runtime", "any", "--format", "json", "-", input=json.dumps(text))
    return next(f for f in json.loads(r.out)["findings"] if f["id"] == rule)


def quoted(f):
    """The message of the program that the finding quotes, with this machine's glibc."""
    words = re.findall(r'"([^"]+)"', f["message"])
    return words[-1 if NEW else 0]


def test_no_program_starts_under_the_seed_profile(pale):
    r = seed(EPERM, [], "/bin/true")
    assert r.rc == 127 and quoted(finding(pale, "SC140")) in r.err, r
    assert seed(EPERM, ["arch_prctl"], "/bin/true").rc == 0


def test_fork_fails_under_the_seed_profile(pale):
    bash = ["/bin/bash", "-c", "(exit 0); echo on"]
    r = seed(EPERM, ["arch_prctl"], *bash)
    assert quoted(finding(pale, "SC152")) in r.err and "on" not in r.out, r
    assert "on" in seed(EPERM, ["arch_prctl", "clone"], *bash).out


def test_threads_fail_with_eperm_and_start_with_enosys(pale):
    python = [sys.executable, "-I", "-c", THREAD]
    r = seed(EPERM, ["arch_prctl", "clone"], *python)
    assert quoted(finding(pale, "SC127")) in r.err and "ran" not in r.out, r
    assert "ran" in seed(ENOSYS, ["arch_prctl", "clone"], *python).out
    assert "ran" in confined("deny", ENOSYS, ["clone3"], *python).out


def test_ls_fails_without_statx(pale):
    r = seed(EPERM, ["arch_prctl"], "/bin/ls", "-l", "/")
    said = re.search(r"'(cannot access): (.*)'", finding(pale, "SC129")["message"])
    assert r.rc == 2 and said.group(1) in r.err and said.group(2) in r.err, r
    assert seed(ENOSYS, ["arch_prctl"], "/bin/ls", "-l", "/").rc == 0
    assert seed(EPERM, ["arch_prctl", "statx"], "/bin/ls", "-l", "/").rc == 0


NEEDS = (ROOT / "compiler" / "lint" / "needs.def").read_text()
ROWS = re.findall(r'^(START|START_NEWER)\(([A-Z0-9_ |]+), (\w+), "(\w+)", "(\w*)", "([^"]+)",\s+"([^"]*)"\)',
                  NEEDS, re.M)
ROWS = [(*row[:5], row[6] if NEW and row[6] else row[5]) for row in ROWS]
STARTS = [row[2:] for row in ROWS if not {"I386", "ARM", "NARROW"} & {row[1]}]
NARROW = [(row[0], *row[2:]) for row in ROWS if row[1] == "I386" or "NARROW" in row[1]]
OTHERS = {"OLDER": NEW, "NEWER": not NEW}  # the loader is not this machine's


@pytest.mark.parametrize("scope,call,other,effect", STARTS)
def test_program_does_not_start_without(scope, call, other, effect):
    for errno in (EPERM, ENOSYS):
        r = confined("deny", errno, [call, *filter(None, [other])], "/bin/true")
        if OTHERS.get(scope):
            assert r.rc == 0, r
        elif "SIGSEGV" in effect or other:  # without memory the loader has no words
            assert r.rc < 0 or r.rc == 127, r
        else:
            assert r.rc == 127 and effect.split(": ")[-1] in r.err, r
        static = confined("deny", errno, [call, *filter(None, [other])], need("busybox"), "true")
        assert (static.rc != 0) == (scope == "EVERY"), static
        assert scope != "EVERY" or effect.split()[-1] in static.err, static
        if other:
            for one in (call, other):
                assert confined("deny", errno, [one], need("busybox"), "true").rc == 0


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A dynamic and a static program of 32 bits."""
    d = tmp_path_factory.mktemp("narrow")
    (d / "a.c").write_text("int main(void) { return 0; }")
    for name, *flags in (("dynamic",), ("static", "-static")):
        r = run([need("gcc"), "-m32", *flags, "-o", d / name, d / "a.c"])
        if r.rc:
            pytest.skip("no libc of 32 bits is installed")
    return d


@pytest.mark.parametrize("kind, scope, call, other, effect", NARROW)
def test_program_of_32_bits_does_not_start_without(narrow, kind, scope, call, other, effect):
    for errno in (EPERM, ENOSYS):
        calls = [call, *filter(None, [other])]
        r = confined("deny", errno, calls, narrow / "dynamic")
        assert r.rc in (127, -11), r
        static = confined("deny", errno, calls, narrow / "static")
        assert (static.rc != 0) == (scope == "EVERY"), static
        assert effect.split(": ")[-1] in (static if scope == "EVERY" else r).err, (r, static)
        alone = confined("deny", errno, [call], narrow / "dynamic").rc
        if other:  # brk: mmap2 does as well, whatever the errno; statx: fstatat64, after ENOSYS
            assert (alone == 0) == (kind == "START" or errno == ENOSYS), call
    assert confined("deny", EPERM, ["pread64"], narrow / "dynamic").rc == 0  # that 64-bit loaders need


def test_every_row_is_read():
    assert len(ROWS) == len(re.findall(r"^START", NEEDS, re.M)) and {s for s, *_ in STARTS} == {"EVERY", "DYNAMIC", *OTHERS}


def test_nothing_ends_well_without_exit_group_and_exit():
    assert confined("deny", EPERM, ["exit_group"], "/bin/true").rc == (-11 if NEW else 0)
    assert confined("deny", EPERM, ["exit_group", "exit"], "/bin/true").rc == -11


PYTHON = [sys.executable, "-I", "-c"]
PROBES = {  # what is run, and what it says when all is well
    "statx": (["/bin/ls", "/etc/passwd"], "/etc/passwd"),
    "faccessat2": (["/bin/bash", "-c", "test -r /etc/passwd && echo readable"], "readable"),
    "renameat2": (["/bin/sh", "-c", "cd $(mktemp -d) && echo x >a && mv a b && cat b"], "x"),
    "sched_getattr": (["chrt", "-p", "1"], "policy"),
    "rseq": ([*PYTHON, THREAD], "ran"),
    "getrandom": ([*PYTHON, THREAD], "ran"),
    "close_range": ([*PYTHON, "import subprocess as s; s.run('true', shell=True); print('ran')"], "ran"),
    "copy_file_range": (["/bin/sh", "-c", "cd $(mktemp -d) && echo x >a && cp a b && cat b"], "x"),
}


def test_probes_fail_with_eperm_where_the_table_says_so():
    rows = {call: effect for call, effect in re.findall(r'^TWIN\("(\w+)", "\w+", "([^"]+)"\)', NEEDS, re.M)}
    rows |= {call: "" for call in re.findall(r'^PROBE\("(\w+)"\)', NEEDS, re.M)}
    assert set(rows) == set(PROBES)
    for call, effect in rows.items():
        cmd, well = PROBES[call]
        cmd = [need(cmd[0]), *cmd[1:]]
        assert well in confined("deny", ENOSYS, [call], *cmd).out, call
        assert (well in confined("deny", EPERM, [call], *cmd).out) == (not effect), call


def test_what_goes_on_without_a_probe_is_not_named(pale):
    goes_on = ["membarrier", "memfd_create", "pidfd_open", "io_pgetevents"]
    r = confined("deny", EPERM, ["rseq", "close_range", *goes_on], *PYTHON, THREAD)
    assert "ran" in r.out, r
    said = finding(pale, "SC128")["message"]
    assert not re.search("'rseq'|'close_range'|" + "|".join(goes_on), said), said


def test_a_value_above_32_bits_gets_round_a_comparison():
    code = ("import ctypes; c = ctypes.CDLL(None, use_errno=True).syscall; v = ctypes.c_uint64;"
            "print([c(41, v(d), v(1), v(0)) >= 0 for d in (1, 1 << 32 | 1)])")
    r = run([program("lint/confine"), "socket-gt", 40, "x", "--", sys.executable, "-I", "-c", code])
    assert r.out.strip() == "[False, True]", r  # AF_UNIX is refused, AF_UNIX with a high bit is not


# ---- what libseccomp makes of entries that disagree ----

SCMP = """
import ctypes, errno, os, sys
S = ctypes.CDLL("libseccomp.so.2")
class Arg(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
S.seccomp_init.restype = ctypes.c_void_p
S.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Arg)]
S.seccomp_load.argtypes = [ctypes.c_void_p]
ALLOW = 0x7fff0000
ERR = lambda n: 0x50000 | n
NE, LT, LE, EQ, GE, GT, MASKED = 1, 2, 3, 4, 5, 6, 7
ctx = S.seccomp_init(ALLOW)
def add(action, *args):
    return S.seccomp_rule_add_array(ctx, action, 135, len(args), (Arg * 6)(*args))
C = ctypes.CDLL(None, use_errno=True).syscall
def call(n):
    return "ok" if C(135, ctypes.c_uint64(n)) >= 0 else errno.errorcode[ctypes.get_errno()]
"""


def scmp(code):
    r = run([sys.executable, "-I", "-c", SCMP + code])
    assert r.rc == 0, r
    return r.out.split()


def test_first_of_two_unconditional_entries_counts():
    for first, second in ((38, 13), (13, 38)):
        out = scmp(f"print(add(ERR({first})), add(ERR({second}))); S.seccomp_load(ctx)\n"
                   "print(call(0xffffffff))")
        assert out == ["0", "0", {38: "ENOSYS", 13: "EACCES"}[first]]


def test_unconditional_entry_swallows_one_with_conditions_in_either_order():
    rules = ["add(ERR(38), Arg(0, EQ, 0xffffffff))", "add(ERR(13))"]
    for order in (rules, rules[::-1]):
        out = scmp(f"print({order[0]}, {order[1]}); S.seccomp_load(ctx)\nprint(call(0xffffffff))")
        assert out == ["0", "0", "EACCES"]


def test_same_condition_with_two_actions_is_refused():
    assert scmp("c = Arg(0, EQ, 5)\nprint(add(ERR(38), c), add(ERR(13), c))") == ["0", "-17"]


def test_index_above_five_and_repeated_index_are_refused():
    assert scmp("print(add(ERR(38), Arg(6, EQ, 5)))") == ["-22"]
    assert scmp("print(add(ERR(38), Arg(0, GE, 1), Arg(0, LE, 5)))") == ["-22"]


def test_bits_outside_the_mask_are_dropped():
    out = scmp("add(ERR(38), Arg(0, MASKED, 0xffff00f0, 0xffff001f)); S.seccomp_load(ctx)\n"
               "print(call(0xffff0010), call(0xffff001f), call(0xffffffff))")
    assert out[:2] == ["ENOSYS", "ENOSYS"] and out[2] == "ok"


def test_an_entry_equal_to_the_default_is_refused_by_libseccomp():
    assert scmp("print(add(ALLOW))") == ["-13"]  # and therefore left out by the runtimes


def test_a_mask_of_zero_is_no_condition():
    rules = ["add(ERR(38), Arg(0, MASKED, 0, 0))", "add(ERR(13))"]
    for order, first in ((rules, "ENOSYS"), (rules[::-1], "EACCES")):
        out = scmp(f"print({order[0]}, {order[1]}); S.seccomp_load(ctx)\nprint(call(5))")
        assert out == ["0", "0", first]


def test_a_filter_of_too_many_conditions_is_not_loaded():
    """SC149: libseccomp makes an instruction of each that differs, and the kernel takes 4,096."""
    code = ("for n in range({}): S.seccomp_rule_add_array(ctx, ERR(38), 16, 1, (Arg * 1)(Arg(1, EQ, 3 * n, 0)))\n"
            "sys.stdout.write(str(S.seccomp_load(ctx)))")
    assert [scmp(code.format(n)) for n in (4000, 4096)] == [["0"], ["-125"]]


def test_a_killed_thread_leaves_the_others_running():
    """SC136: the thread's own end is seen by nobody, and who joins it waits."""
    out = scmp("import threading, time; sys.stdout.reconfigure(line_buffering=True)\n"
               "print(add(0)); S.seccomp_load(ctx)\n"  # SCMP_ACT_KILL_THREAD
               "t = threading.Thread(target=call, args=(5,), daemon=True); t.start(); t.join(.5)\n"
               "print(t.is_alive(), 'goes-on'); os._exit(0)")
    assert out == ["0", "True", "goes-on"]


def test_what_is_handed_to_a_tracer_fails_without_one():
    assert scmp("print(add(0x7ff00000 | 13)); S.seccomp_load(ctx)\nprint(call(5))") == ["0", "ENOSYS"]  # SC135: not 13
