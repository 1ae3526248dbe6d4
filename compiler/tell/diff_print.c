/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison as text, Markdown and JSON. */
#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/tell/diff.h"

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

/* "AppArmor file, for AppArmor 3.0, Linux 6.1" */
static const char *kind_words(struct arena *a, const struct decide *side, const char *whom)
{
	return whom ? arena_printf(a, "%s, for %s", side->kind, whom) : side->kind;
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
		list = arena_printf(a, *r->profile ? "%s%s%s [%s]" : "%s%s%s", list,
				    *list ? ", " : "", r->about, r->profile);
	}
	buf_printf(out, "\n%s: %s\n  %s\n", resource_word(first), list, first->reason);
}

static void text_by(struct buf *out, const char *side, const char *by,
		    const struct diff_agreeing *also)
{
	buf_printf(out, "      %s: %s\n", side, by);
	for (size_t i = 0; i < also->n; i++)
		buf_printf(out, "         and %s\n", also->list[i]);
	if (also->more)
		buf_printf(out, "         and %zu more\n", also->more);
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
	if (*r->profile)
		buf_printf(out, " [%s]", r->profile);
	buf_printf(out, "\n  %s -> %s\n", r->a, r->b);
	if (*r->access) {
		buf_puts(out, "    ");
		buf_safe(out, str_c(r->access));
		buf_putc(out, '\n');
	}
	text_by(out, "A", r->by_a, &r->also_a);
	text_by(out, "B", r->by_b, &r->also_b);
}

void diff_text(struct buf *out, struct arena *a, const struct diff *d)
{
	buf_printf(out, "A: %s (%s)\n", d->a->shown, kind_words(a, d->a, d->a_for));
	buf_printf(out, "B: %s (%s)\n", d->b->shown, kind_words(a, d->b, d->b_for));
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

/* Outside of a code span: nothing in it is markup. */
static void plain_cell(struct buf *out, const char *text)
{
	BUF_AUTO plain = { 0 };

	for (; *text; text++) {
		if (*text == '*' || *text == '[' || *text == '\\')
			buf_putc(&plain, '\\');
		if ((*text == '<' || *text == '&') && text[1] != ' ')
			buf_puts(&plain, *text == '<' ? "&lt;" : "&amp;");
		else
			buf_putc(&plain, *text);
	}
	buf_putc(out, ' ');
	put_cell(out, plain.p ? plain.p : "");
	buf_puts(out, " |");
}

/*
 * GitHub takes comments of 65536 characters, and folds what is in <details>: so are long tables, and
 * rows that would not fit are counted.
 */
enum { ROWS_UNFOLDED = 20, ROWS_END = 56000, NOTES_END = 64000 };

struct markdown {
	struct buf *out;
	struct buf rows; /* of the table at hand */
	size_t n;        /* as many */
	size_t left;     /* out of it */
};

static void add_rows(struct markdown *m, const struct buf *rows, size_t n)
{
	if (m->out->n + m->rows.n + rows->n > ROWS_END) {
		m->left += n;
		return;
	}
	buf_add(&m->rows, rows->p, rows->n);
	m->n += n;
}

static void end_table(struct markdown *m, const char *heading, const char *columns)
{
	if (m->n)
		buf_printf(m->out, "\n### %s\n\n", heading);
	if (m->n > ROWS_UNFOLDED)
		buf_printf(m->out, "<details>\n<summary>%zu rows</summary>\n\n", m->n);
	if (m->n) {
		buf_puts(m->out, columns);
		buf_add(m->out, m->rows.p, m->rows.n);
	}
	if (m->n > ROWS_UNFOLDED)
		buf_puts(m->out, "\n</details>\n");
	m->n = m->rows.n = 0;
}

static void markdown_line(struct markdown *m, struct arena *a, const struct diff *d,
			  const struct diff_line *l)
{
	bool first = true;
	BUF_AUTO out = { 0 };

	vec_each(&l->steps, s) {
		BUF_AUTO change = { 0 };
		put_change(&change, s);
		buf_putc(&out, '|');
		plain_cell(&out, first ? diff_subject(a, l, d) : "");
		plain_cell(&out, first ? diff_arches(a, l->arches) : "");
		cell(&out, change.p);
		cell(&out, s->condition);
		plain_cell(&out, first ? l->environment : "");
		cell(&out, s->call);
		cell(&out, s->by_a);
		cell(&out, s->by_b);
		buf_putc(&out, '\n');
		first = false;
	}
	if (!l->steps.n)
		buf_printf(&out, "| %s | %s | | | | | | |\n", diff_subject(a, l, d),
			   diff_arches(a, l->arches));
	add_rows(m, &out, l->steps.n ? l->steps.n : 1);
}

static void by_cell(struct buf *out, const char *by, const struct diff_agreeing *also)
{
	if (!also->n) {
		cell(out, by);
		return;
	}
	buf_puts(out, " `");
	put_cell(out, by);
	for (size_t i = 0; i < also->n; i++) {
		buf_puts(out, "` and `");
		put_cell(out, also->list[i]);
	}
	buf_putc(out, '`');
	if (also->more)
		buf_printf(out, " and %zu more", also->more);
	buf_puts(out, " |");
}

static void markdown_resources(struct markdown *m, struct arena *a, const struct diff *d)
{
	vec_each(&d->resources, r) {
		BUF_AUTO change = { 0 };
		BUF_AUTO out = { 0 };

		if (!*r->reason)
			buf_printf(&change, "%s -> %s", r->a, r->b);
		buf_putc(&out, '|');
		plain_cell(&out, resource_word(r));
		cell(&out,
		     *r->profile ? arena_printf(a, "%s [%s]", r->about, r->profile) : r->about);
		plain_cell(&out, *r->reason ? r->reason : change.p);
		by_cell(&out, r->by_a, &r->also_a);
		by_cell(&out, r->by_b, &r->also_b);
		buf_putc(&out, '\n');
		add_rows(m, &out, 1);
	}
	end_table(m, "resource rules", "| B is | what | change | A | B |\n|---|---|---|---|---|\n");
}

static void markdown_calls(struct markdown *m, struct arena *a, const struct diff *d)
{
	static const char columns[] =
		"| what | where | change | if | environment | example | A | B |\n"
		"|---|---|---|---|---|---|---|---|\n";
	int last = -1;

	vec_each(&d->lines, l) {
		if ((int)l->change != last && last >= 0)
			end_table(m, diff_words[last], columns);
		last = (int)l->change;
		markdown_line(m, a, d, l);
	}
	if (last >= 0)
		end_table(m, diff_words[last], columns);
}

void diff_markdown(struct buf *out, struct arena *a, const struct diff *d)
{
	struct markdown m = { .out = out };
	size_t untold = 0;

	buf_printf(out, "%s\n\nA: `", diff_summary(a, d, "; "));
	put_cell(out, d->a->shown);
	buf_printf(out, "` (%s)  \nB: `", kind_words(a, d->a, d->a_for));
	put_cell(out, d->b->shown);
	buf_printf(out, "` (%s)\n", kind_words(a, d->b, d->b_for));
	markdown_calls(&m, a, d);
	markdown_resources(&m, a, d);
	buf_free(&m.rows);
	if (m.left)
		buf_printf(out,
			   "\n%zu more rows are not shown: `--format text` and `json` have all.\n",
			   m.left);
	if (d->notes.n)
		buf_putc(out, '\n');
	vec_each(&d->notes, n) {
		if (out->n + strlen(*n) > NOTES_END)
			untold++;
		else
			buf_printf(out, "- %s\n", *n);
	}
	if (untold)
		buf_printf(out, "- and %zu more notes\n", untold);
}

/* ---- JSON ---- */

static void json_verdict(struct json_writer *w, const char *key, struct verdict v)
{
	BUF_AUTO text = { 0 };

	verdict_print(&text, v);
	json_text(w, key, text.p);
}

static void json_arches(struct json_writer *w, unsigned arches)
{
	json_open(w, "arches", '[');
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			json_text(w, NULL, arch_info((enum arch)a)->name);
	json_close(w, ']');
}

/* Registers as strings: 64 bits are more than many readers of JSON keep. */
static void json_register(struct json_writer *w, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)n);
	json_text(w, key, text);
}

static void json_point(struct json_writer *w, const struct dd_point *p)
{
	unsigned host = p->at[DD_SYSTEM] & 0xff;
	char kernel[16];

	json_number(w, "audit_arch", p->at[DD_CALL] >> 32);
	json_number(w, "nr", (uint32_t)p->at[DD_CALL]);
	json_open(w, "args", '[');
	for (unsigned i = 0; i < 6; i++)
		json_register(w, NULL, p->at[i]);
	json_close(w, ']');
	json_register(w, "instruction_pointer", p->at[DD_IP]);
	json_open(w, "caps", '[');
	for (unsigned c = 0; c < CAPABILITY_NR; c++)
		if (p->at[DD_CAPS] >> c & 1)
			json_text(w, NULL, capability_name(c));
	json_close(w, ']');
	snprintf(kernel, sizeof(kernel), "%u.%u", (unsigned)(p->at[DD_SYSTEM] >> 16 & 0xff),
		 (unsigned)(p->at[DD_SYSTEM] >> 8 & 0xff));
	json_text(w, "kernel", kernel);
	json_optional(w, "host", host < ARCH_NR ? arch_info((enum arch)host)->name : NULL);
}

/* An object whose first value stands on the line of its bracket, or a line begins with it. */
static void open_spaced(struct json_writer *w, const char *line, const char *key)
{
	json_line(w, line);
	json_open(w, key, '{');
	json_line(w, " ");
}

static void close_spaced(struct json_writer *w)
{
	json_line(w, " ");
	json_close(w, '}');
}

static void json_step(struct json_writer *w, const struct diff_step *s)
{
	open_spaced(w, "\n      ", NULL);
	json_verdict(w, "a", s->a);
	json_verdict(w, "b", s->b);
	json_bool(w, "and_others", s->others);
	json_text(w, "condition", s->condition);
	json_bool(w, "condition_is_exact", s->exact);
	json_line(w, "\n        ");
	json_text(w, "example", s->call);
	open_spaced(w, NULL, "point");
	json_point(w, &s->at);
	close_spaced(w);
	json_line(w, "\n        ");
	json_text(w, "a_decided_by", s->by_a);
	json_text(w, "b_decided_by", s->by_b);
	close_spaced(w);
}

static void json_change(struct json_writer *w, struct arena *a, const struct diff *d,
			const struct diff_line *l)
{
	static const char *const parts[] = { "calls", "numbers", "skip", "architecture",
					     "foreign" };

	open_spaced(w, "\n    ", NULL);
	json_text(w, "change", diff_words[l->change]);
	json_text(w, "part", parts[l->part]);
	json_arches(w, l->arches);
	json_text(w, "about", diff_subject(a, l, d));
	json_line(w, "\n      ");
	json_open(w, "calls", '[');
	for (size_t i = 0; l->part == PART_CALL && i < l->calls.n; i++)
		json_text(w, NULL, l->calls.v[i]);
	json_close(w, ']');
	json_text(w, "environment", l->environment);
	json_open(w, "steps", '[');
	vec_each(&l->steps, s)
		json_step(w, s);
	json_line(w, " ");
	json_close(w, ']');
	close_spaced(w);
}

static void json_side(struct json_writer *w, const char *key, const struct decide *side,
		      const char *whom)
{
	open_spaced(w, "\n  ", key);
	json_text(w, "file", side->name);
	json_text(w, "kind", side->kind);
	json_optional(w, "for", whom);
	json_arches(w, side->arches);
	close_spaced(w);
}

/* The closing bracket of a list of `n` things, each on a line of its own. */
static void close_list(struct json_writer *w, size_t n)
{
	if (n)
		json_line(w, "\n  ");
	json_close(w, ']');
}

static void json_agreeing(struct json_writer *w, const char *key, const char *more,
			  const struct diff_agreeing *also)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < also->n; i++)
		json_text(w, NULL, also->list[i]);
	json_close(w, ']');
	json_number(w, more, also->more);
}

static void json_resources(struct json_writer *w, const struct diff *d)
{
	json_line(w, "\n  ");
	json_open(w, "resources", '[');
	vec_each(&d->resources, r) {
		open_spaced(w, "\n    ", NULL);
		json_text(w, "change", resource_word(r));
		json_text(w, "kind", diff_kinds[r->kind]);
		json_text(w, "profile", r->profile);
		json_text(w, "about", r->about);
		json_text(w, "path", r->path);
		json_text(w, "access", r->access);
		json_text(w, "a", r->a);
		json_text(w, "b", r->b);
		json_text(w, "a_decided_by", r->by_a);
		json_text(w, "b_decided_by", r->by_b);
		json_agreeing(w, "a_agreeing", "a_agreeing_more", &r->also_a);
		json_agreeing(w, "b_agreeing", "b_agreeing_more", &r->also_b);
		json_text(w, "reason", r->reason);
		close_spaced(w);
	}
	close_list(w, d->resources.n);
}

static void json_counts(struct json_writer *w, const struct diff *d)
{
	static const char *const keys[CHANGE_NR] = { "looser", "tighter", "incomparable",
						     "different_errno", "not_decided" };

	open_spaced(w, "\n  ", "counts");
	json_number(w, "same", d->same);
	for (enum change c = 0; c < CHANGE_NR; c++)
		json_number(w, keys[c], d->count[c]);
	close_spaced(w);
}

void diff_json(struct buf *out, struct arena *a, const struct diff *d)
{
	struct json_writer w = { .out = out };

	json_open(&w, NULL, '{');
	json_side(&w, "a", d->a, d->a_for);
	json_side(&w, "b", d->b, d->b_for);
	json_line(&w, "\n  ");
	if (d->open && !d->differs)
		json_null(&w, "same");
	else
		json_bool(&w, "same", !d->differs);
	json_line(&w, "\n  ");
	json_text(&w, "summary", diff_summary(a, d, "; "));
	json_counts(&w, d);
	json_line(&w, "\n  ");
	json_open(&w, "changes", '[');
	vec_each(&d->lines, l)
		json_change(&w, a, d, l);
	close_list(&w, d->lines.n);
	json_resources(&w, d);
	json_line(&w, "\n  ");
	json_open(&w, "notes", '[');
	vec_each(&d->notes, n)
		json_text(&w, NULL, *n);
	json_close(&w, ']');
	json_line(&w, "\n");
	json_close(&w, '}');
	buf_putc(out, '\n');
}
