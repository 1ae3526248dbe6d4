# SPDX-License-Identifier: Apache-2.0
"""Entries that libseccomp does not take together: lint and sim --as say so exactly when the library
itself, asked here without pale, and the real runtimes do."""
import ctypes
import ctypes.util
import json
import os
import random
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import PALE, need_root, run
from runtimes import asked, installed
from test_loaded import base  # noqa: F401 (a fixture)
from test_one_reader import arg, config, entry, findings, put, really_starts

ALLOW, ERRNO, LOG, KILL = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_KILL"
X86_64, X86, X32 = "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"


def of(*entries, arches=(X86_64, X86), default=ALLOW):
    return {"defaultAction": default, "architectures": list(arches), "syscalls": list(entries)}


def log(name, *args):
    return entry(name, LOG, args=list(args))


def refuse(name, *args, **more):
    return entry(name, ERRNO, args=list(args), **more)


REFUSED = {  # the entries in the order in which no container starts: the call that runc names
    "without conditions behind socketcall": ([log("socket", arg(2, "LE", 40)), refuse("socket")], "socket"),
    "of a first argument alone": ([log("connect", arg(0, "EQ", 3), arg(2, "LE", 40)), refuse("connect")], "connect"),
    "accept4": ([log("accept4", arg(3, "EQ", 0)), refuse("accept4")], "accept4"),
    "both without conditions": ([log("accept4"), refuse("accept4")], "accept4"),
    "of ipc": ([log("shmget", arg(1, "GT", 4096)), refuse("shmget")], "shmget"),
    "socketcall itself": ([log("socket", arg(2, "EQ", 6)), refuse("socketcall", arg(0, "EQ", 1))], "socketcall"),
    "first arguments that socketcall does not have": ([log("socket", arg(0, "EQ", 2)), refuse("socket", arg(0, "EQ", 40))],
                                                      "socket"),
    "one condition twice": ([log("bpf", arg(0, "EQ", 1)), refuse("bpf", arg(0, "EQ", 1))], "bpf"),
    "fewer conditions": ([log("bpf", arg(0, "EQ", 1), arg(2, "LE", 40)), refuse("bpf", arg(0, "EQ", 1))], "bpf"),
    "a call that no architecture has": ([log("chown32", arg(0, "EQ", 1)), refuse("chown32", arg(0, "EQ", 1))], "chown32"),
    "what never holds": ([log("bpf", arg(0, "LT", 0), arg(1, "EQ", 1)), refuse("bpf", arg(0, "LT", 0))], "bpf"),
}
HERE = {"a call that no architecture has": (X86_64,)}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_one_fact_in_every_command_with_the_words_that_the_runtime_dies_with(tmp_path, case):
    entries, call = REFUSED[case]
    path = put(tmp_path, config(of(*entries, arches=HERE.get(case, (X86_64, X86)))))
    text = path.read_text()
    told = [f for f in findings(path) if f["severity"] == "error"]
    assert not [f for f in findings(path) if f["id"] in ("SC108", "SC109", "SC153")]  # nothing decides
    assert [f["id"] for f in told] == ["SC112"] and "does not start" in told[0]["message"], told
    assert f"rule for syscall {call}: file exists\"" in told[0]["message"], told
    assert text[told[0]["span"]["begin"]:].startswith(f'"{call}"') if "span" in told[0] else True
    for argv in (["import", path], ["sim", path, "read"], ["explain", path, "read"], ["diff", path, path],
                 ["check", path], ["sim", "--as", "docker:runc", path, "read"], ["import", "--approximate", path],
                 ["sim", "--as", "docker:crun", path, "read"]):
        r = run([PALE, *argv], check=1)
        assert r.err.count("[SC112 ") == 1 and "PL2" not in r.err, (argv, r)
        assert ("crun: \"seccomp_rule_add_array: File exists\"" in r.err) == ("docker:crun" in argv), r


@pytest.mark.parametrize("case", [c for c in REFUSED if c not in (
    "one condition twice", "both without conditions", "first arguments that socketcall does not have", "a call that no architecture has")])
def test_the_other_order_starts(tmp_path, case):
    path = put(tmp_path, config(of(*reversed(REFUSED[case][0]))))
    assert not [f for f in findings(path) if f["severity"] == "error"]
    assert run([PALE, "sim", "--as", "docker:runc", path, "read"], check=0).out.startswith("ALLOW")


def test_an_entry_before_both_may_take_them_out_of_the_tree(tmp_path):
    """The first decides alone what it matches; the two behind it are never merged."""
    two = [log("bpf", arg(0, "EQ", 1), arg(2, "EQ", 40)), entry("bpf", KILL, args=[arg(0, "EQ", 1), arg(2, "EQ", 40)])]
    path = put(tmp_path, config(of(refuse("bpf", arg(0, "EQ", 1)), *two, arches=[X86_64])))
    assert not [f for f in findings(path) if f["severity"] == "error"]
    r = run([PALE, "sim", "--as", "docker:runc", path, "bpf(1, 0, 40)"], check=0)
    assert r.out.startswith("ERRNO(1)"), r


def test_where_only_some_containers_do_not_start_it_is_asked_which(tmp_path):
    path = put(tmp_path, of(log("bpf", arg(0, "EQ", 1)), refuse("bpf", arg(0, "EQ", 1), includes={"caps": ["CAP_BPF"]})))
    sim = [PALE, "sim", "--as", "docker:runc", path, "read"]
    assert "[SC112 " in run([*sim, "--caps", "bpf"], check=1).err
    assert run([*sim, "--caps", "none"], check=0).out.startswith("ALLOW")
    r = run(sim, check=1)
    assert "[PL131 " in r.err and "capabilities" in r.err and "SC112" not in r.err


@pytest.mark.parametrize("behind", [arg(1, "GE", 1), arg(1, "GE", 0)])
def test_what_the_library_goes_on_with_for_ever_does_not_start(tmp_path, behind):
    """Seen: runc 1.1.5 and crun 1.8.1 with libseccomp 2.5.4 hang, and have to be killed."""
    other = arg(1, "NE", 3) if behind["value"] else arg(2, "EQ", 3)
    p = of(entry("bpf", KILL, args=[arg(0, "GT", 5), behind]), refuse("bpf", arg(0, "GT", 5), other), arches=[X86_64])
    assert library_takes(p) is None
    path = put(tmp_path, config(p))
    told = [f for f in findings(path) if f["severity"] == "error"]
    assert [f["id"] for f in told] == ["SC166"] and "does not start" in told[0]["message"], told
    for argv in (["import", path], ["sim", "--as", "docker:runc", path, "read"], ["check", path]):
        r = run([PALE, *argv], check=1)
        assert r.err.count("[SC166 ") == 1 and "PL2" not in r.err, (argv, r)
    p["syscalls"][1]["action"] = KILL  # one action: nothing is in question
    assert not [f for f in findings(put(tmp_path, config(p))) if f["severity"] == "error"]


# ---- the library, asked without pale ----

class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


OPS = {f"SCMP_CMP_{op}": i + 1 for i, op in enumerate("NE LT LE EQ GE GT MASKED_EQ".split())}
TOKENS = {X86_64: 0xc000003e, X86: 0x40000003, X32: 0x4000003e}
LIBRARY = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2", use_errno=True)
LIBRARY.seccomp_init.restype = ctypes.c_void_p
LIBRARY.seccomp_init.argtypes = [ctypes.c_uint32]
LIBRARY.seccomp_release.argtypes = [ctypes.c_void_p]
LIBRARY.seccomp_arch_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
LIBRARY.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
LIBRARY.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                                           ctypes.POINTER(Compare)]


def answer_of(action, errno=1):
    return {ALLOW: 0x7fff0000, LOG: 0x7ffc0000, KILL: 0, "SCMP_ACT_TRAP": 0x30000,
            ERRNO: 0x50000 | errno, "SCMP_ACT_KILL_PROCESS": 0x80000000}[action]


def library_takes(p):
    """True, False; None where libseccomp (2.5.4) goes round in circles for ever."""
    child = os.fork()
    if not child:
        signal.setitimer(signal.ITIMER_REAL, 1)
        os._exit(0 if library_adds(p) else 1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGALRM
        return None
    return not os.WEXITSTATUS(status)


def library_adds(p):
    """Entry by entry, as runc hands them over."""
    ctx = LIBRARY.seccomp_init(answer_of(p["defaultAction"]))
    try:
        for word in p["architectures"]:
            assert LIBRARY.seccomp_arch_add(ctx, TOKENS[word]) in (0, -17)
        for e in p["syscalls"]:
            action, args = answer_of(e["action"], e.get("errnoRet", 1)), e["args"]
            split = len({a["index"] for a in args}) < len(args)
            for name in e["names"]:
                number = LIBRARY.seccomp_syscall_resolve_name(name.encode())
                if action == answer_of(p["defaultAction"]) or number == -1:
                    continue
                for group in [[a] for a in args] if split else [args]:
                    rows = (Compare * 6)(*[Compare(a["index"], OPS[a["op"]], a["value"], a.get("valueTwo", 0))
                                           for a in group])
                    rc = LIBRARY.seccomp_rule_add_array(ctx, action, number, len(group), rows)
                    assert rc in (0, -17), rc
                    if rc:
                        return False
        return True
    finally:
        LIBRARY.seccomp_release(ctx)


CARRIED = ["socket", "connect", "accept4", "accept", "bind", "send", "recv", "shutdown", "socketcall", "shmget", "shmat",
           "semop", "msgrcv", "ipc"]


def some_arg(rng):
    op = rng.choice("NE LT LE EQ EQ GE GT MASKED_EQ".split())
    return arg(rng.randrange(3), op, rng.choice([0, 1, 2, 40, 2**32, 2**32 + 1, 0xffffffff]),
               valueTwo=rng.choice([0, 1, 2]))


def some_args(rng, pool):
    out = [rng.choice(pool) if rng.random() < .6 else some_arg(rng) for _ in range(rng.choice([0, 0, 1, 1, 2, 2, 3]))]
    return [a for i, a in enumerate(out) if a not in out[:i]]


def profiles(n, seed):
    rng = random.Random(seed)
    for _ in range(n):
        names = rng.sample(CARRIED, 2) if rng.random() < .75 else [rng.choice(["bpf", "chown32", "acct"])]
        pool = [some_arg(rng) for _ in range(2)]
        names = names if rng.random() < .4 else names[:1]
        entries = [{"names": rng.choice([names, names[:1], names[-1:]]), "args": some_args(rng, pool),
                    **rng.choice([{"action": LOG}, {"action": ERRNO}, {"action": ERRNO, "errnoRet": 5}, {"action": KILL},
                                  {"action": "SCMP_ACT_TRAP"}, {"action": ALLOW}])}
                   for _ in range(rng.choice([2, 2, 3, 4]))]
        yield of(*entries, default=rng.choice([ALLOW, LOG]),
                 arches=rng.choice([[X86_64], [X86_64, X86], [X86_64, X86], [X86], [X86_64, X32], [X86, X32, X86_64]]))


def says(job):
    where, p = job
    where.mkdir()
    path = put(where, config(p))
    lint = not [f for f in findings(path) if f["severity"] == "error"]
    r = run([PALE, "sim", "--as", "docker:runc", path, "read"])
    assert r.rc in (0, 1), r
    return lint, r.rc == 0, p, r.err[-400:]


@pytest.mark.once
def test_lint_and_sim_refuse_what_the_library_refuses(tmp_path, record_property):
    """`PALE_LONG=N`: N profiles more."""
    work = [(tmp_path / str(i), p) for i, p in enumerate(profiles(220 + int(os.environ.get("PALE_LONG", "0")), 8))]
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(says, work))
    takes = [library_takes(p) for _, p in work]
    wrong = [(takes[i], *s) for i, s in enumerate(said) if bool(takes[i]) != s[0] or bool(takes[i]) != s[1]]
    record_property("figure", f"entries that libseccomp refuses: {len(work)} profiles about multiplexed calls, "
                    f"{takes.count(False)} refused by the library, {takes.count(None)} in which it goes "
                    f"on for ever, {len(wrong)} where lint or sim --as say otherwise")
    assert not wrong, "\n".join(str(w)[:1500] for w in wrong[:5])
    assert takes.count(False) > 50 and takes.count(True) > 100


@pytest.mark.once
def test_so_do_the_real_runtimes(base, tmp_path, record_property):  # noqa: F811
    need_root()
    runtimes = [installed("runc"), installed("crun")]
    work = list(profiles(16, 9)) + [of(*e, arches=HERE.get(c, (X86_64, X86))) for c, (e, _) in REFUSED.items()]
    wrong = []

    def one(job):
        i, p = job
        return [(rt.full, p) for rt in runtimes
                if really_starts(base, tmp_path / f"{i}" / rt.kind, rt, p)[0] != library_takes(p)]
    with ThreadPoolExecutor(3) as pool:
        for w in pool.map(one, enumerate(work)):
            wrong += w
    record_property("figure", f"entries that libseccomp refuses: {len(work)} profiles with real runc and crun, "
                    f"{len(wrong)} answer otherwise than the library")
    assert not wrong


def test_an_overlap_is_one_fact_at_the_place_of_the_entries(tmp_path):
    """SC153, high: with a call that shows the dispute, all its arguments told."""
    path = put(tmp_path, of(log("kill", arg(0, "LT", 9)), refuse("kill", arg(0, "LE", 20)), arches=[X86_64]))
    told = [f for f in findings(path) if f["id"] == "SC153"]
    assert [f["severity"] for f in told] == ["high"] and "'kill(0, 0)'" in told[0]["message"], told
    for argv in (["check", path], ["import", path, *asked()], ["sim", "--as", "docker:runc", path, "read"]):
        r = run([PALE, *argv], check=0)
        assert r.err.count("overlapping-entries]") == 1 and ": high: two entries" in r.err, r
        at = re.search(r"p\.json:1:(\d+): high: two entries", r.err)
        assert path.read_text()[int(at[1]) - 1:].startswith('"kill"'), r
