/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What answer.c, of files, and answer_rules.c, of all else, share; nobody else includes it. */
#include "compiler/apparmor/answer.h"

struct halves { /* of an answer, one of the two */
	unsigned allow, deny, audit, quiet, prompt, varies, audit_varies;
};

/* ---- answer_mode.c ---- */
bool aa_profile_is_open(const struct aa_asking *q); /* no rule counts */
struct halves aa_half_of(const struct aa_answer *a, enum file_who who);
/* What the profile's mode makes of what rules add up to. */
void aa_conclude(const struct aa_asking *q, unsigned perms, const struct halves *h,
		 struct aa_verdict *v);
/* Tells why the access is not answered; false. */
bool aa_unanswered(const struct aa_access *access, struct diags *ds, const char *what,
		   const char *help);

/* ---- answer_rules.c: of AA_ACCESS_RULE ---- */
bool aa_can_ask_rules(const struct aa_asking *q, const struct aa_access *access, struct diags *ds);
struct aa_verdict aa_ask_rules(const struct aa_asking *q, const struct aa_access *access);

/* ---- answer_objects.c ---- */
/* Is the class mediated under the profile's abi on its kernel? */
bool aa_is_mediated(const struct aa_asking *q, enum aa_class class);
/* It neither allows nor denies, but no rule of a lower priority counts beside it. */
#define AA_SAYS_NOTHING (1u << 31)
/* What a rule says of the access, in bits of its class, and perhaps AA_SAYS_NOTHING. */
unsigned aa_rule_says(const struct aa_asking *q, const struct aa_rule *r,
		      const struct aa_access *access);
/*
 * Does a rule without patterns go before others that allow? As where files are executed, for the
 * parser looks at the number of the permission's bit alone (hfa.cc, pri_update_perm, since 4.1.2).
 */
bool aa_rule_is_exact(const struct aa_asking *q, const struct aa_rule *r,
		      const struct aa_access *access);
