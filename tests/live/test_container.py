# SPDX-License-Identifier: Apache-2.0
"""The examples' workloads in runc and crun, under the JSON that compile writes: the runtime starts
them, with and without no-new-privileges, every request is answered, and a health check joins."""
import os
import shlex
import sys

import pytest

from conftest import PALE, PATIENCE, ROOT, need_root, program, run
from runtimes import ROWS, fetched, installed

NAMES = sorted(p.stem for p in (ROOT / "profiles" / "examples").glob("*.pale"))
WORKLOADS, IN_RUNC = ROOT / "tests" / "workloads.py", ROOT / "tests" / "live" / "in_runc.py"


def in_runtime(rt, name, policy, mode, tmp_path):
    """The workload; once it listens, a health check joins it."""
    if name == "echo":
        program("live/echo")
    profile, where = tmp_path / "profile.json", tmp_path / f"{rt.name}-{name}-{mode}-{os.getpid()}"
    run([PALE, "compile", "-q", "-t", "oci", "--runtime", rt.full, "-o", profile, policy], check=0)
    join = [sys.executable, IN_RUNC, "--join", where, rt.path, "/bin/busybox", "true"]
    return run([sys.executable, WORKLOADS, name, sys.executable, IN_RUNC, where, rt.path, profile, mode], timeout=PATIENCE,
               env={**os.environ, "WORKLOAD_READY": shlex.join(map(str, join))})


@pytest.mark.parametrize("mode", ["nnp", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_example_serves_in_runc(name, mode, tmp_path):
    r = in_runtime(installed("runc"), name, ROOT / "profiles" / "examples" / f"{name}.pale", mode, tmp_path)
    assert r.rc == 0, r


EACH = [(row, name, mode) for row in ROWS for name in NAMES for mode in ("nnp", "plain")]
SLICE = EACH if os.environ.get("PALE_LONG") else EACH[::3]  # three examples in both modes under each


@pytest.mark.once
@pytest.mark.parametrize("row, name, mode", SLICE)
def test_each_example_serves_and_is_joined_under_each_runtime(row, name, mode, tmp_path):
    r = in_runtime(fetched(row), name, ROOT / "profiles" / "examples" / f"{name}.pale", mode, tmp_path)
    assert r.rc == 0, r


@pytest.mark.once
@pytest.mark.parametrize("row, cut, words", [("runc-1.3.6", "fstatfs", "fstatfs fsmount"),
                                             ("crun-1.28", "setgroups", "setgroups: Operation not permitted")])
def test_without_a_call_of_the_start_sets_nothing_starts_or_joins(row, cut, words, tmp_path):
    policy = tmp_path / "redis.pale"
    text = (ROOT / "profiles" / "examples" / "redis.pale").read_text()
    policy.write_text(f"{text.rstrip().removesuffix('}')}    errno EPERM {cut};\n}}\n")
    r = in_runtime(fetched(row), "redis", policy, "nnp", tmp_path)
    assert r.rc == 1 and words in r.err, r


def test_a_learned_policy_serves_in_runc(tmp_path):
    need_root()
    policy = tmp_path / "nginx.pale"
    run([sys.executable, WORKLOADS, "nginx", PALE, "learn", "--for", "run,runc-nnp", "-o", policy,
         "--"], check=0)
    r = in_runtime(installed("runc"), "nginx", policy, "nnp", tmp_path)
    assert r.rc == 0, r


def test_it_is_the_filter_that_decides(tmp_path):
    text = (ROOT / "profiles" / "examples" / "nginx.pale").read_text()
    policy = tmp_path / "nginx.pale"
    assert ", accept4," in text
    policy.write_text(text.replace(", accept4,", ","))
    r = in_runtime(installed("runc"), "nginx", policy, "nnp", tmp_path)
    assert r.rc == 1 and "timed out" in r.err, r
