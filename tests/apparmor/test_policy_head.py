# SPDX-License-Identifier: Apache-2.0
"""A policy's line `apparmor flags=(...);`: the head of its profile, in AppArmor's own words."""
import pytest


def policy(tmp_path, line, body="file r /etc/**;\ndeny file w /etc/x;", before="program /usr/bin/web; layers apparmor;"):
    f = tmp_path / "web.pale"
    f.write_text(f"policy web {{ {before} arch x86_64;\n{line}\n{body}\n}}\n")
    return f


def head(pale, f, *options):
    out = pale("compile", "-t", "apparmor", "-o", "-", *options, f, check=0).out
    return next(line for line in out.splitlines() if line.startswith("profile "))


@pytest.mark.parametrize("line, want", [
    ("apparmor flags=(complain);", "profile web /usr/bin/web flags=(complain) {"),
    ("apparmor flags=(attach_disconnected  mediate_deleted,audit);", "profile web /usr/bin/web flags=(attach_disconnected, mediate_deleted, audit) {"),
    ("apparmor (kill);", "profile web /usr/bin/web (kill) {"),
    ("apparmor xattrs=(user.a=b) flags=(unconfined);", "profile web /usr/bin/web xattrs=(user.a=b) flags=(unconfined) {"),
    ("apparmor flags=(error=EACCES, kill.signal=term);", "profile web /usr/bin/web flags=(error=EACCES, kill.signal=term) {"),
    ("", "profile web /usr/bin/web {"),
])
def test_the_profile_has_the_head_that_the_policy_says(pale, tmp_path, line, want):
    f = policy(tmp_path, line)
    assert head(pale, f) == want
    pale("fmt", "-i", f)
    assert pale("fmt", f).out == f.read_text() and head(pale, f) == want
    (tmp_path / "web.aa").write_text(pale("compile", "-t", "apparmor", "-o", "-", f).out)
    asked = ["open /etc/a r", "open /etc/x w", "open /x r", "cap chown"]
    one, two = ([line.split("  ")[0] for line in pale("sim", file, *asked).out.splitlines()] for file in (f, tmp_path / "web.aa"))
    assert one == two


@pytest.mark.parametrize("flag, since", [
    ("complain", "3.0"), ("default_allow", "4.0"), ("prompt", "4.0"), ("kill.signal=term", "4.0"), ("interruptible", "4.0"), ("error=EACCES", "4.1"),
    ("attach_disconnected.path=/x", "4.0"), ("attach_disconnected.ipc", "5.0"), ("attach_disconnected.ipc=/x", "5.0")])
def test_a_release_that_does_not_read_a_flag_is_no_target(pale, tmp_path, flag, since):
    f = policy(tmp_path, f"apparmor flags=({flag});")
    for release in ("3.0", "4.0", "4.1", "5.0"):
        got = pale("compile", "-t", f"apparmor={release}", "-o", "-", f, check=None)
        assert got.rc == (release < since), (release, got)
        if got.rc:
            assert f"is read since AppArmor {since}" in got.err or f"since AppArmor {since}" in got.err, got.err
    whom = pale("compile", "-t", "apparmor", "-o", "-", f).err
    assert "abi/3.0" in whom + "abi/3.0" and (f"for AppArmor {since} or newer" in whom) is (since != "3.0"), whom


@pytest.mark.parametrize("flag", ["kill.signal=term", "error=EACCES", "interruptible"])
def test_a_flag_that_no_kernel_has_is_a_note(pale, tmp_path, flag):
    got = pale("compile", "-t", "apparmor", "-o", "-", policy(tmp_path, f"apparmor flags=({flag});"))
    assert f"no kernel up to 7.3 has the flag '{flag.split('=')[0]}'" in got.err and got.rc == 0


def test_the_mode_counts_where_accesses_are_asked(pale, tmp_path):
    asked = ["open /etc/a r", "open /etc/x w", "open /x r", "cap chown"]

    def answers(line):
        return [said.split("  ")[0] for said in pale("sim", policy(tmp_path, line), *asked).out.splitlines()]
    assert answers("") == ["allowed", "refused", "refused", "refused"]
    assert answers("apparmor flags=(complain);") == ["allowed", "allowed, logged", "allowed, logged", "allowed, logged"]
    assert answers("apparmor flags=(unconfined);") == ["allowed"] * 4
    assert answers("apparmor flags=(kill);")[1:] == ["refused, and the program is killed"] * 3 or "kill" in answers("apparmor flags=(kill);")[2]
    assert answers("apparmor flags=(audit);")[0] == "allowed, audited"
    assert "complains" in pale("explain", policy(tmp_path, "apparmor flags=(complain);"), "open /x r").out


def test_log_only_is_complain_whatever_the_mode_was(pale, tmp_path):
    for line, want in (("apparmor flags=(kill, mediate_deleted);", "flags=(complain, mediate_deleted)"), ("apparmor (enforce);", "(complain)"),
                       ("apparmor xattrs=(user.a=b);", "xattrs=(user.a=b) flags=(complain)"), ("", "flags=(complain)")):
        assert head(pale, policy(tmp_path, line, "file r /etc/**;"), "--log-only") == f"profile web /usr/bin/web {want} {{"


@pytest.mark.parametrize("line, said", [
    ("apparmor;", "2:1: error: nothing is said of the profile's head [PL380"),
    ("apparmor /usr/bin/x;", "2:10: error: neither flags nor xattrs stand here [PL380"),
    ("apparmor flags=(complai);", "2:17: error: profiles have no flag 'complai' [PL342"),
    ("apparmor flags=(complain kill);", "'complain' and 'kill' exclude each other [PL342"),
    ("apparmor flags=(kill) flags=(audit);", "error: 'flags=(audit)' cannot stand here [PL341"),
    ("apparmor flags=(error=EFOO);", "error: no error is called 'EFOO' [PL136"),
    ("apparmor flags=(attach_disconnected.path=x);", "error: the path 'x' is not absolute [PL134"),
    ("apparmor flags=(attach_disconnected.path=@{nobody});", "nobody"),
    ("apparmor flags=(kill);\napparmor flags=(audit);", "3:1: error: a second 'apparmor' line [PL100"),
])
def test_what_is_wrong_in_it_is_told_at_its_place(pale, tmp_path, line, said):
    got = pale("check", "-t", "apparmor", policy(tmp_path, line), check=None)
    assert got.rc == 1 and said in got.err, got.err


def test_it_takes_the_apparmor_layer_and_a_program_for_its_attributes(pale, tmp_path):
    got = pale("check", policy(tmp_path, "apparmor flags=(kill);", "allow read;", "layers seccomp;"), check=None)
    assert got.rc == 1 and "does not count on apparmor [PL130" in got.err
    got = pale("check", "-t", "apparmor", policy(tmp_path, "apparmor xattrs=(user.a);", before="layers apparmor;"), check=None)
    assert got.rc == 1 and "no program is said that could have these attributes [PL380" in got.err


def test_the_word_is_a_name_everywhere_else(pale, tmp_path):
    f = tmp_path / "x.pale"
    f.write_text("policy apparmor { layers apparmor; arch x86_64; use apparmor; }\nset apparmor { file r /a; }\n")
    assert pale("sim", f, "open /a r").out.startswith("allowed")
    f.write_text("set x { apparmor flags=(kill); }\n")
    assert "PL111" in pale("check", f, check=None).err


def test_diff_of_two_policies_names_mode_and_flags(pale, tmp_path):
    f, g = tmp_path / "a.pale", tmp_path / "b.pale"
    said = {}
    for name, a, b in (("mode", "apparmor flags=(complain);", ""), ("flag", "", "apparmor flags=(attach_disconnected);"),
                       ("record", "apparmor flags=(audit);", ""), ("path", "apparmor flags=(attach_disconnected.path=/a);", "apparmor flags=(attach_disconnected.path=/b);"),
                       ("same", "apparmor flags=(kill, audit);", "apparmor  flags=( audit kill );"), ("xattrs", "apparmor xattrs=(user.a=b);", "apparmor xattrs=(user.a=c);")):
        f.write_text(policy(tmp_path, a).read_text())
        g.write_text(policy(tmp_path, b).read_text())
        got = pale("diff", f, g, check=None)
        said[name] = got.out
        assert got.rc == (name != "same"), got
    assert "tighter: mode\n  complain -> enforce" in said["mode"] and "a.pale:2:1: apparmor flags=(complain);" in said["mode"]
    assert "tighter: every capability\n  allowed, logged -> refused" in said["mode"]
    assert "looser: flag attach_disconnected\n  not set -> set" in said["flag"] and "no apparmor line" in said["flag"]
    assert "different record: flag audit\n  set -> not set" in said["record"]
    assert "incomparable: attach_disconnected.path\n  /a -> /b" in said["path"] and "incomparable: xattrs" in said["xattrs"]
