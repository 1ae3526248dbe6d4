/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How rules add up, as each release has it. An owner's rule is the owner's alone, in a deny too.
 * Before 4.1 a deny wins over all, and the m that an ix implies is as if it were written. From 4.1
 * on each permission goes by the highest priority that speaks of it; from 4.1.2 on the m goes with
 * the x that won. Between the two, 4.1.0 goes by the order in which its rules lie in memory.
 */
#include "compiler/apparmor/means_sum.h"

static unsigned implied(const struct aa_say *s, unsigned who)
{
	return s->mode == AA_MODE_ALLOW && s->inherits && s->perms[who] & PERM_X ? PERM_M : 0;
}

/* ---- 3.0.8 (accept_perms) ---- */

static void execute_3_0(const struct aa_say *s, int *exec, bool *conflict)
{
	*conflict |= *exec && *exec != s->exec;
	*exec = s->exec;
}

static void sum_half_3_0(const struct aa_say *const *says, size_t n, unsigned who,
			 struct aa_sum *out)
{
	struct aa_answer *a = &out->answer;
	int exact = 0, glob = 0;

	for (size_t i = 0; i < n; i++) {
		const struct aa_say *s = says[i];
		if (s->mode == AA_MODE_DENY) {
			a->deny[who] |= s->perms[who];
			a->quiet[who] |= s->audit ? 0 : s->perms[who];
			continue;
		}
		a->allow[who] |= s->perms[who] | implied(s, who);
		a->audit[who] |= s->audit ? s->perms[who] : 0;
		if (s->perms[who] & PERM_X)
			execute_3_0(s, s->exact ? &exact : &glob, &a->conflict);
	}
	a->allow[who] &= ~a->deny[who];
	a->audit[who] &= a->allow[who];
	if (a->allow[who] & PERM_X)
		out->exec[who] = exact ? exact : glob;
}

void aa_sum_3_0(const struct aa_say *const *says, size_t n, struct aa_sum *out)
{
	for (unsigned who = 0; who < FILE_WHO_NR; who++)
		sum_half_3_0(says, n, who, out);
}

/* ---- 4.1.2 and later (pri_update_perm, add_implied_ix_mmap) ---- */

/*
 * Within a priority: a deny, an exec that is exact, any other, a prompt; to 4.1.0 a prompt is as any
 * other, and what it logs is logged.
 */
static int rank(const struct aa_say *s, unsigned perm)
{
	int base = 4 * s->priority;

	if (s->mode == AA_MODE_DENY)
		return base + 3;
	if (s->mode == AA_MODE_PROMPT && !s->level)
		return base;
	return base + (s->exact && perm == PERM_X ? 2 : 1);
}

struct top { /* of one permission */
	int rank;
	bool any; /* a rule speaks of it */
};

static void execute_5_0(const struct aa_say *s, const struct aa_say *first, unsigned who,
			struct aa_sum *out)
{
	if (s->mode == AA_MODE_DENY)
		return;
	out->answer.conflict |= first && first->exec != s->exec;
	out->exec[who] = s->exec;
}

static struct top sum_perm_5_0(const struct aa_say *const *says, size_t n, unsigned who,
			       unsigned perm, struct aa_sum *out)
{
	struct aa_answer *a = &out->answer;
	const struct aa_say *first = NULL;
	struct top top = { 0, false };

	for (size_t i = 0; i < n; i++) {
		int r = rank(says[i], perm);
		if (says[i]->perms[who] & perm && (!top.any || r > top.rank))
			top = (struct top){ r, true };
	}
	for (size_t i = 0; i < n; i++) {
		const struct aa_say *s = says[i];
		if (!(s->perms[who] & perm) || rank(s, perm) != top.rank)
			continue;
		if (s->mode == AA_MODE_DENY) {
			a->deny[who] |= perm;
			a->quiet[who] |= s->audit ? 0 : perm;
			continue;
		}
		*(s->mode == AA_MODE_PROMPT ? &a->prompt[who] : &a->allow[who]) |= perm;
		a->audit[who] |= s->audit ? perm : 0;
		if (perm == PERM_X)
			execute_5_0(s, first, who, out);
		first = s;
	}
	return top;
}

/*
 * Rules that do not win may be compared before the one that does is met, by the order in memory:
 * two that disagree and are not the highest.
 */
static bool may_conflict(const struct aa_say *const *says, size_t n, unsigned who)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct aa_say *x = says[i], *y = says[k];
			if (x->perms[who] & y->perms[who] & PERM_X && x->exec != y->exec &&
			    x->mode == AA_MODE_ALLOW && y->mode == AA_MODE_ALLOW &&
			    rank(x, PERM_X) == rank(y, PERM_X))
				return true;
		}
	return false;
}

void aa_sum_5_0(const struct aa_say *const *says, size_t n, struct aa_sum *out)
{
	struct aa_answer *a = &out->answer;

	for (unsigned who = 0; who < FILE_WHO_NR; who++) {
		struct top x = { 0, false }, m = { 0, false };
		for (unsigned perm = 1; perm <= AA_PERM_SUBSET; perm <<= 1) {
			struct top top = sum_perm_5_0(says, n, who, perm, out);
			x = perm == PERM_X ? top : x;
			m = perm == PERM_M ? top : m;
		}
		bool inherits = false;
		for (size_t i = 0; i < n; i++)
			inherits |= says[i]->exec == out->exec[who] && says[i]->inherits;
		if (a->allow[who] & PERM_X && inherits && (!m.any || m.rank <= x.rank) &&
		    !(a->deny[who] & PERM_M))
			a->allow[who] |= PERM_M;
		if (!((a->allow[who] | a->prompt[who]) & PERM_X))
			out->exec[who] = 0;
		a->audit[who] &= a->allow[who] | a->prompt[who];
		a->conflict_varies |= !a->conflict && may_conflict(says, n, who);
	}
}
