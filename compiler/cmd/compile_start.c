/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting is part of the policy: a filter is in force before the program's first instruction,
 * in a container while the runtime's own calls are still to come.
 */
#include <string.h>

#include "compiler/cmd/compile.h"
#include "grammar/parse.h"

static const char needed[] = "start-runc-nnp";

/* The set as a policy of its own, resolved where the user's sets are found. NULL: not found. */
static const struct policy *runtime_needs(struct session *s, enum arch arch)
{
	struct diags *quiet = diags_new(s->arena, s->sources);
	const struct resolve_options opt = { .set_dirs = set_directories(s->arena, NULL) };
	BUF_AUTO text = { 0 };

	buf_printf(&text, "policy start { arch %s; use %s; }", arch_info(arch)->name, needed);
	struct source *src = source_add(s->sources, "<start>", (struct str){ text.p, text.n });
	struct ast_file *file = pale_parse_source(s->arena, src, quiet);
	struct policies *all = policy_resolve(s->arena, file, &opt, quiet);
	return quiet->errors || all->list.n != 1 ? NULL : all->list.v[0];
}

/* Some call by this number passes, whatever its arguments must be. */
static bool may_pass(const struct policy *p, enum arch a, uint32_t nr)
{
	const struct call plain = { .audit_arch = arch_info(a)->audit, .nr = nr };
	size_t i, end;

	if (!policy_refuses(p, a, &plain))
		return true;
	for (policy_calls_of(p, a, nr, &i, &end); i < end; i++)
		if (!verdict_refuses(p->calls.v[i].verdict))
			return true;
	return false;
}

/* What the set says was not seen, only thinkable: no reason to warn. */
static bool is_implied(const struct call_rule *r)
{
	const struct ast_comment *why = r->origin->stmt->trailing;

	return why && str_starts(why->text, "implied:");
}

static void check_runtime(struct session *s, const struct policy *p, enum arch a)
{
	const struct policy *needs = runtime_needs(s, a);
	BUF_AUTO names = { 0 };
	struct diag *d;

	if (!needs) {
		diag_add(s->diags, DIAG_PL207, p->span, "the set '%s' is not found, so whether a "
			 "container can start under the policy is not known", needed);
		return;
	}
	vec_each(&needs->calls, r)
		if (!is_implied(r) && !may_pass(p, a, r->nr))
			buf_printf(&names, "%s'%s'", names.n ? ", " : "", r->sys->name);
	if (!names.n)
		return;
	d = diag_add(s->diags, DIAG_PL202, p->span, "on %s the policy refuses %s, which runc calls "
		     "before the program's first instruction: no container starts under it",
		     arch_info(a)->name, names.p);
	diag_help(s->diags, d, "add 'use start-runc-nnp;' (containers with no-new-privileges) or "
			       "'use start-runc;' (any)");
}

void compile_check_start(struct compilation *c, const struct policy *p, unsigned targets)
{
	size_t before = c->session->diags->list.n;

	policy_check_start(p, c->session->diags);
	if (c->session->diags->list.n > before || c->runtime.kind != OCI_RUNC ||
	    !(targets & (TARGET_DOCKER | TARGET_OCI)))
		return;
	for (unsigned a = 0; a < ARCH_NR; a++) {
		const struct arch_info *info = arch_info((enum arch)a);
		/* The machine's own architecture is what the runtime runs as. */
		if (p->arches & ARCH_BIT(a) && !strcmp(info->name, arch_family((enum arch)a, p->arches)))
			check_runtime(c->session, p, (enum arch)a);
	}
}
