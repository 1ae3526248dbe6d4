/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Inside the describing of claims: a set of values of one argument as a comparison. Arguments are
 * told by their place, as arg0 to arg5, and of an argument only what decides how its values are
 * told is looked at: what was said for one call serves all whose arguments are alike, and
 * describe.c puts in the names.
 */
#include "compiler/base/table.h"
#include "compiler/base/vec.h"
#include "compiler/decision/describe.h"

struct operand { /* what is compared */
	uint8_t arg;
	bool reg;
	bool is_signed;
	unsigned width;
	enum arg_kind kind;
	enum arch arch;     /* whose names */
	const char *domain; /* NULL: its values have none */
	uint64_t enum_mask;
};

struct argument { /* as it is declared, and as a register; alike where only that can be compared */
	struct operand typed, reg;
};

struct mark {
	uint32_t stamp;
	dd_node result;
};

struct piece { /* values, in their order; inclusive */
	uint64_t first, last;
};

typedef VEC(struct piece) piece_list;

struct describer {
	struct dd *d;
	struct arena *arena;
	struct mark *marks; /* by node */
	size_t size;
	uint32_t stamp;
	piece_list found, between; /* of the shape that is being tried */
	VEC(struct argument) arguments;
	VEC(struct told) told;
	struct table by_claim; /* of told */
	/* Of the claim that is being told: */
	unsigned like[6]; /* arguments of it: places in `arguments` */
	size_t work;      /* times that another way may still be tried */
	size_t left;      /* comparisons and members that may still be written */
	size_t visits;    /* of nodes that may still be made; 0: what was found is not to be used */
};

/* One more visit of a node; false: there were too many, or memory is at its bound. */
bool describe_visit(struct describer *s);
/* Starts a walk over what nodes there are now; in it, is this the first visit to the node? */
void describe_walk(struct describer *s);
bool describe_first(struct describer *s, dd_node n);

/* Which bits of its argument does the set look at? */
uint64_t set_bits(struct describer *s, dd_node set);
/* NULL: it cannot be said. Not for sets that are empty or everything. */
struct ast_cond *set_cond(struct describer *s, unsigned arg, dd_node set);
/* What it costs to read that; SIZE_MAX: more than is written within a structure. */
size_t set_cost(struct describer *s, unsigned arg, dd_node set);
/* The opposite, in the place of c where that needs no NOT around it. */
struct ast_cond *describe_not(const struct describer *s, struct ast_cond *c);
