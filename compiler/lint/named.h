/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AppArmor profiles by name, of all files of a run: what starts containers names them. */
#include "compiler/apparmor/expand.h"
#include "grammar/apparmor_tree.h"

struct named_profile {
	struct str name;  /* as written */
	bool complain;    /* refuses nothing: complain, unconfined */
	const char *path; /* of the file; NULL: it is none of AppArmor's own */
};

struct named_object {
	struct str name, space; /* of a SeccompProfile of the operator; "": not said */
};

struct lint_named {
	VEC(struct named_object) seccomp;
	bool seccomp_open; /* there may be more of them */
	VEC(struct named_profile) list;
	bool open; /* a name has a variable in it, or a file that is included may have more */
	VEC(const char *) json; /* files of the run that may be seccomp profiles */
	/* How AppArmor's are read, where rules ask for more than their names. */
	const char *const *dirs; /* NULL-ended, or NULL */
	struct aa_asked asked;
};

/* Adds those of a file that are no children of others; the names are copied, the path is kept. */
void lint_named_add(struct arena *a, const struct aa_file *file, const char *path,
		    struct lint_named *out);
/* The operator's AppArmorProfiles, which it loads by the names of the objects. */
struct deployment;
void lint_named_add_objects(struct arena *a, struct sources *sources, const struct deployment *d,
			    struct lint_named *out);
