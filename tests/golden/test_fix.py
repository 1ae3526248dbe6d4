# SPDX-License-Identifier: Apache-2.0
"""A misspelt word that can be one word alone: the JSON diagnostic holds the edit that mends it."""
import json

import pytest

from conftest import PALE, run

POLICY = """policy p {{
	program /bin/true; level linux 6.1; layers {layer}; arch {arch}; default errno EPERM;
	{allow} {call}({arg} == {value});
}}
"""
RIGHT = {"layer": "seccomp", "arch": "x86_64", "allow": "allow", "call": "socket", "arg": "family", "value": "AF_UNIX"}
PROFILE = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
           "syscalls": [{"names": ["read", "openat"], "action": "SCMP_ACT_ALLOW", "args": [
               {"index": 0, "value": 5, "op": "SCMP_CMP_EQ"}], "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}


def fixes(file, *command):
    out = [json.loads(line) for line in run([PALE, "--diag=json", *command, file]).err.splitlines()
           if line.startswith("{")]
    return [d["fixes"][0]["edits"][0] for d in out if "fixes" in d]


def mended(file, fix):
    """The file's bytes with the edit made; what it replaced."""
    was = file.read_bytes()
    return (was[:fix["begin"]] + fix["replacement"].encode() + was[fix["end"]:]).decode()


@pytest.mark.parametrize("what, wrong", [("layer", "secomp"), ("arch", "x86_46"), ("allow", "alow"), ("call", "soket"),
                                         ("arg", "famly"), ("value", "AF_UNX"), ("value", "af_unx")])
def test_a_misspelt_word_of_a_policy_is_mended_by_its_fix(tmp_path, what, wrong):
    file = tmp_path / "p.pale"
    file.write_text(POLICY.format(**{**RIGHT, what: wrong}))
    fix = fixes(file, "compile", "-o", tmp_path / "out")[0]
    assert fix["file"] == str(file)
    right = RIGHT[what].lower() if wrong.islower() else RIGHT[what]
    assert mended(file, fix) == POLICY.format(**{**RIGHT, what: right})


@pytest.mark.parametrize("right, wrong", [
    ("SCMP_ACT_ERRNO", "SCMP_ACT_ERNO"), ("SCMP_ACT_ALLOW", "SCMP_ACT_ALOW"), ("SCMP_ARCH_X86_64", "SCMP_ARCH_X8664"),
    ("SCMP_ARCH_X86_64", "x86_64"), ("SCMP_CMP_EQ", "SCMP_CMP_EEQ"), ("CAP_SYS_ADMIN", "sys_admin"),
    ("names", "nmaes")])
def test_a_misspelt_word_of_a_profile_is_mended_by_its_fix(tmp_path, right, wrong):
    file, text = tmp_path / "p.json", json.dumps(PROFILE, indent=1)
    file.write_text(text.replace(f'"{right}"', f'"{wrong}"'))
    assert file.read_text() != text
    assert mended(file, fixes(file, "import")[0]) == text


def test_a_call_that_may_be_newer_is_not_mended(tmp_path):
    file = tmp_path / "p.json"
    file.write_text(json.dumps(PROFILE, indent=1).replace('"openat"', '"opennat"'))
    r = run([PALE, "--diag=json", "import", file])
    assert "SC101" in r.err and "'openat'" in r.err and '"fixes"' not in r.err, r


def test_a_guess_is_no_fix(tmp_path):
    file = tmp_path / "p.pale"
    for call in "opnatx", "getxid", "nosuchcall":  # two edits away; getuid and getgid; nothing near
        file.write_text(POLICY.format(**{**RIGHT, "call": call}))
        r = run([PALE, "--diag=json", "compile", "-o", tmp_path / "out", file])
        assert r.rc == 1 and "PL114" in r.err and '"fixes"' not in r.err, r
