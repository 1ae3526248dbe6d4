/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From a decision back to a policy that a person reads: architectures, the verdicts that most
 * calls meet, and a rule for every call that differs. Not everything that a filter can answer
 * can be said: the caller compares what was written with the root it came from.
 */
#include "compiler/decision/decision.h"
#include "grammar/ast.h"

struct decompile_options {
	const char *name;    /* of the policy */
	const char *comment; /* above it; NULL: none */
	bool log_refusals;   /* the header line of it; nothing in the root depends on it */
	enum arch machine;   /* listed where the root does not look at the architecture */
	bool tighter;        /* where it cannot be said, say something more restrictive */
};

/*
 * NULL when a condition or the number of ranges passes a budget; then *why (in the arena) says
 * where. The root must not depend on the environment or on DD_IP: see decompile_tighten_ip().
 */
struct ast_file *decision_decompile(struct dd *d, struct arena *a, dd_node root,
				    const struct decompile_options *opt, const char **why);

/* The most restrictive answer over all values of the instruction pointer. */
dd_node decompile_tighten_ip(struct dd *d, dd_node root);
