# SPDX-License-Identifier: Apache-2.0
"""Many globs as one minimal automaton: what matches, which sets of rules a text has, what is equal, what is too much."""
import random

import pytest

from conftest import program, run, some
from test_globs import GLOBS, ODD, PARTS, PATHS, random_path


def machine(lines):
    out = run([program("apparmor/machinetool")], input="".join(line + "\n" for line in lines), check=0).out
    return out.splitlines()


def globtool(*args, lines):
    return run([program("apparmor/globtool"), *args], input="".join(line + "\n" for line in lines), check=0).out.splitlines()


def small_glob(rng, parts=PARTS):
    return "/" + "".join(rng.choice(parts) for _ in range(rng.randrange(1, 6)))


def good(globs):
    return [g for g, said in zip(globs, globtool("check", lines=globs)) if said.split()[0] in ("fine", "misread")]


def until_dot(answers):
    out = []
    for line in answers:
        if line in (".", "undecided"):
            return out, line == "."
        out.append(line)
    raise AssertionError("no end")


def test_a_machine_finds_the_rules_that_match():
    rng = random.Random(21)
    globs = good(GLOBS + ODD + [small_glob(rng) for _ in range(300)])
    paths = sorted({*PATHS, *(random_path(rng) for _ in range(40))})
    matches = iter(globtool("match", lines=[f"{g}\t{p}" for g in globs for p in paths]))
    rules = {p: [] for p in paths}
    for i, _ in enumerate(globs):
        for p in paths:
            if next(matches) == "1":
                rules[p].append(i)
    rules = {p: ",".join(map(str, r)) or "-" for p, r in rules.items()}
    groups = [list(range(k, len(globs), 40)) for k in range(40)]
    for group in [*groups, list(range(0, len(globs), 3))]:
        inside = set(map(str, group))
        answers = machine([*(f"g\t{i}\t{globs[i]}" for i in group), *(f"find\t{p}" for p in paths)])
        assert answers == [",".join(r for r in rules[p].split(",") if r in inside) or "-" for p in paths], group


@pytest.mark.parametrize("word,mode", [("walk", "walk"), ("texts", "walk-texts")])
def test_sets_of_rules_are_those_that_the_other_engine_finds(word, mode):
    """subsets.h's automaton steps sets of nodes and makes nothing minimal."""
    rng = random.Random(22)
    met = 0
    for _ in range(some(60)):
        globs = good([small_glob(rng) for _ in range(rng.randrange(1, 6))])
        ours, decided = until_dot(machine([*(f"g\t{i}\t{g}" for i, g in enumerate(globs)), word]))
        theirs = globtool(mode, lines=[f"{i}\t{g}" for i, g in enumerate(globs)])
        want = {line.rpartition(" ")[0] or "-": len(line.rpartition(" ")[2]) for line in theirs[:-1]}
        assert decided and {line.split()[0]: len(line[line.index(" "):].strip()) for line in ours} == want, (globs, ours, theirs)
        met += len(ours)
    assert met > some(200)


def opened(rng, glob):
    """The same as several globs: an alternative, of which nothing follows a star, apart."""
    at = [i for i, c in enumerate(glob) if c == "{" and "}" in glob[i:] and "{" not in glob[i + 1:glob.index("}", i)]]
    if not at or "*" in glob:
        return [glob]
    i = rng.choice(at)
    end = glob.index("}", i)
    return [glob[:i] + word + glob[end + 1:] for word in glob[i + 1:end].split(",")]


def test_machines_are_equal_exactly_where_no_text_tells_them_apart():
    """So a machine is minimal: what is the same language is the same state."""
    rng = random.Random(23)
    parts = ["a", "b", "*", "**", "?", "{a,b}", "{,a}", "[ab]", "{a*,b}", "{,**}", "{*b,}", "{a,{b,*a}}"]
    lines = []
    for k in range(1500):
        one = [(rng.randrange(2), small_glob(rng, parts[:rng.choice([5, 12])])) for _ in range(rng.randrange(1, 4))]
        two = [(r, g) for r, glob in reversed(one) for g in opened(rng, glob)]
        if k % 2:
            two.append((rng.randrange(2), small_glob(rng, parts[:5])))
        lines += [*(f"g\t{r}\t{g}" for r, g in one), "new", *(f"g\t{r}\t{g}" for r, g in two), "same", "diff", "new"]
    answers, same, apart = iter(machine(lines)), 0, 0
    for said in answers:
        differences, decided = until_dot(answers)
        assert decided and (said == "1") == (not differences)
        same += said == "1"
        apart += said == "0"
    assert same > 700 and apart > 500


EQUAL = [(["/{a,b}c", "/a*"], ["/a*", "/bc", "/ac"]), (["/**a**"], ["/{,**}a**{,b}"]), (["/a", "/b"], ["/{b,a}"]), (["/[a-c]*"], ["/a*", "/[bc]*"]),
         (["/{a/*,a/**}"], ["/a/{,**}"]), (["/**ab"], ["/{,**}ab"]), (["/x**/ab", "/y**/ab"], ["/[xy]**/ab"]), (["/**", "/a", "/**/b*c/"], ["/**"]),
         (["/{,x}**a?b"], ["/**a?b", "/a?b"]), (["/a{,b{,c{,d}}}"], ["/a", "/ab", "/abc", "/abcd"])]


@pytest.mark.parametrize("one,two", EQUAL)
def test_equal_languages_are_one_machine(one, two):
    for x, y in ((one, two), (two, one)):
        assert machine([*(f"g\t0\t{g}" for g in x), "new", *(f"g\t0\t{g}" for g in y), "same", "diff"]) == ["1", "."]


@pytest.mark.parametrize("globs,states", [(["/a"], 3), (["/"], 2), (["/abc", "/xbc"], 5), (["/**"], 3), (["/*"], 3), (["/**b"], 3), (["/{a,b}/**"], 5)])
def test_a_machine_has_no_state_too_many(globs, states):
    assert machine([*(f"g\t0\t{g}" for g in globs), "size"])[0].split()[0] == str(states)


def test_a_pair_is_asked_with_a_byte_between():
    lines = ["p\t/a*\t1\t/b/*", "g\t2\t/a*", "find\t/ab", "texts"]
    assert machine(lines)[0] == "2"


def test_what_is_too_large_is_not_decided():
    """`**a` followed by N bytes has 2^N states."""
    assert machine(["g\t0\t/**a" + "?" * 10, "find\t/a"]) == ["-"]
    assert machine(["g\t0\t/**a" + "?" * 40, "find\t/a", "walk", "size"]) == ["undecided"] * 3


def test_what_is_decided_does_not_depend_on_what_was_asked_before():
    one, two = "g\t0\t/**a" + "?" * 15, "g\t0\t/**a" + "?" * 30
    alone = machine([one, "size"])
    assert machine([two, "find\t/a", "new", one, "size"])[1:] == alone
    assert machine([one, "size", "new", two, "find\t/a"])[1:] == ["undecided"]
