/* SPDX-License-Identifier: Apache-2.0 */
/* How many different calls and files had been seen by when: where a line is flat, nothing was new. */
#include <stddef.h>
#include <stdlib.h>

#include "learn/report/parts.h"

/* In units of the picture: the plot, and room for what is written around it. */
enum { WIDTH = 760, HEIGHT = 240, LEFT = 48, RIGHT = 120, TOP = 16, BOTTOM = 32 };
#define FIRST_NS 100000u /* the axis is logarithmic, and begins at a tenth of a millisecond */

struct series {
	uint64_t *at; /* sorted */
	size_t n;
	const char *name, *class;
};

struct plot {
	uint64_t last_ns; /* 0: of runs */
	size_t runs;
	size_t most;
};

static int cmp_ns(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static double x_of(const struct plot *p, uint64_t ns)
{
	if (!p->last_ns)
		return (double)LEFT + (double)ns / (double)p->runs * (WIDTH - LEFT - RIGHT);

	double from = report_log2(FIRST_NS), to = report_log2(p->last_ns);
	double at = report_log2(ns < FIRST_NS ? FIRST_NS : ns > p->last_ns ? p->last_ns : ns);

	return (double)LEFT + (at - from) / (to - from) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct plot *p, size_t n)
{
	return (double)TOP + (1 - (double)n / (double)p->most) * (HEIGHT - TOP - BOTTOM);
}

static void put_line(struct buf *out, const struct plot *p, const struct series *s, double label_y)
{
	const char *many = s->n == 1 ? "" : "s";

	buf_printf(out, "<path class=\"line %s\" d=\"M%d %.1f", s->class, LEFT, y_of(p, 0));
	for (size_t i = 0; i < s->n; i++) {
		if (i + 1 < s->n && s->at[i + 1] == s->at[i])
			continue;
		buf_printf(out, "H%.1fV%.1f", x_of(p, s->at[i]), y_of(p, i + 1));
	}
	buf_printf(out,
		   "H%d\"><title>%zu %s%s%s</title></path>\n"
		   "<text class=\"label %s\" x=\"%d\" y=\"%.1f\">%zu %s%s</text>\n",
		   WIDTH - RIGHT, s->n, s->n == 1 ? "" : "different ", s->name, many, s->class,
		   WIDTH - RIGHT + 8, label_y, s->n, s->name, many);
}

static void put_tick(struct buf *out, const struct plot *p, uint64_t at)
{
	double x = x_of(p, at);

	buf_printf(out,
		   "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
		   "<text class=\"tick\" x=\"%.1f\" y=\"%d\">",
		   x, TOP, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 18);
	if (p->last_ns)
		run_time_print(out, at);
	else
		buf_number(out, at);
	buf_puts(out, "</text>\n");
}

/* Every so many runs, so that their numbers do not touch: 1, 2, 5, 10, 20 ... */
static size_t step_of(size_t runs)
{
	size_t step = 1;

	for (unsigned i = 0; runs / step > 12; i++)
		step = i % 3 == 1 ? step / 2 * 5 : step * 2;
	return step;
}

static void put_axes(struct buf *out, const struct plot *p)
{
	size_t step = step_of(p->runs);

	for (uint64_t ns = FIRST_NS; p->last_ns && ns <= p->last_ns; ns *= 10)
		put_tick(out, p, ns);
	for (size_t i = 0; !p->last_ns && i <= p->runs; i += step)
		put_tick(out, p, i);
	for (size_t i = 0; i <= 4; i++) {
		size_t n = p->most * i / 4;
		double y = y_of(p, n);

		buf_printf(out,
			   "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
			   "<text class=\"tick left\" x=\"%d\" y=\"%.1f\">%zu</text>\n",
			   LEFT, y, WIDTH - RIGHT, y, LEFT - 8, y + 4, n);
	}
}

/* From where on the first process served. */
static void put_boundary(struct buf *out, const struct plot *p, uint64_t ns)
{
	double x = x_of(p, ns);

	buf_printf(out,
		   "<line class=\"boundary\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
		   "<text class=\"tick\" x=\"%.1f\" y=\"%d\">serves</text>\n",
		   x, TOP, x, HEIGHT - BOTTOM, x, TOP - 4);
}

/* Whole numbers of lines between the axis's four. */
static size_t round_up(size_t n)
{
	size_t step = 4;

	while (step * 10 < n)
		step *= 10;
	return n ? (n + step - 1) / step * step : step;
}

static struct series sorted(uint64_t *at, size_t n, const char *name, const char *class)
{
	if (n)
		qsort(at, n, sizeof(*at), cmp_ns);
	return (struct series){ at, n, name, class };
}

/* What was written last must not lie on what was written before. */
static void put_lines(struct buf *out, const struct plot *p, const struct series s[2])
{
	for (size_t i = 0; i < 2; i++) {
		double y = y_of(p, s[i].n) + 4;
		double apart = y_of(p, s[0].n) - y_of(p, s[1].n);

		if (i && apart < 16 && apart > -16)
			y += apart > 0 ? apart - 16 : apart + 16;
		put_line(out, p, &s[i], y);
	}
	buf_puts(out, "</svg></div>\n");
}

static void begin(struct buf *out, const char *label)
{
	buf_printf(
		out,
		"<div class=\"scroll\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
		WIDTH, HEIGHT, label);
}

void report_growth(const struct page *page)
{
	const struct recording *r = page->r;
	uint64_t *calls = ARENA_ARRAY(page->a, uint64_t, r->calls.n + 1);
	uint64_t *files = ARENA_ARRAY(page->a, uint64_t, r->files.n + 1);
	struct plot p = { .last_ns = r->run.duration_ns };
	struct series s[2];
	size_t nc = 0, nf = 0;

	vec_each(&r->calls, c)
		if (!c->assumed && !c->held)
			calls[nc++] = c->first_ns;
	vec_each(&r->files, f)
		if (!f->held)
			files[nf++] = f->first_ns;
	s[0] = sorted(calls, nc, "call", "a");
	s[1] = sorted(files, nf, "file", "b");
	p.most = round_up(nc > nf ? nc : nf);
	for (size_t i = 0; i < 2; i++)
		if (s[i].n && s[i].at[s[i].n - 1] > p.last_ns)
			p.last_ns = s[i].at[s[i].n - 1];
	if (p.last_ns < 10 * FIRST_NS)
		p.last_ns = 10 * FIRST_NS;
	if (p.last_ns >
	    UINT64_MAX / 20) /* decades: hostile, and the next power of ten is no number */
		p.last_ns = UINT64_MAX / 20;
	begin(page->out, "different calls and files over time");
	put_axes(page->out, &p);
	if (r->run.serving_ns)
		put_boundary(page->out, &p, r->run.serving_ns);
	put_lines(page->out, &p, s);
}

/* The same as times: run i + 1 is where what was new in it is added. */
static struct series by_run(struct arena *a, const struct run_news *fresh, size_t n, size_t at,
			    const char *name, const char *class)
{
	size_t total = 0, k = 0;
	uint64_t *out;

	for (size_t i = 0; i < n; i++)
		total += *(const size_t *)((const char *)&fresh[i] + at);
	out = ARENA_ARRAY(a, uint64_t, total + 1);
	for (size_t i = 0; i < n; i++)
		for (size_t j = *(const size_t *)((const char *)&fresh[i] + at); j; j--)
			out[k++] = i + 1;
	return (struct series){ out, total, name, class };
}

void report_growth_by_run(const struct page *page, const struct run_news *fresh, size_t n)
{
	struct plot p = { .runs = n };
	struct series s[2] = {
		by_run(page->a, fresh, n, offsetof(struct run_news, calls), "call", "a"),
		by_run(page->a, fresh, n, offsetof(struct run_news, files), "file", "b"),
	};

	p.most = round_up(s[0].n > s[1].n ? s[0].n : s[1].n);
	begin(page->out, "different calls and files over runs");
	put_axes(page->out, &p);
	put_lines(page->out, &p, s);
}
