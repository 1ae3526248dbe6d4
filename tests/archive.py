# SPDX-License-Identifier: Apache-2.0
"""Packages of other Debian suites, unpacked in a folder: nothing is installed.

    root = unpacked("sid", "linux-libc-dev")      # root / "usr" / "include" ...

The archive is the one that this machine's apt knows, asked with a state of its own; versions are
looked up, not pinned. Where it does not answer the test is skipped with the reason.
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, need

CACHE = pathlib.Path(os.environ.get("PALE_ARCHIVE_CACHE", ROOT / "build" / "archive"))
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def mirror():
    need("apt-get")
    out = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                          "Created-By: Packages"], capture_output=True, text=True,
                         check=False).stdout
    found = [u for u in out.splitlines() if u.endswith("debian/")]
    if not found:
        pytest.skip("this machine's apt knows no Debian archive")
    return found[0]


def apt(state, *argv, cwd=None):
    options = {"Dir::Etc::SourceList": state / "list", "Dir::Etc::SourceParts": "/dev/null",
               "Dir::Etc::Preferences": "/dev/null", "Dir::Etc::PreferencesParts": "/dev/null",
               "Dir::State": state, "Dir::State::status": state / "status", "Dir::Cache": state,
               "Acquire::Check-Valid-Until": "false", "Acquire::Languages": "none",
               "Acquire::Retries": "2", "APT::Sandbox::User": "root"}
    return subprocess.run(["apt-get", "-q", *(f"-o{k}={v}" for k, v in options.items()), *argv],
                          cwd=cwd, capture_output=True, text=True, check=False)


def refused(what, r):
    lines = [line for line in (r.stderr + r.stdout).splitlines() if re.match("[EW]:", line)]
    pytest.skip(f"the archive has no {what}: {lines[-1] if lines else 'apt-get failed'}")


def lists(state, suite):
    if (state / "done").exists():
        return
    shutil.rmtree(state, ignore_errors=True)
    for d in ("lists/partial", "archives/partial"):
        (state / d).mkdir(parents=True)
    (state / "status").touch()
    (state / "list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    r = apt(state, "update")
    if r.returncode or not any((state / "lists").glob("*Packages*")):
        refused(f"lists of {suite}", r)
    (state / "done").touch()


def unpacked(suite, *packages):
    CACHE.mkdir(parents=True, exist_ok=True)
    state = CACHE / suite
    with open(CACHE / f"{suite}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lists(state, suite)
        for package in packages:
            root = CACHE / f"{suite}-{package}"
            if root.exists():
                continue
            part = root.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            (part / "deb").mkdir(parents=True)
            r = apt(state, "download", package, cwd=part / "deb")
            debs = list((part / "deb").glob("*.deb"))
            if not debs:
                refused(f"{package} in {suite}", r)
            subprocess.run(["dpkg", "-x", str(debs[0]), str(part)], check=True)
            shutil.rmtree(part / "deb")
            part.rename(root)
    return CACHE / f"{suite}-{packages[-1]}"
