/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multi-terminal decision diagrams over the bits of a call and its environment.
 *
 *	node = terminal(verdict) | (bit, low, high)      bit 0: most significant of DD_CALL
 *
 * Nodes are reduced (low != high) and unique, so two functions are equal exactly when their
 * node numbers are. Claims use two terminals of their own, FALSE and TRUE. One operation
 * builds everything else: ite(f, g, h) = f ? g : h.
 */
#include "compiler/decision/dd.h"

#include <string.h>

#include "compiler/base/bug.h"

enum { NODES_MIN = 4096 }; /* that there is room for */

static uint32_t hash3(uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t h = ((uint64_t)b << 32 | c) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32 ^ a) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h >> 32);
}

static void unique_insert(struct dd *d, dd_node n)
{
	const struct node *k = &d->nodes.v[n];
	size_t i = hash3(k->bit, k->low, k->high) & (d->unique_size - 1);

	while (d->unique[i] != DD_NONE)
		i = (i + 1) & (d->unique_size - 1);
	d->unique[i] = n;
}

/* The cache grows with the nodes: a small policy must not pay for a large one's tables. */
static void tables_make(struct dd *d)
{
	d->unique = ARENA_ARRAY(d->arena, dd_node, d->unique_size);
	memset(d->unique, 0xff, d->unique_size * sizeof(dd_node));
	for (size_t n = 0; n < d->nodes.n; n++)
		unique_insert(d, (dd_node)n);
	d->computed_size = d->unique_size / 8;
	d->computed = ARENA_ARRAY(d->arena, struct computed, d->computed_size);
	memset(d->computed, 0xff, d->computed_size * sizeof(struct computed));
}

dd_node dd_make(struct dd *d, uint32_t bit, dd_node low, dd_node high)
{
	if (low == DD_NONE || high == DD_NONE)
		return DD_NONE;
	if (bit != DD_TERMINAL && low == high)
		return low;
	/* A path that was made before was made node after node: no look at the table, which is
	 * large and far away. */
	dd_node next = (low > high ? low : high) + 1;
	if (next < d->nodes.n && d->nodes.v[next].bit == bit && d->nodes.v[next].low == low &&
	    d->nodes.v[next].high == high)
		return next;
	size_t i = hash3(bit, low, high) & (d->unique_size - 1);
	for (; d->unique[i] != DD_NONE; i = (i + 1) & (d->unique_size - 1)) {
		const struct node *k = &d->nodes.v[d->unique[i]];
		if (k->bit == bit && k->low == low && k->high == high)
			return d->unique[i];
	}
	if (d->nodes.n >= d->budget)
		return DD_NONE;
	vec_push_own(d->arena, &d->nodes, ((struct node){ bit, low, high }));
	if (d->nodes.n * 2 > d->unique_size) {
		arena_give_back(d->arena, d->unique, d->unique_size * sizeof(*d->unique));
		arena_give_back(d->arena, d->computed, d->computed_size * sizeof(*d->computed));
		d->unique_size *= 2;
		tables_make(d);
	} else {
		d->unique[i] = (dd_node)(d->nodes.n - 1);
	}
	return (dd_node)(d->nodes.n - 1);
}

struct dd *dd_new(struct arena *a, size_t node_budget)
{
	return dd_new_for(a, node_budget, 0);
}

struct dd *dd_new_for(struct arena *a, size_t node_budget, size_t expected)
{
	struct dd *d = ARENA_NEW(a, struct dd);

	BUG_ON(node_budget >= UINT32_MAX / 2);
	d->arena = a;
	d->budget = node_budget + 2;
	d->steps = node_budget * 32;
	d->operation = UINT32_MAX - 1;
	if (expected > node_budget)
		expected = node_budget;
	if (expected < NODES_MIN)
		expected = NODES_MIN;
	d->nodes.v = ARENA_ARRAY(a, struct node, expected);
	d->nodes.cap = expected;
	for (d->unique_size = 2 * NODES_MIN; d->unique_size < 2 * expected;)
		d->unique_size *= 2;
	tables_make(d);
	/* Terminals of claims: packed values that no verdict has. */
	dd_node f = dd_make(d, DD_TERMINAL, UINT32_MAX - 2, 0);
	dd_node t = dd_make(d, DD_TERMINAL, UINT32_MAX - 1, 0);
	BUG_ON(f != DD_FALSE || t != DD_TRUE);
	return d;
}

void dd_refill(struct dd *d, size_t node_budget)
{
	BUG_ON(node_budget + d->nodes.n >= UINT32_MAX / 2);
	d->budget = d->nodes.n + node_budget;
	d->steps = node_budget * 32;
}

size_t dd_size(const struct dd *d)
{
	return d->nodes.n;
}

size_t dd_budget(const struct dd *d)
{
	return d->budget - 2; /* the two ends are no cost of anybody */
}

size_t dd_put_aside(struct dd *d, size_t steps)
{
	size_t aside = d->steps > steps ? d->steps - steps : 0;

	d->steps -= aside;
	return aside;
}

void dd_give_back(struct dd *d, size_t aside)
{
	d->steps += aside;
}

dd_node dd_terminal(struct dd *d, struct verdict v)
{
	v = verdict_from_ret(verdict_to_ret(v)); /* data where the kernel looks at it */
	return dd_make(d, DD_TERMINAL, (uint32_t)v.kind << 16 | v.data, 0);
}

bool dd_is_terminal(const struct dd *d, dd_node n, struct verdict *v)
{
	const struct node *k = &d->nodes.v[n];

	if (k->bit != DD_TERMINAL)
		return false;
	if (v)
		*v = (struct verdict){ (enum verdict_kind)(k->low >> 16), (uint16_t)k->low };
	return true;
}

uint32_t dd_bit_of(enum dd_field field, unsigned shift)
{
	return bit_of(field, shift);
}

bool dd_step(struct dd *d)
{
	if (d->steps == 0)
		return false;
	d->steps--;
	return true;
}

struct computed *dd_computed(struct dd *d, dd_node f, dd_node g, dd_node h)
{
	return &d->computed[hash3(f, g, h) & (d->computed_size - 1)];
}

static uint32_t first_bit(const struct dd *d, dd_node x, dd_node y, dd_node z)
{
	uint32_t bit = d->nodes.v[x].bit;

	if (d->nodes.v[y].bit < bit)
		bit = d->nodes.v[y].bit;
	return d->nodes.v[z].bit < bit ? d->nodes.v[z].bit : bit;
}

/* Depth is at most DD_BITS: each level of the recursion decides one bit. */
dd_node dd_choose(struct dd *d, dd_node f, dd_node g, dd_node h)
{
	if (f == DD_NONE || g == DD_NONE || h == DD_NONE)
		return DD_NONE;
	if (f == DD_TRUE || g == h)
		return g;
	if (f == DD_FALSE)
		return h;
	if (g == DD_TRUE && h == DD_FALSE)
		return f;
	struct computed *c = dd_computed(d, f, g, h);
	if (c->f == f && c->g == g && c->h == h)
		return c->result;
	if (!dd_step(d))
		return DD_NONE;
	uint32_t bit = first_bit(d, f, g, h);
	dd_node low = dd_choose(d, child(d, f, bit, false), child(d, g, bit, false),
				child(d, h, bit, false));
	dd_node high = dd_choose(d, child(d, f, bit, true), child(d, g, bit, true),
				 child(d, h, bit, true));
	dd_node r = dd_make(d, bit, low, high);
	if (r != DD_NONE) /* the tables may have grown: look the place up again */
		*dd_computed(d, f, g, h) = (struct computed){ f, g, h, r };
	return r;
}

dd_node dd_not(struct dd *d, dd_node claim)
{
	return dd_choose(d, claim, DD_FALSE, DD_TRUE);
}

dd_node dd_and(struct dd *d, dd_node x, dd_node y)
{
	return dd_choose(d, x, y, DD_FALSE);
}

dd_node dd_or(struct dd *d, dd_node x, dd_node y)
{
	return dd_choose(d, x, DD_TRUE, y);
}

dd_node dd_bit(struct dd *d, enum dd_field field, unsigned shift)
{
	return dd_make(d, bit_of(field, shift), DD_FALSE, DD_TRUE);
}

/* ---- a word against a constant, straight into two diagrams ---- */

struct word { /* bits first..first + 31 of the order, tested against k */
	uint32_t first, k;
	bool or_more;
};

static bool lies_below(const struct dd *d, dd_node n, const struct word *w)
{
	return d->nodes.v[n].bit >= w->first + 32;
}

/* The bits from i on, between two diagrams that look at none of them. */
static dd_node word_path(struct dd *d, const struct word *w, unsigned i, dd_node then,
			 dd_node otherwise)
{
	dd_node path = then;

	for (unsigned b = 32; b-- > i;) {
		uint32_t bit = w->first + b;
		bool one = w->k >> (31 - b) & 1;
		dd_node side = one || !w->or_more ? otherwise : then;
		path = one ? dd_make(d, bit, side, path) : dd_make(d, bit, path, side);
	}
	return path;
}

/* Only k's own path splits; where a bit differs from k's, the rest of the word is decided. */
static dd_node word_choose(struct dd *d, const struct word *w, unsigned i, dd_node then,
			   dd_node otherwise)
{
	if (then == otherwise || i == 32)
		return then;
	if (then == DD_NONE || otherwise == DD_NONE)
		return DD_NONE;
	if (lies_below(d, then, w) && lies_below(d, otherwise, w))
		return word_path(d, w, i, then, otherwise);
	uint32_t bit = w->first + i;
	bool one = w->k >> (31 - i) & 1;
	dd_node t = child(d, then, bit, one), o = child(d, otherwise, bit, one);
	dd_node side =
		one || !w->or_more ? child(d, otherwise, bit, !one) : child(d, then, bit, true);
	dd_node path = word_choose(d, w, i + 1, t, o);

	return one ? dd_make(d, bit, side, path) : dd_make(d, bit, path, side);
}

static bool starts_above(const struct dd *d, dd_node n, uint32_t bit)
{
	return n != DD_NONE && d->nodes.v[n].bit < bit;
}

static dd_node word_test(struct dd *d, const struct word *w, dd_node then, dd_node otherwise)
{
	/* What looks at bits before the word's cannot be split along k's path. */
	if (starts_above(d, then, w->first) || starts_above(d, otherwise, w->first))
		return dd_choose(d, word_choose(d, w, 0, DD_TRUE, DD_FALSE), then, otherwise);
	return word_choose(d, w, 0, then, otherwise);
}

dd_node dd_word_equal(struct dd *d, enum dd_field f, unsigned shift, uint32_t k, dd_node then,
		      dd_node otherwise)
{
	struct word w = { bit_of(f, shift + 31), k, false };

	return word_test(d, &w, then, otherwise);
}

dd_node dd_word_at_least(struct dd *d, enum dd_field f, unsigned shift, uint32_t k, dd_node then,
			 dd_node otherwise)
{
	struct word w = { bit_of(f, shift + 31), k, true };

	return word_test(d, &w, then, otherwise);
}

/* ---- a field by ranges ---- */

struct blocks {
	struct dd *dd;
	enum dd_field field;
	const struct dd_range *r;
};

/* One value in a block of 2^bits whose others have one node. */
static dd_node lone_node(const struct blocks *b, uint64_t value, unsigned bits, dd_node lone,
			 dd_node rest)
{
	for (unsigned i = 0; i < bits; i++)
		lone = value >> i & 1 ? dd_make(b->dd, bit_of(b->field, i), rest, lone) :
					dd_make(b->dd, bit_of(b->field, i), lone, rest);
	return lone;
}

/* The range *at ends in this block, which up to there has its node: is the rest of the block one
 * other value, and the same node again? */
static bool has_lone(const struct blocks *b, uint64_t last, size_t at)
{
	const struct dd_range *r = &b->r[at], *lone = r + 1;

	return lone->first == lone->last &&
	       (lone->last == last || (lone[1].node == r->node && lone[1].last >= last));
}

/* The block of 2^bits values from `first` on; *at: the range that holds its first value. */
static dd_node block_node(const struct blocks *b, uint64_t first, unsigned bits, size_t *at)
{
	uint64_t last = first + (bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1);

	while (b->r[*at].last < first)
		++*at;
	if (b->r[*at].last >= last)
		return b->r[*at].node;
	if (has_lone(b, last, *at)) {
		const struct dd_range *r = &b->r[*at];
		return lone_node(b, r[1].first, bits, r[1].node, r->node);
	}
	dd_node low = block_node(b, first, bits - 1, at);
	dd_node high = block_node(b, first + (UINT64_C(1) << (bits - 1)), bits - 1, at);
	return dd_make(b->dd, bit_of(b->field, bits - 1), low, high);
}

dd_node dd_ranges(struct dd *d, enum dd_field f, unsigned bits, const struct dd_range *r, size_t n)
{
	struct blocks b = { d, f, r };
	size_t at = 0;

	BUG_ON(n == 0 || r[0].first != 0);
	for (size_t i = 0; i + 1 < n; i++)
		BUG_ON(r[i].last + 1 != r[i + 1].first || r[i].last == UINT64_MAX);
	BUG_ON(r[n - 1].last < (bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1));
	return block_node(&b, 0, bits, &at);
}
