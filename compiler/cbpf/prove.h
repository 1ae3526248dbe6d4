/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The proof that a program is its policy, made before anything is written or attached. The
 * program is lifted to what it answers and compared with the policy's decision: equal means for
 * every architecture, number and argument, not for samples. The decision itself is held
 * against policy_eval(), the specification, on one call at least of every number and rule; of a
 * number with more than 5,792 rules on that of every second, third, ... of them.
 */
#include "compiler/cbpf/lift.h"

struct cbpf_proof {
	enum cbpf_proved { CBPF_PROVED, CBPF_DIFFERS, CBPF_NOT_DECIDED } result;
	struct call witness;       /* DIFFERS */
	struct verdict is, should; /* there: what the program answers, what the policy says */
	size_t nodes;              /* of both diagrams, what they share counted once */
	uint64_t points;           /* calls on which the decision was held against policy_eval() */
	const struct decision *decision; /* the policy's, in the arena; NULL: a budget was passed */
};

/*
 * progs: attached together, so the most restrictive answers. Only the listed architectures of
 * `family` are theirs. The arena is for the work. 0 when proved; else -1, and a diagnostic (PL205, PL290).
 */
int cbpf_prove(struct arena *a, const struct policy *p, const struct cbpf *progs, size_t n,
	       const char *family, struct cbpf_proof *out, struct diags *ds);
