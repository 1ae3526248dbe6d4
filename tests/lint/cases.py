# SPDX-License-Identifier: Apache-2.0
"""Profiles for the linter's tests: entry(), profile() and the like write the usual frame, and
rules/ID has, for every rule of `pale lint --list-rules`, one of which it must speak (bad-*) and one,
as near as can be, of which it must not (ok-*), with words of the finding (says). AppArmor's are read
with base/ as their base directory, and with the options that says names.
"""
import json
import pathlib
import re

ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
X86 = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]


def entry(*names, action=ALLOW, args=None, **kw):
    e = {"names": list(names), "action": action, **kw}
    if args is not None:
        e["args"] = args
    return e


def arg(index, op, value, two=None):
    a = {"index": index, "op": f"SCMP_CMP_{op}", "value": value}
    return a if two is None else {**a, "valueTwo": two}


def profile(*entries, default=ERRNO, arches=("SCMP_ARCH_X86_64",), **kw):
    p = {"defaultAction": default, "architectures": arches and list(arches), "syscalls": list(entries), **kw}
    return json.dumps({k: v for k, v in p.items() if v is not None}, indent=1)


def open_(*names, **kw):
    return profile(entry(*names), **kw)


def deny(*names, **kw):
    return profile(entry(*names, action=ERRNO), default=ALLOW, **kw)


def gated(cap, *names):
    return profile(entry(*names, includes={"caps": [cap]}))


def raw(text):
    return text


START = ["arch_prctl", "close", "mmap", "mprotect", "newfstatat", "openat", "pread64", "read"]
# What runc and crun call under the filter, with no-new-privileges and without.
RUNTIME = ["execve", "close", "fstatfs", "getdents64", "openat", "write", "fstat", "statx",
           "openat2"]
PLAIN = ["capget", "capset", "chdir", "fstat", "getcwd", "getppid", "newfstatat", "prctl", "pselect6", "read",
         "setgid", "setgroups", "setuid", "rt_sigaction", "rt_sigprocmask", "setresgid", "setresuid", "faccessat2"]
HIGH = "mseal"  # a number above those of the probes: runc's own ENOSYS begins behind it


def blown(entries):
    """Conditions on six arguments that no small diagram holds."""
    def mask(n, i):
        return sum(1 << (7 * (n * 6 + i) * k % 61) for k in range(1, 9))
    return profile(*[entry("mmap", args=[arg(i, "MASKED_EQ", mask(n, i), mask(n, i) & 0x5a5a * n)
                                         for i in range(6)]) for n in range(1, entries)])



SIX_CAPS = ["CHOWN", "KILL", "SETUID", "SETGID", "SYSLOG", "BPF"]



def policy(body, head=""):
    return (f"{head}policy p {{\n\tlevel linux 6.18;\n\tarch x86_64;\n\tdefault errno EPERM;\n"
            f"\tunknown errno ENOSYS;\n{body}\n}}\n")


SET = "set s {\n\tallow socket, read;\n}\n"

RULES = pathlib.Path(__file__).parent / "rules"


def load(what, ext):
    """{id: (a text of which the rule must speak, one of which it must not, words of the finding)}"""
    return {id: case[:3] for id, case in load_with(what, ext).items()}


def load_with(what, ext):
    """The same, with the options that both are linted with: the third column of says."""
    out = {}
    for says in sorted(RULES.glob("*/says")):
        for kind, words, *options in (line.split("\t") for line in says.read_text().splitlines()):
            if kind == what:
                bad, ok = ((says.parent / f"{n}-{what}.{ext}").read_bytes() for n in ("bad", "ok"))
                out[says.parent.name] = bad, ok, words, " ".join(options).split()
    return out


CASES, PALE_CASES = load_with("profile", "json"), load("policy", "pale")
APPARMOR_CASES = load_with("apparmor", "aa")
CASES["SC149"] = (profile(entry("ioctl", args=[arg(1, "EQ", 3 * n) for n in range(4096)])).encode(),
                  profile(entry("ioctl", args=[arg(1, "EQ", 3 * n) for n in range(4095)]),
                          entry("read", args=[arg(1, "EQ", 3 * n) for n in range(4095)])).encode(),
                  "4096 different conditions", [])
# Of what starts containers: a compose file, objects of Kubernetes, a unit of systemd, a script, a Dockerfile, daemon.json.
DEPLOYMENT_CASES = load_with("compose", "yaml") | load_with("pod", "yaml") | load_with("unit", "service") | load_with("script", "sh") | \
    load_with("dockerfile", "txt") | load_with("daemon", "json")
# Of files that are linted together: test_deploy_joined.py.
JOINED = {p.parent.name for p in RULES.glob("*/bad-joined.aa")}
# What of them keeps a parser from taking a profile: always told, and their cases are refused.
REFUSALS = {id for id in APPARMOR_CASES if id.startswith("AP1")} | {"AP205", "AP206", "AP242"}
# What the cases include: a small base directory of their own.
BASE = pathlib.Path(__file__).parent / "base"


def outcomes(sim):
    """Of what `pale sim` prints of accesses: access -> outcomes, of both halves where they are not one line."""
    out = {}
    for line in sim.splitlines():
        outcome, access, *_ = re.split(r"  +", line)
        out.setdefault(access, set()).add(outcome)
    return out


def findings_of(pale, files, *options):
    """Of each file, in their order, what lint finds in it; all in one process."""
    r = pale("lint", "--format", "json", *options, *files)
    assert r.rc in (0, 1), r
    found = {str(f): [] for f in files}
    for f in json.loads(r.out)["findings"]:
        found[f["file"]].append(f)
    return list(found.values())
