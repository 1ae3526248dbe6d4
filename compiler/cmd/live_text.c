/* SPDX-License-Identifier: Apache-2.0 */
/* What the live view says. Names are the workload's: only printable ASCII of them is shown as it is. */
#include <string.h>

#include "compiler/cmd/live.h"
#include "compiler/rules/rules.h"
#include "learn/unseen.h"

#define SECOND UINT64_C(1000000000)

enum { NAMES_OF_LINE = 4, PROGRAMS_OF_LINE = 3, LABEL = 10 };

/* What is bold, of little weight, or bad. */
enum shade { PLAIN, BOLD, DIM, GOOD, BAD };
static const char *const shades[] = { "", "\033[1m", "\033[2m", "\033[32m", "\033[33m" };

struct row { /* of a picture: what is beyond its width is not written */
	struct buf *out;
	unsigned left;
	bool colour;
};

static void put_safe(struct buf *out, const char *s)
{
	for (; *s; s++)
		if (*s >= ' ' && *s < 0x7f)
			buf_putc(out, *s);
		else
			buf_printf(out, "\\x%02x", (unsigned char)*s);
}

static void put_some(struct row *l, enum shade shade, const char *text, size_t n)
{
	const char *on = l->colour ? shades[shade] : "";

	if (n > l->left)
		n = l->left;
	if (!n)
		return;
	buf_puts(l->out, on);
	buf_add(l->out, text, n);
	buf_puts(l->out, *on ? "\033[0m" : "");
	l->left -= (unsigned)n;
}

static void put(struct row *l, enum shade shade, const struct buf *text)
{
	put_some(l, shade, text->n ? text->p : "", text->n);
}

/* ---- numbers ---- */

/* "12 345" */
static void put_number(struct buf *out, uint64_t n)
{
	BUF_AUTO digits = { 0 };

	buf_number(&digits, n);
	for (size_t i = 0; i < digits.n; i++) {
		if (i && (digits.n - i) % 3 == 0)
			buf_putc(out, ' ');
		buf_putc(out, digits.p[i]);
	}
}

static void put_count(struct buf *out, uint64_t n, const char *what, const char *more)
{
	put_number(out, n);
	buf_printf(out, " %s", n == 1 ? what : more);
}

/* "1:02", "1:00:02" */
static void put_clock(struct buf *out, uint64_t ns)
{
	unsigned long long s = ns / SECOND;

	if (s >= 3600)
		buf_printf(out, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	else
		buf_printf(out, "%llu:%02llu", s / 60, s % 60);
}

static void put_share(struct buf *out, uint64_t ns, uint64_t of)
{
	buf_printf(out, "%.1f%%", of ? (double)ns * 100 / (double)of : 0.0);
}

void live_note(struct live_text *t, const struct live_look *look, uint64_t own_ns)
{
	if (t->n && look->clock_ns - t->then[0].clock_ns < SECOND - SECOND / 8)
		return;
	memmove(&t->then[1], &t->then[0], LIVE_SECONDS * sizeof(t->then[0]));
	t->then[0] = (struct live_then){ look->clock_ns, look->made,  own_ns,
					 look->calls,    look->files, look->caps };
	if (t->n <= LIVE_SECONDS)
		t->n++;
}

/* How it stood so many seconds ago, or as long ago as is known. */
static const struct live_then *ago(const struct live_text *t, size_t seconds)
{
	return &t->then[seconds < t->n ? seconds : t->n - 1];
}

/* What stood there before anything was looked at is new, too. */
static struct live_then grown(const struct live_text *t, const struct live_look *look)
{
	struct live_then d = { .calls = look->calls, .files = look->files, .caps = look->caps };
	const struct live_then *old = ago(t, LIVE_SECONDS);

	if (look->ns <= LIVE_SECONDS * SECOND)
		return d;
	d.calls -= old->calls;
	d.files = d.files > old->files ? d.files - old->files : 0;
	d.caps -= old->caps;
	return d;
}

/* "2 calls, 1 file"; nothing where there is none. */
static void put_grown(struct buf *out, const struct live_then *d)
{
	if (d->calls)
		put_count(out, d->calls, "call", "calls");
	if (d->files) {
		buf_puts(out, out->n ? ", " : "");
		put_count(out, d->files, "file", "files");
	}
	if (d->caps) {
		buf_puts(out, out->n ? ", " : "");
		put_count(out, d->caps, "capability", "capabilities");
	}
}

/* ---- the picture ---- */

static struct row begin(struct buf *out, unsigned width, const struct live_text *t,
			const char *label)
{
	struct row l = { out, width, t->colour };
	BUF_AUTO text = { 0 };

	buf_printf(&text, "  %-*s", LABEL, label);
	put(&l, DIM, &text);
	return l;
}

static void put_title(struct row *l, const struct live_text *t, const struct live_look *look)
{
	BUF_AUTO what = { 0 }, rest = { 0 };

	put_safe(&what, look->watched && *look->watched ? look->watched : t->what);
	if (!look->ns)
		buf_puts(&rest, t->is_ready ? ": nothing was seen yet" : ": getting ready");
	else if (look->is_ending)
		buf_puts(&rest, ": ending; Ctrl-C again: at once");
	put_some(l, BOLD, "pale learn ", 11);
	if (look->ns) {
		BUF_AUTO clock = { 0 };

		put_clock(&clock, look->ns);
		buf_putc(&clock, ' ');
		put(l, BOLD, &clock);
	}
	/* A long list of containers gives way to what is said of it. */
	if (what.n + rest.n > l->left && what.n > 12)
		what.n = l->left > rest.n + 12 ? l->left - rest.n : 12;
	put(l, PLAIN, &what);
	put(l, PLAIN, &rest);
	if (!look->is_ending)
		put_some(l, DIM, "; Ctrl-C ends it", 16);
	buf_putc(l->out, '\n');
}

static void put_calls(struct row *l, const struct live_text *t, const struct live_look *look)
{
	const struct live_then *old = ago(t, 2);
	uint64_t ns = look->clock_ns - old->clock_ns;
	BUF_AUTO count = { 0 }, rest = { 0 };

	put_number(&count, look->calls);
	buf_puts(&rest, " different; ");
	put_count(&rest, look->made, "made", "made");
	if (ns && look->made >= old->made) {
		buf_puts(&rest, ", ");
		put_number(&rest, (uint64_t)((double)(look->made - old->made) * 1e9 / (double)ns));
		buf_puts(&rest, " a second");
	}
	put(l, BOLD, &count);
	put(l, PLAIN, &rest);
	buf_putc(l->out, '\n');
}

static void put_files(struct row *l, const struct live_look *look)
{
	BUF_AUTO count = { 0 }, rest = { 0 };

	put_number(&count, look->files);
	if (look->caps_seen) {
		buf_puts(&rest, "; ");
		put_count(&rest, look->caps, "capability", "capabilities");
	}
	if (look->tasks) {
		buf_puts(&rest, "; ");
		put_count(&rest, look->tasks, "task", "tasks");
	}
	put(l, BOLD, &count);
	put(l, PLAIN, &rest);
	buf_putc(l->out, '\n');
}

static void put_new(struct row *l, const struct live_text *t, const struct live_look *look)
{
	struct live_then d = grown(t, look);
	BUF_AUTO text = { 0 };

	put_grown(&text, &d);
	if (text.n) {
		buf_printf(&text, " in the last %d s", LIVE_SECONDS);
		put(l, GOOD, &text);
	} else if (look->n && look->ns > look->newest[0].first_ns) {
		buf_puts(&text, "nothing for ");
		put_clock(&text, look->ns - look->newest[0].first_ns);
		put(l, PLAIN, &text);
	} else {
		put_some(l, PLAIN, "nothing", 7);
	}
	buf_putc(l->out, '\n');
}

static void put_lost(struct row *l, const struct live_look *look)
{
	BUF_AUTO text = { 0 };
	bool bad = run_lossy(&look->lost);

	if (bad)
		run_losses_print(&text, &look->lost);
	else
		buf_puts(&text, "nothing");
	put(l, bad ? BAD : PLAIN, &text);
	buf_putc(l->out, '\n');
}

/* Of one CPU's time: what the programs take in the workload's calls, and what this process does. */
static void put_cost(struct buf *out, const struct live_text *t, const struct live_look *look)
{
	const struct live_then *old = ago(t, LIVE_SECONDS);
	uint64_t ns = t->then[0].clock_ns - old->clock_ns;

	if (look->of_ns) {
		put_share(out, look->programs_ns, look->of_ns);
		buf_puts(out, " of a CPU in its calls, ");
	}
	put_share(out, t->then[0].own_ns - old->own_ns, ns);
	buf_puts(out, look->of_ns ? " in pale" : " of a CPU in pale");
}

static void put_unseen(struct buf *out, const struct live_text *t, const struct live_look *look)
{
	struct unseen u;

	put_count(out, unseen_with(t->earlier, look->made_by, &u), "call", "calls");
	buf_puts(out, " that ");
	put_count(out, u.runs - 1, "earlier run", "earlier runs");
	buf_puts(out, " did not make; ");
	if (u.more >= 0.05)
		buf_printf(out, "more runs would add %.1f at least", u.more);
	else
		buf_puts(out, "nothing says that more runs would add any");
}

/* ---- programs ---- */

/* The end of a path says more than its beginning. */
static void put_end(struct row *l, const struct buf *name, bool is_cut, size_t room)
{
	size_t n = name->n;

	if (n > room || is_cut) {
		room = room > 3 ? room - 3 : 0;
		n = room < n ? room : n;
		put_some(l, DIM, "...", 3);
	}
	put_some(l, PLAIN, name->n ? name->p + (name->n - n) : "", n);
}

static const char *call_at(size_t at)
{
	int a = abi_arch((unsigned)at / TRACE_NRS);
	const struct syscall_info *sys =
		a >= 0 ? syscall_by_nr((enum arch)a, (uint32_t)at % TRACE_NRS) : NULL;

	return sys ? sys->name : "?";
}

/* ": accept4, listen, ...", no longer than `room`. */
static void put_alone(struct buf *out, const struct live_program *p, size_t room)
{
	size_t end = out->n + room;
	const char *sep = ": ";

	for (size_t at = 0; at < TRACE_CALLS; at++) {
		const char *name = call_at(at);

		if (!(p->alone_calls[at / 64] >> at % 64 & 1))
			continue;
		if (out->n + strlen(sep) + strlen(name) + 5 > end) {
			if (*sep == ',' && out->n + 5 <= end)
				buf_puts(out, ", ...");
			return;
		}
		buf_puts(out, sep);
		buf_puts(out, name);
		sep = ", ";
	}
}

/* "41 calls, 30 while serving, 12 alone"; of one program there is nothing that it makes alone. */
static void put_made(struct buf *out, const struct live_look *look, const struct live_program *p)
{
	put_count(out, p->calls, "call", "calls");
	if (p->serving) {
		buf_puts(out, ", ");
		put_count(out, p->serving, "while serving", "while serving");
	}
	if (look->nprograms > 1) {
		buf_puts(out, ", ");
		put_count(out, p->alone, "alone", "alone");
	}
}

static void put_program(struct row *l, const struct live_look *look, const struct live_program *p)
{
	BUF_AUTO name = { 0 }, made = { 0 };
	size_t all;

	put_safe(&name, *p->name ? p->name : "others");
	buf_puts(&made, "  ");
	put_made(&made, look, p);
	all = made.n < l->left ? l->left - made.n : 0;
	put_end(l, &name, p->is_cut, all);
	if (look->nprograms > 1 && l->left > made.n)
		put_alone(&made, p, l->left - made.n);
	put(l, PLAIN, &made);
	buf_putc(l->out, '\n');
}

/* In at most `rows`: those that alone make most; how many it took. */
static unsigned put_programs(struct buf *out, const struct live_text *t,
			     const struct live_look *look, unsigned width, unsigned rows)
{
	size_t n = look->nprograms < LIVE_PROGRAMS ? look->nprograms : LIVE_PROGRAMS, shown;
	BUF_AUTO more = { 0 };

	if (!rows || !n)
		return 0;
	shown = n > rows ? rows : n;
	if (look->nprograms > shown && shown > 1)
		shown--; /* the last row says how many more there are */
	for (size_t i = 0; i < shown; i++) {
		struct row l = begin(out, width, t, i ? "" : "programs");

		put_program(&l, look, &look->programs[i]);
	}
	if (look->nprograms == shown || rows == 1)
		return (unsigned)shown;
	{
		struct row l = begin(out, width, t, "");

		buf_puts(&more, "and ");
		put_number(&more, look->nprograms - shown);
		buf_puts(&more, " more");
		put(&l, DIM, &more);
		buf_putc(out, '\n');
	}
	return (unsigned)shown + 1;
}

/* "   1:02  file  /etc/hosts r" */
static void put_item(struct row *l, const struct live_new *it)
{
	static const char *const kinds[] = { "call", "file", "cap" };
	BUF_AUTO when = { 0 }, clock = { 0 }, name = { 0 }, perms = { 0 };

	put_clock(&clock, it->first_ns);
	buf_printf(&when, "  %8.*s  %-4s  ", (int)clock.n, clock.p, kinds[it->kind]);
	put(l, DIM, &when);
	put_safe(&name, it->name);
	if (it->kind == LIVE_FILE && it->perms) {
		buf_putc(&perms, ' ');
		aa_perms_put(&perms, it->perms);
	}
	put_end(l, &name, it->is_cut, l->left > perms.n ? l->left - perms.n : 0);
	put(l, DIM, &perms);
	buf_putc(l->out, '\n');
}

void live_picture(struct buf *out, const struct live_text *t, const struct live_look *look,
		  unsigned width, unsigned height)
{
	struct row l = { out, width, t->colour };
	BUF_AUTO cost = { 0 }, unseen = { 0 };
	unsigned rows = 1;

	put_title(&l, t, look);
	if (!look->ns)
		return;
	put_cost(&cost, t, look);
	if (t->earlier)
		put_unseen(&unseen, t, look);
	for (unsigned i = 0; i < 6 && rows < height; i++, rows++) {
		static const char *const labels[] = { "calls", "files", "new",
						      "lost",  "cost",  "unseen" };

		if (i == 5 && !unseen.n)
			break;
		l = begin(out, width, t, labels[i]);
		switch (i) {
		case 0: put_calls(&l, t, look); break;
		case 1: put_files(&l, look); break;
		case 2: put_new(&l, t, look); break;
		case 3: put_lost(&l, look); break;
		default: put(&l, PLAIN, i == 4 ? &cost : &unseen); buf_putc(out, '\n');
		}
	}
	/* What was new has two thirds of what is left. */
	rows += put_programs(out, t, look, width, (height - rows) / 3);
	for (size_t i = 0; i < look->n && rows < height && i < 8; i++, rows++) {
		l = (struct row){ out, width, t->colour };
		put_item(&l, &look->newest[i]);
	}
}

/* ---- lines ---- */

/* "; by 5 programs: /usr/bin/a (41 calls, 12 alone), /bin/b (3 calls, 0 alone), ..." */
static void put_line_programs(struct buf *out, const struct live_look *look)
{
	size_t n = look->nprograms < PROGRAMS_OF_LINE ? look->nprograms : PROGRAMS_OF_LINE;

	if (!n)
		return;
	buf_puts(out, "; by ");
	put_count(out, look->nprograms, "program", "programs");
	for (size_t i = 0; i < n; i++) {
		const struct live_program *p = &look->programs[i];

		buf_puts(out, i ? ", " : ": ");
		buf_puts(out, p->is_cut ? "..." : "");
		put_safe(out, *p->name ? p->name : "others");
		buf_puts(out, " (");
		put_made(out, look, p);
		buf_putc(out, ')');
	}
	buf_puts(out, look->nprograms > n ? ", ..." : "");
}

void live_line(struct buf *out, const struct live_text *t, const struct live_look *look)
{
	struct live_then d = grown(t, look);
	BUF_AUTO fresh = { 0 };
	size_t n = d.calls + d.files + d.caps;

	buf_puts(out, "pale learn: ");
	put_clock(out, look->ns);
	buf_puts(out, ": ");
	put_count(out, look->calls, "call", "calls");
	buf_puts(out, ", ");
	put_count(out, look->files, "file", "files");
	if (look->caps_seen) {
		buf_puts(out, ", ");
		put_count(out, look->caps, "capability", "capabilities");
	}
	put_grown(&fresh, &d);
	if (fresh.n) {
		buf_printf(out, "; in the last %d s new: %.*s (", LIVE_SECONDS, (int)fresh.n,
			   fresh.p);
		for (size_t i = 0; i < look->n && i < n && i < NAMES_OF_LINE; i++) {
			buf_puts(out, i ? ", " : "");
			buf_puts(out, look->newest[i].is_cut ? "..." : "");
			put_safe(out, look->newest[i].name);
		}
		buf_puts(out, n > NAMES_OF_LINE ? ", ...)" : ")");
	}
	buf_puts(out, "; lost: ");
	if (run_lossy(&look->lost))
		run_losses_print(out, &look->lost);
	else
		buf_puts(out, "nothing");
	buf_puts(out, "; ");
	put_cost(out, t, look);
	put_line_programs(out, look);
	if (t->earlier) {
		buf_puts(out, "; ");
		put_unseen(out, t, look);
	}
}

void live_last(struct buf *out, const struct recording *r)
{
	size_t calls = 0;

	vec_each(&r->calls, c)
		calls += !c->assumed;
	buf_puts(out, "pale learn: ");
	put_clock(out, r->run.duration_ns);
	buf_puts(out, ": ");
	put_count(out, calls, "call", "calls");
	buf_puts(out, ", ");
	if (r->run.no_files)
		buf_puts(out, "files not looked at");
	else
		put_count(out, r->files.n, "file", "files");
	buf_puts(out, run_lossy(&r->run) ? "; incomplete" : "; nothing was lost");
}
