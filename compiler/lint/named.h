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
/* SeccompProfiles of the operator (objects.c). Does a name mean a file of its, "operator/..."? */
bool lint_object_names(struct str local);
/* "operator/NAME.json", up to 0.8 of the operator "operator/NAMESPACE/NAME.json": the name, and the space. */
struct str lint_object_name(struct str local, struct str *space);
/* A name without ".json". */
struct str lint_object_plain(struct str name);
/* One of that name, one in the space where there is any. */
const struct named_object *lint_object_find(const struct lint_named *all, struct str name,
					    struct str space);
/* A SeccompProfile by the name of the file that the operator writes, "operator/..."; NULL: it is none, or there is none. */
const struct named_object *lint_object_of(const struct lint_named *all, struct str local);
/* Its spec, and that united with its base. NULL: it is not to be had, or its base is not. */
const struct json *lint_object_spec(struct arena *a, struct sources *sources,
				    const struct lint_named *all, const struct named_object *o);
/* The spec of the SeccompProfile of that name; in the sources and the arena. NULL: none of the run's files has one. */
const struct json *lint_named_spec(struct arena *a, struct sources *sources,
				   const struct lint_named *all, struct str name);
