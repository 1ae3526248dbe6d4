#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the sets in profiles/sets and prints or checks them.

    measure.py            says for each set what differs between the file and this machine
    measure.py --write    writes profiles/sets/NAME.pale
    measure.py NAME...    only these

A C program a set (beside this file) does what the set is for; strace -f records every call from
the program's first instruction to its end, in several runs; what the set `libc` already holds
is left out. The start sets are what a runtime calls between loading its filter and the
workload's execve. A line `# implied:` in a set says why a call stays that was not seen.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SETS = HERE.parent / "sets"
RUNS = 5
PALE = os.environ.get("PALE", str(HERE.parents[1] / "build" / "pale"))

# glibc's own random numbers, as names of temporary files are made of.
MASKED = {"rt_sigprocmask": "glibc 2.41 blocks signals while it maps what the vDSO's getrandom needs"}

# name: (what it is for, program, implied calls with their reason)
PROGRAMS = {
    "libc": ("what a dynamic glibc program needs to start and to end", "start", {
        "exit": "every thread's end",
        "fstat": "glibc 2.41's loader, where 2.36's has newfstatat",
        "futex": "locks in libc and in constructors of libraries are contended now and then",
        "getrandom": "the first malloc takes its tcache key from it (glibc 2.36)",
        "restart_syscall": "the kernel itself asks for it after SIGSTOP and SIGCONT",
        "rt_sigreturn": "the end of any signal handler"}),
    "libc-static": ("what a static glibc program needs to start and to end", "start", {
        "exit": "every thread's end",
        "readlinkat": "glibc 2.41, where 2.36 has readlink",
        "restart_syscall": "the kernel itself asks for it after SIGSTOP and SIGCONT",
        "rt_sigreturn": "the end of any signal handler"}),
    "memory": ("malloc, realloc and free, small and large, also from threads", "memory", {}),
    "threads": ("glibc's threads: create, join, cancel, lock, wait, name, pin (musl adds membarrier)", "threads", {
        "clone": "what glibc falls back to where clone3 is answered ENOSYS",
        "sched_getparam": "pthread_attr_setinheritsched and pthread_getschedparam",
        "sched_getscheduler": "the same",
        "tgkill": "pthread_kill and pthread_cancel of a thread that still runs"}),
    "stdio": ("files and terminals through the C library's streams", "stdio", MASKED),
    "files": ("look at, make, change and remove files and directories", "files", MASKED),
    "process": ("start other programs and wait for them", "process", {
        "clone": "fork(3) and posix_spawn(3) where clone3 is answered ENOSYS",
        "close_range": "posix_spawn_file_actions_addclosefrom_np(3)",
        "getcwd": "the shell of system(3), where $PWD is not set or is another directory"}),
    "signals": ("handlers, masks, waiting, queued and timed signals", "signals", {}),
    "time": ("clocks and sleeping, with and without a vDSO that can read the clock", "time", {
        "getcpu": "sched_getcpu(3) where neither rseq nor the vDSO knows"}),
    "resolver": ("names of hosts and users as glibc looks them up (socket() itself is for the "
                 "policy's `network inet dgram, unix stream`)", "resolver", {}),
    "tcp-server": ("bind, listen, accept and serve a stream socket (socket() itself is for the "
                   "policy's `network` line)", "tcp", {}),
    "tcp-client": ("connect a stream socket and use it (socket() itself is for the policy's "
                   "`network` line)", "tcp", {}),
}
CONDITIONS = {"start-crun": {"ioctl": ["cmd == TCGETS"]}}  # all that was seen, but for:
MORE = {"start-crun": ["when arch x86_64, x32, i386, aarch64, arm, riscv64, s390x, mips64el, loongarch64 {",
                       "allow ioctl(cmd == TCGETS2); # implied: crun 1.28's libc asks so for a terminal", "}",
                       "when arch i386, arm {", "allow pselect6_time64; # implied: pselect6 where times had 32 bits", "}"]}
DROP = {  # what only the measuring program does beside its set's purpose
    "resolver": {"socket", "prctl"}, "tcp-server": {"socket"}, "tcp-client": {"socket"},
    "memory": {"clone3", "exit", "rt_sigaction", "rt_sigprocmask"},
    # runc 1.3's exec mounts a /proc of its own where it may, and else goes on with the one there.
    "start-runc": {"faccessat", "fsconfig", "fsmount", "fsopen", "open_tree", "uname"},
}


def numbers():
    text = ""
    for d in ("/usr/include/x86_64-linux-gnu/asm", "/usr/include/asm"):
        p = pathlib.Path(d) / "unistd_64.h"
        if p.exists():
            text = p.read_text()
            break
    return {int(n): s for s, n in re.findall(r"#define __NR_(\w+)\s+(\d+)", text)}


LINE = re.compile(r"(\d+) +(<\.\.\. )?(\w+)(?:\(| resumed)")


def calls(trace):
    """Names in an `strace -f -o` file, after the first execve returned."""
    seen, started = set(), False
    for line in trace.read_text(errors="replace").splitlines():
        m = LINE.match(line)
        if not m:
            continue
        if started and not m.group(2):
            seen.add(m.group(3))
        elif m.group(3) == "execve" and line.rstrip().endswith("= 0"):
            started = True
    return seen


def compile_c(name, out, *flags):
    subprocess.run(["gcc", "-O1", "-w", "-D_GNU_SOURCE", "-pthread", *flags, "-o", str(out),
                    str(HERE / f"{name}.c"), "-lresolv"], check=True)
    return str(out)


def strace(argv, trace, **kw):
    subprocess.run(["strace", "-f", "-qq", "-o", str(trace), *argv], check=True, timeout=60,
                   stdout=kw.pop("stdout", subprocess.DEVNULL),
                   stdin=kw.pop("stdin", subprocess.DEVNULL), **kw)
    return calls(trace)


def pair(exe, side, tmp):
    """One end of a loopback pair under strace, the other end free."""
    seen = set()
    for i in range(RUNS):
        trace = tmp / f"pair{i}"
        under = ["strace", "-f", "-qq", "-o", str(trace)]
        server = subprocess.Popen([*(under if side == "server" else []), exe, "server"],
                                  stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        client = subprocess.Popen([*(under if side == "client" else []), exe, "client"],
                                  stdin=subprocess.PIPE)
        client.communicate(server.stdout.read(2), timeout=30)
        server.wait()
        seen |= calls(trace)
    return seen


def resolver(exe, tmp):
    seen = set()
    for i in range(RUNS):
        server = subprocess.Popen([exe, "server"], stdout=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL)
        port = tmp / "port"
        port.write_bytes(server.stdout.read(2))
        with port.open("rb") as f:
            seen |= strace([exe], tmp / f"resolver{i}", stdin=f)
        server.kill()
        server.wait()
    return seen


def without_vdso(exe, tmp):
    names = numbers()
    helper = compile_c("novdso", tmp / "novdso")
    r = subprocess.run([helper, exe], capture_output=True, text=True, check=True, timeout=30)
    return {names[int(n)] for n in r.stderr.split() if int(n) in names}


def measure_program(name, tmp):
    prog = PROGRAMS[name][1]
    exe = compile_c(prog, tmp / f"{name}.{prog}", *(["-static"] if name == "libc-static" else []))
    if prog == "tcp":
        seen = pair(exe, name.removeprefix("tcp-"), tmp)
    elif prog == "resolver":
        seen = resolver(exe, tmp)
    else:
        seen = set()
        for i in range(RUNS):
            seen |= strace([exe], tmp / f"{name}{i}")
        if name == "time":
            seen |= without_vdso(exe, tmp)
    return seen - DROP.get(name, set())


def bundle(tmp, nnp, uid=0):
    rootfs = tmp / "rootfs"
    (rootfs / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", rootfs / "bin")
    subprocess.run(["runc", "spec", "-b", str(tmp)], check=True)
    path = tmp / "config.json"
    c = json.loads(path.read_text())
    c["ociVersion"] = "1.0.2"  # which every runtime knows
    c["process"].update(terminal=False, noNewPrivileges=nnp, user={"uid": uid, "gid": uid})
    c["process"].pop("rlimits", None)
    c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["acct"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}
    for args in ("true", "sleep 60"):
        c["process"]["args"] = ["/bin/busybox", *args.split()]
        path.with_suffix(f".{args[:4]}").write_text(json.dumps(c))


def after_filter(trace):
    """The calls of the task that loads the last filter, from there to its execve."""
    loader, seen = None, set()
    for line in trace.read_text(errors="replace").splitlines():
        m = LINE.match(line)
        if not m:
            continue
        tid, resumed, name = m.groups()
        if re.search(r"SECCOMP(_SET)?_MODE_FILTER.*\{len=", line):
            loader, seen = tid, set()  # the call itself precedes its filter
        elif tid == loader and not resumed:
            seen.add(name)
        if tid == loader and name == "execve" and line.rstrip().endswith("= 0"):
            loader = None
    return seen


def programs(kind):
    """Those that `make deps-runtimes` fetched, else the machine's own."""
    found = sorted((HERE.parents[1] / "build" / "runtimes").glob(f"{kind}-*/bin/{kind}"))
    return [str(p) for p in found] or [shutil.which(kind, path=os.environ["PATH"] + ":/usr/sbin")]


def made_and_started(argv, d, tmp, name):
    """The calls of one `create` and `start`, as engines have it: what was made waits for the start."""
    with subprocess.Popen(["strace", "-f", "-qq", "-s", "64", "-o", str(tmp / "trace"), *argv, "create", "-b", str(d), name],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as made:
        end = time.monotonic() + 60
        while '"created"' not in subprocess.run([*argv, "state", name], capture_output=True, text=True).stdout:
            if made.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{' '.join(argv)}: {name} was not made")
            time.sleep(0.02)
        subprocess.run([*argv, "start", name], check=True, capture_output=True, timeout=120)
        made.wait(60)
    subprocess.run([*argv, "delete", "-f", name], capture_output=True, timeout=120)
    return after_filter(tmp / "trace")


def container(argv, d, tmp):
    """The calls of one `run`, of one that is made and started and, in a container that runs, of one `exec`."""
    def strace_it(*args):
        r = subprocess.run(["strace", "-f", "-qq", "-s", "64", "-o", str(tmp / "trace"), *argv, *args],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if r.returncode:
            raise SystemExit(f"{' '.join(argv)}: {r.stderr}")
        return after_filter(tmp / "trace")

    name = f"pale-measure-{os.getpid()}"
    (d / "config.true").rename(d / "config.json")
    seen = strace_it("run", "-b", str(d), name)
    if "crun" in os.path.basename(argv[-3]):  # runc's waits likewise in `run`
        seen |= made_and_started(argv, d, tmp, name + "-made")
    (d / "config.slee").rename(d / "config.json")
    try:
        subprocess.run([*argv, "run", "-d", "-b", str(d), name], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=120)
        return seen | strace_it("exec", name, "/bin/busybox", "true")
    finally:
        subprocess.run([*argv, "delete", "-f", name], capture_output=True, timeout=120)


def measure_runtime(name, tmp):
    seen, kind = set(), name.split("-")[1]
    for n, program in enumerate(programs(kind)):
        for i in range(4):
            d = tmp / f"{name}-{n}-{i}"
            d.mkdir()
            bundle(d, nnp=name.endswith("-nnp") or bool(i % 2), uid=1000 if i < 2 else 0)
            argv = [program, "--root", str(d / "state")]
            if kind == "crun":  # refuses a hybrid cgroup layout
                argv = ["unshare", "-m", "sh", "-c",
                        'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"', *argv]
            seen |= container(argv, d, tmp)
    return seen - DROP.get(name, set())


def measure_run(tmp):
    """The same for `pale run`."""
    policy = tmp / "any.pale"
    policy.write_text("policy measure { arch x86_64; layers seccomp; default allow; unknown allow; "
                      "kill kexec_load; }\n")
    trace = tmp / "run"
    subprocess.run(["strace", "-f", "-qq", "-o", str(trace), PALE, "run", str(policy), "--",
                    "/bin/true"], check=True, timeout=60)
    return after_filter(trace)


GO = {  # what the Go runtime beneath runc may do at any moment
    "futex": "the Go runtime's locks, now and then",
    "sched_yield": "the Go runtime, when its scheduler finds nothing to do",
    "nanosleep": "the same",
    "mmap": "the Go runtime's heap may grow at any moment",
    "madvise": "the same", "munmap": "the same",
    "rt_sigprocmask": "the Go runtime around thread creation",
    "rt_sigreturn": "the Go runtime preempts with SIGURG",
    "gettid": "the same", "tgkill": "the same",
    "epoll_pwait": "the Go runtime's poller",
    "readlinkat": "runc 1.3 and later where openat2 is missing (Linux before 5.6) or refused",
}

RUNTIMES = {
    "start-run": ("what `pale run` calls between loading the filter and the program's first "
                  "instruction", {}),
    "start-runc": ("what runc calls between loading the filter and the program's first "
                   "instruction, for run and exec, with noNewPrivileges (filter last) and without "
                   "(filter first)", GO),
    "start-runc-nnp": ("what runc calls between loading the filter and the program's first "
                       "instruction, for run and exec, with noNewPrivileges: the filter comes last", GO),
    "start-crun": ("what crun calls between loading the filter and the program's first "
                   "instruction, for run, or create and start, with noNewPrivileges (filter last) and without (filter first), and "
                   "for exec and health checks, where it comes first in either case", {}),
}


def measure(name, tmp):
    if name == "start-run":
        return measure_run(tmp)
    if name in RUNTIMES:
        return measure_runtime(name, tmp)
    return measure_program(name, tmp)


def versions(name):
    uname = os.uname()
    what = []
    if name in ("start-runc", "start-runc-nnp", "start-crun"):
        kind, found = name.split("-")[1], set()
        for program in programs(kind):
            said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            found.add(tuple(int(n) for n in re.search(r"version ([0-9.]+)", said)[1].split(".")))
        what.append(f"{kind} " + ", ".join(".".join(map(str, v)) for v in sorted(found)))
    elif name != "start-run":
        what.append(" ".join(os.confstr("CS_GNU_LIBC_VERSION").split()))
    return ", ".join([*what, f"{uname.machine}, Linux {uname.release.split('-')[0]}"])


def render(name, seen, libc):
    about, *_ = PROGRAMS.get(name) or RUNTIMES[name]
    implied = (PROGRAMS.get(name) or RUNTIMES[name])[-1]
    base = libc if name not in ("libc", "libc-static") and name in PROGRAMS else set()
    with_conditions = CONDITIONS.get(name, {})
    calls_ = [word for c in sorted(seen - base - set(implied))
              for word in ([f"{c}({k})" for k in with_conditions[c]] if c in with_conditions else [c])]
    if name == "start-run":
        how = "strace -f pale run"
    elif name in RUNTIMES:
        how = f"strace -f {name.split('-')[1]} run, create and exec, 4 of each with each"
    else:
        how = f"strace -f of profiles/measure/{PROGRAMS[name][1]}.c, {RUNS} runs"
        if name == "time":
            how += ", and once without its vDSO (novdso.c)"
    lines = [f"# {name}: {about}",
             f"# measured: {how}; {versions(name)}",
             "# again:    profiles/measure/measure.py " + name]
    if base:
        lines.append("# What `libc` holds is left out.")
    lines.append(f"set {name} {{")
    row = "\tallow   "
    for i, c in enumerate(calls_):
        word = c + ("," if i + 1 < len(calls_) else ";")
        if len(row.expandtabs(8)) + len(word) + 1 > 96:
            lines.append(row.rstrip())
            row = "\t        "
        row += word + " "
    lines.append(row.rstrip())
    left = {c: why for c, why in implied.items() if c not in base}
    for c in sorted(left):
        why = left[c]
        if why == "the same":
            keys = list(implied)
            why = next(implied[k] for k in reversed(keys[:keys.index(c)]) if implied[k] != "the same")
        lines.append(f"\tallow   {c}; # implied: {why}")
    lines += ["\t" + line for line in MORE.get(name, [])]
    lines.append("}")
    return "\n".join(lines) + "\n"


def body(text):
    """(measured, implied) of a set file."""
    seen, implied = set(), set()
    for m in re.finditer(r"^\s*allow\s+([^;]+);(.*)$", text, re.M):
        names = {w.split("(")[0].strip() for w in m.group(1).split(",")}
        (implied if "implied:" in m.group(2) else seen).update(names)
    return seen, implied


def main(argv):
    write = "--write" in argv
    names = [a for a in argv if not a.startswith("-")] or [*PROGRAMS, *RUNTIMES]
    bad = 0
    with tempfile.TemporaryDirectory() as d:
        tmp = pathlib.Path(d)
        libc = set()
        if any(n in PROGRAMS and n != "libc-static" for n in names):
            libc = measure_program("libc", tmp) | set(PROGRAMS["libc"][2])
        for name in names:
            seen = measure(name, tmp) if name != "libc" else libc - set(PROGRAMS["libc"][2])
            path = SETS / f"{name}.pale"
            if write:
                path.write_text(render(name, seen, libc))
                subprocess.run([PALE, "fmt", "-i", str(path)], check=True)
                print(f"{name}: {len(seen)} calls")
                continue
            base = libc if name in PROGRAMS and not name.startswith("libc") else set()
            if base:
                base = set.union(*body((SETS / "libc.pale").read_text()))
            listed, implied = body(path.read_text())
            missing = seen - base - listed - implied
            extra = listed - seen
            print(f"{name}: {len(listed)} measured, {len(implied)} implied"
                  + (f"; missing {', '.join(sorted(missing))}" if missing else "")
                  + (f"; not seen {', '.join(sorted(extra))}" if extra else ""))
            bad += bool(missing or extra)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
