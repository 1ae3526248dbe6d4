/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Architectures and numbers. The generated program:
 *
 *	A = arch;
 *	if (A == AUDIT_ARCH_X86_64) {
 *		A = nr;
 *		tree over [0, 0x3fffffff] as x86_64, [0x40000000, 0xfffffffe] as x32,
 *			0xffffffff: return ALLOW         (tracers skip a call with -1)
 *	}
 *	if (A == AUDIT_ARCH_I386) {
 *		A = nr;
 *		tree over [0, 0xfffffffe], 0xffffffff: return ALLOW
 *	}
 *	return foreign;
 *
 * Arguments are loaded in the leaves only, so the kernel's cache (5.11 on) sees every number
 * that is always allowed.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"

static uint32_t rets(struct verdict v)
{
	return verdict_to_ret(v);
}

/* ---- one number ---- */

/*
 * p->calls is sorted by verdict within a number, the most restrictive first; all before `from_rule`
 * are on numbers before.
 */
static code_id build_number(struct generator *g, enum arch a, uint32_t nr, size_t from_rule)
{
	struct leaf_rule rules[64];
	struct leaf_rule *r = rules;
	struct verdict dflt = g->p->dflt[a];
	size_t first, end, n = 0;

	if (!policy_knows(g->p, a, nr) && !PLANTED(g->code.plant, PLANT_UNKNOWN))
		dflt = g->p->unknown[a];
	policy_calls_from(g->p, from_rule, a, nr, &first, &end);
	if (first == end)
		return code_ret(&g->code, rets(dflt));
	if (end - first > ARRAY_SIZE(rules))
		r = ARENA_ARRAY(g->arena, struct leaf_rule, end - first);
	for (size_t i = first; i < end; i++) {
		size_t from = PLANTED(g->code.plant, PLANT_RANK) ? end - 1 - (i - first) : i;
		const struct call_rule *rule = &g->p->calls.v[from];
		r[n++] = (struct leaf_rule){ rule->cond, rets(rule->verdict) };
	}
	return leaf_build(g->leaves, r, n, rets(dflt));
}

/* ---- all numbers of one architecture ---- */

static void add_range(struct generator *g, struct token *t, uint32_t first, uint32_t last,
		      code_id leaf, double weight)
{
	struct tree_range *back = t->ranges.n ? &t->ranges.v[t->ranges.n - 1] : NULL;

	if (back && back->leaf == leaf) {
		back->last = last;
		back->weight += weight;
		return;
	}
	vec_push(g->arena, &t->ranges, ((struct tree_range){ first, last, leaf, weight }));
}

/*
 * An ordinary call weighs one. Calls that are always allowed never run the filter where the kernel
 * keeps them in its cache (arch_caches()): these weigh next to nothing, though something, as it
 * runs the filter for each of them when that is attached. There x32's weigh little as well: none of
 * them is in the cache, and next to nobody makes them.
 */
#define WEIGHT_CACHED  0.01
#define WEIGHT_X32     0.03
#define WEIGHT_UNKNOWN 0.002 /* of a number that only a rule knows */

struct number { /* one that the table or a rule knows */
	uint32_t nr;
	code_id leaf;
	bool known, cached;
};

struct numbers {
	VEC(struct number) list;
	double traced; /* of the trace: what the kernel does not answer from its cache */
};

static bool is_cached(const struct generator *g, enum arch a, code_id leaf)
{
	return arch_caches(a, g->p->kernel) && leaf == g->allow;
}

static uint64_t traced(const struct generator *g, enum arch a, uint32_t nr)
{
	const struct cbpf_weights *w = g->opt->weights;
	uint32_t plain = nr - arch_info(a)->nr_base;

	return w && w->arch == a && plain < w->n ? w->count[plain] : 0;
}

/*
 * Without a trace an ordinary call's, with one its share of a thousand. What a trace lacks keeps
 * little, so that no path grows without bound; where few calls weigh anything, as much as without.
 */
static double weight_of(const struct generator *g, const struct token *t, enum arch a,
			const struct numbers *all, const struct number *n)
{
	double ordinary = t->caches && arch_info(a)->nr_base ? WEIGHT_X32 : 1;

	if (!n->known)
		return WEIGHT_UNKNOWN;
	if (n->cached)
		return WEIGHT_CACHED;
	if (all->traced <= 0)
		return ordinary;
	return 1000 * (double)traced(g, a, n->nr) / all->traced + (t->caches ? ordinary : 0.01);
}

static uint32_t last_of_arch(const struct arch_info *info)
{
	if (info->nr_base)
		return UINT32_MAX - 1;
	for (unsigned i = 0; i < ARCH_NR; i++)
		if (arch_info((enum arch)i)->audit == info->audit &&
		    arch_info((enum arch)i)->nr_base)
			return arch_info((enum arch)i)->nr_base - 1;
	return UINT32_MAX - 1;
}

static void add_number(struct generator *g, struct token *t, enum arch a, struct numbers *all,
		       const struct number *n)
{
	double weight = weight_of(g, t, a, all, n);

	add_range(g, t, n->nr, n->nr, n->leaf, weight);
	if (all->traced > 0 && weight > 1)
		vec_push(g->arena, &t->points, ((struct tree_point){ n->nr, weight }));
}

/* The first number from `next` on that the table or a rule knows; UINT32_MAX: none is left. */
static uint32_t number_after(const struct policy *p, enum arch a, uint32_t next, size_t *rule)
{
	uint32_t base = arch_info(a)->nr_base, nr = syscall_next(a, next - base);

	nr = nr == UINT32_MAX ? nr : nr + base;
	while (*rule < p->calls.n && (p->calls.v[*rule].arch != a || p->calls.v[*rule].nr < next))
		++*rule;
	return *rule < p->calls.n && p->calls.v[*rule].nr < nr ? p->calls.v[*rule].nr : nr;
}

static void find_numbers(struct generator *g, enum arch a, struct numbers *out)
{
	uint32_t last = last_of_arch(arch_info(a)), next = arch_info(a)->nr_base;
	size_t rule = 0;

	while ((next = number_after(g->p, a, next, &rule)) <= last) {
		struct number n = { .nr = next, .leaf = build_number(g, a, next, rule) };
		n.known = policy_knows(g->p, a, next++);
		n.cached = is_cached(g, a, n.leaf);
		if (n.known && !n.cached)
			out->traced += (double)traced(g, a, n.nr);
		vec_push(g->arena, &out->list, n);
	}
}

/* Numbers between calls and those of rules are unknown. */
static void add_arch(struct generator *g, struct token *t, enum arch a)
{
	struct numbers all = { .traced = 0 };
	uint32_t last = last_of_arch(arch_info(a));
	uint32_t next = arch_info(a)->nr_base;
	code_id unknown = code_ret(&g->code, rets(g->p->unknown[a]));

	if (PLANTED(g->code.plant, PLANT_UNKNOWN))
		unknown = code_ret(&g->code, rets(g->p->dflt[a]));
	find_numbers(g, a, &all);
	t->caches |= arch_caches(a, g->p->kernel);
	vec_each(&all.list, n) {
		if (n->nr > next)
			add_range(g, t, next, n->nr - 1, unknown, 0.1);
		add_number(g, t, a, &all, n);
		next = n->nr + 1;
	}
	if (next <= last)
		add_range(g, t, next, last, unknown, 0.5);
}

static bool is_listed(const struct policy *p, unsigned a)
{
	return p->arches & ARCH_BIT(a);
}

static int hotter(const void *x, const void *y)
{
	const struct tree_point *a = x, *b = y;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

static void collect_token(struct generator *g, struct token *t)
{
	code_id foreign = code_ret(&g->code, rets(g->p->foreign));
	code_id skip = code_ret(&g->code, SECCOMP_RET_ALLOW);

	for (unsigned a = 0; a < ARCH_NR; a++) { /* table order: x86_64 stands before x32 */
		const struct arch_info *info = arch_info((enum arch)a);
		if (info->audit != t->audit)
			continue;
		if (is_listed(g->p, a))
			add_arch(g, t, (enum arch)a);
		else if (info->nr_base && PLANTED(g->code.plant, PLANT_NO_X32_GUARD))
			t->ranges.v[t->ranges.n - 1].last = UINT32_MAX - 1;
		else
			add_range(g, t, info->nr_base, last_of_arch(info), foreign, 0.5);
	}
	if (PLANTED(g->code.plant, PLANT_TRACER_SKIP))
		skip = t->ranges.v[t->ranges.n - 1].leaf;
	add_range(g, t, UINT32_MAX, UINT32_MAX, skip, 0.1);
	if (t->points.n)
		qsort(t->points.v, t->points.n, sizeof(*t->points.v), hotter);
}

static bool in_family(const struct generator *g, unsigned a)
{
	return is_listed(g->p, a) &&
	       !strcmp(arch_family((enum arch)a, g->p->arches), g->opt->family);
}

static void collect(struct generator *g)
{
	for (unsigned a = 0; a < ARCH_NR; a++) {
		uint32_t audit = arch_info((enum arch)a)->audit;
		bool seen = false;
		for (size_t i = 0; i < g->ntokens; i++)
			seen |= g->tokens[i].audit == audit;
		if (in_family(g, a) && !seen)
			g->tokens[g->ntokens++].audit = audit;
	}
	for (size_t i = 0; i < g->ntokens; i++)
		collect_token(g, &g->tokens[i]);
}

/* ---- programs ---- */

/* `before`: ranges of the tokens before this one. */
static code_id build_token(struct generator *g, const struct token *t, size_t before,
			   const struct part *part)
{
	struct tree_input in = { .ranges = t->ranges.v,
				 .n = t->ranges.n,
				 .points = t->points.v,
				 .npoints = t->points.n,
				 .points_max = 12,
				 .test_cost = t->caches ? 1 : 0.5,
				 .slack = t->caches ? 0.005 : 0.015,
				 .are_numbers = true };

	in.ranges = arena_dup(g->arena, t->ranges.v, t->ranges.n * sizeof(*in.ranges));
	for (size_t i = 0; part && i < in.n; i++)
		if (before + i < part->first || before + i >= part->end)
			in.ranges[i].leaf = code_ret(&g->code, SECCOMP_RET_ALLOW);
	return code_load(&g->code, offsetof(struct seccomp_data, nr),
			 tree_build(&g->code, g->arena, &in));
}

code_id generate_part(struct generator *g, const struct part *part)
{
	code_id to = code_ret(&g->code, rets(g->p->foreign));
	size_t before = 0;

	for (size_t n = 0; n < g->ntokens; n++)
		before += g->tokens[n].ranges.n;
	for (size_t n = g->ntokens; n-- > 0;) {
		const struct token *t = &g->tokens[n];
		before -= t->ranges.n;
		to = code_jump(&g->code, BPF_JEQ, t->audit, build_token(g, t, before, part), to);
	}
	return code_load(&g->code, offsetof(struct seccomp_data, arch), to);
}

int generate_layout(struct generator *g, code_id root, struct cbpf *out, size_t *insns)
{
	*out = (struct cbpf){ .big_endian = g->big_endian };
	*insns = code_count(&g->code, root);
	if (*insns > 2 * CBPF_MAX) /* no dropping of loads can help */
		return -E2BIG;
	root = code_drop_loads(&g->code, root);
	*insns = code_count(&g->code, root);
	return code_layout(&g->code, root, out);
}

/* ---- a program that is too long ---- */

struct cost {
	const struct origin *origin;
	size_t insns;
};

static int dearer(const void *x, const void *y)
{
	const struct cost *a = x, *b = y;

	if (a->insns != b->insns)
		return a->insns > b->insns ? -1 : 1;
	return a->origin->span.begin < b->origin->span.begin ? -1 : 1;
}

struct costs {
	VEC(struct cost) list;
};

static int by_origin(const void *x, const void *y)
{
	uintptr_t a = (uintptr_t)((const struct cost *)x)->origin;
	uintptr_t b = (uintptr_t)((const struct cost *)y)->origin;

	return (a > b) - (a < b);
}

/* A rule stands once a number and architecture: what it costs is the sum. */
static void sum_costs(struct costs *all)
{
	size_t n = 0;

	if (all->list.n)
		qsort(all->list.v, all->list.n, sizeof(*all->list.v), by_origin);
	for (size_t i = 0; i < all->list.n; i++) {
		const struct cost *c = &all->list.v[i];
		if (n && all->list.v[n - 1].origin == c->origin)
			all->list.v[n - 1].insns += c->insns;
		else
			all->list.v[n++] = *c;
	}
	all->list.n = n;
	if (n)
		qsort(all->list.v, n, sizeof(*all->list.v), dearer);
}

/* The leaf of a number of the family; it stands in one of the ranges, which are sorted. */
static code_id leaf_of(const struct generator *g, enum arch a, uint32_t nr)
{
	size_t i = 0, low = 0;

	while (i < g->ntokens && g->tokens[i].audit != arch_info(a)->audit)
		i++;
	BUG_ON(i == g->ntokens);
	for (size_t high = g->tokens[i].ranges.n; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (g->tokens[i].ranges.v[middle].last < nr)
			low = middle + 1;
		else
			high = middle;
	}
	BUG_ON(low == g->tokens[i].ranges.n);
	return g->tokens[i].ranges.v[low].leaf;
}

/* Each conditional rule pays its part of its number's leaf. */
static void charge_rules(struct generator *g, struct costs *all)
{
	for (size_t i = 0, end; i < g->p->calls.n; i = end) {
		const struct call_rule *r = &g->p->calls.v[i];
		size_t first, conditional = 0;
		policy_calls_from(g->p, i, r->arch, r->nr, &first, &end);
		if (!in_family(g, r->arch))
			continue;
		for (size_t k = first; k < end; k++)
			conditional += g->p->calls.v[k].cond != NULL;
		size_t insns = code_count(&g->code, leaf_of(g, r->arch, r->nr));
		for (size_t k = first; k < end; k++)
			if (g->p->calls.v[k].cond)
				vec_push(g->arena, &all->list,
					 ((struct cost){ g->p->calls.v[k].origin,
							 insns / conditional }));
	}
}

/* No rule compares: what is long is the tree over the numbers, of which each takes about a test. */
static void charge_numbers(struct generator *g, struct costs *all)
{
	vec_each(&g->p->calls, r)
		if (in_family(g, r->arch))
			vec_push(g->arena, &all->list, ((struct cost){ r->origin, 1 }));
}

void generate_too_large(struct generator *g, size_t insns, struct diags *ds)
{
	struct costs all = { 0 };
	struct diag *d = diag_add(ds, DIAG_PL200, g->p->span,
				  "policy '" PRISTR "' needs %s%zu BPF instructions on %s; the "
				  "kernel takes at most %d",
				  STRARG(g->p->name), insns > CBPF_MAX ? "" : "more than ", insns,
				  g->opt->family, CBPF_MAX);

	charge_rules(g, &all);
	if (!all.list.n)
		charge_numbers(g, &all);
	sum_costs(&all);
	for (size_t i = 0; i < all.list.n && i < 5; i++)
		diag_note(ds, d, all.list.v[i].origin->span, "costs %zu instruction%s",
			  all.list.v[i].insns, all.list.v[i].insns == 1 ? "" : "s");
	diag_help(ds, d,
		  "join values into ranges or masks, or leave the distinction to the default");
}

static void start(struct generator *g)
{
	for (unsigned i = 0; i < ARCH_NR; i++)
		g->big_endian |= in_family(g, i) && arch_info((enum arch)i)->big_endian;
	code_init(&g->code, g->arena, g->opt->plant);
	g->code.chain = g->chain;
	g->allow = code_ret(&g->code, SECCOMP_RET_ALLOW);
	g->leaves = leaf_new(g->arena, &g->code, g->big_endian);
	collect(g);
}

bool generate_start(struct generator *g, struct diags *ds)
{
	unsigned arches = 0;

	for (unsigned i = 0; i < ARCH_NR; i++)
		arches |= in_family(g, i) ? ARCH_BIT(i) : 0;
	if (!arches) {
		struct diag *d =
			diag_add(ds, DIAG_PL203, g->p->span,
				 "policy '" PRISTR "' lists no architecture of family '%s'",
				 STRARG(g->p->name), g->opt->family);
		diag_help(ds, d, "add it to the policy's `arch` line");
		return false;
	}
	if (!policy_check_size(g->p, arches, ds))
		return false;
	start(g);
	return true;
}

/* One call's leaf that no row of tests makes small enough: a tree has at most two tests a value. */
static bool has_huge_leaf(struct generator *g)
{
	for (size_t i = 0; i < g->ntokens; i++)
		vec_each(&g->tokens[i].ranges, r)
			if (g->code.nodes.v[r->leaf].size > 2 * CBPF_MAX &&
			    code_count(&g->code, r->leaf) > 2 * CBPF_MAX)
				return true;
	return false;
}

/* A chain takes an instruction a value where a tree takes a quarter more, and half of it each time. */
bool generate_smaller(struct generator *g)
{
	static const size_t chains[] = { 128, 512, CBPF_MAX };
	size_t chain = 0;

	for (size_t i = 0; i < ARRAY_SIZE(chains) && !chain; i++)
		if (chains[i] > g->chain)
			chain = chains[i];
	if (!chain || has_huge_leaf(g))
		return false;
	struct arena *again = arena_scratch(g->arena);
	arena_free(g->arena);
	/* In its place: leaves point at the code of their generator. */
	*g = (struct generator){ .arena = again, .p = g->p, .opt = g->opt, .chain = chain };
	start(g);
	return true;
}

void generate_keep(struct arena *a, struct cbpf *prog)
{
	prog->insns = arena_dup(a, prog->insns, prog->n * sizeof(*prog->insns));
}

static int generate_one(struct generator *g, struct cbpf *out, struct diags *ds)
{
	size_t insns;

	if (!generate_start(g, ds))
		return -1;
	do
		if (!generate_layout(g, generate_part(g, NULL), out, &insns))
			return 0;
	while (insns <= 2 * CBPF_MAX && generate_smaller(g));
	generate_too_large(g, insns, ds);
	return -1;
}

int cbpf_generate(struct arena *a, const struct policy *p, const struct cbpf_options *opt,
		  struct cbpf *out, struct diags *ds)
{
	struct generator g = { .arena = arena_scratch(a), .p = p, .opt = opt };
	int err = generate_one(&g, out, ds);

	if (!err)
		generate_keep(a, out);
	arena_free(g.arena);
	return err;
}

unsigned cbpf_families(const struct policy *p, const char *names[ARCH_NR])
{
	unsigned n = 0;

	for (unsigned a = 0; a < ARCH_NR; a++) {
		const char *family = arch_family((enum arch)a, p->arches);
		bool seen = !is_listed(p, a);
		for (unsigned i = 0; i < n; i++)
			seen |= !strcmp(names[i], family);
		if (!seen)
			names[n++] = family;
	}
	return n;
}
