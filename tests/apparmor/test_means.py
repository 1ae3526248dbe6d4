# SPDX-License-Identifier: Apache-2.0
"""What file rules mean together, by release, against the tables that the parsers of these releases compile."""
import os
import pathlib
import random
import sys

import pytest

from conftest import program, run

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402

RELEASES = {"3.0": 0, "4.1": 2, "5.0": 4}
PERMS = [aadfa.READ, aadfa.WRITE, aadfa.APPEND, aadfa.LINK, aadfa.LOCK, aadfa.MMAP, aadfa.EXEC]  # by bit of PERM_*
LONG = bool(os.environ.get("PALE_LONG"))


def rule(glob, perms, exec=None, mode="allow", owner="any", audit=False, priority=0, target=None, link=None, subset=False):
    return locals()


def text_of(r):
    words = [f"priority={r['priority']}"] if r["priority"] else []
    words += ["audit"] if r["audit"] else []
    words += [r["mode"]] if r["mode"] != "allow" else []
    words += [r["owner"]] if r["owner"] != "any" else []
    if r["link"]:
        return " ".join(words + ["link"] + (["subset"] if r["subset"] else []) + [f'"{r["glob"]}" -> "{r["link"]}",'])
    target = f" -> {r['target']}" if r["target"] else ""
    return " ".join(words + [f'"{r["glob"]}"', r["perms"] + (r["exec"] or "") + target + ","])


def line_of(r):
    """A target of cx is the label of a child."""
    perms = r["perms"] + ("x" if r["exec"] else "")
    target = r["target"] and ("t//" if r["exec"].lower().startswith("c") else "") + r["target"]
    return "\t".join(["rule", r["mode"], r["owner"], "1" if r["audit"] else "0", str(r["priority"]), perms, r["exec"] or "-",
                      target or "-", r["link"] or "-", "1" if r["subset"] else "0", r["glob"]])


def ask(release, questions):
    """Lines that answer: questions are lines or rules."""
    lines = [q if isinstance(q, str) else line_of(q) for q in questions]
    out = run([program("apparmor/meanstool"), str(RELEASES[release])], input="".join(q + "\n" for q in lines), check=0).out
    return [line.rstrip("\n") for line in out.splitlines()]


def transition(word, unsafe, target):
    if word == "-":
        return None
    to = target if target != "-" else {"p": "p", "c": "c", "u": "u", "i": ""}[word[0]]
    return to, "i" in word, word[1] == "u", unsafe == "1"


def bits(number):
    return sum(b for i, b in enumerate(PERMS) if int(number) >> i & 1)


def read_answer(line):
    """(conflict, conflict_varies, of others, of the owner), as aadfa.File.answer has them."""
    first, *halves = line.split("\t")
    out = []
    for half in halves:
        allow, deny, audit, quiet, prompt, varies, word, unsafe, target = half.split(" ")
        out.append({"allow": bits(allow), "audit": bits(audit), "quiet": bits(quiet) & ~bits(allow), "varies": bits(varies),
                    "exec": transition(word, unsafe, target) if bits(allow) & aadfa.EXEC else None})
    conflict, varies = first.split(" ")
    return conflict == "1", varies == "1", out


def compiled(release, rules, tmp_path, name="p", new=False):
    parser = Parser(release)
    file = tmp_path / name
    file.write_text("profile t {\n" + "".join(f"  {text_of(r)}\n" for r in rules) + "}\n")
    binary = parser.ask(file, features=parser.features if new else None)
    return aadfa.File(binary) if binary else None


GLOBS = ["/a", "/b", "/a*", "/**", "/a/*", "/{a,b}", "/[ab]", "/?", "/a/**", "/a/b", "/a/[bc]", "/a/{b,c}", "/a/?", "/a/b*", "/[^b]", "/a/[^b]",
         "/a/**/b", "/{,a/}b", "/a?b", "/*/b"]
PATHS = ["/a", "/b", "/c", "/ab", "/a/", "/a/b", "/a/c", "/a/bc", "/b/b", "/a/b/b", "/a/x/b", "/a/b/c", "/axb", "/abb", "/a/d", "/b/", "/x/b", "/a/bb",
         "/a/a/a/b", "/", "/aa", "/ba", "/bb", "/a/ab"] + [f"/a/{x}" for x in "efghijklmnop"] + [f"/q{x}" for x in "abcdefghijklmn"]


def random_rule(rng, release, execs):
    deny = rng.random() < 0.25
    perms = "".join(c for c in "rkm" if rng.random() < 0.35) + rng.choice(["", "", "w", "a"])
    exec, target = None, None
    if rng.random() < 0.45:
        exec, target = ("x", None) if deny else rng.choice(execs)
    priority = rng.choice([0, 0, 0, 1, -1]) if release != "3.0" else 0
    return rule(rng.choice(GLOBS), perms or ("" if exec else "r"), exec, "deny" if deny else "allow", rng.choice(["any", "any", "owner"]),
                rng.random() < 0.2, priority, target)


EXECS = [("ix", None), ("px", None), ("Px", None), ("pix", None), ("Pux", None), ("ux", None), ("Ux", None), ("cx", None), ("Cix", None), ("cux", None),
         ("px", "other"), ("Pix", "other"), ("cx", "kid"), ("pux", "third")]


def random_profile(rng, release):
    execs = rng.sample(EXECS, rng.choice([1, 1, 2, 3]))
    return [random_rule(rng, release, execs) for _ in range(rng.randrange(1, 9))]


def differences(table, lines):
    for path, line in zip(PATHS, lines):
        _, _, halves = read_answer(line)
        for owner, got in zip((False, True), halves):
            want = table.answer(path.encode(), owner)
            if {**want, "varies": 0} != {**got, "varies": 0}:
                yield path, owner, want, got


@pytest.mark.parametrize("release,new", [("3.0", False), ("5.0", False), ("5.0", True)])
def test_random_profiles_mean_what_their_tables_say(release, new, tmp_path):
    rng = random.Random(5)
    profiles = [random_profile(rng, release) for _ in range(1000 if LONG else 60)]
    questions = [q for rules in profiles for q in [*rules, *(f"ask\t{p}" for p in PATHS), "conflicts", "new"]]
    answers = iter(ask(release, questions))
    refused = given = 0
    for rules in profiles:
        lines = [next(answers) for _ in PATHS]
        conflicts = []
        for line in answers:
            if line == ".":
                break
            conflicts.append(line.split())
        table = compiled(release, rules, tmp_path, new=new)
        text = [text_of(r) for r in rules]
        if table is None:
            refused += 1
            assert conflicts, text
            continue
        assert all(c[2] == "1" for c in conflicts), (text, conflicts)
        wrong = list(differences(table, lines))
        assert not wrong, (text, wrong[:3])
        given += sum(any(h["allow"] for h in read_answer(line)[2]) for line in lines)
    assert refused and given > len(profiles)
