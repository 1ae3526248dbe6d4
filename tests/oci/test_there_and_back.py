# SPDX-License-Identifier: Apache-2.0
"""JSON becomes a policy and JSON again, and a policy JSON and a policy again: never another meaning, for
whoever loads it. What cannot be said is refused by name."""
import json
import os
import re

import pytest

import profiles
from conftest import program, run

ROWS = ["debian12", "debian13", "docker-28.5", "podman-4.3", "podman-5.8"]
LONG = bool(os.environ.get("PALE_LONG"))


def compiled(pale, runtime, dialect, policy, out):
    """False: refused by name."""
    r = pale("compile", "-q", "-t", dialect, "--runtime", runtime, "-o", out, policy)
    assert r.rc == 0 or r.rc == 1 and re.search(r": error: .*\[PL2\d\d |: error: .*\[PL1\d\d ", r.err), r
    return r.rc == 0


def same(pale, runtime, a, b):
    r = pale("diff", "--runtime", runtime, a, b)
    assert r.rc == 0 and "\nsame: " in r.out, r


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_a_profile_becomes_a_policy_and_the_same_profile_again(pale, tmp_path, row):
    there, runtime = 0, ROWS[row]
    for seed in range(row, 3000 if LONG else 60, len(ROWS)):
        a, p, b = (tmp_path / f"{seed}.{kind}" for kind in ("a.json", "pale", "b.json"))
        docker = seed % 3 != 0
        a.write_text(json.dumps(profiles.profile(seed, docker)))
        r = pale("import", "--runtime", runtime, "--name", "p", "-o", p, a)
        assert r.rc == 0 or r.rc == 1 and re.search(r": error: .*\[\w+ [a-z0-9-]+\]", r.err), (seed, r)
        if r.rc or not compiled(pale, runtime, "docker" if docker else "oci", p, b):
            continue
        same(pale, runtime, a, b)
        there += 1
    assert there >= 2


@pytest.mark.once  # the policies are made by a program of its own
@pytest.mark.parametrize("row", range(len(ROWS)))
def test_a_policy_becomes_json_and_the_same_policy_again(pale, tmp_path, row):
    there, runtime = 0, ROWS[row]
    for index in range(row, 2000 if LONG else 50, len(ROWS)):
        a, p, q, b = (tmp_path / f"{index}.{kind}" for kind in ("a.json", "p.pale", "q.pale", "b.json"))
        text = run([program("random/json"), "-s", 7, "-i", index]).out
        p.write_text(text[:text.index("\n}\n") + 3])
        dialect = "docker" if "when " in text or index % 2 else "oci"
        if not compiled(pale, runtime, dialect, p, a):
            continue
        r = pale("import", "--runtime", runtime, "--name", "r", "-o", q, a)
        if "SJ030" in r.err or "SJ009" in r.err:  # for other machines than this, or newer runtimes
            continue
        assert r.rc == 0, (index, r)
        assert compiled(pale, runtime, dialect, q, b), index
        known = pale("diff", "--runtime", runtime, a, b)
        if known.rc == 1 and "SJ009" in known.err:  # told by compile (PL291)
            continue
        same(pale, runtime, a, b)
        there += 1
    assert there >= 2


@pytest.mark.parametrize("runtime, who", [("debian12", "runc"), ("podman-4.3", "crun"), ("debian13", None), ("podman-5.8", None)])
@pytest.mark.parametrize("dialect", ["docker", "oci"])
def test_an_architecture_that_the_runtime_has_no_word_for_is_told(pale, tmp_path, runtime, who, dialect):
    f = tmp_path / "p.pale"
    f.write_text("policy p { arch loongarch64; level linux 6.18; layers seccomp; default errno EPERM; unknown errno ENOSYS; allow read; }")
    r = pale("compile", "-t", dialect, "--runtime", runtime, "-o", "/dev/null", f, check=0)
    said = f"this {who} has no word for 'loongarch64' and starts no container with this JSON"
    assert ("[PL291 runtime-word]" in r.err) == bool(who) and (not who or said in r.err), r
