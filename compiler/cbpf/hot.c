/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree for known weights. Before the tree, and again in what is left of it, one test of bits
 * may decide many hot calls at once:
 *
 *	if (A & ~0x5f)          0-31 and 64-95: read, mmap, close, readlink ...
 *		tree for the others;
 *	goto allow;
 *
 * The candidates are the masks ~b for the 512 sets b of low bits under which all values that
 * are left have one leaf; the few that take the most weight are tried, each with the best tree
 * for the rest. The tree itself is made one test at a time while it is hot: each side is a new
 * list, for which a test of bits is looked for again.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"
#include "compiler/cbpf/tree.h"

enum {
	LOW_BITS = 512,
	CANDIDATES = 4,
};

/* A list with less than this part of all weight is left as it is. */
static const double cool = 1.0 / 16;

struct cube {
	uint32_t mask;
	double weight; /* of the values none of whose bits are in it */
	code_id leaf;
};

struct values { /* what the low values of a list are */
	double weight[LOW_BITS];
	code_id leaf[LOW_BITS];
	bool present[LOW_BITS];
};

static bool is_removed(const struct tree_input *in, uint32_t value)
{
	for (size_t k = 0; k < in->nremoved; k++)
		if (!(value & in->removed[k]))
			return true;
	return false;
}

static void add_values(struct values *v, const struct tree_input *in, const struct tree_range *r)
{
	double plain = r->weight;
	uint32_t last = r->last < LOW_BITS ? r->last : LOW_BITS - 1, n = 0;

	for (size_t p = 0; p < in->npoints; p++)
		if (in->points[p].value >= r->first && in->points[p].value <= r->last)
			plain -= in->points[p].weight;
	for (uint32_t x = r->first; x <= last; x++)
		n += v->present[x] = !is_removed(in, x);
	for (uint32_t x = r->first; x <= last; x++) {
		v->leaf[x] = r->leaf;
		v->weight[x] = plain > 0 && r->last < LOW_BITS && n ? plain / n : 0;
	}
}

static void find_values(struct values *v, const struct tree_input *in)
{
	memset(v, 0, sizeof(*v));
	for (size_t k = 0; k < in->n; k++)
		if (in->ranges[k].first < LOW_BITS)
			add_values(v, in, &in->ranges[k]);
	for (size_t p = 0; p < in->npoints; p++)
		if (in->points[p].value < LOW_BITS)
			v->weight[in->points[p].value] += in->points[p].weight;
}

/* False: values of more than one leaf, or none. */
static bool weigh_cube(const struct values *v, uint32_t bits, struct cube *out)
{
	bool any = false;

	*out = (struct cube){ .mask = ~bits };
	for (uint32_t x = bits;; x = (x - 1) & bits) { /* all subsets */
		if (v->present[x] && any && v->leaf[x] != out->leaf)
			return false;
		if (v->present[x]) {
			out->leaf = v->leaf[x];
			out->weight += v->weight[x];
			any = true;
		}
		if (!x)
			return any;
	}
}

/* The candidates, heaviest first; returns how many. */
static size_t find_cubes(const struct tree_input *in, double least, struct cube out[CANDIDATES])
{
	struct values v;
	struct cube c;
	size_t n = 0;

	find_values(&v, in);
	for (uint32_t bits = 0; bits < LOW_BITS; bits++) {
		if (!weigh_cube(&v, bits, &c) || c.weight < least)
			continue;
		size_t at = n < CANDIDATES ? n++ : CANDIDATES;
		for (; at && out[at - 1].weight < c.weight; at--)
			if (at < CANDIDATES)
				out[at] = out[at - 1];
		if (at < CANDIDATES)
			out[at] = c;
	}
	return n;
}

/* A range without the values of the cube at its ends; false: nothing is left. */
static bool trim(struct tree_range *r, const struct values *v, uint32_t mask)
{
	for (uint32_t x = r->first; x <= r->last && x < LOW_BITS; x++)
		if (!(x & mask) && v->present[x])
			r->weight -= v->weight[x];
	while (r->first < LOW_BITS && (!(r->first & mask) || !v->present[r->first])) {
		if (r->first == r->last)
			return false;
		r->first++;
	}
	while (r->last < LOW_BITS && (!(r->last & mask) || !v->present[r->last]))
		r->last--;
	if (r->weight < 0)
		r->weight = 0;
	return true;
}

/* As `in`, without a range or a point, and with room for all of its. */
static struct tree_input room_for(struct arena *scratch, const struct tree_input *in)
{
	struct tree_input rest = *in;

	rest.ranges = ARENA_ARRAY(scratch, struct tree_range, in->n);
	rest.points = ARENA_ARRAY(scratch, struct tree_point, in->npoints + 1);
	rest.n = rest.npoints = 0;
	return rest;
}

/* Behind the last range, or as part of it where that leads to the same leaf. */
static void add_range(struct tree_input *in, struct tree_range r)
{
	struct tree_range *back = in->n ? &in->ranges[in->n - 1] : NULL;

	if (back && back->leaf == r.leaf) {
		back->last = r.last;
		back->weight += r.weight;
	} else {
		in->ranges[in->n++] = r;
	}
}

/* The list once the cube has been tested for. */
static struct tree_input take_out(struct arena *scratch, const struct tree_input *in, uint32_t mask)
{
	struct tree_input rest = room_for(scratch, in);
	struct values v;

	find_values(&v, in);
	for (size_t k = 0; k < in->n; k++) {
		struct tree_range r = in->ranges[k];
		if (trim(&r, &v, mask))
			add_range(&rest, r);
	}
	for (size_t p = 0; p < in->npoints; p++)
		if (in->points[p].value & mask)
			rest.points[rest.npoints++] = in->points[p];
	rest.removed[rest.nremoved++] = mask;
	return rest;
}

/* The list once a value has been tested for: a lone one goes, another one weighs nothing. */
static struct tree_input take_value(struct arena *scratch, const struct tree_input *in,
				    struct tree_point p)
{
	struct tree_input rest = room_for(scratch, in);

	for (size_t k = 0; k < in->n; k++) {
		struct tree_range r = in->ranges[k];
		if (r.first == p.value && r.last == p.value)
			continue;
		if (r.first <= p.value && r.last >= p.value)
			r.weight = r.weight > p.weight ? r.weight - p.weight : 0;
		add_range(&rest, r);
	}
	for (size_t k = 0; k < in->npoints; k++)
		if (in->points[k].value != p.value)
			rest.points[rest.npoints++] = in->points[k];
	return rest;
}

static double weight_of(const struct tree_input *in)
{
	double all = 0;

	for (size_t k = 0; k < in->n; k++)
		all += in->ranges[k].weight;
	return all;
}

struct hot {
	struct code *c;
	struct arena *scratch;
	double all;
};

/* Which cube, if any, costs less than `best`, the best tree without one? */
static const struct cube *best_cube(struct hot *h, const struct tree_input *in, double best,
				    struct cube cubes[CANDIDATES])
{
	size_t n = in->nremoved < TREE_REMOVED ? find_cubes(in, h->all * cool, cubes) : 0;
	const struct cube *found = NULL;

	for (size_t k = 0; k < n; k++) {
		double cost = weight_of(in) + in->test_cost;
		struct tree_input rest = take_out(h->scratch, in, cubes[k].mask);
		/* What is left takes a test at least. */
		if (rest.n == 0 || cost + (rest.n > 1 ? weight_of(&rest) : 0) >= best)
			continue;
		if (rest.n > 1) {
			struct tree t = tree_solved(h->c, h->scratch, &rest);
			cost += tree_cost(&t, (struct problem){ 0, rest.n - 1, 0 });
		}
		if (cost >= best)
			continue;
		best = cost;
		found = &cubes[k];
	}
	return found;
}

static code_id build(struct hot *h, const struct tree_input *in, const struct tree *of,
		     struct problem q);

/* A list that no tree has been made for. */
static code_id build_list(struct hot *h, const struct tree_input *in)
{
	if (in->n == 1)
		return in->ranges[0].leaf;
	if (weight_of(in) < h->all * cool)
		return tree_emit(h->c, h->scratch, in);
	struct tree t = tree_solved(h->c, h->scratch, in);
	return build(h, in, &t, (struct problem){ 0, in->n - 1, 0 });
}

/* Ranges of a list whose tree is known. */
static code_id build_part(struct hot *h, const struct tree_input *in, const struct tree *of,
			  struct problem q)
{
	bool is_hot = weight_of(in) >= h->all * cool;

	if (in->n == 1 || of->is_bounded || !tree_has_points(of, q, in))
		return build_list(h, in);
	return is_hot ? build(h, in, of, q) : tree_emit_part(of, q);
}

static code_id build(struct hot *h, const struct tree_input *in, const struct tree *of,
		     struct problem q)
{
	struct cube cubes[CANDIDATES];
	const struct cube *cube = best_cube(h, in, tree_cost(of, q), cubes);
	struct tree_input left = *in, right = *in, rest;

	if (cube) {
		rest = take_out(h->scratch, in, cube->mask);
		return code_jump(h->c, BPF_JSET, cube->mask, build_list(h, &rest), cube->leaf);
	}
	struct tree_first first = tree_first_test(of, q);
	if (first.kind == TREE_FIRST_BOTTOM)
		return of->is_bounded ? tree_emit(h->c, h->scratch, in) : tree_emit_part(of, q);
	if (first.kind == TREE_FIRST_POINT) {
		rest = take_value(h->scratch, in, first.point);
		return code_jump(h->c, BPF_JEQ, first.point.value, first.leaf,
				 build_list(h, &rest));
	}
	left.n = first.split - q.i;
	right.ranges += left.n;
	right.n -= left.n;
	code_id to = build_part(h, &right, of, (struct problem){ first.split, q.j, 0 });
	return code_jump(h->c, BPF_JGE, right.ranges[0].first, to,
			 build_part(h, &left, of, (struct problem){ q.i, first.split - 1, 0 }));
}

code_id hot_build(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct hot h = { c, scratch, weight_of(in) };

	return build_list(&h, in);
}
