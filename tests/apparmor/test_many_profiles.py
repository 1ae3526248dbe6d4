# SPDX-License-Identifier: Apache-2.0
"""`check` of many profiles in one process: what is remembered from one to the next changes no answer."""
import re

import pytest

from conftest import need, run

RELEASES = ("3.0", "4.1", "5.0")


def answers(pale, where, *files, release="3.0"):
    """File -> does pale say that this release takes it?"""
    out = run([pale.path, "check", "-t", f"apparmor={release}", "-I", where, *files], cwd=where).out
    return dict(re.findall(r"^(\S+):\napparmor\S* +(\w+)", out, re.M))


def write(where, **files):
    for name, text in files.items():
        (where / name).write_text(text)
    return list(files)


CHANGES = [("/bin/a", "x", "/bin/a", "x", False), ("/bin/a", "x", "/bin/a", "y", True),
           ("/bin/a", "x", "/bin/b", "x", True), ("/bin/{a,b}", "x", "/bin/{a,c}", "x", False),
           ("/bin/*", "x", "/bin/b*", "x", False), ("@{V}", "x", "/v", "x", False)]


@pytest.mark.parametrize("one, to, other, where, taken", CHANGES)
def test_safe_and_unsafe_changes_at_one_execution_conflict(pale, tmp_path, one, to, other, where, taken):
    text = f"@{{V}}=/v\nprofile p {{\n change_profile safe {one} -> {to},\n change_profile unsafe {other} -> {where},\n}}\n"
    write(tmp_path, p=text, q="profile q { /a r, }\n")
    assert answers(pale, tmp_path, "p", "q") == {"p": "ok" if taken else "refused", "q": "ok"}
    assert (run([need("apparmor_parser"), "-Q", "-K", "--base", tmp_path, tmp_path / "p"]).rc == 0) == taken


@pytest.mark.parametrize("release", RELEASES)
def test_a_pattern_that_is_included_hangs_on_the_values_of_each_profile(pale, tmp_path, release):
    write(tmp_path, part="/usr/@{V}/[a-c]* r,\n/@{V}{,/}x r,\n")
    files = {f"f{i}": f"@{{V}}={value}\nprofile p{i} {{\n include <part>\n}}\n"
             for i, value in enumerate(("lib", "lib", "{a,b}", "[z-", "lib", "{a", "[z-", "lib lib64", "lib"))}
    want = {f: "refused" if "[z-" in text or "={a\n" in text else "ok" for f, text in files.items()}
    write(tmp_path, **files)
    assert answers(pale, tmp_path, *files, release=release) == want
    assert answers(pale, tmp_path, *reversed(files), release=release) == want


def test_values_that_only_look_alike_when_joined_are_told_apart(pale, tmp_path):
    files = {"a": "@{V}=x{y z}w\nprofile a { /@{V}/ r, }\n", "b": "@{V}=x{y,z}w\nprofile b { /@{V}/ r, }\n",
             "c": "@{V}=\"x{y z}w\"\nprofile c { /@{V}/ r, }\n"}
    write(tmp_path, **files)
    alone = {}
    for f in files:
        write(tmp_path, other="profile o { /a r, }\n")
        alone[f] = answers(pale, tmp_path, f, "other")[f]
    for order in (list("abc"), list("bca"), list("cba")):
        assert answers(pale, tmp_path, *order) == alone
    assert alone["b"] == "ok" and "refused" in alone.values()


def test_a_pattern_that_is_wrong_is_told_of_each_file_that_has_it(pale, tmp_path):
    files = {f"f{i}": f"profile p{i} {{ /a{{b,c}}/[ r, }}\n" for i in range(3)}
    write(tmp_path, **files)
    got = run([pale.path, "check", "-t", "apparmor=3.0", *files], cwd=tmp_path)
    assert got.rc == 1 and [f"f{i}:" in got.err for i in range(3)] == [True] * 3
    assert answers(pale, tmp_path, *files) == {f: "refused" for f in files}


def test_the_same_word_is_a_path_here_and_a_name_there(pale, tmp_path):
    """The kind belongs to the question: of a path slashes fold, of a name they do not."""
    files = {"a": "profile a { /x//{y,z}/ r, change_profile -> /x//{y,z}/, }\n",
             "b": "profile b { change_profile -> /x//{y,z}/, /x//{y,z}/ r, signal peer=/x//{y,z}/, }\n"}
    write(tmp_path, **files)
    assert answers(pale, tmp_path, *files) == {"a": "ok", "b": "ok"}


def test_no_runtime_is_asked_where_all_files_are_apparmors(pale, tmp_path):
    """Which loads them not: its features took longer than the profiles."""
    asked = tmp_path / "bin"
    asked.mkdir()
    for name in ("runc", "crun"):
        (asked / name).write_text(f"#!/bin/sh\necho asked >> {tmp_path}/log\nexit 1\n")
        (asked / name).chmod(0o755)
    write(tmp_path, a="profile a { /a r, }\n", b="profile b { /b r, }\n", p="policy p { level linux 6.1; default errno EPERM; }\n")
    env = {"PATH": str(asked)}
    run([pale.path, "check", "-t", "apparmor=3.0", "a", "b"], cwd=tmp_path, env=env, check=0)
    assert not (tmp_path / "log").exists()
    run([pale.path, "check", "a", "p"], cwd=tmp_path, env=env)
    assert (tmp_path / "log").exists()
