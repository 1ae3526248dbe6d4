# SPDX-License-Identifier: Apache-2.0
"""A name, a path, an argument or an option's value reaches no terminal as it is: escape
sequences, C1 controls, newlines and bytes that are no text are shown as \\xNN."""
import json
import os
import re
import subprocess

import pytest

from conftest import BUILD, PALE, PATIENCE

EVIL = b"a\x1b[31mX\nINJECT\x07\xc2\x9b2JY\x7f\xff\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xd8\x9c"
POLICY = (b"policy p { arch x86_64; layers seccomp, apparmor; default errno EPERM;"
          b" allow read, write, execve, exit_group; file r /etc/hosts; }\n")
OPEN = b"policy p { arch x86_64; layers seccomp; default allow; errno EXDEV getppid; }\n"
PROFILE = b'{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"]}'
AUDIT = "type=1326 audit(1:1): pid=1 comm=\"x\" sig=31 arch=c000003e syscall=101 code=0x0"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    d = os.fsencode(tmp_path_factory.mktemp("names"))
    def put(name, text):
        with open(os.path.join(d, name), "wb") as f:
            f.write(text)
    put(EVIL + b".pale", POLICY)
    put(EVIL + b".open.pale", OPEN)
    put(EVIL + b".bad.pale", b"policy p { allow reed; arch x86_64; }\n")
    put(EVIL + b".two.pale", POLICY + POLICY.replace(b" p ", b" q "))
    put(EVIL + b".json", PROFILE)
    put(EVIL + b".deny.json", PROFILE.replace(b"ALLOW", b"ERRNO"))
    put(EVIL + b".weights", b"1 reed\n")
    os.mkdir(os.path.join(d, EVIL + b".dir"))
    put(EVIL + b".dir/s.pale", b"set evil { allow read; }\n")
    subprocess.run([PALE, "compile", "-q", "-t", "bpf", "-o", EVIL + b".bpf", EVIL + b".pale"], cwd=d,
                   check=True)
    return d


def ask(room, *args, **env):
    proc = subprocess.run([os.fsencode(PALE), *[a if isinstance(a, bytes) else a.encode() for a in args]],
                          cwd=room, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                          env={**os.environ, **env})
    return proc


def assert_safe(proc, shown=True):
    text = proc.stdout + proc.stderr
    assert b"Sanitizer" not in text and proc.returncode in (0, 1, 2, 3, 125, 127), proc
    assert b"a\\x1b[31mX" in text or b"a\\u001b[31mX" in text or not shown, proc
    said = text.decode("utf-8")  # what is no UTF-8 is an error here
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", said), proc
    assert not re.search("[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", said), proc
    assert not re.search("^INJECT", said, re.M), proc


E = EVIL
# Every command that prints the name of a file of its own.
FILES = [
    ("check", E + b".bpf", E), ("check", E),
    ("check", E + b".bad.pale"),
    ("compile", "-t", "all", "-o", E + b".out", E + b".pale"),
    ("compile", "-t", "bpf", "-o", E + b".one", E + b".pale"),
    ("compile", "-t", "bpf", "-o", E + b"/no/dir", E + b".pale"),
    ("compile", "-t", "all", "-o", b"no/" + E, E + b".pale"),
    ("compile", "-t", "bpf", "-o", E + b".dir", E + b".bpf"),
    ("compile", "-t", "bpf", "-o", "-", E + b".bad.pale"),
    ("compile", "-t", "bpf", "--weights", E + b".weights", E + b".pale"),
    ("compile", "-t", "bpf", "--weights", E, E + b".pale"),
    ("fmt", "--check", E + b".open.pale"), ("fmt", E + b".json"), ("fmt", E),
    ("lint", E + b".json"), ("lint", "--format", "json", E + b".json"), ("lint", E),
    ("lint", E + b".bpf"),
    ("sim", E + b".pale", "read"), ("sim", E + b".json", "--host", "x86_64", "read"),
    ("sim", E, "read"), ("sim", E + b".two.pale", "read"), ("sim", "--as", "docker:runc", E + b".bpf", "read"),
    ("explain", E + b".pale", "read"), ("explain", E + b".json", "read"),
    ("diff", E + b".json", E + b".deny.json"), ("diff", E + b".pale", E + b".bpf"),
    ("diff", "--format", "markdown", E + b".json", E + b".deny.json"),
    ("diff", "--format", "json", E + b".json", E + b".deny.json"),
    ("diff", E, E + b".pale"), ("diff", E + b".pale", E),
    ("why", AUDIT, E + b".pale"), ("why", AUDIT, E), ("why", AUDIT, E + b".two.pale"),
    ("import", E), ("import", E + b".pale"), ("import", E + b".dir"),
    ("import", "-o", E + b"/no/file", E + b".json"),
    ("show", "evil", "--sets", E + b".dir"),
    ("list", "sets", "--format", "json", "--sets", E + b".dir"),
    ("run", E, "--", "true"), ("run", E + b".bad.pale", "--", "true"),
    ("run", E + b".two.pale", "--", "true"),
    ("run", "--report", E + b"/no/file", "--count", E + b".open.pale", "--", "true"),
    ("learn", "-o", E + b"/no/file", "--", "true"),
]
# Every argument and every value of an option.
VALUES = [
    (E,), ("--" + "x",), (b"--" + E,), ("sim", b"--" + E), ("sim", b"-" + E),
    *[(c, b"--" + E) for c in ("check", "compile", "fmt", "lint", "explain", "diff", "why", "import",
                               "dump", "show", "list", "run", "learn")],
    ("compile", b"--target=" + E, E + b".pale"), ("compile", "--runtime", E, E + b".pale"),
    ("compile", b"--quiet=" + E, E + b".pale"),
    ("check", E + b".pale", E + b".json"), ("check", "-t", E, E + b".pale"), ("check", "--runtime", E, E + b".pale"),
    *[(c, "--policy", E, E + b".pale", *more) for c, *more in (("compile",), ("sim", "read"),
                                                              ("explain", "read"))],
    *[("sim", f"--{o}", E, E + b".pale", "read") for o in ("caps", "kernel", "host", "arch", "sets",
                                                           "as", "runtime")],
    ("sim", E + b".pale", E), ("sim", E + b".pale", b"read(" + E + b")"), ("sim", E + b".bpf", E),
    ("explain", E + b".pale", E), ("explain", E + b".pale", b"/etc/" + E), ("explain", E + b".bpf", E),
    *[(*c, E + end, call) for call in (b'read(3, "' + E + b'", 4)', b"read(3 /* " + E + b" */)", b"read(3) = " + E)
      for c, end in ((("sim",), b".pale"), (("sim", "--as", "docker"), b".json"), (("explain",), b".pale"),
                     (("explain",), b".json"), (("explain",), b".bpf"))],
    ("explain", "--arch", E, E + b".pale", "read"),
    ("diff", "--format", E, E, E), ("diff", "--fail-on", E, E, E),
    ("why", E), ("why", E, E + b".pale"), ("why", "--pid", E),
    ("why", AUDIT.replace("x", "HEX").encode().replace(b"HEX", E), E + b".pale"),
    ("import", "-n", E, E + b".json"), ("import", "--host", E, E + b".json"),
    ("dump", "--pid", E), ("dump", "--pid", "1", "--as", E), ("dump", "--pid", "1", "--name", E),
    ("show", E), ("show", "read", "--sets", E), ("list", E), ("list", "constants", E),
    ("list", "syscalls", "--arch", E), ("list", "syscalls", "--format", E), ("list", "sets", E),
    ("lint", "--format", E), ("lint", "--explain", E), ("lint", "--error-on", E, E + b".json"),
    ("run", "--layers", E, E + b".open.pale", "--", "true"),
    ("run", "--policy", E, E + b".open.pale", "--", "true"),
    ("run", E + b".open.pale", "--", E), ("run", E + b".open.pale", "--", b"./" + E),
    ("learn", "--backend", E, "--", "true"), ("learn", "--for", E, "--", "true"),
    ("learn", "--name", E, "--max-paths", E, "--", "true"), ("learn", "--cgroup", b"/no/" + E),
    ("learn", "--", E), ("learn", "--backend", "ptrace", "--", b"./" + E),
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("args", FILES, ids=lambda a: "-".join(
    x for x in a if isinstance(x, str) and len(x) < 12))
def test_a_files_name_is_shown_safely(room, args, form):
    assert_safe(ask(room, *args, PALE_DIAG=form))


@pytest.mark.parametrize("args", VALUES, ids=lambda a: "-".join(
    x for x in a if isinstance(x, str) and len(x) < 12))
def test_an_argument_is_shown_safely(room, args):
    assert_safe(ask(room, *args), shown=False)


def test_json_keeps_the_name(room):
    proc = ask(room, "diff", "--format", "json", E + b".json", E + b".deny.json")
    name = json.loads(proc.stdout)["a"]["file"]
    assert name == (EVIL + b".json").decode("utf-8", "replace")


def test_what_refused_a_call_is_shown_safely(room):
    """The report of `run --count`, where the kernel lets a filter listen."""
    proc = ask(room, "run", "--count", E + b".open.pale", "--",
               os.path.join(BUILD, "tests/live/echo"))
    assert_safe(proc, shown=False)
