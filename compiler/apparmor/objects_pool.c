/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that say the same are one, and a class of the machine is what they add up to. */
#include <string.h>

#include "compiler/apparmor/objects_parts.h"
#include "compiler/base/table.h"

struct say {
	struct aa_prefix prefix;
	unsigned perms;
	unsigned exact; /* of them: go before what allows more than one text (since 4.1.2) */
	bool logs;      /* object_logs() */
	bool varies;    /* and what is allowed beside it hangs on 4.1.0's memory */
};

struct aa_objects_pool {
	struct arena *arena;
	struct machine_pool *machines;
	const struct glob *any;
	VEC(struct say) says;          /* rule numbers of the machines */
	VEC(struct aa_halves) answers; /* by class; the first is of no rule */
	struct table by_say, by_answer;
};

static unsigned class_of(void *who, const uint32_t *rules, size_t n);

struct aa_objects_pool *aa_objects_pool_new(struct arena *a)
{
	struct aa_objects_pool *p = ARENA_NEW(a, struct aa_objects_pool);

	p->arena = a;
	p->machines = machine_pool_new(a, class_of, p);
	p->any = glob_parse(a, STR("**"), GLOB_NAME, NULL, NULL);
	vec_push(a, &p->answers, ((struct aa_halves){ .allow = 0 }));
	return p;
}

/* ---- answers ---- */

static int compare_says(const struct say *x, const struct say *y, unsigned perm)
{
	int order = aa_compare_weights(&x->prefix, &y->prefix);

	if (order || x->prefix.mode != AA_MODE_ALLOW)
		return order;
	return !!(x->exact & perm) - !!(y->exact & perm);
}

static const struct say *top_of(const struct aa_objects_pool *p, const uint32_t *rules, size_t n,
				unsigned perm)
{
	const struct say *top = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct say *s = &p->says.v[rules[i]];
		if (s->perms & perm && (!top || compare_says(s, top, perm) > 0))
			top = s;
	}
	return top;
}

static void sum_perm(const struct aa_objects_pool *p, const uint32_t *rules, size_t n,
		     unsigned perm, struct aa_halves *out)
{
	const struct say *top = top_of(p, rules, n, perm);

	for (size_t i = 0; i < n; i++) {
		const struct say *s = &p->says.v[rules[i]];
		if (!(s->perms & perm) || compare_says(s, top, perm))
			continue;
		if (s->logs)
			*(s->prefix.audit ? &out->audit : &out->quiet) |= perm;
		else
			aa_add_weight(out, &s->prefix, perm);
		out->varies |= s->varies ? perm : 0;
	}
	out->varies &= ~perm | out->allow;
}

/* Is the program executed with its environment, as the rules say that name one? */
static bool is_unsafe(const struct aa_objects_pool *p, const uint32_t *rules, size_t n)
{
	const struct say *top = top_of(p, rules, n, PART_WAY);

	for (size_t i = 0; top && i < n; i++) {
		const struct say *s = &p->says.v[rules[i]];
		if (s->perms & PART_UNSAFE && s->prefix.mode == AA_MODE_ALLOW &&
		    !compare_says(s, top, PART_WAY))
			return true;
	}
	return false;
}

static void give(unsigned *half, unsigned from, unsigned to)
{
	*half |= *half & from ? to : 0;
}

/* The answer to several look-ups is the first that does not allow, or the last. */
static void join(struct aa_halves *h, const unsigned *parts, size_t n, unsigned perm)
{
	unsigned part = parts[n - 1];

	for (size_t i = n; i-- > 0;)
		if (!(h->allow & parts[i]))
			part = parts[i];
	give(&h->allow, part, perm);
	give(&h->deny, part, perm);
	give(&h->audit, part, perm);
	give(&h->quiet, part, perm);
	give(&h->prompt, part, perm);
}

static void join_parts(struct aa_halves *h, unsigned spoken, bool unsafe)
{
	static const unsigned change[] = { PART_LABEL, PART_PROGRAM, PART_PAIR };

	/* A program that no rule lets change is let through (domain.c, profile_onexec). */
	bool through = h->allow & PART_LABEL && !(h->allow & PART_PROGRAM);

	if (spoken & (PART_LABEL | PART_PROGRAM | PART_PAIR))
		join(h, change, through ? 1 : 3, AA_ACCESS_CHANGE);
	if (h->allow & AA_ACCESS_CHANGE && (through || unsafe))
		h->allow |= AA_ACCESS_UNSAFE;
	h->allow &= PART_FIRST - 1;
	h->deny &= PART_FIRST - 1;
	h->audit &= PART_FIRST - 1;
	h->quiet &= PART_FIRST - 1;
	h->prompt &= PART_FIRST - 1;
}

static bool same_answer(const struct aa_halves *x, const struct aa_halves *y)
{
	return !memcmp(x, y, sizeof(*x)); /* unsigned alone */
}

static unsigned class_of(void *who, const uint32_t *rules, size_t n)
{
	struct aa_objects_pool *p = who;
	struct aa_halves h = { .allow = 0 };
	unsigned spoken = 0;

	for (size_t i = 0; i < n; i++)
		spoken |= p->says.v[rules[i]].perms;
	for (unsigned perm = 1; perm && perm <= spoken; perm <<= 1)
		if (spoken & perm)
			sum_perm(p, rules, n, perm, &h);
	join_parts(&h, spoken, is_unsafe(p, rules, n));
	uint64_t hash = hash_bytes(HASH_START, &h, sizeof(h));
	struct table_walk it = table_start(hash);
	for (size_t at; (at = table_next(&p->by_answer, &it)) != TABLE_END;)
		if (same_answer(&p->answers.v[at], &h))
			return (unsigned)at;
	if (same_answer(&p->answers.v[0], &h))
		return 0;
	table_add(p->arena, &p->by_answer, hash, p->answers.n);
	vec_push(p->arena, &p->answers, h);
	return (unsigned)p->answers.n - 1;
}

const struct aa_halves *aa_objects_class(const struct aa_objects_pool *p, unsigned class)
{
	return &p->answers.v[class];
}

/* ---- what a rule says ---- */

static bool same_say(const struct say *x, const struct say *y)
{
	return x->perms == y->perms && x->exact == y->exact && x->logs == y->logs &&
	       x->varies == y->varies && x->prefix.mode == y->prefix.mode &&
	       x->prefix.audit == y->prefix.audit && x->prefix.priority == y->prefix.priority;
}

static machine_texts end_of(struct object_texts *t, unsigned perms, bool logs)
{
	struct aa_objects_pool *p = t->pool;
	struct say say = { .prefix = aa_weigh(t->release, t->rule),
			   .perms = perms,
			   .exact = t->exact & perms,
			   .logs = logs };
	uint64_t hash = hash_bytes(HASH_START, &perms, sizeof(perms));

	if (!perms)
		return 0;
	if (logs) { /* a deny has it refused without a word, and goes before no rule */
		say.varies = say.prefix.mode == AA_MODE_DENY && t->release == AA_RELEASE_4_1;
		say.prefix.mode = AA_MODE_ALLOW;
	}
	hash = hash_bytes(hash, &say.prefix.priority, sizeof(say.prefix.priority));
	struct table_walk it = table_start(hash);
	for (size_t at; (at = table_next(&p->by_say, &it)) != TABLE_END;)
		if (same_say(&p->says.v[at], &say))
			return machine_end(p->machines, (uint32_t)at);
	table_add(p->arena, &p->by_say, hash, p->says.n);
	vec_push(p->arena, &p->says, say);
	return machine_end(p->machines, (uint32_t)p->says.n - 1);
}

machine_texts object_end(struct object_texts *t, unsigned perms)
{
	return end_of(t, perms, false);
}

machine_texts object_logs(struct object_texts *t, unsigned perms)
{
	return end_of(t, perms, true);
}

struct arena *object_arena(const struct object_texts *t)
{
	return t->pool->arena;
}

const struct glob *object_any(const struct object_texts *t)
{
	return t->pool->any;
}

struct machine_pool *object_machines(const struct aa_objects_pool *p)
{
	return p->machines;
}
