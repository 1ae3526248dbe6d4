# SPDX-License-Identifier: Apache-2.0
"""pale diff --target-a --target-b: each side is read for a release and kernel of its own."""
import json
import pathlib
import random
import sys

import pytest

from conftest import ROOT, some

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from test_apparmor_diff import answer, sim  # noqa: E402
sys.path.insert(0, str(ROOT / "tests/apparmor"))
from test_means import random_profile, text_of  # noqa: E402

OLD, NEW = "apparmor=3.0,kernel=6.1", "apparmor=5.0,kernel=7.2"


def compare(pale, a, b, x, y, *args, rc=None):
    got = pale("diff", "--format", "json", "--target-a", x, "--target-b", y, *args, a, b, check=None)
    assert got.rc in ((0, 1) if rc is None else (rc,)) and got.out, got
    d = json.loads(got.out)
    lines = [r for r in d["resources"] if r["access"]]
    for file, target, side in ((a, x, "a"), (b, y, "b")):
        asked = [r["access"].replace(" ", " owner ", 1) if r["access"].split()[0] in ("open", "exec", "link") and
                 r["access"].split()[1] not in ("owner", "other") else r["access"] for r in lines]
        for r, got in zip(lines, sim(pale, file, asked, "--target", target) if asked else ()):
            assert got == answer(r[side]), (file.read_text(), r)
    return d


def told(d):
    return {(r["change"], r["about"]) for r in d["resources"]}


@pytest.fixture
def web(tmp_path):
    """Without an abi line, as what the distribution pins."""
    f = tmp_path / "web.apparmor"
    f.write_text("profile web {\n  /etc/** r,\n  audit deny /bin/x m,\n  /bin/* ix,\n  unix connect type=stream peer=(addr=@x),\n}\n")
    return f


def test_one_file_twice_says_what_an_upgrade_changes_and_for_whom_each_side_is(pale, web):
    d = compare(pale, web, web, OLD, NEW, rc=1)
    assert {("tighter", "class userns"), ("tighter", "class io_uring")} <= told(d)
    assert (d["a"]["for"], d["b"]["for"]) == ("AppArmor 3.0, Linux 6.1", "AppArmor 5.0, Linux 7.2")
    text = pale("diff", "--target-a", OLD, "--target-b", NEW, web, web, check=1).out
    assert "(AppArmor file, for AppArmor 3.0, Linux 6.1)\n" in text and "(AppArmor file, for AppArmor 5.0, Linux 7.2)\n" in text
    assert "web.apparmor` (AppArmor file, for AppArmor 5.0, Linux 7.2)\n" in pale("diff", "--format", "markdown", "--target-a", OLD, "--target-b", NEW, web, web, check=1).out
    for same in (OLD, NEW):
        assert compare(pale, web, web, same, same, rc=0)["same"]


def test_what_is_looser_for_one_target_is_tighter_for_the_other_way_round(pale, web):
    sides = {"looser": "tighter", "tighter": "looser"}
    there, back = compare(pale, web, web, OLD, NEW), compare(pale, web, web, NEW, OLD)
    assert {(sides.get(c, c), about) for c, about in told(there)} == told(back)
    assert pale("diff", "--fail-on", "looser", "--target-a", OLD, "--target-b", NEW, web, web, check=None).rc == 0


def test_a_kernel_alone_makes_a_difference(pale, web):
    assert told(compare(pale, web, web, "apparmor=4.1,kernel=6.1", "apparmor=4.1,kernel=6.12")) == {("tighter", "class userns"), ("tighter", "class io_uring")}


def test_target_is_both_sides_and_that_of_one_side_goes_before_it(pale, web):
    d = json.loads(pale("diff", "--format", "json", "--target", "apparmor=4.1", web, web).out)
    assert d["same"] and d["a"]["for"] == d["b"]["for"] == "AppArmor 4.1"
    d = json.loads(pale("diff", "--format", "json", "--target", "apparmor=4.1", "--target-b", NEW, web, web, check=None).out)
    assert (d["a"]["for"], d["b"]["for"]) == ("AppArmor 4.1", "AppArmor 5.0, Linux 7.2")
    assert json.loads(pale("diff", "--format", "json", web, web).out)["a"].get("for") is None


def test_how_rules_of_files_add_up_is_each_releases_own(pale, tmp_path):
    f = tmp_path / "f.apparmor"
    f.write_text("profile f {\n  deny /a x,\n  /* ix,\n}\n")  # the m of ix goes with the x that won, since 4.1.2
    assert told(compare(pale, f, f, "apparmor=3.0", "apparmor=5.0")) >= {("tighter", "map /a")}
    assert ("looser", "map /a") in told(compare(pale, f, f, "apparmor=5.0", "apparmor=3.0"))


def test_random_profiles_for_two_releases_have_true_witnesses(pale, tmp_path):
    rng, f, differ = random.Random(2611), tmp_path / "r.apparmor", 0
    for _ in range(some(25)):
        f.write_text("profile r {\n%s\n}\n" % "\n".join(map(text_of, random_profile(rng, "3.0"))))
        d = json.loads(pale("diff", "--format", "json", "--target-a", "apparmor=3.0", "--target-b", "apparmor=5.0", f, f, check=None).out or "null")
        if d and not d["same"]:
            differ += 1
            compare(pale, f, f, "apparmor=3.0", "apparmor=5.0")
    assert differ >= some(3)


def test_a_policy_is_compiled_for_each_sides_target(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text("policy p { layers apparmor; arch x86_64; file r /etc/**; }\n")
    assert ("tighter", "class userns") in told(compare(pale, f, f, OLD, "apparmor=4.1,kernel=6.12", rc=1))
    assert compare(pale, f, f, OLD, "apparmor=4.1,kernel=6.1", rc=0)["same"]
    g = tmp_path / "g.pale"
    g.write_text(f.read_text().replace("file", "userns; file"))
    d = compare(pale, g, g, OLD, NEW, rc=1)
    assert d["same"] is None and all("userns" in r["reason"] for r in d["resources"])


def test_what_one_sides_release_refuses_is_told(pale, tmp_path):
    f = tmp_path / "f.apparmor"
    f.write_text("profile f {\n  priority=1 /a r,\n}\n")
    got = pale("diff", "--target-a", "apparmor=3.0", "--target-b", "apparmor=5.0", f, f, check=1)
    assert "'priority' is read since AppArmor 4.1" in got.err and not got.out


def test_wrong_targets_of_a_side_are_told_with_the_word_that_may_be_meant(pale, web):
    assert "--target-a" in pale("diff", "--target-q", NEW, web, web, check=2).err
    assert "'--target-b' takes apparmor=3.0" in pale("diff", "--target-b", "apparmor=1.0", web, web, check=2).err
    assert "one release is asked" in pale("diff", "--target-a", "apparmor=3.0,apparmor=5.0", web, web, check=2).err
    assert "leave one of them out" in pale("diff", "--target-a", OLD, "--features", web, web, web, check=2).err
