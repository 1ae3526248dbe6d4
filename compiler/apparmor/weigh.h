/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What rules of any class but files add up to, where several speak of one permission. */
#include "compiler/rules/rules.h"

/* In bits of the class. */
struct aa_halves {
	unsigned allow, deny;
	unsigned audit;  /* allowed or asked for, and logged */
	unsigned quiet;  /* denied, and not logged */
	unsigned prompt; /* a notifier is asked */
	unsigned varies; /* of what is allowed: or not, by where 4.1.0's memory lies */
};

/* What a rule begins with, as it counts for rules of its class in that release. */
struct aa_prefix aa_weigh(enum aa_release release, const struct aa_rule *r);

/* > 0: x goes before y. Within a priority a deny does before an allow, that before a prompt. */
int aa_compare_weights(const struct aa_prefix *x, const struct aa_prefix *y);

/* A rule that no other one goes before says its part. */
void aa_add_weight(struct aa_halves *h, const struct aa_prefix *p, unsigned perms);
