# SPDX-License-Identifier: Apache-2.0
"""Every rule about AppArmor speaks where it must and is silent where it must not; what is called
allowed or refused is so by `pale sim`, and real parsers take what the rules speak of."""
import json
import re
import sys

import pytest

from cases import APPARMOR_CASES, BASE, REFUSALS
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "apparmor"))
from parsers import Parser  # noqa: E402

ACCESS = re.compile(r"'((?:open|exec|link|cap|socket|network|signal|ptrace|mount|remount|umount|pivot_root|unix|dbus|"
                    r"mqueue|change_profile|userns|io_uring) [^']*)' is (allowed|refused)")


@pytest.fixture
def lint(pale, tmp_path):
    """Findings of a text, as the JSON output has them."""
    def call(text, *args):
        path = tmp_path / "p.aa"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        r = pale("lint", "--format", "json", "-I", BASE, *args, path)
        assert r.rc in (0, 1), r
        return json.loads(r.out)["findings"]
    return call


def of(findings, rule):
    return [f for f in findings if f["id"] == rule]


def said(f):
    return f["message"] + " " + f.get("help", "")


@pytest.mark.parametrize("rule", sorted(APPARMOR_CASES))
def test_apparmor_rule_speaks_and_is_silent(lint, rule):
    positive, negative, text, options = APPARMOR_CASES[rule]
    found = lint(positive, *options)
    assert any(text in said(f) for f in of(found, rule)), found
    found = lint(negative, *options)
    assert not of(found, rule), found
    assert not [f for f in found if f["id"].startswith("PL") and f["severity"] == "error"], found


def test_what_a_finding_shows_is_so(lint, pale, tmp_path):
    """An access that a message calls allowed or refused is that, asked of the same file."""
    shown = set()
    for rule, (text, _, _, options) in sorted(APPARMOR_CASES.items()):
        for f in lint(text, *options):
            for access, outcome in ACCESS.findall(f["message"]):
                got = pale("sim", "-I", BASE, *options, tmp_path / "p.aa", access)
                assert outcome in got.out.lower(), (rule, f, got)
                shown.add(f["id"])
    assert len(shown) >= 30, sorted(shown)


@pytest.mark.parametrize("path", ['"/a\\001"', '"/a b\\x22"', '"/a\\xff\\xfe"', '"/a\u202e"', '"/a\\134b"', "/\u00e9"])
def test_paths_of_any_bytes_are_asked_and_shown_so_that_sim_reads_them(lint, pale, tmp_path, path):
    found = of(lint(f"abi <abi/5.0>,\nprofile p /bin/p {{\n\t{path} r,\n\tdeny {path} r,\n}}\n"), "AP201")
    (access, outcome), = ACCESS.findall(found[0]["message"])
    got = pale("sim", "-I", BASE, tmp_path / "p.aa", access, check=0)
    assert outcome == "refused" and got.out.startswith("refused") and "deny" in got.out, (found, got)


@pytest.mark.parametrize("release", ["4.1", "5.0"])
def test_cases_are_profiles_that_parsers_take(release, tmp_path):
    """A case that no parser takes shows nothing, but of what a parser refuses. One that names no
    release is asked of 5.0's."""
    parser, wrong, asked = Parser(release), [], 0
    for rule, (bad, ok, _, options) in sorted(APPARMOR_CASES.items()):
        target = next((o.partition("apparmor=")[2] for o in options if o.startswith("--target")), "5.0")
        if target.split(",")[0] != release:
            continue
        for name, text in (("bad", bad), ("ok", ok)):
            path = tmp_path / f"{rule}-{name}"
            path.write_bytes(text)
            asked += 1
            if (parser.ask(path) is None) != (name == "bad" and rule in REFUSALS):
                wrong.append((rule, name, parser.said))
    assert not wrong and asked, wrong


def test_what_check_says_is_told_by_its_rule_and_once_a_cause(lint, pale, tmp_path):
    """The text is check's; a cause that shows in many places is one finding with these places."""
    found = lint("abi <abi/5.0>,\nprofile p /bin/p {\n" + "".join(f"\t@{{NO}}/{i} r,\n" for i in range(9)) + "}\n")
    assert [f["id"] for f in found] == ["AP105"] and len(found[0]["notes"]) == 8
    said = pale("check", "-I", BASE, tmp_path / "p.aa", check=1)
    assert found[0]["message"] in said.out + said.err and "PL234" in said.out + said.err
    assert [f["id"] for f in lint("abi <abi/5.0>,\n@{A} += /x\nprofile p /bin/p {\n\t@{A}/a r,\n}\n")] == ["AP106"]
    for selected, ids in (("AP109", ["AP109"]), ("SR", ["AP109"])):  # it is told, whatever is selected
        found = lint("profile p {\n\tcapability cap_chown,\n}\n", "--select", selected)
        assert [f["id"] for f in found] == ids


def test_a_comma_too_many_is_one_error_and_goes(lint, pale, tmp_path):
    """directpv#426."""
    head, tail = "abi <abi/5.0>,\nprofile p /bin/p {\n\t/bin/p mr,\n\tdeny /dev/**", "}\n"
    found = lint(head + ", wl,\n" + tail)
    assert [f["id"] for f in found] == ["AP102"] and found[0]["fixes"]
    pale("lint", "--fix=unsafe", "--select", "AP102", "-I", BASE, tmp_path / "p.aa")
    assert (tmp_path / "p.aa").read_text() == head + " wl,\n" + tail
    for other in (",\n\twl,\n", ", /x wl,\n"):  # no letters behind it on the line
        assert "fixes" not in of(lint(head + other + tail), "AP102")[0]


# ---- a file of which nothing is wrong but what it includes ----

REST = "profile a /bin/a {\n\tinclude <%s>\n\t/x r,\n\tcapability sys_admin,\n\t/bin/** ux,\n}\n"


@pytest.mark.parametrize("name, wrong", [("local/a", None), ("abstractions/bad", "/y r,\n/y rzz,\n/dev/mem rw,\n")])
def test_an_includes_error_does_not_hide_what_the_rest_allows(lint, pale, tmp_path, name, wrong):
    """Of what is refused nothing is told: the include may allow it. AP212 would be, of a profile that maps no library."""
    if wrong:
        (tmp_path / "abstractions").mkdir()
        (tmp_path / name).write_text(wrong)
    found = lint(REST % name, "-I", tmp_path)
    assert [f["id"] for f in found if f["severity"] != "error"] == ["AP304", "AP209"], found
    assert [f["id"] for f in found if f["severity"] == "error"][:1] == ["AP110" if wrong and "rzz" in wrong else "AP114"], found
    assert any("as if this" in r["message"] for f in found for r in f.get("notes", [])), found
    whole = lint(REST.replace("include <%s>\n", "\n"))
    assert {"AP304", "AP209", "AP212"} <= {f["id"] for f in whole}
    empty = [f["message"] for f in whole if f["id"] in ("AP304", "AP209")]
    assert [f["message"] for f in found if f["severity"] != "error"] == empty


def test_a_files_own_error_beside_an_includes_is_told_alone(lint):
    found = lint((REST % "local/a").replace("/x r", "/x rz"))
    assert sorted(f["id"] for f in found) == ["AP110", "AP114"], found


def test_what_is_missing_in_local_is_not_offered_another_profiles(lint, tmp_path):
    (tmp_path / "local").mkdir()
    (tmp_path / "local/usr.bin.man").write_text("")
    (told,) = [f for f in lint(REST % "local/usr.bin.mam", "-I", tmp_path) if f["id"] == "AP114"]
    assert "include if exists" in told["help"] and not told.get("fixes"), told


# ---- AP228 where the path is not that of a file rule ----

DEAD = {"owner /a/{b,}/c l,": "link /a/c /a", "link /a/{b,}/c -> /t/y,": "link /a/c /t/y", "link subset /a/c -> /t/{b,}/y,": "link /a/c /t/y",
        "/a/{b,}/ r,": "open /a/ r", "mount fstype=ext4 /dev/a -> /m/{b,}/c/,": "mount fstype=ext4 /dev/a -> /m/c/", "umount /m/{b,}/c/,": "umount /m/c/",
        "remount /m/{b,./}c/,": "remount /m/c/", "pivot_root /n/{b,}/c,": "/n/c", "pivot_root oldroot=/o/{b,}/p /n/c,": "oldroot=/o/p /n/c"}
LIVE = ["owner /a/{b/,}c l,", "link /a/{b/,}c -> /t/{b/,}y,", "/a/{b/,} r,", "mount fstype=ext4 /dev/a -> /m/{b/,}c/,", "umount /m/{b/,}c/,", "pivot_root /n/{b/,}c,",
        "mount fstype=cifs {/,}/server/share -> /m/,", "umount /m/{b,}/c/,\n\tumount /m/c/,", "link /a/{b,}/c -> /t/y,\n\tlink /a/c -> /t/y,"]


@pytest.mark.parametrize("rule", DEAD)
def test_an_alternative_that_gives_no_path_is_told_of_links_folders_and_mounts(lint, pale, tmp_path, rule):
    (told,) = of(lint(f"abi <abi/4.0>,\nprofile p /bin/p {{\n\t{rule}\n}}\n"), "AP228")
    ((access, outcome),) = ACCESS.findall(told["message"])
    assert DEAD[rule] in access and outcome == "refused", told
    assert pale("sim", "-I", BASE, tmp_path / "p.aa", access).out.startswith("refused"), access
    (told,) = of(lint(f"abi <abi/4.0>,\nprofile p /bin/p {{\n\tfile,\n\tmount,\n\tremount,\n\tumount,\n\tpivot_root,\n\tdeny {rule}\n}}\n"), "AP228")
    ((access, outcome),) = ACCESS.findall(told["message"])
    assert outcome == "allowed" and pale("sim", "-I", BASE, tmp_path / "p.aa", access).out.startswith("allowed"), access


@pytest.mark.parametrize("rules", LIVE)
def test_an_alternative_that_gives_a_path_is_not_told(lint, rules):
    assert not of(lint(f"abi <abi/4.0>,\nprofile p /bin/p {{\n\t{rules}\n}}\n"), "AP228")
