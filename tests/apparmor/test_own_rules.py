# SPDX-License-Identifier: Apache-2.0
"""File rules that nobody wrote: what aliases make of rules, and what the parser adds to a profile that may be changed."""
import os
import pathlib
import random
import sys

import pytest

LONG = os.environ.get("PALE_LONG")

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402

OWN = ["/proc/1/attr/current", "/proc/1/attr/exec", "/proc/self/attr/current", "/proc/self/attr/apparmor/current", "/proc/1/attr/apparmor/exec",
       "/proc/1/attr/apparmor/", "/proc/12x/attr/current", "/sys/module/apparmor/parameters/enabled", "/p/1/attr/current"]
PATHS = OWN + ["/a/x", "/b/x", "/b/c/x", "/c/x", "/b", "/a", "/a/b", "/b/b", "/d/a/x", "/x", "/bx", "/b/x/y", "/v/x", "/w/x", "/w/v/x"]
GLOBS = ["/a/x", "/a/*", "/a/**", "/{a,b}/x", "/[ab]/x", "/**", "/a", "/a{,/b}", "/@{V}/x", "@{W}/x", "//a//x", "/a\\057x", "/proc/*/attr/current", "/proc/**"]
ALIASES = [("/a/", "/b/"), ("/a", "/b"), ("/a/x", "/b/x/y"), ("/", "/d/"), ("/proc/", "/p/"), ("/{a", "/{c"), ("/b/", "/c/"), ("/v/", "/w/v/"), ("/a/", "/c/")]
EXECS = ["ix", "px", "ux"]


def rules(rng, release, exec_):
    out = []
    for _ in range(rng.randrange(1, 5)):
        mode = rng.choice(["", "", "deny ", "owner ", "audit "])
        perms = rng.choice(["r", "rw", "w", "a", "rk"])
        if exec_ and rng.random() < .3:
            perms = "x" if "deny" in mode else exec_
        priority = rng.choice(["", "", "priority=1 ", "priority=-1 "]) if release != "3.0" else ""
        out.append(f"{priority}{mode}{rng.choice(GLOBS)} {perms},")
    if rng.random() < .4:
        out.append(rng.choice(["change_profile -> x,", "change_profile /a/x -> y,", "deny change_profile -> z,", "change_profile,"]))
    if release != "3.0" and rng.random() < .1:
        out.append("all,")
    return out


def random_text(rng, release):
    exec_ = None if release == "4.1" else rng.choice(EXECS)
    text = [f"alias {a} -> {b}," for a, b in rng.sample(ALIASES, rng.choice([0, 1, 1, 2, 3]))]
    text += ["@{V}=v a", "@{W}=/v", "profile t {", *rules(rng, release, exec_)]
    for head in rng.sample(["^h", "hat g", "profile kid"], rng.choice([0, 0, 1, 2])):
        text += [f"{head} {{", *rules(rng, release, exec_), "}"]
    return "\n".join([*text, "}", ""])


def compare(pale, file, release, name, table):
    accesses = aadfa.accesses(PATHS)
    lines = pale("sim", file, "--target", f"apparmor={release}", "--profile", name, *accesses).out.splitlines()
    return aadfa.assert_says(table, lines, accesses, (file.read_text(), name))


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_random_aliases_hats_and_changes_answer_as_their_tables(pale, tmp_path, release):
    rng, parser, file, compared = random.Random(f"own {release}"), Parser(release), tmp_path / "p", 0
    for _ in range(1000 if LONG else 25):
        file.write_text(random_text(rng, release))
        binary = parser.ask(file)
        if not binary:
            assert pale("check", "-t", f"apparmor={release}", file, check=None).rc == 1, (file.read_text(), parser.said)
            continue
        for name, table in aadfa.profiles(binary).items():
            compared += compare(pale, file, release, name, table)
    assert compared > 3000


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
@pytest.mark.parametrize("alias, rule, taken", [("/a -> /[", "/a/x r", False), ("/b/ -> /[", "/a/x r", True),
                                                ("/a/ -> /{", "/a/x r", False), ("/a/ -> /{", "link /q -> /a/x", False)])
def test_an_alias_that_makes_no_glob_is_refused(pale, tmp_path, release, alias, rule, taken):
    file = tmp_path / "p"
    file.write_text(f"alias {alias},\nprofile t {{\n {rule},\n}}\n")
    assert bool(Parser(release).ask(file)) == taken
    assert (pale("check", "-t", f"apparmor={release}", file, check=None).rc == 0) == taken


def test_hundreds_of_aliases_take_no_memory_of_a_rule_each(pale, tmp_path):
    """apparmor.d has 221: each of its 1,700 profiles needed more than a file may."""
    file, rest = tmp_path / "p", "x" * 80
    aliases = "".join(f"alias /{{,usr/}}bin/{i}{rest} -> /usr/lib/{i},\n" for i in range(300))
    rules = "".join(f" /{{,usr/}}bin/{i}{rest}/{{a,b}} r,\n" for i in range(500))
    file.write_text(f"{aliases}alias /{{,usr/}}bin/7{rest} -> /usr/lib/7,\nalias //dd/ -> /e/,\nprofile t {{\n{rules} //dd/x r,\n}}\n")
    assert pale("sim", file, "open /usr/lib/7/a r", "open /e/x r", f"open /usr/bin/7{rest}/b r").out.count("allowed") == 3
    assert pale("sim", file, "open /usr/lib/300/a r").out.startswith("refused")
    assert "PL218" not in pale("lint", "--isolated", file, check=None).out


def test_explain_tells_whose_rule_it_is(pale, tmp_path):
    file = tmp_path / "p"
    file.write_text("alias /a/ -> /b/,\nprofile t {\n /a/x r,\n change_profile -> q,\n profile kid { }\n}\n")
    ask = lambda path: pale("explain", file, path, "--profile", "t").out.replace(f"{tmp_path}/", "")
    assert "allows         r  p:3:2: /a/x r,  (by alias '/a/' -> '/b/')" in ask("/b/x")
    assert "(its owner)  the parser adds it, as the profile has change_profile rules" in ask("/proc/1/attr/exec")
    assert "the parser adds it, as the profile has hats or children" in ask("/proc/1/attr/current")
    assert pale("sim", file, "--profile", "t", "open owner /proc/1/attr/exec w").out == (
        "allowed  open owner /proc/1/attr/exec w  the parser adds it, as the profile has change_profile rules\n")
    assert "refused" in pale("sim", file, "--profile", "t", "open owner /proc/1/attr/exec a", "open other /proc/1/attr/exec w", check=None).out


def test_diff_counts_aliases_and_what_the_parser_adds(pale, tmp_path):
    (tmp_path / "a").write_text("profile t {\n /a/x r,\n change_profile -> q,\n}\n")
    (tmp_path / "b").write_text("alias /a/ -> /b/,\nprofile t {\n /a/x r,\n}\n")
    out = pale("diff", tmp_path / "a", tmp_path / "b", check=1).out.replace(f"{tmp_path}/", "")
    assert "not decided" not in out and "looser: read /b/x\n" in out
    assert "tighter: write /proc/a/attr/exec by its owner\n" in out and "A: a:1:1: a rule that the parser adds to it\n" in out
    assert "same: files" in pale("diff", tmp_path / "b", tmp_path / "b").out
