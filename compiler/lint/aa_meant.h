/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A rule as it was meant, with another pattern in the place of one of its words: does the profile answer as that says? */
#include "compiler/apparmor/objects.h"
#include "compiler/lint/aa_facts.h"

/* Of a profile's rules of one class; all zero at first. Made where the first is asked about. */
struct aa_meant {
	struct aa_objects_pool *pool;
	struct aa_objects all;
};

/*
 * What the rule would allow (of a deny: refuse) with this text in the place of the word, and the profile answers
 * otherwise: an access as users write it. NULL: there is none, or it is not decided (AP329). r: of a class with objects.
 */
const char *aa_meant_object(struct lint *l, struct aa_meant *m, const struct aa_rule *r,
			    const struct aa_word *w, const char *text);
