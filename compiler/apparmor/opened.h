/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The file rules of a profile with their variables opened, as means.h adds them up. */
#include "compiler/apparmor/means.h"

struct aa_opened_list {
	VEC(struct aa_opened) list;
};

/* The label of a transition's profile; "" where the kernel finds it by the path. In the arena. */
struct str aa_target_label(struct arena *a, const struct aa_profile *profile,
			   const struct aa_file_rule *f);

/*
 * What a rule says of files: a file rule says one thing, `all,` two, all others nothing. Left out
 * is a rule whose globs were refused, and told. `profile` is whose rule it is: its children are
 * named after it. Owner: the arena.
 */
void aa_open_rule(struct arena *a, const struct aa_profile *profile, const struct aa_rule *r,
		  struct aa_opened_list *out);
