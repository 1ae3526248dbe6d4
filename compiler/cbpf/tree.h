/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Inside the tree builder: the table that tree.c fills, the lone values (lone.c) and tests of bits
 * (bits.c) that it may end with, and the trees of bounded height (height.c). Everything lives in the scratch arena of one call of tree_build().
 */
#include "compiler/cbpf/gen.h"

enum {
	TREE_POINTS = 12, /* points looked at, at most */
	LONE_MAX = 8,     /* equality tests in a row */
	HEIGHT_ANY = 15,  /* heights below it are told apart */
};

struct problem { /* one cell of the table: ranges i..j, of whose points h have been tested */
	size_t i, j, h;
};

enum {
	ODD_MAX = 2,
	BITS_RANGES = 12, /* of an interval that one test of bits may do */
};

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

#define NEVER 1e30f /* what cannot be costs more than anything */

struct lone { /* ranges to test for, heaviest first; what remains goes to `rest` */
	size_t at[LONE_MAX];
	size_t n;
	code_id rest;
};

struct window;
struct heights;

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
	double *sum;     /* weights of the ranges before */
	uint8_t *before; /* points in the ranges before */
	float test_cost;
	size_t ncells;              /* pairs of i and j */
	float *cost, *column;       /* by (h, i, j), and the same by (h, j, i) */
	bool is_bounded;            /* the height counts: height.c is asked */
	struct heights *heights;    /* of height.c; NULL: not yet */
	struct window *window[2];   /* of bits.c: no point tested, all tested; NULL: none */
	struct bit_choice *bits[2]; /* likewise; by (i, j - i) */
};

/* What i..j costs at least; behind it stands that of i..j + 1. */
static inline float *tree_row(const struct tree *t, size_t i, size_t j, size_t h)
{
	return &t->cost[h * t->ncells + i * (2 * t->n - i - 1) / 2 + j];
}

/* The same; behind it stands that of i + 1..j. */
static inline float *tree_column(const struct tree *t, size_t i, size_t j, size_t h)
{
	return &t->column[h * t->ncells + j * (j + 1) / 2 + i];
}

/* ---- lone.c ---- */

static inline size_t tree_points_between(const struct tree *t, size_t i, size_t j)
{
	return (size_t)(t->before[j + 1] - t->before[i]);
}

/* The h-th of them. */
size_t tree_point_between(const struct tree *t, size_t i, size_t j, size_t h);
/* Of the first h points between i and j: how many lie in i..s-1. */
size_t tree_points_left(const struct tree *t, struct problem q, size_t s);
/* Splits from s on up to there have the same points on their left. */
size_t tree_same_points_until(const struct tree *t, struct problem q, size_t s);
/* Of the leaf of the next point between i and j. */
size_t tree_point_height(const struct tree *t, struct problem q);
/* Of what the points tested have left. */
float tree_weight_beside(const struct tree *t, struct problem q);

static inline float tree_weight_left(const struct tree *t, struct problem q)
{
	double w = t->sum[q.j + 1] - t->sum[q.i];

	if (q.h)
		return tree_weight_beside(t, q);
	return w > 0 ? (float)w : 0;
}

/* False: more lone values than are tested for in a row, or a wide range beside what is left. */
bool tree_find_lone(const struct tree *t, struct problem q, struct lone *out);
float tree_lone_cost(const struct tree *t, const struct lone *l, float weight);
size_t tree_lone_height(const struct tree *t, const struct lone *l);

/* The same for i..j, one j after the other, while no point has been tested. */
struct lone_row {
	struct lone lone;
	bool found;
	bool settled; /* a wide range has been met: what is left goes where it does */
};

void tree_extend_lone(const struct tree *t, size_t i, size_t j, struct lone_row *row);

/* ---- height.c ---- */

/*
 * The least height, in instructions with the leaf, whose tree costs at most `slack` of all that is
 * executed more than the best; HEIGHT_ANY: none. Once the table is filled.
 */
size_t height_solve(struct tree *t, double slack);
/* What q costs where no path is longer; NEVER: there is no such tree, or it is none of those. */
float height_cost(const struct tree *t, struct problem q, size_t most);

/* ---- bits.c ---- */

/*
 * Rows from the last range to the first, in each row from its first range on: bits_extend(),
 * then bits_solve() for the problems where a test of bits may be of use. Up to BITS_RANGES.
 */
void bits_start(struct tree *t, const struct tree_input *in);
void bits_extend(struct tree *t, size_t i, size_t j);
void bits_solve(const struct tree *t, struct problem q, size_t npoints);
const struct bit_choice *bits_found(const struct tree *t, struct problem q, size_t npoints);

/* What was found; NULL: nothing. */
static inline const struct bit_choice *bits_of(const struct tree *t, struct problem q,
					       size_t npoints)
{
	return q.j - q.i < BITS_RANGES ? bits_found(t, q, npoints) : NULL;
}

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
/* Of a problem of a tree whose height does not count. */
code_id tree_emit_part(const struct tree *t, struct problem q);
/* Would a list that is part of it, solved by itself, look at no other points? */
bool tree_has_points(const struct tree *t, struct problem q, const struct tree_input *in);
code_id tree_emit(struct code *c, struct arena *scratch, const struct tree_input *in);
code_id hot_build(struct code *c, struct arena *scratch, const struct tree_input *in);
