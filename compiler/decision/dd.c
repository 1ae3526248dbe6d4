/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multi-terminal decision diagrams over the 384 argument bits.
 *
 *	node = terminal(verdict) | (bit, low, high)      bit 0: most significant of arg 0
 *
 * Nodes are reduced (low != high) and unique, so two functions are equal exactly when their
 * node numbers are. Conditions use two terminals of their own, FALSE and TRUE. One operation
 * builds everything: ite(f, g, h) = f ? g : h.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/decision.h"

enum { BITS = 6 * 64, TERMINAL = BITS, DD_FALSE = 0, DD_TRUE = 1 };

struct node {
	uint32_t bit; /* TERMINAL: low is the verdict, packed */
	dd_node low, high;
};

struct computed { /* one remembered ite(); f == DD_NONE: free */
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
	uint32_t stamp;
	size_t budget; /* nodes */
	size_t steps;  /* left: bounds time where the cache forgets */
};

static uint32_t hash3(uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t h = a * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ (h >> 29) ^ b) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 32) ^ c) * UINT64_C(0x94d049bb133111eb);
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

static void unique_grow(struct dd *d)
{
	d->unique_size *= 2;
	d->unique = ARENA_ARRAY(d->arena, dd_node, d->unique_size);
	memset(d->unique, 0xff, d->unique_size * sizeof(dd_node));
	for (size_t n = 0; n < d->nodes.n; n++)
		unique_insert(d, (dd_node)n);
}

static dd_node node_make(struct dd *d, uint32_t bit, dd_node low, dd_node high)
{
	if (low == DD_NONE || high == DD_NONE)
		return DD_NONE;
	if (bit != TERMINAL && low == high)
		return low;
	size_t i = hash3(bit, low, high) & (d->unique_size - 1);
	for (; d->unique[i] != DD_NONE; i = (i + 1) & (d->unique_size - 1)) {
		const struct node *k = &d->nodes.v[d->unique[i]];
		if (k->bit == bit && k->low == low && k->high == high)
			return d->unique[i];
	}
	if (d->nodes.n >= d->budget)
		return DD_NONE;
	vec_push(d->arena, &d->nodes, ((struct node){ bit, low, high }));
	if (d->nodes.n * 2 > d->unique_size)
		unique_grow(d);
	else
		d->unique[i] = (dd_node)(d->nodes.n - 1);
	return (dd_node)(d->nodes.n - 1);
}

struct dd *dd_new(struct arena *a, size_t node_budget)
{
	struct dd *d = ARENA_NEW(a, struct dd);

	BUG_ON(node_budget >= UINT32_MAX / 2);
	d->arena = a;
	d->budget = node_budget + 2;
	d->steps = node_budget * 32;
	d->unique_size = 512;
	d->unique = ARENA_ARRAY(a, dd_node, d->unique_size);
	memset(d->unique, 0xff, d->unique_size * sizeof(dd_node));
	for (d->computed_size = 1024; d->computed_size < node_budget / 16; d->computed_size *= 2)
		;
	d->computed = ARENA_ARRAY(a, struct computed, d->computed_size);
	memset(d->computed, 0xff, d->computed_size * sizeof(struct computed));
	/* Terminals of conditions: packed values that no verdict has. */
	dd_node f = node_make(d, TERMINAL, UINT32_MAX - 2, 0);
	dd_node t = node_make(d, TERMINAL, UINT32_MAX - 1, 0);
	BUG_ON(f != DD_FALSE || t != DD_TRUE);
	return d;
}

dd_node dd_terminal(struct dd *d, struct verdict v)
{
	return node_make(d, TERMINAL, (uint32_t)v.kind << 16 | v.data, 0);
}

bool dd_is_terminal(const struct dd *d, dd_node n, struct verdict *v)
{
	const struct node *k = &d->nodes.v[n];

	if (k->bit != TERMINAL)
		return false;
	if (v)
		*v = (struct verdict){ (enum verdict_kind)(k->low >> 16), (uint16_t)k->low };
	return true;
}

static dd_node child(const struct dd *d, dd_node n, uint32_t bit, bool high)
{
	const struct node *k = &d->nodes.v[n];

	if (k->bit != bit)
		return n;
	return high ? k->high : k->low;
}

/* Depth is at most BITS: each level of the recursion decides one bit. */
static dd_node ite(struct dd *d, dd_node f, dd_node g, dd_node h)
{
	if (f == DD_NONE || g == DD_NONE || h == DD_NONE)
		return DD_NONE;
	if (f == DD_TRUE || g == h)
		return g;
	if (f == DD_FALSE)
		return h;
	if (g == DD_TRUE && h == DD_FALSE)
		return f;
	struct computed *c = &d->computed[hash3(f, g, h) & (d->computed_size - 1)];
	if (c->f == f && c->g == g && c->h == h)
		return c->result;
	if (d->steps-- == 0) {
		d->steps = 0;
		return DD_NONE;
	}
	uint32_t bit = d->nodes.v[f].bit;
	if (d->nodes.v[g].bit < bit)
		bit = d->nodes.v[g].bit;
	if (d->nodes.v[h].bit < bit)
		bit = d->nodes.v[h].bit;
	dd_node low = ite(d, child(d, f, bit, false), child(d, g, bit, false),
			  child(d, h, bit, false));
	dd_node high = ite(d, child(d, f, bit, true), child(d, g, bit, true),
			   child(d, h, bit, true));
	dd_node r = node_make(d, bit, low, high);
	if (r != DD_NONE)
		*c = (struct computed){ f, g, h, r };
	return r;
}

/* (arg & mask) < value, or <= with or_equal; least significant bit first, as the diagram grows. */
static dd_node less_node(struct dd *d, const struct cmp *c, bool or_equal)
{
	dd_node r = or_equal ? DD_TRUE : DD_FALSE;

	for (unsigned i = 0; i < c->width; i++) {
		uint32_t bit = (uint32_t)c->arg * 64 + 63 - i;
		bool v = c->value >> i & 1, seen = c->mask >> i & 1;
		/* A set sign bit means less, not more. */
		bool sign = c->is_signed && i == c->width - 1u;

		if (!seen)
			r = v ? (sign ? DD_FALSE : DD_TRUE) : r;
		else if (v)
			r = node_make(d, bit, sign ? DD_FALSE : DD_TRUE, r);
		else
			r = node_make(d, bit, r, sign ? DD_TRUE : DD_FALSE);
	}
	return r;
}

static dd_node equal_node(struct dd *d, const struct cmp *c)
{
	dd_node r = DD_TRUE;

	if (c->value & ~c->mask & (c->width == 64 ? UINT64_MAX : (UINT64_C(1) << c->width) - 1))
		return DD_FALSE;
	for (unsigned i = 0; i < c->width; i++) {
		uint32_t bit = (uint32_t)c->arg * 64 + 63 - i;

		if (!(c->mask >> i & 1))
			continue;
		r = c->value >> i & 1 ? node_make(d, bit, DD_FALSE, r) : node_make(d, bit, r, DD_FALSE);
	}
	return r;
}

static dd_node negate(struct dd *d, dd_node n)
{
	return ite(d, n, DD_FALSE, DD_TRUE);
}

static dd_node cmp_node(struct dd *d, const struct cmp *c)
{
	switch (c->op) {
	case CMP_EQ:
		return equal_node(d, c);
	case CMP_NE:
		return negate(d, equal_node(d, c));
	case CMP_LT:
		return less_node(d, c, false);
	case CMP_LE:
		return less_node(d, c, true);
	case CMP_GT:
		return negate(d, less_node(d, c, true));
	case CMP_GE:
		return negate(d, less_node(d, c, false));
	case CMP_OP_NR:
		break;
	}
	BUG("comparison");
}

static dd_node cond_node(struct dd *d, const struct cond *c, unsigned depth);

/*
 * A long `in {...}` is a chain of OR as deep as it is long: the chain is walked with a stack
 * of its own, and joined pairwise so that intermediate results stay small.
 */
static dd_node chain_node(struct dd *d, const struct cond *c, unsigned depth)
{
	enum cond_kind kind = c->kind;
	VEC(const struct cond *) stack = { 0 };
	VEC(dd_node) parts = { 0 };

	vec_push(d->arena, &stack, c);
	while (stack.n) {
		const struct cond *k = stack.v[--stack.n];
		if (k->kind == kind) {
			vec_push(d->arena, &stack, k->right);
			vec_push(d->arena, &stack, k->left);
			continue;
		}
		dd_node n = cond_node(d, k, depth + 1);
		if (n == DD_NONE)
			return DD_NONE;
		vec_push(d->arena, &parts, n);
	}
	for (; parts.n > 1; parts.n = (parts.n + 1) / 2)
		for (size_t i = 0; i < parts.n; i += 2) {
			dd_node l = parts.v[i];
			if (i + 1 < parts.n)
				l = kind == COND_OR ? ite(d, l, DD_TRUE, parts.v[i + 1]) :
						      ite(d, l, parts.v[i + 1], DD_FALSE);
			parts.v[i / 2] = l;
		}
	return parts.v[0];
}

static dd_node cond_node(struct dd *d, const struct cond *c, unsigned depth)
{
	if (!c)
		return DD_TRUE;
	if (depth > 1000)
		return DD_NONE;
	switch (c->kind) {
	case COND_CMP:
		return cmp_node(d, &c->cmp);
	case COND_NOT:
		return negate(d, cond_node(d, c->left, depth + 1));
	case COND_AND:
	case COND_OR:
		return chain_node(d, c, depth);
	}
	BUG("condition");
}

dd_node dd_ite(struct dd *d, const struct cond *cond, dd_node then, dd_node otherwise)
{
	return ite(d, cond_node(d, cond, 0), then, otherwise);
}

struct verdict dd_eval(const struct dd *d, dd_node n, const uint64_t args[6])
{
	const struct node *k = &d->nodes.v[n];
	struct verdict v;

	for (; k->bit != TERMINAL; k = &d->nodes.v[n])
		n = args[k->bit / 64] >> (63 - k->bit % 64) & 1 ? k->high : k->low;
	dd_is_terminal(d, n, &v);
	return v;
}

struct walk {
	const struct dd *d;
	bool (*fn)(void *ctx, const struct dd_cube *c);
	void *ctx;
	struct dd_cube cube;
};

static bool walk_paths(struct walk *w, dd_node n)
{
	const struct node *k = &w->d->nodes.v[n];

	if (dd_is_terminal(w->d, n, &w->cube.verdict))
		return w->fn(w->ctx, &w->cube);
	unsigned arg = k->bit / 64;
	uint64_t bit = UINT64_C(1) << (63 - k->bit % 64);
	w->cube.mask[arg] |= bit;
	bool go_on = walk_paths(w, k->low);
	w->cube.value[arg] |= bit;
	go_on = go_on && walk_paths(w, k->high);
	w->cube.mask[arg] &= ~bit;
	w->cube.value[arg] &= ~bit;
	return go_on;
}

bool dd_cubes(const struct dd *d, dd_node n, bool (*fn)(void *ctx, const struct dd_cube *c),
	      void *ctx)
{
	struct walk w = { .d = d, .fn = fn, .ctx = ctx };

	return walk_paths(&w, n);
}

static dd_node restrict_node(struct dd *d, dd_node n, const uint64_t mask[6],
			     const uint64_t value[6])
{
	uint32_t bit = d->nodes.v[n].bit;

	if (bit == TERMINAL)
		return n;
	/* Nodes made meanwhile lie behind the memo; only older ones are visited. */
	if (d->memo[n].stamp == d->stamp)
		return d->memo[n].result;
	unsigned arg = bit / 64, shift = 63 - bit % 64;
	dd_node low = child(d, n, bit, false), high = child(d, n, bit, true), r;
	if (mask[arg] >> shift & 1) {
		r = restrict_node(d, value[arg] >> shift & 1 ? high : low, mask, value);
	} else {
		low = restrict_node(d, low, mask, value);
		high = restrict_node(d, high, mask, value);
		r = node_make(d, bit, low, high);
	}
	d->memo[n].stamp = d->stamp;
	d->memo[n].result = r;
	return r;
}

dd_node dd_restrict(struct dd *d, dd_node n, const uint64_t mask[6], const uint64_t value[6])
{
	if (n == DD_NONE)
		return DD_NONE;
	if (d->memo_size < d->nodes.n) {
		d->memo_size = d->nodes.n * 2;
		d->memo = ARENA_ARRAY(d->arena, struct memo, d->memo_size);
		d->stamp = 0;
	}
	d->stamp++;
	return restrict_node(d, n, mask, value);
}

bool dd_differ(struct dd *d, dd_node x, dd_node y, uint64_t args[6])
{
	memset(args, 0, 6 * sizeof(args[0]));
	if (x == y)
		return false;
	/* Canonical: different nodes differ somewhere, so one of the two branches does. */
	for (;;) {
		uint32_t bit = d->nodes.v[x].bit;
		if (d->nodes.v[y].bit < bit)
			bit = d->nodes.v[y].bit;
		if (bit == TERMINAL)
			return true;
		bool high = child(d, x, bit, false) == child(d, y, bit, false);
		if (high)
			args[bit / 64] |= UINT64_C(1) << (63 - bit % 64);
		x = child(d, x, bit, high);
		y = child(d, y, bit, high);
	}
}
