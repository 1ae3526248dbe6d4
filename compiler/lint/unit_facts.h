/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a unit of systemd lets through, as facts of the policy that its filters are (compiler/systemd/filter.h). */
#include "compiler/base/inner.h"
#include "compiler/lint/internal.h"
#include "compiler/systemd/filter.h"

struct unit_facts {
	struct facts *facts;
	const struct policy *policy;
	struct inner in;  /* the policy's text, in the unit's */
	struct span exec; /* where its lists refuse execve; NO_SPAN: they do not */
	uint64_t caps;    /* of its bounding set, by number */
};

/*
 * Of the deployment, made when it is asked for first: NULL where nothing filters calls, what is put over another unit
 * is looked at alone, or too much is compared to decide it. Owner: the arena of l; lint_unit_facts_end() ends them.
 */
const struct unit_facts *lint_unit_facts(struct lint *l);
void lint_unit_facts_end(struct lint *l);
/* The setting of the unit itself that a place of the policy stands for; NO_SPAN: of none. */
struct span lint_unit_span(const struct unit_facts *u, struct span of_policy);
/* One finding of those that the rules about risky calls tell of the policy. */
void lint_unit_risks(struct lint *l, const struct unit_facts *u, const struct diags *risks);
