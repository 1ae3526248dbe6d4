// SPDX-License-Identifier: Apache-2.0
// A session of Microsoft's client library with `pale lsp`: node session.js MODULES PALE; what came as JSON.
const [, , modules, pale] = process.argv;
const path = require('path');
const from = (name) => require(path.join(modules, 'node_modules', name));
const rpc = from('vscode-jsonrpc/node');
const lsp = from('vscode-languageserver-protocol');
const child = require('child_process').spawn(pale, ['lsp', '--stdio', '--isolated', '--runtime', 'any']);
const connection = rpc.createMessageConnection(
	new rpc.StreamMessageReader(child.stdout), new rpc.StreamMessageWriter(child.stdin));
const told = [];
let wake = () => {};
connection.onNotification(lsp.PublishDiagnosticsNotification.type, (p) => { told.push(p); wake(); });
connection.onError((e) => { console.error(String(e)); process.exit(3); });
connection.listen();

async function findings(uri, version) {
	for (;;) {
		const p = told.find((t) => t.uri === uri && t.version === version);
		if (p) return p.diagnostics;
		await new Promise((r) => { wake = r; });
	}
}

async function main() {
	const uri = 'file:///srv/a%20b.pale';
	const text = 'policy a {\n  arch x86_64;\n  use start-run, libc;\n  allow reed;\n}\n';
	const open = { uri, languageId: 'pale', version: 1, text };
	const document = { textDocument: { uri } };
	const all = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
	const seen = {};
	seen.initialize = await connection.sendRequest(lsp.InitializeRequest.type,
		{ processId: process.pid, rootUri: null, capabilities: {} });
	await connection.sendNotification(lsp.InitializedNotification.type, {});
	await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument: open });
	seen.first = await findings(uri, 1);
	const at = (line, character) => ({ ...document, position: { line, character } });
	seen.hover = await connection.sendRequest(lsp.HoverRequest.type, at(1, 3));
	seen.completion = await connection.sendRequest(lsp.CompletionRequest.type, at(3, 9));
	seen.definition = await connection.sendRequest(lsp.DefinitionRequest.type, at(2, 18));
	seen.actions = await connection.sendRequest(lsp.CodeActionRequest.type,
		{ ...document, range: all, context: { diagnostics: seen.first } });
	seen.format = await connection.sendRequest(lsp.DocumentFormattingRequest.type,
		{ ...document, options: { tabSize: 4, insertSpaces: true } });
	await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
		textDocument: { uri, version: 2 },
		contentChanges: [{ range: { start: { line: 3, character: 8 }, end: { line: 3, character: 12 } }, text: 'read' }],
	});
	seen.second = await findings(uri, 2);
	try {
		await connection.sendRequest('no/such', {});
	} catch (e) {
		seen.unknown = e.code;
	}
	await connection.sendRequest(lsp.ShutdownRequest.type);
	await connection.sendNotification(lsp.ExitNotification.type);
	seen.status = await new Promise((r) => child.on('exit', r));
	console.log(JSON.stringify(seen));
	process.exit(0);
}
main();
