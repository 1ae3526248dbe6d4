/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A file of AppArmor of which nothing is wrong but what it includes: no parser takes it, and what the rest of it
 * allows is told all the same, as of a checkout without the files of local/, which packages make as they are installed.
 */
#include "compiler/apparmor/expand.h"

/*
 * Is that so, by what was told from `before` on, and counted from `errors` on? Then the policy is without what
 * included files with errors say.
 */
bool aa_rest(struct arena *a, struct aa_policy *policy, const struct aa_file *file, size_t errors,
	     const struct diags *ds, size_t before);

/* Says so at the includes, where findings came to those that were there at `told`. */
void aa_rest_told(const struct aa_file *file, struct diags *ds, size_t before, size_t told);
