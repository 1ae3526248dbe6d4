# SPDX-License-Identifier: Apache-2.0
"""pale diff on file rules: what differs is what the tables of apparmor_parser answer otherwise."""
import json
import pathlib
import random
import sys

import pytest

from conftest import ROOT, need, some

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "apparmor"))
import aadfa  # noqa: E402
from test_apparmor import compiled  # noqa: E402

HEAD = "policy p { program %s; layers seccomp, apparmor; arch x86_64; default errno EPERM; allow read;\n%s\n}\n"
BITS = {"read": aadfa.READ, "write": aadfa.WRITE, "append": aadfa.APPEND, "lock": aadfa.LOCK, "map": aadfa.MMAP,
        "execute": aadfa.EXEC}


def policy(tmp_path, rules, name, program="/bin/x"):
    f = tmp_path / f"{name}.pale"
    f.write_text(HEAD % (program, rules))
    return f


def compare(pale, *args):
    r = pale("diff", "--layers", "apparmor", "--format", "json", *args)
    assert not r.err, r
    return json.loads(r.out)


def lines(d):
    """{(change, permission, who): path}: of each line every permission that it names."""
    out = {}
    for r in d["resources"]:
        words, _, rest = r["about"].partition(" /")
        who = [w for w, text in (("owner", " by its owner"), ("others", " by others than its owner"))
               if rest.endswith(text)]
        for word in words.split(", "):
            for w in who or ["owner", "others"]:
                out.setdefault((r["change"], word, w), r["path"])
    return out


@pytest.mark.parametrize("a, b, want", [
    ("file r /etc/hosts;", "file rw /etc/**;", {("looser", "read", "/etc/a"), ("looser", "write", "/etc/a")}),
    ("file r /{a,b};", "file r /[ab];", set()),
    ("file r /a; file r /b;", "file r /{a,b};", set()),
    ("file r /a/*; file r /a/*/{,**};", "file r /a/**;", set()),
    ("file r /a/*; file r /a/*/**;", "file r /a/**;", {("looser", "read", "/a/a/")}),
    ("file rw /a;", "file r /a; file w /a;", set()),
    ("file w /a;", "file w /a; file a /a;", set()),
    ("file ix /a;", "file mix /a;", set()),
    ("file r /a; deny file r /a;", "", set()),
    ("file r /a/**; deny file r /a/b/**;", "file r /a/**;", {("looser", "read", "/a/b/a")}),
    ("file rw /a;", "file rw /a; deny file a /a;", {("tighter", "append", "/a")}),
    ("file w /a;", "file a /a;", {("tighter", "write", "/a")}),
    ("file r /a;", "owner file r /a;", {("tighter", "read", "/a")}),
    ("file r /a;", "file r /a; deny owner file r /a;", {("tighter", "read", "/a")}),
    ("file ix /a;", "file px /a;", {("incomparable", "execute", "/a"), ("tighter", "map", "/a")}),
    ("file px /a -> x;", "file px /a -> y;", {("incomparable", "execute", "/a")}),
    ("file l /a;", "file k /a;", {("tighter", "link", "/a"), ("looser", "lock", "/a")}),
    ("log file r /a;", "file r /a;", {("looser", "read", "/a")}),
    ("deny file r /a;", "quiet deny file r /a;", {("different record", "read", "/a")}),
    ("", "deny file r /a;", set()),
    (r"file r /\141;", "file r /a;", set()),
])
def test_two_rules(pale, tmp_path, a, b, want):
    d = compare(pale, policy(tmp_path, a, "a"), policy(tmp_path, b, "b"))
    got = {(change, word, path) for (change, word, _), path in lines(d).items()}
    assert got == want, d
    assert d["same"] is (not want)


def test_each_rule_has_a_line_and_both_places(pale, tmp_path):
    a = policy(tmp_path, "file r /a;\nfile r /c/**;", "a")
    b = policy(tmp_path, "file r /a;\nfile r /b;\nfile r /d/*;\ndeny file r /c/x;", "b")
    rows = [(r["change"], r["path"], r["a_decided_by"], r["b_decided_by"]) for r in compare(pale, a, b)["resources"]]
    none = ":1:8: no rule"
    assert sorted(rows) == sorted([
        ("looser", "/b", f"{a}{none}", f"{b}:3:8: file r /b;"),
        ("looser", "/d/a", f"{a}{none}", f"{b}:4:8: file r /d/*;"),
        ("tighter", "/c/x", f"{a}:3:8: file r /c/**;", f"{b}:5:13: deny file r /c/x;"),
        ("tighter", "/c/a", f"{a}:3:8: file r /c/**;", f"{b}{none}")])


@pytest.mark.parametrize("a, b, want", [
    ("/bin/x", "/bin/y", {("looser", "/bin/x"), ("tighter", "/bin/y")}),
    ("/bin/x", "/{usr/,}bin/x", {("tighter", "/usr/bin/x")}),
    ("/bin/{x,y}", "/bin/[xy]", set()),
])
def test_programs(pale, tmp_path, a, b, want):
    d = compare(pale, policy(tmp_path, "", "a", a), policy(tmp_path, "", "b", b))
    assert {(r["change"], r["path"]) for r in d["resources"] if r["kind"] == "program"} == want
    assert d["same"] is (not want)


@pytest.mark.parametrize("a, b, change, peer", [
    ('signal send term -> "x*";', 'signal send term -> "{x,xa*}";', "tighter", "xb"),
    ('signal send term -> "a";', "signal send term;", "looser", None),
    ('signal send -> "a"; signal send -> "b";', 'signal send -> "[ab]";', None, None),
    ('signal send; deny signal send kill -> "init";', "signal send;", "looser", "init"),
])
def test_peers(pale, tmp_path, a, b, change, peer):
    d = compare(pale, policy(tmp_path, a, "a"), policy(tmp_path, b, "b"))
    assert [r["change"] for r in d["resources"]] == ([change] if change else [])
    assert not peer or f"(peer '{peer}')" in d["resources"][0]["about"]
    assert d["same"] is (not change)


def test_a_path_is_printed_safely(pale, tmp_path):
    d = compare(pale, policy(tmp_path, "", "a"), policy(tmp_path, 'file r "/\\033\\13331m,\\012x";', "b"))
    assert d["resources"][0]["about"] == 'read "/\\033[31m,\\012x"'
    assert "\x1b" not in pale("diff", tmp_path / "a.pale", tmp_path / "b.pale").out


# ---- the parser's tables ----

PARTS = ["/", "a", "b", "*", "**", "?", "[ab]", "[^a]", "{a,b}", "{,b}", "/", "a", "c", "[a-c]"]


def random_rules(rng):
    def rule():
        glob = "/" + "".join(rng.choice(PARTS) for _ in range(rng.randrange(1, 5)))
        perms = "".join(sorted(set(rng.choice(["r", "w", "a", "k", "m", "rk", "rw"]))))
        deny = rng.random() < .25
        if rng.random() < .2:
            perms = "x" if deny else rng.choice(["ix", "rix"])
        return f"{'deny ' if deny else ''}{'owner ' if rng.random() < .3 else ''}file {perms} \"{glob}\";"
    return [rule() for _ in range(rng.randrange(0, 6))]


def tables_differ(x, y):
    """{(change, permission, who)} over all paths, by the product of two tables."""
    start, out = (1, 1, "start"), set()
    seen, now = {start}, [start]
    while now:
        s, t, path = now.pop()
        if path in ("slash", "name"):
            p, q = x.accept[s], y.accept[t]
            for who, shift in ("owner", 0), ("others", 14):
                for word, bit in BITS.items():
                    had, has = p >> shift & bit, q >> shift & bit
                    if had != has:
                        out.add(("looser" if has else "tighter", word, who))
        for byte in b"/.abcd\x01":
            step = (x.step(s, byte), y.step(t, byte), aadfa.path_step(path, byte))
            if step[2] and step not in seen:
                seen.add(step)
                now.append(step)
    return out


@pytest.mark.parametrize("seed", [1, 2])
def test_random_rules_differ_where_the_tables_do(pale, tmp_path, seed):
    need("apparmor_parser")
    rng, compared, differ = random.Random(seed), 0, 0
    for _ in range(some(60)):
        rules = random_rules(rng)
        other = [r for r in rules if rng.random() < .7] + random_rules(rng)[:2]
        files, tables = [], []
        for name, body in ("a", rules), ("b", other):
            files.append(policy(tmp_path, "\n".join(body), name))
            text = pale("compile", "-q", "-t", "apparmor", "-o", "-", files[-1])
            binary = compiled(text.out) if text.rc == 0 else None
            tables.append(binary and aadfa.file_dfa(binary))
        if not all(tables):
            continue
        d = compare(pale, "--target", "apparmor=3.0", *files)  # what the tables are of
        want, got = tables_differ(*tables), lines(d)
        compared += 1
        differ += bool(want)
        # A line that says "write" means that to append as well, where that changes too.
        for change, word, who in want:
            assert (change, word, who) in got or (word == "append" and (change, "write", who) in got), (
                rules, other, change, word, who, d["resources"])
        for (change, word, who), path in got.items():
            had, has = (aadfa.perms(t, path.encode(), who == "owner") & BITS[word] for t in tables)
            assert bool(has) is (change == "looser") and bool(had) is (change == "tighter"), (rules, other, change, word, who, path)
        assert d["same"] is (not want), (rules, other)
    assert compared > some(40) and differ > some(20)


# ---- bounds ----

def test_large_and_hostile_rules_end(pale, tmp_path):
    many = "\n".join(f"file r /srv/{i:04}/**;" for i in range(1500))
    a, b = policy(tmp_path, many, "a"), policy(tmp_path, many + "file w /srv/0007/x;", "b")
    (change, path), = [(r["change"], r["path"]) for r in compare(pale, a, b)["resources"]]
    assert (change, path) == ("looser", "/srv/0007/x")
    # Subsets of nodes explode: told, and never the same.
    worst = "\n".join(f"file r /{'?' * i}{'{a,b}' * 3}**a{'?' * (12 + i)};" for i in range(8))
    c, e = policy(tmp_path, worst, "c"), policy(tmp_path, worst.replace("{a,b}", "[ab]") + "file r /z**b??????????????????;", "e")
    d = compare(pale, c, e)
    assert d["same"] is not True
    if d["same"] is None:
        reason = d["resources"][-1]["reason"]
        assert "takes more than" in reason and "the largest is" in reason


def test_many_kinds_of_rules_are_decided_and_what_apparmor_cannot_say_is_told(pale, tmp_path):
    rules = "\n".join(f"{who}file {perms} /bin/{who.strip()}{perms}{n};" for who in ("", "owner ") for n in range(3)
                      for perms in ("r", "w", "k", "m", "rk", "rw", "rm", "ix", "px", "cx", "Px", "Cx", "Pix", "Cix", "ux"))
    a, b = policy(tmp_path, rules, "a"), policy(tmp_path, rules + "\nfile r /x;", "b")
    assert [(r["change"], r["path"]) for r in compare(pale, a, b)["resources"]] == [("looser", "/x")]
    rules = "\n".join(f"file px /bin/p{i} -> t{i};" for i in range(200))
    a, b = policy(tmp_path, rules, "a"), policy(tmp_path, rules + "\nfile r /x;", "b")
    d = compare(pale, a, b)
    assert d["same"] is None and "a.pale:14:9: a profile of AppArmor names at most 12" in d["resources"][0]["reason"]
    pale("diff", "--fail-on", "looser", a, b, check=1)


def test_every_rule_that_changes_the_answers_is_named(pale, tmp_path):
    """Those with paths of their own by a line, those that say the same of one path in it; more are counted."""
    more = "".join(f"file r /one/{{a,b{i:02}}};\n" for i in range(12))
    a, b = policy(tmp_path, "", "a"), policy(tmp_path, "file r /a;\nfile r /b;\nfile r /c/**;\n" + more, "b")
    rows = {r["path"]: r for r in compare(pale, a, b)["resources"]}
    assert set(rows) == {"/a", "/b", "/c/a", "/one/a"}
    assert rows["/one/a"]["b_agreeing"] == [f"{b}:{i}:8: file r /one/{{a,b{i - 5:02}}};" for i in range(6, 12)]
    assert rows["/one/a"]["b_agreeing_more"] == 5 and not rows["/a"]["b_agreeing"]
    text = pale("diff", a, b, check=1).out
    assert f"      B: {b}:5:8: file r /one/{{a,b00}};\n         and {b}:6:8: file r /one/{{a,b01}};\n" in text
    assert "         and 5 more\n" in text
    assert f"` and `{b}:11:8: file r /one/{{a,b06}};` and 5 more |" in pale("diff", "--format", "markdown", a, b).out
    many = policy(tmp_path, "".join(f"file r /m/{i};\n" for i in range(300)), "many")
    d = compare(pale, a, many)
    assert len(d["resources"]) == 200 and "files: 100 more rules that only one side has may be why" in d["notes"], d["notes"]


def test_examples_against_each_other(pale):
    files = sorted((ROOT / "profiles/examples").glob("*.pale"))
    for x in files:
        for y in files:
            d = compare(pale, x, y)
            assert d["same"] is (x == y) or d["same"] is None


def test_variables_are_opened(pale, tmp_path):
    a, b = policy(tmp_path, "file r @{HOME}/x;", "a"), policy(tmp_path, "file r /home/*/x; file r /root/x;", "b")
    d = compare(pale, a, b)
    assert d["same"] is True or all(r["path"].startswith(("/home/", "/root/")) for r in d["resources"]), d
    c = policy(tmp_path, "file r @{HOME}/x; deny file r /home/u/x;", "c")
    assert ("tighter", "read", "owner") in lines(compare(pale, a, c))
