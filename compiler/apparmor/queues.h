/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Labels of message queues. */
#include "compiler/rules/rules.h"

/*
 * Of a rule about queues of both types the parser appends the label's expression for the second to
 * that for the first (mqueue.cc, gen_policy_re, labelbuf): texts of `first`, then of `second`; NULL:
 * `first` is both.
 */
struct aa_label_twice {
	const struct glob *first, *second;
};

/* Owner: the arena, and who has the label. */
struct aa_label_twice aa_label_twice(struct arena *a, const struct glob *label);

bool aa_label_twice_match(struct arena *a, const struct glob *label, struct str s);
