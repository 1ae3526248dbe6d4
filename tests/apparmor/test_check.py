# SPDX-License-Identifier: Apache-2.0
"""`pale check` of AppArmor files: an answer a release, and what no single rule shows."""
import re

import pytest

from conftest import need, run


def asked(pale, tmp_path, text, *releases):
    """Release -> does pale say that its parser takes the text?  And what it said."""
    file = tmp_path / "t"
    file.write_text(text)
    r = pale("check", *[x for y in releases for x in ("--target", f"apparmor={y}")], file)
    got = dict(re.findall(r"^apparmor=(\S+) +(ok|refused)", r.out, re.M))
    assert r.rc == ("refused" in got.values())
    return {k: v == "ok" for k, v in got.items()}, r.err


def test_by_itself_it_answers_for_5_0_and_for_the_installed_parser(pale, tmp_path):
    got, err = asked(pale, tmp_path, "profile t { /a r, }\n")
    assert got["5.0"] and all(got.values()) and len(got) <= 2 and not err


@pytest.mark.parametrize("version,line", [
    ("3.1", "apparmor=3.1 ok (not measured: as 3.0 reads it)"), ("3.1.7", "apparmor=3.1.7 ok (not measured: as 3.0 reads it)"),
    ("4.1.1", "apparmor=4.1.1 ok (not measured: as 4.1.0 reads it)"), ("3.0.4", "apparmor=3.0.4 ok"), ("4.0", "apparmor=4.0 ok (not measured: as 4.1 reads it)"), ("4.1.8", "apparmor=4.1.8 ok")])
def test_a_release_that_is_read_as_another_says_so(pale, tmp_path, version, line):
    (tmp_path / "t").write_text("profile t { }\n")
    assert pale("check", "--target", f"apparmor={version},apparmor={version}", tmp_path / "t", check=0).out == line + "\n"


@pytest.mark.parametrize("rules", ["audit /** ix,\ndeny /a x,\n/* ux,", "priority=1 /[ab] ix,\n/{,a} ux,\n/{a,b}{,c} ix,",
                                   "/a* ux,\npriority=2 /{b,a} ix,\n/{a,a}* Pix,"])
def test_what_hangs_on_the_parsers_memory_is_not_decided(pale, tmp_path, rules):
    """4.1.0 takes it or not, by the length of the file's name and more (runs of it: both happen)."""
    (tmp_path / "t").write_text(f"profile t {{\n{rules}\n}}\n")
    r = pale("check", "--target", "apparmor=4.1", tmp_path / "t", check=1)
    assert r.out == "apparmor=4.1 not decided\n" and "PL386" in r.err and "hangs on where its memory lies" in r.err
    (tmp_path / "t").write_text(f"profile t {{\n{rules}\n/b q,\n}}\n")
    assert pale("check", "--target", "apparmor=4.1", tmp_path / "t", check=1).out == "apparmor=4.1 refused\n"


def test_past_the_budget_of_states_it_is_not_decided(pale, tmp_path):
    text = "profile t {\n" + "".join(f"/**{a}?{b}**{a} ix,\n/**{b}??{a}*{b} px,\n" for a in "abcdefgh" for b in "mnopqrst") + "}\n"
    (tmp_path / "t").write_text(text)
    r = pale("check", "--target", "apparmor=5.0", tmp_path / "t", check=1)
    assert r.out == "apparmor=5.0 not decided\n" and "PL371" in r.err and "PL370" not in r.err


@pytest.mark.parametrize("options,says", [
    (["--target", "bpf"], "is AppArmor's, and --target does not name that"), (["--target", "docker,oci"], "--target does not name that"),
    (["--arch", "x86_64"], "--arch says nothing of an AppArmor file"), (["--policy", "p"], "--policy says nothing of"),
    (["--caps", "none"], "--caps says nothing of"), (["--kernel", "6.1"], "--kernel says nothing of"),
    (["--runtime", "runc-1.1.5"], "--runtime says nothing of")])
def test_options_that_say_nothing_of_an_apparmor_file(pale, tmp_path, options, says):
    (tmp_path / "t").write_text("profile t { }\n")
    r = pale("check", *options, tmp_path / "t", check=2)
    assert says in r.err and not r.out


def test_targets_beside_apparmor_and_options_of_other_files_are_fine(pale, tmp_path):
    (tmp_path / "t").write_text("profile t { }\n")
    (tmp_path / "p").write_text("policy p {\n layers seccomp;\n arch x86_64;\n default allow;\n}\n")
    assert "apparmor=5.0 ok" in pale("check", "--target", "bpf,apparmor", tmp_path / "t", check=0).out
    assert "apparmor=5.0 ok" in pale("check", "--target", "bpf", "--target", "apparmor=5.0", tmp_path / "t", check=0).out
    assert "apparmor=5.0 ok" in pale("check", "--policy", "p", tmp_path / "t", tmp_path / "p", check=0).out
    (tmp_path / "f").write_text("file {}\n")
    assert "--features says nothing of" in pale("check", "--features", tmp_path / "f", tmp_path / "p", check=2).err
    assert "apparmor=5.0 ok" in pale("check", "--features", tmp_path / "f", tmp_path / "t", tmp_path / "p", check=0).out


def test_a_policy_that_counts_on_no_such_target_was_not_checked(pale, tmp_path):
    (tmp_path / "p").write_text("policy p {\n layers seccomp;\n arch x86_64;\n default allow;\n}\n")
    r = pale("check", "--target", "apparmor=5.0", tmp_path / "p", check=1)
    assert r.out == "policy p\ntargets      not checked (none that --target names is the policy's)\n"


@pytest.mark.parametrize("text", ["", "\n", "# nothing but this\n", "#\n\n# and this\n"])
def test_a_file_of_comments_is_well_where_it_is_said_to_be_apparmors(pale, tmp_path, text):
    (tmp_path / "t").write_text(text)
    assert set(asked(pale, tmp_path, text, "3.0", "4.1", "5.0")[0].values()) == {True}
    assert "say that it is: --target apparmor=5.0" in pale("check", tmp_path / "t", check=1).err


@pytest.mark.parametrize("body,says", [
    ('include "part"', "without '<' it is a path from the working directory"), ("include <part>", "give the directory that has it with -I"),
    ("if " + " and ".join(["defined ${A}"] * 2002) + " { /a r, }", "more than 2000 of 'and', 'or' and 'not'"),
    ("if " + "not " * 2002 + "defined ${A} { /a r, }", "more than 2000 of 'and', 'or' and 'not'"),
    ("if defined ${A} { } " + "else if defined ${A} { } " * 4000, "too many of 'else' or 'not' behind one another"),
    ("owner { " * 201 + "}" * 201, "more than 200 brackets inside one another")])
def test_the_way_out_is_that_of_the_fault(pale, tmp_path, body, says):
    got, err = asked(pale, tmp_path, f"profile t {{\n{body}\n}}\n", "5.0")
    assert got == {"5.0": False} and says in err and err.count("error:") == 1


@pytest.mark.parametrize("release", ["4.2", "2.13", "five", "", "5.1", "9.9"])
def test_a_release_that_is_not_known(pale, tmp_path, release):
    (tmp_path / "t").write_text("profile t { }\n")
    r = pale("check", "--target", f"apparmor={release}", tmp_path / "t")
    assert r.rc == (0 if release == "4.2" else 2)  # as 4.1.2 and later


def test_what_a_release_does_not_have_is_refused_for_it_alone(pale, tmp_path):
    got, err = asked(pale, tmp_path, "profile t { userns, }\n", "3.0", "5.0")
    assert got == {"3.0": False, "5.0": True}
    assert "4.0" in err


def test_twelve_others_may_be_named_and_no_thirteenth(pale, tmp_path):
    def text(n):
        return "profile t {\n" + "".join(f"  /p{i} px -> t{i},\n" for i in range(n)) + "  /x cx -> c,\n  profile c { }\n}\n"
    assert asked(pale, tmp_path, text(11), "3.0", "5.0")[0] == {"3.0": True, "5.0": True}
    got, err = asked(pale, tmp_path, text(12), "3.0", "5.0")
    assert got == {"3.0": False, "5.0": False} and "this is the 13th" in err and "t:14:" in err


@pytest.mark.parametrize("rule,old,new", [
    ("/a{i} cx -> /a{i}", True, True), ("/a{i} px -> x///a{i}", True, True), ("/a{i} px -> /a{i}", False, False),
    ("/a{i} px -> :n:x///a{i}", False, False), ("/a{i} cx -> t{i}", False, False), ("/a{i} px -> t", True, True),
    ("pivot_root /a{i} -> t{i}", False, True), ("pivot_root /a{i} -> t", True, True), ("/a{i} l -> /t{i}", False, True)])
def test_which_names_take_one_of_the_twelve_places(pale, tmp_path, rule, old, new):
    """As 3.0.8 and 5.0.2 answer; the former is asked here, where it is. 4.1.8 answers of links as 5.0, of all else as 3.0."""
    text = "profile t {\n" + "".join(f" {rule},\n".replace("{i}", str(i)) for i in range(13)) + "}\n"
    assert asked(pale, tmp_path, text, "3.0", "4.1.8", "5.0")[0] == {"3.0": old, "4.1.8": new if " l " in rule else old, "5.0": new}
    (tmp_path / "t").write_text(text)
    real = run([need("apparmor_parser"), "-Q", "-K", "-M", "/usr/share/apparmor-features/features", tmp_path / "t"])
    assert (real.rc == 0) == old, real


def test_rules_that_disagree_are_named_with_a_path_and_the_way_they_came_in(pale, tmp_path):
    (tmp_path / "inc").write_text("/usr/bin/a* px,\n")
    got, err = asked(pale, tmp_path, f'profile t {{\n  include "{tmp_path}/inc"\n  /usr/bin/?b ix,\n}}\n', "3.0", "5.0")
    assert got == {"3.0": False, "5.0": False}
    assert "two rules disagree about how to execute '/usr/bin/ab'" in err
    assert "'px'" in err and "'ix'" in err and "included here" in err


@pytest.mark.parametrize("one,two,takes", [
    ("/e -> /b", "/e -> /b", True), ("unsafe /e -> /b", "/e -> /b", False), ("unsafe /e -> /b", "/e* -> /b", True),
    ("unsafe /e -> /b", "/e -> /c", True), ("unsafe /e* -> /b", "/*e -> /b", False),
    ("unsafe /e -> /b*", "safe /e -> /*b", False)])
def test_changes_at_one_execution_are_all_unsafe_or_none(pale, tmp_path, one, two, takes):
    got, _ = asked(pale, tmp_path, f"profile t {{ change_profile {one}, change_profile {two}, }}\n", "3.0", "5.0")
    assert set(got.values()) == {takes}


@pytest.mark.parametrize("values,rule,takes", [
    ("@x", "connect peer=(addr=@{V})", True), ("@x @y", "connect peer=(addr=@{V})", False), ("@x @y", "bind addr=@{V}/z", False), ("x y", "bind addr=@@{V}", True),
    ("{a,b}", "bind addr=@{V}", False), ("none", "send addr=@{V}", True), ("@x @y", "create addr=@{V}", True), ("x", "create addr=@[a", True), ("x", "bind addr=@[a", False)])
def test_an_address_begins_with_one_character_that_is_taken_off(pale, tmp_path, values, rule, takes):
    """As 3.0.8, 4.1.0 and 5.0.2 have it; of a socket that is only made they write no address."""
    got, _ = asked(pale, tmp_path, f"@{{V}}={values}\nprofile t {{ unix {rule}, }}\n", "3.0", "4.1", "5.0")
    assert set(got.values()) == {takes}


@pytest.mark.parametrize("rule,old,new", [(": r", True, False), (": /a r", False, True), ("owner : @{A}/x r", False, True), (":a:b r", True, True), (": /a ix", False, True)])
def test_a_colon_is_a_name_of_its_own_before_5_0(pale, tmp_path, rule, old, new):
    got, _ = asked(pale, tmp_path, f"@{{A}}=/a\nprofile t {{ {rule}, }}\n", "3.0", "4.1", "5.0")
    assert got == {"3.0": old, "4.1": old, "5.0": new}


@pytest.mark.parametrize("rule,takes", [("unsafe x /a", True), ("safe x /a", False), ("file unsafe rx /a", True), ("x /a", False), ("deny unsafe x /a", False),
                                        ("unsafe x /a, unsafe px /a", False), ("unsafe x /a*, /ab ix", True)])
def test_unsafe_passes_for_a_way_to_execute(pale, tmp_path, rule, takes):
    got, err = asked(pale, tmp_path, f"profile t {{ {rule}, }}\n", "3.0", "4.1", "5.0")
    assert set(got.values()) == {takes} and (not takes or "lets nothing be executed" in err)


@pytest.mark.parametrize("block,rule,takes", [
    ("allow", "change_profile /b -> p", False), ("allow", "change_profile unsafe /b -> p", True), ("audit", "change_profile safe /b", False), ("owner", "change_profile -> p", True),
    ("deny", "change_profile /b -> p", True), ("deny", "change_profile unsafe /b -> p", False), ("allow", "deny change_profile /b", False), ("deny", "allow change_profile unsafe /b", False),
    ("allow", "deny { change_profile /b, } /a r", False), ("deny", "deny { change_profile /b, } /a r", True), ("allow", "if ${F} { change_profile /b, } /a r", True)])
def test_a_change_at_an_execution_is_looked_at_as_a_file_by_each_block(pale, tmp_path, block, rule, takes):
    """As 4.1.0 and 5.0.2 have it."""
    got, _ = asked(pale, tmp_path, f"${{F}}=false\nprofile t {{ {block} {{ {rule}, }} }}\n", "4.1", "5.0")
    assert set(got.values()) == {takes}


@pytest.mark.parametrize("block,rule,takes", [("audit", "change_profile /b -> p", False), ("audit", "deny change_profile /b -> p", True), ("owner", "deny change_profile unsafe /b", False),
                                              ("owner", "change_profile unsafe /b", True)])
def test_a_change_in_a_block_of_3_0_goes_by_the_rules_own_word(pale, tmp_path, block, rule, takes):
    got, _ = asked(pale, tmp_path, f"profile t {{ {block} {{ {rule}, }} }}\n", "3.0")
    assert got == {"3.0": takes}


def test_a_comment_that_ends_the_file_needs_a_line_end(pale, tmp_path):
    got, err = asked(pale, tmp_path, "profile t { }\n# end", "3.0", "5.0")
    assert not any(got.values()) and "pale fmt -i" in err
    pale("fmt", "-i", tmp_path / "t", check=0)
    assert all(asked(pale, tmp_path, (tmp_path / "t").read_text(), "3.0", "5.0")[0].values())


@pytest.mark.parametrize("text,takes", [
    ("# end", False), ("profile t { } # end", False), ("profile t { /a r, # end", False), ("#include <x>", False),
    ("${A}=true # end", False), ("@{A}=x # end", True), ("@{A}=x #", True), ("@{A}=x #a,b \"c d\" #e", True), ("@{A}=x #a, b", False)])
def test_what_ends_the_file_is_a_comment_or_values(pale, tmp_path, text, takes):
    """3.0.8, 4.1.0 and 5.0.2 alike: a comment ends with its line, and in a variable's line a '#' is a value without one."""
    (tmp_path / "abi").write_text("")
    assert set(asked(pale, tmp_path, text, "3.0", "4.1", "5.0")[0].values()) == {takes}


def test_a_value_that_ends_the_file_is_printed_as_no_comment(pale, tmp_path):
    (tmp_path / "t").write_text("@{A}=x #a b")
    assert pale("fmt", tmp_path / "t", check=0).out == '@{A}=x "#a" b\n'


def test_an_included_comment_needs_its_line_end_too(pale, tmp_path):
    (tmp_path / "inc").write_text("/x r,\n# end")
    text = f'profile t {{\n  include "{tmp_path}/inc"\n}}\n'
    got, err = asked(pale, tmp_path, text, "3.0", "5.0")
    assert not any(got.values()) and "inc:2:1: error: a comment ends the file without a line end" in err
    (tmp_path / "inc").write_text("/x r,\n# end\n")
    assert all(asked(pale, tmp_path, text, "3.0", "5.0")[0].values())


@pytest.mark.parametrize("behind,takes", [
    (",\n", True), (", ", True), (", #b\n", True), ("\n,\n", True), ("\n\n, ", True), (",#b\n", False), (" #b\n,\n", False), ("#b\n,\n", False),
    ("\n#b\n,\n", False), (",", False), ("\n,", False), (",,\n", False), ("\n", False), (" {,\n", False), (',"x"\n', False)])
def test_what_stands_behind_an_abi(pale, tmp_path, behind, takes):
    (tmp_path / "abi").write_text("")
    got, err = asked(pale, tmp_path, f'abi "{tmp_path}/abi"{behind}profile t {{ }}\n', "3.0", "5.0")
    assert set(got.values()) == {takes} and err.count("error:") == (0 if takes else 1)
    assert ("no comments inside this" in err) == ("#" in behind and "," not in behind[:1]), err
    assert ("belongs behind ','" in err) == (behind in (",", ",#b\n", "\n,")), err


def test_many_files_share_what_they_include(pale, tmp_path):
    (tmp_path / "inc").write_text("/x q,\n")
    files = []
    for i in range(3):
        files.append(tmp_path / f"p{i}")
        files[-1].write_text(f'profile p{i} {{ include "{tmp_path}/inc"\n }}\n')
    r = pale("check", "--target", "apparmor=5.0", *files, check=1)
    assert r.out.count("refused") == 3


@pytest.mark.parametrize("rule,well,ill,releases,told", [
    ("/a rw,", "profile p { INC }", "profile q { INC change_profile -> /a, }", ["5.0"], "PL375"),  # one rule to the parser
    ("/a rw,", "profile p { INC }", "alias /a -> /[b,\nprofile q { INC }", ["5.0"], "PL"),  # of which no pattern is made
    ("/a x,", "profile p { deny { INC } }", "profile q { INC }", ["5.0"], "PL3"),
    ("mqueue r,", "profile p { INC }", "profile q { INC }", ["5.0", "3.0"], "PL3")])
def test_what_one_profile_has_well_is_asked_anew_where_another_says_more(pale, tmp_path, rule, well, ill, releases, told):
    """Rules that were found right are passed over in other profiles of the process: these never."""
    (tmp_path / "inc").write_text(rule + "\n")
    p, q = tmp_path / "p", tmp_path / "q"
    for file, text in ((p, well), (q, ill)):
        file.write_text(text.replace("INC", f'include "{tmp_path}/inc"\n') + "\n")
    targets = [x for r in releases for x in ("--target", f"apparmor={r}")]
    alone = pale("check", *targets, q, check=None)
    after = pale("check", *targets, p, p, q, check=None)
    assert after.out.split(f"{q}:\n")[1] == alone.out
    assert told in alone.err and alone.err in after.err


def test_no_value_ends_the_file_with_half_an_escape(pale, tmp_path):
    (tmp_path / "v.aa").write_text("@{n}=\\")
    assert "has nothing to escape" in pale("check", "-t", "apparmor=5.0", tmp_path / "v.aa", check=1).err
    (tmp_path / "v.aa").write_text("@{n}=/a\\")
    pale("check", "-t", "apparmor=5.0", tmp_path / "v.aa", check=0)


# The parser ends such a word at the last quote of the file that it can; printed, the comment would have one more.
@pytest.mark.parametrize("word", ['"/x y\\\\"', '"/x\\"', '"\\\\"'])
def test_a_quoted_word_that_ends_in_a_backslash_is_told_behind_a_comment_with_a_quote(pale, tmp_path, word):
    (tmp_path / "w.aa").write_text("profile p {\n  # \"\n  deny %s r,\n}\n" % word)
    assert "ends in '\\'" in pale("check", "-t", "apparmor=5.0", tmp_path / "w.aa", check=1).err


def test_a_quote_behind_a_backslash_is_part_of_the_word_where_another_one_follows(pale, tmp_path):
    (tmp_path / "w.aa").write_text('profile p {\n  umount "/a b\\\\",\n  deny ptrace (read, trace) peer=secret,\n  ptrace peer=", #",\n  ptrace read,\n}\n')
    said = pale("sim", tmp_path / "w.aa", "ptrace read peer=secret", "-t", "apparmor=5.0").out
    assert said.startswith("allowed"), said
    (tmp_path / "n.aa").write_text("profile p {\n  umount /a\\\\\n  ,\n  /b r,\n}\n")
    said = pale("fmt", tmp_path / "n.aa", check=0).out
    assert "umount /a\\\\\n" in said and pale("fmt", "-", input=said, check=0).out == said


def test_a_rule_without_a_path_that_disagrees_about_executing_is_told(pale, tmp_path):
    for body in ("/bin/* pix,\nfile,", "file,\n/bin/* px,", "file,\nall,\n/bin/* px,"):
        (tmp_path / "f").write_text("profile t {\n%s\n}\n" % body)
        got = pale("check", "--target", "apparmor=5.0", tmp_path / "f", check=None)
        assert got.rc in (0, 1) and "apparmor=5.0" in got.out and ("disagree about how to execute" in got.err) == (got.rc == 1)
    assert got.rc == 1
