# SPDX-License-Identifier: Apache-2.0
"""The runtimes that `make deps-runtimes` fetched: one of them, or a skip with the reason."""
import re

import pytest

from conftest import ROOT, need, need_root

SCRIPT = ROOT / "tests" / "runtimes.sh"
FETCHED = ROOT / "build" / "runtimes"
ROWS = re.findall(r"^((?:runc|crun)-[0-9.]+)\t", SCRIPT.read_text(), re.M)


class Runtime:
    """name: a row of ROWS; kind: runc or crun; full: as --runtime takes it; program: its path;
    env: with its own libseccomp for what asks the library, such as pale."""

    def __init__(self, name):
        d = FETCHED / name
        self.name, self.kind = name, name.split("-")[0]
        self.version = tuple(int(n) for n in name.split("-")[1].split("."))
        self.full = (d / "name").read_text().strip()
        self.program = str(d / "bin" / self.kind)
        self.env = {"LD_LIBRARY_PATH": str(d / "lib")}

    def argv(self, state):
        argv = [self.program, "--root", str(state)]
        return argv if self.kind == "runc" else crun_argv(argv)


def crun_argv(argv):
    """crun refuses a hybrid cgroup layout: it runs where the unified half is out of sight."""
    return ["unshare", "-m", "sh", "-c", 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"', *argv]


def fetched(name):
    need_root()
    need("unshare")
    d = FETCHED / name
    if not (d / "name").exists():
        skipped = d / "skipped"
        pytest.skip(f"{name} " + (skipped.read_text().strip() if skipped.exists() else
                                  "could not be had: 'make deps-runtimes' did not run"))
    return Runtime(name)
