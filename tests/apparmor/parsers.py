# SPDX-License-Identifier: Apache-2.0
"""AppArmor's own parsers, four releases side by side: those of the guests' Debians and forky's, run
on this machine by their own loader. Nothing is installed, no guest is booted."""
import fcntl
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "guest"), str(HERE.parent)]
from guest import CACHE, HERE as GUEST, NAMES  # noqa: E402

# The release as `--target apparmor=` has it, and the row of tests/guest/fetch.sh that brings it.
ROWS = {"3.0": "debian12", "4.1": "debian13", "4.1.8": "forky", "5.0": "sid"}


def fetch(names):
    """By the first that asks; the others wait."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in names if not (CACHE / name / "name").exists()]
        if missing:
            subprocess.run(["sh", GUEST / "fetch.sh", CACHE, *missing], check=True, stdout=subprocess.DEVNULL)


class Parser:
    """One release of apparmor_parser. Skips where it cannot be had."""

    def __init__(self, release):
        self.release, self.root = release, CACHE / ROWS[release] / "parser"
        fetch([ROWS[release]])
        if not self.root.exists():
            reason = (self.root.parent / "skipped").read_text().strip()
            pytest.skip(f"apparmor_parser {release} could not be had: {reason}")
        self.program = next(p for p in (self.root / "usr/sbin/apparmor_parser", self.root / "sbin/apparmor_parser") if p.exists())
        self.libraries = [p for p in (self.root / "usr/lib/x86_64-linux-gnu", self.root / "lib/x86_64-linux-gnu") if p.exists()]
        self.loader = next(p / "ld-linux-x86-64.so.2" for p in self.libraries if (p / "ld-linux-x86-64.so.2").exists())
        self.features = self.root / "usr/share/apparmor-features/features"
        self.base = self.root / "etc/apparmor.d"

    def run(self, *args, **kw):
        argv = [self.loader, "--library-path", ":".join(map(str, self.libraries)), self.program, "--config-file", "/dev/null", *args]
        return subprocess.run([os.fspath(a) for a in argv], capture_output=True, timeout=300, **kw)

    def ask(self, *args, features=None, base=None, **kw):
        """The compiled policy, or None where it refuses; what it said is in self.said."""
        got = self.run("-Q", "-K", "-S", "--policy-features" if features is None else "-M", features or self.features,
                       *(["--base", base or self.base]), *args, **kw)
        self.said = got.stderr.decode(errors="replace")
        return got.stdout if got.returncode == 0 else None


if __name__ == "__main__":
    fetch(dict.fromkeys([*ROWS.values(), *NAMES]))
