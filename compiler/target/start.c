/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting is part of the policy: a filter is in force before the program's first instruction,
 * in a container while the runtime's own calls are still to come.
 */
#include <string.h>

#include "compiler/oci/runtime/runtime.h"
#include "compiler/target/start.h"

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

	return sys && sys->nr[a] >= 0 &&
	       may_pass(p, a, (uint32_t)sys->nr[a] + arch_info(a)->nr_base);
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

/* Calls of one `when` that fail, as text; *words: what the runtime dies with at the first. */
static void collect(const struct compilation *c, const struct policy *p, enum arch a,
		    enum oci_start_when when, struct buf *names, const char **words)
{
	const struct oci_start *s;

	for (size_t i = 0; (s = oci_start_at(i)); i++) {
		const struct syscall_info *sys = syscall_by_name(str_c(s->call));
		if (s->when != when || !oci_start_made(s, &c->runtime) || !sys || sys->nr[a] < 0)
			continue;
		uint32_t nr = (uint32_t)sys->nr[a] + arch_info(a)->nr_base;
		if (may_pass(p, a, nr) ||
		    !oci_start_fails(s, refusal_of(p, a, nr), *s->or &&call_passes(p, a, s->or)))
			continue;
		*words = names->n ? *words : s->words;
		buf_printf(names, "%s'%s'", names->n ? ", " : "", s->call);
	}
}

static const char *const effects[] = {
	[OCI_START_RUN] =
		"calls before the program's first instruction: no container starts under it",
	[OCI_START_PLAIN] = ("calls before the program's first instruction where a container is "
			     "started without no-new-privileges: none starts so"),
	[OCI_START_USER] =
		"calls before the program's first instruction where the user is not root "
		"and a container is started without no-new-privileges: none starts so",
	[OCI_START_EXEC] =
		"calls before a program that joins a container: exec and health checks fail",
};

/* What the runtime calls (starts.def) and the policy refuses. */
static bool check_runtime(struct compilation *c, const struct policy *p, enum arch a,
			  enum oci_start_when when)
{
	struct diags *ds = c->diags;
	bool runc = c->runtime.kind == OCI_RUNC;
	const char *words = "";
	BUF_AUTO names = { 0 };

	collect(c, p, a, when, &names, &words);
	if (!names.n)
		return false;
	struct diag *d =
		diag_add(ds, when == OCI_START_EXEC ? DIAG_PL256 : DIAG_PL202, p->span,
			 "on %s the policy refuses %s, which %s %s (%s%s)", arch_info(a)->name,
			 names.p, runc ? "runc" : "crun", effects[when],
			 *words ? words : "it is killed", *words ? " ..." : "");
	if (runc && when == OCI_START_EXEC) {
		diag_help(ds, d, "give them an errno, or start containers with no-new-privileges");
		return true;
	}
	diag_help(ds, d, "add %s",
		  !runc ? "'use start-crun;'" :
		  when == OCI_START_PLAIN || when == OCI_START_USER ?
			  "'use start-runc;'" :
			  "'use start-runc-nnp;' (containers with no-new-privileges) or 'use "
			  "start-runc;' (any); for crun, start-crun");
	return true;
}

/* A policy that says so itself is for containers with no-new-privileges alone. */
static bool is_for_nnp(const struct policy *p)
{
	vec_each(&p->calls, r)
		if (r->origin->set && !strcmp(r->origin->set, "start-runc-nnp"))
			return true;
	return false;
}

void target_check_start(struct compilation *c, const struct policy *p, bool in_container)
{
	size_t before = c->diags->list.n;

	policy_check_start(p, c->diags);
	if (c->diags->list.n > before || !in_container)
		return;
	for (unsigned a = 0; a < ARCH_NR; a++) {
		const struct arch_info *info = arch_info((enum arch)a);
		/* The machine's own architecture is what the runtime runs as. */
		if (!(p->arches & ARCH_BIT(a)) || info->bits != 64 ||
		    strcmp(info->name, arch_family((enum arch)a, p->arches)) != 0 ||
		    check_runtime(c, p, (enum arch)a, OCI_START_RUN))
			continue;
		if (!(c->runtime.kind == OCI_RUNC && is_for_nnp(p)) &&
		    (check_runtime(c, p, (enum arch)a, OCI_START_PLAIN) ||
		     check_runtime(c, p, (enum arch)a, OCI_START_USER)))
			continue;
		check_runtime(c, p, (enum arch)a, OCI_START_EXEC);
	}
}
