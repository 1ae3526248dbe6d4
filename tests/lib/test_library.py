# SPDX-License-Identifier: Apache-2.0
"""libpale: a server that has started loads the second policy that was learned of it, and goes on serving."""
import contextlib
import errno
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import textwrap
import time

import pytest

from conftest import BUILD, PALE, PATIENCE, ROOT, need, program, run

pytestmark = pytest.mark.once  # what a sanitizer does at its end no policy has

PAGE = ROOT / "compiler/lib/pale_load.3"


def ask(port, word):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(word.encode())
        name, *results = s.recv(64).decode().split()
        assert name == word
        return [int(n) for n in results]


@contextlib.contextmanager
def serving(tmp_path, *argv, rc=0):
    """The server started by argv, and its port; it is told to quit in the end."""
    file = tmp_path / "port"
    file.unlink(missing_ok=True)
    proc = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + PATIENCE
        while not file.exists() and proc.poll() is None and time.monotonic() < end:
            time.sleep(0.02)  # nothing else tells
        assert file.exists(), (proc.poll(), proc.communicate(timeout=PATIENCE))
        port = int(file.read_text())
        yield port
        ask(port, "quit")
        _, err = proc.communicate(timeout=PATIENCE)
        assert proc.returncode == rc, err
    finally:
        if proc.poll() is None:
            proc.send_signal(signal.SIGKILL)
            proc.wait(PATIENCE)


@pytest.mark.parametrize("backend", ["auto", "ptrace"])
def test_a_server_drops_what_only_its_start_took_and_goes_on_serving(tmp_path, backend):
    server = program("lib/server")
    with serving(tmp_path, PALE, "learn", "--backend", backend, "--phases", "-o", tmp_path / "web.pale", "--",
                 server, tmp_path / "port") as port:
        assert ask(port, "memory") == [0, 0]
    second = tmp_path / "web-serve.bpf"
    run([PALE, "compile", "-q", "-t", "bpf", "-o", second, tmp_path / "web-serve.pale"], check=0)
    run_first = [PALE, "run", "--layers", "seccomp", tmp_path / "web.pale", "--", server, tmp_path / "port"]
    with serving(tmp_path, *run_first) as port:  # one filter: what the start took passes
        assert ask(port, "listen") == [errno.EBADF] * 2 and ask(port, "exec") == [errno.ENOENT] * 2
    with serving(tmp_path, *run_first, second) as port:
        for _ in range(20):
            assert ask(port, "hello") == [0, 0]
        assert ask(port, "memory") == [0, 0]
        assert ask(port, "listen") == [errno.EPERM] * 2 == ask(port, "exec")  # both threads
        assert ask(port, "hello") == [0, 0]


def test_what_is_no_filter_for_this_program_is_refused_and_adds_none(tmp_path):
    assert run([program("lib/refusals"), tmp_path], check=0).out == ""


def test_a_first_filter_that_lets_no_second_be_loaded_is_told(tmp_path):
    (tmp_path / "p.pale").write_text("policy p { layers seccomp; level linux 7.1; arch x86_64; default allow;\n"
                                     "errno EPERM seccomp; }\n")
    (tmp_path / "f.bpf").write_bytes(b"")
    r = run([PALE, "compile", "-q", "-t", "bpf", "-o", tmp_path / "f.bpf", tmp_path / "p.pale"], check=0)
    r = run([PALE, "run", tmp_path / "p.pale", "--", program("lib/server"), tmp_path / "port", tmp_path / "f.bpf"])
    assert r.rc == 3 and "the filter that the program was started with refuses it" in r.err, r


def test_the_library_needs_a_libc_alone_and_calls_nothing_once_the_filter_is_there():
    need("nm")
    names = {line.split()[-1] for line in run(["nm", "-u", BUILD / "lib/libpale.a"], check=0).out.splitlines()
             if " U " in line}
    # no open: musl's makes another call than glibc's, and the first policy has openat
    assert names <= {"__errno_location", "__stack_chk_fail", "close", "memcpy", "prctl", "read", "syscall",
                     "__read_chk", "_GLOBAL_OFFSET_TABLE_"}, names


def test_it_is_installed_and_the_page_s_example_builds_against_it(tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    need("mandoc")
    r = run(["mandoc", "-T", "lint", "-W", "warning", PAGE])
    assert r.rc == 0, r
    for source, to in [(BUILD / "lib/libpale.a", "lib/libpale.a"), (ROOT / "compiler/lib/pale.h", "include/pale.h")]:
        (tmp_path / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, tmp_path / to)
        assert f"$(PREFIX)/{to}" in (ROOT / "Makefile").read_text()
    text = run(["mandoc", "-T", "ascii", "-O", "width=200", PAGE], check=0).out
    text = re.sub(".\x08", "", text)
    code = re.search(r"^ *#include <pale.h>\n.*?^ *}\n", text[text.index("EXAMPLES"):], flags=re.S | re.M)[0]
    (tmp_path / "web.c").write_text(code + "int main(void) { return ready() ? 1 : 0; }\n")
    run(["cc", "-Wall", "-Werror", "-I", tmp_path / "include", "-o", tmp_path / "web", tmp_path / "web.c",
         "-L", tmp_path / "lib", "-lpale"], check=0, env=env)
    r = run([tmp_path / "web"])
    assert r.rc == 1 and r.err == "web: there is no such file\n", r
    assert pathlib.Path(tmp_path / "web").exists()


def shown(display):
    """The page's own text of an example, without what the formatter adds in front of each line."""
    need("mandoc")
    text = re.sub(".\x08", "", run(["mandoc", "-T", "ascii", "-O", "width=200", PAGE], check=0).out)
    block = re.search(display, text[text.index("EXAMPLES"):text.index("\nERRORS")], flags=re.S | re.M)[0]
    return textwrap.dedent(block)


def answers(port, proc):
    """What a client of the page's server is told; it may not listen yet."""
    end = time.monotonic() + PATIENCE
    while proc.poll() is None and time.monotonic() < end:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 10) as s:
            return s.recv(64)
        time.sleep(0.02)  # nothing else tells
    raise AssertionError((proc.poll(), proc.communicate(timeout=PATIENCE)))


@pytest.fixture
def page_server(tmp_path):
    """The page's web.c and its four commands, with a directory and a port of the test's."""
    with socket.socket() as s:
        s.bind(("", 0))
        port = s.getsockname()[1]
    (tmp_path / "web.c").write_text(shown(r"^ *#include <pale.h>\n.*^ *return 1;\n *}\n").replace("8080", str(port))
                                    .replace("/etc/web/", f"{tmp_path}/"))
    commands = shown(r"^ *cc -o web.*confined$").replace("/etc/web/", f"{tmp_path}/").splitlines()
    assert [c.split()[0] for c in commands] == ["cc", "pale", "pale", "pale"]
    return port, [[PALE if w == "pale" else w for w in shlex.split(c)] for c in commands]


def start(argv, cwd):
    return subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_the_page_s_server_is_learned_and_runs_under_both_policies_by_the_page_s_commands(tmp_path, page_server):
    port, (cc, learn, compile_, run_) = page_server
    flags = ["-Wall", "-Werror", "-I", ROOT / "compiler/lib", "-L", BUILD / "lib"]
    run([*cc[:3], *flags, *cc[3:]], cwd=tmp_path, check=0, env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    proc = start(learn, tmp_path)
    try:
        assert [answers(port, proc) for _ in range(3)] == [b"hello\n"] * 3
    finally:
        proc.terminate()
        err = proc.communicate(timeout=PATIENCE)[1]
    assert proc.returncode == 128 + signal.SIGTERM, err  # the command's own
    run(compile_, cwd=tmp_path, check=0)
    for policy, listens in (("web.pale", "ALLOW"), ("web-serve.pale", "ERRNO(1)")):
        assert run([PALE, "sim", tmp_path / policy, "listen"]).out.split()[0] == listens
    proc = start(run_, tmp_path)
    try:
        assert [answers(port, proc) for _ in range(3)] == [b"hello\n"] * 3
        status = pathlib.Path(f"/proc/{proc.pid}/status").read_text()
        assert re.search(r"^Seccomp_filters:\t2$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M), status
    finally:
        proc.kill()
        proc.communicate(timeout=PATIENCE)
