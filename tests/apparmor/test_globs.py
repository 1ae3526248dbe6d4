# SPDX-License-Identifier: Apache-2.0
"""Globs: what matches, what meets, which sets of rules a path has, against the parser's own tables."""
import pathlib
import random
import subprocess
import sys

import pytest

from conftest import need, program, run, some

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from test_apparmor import FEATURES  # noqa: E402

GLOBS = ["/a/*", "/a/**", "/a/*/", "/a/**/", "/a*", "/a**", "/a/*b", "/a/***", "/a/{*,b}", "/a/{b,*}", "/a{/*,}",
         "/a/{,*}b", "/a/*{b,c}", "/a/*{,c}", "/[^a]", "/a[^b]c", "/a[/]c", "/a[b-d]c", "/a,b", "/{a,{b,c}d}e",
         "/a//b", "//a", "/a\\*b", "/a\\?", "/a\\141", "/a?", "/a+b(c)|.$^", "/{a,b*}/c", "/a/{b/,}*",
         "/a/{b/,}**", "/*", "/**", "/{,**}", "/a^b", "/a/?*", "/a/*?", "/a/**b", "/a/**/b", "/a/*/b",
         "/{a,b}{c,d}", "/{a\\,b,c}", "/[a,b]", "/{[,],x}", "/a[!b]c", "///a", "/a/**//", "/{a,b,}", "/[\\]]x",
         "/a]b", "/a}b", "/{a}", "/{a,b", "/a[b", "/a[]b]c", "/[]", "/[^]", "/a\\"]
# Escapes, and what stands inside brackets: the parser's own ideas of them.
ODD = [r"/a\x62", r"/a\x6g", r"/\x2", r"/a\d98", r"/a\d2561", r"/a\d0981", r"/a\1411", r"/a\4001", r"/a\777", r"/\57b", r"/a/\57b",
       r"/a/\/b", r"/a\n", r"/\q\-\.", r"/\d\0611", r"/a\\141", r"/\052", r"/\133a\135", r"/[\141-\143]x", r"/[a\055c]x",
       r"/[a\-c]x", r"/[\^a]x", r"/[\136a]x", r"/[a\^]x", r"/[a\,]x", r"/[a*]", r"/[a?]x", r"/[*a]", r"/[a**]", r"/[{a}]x",
       r"/[[a]x", r"/[a-]x", r"/[-a]x", r"/[--a]x", r"/[a-c-]x", r"/[a-c-e]x", r"/[^^a]x", r"/[^^]x", r"/[^-a]x", r"/[c-a]x",
       r"/[a-\]]x", r"/[a.+|()$]x", r"/[]{a,b}[]", r"/[\*]x", r"/[\?]x", r"/[\\]x", r"/[\[]x", r"/[^]a]x", r"/[a][b]", r"/[a]*",
       r"/{,a}/b", r"/{a/,/}/b", r"/{\,,b}", r"/{}", r"/{,}", r"/{a,{}}", r"/a{", r"/[a,{b,c}]x", r"/@{a,b}", r"/@{1}", r"/\100{a,b}",
       "/" + "{a," * 49 + "b" + "}" * 49, "/" + "{a," * 50 + "b" + "}" * 50, "/ü[ü]*", "/a\\", "/a\\\\", r"/\{a\}", r"/a\"b"]
PATHS = ["/", "/a", "/a/", "/b", "/ab", "/a/b", "/a/b/", "/a/b/c", "/a//", "/a/x/b", "/abc", "/acc", "/a/c",
         "/axc", "/a-c", "/ae", "/bde", "/de", "//a", "/a*b", "/a?", "/aa", "/a+b(c)|.$^", "/aab", "/bb/c",
         "/a^b", "/a/bc", "/ac", "/bd", "/a,b", "/,", "/x", "/a!c", "/]x", "/a]b", "/a//b", "/a/b/c/d", "/c",
         "//b", "/*", "/[a]", "/ax", "/bx", "/-x", "/^x", "/cx", "/dx", "/,x", "/\\x", "/*x", "/?x", "/[x", "/a\\", "/a\\141",
         "/{a}", "/@a", "/@b", "/a1", "/a \"b", "/a\"b", "/[]", "/a[^/]", "/(x", "/$x", "/.x", "/{x", "/}x", "/ü", "/q-.", "/a\x191", "/\x02"]
PARTS = ["/", "a", "b", "*", "**", "?", "[ab]", "[^a]", "{a,b}", "{,b}", "{a*,/}", "/", "/", "a", "*", "c", "\\*", "[a-c]", "[^/]", "\\141", "\\x2f",
         "\\d98", "{*,b/}", "[-b]", "[b*", "]", "{[^b],}", "{{a,b}c,?}", "[a?]"]


def compiled(rules):
    text = "abi <abi/3.0>,\nprofile t {\n%s}\n" % "".join(f'  "{g}" {p},\n' for g, p in rules)
    proc = subprocess.run([need("apparmor_parser"), "-Q", "-K", "-S", "-M", FEATURES], input=text.encode(), capture_output=True)
    return aadfa.file_dfa(proc.stdout) if proc.returncode == 0 else None


def said_of(proc):
    return [line for line in proc.stderr.decode().splitlines() if line.strip() and not line.startswith("Cache read/write disabled")]


def random_glob(rng):
    return "/" + "".join(rng.choice(PARTS) for _ in range(rng.randrange(1, 7)))


def random_path(rng):
    return "/" + "".join(rng.choice("ab/c*") for _ in range(rng.randrange(0, 7)))


def tool(*args, lines):
    return run([program("apparmor/globtool"), *args], input="".join(line + "\n" for line in lines), check=0).out.splitlines()


def test_globs_match_as_in_the_parsers_dfa():
    rng = random.Random(7)
    globs = GLOBS + ODD + [random_glob(rng) for _ in range(400)]
    paths = PATHS + [random_path(rng) for _ in range(30)]
    answers = iter(tool("match", lines=[f"{g}\t{p}" for g in globs for p in paths]))
    compared = refused = matched = 0
    for glob in globs:
        ours = [next(answers) for _ in paths]
        dfa = compiled([(glob, "r")])
        if dfa is None:
            refused += 1
            assert set(ours) == {"E"}, glob
            continue
        for path, got in zip(paths, ours):
            want = "1" if aadfa.perms(dfa, path.encode()) & aadfa.READ else "0"
            assert got == want, (glob, path)
            compared += 1
            matched += want == "1"
    assert compared > 20000 and refused >= 30 and matched > 1000


@pytest.mark.parametrize("glob,kind", [
    ("/[a*]", "misread"), ("/[a?]", "misread"), (r"/[a\-z]", "misread"), (r"/[a\055z]", "misread"), (r"/[\^a]", "misread"),
    (r"/[a\,]", "misread"), (r"/a\q", "misread"), (r"/a\n", "misread"), (r"/a\/b", "misread"), (r"/a\000", "misread"), (r"/a\x0", "misread"),
    (r"/a\400", "misread"), (r"/a\d256", "misread"), (r"/\100{HOME}", "misread"), (r"/\d\061", "misread"), ("/[]{a,b}[]", "misread"),
    ("/[a-]", "refused"), ("/[--]", "refused"), ("/[a-c-]", "refused"), ("/[a-c-e]", "refused"), ("/[^]", "refused"),
    ("/[]", "refused"), ("/" + "{a," * 50 + "b" + "}" * 50, "malformed"), ("/" + "a" * 5000, "malformed"), ("/{a}", "malformed"),
    ("/a]", "malformed"), ("/a}", "malformed"), ("/{a,b", "malformed"), ("/[a", "malformed"), ("/a\\", "malformed"),
    ("/[[a]", "fine"), ("/[z-a]", "fine"), ("/[{a}]", "fine"), (r"/[\*]", "fine"), (r"/[a\^]", "fine"), ("/[-a]", "fine"),
    (r"/a\ b\+", "fine"), (r"/a\x41\d65\101", "fine"), ("/" + "{a," * 49 + "b" + "}" * 49, "fine")])
def test_what_the_parser_refuses_or_misreads_is_known(glob, kind):
    assert tool("check", lines=[glob])[0].split()[0] == kind


def test_the_place_of_a_fault_is_told():
    assert tool("check", lines=["/abc/[a-]/x"])[0].split()[:2] == ["refused", "5+4"]
    assert tool("check", lines=["/abc\\q"])[0].split()[:2] == ["misread", "4+2"]


ROWS = [("/a//b", "/a/b", b"/a/b"), (r"/a/\141", "/a/a", b"/a/a"), (r"/a/\052", "/a/052", None), (r"/a\142", "/ab", b"/ab"),
        ("/{,a}/b", "//b", b"//b"), ("/a/{.,..}/b", "/a/*/b", b"/a/./b"), ("/a/[^b]", "/a/[^c]", b"/a/a"), ("/a/*", "/a/", None),
        ("/a/**", "/a/*/", b"/a/a/"), ("/[z-x]", "/y", b"/y")]


@pytest.mark.parametrize("x,y,witness", ROWS)
def test_what_two_globs_have_in_common(x, y, witness):
    for line in tool("overlap", lines=[f"{x}\t{y}", f"{y}\t{x}"]):
        assert line == ("no" if witness is None else "yes " + witness.hex())


def test_two_globs_meet_where_the_parsers_tables_say_so():
    rng = random.Random(11)
    asked = [(random_glob(rng), random_glob(rng)) for _ in range(500)] + [(x, y) for x, y, _ in ROWS]
    met = apart = strange = 0
    for (x, y), said in zip(asked, tool("overlap", lines=[f"{x}\t{y}" for x, y in asked])):
        dfa = compiled([(x, "r"), (y, "k")])
        if dfa is None:
            assert said == "E", (x, y)
            continue
        both = aadfa.READ | aadfa.LOCK
        path, text = (aadfa.shortest(dfa, paths).get(both) for paths in (True, False))
        if text is None:
            apart += 1
            assert said == "no", (x, y)
            continue
        met += 1
        strange += path is None
        witness = bytes.fromhex(said.split()[1])
        assert aadfa.perms(dfa, witness) == both, (x, y, witness)
        assert len(witness) == (text if path is None else path), (x, y, witness)
    assert met > 60 and apart > 100 and strange > 3


def test_sets_of_rules_are_those_of_the_parsers_tables():
    rng = random.Random(13)
    letters = {"r": aadfa.READ, "k": aadfa.LOCK, "m": aadfa.MMAP, "a": aadfa.APPEND}
    tried = sets = 0
    for _ in range(some(200)):
        rules = [(random_glob(rng), p) for p in letters for _ in range(rng.randrange(1, 3))]
        dfa = compiled(rules)
        if dfa is None:
            continue
        tried += 1
        lines = [f"{list(letters).index(p)}\t{g}" for g, p in rules]
        for what in ("walk", "walk-texts"):
            *found, end = tool(what, lines=lines)
            assert end.split()[0] == "decided"
            got = {}
            for labels, witness in (line.split(" ") for line in found):
                perms = sum(list(letters.values())[int(k)] for k in labels.split(",") if labels != "-")
                assert aadfa.perms(dfa, bytes.fromhex(witness)) == perms, (rules, witness)
                got[perms] = len(witness) // 2
            assert got == aadfa.shortest(dfa, what == "walk"), rules
            sets += len(got)
    assert tried > some(60) and sets > some(600)


def test_what_a_policy_may_say_is_written_so_that_the_parser_reads_the_same(pale):
    rng = random.Random(19)
    extra = [r"\-", r"\.", " ", r"\ ", "#", ";", "(", "=", "!", r"\!", r"\,", ",", r'\"', "'", "$", r"\x24", r"\054", r"\x20", "ü", r"\\",
             r"\134", r"[\]]", r"[\[]", "[{]", "[}]", "[,]", "[ ]", r"[\*]", "{a,[}]}", "+", "&", ":", "~", "^", r"\{", r"\@"]
    globs = ODD + ["/" + "".join(rng.choice(PARTS[:-4] + extra) for _ in range(rng.randrange(1, 6))) for _ in range(some(150))]
    paths = PATHS + ["/a-", "/a,b", "/a b", "/ ", "/#", "/;", "/(", "/=", "/!", '/"', "/$", "/\\", "/{", "/}", "/,", "/a\\", "/@", "/&a", "/~"]
    taken = 0
    for glob in globs:
        r = pale("compile", "-q", "-", "-t", "apparmor", input='policy p { arch x86_64; level linux 6.1; layers apparmor; file r "%s"; }' % glob)
        kind = tool("check", lines=[glob.replace(r'\"', '"')])[0].split()[0]
        assert (r.rc == 0) == (kind == "fine"), (glob, kind, r)
        if r.rc:
            continue
        taken += 1
        proc = subprocess.run([need("apparmor_parser"), "-Q", "-K", "-S", "-M", FEATURES, "--warn=all"], input=r.out.encode(),
                              capture_output=True)
        assert proc.returncode == 0 and not [w for w in said_of(proc) if w], (glob, r.out, proc.stderr)
        dfa = aadfa.file_dfa(proc.stdout)
        ours = tool("match", lines=[f"{glob}\t{p}" for p in paths])
        assert ours == ["1" if aadfa.perms(dfa, p.encode()) & aadfa.READ else "0" for p in paths], (glob, r.out)
    assert taken > some(100)


def test_a_budget_that_ends_is_told_and_what_was_met_is_true():
    lines = [f"{i}\t/" + "?" * i + "a**b" + "?" * i for i in range(12)]
    *found, end = tool("walk", "5000", lines=lines)
    assert end.split()[0] == "undecided" and 1 < int(end.split()[1]) < 5000
    assert tool("overlap", "1000", lines=["/" + "*a" * 500 + "\t/" + "a*" * 500]) == ["undecided"]


def test_two_thousand_rules_are_walked_in_the_usual_budget():
    rng = random.Random(5)
    lines = [f"{i % 9}\t/usr/{rng.choice(['lib', 'share', 'bin'])}/{rng.randrange(10**6)}/{rng.choice(['*', '**', 'x', '{a,b}'])}"
             for i in range(2000)]
    assert tool("walk", lines=lines)[-1].split()[0] == "decided"


def test_hostile_globs_need_no_stack_and_end():
    stars, braces = "/" + "*a" * 2040, "/" + "{a,{b,c}}" * 400
    text = "".join(f"{g}\t/{'a' * 4000}\n" for g in (stars, braces, "/" + "{,a}" * 1000))
    tool_path = program("apparmor/globtool")
    r = run(["sh", "-c", f"ulimit -s 256; exec {tool_path} match"], input=text)
    assert r.rc == 0 and r.out.split() == ["1", "0", "0"], r
