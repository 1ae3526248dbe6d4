# SPDX-License-Identifier: Apache-2.0
"""Every n-th call that pale makes while it reads and writes fails once: the same answer, or a
message, the documented status, the old files and nothing left behind."""
import os
import pathlib
import subprocess

import pytest

from conftest import PALE, ROOT, need

POLICY = ("policy p { arch x86_64, aarch64; layers seccomp, apparmor; default errno EPERM;"
          " allow read, execve; file r /etc/hosts; }\n")
COMMANDS = {
    "compile": ["compile", "-q", "-t", "all", "-o", "out", "p.pale"],
    "fmt -i": ["fmt", "-i", "f.pale"],
    "import": ["import", "-o", "out/i.pale", "p.json"],
    "diff": ["diff", "p.pale", "p.json"],
    "lint": ["lint", "--runtime", "any", "p.json"],
    "sim": ["sim", "p.pale", "read"],
}
# What the dynamic loader makes as well is only counted from the first that is pale's own.
CALLS = {"getrandom": "EAGAIN", "fchmod": "EIO", "fchown": "EIO", "fsync": "EIO", "renameat": "EIO",
         "renameat2": "EIO", "unlinkat": "EIO", "write": "ENOSPC", "mkdir": "EACCES",
         "memfd_create": "EMFILE", "clone": "EAGAIN"}


def files(top):
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


def start(room):
    (room / "p.pale").write_text(POLICY)
    (room / "f.pale").write_text(POLICY)
    (room / "p.json").write_text((ROOT / "profiles/found/docker-default.json").read_text())
    (room / "out").mkdir(exist_ok=True)
    for name in ("p.docker.json", "p.aarch64.bpf", "p.x86_64.bpf", "p.x86_64.2.bpf", "i.pale"):
        (room / "out" / name).write_text("old")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_call_that_fails_once_is_told_or_changes_nothing(tmp_path, monkeypatch, name):
    strace = need("strace")
    # LeakSanitizer does not work under strace.
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0:exitcode=99")
    start(tmp_path)
    before = files(tmp_path)
    argv = [PALE, *COMMANDS[name]]
    log = tmp_path.parent / f"{tmp_path.name}.log"
    whole = subprocess.run([strace, "-o", log, "-e", f"trace={','.join(CALLS)}", *argv], cwd=tmp_path,
                           capture_output=True)
    after, made = files(tmp_path), log.read_text()
    same = told = 0
    for call, error in CALLS.items():
        count = made.count(f"\n{call}(") + made.startswith(f"{call}(")
        for n in range(1, min(count, 8) + 1):
            for f in tmp_path.rglob("*"):
                if f.is_file():
                    f.unlink()
            start(tmp_path)
            r = subprocess.run([strace, "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                f"inject={call}:error={error}:when={n}", *argv], cwd=tmp_path,
                               capture_output=True, timeout=60)
            now = files(tmp_path)
            if (r.returncode, r.stdout) == (whole.returncode, whole.stdout) and now == after:
                same += 1
                continue
            where = f"{call} {n} of {count}: {r.returncode}, {r.stderr[-300:]}"
            assert r.returncode == 3 or call == "write" and whole.stderr, where
            assert r.stderr or call == "write", where
            assert now == before or b"cannot remove" in r.stderr, (where, sorted(now))
            told += 1
    print(f"figure: injected faults, {name}: {same} same, {told} told, 0 silent")
    assert same + told or not made
