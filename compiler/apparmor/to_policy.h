/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A profile as a policy, and whether the two mean the same. */
#include "compiler/apparmor/answer.h"
#include "grammar/ast.h"

/* Classes, a bit each, that one rule says all of, as the policy's abi is not the profile's. */
struct aa_whole {
	unsigned deny;  /* the profile's has them mediated, and no rule allows anything */
	unsigned allow; /* the policy's has them mediated, the profile's not */
};

/*
 * The tree of a policy of that name, a statement a rule in the order of the text, each with the
 * place it came from; rules that come twice are one. NULL: a rule that no policy says was told
 * (PL397). Owner: the arena.
 */
struct ast_file *aa_to_policy(struct arena *a, const struct aa_policy *policy,
			      const struct aa_asking *q, const char *name,
			      const struct aa_whole *whole, struct diags *ds);

/*
 * Does the policy answer every access as the profile does? Both were read for one release, their
 * means from one pool. False: told, with an access that shows it, or what was not decided (PL398).
 */
bool aa_means_same(struct arena *a, const struct aa_asking *profile, const struct aa_asking *policy,
		   struct diags *ds);
