# SPDX-License-Identifier: Apache-2.0
"""Every rule about AppArmor speaks where it must and is silent where it must not; what is called
allowed or refused is so by `pale sim`, and real parsers take what the rules speak of."""
import json
import re
import sys

import pytest

from cases import APPARMOR_CASES, BASE
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


@pytest.mark.parametrize("rule", sorted(APPARMOR_CASES))
def test_what_a_finding_shows_is_so(lint, pale, rule, tmp_path):
    """An access that a message calls allowed or refused is that, asked of the same file."""
    text, _, _, options = APPARMOR_CASES[rule]
    for f in lint(text, *options):
        for access, outcome in ACCESS.findall(f["message"]):
            got = pale("sim", "-I", BASE, *options, tmp_path / "p.aa", access)
            assert outcome in got.out.lower(), (f, got)


@pytest.mark.parametrize("release", ["3.0", "4.1", "5.0"])
def test_cases_are_profiles_that_parsers_take(release, tmp_path):
    """A case that no parser takes shows nothing: but for rules that are errors themselves."""
    parser, refused, asked = Parser(release), [], 0
    for rule, (bad, ok, _, options) in sorted(APPARMOR_CASES.items()):
        wanted = next((o.split("=")[1] for o in options if o.startswith("--target=")), "5.0")
        if release not in wanted:
            continue
        for name, text in (("bad", bad), ("ok", ok)):
            path = tmp_path / f"{rule}-{name}"
            path.write_bytes(text)
            asked += 1
            if parser.ask(path) is None and not (name == "bad" and rule in ERRORS):
                refused.append((rule, name, parser.said))
    assert not refused
    assert asked or release != "5.0"


# Rules that are about what the parser refuses.
ERRORS = set()
