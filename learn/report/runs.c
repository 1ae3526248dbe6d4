/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that a page is of: where and when each was, and what it showed that those before it had not. */
#include <stdlib.h>
#include <time.h>

#include "learn/report/parts.h"

enum {
	RUNS_SHOWN = 200,  /* in the table */
	RUNS_DRAWN = 20000 /* beyond that what is new would take long to add up */
};

struct started {
	size_t run;
	uint64_t ns;
};

static int cmp_started(const void *x, const void *y)
{
	const struct started *a = x, *b = y;

	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	return a->run < b->run ? -1 : a->run > b->run;
}

/* The first of the runs that have it, by its place in their order. */
static size_t first_of(const uint64_t *in, const size_t *place, size_t n)
{
	size_t first = n;

	for (size_t w = 0; in && w < (n + 63) / 64; w++)
		for (uint64_t bits = in[w]; bits; bits &= bits - 1) {
			size_t run = w * 64 + (size_t)__builtin_ctzll(bits);

			if (run < n && place[run] < first)
				first = place[run];
		}
	return first;
}

static void count_news(const struct page *p, const size_t *place, size_t n, struct run_news *fresh)
{
	vec_each(&p->r->calls, c) {
		size_t first = c->assumed ? n : first_of(c->in, place, n);

		if (first < n)
			fresh[first].calls++;
	}
	vec_each(&p->r->files, f) {
		size_t first = first_of(f->in, place, n);

		if (first < n)
			fresh[first].files++;
	}
}

static void put_started(struct buf *out, uint64_t ns)
{
	time_t t = (time_t)(ns / 1000000000u);
	char text[32];
	struct tm tm;

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		html_c(out, text);
	else
		buf_puts(out, "?");
}

/* How it ended, where that was not by itself, and what it lacks. */
static void put_lacks(struct buf *out, const struct recorded_run *r)
{
	const char *sep = "";
	const struct {
		bool is;
		const char *what;
	} all[] = {
		{ run_lossy(r), "incomplete" },
		{ r->midway, "begun midway" },
		{ r->unfinished, "a snapshot: it went on" },
		{ r->left_running, "left running" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].is) {
			buf_printf(out, "%s%s", sep, all[i].what);
			sep = ", ";
		}
}

static void put_run(struct buf *out, const struct recorded_run *r, const struct run_news *fresh)
{
	buf_puts(out, "<tr><td>");
	put_started(out, r->started_ns);
	buf_puts(out, "</td><td>");
	html_c(out, r->hostname ? r->hostname : "");
	if (r->containers || r->image) {
		buf_puts(out, " <span class=\"why\">");
		html_c(out, r->containers ? r->containers : r->image);
		buf_puts(out, "</span>");
	}
	buf_puts(out, "</td><td class=\"n\">");
	run_time_print(out, r->duration_ns);
	buf_puts(out, "</td><td class=\"n\">");
	html_number(out, fresh->calls);
	buf_puts(out, "</td><td class=\"n\">");
	html_number(out, fresh->files);
	buf_puts(out, "</td><td class=\"bad\">");
	put_lacks(out, r);
	buf_puts(out, "</td></tr>\n");
}

static void put_table(const struct page *p, const struct started *order, size_t n,
		      const struct run_news *fresh)
{
	buf_printf(p->out,
		   "<details%s><summary>the runs, by when they began (UTC)</summary>\n<table>"
		   "<thead><tr><th>began</th><th>on</th><th class=\"n\">took</th><th "
		   "class=\"n\">new calls</th><th class=\"n\">new files</th><th></th></tr></thead>"
		   "<tbody>\n",
		   n <= 12 ? " open" : "");
	for (size_t i = 0; i < n && i < RUNS_SHOWN; i++)
		put_run(p->out, recordings_run(p->rep->runs, order[i].run), &fresh[i]);
	buf_puts(p->out, "</tbody></table>\n");
	if (n > RUNS_SHOWN)
		buf_printf(p->out, "<p class=\"sub\">and %zu more</p>\n", n - RUNS_SHOWN);
	buf_puts(p->out, "</details>\n");
}

void report_runs(const struct page *p)
{
	size_t n = p->r->runs ? p->r->runs->n : 1;
	struct started *order;
	struct run_news *fresh;
	size_t *place;

	if (n < 2 || !p->rep->runs || recordings_runs(p->rep->runs) != n)
		return;
	html_heading(p->out, "New by run");
	if (n > RUNS_DRAWN) {
		html_note(p->out, "There are too many runs to say of each what was new in it.");
		return;
	}
	order = ARENA_ARRAY(p->a, struct started, n);
	place = ARENA_ARRAY(p->a, size_t, n);
	fresh = ARENA_ARRAY(p->a, struct run_news, n);
	for (size_t i = 0; i < n; i++)
		order[i] = (struct started){ i, p->r->runs->started_ns[i] };
	qsort(order, n, sizeof(*order), cmp_started);
	for (size_t i = 0; i < n; i++)
		place[order[i].run] = i;
	count_news(p, place, n, fresh);
	html_note(p->out,
		  "Different calls and files after so many runs; what still rises has not all "
		  "been seen.");
	report_growth_by_run(p, fresh, n);
	put_table(p, order, n, fresh);
}
