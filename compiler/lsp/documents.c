/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that the client has open, and what becomes of them as it writes. */
#include <string.h>

#include "compiler/lsp/server.h"

/* ---- names ---- */

const char *lsp_path_of(struct arena *a, struct str uri)
{
	static const char scheme[] = "file://", local[] = "localhost/";
	struct buf path = { 0 };
	bool wrong = false;

	if (!str_starts(uri, scheme))
		return NULL;
	uri.p += strlen(scheme);
	uri.n -= strlen(scheme);
	if (str_starts(uri, local)) {
		uri.p += strlen(local) - 1;
		uri.n -= strlen(local) - 1;
	}
	for (size_t i = 0; i < uri.n; i++) {
		int high = i + 2 < uri.n ? hex_digit(uri.p[i + 1]) : -1;
		int low = i + 2 < uri.n ? hex_digit(uri.p[i + 2]) : -1;
		char c = uri.p[i];

		if (c == '%' && high >= 0 && low >= 0) {
			c = (char)(high << 4 | low);
			i += 2;
		}
		wrong |= !c;
		buf_putc(&path, c);
	}
	const char *kept = wrong || !path.n || path.p[0] != '/' ? NULL : buf_keep(a, &path);
	buf_free(&path);
	return kept;
}

/* What the client calls the languages, and how files of them are called. */
static const struct language {
	const char *name, *suffix;
} languages[] = {
	{ "pale", ".pale" },
	{ "apparmor", ".apparmor" },
	{ "json", ".json" },
	{ NULL, ".txt" },
};

static const struct language *language_of(struct str name)
{
	const struct language *l = languages;

	while (l->name && !str_is(name, l->name))
		l++;
	return l;
}

/* ---- open texts ---- */

struct str lsp_document_text(const struct lsp_document *d)
{
	return d->text.n ? (struct str){ d->text.p, d->text.n } : str_c(NULL);
}

struct lsp_document *lsp_document_find(struct lsp *l, struct str uri)
{
	vec_each(&l->documents, d)
		if (str_is(uri, (*d)->uri))
			return *d;
	return NULL;
}

static struct str uri_of(const struct lsp_request *q)
{
	const struct json *d = q->params ? json_get(q->params, "textDocument") : NULL;

	return lsp_text_at(d, "uri");
}

struct lsp_document *lsp_document_asked(struct lsp_request *q)
{
	struct lsp_document *d = lsp_document_find(q->lsp, uri_of(q));

	if (!d)
		lsp_fail(q, LSP_INVALID_PARAMS, "'textDocument' names no text that is open");
	return d;
}

static void set_text(struct lsp_request *q, struct lsp_document *d, struct str text)
{
	buf_free(&d->text);
	d->text = (struct buf){ 0 };
	buf_add(&d->text, text.p, text.n);
	if (d->text.failed)
		arena_no_memory(q->lsp->arena);
}

static void set_version(struct lsp_document *d, const struct json *of)
{
	const struct json *v = of && of->kind == JSON_OBJECT ? json_get(of, "version") : NULL;

	d->versioned = v && v->is_i64;
	d->version = d->versioned ? v->i64 : 0;
}

static void drop(struct lsp *l, struct lsp_document *d)
{
	size_t i = 0;

	while (l->documents.v[i] != d)
		i++;
	l->documents.v[i] = l->documents.v[--l->documents.n];
	buf_free(&d->text);
	arena_free(d->arena);
}

void lsp_did_open(struct lsp_request *q, struct buf *out)
{
	const struct json *item = q->params ? json_get(q->params, "textDocument") : NULL;
	const struct language *language = language_of(lsp_text_at(item, "languageId"));
	struct str uri = lsp_text_at(item, "uri"), text = lsp_text_at(item, "text");
	struct lsp_document *d = lsp_document_find(q->lsp, uri);
	struct lsp *l = q->lsp;

	if (!uri.n || memchr(uri.p, '\0', uri.n) || text.n > SOURCE_MAX)
		return;
	if (!d && l->documents.n == LSP_OPEN_MAX) {
		lsp_show(out, "pale: no more than 1000 texts are looked at at a time");
		return;
	}
	if (d)
		drop(l, d);
	struct arena *a = arena_scratch(l->arena);
	d = ARENA_NEW(a, struct lsp_document);
	*d = (struct lsp_document){ .arena = a, .uri = str_dup(a, uri), .dirty = true };
	d->path = lsp_path_of(a, uri);
	d->named = language->name && !strcmp(language->name, "pale");
	if (!d->path) /* it is no file yet */
		d->path = arena_printf(a, "untitled%s", language->suffix);
	size_t n = strlen(d->path);
	d->apparmor = (language->name && !strcmp(language->name, "apparmor")) ||
		      (n > 3 && !strcmp(d->path + n - 3, ".aa"));
	set_version(d, item);
	vec_push(l->arena, &l->documents, d);
	set_text(q, d, text);
}

/* ---- edits ---- */

static bool read_position(const struct json *range, const char *key, struct lsp_position *out)
{
	const struct json *p = range->kind == JSON_OBJECT ? json_get(range, key) : NULL;

	return lsp_u32_at(p, "line", &out->line) && lsp_u32_at(p, "character", &out->character);
}

bool lsp_range_at(const struct lsp_request *q, const struct json *range, struct str text,
		  struct span *out)
{
	struct lsp_position from, to;

	if (!range || !read_position(range, "start", &from) || !read_position(range, "end", &to))
		return false;
	out->begin = lsp_offset_of(text, q->lsp->encoding, from);
	out->end = lsp_offset_of(text, q->lsp->encoding, to);
	return out->begin <= out->end;
}

/* NULL, or why the text is not known any more. */
static const char *edit(struct lsp_request *q, struct lsp_document *d, const struct json *change,
			size_t *passed)
{
	const struct json *range = change->kind == JSON_OBJECT ? json_get(change, "range") : NULL;
	struct str old = lsp_document_text(d), with = lsp_text_at(change, "text");
	struct span at = { 0, 0, (uint32_t)old.n };
	struct buf text = { 0 };

	if (change->kind != JSON_OBJECT || !json_get(change, "text"))
		return "pale: a change without a text came";
	*passed += old.n + with.n;
	if (*passed > LSP_EDITED_MAX)
		return "pale: more changes came at a time than are read";
	if (range && range->kind != JSON_NULL && !lsp_range_at(q, range, old, &at))
		return "pale: a change came whose range is none";
	if (old.n - (at.end - at.begin) + with.n > SOURCE_MAX)
		return "pale: a text of more than 16 MiB is not looked at";
	buf_add(&text, old.p, at.begin);
	buf_add(&text, with.p, with.n);
	buf_add(&text, old.p + at.end, old.n - at.end);
	if (text.failed)
		arena_no_memory(q->lsp->arena);
	buf_free(&d->text);
	d->text = text;
	return NULL;
}

/* A text of which a change was not understood is not what the client shows: it is let go. */
static void let_go(struct lsp_request *q, struct lsp_document *d, const char *why, struct buf *out)
{
	lsp_show(out, arena_printf(q->session.arena, "%s: close '%s' and open it again", why,
				   str_safe(q->session.arena, d->uri)));
	drop(q->lsp, d);
}

void lsp_did_change(struct lsp_request *q, struct buf *out)
{
	const struct json *changes = q->params ? json_get(q->params, "contentChanges") : NULL;
	struct lsp_document *d = lsp_document_find(q->lsp, uri_of(q));
	size_t passed = 0;

	if (!d || !changes || changes->kind != JSON_ARRAY)
		return;
	for (const struct json *c = changes->first; c; c = c->next) {
		const char *why = edit(q, d, c, &passed);
		if (why) {
			let_go(q, d, why, out);
			return;
		}
	}
	set_version(d, json_get(q->params, "textDocument"));
	d->dirty = true;
}

void lsp_did_close(struct lsp_request *q, struct buf *out)
{
	struct lsp_document *d = lsp_document_find(q->lsp, uri_of(q));
	BUF_AUTO params = { 0 };
	struct json_writer w = { .out = &params, .compact = true };

	if (!d)
		return;
	json_open(&w, NULL, '{');
	json_text(&w, "uri", d->uri);
	json_open(&w, "diagnostics", '[');
	json_close(&w, ']');
	json_close(&w, '}');
	lsp_notify(out, "textDocument/publishDiagnostics", &params);
	drop(q->lsp, d);
}

/* ---- what is asked about ---- */

void lsp_language_of(struct lsp_request *q, struct lsp_document *d, struct lsp_asked *out)
{
	const struct file_kind *kind;

	out->document = d;
	out->text = lsp_document_text(d);
	kind = kind_of_file(out->text, d->path);
	size_t n = strlen(d->path);
	bool json = n > 5 && !strcmp(d->path + n - 5, ".json");
	bool open = kind != kind_policy && kind->format == INPUT_PALE; /* it may be anything */
	out->language = kind == kind_apparmor || (open && d->apparmor) ? LSP_APPARMOR :
			kind->format == INPUT_JSON || json             ? LSP_JSON :
			kind->format == INPUT_PALE                     ? LSP_PALE :
									 LSP_YAML;
	out->source = source_give(q->session.sources, d->path, out->text);
}

bool lsp_asked(struct lsp_request *q, struct lsp_asked *out)
{
	struct lsp_document *d = lsp_document_asked(q);
	struct lsp_position at;

	if (!d)
		return false;
	if (!read_position(q->params, "position", &at)) {
		lsp_fail(q, LSP_INVALID_PARAMS, "'position' has a 'line' and a 'character'");
		return false;
	}
	lsp_language_of(q, d, out);
	out->offset = lsp_offset_of(out->text, q->lsp->encoding, at);
	return true;
}
