/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A decision as the text of a policy, for import and dump: written, read again, resolved, and
 * compared with what it came from. What a policy cannot say is told with a witness call.
 */
#include "compiler/file/session.h"
#include "compiler/decision/decision.h"

enum { RAISE_BUDGET = 1 << 23 }; /* nodes */

struct raise_options {
	const char *name;    /* of the policy */
	const char *comment; /* above it */
	const char *what;    /* "the program", for messages */
	struct span span;    /* of the program; NO_SPAN */
	bool log_refusals;   /* as the header line says it */
	enum arch machine;   /* listed where the root does not look at the architecture */
	bool approximate;    /* where it cannot be said exactly, tighter */
};

/*
 * EXIT_OK and the text, or EXIT_FOUND after saying why not. Notes are in s->diags in both cases. The
 * text answers as the root does, for all calls that machines of its architectures can make (PL316).
 */
int raise_policy(struct session *s, struct dd *dd, dd_node root, const struct raise_options *o,
		 struct buf *out);

bool policy_name_is_legal(const char *name);
