/* SPDX-License-Identifier: Apache-2.0 */
/* What the profile's mode makes of what rules add up to (lib.c, aa_apply_modes_to_perms). */
#include "compiler/apparmor/answer_parts.h"

static enum aa_outcome refused(const struct aa_profile *p, const struct halves *h,
			       struct aa_verdict *v)
{
	unsigned flags = p->header->flags, lacking = v->lacking;
	unsigned told = flags & AA_FLAG_AUDIT ? lacking : lacking & ~h->quiet;

	if (!(lacking & ~h->prompt))
		return AA_ASKS;
	v->quiet = !told;
	if (!told)
		return AA_REFUSED;
	if (flags & AA_FLAG_COMPLAIN) {
		v->why = "the profile complains, and refuses only what is denied without 'audit'";
		return AA_ALLOWED_LOGGED;
	}
	if (flags & AA_FLAG_PROMPT && !(lacking & h->deny))
		return AA_ASKS;
	return flags & AA_FLAG_KILL ? AA_KILLED : AA_REFUSED;
}

/* 5.0.2 writes default_allow as unconfined (parser/profile.h). */
bool aa_profile_is_open(const struct aa_asking *q)
{
	return q->profile->header->flags & (AA_FLAG_UNCONFINED | AA_FLAG_DEFAULT_ALLOW);
}

void aa_conclude(const struct aa_asking *q, unsigned perms, const struct halves *h,
		 struct aa_verdict *v)
{
	unsigned flags = q->profile->header->flags;

	v->lacking = perms & ~h->allow;
	if (aa_profile_is_open(q)) {
		v->lacking = 0;
		v->why = "under the profile's flag 'unconfined' or 'default_allow' no rule "
			 "counts";
		v->outcome = AA_ALLOWED;
		return;
	}
	if (v->lacking)
		v->outcome = refused(q->profile, h, v);
	else if (perms & h->varies)
		v->outcome = AA_VARIES;
	else if (perms & h->audit & ~h->audit_varies || flags & AA_FLAG_AUDIT)
		v->outcome = AA_ALLOWED_AUDITED;
	else
		v->outcome = AA_ALLOWED;
	if (v->outcome == AA_ALLOWED && perms & h->audit)
		v->why = "whether it is logged goes by where the parser's memory lies";
}

struct halves aa_half_of(const struct aa_answer *a, enum file_who who)
{
	return (struct halves){ a->allow[who],  a->deny[who],   a->audit[who],       a->quiet[who],
				a->prompt[who], a->varies[who], a->audit_varies[who] };
}

struct aa_verdict aa_path_verdict(const struct aa_asking *q, const struct aa_answer *answer,
				  enum file_who who, unsigned perms)
{
	struct aa_verdict v = { .exec = { .target = { "", 0 } } };
	struct halves h = aa_half_of(answer, who);

	aa_conclude(q, perms, &h, &v);
	if (perms != PERM_X || !(h.allow & PERM_X) || aa_profile_is_open(q))
		return v;
	v.exec = answer->exec[who];
	if (v.exec.exec == AA_EXEC_BARE) { /* domain.c, x_to_label: AA_X_NONE */
		v.outcome = q->profile->header->flags & AA_FLAG_COMPLAIN ? AA_ALLOWED_LOGGED :
									   AA_REFUSED;
		v.why = "'unsafe x' says not how to execute";
	}
	return v;
}

bool aa_unanswered(const struct aa_access *access, struct diags *ds, const char *what,
		   const char *help)
{
	struct diag *d =
		diag_add(ds, DIAG_PL374,
			 (struct span){ access->source->id, 0, (uint32_t)access->source->text.n },
			 "%s, and that is not answered", what);

	diag_help(ds, d, "%s", help);
	return false;
}
