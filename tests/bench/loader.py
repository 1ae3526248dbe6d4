# SPDX-License-Identifier: Apache-2.0
"""A JSON profile as a runtime hands it to the libseccomp of this machine, by code that shares nothing
with pale's: x86_64 alone, no capability, Linux 6.18. runc from 1.2 on asks for a tree."""
import ctypes
import os

EQ, MASKED = "SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"
OPS = {"SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, EQ: 4, "SCMP_CMP_GE": 5, "SCMP_CMP_GT": 6, MASKED: 7}
ACTIONS = {"SCMP_ACT_ALLOW": 0x7fff0000, "SCMP_ACT_LOG": 0x7ffc0000, "SCMP_ACT_ERRNO": 0x50000, "SCMP_ACT_TRACE": 0x7ff00000,
           "SCMP_ACT_TRAP": 0x30000, "SCMP_ACT_KILL": 0, "SCMP_ACT_KILL_THREAD": 0, "SCMP_ACT_KILL_PROCESS": 0x80000000}
OPTIMIZE = 8  # SCMP_FLTATR_CTL_OPTIMIZE: 1 a list, 2 a tree


class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def library():
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_release.argtypes = [ctypes.c_void_p]
    lib.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    lib.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                                           ctypes.POINTER(Comparison)]
    lib.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return lib


def applies(entry):
    """On amd64, without capabilities."""
    inc, exc = entry.get("includes") or {}, entry.get("excludes") or {}
    return not inc.get("caps") and "amd64" in inc.get("arches", ["amd64"]) and "amd64" not in exc.get("arches", []) \
        and not exc.get("minKernel")


def action(what, errno):
    code = ACTIONS[what]
    return code | (1 if errno is None else errno) if what in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE") else code


def entries(profile, name):
    return [e for e in profile["syscalls"] if applies(e) and name in e["names"]]


def rules(entry):
    """Lists of comparisons; where an index is repeated each is a rule."""
    args = [Comparison(a["index"], OPS[a["op"]], a["value"], a.get("valueTwo", 0)) for a in entry.get("args") or []]
    return [[a] for a in args] if len({a.arg for a in args}) < len(args) else [args]


def build(profile, tree):
    """The filter, as bytes."""
    lib, default = library(), action(profile["defaultAction"], profile.get("defaultErrnoRet"))
    ctx = lib.seccomp_init(default)
    lib.seccomp_attr_set(ctx, OPTIMIZE, 2 if tree else 1)
    for entry in filter(applies, profile["syscalls"]):
        verdict = action(entry["action"], entry.get("errnoRet"))
        for name in entry["names"]:
            nr = lib.seccomp_syscall_resolve_name(name.encode())
            if nr == -1 or verdict == default:
                continue
            for rule in rules(entry):
                err = lib.seccomp_rule_add_array(ctx, verdict, nr, len(rule), (Comparison * len(rule))(*rule))
                if err:
                    raise SystemExit(f"libseccomp refuses a rule on {name}: {err}")
    fd = os.memfd_create("filter")
    if lib.seccomp_export_bpf(ctx, fd):
        raise SystemExit("libseccomp writes no filter")
    lib.seccomp_release(ctx)
    with os.fdopen(fd, "rb") as f:
        f.seek(0)
        return f.read()
