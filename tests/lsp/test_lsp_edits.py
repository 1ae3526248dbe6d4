# SPDX-License-Identifier: Apache-2.0
"""What the server offers to write: fixes that `pale lint --fix` would make, and the layout of `pale fmt`."""
import pytest

from client import Client, codes, uri_of

TEXTS = {
    "a.pale": "# c\npolicy a {\n  arch x86_64;   use start-run, libc;\n    allow reed, write;\n}\n",
    "b.json": '{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],\n "syscalls": [\n'
              '  {"names": ["read", "read", "write"], "action": "SCMP_ACT_ALLOW"}]}\n',
    "c.apparmor": "profile a /usr/bin/a {\n  /etc/* r,\n  /etc/passwd r,\n  capability chown chown,\n}\n",
}


@pytest.fixture(scope="module")
def client():
    c = Client("--isolated", "--runtime", "any")
    yield c
    assert c.end() == 0


def applied(text, edits):
    lines = text.split("\n")
    starts = [sum(len(x) + 1 for x in lines[:i]) for i in range(len(lines))] + [len(text)]

    def offset(p):
        return min(starts[min(p["line"], len(starts) - 1)] + p["character"], len(text))
    for e in sorted(edits, key=lambda e: offset(e["range"]["start"]), reverse=True):
        text = text[:offset(e["range"]["start"])] + e["newText"] + text[offset(e["range"]["end"]):]
    return text


def act(client, uri, first=0, last=10 ** 6, **context):
    return client.ask("textDocument/codeAction", {
        "textDocument": {"uri": uri}, "context": {"diagnostics": [], **context},
        "range": {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}})


@pytest.mark.parametrize("name", TEXTS)
def test_all_safe_fixes_are_those_of_lint(client, pale, tmp_path, name):
    path, text = tmp_path / name, TEXTS[name]
    path.write_text(text)
    client.open(path, text)
    offered = act(client, uri_of(path), only=["source.fixAll"])
    pale("lint", "--isolated", "--runtime", "any", "--fix", path)
    fixed = path.read_text()
    if fixed == text:
        assert offered == []
    else:
        assert [a["kind"] for a in offered] == ["source.fixAll.pale"]
        assert applied(text, offered[0]["edit"]["changes"][uri_of(path)]) == fixed


@pytest.mark.parametrize("name", TEXTS)
def test_each_fix_that_is_offered_mends_its_finding(client, tmp_path, name):
    path, text = tmp_path / name, TEXTS[name]
    uri = uri_of(path)
    before = client.open(path, text)
    offered = act(client, uri)
    assert offered and all(a["kind"] == "quickfix" for a in offered)
    for i, a in enumerate(offered):
        finding = a["diagnostics"][0]
        assert finding in before
        assert a["isPreferred"] == ("safe:" in a["title"] and "unsafe:" not in a["title"])
        client.change(uri, i + 2, applied(text, a["edit"]["changes"][uri]))
        after = client.findings(uri)
        assert codes(after).count(finding["code"]) < codes(before).count(finding["code"]), a
    assert not path.exists()


def test_fixes_are_offered_where_the_finding_stands(client, tmp_path):
    uri = client.open(tmp_path / "a.pale", TEXTS["a.pale"], wait=False)
    assert [a["diagnostics"][0]["code"] for a in act(client, uri, 3, 4) if "PL114" in a["title"]] == ["PL114"]
    assert not [a for a in act(client, uri, 0, 2) if "PL114" in a["title"]]
    assert act(client, uri, only=["refactor"]) == []
    assert act(client, uri, only=["quickfix"])


def test_the_layout_is_that_of_fmt(client, pale, tmp_path):
    for name in ("a.pale", "c.apparmor"):
        path, text = tmp_path / name, TEXTS[name].replace("chown chown", "chown").replace("  ", " ")
        path.write_text(text)
        uri = client.open(path, text, wait=False)
        edits = client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": {}})
        assert len(edits) == 1
        done = pale("fmt", path, check=0).out
        assert applied(text, edits) == done and done != text
        client.change(uri, 2, done)
        assert client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": {}}) == []
    uri = client.open(tmp_path / "w.pale", "policy {", wait=False)
    assert client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": {}}) is None
    uri = client.open(tmp_path / "b.json", TEXTS["b.json"], wait=False)
    assert client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": {}}) is None
