/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests in a tree of least expected cost over an ordered list of ranges. The generated code:
 *
 *	if (A >= 335) {                 split at a boundary
 *		if (A == 435)           lone values apart, what is left is one leaf
 *			goto clone3;
 *		if (A == 441)
 *			goto deny;
 *		goto allow;
 *	}
 *	if (A & 3)                      or one test of bits, on both sides of which at most
 *		goto allow;             a lone value or two are left (bits.c)
 *	...
 *
 * Dynamic programme over (first range, last range, how many of the points between them have been
 * tested already, how many instructions a path may still take). Points are values tested for
 * equality above a split. That pays only if the value is met more often than everything on the
 * split's other side, and among such tests the hotter goes first, so the hottest points in their
 * order are enough; or if the value's leaf is so long that the path to it has to be short.
 * A lone value that is neither is tested at the bottom, where one test takes it out of ranges
 * that are equal otherwise.
 */
#include <assert.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"
#include "compiler/cbpf/tree.h"

enum {
	LONE_MAX = 8,  /* equality tests in a row */
	TALL_LEAF = 5, /* instructions of a leaf from which its value is worth a point */
	TALL_MAX = 2,  /* such points */
};

#define NEVER 1e30f

static const double point_part = 1.0 / 64; /* of all weight: makes a value hot */

struct choice {
	enum { CHOICE_LONE, CHOICE_BITS, CHOICE_POINT, CHOICE_SPLIT } kind;
	size_t split; /* the first range on the right */
	float cost;
};

struct lone { /* ranges to test for, heaviest first; what remains goes to `rest` */
	size_t at[LONE_MAX];
	size_t n;
	code_id rest;
};

/* Row after row, each from its diagonal on. */
static float *cost_of(const struct tree *t, size_t i, size_t j, size_t h)
{
	size_t cell = i * (2 * t->n - i - 1) / 2 + j;

	return &t->cost[(cell * (t->npoints + 1) + h) * t->lanes];
}

/* From (i, j) to (i + 1, j). */
static size_t next_row(const struct tree *t, size_t i)
{
	return (t->n - i - 1) * (t->npoints + 1) * t->lanes;
}

/* A lane is how many instructions a path may still take, its leaf included; the last: any. */
static size_t lane_below(const struct tree *t, size_t lane)
{
	return lane == t->lanes - 1 ? lane : lane - 1;
}

static bool lane_holds(const struct tree *t, size_t lane, size_t height)
{
	return lane == t->lanes - 1 || lane >= height;
}

static uint32_t height_of(const struct tree *t, code_id leaf)
{
	return t->c->nodes.v[leaf].height;
}

/* ---- points ---- */

static size_t points_between(const struct tree *t, size_t i, size_t j)
{
	size_t n = 0;

	for (size_t p = 0; p < t->npoints; p++)
		n += t->at[p] >= i && t->at[p] <= j;
	return n;
}

/* The h-th point between i and j. */
static size_t point_between(const struct tree *t, size_t i, size_t j, size_t h)
{
	for (size_t p = 0; p < t->npoints; p++)
		if (t->at[p] >= i && t->at[p] <= j && h-- == 0)
			return p;
	BUG("no such point");
}

/* Of the leaf of the next point between i and j. */
static size_t point_height(const struct tree *t, struct problem q)
{
	return height_of(t, t->r[t->at[point_between(t, q.i, q.j, q.h)]].leaf);
}

/* Of the first h points between i and j: how many lie in i..s-1. */
static size_t points_left(const struct tree *t, struct problem q, size_t s)
{
	size_t n = 0, h = q.h;

	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < q.i || t->at[p] > q.j)
			continue;
		n += t->at[p] < s;
		h--;
	}
	return n;
}

static float weight_left(const struct tree *t, struct problem q)
{
	double w = t->sum[q.j + 1] - t->sum[q.i];
	size_t h = q.h;

	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < q.i || t->at[p] > q.j)
			continue;
		w -= t->points[p].weight;
		h--;
	}
	return w > 0 ? (float)w : 0;
}

/* Has the lone range `at` been tested as one of the first points? */
static bool is_tested(const struct tree *t, struct problem q, size_t at)
{
	size_t h = q.h;

	if (!h || !tree_is_lone(&t->r[at]))
		return false;
	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < q.i || t->at[p] > q.j)
			continue;
		if (t->at[p] == at)
			return true;
		h--;
	}
	return false;
}

/* ---- lone values ---- */

/* Of the leaves of lone values the commonest, the first of those. */
static code_id commonest_leaf(const struct tree *t, struct problem q)
{
	code_id leaf[LONE_MAX + 1];
	size_t n = 0, most = 0, best = 0;

	for (size_t k = q.i; k <= q.j; k++)
		if (!(q.h && is_tested(t, q, k)))
			leaf[n++] = t->r[k].leaf;
	for (size_t k = 0; k + most < n; k++) { /* none behind that can be commoner */
		size_t same = 0;
		for (size_t m = k; m < n; m++)
			same += leaf[m] == leaf[k];
		if (same > most) {
			most = same;
			best = k;
		}
	}
	return n ? leaf[best] : t->r[q.i].leaf;
}

/* The leaf left when lone values are taken out: that of a wide range, else the commonest. */
static code_id rest_leaf(const struct tree *t, struct problem q)
{
	for (size_t k = q.i; k <= q.j; k++)
		if (!tree_is_lone(&t->r[k]))
			return t->r[k].leaf;
	if (q.j - q.i > LONE_MAX)
		return t->r[q.i].leaf; /* more than can be tested in a row, whatever is left over */
	return commonest_leaf(t, q);
}

static bool goes_before(const struct tree *t, size_t x, size_t y)
{
	if (t->r[x].weight != t->r[y].weight)
		return t->r[x].weight > t->r[y].weight;
	return height_of(t, t->r[x].leaf) > height_of(t, t->r[y].leaf);
}

/* One more range; false: no value alone, or one too many. */
static bool add_lone(const struct tree *t, size_t k, struct lone *out)
{
	if (t->r[k].leaf == out->rest)
		return true;
	if (!tree_is_lone(&t->r[k]) || out->n == LONE_MAX)
		return false;
	size_t at = out->n++;
	for (; at && goes_before(t, k, out->at[at - 1]); at--)
		out->at[at] = out->at[at - 1];
	out->at[at] = k;
	return true;
}

static bool find_lone(const struct tree *t, struct problem q, struct lone *out)
{
	if (q.j - q.i > 2 * LONE_MAX)
		return false;
	out->n = 0;
	out->rest = rest_leaf(t, q);
	for (size_t k = q.i; k <= q.j; k++)
		if (!(q.h && is_tested(t, q, k)) && !add_lone(t, k, out))
			return false;
	return true;
}

/* The same for i..j, one j after the other, while no point has been tested. */
struct lone_row {
	struct lone lone;
	bool found;
	bool settled; /* a wide range has been met: what is left goes where it does */
};

static void extend_lone(const struct tree *t, size_t i, size_t j, struct lone_row *row)
{
	if (row->settled) {
		row->found = row->found && j - i <= 2 * LONE_MAX && add_lone(t, j, &row->lone);
		return;
	}
	row->settled = !tree_is_lone(&t->r[j]);
	row->found = find_lone(t, (struct problem){ i, j, 0 }, &row->lone);
}

static float lone_cost(const struct tree *t, const struct lone *l, float weight)
{
	float cost = 0;

	for (size_t k = 0; k < l->n; k++) {
		cost += weight + t->test_cost;
		weight -= (float)t->r[l->at[k]].weight;
	}
	return cost;
}

static size_t lone_height(const struct tree *t, const struct lone *l)
{
	size_t height = l->n + height_of(t, l->rest);

	for (size_t k = 0; k < l->n; k++) {
		size_t h = k + 1 + height_of(t, t->r[l->at[k]].leaf);
		height = h > height ? h : height;
	}
	return height;
}

/* ---- the programme ---- */

/* Four lanes at a time; every cell of the table begins at a multiple of that. */
typedef float vec4 __attribute__((vector_size(16), may_alias));
typedef float vec4_anywhere __attribute__((vector_size(16), may_alias, aligned(4)));
typedef int32_t mask4 __attribute__((vector_size(16)));

static inline vec4 least4(vec4 x, vec4 y)
{
#ifdef __SSE2__
	return (vec4)_mm_min_ps((__m128)x, (__m128)y);
#else
	mask4 less = (mask4)(x < y);

	return (vec4)(((mask4)x & less) | ((mask4)y & ~less));
#endif
}

/* For lanes from `from` on, x; for those before it, NEVER. */
static inline vec4 lanes_from(vec4 x, mask4 lanes, int from)
{
	const vec4 never = { NEVER, NEVER, NEVER, NEVER };
	mask4 in = lanes >= from;

	return (vec4)(((mask4)x & in) | ((mask4)never & ~in));
}

static const mask4 lane_numbers[TREE_LANES / 4] = {
	{ 0, 1, 2, 3 }, { 4, 5, 6, 7 }, { 8, 9, 10, 11 }, { 12, 13, 14, 15 }
};

static inline void offer4(float *out, const vec4 x[4], int from)
{
	vec4 *o = (vec4 *)out;

	static_assert(TREE_LANES == 16, "four times four");
	o[0] = least4(lanes_from(x[0], lane_numbers[0], from), o[0]);
	o[1] = least4(lanes_from(x[1], lane_numbers[1], from), o[1]);
	o[2] = least4(lanes_from(x[2], lane_numbers[2], from), o[2]);
	o[3] = least4(lanes_from(x[3], lane_numbers[3], from), o[3]);
}

static void clear_lanes(const struct tree *t, float *out)
{
	const vec4 never = { NEVER, NEVER, NEVER, NEVER };
	vec4 *o = (vec4 *)out;

	if (t->lanes == 1)
		*out = NEVER;
	else
		o[0] = o[1] = o[2] = o[3] = never;
}

/* A bottom that needs `height` instructions, in all lanes that have them. */
static void offer_bottom(const struct tree *t, float *out, float cost, size_t height)
{
	const vec4 all = { cost, cost, cost, cost };

	if (t->lanes == 1)
		*out = cost < *out ? cost : *out;
	else
		offer4(out, (const vec4[4]){ all, all, all, all },
		       height < TREE_LANES - 1 ? (int)height : TREE_LANES - 1);
}

/*
 * One test, then the best of what is below it, beside a leaf of that height. Each lane looks at
 * the one before it: there is a float before `below`. The last lane is never above it.
 */
static void offer_test(const struct tree *t, float *out, float cost, const float *below,
		       size_t height)
{
	const vec4_anywhere *b = (const vec4_anywhere *)(below - 1);
	float any = cost + below[t->lanes - 1];

	if (t->lanes > 1 && height == 0) /* in front of the first lane there is NEVER */
		for (unsigned k = 0; k < TREE_LANES / 4; k++)
			((vec4 *)out)[k] = least4(b[k] + cost, ((vec4 *)out)[k]);
	else if (t->lanes > 1)
		offer4(out, (const vec4[4]){ b[0] + cost, b[1] + cost, b[2] + cost, b[3] + cost },
		       height < TREE_LANES - 2 ? (int)height + 1 : TREE_LANES - 1);
	if (any < out[t->lanes - 1])
		out[t->lanes - 1] = any;
}

/* x: one cell after the other; y: one row after the other, each a cell shorter. */
static void best_of_splits(const float *x, const float *y, size_t n, size_t cell, size_t row,
			   float *below)
{
	vec4 a, b, c, d;

	static_assert(TREE_LANES == 16, "four times four");
	a = b = c = d = (vec4){ NEVER, NEVER, NEVER, NEVER };
	for (; n--; x += cell, y += row, row -= cell) {
		const vec4 *p = (const vec4 *)x, *q = (const vec4 *)y;
		a = least4(p[0] + q[0], a);
		b = least4(p[1] + q[1], b);
		c = least4(p[2] + q[2], c);
		d = least4(p[3] + q[3], d);
	}
	vec4 *out = (vec4 *)below;
	out[0] = least4(a, out[0]);
	out[1] = least4(b, out[1]);
	out[2] = least4(c, out[2]);
	out[3] = least4(d, out[3]);
}

/* Splits from s on up to there have the same points on their left. */
static size_t same_points_until(const struct tree *t, struct problem q, size_t s)
{
	size_t end = q.j + 1;

	for (size_t p = 0; q.h && p < t->npoints; p++)
		if (t->at[p] >= s && t->at[p] < end)
			end = t->at[p] + 1;
	return end;
}

static void best_split(const struct tree *t, struct problem q, float *below)
{
	size_t cell = (t->npoints + 1) * t->lanes;

	if (q.i == q.j)
		return;
	if (!q.h && t->lanes == TREE_LANES) {
		best_of_splits(cost_of(t, q.i, q.i, 0), cost_of(t, q.i + 1, q.j, 0), q.j - q.i,
			       cell, next_row(t, q.i + 1), below);
		return;
	}
	for (size_t s = q.i + 1, end; s <= q.j; s = end) {
		const float *x = cost_of(t, q.i, s - 1, 0), *y = cost_of(t, s, q.j, 0);
		size_t left = q.h ? points_left(t, q, s) * t->lanes : 0;
		size_t right = q.h * t->lanes - left;
		end = same_points_until(t, q, s);
		if (t->lanes == TREE_LANES) {
			best_of_splits(x + left, y + right, end - s, cell, next_row(t, s), below);
			continue;
		}
		for (size_t k = s; k < end; x += cell, y += next_row(t, k++))
			if (x[left] + y[right] < *below)
				*below = x[left] + y[right];
	}
}

static void solve(const struct tree *t, struct problem q, size_t npoints, const struct lone *lone)
{
	float *out = cost_of(t, q.i, q.j, q.h);
	_Alignas(16) float work[4 + TREE_LANES], *below = work + 4;
	const struct bit_choice *bits;
	float weight = weight_left(t, q);

	below[-1] = NEVER;
	clear_lanes(t, below);
	clear_lanes(t, out);
	if (lone)
		offer_bottom(t, out, lone_cost(t, lone, weight), lone_height(t, lone));
	if (out[t->lanes - 1] <= 0)
		return;
	if (q.h < npoints)
		offer_test(t, out, weight + t->test_cost, cost_of(t, q.i, q.j, q.h + 1),
			   point_height(t, q));
	best_split(t, q, below);
	offer_test(t, out, weight + t->test_cost, below, 0);
	if (out[t->lanes - 1] <= weight + t->test_cost)
		return; /* one test: bits cannot do with less */
	bits_solve(t, q, npoints);
	bits = bits_of(t, q, npoints);
	if (bits)
		offer_bottom(t, out, bits->cost, bits->height);
}

/* ---- the tree found ---- */

static void prefer(struct choice *best, struct choice c)
{
	if (c.cost < best->cost)
		*best = c;
}

/* The choice is made again rather than kept for each cell: a tree has few nodes. */
static struct choice choose(const struct tree *t, struct problem q, size_t lane)
{
	struct choice best = { CHOICE_LONE, 0, NEVER };
	size_t npoints = points_between(t, q.i, q.j), low = lane_below(t, lane);
	const struct bit_choice *bits = bits_of(t, q, npoints);
	float weight = weight_left(t, q);
	struct lone lone;

	if (find_lone(t, q, &lone) && lane_holds(t, lane, lone_height(t, &lone)))
		prefer(&best, (struct choice){ CHOICE_LONE, 0, lone_cost(t, &lone, weight) });
	if (bits && lane_holds(t, lane, bits->height))
		prefer(&best, (struct choice){ CHOICE_BITS, 0, bits->cost });
	if (lane == 0 && t->lanes > 1)
		return best;
	weight += t->test_cost;
	if (q.h < npoints && lane_holds(t, low, point_height(t, q)))
		prefer(&best, (struct choice){ CHOICE_POINT, 0,
					       weight + cost_of(t, q.i, q.j, q.h + 1)[low] });
	for (size_t s = q.i + 1; s <= q.j; s++) {
		size_t left = points_left(t, q, s);
		float below =
			cost_of(t, q.i, s - 1, left)[low] + cost_of(t, s, q.j, q.h - left)[low];
		prefer(&best, (struct choice){ CHOICE_SPLIT, s, weight + below });
	}
	BUG_ON(best.cost >= NEVER);
	return best;
}

static code_id emit_lone(const struct tree *t, struct problem q)
{
	struct lone lone;

	BUG_ON(!find_lone(t, q, &lone));
	code_id to = lone.rest;
	for (size_t k = lone.n; k-- > 0;)
		to = code_jump(t->c, BPF_JEQ, t->r[lone.at[k]].first, t->r[lone.at[k]].leaf, to);
	return to;
}

static code_id emit(const struct tree *t, struct problem q, size_t lane)
{
	struct choice best = choose(t, q, lane);
	size_t low = lane_below(t, lane), k;
	code_id to;

	switch (best.kind) {
	case CHOICE_LONE: return emit_lone(t, q);
	case CHOICE_BITS: return bits_emit(t, q, bits_of(t, q, points_between(t, q.i, q.j)));
	case CHOICE_POINT:
		k = point_between(t, q.i, q.j, q.h);
		to = emit(t, (struct problem){ q.i, q.j, q.h + 1 }, low);
		return code_jump(t->c, BPF_JEQ, t->points[k].value, t->r[t->at[k]].leaf, to);
	case CHOICE_SPLIT:
		k = points_left(t, q, best.split);
		to = emit(t, (struct problem){ best.split, q.j, q.h - k }, low);
		return code_jump(t->c, BPF_JGE, t->r[best.split].first, to,
				 emit(t, (struct problem){ q.i, best.split - 1, k }, low));
	}
	BUG("choice");
}

/* ---- a whole list ---- */

static void add_point(struct tree *t, const struct tree_input *in, struct tree_point p)
{
	for (size_t i = 0; i < in->n; i++) {
		if (p.value < in->ranges[i].first || p.value > in->ranges[i].last)
			continue;
		t->points[t->npoints] = p;
		t->at[t->npoints++] = i;
	}
}

static bool is_leaf_of_point(const struct tree *t, code_id leaf)
{
	for (size_t p = 0; p < t->npoints; p++)
		if (t->r[t->at[p]].leaf == leaf)
			return true;
	return false;
}

/* Hot values; where none is known, those with long leaves. */
static void take_points(struct tree *t, const struct tree_input *in)
{
	double all = t->sum[in->n];

	for (size_t p = 0; p < in->npoints && t->npoints < in->points_max; p++)
		if (in->points[p].weight >= all * point_part)
			add_point(t, in, in->points[p]);
	if (in->npoints)
		return;
	for (size_t i = 0; i < in->n && t->npoints < TALL_MAX; i++)
		if (tree_is_lone(&in->ranges[i]) && !is_leaf_of_point(t, in->ranges[i].leaf) &&
		    height_of(t, in->ranges[i].leaf) >= TALL_LEAF)
			add_point(t, in,
				  (struct tree_point){ in->ranges[i].first, in->ranges[i].weight });
}

/* ---- a list like the one before ---- */

/* All that the costs of a list depend on, where there are neither bits to test nor weights of
 * points: calls with the same kind of rule have the same lists but for the values. */
struct tree_shape {
	size_t n, cap; /* n 0: the table is another list's */
	size_t lanes;
	double test_cost;
	struct shape_range {
		double weight;
		code_id leaf;
		bool is_lone;
	} * range;
};

static bool has_shape(const struct tree *t, const struct tree_input *in, const struct tree_shape *s)
{
	if (s->n != t->n || s->lanes != t->lanes || s->test_cost != in->test_cost)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		const struct shape_range *x = &s->range[i];
		const struct tree_range *r = &t->r[i];
		if (x->leaf != r->leaf || x->is_lone != tree_is_lone(r) || x->weight != r->weight)
			return false;
	}
	return true;
}

/* True: the table is filled for this list already. Else it is about to be. */
static bool take_shape(struct tree *t, const struct tree_input *in)
{
	struct code *c = t->c;
	struct tree_shape *s = c->shape ? c->shape : ARENA_NEW(c->arena, struct tree_shape);

	c->shape = s;
	if (in->are_numbers || in->npoints) {
		s->n = 0;
		return false;
	}
	if (has_shape(t, in, s))
		return true;
	if (s->cap < t->n) {
		s->cap = 2 * t->n;
		s->range = ARENA_ARRAY(c->arena, struct shape_range, s->cap);
	}
	s->n = t->n;
	s->lanes = t->lanes;
	s->test_cost = in->test_cost;
	for (size_t i = 0; i < t->n; i++) {
		const struct tree_range *r = &t->r[i];
		s->range[i] = (struct shape_range){ r->weight, r->leaf, tree_is_lone(r) };
	}
	return false;
}

static void sum_weights(struct tree *t, bool is_kept)
{
	struct code *c = t->c;

	if (!is_kept && c->nsums <= t->n) {
		c->nsums = 2 * t->n + 1;
		c->sums = ARENA_ARRAY(c->arena, double, c->nsums);
	}
	t->sum = is_kept ? ARENA_ARRAY(t->scratch, double, t->n + 1) : c->sums;
	t->sum[0] = 0;
	for (size_t i = 0; i < t->n; i++)
		t->sum[i + 1] = t->sum[i] + t->r[i].weight;
}

static void make_room(struct tree *t, bool is_kept)
{
	struct code *c = t->c;
	size_t need = t->n * (t->n + 1) / 2 * (t->npoints + 1) * t->lanes;

	if (is_kept) {
		t->cost = ARENA_ARRAY(t->scratch, float, need);
		return;
	}
	if (c->nwork < need) {
		c->work = ARENA_ARRAY(c->arena, float, need);
		c->nwork = need;
	}
	t->cost = c->work;
}

/* The least height whose cost is within the slack of the least cost. */
static size_t choose_lane(const struct tree *t, const struct tree_input *in)
{
	const float *cost = cost_of(t, 0, t->n - 1, 0);
	float least = cost[t->lanes - 1];
	float all = (float)t->sum[t->n] * 4 + least; /* four: what stands around a tree */
	size_t lane = 0;

	while (lane < t->lanes - 1 && cost[lane] > least + (float)in->slack * all)
		lane++;
	return lane;
}

/* With any number of the points between i and j tested, most of them first. */
static void solve_points(const struct tree *t, size_t i, size_t j, const struct lone_row *row)
{
	size_t npoints = points_between(t, i, j);
	struct problem q = { i, j, npoints };
	struct lone lone;

	for (; q.h > 0; q.h--)
		solve(t, q, npoints, find_lone(t, q, &lone) ? &lone : NULL);
	solve(t, q, npoints, row->found ? &row->lone : NULL);
}

/* is_kept: the table is its own, not the one that the next list is solved in. */
static void tree_solve(struct tree *t, struct code *c, struct arena *scratch,
		       const struct tree_input *in, bool is_kept)
{
	*t = (struct tree){ .c = c,
			    .scratch = scratch,
			    .r = in->ranges,
			    .n = in->n,
			    .test_cost = (float)in->test_cost,
			    .removed = in->removed,
			    .nremoved = in->nremoved };
	sum_weights(t, is_kept);
	take_points(t, in);
	t->lanes = in->npoints || in->slack <= 0 ? 1 : TREE_LANES;
	make_room(t, is_kept);
	if (!is_kept && take_shape(t, in))
		return;
	bits_start(t, in);
	for (size_t i = in->n; i-- > 0;) {
		struct lone_row row = { .found = false };
		for (size_t j = i; j < in->n; j++) {
			bits_extend(t, i, j);
			extend_lone(t, i, j, &row);
			solve_points(t, i, j, &row);
		}
	}
}

code_id tree_emit(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree t;

	tree_solve(&t, c, scratch, in, false);
	return emit(&t, (struct problem){ 0, in->n - 1, 0 }, choose_lane(&t, in));
}

struct tree tree_solved(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree t;

	tree_solve(&t, c, scratch, in, true);
	return t;
}

double tree_cost(const struct tree *t, struct problem q)
{
	return (double)cost_of(t, q.i, q.j, q.h)[t->lanes - 1];
}

code_id tree_emit_part(const struct tree *t, struct problem q)
{
	BUG_ON(t->lanes > 1);
	return emit(t, q, 0);
}

bool tree_has_points(const struct tree *t, struct problem q, const struct tree_input *in)
{
	double all = t->sum[q.j + 1] - t->sum[q.i];
	size_t n = 0;

	for (size_t p = 0; p < in->npoints && n < in->points_max; p++)
		n += in->points[p].weight >= all * point_part &&
		     in->points[p].value >= t->r[q.i].first &&
		     in->points[p].value <= t->r[q.j].last;
	return n == points_between(t, q.i, q.j);
}

struct tree_first tree_first_test(const struct tree *t, struct problem q)
{
	struct tree_first first = { .kind = TREE_FIRST_BOTTOM };
	struct choice best = choose(t, q, t->lanes - 1);

	if (best.kind == CHOICE_SPLIT) {
		first.kind = TREE_FIRST_SPLIT;
		first.split = best.split;
	} else if (best.kind == CHOICE_POINT) {
		size_t p = point_between(t, q.i, q.j, q.h);
		first.kind = TREE_FIRST_POINT;
		first.point = t->points[p];
		first.leaf = t->r[t->at[p]].leaf;
	}
	return first;
}
