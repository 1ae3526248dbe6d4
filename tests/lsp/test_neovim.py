# SPDX-License-Identifier: Apache-2.0
"""pale lsp in Neovim itself, headless: by its own client, with what `make install` gives it."""
import json
import os

import pytest

from conftest import PALE, PATIENCE, need, run
from editors import EDITORS

# As grammar/editors/README.md has it from 0.11 on; before, by hand what that does.
LUA = """
local pale, file, out = ...
local function start()
	if vim.fn.has('nvim-0.11') == 1 then
		vim.lsp.config('pale', { cmd = { pale, 'lsp' }, filetypes = { 'pale', 'apparmor', 'json', 'yaml' } })
		vim.lsp.enable('pale')
		return
	end
	local id = vim.lsp.start_client({ name = 'pale', cmd = { pale, 'lsp' }, root_dir = vim.fn.fnamemodify(file, ':h') })
	vim.lsp.buf_attach_client(0, id)
end
local function ask(method, params)
	for _, answer in pairs(vim.lsp.buf_request_sync(0, method, params, 20000) or {}) do
		if answer.result then return answer.result end
	end
end
if vim.fn.has('nvim-0.11') == 1 then start() end
vim.cmd('filetype plugin on')
vim.cmd('edit ' .. vim.fn.fnameescape(file))
if vim.fn.has('nvim-0.11') == 0 then start() end
local uri = vim.uri_from_bufnr(0)
local told = vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end, 20)
local all = vim.diagnostic.get(0)
table.sort(all, function(a, b) return a.lnum < b.lnum end)
local found = {}
for _, d in ipairs(all) do
	table.insert(found, { line = d.lnum, code = d.code or d.user_data.lsp.code, severity = d.severity, source = d.source })
end
local d = all[1]
local range = { start = { line = d.lnum, character = d.col }, ['end'] = { line = d.end_lnum, character = d.end_col } }
local hover = ask('textDocument/hover', { textDocument = { uri = uri }, position = { line = 3, character = 11 } })
local actions = ask('textDocument/codeAction', { textDocument = { uri = uri }, range = range,
	context = { diagnostics = d.user_data and { d.user_data.lsp } or {} } }) or {}
for _, a in ipairs(actions) do
	if a.edit then
		vim.lsp.util.apply_workspace_edit(a.edit, 'utf-16')
		break
	end
end
local mended = vim.api.nvim_buf_get_lines(0, 0, -1, false)
local edits = ask('textDocument/formatting', { textDocument = { uri = uri }, options = { tabSize = 4, insertSpaces = true } }) or {}
vim.lsp.util.apply_text_edits(edits, vim.api.nvim_get_current_buf(), 'utf-16')
local clients = vim.lsp.get_active_clients or vim.lsp.get_clients
local text = vim.json and vim.json.encode or vim.fn.json_encode
local f = io.open(out, 'w')
f:write(text({ filetype = vim.bo.filetype, comment = vim.bo.commentstring, told = told, found = found, clients = #clients(), hover = hover or {},
	titles = vim.tbl_map(function(a) return a.title end, actions), mended = mended, laid = vim.api.nvim_buf_get_lines(0, 0, -1, false) }))
f:close()
vim.cmd('qall!')
"""
POLICY = ["policy web {", "    program /bin/true;", "    arch x86_64;", "    allow openat;", "      allow openat;", "    layers seccomp;", "    default errno EPERM;", "    use start-run, libc;", "}"]


@pytest.mark.once
def test_neovim_shows_findings_mends_and_lays_out(tmp_path):
    (tmp_path / "ask.lua").write_text(LUA)
    file, out = tmp_path / "web.pale", tmp_path / "out"
    file.write_text("\n".join(POLICY) + "\n")
    call = f"lua assert(loadfile('{tmp_path}/ask.lua'))('{PALE}', '{file}', '{out}')"
    r = run([need("nvim"), "--headless", "-u", "NONE", "-i", "NONE", "--cmd", f"set runtimepath^={EDITORS}/vim", "-c", call, "-c", "cquit"], cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "TERM": "dumb"}, timeout=PATIENCE)
    assert out.exists(), r
    said = json.loads(out.read_text())
    assert said["told"] and said["filetype"] == "pale" and said["comment"] == "# %s" and said["clients"] == 1, said
    assert ("DS516", 0) in {(f["code"], f["line"]) for f in said["found"]} and {f["source"] for f in said["found"]} == {"pale"}, said
    assert "openat" in json.dumps(said["hover"])
    assert said["titles"] and said["mended"] != POLICY, said
    assert all(line == "" or line in "{}" or not line.startswith("      ") for line in said["laid"]), said
