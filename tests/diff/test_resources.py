# SPDX-License-Identifier: Apache-2.0
"""pale diff on resource rules: what passes them is compared, or it says that it is not."""
import json

import pytest

from conftest import ROOT

BOTH = "layers seccomp, apparmor;"


def policy(tmp_path, body, name="a", layers=BOTH, program="program /bin/x;"):
    path = tmp_path / f"{name}.pale"
    path.write_text(f"policy p {{ {program} {layers} arch x86_64; default errno EPERM; allow read;\n{body}\n}}\n"
                    if "seccomp" in layers or not layers else
                    f"policy p {{ {program} {layers} arch x86_64; default errno EPERM;\n{body}\n}}\n")
    return path


def compare(pale, *args):
    r = pale("diff", "--format", "json", *args)
    assert not r.err, r
    return json.loads(r.out)


def rows(d):
    return [(r["change"], r["kind"], r["about"], r["a"], r["b"]) for r in d["resources"]]


def statuses(pale, *args):
    return [pale("diff", "--fail-on", level, *args).rc for level in ("any", "looser", "tighter", "none")]


EXACT = {  # rules of A and of B: what B does
    "a capability": ("capability chown;", "capability chown, sys_admin;",
                     [("looser", "capabilities", "capability sys_admin", "refused", "allowed")]),
    "a capability less": ("capability chown, sys_admin;", "capability chown; deny capability sys_admin;",
                          [("tighter", "capabilities", "capability sys_admin", "allowed", "refused")]),
    "a denied one that is given too": ("capability chown;", "capability chown; deny capability chown;",
                                       [("tighter", "capabilities", "capability chown", "allowed", "refused")]),
    "a record less": ("log capability chown;", "capability chown;",
                      [("looser", "capabilities", "capability chown", "allowed, audited", "allowed")]),
    "a refusal in silence": ("deny capability chown;", "quiet deny capability chown;",
                             [("different record", "capabilities", "capability chown", "refused",
                               "refused without a record")]),
    "a signal": ("signal receive term;", "signal receive term, hup;",
                 [("looser", "signals", "signals: receive hup", "refused", "allowed")]),
    "every signal": ("signal send term;", "signal;",
                     [("looser", "signals", None, "refused", "allowed")]),
    "a limit": ("limit nofile 10;", "limit nofile 11;",
                [("looser", "limits", "limit nofile", "at most 10", "at most 11")]),
    "a limit less": ("", "limit nofile 11;",
                     [("tighter", "limits", "limit nofile", "no limit", "at most 11")]),
    "no limit in two ways": ("", "limit nofile infinity;", []),
    "the least of two limits": ("limit nofile 5; limit nofile 7;", "limit nofile 5;", []),
}


@pytest.mark.parametrize("case", EXACT)
def test_what_has_no_path_is_compared_exactly(pale, tmp_path, case):
    a, b, want = EXACT[case]
    x, y = policy(tmp_path, a), policy(tmp_path, b, "b")
    got = rows(compare(pale, x, y))
    assert [(c, k, w or about, *ab) for (c, k, about, *ab), (_, _, w, *_) in zip(got, want)] == \
           [(c, k, w or g[2], *ab) for (c, k, w, *ab), g in zip(want, got)] and len(got) == len(want)
    looser = any(w[0] == "looser" for w in want)
    tighter = any(w[0] == "tighter" for w in want)
    assert statuses(pale, x, y) == [bool(want), looser, tighter, 0]


def test_every_difference_has_the_rule_of_both_sides(pale, tmp_path):
    x = policy(tmp_path, "capability chown;\nlimit nofile 10;")
    y = policy(tmp_path, "deny capability chown;\nlimit nofile 9;", "b")
    for r in compare(pale, x, y)["resources"]:
        line = 2 if r["kind"] == "capabilities" else 3
        assert r["a_decided_by"].startswith(f"{x}:{line}:") and r["b_decided_by"].startswith(f"{y}:{line}:")
    text = pale("diff", x, y).out
    assert f"A: {x}:3:7: limit nofile 10;" in text and f"B: {y}:2:17: deny capability chown;" in text


def test_sockets_are_told_for_apparmor_beside_the_calls(pale, tmp_path):
    x, y = policy(tmp_path, "network inet stream;"), policy(tmp_path, "network inet;", "b")
    d = compare(pale, x, y)
    (change, kind, about, *_), = rows(d)
    assert (change, kind) == ("looser", "sockets")
    assert about == "sockets: inet (all but stream)"
    assert {n for c in d["changes"] for n in c["calls"]} == {"socket", "socketpair"}
    x = policy(tmp_path, "network packet, inet, inet6 stream;")
    y = policy(tmp_path, "network inet, packet, inet6 dgram; deny network packet;", "b")
    assert rows(compare(pale, x, y)) == [
        ("looser", "sockets", "sockets: inet6 (dgram)", "refused", "allowed"),
        ("tighter", "sockets", "sockets: inet6 (stream)", "allowed", "refused"),
        ("tighter", "sockets", "sockets: packet", "allowed", "refused")]


# ---- what is not compared is never the same ----

def test_many_peers_are_decided(pale, tmp_path):
    x = policy(tmp_path, "signal send;")
    y = policy(tmp_path, "".join(f'signal send -> "p{i}";' for i in range(300)), "b")
    assert {(r["change"], r["kind"]) for r in compare(pale, x, y)["resources"]} == {("tighter", "signals")}
    assert statuses(pale, x, y) == [1, 0, 1, 0] and statuses(pale, y, x) == [1, 1, 0, 0]


@pytest.mark.parametrize("kind,rule", {
    "files": "file r /x;", "capabilities": "capability chown;", "signals": "signal send;",
    "limits": "limit nofile 5;"}.items())
def test_a_rule_under_an_open_condition_is_not_overlooked(pale, tmp_path, kind, rule):
    x = policy(tmp_path, "capability kill;")
    y = policy(tmp_path, f"capability kill; when kernel >= 6.0 {{ {rule} }}", "b")
    d = compare(pale, x, y)
    assert d["same"] is None and ("not decided", kind) in [(r["change"], r["kind"]) for r in d["resources"]]
    assert statuses(pale, x, y) == [1, 1, 1, 0] == statuses(pale, y, x)
    pale("diff", y, y, check=0)
    pale("diff", x, y, "--kernel", "5.10", check=0)
    other = policy(tmp_path, f"capability kill; when kernel >= 6.1 {{ {rule} }}", "c")
    assert compare(pale, y, other)["same"] is None
    # One condition on both sides, and the other rules meet it differently.
    deny = policy(tmp_path, f"capability kill; deny {rule} when kernel >= 6.0 {{ {rule} }}", "d")
    if kind != "limits":
        assert compare(pale, y, deny)["same"] is None


# ---- layers ----

def test_who_does_not_count_on_apparmor_has_files_open(pale, tmp_path):
    x = policy(tmp_path, "file r /etc/hosts;")
    y = policy(tmp_path, "", "b", "layers seccomp;")
    d = compare(pale, x, y)
    assert d["same"] is False and {r["change"] for r in d["resources"]} == {"looser"}
    assert {r["kind"] for r in d["resources"]} == {"files", "capabilities", "sockets", "signals"}
    assert all("layers seccomp;" in r["b_decided_by"] for r in d["resources"])
    assert statuses(pale, x, y) == [1, 1, 0, 0] and statuses(pale, y, x) == [1, 0, 1, 0]
    silent = policy(tmp_path, "", "c", "")  # seccomp alone, without a line
    assert statuses(pale, x, silent) == [1, 1, 0, 0] and statuses(pale, y, silent) == [0, 0, 0, 0]


def test_who_does_not_count_on_seccomp_has_every_call_open(pale, tmp_path):
    x, y = policy(tmp_path, ""), policy(tmp_path, "", "b", "layers apparmor;")
    d = compare(pale, x, y)
    assert d["counts"]["looser"] > 300 and d["counts"]["tighter"] == 0 and d["counts"]["same"] == 1
    assert statuses(pale, x, y) == [1, 1, 0, 0] and statuses(pale, y, x) == [1, 0, 1, 0]
    assert statuses(pale, y, y) == [0, 0, 0, 0]


def test_capability_lines_count_without_apparmor_too(pale, tmp_path):
    x = policy(tmp_path, "capability chown;", layers="layers seccomp;")
    y = policy(tmp_path, "capability chown, kill;", "b", "layers seccomp;")
    assert rows(compare(pale, x, y)) == [("looser", "capabilities", "capability kill", "refused", "allowed")]
    none = policy(tmp_path, "", "c", "layers seccomp;")
    (change, kind, about, *_), = rows(compare(pale, y, none))
    assert (change, kind, about) == ("looser", "capabilities", "every capability but chown, kill")


# ---- JSON and BPF ----

@pytest.mark.parametrize("target", ["docker", "oci", "bpf"])
def test_a_filter_alone_says_nothing_of_resources(pale, tmp_path, target):
    x = policy(tmp_path, "file r /x; limit nofile 5;")
    pale("compile", "-q", "-t", target, "-o", tmp_path / "out", x, check=0)
    d = compare(pale, x, tmp_path / "out")
    assert d["same"] is None and not d["changes"] and {r["change"] for r in d["resources"]} == {"not decided"}
    assert [r["kind"] for r in d["resources"]] == ["files", "capabilities", "sockets", "signals", "limits"]
    assert all("which says nothing of them" in r["reason"] for r in d["resources"])
    for args in (x, tmp_path / "out"), (tmp_path / "out", x):
        assert statuses(pale, *args) == [1, 1, 1, 0]
        assert statuses(pale, "--layers", "seccomp", *args) == [0, 0, 0, 0]
    bare = policy(tmp_path, "", "b", "layers seccomp;")
    assert statuses(pale, bare, tmp_path / "out") == [0, 0, 0, 0]


def test_layers_limits_what_is_compared(pale, tmp_path):
    x, y = policy(tmp_path, "capability kill;"), policy(tmp_path, "allow write;", "b")
    d = compare(pale, "--layers", "seccomp", x, y)
    assert d["changes"] and not d["resources"] and d["notes"]
    d = compare(pale, "--layers", "apparmor", x, y)
    assert not d["changes"] and d["resources"] and d["notes"]
    pale("diff", "--layers", "landlock", x, y, check=2)
    docker = ROOT / "profiles/found/docker-default.json"
    pale("diff", docker, docker, check=0)
    d = compare(pale, "--layers", "apparmor", docker, docker)
    assert d["same"] is None and "say nothing but of system calls" in d["resources"][0]["reason"]


def test_all_formats_say_it_in_their_summary(pale, tmp_path):
    x, y = policy(tmp_path, "capability kill;"), policy(tmp_path, "limit core 0; signal;", "b")
    assert "B is looser: signals\n     tighter: capabilities, limits\n" in pale("diff", x, y, check=1).out
    assert pale("diff", "--format", "markdown", x, y).out.startswith("B is looser: signals; tighter: ")
    assert compare(pale, x, y)["summary"].startswith("B is looser: signals; tighter: ")


@pytest.mark.parametrize("rule", ["network unix;", "network unix dgram;", "log network unix stream;", "network inet6;",
                                  "network netlink raw;", "network packet;", "unix type=dgram;", "network inet, unix;"])
@pytest.mark.parametrize("options", [(), ("--target", "apparmor=3.0,kernel=6.1"), ("--target", "apparmor=5.0,kernel=7.2")])
def test_sockets_that_one_policy_alone_allows_are_never_the_same(pale, tmp_path, rule, options):
    x, y = policy(tmp_path, rule, layers="layers apparmor;"), policy(tmp_path, "", "b", layers="layers apparmor;")
    for args, change in ((x, y), "tighter"), ((y, x), "looser"):
        d = compare(pale, "--layers", "apparmor", *options, *args)
        kinds = {r["kind"] for r in d["resources"] if r["change"] == change}
        assert not d["same"] and kinds & {"sockets", "unix sockets"}, d
    assert statuses(pale, "--layers", "apparmor", *options, x, x) == [0, 0, 0, 0]
