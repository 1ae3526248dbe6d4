# SPDX-License-Identifier: Apache-2.0
"""Seccomp profiles as people and generators write them: seeded, over all that runtimes treat in
their own way (docker_profile: an engine's dialect; else linux.seccomp of a config.json)."""
import random

ACTIONS = ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS",
           "SCMP_ACT_TRAP", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"]
OPS = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]
OLD = """read write close openat mmap munmap brk futex exit_group execve rt_sigreturn fcntl ioctl prctl
    clone kill personality lseek madvise setpriority getpid ptrace mount sysinfo chown""".split()
MULTIPLEXED = "socket bind connect accept accept4 sendto recvmsg send recv shmat semop msgget socketcall ipc".split()
NEW = "clone3 openat2 faccessat2 futex_waitv cachestat mseal landlock_create_ruleset map_shadow_stack".split()
ODD = ["no_such_call", "s390_pci_mmio_read", "arm_fadvise64_64", "chown32", "_llseek", "riscv_flush_icache"]
CAPS = ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_NET_ADMIN", "CAP_BPF", "CAP_CHOWN"]
CAP_BITS = {"CAP_CHOWN": 0, "CAP_NET_ADMIN": 12, "CAP_SYS_CHROOT": 18, "CAP_SYS_ADMIN": 21, "CAP_BPF": 39}
X86 = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]


def number(rng):
    return rng.choice([0, 1, 2, 5, 40, 0xf0, 0xffff, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1,
                       rng.randrange(64), rng.randrange(2**32), rng.randrange(2**64)])


def one_arg(rng, index):
    op = rng.choice(OPS)
    arg = {"index": index, "op": f"SCMP_CMP_{op}", "value": number(rng)}
    if op == "MASKED_EQ" or rng.random() < .2:
        arg["valueTwo"] = number(rng)
    return arg


def some_args(rng):
    kind = rng.random()
    if kind < .45:
        return rng.choice([None, [], "absent"])
    if kind < .55:  # a repeated index: alternatives, all of them
        index = rng.randrange(6)
        return [one_arg(rng, index) for _ in range(2)] + ([one_arg(rng, (index + 1) % 6)] * (rng.random() < .5))
    if kind < .57:  # more than there are: crun looks at six
        return [one_arg(rng, i) for i in rng.sample(range(6), 6)] + [one_arg(rng, 0)]
    return [one_arg(rng, i) for i in rng.sample(range(6), rng.choice([1, 1, 1, 2, 3]))]


def gate(rng):
    g = {}
    if rng.random() < .6:
        g["caps"] = rng.sample(CAPS, rng.choice([1, 1, 2]))
    if rng.random() < .3:
        g["arches"] = rng.choice([["amd64"], ["amd64", "x86", "x32"], ["arm64"], ["s390x", "amd64"]])
    if rng.random() < .4:
        g["minKernel"] = rng.choice(["3.2", "4.8", "5.10", "6.18", "6.19", "9.1"])
    return g


def entry(rng, docker):
    names = rng.sample(OLD, rng.choice([1, 1, 2, 6]))
    names += rng.sample(MULTIPLEXED, rng.choice([0, 0, 1, 3])) + rng.sample(NEW, rng.choice([0, 0, 0, 1]))
    names += [rng.choice(ODD)] * (rng.random() < .15) + [names[0]] * (rng.random() < .1)
    e = {"names": names, "action": rng.choice(ACTIONS[:1] * 6 + ACTIONS[1:2] * 3 + ACTIONS)}
    args = some_args(rng)
    if args != "absent":
        e["args"] = args
    if e["action"] in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE") and rng.random() < .6:
        e["errnoRet"] = rng.choice([0, 1, 13, 38, 95, 4095])
    elif rng.random() < .01:
        e["errnoRet"] = 5  # beside an action that has none
    if docker and rng.random() < .15:
        e["name"] = e.pop("names")[0]
    if docker and rng.random() < .4:
        e[rng.choice(["includes", "excludes"])] = gate(rng)
    if rng.random() < .1:
        e["comment"] = "because"
    return e


def profile(seed, docker=False):
    rng = random.Random(seed)
    default = rng.choice(["SCMP_ACT_ERRNO"] * 4 + ACTIONS)
    p = {"defaultAction": default, "syscalls": [entry(rng, docker) for _ in range(rng.choice([0, 1, 2, 5, 12, 40]))]}
    if default in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE") and rng.random() < .5:
        p["defaultErrnoRet"] = rng.choice([1, 38, 95])
    arches = rng.choice([X86, X86, X86[:1], X86[:2], X86[1:2], [X86[0], X86[2]], [], None])
    if docker and rng.random() < .7:
        p["archMap"] = [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
                        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": rng.choice([X86[1:], [], None])}]
    elif arches is not None:
        p["architectures"] = arches
    flags = rng.choice(["absent", None, []] * 6 + [["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]])
    if flags != "absent" and not docker:
        p["flags"] = flags
    return p


# ---- what an engine makes of its dialect: moby profiles/seccomp/seccomp_linux.go ----

def at_least(kernel, version):
    return tuple(map(int, kernel.split("."))) >= tuple(map(int, version.split(".")))


def applies(e, caps, kernel, arch):
    inc, exc = e.get("includes") or {}, e.get("excludes") or {}
    if arch in (exc.get("arches") or []) or any(c in caps for c in exc.get("caps") or []):
        return False
    if exc.get("minKernel") and at_least(kernel, exc["minKernel"]):
        return False
    if inc.get("arches") and arch not in inc["arches"]:
        return False
    if any(c not in caps for c in inc.get("caps") or []):
        return False
    return not inc.get("minKernel") or at_least(kernel, inc["minKernel"])


def converted(p, caps, kernel, engine=23, arch="amd64", native="SCMP_ARCH_X86_64"):
    """What the engine hands to the runtime."""
    out = {"defaultAction": p["defaultAction"], "syscalls": []}
    if engine >= 23 and "defaultErrnoRet" in p:
        out["defaultErrnoRet"] = p["defaultErrnoRet"]
    out["architectures"] = list(p.get("architectures") or [])
    for row in p.get("archMap") or []:
        if row["architecture"] == native:
            out["architectures"] = [native] + list(row.get("subArchitectures") or [])
            break
    for e in p["syscalls"]:
        if applies(e, caps, kernel, arch):
            names = [e["name"]] if e.get("name") else e["names"]
            out["syscalls"].append({k: v for k, v in e.items() if k in ("action", "args", "errnoRet")}
                                   | {"names": names})
    return out


MOST = 2**64 - 1


def cases(entry):
    """What meets an entry, as runc and crun read it: conditions on different arguments must all hold; where an
    index stands twice each one is enough."""
    args = [(a["index"], said(a)) for a in entry.get("args") or []]
    if len({i for i, _ in args}) < len(args):
        return [{i: c} for i, c in args]
    return [dict(args)]


def said(arg):
    """A condition as the values that meet it: ranges, and what they must have under a mask."""
    op, v = arg["op"].removeprefix("SCMP_CMP_"), arg["value"]
    if op == "MASKED_EQ":
        return [(0, MOST)], v, arg["valueTwo"] & v
    return {"EQ": [(v, v)], "NE": [(0, v - 1), (v + 1, MOST)], "LT": [(0, v - 1)], "LE": [(0, v)],
            "GE": [(v, MOST)], "GT": [(v + 1, MOST)]}[op], 0, 0


def exclude(x, y):
    """Does no value meet both? (Not told of a mask against the middle of a range.)"""
    (r, m, v), (q, n, u) = x, y
    if (v ^ u) & m & n:
        return True

    def apart(a, b, mask, value):  # the least and the largest number that has these bits
        return a > b or value | ~mask & MOST < a or value > b or a == b and a & mask != value
    return all(apart(max(a, c), min(b, d), m | n, v | u) for a, b in r for c, d in q)


def never_both(x, y):
    """Two entries: no arguments meet both."""
    return all(any(exclude(p[k], q[k]) for k in p.keys() & q.keys()) for p in cases(x) for q in cases(y))
