# SPDX-License-Identifier: Apache-2.0
"""AppArmor's variables: read where it keeps them, opened as its parser opens them, missed where they are missing."""
import pathlib
import random
import re
import subprocess
import sys

import pytest

from conftest import need, program, run

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from test_apparmor import FEATURES, parser, said  # noqa: E402

HEAD = "policy t { program /usr/bin/t; level linux 6.18; layers apparmor; arch x86_64; default errno EPERM;\n%s}\n"
TUNABLES = {
    "global": r'''# @{COMMENT}=/c \
@{ONE}=/one/
@{MANY}=/x/ /y/z //w
@{BARE} = p q{,r} "with blank"
@ALONE = alone
@{NESTED}=@{MANY}/sub/ @{ONE}
@{DEEP}=@{NESTED}/@{BARE}
  @{LONG}=/l1 \
    /l2 \
	/l3/
@{ADDED}=/a1
@{ADDED}+=/a2 /a3
@{STAR}=/s/* /t/**/
@{ESC}=/e\052 /f\x2f\x2fg /h\ i
@{ROOT}=/
@{EMPTYISH}=/ /v/
${BOOL}=true
alias /nowhere/ -> /elsewhere/,
include <tunables/more>
include if exists <tunables/more.d>
#include if exists <tunables/not-there>
''',
    "more": "@{MORE}=/more\n", "more.d/a": "@{ADDED}+=/a4\n", "more.d/b~": "@{LEFT}=/left\n",
}
NAMES = ["ONE", "MANY", "BARE", "ALONE", "NESTED", "DEEP", "LONG", "ADDED", "STAR", "ESC", "ROOT", "EMPTYISH", "MORE"]
PIECES = ["one", "x", "y/z", "w", "p", "q", "qr", "with blank", "alone", "sub", "l1", "l2", "l3", "a1", "a2", "a4", "s/k", "t/u/v",
          "e*", "f/g", "f//g", "h i", "v", "more", "a", "b"]


@pytest.fixture(scope="module")
def tunables(tmp_path_factory):
    root = tmp_path_factory.mktemp("apparmor")
    for name, text in TUNABLES.items():
        (root / "tunables" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "tunables" / name).write_text(text)
    return root


def tool(*args, lines=()):
    return run([program("apparmor/globtool"), *map(str, args)], input="".join(line + "\n" for line in lines), check=0).out.splitlines()


def compiled(tunables, glob):
    text = f'abi <abi/3.0>,\ninclude <tunables/global>\nprofile t {{\n  "{glob}" r,\n}}\n'
    proc = subprocess.run([need("apparmor_parser"), "-Q", "-K", "-S", "-M", FEATURES, "-I", str(tunables)], input=text.encode(),
                          capture_output=True)
    return aadfa.file_dfa(proc.stdout) if proc.returncode == 0 else None


def test_variables_are_opened_as_the_parser_opens_them(tunables):
    rng = random.Random(17)
    globs = [f"{a}@{{{n}}}{b}" for n in NAMES for a in ("", "/", "/a/", "/a") for b in ("", "/b", "b", "/*")]
    globs += ["/" + "/".join(rng.choice(["", "a", "@{%s}" % rng.choice(NAMES), "{@{%s},b}" % rng.choice(NAMES)]) for _ in range(3))
              for _ in range(150)]
    globs += [r"/\@\{ONE\}", r"/\@{a,b}", "/@{ONE", "/@{1,2}", "/@{_X,a}", r"/\100\{ONE\}"]
    paths = []
    for _ in range(120):
        paths.append("/" * rng.choice([0, 1, 1, 1, 2]) + "/".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 4))) + rng.choice(["", "", "/"]))
    paths += ["/@{ONE}", "@{ONE}", "@a", "@b", "/", "//", "/@1", "/@_X"]
    answers = iter(tool("match", tunables, lines=[f"{g}\t{p}" for g in globs for p in paths]))
    witnesses = iter(tool("overlap", tunables, lines=[f"{g}\t{g}" for g in globs]))
    matched = refused = 0
    for glob in globs:
        ours, witness = [next(answers) for _ in paths], next(witnesses)
        dfa = compiled(tunables, glob)
        if dfa is None:
            refused += 1
            assert set(ours) == {"E"}, glob
            continue
        want = ["1" if aadfa.perms(dfa, p.encode()) & aadfa.READ else "0" for p in paths]
        assert ours == want, (glob, [p for p, a, b in zip(paths, ours, want) if a != b])
        matched += want.count("1")
        if witness != "no":
            shortest = [aadfa.shortest(dfa, only).get(aadfa.READ) for only in (True, False)]
            assert len(bytes.fromhex(witness.split()[1])) == (shortest[1] if shortest[0] is None else shortest[0]), glob
    assert matched > 100 and refused >= 1


def test_what_is_read_is_what_is_declared(tunables):
    assert tool("check", tunables, lines=["/@{COMMENT}", "/@{LEFT}", "/@{BOOL}", "/@{MORE}"]) == [
        f"undeclared 1+{len(n) + 3} AppArmor's variable '@{{{n}}}' is never declared" for n in ("COMMENT", "LEFT", "BOOL")] + ["fine"]


def test_without_apparmor_the_variables_are_those_that_it_ships():
    lines = tool("variables", "/etc/apparmor.d")
    if not pathlib.Path("/etc/apparmor.d/tunables/global").exists():
        pytest.skip("no AppArmor here to compare with")
    told = {line.split()[1] for line in lines}
    if int(re.search(r"version (\d+)", run([need("apparmor_parser"), "--version"], check=0).out)[1]) > 3:
        told.discard("unknown")  # AppArmor 4 declares more of them; without it they are errors
    assert len(lines) > 20 and told == {"same"}, lines


def test_a_variable_that_nothing_declares_is_an_error_at_its_place(pale, tmp_path):
    file = tmp_path / "t.pale"
    for body, place, hint in [("file r /etc/x, @{NOSUCH}/x;", "2:16", "tunables"), ("file r @{PRC}/x;", "2:8", "did you mean '@{PROC}'"),
                              ("file r /a/@{HOME}/@{Pid};", "2:19", "did you mean '@{pid}'"),
                              ("signal send kill -> @{NOSUCH};", "2:21", "tunables"), ('file r "/a b/@{NOSUCH}";', "2:8", "")]:
        file.write_text(HEAD % body)
        for command in (["compile", "-q", "-t", "apparmor", "-o", "-"], ["check", "-t", "apparmor"], ["explain"], ["lint"]):
            r = pale(*command, file, *(["/x"] if command == ["explain"] else []))
            assert r.rc == 1 and f"t.pale:{place}: error: " in r.err + r.out and "PL234" in r.err + r.out, r
            assert hint in r.err + r.out, r
            assert "profile t" not in r.out, r


def test_a_program_s_variable_is_asked_for_too(pale):
    r = pale("compile", "-", "-t", "apparmor", input=(HEAD % "").replace("/usr/bin/t", '"/usr/@{NOSUCH}/t"'))
    assert r.rc == 1 and "PL234" in r.err and not r.out, r


def test_declared_variables_are_accepted_and_seen_through(pale, tmp_path):
    body = ("file r @{PROC}/@{pid}/maps; owner file rw @{HOME}/.cache/**; file r /srv/@{profile_name}/*; signal send term -> "
            "@{profile_name}; file ix @{HOME}/bin/x;")
    file = tmp_path / "t.pale"
    file.write_text(HEAD % body)
    text = pale("compile", "-q", "-t", "apparmor", "-o", "-", file, check=0).out
    r = parser("--warn=all", text=text)
    assert r.rc == 0 and not said(r), (text, r)
    dfa = aadfa.file_dfa(subprocess.run(["apparmor_parser", "-Q", "-K", "-S", "-M", FEATURES], input=text.encode(),
                                        capture_output=True, check=True).stdout)
    for path in ["/proc/12/maps", "/proc/self/maps", "/root/.cache/a/b", "/home/u/.cache/x", "/home/u/v/.cache/x", "/srv/t/a",
                 "/srv/u/a", "/home/u/bin/x", "/root/bin/x", "/home/bin/x"]:
        out = pale("explain", file, path, check=0).out
        assert "may match" not in out
        given = aadfa.perms(dfa, path.encode(), True)
        assert ("in all         nothing; all" in out) == (given == 0), (path, out)


@pytest.mark.parametrize("x,y,witness", [("@{HOME}/bin/x", "/root/bin/*", "/root/bin/x"), ("/home/*/b", "@{HOME}/b", "/home/a/b"),
                                         ("@{run}/x", "/{,var/}run/?", "/run/x"), ("/srv/@{profile_name}", "/srv/t", "/srv/t"),
                                         ("@{PROC}/@{pid}/exe", "/proc/1/exe", "/proc/1/exe")])
def test_transitions_that_meet_behind_a_variable(pale, x, y, witness):
    r = pale("compile", "-", "-t", "apparmor", input=HEAD % f"file ix {x}; file px {y};")
    assert r.rc == 1 and "PL129" in r.err and f"both match '{witness}'" in r.err, r


def test_transitions_that_a_variable_keeps_apart(pale):
    pale("compile", "-", "-t", "apparmor", input=HEAD % "file ix @{HOME}/x; file px /home/x, /root/y, /home/u/v/x;", check=0)


def test_check_asks_the_directories_that_it_is_given(pale, tmp_path, tunables):
    need("apparmor_parser")
    file = tmp_path / "t.pale"
    file.write_text(HEAD % "file r @{MORE}/x, @{MANY}/y;")
    assert "PL234" in pale("check", "-t", "apparmor", file).err
    r = pale("check", "-t", "apparmor", "-I", tunables, file)
    assert r.rc == 0, r


def test_tunables_without_end_are_refused(pale, tmp_path):
    (tmp_path / "tunables" / "d").mkdir(parents=True)
    (tmp_path / "tunables" / "global").write_text("include <tunables/d>\n")
    for i in range(250):
        (tmp_path / "tunables" / "d" / str(i)).write_text(f"@{{V{i}}}=/a\n")
    file = tmp_path / "t.pale"
    file.write_text(HEAD % "file r @{V1}/x;")
    r = pale("check", "-t", "apparmor", "-I", tmp_path, file)
    assert r.rc == 1 and "PL235" in r.err and "200 files" in r.err, r


def test_values_that_hold_each_other_end(pale, tmp_path):
    (tmp_path / "tunables").mkdir()
    (tmp_path / "tunables" / "global").write_text("@{A}=/x/@{B} /y\n@{B}=/z/@{A} /w/@{A}@{A}\n")
    file = tmp_path / "t.pale"
    file.write_text(HEAD % "file r @{A}/x;")
    r = pale("check", "-t", "apparmor", "-I", tmp_path, file)
    assert r.rc == 1 and "PL251" in r.err and "variables" in r.err, r


def numbers(digits):
    """As apparmor.d says one of so many digits: a variable for each."""
    return "@{d}=[0-9]\n@{n}={" + ",".join("[1-9]" + "@{d}" * i for i in range(digits)) + "}\n"


@pytest.mark.parametrize("release", ["3.0", "5.0"])
def test_a_value_of_hundreds_of_variables_is_opened(pale, tmp_path, release):
    file = tmp_path / "p"
    file.write_text(numbers(20) + "@{m}=@{n}-@{n}\nprofile t {\n /a/@{n} r,\n /b/@{m}/@{n} r,\n}\n")
    ask = lambda *accesses: [line.split()[0] for line in pale("sim", "--target", f"apparmor={release}", file, *accesses, check=None).out.splitlines()]
    assert ask("open /a/1 r", "open /b/10-9/77777777777777777777 r") == ["allowed"] * 2
    assert ask("open /a/ r", "open /a/01 r", "open /a/@{n} r", "open /b/1-777777777777777777777/1 r") == ["refused"] * 4
    assert not any(rule in pale("lint", "--isolated", file, check=None).out for rule in ("AP105", "AP107"))


def test_a_policy_opens_it_too(pale, tmp_path):
    need("apparmor_parser")
    (tmp_path / "tunables").mkdir()
    (tmp_path / "tunables/global").write_text(numbers(20) + "@{d1}=@{d}\n" + "".join(f"@{{d{2 * i}}}=@{{d{i}}}@{{d{i}}}\n" for i in (1, 2, 4, 8, 16, 32)))
    file = tmp_path / "t.pale"
    file.write_text(HEAD % "file r /a/@{n}, /b/@{d64};")
    r = pale("check", "-t", "apparmor", "-I", tmp_path, file)
    assert r.rc == 0 and "PL251" not in r.err, r


@pytest.mark.parametrize("text, told", [("@{d}=@{d}\n@{n}=x@{d}\n", "AP107"), ("@{n}=x@{d}\n@{d}=y@{n}\n", "AP107"), ("@{n}=x@{gone}@{n}\n", "AP105"),
                                        ("@{d}=" + "x" * 4000 + "\n@{n}=" + "@{d}" * 20 + "\n", "AP105")])
def test_what_is_wrong_behind_one_value_is_told_as_before(pale, tmp_path, text, told):
    file = tmp_path / "p"
    file.write_text(text + "profile t {\n /@{n} r,\n}\n")
    assert f"error {told}" in pale("lint", "--isolated", "--format", "concise", file, check=1).out


def test_behind_the_last_error_that_is_told_nothing_is_missed(pale, tmp_path):
    file = tmp_path / "p"
    file.write_text("@{early}=@{late}/x\n@{twice}=a\n" + "@{twice}=b\n" * 25 + "@{late}=/y\nprofile t { @{early} r, @{late}/z r, }\n")
    out = pale("lint", "--isolated", "--format", "concise", file, check=1).out
    assert "error AP106" in out and "never declared" not in out, out
    file.write_text("@{early}=@{late}/x\n@{twice}=a\n@{twice}=b\nprofile t { /x r, }\n")
    assert "'@{late}' is never declared" in pale("lint", "--isolated", "--format", "concise", file, check=1).out


def test_no_variable_is_opened_in_the_name_of_a_profile(pale):
    r = pale("compile", "-", "-t", "apparmor", input=HEAD % "file px /bin/x -> @{HOME};")
    assert r.rc == 1 and "PL237" in r.err and not r.out, r


@pytest.mark.parametrize("rule,help_", [("file cx /bin/a -> kid;", "'t//kid'"), ("file Cx /bin/a;", "cix"), ("file rcx /bin/a;", "px")])
def test_a_child_profile_that_nobody_writes_is_told(pale, tmp_path, rule, help_):
    file = tmp_path / "t.pale"
    file.write_text(HEAD % rule)
    for command in (["compile", "-q", "-t", "apparmor", "-o", "-"], ["check", "-t", "apparmor"], ["lint"]):
        r = pale(*command, file)
        assert "PL236" in r.err + r.out and help_ in r.err + r.out, r


@pytest.mark.parametrize("rule", ["file cix /bin/a -> kid;", "file CUx /bin/a;", "file px /bin/a -> x;", "deny file x /bin/a;"])
def test_what_falls_back_or_changes_elsewhere_is_not(pale, rule):
    assert "PL236" not in pale("compile", "-", "-t", "apparmor", input=HEAD % rule, check=0).err


@pytest.mark.once
@pytest.mark.parametrize("error", ["EIO", "EMFILE", "ENOMEM"])
def test_tunables_that_the_system_does_not_give_are_its_failure(pale, tmp_path, error):
    """And not a variable that nobody declared: nobody knows what is."""
    tunables = pathlib.Path("/etc/apparmor.d/tunables/global")
    if not tunables.exists():
        pytest.skip("no tunables are installed")
    f = tmp_path / "v.pale"
    f.write_text('policy p { program /bin/x; layers apparmor; arch x86_64; file r "@{HOME}/x"; }')
    r = run([need("strace"), "-o", "/dev/null", "-P", tunables, "-e", f"inject=openat:error={error}",
             pale.path, "explain", f, "/a"])
    assert r.rc == 3 and "PL020" in r.err and "PL234" not in r.err and "PL235" not in r.err, r
