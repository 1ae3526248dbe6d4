# SPDX-License-Identifier: Apache-2.0
"""AppArmor text with its includes, variables, conditions and blocks: what is left of it, and what is told."""
import os
import pathlib
import re
import sys

import pytest

from conftest import PALE, PATIENCE, program, run, sanitized, shared, spent

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from expandcases import CASES  # noqa: E402
from packaged import profiles_into  # noqa: E402
from parsers import Parser  # noqa: E402

ABI = """dbus {mask {acquire send receive
}
}
mount {mask {mount umount
}
}
network_v8 {af_mask {unix inet
}
}
%s"""
USERNS = "namespaces {mask {userns_create\n}\n}\n"


class Tree:
    """A directory of AppArmor files, and what the tool says of one of them."""

    def __init__(self, root):
        self.root = root

    def write(self, files):
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def tool(self, *args, name="main", release="5.0", timeout=PATIENCE):
        return run([program("apparmor/expandtool"), "-b", self.root, "-t", release, *args, self.root / name], cwd=self.root, timeout=timeout)

    def ask(self, text, release="5.0", args=(), **files):
        self.write({"main": text, **files})
        return self.tool(*args, release=release)

    def rules(self, text, release="5.0", **files):
        """The rules that are live, as texts: class, what it begins with, itself."""
        r = self.ask(text, release, **files)
        assert r.rc == 0, r
        lines = r.out.splitlines()
        return [re.sub(r" prio=0 depth=\d+", "", a.strip()) for a, b in zip(lines, lines[1:])
                if " depth=" in a and not b.strip().startswith("^")]


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


SLOWER = 20 if sanitized() else 1


def told(r, *ids):
    """The messages of these ids, each of which must be there."""
    assert r.rc in (0, 1), r
    found = re.findall(r"^(.*?): (error|warning|high): (.*) \[(PL\d+) ", r.err, re.M)
    for one in ids:
        assert one in [f[3] for f in found], r
    return found


# ---- as the parsers do it ----

def differences(release, tmp_path):
    """Where pale takes what the parser refuses or the reverse, or means something else with it."""
    parser, found = Parser(release), []
    for n, (text, files) in enumerate(CASES):
        tree = Tree(tmp_path / f"{n:04}")
        tree.write({"main": text, "abi/3.0": ABI % "", **files})
        ask = lambda name: parser.ask(tree.root / name, features=parser.features, base=tree.root, cwd=tree.root)
        real, mine = ask("main"), tree.tool("-p", release=release)
        if (real is not None) != (mine.rc == 0):
            found.append((text, "refused" if real is None else "taken", parser.said, mine.err))
        elif real is not None:
            tree.write({"flat": mine.out})
            if ask("flat") != real:
                found.append((text, "means", mine.out, parser.said))
    return found


# 3.0's parser masks a block's owner from permissions and leaves it in what is audited: nobody can say that in one rule.
OWNER_AUDIT = re.compile(r"(owner|other) \{ *(owner \{ *)?audit /a r")
# What no expansion decides: words and globs that the rules' reader refuses.
RULES_OF = re.compile(r"@\{NO\}, }|@\{a,b\}|@\{1,b\}")


@pytest.mark.once
@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_each_release_of_the_parser_agrees(release, tmp_path):
    found = [f for f in differences(release, tmp_path) if not (release == "3.0" and OWNER_AUDIT.search(f[0])) and not RULES_OF.search(f[0])]
    assert not found, f"{len(found)} of {len(CASES)}:\n" + "\n".join(map(str, found[:5]))


@pytest.mark.once
def test_every_packaged_profile_expands_to_what_the_parser_makes_of_it(tmp_path):
    """One library for all of them; one in 25 is compiled by 3.0.8, as it is and as it was expanded."""
    profiles, parser = profiles_into(tmp_path / "base"), Parser("3.0")
    (tmp_path / "base/local/abstractions").mkdir(parents=True, exist_ok=True)
    for name in [p.name for p in profiles] + ["abstractions/libvirt-lxc", "abstractions/libvirt-qemu"]:
        (tmp_path / "base/local" / name).touch()  # what packages' scripts make at installation
    tree = Tree(tmp_path / "base")
    r = run([program("apparmor/expandtool"), "-q", "-b", tree.root, "-t", "3.0", *profiles], cwd=tree.root, check=0)
    assert len(profiles) >= 143 and r.out.count("ok ") == len(profiles)
    for name in profiles if os.environ.get("PALE_LONG") else profiles[::25]:
        (tree.root / "flat").write_text(tree.tool("-p", name=name, release="3.0").out)
        real, flat = (parser.ask(tree.root / n, features=parser.features, base=tree.root) for n in (name, "flat"))
        assert real and real == flat, name


def test_the_parsers_own_corpus(tmp_path):
    """False rejects of any kind: one, of 16,224 values; false accepts where expanding decides: none."""
    where = tmp_path / "tst"  # so relative includes have it
    where.mkdir()
    os.symlink(shared("data", "apparmor-simple-tests"), where / "simple_tests")
    want = {}
    for file in sorted((where / "simple_tests").rglob("*.sd")):
        text = file.read_text(errors="replace")
        if not re.search(r"^#=(TODO|DISABLED)", text, re.M):
            want[str(file.relative_to(where))] = re.search(r"EXRESULT\s+(PASS|FAIL)", text)[1]
    r = run([program("apparmor/expandtool"), "-q", "-b", "simple_tests", *want], cwd=where, check=1)
    got = {name: "PASS" if word == "ok" else "FAIL" for word, name in (line.split(" ", 1) for line in r.out.splitlines())}
    assert [f for f in want if want[f] == "PASS" != got[f]] == ["simple_tests/vars/vars_stress_03.sd"]
    folders = ("include_tests", "bare_include_tests", "includes", "includes-preamble", "vars", "conditional", "abi", "change_hat", "profile/local")
    decided = [f for f in want if f.removeprefix("simple_tests/").startswith(tuple(f"{d}/" for d in folders))]
    assert len(decided) > 250 and not [f for f in decided if want[f] == "FAIL" != got[f]]


# ---- includes ----

def test_a_directory_is_read_from_its_last_name_on_and_leftovers_are_not(tree):
    files = {"d/a": "/a r,\n", "d/b": "/b r,\n", "d/c~": "bad", "d/.h": "bad", "d/README": "bad", "d/x.rpmsave": "bad", "d/s/n": "bad"}
    assert tree.rules("profile p { include <d> }", **files) == ["file: /b r,", "file: /a r,"]


def test_a_file_is_included_once_a_block(tree):
    files = {"d/a": "/a r,\n"}
    assert tree.rules("profile p { include <d/a>\ninclude <d/a>\n}", **files) == ["file: /a r,"]
    assert len(tree.rules("profile p { include <d/a>\nprofile c { include <d/a> }\n}", **files)) == 2
    assert len(tree.rules("profile p { include <d/a>\ninclude <d//a>\n}", **files)) == 2  # by another name it is another file


def test_what_a_false_branch_includes_is_told_where_it_is_missed(tree):
    r = tree.ask("${F}=false\nprofile p { if ${F} { include <d/a> }\ninclude <d/a>\n}", **{"d/a": "/a r,\n"})
    assert r.rc == 0 and "^ FALSE" in r.out
    assert [f[0].rsplit("/", 1)[1] for f in told(r, "PL360")] == ["main:3:9"]


def test_directories_are_searched_in_order_and_the_base_last(tree):
    tree.write({"one/a": "/one r,\n", "two/a": "/two r,\n", "two/b": "/b r,\n", "c": "/c r,\n", "a": "/base r,\n"})
    r = tree.ask("profile p { include <a>\ninclude <b>\ninclude <c>\n}", args=("-I", tree.root / "one", "-I", tree.root / "two"))
    assert re.findall(r": (/\w+) r,", r.out) == ["/one", "/b", "/c"]


def test_a_missing_file_is_told_with_the_nearest_name(tree):
    tree.write({"abstractions/base": "", "abstractions/dbus": ""})
    r = tree.ask("profile p {\n  include <abstractions/bsae>\n  include if exists <abstractions/no>\n}")
    assert told(r, "PL350")[0][0].endswith("main:2:11") and len(told(r)) == 1
    assert "did you mean 'abstractions/base'?" in r.err


def test_an_include_that_cuts_a_brace_is_told_with_both_places(tree):
    tree.write({"open": "/a r,\nprofile c {\n"})
    r = tree.ask("profile p {\n  include <open>\n  }\n}\n")
    assert "open:" in r.err and "an include holds whole statements" in r.err and "main:2" in r.err
    tree.write({"half": "/a"})
    r = tree.ask("profile p {\n  include <half>\n  r,\n}\n")
    assert "half:1" in r.err and "an include holds whole statements" in r.err


def test_the_errors_of_a_file_are_told_once(tree):
    tree.write({"bad": "network inet\n/a r,\nunknown\n", "one": "profile a { include <bad> }\n", "two": "profile b { include <bad> }\n"})
    r = run([program("apparmor/expandtool"), "-q", "-b", tree.root, tree.root / "one", tree.root / "two"], check=1)
    assert r.err.count("missing ','") == 1 and "they were told where it was read first" in r.err
    assert r.out.count("bad ") == 2


def test_files_that_include_themselves_end(tree):
    tree.write({"x": "profile c { include <x> }\n", "y": "/y r,\ninclude <y>\n", "z1": "profile c { include <z2> }\n", "z2": "include <z1>\n"})
    assert "includes itself" in told(tree.ask("profile p { include <x> }"), "PL352")[0][2]
    assert tree.rules("profile p { include <y> }") == ["file: /y r,"]
    told(tree.ask("profile p { include <z1> }"), "PL352")
    os.symlink(".", tree.root / "loop")
    (tree.root / "w").write_text("profile c { include <%s> }\n" % "loop/w")
    assert tree.ask("profile p { include <w> }").rc == 1
    os.symlink("knot", tree.root / "knot")
    told(tree.ask("profile p { include <knot> }"), "PL351")


def test_includes_nest_32_deep(tree):
    for n in range(34):
        tree.write({f"n{n}": f"include <n{n + 1}>\n"})
    tree.write({"n31": "/deep r,\n"})
    assert tree.rules("profile p { include <n0> }") == ["file: /deep r,"]
    tree.write({"n31": "include <n32>\n", "n32": "/deep r,\n"})
    told(tree.ask("profile p { include <n0> }"), "PL004")


def test_two_to_the_thirtieth_includes_end_at_once(tree):
    for n in range(30):
        tree.write({f"n{n}": f"profile a {{ include <n{n + 1}> }}\nprofile b {{ include <n{n + 1}> }}\n"})
    tree.write({"n30": "/a r,\n"})
    begin = spent()
    r = tree.ask("profile p { include <n0> }", args=("-q",))
    assert told(r, "PL353") and len(told(r)) == 1
    assert spent() - begin < 1 * SLOWER


def test_the_same_large_file_again_and_again_is_bounded(tree):
    tree.write({"big": "# %s\n" % ("x" * (4 << 20))})
    r = tree.ask("".join(f"profile p{n} {{ include <big> }}\n" for n in range(40)), args=("-q",))
    assert "more than 64 MiB" in told(r, "PL353")[0][2]


def test_what_is_no_file_is_told_and_not_waited_for(tree):
    os.mkfifo(tree.root / "fifo")
    for name in ("fifo", "/dev/zero"):
        assert "no regular file" in told(tree.ask(f'profile p {{ include "{name}" }}'), "PL351")[0][2]
        told(tree.ask(f'profile p {{ include if exists "{name}" }}'), "PL351")
        told(tree.ask(f'abi "{name}",\nprofile p {{ }}'), "PL364")
    assert tree.ask('profile p { include "/dev/null" }').rc == 0  # how a file is masked
    (tree.root / "nul").write_bytes(b"/a r,\n\0")
    told(tree.ask("profile p { include <nul> }"), "PL001")
    with open(tree.root / "large", "wb") as f:
        f.truncate((16 << 20) + 1)
    assert "16 MiB" in told(tree.ask("profile p { include <large> }"), "PL351")[0][2]


def test_a_directory_with_a_link_that_leads_nowhere_is_refused(tree):
    tree.write({"d/a": "/a r,\n"})
    os.symlink("/nowhere", tree.root / "d" / "z~")
    assert "leads nowhere" in told(tree.ask("profile p { include <d> }"), "PL351")[0][2]


# ---- variables and conditions ----

def test_variables_are_told_with_their_places(tree):
    r = tree.ask("@{HOME}=/h\nprofile p {\n  @{HMOE}/x r,\n}")
    assert told(r, "PL234")[0][0].endswith("main:3:3") and "did you mean '@{HOME}'?" in r.err
    r = tree.ask("@{A}=a\n@{A}=b\nprofile p { }")
    assert told(r, "PL355") and "declared here" in r.err
    r = tree.ask("@{A}=@{B}\n@{B}=x@{A}\nprofile p { /@{A} r, }")
    assert "leads back to it" in told(r, "PL356")[0][2]
    r = tree.ask("@{A}=@{A}\nprofile p { }")
    assert r.rc == 0 and told(r, "PL356")[0][1] == "warning"


def test_values_multiply_to_a_bound(tree):
    ten = " ".join("abcdefghij")
    text = f"@{{A}}={ten}\n@{{B}}=@{{A}}@{{A}}\n@{{C}}=@{{B}}@{{B}}\n"
    assert tree.ask(text + "profile p { /@{B} r, }").rc == 0
    assert "more than 10000" in told(tree.ask(text + "@{D}=@{C}@{A}\nprofile p { /@{D} r, }"), "PL356")[0][2]
    chain = "@{V0}=x y\n" + "".join(f"@{{V{n}}}=@{{V{n - 1}}}@{{V{n - 1}}}\n" for n in range(1, 900))
    begin = spent()
    told(tree.ask(chain + "profile p { /@{V899} r, }"), "PL356")
    own = "@{V0}=@{profile_name}\n" + "".join(f"@{{V{n}}}=@{{V{n - 1}}}@{{V{n - 1}}}\n" for n in range(1, 900))
    told(tree.ask(own + "".join(f"profile p{n} {{ /@{{V899}} r, }}\n" for n in range(400))), "PL356")
    assert spent() - begin < 5 * SLOWER


def test_a_thousand_variables_and_no_more(tree):
    text = "".join(f"@{{V{n}}}=x\n" for n in range(1000))
    assert tree.ask(text + "profile p { /@{V999} r, }", args=("-q",)).rc == 0
    told(tree.ask(text + "@{W}=x\nprofile p { }", args=("-q",)), "PL353")


def test_both_branches_are_read_and_one_holds(tree):
    text = "@{V}=2\nprofile p { if @{V} >= 10 { /a r, } else if @{V} > 1 and not (@{V} == 3) { /b r, } else { /c r, } }"
    assert tree.rules(text) == ["file: /b r,"]
    assert tree.ask(text).out.count("^ FALSE") == 2
    told(tree.ask(text, release="4.1"), "PL338")
    told(tree.ask("profile p { if ${NO} { /a r, } }"), "PL358")
    told(tree.ask("${F}=false\nprofile p { if ${F} { if ${NO} { /a r, } } }"), "PL358")


def test_whether_a_boolean_is_defined_depends_on_the_release(tree):
    text = "${B}=%s\nprofile p { if defined ${B} { /yes r, } }"
    answers = [[bool(tree.rules(text % value, release)) for value in ("true", "false")] for release in ("3.0", "4.1", "5.0")]
    assert answers == [[True, True], [True, False], [False, False]]
    told(tree.ask(text % "true"), "PL360")


def test_a_sharp_behind_values_is_a_value_to_3_0(tree):
    r = tree.ask("@{A}=a # b\nprofile p { /@{A} r, }", release="3.0")
    assert "@{A} = 'a' '#' 'b'" in r.out and told(r, "PL360")
    assert "@{A} = 'a'\n" in tree.ask("@{A}=a # b\nprofile p { /@{A} r, }").out


def test_a_profile_has_variables_of_its_own(tree):
    r = tree.ask("profile p /x* { ^h { @{profile_name} r, } }")
    assert "own @{profile_name} = 'p'" in r.out and "own @{exec_path} = '/x*'" in r.out and "own @{profile_name} = 'p//h'" in r.out
    assert "exec_path" not in tree.ask("profile p /x { }", release="4.1").out
    told(tree.ask("profile p /x { @{exec_path} r, }", release="4.1"), "PL234")


# ---- blocks, names, abi ----

def test_a_block_takes_the_place_of_what_its_rules_say(tree):
    r = tree.ask("profile p { audit { deny /a r, } }")
    assert tree.rules("profile p { audit { deny /a r, } }") == ["file audit: deny /a r,"]
    assert [f[1] for f in told(r, "PL361")] == ["high"]
    assert tree.rules("profile p { audit { deny /a r, } }", "3.0") == ["file deny: deny /a r,"]
    assert tree.rules("profile p { audit deny { owner /a r, } }") == ["file audit deny owner: owner /a r,"]
    r = tree.ask("profile p { audit { network inet, /a r, } }")
    assert r.rc == 0 and r.out.count("^ LOST") == 1 and told(r, "PL360")
    told(tree.ask("profile p { deny { /a r, } }", release="3.0"), "PL337")
    told(tree.ask("profile p { priority=1 { /a r, } }"), "PL337")


@pytest.mark.parametrize("body, by_4_1_8, by_5_0", [("deny { /a x, }", False, False), ("deny { audit { deny /a x, } }", True, False), ("deny { audit { deny /a r, } }", True, True),
                                                    ("deny { deny /a x, }", True, True), ("audit { deny { /a ix, } }", False, False), ("audit { { /a ix, } }", True, True),
                                                    ("{ deny /a x, }", True, False), ("{ deny change_profile /b, }", True, False), ("{ change_profile /b, }", False, False),
                                                    ("deny { if ${F} { /a ix, } }", True, True), ("if ${F} { deny { /a ix, } }", False, False)])
def test_the_x_of_a_rule_fits_every_block_around_it(tree, body, by_4_1_8, by_5_0):
    tree.write({"main": f"${{F}}=false\nprofile p {{ {body} }}\n"})
    for release, taken in ("4.1.8", by_4_1_8), ("5.0", by_5_0):
        parser = Parser(release)
        assert (parser.ask(tree.root / "main", features=parser.features, base=tree.root) is not None) == taken
        assert run([PALE, "check", "--target", f"apparmor={release}", tree.root / "main"]).rc == (not taken)


def test_a_block_of_4_1_8_leaves_its_rules_what_they_say(tree):
    """5.0.2 is older. What stands outside may say another mode where nobody inside does."""
    say = lambda body: tree.rules(f"${{F}}=false\nprofile p {{ {body} }}", "4.1.8")
    assert say("audit { deny /a r, }") == ["file audit deny: deny /a r,"] and say("deny { audit deny /a r, }") == ["file deny: audit deny /a r,"]
    assert say("{ prompt /a r, }") == ["file prompt: prompt /a r,"] and say("deny { if ${F} { allow /a r, } /b r, }")[-1] == "file deny: /b r,"
    for body in ("allow { deny /a r, }", "deny { { prompt /a r, } }", "allow { deny { /a r, } }", "if ${F} { deny { allow /a r, } }"):
        r = tree.ask(f"${{F}}=false\nprofile p {{ {body} }}", release="4.1.8")
        assert r.rc == 1 and told(r, "PL337") and "another mode" in r.err, r
    assert not tree.ask("profile p { { deny /a r, } { priority=5 /b r, } }", release="4.1.8").err


def test_what_a_branch_loses_depends_on_the_release(tree):
    text = "${T}=true\nprofile p { if ${T} { mount, set rlimit nproc <= 1, /a r, } }"
    assert tree.rules(text) == ["mount: mount,", "file: /a r,"]
    assert tree.rules(text, "3.0") == ["file: /a r,"]
    assert len(told(tree.ask(text, release="3.0"), "PL360")) == 2


def test_names_and_labels(tree):
    r = tree.ask("@{B}=x y\nprofile :ns://p@{B} { profile c { ^h { } } }\n/bin/x { }\nprofile q /bin/{a,b} { }")
    assert re.findall(r"profile (\S+) ns='(.*?)' attached='(.*?)'( hat)?", r.out) == [
        ("p{x,y}", "ns", "", ""), ("p{x,y}//c", "", "", ""), ("p{x,y}//c//h", "", "", " hat"), ("/bin/x", "", "/bin/x", ""), ("q", "", "/bin/{a,b}", "")]
    told(tree.ask("profile p { ^x { } profile x { } }"), "PL363")


def test_what_stands_in_the_wrong_place_is_told_with_the_first_profile(tree):
    r = tree.ask("profile p { }\n@{A}=x\nalias /a/ -> /b/,\n/a r,\nabi <abi/3.0>,\n")
    assert len(told(r, "PL354")) == 4 and "the first profile" in r.err
    assert len(told(tree.ask("{ /a r, }\nif true { }\nprofile p { @{A}=x\n alias /a/ -> /b/,\n }"), "PL354")) == 4


@pytest.mark.parametrize("abi, userns, io_uring", [(ABI % "", False, False), (ABI % USERNS, True, False), (ABI % USERNS + "io_uring {mask {sqpoll\n}\n}\n", True, True)])
def test_the_abi_decides_what_is_mediated(tree, abi, userns, io_uring):
    r = tree.ask("abi <abi/x>,\nprofile p { }", **{"abi/x": abi})
    mediated = r.out.splitlines()[0].split()
    assert ("userns" in mediated, "io_uring" in mediated) == (userns, io_uring)
    assert "mqueue" not in mediated and "signal" not in mediated and {"network", "mount", "dbus", "file"} <= set(mediated)


def test_without_an_abi_the_release_decides(tree):
    mediated = {r: tree.ask("profile p { }", release=r).out.splitlines()[0].split() for r in ("3.0", "4.1", "5.0")}
    assert "userns" not in mediated["3.0"] and {"userns", "io_uring"} <= set(mediated["4.1"]) and "mqueue" not in mediated["5.0"]


def test_a_missing_abi_is_told_with_who_brings_it(tree):
    assert "AppArmor 4.0 and later bring it" in tree.ask("abi <abi/4.0>,\nprofile p { }").err
    tree.write({"abi/3.0": ABI % "", "abi/4.0": ABI % USERNS})
    assert "did you mean 'abi/3.0'?" in tree.ask("abi <abi/3.1>,\nprofile p { }").err
    r = tree.ask("abi <abi/3.0>,\nabi <abi/4.0>,\nprofile p { }")
    assert r.rc == 0 and told(r, "PL360") and "this one holds" in r.err
    told(tree.ask("abi <default>,\nprofile p { }", release="4.1"), "PL364")


def test_at_most_twenty_errors_are_told(tree):
    r = tree.ask("profile p {\n" + "/@{NO} r,\n" * 500 + "}\n")
    assert len(told(r, "PL234")) == 20
    r = tree.ask("profile p {\n" + "include <no>\n" * 500 + "}\n")
    assert len(told(r, "PL350")) == 20


def test_profiles_are_bounded(tree):
    r = tree.ask("".join(f"profile p{n} {{ }}\n" for n in range(10001)), args=("-q",))
    told(r, "PL353")
    told(tree.ask("profile p { " * 40 + "} " * 40), "PL004")


def test_no_name_is_printed_raw(tree):
    tree.write({"abstractions/base": ""})
    r = tree.ask('profile p { include "a\x1b[31mb" /@{x\u202e} r, /@{NO} r, }\n')
    assert "\x1b" not in r.err and "\u202e" not in r.err
