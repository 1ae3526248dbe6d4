/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a profile lets be done to the machine through paths: all rows of aa_paths.def are one
 * machine, which is walked beside the profile's. So each answer that a row's path gets comes with a
 * shortest such path, and of that the rule is asked that decides it.
 */
#include "compiler/lint/aa_facts.h"

struct aa_path_row {
	enum diag_id id;
	enum severity severity;
	const char *glob;
	unsigned perm; /* PERM_R, PERM_W (to append is as good), PERM_X */
	const char *does;
	const char *name; /* of a secret: what a rule that is about it has in its text; else NULL */
	const char *sample; /* of a folder; else NULL */
};

/* What is allowed, and by which rule. */
struct aa_path_hit {
	const struct aa_path_row *row;
	const struct aa_opened *file; /* of the first rule that decides */
	const char *access;           /* "open /proc/kcore r", as `pale sim` is asked */
	enum aa_exec exec;            /* of PERM_X */
};

struct aa_path_hits {
	VEC(struct aa_path_hit) list; /* in the order of the rows */
	const struct aa_opened *wide; /* lets every file be written, and does of some; or NULL */
	const char *wide_access;      /* one such */
};

/* Of the profile at hand, found once. */
const struct aa_path_hits *aa_paths_hits(struct lint *l);
