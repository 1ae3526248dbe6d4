/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What files become in a proposal (generalize.c).
 */
#include "learn/learn.h"

struct proposed_file {
	struct str glob;    /* AppArmor's; its own characters in names are escaped */
	struct str pattern; /* the same without variables of its tunables */
	unsigned perms;
	bool owner;
	bool owned;     /* only owners used them */
	uint64_t count; /* over all files that the glob stands for */
	uint64_t first_ns;
	const uint64_t *in; /* of which runs; NULL: there is one */
	size_t files;
	bool socket;     /* one of them was connected or sent to */
	bool held;       /* all of them were only held when the recording began */
	const char *why; /* it was widened; NULL: it is the path itself */
	bool gathered;   /* it stands for all that is in a directory or a tree */
	bool counted;    /* others is known */
	uint64_t others; /* files that it grants, at most so many, that no run touched */
};

struct proposed_files {
	VEC(struct proposed_file) list;
};

/* A path as a glob that stands for it alone. */
const char *generalize_escape(struct arena *a, struct str path);
/*
 * One rule a file, or one for several. What differs between runs and what a name's form says is made
 * anew (shape.h) is widened, and a name that several runs share never is; so are names beside each
 * other, GENERALIZE_SIBLINGS of equal rights and more, in directories that the runs wrote or used
 * whole, GENERALIZE_MANY and more in any; below prefixes that hold secrets or the kernel's own
 * settings none is, nor is what was executed or mapped as a program. exact: one rule a file.
 */
enum { GENERALIZE_SIBLINGS = 16, GENERALIZE_MANY = 256 };
void generalize_files(struct arena *a, const struct recording *r, bool exact,
		      struct proposed_files *out);
