# SPDX-License-Identifier: Apache-2.0
"""What the kernel asks about beside what programs came for: by calls that fail, that only ask, or that make another one."""
import re

import pytest

from conftest import PALE, run, skip
from test_awkward import python
from test_backends import PROBES, learn

EACH = pytest.mark.parametrize("backend", ["ebpf", "ptrace", "seccomp"])


@EACH
def test_sockets_that_socketcall_makes_are_those_of_the_calls_it_stands_for(tmp_path, backend, monkeypatch):
    """Which 32-bit programs of glibc make theirs by. Its arguments may end where a page does."""
    at = tmp_path / "s"
    monkeypatch.chdir(tmp_path)
    if run([PROBES / "packed", "s"]).rc == 9:
        skip("this kernel has no i386 emulation")
    at.unlink()
    rec, text = learn(tmp_path, backend, PROBES / "packed", "s")
    assert rec.files[str(at)] == ("w", True), rec.files
    assert rec.losses == "none", rec.losses
    assert rec.tuples == {("socketcall", 1, 1, 0), ("socketcall", 2, 2, 0)}, rec.tuples
    plain = re.sub(" +", " ", text)
    assert "network unix stream;" in plain and "network inet dgram;" in plain, text
    assert "allow socketcall; # 3x" in plain and "errno ENOSYS socketcall" not in plain, text
    assert ("i386", "socket") not in rec.calls and ("i386", "bind") not in rec.calls
    again = run([PALE, "propose", tmp_path / f"{backend}.rec"]).out
    assert "network inet dgram;" in re.sub(" +", " ", again)
    profile = run([PALE, "compile", "-q", "-t", "apparmor", "-o", "-", tmp_path / f"{backend}.pale"]).out
    assert "network inet dgram," in profile and "network unix stream," in profile, profile


@EACH
def test_a_name_that_led_by_a_process_that_is_gone_is_no_name_of_a_file(tmp_path, backend):
    """Where programs may stand at the kernel's questions it is the file; else it is lost, and said."""
    rec = learn(tmp_path, backend, *python(
        f"os.chdir('{tmp_path}'); pid = os.fork() or (signal.pause(), os._exit(0))\n"
        "bad = call(83, f'/proc/{pid}/cwd/made'.encode(), 0o700); os.kill(pid, 9); os.wait(); os._exit(bad)"), rc=None, options=["--allow-loss"])[0]
    assert not [f for f in rec.files if re.match(r"/proc/\d+/cwd", f)], rec.files
    if rec.losses == "none":
        assert rec.files[f"{tmp_path}/made/"] == ("w", True), rec.files
    else:
        assert re.search(r'(?m)^lost "/proc/\d+/cwd/made" w link', rec.text), rec.text
