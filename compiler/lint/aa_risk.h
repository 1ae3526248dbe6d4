/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Findings about what is allowed: accesses, what each lets be done, and the rule that allows it. */
#include "compiler/lint/aa_facts.h"

struct aa_risk {
	const struct aa_use *use; /* the first rule that decides */
	enum severity severity;
	const char *access; /* as `pale sim` is asked, safe to print */
	const char *does;   /* a clause; "": it is plain */
};

struct aa_risks {
	VEC(struct aa_risk) list;
	const char *const
		*narrower; /* what a rule without conditions may be in place of; NULL: nothing */
};

/* Do rules count: does the profile neither complain nor let everything pass (AP313)? */
bool aa_risk_counts(const struct lint *l);

/* Where a profile's flags stand, or its head. */
struct span aa_risk_flags(const struct aa_profile *p);

/* Has it a rule of the class that allows? */
bool aa_risk_has(const struct lint *l, enum aa_class class);

/*
 * The first rule that decides, where the access is allowed by a rule; NULL: it is not, or by `all,`
 * alone, of which AP302 speaks. Of one half; what is no file has none.
 */
const struct aa_rule *aa_risk_allowed(struct lint *l, const char *access);
/* The same; of several that decide one of this class. */
const struct aa_rule *aa_risk_allowed_of(struct lint *l, const char *access, enum aa_class class);

/* "'open /x w' is allowed: what it does; ...": three of them, the gravest first, and how many more. */
const char *aa_risk_list(struct lint *l, const struct aa_risks *risks);

/*
 * What one rule lets be done in this profile: a finding of the gravest one's severity. Where the same
 * rule, which several profiles include, was told of another, the graver or longer text is that of
 * both, and the place of it the first: NULL then.
 */
struct diag *aa_risk_say(struct lint *l, enum diag_id id, const struct aa_use *use,
			 const struct aa_risks *risks, const char *text);

/* A finding for each rule that allows some of them, with the gravest one's severity. */
void aa_risk_tell(struct lint *l, enum diag_id id, const struct aa_risks *risks, const char *help);
