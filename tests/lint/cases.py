# SPDX-License-Identifier: Apache-2.0
"""One profile that a rule must speak of and one, as near as can be, that it must not, for every
rule of `pale lint --list-rules`. CASES[id] = (positive, negative, a text of the message).

A JSON case is the profile's text; entries() and profile() write the usual frame.
"""
import json

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
PLAIN = ["capget", "capset", "chdir", "fstat", "getcwd", "getppid", "newfstatat", "prctl", "read",
         "setgid", "setgroups", "setuid", "rt_sigaction", "rt_sigprocmask", "setresgid", "setresuid", "faccessat2"]
HIGH = "mseal"  # a number above those of the probes: runc's own ENOSYS begins behind it


def blown(entries):
    """Conditions on six arguments that no small diagram holds."""
    def mask(n, i):
        return sum(1 << (7 * (n * 6 + i) * k % 61) for k in range(1, 9))
    return profile(*[entry("mmap", args=[arg(i, "MASKED_EQ", mask(n, i), mask(n, i) & 0x5a5a * n)
                                         for i in range(6)]) for n in range(1, entries)])



SIX_CAPS = ["CHOWN", "KILL", "SETUID", "SETGID", "SYSLOG", "BPF"]

CASES = {
    "SJ001": (raw('{"defaultAction": "SCMP_ACT_ALLOW", /* c */ }'), open_("read"), "comments"),
    "SJ002": (profile(entry("read", syscall="x")), profile(entry("read", comment="x")), "'syscall'"),
    "SJ003": (raw('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"names":["write"],'
                  '"action":"SCMP_ACT_ALLOW"}]}'), open_("read", "write"), "'names'"),
    "SJ033": (raw('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ERRNO","errnoRet":13}],'
                  '"Syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}'), open_("read", "write"), "'Syscalls'"),
    "SJ046": (raw('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf\\u0000x"],"action":"SCMP_ACT_ERRNO"}]}'),
              raw('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ERRNO"}]}'),
              "NUL byte"),
    "SJ004": (raw('{"DefaultAction":"SCMP_ACT_ERRNO","syscalls":[]}'), open_("read"),
              "'DefaultAction'"),
    "SJ005": (profile(entry("read", args=[arg(0, "EQ", -1)])),
              profile(entry("read", args=[arg(0, "EQ", 2**64 - 1)])), "4294967295"),
    "SJ006": (profile(entry("lseek", args=[arg(1, "EQ", 2**53 + 1)])),
              profile(entry("lseek", args=[arg(1, "EQ", 2**54 + 4)])), "9007199254740993"),
    "SJ007": (profile(entry("read"), default=None), open_("read"), "refuse to start"),
    "SJ008": (profile(entry("read", action="SCMP_ACT_ALOW")),
              profile(entry("read", action="SCMP_ACT_LOG")), "SCMP_ACT_ALLOW"),
    "SJ009": (open_("read", arches=["SCMP_ARCH_NATIVE"]), open_("read", arches=["SCMP_ARCH_AARCH64"]),
              "SCMP_ARCH_NATIVE"),
    "SJ010": (profile(entry("read", args=[{"index": 0, "value": 1, "op": "SCMP_CMP_EG"}])),
              profile(entry("read", args=[arg(0, "EQ", 1)])), "SCMP_CMP_EQ"),
    "SJ011": (open_("read", archMap=[{"architecture": "SCMP_ARCH_X86_64"}]),
              open_("read", arches=[], archMap=[{"architecture": "SCMP_ARCH_X86_64"}]), "archMap"),
    "SJ012": (profile(entry("read", name="write")), open_("read"), "'name' and 'names'"),
    "SJ013": (profile(entry("read", "")), open_("read"), "empty"),
    "SJ014": (profile(entry("read", args=[arg(6, "EQ", 1)])),
              profile(entry("mmap", args=[arg(5, "EQ", 1)])), "0 to 5"),
    "SJ015": (profile(entry("read", errnoRet=1)),
              profile(entry("read", action=ERRNO, errnoRet=38)), "crun"),
    "SJ016": (profile(entry("read", action=ERRNO, errnoRet=4095)),
              profile(entry("read", action=ERRNO, errnoRet=4094)), "4095"),
    "SJ017": (profile(entry("setuid", action=ERRNO, errnoRet=0)),
              profile(entry("setuid", action=ERRNO, errnoRet=2)), "success"),
    "SJ018": (profile(entry("read", includes={"minKernel": "4.15.3"})),
              profile(entry("read", includes={"minKernel": "4.15"})), "4.15.3"),
    "SJ019": (profile(entry("read", includes={"arches": ["SCMP_ARCH_X86_64"]})),
              profile(entry("read", includes={"arches": ["amd64", "s390x"]})), "amd64"),
    "SJ020": (profile(entry("read", includes={"caps": ["sys_admin"]})),
              profile(entry("read", includes={"caps": ["CAP_SYS_ADMIN"]})), "CAP_SYS_ADMIN"),
    "SJ021": (profile(entry("read", args=[arg(0, "LE", 1, 9)])),
              profile(entry("read", args=[arg(0, "MASKED_EQ", 9, 1)])), "valueTwo"),
    "SJ022": (open_("read", listenerMetadata="x"),
              open_("read", listenerMetadata="x", listenerPath="/run/x"), "listenerPath"),
    "SJ023": (profile(entry("read", action=ERRNO, errno="ENOSYS")),
              profile(entry("read", action=ERRNO, errno="ENOSYS", errnoRet=38)), "Podman"),
    "SJ026": (profile({"names": "read", "action": ALLOW}), open_("read"), "an array"),
    "SJ030": (open_("read", arches=["SCMP_ARCH_X86_64", "SCMP_ARCH_S390X"]),
              open_("read", arches=["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]), "byte order"),
    "SJ031": (open_("read", flags=["SECCOMP_FILTER_FLAG_LOG"]), open_("read", flags=[]), "1.2"),
    "SJ032": (open_("read", arches=None, archMap=[{"subArchitectures": []}]),
              open_("read", arches=None, archMap=[{"architecture": "SCMP_ARCH_X86_64"}]), "skipped"),

    "SC101": (open_("read", "opneat"), open_("read", "openat"), "'openat'"),
    "SC102": (open_("sigwait"), open_("rt_sigtimedwait"), "rt_sigtimedwait"),
    "SC103": (open_("getxpid"), open_("getpid"), "alpha"),
    "SC104": (open_("waitpid"), open_("waitpid", arches=X86), "waitpid"),
    "SC106": (open_("read", "write", "read"), open_("read", "write"), "'read'"),
    "SC107": (profile(entry("read"), entry("read")),
              profile(entry("read"), entry("read", includes={"caps": ["CAP_CHOWN"]})), "'read'"),
    "SC108": (profile(entry("read"), entry("read", action=ERRNO, errnoRet=38)),
              profile(entry("read", includes={"caps": ["CAP_SYS_ADMIN"]}),
                      entry("read", action=ERRNO, errnoRet=38,
                            excludes={"caps": ["CAP_SYS_ADMIN"]})), "first"),
    "SC109": (profile(entry("socket", args=[arg(0, "EQ", 1)]), entry("socket")),
              profile(entry("socket", args=[arg(0, "EQ", 1)]),
                      entry("socket", args=[arg(0, "EQ", 2)])), "either order"),
    "SC110": (profile(entry("ioctl"), entry("ioctl", action=ERRNO, args=[arg(1, "EQ", 21522)])),
              profile(entry("ioctl", action=ERRNO, args=[arg(1, "EQ", 21522)])), "'ioctl'"),
    "SC111": (profile(entry("socket", args=[arg(0, "GE", 1), arg(0, "LE", 9)])),
              profile(entry("socket", args=[arg(0, "GE", 1), arg(1, "LE", 9)])), "enough"),
    "SC112": (profile(entry("socket", args=[arg(0, "EQ", 1)]),
                      entry("socket", action=ERRNO, errnoRet=38, args=[arg(0, "EQ", 1)])),
              profile(entry("socket", args=[arg(0, "EQ", 1)]),
                      entry("socket", action=ERRNO, errnoRet=38, args=[arg(0, "EQ", 2)])), "EEXIST"),
    "SC153": (profile(entry("socket", action=ERRNO, errnoRet=38, args=[arg(0, "EQ", 40)]),
                      entry("socket", args=[arg(0, "NE", 16)])),
              profile(entry("socket", action=ERRNO, errnoRet=38, args=[arg(0, "EQ", 40)]),
                      entry("socket", args=[arg(0, "LT", 16)])), "'socket(0x28, 0, 0)'"),
    "SC166": (profile(entry("socket", args=[arg(0, "GT", 5), arg(1, "GE", 1)]),
                      entry("socket", action="SCMP_ACT_LOG", args=[arg(0, "GT", 5), arg(1, "NE", 3)])),
              profile(entry("socket", args=[arg(0, "EQ", 5), arg(1, "GE", 1)]),
                      entry("socket", action="SCMP_ACT_LOG", args=[arg(0, "EQ", 5), arg(1, "NE", 3)])), "circles"),
    "SC167": (profile(*[entry("socket", action=["SCMP_ACT_LOG", "SCMP_ACT_ALLOW"][i % 2], args=[arg(0, "EQ", i)],
                              includes={"caps": ["CAP_" + c]}) for i, c in enumerate(SIX_CAPS)]),
              profile(*[entry("socket", action=["SCMP_ACT_LOG", "SCMP_ACT_ALLOW"][i % 2], args=[arg(0, "EQ", i)],
                              includes={"caps": ["CAP_" + c]}) for i, c in enumerate(SIX_CAPS[:5])]), "not known"),
    "SC114": (profile(entry("socket", args=[arg(0, "GE", 0)])),
              profile(entry("socket", args=[arg(0, "GE", 1)])), "always"),
    "SC115": (profile(entry("socket", args=[arg(0, "LT", 0)])),
              profile(entry("socket", args=[arg(0, "LT", 1)])), "never"),
    "SC116": (profile(entry("clone", args=[arg(0, "MASKED_EQ", 0, 2114060288)]),
                      entry("socket", args=[arg(0, "MASKED_EQ", 1, 0xff)])),
              profile(entry("socket", args=[arg(0, "MASKED_EQ", 0xff, 1)])), "0xff"),
    "SC117": (profile(entry("socket", args=[arg(0, "MASKED_EQ", 0, 0)])),
              profile(entry("socket", args=[arg(0, "MASKED_EQ", 1, 0)])), "mask of 0"),
    "SC118": (profile(entry("openat", args=[arg(1, "EQ", 4096)])),
              profile(entry("openat", args=[arg(1, "NE", 0)])), "pointer"),
    "SC119": (profile(entry("close", args=[arg(1, "EQ", 1)])),
              profile(entry("close", args=[arg(0, "EQ", 1)])), "no such argument"),
    "SC120": (profile(entry("socket", args=[arg(0, "NE", 38)])),
              profile(entry("socket", args=[arg(0, "EQ", 38)])), "0x100000026"),
    "SC121": (profile(entry("openat", args=[arg(0, "EQ", 0xffffff9c)])),
              profile(entry("openat", args=[arg(0, "MASKED_EQ", 0xffffffff, 0xffffff9c)])), "negative"),
    "SC122": (profile(entry("openat", args=[arg(0, "EQ", 2**64 - 100)])),
              profile(entry("openat", args=[arg(0, "MASKED_EQ", 0xffffffff, 0xffffff9c)])), "32 bits"),
    "SC123": (profile(entry("socket", args=[arg(0, "EQ", 1)]), arches=X86),
              profile(entry("socket", args=[arg(0, "EQ", 1)])), "socketcall"),
    "SC125": (profile(entry("clone", args=[arg(0, "MASKED_EQ", 0x7e000000, 0)])),
              profile(entry("clone", args=[arg(0, "MASKED_EQ", 0x7e020000, 0)])), "CLONE_NEWNS"),
    "SC126": (profile(entry("clone", args=[arg(0, "MASKED_EQ", 0x7e020000, 0)]), entry("clone3")),
              profile(entry("clone", args=[arg(0, "MASKED_EQ", 0x7e020000, 0)]),
                      entry("clone3", action=ERRNO, errnoRet=38)), "memory"),
    "SC127": (open_("clone", HIGH),
              profile(entry("clone"), entry("clone3", action=ERRNO, errnoRet=38)), "new thread"),
    "SC128": (open_("read", HIGH), open_("read", HIGH, defaultErrnoRet=38), "no defaultErrnoRet"),
    "SC129": (open_("newfstatat", HIGH), open_("newfstatat", "statx", HIGH), "ls and stat"),
    "SC131": (deny("mount"), deny("kexec_load", "kexec_file_load"), "'move_mount'"),
    "SC132": (open_("io_uring_setup", "io_uring_enter", "openat"),
              open_("io_uring_setup", "openat"), "'connect'"),
    "SC133": (deny("mount"), open_("read"), "forgotten"),
    "SC134": (open_("read", default="SCMP_ACT_LOG"), open_("read"), "nothing is refused"),
    "SC138": (profile(entry("write", action="SCMP_ACT_NOTIFY"), listenerPath="/run/x"),
              profile(entry("mount", action="SCMP_ACT_NOTIFY"), listenerPath="/run/x"), "runc"),
    "SC140": (open_(*START[1:]), open_(*START), "thread-local storage"),
    "SC145": (open_("read", arches=X86 + ["SCMP_ARCH_X32"]), open_("read", arches=X86), "x32"),
    "SC146": (open_("futex", arches=X86), open_("futex", "futex_time64", arches=X86),
              "'futex_time64'"),
    "SC152": (open_("fork", "vfork"), open_("clone"), "fork()"),
    "SC160": (open_("read"), open_("execve"), "operation not permitted"),
    "SC161": (open_(*RUNTIME[:2]), open_(*RUNTIME), "ensure /proc/self/fd is on procfs"),
    "SC162": (open_(*RUNTIME), open_(*RUNTIME, *PLAIN), "without no-new-privileges"),
    "SC168": (open_("read", "clone"), open_("read", "clone", "rt_sigprocmask"), "subprocess"),
    "SC176": (open_(*RUNTIME, *{*PLAIN} - {"setgroups"}), open_(*RUNTIME, *PLAIN), "health checks fail"),
    "SC163": (profile(entry("rt_sigprocmask", args=[arg(0, "GE", 1)])), open_("rt_sigprocmask"),
              "signal mask of chance"),
    "SC165": (open_("read"), open_("exit"), "SIGSEGV"),
    "SC164": (blown(100), blown(4), "'mmap' has the most rules"),

    "SR201": (open_("finit_module"), gated("CAP_SYS_MODULE", "finit_module"), "code into the kernel"),
    "SR202": (open_("kexec_load"), gated("CAP_SYS_BOOT", "kexec_load"), "'kexec_load'"),
    "SR203": (open_("bpf"), gated("CAP_BPF", "bpf"), "CVE-2021-3490"),
    "SR204": (open_("io_uring_setup"), profile(entry("io_uring_setup", action=ERRNO, errnoRet=38)),
              "'io_uring_setup'"),
    "SR205": (open_("ptrace"), profile(entry("ptrace", includes={"minKernel": "4.8"})), "'ptrace'"),
    "SR206": (open_("perf_event_open"), gated("CAP_PERFMON", "perf_event_open"), "CVE-2013-2094"),
    "SR207": (open_("userfaultfd"), open_("read"), "races"),
    "SR208": (open_("keyctl"), open_("read"), "CVE-2016-0728"),
    "SR209": (open_("mount", "move_mount"), gated("CAP_SYS_ADMIN", "mount"), "'move_mount'"),
    "SR210": (open_("clone"), profile(entry("clone", args=[arg(0, "MASKED_EQ", 0x7e020000, 0)])),
              "namespace"),
    "SR211": (open_("open_by_handle_at"), open_("name_to_handle_at"), "by number"),
    "SR212": (open_("chroot"), gated("CAP_SYS_CHROOT", "chroot"), "'chroot'"),
    "SR213": (open_("ioctl"), profile(entry("ioctl", args=[arg(1, "MASKED_EQ", 0xffffffff, 0x5401)])),
              "TIOCSTI"),
    "SR214": (open_("personality"), profile(entry("personality", args=[arg(0, "EQ", 0)])),
              "ADDR_NO_RANDOMIZE"),
    "SR215": (open_("socket"), profile(entry("socket", args=[arg(0, "EQ", 1)])), "AF_ALG"),
    "SR216": (open_("syslog"), gated("CAP_SYSLOG", "syslog"), "'syslog'"),
    "SR217": (open_("swapon"), open_("read"), "'swapon'"),
    "SR218": (open_("iopl"), gated("CAP_SYS_RAWIO", "iopl"), "'iopl'"),
    "SR219": (open_("clock_settime"), open_("clock_gettime"), "'clock_settime'"),
    "SR220": (open_("pidfd_getfd"), open_("pidfd_open"), "'pidfd_getfd'"),
    "SR221": (open_("move_pages"), open_("madvise"), "'move_pages'"),
    "SR222": (open_("remap_file_pages"), open_("mmap"), "'remap_file_pages'"),
    "SR223": (open_("fanotify_mark"), open_("inotify_add_watch"), "'fanotify_mark'"),
    "SR224": (open_("memfd_create", "execveat"), open_("memfd_create", "execve"), "never was a file"),
    "SR225": (open_("vmsplice"), open_("splice"), "'vmsplice'"),
    "SR228": (open_("socketcall", "ipc", arches=X86),
              profile(entry("socketcall", action=ERRNO, errnoRet=38), arches=X86), "'ipc'"),
    "SR229": (open_("mknod"), gated("CAP_MKNOD", "mknod"), "'mknod'"),
}


def policy(body, head=""):
    return (f"{head}policy p {{\n\tlevel linux 6.18;\n\tarch x86_64;\n\tdefault errno EPERM;\n"
            f"\tunknown errno ENOSYS;\n{body}\n}}\n")


SET = "set s {\n\tallow socket, read;\n}\n"

PALE_CASES = {
    "DS501": (policy("\tallow read;", SET), policy("\tuse s;", SET), "'s'"),
    "DS502": (policy("\tallow socket(reg domain != 38);"), policy("\tallow socket(domain != 38);"),
              "reg"),
    "DS506": (policy("\tuse s;\n\tallow socket(domain == AF_UNIX);", SET),
              policy("\tuse s except socket;\n\tallow socket(domain == AF_UNIX);", SET),
              "restricts nothing"),
    "DS516": ("policy p {\n\tarch x86_64;\n\tallow read;\n}\n", policy("\tallow read;"), "level"),
    # Rules of both formats, on policies too.
    "SC127": (policy("\tallow clone;"), policy("\tallow clone;\n\terrno ENOSYS clone3;"),
              "errno ENOSYS clone3"),
    "SC126": (policy("\tallow clone(flags lacks CLONE_NEWUSER), clone3;"),
              policy("\tallow clone(flags lacks CLONE_NEWUSER);\n\terrno ENOSYS clone3;"), "memory"),
    "SC132": (policy("\tallow io_uring_setup, io_uring_enter;"), policy("\tallow io_uring_setup;"),
              "'openat'"),
    "SC133": (policy("\tkill mount;").replace("default errno EPERM", "default allow"),
              policy("\tallow read;"), "forgotten"),
    "SC145": (policy("\tallow read;").replace("arch x86_64", "arch x86_64, x32"),
              policy("\tallow read;"), "x32"),
    "SR203": (policy("\tallow bpf;"), policy("\tallow bpf(cmd == BPF_MAP_LOOKUP_ELEM);"),
              "CVE-2021-3490"),
    "SR205": (policy("\tallow ptrace;"), policy("\tallow read;"), "'ptrace'"),
    "SR215": (policy("\tallow socket;"), policy("\tallow socket(domain in {AF_INET, AF_INET6});"),
              "AF_ALG"),
    "SC160": (policy("\tallow read;"), policy("\tuse start-run;"), "start-run"),
    "SC161": (policy("\tuse start-runc-nnp except fstatfs;"), policy("\tuse start-runc-nnp;"), "'fstatfs'"),
    "SC162": (policy("\tuse start-runc except setgid;"), policy("\tuse start-runc, start-crun;"), "'setgid'"),
    "SC168": (policy("\tallow clone;"), policy("\tallow clone, rt_sigprocmask;"), "subprocess"),
    "SC176": (policy("\tuse start-crun except openat;"), policy("\tuse start-crun;"), "/proc/self/setgroups"),
    "SC163": (policy("\tallow rt_sigprocmask(how in {SIG_UNBLOCK, SIG_SETMASK});"),
              policy("\tallow rt_sigprocmask;"), "allow 'rt_sigprocmask' whole"),
    "SC165": (policy("\tallow read;"), policy("\tallow exit_group;"), "SIGSEGV"),
}
