/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AppArmor profiles by name, of all files of a run: what starts containers names them. */
#include "grammar/apparmor_tree.h"

struct named_profile {
	struct str name; /* as written */
	bool complain;   /* refuses nothing: complain, unconfined */
};

struct lint_named {
	VEC(struct named_profile) list;
	bool open; /* a name has a variable in it, or a file that is included may have more */
};

/* Adds those of a file that are no children of others; the names are copied. */
void lint_named_add(struct arena *a, const struct aa_file *file, struct lint_named *out);
/* The operator's AppArmorProfiles, which it loads by the names of the objects. */
struct deployment;
void lint_named_add_objects(struct arena *a, struct sources *sources, const struct deployment *d,
			    struct lint_named *out);
