// SPDX-License-Identifier: Apache-2.0
// Starts `pale lsp` and shows what it says.
'use strict';
const vscode = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient/node');

const languages = ['pale', 'apparmor', 'json', 'jsonc', 'yaml', 'dockercompose'];
let client;

function activate() {
	const config = vscode.workspace.getConfiguration('pale');
	const run = {
		command: config.get('path', 'pale'),
		args: ['lsp', ...config.get('arguments', [])],
		transport: TransportKind.stdio,
	};
	client = new LanguageClient('pale', 'pale', { run, debug: run }, {
		documentSelector: languages.flatMap((language) => [
			{ scheme: 'file', language }, { scheme: 'untitled', language }]),
		// What open texts depend on may change beside them.
		synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher('**/{pale.toml,*.pale}') },
	});
	return client.start();
}

function deactivate() {
	return client ? client.stop() : undefined;
}

module.exports = { activate, deactivate };
