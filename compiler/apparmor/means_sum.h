/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What rules that match one path add up to, a function a release. */
#include "compiler/apparmor/means.h"

struct aa_sum;
struct aa_say;

typedef void aa_sum_fn(const struct aa_say *const *says, size_t n, struct aa_sum *out);

/* What one rule says; rules that say the same are one here. */
struct aa_say {
	aa_sum_fn *sum;              /* its release's; rules of one machine have the same */
	unsigned perms[FILE_WHO_NR]; /* w with a; without what an exec implies */
	int exec;                    /* of PERM_X: a number of the pool's, from 1; 0: bare */
	bool inherits;               /* that exec implies m */
	bool exact, audit;
	bool level; /* its release puts a prompt beside what is allowed */
	enum aa_mode mode;
	int priority;
};

struct aa_sum {
	struct aa_answer answer;
	int exec[FILE_WHO_NR];
};

aa_sum_fn aa_sum_3_0; /* 3.0.8; 4.0 */
aa_sum_fn aa_sum_4_1; /* 4.1.0 */
aa_sum_fn aa_sum_5_0; /* 4.1.2 and later */

aa_sum_fn *aa_sum_of(enum aa_release release);
