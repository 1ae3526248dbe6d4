/* SPDX-License-Identifier: Apache-2.0 */
/* What is offered to be written: the canonical layout, and fixes that were proved. */
#include <string.h>

#include "compiler/file/layout.h"
#include "compiler/lsp/server.h"

static const char fix_kind[] = "quickfix", all_kind[] = "source.fixAll.pale";

static void put_edit(struct json_writer *w, struct lsp_lines *lines, uint32_t begin, uint32_t end,
		     struct str text)
{
	json_open(w, NULL, '{');
	lsp_put_range(w, "range", lines, begin, end);
	json_string(w, "newText", text);
	json_close(w, '}');
}

/* One text for another: the lines that both begin and end with stay, and with them who stands there. */
static void put_difference(struct json_writer *w, struct lsp_lines *lines, struct str to)
{
	struct str from = lines->text;
	size_t most = from.n < to.n ? from.n : to.n, head = 0, tail = 0;

	for (size_t i = 0; i < most && from.p[i] == to.p[i]; i++)
		head = from.p[i] == '\n' ? i + 1 : head;
	for (size_t i = 1; i <= most - head && from.p[from.n - i] == to.p[to.n - i]; i++)
		tail = from.p[from.n - i] == '\n' ? i - 1 : tail;
	if (!str_eq(from, to))
		put_edit(w, lines, (uint32_t)head, (uint32_t)(from.n - tail),
			 (struct str){ to.p + head, to.n - tail - head });
}

/* ---- layout ---- */

void lsp_format(struct lsp_request *q)
{
	struct lsp_document *d = lsp_document_asked(q);
	struct lsp_asked asked;
	struct layout_text text;
	struct lsp_lines lines;
	BUF_AUTO out = { 0 };

	if (!d)
		return;
	lsp_language_of(q, d, &asked);
	if (asked.language != LSP_PALE && asked.language != LSP_APPARMOR)
		return;
	/* What cannot be read is told at its place, and stays as it is. */
	if (layout_read(&q->session, d->path, &text) || layout_put(&q->session, &text, &out))
		return;
	lsp_lines_of(q->session.arena, asked.text, q->lsp->encoding, &lines);
	json_open(&q->w, NULL, '[');
	put_difference(&q->w, &lines, out.n ? (struct str){ out.p, out.n } : str_c(NULL));
	json_close(&q->w, ']');
}

/* ---- fixes ---- */

/* Is a kind asked for: itself, or one that it is of, "source" of "source.fixAll"? */
static bool wants(const struct json *only, const char *kind)
{
	if (!only || only->kind != JSON_ARRAY)
		return !strcmp(kind, fix_kind);
	for (const struct json *k = only->first; k; k = k->next)
		if (k->kind == JSON_STRING && k->text.n && k->text.n <= strlen(kind) &&
		    !memcmp(k->text.p, kind, k->text.n) &&
		    (!kind[k->text.n] || kind[k->text.n] == '.'))
			return true;
	return false;
}

struct acting {
	struct lsp_request *q;
	struct lsp_shown shown;
};

static void open_edits(struct acting *a)
{
	struct json_writer *w = &a->q->w;

	json_open(w, "edit", '{');
	json_open(w, "changes", '{');
	json_open(w, a->shown.document->uri, '[');
}

static void close_edits(struct acting *a)
{
	json_close(&a->q->w, ']');
	json_close(&a->q->w, '}');
	json_close(&a->q->w, '}');
}

/* What is cut, by its first line; else what the finding says is the way out. */
static void put_what(struct buf *out, struct str text, const struct diag *d)
{
	const struct fix *fix = &d->fix;
	bool cut = fix->edits.n > 0;

	vec_each(&fix->edits, e)
		cut &= !e->replacement.n && e->span.end <= text.n;
	if (!cut) {
		buf_puts(out, d->help ? d->help : d->text);
		return;
	}
	const struct span sp = fix->edits.v[0].span;
	struct str what = { text.p + sp.begin, sp.end - sp.begin };
	for (; what.n && (unsigned char)what.p[0] <= ' '; what.n--)
		what.p++;
	const char *lf = memchr(what.p, '\n', what.n);
	buf_puts(out, "remove '");
	buf_safe(out, lf ? (struct str){ what.p, (size_t)(lf - what.p) } : what);
	buf_puts(out, fix->edits.n > 1 ? "' and more" : "'");
}

static void put_title(struct json_writer *w, struct str text, const struct diag *d)
{
	BUF_AUTO title = { 0 };

	put_what(&title, text, d);
	buf_printf(&title, " (%s, %s: %s)", diag_info(d->id)->id,
		   d->fix.safety == FIX_SAFE ? "safe" : "unsafe", fix_change_words[d->fix.change]);
	json_string(w, "title", (struct str){ title.p, title.n });
}

static void put_fix(void *to, const struct findings *all, const struct finding *f)
{
	struct acting *a = to;
	struct json_writer *w = &a->q->w;
	const struct fix *fix = &f->diag->fix;

	a->shown.all = all;
	json_open(w, NULL, '{');
	put_title(w, a->shown.lines.text, f->diag);
	json_text(w, "kind", fix_kind);
	json_bool(w, "isPreferred", fix->safety == FIX_SAFE);
	json_open(w, "diagnostics", '[');
	lsp_put_finding(&a->shown, w, NULL, f);
	json_close(w, ']');
	open_edits(a);
	vec_each(&fix->edits, e)
		put_edit(w, &a->shown.lines, e->span.begin, e->span.end, e->replacement);
	close_edits(a);
	json_close(w, '}');
}

static void put_all(void *to, struct str text)
{
	struct acting *a = to;
	struct json_writer *w = &a->q->w;

	json_open(w, NULL, '{');
	json_text(w, "title", "make all safe fixes");
	json_text(w, "kind", all_kind);
	open_edits(a);
	put_difference(w, &a->shown.lines, text);
	close_edits(a);
	json_close(w, '}');
}

void lsp_act(struct lsp_request *q)
{
	const struct lsp_host *host = q->lsp->host;
	struct lsp_document *d = lsp_document_asked(q);
	const struct json *context = q->params ? json_get(q->params, "context") : NULL, *only;
	struct acting a = { .q = q };
	struct span at = { 0 };

	if (!d)
		return;
	struct lsp_file file = { d->path, lsp_document_text(d), !d->named };
	if (!lsp_range_at(q, json_get(q->params, "range"), file.text, &at)) {
		lsp_fail(q, LSP_INVALID_PARAMS, "'range' has a 'start' and an 'end'");
		return;
	}
	only = context && context->kind == JSON_OBJECT ? json_get(context, "only") : NULL;
	lsp_shown_open(q->lsp, q->session.arena, d, &a.shown);
	json_open(&q->w, NULL, '[');
	if (wants(only, fix_kind))
		host->fixes(host->who, &file, at, put_fix, &a);
	if (wants(only, all_kind))
		host->fix_all(host->who, &file, put_all, &a);
	json_close(&q->w, ']');
}
