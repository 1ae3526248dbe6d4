/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions cost, by what they compare: for those who must say what is too much. */
#include "compiler/policy/policy.h"

#include <stdio.h>

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
		cost.conditional += r->cond != NULL;
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

enum {
	/*
	 * Of one architecture: 64,000 rules of two comparisons take less than 256 MiB; counted, so that
	 * whatever is compared ends at one size, and before it is compiled.
	 */
	PARTS_MAX = 3 << 16,
	PARTS_BARE = 2, /* of a number whose rules have no conditions */
};

/* Rules with conditions, and their comparisons. */
static size_t parts_of(const struct call_cost *c)
{
	size_t n = c->conditional + c->comparisons;

	return n < PARTS_BARE ? PARTS_BARE : n;
}

static void tell_size(const struct policy *p, enum arch a, size_t parts,
		      const struct call_cost *most, struct diags *ds)
{
	const struct call_rule *r = most->dearest;
	char what[128] = "each is a number of its own";

	if (most->conditional)
		snprintf(what, sizeof(what),
			 "most is on %s, %zu rules with %zu comparisons, this one with most",
			 r->sys ? r->sys->name : "this number", most->rules, most->comparisons);
	struct diag *d = diag_add(ds, DIAG_PL220, r->origin ? r->origin->span : p->span,
				  "policy '" PRISTR "' comes to %zu rules and comparisons on %s, "
				  "and %d are compiled: %s",
				  STRARG(p->name), parts, arch_info(a)->name, PARTS_MAX, what);
	diag_help(ds, d,
		  "join values into ranges or masks, or leave the distinction to the default");
}

bool policy_check_size(const struct policy *p, unsigned arches, struct diags *ds)
{
	for (size_t i = 0; i < p->calls.n;) {
		enum arch a = p->calls.v[i].arch;
		struct call_cost most = { 0 };
		size_t parts = 0;
		while (i < p->calls.n && p->calls.v[i].arch == a) {
			struct call_cost c = call_cost(p, i);
			i += c.rules;
			parts += parts_of(&c);
			if (!most.dearest || parts_of(&c) > parts_of(&most))
				most = c;
		}
		if (parts <= PARTS_MAX || !(arches & ARCH_BIT(a)))
			continue;
		tell_size(p, a, parts, &most, ds);
		return false;
	}
	return true;
}
