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
from packaged import profiles_into  # noqa: E402
from parsers import Parser  # noqa: E402

RELEASES = {"3.0": 0, "4.1": 2, "4.1.8": 4, "5.0": 5}
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
    to = target if target != "-" else {"p": "p", "c": "c", "u": "u", "i": "", "x": ""}[word[0]]
    return to, "i" in word, word[1:2] == "u", unsafe == "1"


def bits(number):
    return sum(b for i, b in enumerate(PERMS) if int(number) >> i & 1)


def read_answer(line):
    """(conflict, conflict_varies, of others, of the owner), as aadfa.File.answer has them."""
    first, *halves = line.split("\t")
    out = []
    for half in halves:
        allow, deny, audit, quiet, prompt, varies, logs, word, unsafe, target = half.split(" ")
        out.append({"allow": bits(allow), "audit": bits(audit), "quiet": bits(quiet) & ~bits(allow), "varies": bits(varies), "logs": bits(logs),
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
            if {**want, "varies": 0, "logs": 0} != got:
                yield path, owner, want, got


@pytest.mark.parametrize("release,new", [("3.0", False), ("4.1.8", False), ("4.1.8", True), ("5.0", False), ("5.0", True)])
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


def test_under_4_1_0_the_answer_is_the_one_or_varies(tmp_path):
    """The same text under eight names: 4.1.0 goes by the addresses of its rules, which move with the name."""
    rng = random.Random(6)
    profiles = [random_profile(rng, "4.1") for _ in range(200 if LONG else 25)]
    profiles += [[rule("/a/*", "r", "ix"), rule("/a/b", "", "px")], [rule("/a/*", "mr", "ix"), rule("/a/b", "", "px")]]
    questions = [q for rules in profiles for q in [*rules, *(f"ask\t{p}" for p in PATHS), "conflicts", "new"]]
    answers, varied, firm = iter(ask("4.1", questions)), 0, 0
    for rules in profiles:
        lines, conflicts = [next(answers) for _ in PATHS], []
        for line in answers:
            if line == ".":
                break
            conflicts.append(line.split()[2])
        text = [text_of(r) for r in rules]
        tables = [compiled("4.1", rules, tmp_path, "p" * (1 + 7 * k)) for k in range(8)]
        assert "0" not in conflicts or not any(tables), text
        assert conflicts or all(tables), text
        for table in filter(None, tables):
            for path, line in zip(PATHS, lines):
                for owner, got in enumerate(read_answer(line)[2]):
                    want = table.answer(path.encode(), bool(owner))
                    varies, logs = got.pop("varies"), got.pop("logs")
                    varied += bool(varies)
                    firm += got["allow"] & ~varies != 0
                    for one in (want, got):
                        one["allow"] &= ~varies
                        one["audit"] &= ~varies & ~logs
                        one["quiet"] &= ~varies
                        if varies & aadfa.EXEC:
                            one["exec"] = None
                    assert want == got, (text, path, owner)
    assert varied and firm > 1000


# Which of two pieces of memory lies lower: as it comes, which hangs on the environment; taken each from mmap(2), which hands
# addresses out from the top down; and so where it has some size alone.
LAYOUTS = [None, *({**os.environ, "GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={n}:glibc.malloc.mmap_max=1000000"} for n in (1, 64, 200))]


@pytest.mark.parametrize("release, same", [("4.1", False), ("4.1.8", True), ("5.0", True)])
@pytest.mark.parametrize("glob", ["ix", "mrix"])
def test_4_1_0_makes_another_policy_of_one_text_where_addresses_fall(pale, tmp_path, release, same, glob):
    """What AP236 says: whether /a/b may be mapped hangs on the order of the two rules in memory."""
    file, parser = tmp_path / "p", Parser(release)
    file.write_text(f"profile t {{\n  /a/* {glob},\n  /a/b px,\n}}\n")
    answers = {aadfa.File(parser.ask(file, env=env)).answer(b"/a/b")["allow"] for env in LAYOUTS}
    assert len({a & ~aadfa.MMAP for a in answers}) == 1 and (len(answers) == 1) == same, answers
    out = pale("lint", "--select", "AP236", "--target", f"apparmor={release}", file).out
    assert ("whether 'open /a/b m' is granted" in out) != same, out


def test_4_1_8_makes_one_policy_of_a_text_whatever_its_file_is_called(tmp_path):
    rng, parser = random.Random(7), Parser("4.1.8")
    texts = ["".join(f"  {text_of(r)}\n" for r in random_profile(rng, "4.1.8")) for _ in range(100 if LONG else 10)]
    for text in ["/a/* ix,\n/a/b px,\n", "/a/* mrix,\n/a/b px,\n", "audit /** ix,\ndeny /a x,\n/* ux,\n", *texts]:
        files = [tmp_path / ("p" * (1 + 7 * k)) for k in range(8)]
        for file in files:
            file.write_text(f"profile t {{\n{text}}}\n")
        assert len({parser.ask(file) for file in files}) == 1, text


def half(release, rules, path, owner=False):
    conflict, varies, halves = read_answer(ask(release, [*rules, f"ask\t{path}"])[-1])
    return halves[owner]


def letters(h):
    return "".join(c for c, b in zip("rwalkmx", PERMS) if h["allow"] & b)


# (rules, path, what it gets, by release; None: refused; "?m": m varies) as the parsers' tables, and real kernels, have it.
ADDS_UP = [
    ([rule("/a/*", "", "ix"), rule("/a/b", "", "px")], "/a/b", "mx", "?mx", "x"),
    ([rule("/a/*", "mr", "ix"), rule("/a/b", "", "px")], "/a/b", "rmx", "r?mx", "rmx"),
    ([rule("/a/**", "", "ix"), rule("/a/b", "", "x", mode="deny")], "/a/b", "m", "m", ""),
    ([rule("/a/*", "", "ix"), rule("/a/[bc]", "", "px")], "/a/b", None, "?mx", "x"),
    ([rule("/a/[bc]", "", "ix"), rule("/a/b", "", "px")], "/a/b", "mx", None, None),
    ([rule("/a/?", "", "ix"), rule("/a/b", "", "px")], "/a/b", "mx", "?mx", "x"),
    ([rule("/a/*", "", "ix"), rule("/a/{b,c}", "", "px")], "/a/b", "mx", "?mx", "x"),
    ([rule("/a/{b,c}", "", "ix"), rule("/a/b", "", "px")], "/a/b", None, None, None),
    ([rule("/a/*", "", "ix"), rule("/a/b*", "", "px")], "/a/b", None, None, None),
    ([rule("/a/*", "", "ix"), rule("/a/?", "", "px")], "/a/a", None, None, None),
    ([rule("/a/*", "", "ix"), rule("/a/[^b]", "", "px")], "/a/a", None, None, None),
    ([rule("/a", "", "ix", owner="owner"), rule("/a", "", "px")], "/a", None, None, None),
    ([rule("/a*", "", "ix"), rule("/ab", "", "px", owner="owner")], "/ab", "mx", "mx", "mx"),
    ([rule("/a", "r", priority=1), rule("/a", "rw", mode="deny"), rule("/a", "w")], "/a", "", "r", "r"),
    ([rule("/a", "", "x", mode="deny", priority=1), rule("/a", "", "ix")], "/a", "", "?m", ""),
    ([rule("/a/b", "", "px", priority=1), rule("/a/*", "", "ix")], "/a/b", "", "?mx", "x"),
    ([rule("/a/*", "", "ix", priority=1), rule("/a/b", "", "px")], "/a/b", "", "mx", "mx"),
    ([rule("/x", "w"), rule("/x", "a", mode="deny")], "/x", "w", "w", "w"),
    ([rule("/x", "a"), rule("/x", "w", mode="deny")], "/x", "", "", ""),
    ([rule("/x", "w"), rule("/x", "w", mode="deny", owner="owner")], "/x", "wa", "wa", "wa"),
    ([rule("/x", "", "pix"), rule("/y", "", "cix")], "/y", "mx", "mx", "mx"),
    ([rule("/x", "", "ux")], "/x", "x", "x", "x")]


@pytest.mark.parametrize("release,at", [("3.0", 2), ("4.1", 3), ("4.1.8", 4), ("5.0", 4)])
@pytest.mark.parametrize("row", ADDS_UP, ids=[" ".join(text_of(r) for r in row[0]) for row in ADDS_UP])
def test_how_rules_add_up(row, release, at, tmp_path):
    rules, path, want = row[0], row[1], row[at]
    if release == "3.0" and any(r["priority"] for r in rules):
        return  # the word is not known there
    got = half(release, rules, path)
    conflicts = ask(release, [*rules, "conflicts"])
    assert (len(conflicts) > 1) == (want is None)
    table = compiled(release, rules, tmp_path)
    assert (table is None) == (want is None)
    if want is None:
        assert conflicts[0].split()[2] == "0" and bytes.fromhex(conflicts[0].split()[3]) == path.encode()
        return
    assert letters(got) == want.replace("?", "")
    assert got["varies"] == (aadfa.MMAP if "?" in want else 0)
    assert table.answer(path.encode())["allow"] & ~got["varies"] == got["allow"] & ~got["varies"]


def test_two_rules_that_conflict_are_named_with_a_shortest_path():
    rules = [rule("/usr/bin/*", "r", "ix"), rule("/etc/*", "r"), rule("/usr/{,local/}bin/man*", "", "px"), rule("/usr/*/mango", "", "ux")]
    lines = ask("5.0", [*rules, "conflicts"])
    pairs = {tuple(map(int, line.split()[:2])): bytes.fromhex(line.split()[3]).decode() for line in lines[:-1]}
    assert pairs[0, 2] == "/usr/bin/man" and lines[-1] == "."


LINKS = [rule("/a*", "l", link="/t/*"), rule("/b", "rl"), rule("/c", "l", link="/t/x", subset=True), rule("/a1", "l", mode="deny"),
         rule("/o", "l", owner="owner"), rule("/d*", "wl"), rule("/d1", "l", mode="deny", link="/t/x")]


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_links_are_pairs(release, tmp_path):
    pairs = [(a, b) for a in ("/a", "/a1", "/b", "/c", "/o", "/d", "/d1", "/z") for b in ("/t/x", "/t/", "/t/xy", "/", "//", "/q")]
    answers = ask(release, [*LINKS, *(f"link\t{a}\t{b}" for a, b in pairs), *(f"ask\t{a}" for a, _ in pairs)])
    table = compiled(release, LINKS, tmp_path)
    for (a, b), line in zip(pairs, answers):
        for owner, text in zip((False, True), line.split("\t")[1:]):
            allow = int(text.split()[0])
            want = table.answer(f"{a}\0{b}".encode(), owner)["allow"]
            assert (bool(allow & 8), bool(allow & 128)) == (bool(want & aadfa.LINK), bool(want & aadfa.LOCK)), (a, b, owner)
    for (a, _), line in zip(pairs, answers[len(pairs):]):
        for owner, got in zip((False, True), read_answer(line)[2]):
            assert got["allow"] == table.answer(a.encode(), owner)["allow"], (a, owner)


def means_of(release, base, files):
    """{file: {label: [(path, answers)]}, None for what is refused}"""
    out, profile, file = {}, {}, []
    for line in run([program("apparmor/meanstool"), str(RELEASES[release]), base, *files], check=0).out.splitlines():
        if line.startswith("profile "):
            profile[line[8:].split("\t")[0]] = file
            file = []
        elif line.startswith(("ok ", "refused ")):
            said, _, name = line.partition(" ")
            out[name] = profile if said == "ok" else None
            profile = {}
        else:
            path, _, answer = line.partition("\t")
            file.append((bytes.fromhex(path), read_answer(answer)))
    return out


def compare(release, base, files):
    """How many answers of these files' profiles were compared; the tables have them all."""
    parser, asked = Parser(release), 0
    for file, profiles in means_of(release, base, files).items():
        binary = parser.ask(file, base=base)
        assert (binary is None) == (profiles is None), (file, parser.said)
        for label, answers in (profiles or {}).items():
            tables = aadfa.profiles(binary)
            table = tables.get(label) or tables["//".join(label.split("//")[-2:])]  # 3.0.8 leaves out all parents but one
            for path, (conflict, varies, halves) in answers:
                for owner, got in enumerate(halves):
                    assert {**table.answer(path, bool(owner)), "varies": 0, "logs": 0} == got, (file, label, path, owner)
                    asked += 1
    return asked


TEXTS = {
    "all": "profile t { all, deny /etc/* w, /bin/x px, }",
    "all and less": "profile t { all, priority=-2 deny /bin/* x, priority=-1 deny /sbin/* x, audit deny /a r, }",
    "file": "profile t { file, audit deny owner /a/** m, deny /q x, }\nprofile u { owner file, /b cx -> k, }",
    "names": "profile t { /a cx, /b cx -> kid, /c px -> t//kid, /d pix -> t//kid, /e cx -> /e, /f px -> z///f, /g ix -> q, /h px -> :n:p, }",
    "children": "profile t { /a cx -> k, profile k { /b cx -> l, /c px, profile l { /d ux, } } ^h { /e Cx -> i, } }",
    "variables": "@{E}=\"\"\n@{R}=/r /v/r/\n@{S}=/s/\n@{B}=b @{S}\nprofile t { @{E}/@{R}/x r, /@{R}/y r, /q@{S}/@{R}z r, /q/@{E}/@{R}/w r, /a/{@{S},b}/c w, /@{B}/k k, }",
    "own": "profile t /bin/{a,b} { @{profile_name} r, /x/@{profile_name}/y w, }",
    "unsafe": "profile t { unsafe x /a, unsafe rx /b*, /bc ix, deny /bd x, owner unsafe x /d, }",
    "links": "profile t { link /a* -> /t/*, link subset /b -> /u, /c rl, audit deny /c1 l, owner /d l, l /e -> /f, }",
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_text_means_what_the_parser_makes_of_it(release, name, tmp_path):
    if name.startswith("all") and release == "3.0":
        return  # no such word
    file = tmp_path / name
    file.write_text(TEXTS[name] + "\n")
    assert compare(release, Parser(release).base, [file]) > 2


@pytest.mark.once
@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_packaged_profiles_mean_what_their_tables_say(release, tmp_path):
    profiles = profiles_into(tmp_path)
    for name in profiles:
        local = tmp_path / "local" / name.name
        local.exists() or local.write_text("")  # which packages make when they are installed
    some = profiles if LONG else profiles[::16]
    assert compare(release, tmp_path, [tmp_path / p for p in some]) > 20 * len(some)
