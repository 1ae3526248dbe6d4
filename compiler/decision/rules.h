/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * RULES: what each call rule of a policy contributes, exactly: where it decides, and why it
 * never does. Environments that cannot be, and the upper halves of 32-bit registers, do not
 * count; what `when` left open does.
 */
#include "compiler/decision/decision.h"

enum rule_role {
	RULE_DECIDES, /* without it (and those that repeat it) some call, the witness, would be
			     * answered otherwise */
	RULE_NEVER_MATCHES, /* no arguments in no environment meet it */
	RULE_SHADOWED,      /* stricter rules match wherever it does */
	RULE_REPEATS,       /* where it decides, others of the same verdict match too */
	RULE_IS_DEFAULT, /* where it decides, the default says the same and no other rule speaks */
	RULE_UNDECIDED,  /* the manager's budget ran out */
};

enum { RULE_BY_MAX = 4, RULE_BY_LOOKED_AT = 256 };

struct rule_use {
	const struct call_rule *rule;
	enum rule_role role;
	struct dd_point witness; /* DECIDES */
	/* SHADOWED, REPEATS: the rules that make it so; one that does so alone, or some of several. */
	const struct call_rule *by[RULE_BY_MAX];
	size_t nby;
};

/*
 * One for each of p->calls, in its order. Of rules that repeat one another the first in the
 * text counts (those of sets before the policy's own), the others repeat it.
 */
const struct rule_use *decision_rules(struct arena *a, struct dd *d, const struct policy *p);

struct rule_decides {                 /* a part of a call's decision */
	const struct call_rule *rule; /* NULL: no rule matches; `default` or `unknown` does */
	dd_node where;                /* claim: environment and arguments; not DD_FALSE */
	struct dd_point witness;
};
struct rule_parts {
	VEC(struct rule_decides) list; /* strictest first; rules of one verdict may overlap */
	bool undecided;
};
/* Which rules decide the calls of one number (with base) that meet the claim `within`? */
struct rule_parts decision_deciders(struct arena *a, struct dd *d, const struct policy *p,
				    enum arch arch, uint32_t nr, dd_node within);
