/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting is part of the policy: a filter is in force before the program's first instruction,
 * in a container while the runtime's own calls are still to come.
 */
#include <string.h>

#include "compiler/cmd/compile.h"
#include "compiler/oci/oci.h"

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

static bool call_passes(const struct policy *p, enum arch a, const char *name)
{
	const struct syscall_info *sys = syscall_by_name(str_c(name));

	return sys && sys->nr[a] >= 0 && may_pass(p, a, (uint32_t)sys->nr[a] + arch_info(a)->nr_base);
}

/* What a call by this number gets that nothing lets pass: the strictest rule's, or the default. */
static struct verdict refusal_of(const struct policy *p, enum arch a, uint32_t nr)
{
	const struct verdict *found = NULL;
	size_t i, end;

	for (policy_calls_of(p, a, nr, &i, &end); i < end; i++) {
		const struct call_rule *r = &p->calls.v[i];
		if (!r->cond && !r->env && (!found || r->verdict.kind < found->kind))
			found = &r->verdict;
	}
	return found ? *found : p->dflt[a];
}

/* What the runtime calls wherever the filter is loaded, with no-new-privileges too (starts.def). */
static void check_runtime(struct compilation *c, const struct policy *p, enum arch a)
{
	struct diags *ds = c->session->diags;
	const char *name = c->runtime.kind == OCI_RUNC ? "runc" : "crun", *words = NULL;
	const struct oci_start *s;
	BUF_AUTO names = { 0 };

	for (size_t i = 0; (s = oci_start_at(i)); i++) {
		const struct syscall_info *sys = syscall_by_name(str_c(s->call));
		uint32_t nr = sys ? (uint32_t)sys->nr[a] + arch_info(a)->nr_base : 0;
		if (s->runtime != (int)c->runtime.kind || s->plain || !sys || sys->nr[a] < 0 ||
		    s->since > c->runtime.version || (s->before && s->before <= c->runtime.version) ||
		    may_pass(p, a, nr) ||
		    !oci_start_fails(s, refusal_of(p, a, nr), *s->or && call_passes(p, a, s->or)))
			continue;
		buf_printf(&names, "%s'%s'", names.n ? ", " : "", s->call);
		words = words ? words : s->words;
	}
	if (!names.n)
		return;
	struct diag *d = diag_add(ds, DIAG_PL202, p->span, "on %s the policy refuses %s, which %s calls "
				  "before the program's first instruction: no container starts under it (%s%s)",
				  arch_info(a)->name, names.p, name, *words ? words : "it is killed",
				  *words ? " ..." : "");
	diag_help(ds, d, "add 'use start-runc-nnp;' (containers with no-new-privileges) or "
			 "'use start-runc;' (any); for crun, start-crun");
}

void compile_check_start(struct compilation *c, const struct policy *p, unsigned targets)
{
	size_t before = c->session->diags->list.n;

	policy_check_start(p, c->session->diags);
	if (c->session->diags->list.n > before || !(targets & (TARGET_DOCKER | TARGET_OCI)))
		return;
	for (unsigned a = 0; a < ARCH_NR; a++) {
		const struct arch_info *info = arch_info((enum arch)a);
		/* The machine's own architecture is what the runtime runs as. */
		if (p->arches & ARCH_BIT(a) && info->bits == 64 &&
		    !strcmp(info->name, arch_family((enum arch)a, p->arches)))
			check_runtime(c, p, (enum arch)a);
	}
}
