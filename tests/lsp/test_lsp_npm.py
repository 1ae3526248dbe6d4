# SPDX-License-Identifier: Apache-2.0
"""Microsoft's client library, as VS Code has it, speaks with the server; and its tool builds the extension."""
import json
import os
import pathlib
import subprocess

import pytest

from conftest import BUILD, PALE, PATIENCE, need, run, skip

HERE = pathlib.Path(__file__).resolve().parent


def installed(name, version, folder, *more):
    """A package of npm's, with what it needs, once a tree."""
    root = BUILD / folder
    need("node")
    if not (root / "node_modules" / name).exists():
        r = subprocess.run([need("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", root,
                            f"{name}@{version}", *more], capture_output=True, text=True, timeout=600)
        if not (root / "node_modules" / name).exists():
            skip(f"could not be had: {name} from npm: {r.stderr[-200:]}")
    return root


@pytest.mark.once
def test_the_client_library_of_vs_code_has_a_session_with_it():
    root = installed("vscode-languageserver-protocol", "3.17.5", "lsp-client")
    r = run(["node", HERE / "session.js", root, PALE], check=0, timeout=PATIENCE)
    seen = json.loads(r.out)
    assert seen["initialize"]["capabilities"]["textDocumentSync"]["change"] == 2
    assert "PL114" in [f["code"] for f in seen["first"]] and "PL114" not in [f["code"] for f in seen["second"]]
    assert "architectures" in seen["hover"]["contents"]["value"]
    assert "read" in [i["label"] for i in seen["completion"]["items"]]
    assert seen["definition"][0]["uri"].endswith("/libc.pale")
    assert [a["edit"]["changes"]["file:///srv/a%20b.pale"][0]["newText"] for a in seen["actions"]
            if "PL114" in a["title"]] == ["read"]
    assert seen["format"][0]["newText"].startswith("    arch x86_64;\n")
    assert seen["unknown"] == -32601 and seen["status"] == 0
