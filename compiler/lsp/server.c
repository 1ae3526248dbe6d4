/* SPDX-License-Identifier: Apache-2.0 */
/* Messages taken apart, requests handed to who answers them, the session's beginning and end. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lsp/server.h"

/* ---- requests ---- */

static void choose_encoding(struct lsp_request *q)
{
	const struct json *list = q->params;

	for (const char *const *key =
		     (const char *const[]){ "capabilities", "general", "positionEncodings", NULL };
	     *key && list; key++)
		list = list->kind == JSON_OBJECT ? json_get(list, *key) : NULL;
	q->lsp->encoding = LSP_UTF16;
	for (const struct json *v = list && list->kind == JSON_ARRAY ? list->first : NULL; v;
	     v = v->next)
		if (v->kind == JSON_STRING && str_is(v->text, lsp_encoding_names[LSP_UTF8]))
			q->lsp->encoding = LSP_UTF8;
}

static void put_words(struct json_writer *w, const char *key, const char *const *words)
{
	json_open(w, key, '[');
	for (; *words; words++)
		json_text(w, NULL, *words);
	json_close(w, ']');
}

static void initialize(struct lsp_request *q)
{
	static const char *const kinds[] = { "quickfix", "source.fixAll", NULL };
	static const char *const triggers[] = { "(", "\"", "@", "<", "/", "_", NULL };
	struct json_writer *w = &q->w;

	if (q->lsp->state != LSP_NEW) {
		lsp_fail(q, LSP_INVALID_REQUEST, "it was initialized already");
		return;
	}
	q->lsp->state = LSP_RUNNING;
	choose_encoding(q);
	json_open(w, NULL, '{');
	json_open(w, "capabilities", '{');
	json_text(w, "positionEncoding", lsp_encoding_names[q->lsp->encoding]);
	json_open(w, "textDocumentSync", '{');
	json_bool(w, "openClose", true);
	json_number(w, "change", 2); /* TextDocumentSyncKind.Incremental */
	json_bool(w, "save", true);
	json_close(w, '}');
	json_bool(w, "hoverProvider", true);
	json_open(w, "completionProvider", '{');
	put_words(w, "triggerCharacters", triggers);
	json_close(w, '}');
	json_bool(w, "definitionProvider", true);
	json_bool(w, "documentFormattingProvider", true);
	json_open(w, "codeActionProvider", '{');
	put_words(w, "codeActionKinds", kinds);
	json_close(w, '}');
	json_close(w, '}');
	json_open(w, "serverInfo", '{');
	json_text(w, "name", "pale");
	json_text(w, "version", PALE_VERSION);
	json_close(w, '}');
	json_close(w, '}');
}

static void shut_down(struct lsp_request *q)
{
	q->lsp->state = LSP_SHUT;
}

/* Whatever was saved may be what open texts include, and so may what changed elsewhere. */
static void files_changed(struct lsp_request *q, struct buf *out)
{
	(void)out;
	q->lsp->host->forget(q->lsp->host->who);
	vec_each(&q->lsp->documents, d)
		(*d)->dirty = true;
}

typedef void answer_fn(struct lsp_request *q);
typedef void notice_fn(struct lsp_request *q, struct buf *out);

static const struct method {
	const char *name;
	answer_fn *answer; /* of a request */
	notice_fn *notice; /* of a notification */
} methods[] = {
	{ "initialize", initialize, NULL },
	{ "shutdown", shut_down, NULL },
	{ "textDocument/hover", lsp_hover, NULL },
	{ "textDocument/completion", lsp_complete, NULL },
	{ "textDocument/definition", lsp_define, NULL },
	{ "textDocument/formatting", lsp_format, NULL },
	{ "textDocument/codeAction", lsp_act, NULL },
	{ "textDocument/didOpen", NULL, lsp_did_open },
	{ "textDocument/didChange", NULL, lsp_did_change },
	{ "textDocument/didClose", NULL, lsp_did_close },
	{ "textDocument/didSave", NULL, files_changed },
	{ "workspace/didChangeWatchedFiles", NULL, files_changed },
	{ "workspace/didChangeConfiguration", NULL, files_changed },
};

static const struct method *method_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (str_is(name, methods[i].name))
			return &methods[i];
	return NULL;
}

static void answer(struct lsp_request *q, struct str name, struct str id, struct buf *out)
{
	const struct method *m = method_find(name);
	BUF_AUTO result = { 0 };

	q->w = (struct json_writer){ .out = &result, .compact = true };
	if (q->lsp->state == LSP_NEW && !str_is(name, "initialize"))
		lsp_fail(q, LSP_NOT_INITIALIZED, "the first request is 'initialize'");
	else if (q->lsp->state == LSP_SHUT)
		lsp_fail(q, LSP_INVALID_REQUEST, "the server was shut down");
	else if (!m || !m->answer)
		lsp_fail(q, LSP_METHOD_NOT_FOUND, "this server has no such request");
	else
		m->answer(q);
	if (q->error)
		lsp_put_error(out, id, q->error, q->why);
	else
		lsp_put_result(out, id, &result);
}

static void notice(struct lsp_request *q, struct str name, struct buf *out)
{
	const struct method *m = method_find(name);
	struct lsp *l = q->lsp;

	if (str_is(name, "exit")) {
		l->status = l->state == LSP_SHUT ? EXIT_OK : EXIT_FOUND;
		l->state = LSP_ENDED;
	} else if (l->state == LSP_RUNNING && m && m->notice) {
		m->notice(q, out);
	}
}

static void take_request(struct lsp_request *q, const struct json *root, struct buf *out)
{
	const struct json *id = json_get(root, "id"), *params = json_get(root, "params");
	struct str name = lsp_text_at(root, "method");
	bool wrong_id =
		id && id->kind != JSON_NUMBER && id->kind != JSON_STRING && id->kind != JSON_NULL;

	if (!name.n && (json_get(root, "result") || json_get(root, "error")))
		return; /* an answer: nothing was asked */
	if (!name.n || wrong_id) {
		lsp_put_error(out, str_c(NULL), LSP_INVALID_REQUEST,
			      !name.n ? "a request has a 'method'" :
					"an 'id' is a number or a string");
		return;
	}
	q->params = params && params->kind == JSON_OBJECT ? params : NULL;
	if (!id)
		notice(q, name, out);
	else
		answer(q, name, span_text(q->session.sources, id->span), out);
}

static void take_body(struct lsp *l, struct str body, struct buf *out)
{
	struct arena *a = arena_scratch(l->arena);
	struct lsp_request q = {
		.lsp = l,
		.session = { .arena = a, .sources = sources_new(a), .telling = l->host->telling }
	};
	struct diags *ds = diags_new(a, q.session.sources);
	const struct json *root = json_parse(a, source_add(q.session.sources, "message", body), ds);

	q.session.diags = diags_new(a, q.session.sources);
	if (!root || ds->errors)
		lsp_put_error(out, str_c(NULL), LSP_PARSE_ERROR, "the message is no JSON");
	else if (root->kind != JSON_OBJECT)
		lsp_put_error(out, str_c(NULL), LSP_INVALID_REQUEST, "a message is an object");
	else
		take_request(&q, root, out);
	arena_free(a);
}

/* ---- frames ---- */

enum frame { FRAME_PART, FRAME_WHOLE, FRAME_WRONG };

/* The length that the head says; names as HTTP has them, in any case (LSP 3.17, "Header Part"). */
static enum frame read_head(struct str head, size_t *length)
{
	static const char name[] = "content-length:";
	bool found = false;

	while (head.n) {
		const char *end = memmem(head.p, head.n, "\r\n", 2);
		struct str line = { head.p, end ? (size_t)(end - head.p) : head.n };
		struct str word = { line.p, line.n < strlen(name) ? line.n : strlen(name) };
		uint64_t n;

		head.p += line.n + (end ? 2 : 0);
		head.n -= line.n + (end ? 2 : 0);
		if (!str_ieq(word, str_c(name)))
			continue;
		for (line.p += word.n, line.n -= word.n; line.n && *line.p == ' '; line.n--)
			line.p++;
		if (found || str_u64(line, &n) || n > LSP_MESSAGE_MAX)
			return FRAME_WRONG;
		*length = (size_t)n;
		found = true;
	}
	return found ? FRAME_WHOLE : FRAME_WRONG;
}

/* The next message in what came; *used: its bytes, head and all. */
static enum frame next_frame(struct str in, struct str *body, size_t *used)
{
	size_t look = in.n < LSP_HEADER_MAX ? in.n : LSP_HEADER_MAX, length;
	const char *end = memmem(in.p, look, "\r\n\r\n", 4);

	if (!end)
		return in.n < LSP_HEADER_MAX ? FRAME_PART : FRAME_WRONG;
	size_t head = (size_t)(end - in.p);
	if (read_head((struct str){ in.p, head }, &length) == FRAME_WRONG)
		return FRAME_WRONG;
	if (in.n - head - 4 < length)
		return FRAME_PART;
	*body = (struct str){ end + 4, length };
	*used = head + 4 + length;
	return FRAME_WHOLE;
}

static void end_wrong(struct lsp *l, struct buf *out)
{
	lsp_put_error(
		out, str_c(NULL), LSP_PARSE_ERROR,
		"what came is no message: 'Content-Length: N', N of at most 16 MiB, and an empty "
		"line begin one");
	l->state = LSP_ENDED;
	l->status = EXIT_FOUND;
}

void lsp_take(struct lsp *l, struct str bytes, struct buf *out)
{
	struct str body;
	size_t at = 0, used;

	buf_add(&l->in, bytes.p, bytes.n);
	if (l->in.failed)
		arena_no_memory(l->arena);
	while (l->state != LSP_ENDED && at < l->in.n) {
		struct str rest = { l->in.p + at, l->in.n - at };
		enum frame frame = next_frame(rest, &body, &used);

		if (frame == FRAME_PART)
			break;
		if (frame == FRAME_WRONG) {
			end_wrong(l, out);
			break;
		}
		take_body(l, body, out);
		at += used;
	}
	if (at == l->in.n || l->state == LSP_ENDED) {
		buf_free(&l->in);
		l->in = (struct buf){ 0 };
	} else if (at) {
		memmove(l->in.p, l->in.p + at, l->in.n - at);
		l->in.n -= at;
	}
}

void lsp_settle(struct lsp *l, struct buf *out)
{
	for (size_t i = 0; i < l->documents.n && l->state == LSP_RUNNING; i++)
		if (l->documents.v[i]->dirty)
			lsp_publish(l, l->documents.v[i], out);
}

bool lsp_ended(const struct lsp *l, int *status)
{
	*status = l->status;
	return l->state == LSP_ENDED;
}

struct lsp *lsp_new(const struct lsp_host *host)
{
	struct lsp *l = ARENA_NEW(host->arena, struct lsp);

	*l = (struct lsp){ .host = host, .arena = host->arena, .status = EXIT_FOUND };
	return l;
}

void lsp_free(struct lsp *l)
{
	vec_each(&l->documents, d)
		buf_free(&(*d)->text);
	l->documents.n = 0;
	buf_free(&l->in);
}
