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
 *	...
 *
 * Dynamic programme over (first range, last range, how many of the hottest points between them
 * have been tested already). Why only the hottest: a test for equality above a split pays only
 * if that value is met more often than everything on the split's other side, and among such
 * tests the hotter goes first. A lone value that is not hot is tested at the bottom, where one
 * test takes it out of ranges that are equal otherwise: `leave lone values` below.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"

enum {
	POINTS_MAX = 12, /* hot points looked at */
	RANGES_MAX = 160, /* a longer list is halved by weight first */
	LONE_MAX = 16,   /* equality tests in a row */
};

enum choice_kind { CHOICE_LEAF, CHOICE_LONE, CHOICE_POINT, CHOICE_SPLIT };

struct choice {
	float cost;
	uint16_t kind;
	uint16_t split; /* SPLIT: the first range on the right */
};

struct tree {
	struct code *c;
	const struct tree_range *r;
	size_t n;
	struct tree_point points[POINTS_MAX]; /* hottest first */
	size_t at[POINTS_MAX];                /* the range each lies in */
	size_t npoints;
	double *sum; /* weights of the ranges before */
	double test_cost;
	struct choice *best; /* by (i, j, h) */
};

static struct choice *best_of(const struct tree *t, size_t i, size_t j, size_t h)
{
	return &t->best[(i * t->n + j) * (t->npoints + 1) + h];
}

/* Points between ranges i and j among the hottest `limit` of those that lie there. */
static size_t points_between(const struct tree *t, size_t i, size_t j)
{
	size_t n = 0;

	for (size_t p = 0; p < t->npoints; p++)
		n += t->at[p] >= i && t->at[p] <= j;
	return n;
}

/* The h-th hottest point between i and j. */
static size_t point_between(const struct tree *t, size_t i, size_t j, size_t h)
{
	for (size_t p = 0; p < t->npoints; p++)
		if (t->at[p] >= i && t->at[p] <= j && h-- == 0)
			return p;
	BUG("no such point");
}

/* Of the h hottest points between i and j: how many lie in i..s-1. */
static size_t points_left(const struct tree *t, size_t i, size_t j, size_t h, size_t s)
{
	size_t n = 0;

	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < i || t->at[p] > j)
			continue;
		n += t->at[p] < s;
		h--;
	}
	return n;
}

static double weight_left(const struct tree *t, size_t i, size_t j, size_t h)
{
	double w = t->sum[j + 1] - t->sum[i];

	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < i || t->at[p] > j)
			continue;
		w -= t->points[p].weight;
		h--;
	}
	return w > 0 ? w : 0;
}

static bool is_lone(const struct tree_range *r)
{
	return r->first == r->last;
}

/* Has the lone range `at` been tested as one of the h hottest points between i and j? */
static bool is_tested(const struct tree *t, size_t i, size_t j, size_t h, size_t at)
{
	if (!is_lone(&t->r[at]))
		return false;
	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < i || t->at[p] > j)
			continue;
		if (t->at[p] == at)
			return true;
		h--;
	}
	return false;
}

/* ---- leave lone values ---- */

struct lone { /* ranges to test for, heaviest first; what remains goes to `rest` */
	size_t at[LONE_MAX];
	size_t n;
	code_id rest;
};

/* The leaf that is left when lone values are taken out: that of a wide range, else the commonest. */
static code_id rest_leaf(const struct tree *t, size_t i, size_t j)
{
	size_t most = 0;
	code_id rest = t->r[i].leaf;

	for (size_t k = i; k <= j; k++)
		if (!is_lone(&t->r[k]))
			return t->r[k].leaf;
	for (size_t k = i; k <= j; k++) {
		size_t n = 0;
		for (size_t m = i; m <= j; m++)
			n += t->r[m].leaf == t->r[k].leaf;
		if (n > most) {
			most = n;
			rest = t->r[k].leaf;
		}
	}
	return rest;
}

static bool find_lone(const struct tree *t, size_t i, size_t j, size_t h, struct lone *out)
{
	if (j - i > 2 * LONE_MAX)
		return false;
	out->n = 0;
	out->rest = rest_leaf(t, i, j);
	for (size_t k = i; k <= j; k++) {
		if (t->r[k].leaf == out->rest || is_tested(t, i, j, h, k))
			continue;
		if (!is_lone(&t->r[k]) || out->n == LONE_MAX)
			return false;
		size_t at = out->n++;
		for (; at && t->r[out->at[at - 1]].weight < t->r[k].weight; at--)
			out->at[at] = out->at[at - 1];
		out->at[at] = k;
	}
	return true;
}

static double lone_cost(const struct tree *t, const struct lone *l, double weight)
{
	double cost = 0;

	for (size_t k = 0; k < l->n; k++) {
		cost += weight + t->test_cost;
		weight -= t->r[l->at[k]].weight;
	}
	return cost;
}

/* ---- the programme ---- */

static void try_split(const struct tree *t, size_t i, size_t j, size_t h, double weight,
		      struct choice *best)
{
	for (size_t s = i + 1; s <= j; s++) {
		size_t left = h ? points_left(t, i, j, h, s) : 0;
		double cost = weight + t->test_cost + (double)best_of(t, i, s - 1, left)->cost +
			      (double)best_of(t, s, j, h - left)->cost;
		if (cost < (double)best->cost)
			*best = (struct choice){ (float)cost, CHOICE_SPLIT, (uint16_t)s };
	}
}

static void solve(const struct tree *t, size_t i, size_t j, size_t h, size_t npoints)
{
	double weight = weight_left(t, i, j, h);
	struct choice best = { 1e30f, CHOICE_SPLIT, 0 };
	struct lone lone;

	if (find_lone(t, i, j, h, &lone))
		best = (struct choice){ (float)lone_cost(t, &lone, weight),
					lone.n ? CHOICE_LONE : CHOICE_LEAF, 0 };
	if (best.kind != CHOICE_LEAF) {
		if (h < npoints) {
			double cost = weight + t->test_cost + (double)best_of(t, i, j, h + 1)->cost;
			if (cost < (double)best.cost)
				best = (struct choice){ (float)cost, CHOICE_POINT, 0 };
		}
		try_split(t, i, j, h, weight, &best);
	}
	*best_of(t, i, j, h) = best;
}

static code_id emit(const struct tree *t, size_t i, size_t j, size_t h)
{
	const struct choice *best = best_of(t, i, j, h);
	struct lone lone;
	size_t k;
	code_id to;

	switch ((enum choice_kind)best->kind) {
	case CHOICE_LEAF:
	case CHOICE_LONE:
		BUG_ON(!find_lone(t, i, j, h, &lone));
		to = lone.rest;
		for (k = lone.n; k-- > 0;)
			to = code_jump(t->c, BPF_JEQ, t->r[lone.at[k]].first,
				       t->r[lone.at[k]].leaf, to);
		return to;
	case CHOICE_POINT:
		k = point_between(t, i, j, h);
		return code_jump(t->c, BPF_JEQ, t->points[k].value, t->r[t->at[k]].leaf,
				 emit(t, i, j, h + 1));
	case CHOICE_SPLIT:
		k = points_left(t, i, j, h, best->split);
		to = emit(t, best->split, j, h - k);
		return code_jump(t->c, BPF_JGE, t->r[best->split].first, to,
				 emit(t, i, best->split - 1u, k));
	}
	BUG("choice");
}

static void take_points(struct tree *t, const struct tree_input *in)
{
	double all = 0;

	for (size_t i = 0; i < in->n; i++)
		all += in->ranges[i].weight;
	for (size_t p = 0; p < in->npoints && t->npoints < POINTS_MAX; p++) {
		if (in->points[p].weight < all / 64)
			break;
		for (size_t i = 0; i < in->n; i++) {
			if (in->points[p].value < in->ranges[i].first ||
			    in->points[p].value > in->ranges[i].last)
				continue;
			t->points[t->npoints] = in->points[p];
			t->at[t->npoints++] = i;
		}
	}
}

static code_id solve_all(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree t = { .c = c, .r = in->ranges, .n = in->n, .test_cost = in->test_cost };

	take_points(&t, in);
	t.sum = ARENA_ARRAY(scratch, double, in->n + 1);
	for (size_t i = 0; i < in->n; i++)
		t.sum[i + 1] = t.sum[i] + in->ranges[i].weight;
	t.best = ARENA_ARRAY(scratch, struct choice, in->n * in->n * (t.npoints + 1));
	for (size_t len = 0; len < in->n; len++) {
		for (size_t i = 0; i + len < in->n; i++) {
			size_t npoints = points_between(&t, i, i + len);
			for (size_t h = npoints + 1; h-- > 0;)
				solve(&t, i, i + len, h, npoints);
		}
	}
	return emit(&t, 0, in->n - 1, 0);
}

/* A long list: one split by weight and length, then each half by itself. */
static code_id halve(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree_input half = *in;
	size_t s = in->n / 2;
	double all = 0, left = 0;

	for (size_t i = 0; i < in->n; i++)
		all += in->ranges[i].weight;
	for (s = 0; s < in->n - in->n / 4; left += in->ranges[s++].weight)
		if (s >= in->n / 4 && left * 2 >= all)
			break;
	half.ranges = in->ranges + s;
	half.n = in->n - s;
	code_id right = tree_build(c, scratch, &half);
	half.ranges = in->ranges;
	half.n = s;
	return code_jump(c, BPF_JGE, in->ranges[s].first, right, tree_build(c, scratch, &half));
}

/*
 * Values with one leaf that are all combinations of some bits, zero among them: what they have
 * in common is that no other bit is set, one JSET. (Personality's 0, 8, 0x20000, 0x20008.)
 */
static bool find_cube(const struct tree_input *in, code_id *leaf, uint32_t *bits)
{
	size_t n = 0;

	if (in->ranges[0].first != 0 || !is_lone(&in->ranges[0]))
		return false;
	*leaf = in->ranges[0].leaf;
	*bits = 0;
	for (size_t i = 0; i < in->n; i++) {
		if (in->ranges[i].leaf != *leaf || !is_lone(&in->ranges[i]) ||
		    in->ranges[i].first == UINT32_MAX)
			continue;
		*bits |= in->ranges[i].first;
		n++;
	}
	return n >= 3 && n == (size_t)1 << __builtin_popcount(*bits);
}

static void merge_equal(struct tree_input *in)
{
	size_t n = 0;

	for (size_t i = 1; i < in->n; i++) {
		if (in->ranges[n].leaf == in->ranges[i].leaf) {
			in->ranges[n].last = in->ranges[i].last;
			in->ranges[n].weight += in->ranges[i].weight;
		} else {
			in->ranges[++n] = in->ranges[i];
		}
	}
	in->n = n + 1;
}

/* The rest of a list once a cube has been tested: its values may go with either neighbour. */
static code_id build_around_cube(struct code *c, struct arena *scratch,
				 const struct tree_input *in, code_id leaf, uint32_t bits)
{
	struct tree_input rest = *in;

	rest.ranges = ARENA_ARRAY(scratch, struct tree_range, in->n);
	rest.n = 0;
	for (size_t i = 0; i < in->n; i++) {
		struct tree_range r = in->ranges[i];
		if (r.leaf == leaf && is_lone(&r) && !(r.first & ~bits)) {
			if (rest.n) {
				rest.ranges[rest.n - 1].last = r.last;
				continue;
			}
			r.leaf = in->ranges[i + 1].leaf; /* a lone first range is not the only one */
		}
		rest.ranges[rest.n++] = r;
	}
	return code_jump(c, BPF_JSET, ~bits, tree_build(c, scratch, &rest), leaf);
}

code_id tree_build(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree_input merged = *in;
	uint32_t bits;
	code_id leaf;

	merge_equal(&merged);
	if (merged.n == 1)
		return merged.ranges[0].leaf;
	if (merged.npoints == 0 && find_cube(&merged, &leaf, &bits))
		return build_around_cube(c, scratch, &merged, leaf, bits);
	if (merged.n > RANGES_MAX)
		return halve(c, scratch, &merged);
	return solve_all(c, scratch, &merged);
}
