/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of one number against each other. With M(r) the claim that r matches:
 *
 *	decides(r) = M(r) and no stricter rule matches
 *	own(r)     = decides(r) and no other rule of the same verdict matches
 *
 * Its removal changes something exactly where own(r) holds and what is left (looser rules, the
 * default) answers otherwise. The unions over stricter, looser and equal rules are kept while
 * walking, so a number's n rules cost n steps and not n * n.
 */
#include "compiler/decision/rules.h"

#include <stdlib.h>

#include "compiler/base/bug.h"
#include "compiler/decision/compare.h"

struct number { /* the rules of one number: p->calls.v[first..first + n - 1], strictest first */
	struct dd *dd;
	const struct policy *p;
	const struct call_rule *rules;
	struct rule_use *uses;
	size_t n;
	dd_node *match;    /* M(r), in what can be */
	dd_node *stricter; /* union of the matches of smaller kinds */
	dd_node *looser;   /* of larger kinds */
};

static dd_node possible_match(struct dd *d, const struct call_rule *r)
{
	static const uint64_t high = UINT64_C(0xffffffff) << 32, zeros[6];
	const uint64_t mask[6] = { high, high, high, high, high, high };
	dd_node env = dd_and(d, environment_possible(d, r->arch), dd_env(d, r->env));
	dd_node match = dd_and(d, env, dd_cond(d, r->cond));

	return arch_info(r->arch)->bits == 32 ? dd_restrict(d, match, mask, zeros) : match;
}

static void fill_unions(struct number *k)
{
	dd_node done = DD_FALSE, kind = DD_FALSE; /* kinds before; the one at hand, so far */

	for (size_t i = 0; i < k->n; i++) {
		if (i && k->rules[i].verdict.kind != k->rules[i - 1].verdict.kind) {
			done = dd_or(k->dd, done, kind);
			kind = DD_FALSE;
		}
		k->stricter[i] = done;
		kind = dd_or(k->dd, kind, k->match[i]);
	}
	done = kind = DD_FALSE;
	for (size_t i = k->n; i-- > 0;) {
		if (i + 1 < k->n && k->rules[i].verdict.kind != k->rules[i + 1].verdict.kind) {
			done = dd_or(k->dd, done, kind);
			kind = DD_FALSE;
		}
		k->looser[i] = done;
		kind = dd_or(k->dd, kind, k->match[i]);
	}
}

/* ---- who makes it so ---- */

static bool covers(struct dd *d, dd_node all, dd_node claim)
{
	return dd_and(d, claim, dd_not(d, all)) == DD_FALSE;
}

static bool may_be_by(const struct number *k, size_t i, size_t by)
{
	const struct call_rule *r = &k->rules[i], *o = &k->rules[by];

	if (by == i || k->uses[by].role == RULE_REPEATS)
		return false;
	return k->uses[i].role == RULE_SHADOWED ? o->verdict.kind < r->verdict.kind :
						  verdict_eq(o->verdict, r->verdict);
}

static void find_by(struct number *k, size_t i, dd_node where)
{
	struct rule_use *u = &k->uses[i];

	for (size_t j = 0; j < k->n && j < RULE_BY_LOOKED_AT; j++) {
		if (!may_be_by(k, i, j) || dd_and(k->dd, where, k->match[j]) == DD_FALSE)
			continue;
		if (covers(k->dd, k->match[j], where)) {
			u->by[0] = &k->rules[j];
			u->nby = 1;
			return;
		}
		if (u->nby < RULE_BY_MAX)
			u->by[u->nby++] = &k->rules[j];
	}
}

/* ---- roles ---- */

static bool is_default(const struct number *k, size_t i, dd_node own)
{
	const struct call_rule *r = &k->rules[i];
	struct verdict rest =
		policy_knows(k->p, r->arch, r->nr) ? k->p->dflt[r->arch] : k->p->unknown[r->arch];

	return verdict_eq(rest, r->verdict) && dd_and(k->dd, own, k->looser[i]) == DD_FALSE;
}

static void set_role(struct number *k, size_t i, dd_node equals)
{
	const struct call_rule *r = &k->rules[i];
	struct rule_use *u = &k->uses[i];
	dd_node decides = dd_and(k->dd, k->match[i], dd_not(k->dd, k->stricter[i]));
	dd_node own = dd_and(k->dd, decides, dd_not(k->dd, equals));

	if (own == DD_NONE || k->looser[i] == DD_NONE) {
		u->role = RULE_UNDECIDED;
	} else if (k->match[i] == DD_FALSE) {
		u->role = RULE_NEVER_MATCHES;
	} else if (decides == DD_FALSE) {
		u->role = RULE_SHADOWED;
	} else if (own == DD_FALSE) {
		u->role = RULE_REPEATS;
	} else if (is_default(k, i, own)) {
		u->role = RULE_IS_DEFAULT;
	} else {
		u->role = RULE_DECIDES;
		/* Where a looser rule would answer, or the default: not where that says the same. */
		struct verdict rest = policy_knows(k->p, r->arch, r->nr) ? k->p->dflt[r->arch] :
									   k->p->unknown[r->arch];
		if (verdict_eq(rest, r->verdict))
			own = dd_and(k->dd, own, k->looser[i]);
		if (!dd_witness(k->dd, own, &u->witness)) {
			u->role = RULE_UNDECIDED; /* the budget ran out just here */
			return;
		}
		u->witness.at[DD_CALL] = DD_CALL_OF(arch_info(r->arch)->audit, r->nr);
	}
}

struct order { /* one verdict's rules as they stand in the text */
	const struct call_rule *rule;
	size_t at;
};

static int compare_order(const void *x, const void *y)
{
	const struct origin *a = ((const struct order *)x)->rule->origin;
	const struct origin *b = ((const struct order *)y)->rule->origin;

	if (!a->set != !b->set)
		return a->set ? -1 : 1;
	if (a->span.source != b->span.source)
		return a->span.source < b->span.source ? -1 : 1;
	if (a->span.begin != b->span.begin)
		return a->span.begin < b->span.begin ? -1 : 1;
	size_t i = ((const struct order *)x)->at, k = ((const struct order *)y)->at;
	return (i > k) - (i < k);
}

/* From the last in the text to the first: who is covered by those before it and those kept. */
static void set_roles(struct arena *a, struct number *k, size_t first, size_t end)
{
	size_t n = end - first;
	struct order *order = ARENA_ARRAY(a, struct order, n);
	dd_node *before = ARENA_ARRAY(a, dd_node, n), kept = DD_FALSE, all = DD_FALSE;

	for (size_t i = 0; i < n; i++)
		order[i] = (struct order){ &k->rules[first + i], first + i };
	qsort(order, n, sizeof(*order), compare_order);
	for (size_t i = 0; i < n; i++) {
		before[i] = all;
		all = dd_or(k->dd, all, k->match[order[i].at]);
	}
	for (size_t i = n; i-- > 0;) {
		size_t at = order[i].at;
		set_role(k, at, dd_or(k->dd, before[i], kept));
		if (k->uses[at].role == RULE_DECIDES || k->uses[at].role == RULE_IS_DEFAULT)
			kept = dd_or(k->dd, kept, k->match[at]);
	}
}

static void judge_number(struct arena *a, struct number *k)
{
	k->match = ARENA_ARRAY(a, dd_node, k->n);
	k->stricter = ARENA_ARRAY(a, dd_node, k->n);
	k->looser = ARENA_ARRAY(a, dd_node, k->n);
	for (size_t i = 0; i < k->n; i++) {
		k->uses[i].rule = &k->rules[i];
		k->match[i] = possible_match(k->dd, &k->rules[i]);
	}
	fill_unions(k);
	for (size_t i = 0, end; i < k->n; i = end) {
		for (end = i + 1;
		     end < k->n && verdict_eq(k->rules[i].verdict, k->rules[end].verdict);)
			end++;
		set_roles(a, k, i, end);
	}
	for (size_t i = 0; i < k->n; i++) {
		dd_node decides = dd_and(k->dd, k->match[i], dd_not(k->dd, k->stricter[i]));
		if (k->uses[i].role == RULE_SHADOWED || k->uses[i].role == RULE_REPEATS)
			find_by(k, i, k->uses[i].role == RULE_SHADOWED ? k->match[i] : decides);
	}
}

const struct rule_use *decision_rules(struct arena *a, struct dd *d, const struct policy *p)
{
	struct rule_use *uses = ARENA_ARRAY(a, struct rule_use, p->calls.n + 1);

	for (size_t i = 0, end; i < p->calls.n; i = end) {
		const struct call_rule *r = &p->calls.v[i];
		for (end = i + 1; end < p->calls.n && p->calls.v[end].arch == r->arch &&
				  p->calls.v[end].nr == r->nr;)
			end++;
		struct number k = { .dd = d, .p = p, .rules = r, .uses = uses + i, .n = end - i };
		judge_number(a, &k);
	}
	return uses;
}

/* ---- which rules decide here ---- */

static void add_part(struct arena *a, struct dd *d, struct rule_parts *out,
		     const struct call_rule *r, dd_node where, uint64_t call)
{
	struct rule_decides part = { .rule = r, .where = where };

	out->undecided |= where == DD_NONE;
	if (where == DD_NONE || where == DD_FALSE)
		return;
	dd_witness(d, where, &part.witness);
	part.witness.at[DD_CALL] = call;
	vec_push(a, &out->list, part);
}

struct rule_parts decision_deciders(struct arena *a, struct dd *d, const struct policy *p,
				    enum arch arch, uint32_t nr, dd_node within)
{
	struct rule_parts out = { 0 };
	uint64_t call = DD_CALL_OF(arch_info(arch)->audit, nr);
	dd_node stricter = DD_FALSE, kind = DD_FALSE;
	size_t first, end;

	within = dd_and(d, within, environment_possible(d, arch));
	policy_calls_of(p, arch, nr, &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct call_rule *r = &p->calls.v[i];
		dd_node match = possible_match(d, r);
		if (i > first && r->verdict.kind != p->calls.v[i - 1].verdict.kind) {
			stricter = dd_or(d, stricter, kind);
			kind = DD_FALSE;
		}
		add_part(a, d, &out, r, dd_and(d, within, dd_and(d, match, dd_not(d, stricter))),
			 call);
		kind = dd_or(d, kind, match);
	}
	dd_node any = dd_or(d, stricter, kind);
	add_part(a, d, &out, NULL, dd_and(d, within, dd_not(d, any)), call);
	return out;
}
