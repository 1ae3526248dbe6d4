# SPDX-License-Identifier: Apache-2.0
"""Every command where the system is short of something: the same answer, or a failure that says so,
with the documented status, the old files and nothing half written. A slice of long sweeps."""
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import pathlib

import pytest

from conftest import PALE, ROOT, need, need_root, sanitized
from test_faults import COMMANDS, LONG, ROOT_ONLY, comparable, files, judge, lay_out

pytestmark = pytest.mark.once  # a sanitizer takes memory, descriptors and output of its own
NOBODY = 60000 + os.getpid() % 4000  # nobody else's: its processes are counted
PICKED = ["compile-all", "check-apparmor", "sim-as", "import", "lint", "fmt", "why", "run-count",
          "learn-ptrace"]
ENV = {**os.environ, "PALE_PATH": str(ROOT / "profiles/sets")}


def limited(what, value):
    return lambda: resource.setrlimit(what, (value, value))


def start(d, name, setting=None, binary=PALE, **kw):
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    p = subprocess.run([binary, *COMMANDS[name][0]], cwd=d, timeout=60, preexec_fn=setting,
                       env=kw.pop("env", ENV), **{**streams, **kw})
    p.stdout, p.stderr = p.stdout or b"", p.stderr or b""
    return p


@pytest.fixture(params=list(COMMANDS) if LONG else PICKED)
def plain(request, tmp_path):
    """(room, command, its files before, what it gives where nothing is short)"""
    name = request.param
    if sanitized():
        pytest.skip("a sanitizer takes memory, descriptors and output of its own")
    if name in ROOT_ONLY:
        need_root()
    d = tmp_path / "w"
    lay_out(d)
    old = files(d)
    p = start(d, name)
    return d, name, old, (p.returncode, comparable(name, p.stdout),
                          {k: comparable(name, v) for k, v in files(d).items()})


def is_loaders(p):
    """It ended before main(): what the dynamic loader or the kernel could not have."""
    return b"error while loading" in p.stderr or b"cannot allocate TLS" in p.stderr or (p.returncode in (-9, -11) and not p.stderr)


@pytest.mark.parametrize("what, values", [
    ("AS", [k << 10 for k in (4600, 6100, 9000)]),
    ("NOFILE", [3, 5, 8]), ("FSIZE", [0, 1000]), ("STACK", [192 << 10]),
])
def test_a_limit_is_met_or_told(plain, what, values):
    d, name, old, good = plain
    for value in values:
        lay_out(d)
        p = start(d, name, limited(getattr(resource, f"RLIMIT_{what}"), value))
        if is_loaders(p):
            continue
        assert judge(name, "x", p, files(d), old, good) in ("same", "clean", "told"), (value, p)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_standard_streams_that_are_closed(plain, closed):
    d, name, old, good = plain
    lay_out(d)
    p = start(d, name, lambda: [os.close(fd) for fd in closed])
    now = files(d)
    assert p.returncode in {good[0], *COMMANDS[name][1]}, p
    assert now == old or {k: comparable(name, v) for k, v in now.items()} == good[2], sorted(now)
    assert not (1 in closed and good[1] and p.returncode == good[0]), "its output went nowhere"
    assert 2 in closed or p.returncode == good[0] or p.stderr


@pytest.mark.parametrize("out", ["/dev/full", "pipe"])
def test_standard_output_that_takes_nothing(plain, out):
    d, name, old, good = plain
    lay_out(d)
    if out == "pipe":
        r, fd = os.pipe()
        os.close(r)
    else:
        fd = os.open(out, os.O_WRONLY)
    with os.fdopen(fd, "wb") as f:
        p = start(d, name, lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN), stdout=f)
    now = files(d)
    assert p.returncode in (COMMANDS[name][1] if good[1] else {good[0], *COMMANDS[name][1]}), p
    assert now == old or {k: comparable(name, v) for k, v in now.items()} == good[2], sorted(now)
    assert p.returncode == good[0] or p.stderr


@pytest.mark.parametrize("room", [0, 8])
def test_a_full_file_system(plain, room):
    need_root()
    d, name, _, good = plain
    lay_out(d)
    shutil.copytree(d / "out", d.parent / "src")
    subprocess.run([need("mount"), "-t", "tmpfs", "-o", f"size={20 + room}k", "none", d / "out"],
                   check=True)
    try:
        shutil.copytree(d.parent / "src", d / "out", dirs_exist_ok=True)
        old, p = files(d), None
        p = start(d, name)
        now = files(d)
    finally:
        subprocess.run([need("umount"), "-l", d / "out"], check=True)
    assert judge(name, "x", p, now, old, good) in ("same", "clean", "told"), p


@pytest.fixture
def nobodys(plain):
    need_root()
    d, name, *_ = plain
    if name in ROOT_ONLY:
        pytest.skip("needs root")
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        top.chmod(0o755)
        shutil.copy(PALE, top / "pale")
        shutil.copytree(ROOT / "profiles/sets", top / "sets")
        lay_out(top / "w")
        yield top, name


def as_nobody(setting=None):
    def become():
        if setting:
            setting()
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return become


def nobody_runs(top, name, mode=0o755, setting=None):
    """In a fresh room whose out/ has that mode: the run, its files before, and behind."""
    lay_out(top / "w")
    for p in [top / "w", *(top / "w").rglob("*")]:
        os.chown(p, NOBODY, NOBODY)
    old = files(top / "w")
    (top / "w/out").chmod(mode)
    p = start(top / "w", name, as_nobody(setting), top / "pale",
              env={**os.environ, "PALE_PATH": str(top / "sets")})
    (top / "w/out").chmod(0o755)
    return p, old, files(top / "w")


def test_directories_without_rights_and_no_more_processes(nobodys):
    top, name = nobodys
    p, _, now = nobody_runs(top, name)
    good = (p.returncode, comparable(name, p.stdout), {k: comparable(name, v) for k, v in now.items()})
    for mode in (0o555, 0o666, 0o333, 0):
        p, old, now = nobody_runs(top, name, mode)
        assert judge(name, "x", p, now, old, good) in ("same", "clean", "told"), (oct(mode), p)
    for n in (2, 3):
        p, old, now = nobody_runs(top, name, setting=limited(resource.RLIMIT_NPROC, n))
        assert judge(name, "x", p, now, old, good) in ("same", "clean", "told"), (n, p)


