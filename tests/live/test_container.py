# SPDX-License-Identifier: Apache-2.0
"""The examples' workloads in runc, under the JSON that compile writes: the runtime starts them,
with and without no-new-privileges, and every request is answered."""
import sys

import pytest

from conftest import PALE, ROOT, need, need_root, program, run

NAMES = sorted(p.stem for p in (ROOT / "profiles" / "examples").glob("*.pale"))
WORKLOADS, IN_RUNC = ROOT / "tests" / "workloads.py", ROOT / "tests" / "live" / "in_runc.py"


def in_runc(name, policy, mode, tmp_path):
    need_root()
    need("runc")
    if name == "echo":
        program("live/echo")
    profile = tmp_path / "profile.json"
    run([PALE, "compile", "-q", "-t", "oci", "-o", profile, policy], check=0)
    return run([sys.executable, WORKLOADS, name, sys.executable, IN_RUNC, profile, mode],
               timeout=120)


@pytest.mark.parametrize("mode", ["nnp", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_example_serves_in_runc(name, mode, tmp_path):
    r = in_runc(name, ROOT / "profiles" / "examples" / f"{name}.pale", mode, tmp_path)
    assert r.rc == 0, r


def test_a_learned_policy_serves_in_runc(tmp_path):
    need_root()
    policy = tmp_path / "nginx.pale"
    run([sys.executable, WORKLOADS, "nginx", PALE, "learn", "--for", "run,runc-nnp", "-o", policy,
         "--"], check=0)
    r = in_runc("nginx", policy, "nnp", tmp_path)
    assert r.rc == 0, r


def test_it_is_the_filter_that_decides(tmp_path):
    text = (ROOT / "profiles" / "examples" / "nginx.pale").read_text()
    policy = tmp_path / "nginx.pale"
    assert ", accept4," in text
    policy.write_text(text.replace(", accept4,", ","))
    r = in_runc("nginx", policy, "nnp", tmp_path)
    assert r.rc == 1 and "timed out" in r.err, r
