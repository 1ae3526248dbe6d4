/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Inside the tree builder: the table that tree.c fills, and the tests of bits (bits.c) that it
 * may end with. Everything lives in the scratch arena of one call of tree_build().
 */
#include "compiler/cbpf/gen.h"

enum {
	TREE_LANES = 16,  /* heights told apart; the last: any */
	TREE_POINTS = 12, /* points looked at, at most */
};

struct problem { /* one cell of the table: ranges i..j, of whose points h have been tested */
	size_t i, j, h;
};

enum { ODD_MAX = 2 };

/* One test of bits, then equality tests for values that stand on the wrong side. */
struct bit_choice {
	float cost;
	uint16_t mask; /* 0: none */
	uint16_t height;
	struct bit_side {
		code_id rest;          /* where what is left goes */
		uint32_t odd[ODD_MAX]; /* in the order in which they are tested for */
		uint32_t n;
	} side[2]; /* no bit of the mask set, some set */
};

struct window;

struct tree {
	struct code *c;
	struct arena *scratch;
	const struct tree_range *r;
	size_t n;
	struct tree_point points[TREE_POINTS]; /* in the order in which they are tested */
	size_t at[TREE_POINTS];                /* the range each lies in */
	size_t npoints;
	const uint32_t *removed; /* masks: values none of whose bits are in one do not occur */
	size_t nremoved;
	double *sum; /* weights of the ranges before */
	float test_cost;
	size_t lanes;
	float *cost;                /* by (i, j, h, lane) */
	struct window *window[2];   /* of bits.c: no point tested, all tested; NULL: none */
	struct bit_choice *bits[2]; /* likewise; by (i, j - i) */
};

/*
 * Rows from the last range to the first, in each row from its first range on: bits_extend(),
 * then bits_solve() for the problems where a test of bits may be of use.
 */
void bits_start(struct tree *t, const struct tree_input *in);
void bits_extend(struct tree *t, size_t i, size_t j);
void bits_solve(const struct tree *t, struct problem q, size_t npoints);
/* What was found; NULL: nothing. */
const struct bit_choice *bits_of(const struct tree *t, struct problem q, size_t npoints);
code_id bits_emit(const struct tree *t, struct problem q, const struct bit_choice *b);

/* Is it one value? */
static inline bool tree_is_lone(const struct tree_range *r)
{
	return r->first == r->last;
}

/* ---- for hot.c and list.c: a list that is solved, and taken apart ---- */

struct tree_first { /* the first test of the best tree */
	enum { TREE_FIRST_BOTTOM, TREE_FIRST_POINT, TREE_FIRST_SPLIT } kind;
	size_t split;            /* SPLIT: the first range on the right */
	struct tree_point point; /* POINT: the value, and where it leads */
	code_id leaf;
};

/* The best tree for the list; tables that others may be solved beside are in the scratch arena. */
struct tree tree_solved(struct code *c, struct arena *scratch, const struct tree_input *in);
/* Executed tests times weight of the best tree for a problem, and what its instructions cost. */
double tree_cost(const struct tree *t, struct problem q);
struct tree_first tree_first_test(const struct tree *t, struct problem q);
/* Of a problem of a tree of one lane. */
code_id tree_emit_part(const struct tree *t, struct problem q);
/* Would a list that is part of it, solved by itself, look at no other points? */
bool tree_has_points(const struct tree *t, struct problem q, const struct tree_input *in);
code_id tree_emit(struct code *c, struct arena *scratch, const struct tree_input *in);
code_id hot_build(struct code *c, struct arena *scratch, const struct tree_input *in);
