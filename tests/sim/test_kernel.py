# SPDX-License-Identifier: Apache-2.0
"""The running kernel agrees: with the verdicts, with the checker, with the simulator."""
import os
import platform
import re

import pytest

from conftest import PATIENCE, ROOT, program, run, some
import policies

EXAMPLES = sorted((ROOT / "profiles" / "examples").glob("*.pale"))


@pytest.fixture(autouse=True)
def x86_64():
    if platform.machine() != "x86_64":
        pytest.skip("needs an x86_64 kernel")


def test_ten_thousand_real_calls_get_the_policys_verdicts(tmp_path, record_property):
    files = EXAMPLES + policies.write(5, 24, tmp_path)
    env = {**os.environ, "PALE_SETS": str(ROOT / "profiles" / "sets")}
    r = run([program("sim/verdicts"), 3 * some(6700), *files], env=env, timeout=PATIENCE)
    record_property("figure", "policy and kernel: " + r.out.strip().splitlines()[-1])
    assert r.rc == 0, r
    m = re.search(r"(\d+) calls \((\d+) i386, (\d+) x32, (\d+) of number -1\): (\d+) deaths, "
                  r"(\d+) traps, (\d+) errnos, (\d+) let pass; 0 differences", r.out)
    assert m and int(m[1]) >= some(10000), r
    assert all(int(n) > 0 for n in m.groups()), r


def test_the_checker_takes_exactly_what_the_kernel_attaches():
    r = run([program("sim/programs"), "check", 3000], timeout=PATIENCE)
    print(r.out)
    m = re.search(r"3000 programs, (\d+) attached; 0 differences", r.out)
    assert r.rc == 0 and m and 300 < int(m[1]) < 2700, r


def test_the_simulator_computes_what_the_kernel_computes():
    r = run([program("sim/programs"), "run", 1500], timeout=PATIENCE)
    print(r.out)
    m = re.search(r"(\d+) calls, (\d+) deaths; 0 differences", r.out)
    assert r.rc == 0 and m and int(m[1]) > 5000 and int(m[2]) > 10, r
