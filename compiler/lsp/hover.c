/* SPDX-License-Identifier: Apache-2.0 */
/* What the word at a place means: of the language, the kernel, a rule, a set, a variable. */
#include <string.h>

#include "compiler/lint/lint.h"
#include "compiler/lsp/names.h"
#include "compiler/oci/profile.h"
#include "compiler/tell/shown.h"

enum { TEXT_MAX = 4000 }; /* bytes of one thing that are shown */

struct hover {
	struct lsp_request *q;
	const struct lsp_asked *asked;
	struct buf out; /* Markdown */
	uint32_t begin, end;
};

static void begin_part(struct hover *h)
{
	if (h->out.n)
		buf_puts(&h->out, "\n\n---\n\n");
}

/* A text as it is: no Markdown is seen in it. */
static void put_block(struct hover *h, const struct buf *text)
{
	size_t n = text->n < TEXT_MAX ? text->n : TEXT_MAX;

	while (n && n < text->n && ((unsigned char)text->p[n] & 0xc0) == 0x80)
		n--;
	begin_part(h);
	buf_puts(&h->out, "```text\n");
	buf_add(&h->out, text->p, n);
	if (n && text->p[n - 1] != '\n')
		buf_puts(&h->out, n < text->n ? " ...\n" : "\n");
	buf_puts(&h->out, "```");
}

static void put_word(struct hover *h, struct str word)
{
	const struct lsp_word_row *row = lsp_word_find(h->asked->language, word);

	if (!row)
		return;
	begin_part(h);
	buf_printf(&h->out, "`%s`: ", row->word);
	for (const char *p = row->text; *p; p++) {
		if (strchr("\\*_[]<>#", *p))
			buf_putc(&h->out, '\\');
		buf_putc(&h->out, *p);
	}
}

/* "SC120", as a comment that suppresses it says. */
static void put_rule_text(struct hover *h, struct str word)
{
	for (size_t i = 0; i < lint_rule_count(); i++) {
		const struct lint_rule *r = lint_rule_at(i);
		const struct diag_info *info = diag_info(r->id);
		BUF_AUTO text = { 0 };

		if (!str_is(word, info->id) && !str_is(word, info->slug))
			continue;
		buf_printf(&text, "%s %s (%s): %s\n\n%s\n", info->id, info->slug,
			   severity_name(info->severity), info->doc, r->explain);
		put_block(h, &text);
		return;
	}
}

static void put_known(struct hover *h, struct str name)
{
	struct set_list sets;
	BUF_AUTO text = { 0 };

	if (!name.n)
		return;
	lsp_sets_of(h->q, h->asked, &sets);
	shown_put(&text, h->q->session.sources, &sets, name);
	if (text.n)
		put_block(h, &text);
}

/* ---- policies and AppArmor's text ---- */

static void hover_pale(struct hover *h, const struct lsp_around *l)
{
	BUF_AUTO arg = { 0 };
	size_t at;

	if (l->parens && shown_put_arg(&arg, lsp_opener(l, &at), l->word)) {
		put_block(h, &arg);
		return;
	}
	put_word(h, l->word);
	put_known(h, l->word);
}

static void hover_variable(struct hover *h, struct str name)
{
	lsp_variables all;
	BUF_AUTO text = { 0 };

	lsp_variables_of(h->q, h->asked, &all);
	vec_each(&all, v) {
		if (!str_eq(v->name, name))
			continue;
		struct place at = source_place(v->source, v->stmt->span.begin);
		buf_safe(&text, str_c(v->source->name));
		buf_printf(&text, ":%u: ", at.line);
		buf_safe(&text, at.line_text);
		buf_putc(&text, '\n');
	}
	if (text.n)
		put_block(h, &text);
}

/* Names of capabilities, constants and calls are the kernel's here, too; sets are not. */
static void hover_apparmor(struct hover *h, const struct lsp_around *l)
{
	struct str variable = lsp_variable_at(l, h->asked->offset);
	struct set_list none = { 0 };
	BUF_AUTO text = { 0 };

	if (variable.n) {
		hover_variable(h, variable);
		return;
	}
	put_word(h, l->word);
	if (lsp_in_statement(l, "capability") || lsp_in_statement(l, "network") ||
	    lsp_in_statement(l, "rlimit"))
		shown_put(&text, h->q->session.sources, &none, l->word);
	if (text.n)
		put_block(h, &text);
}

/* ---- JSON ---- */

/* "index": 0: the entry's call and its argument. */
static void hover_json(struct hover *h, const struct lsp_json_around *l)
{
	put_word(h, l->word);
	if (l->is_key)
		return;
	put_rule_text(h, l->word);
	if (str_is(l->key, "names") || str_is(l->key, "name") || str_is(l->key, "caps"))
		put_known(h, l->word);
}

/* The `names` of the innermost object around a place that has some; NULL. */
static const struct json *names_around(const struct json *j, uint32_t offset)
{
	for (const struct json *m = j->first; m; m = m->next) {
		if (offset < m->span.begin || offset > m->span.end)
			continue;
		const struct json *inside = names_around(m, offset);
		if (inside)
			return inside;
	}
	return j->kind == JSON_OBJECT ? json_get(j, "names") : NULL;
}

/* The number of an argument: what that is of the entry's calls. */
static void hover_index(struct hover *h, const struct lsp_json_around *l)
{
	struct session *s = &h->q->session;
	struct diags *ds = diags_new(s->arena, s->sources);
	const struct json *root = json_parse(s->arena, h->asked->source, ds), *names;
	char arg[] = "arg0";
	BUF_AUTO text = { 0 };

	arg[3] = h->asked->text.p[l->begin];
	names = root && arg[3] >= '0' && arg[3] <= '5' ? names_around(root, l->begin) : NULL;
	for (const struct json *n = names ? names->first : NULL; n && text.n < TEXT_MAX;
	     n = n->next)
		if (n->kind == JSON_STRING)
			shown_put_arg(&text, n->text, str_c(arg));
	if (text.n)
		put_block(h, &text);
}

/* ---- the answer ---- */

static void look(struct hover *h)
{
	struct lsp_around around;
	struct lsp_json_around json;
	const struct lsp_asked *asked = h->asked;

	if (asked->language == LSP_JSON) {
		lsp_look_around_json(asked->text, asked->offset, &json);
		h->begin = json.begin;
		h->end = json.end;
		if (json.string)
			hover_json(h, &json);
		else if (str_is(json.key, "index") && json.begin < asked->text.n)
			hover_index(h, &json);
		return;
	}
	if (asked->language == LSP_YAML)
		return;
	lsp_look_around(h->q->session.arena, asked->language, asked->text, asked->offset, &around);
	h->begin = around.begin;
	h->end = around.end;
	if (around.comment)
		put_rule_text(h, around.word);
	else if (around.word.n && asked->language == LSP_PALE)
		hover_pale(h, &around);
	else if (around.word.n)
		hover_apparmor(h, &around);
}

void lsp_hover(struct lsp_request *q)
{
	struct lsp_asked asked;
	struct hover h = { .q = q, .asked = &asked };
	struct lsp_lines lines;

	if (!lsp_asked(q, &asked))
		return;
	look(&h);
	if (h.out.n && !h.out.failed) {
		lsp_lines_of(q->session.arena, asked.text, q->lsp->encoding, &lines);
		json_open(&q->w, NULL, '{');
		json_open(&q->w, "contents", '{');
		json_text(&q->w, "kind", "markdown");
		json_string(&q->w, "value", (struct str){ h.out.p, h.out.n });
		json_close(&q->w, '}');
		lsp_put_range(&q->w, "range", &lines, h.begin, h.end);
		json_close(&q->w, '}');
	}
	buf_free(&h.out);
}
