/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions as claims. */
#include <stdlib.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"

/* (arg & mask) < value, or <= with or_equal; least significant bit first, as the diagram grows. */
static dd_node less_node(struct dd *d, const struct cmp *c, bool or_equal)
{
	dd_node r = or_equal ? DD_TRUE : DD_FALSE;

	for (unsigned i = 0; i < c->width; i++) {
		uint32_t bit = bit_of((enum dd_field)c->arg, i);
		bool v = c->value >> i & 1, seen = c->mask >> i & 1;
		/* A set sign bit means less, not more. */
		bool sign = c->is_signed && i == c->width - 1u;

		if (!seen)
			r = v ? (sign ? DD_FALSE : DD_TRUE) : r;
		else if (v)
			r = dd_make(d, bit, sign ? DD_FALSE : DD_TRUE, r);
		else
			r = dd_make(d, bit, r, sign ? DD_TRUE : DD_FALSE);
	}
	return r;
}

static dd_node equal_node(struct dd *d, const struct cmp *c)
{
	dd_node r = DD_TRUE;

	if (c->value & ~c->mask & (c->width == 64 ? UINT64_MAX : (UINT64_C(1) << c->width) - 1))
		return DD_FALSE;
	for (unsigned i = 0; i < c->width; i++) {
		uint32_t bit = bit_of((enum dd_field)c->arg, i);

		if (!(c->mask >> i & 1))
			continue;
		r = c->value >> i & 1 ? dd_make(d, bit, DD_FALSE, r) : dd_make(d, bit, r, DD_FALSE);
	}
	return r;
}

static dd_node make_cmp(struct dd *d, const struct cmp *c)
{
	switch (c->op) {
	case CMP_EQ: return equal_node(d, c);
	case CMP_NE: return dd_not(d, equal_node(d, c));
	case CMP_LT: return less_node(d, c, false);
	case CMP_LE: return less_node(d, c, true);
	case CMP_GT: return dd_not(d, less_node(d, c, true));
	case CMP_GE: return dd_not(d, less_node(d, c, false));
	case CMP_OP_NR: break;
	}
	BUG("comparison");
}

/* A comparison made: profiles of one run have the same few. */
struct compared {
	struct cmp cmp;
	dd_node node; /* DD_NONE: free */
};

enum { COMPARED = 128 };

static bool same_cmp(const struct cmp *x, const struct cmp *y)
{
	return x->arg == y->arg && x->width == y->width && x->is_signed == y->is_signed &&
	       x->op == y->op && x->mask == y->mask && x->value == y->value;
}

static dd_node cmp_node(struct dd *d, const struct cmp *c)
{
	uint64_t h = (c->value * 31 + c->mask) * 31 + c->arg * 7u + (unsigned)c->op * 61 + c->width;
	struct compared *made;

	if (!d->compared) {
		d->compared = ARENA_ARRAY(d->arena, struct compared, COMPARED);
		for (size_t i = 0; i < COMPARED; i++)
			d->compared[i].node = DD_NONE;
	}
	made = &d->compared[(h ^ h >> 17) % COMPARED];
	if (made->node == DD_NONE || !same_cmp(&made->cmp, c)) {
		made->node = make_cmp(d, c);
		made->cmp = *c;
	}
	return made->node;
}

static dd_node cond_node(struct dd *d, const struct cond *c, unsigned depth);

/* ---- sets: one argument in one of many ranges, mostly of one value each ---- */

/* How many low bits it compares, all of them; 0: others too, or with holes. */
static unsigned low_bits(const struct cmp *c)
{
	return c->mask & (c->mask + 1) ? 0 : (unsigned)__builtin_popcountll(c->mask);
}

/* What an order lets through of its low bits; false: all of it, or nothing. */
static bool order_range(const struct cmp *c, bool negated, struct dd_range *out)
{
	bool below = (c->op == CMP_LT || c->op == CMP_LE) != negated;
	uint64_t edge = c->value + (c->op == CMP_LE || c->op == CMP_GT);

	if (c->is_signed || !edge || edge > c->mask)
		return false;
	*out = below ? (struct dd_range){ .last = edge - 1 } :
		       (struct dd_range){ .first = edge, .last = c->mask };
	return true;
}

/* What a part of an OR lets through, or one of an AND does not, where that is one range. */
static bool part_range(const struct cmp *c, enum cond_kind chain, struct dd_range *out)
{
	bool is_one = c->op == (chain == COND_OR ? CMP_EQ : CMP_NE);

	if (!low_bits(c) || c->value & ~c->mask)
		return false;
	if (c->op != CMP_EQ && c->op != CMP_NE)
		return order_range(c, chain == COND_AND, out);
	*out = (struct dd_range){ .first = c->value, .last = c->value };
	return is_one;
}

/* The other parts of such a chain, on the same bits. */
static bool same_set(const struct cmp *x, const struct cmp *first, enum cond_kind chain)
{
	struct dd_range range;

	return x->arg == first->arg && x->mask == first->mask && part_range(x, chain, &range);
}

static int by_first(const void *x, const void *y)
{
	const struct dd_range *a = x, *b = y;

	return a->first < b->first ? -1 : a->first > b->first;
}

/* in where the argument's low bits are in one of the ranges, else out; sorts the ranges. */
static dd_node set_node(struct dd *d, const struct cmp *like, struct dd_range *v, size_t n,
			dd_node in, dd_node out)
{
	uint64_t last = like->mask, next = 0;
	VEC(struct dd_range) ranges = { 0 };
	bool is_whole = false; /* nothing is left: behind `last` there may be no number */

	qsort(v, n, sizeof(*v), by_first);
	for (size_t i = 0; i < n && !is_whole; i++) {
		if (v[i].last < next)
			continue;
		if (v[i].first > next)
			vec_push(d->arena, &ranges,
				 ((struct dd_range){ next, v[i].first - 1, out }));
		else
			v[i].first = next;
		vec_push(d->arena, &ranges, ((struct dd_range){ v[i].first, v[i].last, in }));
		is_whole = v[i].last == last;
		next = v[i].last + 1;
	}
	if (!is_whole)
		vec_push(d->arena, &ranges, ((struct dd_range){ next, last, out }));
	return dd_ranges(d, (enum dd_field)like->arg, low_bits(like), ranges.v, ranges.n);
}

/*
 * A long `in {...}` is a chain of OR as deep as it is long: the chain is walked with a stack
 * of its own.
 */
struct parts {
	VEC(const struct cond *) list;
};

static void chain_parts(struct dd *d, const struct cond *c, struct parts *parts)
{
	enum cond_kind kind = c->kind;
	VEC(const struct cond *) stack = { 0 };

	vec_push(d->arena, &stack, c);
	while (stack.n) {
		const struct cond *k = stack.v[--stack.n];
		if (k->kind != kind) {
			vec_push(d->arena, &parts->list, k);
			continue;
		}
		vec_push(d->arena, &stack, k->right);
		vec_push(d->arena, &stack, k->left);
	}
}

/* Parts that make one set, all of them: built at once, between any two diagrams below it. */
static bool chain_set(struct dd *d, const struct parts *parts, enum cond_kind kind, dd_node then,
		      dd_node otherwise, dd_node *out)
{
	const struct cmp *first = &parts->list.v[0]->cmp;

	vec_each(&parts->list, k)
		if ((*k)->kind != COND_CMP || !same_set(&(*k)->cmp, first, kind))
			return false;
	struct dd_range *ranges = ARENA_ARRAY(d->arena, struct dd_range, parts->list.n);
	for (size_t i = 0; i < parts->list.n; i++)
		part_range(&parts->list.v[i]->cmp, kind, &ranges[i]);
	bool positive = kind == COND_OR;
	*out = set_node(d, first, ranges, parts->list.n, positive ? then : otherwise,
			positive ? otherwise : then);
	return true;
}

/* Joined pairwise, so that intermediate results stay small. */
static dd_node join_pairs(struct dd *d, enum cond_kind kind, dd_node *v, size_t n)
{
	for (; n > 1; n = (n + 1) / 2)
		for (size_t i = 0; i < n; i += 2) {
			dd_node l = v[i];
			if (i + 1 < n)
				l = kind == COND_OR ? dd_or(d, l, v[i + 1]) :
						      dd_and(d, l, v[i + 1]);
			v[i / 2] = l;
		}
	return v[0];
}

/* Those that neighbours in the list make one set of are built at once. */
static size_t set_length(const struct parts *parts, size_t from, enum cond_kind kind)
{
	const struct cond *const *v = parts->list.v;
	size_t n = 0;

	while (from + n < parts->list.n && v[from + n]->kind == COND_CMP &&
	       same_set(&v[from + n]->cmp, &v[from]->cmp, kind))
		n++;
	return n ? n : 1;
}

static dd_node parts_node(struct dd *d, const struct parts *parts, enum cond_kind kind,
			  unsigned depth)
{
	dd_node *v = ARENA_ARRAY(d->arena, dd_node, parts->list.n);
	size_t n = 0, k;

	for (size_t i = 0; i < parts->list.n; i += k) {
		struct parts set = { .list = { parts->list.v + i, 0, 0 } };
		k = set.list.n = set_length(parts, i, kind);
		if (k == 1)
			v[n] = cond_node(d, parts->list.v[i], depth + 1);
		else
			BUG_ON(!chain_set(d, &set, kind, DD_TRUE, DD_FALSE, &v[n]));
		if (v[n++] == DD_NONE)
			return DD_NONE;
	}
	return join_pairs(d, kind, v, n);
}

static dd_node chain_node(struct dd *d, const struct cond *c, unsigned depth)
{
	struct parts conds = { 0 };

	chain_parts(d, c, &conds);
	return parts_node(d, &conds, c->kind, depth);
}

static dd_node cond_node(struct dd *d, const struct cond *c, unsigned depth)
{
	if (!c)
		return DD_TRUE;
	if (depth > 1000)
		return DD_NONE;
	switch (c->kind) {
	case COND_CMP: return cmp_node(d, &c->cmp);
	case COND_NOT: return dd_not(d, cond_node(d, c->left, depth + 1));
	case COND_AND:
	case COND_OR: return chain_node(d, c, depth);
	}
	BUG("condition");
}

dd_node dd_cond(struct dd *d, const struct cond *cond)
{
	return cond_node(d, cond, 0);
}

/* Where both are verdicts a set, the commonest condition of all, stands straight between them. */
static dd_node parts_choose(struct dd *d, const struct parts *parts, enum cond_kind kind,
			    dd_node then, dd_node otherwise)
{
	dd_node set;

	if (dd_is_terminal(d, then, NULL) && dd_is_terminal(d, otherwise, NULL) &&
	    chain_set(d, parts, kind, then, otherwise, &set))
		return set;
	return dd_choose(d, parts_node(d, parts, kind, 0), then, otherwise);
}

dd_node dd_ite(struct dd *d, const struct cond *cond, dd_node then, dd_node otherwise)
{
	struct parts conds = { 0 };

	if (then == DD_NONE || otherwise == DD_NONE)
		return DD_NONE;
	if (!cond || (cond->kind != COND_OR && cond->kind != COND_AND))
		return dd_choose(d, cond_node(d, cond, 0), then, otherwise);
	chain_parts(d, cond, &conds);
	return parts_choose(d, &conds, cond->kind, then, otherwise);
}

dd_node dd_any(struct dd *d, const struct cond *const *conds, size_t n, dd_node then,
	       dd_node otherwise)
{
	struct parts parts = { 0 };

	if (n == 1)
		return dd_ite(d, conds[0], then, otherwise);
	if (then == DD_NONE || otherwise == DD_NONE)
		return DD_NONE;
	for (size_t i = 0; i < n; i++) {
		if (!conds[i])
			return then;
		if (conds[i]->kind == COND_OR)
			chain_parts(d, conds[i], &parts);
		else
			vec_push(d->arena, &parts.list, conds[i]);
	}
	return parts_choose(d, &parts, COND_OR, then, otherwise);
}

/* kernel >= version, on the 16 bits above the host's. */
static dd_node kernel_node(struct dd *d, uint16_t version)
{
	dd_node r = DD_TRUE;

	for (unsigned i = 0; i < 16; i++) {
		uint32_t bit = bit_of(DD_SYSTEM, 8 + i);
		r = version >> i & 1 ? dd_make(d, bit, DD_FALSE, r) : dd_make(d, bit, r, DD_TRUE);
	}
	return r;
}

static dd_node hosts_node(struct dd *d, unsigned hosts)
{
	dd_node r = DD_FALSE;

	for (unsigned a = 0; a < ARCH_NR; a++)
		if (hosts & ARCH_BIT(a))
			r = dd_or(d, r, dd_equal(d, DD_SYSTEM, 0xff, a));
	return r;
}

dd_node dd_env(struct dd *d, const struct env_cond *c)
{
	if (!c)
		return DD_TRUE;
	switch (c->kind) {
	case ENV_CAP: return dd_bit(d, DD_CAPS, c->cap);
	case ENV_KERNEL: return kernel_node(d, c->version);
	case ENV_HOST: return hosts_node(d, c->hosts);
	case ENV_AND: return dd_and(d, dd_env(d, c->left), dd_env(d, c->right));
	case ENV_OR: return dd_or(d, dd_env(d, c->left), dd_env(d, c->right));
	case ENV_NOT: return dd_not(d, dd_env(d, c->left));
	}
	BUG("env_kind");
}

dd_node dd_equal(struct dd *d, enum dd_field f, uint64_t mask, uint64_t value)
{
	dd_node r = value & ~mask ? DD_FALSE : DD_TRUE;

	for (unsigned i = 0; i < 64; i++) {
		if (!(mask >> i & 1))
			continue;
		uint32_t bit = bit_of(f, i);
		r = value >> i & 1 ? dd_make(d, bit, DD_FALSE, r) : dd_make(d, bit, r, DD_FALSE);
	}
	return r;
}
