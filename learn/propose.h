/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What files become in a proposal (generalize.c).
 */
#include "learn/learn.h"

struct proposed_file {
	struct str glob; /* AppArmor's; its own characters in names are escaped */
	unsigned perms;
	bool owner;
	uint64_t count; /* over all files that the glob stands for */
	uint64_t first_ns;
	const uint64_t *in; /* of which runs; NULL: there is one */
	size_t files;
	const char *why; /* it was widened, or owner was added; NULL: it is the path itself */
};

struct proposed_files {
	VEC(struct proposed_file) list;
};

/*
 * One rule a file, or one for several where a part of their names cannot be the same next time:
 * process ids under /proc, names made by mkstemp, numbers in files that the run removed again,
 * versions of libraries. Nothing else is widened.
 */
/* A path as a glob that stands for it alone. */
const char *generalize_escape(struct arena *a, struct str path);
void generalize_files(struct arena *a, const struct recording *r, struct proposed_files *out);
