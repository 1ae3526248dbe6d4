# SPDX-License-Identifier: Apache-2.0
"""The runtimes that `make deps-runtimes` fetched: one of them, or a skip with the reason."""
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tests" / "runtimes.sh"
FETCHED = ROOT / "build" / "runtimes"
ROWS = re.findall(r"^((?:runc|crun)-[0-9.]+)\t", SCRIPT.read_text(), re.M)


class Runtime:
    """full: as --runtime takes it; lib: its own libseccomp, for what asks the library, such as
    pale; None: the installed one."""

    def __init__(self, path, full, lib=None):
        self.path, self.full = str(path), full
        self.name = full.split("+")[0]
        self.kind = self.name.split("-")[0]
        self.version = tuple(int(n) for n in re.findall(r"\d+", self.name))
        self.env = {**os.environ, **({"LD_LIBRARY_PATH": str(lib)} if lib else {})}

    def argv(self, state):
        return as_argv(self.path, state)


def as_argv(path, state):
    """A runtime's command line: crun refuses a hybrid cgroup layout, and runs where the unified
    half is out of sight."""
    argv = [str(path), "--root", str(state)]
    if os.path.basename(path) == "runc":
        return argv
    return ["unshare", "-m", "sh", "-c", 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"', *argv]


def fetched(name):
    """A row of `make deps-runtimes`; skips where it could not be had."""
    from conftest import need_root, skip  # as_argv() above is also asked where there is no pytest
    need_root()
    d = FETCHED / name
    if not (d / "name").exists():
        skipped = d / "skipped"
        skip(f"{name} " + (skipped.read_text().strip() if skipped.exists() else
                           "could not be had: 'make deps-runtimes' did not run"))
    return Runtime(d / "bin" / name.split("-")[0], (d / "name").read_text().strip(), d / "lib")


def library():
    """The installed libseccomp, as --runtime takes it: the one that pale can ask."""
    from conftest import program, run
    return "libseccomp-" + run([program("oci/loaded"), "installed", "-", "-", "-"], check=0).out.strip()


def asked():
    """The option with which import and compile foretell what the installed libseccomp builds; none
    where that is the one of their default."""
    return [] if library().startswith("libseccomp-2.5.4") else ["--runtime", "runc-1.1+" + library()]


def installed(kind):
    """This machine's own runc or crun, with its libseccomp."""
    from conftest import need, need_root, run
    need_root()
    path = need(kind)
    version = re.search(r"version ([0-9.]+)", run([path, "--version"], check=0).out)[1]
    return Runtime(path, f"{kind}-{version}+{library()}")
