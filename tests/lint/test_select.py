# SPDX-License-Identifier: Apache-2.0
"""pale lint: which rules are told (--select, --ignore, --severity), which files are looked at
(folders, globs, --exclude, standard input), and what the exit status says."""
import json
import os

import pytest

from cases import entry, policy, profile
from conftest import ROOT, run

PTRACE = profile(entry("ptrace", "read", "chroot", "no_such_call"))  # SR205 SR212 SC101 and needs


@pytest.fixture
def lint(pale, tmp_path):
    """The rules that are told of files below tmp_path, and the exit status."""
    def call(*args, check=None, **kw):
        r = pale("lint", "--runtime", "any", "--format", "json", *args, cwd=tmp_path, check=check, **kw)
        return {f["id"] for f in json.loads(r.out)["findings"]}
    return call


def files_of(pale, tmp_path, *args, check=0):
    r = pale("lint", "--runtime", "any", "--format", "junit", "--error-on", "none", *args, cwd=tmp_path, check=check)
    import xml.etree.ElementTree as ET
    return [s.get("name") for s in ET.fromstring(r.out).iter("testsuite")]


def test_rules_are_selected_by_id_slug_and_beginning(lint, tmp_path):
    (tmp_path / "p.json").write_text(PTRACE)
    every = lint("p.json", check=1)
    assert {"SR205", "SR212", "SC101"} < every
    sr = {i for i in every if i.startswith("SR")}
    assert lint("--select", "SR", "p.json") == sr and len(sr) > 1
    assert lint("--select", "sr205", "p.json") == lint("--select", "risk-ptrace", "p.json") == {"SR205"}
    assert lint("--select", "SR205,SC101", "p.json") == lint("--select", "SR205", "--select", "SC101", "p.json") == \
        {"SR205", "SC101"}
    assert lint("--ignore", "SR", "p.json") == every - sr
    assert lint("--select", "SR", "--ignore", "SR205", "p.json") == sr - {"SR205"}
    assert lint("--select", "SR205", "--ignore", "SR", "p.json") == {"SR205"}  # the longer word counts
    assert lint("--select", "SR205", "--ignore", "SR205", "p.json", check=0) == set()
    assert lint("--select", "AP", "p.json", check=0) == set()


def test_what_keeps_a_file_from_being_read_is_always_told(lint, tmp_path):
    (tmp_path / "p.pale").write_text("policy {")
    (tmp_path / "p.json").write_text('{"defaultAction": ')
    for f in "p.pale", "p.json":
        assert {i[:2] for i in lint("--select", "SR205", "--ignore", "PL", "--severity", "error", f, check=1)} == {"SJ" if f == "p.json" else "PL"}


def test_a_misspelt_rule_or_option_is_told_with_what_it_may_mean(pale):
    for option in "--select", "--ignore":
        r = pale("lint", option, "SR2O5", "x", check=2)
        assert f"'{option}' takes ids, slugs and their beginnings" in r.err
        assert "'SR2O5' is none; did you mean 'SR205'?" in r.err
    assert "did you mean 'risk-ptrace'?" in pale("lint", "--select", "risk-ptrce", "x", check=2).err
    assert "no option '--selct'; did you mean '--select'?" in pale("lint", "--selct", "SR", "x", check=2).err
    assert "did you mean 'sarif'?" in pale("lint", "--format", "sarf", "x", check=2).err


def test_the_least_severity_that_is_told_and_the_one_that_fails_are_two(pale, lint, tmp_path):
    (tmp_path / "p.json").write_text(PTRACE)
    doc = json.loads(pale("lint", "--runtime", "any", "--format", "json", "p.json", cwd=tmp_path).out)
    order = ["error", "high", "warning", "info"]
    for i, level in enumerate(order):
        assert lint("--severity", level, "p.json") == \
            {f["id"] for f in doc["findings"] if order.index(f["severity"]) <= i}
    assert lint("--severity", "info", "--select", "SR205", "--error-on", "high", "p.json", check=1) == {"SR205"}
    assert lint("--select", "SR212", "--error-on", "high", "p.json", check=0) == {"SR212"}
    assert lint("--severity", "high", "--select", "SR212", "p.json", check=0) == set()


def test_statistics_count_each_rule_in_all_files(pale, tmp_path):
    for n in "a.json", "b.json":
        (tmp_path / n).write_text(PTRACE)
    args = ["lint", "--runtime", "any", "--select", "SR205,SR212", "a.json", "b.json"]
    text = pale(*args, "--statistics", cwd=tmp_path, check=1).out.splitlines()
    assert [line.split()[:2] for line in text[:-1]] == [["2", "SR205"], ["2", "SR212"]]
    assert text[-1] == "4 findings: 2 high, 2 warning in 2 files"
    doc = json.loads(pale(*args, "--statistics", "--format", "json", cwd=tmp_path, check=1).out)
    assert [(s["id"], s["count"]) for s in doc["statistics"]] == [("SR205", 2), ("SR212", 2)]
    assert doc["summary"]["high"] == 2 and "findings" not in doc
    assert "'--statistics' is text or json, not sarif" in pale(*args, "--statistics", "--format", "sarif", check=2).err
    assert "'--list-rules' is text or json, not gcc" in pale("lint", "--list-rules", "--format", "gcc", check=2).err


def test_standard_input_has_the_name_that_is_given(pale, tmp_path):
    args = ["lint", "--runtime", "any", "--format", "concise", "--select", "SR205"]
    assert pale(*args, "-", input=PTRACE, check=1).out.startswith("<stdin>:")
    assert pale(*args, "--stdin-filename", "web/p.json", "-", input=PTRACE, check=1).out.startswith("web/p.json:")
    # The name is asked where the content says nothing: no policy's errors of what is to be JSON.
    r = pale(*args, "--stdin-filename", "p.json", "-", input="oops", check=1)
    assert r.out.startswith("p.json:1:1: error SJ001"), r
    profile_text = "profile web {\n  capability,\n}\n"
    r = pale("lint", "--format", "concise", "--stdin-filename", "apparmor.d/web", "-", input=profile_text)
    assert not r.out or r.out.startswith("apparmor.d/web:"), r
    for wrong in (["--stdin-filename", "p.json", "x"], ["--stdin-filename", "", "-"]):
        assert pale("lint", *wrong, check=2).err


@pytest.fixture
def tree(tmp_path):
    for path, text in {
            "a/one.pale": policy("\tallow read;"), "a/b/two.json": PTRACE, "a/b/package.json": '{"name": "x"}',
            "a/b/notes.txt": "hello", "a/.git/three.json": PTRACE, "a/b/four.json~": PTRACE, "a/b/five.conf": PTRACE,
            "apparmor.d/usr.bin.web": "profile web {\n  /etc/hosts r,\n}\n",
            "apparmor.d/abstractions/own": "  /etc/passwd r,\n  capability chown,\n",
            "apparmor.d/tunables/own": "@{OWN}=/srv\n",
            "apparmor.d/abstractions/child": "profile child {\n  @{unknown}/x r,\n}\n",
            "abstractions/web.aa": "profile w {\n  /etc/hosts r,\n}\n", "c/web.apparmor": "profile w {\n  /etc/hosts r,\n}\n",
            "c/usr.bin.other": "profile o {\n  /etc/hosts r,\n}\n", "a/b/large.json": " " * (17 << 20)}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "a/link.json").symlink_to("b/two.json")
    (tmp_path / "a/round").symlink_to("../a")
    return tmp_path


def test_folders_are_walked_by_name_and_links_are_not_followed(pale, tree):
    want = ["a/b/two.json", "a/one.pale", "apparmor.d/usr.bin.web", "c/web.apparmor"]
    assert files_of(pale, tree, "a", "apparmor.d", "c") == want
    assert files_of(pale, tree, ".") == ["./a/b/two.json", "./a/one.pale", "./abstractions/web.aa",
                                         "./apparmor.d/usr.bin.web", "./c/web.apparmor"]
    # What is included is read there; by itself where it is named.
    assert files_of(pale, tree, "apparmor.d/abstractions") == ["apparmor.d/abstractions/child"]
    assert files_of(pale, tree, "a/", "a/link.json", "a/b/five.conf") == [*want[:2], "a/link.json", "a/b/five.conf"]
    assert files_of(pale, tree, "a/round") == ["a/round/b/two.json", "a/round/one.pale"]


def test_what_is_broken_below_a_folder_is_told(pale, tree):
    (tree / "apparmor.d/broken").write_text("profile web {\n  /etc/hosts r\n")
    (tree / "a/broken.json").write_text('{"defaultAction": "SCMP_ACT_ERRNO", ')
    assert files_of(pale, tree, "apparmor.d", "a") == ["apparmor.d/broken", "apparmor.d/usr.bin.web", "a/b/two.json",
                                                       "a/broken.json", "a/one.pale"]
    assert "a/broken.json:1:" in pale("lint", "--format", "gcc", "a", cwd=tree, check=1).out


def test_globs_name_files_and_folders(pale, tree):
    assert files_of(pale, tree, "a/*/t*.json") == ["a/b/two.json"]
    assert files_of(pale, tree, "[ac]") == ["a/b/two.json", "a/one.pale", "c/web.apparmor"]
    (tree / "x[1].json").write_text(PTRACE)  # a name that is there is no glob
    assert files_of(pale, tree, "x[1].json") == ["x[1].json"]
    r = pale("lint", "no/*.json", cwd=tree, check=3)
    assert "no/*.json" in r.out


@pytest.mark.parametrize("glob", ["b", "a/b", "*.json", "two.json", "b/two.json", "a/*/two.json", "tw?.json", "./a/b/*"])
def test_excluded_files_and_folders_are_left_out(pale, tree, glob):
    left = files_of(pale, tree, "--exclude", glob, "--exclude", "apparmor.d", "./a", "apparmor.d")
    assert left == ["./a/one.pale"]
    assert files_of(pale, tree, "--exclude", glob, "./a/b/two.json") == []


def test_a_folder_without_anything_to_read_is_told(pale, tree):
    r = pale("lint", "a/.git/../b/notes.txt", cwd=tree)
    assert r.rc == 1  # a file that is named is read, whatever its name
    (tree / "empty").mkdir()
    assert "nothing that 'pale lint' takes up is below 'empty'" in pale("lint", "empty", cwd=tree, check=1).out
    assert files_of(pale, tree, "--exclude", "*.json", "a/b") == []


def test_folders_that_cannot_be_read_are_a_failure(pale, open_dir):
    (open_dir / "d/closed").mkdir(parents=True)
    (open_dir / "d/closed").chmod(0)
    argv = [pale.path, "lint", open_dir / "d"]
    if os.geteuid() == 0:
        argv = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *argv]
    r = run(argv, check=3)
    assert "closed': Permission denied" in r.err


def test_exit_status_is_as_the_manual_says(pale, tmp_path):
    (tmp_path / "bad.json").write_text(PTRACE)
    lint = lambda *a: pale("lint", "--runtime", "any", *a, cwd=tmp_path).rc
    assert lint(ROOT / "profiles/sets/libc.pale") == 0
    assert lint("bad.json") == 1 and lint("--error-on", "none", "bad.json") == 0
    assert lint() == lint("--no-such", "bad.json") == lint("--select", "", "--format", "x", "bad.json") == 2
    assert lint("missing.json") == 3
