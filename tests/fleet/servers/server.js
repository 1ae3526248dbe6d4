'use strict';
// SPDX-License-Identifier: Apache-2.0
const http = require('http'), fs = require('fs'), crypto = require('crypto');
const { Worker, isMainThread, parentPort } = require('worker_threads');

if (!isMainThread) {
	parentPort.postMessage(42);
} else {
	const answers = {
		'/': (done) => done('hello\n'),
		'/file': (done) => fs.readFile(__filename, (e, text) => done(text)),
		'/digest': (done) => crypto.pbkdf2('a', 'b', 1000, 32, 'sha256', (e, key) => done(key.toString('hex'))),
		'/worker': (done) => new Worker(__filename).on('message', (m) => done(String(m))),
		'/write': (done) => fs.writeFile('/tmp/written', 'x', () => fs.unlink('/tmp/written', () => done('ok'))),
	};
	const server = http.createServer((q, r) => answers[q.url]((text) => r.end(text)));
	server.listen(8000, '127.0.0.1');
	process.on('SIGTERM', () => process.exit(0));
}
