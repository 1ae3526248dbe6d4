/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as the client shows them: at their places, with the others that they speak of. */
#include <string.h>

#include "compiler/lint/out/parts.h"
#include "compiler/lsp/server.h"

enum { UNNECESSARY = 1 }; /* DiagnosticTag */

/* DiagnosticSeverity: `high` is an error to who has no such word, as in all other forms. */
static unsigned severity_number(enum severity s)
{
	const char *word = severity_words(s)->sarif;

	return !strcmp(word, "error") ? 1 : !strcmp(word, "warning") ? 2 : 3;
}

void lsp_shown_open(const struct lsp *l, struct arena *a, const struct lsp_document *d,
		    struct lsp_shown *out)
{
	*out = (struct lsp_shown){ .lsp = l, .arena = a, .document = d };
	lsp_lines_of(a, lsp_document_text(d), l->encoding, &out->lines);
}

bool lsp_is_own(struct lsp_shown *s, const struct source *src)
{
	if (!s->own && src && !strcmp(src->name, s->document->path) &&
	    str_eq(src->text, lsp_document_text(s->document)))
		s->own = src;
	return src && src == s->own;
}

static void put_location(struct json_writer *w, const char *key, const char *uri,
			 struct lsp_lines *lines, struct span sp)
{
	json_open(w, key, '{');
	json_text(w, "uri", uri);
	lsp_put_range(w, "range", lines, sp.begin, sp.end);
	json_close(w, '}');
}

static void put_elsewhere(struct json_writer *w, const char *key, struct arena *a,
			  enum lsp_encoding e, const struct source *src, struct span sp)
{
	struct lsp_lines lines;
	BUF_AUTO uri = { 0 };

	put_uri(&uri, src->path ? src->path : src->name);
	lsp_lines_of(a, src->text, e, &lines);
	put_location(w, key, buf_keep(a, &uri), &lines, sp);
}

void lsp_put_location(struct lsp_request *q, struct json_writer *w, const char *key,
		      const struct source *src, struct span sp)
{
	put_elsewhere(w, key, q->session.arena, q->lsp->encoding, src, sp);
}

static void put_related(struct lsp_shown *s, struct json_writer *w, const struct source *src,
			struct span sp, const char *text)
{
	json_open(w, NULL, '{');
	if (lsp_is_own(s, src))
		put_location(w, "location", s->document->uri, &s->lines, sp);
	else
		put_elsewhere(w, "location", s->arena, s->lsp->encoding, src, sp);
	json_text(w, "message", text);
	json_close(w, '}');
}

enum { RELATED_MAX = 100 }; /* places of one finding */

static void put_places(struct lsp_shown *s, struct json_writer *w, const struct finding *f,
		       bool own)
{
	const struct diag *d = f->diag;
	unsigned n = 0;

	if (own && !d->labels.n)
		return;
	json_open(w, "relatedInformation", '[');
	if (!own && f->source)
		put_related(s, w, f->source, d->span, "here");
	vec_each(&d->labels, label) {
		const struct source *src = source_of(s->all->diags->sources, label->span);
		if (src && n++ < RELATED_MAX)
			put_related(s, w, src, label->span,
				    label->again ? "and here" : label->text);
	}
	json_close(w, ']');
}

/* Nothing changes where it goes. */
static bool is_unnecessary(const struct fix *fix)
{
	bool cut = fix->edits.n > 0 && fix->change == FIX_SAME;

	vec_each(&fix->edits, e)
		cut &= !e->replacement.n;
	return cut;
}

static void put_page(const struct lsp_shown *s, struct json_writer *w, const char *id)
{
	const char *pages = s->pages;
	BUF_AUTO page = { 0 };

	if (!pages)
		return;
	buf_printf(&page, "%s%s%s.md", pages, pages[strlen(pages) - 1] == '/' ? "" : "/", id);
	json_open(w, "codeDescription", '{');
	json_string(w, "href", (struct str){ page.p, page.n });
	json_close(w, '}');
}

void lsp_put_finding(struct lsp_shown *s, struct json_writer *w, const char *key,
		     const struct finding *f)
{
	const struct diag *d = f->diag;
	const struct diag_info *info = diag_info(d->id);
	bool own = lsp_is_own(s, f->source);
	BUF_AUTO text = { 0 };

	if (!own && f->source)
		buf_printf(&text, "%s:%u: ", str_safe(s->arena, f->file),
			   source_place(f->source, d->span.begin).line);
	buf_printf(&text, "%s [%s]", d->text, info->slug);
	if (d->help)
		buf_printf(&text, "\nhelp: %s", d->help);
	json_open(w, key, '{');
	if (own)
		lsp_put_range(w, "range", &s->lines, d->span.begin, d->span.end);
	else
		lsp_put_range(w, "range", &s->lines, 0, 0);
	json_number(w, "severity", severity_number(d->severity));
	json_text(w, "code", info->id);
	put_page(s, w, info->id);
	json_text(w, "source", "pale");
	json_string(w, "message", (struct str){ text.p, text.n });
	if (is_unnecessary(&d->fix)) {
		json_open(w, "tags", '[');
		json_number(w, NULL, UNNECESSARY);
		json_close(w, ']');
	}
	put_places(s, w, f, own);
	json_close(w, '}');
}

struct publishing {
	struct lsp_shown shown;
	struct json_writer *w;
};

static void put_findings(void *to, const struct findings *all, const char *pages)
{
	struct publishing *p = to;

	p->shown.all = all;
	p->shown.pages = pages;
	vec_each(&all->list, f)
		if (f->fate == FINDING_TOLD)
			lsp_put_finding(&p->shown, p->w, NULL, f);
}

void lsp_publish(struct lsp *l, struct lsp_document *d, struct buf *out)
{
	struct lsp_file file = { d->path, lsp_document_text(d), !d->named };
	struct arena *a = arena_scratch(l->arena);
	BUF_AUTO params = { 0 };
	struct json_writer w = { .out = &params, .compact = true };
	struct publishing p = { .w = &w };

	lsp_shown_open(l, a, d, &p.shown);
	json_open(&w, NULL, '{');
	json_text(&w, "uri", d->uri);
	if (d->versioned)
		json_signed(&w, "version", d->version);
	json_open(&w, "diagnostics", '[');
	const char *why = l->host->lint(l->host->who, &file, put_findings, &p);
	if (why)
		lsp_show(out, why);
	json_close(&w, ']');
	json_close(&w, '}');
	lsp_notify(out, "textDocument/publishDiagnostics", &params);
	d->dirty = false;
	arena_free(a);
}
