# SPDX-License-Identifier: Apache-2.0
"""Who is recorded is told by a bit a thread number: it goes with the task, not with the number."""
import pathlib
import subprocess

import pytest

from conftest import BUILD, PALE, PATIENCE, need_root
from recordings import Recording

LAST = pathlib.Path("/proc/sys/kernel/ns_last_pid")
SPIN = BUILD / "tests/learn/probes/spin"


def start_as(numbers, argv):
    """A process with one of these numbers; whoever else is started meanwhile may take one."""
    for number in numbers:
        LAST.write_text(str(number - 1))
        p = subprocess.Popen(argv)
        if p.pid in numbers:
            return p
        p.wait(PATIENCE)
    return None


@pytest.mark.once
@pytest.mark.parametrize("backend", ["ebpf-btf", "ebpf-raw"])
def test_a_stranger_with_the_number_of_a_recorded_process_is_not_recorded(tmp_path, backend):
    need_root()
    rec = tmp_path / "rec"
    p = subprocess.Popen([PALE, "learn", "--backend", backend, "-o", tmp_path / "p", "-r", rec, "--", "sh", "-c",
                          "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sh -c 'echo $$'; done; echo end; read x"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        numbers = [int(line) for line in iter(p.stdout.readline, "end\n")]
        assert len(numbers) == 12
        stranger = start_as(numbers, [SPIN, "777"])
        assert stranger, "none of the numbers was to be had"
        assert stranger.wait(PATIENCE) == 0
    finally:
        _, err = p.communicate("\n", timeout=PATIENCE)
    assert p.returncode == 0, err
    assert ("x86_64", "wait4") in Recording(rec).calls
    assert Recording(rec).calls.get(("x86_64", "getppid"), 0) < 777
