/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Inside the diagrams: nodes, and the one operation that builds all others. */
#include "compiler/base/vec.h"
#include "compiler/decision/decision.h"

enum { DD_RANKS = DD_FIELDS, DD_BITS = DD_RANKS * 64, DD_TERMINAL = DD_BITS };

struct node {
	uint32_t bit; /* TERMINAL: low is the verdict, packed */
	dd_node low, high;
};

struct computed { /* one remembered operation; f == DD_NONE: free */
	dd_node f, g, h, result;
};

struct memo { /* dd_restrict(): what a node became, in the run that `stamp` names */
	uint32_t stamp;
	dd_node result;
};

struct dd {
	struct arena *arena;
	VEC(struct node) nodes;
	dd_node *unique; /* open addressing, DD_NONE: free */
	size_t unique_size;
	struct computed *computed; /* direct-mapped: a collision forgets the older */
	size_t computed_size;
	struct memo *memo;
	size_t memo_size;
	struct compared *compared; /* direct-mapped likewise; NULL: none yet */
	uint32_t stamp;
	uint32_t
		operation; /* tags of dd_compare() in `computed`, counted down from above all nodes */
	size_t budget;     /* nodes */
	size_t steps;      /* left: bounds time where the cache forgets */
};

/* Fields by their place in the order, and back. */
static inline uint32_t field_rank(enum dd_field f)
{
	return f == DD_CALL ? 0 : f == DD_CAPS ? 1 : f == DD_SYSTEM ? 2 : (uint32_t)f + 3;
}

static inline enum dd_field rank_field(uint32_t rank)
{
	static const enum dd_field fields[DD_RANKS] = { DD_CALL, DD_CAPS, DD_SYSTEM, 0, 1,
							2,       3,       4,         5, DD_IP };

	return fields[rank];
}

static inline uint32_t bit_of(enum dd_field f, unsigned shift)
{
	return field_rank(f) * 64 + 63 - shift;
}

/* The last value of so many bits. */
static inline uint64_t bits_below(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static inline dd_node child(const struct dd *d, dd_node n, uint32_t bit, bool high)
{
	const struct node *k = &d->nodes.v[n];

	if (k->bit != bit)
		return n;
	return high ? k->high : k->low;
}

/* The node (bit, low, high), reduced and unique. */
dd_node dd_make(struct dd *d, uint32_t bit, dd_node low, dd_node high);
/* One step of an operation that may be long; false: too long. */
bool dd_step(struct dd *d);
/* The place of an operation's result in the cache; the caller compares f, g, h. */
struct computed *dd_computed(struct dd *d, dd_node f, dd_node g, dd_node h);
/* Starts a walk over what nodes there are now; in it, is this the first visit to the node? */
void dd_memo_start(struct dd *d);
bool dd_memo_first(struct dd *d, dd_node n);
