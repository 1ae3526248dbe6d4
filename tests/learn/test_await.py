# SPDX-License-Identifier: Apache-2.0
"""A tracer that stays awake for the next stop hears signals all the same."""
import signal
import subprocess

import pytest

from conftest import PALE, PATIENCE, PYTHON
from recordings import Recording
from test_backends import usable
from test_snapshots import wait_for

OPENS = 6000  # at two stops each, those of a task that lasts (learn/trace_ptrace.c)
LOOP = f"import os\nn = 0\nwhile True:\n os.close(os.open('/dev/null', 0))\n n += 1\n if n == {OPENS}: print('on', flush=True)\n"


@pytest.mark.parametrize("backend", ["ptrace", "seccomp"])
def test_one_that_is_never_asleep_is_asked_for_a_snapshot_and_for_its_end(tmp_path, backend):
    usable(backend)
    rec = tmp_path / "rec"
    p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "-r", rec, "--every", "1h", "--backend", backend, "--", PYTHON, "-ESc", LOOP],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "on\n"
    p.send_signal(signal.SIGUSR1)
    wait_for(rec.exists)
    early = Recording(rec).calls["x86_64", "openat"]
    p.send_signal(signal.SIGINT)
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 130, err
    assert OPENS <= early < Recording(rec).calls["x86_64", "openat"] and Recording(rec).losses == "none"
