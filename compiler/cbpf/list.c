/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of ranges to tests: what is equal is joined, bits that a leaf's values have in common
 * are tested apart, long lists are halved, and what is left goes to the best tree (tree.c), or
 * where weights are known to hot.c. Where programs came out too long, rows of equality tests.
 */
#include "compiler/cbpf/gen.h"
#include "compiler/cbpf/tree.h"

enum {
	RANGES_MAX = 96, /* a longer list is halved by weight first */
	LONG_LIST = 200, /* from here on halving comes close enough, */
	BLOCK_MAX = 40,  /* down to this many, and the longest path is what it is */
	CHAIN_FROM = 8,  /* a shorter list takes no more in a tree */
};

/* A long list: one split by weight and length, then each half by itself. */
static code_id halve(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree_input half = *in;
	size_t s = in->n / 2;
	double all = 0, left = 0;

	for (size_t i = 0; i < in->n; i++)
		all += in->ranges[i].weight;
	if (in->n > LONG_LIST) {
		half.is_block = true;
		half.slack = 0;
	}
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

	if (in->ranges[0].first != 0 || !tree_is_lone(&in->ranges[0]))
		return false;
	*leaf = in->ranges[0].leaf;
	*bits = 0;
	for (size_t i = 0; i < in->n; i++) {
		if (in->ranges[i].leaf != *leaf || !tree_is_lone(&in->ranges[i]) ||
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
static code_id build_around_cube(struct code *c, struct arena *scratch, const struct tree_input *in,
				 code_id leaf, uint32_t bits)
{
	struct tree_input rest = *in;

	rest.ranges = ARENA_ARRAY(scratch, struct tree_range, in->n);
	rest.n = 0;
	for (size_t i = 0; i < in->n; i++) {
		struct tree_range r = in->ranges[i];
		if (r.leaf == leaf && tree_is_lone(&r) && !(r.first & ~bits)) {
			if (rest.n) {
				rest.ranges[rest.n - 1].last = r.last;
				continue;
			}
			r.leaf =
				in->ranges[i + 1].leaf; /* a lone first range is not the only one */
		}
		rest.ranges[rest.n++] = r;
	}
	return code_jump(c, BPF_JSET, ~bits, tree_build(c, scratch, &rest), leaf);
}

/* What the values that are not tested for lead to. False: ranges have another, or too many values. */
static bool find_rest(const struct code *c, const struct tree_input *in, code_id *rest)
{
	size_t lone = 0, wide = 0;

	*rest = in->ranges[0].leaf;
	for (size_t i = 0; i < in->n; i++)
		if (!tree_is_lone(&in->ranges[i]) && !wide++)
			*rest = in->ranges[i].leaf;
	for (size_t i = 0; i < in->n; i++) {
		if (in->ranges[i].leaf == *rest)
			continue;
		if (!tree_is_lone(&in->ranges[i]))
			return false;
		lone++;
	}
	return lone <= c->chain;
}

/* One instruction a value. */
static code_id build_chain(struct code *c, const struct tree_input *in, code_id rest)
{
	code_id to = rest;

	for (size_t i = in->n; i-- > 0;)
		if (in->ranges[i].leaf != rest)
			to = code_jump(c, BPF_JEQ, in->ranges[i].first, in->ranges[i].leaf, to);
	return to;
}

code_id tree_build(struct code *c, struct arena *scratch, const struct tree_input *in)
{
	struct tree_input merged = *in;
	uint32_t bits;
	code_id leaf;

	merge_equal(&merged);
	if (merged.n == 1)
		return merged.ranges[0].leaf;
	if (!merged.are_numbers && find_cube(&merged, &leaf, &bits))
		return build_around_cube(c, scratch, &merged, leaf, bits);
	if (c->chain && !merged.are_numbers && merged.n > CHAIN_FROM &&
	    find_rest(c, &merged, &leaf))
		return build_chain(c, &merged, leaf);
	if (merged.n > (merged.is_block ? BLOCK_MAX : RANGES_MAX))
		return halve(c, scratch, &merged);
	return merged.npoints ? hot_build(c, scratch, &merged) : tree_emit(c, scratch, &merged);
}
