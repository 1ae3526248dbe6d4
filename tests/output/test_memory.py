# SPDX-License-Identifier: Apache-2.0
"""Where memory or descriptors end, a command says so and nothing else: no wrong answer, no
diagnosis of the input, the status of a system that is short of something."""
import os
import pathlib
import resource
import signal
import struct
import subprocess

import pytest

from conftest import PALE, PATIENCE, ROOT, need, run

DOCKER = str(ROOT / "profiles/found/docker-default.json")
AUDIT = "type=1326 audit(1:1): pid=1 comm=\"x\" sig=31 arch=c000003e syscall=101 code=0x0"
RUNC = "runc-1.1.5+libseccomp-2.5.4-1+deb12u1"
COMMANDS = {
    # Named: an installed runc that has no memory to say its version is told, and is no failure.
    "compile": ["compile", "-t", "all", "--runtime", RUNC, "-o", "out", "p.pale"],
    "fmt": ["fmt", "p.pale"],
    "lint": ["lint", "--runtime", "any", DOCKER],
    "lint policy": ["lint", "--runtime", "any", "p.pale"],
    "sim": ["sim", "p.pale", "read"],
    "sim as runc": ["sim", DOCKER, "--as", "docker:runc", "--runtime", RUNC,
                    "--host", "x86_64", "read"],
    "explain": ["explain", DOCKER, "ptrace", "--arch", "x86_64"],
    "diff": ["diff", DOCKER, "p.pale"],
    "diff bpf": ["diff", "p.bpf", "p.pale"],
    "why": ["why", AUDIT, "p.pale"],
    "import": ["import", DOCKER, "-o", "imp", "--host", "x86_64"],
    "import bpf": ["import", "p.bpf"],
    "list": ["list", "syscalls"],
    "list sets": ["list", "sets"],
    "show": ["show", "mmap"],
    "run": ["run", "o.pale", "--", "true"],
    "run --count": ["run", "--count", "o.pale", "--", "true"],
    "learn": ["learn", "--backend", "ptrace", "-o", "l.pale", "--", "true"],
}
STEPS = 10


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("p.pale").write_text(
        "policy p { arch x86_64, aarch64; layers seccomp, apparmor; default errno EPERM;"
        " use start-run; allow read, execve; allow mmap(prot lacks PROT_EXEC); file r /etc/**; }\n")
    pathlib.Path("o.pale").write_text("policy p { arch x86_64; default allow; errno EXDEV getppid; }\n")
    run([PALE, "compile", "-q", "-t", "bpf", "--arch", "x86_64", "-o", "p.bpf", "p.pale"], check=0)
    return tmp_path


def limited(argv, kib):
    proc = subprocess.run([PALE, *argv], capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (kib << 10, kib << 10)))
    return proc.returncode, proc.stdout, proc.stderr


def same(argv, a, b):
    return a[:2] == b[:2] and (a[2] == b[2] or argv[0] == "learn")


def image():
    """KiB of the program and the loader that the kernel maps before either runs: it kills what has no room for them."""
    def mapped(path):
        data = pathlib.Path(path).read_bytes()
        at, size, n = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
        heads = [struct.unpack_from("<IIQQQQQQ", data, at + i * size) for i in range(n)]
        interp = [data[h[2]:h[2] + h[5] - 1].decode() for h in heads if h[0] == 3]
        return max(h[3] + h[6] for h in heads if h[0] == 1), interp
    own, interp = mapped(PALE)
    return (own + sum(mapped(i)[0] for i in interp) >> 10) + 256  # the stack, the vDSO


IMAGE = image()


def loader_died(got, kib):
    if kib < IMAGE and got == (-signal.SIGSEGV, b"", b""):
        return True
    return got[0] == 127 and any(
        word in got[2] for word in (b"shared", b"TLS", b"Fatal glibc error"))


@pytest.mark.once  # a sanitizer's shadow needs the address space
@pytest.mark.parametrize("name", COMMANDS)
def test_memory_that_ends_is_told_as_that(room, name):
    argv = COMMANDS[name]
    whole = limited(argv, 1 << 20)
    assert whole[0] in (0, 1), whole
    low, high = 2048, 1 << 20
    while high - low > 64:  # the least that is enough
        middle = (low + high) // 2
        low, high = (low, middle) if same(argv, limited(argv, middle), whole) else (middle, high)
    first, started = 2048, high
    while started - first > 4:  # the least with which the dynamic loader comes to an end
        middle = (first + started) // 2
        first, started = (middle, started) if loader_died(limited(argv, middle), middle) else (first, middle)
    seen = set()
    for i in range(STEPS):
        kib = started + (high - started) * i // STEPS
        rc, out, err = got = limited(argv, kib)
        if same(argv, got, whole) or loader_died(got, kib):
            continue
        assert rc == (125 if argv[0] in ("run", "learn") else 3), (kib, got)
        assert b"out of memory" in err or b"Cannot allocate memory" in err, (kib, got)
        seen.add(rc)
    assert seen, (low, high)
    assert sorted(f for f in os.listdir() if f.startswith(".")) == []


@pytest.mark.parametrize("argv", [["sim", "p.pale", "read"], ["diff", "p.pale", "p.pale"],
                                  ["compile", "-t", "bpf", "-o", "x", "p.pale"], ["check", "p.pale"],
                                  ["explain", "p.pale", "read"], ["lint", "--runtime", "any", "p.pale"],
                                  ["run", "p.pale", "--", "true"]])
def test_a_set_that_the_system_does_not_give_is_no_fault_of_the_policy(tmp_path, monkeypatch, argv):
    """As for the file itself: 3, not 1, which would mean a finding or a difference."""
    strace = need("strace")
    # LeakSanitizer does not work under strace.
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0:exitcode=99")
    monkeypatch.chdir(tmp_path)
    os.mkdir("sets")
    pathlib.Path("sets/mine.pale").write_text("set mine { errno EXDEV getppid; }\n")
    body = "policy p { arch x86_64; layers seccomp; default allow; use mine; }\n"
    pathlib.Path("p.pale").write_text(body)
    pathlib.Path("i.pale").write_text('include "sets/mine.pale";\n' + body)
    env = {**os.environ, "PALE_PATH": "sets"}
    whole = run([PALE, *argv], env=env)
    assert whole.rc == 0 or argv[0] == "lint" and whole.rc == 1, whole
    for error, word in (("EMFILE", "Too many open files"), ("EIO", "Input/output error"),
                        ("EACCES", "Permission denied")):
        for policy in ("p.pale", "i.pale"):
            r = run([strace, "-o", "/dev/null", "-P", "sets/mine.pale", "-e", f"inject=openat:error={error}",
                     PALE, *[policy if a == "p.pale" else a for a in argv]], env=env,
                    check=125 if argv[0] == "run" else 3)
            assert f"cannot read 'sets/mine.pale': {word}" in r.err + r.out
            assert "no set" not in r.err + r.out and (not r.out or argv[0] == "lint")
