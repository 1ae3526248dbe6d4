/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a class under a profile's abi: what is not mediated is open, and unix may be network's. */
#include "compiler/apparmor/answer.h"
#include "compiler/apparmor/objects.h"

struct under {
	struct arena *arena;
	const struct aa_asking *q;
	VEC(const struct aa_rule *) rules;
};

static bool has(const struct under *u, enum aa_class class)
{
	return u->q->target.mediated >> class & 1;
}

/*
 * Of network rules about sockets of unix the parser makes unix rules with every permission; a
 * deny of them is quiet where it says audit (parser_yacc.y; answer_rules.c). Where the kernel does
 * not know these, they stay what they are.
 */
static void add_network(struct under *u, const struct aa_rule *from)
{
	const struct aa_network_rule *n = &from->network;
	bool fine = has(u, AA_CLASS_UNIX);

	if (!n->any && !(n->families & 2))
		return;
	for (int type = n->any ? -1 : 1; type < (n->any ? 0 : 16); type++) {
		if (type >= 0 && !(n->types >> type & 1))
			continue;
		struct aa_rule *r = ARENA_NEW(u->arena, struct aa_rule);
		r->class = AA_CLASS_UNIX;
		r->use = from->use;
		r->origin = from->origin;
		r->prefix = from->prefix;
		r->prefix.audit ^= fine && from->prefix.mode == AA_MODE_DENY;
		r->perms = fine ? AA_NET_ALL : from->perms;
		r->unix_.type = type;
		vec_push(u->arena, &u->rules, r);
	}
}

/* Of a unix rule the parser makes a network rule then, but of one that denies (af_unix.cc). */
static void add_downgraded(struct under *u, const struct aa_rule *from)
{
	struct aa_rule *r = ARENA_NEW(u->arena, struct aa_rule);

	if (from->prefix.mode == AA_MODE_DENY)
		return;
	r->class = AA_CLASS_UNIX;
	r->use = from->use;
	r->origin = from->origin;
	r->prefix = from->prefix;
	r->prefix.priority = 0;
	r->perms = u->q->target.release < AA_RELEASE_4_0 ? AA_NET_ALL : from->perms;
	r->unix_.type = from->unix_.type;
	vec_push(u->arena, &u->rules, r);
}

/* Of sockets but those of unix, which are asked about as their own class whatever is mediated. */
static void add_others(struct under *u, const struct aa_rule *from)
{
	struct aa_rule *r;
	bool whole;

	if (from->class != AA_CLASS_NETWORK && from->class != AA_CLASS_ALL)
		return;
	whole = from->class == AA_CLASS_ALL || from->network.any;
	r = arena_dup(u->arena, from, sizeof(*from));
	if (from->class == AA_CLASS_ALL)
		r->perms = AA_NET_ALL;
	r->class = AA_CLASS_NETWORK;
	if (whole)
		r->network = (struct aa_network_rule){ .families = ~UINT64_C(0), .types = ~0u };
	r->network.families &= ~UINT64_C(2);
	if (r->network.families)
		vec_push(u->arena, &u->rules, r);
}

static void add_unix(struct under *u, const struct aa_rule *r)
{
	if (r->class == AA_CLASS_NETWORK)
		add_network(u, r);
	else if (r->class == AA_CLASS_UNIX && !has(u, AA_CLASS_UNIX))
		add_downgraded(u, r);
	else
		vec_push(u->arena, &u->rules, r);
}

struct aa_objects aa_objects_under(struct aa_objects_pool *p, const struct aa_asking *q,
				   enum aa_class class)
{
	static const struct aa_rule all = { .class = AA_CLASS_ALL };
	static const struct aa_rule *const whole[] = { &all };
	struct under u = { .arena = q->arena, .q = q };
	bool open = class == AA_CLASS_UNIX ? !has(&u, class) && !has(&u, AA_CLASS_NETWORK) :
					     !has(&u, class);

	if (open)
		return aa_objects_build(p, q->target.release, whole, 1, class);
	vec_each(&q->rules, r) {
		if (class == AA_CLASS_UNIX)
			add_unix(&u, *r);
		else if (class == AA_CLASS_NETWORK)
			add_others(&u, *r);
		else
			vec_push(u.arena, &u.rules, *r);
	}
	return aa_objects_build(p, q->target.release, u.rules.v, u.rules.n, class);
}
