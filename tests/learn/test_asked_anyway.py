# SPDX-License-Identifier: Apache-2.0
"""What the kernel asks about beside what programs came for: by calls that fail, that only ask, or that make another one."""
import re

import pytest

from test_awkward import python
from test_backends import learn

EACH = pytest.mark.parametrize("backend", ["ebpf", "ptrace", "seccomp"])


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
