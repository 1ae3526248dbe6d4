/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/diag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/base/table.h"

#define CAP          20
#define EXCERPT_MAX  160  /* code points of a source line that are shown */
#define EXCERPT_LEFT 60   /* of these at most so many before the caret */
#define AGAIN_MAX    3    /* further places of the same that are shown */
#define TEXT_HEAD    1500 /* bytes of a longer message that are kept: a name has no bound */
#define TEXT_TAIL    500

static const struct diag_info infos[DIAG_NR] = {
#define DIAG(id, slug, severity, doc) { #id, slug, SEVERITY_##severity, doc },
#include "compiler/base/diag.def"
#undef DIAG
};

const struct diag_info *diag_info(enum diag_id id)
{
	BUG_ON(id >= DIAG_NR);
	return &infos[id];
}

const char *severity_name(enum severity s)
{
	static const char *const names[SEVERITY_NR] = {
		[SEVERITY_ERROR] = "error",
		[SEVERITY_HIGH] = "high",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_INFO] = "info",
	};

	BUG_ON(s >= SEVERITY_NR);
	return names[s];
}

struct diags *diags_new(struct arena *a, struct sources *s)
{
	struct diags *ds = ARENA_NEW(a, struct diags);

	ds->arena = a;
	ds->sources = s;
	ds->cap = CAP;
	ds->past_cap = ARENA_NEW(a, struct diag);
	return ds;
}

/* The start of the code point around `at`. */
static size_t boundary(const char *s, size_t at)
{
	while (at && ((unsigned char)s[at] & 0xc0) == 0x80)
		at--;
	return at;
}

__attribute__((format(printf, 2, 0))) static const char *compose_text(struct diags *ds,
								      const char *fmt, va_list ap)
{
	char *s = arena_vprintf(ds->arena, fmt, ap);
	size_t n = strlen(s), head, tail;

	if (n <= TEXT_HEAD + TEXT_TAIL)
		return s;
	head = boundary(s, TEXT_HEAD);
	tail = boundary(s, n - TEXT_TAIL);
	memcpy(s + head, "...", 3);
	memmove(s + head + 3, s + tail, n - tail + 1);
	return s;
}

/* ds->past_cap: one of which nothing is kept, as a million of them must cost nothing. */
static struct diag *add(struct diags *ds, enum diag_id id, enum severity severity, struct span sp)
{
	struct diag *d = ds->past_cap;
	bool error = severity == SEVERITY_ERROR;
	bool kept = !error || ds->errors < ds->cap;

	if (kept) {
		d = ARENA_NEW(ds->arena, struct diag);
		vec_push(ds->arena, &ds->list, d);
	}
	ds->errors += error;
	*d = (struct diag){ .id = id, .severity = severity, .span = sp, .text = "" };
	return d;
}

bool diag_is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EAGAIN;
}

struct diag *diag_add(struct diags *ds, enum diag_id id, struct span sp, const char *fmt, ...)
{
	struct diag *d = add(ds, id, diag_info(id)->severity, sp);
	va_list ap;

	va_start(ap, fmt);
	if (d != ds->past_cap)
		d->text = compose_text(ds, fmt, ap);
	va_end(ap);
	return d;
}

struct diag *diag_add_as(struct diags *ds, enum diag_id id, enum severity severity, struct span sp,
			 const char *fmt, ...)
{
	struct diag *d = add(ds, id, severity, sp);
	va_list ap;

	va_start(ap, fmt);
	if (d != ds->past_cap)
		d->text = compose_text(ds, fmt, ap);
	va_end(ap);
	return d;
}

void diag_text(struct diags *ds, struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (d == ds->past_cap)
		return;
	va_start(ap, fmt);
	d->text = compose_text(ds, fmt, ap);
	va_end(ap);
}

void diag_help(struct diags *ds, struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (d == ds->past_cap)
		return;
	va_start(ap, fmt);
	d->help = compose_text(ds, fmt, ap);
	va_end(ap);
}

static __attribute__((format(printf, 4, 0))) void
add_label(struct diags *ds, struct diag *d, struct diag_label label, const char *fmt, va_list ap)
{
	if (d == ds->past_cap)
		return;
	label.text = compose_text(ds, fmt, ap);
	vec_push(ds->arena, &d->labels, label);
}

void diag_note(struct diags *ds, struct diag *d, struct span sp, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_label(ds, d, (struct diag_label){ .span = sp }, fmt, ap);
	va_end(ap);
}

void diag_again(struct diags *ds, struct diag *d, struct span sp)
{
	diag_again_as(ds, d, sp, "here");
}

void diag_again_as(struct diags *ds, struct diag *d, struct span sp, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_label(ds, d, (struct diag_label){ .span = sp, .again = true }, fmt, ap);
	va_end(ap);
}

void diag_also(struct diags *ds, struct diag *d, struct str what)
{
	if (d != ds->past_cap)
		d->also += hash_str(what);
}

void diag_fix(struct diags *ds, struct diag *d, struct span sp, struct str replacement)
{
	if (d == ds->past_cap)
		return;
	vec_push(ds->arena, &d->fix.edits,
		 ((struct edit){ sp, { str_dup(ds->arena, replacement), replacement.n } }));
}

void diag_fix_means(struct diag *d, enum fix_safety safety, enum fix_change change)
{
	bool grave = change == FIX_SAME && d->severity <= SEVERITY_HIGH;

	d->fix.safety = grave ? FIX_UNSAFE : safety;
	d->fix.change = change;
}

void diag_fix_call(struct diags *ds, struct diag *d, struct str call)
{
	if (d != ds->past_cap)
		vec_push(ds->arena, &d->fix.calls, call);
}

void diag_fix_drop(struct diag *d)
{
	d->fix = (struct fix){ 0 };
}

void diag_fix_word(struct diags *ds, struct diag *d, struct span sp, struct str word,
		   struct str replacement)
{
	if (!source_of(ds->sources, sp))
		return;
	struct str text = span_text(ds->sources, sp);
	if (text.n == word.n + 2 && text.p[0] == '"' && text.p[text.n - 1] == '"') {
		text = (struct str){ text.p + 1, text.n - 2 };
		sp.begin++;
		sp.end--;
	}
	if (str_eq(text, word))
		diag_fix(ds, d, sp, replacement);
}

bool diag_suggest_start(const struct diags *ds, struct suggest *s, struct str word)
{
	suggest_start(s, ds->errors > ds->cap ? (struct str){ 0 } : word);
	return s->word.n > 0;
}

bool diag_suggest(struct diags *ds, struct diag *d, struct span sp, const struct suggest *s)
{
	if (!s->best.p)
		return false;
	diag_help(ds, d, "did you mean '" PRISTR "'?", STRARG(s->best));
	if (!s->rival && s->distance <= 1)
		diag_fix_word(ds, d, sp, s->word, s->best);
	return true;
}

void diag_rule(struct diags *ds, struct diag *d, enum diag_id rule)
{
	if (d != ds->past_cap)
		d->rule = rule;
}

void diag_severity(struct diags *ds, struct diag *d, enum severity s)
{
	if (d->severity == SEVERITY_ERROR)
		ds->errors--;
	if (s == SEVERITY_ERROR)
		ds->errors++;
	d->severity = s;
}

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_diags(const struct diag *a, const struct diag *b)
{
	int r = compare_u32(a->span.source, b->span.source);

	r = r ? r : compare_u32(a->span.begin, b->span.begin);
	r = r ? r : compare_u32(a->span.end, b->span.end);
	return r ? r : (a->id > b->id) - (a->id < b->id);
}

/* Merge sort: stable, which qsort() is not. */
static void sort_range(struct diag **v, struct diag **tmp, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort_range(v, tmp, half);
	sort_range(v + half, tmp, n - half);
	while (i < half && j < n)
		tmp[k++] = compare_diags(v[i], v[j]) <= 0 ? v[i++] : v[j++];
	while (i < half)
		tmp[k++] = v[i++];
	while (j < n)
		tmp[k++] = v[j++];
	memcpy(v, tmp, n * sizeof(*v));
}

void diags_take(struct diags *ds, const struct diags *from)
{
	vec_each(&from->list, d)
		vec_push(ds->arena, &ds->list, *d);
	ds->errors += from->errors;
}

void diags_sort(struct diags *ds)
{
	struct diag **tmp = ARENA_ARRAY(ds->arena, struct diag *, ds->list.n);

	sort_range(ds->list.v, tmp, ds->list.n);
}

/* ---- text ---- */

static const char *severity_colour(enum severity s)
{
	switch (s) {
	case SEVERITY_ERROR:
	case SEVERITY_HIGH: return "\033[1;31m";
	case SEVERITY_WARNING: return "\033[1;33m";
	case SEVERITY_INFO: return "\033[1;36m";
	case SEVERITY_NR: break;
	}
	BUG("severity");
}

/* Bytes of the next thing that takes one column, at least 1. */
static size_t step(struct str s, size_t at)
{
	size_t len = utf8_len(s.p + at, s.n - at);

	return len ? len : 1;
}

/* One code point as it is shown; *columns: how wide that is. Tabs stay tabs. */
static void put_shown(struct buf *out, struct str c, size_t *columns)
{
	size_t before = out->n;

	if (c.n == 1 && c.p[0] == '\t')
		buf_putc(out, '\t');
	else
		buf_safe(out, c);
	*columns = out->n - before;
	if (*columns == c.n && utf8_len(c.p, c.n) == c.n)
		*columns = 1;
}

/* The place `n` code points left of `at`; continuation bytes are stepped over. */
static size_t step_back(struct str s, size_t at, unsigned n)
{
	while (at && n--)
		do
			at--;
		while (at && ((unsigned char)s.p[at] & 0xc0) == 0x80);
	return at;
}

static void put_times(struct buf *out, char c, size_t n)
{
	while (n--)
		buf_putc(out, c);
}

/*
 * A line, and below it the marks: what stands left of the caret is copied as blanks (tabs as
 * tabs), so that the caret stands right whatever a tab means to the terminal. A line longer
 * than the window is cut on both sides.
 */
static void print_excerpt(const struct source *src, struct span sp, char first, const char *text,
			  const char *on, struct buf *out)
{
	struct place pl = source_place(src, sp.begin);
	struct str line = pl.line_text;
	size_t begin = sp.begin - (size_t)(line.p - src->text.p);
	size_t end = sp.end - (size_t)(line.p - src->text.p);
	size_t columns, shown = 0, marked = 0;
	size_t at = begin < line.n ? step_back(line, begin, EXCERPT_LEFT) :
				     step_back(line, line.n, EXCERPT_LEFT);
	const char *off = *on ? "\033[0m" : "";
	BUF_AUTO left = { 0 };

	buf_printf(out, "%5u | ", pl.line);
	if (at) {
		buf_puts(out, "...");
		buf_puts(&left, "   ");
	}
	for (; at < line.n && shown < EXCERPT_MAX; at += step(line, at), shown++) {
		put_shown(out, (struct str){ line.p + at, step(line, at) }, &columns);
		if (at < begin) {
			put_times(&left, line.p[at] == '\t' ? '\t' : ' ', columns);
		} else if (at < end) {
			marked += columns;
		}
	}
	if (at < line.n)
		buf_puts(out, "...");
	buf_puts(out, "\n      | ");
	if (left.n)
		buf_add(out, left.p, left.n);
	buf_puts(out, on);
	buf_putc(out, first);
	if (marked > 1)
		put_times(out, '~', marked - 1);
	buf_puts(out, off);
	if (text) {
		buf_putc(out, ' ');
		buf_safe(out, str_c(text));
	}
	buf_putc(out, '\n');
}

static bool same_span(struct span a, struct span b)
{
	return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

static void print_label(const struct diags *ds, const struct diag *d, const struct diag_label *l,
			const char *text, struct buf *out)
{
	const struct source *src = source_of(ds->sources, l->span);

	if (!src) {
		buf_puts(out, "      = note: ");
		buf_safe(out, str_c(text));
		buf_putc(out, '\n');
		return;
	}
	if (l->span.source != d->span.source) {
		buf_puts(out, "  ");
		buf_safe(out, str_c(src->name));
		buf_printf(out, ":%u:\n", source_place(src, l->span.begin).line);
	}
	print_excerpt(src, l->span, '~', text, "", out);
}

/* A label on the very place of the diagnostic stands behind its caret. */
static const struct diag_label *label_at_caret(const struct diag *d)
{
	for (size_t i = 0; i < d->labels.n; i++)
		if (same_span(d->labels.v[i].span, d->span))
			return &d->labels.v[i];
	return NULL;
}

static void print_labels(const struct diags *ds, const struct diag *d,
			 const struct diag_label *at_caret, struct buf *out)
{
	size_t again = 0, shown = 0;

	vec_each(&d->labels, l)
		again += l->again;
	vec_each(&d->labels, l) {
		bool last = l->again && ++shown == AGAIN_MAX && again > shown;

		if (l != at_caret && !(l->again && shown > AGAIN_MAX))
			print_label(ds, d, l, last ? "here, and further down" : l->text, out);
	}
}

void diag_print_text(const struct diags *ds, const struct diag *d, bool colour, struct buf *out)
{
	const struct source *src = source_of(ds->sources, d->span);
	const struct diag_label *at_caret = src ? label_at_caret(d) : NULL;
	const char *on = colour ? severity_colour(d->severity) : "", *off = colour ? "\033[0m" : "";

	if (src) {
		struct place pl = source_place(src, d->span.begin);

		buf_safe(out, str_c(src->name));
		buf_printf(out, ":%u:%u: ", pl.line, pl.column);
	} else {
		buf_puts(out, "pale: ");
	}
	buf_printf(out, "%s%s:%s ", on, severity_name(d->severity), off);
	buf_safe(out, str_c(d->text));
	buf_printf(out, " [%s %s]\n", diag_info(d->id)->id, diag_info(d->id)->slug);
	if (src)
		print_excerpt(src, d->span, '^', at_caret ? at_caret->text : NULL, on, out);
	print_labels(ds, d, at_caret, out);
	if (d->help) {
		buf_puts(out, "      = help: ");
		buf_safe(out, str_c(d->help));
		buf_putc(out, '\n');
	}
}

/* ---- JSON ---- */

static void print_place(const struct diags *ds, struct span sp, struct json_writer *w)
{
	const struct source *src = source_of(ds->sources, sp);
	struct place from, to;

	if (!src)
		return;
	from = source_place(src, sp.begin);
	to = source_place(src, sp.end);
	json_text(w, "file", src->name);
	json_number(w, "line", from.line);
	json_number(w, "column", from.column);
	json_number(w, "endLine", to.line);
	json_number(w, "endColumn", to.column);
	json_number(w, "begin", sp.begin);
	json_number(w, "end", sp.end);
}

const char *const fix_change_words[FIX_CHANGE_NR] = {
	[FIX_READ] = "read",     [FIX_SAME] = "same",   [FIX_TIGHTER] = "tighter",
	[FIX_LOOSER] = "looser", [FIX_ERRNO] = "errno", [FIX_OTHER] = "other",
};

/* One at most today; a list, as SARIF has it. */
static void put_fixes(const struct diags *ds, const struct fix *fix, struct json_writer *w)
{
	json_open(w, "fixes", '[');
	json_open(w, NULL, '{');
	json_text(w, "safety", fix->safety == FIX_SAFE ? "safe" : "unsafe");
	json_text(w, "change", fix_change_words[fix->change]);
	json_open(w, "edits", '[');
	vec_each(&fix->edits, e) {
		json_open(w, NULL, '{');
		print_place(ds, e->span, w);
		json_string(w, "replacement", e->replacement);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
	json_close(w, ']');
}

static void put_notes(const struct diags *ds, const struct diag *d, struct json_writer *w)
{
	json_open(w, "notes", '[');
	for (size_t i = 0; i < d->labels.n; i++) {
		json_open(w, NULL, '{');
		print_place(ds, d->labels.v[i].span, w);
		json_text(w, "message", d->labels.v[i].text);
		json_close(w, '}');
	}
	json_close(w, ']');
}

void diag_put_members(const struct diags *ds, const struct diag *d, struct json_writer *w)
{
	const struct diag_info *info = diag_info(d->id);

	print_place(ds, d->span, w);
	json_text(w, "severity", severity_name(d->severity));
	json_text(w, "id", info->id);
	json_text(w, "slug", info->slug);
	json_text(w, "message", d->text);
	json_optional(w, "help", d->help);
	if (d->fix.edits.n)
		put_fixes(ds, &d->fix, w);
	if (d->labels.n)
		put_notes(ds, d, w);
}

void diag_print_json(const struct diags *ds, const struct diag *d, struct buf *out)
{
	struct json_writer w = { .out = out, .compact = true };

	json_open(&w, NULL, '{');
	diag_put_members(ds, d, &w);
	json_close(&w, '}');
	buf_putc(out, '\n');
}
