/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree that is next to as good as the best and less tall. From the whole list down, what each
 * problem costs more than the best that holds it is known (its reach), so only few problems, and few
 * of their tests, can be part of a tree within the slack. For these, from below, what they cost at
 * least by how many instructions a path may take, its leaf included.
 */
#include <assert.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"
#include "compiler/cbpf/tree.h"
#include "compiler/cbpf/vector.h"

enum { HEIGHTS = HEIGHT_ANY + 1 };

struct costs {
	_Alignas(16) float of[HEIGHTS];
};

struct heights {
	float spare; /* what a tree may cost more than the best */
	float *reach; /* by problem: what the best tree with it in costs more; NEVER: there is none */
	uint16_t *at; /* by problem: 1 + its place in `cost`; 0: out of reach */
	struct costs *cost;
	size_t n;
};

static size_t place_of(const struct tree *t, struct problem q)
{
	return (size_t)(tree_row(t, q.i, q.j, q.h) - t->cost);
}

static float cost_of(const struct tree *t, struct problem q)
{
	return *tree_row(t, q.i, q.j, q.h);
}

/* ---- what is within reach ---- */

static void reach(const struct tree *t, struct problem q, float more)
{
	float *r = &t->heights->reach[place_of(t, q)];

	*r = more < *r ? more : *r;
}

/* What stands below one test may cost that much. */
static float limit_of(const struct tree *t, struct problem q)
{
	const struct heights *h = t->heights;
	float test = tree_weight_left(t, q) + t->test_cost;

	return cost_of(t, q) - test + (h->spare - h->reach[place_of(t, q)]);
}

/* The first split from s on, before `end`, whose sides cost no more than that; end: none. */
static size_t next_split(const float *x, const float *y, size_t s, size_t end, float limit)
{
	while (s < end && x[s] + y[s] > limit)
		s++;
	return s;
}

/* Splits from *s on, one after the other, that can be part of what is looked for. */
static bool find_split(const struct tree *t, struct problem q, float limit, size_t *s, size_t *left)
{
	while (*s <= q.j) {
		size_t end = tree_same_points_until(t, q, *s), from = *s;
		*left = q.h ? tree_points_left(t, q, from) : 0;
		*s = next_split(tree_row(t, q.i, from - 1, *left) - from,
				tree_column(t, from, q.j, q.h - *left) - from, from, end, limit);
		if (*s < end)
			return true;
	}
	return false;
}

static void spread(const struct tree *t, struct problem q)
{
	float limit = limit_of(t, q), from = t->heights->spare - limit;
	struct problem p = { q.i, q.j, q.h + 1 };
	size_t left;

	if (q.h < tree_points_between(t, q.i, q.j) && cost_of(t, p) <= limit)
		reach(t, p, from + cost_of(t, p));
	for (size_t s = q.i + 1; find_split(t, q, limit, &s, &left); s++) {
		struct problem x = { q.i, s - 1, left }, y = { s, q.j, q.h - left };
		float more = from + cost_of(t, x) + cost_of(t, y);
		reach(t, x, more);
		reach(t, y, more);
	}
}

/* ---- by height ---- */

static inline vec4 *lanes_of(float *cost)
{
	return (vec4 *)cost;
}

static float *costs_of(const struct tree *t, struct problem q)
{
	return t->heights->cost[t->heights->at[place_of(t, q)] - 1].of;
}

static void clear(float *cost)
{
	for (unsigned k = 0; k < HEIGHTS; k++)
		cost[k] = NEVER;
}

/* A bottom that needs `height` instructions. */
static void offer_bottom(float *cost, float x, size_t height)
{
	for (size_t k = height < HEIGHT_ANY ? height : HEIGHT_ANY; k < HEIGHTS; k++)
		cost[k] = x < cost[k] ? x : cost[k];
}

/* One test, then the best of what is below it, beside a leaf of that height. */
static void offer_test(float *cost, float test, const float *below, size_t height)
{
	float any = test + below[HEIGHT_ANY];

	for (size_t k = height + 1; k < HEIGHT_ANY; k++)
		cost[k] = test + below[k - 1] < cost[k] ? test + below[k - 1] : cost[k];
	cost[HEIGHT_ANY] = any < cost[HEIGHT_ANY] ? any : cost[HEIGHT_ANY];
}

static void offer_split(const struct tree *t, struct problem x, struct problem y, float *below)
{
	const vec4 *p = lanes_of(costs_of(t, x)), *q = lanes_of(costs_of(t, y));
	vec4 *out = lanes_of(below);

	static_assert(HEIGHTS == 16, "four times four");
	for (unsigned k = 0; k < HEIGHTS / 4; k++)
		out[k] = least4(p[k] + q[k], out[k]);
}

static void lower(const struct tree *t, struct problem q)
{
	struct heights *h = t->heights;
	size_t npoints = tree_points_between(t, q.i, q.j), left;
	const struct bit_choice *bits = bits_of(t, q, npoints);
	float weight = tree_weight_left(t, q), limit = limit_of(t, q);
	float *cost = h->cost[h->n++].of;
	_Alignas(16) float below[HEIGHTS];
	struct problem p = { q.i, q.j, q.h + 1 };
	struct lone lone;

	h->at[place_of(t, q)] = (uint16_t)h->n;
	clear(cost);
	if (tree_find_lone(t, q, &lone))
		offer_bottom(cost, tree_lone_cost(t, &lone, weight), tree_lone_height(t, &lone));
	if (bits)
		offer_bottom(cost, bits->cost, bits->height);
	if (q.h < npoints && cost_of(t, p) <= limit)
		offer_test(cost, weight + t->test_cost, costs_of(t, p), tree_point_height(t, q));
	clear(below);
	for (size_t s = q.i + 1; find_split(t, q, limit, &s, &left); s++)
		offer_split(t, (struct problem){ q.i, s - 1, left },
			    (struct problem){ s, q.j, q.h - left }, below);
	offer_test(cost, weight + t->test_cost, below, 0);
}

/* A problem before those that it may lead to; returns how many there are. */
static size_t spread_all(const struct tree *t, struct problem *within)
{
	const struct heights *h = t->heights;
	size_t n = 0;

	for (struct problem q = { 0, 0, 0 }; q.i < t->n; q.i++) {
		const float *row = h->reach + (tree_row(t, q.i, 0, 0) - t->cost);
		for (q.j = t->n; q.j-- > q.i;) {
			for (q.h = 0; q.h <= t->npoints; q.h++) {
				if (row[q.h * t->ncells + q.j] > h->spare)
					continue;
				within[n++] = q;
				spread(t, q);
			}
		}
	}
	return n;
}

size_t height_solve(struct tree *t, double slack)
{
	struct problem root = { 0, t->n - 1, 0 };
	size_t n = t->ncells * (t->npoints + 1), most = 0;
	float best = cost_of(t, root), all = (float)t->sum[t->n] * 4 + best;
	float limit = best + (float)slack * all; /* four: what stands around a tree */
	struct heights *h = ARENA_NEW(t->scratch, struct heights);

	BUG_ON(n >= UINT16_MAX);
	t->heights = h;
	h->spare = limit - best + best * 1e-5f; /* sums are rounded */
	h->reach = ARENA_ARRAY(t->scratch, float, n);
	h->at = ARENA_ARRAY(t->scratch, uint16_t, n);
	struct problem *within = ARENA_ARRAY(t->scratch, struct problem, n);
	for (size_t k = 0; k < n; k++)
		h->reach[k] = NEVER;
	reach(t, root, 0);
	n = spread_all(t, within);
	h->cost = ARENA_ARRAY(t->scratch, struct costs, n);
	while (n-- > 0)
		lower(t, within[n]);
	while (most < HEIGHT_ANY && height_cost(t, root, most) > limit)
		most++;
	return most;
}

float height_cost(const struct tree *t, struct problem q, size_t most)
{
	return t->heights->at[place_of(t, q)] ? costs_of(t, q)[most] : NEVER;
}
