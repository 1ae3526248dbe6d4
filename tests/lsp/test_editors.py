# SPDX-License-Identifier: Apache-2.0
"""grammar/editors: the words are the compiler's, vim shows them as what they are, VS Code's extension builds."""
import json
import os
import re
import shutil
import subprocess
import zipfile

import pytest

from conftest import ROOT, need, run, skip
from editors import EDITORS, files
from test_lsp_npm import installed

POLICY = """# a comment, pale: ignore SC120 x
policy kill {
    errno EPERM openat(flags has O_CREAT);
    file r /etc/passwd;
    use start-run; # set it
    allow #470;
}
"""
# line, column from 1: what vim calls it, what TextMate does
PLACES = [(1, 3, "paleComment", "comment.line.number-sign.pale"), (2, 1, "paleTop", "storage.type.pale"),
          (2, 8, "paleName", "entity.name.type.pale"), (3, 5, "paleRule", "keyword.control.pale"),
          (3, 11, "paleConstant", "constant.other.pale"), (3, 30, "paleCondition", "keyword.operator.word.pale"),
          (4, 10, "", ""), (4, 14, "palePath", "string.unquoted.path.pale"), (5, 9, "", ""), (5, 15, "", ""),
          (5, 25, "paleComment", "comment.line.number-sign.pale"), (6, 12, "paleCallNumber", "constant.numeric.call.pale")]
PROFILE = """include <tunables/global>
profile a /usr/bin/a {
  # no rule
  deny /etc/shadow rw,
  @{HOME}/x r,
  capability chown,
}
"""
APPARMOR = [(1, 1, "apparmorTop", "storage.type.apparmor"), (1, 10, "apparmorFile", "string.quoted.other.include.apparmor"),
            (2, 1, "apparmorTop", "storage.type.apparmor"), (2, 12, "apparmorPath", "string.unquoted.path.apparmor"),
            (3, 5, "apparmorComment", "comment.line.number-sign.apparmor"), (4, 3, "apparmorRule", "keyword.control.apparmor"),
            (4, 10, "apparmorPath", "string.unquoted.path.apparmor"), (4, 21, "apparmorMode", "storage.modifier.access.apparmor"),
            (5, 4, "apparmorVariable", "variable.other.apparmor"), (6, 3, "apparmorRule", "keyword.control.apparmor"),
            (6, 15, "", "")]
CASES = [("a.pale", POLICY, PLACES), ("a.aa", PROFILE, APPARMOR)]


def test_the_words_are_those_of_the_compiler():
    for file, wanted in files():
        assert file.read_text() == wanted, f"{file.name}: tests/lsp/editors.py --write writes it"
        assert "include" in wanted and "capability" in wanted


def test_what_is_json_is_json():
    found = [json.loads(p.read_text()) for p in EDITORS.glob("vscode/**/*.json") if "node_modules" not in str(p)]
    assert len(found) == 4


@pytest.mark.once
def test_what_is_installed_is_found_by_vim_and_goes_again(tmp_path):
    """As `make install` has it, with the rest of the installation left out."""
    rules = run(["make", "-n", "-C", ROOT, "-o", "all", f"DESTDIR={tmp_path}", "PREFIX=/usr", "install"], text=True, check=0).out
    vim_too = re.search(r"^for at in .*?done; done$", rules, re.M | re.S)[0]
    run(["sh", "-c", vim_too], cwd=ROOT, check=0)
    packs = [tmp_path / "usr/share/vim/vimfiles", tmp_path / "usr/share/nvim/site"]
    for pack in packs:
        assert {str(p.relative_to(pack / "pack/pale/start/pale")) for p in pack.rglob("*.vim")} == \
            {str(p.relative_to(EDITORS / "vim")) for p in (EDITORS / "vim").rglob("*.vim")}
    (tmp_path / "a.pale").write_text(POLICY)
    out = tmp_path / "out"
    run([need("vim"), "-Nesu", "NONE", "-i", "NONE", "-c", f"set packpath={packs[0]}", "-c", "packloadall", "-c", "filetype on", "-c", "syntax on",
         "-c", f"edit {tmp_path / 'a.pale'}", "-c", f"call writefile([&filetype, &syntax], '{out}')", "-c", "qa!"], check=0)
    assert out.read_text().split() == ["pale", "pale"]
    assert run(["make", "-s", "-C", ROOT, f"DESTDIR={tmp_path}", "PREFIX=/usr", "uninstall"], check=0).rc == 0
    assert not [p for p in tmp_path.rglob("*.vim")]


@pytest.mark.once
@pytest.mark.parametrize("name,text,places", CASES, ids=[c[0] for c in CASES])
def test_vim_shows_words_as_what_they_are(tmp_path, name, text, places):
    vim = need("vim")
    if "+syntax" not in run([vim, "--version"]).out:
        skip("this vim has no syntax files")
    (tmp_path / name).write_text(text)
    asked = [f"call add(all, synIDattr(synID({line}, {column}, 1), 'name'))" for line, column, *_ in places]
    (tmp_path / "ask.vim").write_text("\n".join(["let all = []", *asked, f"call writefile(all, '{tmp_path}/out')", "qa!"]))
    run([vim, "-es", "-u", "NONE", "-i", "NONE", "--cmd", f"set nocompatible rtp^={EDITORS}/vim", "-c", "filetype on", "-c", "syntax on",
         "-c", f"edit {tmp_path}/{name}", "-S", tmp_path / "ask.vim"], env={**os.environ, "HOME": str(tmp_path), "TERM": "dumb"})
    assert (tmp_path / "out").read_text().split("\n")[:-1] == [wanted for *_, wanted, _ in places]


TOKENS = """
const [, , root, grammar, scope, file] = process.argv;
const path = require('path'), fs = require('fs');
const from = (n) => require(path.join(root, 'node_modules', n));
const vt = from('vscode-textmate'), onig = from('vscode-oniguruma');
const wasm = fs.readFileSync(path.join(root, 'node_modules/vscode-oniguruma/release/onig.wasm')).buffer;
(async () => {
	await onig.loadWASM(wasm);
	const lib = Promise.resolve({ createOnigScanner: (s) => new onig.OnigScanner(s), createOnigString: (s) => new onig.OnigString(s) });
	const registry = new vt.Registry({ onigLib: lib,
		loadGrammar: async () => vt.parseRawGrammar(fs.readFileSync(grammar, 'utf8'), grammar) });
	const g = await registry.loadGrammar(scope), out = [];
	let state = vt.INITIAL;
	for (const line of fs.readFileSync(file, 'utf8').split('\\n')) {
		const r = g.tokenizeLine(line, state);
		out.push(r.tokens.map((t) => [t.startIndex, t.endIndex, t.scopes.slice(1)]));
		state = r.ruleStack;
	}
	console.log(JSON.stringify(out));
})();
"""


@pytest.mark.once
def test_vs_code_shows_words_as_what_they_are(tmp_path):
    if not os.environ.get("PALE_LONG"):
        skip("PALE_LONG: packages from npm")
    root = installed("vscode-textmate", "9.2.0", "textmate")
    installed("vscode-oniguruma", "2.0.1", "textmate")
    (tmp_path / "tokens.js").write_text(TOKENS)
    for name, text, places in CASES:
        language = "apparmor" if name.endswith(".aa") else "pale"
        (tmp_path / name).write_text(text)
        lines = json.loads(run(["node", tmp_path / "tokens.js", root, EDITORS / f"vscode/syntaxes/{language}.tmLanguage.json",
                                f"source.{language}", tmp_path / name], check=0).out)
        for line, column, _, wanted in places:
            scopes = next(s for begin, end, s in lines[line - 1] if begin <= column - 1 < end)
            assert (wanted in scopes if wanted else not scopes), (name, line, column, scopes)


@pytest.mark.once
def test_the_extension_of_vs_code_builds(tmp_path):
    if not os.environ.get("PALE_LONG"):
        skip("PALE_LONG: packages from npm")
    root = installed("@vscode/vsce", "3.6.2", "vsce")
    folder = tmp_path / "vscode"
    shutil.copytree(EDITORS / "vscode", folder)
    r = subprocess.run([need("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder,
                       capture_output=True, text=True, timeout=600)
    if not (folder / "node_modules/vscode-languageclient").exists():
        skip(f"could not be had: vscode-languageclient from npm: {r.stderr[-200:]}")
    run(["node", root / "node_modules/@vscode/vsce/vsce", "package", "--allow-missing-repository", "--skip-license"],
        cwd=folder, check=0, timeout=300)
    with zipfile.ZipFile(folder / "pale-0.1.0.vsix") as z:
        names = z.namelist()
    for wanted in ("extension.js", "package.json", "syntaxes/pale.tmLanguage.json", "language-configuration.json",
                   "node_modules/vscode-languageclient/package.json"):
        assert f"extension/{wanted}" in names
    # It loads, with a stand-in for what VS Code gives.
    (tmp_path / "node_modules/vscode").mkdir(parents=True)
    (tmp_path / "node_modules/vscode/index.js").write_text("module.exports = new Proxy(class {}, {get: (t, k) => k in t ? t[k] : class {}});")
    r = run(["node", "-e", f"const m = require('{folder}/extension.js'); console.log(typeof m.activate, typeof m.deactivate)"], check=0)
    assert r.out == "function function\n"
