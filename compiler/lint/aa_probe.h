/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What rules of AppArmor's linter ask about one glob: which path it matches, and what that may do. */
#include "compiler/lint/aa_facts.h"

/*
 * A shortest path that the glob matches and the kernel can ask about; p NULL: there is none. Also
 * NUL-terminated. Owner: the arena.
 */
struct str aa_probe_path(struct arena *a, const struct glob *g);

/* Is it one text and no pattern? */
bool aa_probe_is_one(const struct glob *g);

typedef bool aa_probe_fn(const void *who, struct str path, const struct aa_answer *answer);

/*
 * A path that the glob matches and of which the profile's rules answer so; p NULL: there is none,
 * or *decided is false (machine.h's budgets). One path is asked about for each answer that some
 * have, so that an fn that looks at the path may miss others. Owner: the arena of l.
 */
struct str aa_probe_find(struct lint *l, const struct glob *g, aa_probe_fn *fn, const void *who,
			 bool *decided);

/* What is asked for, the one that says most first; 0: nothing. */
unsigned aa_probe_perm(unsigned perms);
