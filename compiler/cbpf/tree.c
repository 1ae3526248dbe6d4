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
 * tested already); height.c then looks for a tree that is next to as good and less tall. Points are values tested for
 * equality above a split. That pays only if the value is met more often than everything on the
 * split's other side, and among such tests the hotter goes first, so the hottest points in their
 * order are enough; or if the value's leaf is so long that the path to it has to be short.
 * A lone value that is neither is tested at the bottom, where one test takes it out of ranges
 * that are equal otherwise.
 */
#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"
#include "compiler/cbpf/tree.h"
#include "compiler/cbpf/vector.h"

enum {
	TALL_LEAF = 5, /* instructions of a leaf from which its value is worth a point */
	SHAPES = 8,    /* of lists whose tables are kept */
	TALL_MAX = 2,  /* such points */
};

static const double point_part = 1.0 / 64; /* of all weight: makes a value hot */

struct choice {
	enum { CHOICE_LONE, CHOICE_BITS, CHOICE_POINT, CHOICE_SPLIT } kind;
	size_t split; /* the first range on the right */
	float cost;
};

/* ---- the programme ---- */

/* Of sums of two rows of numbers the least. */
static float least_sum(const float *x, const float *y, size_t n)
{
	vec4 least = { NEVER, NEVER, NEVER, NEVER };

	if (n < 4) {
		for (size_t k = 0; k < n; k++)
			least[0] = x[k] + y[k] < least[0] ? x[k] + y[k] : least[0];
		return least[0];
	}
	for (size_t k = 0; k + 4 < n; k += 4)
		least = least4(*(const vec4_anywhere *)(x + k) + *(const vec4_anywhere *)(y + k),
			       least);
	least = least4(*(const vec4_anywhere *)(x + n - 4) + *(const vec4_anywhere *)(y + n - 4),
		       least); /* some of them once more */
	least = least4(least, (vec4){ least[2], least[3], least[0], least[1] });
	return least[0] < least[1] ? least[0] : least[1];
}

static float best_split(const struct tree *t, struct problem q)
{
	float best = NEVER, least;

	if (!q.h)
		return q.i == q.j ? NEVER :
				    least_sum(tree_row(t, q.i, q.i, 0),
					      tree_column(t, q.i + 1, q.j, 0), q.j - q.i);
	for (size_t s = q.i + 1, end; s <= q.j; s = end) {
		size_t left = tree_points_left(t, q, s);
		end = tree_same_points_until(t, q, s);
		least = least_sum(tree_row(t, q.i, s - 1, left), tree_column(t, s, q.j, q.h - left),
				  end - s);
		best = least < best ? least : best;
	}
	return best;
}

static float solve(const struct tree *t, struct problem q, size_t npoints, const struct lone *lone)
{
	float weight = tree_weight_left(t, q), test = weight + t->test_cost, below = NEVER;
	float best = lone ? tree_lone_cost(t, lone, weight) : NEVER;
	const struct bit_choice *bits;

	if (best <= test)
		return best; /* one test: nothing can do with less */
	if (q.h < npoints)
		below = *tree_row(t, q.i, q.j, q.h + 1);
	float split = best_split(t, q);
	below = split < below ? split : below;
	best = test + below < best ? test + below : best;
	if (best <= test || q.j - q.i >= BITS_RANGES)
		return best;
	bits_solve(t, q, npoints);
	bits = bits_of(t, q, npoints);
	return bits && bits->cost < best ? bits->cost : best;
}

/* ---- the tree found ---- */

/* How many instructions a path may still take, its leaf included. */
static size_t height_below(size_t most)
{
	return most == HEIGHT_ANY ? most : most - 1;
}

static bool height_holds(size_t most, size_t height)
{
	return most == HEIGHT_ANY || most >= height;
}

static float cost_at(const struct tree *t, struct problem q, size_t most)
{
	return most == HEIGHT_ANY ? *tree_row(t, q.i, q.j, q.h) : height_cost(t, q, most);
}

static void prefer(struct choice *best, struct choice c)
{
	if (c.cost < best->cost)
		*best = c;
}

/* The choice is made again rather than kept for each cell: a tree has few nodes. */
static struct choice choose(const struct tree *t, struct problem q, size_t most)
{
	struct choice best = { CHOICE_LONE, 0, NEVER };
	struct problem p = { q.i, q.j, q.h + 1 };
	size_t npoints = tree_points_between(t, q.i, q.j), low = height_below(most);
	const struct bit_choice *bits = bits_of(t, q, npoints);
	float weight = tree_weight_left(t, q);
	struct lone lone;

	if (tree_find_lone(t, q, &lone) && height_holds(most, tree_lone_height(t, &lone)))
		prefer(&best, (struct choice){ CHOICE_LONE, 0, tree_lone_cost(t, &lone, weight) });
	if (bits && height_holds(most, bits->height))
		prefer(&best, (struct choice){ CHOICE_BITS, 0, bits->cost });
	if (most == 0)
		return best;
	weight += t->test_cost;
	if (q.h < npoints && height_holds(low, tree_point_height(t, q)))
		prefer(&best, (struct choice){ CHOICE_POINT, 0, weight + cost_at(t, p, low) });
	for (size_t s = q.i + 1; s <= q.j; s++) {
		size_t left = tree_points_left(t, q, s);
		struct problem x = { q.i, s - 1, left }, y = { s, q.j, q.h - left };
		float below = cost_at(t, x, low) + cost_at(t, y, low);
		prefer(&best, (struct choice){ CHOICE_SPLIT, s, weight + below });
	}
	BUG_ON(best.cost >= NEVER);
	return best;
}

static code_id emit_lone(const struct tree *t, struct problem q)
{
	struct lone lone;

	BUG_ON(!tree_find_lone(t, q, &lone));
	code_id to = lone.rest;
	for (size_t k = lone.n; k-- > 0;)
		to = code_jump(t->c, BPF_JEQ, t->r[lone.at[k]].first, t->r[lone.at[k]].leaf, to);
	return to;
}

static code_id emit(const struct tree *t, struct problem q, size_t most)
{
	struct choice best = choose(t, q, most);
	size_t low = height_below(most), k;
	code_id to;

	switch (best.kind) {
	case CHOICE_LONE: return emit_lone(t, q);
	case CHOICE_BITS: return bits_emit(t, q, bits_of(t, q, tree_points_between(t, q.i, q.j)));
	case CHOICE_POINT:
		k = tree_point_between(t, q.i, q.j, q.h);
		to = emit(t, (struct problem){ q.i, q.j, q.h + 1 }, low);
		return code_jump(t->c, BPF_JEQ, t->points[k].value, t->r[t->at[k]].leaf, to);
	case CHOICE_SPLIT:
		k = tree_points_left(t, q, best.split);
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
		    t->c->nodes.v[in->ranges[i].leaf].height >= TALL_LEAF)
			add_point(t, in,
				  (struct tree_point){ in->ranges[i].first, in->ranges[i].weight });
}

/* ---- a list like the one before ---- */

/* All that the costs of a list depend on, where there are neither bits to test nor weights of
 * points: calls with the same kind of rule have the same lists but for the values. */
struct tree_shape {
	size_t n, cap; /* n 0: none */
	double test_cost, slack;
	struct shape_range {
		double weight;
		code_id leaf;
		bool is_lone;
	} * range;
	float *cost; /* its table */
	size_t room; /* of the table */
};

static bool has_shape(const struct tree *t, const struct tree_input *in, const struct tree_shape *s)
{
	if (s->n != t->n || s->test_cost != in->test_cost || s->slack != in->slack)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		const struct shape_range *x = &s->range[i];
		const struct tree_range *r = &t->r[i];
		if (x->leaf != r->leaf || x->is_lone != tree_is_lone(r) || x->weight != r->weight)
			return false;
	}
	return true;
}

static float *grow_room(struct code *c, float **table, size_t *room, size_t need)
{
	if (*room < need) {
		*table = ARENA_ARRAY(c->arena, float, need);
		*room = need;
	}
	return *table;
}

/* Of the last few lists. True: the table is filled for this one already. Else it is about to be. */
static bool take_shape(struct tree *t, const struct tree_input *in, size_t need)
{
	struct code *c = t->c;
	struct tree_shape *s;

	if (!c->shapes)
		c->shapes = ARENA_ARRAY(c->arena, struct tree_shape, SHAPES);
	for (size_t k = 0; k < SHAPES; k++) {
		t->cost = c->shapes[k].cost;
		if (has_shape(t, in, &c->shapes[k]))
			return true;
	}
	s = &c->shapes[c->next_shape++ % SHAPES];
	t->cost = grow_room(c, &s->cost, &s->room, need);
	if (s->cap < t->n) {
		s->cap = 2 * t->n;
		s->range = ARENA_ARRAY(c->arena, struct shape_range, s->cap);
	}
	s->n = t->n;
	s->test_cost = in->test_cost;
	s->slack = in->slack;
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

static void count_points(struct tree *t)
{
	t->before = ARENA_ARRAY(t->scratch, uint8_t, t->n + 1);
	for (size_t p = 0; p < t->npoints; p++)
		t->before[t->at[p] + 1]++;
	for (size_t i = 0; i < t->n && t->npoints; i++)
		t->before[i + 1] = (uint8_t)(t->before[i + 1] + t->before[i]);
}

/* True: the table is filled already. */
static bool make_room(struct tree *t, const struct tree_input *in, bool is_kept)
{
	struct code *c = t->c;
	bool is_filled = false;
	size_t need;

	t->ncells = t->n * (t->n + 1) / 2;
	need = 2 * t->ncells * (t->npoints + 1);
	if (is_kept)
		t->cost = ARENA_ARRAY(t->scratch, float, need);
	else if (in->are_numbers || in->npoints)
		t->cost = grow_room(c, &c->work, &c->nwork, need);
	else
		is_filled = take_shape(t, in, need);
	t->column = t->cost + t->ncells * (t->npoints + 1);
	return is_filled;
}

static void store(struct tree *t, struct problem q, float cost)
{
	*tree_row(t, q.i, q.j, q.h) = *tree_column(t, q.i, q.j, q.h) = cost;
}

/* With any number of the points between i and j tested, most of them first. */
static void solve_points(struct tree *t, size_t i, size_t j, const struct lone_row *row)
{
	size_t npoints = tree_points_between(t, i, j);
	struct problem q = { i, j, npoints };
	struct lone lone;

	for (; q.h > 0; q.h--)
		store(t, q, solve(t, q, npoints, tree_find_lone(t, q, &lone) ? &lone : NULL));
	store(t, q, solve(t, q, npoints, row->found ? &row->lone : NULL));
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
	count_points(t);
	t->is_bounded = !in->npoints && in->slack > 0;
	if (make_room(t, in, is_kept))
		return;
	bits_start(t, in);
	for (size_t i = in->n; i-- > 0;) {
		struct lone_row row = { .found = false };
		for (size_t j = i; j < in->n; j++) {
			if (j - i < BITS_RANGES)
				bits_extend(t, i, j);
			tree_extend_lone(t, i, j, &row);
			solve_points(t, i, j, &row);
		}
	}
}

code_id tree_emit(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	size_t most = HEIGHT_ANY;
	struct tree t;

	tree_solve(&t, c, scratch, in, false);
	if (t.is_bounded)
		most = height_solve(&t, in->slack);
	return emit(&t, (struct problem){ 0, in->n - 1, 0 }, most);
}

struct tree tree_solved(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree t;

	tree_solve(&t, c, scratch, in, true);
	return t;
}

double tree_cost(const struct tree *t, struct problem q)
{
	return (double)*tree_row(t, q.i, q.j, q.h);
}

code_id tree_emit_part(const struct tree *t, struct problem q)
{
	BUG_ON(t->is_bounded);
	return emit(t, q, HEIGHT_ANY);
}

bool tree_has_points(const struct tree *t, struct problem q, const struct tree_input *in)
{
	double all = t->sum[q.j + 1] - t->sum[q.i];
	size_t n = 0;

	for (size_t p = 0; p < in->npoints && n < in->points_max; p++)
		n += in->points[p].weight >= all * point_part &&
		     in->points[p].value >= t->r[q.i].first &&
		     in->points[p].value <= t->r[q.j].last;
	return n == tree_points_between(t, q.i, q.j);
}

struct tree_first tree_first_test(const struct tree *t, struct problem q)
{
	struct tree_first first = { .kind = TREE_FIRST_BOTTOM };
	struct choice best = choose(t, q, HEIGHT_ANY);

	if (best.kind == CHOICE_SPLIT) {
		first.kind = TREE_FIRST_SPLIT;
		first.split = best.split;
	} else if (best.kind == CHOICE_POINT) {
		size_t p = tree_point_between(t, q.i, q.j, q.h);
		first.kind = TREE_FIRST_POINT;
		first.point = t->points[p];
		first.leaf = t->r[t->at[p]].leaf;
	}
	return first;
}
