# SPDX-License-Identifier: Apache-2.0
"""pale diff of two policies: rules of AppArmor's other classes, each line as `pale sim` answers on both."""
import json

import pytest

from test_apparmor_diff import assert_witnesses_are_true

CLASSES = "mounts", "pivot_root", "ptrace", "unix sockets", "dbus", "message queues", "user namespaces", "io_uring", \
    "change_profile"


def policy(tmp_path, body, name, layers="layers apparmor;", kind="p"):
    path = tmp_path / f"{name}.pale"
    path.write_text(f"policy {kind} {{ {layers} arch x86_64; default errno EPERM;\n{body}\n}}\n")
    return path


def compare(pale, tmp_path, a, b, *args):
    x, y = policy(tmp_path, a, "a"), policy(tmp_path, b, "b")
    r = pale("diff", "--format", "json", *args, x, y, check=None)
    assert r.rc in (0, 1) and not r.err, r
    d = json.loads(r.out)
    assert_witnesses_are_true(pale, x, y, d)
    return d


def statuses(pale, tmp_path, a, b):
    x, y = policy(tmp_path, a, "a"), policy(tmp_path, b, "b")
    return [pale("diff", "--fail-on", level, x, y).rc for level in ("any", "looser", "tighter", "none")]


def told(d):
    return {(r["change"], r["kind"], r["access"]) for r in d["resources"]}


WIDER = [  # what A allows is a part of what B does
    ("mount fstype=proc;", "mount fstype=(proc, sysfs);", "mounts"),
    ("mount options=(bind) /a -> /b;", "mount options=(bind) /a -> /{b,c};", "mounts"),
    ("remount options=ro /;", "remount /;", "mounts"),
    ("umount /a/;", "umount /{a,b}/;", "mounts"),
    ("pivot_root oldroot=/o/ /n/;", "pivot_root /n/;", "pivot_root"),
    ("ptrace read peer=x;", "ptrace (read, trace) peer=x;", "ptrace"),
    ("unix send type=stream;", "unix (send, receive) type=stream;", "unix sockets"),
    ("unix type=stream;", "unix;", "unix sockets"),  # where abi 3.0 knows no addresses
    ("dbus send bus=session;", "dbus bus=session;", "dbus"),
    ("mqueue read /q;", "mqueue (read, write) /q;", "message queues"),
    ("deny userns;", "userns;", "user namespaces"),
    ("io_uring sqpoll;", "io_uring;", "io_uring"),
    ("change_profile -> a;", "change_profile -> {a,b};", "change_profile"),
    ("userns; deny any mount; mount;", "userns; mount;", "mounts"),
    ("log ptrace trace;", "ptrace trace;", "ptrace"),
]


@pytest.mark.parametrize("a, b, kind", WIDER)
def test_one_rule_of_each_class_is_looser_or_tighter_with_a_witness(pale, tmp_path, a, b, kind):
    for x, y, change in ((a, b, "looser"), (b, a, "tighter")):
        d = compare(pale, tmp_path, x, y)
        assert d["resources"] and all(r["access"] for r in d["resources"])
        assert {(r["change"], r["kind"]) for r in d["resources"]} == {(change, kind)} and d["same"] is False
        assert statuses(pale, tmp_path, x, y) == [1, change == "looser", change == "tighter", 0]


def test_every_class_is_among_them():
    assert {kind for _, _, kind in WIDER} == set(CLASSES)


@pytest.mark.parametrize("a, b", [
    ("mount fstype=(proc, sysfs);", "mount fstype=sysfs;\nmount fstype=proc;"),
    ("umount /{a,b}/;", "umount /b/;\numount /a/;"),
    ("ptrace (read, trace) peer=x;", "ptrace trace peer=x;\nptrace read peer=x;"),
    ("ptrace peer=x;\nptrace;", "ptrace;"),
    ("deny any ptrace;\nptrace trace;", "deny any ptrace;"),
    ("dbus (send, receive) bus=session;", "dbus receive bus=session;\ndbus send bus=session;"),
    ("mqueue (read, write) /q;", "mqueue write /q;\nmqueue read /q;"),
    ("io_uring;", "io_uring sqpoll;\nio_uring override_creds;"),
    ("change_profile -> {aa,b};", "change_profile -> b;\nchange_profile -> aa;"),
    ("unix (send, receive) type=stream;", "unix receive type=stream;\nunix send type=stream;"),
    ("unix type=stream;", "unix type=stream;\nnetwork unix stream;"),
    ("pivot_root;", "pivot_root;\npivot_root /n/;"),
    ("userns;", "userns;\nuserns create;"),
])
def test_the_same_in_other_words_is_the_same(pale, tmp_path, a, b):
    for x, y in ((a, b), (b, a)):
        d = compare(pale, tmp_path, x, y)
        assert d["same"] is True and not d["resources"]
        assert statuses(pale, tmp_path, x, y) == [0, 0, 0, 0]


def test_the_name_of_a_policy_is_no_difference(pale, tmp_path):
    x, y = policy(tmp_path, "ptrace read peer=x;", "a"), policy(tmp_path, "ptrace read peer=x;", "b", kind="q")
    pale("diff", x, y, check=0)


def test_a_refusal_in_silence_is_another_record(pale, tmp_path):
    d = compare(pale, tmp_path, "deny any ptrace;", "quiet deny ptrace;")
    assert {(r["change"], r["kind"]) for r in d["resources"]} == {("different record", "ptrace")}
    assert statuses(pale, tmp_path, "deny any ptrace;", "quiet deny ptrace;") == [1, 0, 0, 0]


def test_each_line_names_the_rule_of_both_sides(pale, tmp_path):
    x, y = policy(tmp_path, "mount fstype=proc;\numount /a/;", "a"), policy(tmp_path, "mount fstype=proc;", "b")
    said = pale("diff", x, y, check=1).out.replace(f"{tmp_path}/", "")
    assert said.endswith("""
tighter: umount /a/
  allowed -> refused
    umount /a/
      A: a.pale:3:1: umount /a/;
      B: b.pale:1:8: no rule
""")


def test_sockets_of_unix_are_told_once_and_as_they_are_answered(pale, tmp_path):
    """Rules of both classes allow them: to take one away is no difference where the other is left."""
    d = compare(pale, tmp_path, "unix;\nnetwork unix;\nnetwork inet;", "unix;\nnetwork inet;")
    assert d["same"] is True
    d = compare(pale, tmp_path, "unix send;\nnetwork inet;", "unix send;\nnetwork inet, unix stream;")
    assert {(r["change"], r["kind"]) for r in d["resources"]} == {("looser", "unix sockets")}
    d = compare(pale, tmp_path, "unix send;\nnetwork inet;", "unix send;\nnetwork inet6;")
    assert {r["about"] for r in d["resources"]} == {"sockets: inet", "sockets: inet6"}


@pytest.mark.parametrize("rule, change", [("deny userns;", "tighter"), ("log userns;", "tighter")])
def test_a_class_that_the_abi_of_one_side_leaves_open_is_told(pale, tmp_path, rule, change):
    """Who has no rule for it is compiled with an abi that does not have it mediated: sim says allowed."""
    d = compare(pale, tmp_path, "ptrace read;", f"ptrace read;\n{rule}")
    rows = {r["about"]: r for r in d["resources"]}
    assert {r["change"] for r in rows.values()} == {change}
    assert rows["class userns"]["a"] == "not mediated, and open" and "(abi/3.0, " in rows["class userns"]["a_decided_by"]
    said = pale("diff", tmp_path / "a.pale", tmp_path / "b.pale", check=1).out
    assert "user namespaces" not in said.split("same: ")[1].split("\n")[0]
    assert statuses(pale, tmp_path, "ptrace read;", f"ptrace read;\n{rule}") == [1, 0, 1, 0]
    assert statuses(pale, tmp_path, f"ptrace read;\n{rule}", "ptrace read;") == [1, 1, 0, 0]


def test_a_class_that_is_allowed_whole_is_as_one_that_is_not_mediated(pale, tmp_path):
    """Queues are mediated with that abi too, and refused: that is another class."""
    for rules, told in (("userns;", {"class mqueue"}), ("userns;\nmqueue;", set()), ("userns;\nlog mqueue;", {"class mqueue"}),
                        ("userns;\nmqueue type=posix;\nmqueue type=sysv;", set()), ("userns;\nmqueue type=posix;", {"class mqueue"}),
                        ("io_uring sqpoll;\nio_uring override_creds;\nuserns;\nmqueue;", set()), ("io_uring sqpoll;\nuserns;\nmqueue;", {"class io_uring"})):
        d = compare(pale, tmp_path, "ptrace read;", f"ptrace read;\n{rules}")
        assert {r["about"] for r in d["resources"]} == told and d["same"] is (not told), rules
    assert [r["b"] for r in compare(pale, tmp_path, "ptrace read;", "ptrace read;\nuserns;\nlog mqueue;")["resources"]] == ["mediated, and logged"]


def test_what_stands_under_an_open_condition_is_not_decided(pale, tmp_path):
    x = policy(tmp_path, "ptrace read;", "a")
    y = policy(tmp_path, "ptrace read;\nwhen kernel >= 6.0 { ptrace trace; }", "b")
    d = json.loads(pale("diff", "--format", "json", x, y, check=1).out)
    assert d["same"] is None and [(r["change"], r["kind"]) for r in d["resources"]] == [("not decided", "ptrace")]
    assert "ptrace trace" in pale("diff", "--kernel", "6.1", x, y, check=1).out
    pale("diff", "--kernel", "5.10", x, y, check=0)
    pale("diff", y, y, check=0)


def test_who_does_not_count_on_apparmor_has_them_open(pale, tmp_path):
    x = policy(tmp_path, "ptrace read;", "a", "layers seccomp, apparmor;")
    y = policy(tmp_path, "", "b", "layers seccomp;")
    d = json.loads(pale("diff", "--format", "json", x, y, check=1).out)
    assert ("looser", "ptrace", "as its rules say", "open") in [(r["change"], r["kind"], r["a"], r["b"]) for r in d["resources"]]
    d = json.loads(pale("diff", "--format", "json", y, x, check=1).out)
    assert {r["change"] for r in d["resources"]} == {"tighter"}


def test_an_environment_that_is_passed_on_is_not_called_the_same(pale, tmp_path):
    d = compare(pale, tmp_path, "change_profile unsafe /bin/a -> p;", "change_profile safe /bin/a -> p;")
    assert {(r["change"], r["kind"], r["a"], r["b"]) for r in d["resources"]} == {("tighter", "change_profile", "allowed (unsafe)", "allowed (safe)")}
