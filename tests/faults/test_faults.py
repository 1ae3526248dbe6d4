# SPDX-License-Identifier: Apache-2.0
"""Every n-th system call that pale makes fails once: the same answer, a clean failure, or a loss
that is told; never something else, and nothing half written.

One fault a run, by strace's injection. `make test` takes the first and the last calls of each
kind, PALE_LONG=1 all of them. What the dynamic loader calls before main() is not pale's.
"""
import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import PALE, ROOT, need, need_root

LONG = int(os.environ.get("PALE_LONG", "0"))
EDGE = 10 ** 6 if LONG else 2  # faults at each end of a call's occurrences
MAIN = "fcntl(0, F_GETFD"  # the first call of main()
LIMIT = 20  # seconds that no fault may cost

# What a kernel answers: open(2), read(2), write(2), ... None of brk's: it returns no error; none of
# access's: what it refuses the open behind it is refused as well, which one fault cannot show.
ERRORS = {
    "openat": ["EACCES", "EMFILE", "EIO"], "read": ["EIO", "EINTR"], "pread64": ["EIO"],
    "write": ["ENOSPC", "EINTR"], "newfstatat": ["EIO"], "fstat": ["EIO"],
    "mmap": ["ENOMEM"], "mremap": ["ENOMEM"], "fsync": ["EIO"], "ftruncate": ["EIO"],
    "rename": ["EIO"], "renameat2": ["EIO"], "linkat": ["EIO"], "unlink": ["EIO"],
    "fchmod": ["EPERM"], "fchown": ["EPERM"], "getcwd": ["ENOENT"], "readlink": ["EIO", "EACCES"],
    "getdents64": ["EIO"], "lseek": ["EIO"], "memfd_create": ["EMFILE"], "pipe2": ["EMFILE"],
    "clone": ["EAGAIN"], "clone3": ["EAGAIN"], "vfork": ["EAGAIN"], "socketpair": ["EMFILE"],
    "wait4": ["EINTR"], "waitid": ["EINTR"], "poll": ["EINTR", "ENOMEM"], "ppoll": ["EINTR"],
    "ioctl": ["EINTR"], "prctl": ["EPERM"], "seccomp": ["EINVAL", "ENOMEM"], "bpf": ["ENOMEM"],
    "capset": ["EPERM"], "prlimit64": ["EPERM"], "recvmsg": ["EINTR"], "sendmsg": ["EINTR"],
    "signalfd4": ["EMFILE"], "pidfd_open": ["EMFILE"], "pidfd_getfd": ["EMFILE"],
    "eventfd2": ["EMFILE"], "epoll_create1": ["EMFILE"], "epoll_wait": ["EINTR"],
    "epoll_ctl": ["ENOMEM"], "perf_event_open": ["EMFILE"], "getrandom": ["EINTR"],
}

POLICY = """policy w {
    program /bin/true;
    layers seccomp, apparmor;
    arch x86_64;
    default errno EPERM;
    use start-run, libc;
    allow mprotect(prot lacks PROT_EXEC);
    errno ENOSYS clone3;
    file r /etc/**;
    capability chown;
}
"""
CALLS = "\n".join(line for line in POLICY.splitlines() if "/" not in line and "cap" not in line)
CALLS = CALLS.replace("seccomp, apparmor", "seccomp")
OTHER = POLICY.replace("allow mprotect(prot lacks PROT_EXEC);", "allow mprotect, ptrace;")
PLAIN = """policy p { arch x86_64; default allow; errno EXDEV getppid; }
"""
JSON = json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                   "syscalls": [{"names": ["read", "write", "exit_group", "execve"],
                                 "action": "SCMP_ACT_ALLOW"}]})
RECORD = "type=1326 audit(1.1:1): pid=7 comm=\"x\" arch=c000003e syscall=101 code=0x50000"

COMMANDS = {  # name: (arguments, status of pale's own failure)
    "compile-bpf": (["compile", "w.pale", "-t", "bpf", "-o", "out"], {3}),
    "compile-all": (["compile", "w.pale", "-t", "all", "-o", "out"], {3}),
    "check": (["check", "s.pale"], {3}),
    "check-apparmor": (["check", "w.pale"], {3}),
    "sim": (["sim", "w.pale", "read", "ptrace"], {3}),
    "explain": (["explain", "w.pale", "mprotect"], {3}),
    "explain-path": (["explain", "w.pale", "/etc/passwd"], {3}),
    "diff": (["diff", "w.pale", "v.pale"], {3}),
    "import": (["import", "j.json", "-o", "out/w.pale"], {3}),
    "lint": (["lint", "--runtime", "any", "j.json", "w.pale"], {3}),
    "sim-as": (["sim", "j.json", "read", "--as", "docker:runc"], {3}),
    "fmt": (["fmt", "-i", "out/w.pale"], {3}),
    "list": (["list", "sets"], {3}),
    "why": (["why", RECORD, "w.pale"], {3}),
    "run": (["run", "p.pale", "--", "/bin/true"], {125, 126, 127}),
    "run-count": (["run", "--count", "p.pale", "--", "/bin/true"], {125, 126, 127}),
    "learn-ptrace": (["learn", "--backend", "ptrace", "-o", "out/w.pale", "--", "/bin/true"],
                     {1, 125, 126, 127}),
    "learn-ebpf": (["learn", "--backend", "ebpf", "-o", "out/w.pale", "--", "/bin/true"],
                   {1, 125, 126, 127}),
}
CHILDREN = {"compile-bpf", "compile-all", "check", "sim-as"}  # whose children are pale's as well
ROOT_ONLY = {"learn-ebpf"}


def lay_out(d):
    shutil.rmtree(d, ignore_errors=True)
    (d / "out").mkdir(parents=True)
    for name, text in [("w.pale", POLICY), ("v.pale", OTHER), ("s.pale", CALLS),
                       ("p.pale", PLAIN), ("j.json", JSON),
                       ("out/w.pale", POLICY.replace("    ", "  ")), ("out/w.apparmor", "old\n"),
                       ("out/w.docker.json", "old\n"), ("out/w.x86_64.bpf", "old\n"),
                       ("out/w.oci.json", "old\n")]:
        (d / name).write_text(text)


def files(d):
    return {str(p.relative_to(d)): p.read_bytes() for p in d.rglob("*")
            if p.is_file() and p.name != "trace"}


def comparable(name, data):
    """Times, counts and what an order of events decides stand in a recording's comments."""
    if not name.startswith("learn"):
        return data
    return re.sub(rb"#[^\n]*", b"", data)


def pale(d, name, *strace):
    argv = [PALE, *COMMANDS[name][0]]
    if strace:
        argv = [need("strace"), "-o", d / "trace", "-qq", *(["-f"] if name in CHILDREN else []),
                *strace, *argv]
    try:
        p = subprocess.run([str(a) for a in argv], cwd=d, capture_output=True, timeout=LIMIT,
                           stdin=subprocess.DEVNULL,
                           env={**os.environ, "PALE_PATH": str(ROOT / "profiles/sets")})
    except subprocess.TimeoutExpired:
        return None
    return p


def occurrences(d, name):
    """{call: (how many the loader makes, how many in all)} of the busiest process."""
    p = pale(d, name, "-e", "trace=" + ",".join(["fcntl", "execve", *ERRORS]))
    assert p is not None
    before, count, started = {}, {}, False
    for line in (d / "trace").read_text(errors="replace").splitlines():
        line = re.sub(r"^\d+ +", "", line)
        started |= line.startswith(MAIN)
        if started and line.startswith("execve("):
            break  # what `run` executes is not pale any more
        call = line.partition("(")[0]
        if call not in ERRORS:
            continue
        count[call] = count.get(call, 0) + 1
        if not started:
            before[call] = before.get(call, 0) + 1
    assert started, "main() is not in the trace"
    return {c: (before.get(c, 0), n) for c, n in count.items()}


def faults(calls):
    for call, (skipped, total) in sorted(calls.items()):
        n = range(skipped + 1, total + 1)
        picked = n if len(n) <= 2 * EDGE else [*n[:EDGE], *n[-EDGE:]]
        for when in picked:
            for error in ERRORS[call]:
                yield call, error, when


def judge(name, call, p, now, old, good):
    """'same', 'clean', 'told', or what is wrong. `good`: the run without a fault."""
    if p is None:
        return "hangs"
    err = p.stderr.decode("utf-8", "replace")
    if "bug at" in err or p.returncode < 0 or p.returncode == 134:
        return f"crashes: {p.returncode} {err[-200:]}"
    rc, out, written = good
    left = sorted(set(now) - set(written) - set(old))
    if left:
        return f"leaves {left}"
    kept = {k: comparable(name, v) for k, v in now.items()}
    if p.returncode == rc and comparable(name, p.stdout) == out and kept == written:
        return "same"
    if p.returncode == rc and kept == written and "[PL258 no-runtime-here]" in err:
        return "told"  # the installed runtime was not asked, and is not the one taken in its place
    if p.returncode not in COMMANDS[name][1]:
        return f"status {p.returncode} and another answer: {err[-300:]}"
    if not err.strip() and not re.search(rb"PL0(06|20)", p.stdout) and call != "write":  # of the message itself
        return f"fails with {p.returncode} in silence"
    if p.returncode == 1:
        return "told" if re.search("lost|loss|could not|cannot|incomplete", err) else \
            f"no loss told: {err[-300:]}"
    if now != old and kept != written:
        return f"half written: {err[-300:]}"
    return "clean"


# All faults of a recording take an hour: parts, for the workers to share.
PARTS = [(name, i, n) for name in COMMANDS for n in [16 if LONG and name.startswith("learn") else 1] for i in range(n)]


@pytest.mark.once
@pytest.mark.parametrize("name,part,parts", [pytest.param(*p, id=p[0] + f"-{p[1]}" * (p[2] > 1)) for p in PARTS])
def test_a_fault_changes_nothing_untold(tmp_path, record_property, name, part, parts):
    if name in ROOT_ONLY:
        need_root()
    need("strace")
    d = tmp_path / "w"
    lay_out(d)
    old = files(d)
    p = pale(d, name)
    good = (p.returncode, comparable(name, p.stdout),
            {k: comparable(name, v) for k, v in files(d).items()})
    assert p.returncode in (0, 1), p.stderr
    lay_out(d)
    calls = occurrences(d, name)
    count, wrong = {}, []
    for call, error, when in list(faults(calls))[part::parts]:
        lay_out(d)
        p = pale(d, name, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}")
        said = judge(name, call, p, files(d), old, good)
        key = said if said in ("same", "clean", "told") else "wrong"
        count[key] = count.get(key, 0) + 1
        if key == "wrong":
            wrong.append(f"{call} {when} of {calls[call][1]} = {error}: {said}")
    record_property("figure", f"{name}{f' {part + 1}/{parts}' * (parts > 1)}: " + ", ".join(f"{n} {k}" for k, n in sorted(count.items())))
    assert not wrong, "\n".join(wrong[:20])
    assert count.get("same", 0) + count.get("clean", 0) + count.get("told", 0) >= 10
