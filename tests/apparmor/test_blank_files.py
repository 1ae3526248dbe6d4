# SPDX-License-Identifier: Apache-2.0
"""Files of blanks and comments alone: AppArmor's parsers take them, and so does pale where the name says whose they are."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from parsers import Parser  # noqa: E402

BLANK = {"": 0, "\n\n": 0, "# a\n# b\n": 0, " \t\r\n": 0, "#": 1, "# a": 1, "@{X}=a\n": 0, "#\n#": 1}


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_blank_files_are_taken_and_refused_as_by_the_parser(pale, tmp_path, release):
    parser = Parser(release)
    (tmp_path / "apparmor.d").mkdir()
    for i, (text, want) in enumerate(BLANK.items()):
        for f in (tmp_path / f"{i}.apparmor", tmp_path / f"{i}.aa", tmp_path / "apparmor.d" / str(i)):
            f.write_text(text)
            assert pale("check", "--target", f"apparmor={release}", f, check=None).rc == want, text
            got = pale("check", f, check=None)
            assert got.rc == want and ("apparmor=5.0 ok" in got.out) == (want == 0), (text, got)
        assert parser.run("-Q", "-K", "--policy-features", parser.features, "--base", parser.base, tmp_path / f"{i}.apparmor").returncode == want, text


def test_a_blank_file_of_another_name_is_no_policy_and_told_how_to_say_that_it_is_apparmors(pale, tmp_path):
    for name in ("x", "x.pale", "xapparmor.d"):
        (tmp_path / name).write_text("# a\n")
        got = pale("check", tmp_path / name, check=1)
        assert "there is no policy" in got.err and "--target apparmor=5.0" in got.err


def test_a_semicolon_in_the_path_of_a_flag_is_a_part_of_it(pale, tmp_path):
    f, g = tmp_path / "p.pale", tmp_path / "p.aa"
    for flags in ("attach_disconnected.path=/a;b", "attach_disconnected, attach_disconnected.path=/;", "attach_disconnected.path=/a;, complain"):
        f.write_text(f"policy p {{ layers apparmor; arch x86_64; apparmor flags=({flags}); file r /a; }}\n")
        text = pale("compile", "-q", "-t", "apparmor=4.1", f).out
        assert f"flags=({flags})" in text and f"flags=({flags});" in pale("fmt", f).out
        g.write_text(text)
        if (parser := Parser("4.1")):
            assert parser.ask(g) and flags.split("path=")[1].split(",")[0].encode() in parser.ask(g)
    f.write_text("policy p { layers apparmor; arch x86_64; apparmor flags=(complain; file r /a; }\n")
    assert pale("check", f, check=1).err


def test_types_of_unix_sockets_are_named_where_each_layer_lets_another_pass(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text("policy p { layers seccomp, apparmor; arch x86_64; default errno EPERM; allow execve;\n"
                 "allow socket(domain == AF_UNIX, type == SOCK_DGRAM); unix type=stream; }\n")
    err = pale("check", f, check=None).err
    assert "seccomp lets sockets of AF_UNIX SOCK_DGRAM pass" in err and "AppArmor lets sockets of AF_UNIX SOCK_STREAM pass" in err


def test_every_command_takes_a_blank_file_by_its_name(pale, tmp_path):
    blank, other = tmp_path / "a.aa", tmp_path / "b.aa"
    blank.write_text("# a\n")
    other.write_text("profile t { /a r, }\n")
    for words in (["check", "--target", "apparmor=5.0", blank], ["lint", blank], ["fmt", blank], ["diff", "--fail-on", "none", blank, other]):
        assert "no policy" not in pale(*words, check=0).err
    assert "0 findings; for apparmor" in pale("lint", blank).out
    for words in (["sim", blank, "open /a r"], ["explain", blank, "open /a r"], ["import", blank]):
        assert "the file holds no profile" in pale(*words, check=1).err


def test_a_file_that_includes_itself_is_told_as_that(pale, tmp_path):
    files = {"self.aa": 'include "self.aa"\nprofile t { }\n', "a.aa": 'include "b.aa"\nprofile t { }\n', "b.aa": 'include "a.aa"\nprofile u { }\n',
             "twice.aa": "profile t { }\nprofile t { }\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for name in files:
        err = pale("check", "--target", "apparmor=5.0", "-I", tmp_path, name, cwd=tmp_path, check=1).err
        assert ("its file includes itself" in err) == (name != "twice.aa") and "is there twice" in err


@pytest.mark.parametrize("access", ["signal send term peer=p", "unix connect type=stream addr=@x", "mount /a /b", "mqueue read /a", "dbus send bus=session", "cap chown"])
def test_a_word_that_ends_in_an_escape_is_told_as_that(pale, tmp_path, access):
    (tmp_path / "p").write_text("profile t { }\n")
    err = pale("sim", tmp_path / "p", access + "\\", check=1).err
    assert f"<access>:1:{len(access) + 1}: error: a word does not end in '\\' [PL372 " in err and "missing ','" not in err
