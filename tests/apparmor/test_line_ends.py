# SPDX-License-Identifier: Apache-2.0
r"""Lines that end in \r\n, and words that releases end at different places: what `pale check` says of a
release is what that release's parser says."""
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from parsers import Parser  # noqa: E402

RULES = """network alg,|network inet stream,|audit deny network inet,|userns create,|mount options=(ro,bind) /a -> /b,
mount options=ro /a,|umount /a,|remount options=ro /a,|pivot_root oldroot=/a /b -> c,|signal (send,receive) set=(hup term) peer=x,
ptrace trace peer=x,|unix (connect) type=stream addr=@x peer=(label=y),|dbus send bus=system path=/x peer=(name=a label=b),
change_profile unsafe /a -> x,|set rlimit rttime <= 10us,|link subset /a -> /b,|io_uring sqpoll label=x,|mqueue type=posix /x,
priority=5 /a r,|profile c flags=(complain) { /b r, }|^h { /b r, }|owner { /a r, }|include "/dev/null"|"/a b" r,|/a # c|capability chown fowner,
if $A { /a r, }|if not $A { /a r, }|if not defined $B { /a r, }|if defined @{V} { /a r, } else { /b r, }|if ($A) { /a r, }|if "a" == a { /b r, }|all,"""
HEADS = "@{A}=x y\n|${B}=true\n|${B}=false\n|${B}=(true)\n|${B}=true # c\n|alias /a -> /b,\n|@{A}=x\\\n y\n|include \"/dev/null\"\n|@{A}=x"


def texts():
    """Each rule in a file of such lines, and with each of its blanks, and each sign's sides, such a line end."""
    for rule in RULES.replace("\n", "|").split("|"):
        yield f"profile t {{\n{rule}\n, /z r,\n}}\n".replace("\n, /z", "\n /z" if rule[-1] in ',}"' else "\n r, /z").replace("\n", "\r\n")
        for m in re.finditer(r" |(?=[(){},=])|(?<=[(){},=])", rule):
            yield f"profile t {{\n{rule[:m.start()]}\r\n{rule[m.end():]}\n}}\n"
    for head in HEADS.split("|"):
        yield (head + "\nprofile t {\n}\n").replace("\n", "\r\n")
        yield (head + "\n").replace("\n", "\r\n") + "profile t {\n}\n"
    for test in ("if $A{ /a r, }", "if $A {/a r, }", "if not defined @{V}{ /a r, }", "if not $A{/a r, }", "if defined $A{ }"):
        yield f"profile t {{\n{test}\n}}\n"


@pytest.mark.once
@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_each_release_reads_line_ends_as_its_parser_does(pale, tmp_path, release):
    parser, taken, files = Parser(release), 0, []
    for i, text in enumerate(dict.fromkeys(texts())):
        files.append(tmp_path / f"t{i}")
        files[-1].write_bytes(b"${A}=true\n@{V}=a\n" + text.encode())
    out = pale("check", "--target", f"apparmor={release}", "--features", parser.features, *files).out
    ours = dict(re.findall(r"^(\S+):\napparmor\S* +(\w+)", out, re.M))
    for file in files:
        takes = parser.ask(file) is not None
        taken += takes
        assert (ours[str(file)] == "ok") == takes, (release, file.read_bytes(), parser.said)
    assert len(files) * 0.3 < taken < len(files) * 0.9


def test_what_a_newer_parser_joins_is_told_with_the_way_out(pale, tmp_path):
    (tmp_path / "t").write_bytes(b"profile t {\r\n network inet,\r\n mount /a,\r\n}\r\n")
    r = pale("check", "--target", "apparmor=5.0", tmp_path / "t", check=1)
    assert r"since AppArmor 4.0 its parser reads 'inet,\x0d' as one word" in r.err
    assert r"end lines with '\n' alone" in r.err and r"the '\r' at the line's end is part of the word" in r.err
    (tmp_path / "t").write_bytes(b"profile t {\n if $A{ /a r, }\n}\n")
    r = pale("check", "--target", "apparmor=5.0", tmp_path / "t", check=1)
    assert "reads '$A{' as one word" in r.err and "blanks belong around '{'" in r.err


def test_an_include_of_such_lines_is_told_of_where_it_is_included(pale, tmp_path):
    (tmp_path / "inc").write_bytes(b"network inet,\r\n")
    (tmp_path / "t").write_text(f'profile t {{\n include "{tmp_path}/inc"\n}}\n')
    r = pale("check", "--target", "apparmor=3.0,apparmor=5.0", tmp_path / "t", check=1)
    assert re.findall(r"ok|refused", r.out) == ["ok", "refused"] and "included here" in r.err
