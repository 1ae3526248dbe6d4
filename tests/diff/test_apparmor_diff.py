# SPDX-License-Identifier: Apache-2.0
"""pale diff of AppArmor files: every line is what `pale sim` answers on both, and no difference is missed."""
import json
import pathlib
import random
import re
import sys

import pytest

from conftest import ROOT, some

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "apparmor"))
from test_means import GLOBS, LONG, PATHS, random_profile, text_of  # noqa: E402
from test_policy_profiles import policy as random_policy  # noqa: E402


def written(tmp_path, name, body, head="profile t"):
    file = tmp_path / name
    file.write_text(f"{head} {{\n{body}\n}}\n")
    return file


def compare(pale, *args, rc=None):
    r = pale("diff", "--format", "json", *args, check=None)
    assert r.rc in ((0, 1) if rc is None else (rc,)), r
    return json.loads(r.out)


def bodies(pale, tmp_path, a, b, *args, head_a="profile t", head_b="profile t"):
    return compare(pale, written(tmp_path, "a", a, head_a), written(tmp_path, "b", b, head_b), *args)


def sim(pale, file, accesses, *args):
    """[(outcome, transition)] of accesses that are one line each."""
    out = pale("sim", file, *args, *accesses).out.splitlines()
    assert len(out) == len(accesses), (file.read_text(), accesses, out)
    answers = []
    for access, line in zip(accesses, out):
        outcome, said, *rest = line.split("  ")
        assert said == access
        runs = access.startswith("exec") and rest and re.fullmatch(r"(ix|[pc][iu]?x|ux)( -> .*)?", rest[0], re.I)
        runs = runs or access.startswith("change_profile") and rest and rest[0] in ("safe", "unsafe")
        answers.append((outcome, rest[0] if runs else ""))
    return answers


def answer(words):
    """'allowed (Px -> kid)' as sim has it: its record is what sim does not say."""
    outcome, _, transition = words.partition(" (")
    return outcome.replace(" without a record", ""), transition.rstrip(")")


def assert_witnesses_are_true(pale, a, b, d, *args):
    lines = [r for r in d["resources"] if r["access"]]
    halves = [[r["access"]] if r["access"].split()[0] not in ("open", "exec", "link") or r["access"].split()[1] in ("owner", "other") else
              [r["access"].replace(" ", f" {who} ", 1) for who in ("owner", "other")] for r in lines]
    asked = [x for half in halves for x in half]
    for file, side in ((a, "a"), (b, "b")):
        got = iter(sim(pale, file, asked, *args)) if asked else iter(())
        for r, half in zip(lines, halves):
            for _ in half:
                assert next(got) == answer(r[side]), (file.read_text(), r)


def told(d):
    return {(r["change"], r["about"]) for r in d["resources"]}


@pytest.mark.parametrize("a, b, want", [
    ("/a r,", "/[a] r,", set()),
    ("/a r,\n/b r,", "/{a,b} r,", set()),
    ("/a rw,", "/a r,", {("tighter", "write /a")}),
    ("/a r,", "owner /a r,", {("tighter", "read /a by others than its owner")}),
    ("/a r,", "other /a r,", {("tighter", "read /a by its owner")}),
    ("/a/** r,", "/a/** r,\ndeny /a/x r,", {("tighter", "read /a/x")}),
    ("", "deny /a r,", {("different record", "read /a")}),
    ("deny /a r,", "audit deny /a r,", {("different record", "read /a")}),
    ("/a w,", "/a a,", {("tighter", "write /a")}),
    ("audit /a r,", "/a r,", {("looser", "read /a")}),
    ("/a px,", "/a ux,", {("looser", "execute /a")}),
    ("/a Px,", "/a px,", {("looser", "execute /a")}),
    ("/a px,", "/a Ux,", {("incomparable", "execute /a")}),
    ("/a ix,", "/a Ux,", {("incomparable", "execute /a"), ("tighter", "map /a")}),
    ("/a px,", "/a pux,", {("looser", "execute /a")}),
    ("/a pix,", "/a px,", {("tighter", "execute /a"), ("tighter", "map /a")}),
    ("/a px,", "/a cx,", {("incomparable", "execute /a")}),
    ("/a px -> x,", "/a px -> y,", {("incomparable", "execute /a")}),
    ("/a Px -> x,", "/a ix -> x,", {("looser", "execute /a"), ("looser", "map /a")}),
    ("/a px,", "deny /a x,", {("tighter", "execute /a")}),
    ("priority=1 deny /a r,\n/a r,", "deny /a r,\npriority=1 /a r,", {("looser", "read /a")}),
    ("/a l -> /b,", "/a l -> /{b,c},", {("looser", "link /a to /c")}),
    ("/a l -> /b,", "/a l -> /b,\n/a k,", {("looser", "lock /a")}),
    ("link /a -> /b,", "", {("tighter", "link /a to /b")}),
    ("capability chown,", "capability chown,\ncapability kill,\ndeny capability fowner,",
     {("looser", "capability kill"), ("different record", "capability fowner")}),
    ("capability,", "capability,\ndeny capability chown,", {("tighter", "capability chown")}),
    ("audit capability chown,", "capability chown,", {("looser", "capability chown")}),
    ("set rlimit nofile <= 10,", "set rlimit nofile <= 20,", {("looser", "limit nofile")}),
    ("set rlimit nofile <= 10,", "", {("looser", "limit nofile")}),
    ("set rlimit nofile <= infinity,", "", set()),
])
def test_what_two_profiles_answer_otherwise(pale, tmp_path, a, b, want):
    d = bodies(pale, tmp_path, a, b)
    assert told(d) == want
    assert d["same"] is not bool(want)
    assert_witnesses_are_true(pale, tmp_path / "a", tmp_path / "b", d)


def test_a_new_name_that_gives_less_may_be_linked_where_it_could_not(pale, tmp_path):
    """Fewer rights of the path are tighter, and the link that is a subset then is looser: --fail-on looser says so."""
    d = bodies(pale, tmp_path, "/a rwl,\n/b r,", "/a rl,\n/b r,")
    assert told(d) == {("tighter", "write /a"), ("looser", "link /a to /b by its owner")} or \
        told(d) == {("tighter", "write /a"), ("looser", "link /a to /b")}
    assert_witnesses_are_true(pale, tmp_path / "a", tmp_path / "b", d)
    assert compare(pale, "--fail-on", "looser", tmp_path / "a", tmp_path / "b", rc=1)


def test_each_line_names_the_deciding_rules_through_includes_and_variables(pale, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/inc").write_text("@{H}/x r,\n")
    a = tmp_path / "a"
    a.write_text('@{H}=/h /i\nprofile t {\n include <inc>\n}\n')
    b = tmp_path / "b"
    b.write_text('@{H}=/h\nprofile t {\n include <inc>\n}\n')
    r = pale("diff", "-I", tmp_path / "d", a, b, check=1)
    assert r.out.replace(f"{tmp_path}/", "") == """A: a (AppArmor file)
B: b (AppArmor file)
B is tighter: files
     same: capabilities, profile

tighter: read /i/x
  allowed -> refused
    open /i/x r
      A: d/inc:1:1: @{H}/x r,  (included at a:3:2)
      B: b:2:1: no rule
"""


def test_levels_of_fail_on(pale, tmp_path):
    a, b = written(tmp_path, "a", "/a r,"), written(tmp_path, "b", "/a rw,")
    for level, rcs in (("any", (1, 1)), ("looser", (1, 0)), ("tighter", (0, 1)), ("none", (0, 0))):
        assert (pale("diff", "--fail-on", level, a, b, check=None).rc, pale("diff", "--fail-on", level, b, a, check=None).rc) == rcs
    assert pale("diff", a, a).rc == 0


@pytest.mark.parametrize("flags, change, refused", [
    ("complain", "looser", "allowed, logged"), ("kill", "tighter", "refused, killed"), ("unconfined", "looser", "allowed"),
    ("default_allow", "looser", "allowed"), ("prompt", "looser", "asks")])
def test_the_mode_is_part_of_every_answer(pale, tmp_path, flags, change, refused):
    body = "/a rl,\ndeny /d rw,\naudit deny /e r,\n/x px,\ncapability chown,"
    d = bodies(pale, tmp_path, body, body, head_b=f"profile t flags=({flags})")
    assert (change, "mode") in told(d)
    assert {r["change"] for r in d["resources"]} <= {change, "incomparable"} | ({"not decided"} if refused == "allowed" else set())
    assert {("refused", refused)} <= {(r["a"], r["b"]) for r in d["resources"]}
    assert {r["access"].split()[0] for r in d["resources"] if r["access"]} >= {"open", "exec", "link", "cap"}
    assert_witnesses_are_true(pale, tmp_path / "a", tmp_path / "b", d)


@pytest.mark.parametrize("flags, change", [("audit", "different record"), ("attach_disconnected", "looser"), ("mediate_deleted", "incomparable")])
def test_other_flags_are_told(pale, tmp_path, flags, change):
    d = bodies(pale, tmp_path, "", "", head_b=f"profile t flags=({flags})")
    assert (change, f"flag {flags}") in told(d)
    assert compare(pale, tmp_path / "b", tmp_path / "b", rc=0)["same"]


def test_what_a_profile_confines_is_compared(pale, tmp_path):
    d = bodies(pale, tmp_path, "/a r,", "/a r,", head_a="profile t /usr/bin/{x,y}", head_b="profile t /usr/bin/{y,z}")
    assert {(r["change"], r["about"], r["a"], r["b"]) for r in d["resources"]} == {
        ("looser", "program /usr/bin/x", "confined by it", "not confined"),
        ("tighter", "program /usr/bin/z", "not confined", "confined by it")}


def test_a_profile_that_is_gone_leaves_its_program_unconfined_or_to_another(pale, tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    b.write_text("profile x /x { /a r, }\nprofile all /{y,w} { }\n")
    a.write_text(b.read_text() + "profile gone /z { }\nprofile y /y { profile kid { } }\nprofile named { }\n")
    d = compare(pale, a, b)
    assert {(r["change"], r["profile"], r["about"], r["b"]) for r in d["resources"]} == {
        ("looser", "gone", "program /z", "not confined"), ("incomparable", "y", "program /y", "confined by 'all'"),
        ("incomparable", "gone", "the profile, for who changes to it", "not there"),
        ("incomparable", "y", "the profile, for who changes to it", "not there"),
        ("incomparable", "named", "the profile, for who changes to it", "not there")}
    back = compare(pale, b, a)
    assert ("tighter", "gone", "program /z") in {(r["change"], r["profile"], r["about"]) for r in back["resources"]}


def test_children_and_hats_are_matched_by_label(pale, tmp_path):
    a = written(tmp_path, "a", "profile k { /a r, }\n^h { /a r, }")
    b = written(tmp_path, "b", "^h { /a rw, }\nprofile k { /a rk, }")
    d = compare(pale, a, b)
    files = {(r["profile"], r["change"], r["about"]) for r in d["resources"] if r["kind"] == "files" and r["change"] != "not decided"}
    assert files == {("t//k", "looser", "lock /a"), ("t//h", "looser", "write /a")}
    d = compare(pale, "--profile", "t//k", a, b)
    assert {(r["change"], r["about"]) for r in d["resources"]} == {("looser", "lock /a")}


def test_profiles_of_other_names_are_compared_where_there_is_one_on_each_side_or_asked(pale, tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("profile x { /a r, /b cx -> kid, profile kid { } }\n")
    b.write_text("profile y { /a r, /b cx -> kid, profile kid { } }\n")
    d = compare(pale, a, b)
    assert d["notes"] == ["profile 'x' of A is compared with 'y' of B"]
    assert not [r for r in d["resources"] if r["change"] != "not decided"]
    b.write_text(b.read_text() + "profile z { /a r, /b cx -> kid, profile kid { /q r, } }\n")
    assert {r["change"] for r in compare(pale, a, b)["resources"]} >= {"incomparable"}
    d = compare(pale, a, b, "--profile-a", "x", "--profile-b", "z")
    assert {(r["profile"], r["about"]) for r in d["resources"] if r["change"] == "looser"} == {("x//kid", "read /q")}


def test_what_the_check_refuses_is_not_compared(pale, tmp_path):
    a, b = written(tmp_path, "a", "/a r,"), written(tmp_path, "b", "/a px,\n/a cx,")
    r = pale("diff", a, b, check=1)
    assert not r.out and "PL370" in r.err


def test_options_of_calls_say_nothing_of_these_files(pale, tmp_path):
    a = written(tmp_path, "a", "/a r,")
    assert "--arch says nothing of an AppArmor file" in pale("diff", "--arch", "i386", a, a, check=2).err
    assert "--layers seccomp leaves nothing to compare" in pale("diff", "--layers", "seccomp", a, a, check=2).err
    assert pale("diff", "--layers", "apparmor", a, a)


def test_where_the_parser_goes_by_its_memory_it_is_not_decided(pale, tmp_path):
    a = written(tmp_path, "a", "/a/* ix,\n/a/b px,")
    b = written(tmp_path, "b", "/a/* ix,")
    d = compare(pale, "--target", "apparmor=4.1", a, b, rc=1)
    assert {r["change"] for r in d["resources"]} >= {"not decided"}
    assert compare(pale, "--target", "apparmor=4.1", "--fail-on", "looser", a, b, rc=1)
    assert compare(pale, "--target", "apparmor=4.1", a, a, rc=0)["same"]


# ---- random pairs ----

KINDS = {"r": "open", "w": "open", "a": "open", "m": "open", "k": "open", "x": "exec"}


def mutated(rng, rules):
    """One rule dropped, added, or another in its place."""
    rules = list(rules)
    how = rng.randrange(3)
    if how != 1:
        rules.pop(rng.randrange(len(rules)))
    if how != 0:
        rules.insert(rng.randrange(len(rules) + 1), rng.choice(random_profile(rng, "5.0")))
    return rules


def accesses():
    for path in PATHS:
        for who in ("owner", "other"):
            for letter, kind in KINDS.items():
                yield f"{kind} {who} {path}{'' if letter == 'x' else ' ' + letter}", (letter, who)


def lines_of(d):
    """What is told of a permission of a half: {(letter, who, answers)}."""
    out = set()
    for r in d["resources"]:
        words = r["access"].split()
        if not words or words[0] not in ("open", "exec"):
            continue
        who = [words[1]] if words[1] in ("owner", "other") else ["owner", "other"]
        letters = "x" if words[0] == "exec" else words[-1]
        out |= {(c, w, answer(r["a"]), answer(r["b"])) for c in letters for w in who}
    return out


def assert_nothing_is_missed(pale, a, b, d):
    asked = list(accesses())
    x, y = (sim(pale, f, [t for t, _ in asked]) for f in (a, b))
    lines = lines_of(d)
    differ = {(*key, p, q) for (_, key), p, q in zip(asked, x, y) if p != q}
    assert differ <= lines, (a.read_text(), b.read_text(), differ - lines)
    return len(differ)


def valid(pale, file):
    return pale("check", "--target", "apparmor=5.0", file, check=None).rc == 0


@pytest.mark.parametrize("seed", range(20 if LONG else 2))
def test_random_pairs(pale, tmp_path, seed):
    rng = random.Random(seed)
    pairs = found = 0
    while pairs < some(100):
        rules = random_profile(rng, "5.0")
        flags = rng.choice(["", "", "", " flags=(complain)", " flags=(audit)"])
        a = written(tmp_path, "a", "\n".join(map(text_of, rules)))
        b = written(tmp_path, "b", "\n".join(map(text_of, mutated(rng, rules))), head=f"profile t{flags}")
        r = pale("diff", "--format", "json", a, b, check=None)
        if not r.out:  # rules that conflict
            assert "PL370" in r.err or "PL386" in r.err, r  # the latter: the parser may refuse, or not
            continue
        d = json.loads(r.out)
        pairs += 1
        found += assert_nothing_is_missed(pale, a, b, d)
        assert_witnesses_are_true(pale, a, b, d)
    assert found > some(100)


def test_random_links(pale, tmp_path):
    rng = random.Random(7)
    ends = ["/a", "/b", "/ab", "/a/b", "/c"]
    asked = [f"link {who} {x} {y}" for x in ends for y in ends for who in ("owner", "other")]
    found = 0

    def rule():
        perms = "".join(c for c in "rwk" if rng.random() < 0.4)
        target = f" -> {rng.choice(GLOBS)}" if rng.random() < 0.4 else ""
        who = rng.choice(["", "owner ", "deny "])
        if rng.random() < 0.3:
            return f"{who}{rng.choice(GLOBS)} {perms or 'r'},"
        return f"{who}link {rng.choice(['', 'subset '])}{rng.choice(GLOBS)}{target or ' -> /**'}," if rng.random() < 0.5 else \
            f"{who}{rng.choice(GLOBS)} {perms}l,"

    for _ in range(600 if LONG else some(60)):
        rules = [rule() for _ in range(rng.randrange(1, 6))]
        a = written(tmp_path, "a", "\n".join(rules))
        rules[rng.randrange(len(rules))] = rule()
        b = written(tmp_path, "b", "\n".join(rules))
        d = compare(pale, a, b)
        assert_witnesses_are_true(pale, a, b, d)
        x, y = sim(pale, a, asked), sim(pale, b, asked)
        told_of = {(w, answer(r["a"]), answer(r["b"])) for r in d["resources"] if r["access"].startswith("link")
                   for w in (r["access"].split()[1:2] if len(r["access"].split()) == 4 else ["owner", "other"])}
        differ = {(t.split()[1], p, q) for t, p, q in zip(asked, x, y) if p != q}
        assert differ <= told_of, (a.read_text(), b.read_text(), differ, told_of)
        found += len(differ)
    assert found > some(20)


def test_the_same_rules_in_another_order_and_out_of_their_includes_are_the_same(pale, tmp_path):
    rng = random.Random(3)
    (tmp_path / "d").mkdir()
    for _ in range(some(40)):
        rules = [text_of(r) for r in random_profile(rng, "5.0")]
        cut = rng.randrange(len(rules) + 1)
        (tmp_path / "d/inc").write_text("\n".join(rules[:cut]) + "\n")
        a = written(tmp_path, "a", "include <inc>\n" + "\n".join(rules[cut:]))
        b = written(tmp_path, "b", "\n".join(rng.sample(rules, len(rules))))
        r = pale("diff", "-I", tmp_path / "d", a, b, check=None)
        assert r.rc == 0 or "PL370" in r.err or "PL386" in r.err, (a.read_text(), b.read_text(), r)


# ---- what is no file ----

@pytest.mark.parametrize("a, b, want", [
    ("signal send peer=a,", "signal send set=(term) peer=a,", {("tighter", "signals", "signals: send every signal but term (peer 'a')")}),
    ("signal peer=a,", "signal peer={a,b},", {("looser", "signals", "signals: send, receive every signal (peer 'b')")}),
    ("ptrace (read) peer=x,", "ptrace (read, trace) peer=x,", {("looser", "ptrace", "ptrace trace peer=x")}),
    ("deny ptrace trace,", "audit deny ptrace trace,", {("different record", "ptrace", "ptrace trace peer=a")}),
    ("network inet stream,", "network inet,", {("looser", "sockets", "sockets: inet (all but stream)")}),
    ("network,", "network inet stream,\nnetwork inet6 stream,\nnetwork unix,", None),
    ("unix,", "unix type=stream,", None),
    ("network unix,", "unix,", set()),  # but for dccp, of which the kernel makes none
    ("unix (send) type=stream peer=(label=p),", "", {("tighter", "unix sockets", "unix send type=stream addr=none peer=(addr=none label=p)")}),
    ("mount fstype=tmpfs -> /mnt/,", "mount fstype=(tmpfs proc) -> /mnt/,", None),
    ("umount /a/,", "umount /{a,b}/,", {("looser", "mounts", "umount /b/")}),
    ("pivot_root oldroot=/o/ /n/,", "pivot_root /n/,", None),
    ("dbus send bus=session,", "dbus bus=session,", None),
    ("mqueue read type=posix /q,", "mqueue (read, write) type=posix /q,", set()),  # no abi that is pinned has it
    ("userns,", "", {("tighter", "user namespaces", "userns")}),
    ("io_uring sqpoll,", "io_uring,", None),
    ("change_profile -> a,", "change_profile -> {a,b},", None),
    ("change_profile -> a,", "change_profile /x -> a,", None),
    ("allow all,", "", None),
])
def test_every_class_is_compared(pale, tmp_path, a, b, want):
    d = bodies(pale, tmp_path, a, b)
    assert_witnesses_are_true(pale, tmp_path / "a", tmp_path / "b", d)
    assert "not decided" not in {r["change"] for r in d["resources"]}, d["resources"]
    assert d["same"] is (want == set())
    if want is not None:
        assert {(r["change"], r["kind"], r["about"]) for r in d["resources"]} == want
    assert compare(pale, tmp_path / "a", tmp_path / "a", rc=0)["same"] and compare(pale, tmp_path / "b", tmp_path / "b", rc=0)["same"]


@pytest.mark.parametrize("release", ["3.0", "4.0", "4.1", "4.1.2", "5.0"])
@pytest.mark.parametrize("rule", ["unix getattr,", "unix bind,", "unix send type=stream,", "unix (accept, setopt),"])
def test_sockets_of_unix_are_compared_where_they_are_no_class(pale, tmp_path, release, rule):
    for name, body in (("a", rule), ("b", "")):
        (tmp_path / name).write_text("profile t {\n%s\n}\n" % body)
    said = pale("diff", "-t", f"apparmor={release}", tmp_path / "a", tmp_path / "b", check=1).out
    assert "unix" in said and "is tighter" in said


def test_unsafe_changes_of_the_profile_are_not_called_the_same(pale, tmp_path):
    for name, word in (("a", "unsafe"), ("b", "safe")):
        (tmp_path / name).write_text("profile t {\nchange_profile %s /bin/a -> p,\n}\n" % word)
    assert "tighter: change_profile" in pale("diff", tmp_path / "a", tmp_path / "b", check=1).out
    assert "same" in pale("diff", tmp_path / "a", tmp_path / "a", check=0).out


def test_no_control_byte_of_a_name_is_printed(pale, tmp_path):
    (tmp_path / "a").write_bytes(b'profile t {\n"/a\033cb" r,\nchange_profile -> "p\033c",\n}\n')
    (tmp_path / "b").write_bytes(b"profile t {\n}\n")
    said = pale("diff", tmp_path / "a", tmp_path / "b", check=1).out
    assert "\033" not in said and "\\x1b" in said


FINE = "dbus {mask {send\n}\n}\nnetwork_v9 {af_unix {yes\n}\n}\nipc {posix_mqueue {create\n}\nsysv_mqueue {create\n}\n}\n"
QUEUES = [
    ("mqueue label=a,", "mqueue type=posix label=a,\nmqueue type=sysv label=a,", "mqueue read type=sysv label=aa 0"),
    ("mqueue type=sysv 012,", "mqueue type=sysv 12,", None),
    ("audit deny mqueue 012,\nmqueue,", "mqueue,", "mqueue read type=sysv label=a 12"),
    ("unix accept addr=@a peer=(label=p),\ndeny unix accept addr=@a peer=(label=q),", "unix accept addr=@a peer=(label=p),", "unix accept type=stream addr=@a"),
    ("unix getopt,\ndeny unix setopt,", "unix (getopt setopt),\ndeny unix (getopt setopt),", None),
    ("dbus send member=A,", "dbus send,", "dbus send bus=a path=a interface=a member=a peer=(name=a label=a)"),
]


@pytest.mark.parametrize("a, b, access", QUEUES)
def test_queues_and_sockets_are_compared_by_what_their_parser_makes_of_them(pale, tmp_path, a, b, access):
    features = tmp_path / "features"
    features.write_text(FINE)
    d = bodies(pale, tmp_path, a, b, "--target", "apparmor=5.0", head_a=f'abi "{features}",\nprofile t', head_b=f'abi "{features}",\nprofile t')
    assert [r for r in d["resources"] if r["change"] == "not decided" or (r["access"] or "").split()[:1] != (access or "x").split()[:1]] == []
    shown = [r["access"] for r in d["resources"]]
    assert access in shown if access else shown == [], shown


RULES = {
    "signal": (["signal", "signal send", "signal receive set=(term)", "signal set=(kill, hup)"], ["", " peer=a", " peer={a,b}", " peer=**"]),
    "ptrace": (["ptrace", "ptrace read", "ptrace (trace, tracedby)"], ["", " peer=a", " peer=[ab]"]),
    "network": (["network", "network inet", "network inet stream", "network unix", "network unix stream", "network raw"], [""]),
    "unix": (["unix", "unix type=stream", "unix (create, bind)", "unix (send, receive)"], ["", " addr=none", " addr=@x", " peer=(label=a)", " peer=(addr=@x)"]),
    "mount": (["mount", "mount options=(bind)", "mount fstype=tmpfs", "umount", "mount options=(ro)"], ["", " -> /a/", " -> /**"]),
    "dbus": (["dbus", "dbus send", "dbus (send, receive) bus=session"], ["", " peer=(label=a)", " peer=(name=n)"]),
    "userns": (["userns"], [""]),
}
ACCESSES = (
    [f"signal {p} {s} peer={who}" for p in ("send", "receive") for s in ("term", "kill", "hup") for who in ("a", "b", "c")] +
    [f"ptrace {p} peer={who}" for p in ("read", "trace", "tracedby", "readby") for who in ("a", "b", "c")] +
    [f"socket {f} {t}" for f in ("inet", "inet6") for t in ("stream", "dgram", "raw")] +
    [f"unix create type={t}" for t in ("stream", "dgram")] +
    [f"unix send type=stream addr={x} peer=(addr={y} label={who})" for x in ("none", "@x") for y in ("none", "@x") for who in ("a", "b")] +
    ["umount /a/", "umount /b/", "mount fstype=tmpfs t -> /a/", "mount fstype=proc t -> /b/", "mount options=(bind) /x/ -> /a/", "userns"] +
    [f"dbus send bus={bus} path=/p interface=i member=m peer=(name={n} label={who})" for bus in ("session", "system") for n in ("n", "o") for who in ("a", "b")])


def object_rule(rng, name):
    heads, tails = RULES[name]
    head, tail = rng.choice(heads), rng.choice(tails)
    if head.startswith("umount"):
        tail = tail.replace(" ->", "")
    if "create" in head:
        tail = "" if "peer" in tail else tail
    return rng.choice(["", "", "audit ", "deny ", "audit deny "]) + head + tail + ","


@pytest.mark.parametrize("name", RULES)
def test_random_rules_of_a_class(pale, tmp_path, name):
    rng = random.Random(11)
    asked = [a for a in ACCESSES if name[:4] in a or (name in ("network", "unix") and a.split()[0] in ("socket", "unix"))]
    found = 0
    for _ in range(200 if LONG else some(12)):
        rules = [object_rule(rng, rng.choice(["network", "unix"]) if name in ("network", "unix") else name) for _ in range(rng.randrange(1, 5))]
        a = written(tmp_path, "a", "\n".join(rules))
        rules[rng.randrange(len(rules))] = object_rule(rng, name)
        b = written(tmp_path, "b", "\n".join(rules))
        d = compare(pale, a, b)
        assert_witnesses_are_true(pale, a, b, d)
        open_ = {r["reason"] for r in d["resources"] if r["change"] == "not decided"}
        assert not open_, (rules, open_)
        told_of = {(answer(r["a"]), answer(r["b"])) for r in d["resources"]}
        differ = {(x, y): t for t, x, y in zip(asked, sim(pale, a, asked), sim(pale, b, asked)) if x != y}
        assert set(differ) <= told_of, (a.read_text(), b.read_text(), differ, told_of)
        found += len(differ)
    assert found


# ---- policies ----

def written_of(pale, policies, out):
    """[(policy, profile)]: what is compiled of those that can be."""
    r = pale("compile", "-q", "-t", "apparmor", "-o", out, *policies, check=None)
    pairs = [(p, out / f"{p.stem}.apparmor") for p in policies]
    return [(p, f) for p, f in pairs if f.exists()], r


def test_examples_are_the_profiles_that_are_written_of_them(pale, tmp_path):
    pairs, _ = written_of(pale, sorted((ROOT / "profiles/examples").glob("*.pale")), tmp_path / "out")
    assert len(pairs) >= 4
    for policy, profile in pairs:
        for d in (compare(pale, policy, profile, rc=0), compare(pale, profile, policy, rc=0)):
            assert d["same"] and d["notes"] == ["not compared: system calls, of which an AppArmor file says nothing"]


def test_random_policies_are_the_profiles_that_are_written_of_them(pale, tmp_path):
    rng = random.Random(4)
    policies = []
    for i in range(some(300)):
        policies.append(tmp_path / f"w{i}.pale")
        policies[-1].write_text(random_policy(rng).replace("policy web ", f"policy w{i} ", 1))
    pairs, _ = written_of(pale, policies, tmp_path / "out")
    assert len(pairs) > some(240)
    for policy, profile in pairs:
        r = pale("diff", policy, profile, check=None)
        assert r.rc == 0 and "\nsame: " in r.out, (policy.read_text(), r)


def test_what_a_profile_and_a_policy_answer_otherwise_is_told_of_both(pale, tmp_path):
    a = tmp_path / "web.pale"
    a.write_text("policy web { layers apparmor; arch x86_64;\n file r /etc/**;\n capability chown; }\n")
    b = written(tmp_path, "b", " /etc/{,**} rw,\n mount,", "profile web")
    r = pale("diff", "--profile", "web", a, b, check=1)
    assert r.out.replace(f"{tmp_path}/", "").startswith("""A: web.pale (policy)
B: b (AppArmor file)
B is looser: files, mounts
     tighter: capabilities, profile
""")
    assert "A: web.pale:3:13: capability chown;" in r.out.replace(f"{tmp_path}/", "") and "B: " in r.out
    d = compare(pale, a, b, rc=1)
    assert_witnesses_are_true(pale, a, b, d)


@pytest.mark.parametrize("a, why", [
    ("policy p { layers seccomp; arch x86_64; allow read; }", "does not count on AppArmor"),
    ("policy p { layers apparmor; arch x86_64; when kernel >= 6.1 { file r /a; } }", "a condition that is open"),
    ('{"defaultAction": "SCMP_ACT_ALLOW"}', "says nothing of what an AppArmor file is about")])
def test_what_says_nothing_of_accesses_is_not_decided_beside_a_profile(pale, tmp_path, a, why):
    f, b = tmp_path / "a", written(tmp_path, "b", "/a r,", "profile p")
    f.write_text(a)
    d = compare(pale, "--fail-on", "looser", f, b, rc=1)
    assert [r["change"] for r in d["resources"]] == ["not decided"] and why in d["resources"][0]["reason"] and d["same"] is None


def test_two_modes_under_which_no_rule_counts_differ_in_the_mode_alone(pale, tmp_path):
    a, b = tmp_path / "a.apparmor", tmp_path / "b.apparmor"
    a.write_text("profile p flags=(default_allow) {\n  /a r,\n  signal,\n}\n")
    b.write_text("profile p flags=(unconfined) {\n  userns,\n}\n")
    d = json.loads(pale("diff", "--format", "json", a, b, check=1).out)
    assert [(r["change"], r["about"], r["a"], r["b"]) for r in d["resources"]] == [
        ("incomparable", "mode", "default_allow", "unconfined")]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", " \n#\n"])
def test_a_file_of_comments_alone_beside_an_apparmor_file_holds_no_profile(pale, tmp_path, text):
    a, b = tmp_path / "blank", tmp_path / "b.apparmor"
    a.write_text(text)
    b.write_text("profile p /bin/x {\n  /a r,\n}\n")
    d = json.loads(pale("diff", "--format", "json", a, b, check=1).out)
    assert [(r["kind"], r["a"], r["b"]) for r in d["resources"]] == [
        ("program", "not confined", "confined by it"), ("profile", "not there", "there")]
    b.write_text("# as well\n")
    pale("diff", b, a, check=0)
    c = tmp_path / "c.pale"
    c.write_text(text)
    assert "there is no policy and no set in it" in pale("diff", c, c, check=None).err
