# SPDX-License-Identifier: Apache-2.0
"""What an editor asks of a place: what a word means, what may stand there, where it is defined."""
import re

import pytest

from client import Client, starts, uri_of  # noqa: F401 (a fixture)
from conftest import ROOT


@pytest.fixture(scope="module")
def client():
    c = Client("--isolated")
    yield c
    assert c.end() == 0


@pytest.fixture
def ask(client, tmp_path):
    """ask("hover", "a.pale", "policy a { al|low read; }"): '|' marks the place."""
    def at(method, name, marked):
        i = marked.index("|")
        before, path = marked[:i], tmp_path / name
        client.open(path, before + marked[i + 1:], wait=False)
        answer = client.at(method, uri_of(path), before.count("\n"), len(before) - before.rfind("\n") - 1)
        if method == "completion":
            return {x["label"] for x in answer["items"]} if answer else set()
        return answer
    return at


HOVERS = [
    ("a.pale", "policy a { al|low read; }", "the calls pass"),
    ("a.pale", "policy a { allow rea|d; }", "read: system call"),
    ("a.pale", "policy a { allow socket(dom|ain == AF_INET); }", "argument of socket\n    0  family | domain"),
    ("a.pale", "policy a { allow socket(domain == AF_IN|ET); }", "constant of 'af'"),
    ("a.pale", "policy a { use lib|c; }", "libc: set"),
    ("a.pale", "policy a { use mine|; } # x\nset mine { allow read; }", "mine: set"),
    ("a.pale", "# pale: ignore SC1|20 x\npolicy a { use libc; }", "SC120 width-fail-open"),
    ("a.pale", "policy a { capability sys_a|dmin; }", "sys_admin: capability 21"),
    ("a.pale", "policy a { allow kill(si|g == 9); }", "argument of kill"),
    ("a.json", '{"defaultAction": "SCMP_ACT_ER|RNO", "syscalls": []}', "fails with errnoRet"),
    ("a.json", '{"default|Action": "SCMP_ACT_ERRNO", "syscalls": []}', "that no entry names"),
    ("a.json", '{"syscalls": [{"names": ["soc|ket"]}]}', "socket: system call"),
    ("a.json", '{"syscalls": [{"names": ["socket"], "args": [{"index": |0, "op": "x"}]}]}', "family | domain"),
    ("a.json", '{"syscalls": [{"args": [{"op": "SCMP_CMP_MASKED_|EQ"}]}]}', "masked with value"),
    ("a.aa", "profile a {\n own|er /x r,\n}", "belong to the task's user"),
    ("a.aa", "profile a {\n capability sys_ad|min,\n}", "sys_admin: capability 21"),
    ("a.aa", "@{X}=/a /b\nprofile a {\n  @{|X}/c r,\n}", "@{X}=/a /b"),
    ("a.aa", "# pale: ignore AP304| x\nprofile a {\n}", "AP304"),
]


@pytest.mark.parametrize("name,text,wanted", HOVERS, ids=[h[1] for h in HOVERS])
def test_a_word_is_explained(ask, name, text, wanted):
    answer = ask("hover", name, text)
    assert answer and wanted in answer["contents"]["value"].replace("\\", "")


def test_what_means_nothing_is_not_explained(ask):
    assert ask("hover", "a.pale", "policy a { | }") is None
    assert ask("hover", "a.pale", "policy a|b { }") is None
    assert ask("hover", "a.json", '{"x": |1}') is None
    assert ask("hover", "a.pale", "# allow| read") is None


COMPLETIONS = [
    ("a.pale", "|", {"policy", "set", "include"}, {"allow"}),
    ("a.pale", "policy a { | }", {"allow", "use", "file", "when", "default"}, {"and", "openat", "policy"}),
    ("a.pale", "policy a { allow open, r|; }", {"read", "recvfrom"}, {"open", "allow"}),
    ("a.pale", "policy a { allow socket(|", {"domain", "family", "type", "not"}, {"AF_INET"}),
    ("a.pale", "policy a { allow socket(domain == |", {"AF_INET", "AF_UNIX"}, {"domain", "SOCK_STREAM"}),
    ("a.pale", "policy a { allow socket(domain in {AF_INET, |", {"AF_UNIX"}, {"type"}),
    ("a.pale", "policy a { allow socket(domain in {AF_INET}, |", {"type"}, {"AF_UNIX"}),
    ("a.pale", "policy a { use |; }\nset mine { }", {"libc", "start-run", "mine"}, {"read"}),
    ("a.pale", "policy a { capability |;", {"sys_admin"}, {"allow"}),
    ("a.pale", "policy a { network i|;", {"inet", "inet6"}, {"unix"}),
    ("a.pale", "policy a { errno |", {"EPERM", "ENOSYS"}, {"read"}),
    ("a.pale", "policy a { errno EPERM |", {"read"}, {"EPERM"}),
    ("a.pale", "policy a { arch |", {"x86_64", "aarch64"}, {"read"}),
    ("a.pale", "policy a { limit |", {"nofile"}, {"read"}),
    ("a.pale", "policy a { # al|", set(), {"allow"}),
    ("a.pale", "policy a { a@low @; allow r|", {"read"}, {"allow"}),  # what no word begins with
    ("a.aa", "profile x { | }", {"capability", "mount", "deny", "include"}, {"abi", "sys_admin"}),
    ("a.aa", "profile x { deny capability |,", {"sys_admin"}, {"deny"}),
    ("a.aa", "profile x { signal (send) set=(|", {"hup", "term"}, {"peer="}),
    ("a.aa", "profile x { signal |", {"send", "receive", "set=", "peer="}, {"hup"}),
    ("a.aa", "profile x { set rlimit n|", {"nofile"}, {"core"}),
    ("a.aa", "@{XY}=/a\nprofile x { /b r,\n @{|", {"@{XY}"}, set()),
    ("a.json", '{"|', {"defaultAction", "syscalls"}, {"names"}),
    ("a.json", '{"defaultAction": "|', {"SCMP_ACT_ALLOW"}, {"syscalls"}),
    ("a.json", '{"syscalls": [{"|', {"names", "action", "args"}, {"index"}),
    ("a.json", '{"syscalls": [{"names": ["read", "o|', {"openat"}, {"read"}),
    ("a.json", '{"syscalls": [{"args": [{"|', {"index", "valueTwo"}, {"names"}),
    ("a.json", '{"syscalls": [{"args": [{"op": "|', {"SCMP_CMP_MASKED_EQ"}, set()),
    ("a.json", '{"syscalls": [{"includes": {"|', {"caps", "minKernel"}, {"names"}),
    ("a.json", '{"syscalls": [{"includes": {"caps": ["|', {"CAP_SYS_ADMIN"}, set()),
    ("a.json", '{"architectures": ["|', {"SCMP_ARCH_X86_64"}, set()),
    ("a.json", '{"archMap": [{"|', {"architecture"}, set()),
    ("a.json", '{"linux": {"seccomp": {"|', {"defaultAction"}, set()),
]


@pytest.mark.parametrize("name,text,wanted,unwanted", COMPLETIONS, ids=[h[1] for h in COMPLETIONS])
def test_what_may_stand_there_is_offered(ask, name, text, wanted, unwanted):
    offered = ask("completion", name, text)
    assert wanted <= offered and not unwanted & offered


def test_includes_and_what_they_define_are_found(starts, tmp_path):
    base = tmp_path / "base"
    (base / "abstractions").mkdir(parents=True)
    (base / "tunables").mkdir()
    (base / "abstractions" / "mine").write_text("/a r,\n")
    (base / "tunables" / "mine").write_text("# x\n@{MINE}=/a\n")
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "far.pale").write_text("# far: x\nset far { allow read; }\n")
    (tmp_path / "near.pale").write_text("set near { allow write; }\n")
    c = starts("--include", base, "--sets", tmp_path / "sets")
    text = "include <tunables/mine>\nprofile a {\n  include <abstractions/mine>\n  @{MINE}/b r,\n}\n"
    uri = c.open(tmp_path / "a.aa", text, wait=False)

    def define(uri, line, character):
        return [(p["uri"], p["range"]["start"]["line"]) for p in c.at("definition", uri, line, character) or []]
    assert define(uri, 0, 12) == [(uri_of(base / "tunables" / "mine"), 0)]
    assert define(uri, 2, 20) == [(uri_of(base / "abstractions" / "mine"), 0)]
    assert define(uri, 3, 4) == [(uri_of(base / "tunables" / "mine"), 1)]
    assert define(uri, 3, 10) == []
    c.change(uri, 2, (2, 24, 2, 28, ""))
    offered = c.at("completion", uri, 2, 24)
    assert "abstractions/mine" in {x["label"] for x in offered["items"]}
    text = "profile a {\n  /b px -> c,\n  /d cx -> child,\n  signal peer=c,\n  profile child {\n  }\n}\nprofile c /c {\n  change_profile -> a//child,\n  /e px -> none,\n}\n"
    uri = c.open(tmp_path / "b.aa", text, wait=False)
    assert [define(uri, *at) for at in ((1, 12), (2, 13), (3, 15), (8, 24), (9, 12), (9, 6))] == [[(uri, 7)], [(uri, 4)], [(uri, 7)], [(uri, 4)], [], []]
    text = 'include "near.pale";\npolicy a { use far, near, own; }\nset own { allow open; }\n'
    uri = c.open(tmp_path / "a.pale", text, wait=False)
    assert define(uri, 0, 12) == [(uri_of(tmp_path / "near.pale"), 0)]
    assert define(uri, 1, 16) == [(uri_of(tmp_path / "sets" / "far.pale"), 1)]
    assert define(uri, 1, 21) == [(uri_of(tmp_path / "near.pale"), 0)]
    assert define(uri, 1, 27) == [(uri, 2)]
    assert define(uri, 1, 8) == []
    assert c.end() == 0


def rows(path, pattern):
    return set(re.findall(pattern, (ROOT / path).read_text(), flags=re.M))


def test_every_word_of_the_languages_is_explained_and_no_other():
    """words.def against the tables that the readers are made of."""
    classes = rows("compiler/rules/classes.def", r'^(?:KEYWORD|RESERVED)\("([^"]+)"')
    words = (ROOT / "compiler/oci/words.c").read_text()
    keys = set(re.findall(r'"([a-z]\w*)"', words[words.index("oci_profile_keys[]"):words.index("/* ---- the object")]))
    acts = set(re.findall(r'"(SCMP_(?:ACT|CMP)_\w+)"', words))
    assert rows("compiler/lsp/words.def", r'^PALE\("([^"]+)"') == rows("grammar/keywords.def", r'^KEYWORD\("([^"]+)"')
    assert rows("compiler/lsp/words.def", r'^AA\("([^"]+)"') == classes | {"include"}
    assert rows("compiler/lsp/words.def", r'^JSON\("([^"]+)"') == keys | acts
    assert len(classes) > 40 and len(keys) > 20 and len(acts) > 12
