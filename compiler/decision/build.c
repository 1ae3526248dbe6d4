/* SPDX-License-Identifier: Apache-2.0 */
/* A policy's rules as a decision: one diagram a number, equal neighbours merged to ranges. */
#include <stdlib.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"

enum { NODE_BUDGET = 1 << 20 };

static uint32_t last_number(enum arch a)
{
	/* x86_64 and x32 share AUDIT_ARCH_X86_64: bit 30 tells them apart. -1 is nobody's. */
	return a == ARCH_X86_64 ? 0x3fffffff : 0xfffffffe;
}

static int by_env(const void *x, const void *y)
{
	const struct call_rule *a = *(const struct call_rule *const *)x;
	const struct call_rule *b = *(const struct call_rule *const *)y;
	int c = env_compare(a->env, b->env);

	return c ? c : (a > b) - (a < b);
}

/* Where any of n rules of one verdict matches; those of one environment are one set mostly. */
static dd_node rules_match(struct dd *d, const struct call_rule **rules, size_t n)
{
	const struct cond **conds = ARENA_ARRAY(d->arena, const struct cond *, n);
	dd_node all = DD_FALSE;

	qsort(rules, n, sizeof(*rules), by_env);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && !env_compare(rules[end]->env, rules[i]->env); end++)
			conds[end - i] = rules[end]->cond;
		dd_node any = dd_any(d, conds, end - i, DD_TRUE, DD_FALSE);
		all = dd_or(d, all, dd_and(d, dd_env(d, rules[i]->env), any));
	}
	return all;
}

/* Thousands of rules put on one by one would be copied thousands of times. */
static dd_node put_on(struct dd *d, const struct call_rule *rules, size_t n, dd_node below)
{
	dd_node verdict = dd_terminal(d, rules[0].verdict);
	bool open = false;

	if (n == 1 && !rules[0].env)
		return dd_ite(d, rules[0].cond, verdict, below);
	const struct call_rule **list = ARENA_ARRAY(d->arena, const struct call_rule *, n);
	const struct cond **conds = ARENA_ARRAY(d->arena, const struct cond *, n);
	for (size_t i = 0; i < n; i++) {
		list[i] = &rules[i];
		conds[i] = rules[i].cond;
		open |= rules[i].env != NULL;
	}
	if (!open)
		return dd_any(d, conds, n, verdict, below);
	return dd_choose(d, rules_match(d, list, n), verdict, below);
}

/*
 * The most restrictive verdict wins, so it is put on last. Rules are sorted, that one first; all
 * before `rule` are on numbers before.
 */
static dd_node number_node(struct dd *d, const struct policy *p, enum arch a, uint32_t nr,
			   size_t rule, size_t *culprit)
{
	size_t first, end;
	dd_node n = dd_terminal(d, policy_knows(p, a, nr) ? p->dflt[a] : p->unknown[a]);

	policy_calls_from(p, rule, a, nr, &first, &end);
	for (size_t i = end; i > first && n != DD_NONE; i = *culprit) {
		for (*culprit = i - 1; *culprit > first; --*culprit)
			if (!verdict_eq(p->calls.v[*culprit - 1].verdict,
					p->calls.v[i - 1].verdict))
				break;
		n = put_on(d, &p->calls.v[*culprit], i - *culprit, n);
	}
	return n;
}

static void range_add(struct arena *a, struct decision *d, enum arch arch, uint32_t first,
		      uint32_t last, dd_node node)
{
	if (d->ranges[arch].n) {
		struct decision_range *r = &d->ranges[arch].v[d->ranges[arch].n - 1];
		if (r->node == node && r->last + 1 == first) {
			r->last = last;
			return;
		}
	}
	vec_push(a, &d->ranges[arch], ((struct decision_range){ first, last, node }));
}

/*
 * The first number from `next` on that the table or a rule knows; UINT32_MAX: none is left. *rule
 * goes with it: all rules before are on numbers before `next`.
 */
static uint32_t number_after(const struct policy *p, enum arch arch, uint32_t next, size_t *rule)
{
	uint32_t base = arch_info(arch)->nr_base, nr = syscall_next(arch, next - base);

	nr = nr == UINT32_MAX ? nr : nr + base;
	while (*rule < p->calls.n &&
	       (p->calls.v[*rule].arch != arch || p->calls.v[*rule].nr < next))
		++*rule;
	return *rule < p->calls.n && p->calls.v[*rule].nr < nr ? p->calls.v[*rule].nr : nr;
}

static bool arch_build(struct arena *a, struct decision *d, const struct policy *p, enum arch arch,
		       size_t *culprit)
{
	uint32_t next = arch_info(arch)->nr_base;
	dd_node unknown = dd_terminal(d->dd, p->unknown[arch]);
	size_t rule = 0;

	if (unknown == DD_NONE)
		return false;
	/* Calls of the table and numbers with a rule; `unknown` between and behind them. */
	for (;;) {
		uint32_t nr = number_after(p, arch, next, &rule);
		if (nr > last_number(arch))
			break;
		if (nr > next)
			range_add(a, d, arch, next, nr - 1, unknown);
		dd_node n = number_node(d->dd, p, arch, nr, rule, culprit);
		if (n == DD_NONE)
			return false;
		range_add(a, d, arch, nr, nr, n);
		next = nr + 1;
	}
	if (next <= last_number(arch))
		range_add(a, d, arch, next, last_number(arch), unknown);
	return true;
}

struct decision *decision_build(struct arena *a, const struct policy *p, struct diags *ds)
{
	return decision_build_in(a, dd_new(a, NODE_BUDGET), p, ds);
}

struct decision *decision_build_in(struct arena *a, struct dd *dd, const struct policy *p,
				   struct diags *ds)
{
	struct decision *d = ARENA_NEW(a, struct decision);
	size_t culprit = 0;

	d->dd = dd;
	d->arches = p->arches;
	d->foreign = p->foreign;
	for (int arch = 0; arch < ARCH_NR; arch++) {
		if (!(p->arches & ARCH_BIT(arch)) || arch_build(a, d, p, (enum arch)arch, &culprit))
			continue;
		const struct origin *o = culprit < p->calls.n ? p->calls.v[culprit].origin : NULL;
		struct diag *g =
			diag_add(ds, DIAG_PL220, o ? o->span : p->span,
				 "the conditions on this call need more than %d decision nodes",
				 NODE_BUDGET);
		diag_help(ds, g, "use fewer comparisons, or compare fewer arguments in one rule");
		return NULL;
	}
	return d;
}

dd_node decision_node(const struct decision *d, enum arch a, uint32_t nr)
{
	size_t low = 0, high = d->ranges[a].n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct decision_range *r = &d->ranges[a].v[middle];
		if (nr < r->first)
			high = middle;
		else if (nr > r->last)
			low = middle + 1;
		else
			return r->node;
	}
	BUG("number outside the architecture's ranges");
}

struct verdict decision_eval(const struct decision *d, const struct call *c)
{
	bool listed = false;

	for (int a = 0; a < ARCH_NR; a++)
		listed |=
			d->arches & ARCH_BIT(a) && arch_info((enum arch)a)->audit == c->audit_arch;
	if (!listed)
		return d->foreign;
	if (c->nr == UINT32_MAX)
		return (struct verdict){ VERDICT_ALLOW, 0 };
	uint32_t nr = c->nr;
	int a = arch_of_call(c->audit_arch, &nr);
	if (a < 0 || !(d->arches & ARCH_BIT(a)))
		return d->foreign;
	return dd_eval(d->dd, decision_node(d, (enum arch)a, c->nr), c->args);
}

/* ---- everything as one diagram ---- */

struct roots {
	struct arena *arena;
	VEC(struct dd_range) list;
	dd_node foreign;
};

static void root_range(struct roots *r, uint64_t first, uint64_t last, dd_node node)
{
	uint64_t next = r->list.n ? r->list.v[r->list.n - 1].last + 1 : 0;

	if (next < first)
		vec_push(r->arena, &r->list, ((struct dd_range){ next, first - 1, r->foreign }));
	vec_push(r->arena, &r->list, ((struct dd_range){ first, last, node }));
}

/* The listed architectures of one token, and number -1 that tracers skip calls with. */
static void root_token(struct roots *r, const struct decision *d, uint32_t audit, unsigned arches)
{
	for (unsigned a = 0; a < ARCH_NR; a++) { /* table order: x86_64 stands before x32 */
		if (!(arches & ARCH_BIT(a)) || arch_info((enum arch)a)->audit != audit)
			continue;
		vec_each(&d->ranges[a], k)
			root_range(r, DD_CALL_OF(audit, k->first), DD_CALL_OF(audit, k->last),
				   k->node);
	}
	root_range(r, DD_CALL_OF(audit, UINT32_MAX), DD_CALL_OF(audit, UINT32_MAX),
		   dd_terminal(d->dd, (struct verdict){ VERDICT_ALLOW, 0 }));
}

dd_node decision_root(const struct decision *d, unsigned arches)
{
	struct roots r = { .arena = d->dd->arena, .foreign = dd_terminal(d->dd, d->foreign) };
	uint32_t done = 0;

	for (;;) { /* tokens in rising order; 0 is nobody's */
		uint32_t audit = UINT32_MAX;
		for (unsigned a = 0; a < ARCH_NR; a++) {
			uint32_t t = arch_info((enum arch)a)->audit;
			if (arches & d->arches & ARCH_BIT(a) && t > done && t < audit)
				audit = t;
		}
		if (audit == UINT32_MAX)
			break;
		root_token(&r, d, audit, arches & d->arches);
		done = audit;
	}
	uint64_t next = r.list.n ? r.list.v[r.list.n - 1].last + 1 : 0;
	vec_push(r.arena, &r.list, ((struct dd_range){ next, UINT64_MAX, r.foreign }));
	return dd_ranges(d->dd, DD_CALL, 64, r.list.v, r.list.n);
}
