/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two roots, region by region. In each region both are cut down to what can happen, and the
 * environment is split where it matters, so that what is left are pairs of diagrams over
 * arguments; each pair of answers that differs is a step with its own claim and witness.
 */
#include "compiler/decision/compare.h"

#include <stdlib.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"

enum { RANGES_MAX = 4096, ENVIRONMENTS_MAX = 4096, STEPS_MAX = 64 };

struct comparing {
	struct arena *arena;
	struct dd *dd;
	const struct compare_side *x, *y;
	struct compare *out;
	dd_node rest; /* a claim: what no other part has looked at */
	dd_node tag;  /* of answers() in the cache */
};

/* ---- environments ---- */

dd_node environment_possible(struct dd *d, enum arch arch)
{
	struct env_cond c = { .kind = ENV_HOST };

	for (unsigned h = 0; h < ARCH_NR; h++)
		if (env_runs((enum arch)h, arch))
			c.hosts |= ARCH_BIT(h);
	return dd_env(d, &c);
}

/* ---- steps ---- */

/* Where n answers as the terminal t does. */
static dd_node answers(struct dd *d, dd_node n, dd_node t, dd_node tag)
{
	if (n == DD_NONE)
		return DD_NONE;
	const struct node k = d->nodes.v[n];
	if (k.bit == DD_TERMINAL)
		return n == t ? DD_TRUE : DD_FALSE;
	const struct computed *c = dd_computed(d, n, t, tag);
	if (c->f == n && c->g == t && c->h == tag)
		return c->result;
	if (!dd_step(d))
		return DD_NONE;
	dd_node r = dd_make(d, k.bit, answers(d, k.low, t, tag), answers(d, k.high, t, tag));
	if (r != DD_NONE)
		*dd_computed(d, n, t, tag) = (struct computed){ n, t, tag, r };
	return r;
}

/* The call and an environment, where the claim is over arguments only. */
static void place_witness(struct comparing *c, const struct compare_item *it,
			  struct compare_step *s)
{
	struct dd_point env;

	if (it->region)
		return;
	dd_witness(c->dd, dd_and(c->dd, it->env, environment_possible(c->dd, it->arch)), &env);
	s->witness.at[DD_CAPS] = env.at[DD_CAPS];
	s->witness.at[DD_SYSTEM] = env.at[DD_SYSTEM];
	s->witness.at[DD_CALL] = DD_CALL_OF(arch_info(it->arch)->audit, it->first);
}

static bool add_step(struct comparing *c, struct compare_item *it, dd_node x, dd_node y)
{
	struct compare_step s = { .where = DD_NONE };

	dd_is_terminal(c->dd, x, &s.a);
	dd_is_terminal(c->dd, y, &s.b);
	s.where = dd_and(c->dd, answers(c->dd, it->a, x, c->tag), answers(c->dd, it->b, y, c->tag));
	if (s.where == DD_NONE)
		return false;
	if (s.where == DD_FALSE)
		return true;
	dd_witness(c->dd, s.where, &s.witness);
	place_witness(c, it, &s);
	vec_push(c->arena, &it->steps, s);
	return true;
}

typedef VEC(dd_node) node_list;

static void collect_terminals(struct comparing *c, dd_node n, node_list *out)
{
	const struct node k = c->dd->nodes.v[n];

	if (!dd_memo_first(c->dd, n))
		return;
	if (k.bit == DD_TERMINAL) {
		vec_push(c->arena, out, n);
		return;
	}
	collect_terminals(c, k.low, out);
	collect_terminals(c, k.high, out);
}

static node_list terminals_of(struct comparing *c, dd_node n)
{
	node_list out = { 0 };

	dd_memo_start(c->dd);
	collect_terminals(c, n, &out);
	return out;
}

static enum change step_change(const struct compare_step *s)
{
	if (s->a.kind == s->b.kind)
		return CHANGE_ERRNO;
	return s->b.kind > s->a.kind ? CHANGE_LOOSER : CHANGE_TIGHTER;
}

static int order_steps(const void *p, const void *q)
{
	const struct compare_step *x = p, *y = q;
	enum change cx = step_change(x), cy = step_change(y);

	if (cx != cy)
		return cx < cy ? -1 : 1;
	uint32_t kx = (uint32_t)x->b.kind << 16 | x->b.data,
		 ky = (uint32_t)y->b.kind << 16 | y->b.data;
	if (kx != ky)
		return kx > ky ? -1 : 1;
	kx = (uint32_t)x->a.kind << 16 | x->a.data;
	ky = (uint32_t)y->a.kind << 16 | y->a.data;
	return (kx > ky) - (kx < ky);
}

static bool is_looser(struct verdict x, struct verdict y)
{
	return y.kind > x.kind;
}

static bool is_tighter(struct verdict x, struct verdict y)
{
	return y.kind < x.kind;
}

static bool is_other_data(struct verdict x, struct verdict y)
{
	return x.kind == y.kind && !verdict_eq(x, y);
}

/* A program may return 65,536 data words: one step for each class, with one pair of them. */
static bool find_classes(struct comparing *c, struct compare_item *it)
{
	static bool (*const tests[])(struct verdict, struct verdict) = { is_looser, is_tighter,
									 is_other_data };

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		struct compare_step s = { .others = true,
					  .where = dd_compare(c->dd, it->a, it->b, tests[i]) };
		if (s.where == DD_NONE)
			return false;
		if (s.where == DD_FALSE)
			continue;
		dd_witness(c->dd, s.where, &s.witness);
		s.a = dd_eval_at(c->dd, it->a, &s.witness);
		s.b = dd_eval_at(c->dd, it->b, &s.witness);
		place_witness(c, it, &s);
		vec_push(c->arena, &it->steps, s);
	}
	return true;
}

static bool find_steps(struct comparing *c, struct compare_item *it)
{
	node_list x = terminals_of(c, it->a), y = terminals_of(c, it->b);

	if (x.n * y.n > STEPS_MAX)
		return find_classes(c, it);
	for (size_t i = 0; i < x.n; i++)
		for (size_t k = 0; k < y.n; k++)
			if (x.v[i] != y.v[k] && !add_step(c, it, x.v[i], y.v[k]))
				return false;
	BUG_ON(!it->steps.n);
	qsort(it->steps.v, it->steps.n, sizeof(*it->steps.v), order_steps);
	return true;
}

static enum change classify(const struct compare_item *it)
{
	bool has[CHANGE_NR] = { false };

	vec_each(&it->steps, s)
		has[step_change(s)] = true;
	if (has[CHANGE_LOOSER] && has[CHANGE_TIGHTER])
		return CHANGE_INCOMPARABLE;
	return has[CHANGE_LOOSER]  ? CHANGE_LOOSER :
	       has[CHANGE_TIGHTER] ? CHANGE_TIGHTER :
				     CHANGE_ERRNO;
}

static void add_item(struct comparing *c, struct compare_item it)
{
	if (it.a != DD_NONE && it.b != DD_NONE && it.env != DD_NONE && find_steps(c, &it)) {
		it.change = classify(&it);
	} else {
		it.change = CHANGE_UNDECIDED;
		c->out->undecided++;
	}
	vec_push(c->arena, &c->out->items, it);
}

/* ---- one number in every environment ---- */

struct pair { /* diagrams over arguments, and the environments that lead to them */
	dd_node x, y, env;
};

struct splitting {
	struct comparing *c;
	VEC(struct pair) pairs;
	size_t left;
	bool failed;
};

/* Every way through the environment's bits to two diagrams that differ. */
static void split(struct splitting *s, dd_node x, dd_node y, dd_node env)
{
	struct dd *d = s->c->dd;
	uint32_t arguments = dd_bit_of((enum dd_field)0, 63);

	if (x == y || s->failed)
		return;
	uint32_t bit =
		d->nodes.v[x].bit < d->nodes.v[y].bit ? d->nodes.v[x].bit : d->nodes.v[y].bit;
	if (bit < arguments) {
		dd_node on = dd_make(d, bit, DD_FALSE, DD_TRUE);
		split(s, child(d, x, bit, false), child(d, y, bit, false),
		      dd_and(d, env, dd_not(d, on)));
		split(s, child(d, x, bit, true), child(d, y, bit, true), dd_and(d, env, on));
		return;
	}
	if (!s->left-- || env == DD_NONE) {
		s->failed = true;
		return;
	}
	vec_each(&s->pairs, p)
		if (p->x == x && p->y == y) {
			p->env = dd_or(d, p->env, env);
			return;
		}
	vec_push(s->c->arena, &s->pairs, ((struct pair){ x, y, env }));
}

/* One number (or several with the same answers) in every environment. */
static void compare_numbers(struct comparing *c, struct compare_item it, dd_node x, dd_node y)
{
	static const uint64_t high = UINT64_C(0xffffffff) << 32, zeros[6];
	const uint64_t mask[6] = { high, high, high, high, high, high };
	dd_node possible = environment_possible(c->dd, it.arch);
	struct splitting s = { .c = c, .left = ENVIRONMENTS_MAX };

	if (x == y && x != DD_NONE)
		return;
	if (arch_info(it.arch)->bits == 32) {
		x = dd_restrict(c->dd, x, mask, zeros);
		y = dd_restrict(c->dd, y, mask, zeros);
	}
	dd_node same = dd_terminal(c->dd, (struct verdict){ VERDICT_KILL_PROCESS, 0 });
	x = dd_choose(c->dd, possible, x, same);
	y = dd_choose(c->dd, possible, y, same);
	if (x != DD_NONE && y != DD_NONE)
		split(&s, x, y, DD_TRUE);
	else
		s.failed = true;
	if (s.failed) {
		it.a = it.b = it.env = DD_NONE;
		add_item(c, it);
		return;
	}
	vec_each(&s.pairs, p) {
		it.a = p->x;
		it.b = p->y;
		/* The host is part of every path: what leaves only impossible ones out is all. */
		it.env = p->env == possible ? DD_TRUE : p->env;
		add_item(c, it);
	}
}

/* ---- numbers ---- */

static uint32_t last_number(enum arch a)
{
	return a == ARCH_X86_64 ? 0x3fffffff : 0xfffffffe;
}

static const struct syscall_info *call_at(enum arch a, uint32_t nr)
{
	return syscall_by_nr(a, nr - arch_info(a)->nr_base);
}

struct ranges {
	struct arena *arena;
	VEC(struct decision_range) list;
};

static bool take_range(void *ctx, uint32_t first, uint32_t last, dd_node n)
{
	struct ranges *r = ctx;

	vec_push(r->arena, &r->list, ((struct decision_range){ first, last, n }));
	return true;
}

static bool list_ranges(struct comparing *c, dd_node root, enum arch a, struct ranges *r)
{
	*r = (struct ranges){ .arena = c->arena };
	return dd_numbers(c->dd, root, arch_info(a)->audit, RANGES_MAX, take_range, r);
}

/* Maximal runs of numbers without a name, with one pair of answers each. */
static void compare_unnamed(struct comparing *c, enum arch a, uint32_t first, uint32_t last,
			    dd_node x, dd_node y)
{
	struct compare_item it = { .part = PART_NUMBERS, .arch = a };
	uint32_t end = arch_info(a)->nr_base + syscall_end(a);
	uint32_t nr = first;

	while (nr <= last) {
		if (call_at(a, nr)) {
			if (nr++ == last)
				return;
			continue;
		}
		it.first = it.last = nr;
		while (it.last < last && (it.last + 1 >= end || !call_at(a, it.last + 1)))
			it.last = it.last + 1 >= end ? last : it.last + 1;
		compare_numbers(c, it, x, y);
		if (it.last == last)
			return;
		nr = it.last + 1;
	}
}

/* A claim: a number of this architecture; `named` in or out. */
static dd_node numbers_claim(struct comparing *c, enum arch a)
{
	struct dd *d = c->dd;
	uint32_t audit = arch_info(a)->audit, first = arch_info(a)->nr_base, last = last_number(a);
	dd_node above = dd_word_at_least(d, DD_CALL, 0, first, DD_TRUE, DD_FALSE);
	dd_node below = dd_word_at_least(d, DD_CALL, 0, last + 1, DD_FALSE, DD_TRUE);

	return dd_and(d, dd_word_equal(d, DD_CALL, 32, audit, DD_TRUE, DD_FALSE),
		      dd_and(d, above, below));
}

/* What a 32-bit architecture's calls meet: nothing stands above the low word of an argument. */
static dd_node narrowed(struct comparing *c, const struct compare_item *it, dd_node root)
{
	const uint64_t high = UINT64_C(0xffffffff) << 32, zeros[6] = { 0 };
	const uint64_t mask[6] = { high, high, high, high, high, high };

	if (it->part == PART_FOREIGN || arch_info(it->arch)->bits != 32)
		return root;
	return dd_restrict(c->dd, root, mask, zeros);
}

/* All of a region as one item, numbers included. */
static void compare_region(struct comparing *c, struct compare_item it, dd_node region)
{
	dd_node same = dd_terminal(c->dd, (struct verdict){ VERDICT_KILL_PROCESS, 0 });

	it.a = dd_choose(c->dd, region, narrowed(c, &it, c->x->root), same);
	it.b = dd_choose(c->dd, region, narrowed(c, &it, c->y->root), same);
	it.env = DD_TRUE;
	it.region = true;
	if (it.a != it.b || it.a == DD_NONE)
		add_item(c, it);
}

static dd_node unnamed_claim(struct comparing *c, enum arch a)
{
	dd_node n = numbers_claim(c, a);

	for (uint32_t nr = 0; nr < syscall_end(a); nr++)
		if (syscall_by_nr(a, nr)) {
			uint64_t call = DD_CALL_OF(arch_info(a)->audit, nr + arch_info(a)->nr_base);
			n = dd_and(c->dd, n,
				   dd_not(c->dd, dd_equal(c->dd, DD_CALL, UINT64_MAX, call)));
		}
	return n;
}

static void compare_others(struct comparing *c, enum arch a)
{
	struct ranges x, y;
	size_t i = 0, k = 0;
	uint32_t at = arch_info(a)->nr_base, last = last_number(a);

	if (!list_ranges(c, c->x->root, a, &x) || !list_ranges(c, c->y->root, a, &y)) {
		/* A program that computes with the number: no list of ranges would be read. */
		struct compare_item it = {
			.part = PART_NUMBERS, .arch = a, .first = at, .last = last
		};
		dd_node env = environment_possible(c->dd, a);
		compare_region(c, it, dd_and(c->dd, unnamed_claim(c, a), env));
		return;
	}
	for (;;) {
		while (x.list.v[i].last < at)
			i++;
		while (y.list.v[k].last < at)
			k++;
		const struct decision_range *p = &x.list.v[i], *q = &y.list.v[k];
		uint32_t end = p->last < q->last ? p->last : q->last;
		if (end > last)
			end = last;
		compare_unnamed(c, a, at, end, p->node, q->node);
		if (end == last)
			return;
		at = end + 1;
	}
}

static void compare_calls(struct comparing *c, enum arch a)
{
	uint32_t audit = arch_info(a)->audit, base = arch_info(a)->nr_base;

	for (uint32_t nr = base; nr < base + syscall_end(a); nr++) {
		struct compare_item it = {
			.part = PART_CALL, .arch = a, .sys = call_at(a, nr), .first = nr, .last = nr
		};
		if (!it.sys)
			continue;
		c->out->calls++;
		compare_numbers(c, it, dd_call(c->dd, c->x->root, audit, nr),
				dd_call(c->dd, c->y->root, audit, nr));
	}
}

/* ---- everything ---- */

static dd_node skip_claim(struct comparing *c, enum arch a)
{
	return dd_equal(c->dd, DD_CALL, UINT64_MAX, DD_CALL_OF(arch_info(a)->audit, UINT32_MAX));
}

static bool token_compared(const struct comparing *c, enum arch a)
{
	for (unsigned b = 0; b < ARCH_NR; b++)
		if (c->out->arches & ARCH_BIT(b) &&
		    arch_info((enum arch)b)->audit == arch_info(a)->audit)
			return true;
	return false;
}

static void compare_arch(struct comparing *c, enum arch a)
{
	dd_node own = numbers_claim(c, a), skip = dd_and(c->dd, skip_claim(c, a), c->rest);

	c->rest = dd_and(c->dd, c->rest, dd_not(c->dd, own));
	if (c->out->arches & ARCH_BIT(a)) {
		compare_calls(c, a);
		if (!c->out->named_only)
			compare_others(c, a);
		return;
	}
	struct compare_item it = { .part = PART_UNLISTED, .arch = a };
	dd_node region = dd_and(c->dd, own, environment_possible(c->dd, a));
	/* Of a token that only one side decides, number -1 too: told once, with the first. */
	if (!token_compared(c, a)) {
		c->rest = dd_and(c->dd, c->rest, dd_not(c->dd, skip));
		region = dd_or(c->dd, region, skip);
	}
	compare_region(c, it, region);
}

/* Calls that nobody makes are no foreign ones either. */
static void leave_out(struct comparing *c, enum arch a)
{
	dd_node gone = numbers_claim(c, a);

	if (!token_compared(c, a))
		gone = dd_or(c->dd, gone, skip_claim(c, a));
	c->rest = dd_and(c->dd, c->rest, dd_not(c->dd, gone));
}

/* Number -1, with which tracers skip calls; x86_64 and x32 share it. */
static void compare_skips(struct comparing *c)
{
	for (unsigned a = 0; a < ARCH_NR; a++) {
		uint32_t audit = arch_info((enum arch)a)->audit;
		struct compare_item it = { .part = PART_SKIP,
					   .arch = (enum arch)a,
					   .first = UINT32_MAX,
					   .last = UINT32_MAX };
		dd_node own = skip_claim(c, (enum arch)a);
		if (!(c->out->arches & ARCH_BIT(a)) || dd_and(c->dd, c->rest, own) == DD_FALSE)
			continue;
		c->rest = dd_and(c->dd, c->rest, dd_not(c->dd, own));
		if (!c->out->named_only)
			compare_numbers(c, it, dd_call(c->dd, c->x->root, audit, UINT32_MAX),
					dd_call(c->dd, c->y->root, audit, UINT32_MAX));
	}
}

struct compare *compare_roots(struct arena *arena, struct dd *d, const struct compare_side *x,
			      const struct compare_side *y, unsigned only, unsigned never)
{
	struct compare *out = ARENA_NEW(arena, struct compare);
	struct comparing c = { arena, d, x, y, out, DD_TRUE, d->operation-- };
	unsigned mask = (only ? only : (1u << ARCH_NR) - 1) & ~never;

	out->arches = x->arches & y->arches & mask;
	out->only_a = x->arches & ~y->arches & mask;
	out->only_b = y->arches & ~x->arches & mask;
	out->named_only = x->named_only || y->named_only;
	for (unsigned a = 0; a < ARCH_NR; a++)
		if ((out->arches | out->only_a | out->only_b) & ARCH_BIT(a))
			compare_arch(&c, (enum arch)a);
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (never & ARCH_BIT(a))
			leave_out(&c, (enum arch)a);
	compare_skips(&c);
	if (!only && !out->named_only) {
		struct compare_item it = { .part = PART_FOREIGN };
		compare_region(&c, it, c.rest);
	}
	return out;
}
