# SPDX-License-Identifier: Apache-2.0
"""The program is the policy: on examples and random policies, and a wrong program is noticed."""
import os
import random
import re
import subprocess

import pytest

from conftest import BUILD, ROOT, program, run
import policies

EXAMPLES = sorted((ROOT / "profiles" / "examples").glob("*.pale"))
CALLS = int(os.environ.get("EQUAL_CALLS", "10000000"))
X86_64_ALONE = """policy alone {
	level linux 6.18; layers seccomp; arch x86_64;
	default allow; unknown allow; foreign kill-process;
	kill ptrace;
}
"""
# More than 255 instructions lie between some tests and their targets.
LONG = """policy long {
	level linux 6.18; layers seccomp; arch x86_64; default errno EPERM;
	allow read, ioctl(reg arg1 in {%s});
}
""" % ", ".join(str(n * 2654435761 % 2 ** 32) for n in range(1, 600))


def test_policies_and_programs_agree_on_ten_million_calls(tmp_path, record_property):
    files = EXAMPLES + policies.write(1, 60, tmp_path)
    env = {**os.environ, "PALE_SETS": str(ROOT / "profiles" / "sets")}
    r = run([program("sim/equal"), "-n", CALLS, *files], env=env, timeout=300)
    record_property("figure", "policy and BPF: " + r.out.strip().splitlines()[-1])
    assert r.rc == 0, r
    m = re.search(r"(\d+) policies, .* (\d+) calls, .* 0 differences, 0 not verified", r.out)
    assert m and int(m[1]) >= 60 + len(EXAMPLES) and int(m[2]) >= CALLS, r


def test_every_policy_names_four_architectures(tmp_path):
    for path in policies.write(1, 60, tmp_path):
        assert "arch x86_64, x32, i386, aarch64;" in path.read_text()


@pytest.fixture(scope="module")
def planted():
    """A build whose generator has its bugs; never the one that is installed."""
    build = ROOT / "build" / "plant"
    subprocess.run(["make", "-s", "-C", str(ROOT), "build/plant/pale", "build/plant/tests/sim/equal"], check=True, timeout=300)
    return build


@pytest.mark.xdist_group("plant")  # one build of it at a time
def test_verification_catches_every_planted_bug(planted, tmp_path):
    alone = tmp_path / "alone.pale"
    alone.write_text(X86_64_ALONE + LONG)
    plants = re.search(r"PLANT_NONE,(.*?)PLANT_NR", (ROOT / "compiler/cbpf/gen.h").read_text(), re.S)
    n = len(re.findall(r"PLANT_\w+,", plants[1]))
    assert n >= 5
    r = run([planted / "tests/sim/equal", "-p", n, alone, *policies.write(3, 12, tmp_path)])
    print(r.out)
    assert r.rc == 0, r


@pytest.mark.xdist_group("plant")  # one build of it at a time
def test_compile_writes_nothing_when_the_program_is_wrong(planted, tmp_path):
    policy, out = tmp_path / "alone.pale", tmp_path / "alone.bpf"
    policy.write_text(X86_64_ALONE)
    argv = [planted / "pale", "compile", policy, "-t", "bpf", "-o", out]
    r = run(argv, env={**os.environ, "PALE_PLANT": "3"})
    assert r.rc == 1 and "not-proved" in r.err and not out.exists(), r
    assert "nr 1073741824" in r.err or re.search(r"nr \d{10}", r.err), r
    assert run(argv, env={**os.environ, "PALE_PLANT": "0"}).rc == 0 and out.exists()


def test_the_installed_build_has_no_planted_bugs(pale, tmp_path):
    policy = tmp_path / "alone.pale"
    policy.write_text(X86_64_ALONE)
    for n in range(1, 12):
        r = run([pale.path, "compile", policy, "-t", "bpf", "-o", tmp_path / "x.bpf"],
                env={**os.environ, "PALE_PLANT": str(n)})
        assert r.rc == 0, r


def raw_calls(n, seed):
    """Lines of `sim --raw`: near the numbers and values that policies.py uses."""
    rand = random.Random(seed)
    numbers = [0, 1, 16, 40, 62, 72, 109, 157, 234, 292, 334, 435, 470, 471, 9999, -1, 0x40000000]
    for _ in range(n):
        args = " ".join(hex(rand.choice(policies.W64)) for _ in range(6))
        nr = rand.choice(numbers) if rand.random() < .5 else rand.randrange(480)
        yield f"{rand.choice(['x86_64', 'x32', 'i386'])} {nr} {args}"


def test_sim_as_policy_and_as_bpf_agree_line_by_line(pale, tmp_path):
    lines = "\n".join(raw_calls(3000, 7)) + "\n"
    for path in EXAMPLES + policies.write(4, 4, tmp_path):
        a, b = (pale("sim", path, "--raw", "--as", way, "--sets", ROOT / "profiles/sets",
                     input=lines, check=0).out for way in ("policy", "bpf"))
        assert a == b and a.count("\n") == 3000, path
