# SPDX-License-Identifier: Apache-2.0
"""A client of the language server, as plain as can be: frames, requests, what was told of texts."""
import json
import os
import select
import subprocess
import urllib.parse

import pytest

from conftest import PALE, PATIENCE


class Client:
    def __init__(self, *args, cwd=None, encodings=None, start=True):
        self.proc = subprocess.Popen([PALE, "lsp", *map(str, args)], cwd=cwd, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.buf, self.last, self.told, self.shown, self.wanted, self.versions = b"", 0, {}, [], {}, {}
        if start:
            general = {"general": {"positionEncodings": encodings}} if encodings else {}
            self.capabilities = self.ask("initialize", {"processId": None, "rootUri": None,
                                                        "capabilities": general})["capabilities"]
            self.note("initialized", {})

    # ---- frames ----

    def send_bytes(self, data):
        self.proc.stdin.write(data)
        self.proc.stdin.flush()

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def read(self, timeout=PATIENCE):
        """The next message; None: the server has closed its end."""
        while True:
            head, end, rest = self.buf.partition(b"\r\n\r\n")
            if end:
                n = int(head.split(b":")[1])
                if len(rest) >= n:
                    self.buf = rest[n:]
                    return json.loads(rest[:n])
            ready, _, _ = select.select([self.proc.stdout], [], [], timeout)
            assert ready, "the server says nothing"
            got = os.read(self.proc.stdout.fileno(), 1 << 16)
            if not got:
                return None
            self.buf += got

    def take(self, message):
        if message.get("method") == "textDocument/publishDiagnostics":
            p = message["params"]
            self.versions[p["uri"]] = p.get("version")
            if p.get("version") in (None, self.wanted.get(p["uri"])):  # not of a text before
                self.told[p["uri"]] = p["diagnostics"]
        if message.get("method") == "window/showMessage":
            self.shown.append(message["params"]["message"])

    # ---- requests ----

    def ask_raw(self, method, params=None):
        self.last += 1
        self.send({"id": self.last, "method": method, **({} if params is None else {"params": params})})
        while True:
            m = self.read()
            assert m is not None, self.proc.stderr.read()
            if m.get("id") == self.last:
                return m
            self.take(m)

    def ask(self, method, params=None):
        answer = self.ask_raw(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def note(self, method, params):
        self.send({"method": method, "params": params})

    # ---- texts ----

    def open(self, path, text, language="", wait=True):
        uri = path if "://" in str(path) or str(path).startswith("untitled:") \
            else "file://" + urllib.parse.quote(str(path))
        self.wanted[uri] = 1
        self.note("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": language, "version": 1,
                                                            "text": text}})
        return self.findings(uri) if wait else uri

    def change(self, uri, version, *changes):
        """Each change: a text, or (line, character, line, character, text)."""
        self.wanted[uri] = version
        self.note("textDocument/didChange", {
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"text": c} if isinstance(c, str) else {
                "range": {"start": {"line": c[0], "character": c[1]}, "end": {"line": c[2], "character": c[3]}},
                "text": c[4]} for c in changes]})

    def findings(self, uri):
        """What is wrong with it as it is now, once that was told."""
        while uri not in self.told:
            m = self.read()
            assert m is not None, self.proc.stderr.read()
            self.take(m)
        return self.told.pop(uri)

    def at(self, method, uri, line, character):
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": uri},
                                                   "position": {"line": line, "character": character}})

    # ---- the end ----

    def end(self):
        """Its exit status, after it was asked to end."""
        self.ask("shutdown")
        self.note("exit", None)
        return self.leave()

    def leave(self):
        self.proc.stdin.close()
        rest = self.proc.stderr.read().decode()
        rc = self.proc.wait(20)
        assert "Sanitizer" not in rest and "runtime error" not in rest, rest
        self.proc.stdout.close()
        self.proc.stderr.close()
        return rc


@pytest.fixture
def starts():
    """starts(*options) is a Client that does not outlive the test."""
    made = []

    def start(*args, **kw):
        made.append(Client(*args, **kw))
        return made[-1]
    yield start
    for c in made:
        c.proc.kill()
        c.proc.wait()


def codes(findings):
    return [f["code"] for f in findings]


def uri_of(path):
    return "file://" + urllib.parse.quote(str(path))
