# SPDX-License-Identifier: Apache-2.0
"""Loads what systemd's own library makes of settings of a unit, one child process each, and holds them: systemd_filters.py CORE
SHARED, then lines "KEY=VALUE<TAB>..." on standard input, each answered with the child's number; with TRY=exec, or TRY=FAMILY of a socket, with how it ends."""
import ctypes
import os
import sys

ALLOW, LOG, KILL, ERRNO = 0x7fff0000, 0x7ffc0000, 0x80000000, 0x00050000
EPERM = 1
SPACES = {"cgroup": 0x02000000, "ipc": 0x08000000, "net": 0x40000000, "mnt": 0x00020000, "pid": 0x20000000, "user": 0x10000000, "uts": 0x04000000, "time": 0x80}

shared = ctypes.CDLL(sys.argv[2], mode=ctypes.RTLD_GLOBAL)
core = ctypes.CDLL(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
shared.syscall_filter_set_find.restype = ctypes.c_void_p


def said(settings, key):
    return [v for k, v in settings if k == key]


def parsed(function, lines):
    """What config_parse_*() writes into the settings of a process: a pointer and whether it is a list of what is allowed."""
    context, unit = ctypes.create_string_buffer(1 << 16), ctypes.create_string_buffer(1 << 16)
    for line in lines:
        assert getattr(core, function)(b"u", b"f", 1, b"Service", 1, b"x", 0, line.encode(), context, unit) >= 0
    words = [int.from_bytes(context.raw[i:i + 8], "little") for i in range(0, 1 << 16, 8)]
    pointers = [w for w in words if w and w & (w - 1)]
    return (ctypes.c_void_p(pointers[0]) if pointers else None), any(w and not w & (w - 1) for w in words)


def load_set(name):
    shared.seccomp_load_syscall_filter_set(ctypes.c_uint32(ALLOW), ctypes.c_void_p(shared.syscall_filter_set_find(name)), ctypes.c_uint32(ERRNO | EPERM), False)


def load_lists(settings):
    error = said(settings, "SystemCallErrorNumber")
    refuse = ERRNO | getattr(__import__("errno"), error[-1]) if error and error[-1] != "kill" else KILL
    for key, function, plain in (("SystemCallLog", "config_parse_syscall_log", LOG), ("SystemCallFilter", "config_parse_syscall_filter", None)):
        found, allows = parsed(function, said(settings, key)) if said(settings, key) else (None, False)
        if not said(settings, key) or (not found and not allows):
            continue
        if plain:
            default, action = (ALLOW, LOG) if allows else (LOG, ALLOW)
        else:
            default, action = (refuse, ALLOW) if allows else (ALLOW, refuse)
        shared.seccomp_load_syscall_filter_set_raw(ctypes.c_uint32(default), found, ctypes.c_uint32(action), False)


def load(settings):
    """In the order of systemd's exec_child()."""
    yes = {k for k, v in settings if v == "yes"}
    found, allows = parsed("config_parse_address_families", said(settings, "RestrictAddressFamilies"))
    if found or allows:
        shared.seccomp_restrict_address_families(found, allows)
    for key, loads in (("MemoryDenyWriteExecute", shared.seccomp_memory_deny_write_execute), ("RestrictRealtime", lambda: shared.seccomp_restrict_realtime_full(EPERM)),
                       ("RestrictSUIDSGID", shared.seccomp_restrict_suid_sgid)):
        if key in yes:
            loads()
    for value in said(settings, "RestrictNamespaces")[-1:]:
        kept = 0 if value == "yes" else sum(SPACES[w] for w in SPACES if (w in value.lstrip("~").split()) != value.startswith("~"))
        shared.seccomp_restrict_namespaces(ctypes.c_ulong(kept))
    for key, loads in (("ProtectKernelTunables", shared.seccomp_protect_sysctl), ("ProtectKernelModules", lambda: load_set(b"@module")),
                       ("ProtectKernelLogs", shared.seccomp_protect_syslog), ("ProtectClock", lambda: load_set(b"@clock")), ("PrivateDevices", lambda: load_set(b"@raw-io"))):
        if key in yes:
            loads()
    for value in said(settings, "SystemCallArchitectures"):
        arches = ctypes.c_void_p()
        assert core.config_parse_syscall_archs(b"u", b"f", 1, b"Service", 1, b"x", 0, value.encode(), ctypes.byref(arches), None) >= 0
        shared.seccomp_restrict_archs(arches)
    if "ProtectHostname" in yes:
        shared.seccomp_protect_hostname()
    if "LockPersonality" in yes:
        shared.seccomp_lock_personality(ctypes.c_ulong(0))
    load_lists(settings)


for line in sys.stdin:
    child = os.fork()
    if not child:
        libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        libc.prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG
        settings = [tuple(s.split("=", 1)) for s in line.rstrip("\n").split("\t")]
        load(settings)
        for what in said(settings, "TRY"):
            if what == "exec":
                os.execv("/bin/true", ["true"])
            os._exit(0 if libc.syscall(41, ctypes.c_long(int(what, 16)), 3, 0) >= 0 else ctypes.get_errno())
        libc.pause()
        os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if "TRY=" in line else child, flush=True)
