/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A recording as it would be on another architecture: calls by the numbers that they have there, those
 * that are not there by what libcs call instead (relatives.def), arguments where they stand there, the
 * names of libraries' directories and of the loader.
 */
#include "learn/record/recording.h"

struct elsewhere {
	struct buf instead; /* "access: faccessat, ...": what was put in for what */
	struct buf nothing; /* "modify_ldt, ...": what has no counterpart there */
};

/* Everything lives in the arena but the texts of *said, which the caller frees. */
void elsewhere_make(struct arena *a, const struct recording *r, enum arch to, struct recording *out,
		    struct elsewhere *said);
