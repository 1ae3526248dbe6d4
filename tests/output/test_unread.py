# SPDX-License-Identifier: Apache-2.0
"""A FILE that cannot be read is said in every command by one diagnostic, also as JSON."""
import json

import pytest

from conftest import AS_NOBODY, PALE, need, need_root, run

COMMANDS = {  # FILE is put where {} stands; what a command answers beside that is not looked at
    "check": ["{}"], "compile": ["-t", "bpf", "-o", "x", "{}"], "lint": ["--format", "json", "{}"], "sim": ["{}", "read"],
    "explain": ["{}", "read"], "diff": ["{}", "{}"], "import": ["{}"], "fmt": ["{}"],
    "run": ["{}", "--", "/bin/true"],
}
GOOD = "policy p { layers seccomp; arch x86_64; default errno EPERM; allow read; }\n"


def said(pale, name, path, **kw):
    """The status, and what is told as a list of diagnostics; each line of it has to be one."""
    argv = [a.format(path) for a in COMMANDS[name]]
    r = pale(name, *([] if name == "lint" else ["--diag=json"]), *argv, **kw)
    if name == "lint":
        return r, json.loads(r.out)["findings"]
    return r, [json.loads(line) for line in r.err.splitlines()]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_not_there_is_a_diagnostic(pale, tmp_path, name):
    r, told = said(pale, name, tmp_path / "none.pale", cwd=tmp_path)
    assert r.rc == (125 if name == "run" else 3), r
    assert told[0]["id"] == "PL006" and told[0]["severity"] == "error", r
    assert "none.pale': No such file or directory" in told[0]["message"], r


@pytest.mark.parametrize("name", COMMANDS)
def test_a_directory_and_an_empty_file_are_diagnostics(pale, tmp_path, name):
    (tmp_path / "d").mkdir()
    r, told = said(pale, name, tmp_path / "d", cwd=tmp_path)
    assert r.rc == (125 if name == "run" else 1) and told[0]["id"] == "PL001", r
    (tmp_path / "e.pale").write_text("")
    r, told = said(pale, name, tmp_path / "e.pale", cwd=tmp_path)
    assert name == "fmt" or (r.rc == (125 if name == "run" else 1) and told[0]["id"] == "PL001"), r


@pytest.mark.parametrize("name", ["check", "lint", "fmt", "sim"])
def test_a_file_without_the_right_to_read_it_is_a_diagnostic(open_dir, name):
    need_root()
    need("setpriv")
    path = open_dir / "secret.pale"
    path.write_text(GOOD)
    path.chmod(0)
    argv = [a.format(path) for a in COMMANDS[name]]
    r = run([*AS_NOBODY, PALE, name, *([] if name == "lint" else ["--diag=json"]), *argv], cwd=open_dir)
    told = json.loads(r.out)["findings"] if name == "lint" else [json.loads(line) for line in r.err.splitlines()]
    assert r.rc == 3 and told[0]["id"] == "PL006" and "Permission denied" in told[0]["message"], r


def test_a_directory_of_sets_that_cannot_be_read_is_a_diagnostic(open_dir):
    need_root()
    need("setpriv")
    sets = open_dir / "sets"
    sets.mkdir(mode=0o711)
    for argv in (["list", "sets"], ["show", "read"]):
        r = run([*AS_NOBODY, PALE, argv[0], "--sets", sets, *argv[1:]], cwd=open_dir)
        assert f"cannot read '{sets}': Permission denied [PL006 not-read]" in r.err, r


@pytest.mark.parametrize("name", ["sim", "explain", "diff", "run"])
def test_which_policy_is_a_diagnostic(pale, tmp_path, name):
    path = tmp_path / "two.pale"
    path.write_text(GOOD + GOOD.replace(" p ", " q "))
    r, told = said(pale, name, path, cwd=tmp_path)
    assert r.rc == (125 if name == "run" else 1) and told[0]["id"] == "PL024", r
    assert told[0]["help"].endswith(": p q"), r


def test_the_others_of_several_files_are_answered_for(pale, tmp_path):
    (tmp_path / "p.pale").write_text(GOOD)
    (tmp_path / "bad.pale").write_text("policy {")
    names = ["none.pale", "p.pale", "bad.pale", "p.pale"]
    r = pale("check", "-t", "bpf", *names, cwd=tmp_path)
    assert r.rc == 3 and r.out.count("bpf") == 2 and "[PL006 " in r.err and "bad.pale:1:" in r.err, r
    r = pale("lint", *names, cwd=tmp_path)
    assert r.rc == 3 and all(r.out.count(word) for word in ("none.pale", "p.pale", "bad.pale")), r


def test_a_name_a_layout_and_a_kind_of_file_that_are_wrong_are_diagnostics(pale, tmp_path):
    (tmp_path / "a.pale").write_text(GOOD.replace(" allow", "allow"))
    (tmp_path / "b.pale").write_text(GOOD)
    pale("compile", "-q", "-t", "bpf", "-o", tmp_path / "b.bpf", tmp_path / "b.pale", check=0)
    for ident, args, words in [("PL148", ["show", "opne"], "nothing is known of 'opne'; did you mean 'open'?"),
                               ("PL148", ["list", "constants", "sock_flog"], "did you mean 'sock_flag'?"),
                               ("PL147", ["fmt", "--check", tmp_path / "a.pale"], "is not in the canonical layout"),
                               ("PL021", ["compile", tmp_path / "b.bpf"], "is a BPF program already")]:
        r = pale(args[0], "--diag=json", *args[1:], check=1)
        told, = [json.loads(line) for line in r.err.splitlines()]
        assert told["id"] == ident and told["severity"] == "error" and words in told["message"] and not r.out, r
