/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 4.1.0, which Debian 13 has: what rules give goes by the order in which it meets them, and that is
 * the order of their addresses. So every order is gone through, a state at a time; what is the
 * same in all is the answer, and the rest varies (libapparmor_re/hfa.cc of v4.1.0,
 * pri_update_perm; mended in 4.1.2 by 283b9d50d and 360241a3e). Only x and m are concerned.
 */
#include <limits.h>
#include <string.h>

#include "compiler/apparmor/means_sum.h"

enum { ORDERED_MAX = 8, STATES_MAX = 4096 };

/* Of one half, after some of the rules. */
struct state {
	unsigned met; /* bit N: rule N */
	int x_priority, m_priority;
	int exec, exact_exec; /* of what is allowed, and of what exact rules allowed */
	int prompt_exec;
	bool x, m, exact_x, deny_x, deny_m, audit_x, audit_m, prompt_x, prompt_m, conflict;
};

struct orders {
	const struct aa_say *says[ORDERED_MAX];
	size_t n;
	unsigned who;
	struct state states[STATES_MAX];
	size_t state_n;
	bool too_many;
};

static void raise_x(struct state *t, const struct aa_say *s, bool inherits)
{
	if (inherits && t->m_priority < s->priority)
		t->m_priority = s->priority;
	if (t->x_priority == s->priority)
		return;
	t->x_priority = s->priority;
	t->x = t->exact_x = t->deny_x = t->audit_x = t->prompt_x = false;
	t->exec = t->exact_exec = t->prompt_exec = 0;
	if (inherits)
		t->m = t->deny_m = t->audit_m = t->prompt_m = false;
}

/* Beside an exec that is allowed it asks about the execution alone. */
static void prompt_x(struct state *t, const struct aa_say *s, bool inherits)
{
	t->prompt_x = true;
	if (t->x)
		return;
	t->prompt_exec = s->exec;
	t->prompt_m |= inherits;
	t->audit_m |= inherits && s->audit;
}

static void meet_x(struct state *t, const struct aa_say *s)
{
	bool inherits = s->inherits && s->mode != AA_MODE_DENY;

	if (t->x_priority > s->priority)
		return;
	raise_x(t, s, inherits);
	if (s->mode == AA_MODE_DENY) {
		t->deny_x = true;
		t->x = t->audit_x = t->prompt_x = false;
		t->exec = 0;
		return;
	}
	t->audit_x |= s->audit;
	if (s->mode == AA_MODE_PROMPT) {
		prompt_x(t, s, inherits);
	} else if (s->exact) {
		t->conflict |= t->exact_x && t->exact_exec != s->exec;
		t->exact_x = t->x = true;
		t->exact_exec = t->exec = s->exec;
		t->m |= inherits;
		t->prompt_m &= !inherits;
		t->audit_m = inherits ? s->audit : t->audit_m;
	} else {
		t->conflict |= !t->exact_x && t->x && t->exec != s->exec;
		if (!t->exact_x) {
			t->exec = s->exec;
			t->m |= inherits;
			t->audit_m |= inherits && s->audit;
		}
		t->x = true;
	}
}

static void meet_m(struct state *t, const struct aa_say *s)
{
	if (t->m_priority > s->priority)
		return;
	if (t->m_priority < s->priority)
		t->m = t->deny_m = t->audit_m = t->prompt_m = false;
	t->m_priority = s->priority;
	if (s->mode == AA_MODE_DENY) {
		t->m = t->audit_m = t->prompt_m = false;
		t->deny_m = true;
		return;
	}
	t->audit_m |= s->audit;
	*(s->mode == AA_MODE_PROMPT ? &t->prompt_m : &t->m) = true;
}

/* x before m; an m beside an exec that inherits is taken with that, or not at all. */
static void meet(const struct orders *o, struct state *t, size_t i)
{
	const struct aa_say *s = o->says[i];
	unsigned perms = s->perms[o->who];

	t->met |= 1u << i;
	if (perms & PERM_X)
		meet_x(t, s);
	if (perms & PERM_M && !(perms & PERM_X && s->inherits))
		meet_m(t, s);
}

static bool same(const struct state *x, const struct state *y)
{
	return x->met == y->met && x->x_priority == y->x_priority &&
	       x->m_priority == y->m_priority && x->exec == y->exec &&
	       x->exact_exec == y->exact_exec && x->x == y->x && x->m == y->m &&
	       x->exact_x == y->exact_x && x->deny_x == y->deny_x && x->deny_m == y->deny_m &&
	       x->audit_x == y->audit_x && x->audit_m == y->audit_m && x->conflict == y->conflict &&
	       x->prompt_x == y->prompt_x && x->prompt_m == y->prompt_m &&
	       x->prompt_exec == y->prompt_exec;
}

static void add(struct orders *o, struct state t)
{
	for (size_t i = 0; i < o->state_n; i++)
		if (same(&o->states[i], &t))
			return;
	o->too_many |= o->state_n == STATES_MAX;
	if (!o->too_many)
		o->states[o->state_n++] = t;
}

static void go_through(struct orders *o)
{
	add(o, (struct state){ .x_priority = INT_MIN, .m_priority = INT_MIN });
	for (size_t k = 0; k < o->state_n; k++)
		for (size_t i = 0; i < o->n; i++) {
			struct state t = o->states[k];
			if (t.met >> i & 1)
				continue;
			meet(o, &t, i);
			add(o, t);
		}
}

/* What is so in all ends, and what in some. */
struct ends {
	bool x_all, x_some, m_all, m_some, conflict_all, conflict_some, exec_varies;
	unsigned audit_all, audit_some, prompt_some;
	int exec, prompt_exec;
};

static struct ends find_ends(const struct orders *o)
{
	struct ends e = { .x_all = true, .m_all = true, .conflict_all = true, .audit_all = ~0u };

	for (size_t k = 0; k < o->state_n; k++) {
		const struct state *t = &o->states[k];
		if (t->met != (1u << o->n) - 1)
			continue;
		e.conflict_all &= t->conflict;
		e.conflict_some |= t->conflict;
		if (t->conflict)
			continue;
		bool x = t->x && !t->deny_x, m = t->m && !t->deny_m;
		bool px = t->prompt_x && !t->deny_x, pm = t->prompt_m && !t->deny_m;
		unsigned audit = ((x || px) && t->audit_x ? PERM_X : 0) |
				 ((m || pm) && t->audit_m ? PERM_M : 0);
		e.prompt_some |= (px ? PERM_X : 0) | (pm ? PERM_M : 0);
		e.prompt_exec = px ? t->prompt_exec : e.prompt_exec;
		e.audit_all &= audit;
		e.audit_some |= audit;
		e.x_all &= x;
		e.x_some |= x;
		e.m_all &= m;
		e.m_some |= m;
		e.exec_varies |= x && e.exec && e.exec != t->exec;
		e.exec = x ? t->exec : e.exec;
	}
	return e;
}

static void note(const struct ends *e, unsigned who, struct aa_sum *out)
{
	struct aa_answer *a = &out->answer;

	a->conflict |= e->conflict_all;
	a->conflict_varies |= e->conflict_some && !e->conflict_all;
	a->allow[who] |= (e->x_some ? PERM_X : 0) | (e->m_some ? PERM_M : 0);
	a->varies[who] |= (e->x_some && (!e->x_all || e->exec_varies) ? PERM_X : 0) |
			  (e->m_some && !e->m_all ? PERM_M : 0);
	a->prompt[who] |= e->prompt_some;
	a->audit[who] &= ~(unsigned)(PERM_X | PERM_M);
	a->audit[who] |= e->audit_some;
	a->audit_varies[who] |= e->audit_some & ~e->audit_all;
	out->exec[who] = e->x_some ? e->exec : e->prompt_exec;
}

static void sum_half(const struct aa_say *const *says, size_t n, unsigned who, struct aa_sum *out)
{
	struct orders o = { .who = who, .n = 0 };
	struct aa_answer *a = &out->answer;

	for (size_t i = 0; i < n; i++) {
		bool asked = says[i]->perms[who] & (PERM_X | PERM_M);
		o.too_many |= asked && o.n == ORDERED_MAX;
		if (asked && o.n < ORDERED_MAX)
			o.says[o.n++] = says[i];
	}
	if (!o.n)
		return;
	if (!o.too_many)
		go_through(&o);
	if (o.too_many) { /* as later releases have it, and m as it may be */
		a->varies[who] |= a->allow[who] & PERM_M;
		a->conflict_varies |= a->conflict;
		return;
	}
	struct ends e = find_ends(&o);
	a->allow[who] &= ~(unsigned)(PERM_X | PERM_M);
	a->prompt[who] &= ~(unsigned)(PERM_X | PERM_M);
	note(&e, who, out);
}

void aa_sum_4_1(const struct aa_say *const *says, size_t n, struct aa_sum *out)
{
	struct aa_answer *a = &out->answer;

	aa_sum_5_0(says, n, out);
	a->conflict = a->conflict_varies = false;
	for (unsigned who = 0; who < FILE_WHO_NR; who++) {
		sum_half(says, n, who, out);
		a->audit[who] &= a->allow[who] | a->prompt[who];
	}
	a->conflict_varies &= !a->conflict;
}
