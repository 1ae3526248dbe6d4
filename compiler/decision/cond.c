/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions as claims. */
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

static dd_node cmp_node(struct dd *d, const struct cmp *c)
{
	switch (c->op) {
	case CMP_EQ:
		return equal_node(d, c);
	case CMP_NE:
		return dd_not(d, equal_node(d, c));
	case CMP_LT:
		return less_node(d, c, false);
	case CMP_LE:
		return less_node(d, c, true);
	case CMP_GT:
		return dd_not(d, less_node(d, c, true));
	case CMP_GE:
		return dd_not(d, less_node(d, c, false));
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
				l = kind == COND_OR ? dd_or(d, l, parts.v[i + 1]) :
						      dd_and(d, l, parts.v[i + 1]);
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
		return dd_not(d, cond_node(d, c->left, depth + 1));
	case COND_AND:
	case COND_OR:
		return chain_node(d, c, depth);
	}
	BUG("condition");
}

dd_node dd_cond(struct dd *d, const struct cond *cond)
{
	return cond_node(d, cond, 0);
}

dd_node dd_ite(struct dd *d, const struct cond *cond, dd_node then, dd_node otherwise)
{
	return dd_choose(d, cond_node(d, cond, 0), then, otherwise);
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
	case ENV_CAP:
		return dd_bit(d, DD_CAPS, c->cap);
	case ENV_KERNEL:
		return kernel_node(d, c->version);
	case ENV_HOST:
		return hosts_node(d, c->hosts);
	case ENV_AND:
		return dd_and(d, dd_env(d, c->left), dd_env(d, c->right));
	case ENV_OR:
		return dd_or(d, dd_env(d, c->left), dd_env(d, c->right));
	case ENV_NOT:
		return dd_not(d, dd_env(d, c->left));
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
