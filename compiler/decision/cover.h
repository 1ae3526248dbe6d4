/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The structure of a claim over arguments: an OR of ANDs or an AND of ORs of sets of values of
 * one argument each, whichever is found to be cheapest. Two-level minimisation with don't-cares
 * (Brayton, Hachtel, McMullen, Sangiovanni-Vincentelli: Logic Minimization Algorithms for VLSI
 * Synthesis, 1984: expand a cube to a prime, take what it covers away, drop what is redundant),
 * once over the bits of one argument and once over sets of values of several.
 */
#include "compiler/decision/decision.h"

struct cover {
	enum cover_kind { COVER_SET, COVER_AND, COVER_OR } kind;
	unsigned arg; /* SET: 0 to 5 ... */
	dd_node set;  /* ... has one of these values; DD_TRUE: any */
	const struct cover *left, *right;
	size_t cost;
};

struct cover_search {
	struct dd *d;
	struct arena *arena;
	/* What it costs to say that an argument has one of these values; SIZE_MAX: too much. */
	size_t (*cost)(void *ctx, unsigned arg, dd_node set);
	void *ctx;
	size_t most;                  /* of several arguments: a cost that none is to reach */
	size_t left;                  /* visits of nodes, about: what may still be tried */
	struct cover_memo *memo[512]; /* what was found for one argument already */
	struct {
		uint32_t *v; /* by node: its shortest path; 0: not known */
		size_t n;
	} lengths;
};

/*
 * A structure that holds wherever `must` does and nowhere outside `may` (in the arena), both over
 * arguments only and not empty; NULL: none was found that the search may afford.
 */
const struct cover *cover_find(struct cover_search *s, dd_node must, dd_node may);
