/* SPDX-License-Identifier: Apache-2.0 */
/* How many different calls and files had been seen by when: where a line is flat, nothing was new. */
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
	uint64_t last_ns;
	size_t most;
};

static int cmp_ns(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static double x_of(const struct plot *p, uint64_t ns)
{
	double from = report_log2(FIRST_NS), to = report_log2(p->last_ns);
	double at = report_log2(ns < FIRST_NS ? FIRST_NS : ns > p->last_ns ? p->last_ns : ns);

	return LEFT + (at - from) / (to - from) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct plot *p, size_t n)
{
	return TOP + (1 - (double)n / (double)p->most) * (HEIGHT - TOP - BOTTOM);
}

static void put_line(struct buf *out, const struct plot *p, const struct series *s, double label_y)
{
	buf_printf(out, "<path class=\"line %s\" d=\"M%d %.1f", s->class, LEFT, y_of(p, 0));
	for (size_t i = 0; i < s->n; i++) {
		if (i + 1 < s->n && s->at[i + 1] == s->at[i])
			continue;
		buf_printf(out, "H%.1fV%.1f", x_of(p, s->at[i]), y_of(p, i + 1));
	}
	buf_printf(out,
		   "H%d\"><title>%zu different %s</title></path>\n"
		   "<text class=\"label %s\" x=\"%d\" y=\"%.1f\">%zu %s</text>\n",
		   WIDTH - RIGHT, s->n, s->name, s->class, WIDTH - RIGHT + 8, label_y, s->n,
		   s->name);
}

static void put_axes(struct buf *out, const struct plot *p)
{
	for (uint64_t ns = FIRST_NS; ns <= p->last_ns; ns *= 10) {
		double x = x_of(p, ns);

		buf_printf(out,
			   "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
			   "<text class=\"tick\" x=\"%.1f\" y=\"%d\">",
			   x, TOP, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 18);
		run_time_print(out, ns);
		buf_puts(out, "</text>\n");
	}
	for (size_t i = 0; i <= 4; i++) {
		size_t n = p->most * i / 4;
		double y = y_of(p, n);

		buf_printf(out,
			   "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
			   "<text class=\"tick left\" x=\"%d\" y=\"%.1f\">%zu</text>\n",
			   LEFT, y, WIDTH - RIGHT, y, LEFT - 8, y + 4, n);
	}
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

void report_growth(struct buf *out, struct arena *a, const struct recording *r)
{
	uint64_t *calls = ARENA_ARRAY(a, uint64_t, r->calls.n + 1);
	uint64_t *files = ARENA_ARRAY(a, uint64_t, r->files.n + 1);
	struct plot p = { .last_ns = r->run.duration_ns };
	struct series s[2];
	size_t nc = 0, nf = 0;

	vec_each(&r->calls, c)
		if (!c->assumed && !c->held)
			calls[nc++] = c->first_ns;
	vec_each(&r->files, f)
		if (!f->held)
			files[nf++] = f->first_ns;
	s[0] = sorted(calls, nc, "calls", "a");
	s[1] = sorted(files, nf, "files", "b");
	p.most = round_up(nc > nf ? nc : nf);
	for (size_t i = 0; i < 2; i++)
		if (s[i].n && s[i].at[s[i].n - 1] > p.last_ns)
			p.last_ns = s[i].at[s[i].n - 1];
	if (p.last_ns < 10 * FIRST_NS)
		p.last_ns = 10 * FIRST_NS;
	if (p.last_ns >
	    UINT64_MAX / 20) /* decades: hostile, and the next power of ten is no number */
		p.last_ns = UINT64_MAX / 20;
	buf_printf(out,
		   "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"different calls and files "
		   "over time\">\n",
		   WIDTH, HEIGHT);
	put_axes(out, &p);
	for (size_t i = 0; i < 2; i++) {
		double y = y_of(&p, s[i].n) + 4;
		double apart = y_of(&p, s[0].n) - y_of(&p, s[1].n);

		/* Labels that would lie on each other part. */
		if (i && apart < 16 && apart > -16)
			y += apart > 0 ? apart - 16 : apart + 16;
		put_line(out, &p, &s[i], y);
	}
	buf_puts(out, "</svg>\n");
}
