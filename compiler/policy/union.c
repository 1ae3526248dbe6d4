/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Union of two policies (language.md, rule 3): rules and architectures unite, the smaller limit
 * stays, header lines that differ are an error. Commutative, associative, idempotent: both
 * sides are put into the one order of policy_normalize().
 */
#include "compiler/policy/resolve.h"
#include "grammar/apparmor_print.h"

static void differ(struct diags *ds, const struct policy *x, const struct policy *y,
		   const char *line)
{
	struct diag *d = diag_add(ds, DIAG_PL144, y->span,
				  "policies '" PRISTR "' and '" PRISTR "' differ in '%s'",
				  STRARG(x->name), STRARG(y->name), line);

	diag_note(ds, d, x->span, "the other policy");
	diag_help(ds, d, "make their '%s' lines equal before merging", line);
}

static bool verdicts_equal(const struct verdict x[ARCH_NR], const struct verdict y[ARCH_NR])
{
	bool all = true;

	for (int a = 0; a < ARCH_NR; a++)
		all &= verdict_eq(x[a], y[a]);
	return all;
}

/* Word for word. */
static bool heads_equal(const struct policy *x, const struct policy *y)
{
	if (!x->head || !y->head)
		return x->head == y->head;
	return !aa_order(x->head_by->stmt->rule, y->head_by->stmt->rule);
}

static bool headers_equal(const struct policy *x, const struct policy *y, struct diags *ds)
{
	const struct {
		const char *line;
		bool equal;
	} lines[] = {
		{ "program", str_eq(x->program, y->program) },
		{ "level", x->level == y->level },
		{ "layers", x->layers == y->layers },
		{ "default", verdicts_equal(x->dflt, y->dflt) },
		{ "unknown", verdicts_equal(x->unknown, y->unknown) },
		{ "foreign", verdict_eq(x->foreign, y->foreign) },
		{ "apparmor", heads_equal(x, y) },
		{ "log refusals", x->log_refusals == y->log_refusals },
	};
	bool all = true;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i].equal)
			continue;
		differ(ds, x, y, lines[i].line);
		all = false;
	}
	return all;
}

#define TAKE(a, to, from)                                                                          \
	do {                                                                                       \
		vec_each((from), rule_)                                                            \
			vec_push((a), (to), *rule_);                                               \
	} while (0)

static void take_rules(struct arena *a, struct policy *to, const struct policy *from)
{
	TAKE(a, &to->calls, &from->calls);
	TAKE(a, &to->files, &from->files);
	TAKE(a, &to->caps, &from->caps);
	TAKE(a, &to->networks, &from->networks);
	TAKE(a, &to->signals, &from->signals);
	TAKE(a, &to->limits, &from->limits);
	TAKE(a, &to->others, &from->others);
	to->says_caps |= from->says_caps;
	if (!to->variables)
		to->variables = from->variables;
}

struct policy *policy_union(struct arena *a, const struct policy *x, const struct policy *y,
			    struct diags *ds)
{
	size_t errors = ds->errors;

	if (!headers_equal(x, y, ds))
		return NULL;
	struct policy *u = ARENA_NEW(a, struct policy);
	*u = str_cmp(x->name, y->name) <= 0 ? *x : *y;
	u->calls.v = NULL, u->calls.n = u->calls.cap = 0;
	u->files.v = NULL, u->files.n = u->files.cap = 0;
	u->caps.v = NULL, u->caps.n = u->caps.cap = 0;
	u->networks.v = NULL, u->networks.n = u->networks.cap = 0;
	u->signals.v = NULL, u->signals.n = u->signals.cap = 0;
	u->limits.v = NULL, u->limits.n = u->limits.cap = 0;
	u->others.v = NULL, u->others.n = u->others.cap = 0;
	u->arches = x->arches | y->arches;
	take_rules(a, u, x);
	take_rules(a, u, y);
	policy_normalize(u);
	conflict_check(a, u, ds);
	return ds->errors == errors ? u : NULL;
}
