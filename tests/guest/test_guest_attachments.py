# SPDX-License-Identifier: Apache-2.0
"""What the linter's rules AP214 and AP243 say is what a real kernel does: of two profiles for one program it
takes neither, and a script ends where its interpreter may not be mapped."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, run  # noqa: E402
from guest import Guest, System  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

ALL = "{\n\t/** mrwix,\n}\n"
SCRIPT_RULES = "\t/{usr/,}lib{,64}/** mr,\n\t/dev/** rw,\n\t/proc/** r,\n"
PROFILES = (f"profile a /opt/x1 {ALL}profile b /opt/x1 {ALL}profile c /opt/y* {ALL}profile d /opt/y* {ALL}"
            f"profile g /opt/{{w1,w2}} {ALL}profile h /opt/[w]{{1,3}} {ALL}profile i /opt/{{w2,w4}}x {ALL}"
            f"/opt/v1 {ALL}profile f /opt/v1 {ALL}"
            f"profile j /opt/s* {ALL}profile k /opt/s*.sh {ALL}profile m /opt/n*{{x,y}} {ALL}profile n /opt/n* {ALL}profile o /opt/q* {ALL}profile p /opt/qr* {ALL}"
            f"profile r /opt/t/*x {ALL}profile s /opt/t/*y* {ALL}profile t /opt/u/* {ALL}profile u /opt/u/*.sh {ALL}"
            "profile up {\n\t/** mrw,\n\t/{usr/,}bin/* ix,\n\t/opt/{x1,*.sh} px,\n}\n")
SCRIPTS = {"bad": f"profile bad /opt/bad.sh {{\n\t/opt/bad.sh rix,\n{SCRIPT_RULES}}}\n",
           "good": f"profile good /opt/good.sh {{\n\t/opt/good.sh rix,\n\t/{{usr/,}}bin/* mr,\n{SCRIPT_RULES}}}\n"}
RUN = r"""
mkdir -p /opt/t /opt/u; for x in x1 y1 v1 w1 w3 szz.sh s.sh naax qraa t/ayx t/aaayx u/zz.sh; do cp /bin/busybox /opt/$x; done
for s in bad good; do printf '#!/bin/sh\necho ran\n' >/opt/$s.sh; chmod 755 /opt/$s.sh; done
up() { sh -c "echo 'exec up' >/proc/self/attr/exec; exec sh -c '$1'"; }
apparmor_parser -r /profiles /bad /good; echo "== loaded"; echo $?
for x in x1 y1 v1 w1 w3 szz.sh s.sh naax qraa t/ayx t/aaayx u/zz.sh; do echo "== $x"; sh -c "exec -a cat /opt/$x /proc/self/attr/current"; done
echo "== px"; up 'exec -a cat /opt/x1 /proc/self/attr/current'; echo "status $?"
for s in bad good; do echo "== $s"; up "exec /opt/$s.sh"; echo "status $?"; done
echo "== end"
"""


@pytest.fixture(scope="module")
def guest():
    files = {"/profiles": PROFILES, **{f"/{k}": v for k, v in SCRIPTS.items()}}
    return Guest(System("debian13"), files=files).run(RUN, timeout=240)


def test_of_two_profiles_attached_alike_none_is_taken(guest):
    assert guest.part("loaded") == "0", guest.text
    assert guest.part("x1") == guest.part("y1") == "unconfined", guest.text
    assert guest.part("w1") == "unconfined" and guest.part("w3") == "h (enforce)", guest.text
    assert guest.part("v1") == "/opt/v1 (enforce)", guest.text  # the path's own name goes before
    assert "status 0" not in guest.part("px") and guest.denied(profile="up", name="/opt/x1"), guest.text


def test_of_two_with_a_star_behind_the_same_text_none_is_taken(guest):
    """A path that tells them apart before the '*' takes any byte has its profile, and so has a longer text."""
    assert guest.part("szz.sh") == guest.part("naax") == "unconfined", guest.text
    assert guest.part("s.sh") == "k (enforce)" and guest.part("qraa") == "p (enforce)", guest.text


def test_behind_a_slash_it_is_so_where_both_go_on_behind_the_star(guest):
    assert guest.part("t/ayx") == guest.part("t/aaayx") == "unconfined", guest.text
    assert guest.part("u/zz.sh") == "t (enforce)", guest.text  # 7.2 takes none


def test_a_script_needs_its_interpreter_mapped_and_not_executed(guest):
    assert guest.part("good").split("\n") == ["ran", "status 0"], guest.text
    assert "ran" not in guest.part("bad") and guest.denied(profile="bad", operation="file_mmap"), guest.text


def test_lint_tells_the_same_of_them(tmp_path):
    for name, text, ids in (("all", PROFILES, ["AP214"] * 6), ("bad", SCRIPTS["bad"], ["AP243"]), ("good", SCRIPTS["good"], [])):
        (tmp_path / name).write_text(text)
        r = run([PALE, "lint", "--format", "json", "--select", "AP214,AP243", tmp_path / name])
        assert [f["id"] for f in json.loads(r.out)["findings"]] == ids, r
