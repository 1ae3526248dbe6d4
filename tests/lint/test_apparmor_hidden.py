# SPDX-License-Identifier: Apache-2.0
"""pale lint on AppArmor: no finding hides another one, be it through a comment, a baseline, another
profile or a rule beside it, and no name keeps the linter from its end."""
import json
import os
import re

import pytest

from cases import BASE

ACCESS = re.compile(r"'((?:open|exec|pivot_root|mount|dbus|signal) [^']*)' is (allowed|refused)")

PROFILE = "profile {} {{\n\t{}\n}}\n"


@pytest.fixture
def lint(pale, tmp_path):
    def call(text, *args, check=None):
        (tmp_path / "p.aa").write_text("abi <abi/3.0>,\n" + text)
        r = pale("lint", "--format", "json", "-I", BASE, *args, "p.aa", cwd=tmp_path, check=check)
        return json.loads(r.out)
    return call


def of(doc, rule, kind="findings"):
    return [f for f in doc[kind] if f["id"] == rule]


# ---- other profiles ----

@pytest.fixture
def included(tmp_path):
    (tmp_path / "mounts").write_text("mount,\n")
    return f'include "{tmp_path / "mounts"}"'


@pytest.mark.parametrize("order", [0, 1])
def test_a_rule_that_two_profiles_include_is_as_grave_as_in_the_worse_one(lint, included, order):
    less, more = f"profile one {{\n\t{included}\n}}\n", f"profile two {{\n\t{included}\n\tcapability sys_admin,\n}}\n"
    [f] = of(lint(less + more if order else more + less), "AP305")
    assert f["severity"] == "high" and "as long as" not in f["message"]
    assert [n["message"] for n in f["notes"]].count("and here") == 1
    assert f["line"] == (6 if order else 3) and f["notes"][-1]["line"] == (3 if order else 7)
    assert of(lint(less + more, "--severity", "high"), "AP305")


def test_a_comment_in_one_profile_does_not_speak_for_another_that_includes_the_same(lint, included):
    note = " # pale: ignore AP305 the runtime's"
    one, two = PROFILE.format("one", included + note), PROFILE.format("two", included)
    doc = lint(one + two)
    assert of(doc, "AP305") and of(doc, "DS517")
    doc = lint(one + PROFILE.format("two", included + note))
    assert not of(doc, "AP305") and of(doc, "AP305", "suppressed") and not of(doc, "DS517")


def test_a_comment_at_one_rule_does_not_speak_for_others_of_the_same_finding(lint):
    note = " # pale: ignore AP201 the deny is newer"
    text = "profile p /bin/p {{\n\t/a/x r,{}\n\t/a/y r,{}\n\tdeny /a/* r,\n}}\n"
    assert of(lint(text.format(note, "")), "AP201") and not of(lint(text.format(note, note)), "AP201")
    note = " # pale: ignore AP322 it is a shell"
    text = "profile p /bin/p {{\n\t/tmp/** rw,\n\t/bin/sh ix,{}\n\t/usr/bin/perl ix,{}\n}}\n"
    assert of(lint(text.format(note, "")), "AP322") and not of(lint(text.format(note, note)), "AP322")


# ---- baselines ----

def known(pale, tmp_path, lint, before, after):
    """Ids that are told of the second text, against a baseline of the first."""
    lint(before, "--write-baseline", "base.json")
    return [f["id"] for f in lint(after, "--baseline", "base.json")["findings"]]


@pytest.mark.parametrize("rule,before,after", [
    # what a message only counts
    ("AP301", "/** rw,\n\tdeny /etc/cron.d/** w,", "/** rw,\n\tdeny /etc/sudoers.d/** w,"),
    ("AP321", "/etc/[a-s]** rw,\n\tdeny /etc/cron.d/** w,", "/etc/[a-s]** rw,\n\tdeny /etc/sudoers.d/** w,"),
    # another rule of one finding
    ("AP201", "/a/x r,\n\tdeny /a/* r,", "/a/x r,\n\t/a/y r,\n\tdeny /a/* r,"),
    ("AP209", "/a Ux,", "/a Ux,\n\t/b Ux,"),
    ("AP322", "/tmp/** rw,\n\t/bin/sh ix,", "/tmp/** rw,\n\t/bin/sh ix,\n\t/bin/dash ix,")])
def test_what_is_new_in_a_finding_of_the_baseline_is_told(pale, tmp_path, lint, rule, before, after):
    before, after = PROFILE.format("p /bin/p", before), PROFILE.format("p /bin/p", after)
    assert rule in known(pale, tmp_path, lint, before, after)
    assert known(pale, tmp_path, lint, before, "\n# moved\n" + before) == []


def test_a_rule_of_the_baseline_is_new_in_another_profile(pale, tmp_path, lint, included):
    one = PROFILE.format("one", included)
    assert "AP305" in known(pale, tmp_path, lint, one, one + PROFILE.format("two", included))
    one, two = (PROFILE.format(name, "capability sys_module,") for name in ("one", "two"))
    assert "AP304" in known(pale, tmp_path, lint, one + PROFILE.format("two", ""), PROFILE.format("one", "") + two)
    assert known(pale, tmp_path, lint, one + two, two + one) == []


# ---- a rule beside it ----

@pytest.mark.parametrize("rule,text", [
    ("AP209", "/usr/bin/* Ux,\n\tdeny /usr/bin/a x,"),
    ("AP208", "/usr/bin/* PUx,\n\tdeny /usr/bin/a x,"),
    ("AP207", "/usr/bin/* cx,\n\tdeny /usr/bin/a x,"),
    ("AP210", "/{srv,opt}/** rw,\n\t/{srv,opt}/** ix,"),
    ("AP210", "/{,var/}tmp/** rwix,"),
    ("AP309", "signal send peer=unconfined,\n\tsignal send,")])
def test_a_fault_is_found_whatever_stands_beside_it(lint, pale, tmp_path, rule, text):
    found = of(lint(PROFILE.format("p /bin/p", text)), rule)
    assert found
    for access, outcome in ACCESS.findall(found[0]["message"]):
        assert pale("sim", "-I", BASE, tmp_path / "p.aa", access, check=None).out.startswith(outcome)


def test_each_rule_that_has_something_executed_without_a_profile_is_a_place(lint):
    [f] = of(lint(PROFILE.format("p /bin/p", "/usr/bin/* Ux,\n\t/usr/** Ux,")), "AP209")
    assert f["line"] == 3 and [n["line"] for n in f["notes"]] == [4]


@pytest.mark.parametrize("library", ["/lib/riscv64-linux-gnu/libc.so.6", "/nix/store/x/lib/libc.so.6", "/snap/core22/*/lib/**",
                                     "/lib/ld-musl-armhf.so.1"])
def test_a_c_library_is_one_wherever_it_lies(lint, library):
    assert not of(lint(PROFILE.format("p /bin/p", library + " mr,")), "AP212")
    assert of(lint(PROFILE.format("p /bin/p", library + " r,")), "AP212")


# ---- names ----

@pytest.mark.parametrize("target,rule,text", [
    ("4.1", "AP236", '"/a b/*" ix,\n\t"/a b/c" px -> q,'),
    ("4.1", "AP236", '"/a\\xff/*" ix,\n\t"/a\\xff/c" px -> q,'),
    ("5.0", "AP307", 'pivot_root "/a\\134",'),
    ("5.0", "AP306", 'mount options=(bind) / -> "/a\\134",'),
    ("5.0", "", 'dbus receive bus=system path=/a peer=(label=@x),\n\tdeny dbus,'),
    ("5.0", "", 'signal send peer="\\134",\n\tdeny signal,'),
    ("5.0", "AP201", 'dbus send bus=session path="/a\\134" peer=(label=p),\n\tdeny dbus,')])
def test_no_name_ends_the_linter_and_what_is_shown_is_asked_again(lint, pale, tmp_path, target, rule, text):
    doc = lint(PROFILE.format("p /bin/p", text), "--target", "apparmor=" + target)
    assert not rule or of(doc, rule), doc
    for f in doc["findings"]:
        for access, outcome in ACCESS.findall(f["message"]):
            r = pale("sim", "-I", BASE, "--target", "apparmor=" + target, tmp_path / "p.aa", access, check=None)
            assert r.out.startswith(outcome), (f, r)


@pytest.mark.once
def test_a_file_that_takes_all_memory_is_told_and_the_others_are_linted(pale, tmp_path):
    (tmp_path / "big.aa").write_text("abi <abi/3.0>,\nprofile a {\n" + "".join(
        f" /a{i}/{{a,b,c}}*d/**e?f r,\n" for i in range(300000)) + "}\n")
    (tmp_path / "p.aa").write_text("abi <abi/3.0>,\n" + PROFILE.format("p /bin/p", "all,"))
    r = pale("lint", "--format", "json", "-I", BASE, "p.aa", "big.aa", "p.aa", cwd=tmp_path, check=1)
    told = [(f["file"], f["id"]) for f in json.loads(r.out)["findings"] if f["id"] in ("AP302", "PL218")]
    assert told == [("p.aa", "AP302"), ("big.aa", "PL218"), ("p.aa", "AP302")], told
    assert "'big.aa' (" in r.out
    if os.environ.get("PALE_LONG"):
        before = (tmp_path / "big.aa").read_bytes()
        for option in "--diff", "--fix=unsafe":
            r = pale("lint", option, "-I", BASE, "big.aa", cwd=tmp_path, check=1)
            assert "its fixes need more memory" in r.err and (tmp_path / "big.aa").read_bytes() == before, r


@pytest.mark.parametrize("line, n", [("# include <abstractions/base>", 1), ("# include <abstractions/ba# include <abstractions/base>e>", 0),
                                     ("# include <abstractions/base> or <abstractions/bash>", 0), ("# include <>", 0)])
def test_a_comment_that_looks_like_an_include_has_one_name(pale, tmp_path, line, n):
    f = tmp_path / "p"
    f.write_text(f"#include <tunables/global>\nprofile p /bin/p {{\n\t{line}\n\t/bin/z mr,\n}}\n")
    out = pale("lint", "--select", "AP240", f).out
    assert out.count("[AP240 comment-looks-like-include]") == n, out


@pytest.mark.parametrize("name, fixed", [("there", True), ("folder", True), ("missing", False)])
def test_a_comment_is_made_an_include_only_where_the_file_is_there(pale, tmp_path, name, fixed):
    """What it offers --fix makes: it proves that the profile is still taken, and nothing is left to refuse."""
    for path, text in {"tunables/global": "", "x/there": "/x r,\n", "x/folder/one": "/x r,\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    f = tmp_path / "p.aa"
    f.write_text(f"#include <tunables/global>\nprofile p /bin/p {{\n\t# include <x/{name}>\n\t/bin/z mr,\n}}\n")
    options = ("--select", "AP240", "-I", tmp_path)
    (found,) = json.loads(pale("lint", "--format", "json", *options, f).out)["findings"]
    assert bool(found.get("fixes")) == fixed, found
    before = f.read_text()
    r = pale("lint", "--fix=unsafe", *options, f)
    assert f.read_text() == (before.replace("# include <x", "#include <x") if fixed else before), r


@pytest.mark.parametrize("one, other, path", [
    ("/opt/s*", "/opt/s*.sh", "/opt/saa.sh"), ("/opt/k*z", "/opt/k*zz", "/opt/kaazz"), ("/opt/n*", "/opt/n*{x,y}", "/opt/naax"),
    ("/opt/a**", "/opt/a*/b", "/opt/aaa/b"), ("/opt/q*", "/opt/qr*", None), ("/opt/t/*", "/opt/t/u*", None), ("/opt/v*.py", "/opt/v*.sh", None),
    ("/opt/w*", "/opt/x*", None), ("/opt/w*", "/opt/wa", None), ("/opt/y*", "/opt/y*{a,z,0}*", None), ("/opt/y*", "/opt/y*[a-z0]", None),
])
def test_two_attachments_with_a_star_are_told_where_each_kernel_takes_neither(lint, one, other, path):
    """tests/guest/test_guest_attachments.py has what kernels do of the first ones, and of /opt/qr*."""
    for a, b in (one, other), (other, one):
        found = of(lint(f"profile p {a} {{ /x r, }}\nprofile q {b} {{ /x r, }}\n"), "AP214")
        assert [f["message"].split("'")[5] for f in found] == [path] * bool(path), found
