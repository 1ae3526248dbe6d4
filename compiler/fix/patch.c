/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unified diffs. The shortest script is looked for (Myers, An O(ND) Difference Algorithm, 1986) up to
 * a bound; past it all between the first line that differs and the last is one change.
 */
#include "compiler/fix/fix.h"

enum { CONTEXT = 3, SCRIPT_MAX = 1000 };

typedef VEC(struct str) line_list;

struct patch {
	line_list a, b;
	bool *gone, *added; /* by line: not in the other */
	struct arena *arena;
};

/* With their line ends. */
static line_list lines_of(struct arena *a, struct str text)
{
	line_list list = { 0 };

	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) + 1 : text.n;
		vec_push(a, &list, ((struct str){ text.p, n }));
		text = (struct str){ text.p + n, text.n - n };
	}
	return list;
}

static bool same(const struct patch *p, size_t x, size_t y)
{
	return str_eq(p->a.v[x], p->b.v[y]);
}

/* Back from the end of both along the furthest points of each length: what was gone and added. */
static void walk_back(struct patch *p, int32_t *const *rows, int d, int64_t n, int64_t m)
{
	int64_t x = n, y = m;

	for (; d > 0; d--) {
		const int32_t *v = rows[d - 1] + d; /* of diagonal 0 */
		int64_t k = x - y;
		bool down = k == -d || (k != d && v[k - 1] < v[k + 1]);
		int64_t from = down ? v[k + 1] : v[k - 1];
		int64_t from_y = from - (down ? k + 1 : k - 1);
		if (down)
			p->added[from_y] = true;
		else
			p->gone[from] = true;
		x = from;
		y = from_y;
	}
}

/* Of the lines from `skip` on, n of one and m of the other. False: it takes more than SCRIPT_MAX. */
static bool find_script(struct patch *p, size_t skip, int64_t n, int64_t m)
{
	int32_t **rows = ARENA_ARRAY(p->arena, int32_t *, SCRIPT_MAX + 1);
	struct patch rest = *p;

	rest.a.v += skip;
	rest.b.v += skip;
	rest.gone += skip;
	rest.added += skip;
	for (int d = 0; d <= SCRIPT_MAX; d++) {
		int32_t *row = ARENA_ARRAY(p->arena, int32_t, 2 * (size_t)d + 3);
		int32_t *v = row + d + 1;
		const int32_t *last = d ? rows[d - 1] + d : NULL;
		rows[d] = row;
		for (int k = -d; k <= d; k += 2) {
			bool down = k == -d || (k != d && last[k - 1] < last[k + 1]);
			int64_t x = !d ? 0 : down ? last[k + 1] : last[k - 1] + 1;
			while (x < n && x - k < m && x - k >= 0 &&
			       same(&rest, (size_t)x, (size_t)(x - k)))
				x++;
			v[k] = (int32_t)x;
			if (x >= n && x - k >= m) {
				walk_back(&rest, rows, d, n, m);
				return true;
			}
		}
	}
	return false;
}

static void find_changes(struct patch *p)
{
	size_t n = p->a.n, m = p->b.n, head = 0, tail = 0;

	while (head < n && head < m && same(p, head, head))
		head++;
	while (tail < n - head && tail < m - head && same(p, n - tail - 1, m - tail - 1))
		tail++;
	if (find_script(p, head, (int64_t)(n - head - tail), (int64_t)(m - head - tail)))
		return;
	for (size_t i = head; i < n - tail; i++)
		p->gone[i] = true;
	for (size_t i = head; i < m - tail; i++)
		p->added[i] = true;
}

static void put_line(struct buf *out, char sign, struct str line)
{
	buf_putc(out, sign);
	buf_add(out, line.p, line.n);
	if (line.n && line.p[line.n - 1] != '\n')
		buf_puts(out, "\n\\ No newline at end of file\n");
}

struct hunk {
	size_t a, b, na, nb; /* first lines, from 0, and how many */
};

static void put_start(struct buf *out, char sign, size_t first, size_t n)
{
	buf_printf(out, "%c%zu", sign, n ? first + 1 : first);
	if (n != 1)
		buf_printf(out, ",%zu", n);
}

static void put_hunk(struct buf *out, const struct patch *p, const struct hunk *h)
{
	size_t i = h->a, k = h->b;

	buf_puts(out, "@@ ");
	put_start(out, '-', h->a, h->na);
	buf_putc(out, ' ');
	put_start(out, '+', h->b, h->nb);
	buf_puts(out, " @@\n");
	while (i < h->a + h->na || k < h->b + h->nb) {
		if (i < h->a + h->na && p->gone[i])
			put_line(out, '-', p->a.v[i++]);
		else if (k < h->b + h->nb && p->added[k])
			put_line(out, '+', p->b.v[k++]);
		else {
			put_line(out, ' ', p->a.v[i++]);
			k++;
		}
	}
}

/* From a change on, with the changes near behind it; *i and *k get to where it ends. */
static struct hunk next_hunk(const struct patch *p, size_t *i, size_t *k)
{
	size_t lead = *i < CONTEXT ? *i : CONTEXT, quiet = 0;
	struct hunk h = { .a = *i - lead, .b = *k - lead };

	while (*i < p->a.n || *k < p->b.n) {
		if (*i < p->a.n && p->gone[*i]) {
			(*i)++;
			quiet = 0;
		} else if (*k < p->b.n && p->added[*k]) {
			(*k)++;
			quiet = 0;
		} else if (quiet == 2 * (size_t)CONTEXT) {
			break;
		} else {
			(*i)++;
			(*k)++;
			quiet++;
		}
	}
	size_t over = quiet > CONTEXT ? quiet - CONTEXT : 0;
	h.na = *i - over - h.a;
	h.nb = *k - over - h.b;
	return h;
}

static void put_hunks(struct buf *out, const struct patch *p)
{
	size_t i = 0, k = 0;

	while (i < p->a.n || k < p->b.n) {
		if ((i < p->a.n && p->gone[i]) || (k < p->b.n && p->added[k])) {
			struct hunk h = next_hunk(p, &i, &k);
			put_hunk(out, p, &h);
		} else {
			i++;
			k++;
		}
	}
}

void fix_put_diff(struct buf *out, struct arena *a, const char *name, struct str before,
		  struct str after)
{
	struct patch p = { .a = lines_of(a, before), .b = lines_of(a, after), .arena = a };

	if (str_eq(before, after))
		return;
	p.gone = ARENA_ARRAY(a, bool, p.a.n + 1);
	p.added = ARENA_ARRAY(a, bool, p.b.n + 1);
	find_changes(&p);
	while (*name == '/') /* a patch has no absolute names */
		name++;
	buf_puts(out, "--- a/");
	buf_safe(out, str_c(name));
	buf_puts(out, "\n+++ b/");
	buf_safe(out, str_c(name));
	buf_putc(out, '\n');
	put_hunks(out, &p);
}
