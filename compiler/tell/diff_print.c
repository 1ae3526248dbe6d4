/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison as text, Markdown and JSON. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/tell/diff.h"
#include "grammar/json.h"

const char *const diff_words[CHANGE_NR] = {
	[CHANGE_LOOSER] = "looser",
	[CHANGE_TIGHTER] = "tighter",
	[CHANGE_INCOMPARABLE] = "incomparable",
	[CHANGE_ERRNO] = "different errno",
	[CHANGE_UNDECIDED] = "not decided",
};

enum { LINE_WIDTH = 100 };

/* ---- shared words ---- */

const char *diff_subject(struct arena *a, const struct diff_line *l, const struct diff *d)
{
	const char *list = "";

	switch (l->part) {
	case PART_CALL:
	case PART_NUMBERS:
		vec_each(&l->calls, c)
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", *c);
		return list;
	case PART_SKIP: return "number -1 (tracers skip calls with it)";
	case PART_UNLISTED:
		return arena_printf(a, "all of %s: foreign to %s", diff_arches(a, l->arches),
				    d->compare->only_a & l->arches ? "B" : "A");
	case PART_FOREIGN: return "foreign architectures";
	}
	return "";
}

static bool has_kind(const struct diff *d, enum change change, unsigned kind)
{
	vec_each(&d->resources, r)
		if (r->change == change && r->kind == kind)
			return true;
	return false;
}

/* "different errno" is what calls have; a refusal by resource rules has a record or none. */
static const char *resource_word(const struct diff_resource *r)
{
	return r->change == CHANGE_ERRNO ? "different record" : diff_words[r->change];
}

/* "2 calls, files, aarch64, number -1" */
static const char *change_words(struct arena *a, const struct diff *d, enum change change)
{
	bool told[PART_FOREIGN + 1] = { false };
	const char *list = "";

	if (d->count[change])
		list = arena_printf(a, "%zu call%s", d->count[change],
				    d->count[change] == 1 ? "" : "s");
	for (unsigned k = 0; k < RESOURCE_NR; k++)
		if (has_kind(d, change, k))
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", diff_kinds[k]);
	vec_each(&d->lines, l) {
		const char *what = l->part == PART_NUMBERS ? "numbers without a name" :
				   l->part == PART_SKIP    ? "number -1" :
				   l->part == PART_FOREIGN ? "foreign architectures" :
							     diff_arches(a, l->arches);
		if (l->change != change || l->part == PART_CALL ||
		    (told[l->part] && l->part != PART_UNLISTED))
			continue;
		told[l->part] = true;
		list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", what);
	}
	return list;
}

/* "373 calls on x86_64, capabilities": what was compared and does not differ. */
static const char *same_words(struct arena *a, const struct diff *d)
{
	const char *list = "";
	bool calls = d->compare->items.n > 0;

	if (d->layers & LAYER_SECCOMP)
		list = arena_printf(a, "%zu call%s on %s%s", d->same, d->same == 1 ? "" : "s",
				    d->compare->arches ? diff_arches(a, d->compare->arches) :
							 "no architecture",
				    calls || d->compare->named_only ?
					    "" :
					    ", all other numbers, foreign architectures");
	for (unsigned k = 0; k < RESOURCE_NR; k++) {
		bool changed = false;
		for (enum change c = 0; c < CHANGE_NR; c++)
			changed |= has_kind(d, c, k);
		if (d->resource_kinds >> k & 1 && !changed && k != RESOURCE_PROGRAM)
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", diff_kinds[k]);
	}
	return list;
}

/* Where no call answers another errno, what differs is what stands in a log. */
static const char *summary_word(const struct diff *d, enum change change)
{
	bool calls = d->count[change] > 0;

	vec_each(&d->lines, l)
		calls |= l->change == change;
	return change == CHANGE_ERRNO && !calls ? "different record" : diff_words[change];
}

const char *diff_summary(struct arena *a, const struct diff *d, const char *between)
{
	const char *text = "";

	for (enum change c = 0; c < CHANGE_NR; c++)
		if (d->has[c])
			text = arena_printf(a, "%s%s%s: %s", text,
					    *text                 ? between :
					    c == CHANGE_UNDECIDED ? "" :
								    "B is ",
					    summary_word(d, c), change_words(a, d, c));
	const char *same = same_words(a, d);
	return *same ? arena_printf(a, "%s%ssame: %s", text, *text ? between : "", same) : text;
}

/* Lists break between names. */
static void put_wrapped(struct buf *out, const char *text, const char *indent)
{
	size_t column = strlen(indent);

	while (*text) {
		size_t n = strcspn(text, ","), with = n + (text[n] == ',');
		if (column + with > LINE_WIDTH && column > strlen(indent)) {
			buf_printf(out, "\n%s", indent);
			column = strlen(indent);
			text += *text == ' ';
			continue;
		}
		buf_add(out, text, with);
		column += with;
		text += with;
	}
}

static void put_change(struct buf *out, const struct diff_step *s)
{
	verdict_print(out, s->a);
	buf_puts(out, " -> ");
	verdict_print(out, s->b);
	buf_puts(out, s->others ? " and others of that kind" : "");
}

/* ---- text ---- */

static void text_step(struct buf *out, const struct diff_step *s)
{
	buf_puts(out, "  ");
	put_change(out, s);
	if (*s->condition)
		buf_printf(out, "  %s%s", s->exact ? "if " : "", s->condition);
	buf_printf(out, "\n    %s\n      A: %s\n      B: %s\n", s->call, s->by_a, s->by_b);
}

/* What is not decided for one reason is said once. */
static void text_undecided(struct buf *out, struct arena *a, const struct diff *d,
			   const struct diff_resource *first)
{
	const char *list = "";

	vec_each(&d->resources, r) {
		if (strcmp(r->reason, first->reason))
			continue;
		if (r < first)
			return;
		list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", r->about);
	}
	buf_printf(out, "\n%s: %s\n  %s\n", resource_word(first), list, first->reason);
}

static void text_resource(struct buf *out, struct arena *a, const struct diff *d,
			  const struct diff_resource *r)
{
	if (*r->reason) {
		text_undecided(out, a, d, r);
		return;
	}
	buf_printf(out, "\n%s: ", resource_word(r));
	if (*r->path) /* may hold commas of its own */
		buf_puts(out, r->about);
	else
		put_wrapped(out, r->about, "  ");
	buf_printf(out, "\n  %s -> %s\n      A: %s\n      B: %s\n", r->a, r->b, r->by_a, r->by_b);
}

void diff_text(struct buf *out, struct arena *a, const struct diff *d)
{
	buf_printf(out, "A: %s (%s)\nB: %s (%s)\n", d->a->shown, d->a->kind, d->b->shown,
		   d->b->kind);
	buf_printf(out, "%s\n", diff_summary(a, d, "\n     "));
	vec_each(&d->lines, l) {
		buf_printf(out, "\n%s: ", diff_words[l->change]);
		put_wrapped(out, diff_subject(a, l, d), "  ");
		if (l->arches && l->part != PART_UNLISTED)
			buf_printf(out, " [%s]", diff_arches(a, l->arches));
		if (*l->environment)
			buf_printf(out, ", %s", l->environment);
		buf_putc(out, '\n');
		vec_each(&l->steps, s)
			text_step(out, s);
	}
	vec_each(&d->resources, r)
		text_resource(out, a, d, r);
	if (d->notes.n)
		buf_putc(out, '\n');
	vec_each(&d->notes, n)
		buf_printf(out, "note: %s\n", *n);
}

/* ---- Markdown ---- */

/* Inside a table's cell and a code span. */
static void put_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_puts(out, "\\|");
		else if (*text == '`')
			buf_putc(out, '\'');
		else
			buf_putc(out, *text == '\n' ? ' ' : *text);
	}
}

static void cell(struct buf *out, const char *text)
{
	buf_puts(out, *text ? " `" : " ");
	put_cell(out, text);
	buf_puts(out, *text ? "` |" : "|");
}

static void plain_cell(struct buf *out, const char *text)
{
	buf_putc(out, ' ');
	put_cell(out, text);
	buf_puts(out, " |");
}

static void markdown_line(struct buf *out, struct arena *a, const struct diff *d,
			  const struct diff_line *l)
{
	bool first = true;

	vec_each(&l->steps, s) {
		BUF_AUTO change = { 0 };
		put_change(&change, s);
		buf_putc(out, '|');
		plain_cell(out, first ? diff_subject(a, l, d) : "");
		plain_cell(out, first ? diff_arches(a, l->arches) : "");
		cell(out, change.p);
		cell(out, s->condition);
		plain_cell(out, first ? l->environment : "");
		cell(out, s->call);
		cell(out, s->by_a);
		cell(out, s->by_b);
		buf_putc(out, '\n');
		first = false;
	}
	if (!l->steps.n)
		buf_printf(out, "| %s | %s | | | | | | |\n", diff_subject(a, l, d),
			   diff_arches(a, l->arches));
}

static void markdown_resources(struct buf *out, const struct diff *d)
{
	if (d->resources.n)
		buf_puts(out, "\n### resource rules\n\n| B is | what | change | A | B "
			      "|\n|---|---|---|---|---|\n");
	vec_each(&d->resources, r) {
		BUF_AUTO change = { 0 };
		if (!*r->reason)
			buf_printf(&change, "%s -> %s", r->a, r->b);
		buf_putc(out, '|');
		plain_cell(out, resource_word(r));
		cell(out, r->about);
		plain_cell(out, *r->reason ? r->reason : change.p);
		cell(out, r->by_a);
		cell(out, r->by_b);
		buf_putc(out, '\n');
	}
}

void diff_markdown(struct buf *out, struct arena *a, const struct diff *d)
{
	int last = -1;

	buf_printf(out, "%s\n\nA: `", diff_summary(a, d, "; "));
	put_cell(out, d->a->shown);
	buf_printf(out, "` (%s)  \nB: `", d->a->kind);
	put_cell(out, d->b->shown);
	buf_printf(out, "` (%s)\n", d->b->kind);
	vec_each(&d->lines, l) {
		if ((int)l->change != last)
			buf_printf(out,
				   "\n### %s\n\n| what | where | change | if | environment | "
				   "example | A | B |\n"
				   "|---|---|---|---|---|---|---|---|\n",
				   diff_words[l->change]);
		last = (int)l->change;
		markdown_line(out, a, d, l);
	}
	markdown_resources(out, d);
	if (d->notes.n)
		buf_putc(out, '\n');
	vec_each(&d->notes, n)
		buf_printf(out, "- %s\n", *n);
}

/* ---- JSON ---- */

static void put_key(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, "\"%s\": ", key);
	json_put_string(out, str_c(value));
}

static void json_verdict(struct buf *out, const char *key, struct verdict v)
{
	BUF_AUTO text = { 0 };

	verdict_print(&text, v);
	put_key(out, key, text.p);
}

static void json_arches(struct buf *out, unsigned arches)
{
	const char *comma = "";

	buf_puts(out, "\"arches\": [");
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a)) {
			buf_printf(out, "%s\"%s\"", comma, arch_info((enum arch)a)->name);
			comma = ", ";
		}
	buf_putc(out, ']');
}

/* Registers as strings: 64 bits are more than many readers of JSON keep. */
static void json_point(struct buf *out, const struct dd_point *p)
{
	buf_printf(out, "\"audit_arch\": %u, \"nr\": %u, \"args\": [",
		   (unsigned)(p->at[DD_CALL] >> 32), (unsigned)(uint32_t)p->at[DD_CALL]);
	for (unsigned i = 0; i < 6; i++)
		buf_printf(out, "%s\"0x%llx\"", i ? ", " : "", (unsigned long long)p->at[i]);
	buf_printf(out, "], \"instruction_pointer\": \"0x%llx\", \"caps\": [",
		   (unsigned long long)p->at[DD_IP]);
	const char *comma = "";
	for (unsigned c = 0; c < CAPABILITY_NR; c++)
		if (p->at[DD_CAPS] >> c & 1) {
			buf_printf(out, "%s\"%s\"", comma, capability_name(c));
			comma = ", ";
		}
	buf_printf(out, "], \"kernel\": \"%u.%u\"", (unsigned)(p->at[DD_SYSTEM] >> 16 & 0xff),
		   (unsigned)(p->at[DD_SYSTEM] >> 8 & 0xff));
	unsigned host = p->at[DD_SYSTEM] & 0xff;
	if (host < ARCH_NR) {
		buf_puts(out, ", ");
		put_key(out, "host", arch_info((enum arch)host)->name);
	}
}

static void json_step(struct buf *out, const struct diff_step *s)
{
	buf_puts(out, "\n      { ");
	json_verdict(out, "a", s->a);
	buf_puts(out, ", ");
	json_verdict(out, "b", s->b);
	buf_puts(out, ", ");
	buf_printf(out, "\"and_others\": %s, ", s->others ? "true" : "false");
	put_key(out, "condition", s->condition);
	buf_printf(out, ", \"condition_is_exact\": %s,\n        ", s->exact ? "true" : "false");
	put_key(out, "example", s->call);
	buf_puts(out, ", \"point\": { ");
	json_point(out, &s->at);
	buf_puts(out, " },\n        ");
	put_key(out, "a_decided_by", s->by_a);
	buf_puts(out, ", ");
	put_key(out, "b_decided_by", s->by_b);
	buf_puts(out, " }");
}

static void json_change(struct buf *out, struct arena *a, const struct diff *d,
			const struct diff_line *l)
{
	static const char *const parts[] = { "calls", "numbers", "skip", "architecture",
					     "foreign" };
	const char *comma = "";

	buf_puts(out, "\n    { ");
	put_key(out, "change", diff_words[l->change]);
	buf_puts(out, ", ");
	put_key(out, "part", parts[l->part]);
	buf_puts(out, ", ");
	json_arches(out, l->arches);
	buf_puts(out, ", ");
	put_key(out, "about", diff_subject(a, l, d));
	buf_puts(out, ",\n      \"calls\": [");
	for (size_t i = 0; l->part == PART_CALL && i < l->calls.n; i++) {
		buf_puts(out, i ? ", " : "");
		json_put_string(out, str_c(l->calls.v[i]));
	}
	buf_puts(out, "], ");
	put_key(out, "environment", l->environment);
	buf_puts(out, ", \"steps\": [");
	vec_each(&l->steps, s) {
		buf_puts(out, comma);
		json_step(out, s);
		comma = ",";
	}
	buf_puts(out, " ] }");
}

static void json_side(struct buf *out, const char *key, const struct decide *side)
{
	buf_printf(out, "  \"%s\": { ", key);
	put_key(out, "file", side->name);
	buf_puts(out, ", ");
	put_key(out, "kind", side->kind);
	buf_puts(out, ", ");
	json_arches(out, side->arches);
	buf_puts(out, " },\n");
}

static void json_resources(struct buf *out, const struct diff *d)
{
	const char *comma = "";

	buf_puts(out, "  \"resources\": [");
	vec_each(&d->resources, r) {
		const struct {
			const char *key, *value;
		} rest[] = {
			{ "kind", diff_kinds[r->kind] },
			{ "about", r->about },
			{ "path", r->path },
			{ "a", r->a },
			{ "b", r->b },
			{ "a_decided_by", r->by_a },
			{ "b_decided_by", r->by_b },
			{ "reason", r->reason },
		};
		buf_printf(out, "%s\n    { ", comma);
		put_key(out, "change", resource_word(r));
		for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
			buf_puts(out, ", ");
			put_key(out, rest[i].key, rest[i].value);
		}
		buf_puts(out, " }");
		comma = ",";
	}
	buf_puts(out, d->resources.n ? "\n  ],\n" : "],\n");
}

void diff_json(struct buf *out, struct arena *a, const struct diff *d)
{
	static const char *const keys[CHANGE_NR] = { "looser", "tighter", "incomparable",
						     "different_errno", "not_decided" };
	const char *comma = "";

	buf_puts(out, "{\n");
	json_side(out, "a", d->a);
	json_side(out, "b", d->b);
	buf_printf(out, "  \"same\": %s,\n  ", d->differs ? "false" : d->open ? "null" : "true");
	put_key(out, "summary", diff_summary(a, d, "; "));
	buf_printf(out, ",\n  \"counts\": { \"same\": %zu", d->same);
	for (enum change c = 0; c < CHANGE_NR; c++)
		buf_printf(out, ", \"%s\": %zu", keys[c], d->count[c]);
	buf_puts(out, " },\n  \"changes\": [");
	vec_each(&d->lines, l) {
		buf_puts(out, comma);
		json_change(out, a, d, l);
		comma = ",";
	}
	buf_puts(out, d->lines.n ? "\n  ],\n" : "],\n");
	json_resources(out, d);
	buf_puts(out, "  \"notes\": [");
	comma = "";
	vec_each(&d->notes, n) {
		buf_puts(out, comma);
		json_put_string(out, str_c(*n));
		comma = ", ";
	}
	buf_puts(out, "]\n}\n");
}
