# SPDX-License-Identifier: Apache-2.0
"""Rules about what AppArmor's rules mean together, where two cases a rule do not show it."""
import json
import sys

import pytest

from cases import APPARMOR_CASES, BASE
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "apparmor"))
from parsers import Parser  # noqa: E402


@pytest.fixture
def found(pale, tmp_path):
    """Messages of one rule for the rules of a profile."""
    def call(rule, rules, *args, head="profile p /bin/p"):
        (tmp_path / "p.aa").write_text(f"abi <abi/4.0>,\ninclude <tunables/global>\n{head} {{\n/bin/p mr,\n{rules}\n}}\n")
        r = pale("lint", "--format", "json", "-I", BASE, *args, tmp_path / "p.aa")
        assert r.rc in (0, 1), r
        findings = json.loads(r.out)["findings"]
        assert not [f for f in findings if f["id"].startswith("PL")], findings
        return [f["message"] for f in findings if f["id"] == rule]
    return call


SHADOWED = [
    ("/x/{a,b}* rw,", "deny /x/** rwk,", "open /x/a w"),
    ("owner /x/c r,", "deny /x/? r,", "open owner /x/c r"),
    ("/x/c k,", "deny /x/* k,", "open /x/c k"),
    ("capability chown,", "deny capability,", "cap chown"),
    ("signal send set=term peer=foo,", "deny signal peer=foo,", "signal send term peer=foo"),
    ("ptrace read peer=b,", "deny ptrace,", "ptrace read peer=b"),
    ("unix connect type=stream peer=(addr=@a),", "deny unix,", "unix connect type=stream addr=none peer=(addr=@a label=a)"),
    ("dbus send bus=system,", "deny dbus bus=system,", "dbus send bus=system path=a interface=a member=a peer=(name=a label=a)"),
    ("network inet stream,", "deny network inet,", "socket inet stream"),
    ("userns,", "deny userns,", "userns"),
    ("umount /mnt/**,", "deny umount,", "umount /mnt/a"),
    ("mount fstype=tmpfs -> /mnt/,", "deny mount,", "mount fstype=tmpfs a -> /mnt/"),
    ("pivot_root /mnt/,", "deny pivot_root,", "pivot_root oldroot=/ /mnt/"),
]


@pytest.mark.parametrize("allow,deny,access", SHADOWED)
def test_a_deny_that_takes_all_of_a_rule_is_told_in_every_class(found, pale, tmp_path, allow, deny, access):
    for rules in (f"{allow}\n{deny}", f"{deny}\n{allow}"):
        (message,) = found("AP201", rules)
        assert f"'{access}' is refused" in message
        got = pale("sim", "-I", BASE, tmp_path / "p.aa", access)
        assert "refused" in got.out, got


@pytest.mark.parametrize("rules", [
    "/x/* rw,\ndeny /x/* r,",                       # w is left
    "/x/** r,\ndeny /x/* r,",                       # what lies deeper
    "/x/a r,\ndeny owner /x/a r,",                  # others' files
    "priority=1 /x/a r,\ndeny /x/a r,",
    "/x/a rl,\ndeny /x/a r,",
    "capability chown fowner,\ndeny capability chown,",
    "signal send set=(term kill),\ndeny signal send set=kill,",
    "network inet,\ndeny network inet stream,",
    "mount fstype=tmpfs,\ndeny mount -> /srv/**,",
    "include <abstractions/base>\ndeny /dev/null rw,",  # what an include allows is there to be denied
    "deny /x/a r,",
])
def test_where_something_is_left_nothing_is_told(found, rules):
    assert not found("AP201", rules)


def test_one_deny_is_one_finding_however_many_rules_it_takes(pale, tmp_path):
    path = tmp_path / "p.aa"
    path.write_text("profile p /bin/p {\n" + "".join(f"/x/{i} r,\n" for i in range(5)) + "deny /x/* r,\n}\n")
    findings = [f for f in json.loads(pale("lint", "--format", "json", path).out)["findings"] if f["id"] == "AP201"]
    assert len(findings) == 1 and findings[0]["line"] == 2


def test_priority_is_offered_where_the_release_has_it(pale, tmp_path):
    path = tmp_path / "p.aa"
    path.write_text("profile p /bin/p {\n/x r,\ndeny /x r,\n}\n")
    for release, offered in (("3.0", False), ("5.0", True)):
        out = pale("lint", "--target", f"apparmor={release}", path).out
        assert "AP201" in out and ("priority=1" in out) == offered


LOADER = "/lib64/ld-linux-x86-64.so.2 mrix,\n"


@pytest.mark.parametrize("rules,told", [
    (LOADER + "/usr/bin/* mrix,\ndeny /usr/bin/curl x,", True),
    (LOADER + "/usr/bin/* mr,\ndeny /usr/bin/c* x,", True),
    (LOADER + "/usr/bin/curl mr,\ndeny /usr/bin/** x,", True),
    (LOADER + "/usr/bin/* rix,\ndeny /usr/bin/curl x,", False),     # what ix implies goes with it since 4.1.2
    (LOADER + "/usr/bin/* mrix,\ndeny /usr/bin/curl rx,", False),
    ("/usr/bin/* mrix,\ndeny /usr/bin/curl x,", False),             # no loader is executed
    (LOADER.replace("ix", "px") + "/usr/bin/* mrix,\ndeny /usr/bin/curl x,", False),
])
def test_what_is_denied_x_and_mapped_is_told_with_its_loader(found, rules, told):
    assert bool(found("AP227", rules)) == told


def test_before_4_1_2_a_denied_ix_stays_mapped(found):
    rules = LOADER + "/usr/bin/* rix,\ndeny /usr/bin/curl x,"
    assert found("AP227", rules, "--target=apparmor=3.0")


@pytest.mark.parametrize("text,word", [
    ("/a/{,b}/c r,", "''"), ("/{,usr/,/opt/}lib/x r,", "'/opt/'"), ("/a{,/b/}/c r,", "'/b/'"),
    ("/a/{b,./c} r,", "'./c'"), ("/a/{b/.,c/d}/e r,", "'b/.'"), ("/a/{.,b}/c r,", "'.'"), ("/a/{b,c/.} r,", "'c/.'"),
])
def test_alternatives_that_match_no_path_are_told(found, text, word):
    (message,) = found("AP228", text)
    assert message.startswith(f"the alternative {word} gives only")


@pytest.mark.parametrize("text", ["/a/{,b/}c r,", "/{,usr/}lib/x r,", "/a{,/b}/c r,", "/a/{,b}/c r,\n/a/c r,", "/a/{b,c}/ r,", "/{.a,b}/c r,", "/a/{b,.c} r,",
                                  "/a/{b,c.}/d r,", "/a{b,./c} r,", "/a/{b,./c} r,\n/a/c r,", "/a/{b,../c} r,"])
def test_alternatives_that_match_or_do_no_harm_are_not(found, text):
    assert not found("AP228", text)


def test_a_containers_profile_that_runs_nothing_is_told(pale, tmp_path):
    path = tmp_path / "web"
    for rules, told in (("/etc/x r,", True), ("/etc/x r,\n/bin/sh rix,", False), ("/usr/sbin/nginx mr,", False)):
        path.write_text(f"include <tunables/global>\nprofile web {{\ninclude <abstractions/base>\n{rules}\n}}\n")
        out = pale("lint", "-I", BASE, path).out
        assert ("'exec /bin/sh' is refused [AP211" in out) == told, out


@pytest.mark.parametrize("release,refused", [("3.0", True), ("4.1", False), ("5.0", False)])
def test_parsers_refuse_by_release_what_is_told(release, refused, tmp_path):
    path = tmp_path / "p"
    path.write_bytes(APPARMOR_CASES["AP226"][0])
    assert (Parser(release).ask(path) is None) == refused


def test_the_reverse_is_told_of_3_0(found):
    rules = "/a/[bc] ix,\n/a/b px,"
    (message,) = found("AP226", rules, "--target=apparmor=3.0")
    assert "4.0 and later refuses" in message and "'/a/b'" in message


@pytest.mark.parametrize("rules,told", [
    ("/srv/** rw,\n/srv/bin/* ix,", True),
    ("owner /srv/* w,\n/srv/lib*.so m,", True),
    ("/srv/** rw,\n/** rix,", True),
    ("/srv/** rw,\nother /srv/bin/* ix,\ndeny other /srv/** w,", False),
    ("/srv/data/* rw,\n/srv/bin/* ix,", False),
    ("/srv/** rw,\n/srv/bin/* ix,\ndeny /srv/bin/** w,", False),
    ("/srv/ rw,\n/srv/** ix,", False),          # a directory is not executed
    ("file,", False),                            # of that another rule speaks
    ("/**.pcap rw,\n/usr/lib/** mr,", False),
])
def test_what_may_be_written_and_run_is_told_with_a_path(found, rules, told):
    assert bool(found("AP210", rules)) == told


@pytest.mark.parametrize("rule", ["signal send peer={}", "mount {0} -> {0}"])
def test_many_questions_about_one_profile_end_and_that_is_told(found, rule):
    """A walk of 200,000 states for each of 200 rules: all of a profile's are counted."""
    globs = [f"/**{c}{d}??????????" for c in "abcdefghij" for d in "abcdefghij"]
    rules = "\n".join(("deny " if i % 2 else "") + rule.format(g) + "," for i, g in enumerate(globs))
    assert any("takes more than" in m for m in found("AP329", rules))
