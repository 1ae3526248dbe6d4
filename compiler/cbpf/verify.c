/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program against the specification, on every compile. Shares nothing with the generator
 * but the policy and what it could learn from the program itself: constants it compares with,
 * and both neighbours of each, are tried as numbers too.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/cbpf/cbpf.h"

enum {
	VALUES_MAX = 96,      /* of one argument; more are thinned out by chance */
	SAMPLES_ALL = 120000, /* combinations of arguments over the whole policy */
	SAMPLES_MIN = 300,    /* and for one number at least */
	SAMPLES_MAX = 4000,
	DENSE = 8192, /* numbers of which each is tried; beyond, those that are calls */
};

struct values {
	uint64_t v[VALUES_MAX];
	size_t n, seen;
};

struct check {
	const struct policy *p;
	const struct cbpf *prog;
	struct call call; /* being compared; the witness when it fails */
	uint64_t points;
	uint64_t random;
	size_t samples; /* for one number whose rules look at arguments */
};

static uint64_t next_random(struct check *k)
{
	/* splitmix64: fixed seed, so that a compile is the same every time. */
	uint64_t x = k->random += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Do both answer the same for k->call? */
static bool agree(struct check *k)
{
	uint32_t ret = cbpf_run(k->prog, &k->call, NULL);

	k->points++;
	return ret == verdict_to_ret(policy_eval(k->p, &k->call, NULL));
}

/* ---- values worth trying ---- */

/* Once the list is full a new value takes a random place: late rules are not left out. */
static void add_value(struct check *k, struct values *s, uint64_t v)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == v)
			return;
	s->seen++;
	if (s->n < VALUES_MAX) {
		s->v[s->n++] = v;
		return;
	}
	size_t at = (size_t)(next_random(k) % s->seen);
	if (at < VALUES_MAX)
		s->v[at] = v;
}

/* Both sides of a boundary; the same low word under another high one, with garbage above. */
static void add_around(struct check *k, struct values *s, uint64_t v)
{
	static const uint64_t high[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	uint64_t garbage = next_random(k) << 32;

	add_value(k, s, v);
	add_value(k, s, v - 1);
	add_value(k, s, v + 1);
	add_value(k, s, (uint32_t)v | garbage);
	add_value(k, s, v ^ 1ull << 32);
	add_value(k, s, (uint32_t)v | high[next_random(k) % 5] << 32);
}

static void add_cmp(struct check *k, struct values s[6], const struct cmp *c)
{
	struct values *of = &s[c->arg];
	uint64_t width = c->width == 64 ? UINT64_MAX : UINT32_MAX;

	add_around(k, of, c->value);
	if (c->is_signed)
		add_value(k, of, c->width == 64 ? 1ull << 63 : 1ull << 31);
	if (c->mask == width)
		return;
	add_value(k, of, c->value | (~c->mask & next_random(k)));
	add_value(k, of, c->mask);
	add_value(k, of, ~c->mask);
	add_value(k, of, c->mask & next_random(k));
	/* One bit more, one bit less than the value. */
	for (unsigned bit = 0; bit < 64; bit++)
		if (c->mask >> bit & 1)
			add_value(k, of, c->value ^ 1ull << bit);
}

static void add_cond(struct check *k, struct values s[6], const struct cond *c)
{
	for (; c && c->kind != COND_CMP; c = c->left)
		if (c->kind != COND_NOT)
			add_cond(k, s, c->right);
	if (c)
		add_cmp(k, s, &c->cmp);
}

/* ---- comparisons by number ---- */

static uint64_t pick(struct check *k, const struct values *s)
{
	uint64_t r = next_random(k);

	return r % 16 == 0 ? next_random(k) : s->v[(r >> 8) % s->n];
}

/* Keeps a call on which rules decide and changes one argument through all its values. */
static bool agree_one_by_one(struct check *k, const struct values s[6])
{
	uint64_t kept[6];

	memcpy(kept, k->call.args, sizeof(kept));
	for (unsigned a = 0; a < 6; a++) {
		for (size_t i = 0; s[a].seen > 2 && i < s[a].n; i++) {
			k->call.args[a] = s[a].v[i];
			if (!agree(k))
				return false;
		}
		k->call.args[a] = kept[a];
	}
	return true;
}

static bool agree_conditions(struct check *k, size_t first, size_t end)
{
	struct values s[6];

	memset(s, 0, sizeof(s));
	for (unsigned a = 0; a < 6; a++) {
		add_value(k, &s[a], 0);
		add_value(k, &s[a], UINT64_MAX);
	}
	for (size_t i = first; i < end; i++)
		add_cond(k, s, k->p->calls.v[i].cond);
	size_t singles = 0;
	for (size_t n = 0; n < k->samples; n++) {
		struct decision_why why;
		for (unsigned a = 0; a < 6; a++)
			k->call.args[a] = pick(k, &s[a]);
		if (!agree(k))
			return false;
		policy_eval(k->p, &k->call, &why);
		if (why.by != BY_RULE || singles++ >= 8)
			continue;
		if (!agree_one_by_one(k, s))
			return false;
	}
	memset(k->call.args, 0, sizeof(k->call.args));
	return agree_one_by_one(k, s);
}

/* Arguments that no rule looks at: zero, all ones, chance. */
static bool agree_number(struct check *k, uint32_t nr)
{
	k->call.nr = nr;
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned a = 0; a < 6; a++)
			k->call.args[a] = i == 0 ? 0 : i == 1 ? UINT64_MAX : next_random(k);
		if (!agree(k))
			return false;
	}
	return true;
}

static bool agree_around(struct check *k, uint32_t nr)
{
	return agree_number(k, nr) && agree_number(k, nr - 1) && agree_number(k, nr + 1);
}

/* Boundaries that every program could get wrong, and those that this one has. */
static bool agree_boundaries(struct check *k)
{
	static const uint32_t edges[] = { 0,          0x3fffffff, 0x40000000,
					  0x7fffffff, 0x80000000, 0xbfffffff,
					  0xc0000000, 0xfffffffe, 0xffffffff };

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		if (!agree_around(k, edges[i]))
			return false;
	for (size_t i = 0; i < k->prog->n; i++)
		if (BPF_CLASS(k->prog->insns[i].code) == BPF_JMP &&
		    !agree_around(k, k->prog->insns[i].k))
			return false;
	return true;
}

static bool agree_arch(struct check *k, enum arch a)
{
	const struct arch_info *info = arch_info(a);

	k->call.audit_arch = info->audit;
	if (!agree_boundaries(k))
		return false;
	for (uint32_t nr = 0; nr <= syscall_end(a) && nr < DENSE; nr++)
		if (!agree_number(k, info->nr_base + nr))
			return false;
	for (uint32_t nr = DENSE; (nr = syscall_next(a, nr)) != UINT32_MAX; nr++)
		if (!agree_around(k, info->nr_base + nr))
			return false;
	for (size_t i = 0, end; i < k->p->calls.n; i = end) {
		const struct call_rule *r = &k->p->calls.v[i];
		bool conditional = false;
		for (end = i; end < k->p->calls.n && k->p->calls.v[end].arch == r->arch &&
			      k->p->calls.v[end].nr == r->nr;
		     end++)
			conditional |= k->p->calls.v[end].cond != NULL;
		if (r->arch != a)
			continue;
		if (!agree_around(k, r->nr))
			return false;
		k->call.nr = r->nr;
		if (conditional && !agree_conditions(k, i, end))
			return false;
	}
	return true;
}

/* A foreign architecture is told by its token alone; near misses of ours are foreign too. */
static bool agree_foreign(struct check *k, const char *family)
{
	for (unsigned a = 0; a < ARCH_NR; a++) {
		const struct arch_info *info = arch_info((enum arch)a);
		const uint32_t tokens[] = { info->audit ^ 1,        info->audit + 1,
					    info->audit - 1,        info->audit ^ 1u << 31,
					    info->audit ^ 1u << 30, 0 };
		bool ours = !strcmp(arch_family((enum arch)a, k->p->arches), family);
		for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
			uint32_t nr = 0;
			k->call.audit_arch = tokens[i];
			if (ours && arch_of_call(tokens[i], &nr) < 0 &&
			    (!agree_number(k, 0) || !agree_number(k, 1) ||
			     !agree_number(k, UINT32_MAX)))
				return false;
		}
	}
	return true;
}

static size_t count_conditional(const struct policy *p, const char *family)
{
	size_t n = 0;

	for (size_t i = 0; i < p->calls.n; i++)
		n += p->calls.v[i].cond &&
		     !strcmp(arch_family(p->calls.v[i].arch, p->arches), family);
	return n;
}

int cbpf_verify(const struct policy *p, const struct cbpf *prog, const char *family,
		struct call *witness, uint64_t *points)
{
	struct check k = { .p = p, .prog = prog, .random = 1, .samples = SAMPLES_MAX };
	size_t conditional = count_conditional(p, family);
	bool fine = true;

	if (conditional && SAMPLES_ALL / conditional < k.samples)
		k.samples = SAMPLES_ALL / conditional;
	if (k.samples < SAMPLES_MIN)
		k.samples = SAMPLES_MIN;
	for (unsigned a = 0; a < ARCH_NR && fine; a++)
		if (!strcmp(arch_family((enum arch)a, p->arches), family))
			fine = agree_arch(&k, (enum arch)a);
	fine = fine && agree_foreign(&k, family);
	if (points)
		*points = k.points;
	if (fine)
		return 0;
	if (witness)
		*witness = k.call;
	return -1;
}
