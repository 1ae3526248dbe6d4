# SPDX-License-Identifier: Apache-2.0
"""What is named as features with --features is read as such, and told where it is none."""
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402


@pytest.mark.parametrize("text,says", [
    ("", "1:1: error: names nothing that a kernel's features begin with"), ("hello { world }\n", "1:1: error: names nothing"),
    ("caps yes\n", "1:1: error: names nothing"), ("profile t { /a r, }\n", "1:1: error: names nothing"),
    ("int main(void) { }\n", "1:9: error: a byte that stands in no feature's name"), ("mount {}\n# x\n", "2:1: error: a byte"),
    ("caps {mask {é}}", "1:13: error: a byte"), ('{"mount": {}}', "1:1: error: a '{' without a name"), ("mount {{}}", "1:8: error: a '{' without a name"),
    ("mount {mask {umount}", "1:7: error: this '{' is not closed"), ("mount {a {}\nb {", "2:3: error: this '{' is not closed"),
    ("mount " + "{a " * 33 + "}" * 33, "error: more braces inside one another than are read"),
    ("mount {" + "x" * 8190 + "}", "1:8191: error: features of more than 8190 bytes")])
@pytest.mark.parametrize("command", [["check"], ["sim"]])
def test_what_is_no_features_file_is_told_where_it_goes_wrong(pale, tmp_path, command, text, says):
    (tmp_path / "t").write_text("profile t { /a r, }\n")
    (tmp_path / "f").write_text(text)
    r = pale(*command, "--features", tmp_path / "f", tmp_path / "t", *(["open /a r"] if command == ["sim"] else []), check=1)
    assert says in r.err and "PL394" in r.err and "help: features are names and braces" in r.err and not r.out


@pytest.mark.parametrize("text", ["mount {}", "mount{mask{umount\n}\n}\n", " signal\t{\r\nmask {hup}}\r\n", "policy {versions {v8 {yes\n}\n}\n}\ncaps {}"])
def test_names_and_braces_are_features(pale, tmp_path, text):
    (tmp_path / "t").write_text("profile t { /a r, }\n")
    (tmp_path / "f").write_text(text)
    assert not pale("check", "-t", "apparmor=5.0", "--features", tmp_path / "f", tmp_path / "t", check=0).err


def test_all_that_packages_have_of_features_are_some(pale, tmp_path):
    (tmp_path / "t").write_text("profile t { /a r, }\n")
    parsers = [Parser(r) for r in ("3.0", "4.1", "5.0")]
    guest = pathlib.Path(__file__).parents[1] / "guest/features"
    files = [f for p in parsers for f in [p.features, *sorted((p.base / "abi").iterdir())]] + sorted(guest.iterdir())
    assert len(files) > 15
    for file in files:
        said = pale("check", "-t", "apparmor=5.0", "--features", file, tmp_path / "t", check=0).err
        assert ("parsers read nothing of what is behind it" in said) == ("kernel-5.4" in file.name), said


TARGETS = ['""', "x", "/x", ":ns", ":ns:", "::x", ":ns:x", ":ns://x", "://x", ":", "&x", "&:ns:x", "x//&y", "**", "&**", ":*", ":ns:**", "{a,:ns:b}", "[:]x", ":[a]:x", "\\:x",
           ":a[:]b", ":{a:b,c:d}", ":{a,b}:c", "@{W}", "@{U}", "@{V}", ":@{V}:x", ":@{S}:x", "@{W}:x", "@{E}", ":ns:@{E}", '"&x"', "{&}x", "@{profile_name}"]


@pytest.mark.once
@pytest.mark.parametrize("stacks", ["both", "no kernel", "no abi"])
@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_targets_of_change_profile_are_taken_where_profiles_are_stacked(pale, tmp_path, release, stacks):
    """As that release's parser has it, with domain/stack among the kernel's and the abi's features and without."""
    parser = Parser(release)
    whole, less = tmp_path / "whole", tmp_path / "less"
    whole.write_text(parser.features.read_text())
    less.write_text(whole.read_text().replace("stack {yes\n}\n", ""))
    kernel, abi = less if stacks == "no kernel" else whole, less if stacks == "no abi" else whole
    variables = '@{V}=v w\n@{S}=s\n@{W}=:ns\n@{U}=&x\n@{E}=""\n'
    files = []
    for i, target in enumerate(TARGETS):
        files.append(tmp_path / f"t{i}")
        files[-1].write_text(f'abi "{abi}",\n{variables}profile t {{\n {"change_profile /e" if i % 2 else "deny change_profile"} -> {target},\n}}\n')
    r = pale("check", "-t", f"apparmor={release}", "--features", kernel, *files)
    ours = dict(re.findall(r"^(\S+):\napparmor\S* +(\w+)", r.out, re.M))
    taken = 0
    for file in files:
        takes = parser.ask(file, features=kernel) is not None
        taken += takes
        assert (ours[str(file)] == "ok") == takes, (file.read_text(), parser.said)
    assert (taken > 30) == (stacks == "both") and 10 < taken
    assert ("without domain/stack among the features" in r.err) == (stacks != "both")


@pytest.mark.parametrize("target, alike", [("4.1,kernel=6.12", ""), ("4.1,kernel=7.2", "everybody"), ("4.1.2,kernel=6.17", "everybody"), ("4.1.8,kernel=7.2", ""),
                                           ("5.0,kernel=7.2", ""), ("3.0,kernel=7.2", ""), ("4.1", "")])
def test_owners_are_alike_where_the_parser_writes_no_flag_that_the_kernel_looks_for(pale, tmp_path, target, alike):
    """4.1.0's tables for 7.2, in that kernel, let others read what `owner` allows; 4.1.8's and 5.0.2's do not."""
    (tmp_path / "p").write_text("profile t {\nowner /a r,\nowner /b r,\n}\nprofile u {\nother /a r,\n/b r,\n}\n")
    said = pale("check", "--target", f"apparmor={target}", tmp_path / "p", check=None if target[0] == "3" else 0).err
    assert re.findall(r":(\d+):\d+: high: .*count for (\w+) \[PL464 ", said) == ([("2", "everybody"), ("6", "nobody")] if alike else [])


@pytest.mark.parametrize("target, right", [
    ("4.1.2,kernel=7.2", ["allowed", "refused", "refused", "allowed", "refused", "allowed ix"]),
    ("4.1.8,kernel=7.2", ["refused", "allowed", "refused", "refused", "allowed", "allowed px"])])
def test_and_there_everybody_is_answered_as_the_owner(pale, tmp_path, target, right):
    (tmp_path / "p").write_text("""profile t {
        owner /a r, other /c r, owner /d w, /b w, deny owner /b w, owner /x ix, other /x px,
    }""")
    got = pale("sim", "--target", f"apparmor={target}", tmp_path / "p", "open other /a r", "open other /c r", "open owner /c r",
               "open other /d w", "open other /b w", "exec other /x", check=None).out.splitlines()
    assert [" ".join(w for w in line.split("  ")[::2][:2] if w in ("allowed", "refused", "ix", "px")) for line in got] == right, got


@pytest.mark.once
def test_only_parsers_before_4_1_3_write_tables_without_that_flag(tmp_path):
    (tmp_path / "p").write_text("profile t {\nowner /a r,\n}\n")
    for release, flagged in (("4.1", False), ("4.1.8", True), ("5.0", True)):
        binary = Parser(release).ask(tmp_path / "p", features=pathlib.Path(__file__).parent.parent / "guest/features/7.2")
        dfa = aadfa.File(binary).dfa
        assert any(dfa.accept2 or []) == flagged
