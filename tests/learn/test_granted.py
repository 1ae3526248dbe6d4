# SPDX-License-Identifier: Apache-2.0
"""What nobody asked for is not granted: scripts and what runs them, sockets that are only connected to, rings."""
import re
import shutil

from recordings import Recording
from test_awkward import EACH, python
from test_backends import learn
from test_margin import propose, record

DOES = """
import os, socket
os.chdir({dir!r})
server = socket.socket(socket.AF_UNIX)
server.bind("made")
server.listen()
socket.socket(socket.AF_UNIX).connect("made")
if not os.fork():
    os.execv("./script", ["script"])
os.wait()
"""


@EACH
def test_a_script_is_executed_and_what_runs_it_is_not(tmp_path, backend):
    """Since Linux 5.8 AppArmor is asked for x of the script alone; r of it asks whoever reads it."""
    program, inner, script = (tmp_path / name for name in ("program", "inner", "script"))
    shutil.copy("/bin/true", program)
    inner.write_text(f"#!{program}\n")
    script.write_text(f"#!{inner}\n")
    inner.chmod(0o755)
    script.chmod(0o755)
    rec, text = learn(tmp_path, backend, *python(DOES.format(dir=str(tmp_path))))
    assert {p: rec.files[str(p)][0] for p in (program, inner, script)} == {program: "rm", inner: "rm", script: "x"}
    assert re.search(rf"^    file mr {re.escape(str(program))}; #", text, re.M), text
    assert re.search(rf"^    file ix {re.escape(str(script))}; #", text, re.M), text
    assert "what is executed, and what runs it, with m and r" in " ".join(text.replace("#", " ").split())


@EACH
def test_a_socket_that_is_connected_to_says_which_kernels_ask(tmp_path, backend):
    shutil.copy("/bin/true", tmp_path / "script")
    rec, text = learn(tmp_path, backend, *python(DOES.format(dir=str(tmp_path))))
    name = re.escape(str(tmp_path / "made"))
    assert re.search(rf'(?m)^file "{name}" rw( owned)? socket\t1:2@', rec.text), rec.text
    assert re.search(rf"file rw {name}; # 2x, first at .*, connected or sent to, which asks for r and w since Linux 6.17$", text, re.M)
    assert not [line for line in rec.text.splitlines() if line.startswith("file") and " socket\t" in line and "/made" not in line]


def test_a_socket_stays_one_through_a_merge(tmp_path):
    rec = record(tmp_path, ["connect"], 'file "/srv/x" rw owned socket')
    assert " socket\t" in Recording(rec).text and Recording(rec).files["/srv/x"] == ("rw", True)
    text = propose(rec)
    assert "connected or sent to" in text and "file rw /srv/x; # 3x" in text


def test_rings_lock_memory_where_buffers_are_registered_alone(tmp_path):
    """Without it what a ring has counts against a limit, and it is asked for in silence."""
    ask = "capability ipc_lock x86_64 io_uring_setup"
    alone = propose(record(tmp_path, ["io_uring_setup", "io_uring_register"], ask, "value x86_64 io_uring_register 1 0x8"))
    assert "capability ipc_lock" not in alone
    assert "what went through its rings was not seen; ipc_lock, without which its memory counts against RLIMIT_MEMLOCK, is left out" in alone
    for opcode in 0, 15, 16, 0x80000000:
        full = propose(record(tmp_path, ["io_uring_setup", "io_uring_register"], ask, f"value x86_64 io_uring_register 1 {opcode:#x}"))
        assert "capability ipc_lock; #" in full and "is left out" not in full, opcode
    assert "capability ipc_lock; #" in propose(record(tmp_path, ["io_uring_setup", "io_uring_register"], ask)), "an older recording"
    assert "capability ipc_lock; #" in propose(record(tmp_path, ["mlock"], "capability ipc_lock x86_64 mlock"))
