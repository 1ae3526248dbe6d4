# SPDX-License-Identifier: Apache-2.0
"""The language server as a client meets it: its beginning and end, frames, texts as they change."""
import json
import random

import pytest

from client import Client, codes, starts, uri_of  # noqa: F401 (a fixture)

POLICY = "policy a {\n    arch x86_64;\n    level linux 6.1;\n    use start-run, libc;\n    allow reed;\n}\n"


@pytest.fixture
def client():
    c = Client()
    yield c
    assert c.end() == 0


def place(text, where):
    """Line and character, in UTF-16, of the first place where it stands."""
    before = text[:text.index(where)]
    line = before[before.rfind("\n") + 1:]
    return before.count("\n"), len(line.encode("utf-16-le")) // 2


def test_it_begins_and_ends_as_the_protocol_says(starts):
    c = starts(start=False)
    assert c.ask_raw("textDocument/hover", {})["error"]["code"] == -32002
    general = {"general": {"positionEncodings": ["utf-16"]}}
    result = c.ask("initialize", {"capabilities": general})
    assert result["serverInfo"]["name"] == "pale"
    assert result["capabilities"]["positionEncoding"] == "utf-16"
    assert result["capabilities"]["textDocumentSync"]["change"] == 2
    assert c.ask_raw("initialize", {})["error"]["code"] == -32600
    assert c.ask_raw("no/such")["error"]["code"] == -32601
    c.note("no/such", {})
    c.note("$/cancelRequest", {"id": 7})
    assert c.ask("shutdown") is None
    assert c.ask_raw("textDocument/hover", {})["error"]["code"] == -32600
    c.note("exit", None)
    assert c.leave() == 0


def test_a_client_that_leaves_without_a_word_is_status_1(starts):
    c = starts()
    c.note("exit", None)
    assert c.leave() == 1
    assert starts().leave() == 1


def test_what_is_wrong_is_told_as_it_is_written(client, tmp_path):
    path = tmp_path / "a.pale"
    found = client.open(path, POLICY)
    wrong = next(f for f in found if f["code"] == "PL114")
    line, at = place(POLICY, "reed")
    assert wrong["range"] == {"start": {"line": line, "character": at}, "end": {"line": line, "character": at + 4}}
    assert wrong["severity"] == 1 and wrong["source"] == "pale" and "did you mean 'read'?" in wrong["message"]
    client.change(uri_of(path), 2, (line, at, line, at + 4, "read"))
    assert "PL114" not in codes(client.findings(uri_of(path)))
    assert client.versions[uri_of(path)] == 2
    client.note("textDocument/didClose", {"textDocument": {"uri": uri_of(path)}})
    assert client.findings(uri_of(path)) == []


def test_the_findings_are_those_of_pale_lint(client, pale, tmp_path):
    """Three languages, each with a mistake; what is on the disk is another text."""
    texts = {
        "a.pale": POLICY,
        "b.json": '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["reed", "read"], "action": "SCMP_ACT_ALLOW"}]}\n',
        "c.apparmor": "profile a /usr/bin/a {\n  capability sys_admin,\n  /etc/** rw,\n  /etc/passwd r,\n}\n",
        "d.yaml": "services:\n  a:\n    image: b\n    privileged: true\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    told = json.loads(pale("lint", "--format", "json", *(tmp_path / n for n in texts)).out)
    for name, text in texts.items():
        lint = sorted((f["id"], f["line"]) for f in told["findings"] if f["file"].endswith(name))
        (tmp_path / name).write_text("")
        lsp = sorted((f["code"], f["range"]["start"]["line"] + 1) for f in client.open(tmp_path / name, text))
        assert lsp == lint and lint, name


def test_other_places_of_a_finding_are_shown(client, tmp_path):
    text = "policy a {\n    arch x86_64;\n    errno EPERM bpf;\n    errno ENOSYS bpf;\n}\n"
    found = client.open(tmp_path / "a.pale", text)
    related = [r for f in found for r in f.get("relatedInformation", ())]
    assert [r["location"]["uri"] for r in related] == [uri_of(tmp_path / "a.pale")]
    assert related[0]["location"]["range"]["start"]["line"] in (2, 3) and related[0]["message"]


def test_what_may_go_is_shown_as_such(client, tmp_path):
    text = "profile a /usr/bin/a {\n  /usr/bin/a mr,\n  /etc/passwd r,\n  /etc/passwd r,\n}\n"
    found = client.open(tmp_path / "a.apparmor", text)
    assert [f["range"]["start"]["line"] for f in found if f.get("tags") == [1]] == [3]


def test_pale_toml_counts_and_what_it_gets_wrong_ends_nothing(client, tmp_path):
    path = tmp_path / "a.pale"
    assert "PL104" in codes(client.open(path, "policy a { use start-run, libc; }\n"))
    toml = tmp_path / "pale.toml"
    toml.write_text('[lint]\nignore = ["PL104"]\nrule-pages = "https://host/rules"\n')
    client.note("textDocument/didSave", {"textDocument": {"uri": uri_of(toml)}})
    found = client.findings(uri_of(path))
    assert "PL104" not in codes(found) and found
    assert all(f["codeDescription"]["href"].startswith("https://host/rules/") for f in found)
    toml.write_text('[lint]\nignroe = ["PL104"]\n')
    client.note("workspace/didChangeWatchedFiles", {"changes": []})
    assert client.findings(uri_of(path)) == []
    client.change(uri_of(path), 2, "policy a { }\n")
    client.findings(uri_of(path))
    assert len(client.shown) == 1 and "pale.toml:2: " in client.shown[0] and "ignroe" in client.shown[0]
    toml.write_text('[lint]\nexclude = ["a.pale"]\n')
    client.note("workspace/didChangeWatchedFiles", {"changes": []})
    assert client.findings(uri_of(path)) == []


def test_json_that_is_no_profile_is_passed_over(client, tmp_path):
    assert client.open(tmp_path / "package.json", '{"name": "x", "name": 1}', "json") == []
    assert client.open("untitled:Untitled-1", "policy a {", "pale") != []


def test_what_profiles_include_is_no_profile_and_its_mistakes_are_told(client, tmp_path):
    path = tmp_path / "apparmor.d" / "abstractions" / "mine"
    path.parent.mkdir(parents=True)
    for language in ("", "apparmor"):
        assert client.open(path, "  /a r,\n  capability chown,\n", language) == []
        assert [f["range"]["start"]["line"] for f in client.open(path, "  /a r,\n  \"/b r,\n", language)] == [1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_edits_make_the_text_that_the_client_has(tmp_path, starts, encoding):
    """Hundreds of edits by a fixed seed, characters of one to four bytes, all ends of lines: what is wrong with the
    text, which is a lot, is what is wrong with the same text sent whole."""
    c, rng = starts(encodings=["utf-8", "utf-16"] if encoding == "utf-8" else None), random.Random(5)
    assert c.capabilities["positionEncoding"] == encoding
    one, whole = uri_of(tmp_path / "one.pale"), uri_of(tmp_path / "whole.pale")
    text = "policy a {\n    allow reed;\r\n    allow raed; # \U0001f600\r    deny opne;\n}\n" * 4
    c.open(tmp_path / "one.pale", text)
    c.open(tmp_path / "whole.pale", text)

    def position(i):
        before = text[:i].replace("\r\n", "\n").replace("\r", "\n")
        line = before[before.rfind("\n") + 1:]
        return before.count("\n"), len(line.encode("utf-16-le")) // 2 if encoding == "utf-16" else len(line.encode())
    seen = set()
    for version in range(2, 120):
        edits = []
        for _ in range(rng.randrange(1, 5)):
            i = rng.randrange(len(text) + 1)
            j = min(len(text), i + rng.randrange(4))
            if "\r\n" in (text[max(i - 1, 0):i + 1], text[max(j - 1, 0):j + 1]):
                continue  # there is no place between the two
            new = "".join(rng.choice(["a", "ä", "€", "\U0001f600", "\n", "\r\n", " ", ";"]) for _ in range(rng.randrange(4)))
            edits.append((*position(i), *position(j), new))
            text = text[:i] + new + text[j:]
        c.change(one, version, *edits)
        c.change(whole, version, text)
        if version % 4 == 0:
            found = c.findings(one)
            assert found == json.loads(json.dumps(c.findings(whole)).replace("whole.pale", "one.pale")), text
            seen.add(json.dumps(found))
    assert len(seen) > 20
    assert c.end() == 0


def test_a_text_of_many_edits_is_read_as_the_client_wrote_it(client, tmp_path):
    """The word that is wrong moves through lines of characters of all sizes; each time its place is right."""
    rng = random.Random(7)
    lines = ["policy a {", "    arch x86_64;", "    use start-run, libc;"]
    uri = uri_of(tmp_path / "a.pale")
    client.open(tmp_path / "a.pale", "\n".join(lines) + "\n}\n")
    for version in range(2, 60):
        pad = "".join(rng.choice("aä€\U0001f600") for _ in range(rng.randrange(1, 8)))
        at = rng.randrange(2, len(lines) + 1)
        line = f'    file r "/{pad}"; allow reed;'
        client.change(uri, version, (at, 0, at, 0, line + "\n"))
        found = [f["range"] for f in client.findings(uri) if f["code"] == "PL114"]
        where = len(line[:line.index("reed")].encode("utf-16-le")) // 2
        assert [r["start"] for r in found] == [{"line": at, "character": where}], line
        client.change(uri, version, (at, 0, at + 1, 0, ""))


HOSTILE = [
    b"Content-Length: -1\r\n\r\n",
    b"Content-Length: 99999999999999999999\r\n\r\n",
    b"Content-Length: 16777217\r\n\r\n",
    b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"Content-Type: x\r\n\r\n{}",
    b"x" * 5000,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00" * 4096,
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_message_ends_the_session_with_an_error(starts, data):
    c = starts()
    c.send_bytes(data)
    c.proc.stdin.close()
    errors = []
    while (m := c.read()) is not None:
        errors.append(m["error"]["code"])
    assert errors[-1:] == [-32700]
    assert c.proc.wait(20) == 1
    assert b"Sanitizer" not in c.proc.stderr.read()


BODIES = [b"", b"{", b"[]", b"1", b"null", b'"x"', b'{"id": 1}', b'{"id": {}, "method": "shutdown"}', b'{"method": 1}',
          b"[" * 300, b'{"method": "\xff"}', b'{"id": 1, "method": ""}',
          b'[{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}]']


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_is_no_request_is_answered_with_an_error_and_the_next_is_read(starts, body):
    c = starts()
    c.send_bytes(b"content-length:  %d\r\nContent-Type: x\r\n\r\n" % len(body) + body)
    answer = c.read()
    assert answer["error"]["code"] in (-32700, -32600) and answer["id"] is None
    assert c.end() == 0


PARAMS = [{}, {"textDocument": 1}, {"textDocument": {"uri": "file:///nobody"}}, [], {"textDocument": {"uri": "X"}, "position": {}},
          {"textDocument": {"uri": "X"}, "position": {"line": -1, "character": 0}},
          {"textDocument": {"uri": "X"}, "position": {"line": 2 ** 40, "character": 0}},
          {"textDocument": {"uri": "X"}, "position": [0, 0]}, {"textDocument": {"uri": "X"}, "range": {"start": 1}}]


def test_parameters_that_are_none_are_answered_with_an_error(client, tmp_path):
    client.open(tmp_path / "a.pale", POLICY)
    for params in PARAMS:
        text = json.dumps(params).replace('"X"', json.dumps(uri_of(tmp_path / "a.pale")))
        for method in ("hover", "completion", "definition", "formatting", "codeAction"):
            answer = client.ask_raw(f"textDocument/{method}", json.loads(text))
            if not (method == "formatting" and "position" in params or "range" in params and method == "formatting"):
                assert answer["error"]["code"] == -32602, (method, params, answer)
    for params in PARAMS + [{"textDocument": {"uri": uri_of(tmp_path / "a.pale")}, "contentChanges": [{"range": 1, "text": "x"}]}]:
        for method in ("didOpen", "didChange", "didClose", "didSave"):
            client.note(f"textDocument/{method}", params)
    client.ask_raw("textDocument/hover", {})
    assert client.shown and "close" in client.shown[0]


def test_all_places_of_a_text_may_be_asked(client, tmp_path):
    """Past its end, amid a character, in a comment: an answer, and never an error."""
    text = "# \U0001f600 SC120\npolicy a { use libc; allow socket(domain in {AF_INET, \r\n AF_UNIX}); }"
    uri = client.open(tmp_path / "a.pale", text, wait=False)
    for line in range(5):
        for character in range(0, 60, 3):
            for method in ("hover", "completion", "definition"):
                client.at(method, uri, line, character)
