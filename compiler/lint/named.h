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
	const char *path;       /* of the file that has it */
};

struct lint_named {
	VEC(struct named_object) seccomp;
	bool seccomp_open;      /* there may be more of them */
	VEC(struct str) images; /* of containers of pods; "": one that is not known */
	VEC(struct named_profile) list;
	bool open; /* a name has a variable in it, or a file that is included may have more */
	VEC(const char *) json; /* files of the run that may be seccomp profiles */
	/* How AppArmor's are read, where rules ask for more than their names. */
	const char *const *dirs; /* NULL-ended, or NULL */
	struct aa_asked asked;
};

/* NULL: there is none of that name. */
const struct named_profile *lint_named_profile(const struct lint_named *all, struct str name);

/* Adds those of a file that are no children of others; the names are copied, the path is kept. */
void lint_named_add(struct arena *a, const struct aa_file *file, const char *path,
		    struct lint_named *out);
/* The operator's AppArmorProfiles, which it loads by the names of the objects. */
struct deployment;
void lint_named_add_objects(struct arena *a, struct sources *sources, const struct deployment *d,
			    const char *path, struct lint_named *out);
/* The spec of the SeccompProfile of that name; in the sources and the arena. NULL: none of the run's files has one. */
const struct json *lint_named_spec(struct arena *a, struct sources *sources,
				   const struct lint_named *all, struct str name);
