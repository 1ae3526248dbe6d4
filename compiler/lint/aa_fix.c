/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/aa_fix.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct str text_of(const struct lint *l)
{
	return l->aa->file->source->text;
}

void aa_fix_cut(struct lint *l, struct diag *d, const struct aa_use *use, enum fix_safety safety,
		enum fix_change change)
{
	if (!use || !aa_is_own(use))
		return;
	diag_fix(l->ds, d, lint_lines_of(text_of(l), use->stmt->span), STR(""));
	diag_fix_means(d, safety, change);
}

static void cut_before(struct lint *l, struct diag *d, struct span sp)
{
	struct str text = text_of(l);

	while (sp.begin && is_blank(text.p[sp.begin - 1]))
		sp.begin--;
	diag_fix(l->ds, d, sp, STR(""));
}

void aa_fix_cut_item(struct lint *l, struct diag *d, const struct aa_use *use,
		     const struct aa_item *item, enum fix_safety safety, enum fix_change change)
{
	if (!aa_is_own(use))
		return;
	cut_before(l, d, item->span);
	diag_fix_means(d, safety, change);
}

void aa_fix_word(struct lint *l, struct diag *d, const struct aa_use *use, struct span word,
		 const char *text, enum fix_change change)
{
	if (!aa_is_own(use))
		return;
	diag_fix(l->ds, d, word, str_c(text));
	diag_fix_means(d, FIX_UNSAFE, change);
}

/* The blanks in front of the first rule, where it begins a line; else a tab. */
static const char *indent_of(struct lint *l, const struct aa_stmt *first)
{
	struct str text = text_of(l);
	uint32_t end = first ? first->span.begin : 0, begin = end;

	while (begin && is_blank(text.p[begin - 1]))
		begin--;
	if (!end || (begin && text.p[begin - 1] != '\n'))
		return "\t";
	return str_dup(l->arena, (struct str){ text.p + begin, end - begin });
}

void aa_fix_lines(struct lint *l, struct diag *d, const struct aa_use *use, struct span word,
		  const char *const *rules, enum fix_change change)
{
	const char *indent;
	BUF_AUTO text = { 0 };

	if (!aa_is_own(use))
		return;
	indent = indent_of(l, use->stmt);
	for (size_t i = 0; rules[i]; i++)
		buf_printf(&text, "%s%s%s", i ? ",\n" : "", i ? indent : "", rules[i]);
	aa_fix_word(l, d, use, word, buf_keep(l->arena, &text), change);
}

void aa_fix_add(struct lint *l, struct diag *d, const struct aa_profile *p, const char *rule)
{
	struct span at = p->stmt->block;

	if (p->from)
		return;
	at.end = ++at.begin;
	diag_fix(l->ds, d, at,
		 str_c(arena_printf(l->arena, "\n%s%s", indent_of(l, p->stmt->body), rule)));
	diag_fix_means(d, FIX_UNSAFE, FIX_LOOSER);
}

static size_t count(const struct aa_word *w)
{
	size_t n = 0;

	for (; w; w = w->next)
		n++;
	return n;
}

/* Values stand apart by commas or blanks: with what parts it from its neighbour. */
static struct span with_comma(const struct aa_word *values, const struct aa_word *w)
{
	const struct aa_word *before = NULL;

	if (w == values)
		return (struct span){ w->span.source, w->span.begin, w->next->span.begin };
	for (before = values; before->next != w;)
		before = before->next;
	return (struct span){ w->span.source, before->span.end, w->span.end };
}

void aa_fix_cut_flag(struct lint *l, struct diag *d, const struct aa_profile *p, const char *flag,
		     enum fix_safety safety, enum fix_change change)
{
	if (p->from)
		return;
	for (const struct aa_item *i = p->stmt->items; i; i = i->next) {
		/* flags=(...), or the parentheses alone */
		if ((i->kind != AA_COND || !str_is(i->word.text, "flags")) && i->kind != AA_LIST)
			continue;
		for (const struct aa_word *w = i->values; w; w = w->next) {
			if (!str_starts(w->text, flag))
				continue;
			if (count(i->values) == 1)
				cut_before(l, d, i->span);
			else
				diag_fix(l->ds, d, with_comma(i->values, w), STR(""));
			diag_fix_means(d, safety, change);
			return;
		}
	}
}
