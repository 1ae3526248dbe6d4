/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions cost, by what they compare: for those who must say what is too much. */
#include "compiler/policy/policy.h"

/* Chains lean left and may be very long. */
static size_t comparisons(const struct cond *c)
{
	size_t n = 0;

	for (; c && c->kind != COND_CMP; c = c->left)
		n += c->kind == COND_NOT ? 0 : comparisons(c->right);
	return n + (c != NULL);
}

/* Rules from i on that are on one call. */
static struct call_cost call_cost(const struct policy *p, size_t i)
{
	struct call_cost cost = { .dearest = &p->calls.v[i] };
	size_t most = 0;

	for (; i < p->calls.n; i++) {
		const struct call_rule *r = &p->calls.v[i];
		if (r->arch != cost.dearest->arch || r->nr != cost.dearest->nr)
			break;
		size_t n = comparisons(r->cond);
		cost.rules++;
		cost.comparisons += n;
		if (n > most)
			cost.dearest = r;
		most = n > most ? n : most;
	}
	return cost;
}

struct call_cost policy_dearest_call(const struct policy *p)
{
	struct call_cost dearest = { 0 };

	for (size_t i = 0; i < p->calls.n;) {
		struct call_cost c = call_cost(p, i);
		if (!dearest.dearest || c.comparisons > dearest.comparisons)
			dearest = c;
		i += c.rules;
	}
	return dearest;
}
