/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is legal and yet hardly meant: layers that disagree (language.md, rule 6) and a policy
 * under which nothing can start (rule 10). Warnings only.
 */
#include <string.h>

#include "compiler/policy/resolve.h"

enum { FAMILY_END = 64, NAMES_SHOWN = 6 };

/* Does some socket() of this family pass the filter? *by: the rule that lets it; NULL: a header. */
static bool seccomp_allows(const struct policy *p, enum arch a, const struct syscall_info *s,
			   unsigned family, const struct origin **by)
{
	struct call c = { .audit_arch = arch_info(a)->audit,
			  .nr = (uint32_t)s->nr[a] + arch_info(a)->nr_base };
	struct cond is_family = { .kind = COND_CMP,
				  .cmp = { .arg = 0, .width = 32, .op = CMP_EQ,
					   .mask = UINT32_MAX, .value = family } };
	struct decision_why why;
	size_t i, end;

	for (uint64_t type = 1; type <= 5; type++) { /* SOCK_STREAM to SOCK_SEQPACKET */
		c.args[0] = family;
		c.args[1] = type;
		if (!verdict_refuses(policy_eval(p, &c, &why))) {
			*by = why.by == BY_RULE ? why.rule->origin : NULL;
			return true;
		}
	}
	policy_calls_of(p, a, c.nr, &i, &end);
	for (; i < end; i++) {
		if (cond_overlap(p->calls.v[i].cond, &is_family, c.args) != 1)
			continue;
		if (!verdict_refuses(policy_eval(p, &c, &why))) {
			*by = why.by == BY_RULE ? why.rule->origin : NULL;
			return true;
		}
	}
	return false;
}

static bool apparmor_allows(const struct policy *p, unsigned family, const struct origin **by)
{
	bool allowed = false;

	vec_each(&p->networks, n) {
		if (n->family >= 0 && (unsigned)n->family != family)
			continue;
		if (n->action == RULE_ALLOW || n->action == RULE_LOG) {
			allowed = true;
			*by = n->origin;
		} else if (n->type < 0 && n->protocol < 0) {
			return false;
		}
	}
	return allowed;
}

struct disagreement {
	struct buf names;
	unsigned n;
	const struct origin *by;
};

static void add_family(struct disagreement *d, const char *name, const struct origin *by)
{
	if (d->n++ < NAMES_SHOWN)
		buf_printf(&d->names, "%s%s", d->n > 1 ? ", " : "", name);
	if (!d->by)
		d->by = by;
}

static void report(const struct policy *p, const struct disagreement *d, const char *allows,
		   const char *refuses, const char *help, struct diags *ds)
{
	if (!d->n)
		return;
	struct diag *g = diag_add(ds, DIAG_PL140, d->by ? d->by->span : p->span,
				  "%s lets sockets of %s%s pass, and %s refuses them", allows,
				  d->names.p, d->n > NAMES_SHOWN ? " and more" : "", refuses);
	diag_help(ds, g, "%s", help);
}

static void check_families(const struct policy *p, enum arch a, struct diags *ds)
{
	const struct syscall_info *s = syscall_by_name(STR("socket"));
	const struct domain_info *d = domain_find("af");
	struct disagreement open = { 0 }, shut = { 0 };
	uint64_t seen = 0;

	for (size_t i = d->first; i < d->first + d->rows; i++) {
		const struct constant_row row = constant_at(i);
		uint64_t family = row.value[a];
		const struct origin *by = NULL, *by_apparmor = NULL;
		if (!family || family >= FAMILY_END || seen >> family & 1)
			continue;
		seen |= UINT64_C(1) << family;
		bool passes = seccomp_allows(p, a, s, (unsigned)family, &by);
		bool allowed = apparmor_allows(p, (unsigned)family, &by_apparmor);
		if (passes && !allowed)
			add_family(&open, row.name, by);
		if (!passes && allowed)
			add_family(&shut, row.name, by_apparmor);
	}
	report(p, &open, "seccomp", "AppArmor",
	       "write 'network ...' for the families that are meant: it speaks to both layers", ds);
	report(p, &shut, "AppArmor", "seccomp",
	       "drop the 'network' rule, or the rule that refuses the call", ds);
	buf_free(&open.names);
	buf_free(&shut.names);
}

/* One architecture of each machine family will do: compat ones may well run nothing. */
void policy_check_start(const struct policy *p, struct diags *ds)
{
	const struct syscall_info *s = syscall_by_name(STR("execve"));

	for (int a = 0; a < ARCH_NR; a++) {
		const struct arch_info *ai = arch_info((enum arch)a);
		struct call c = { .audit_arch = ai->audit,
				  .nr = (uint32_t)s->nr[a] + ai->nr_base };
		/* The architecture that its machine family is named after. */
		if (!(p->arches & ARCH_BIT(a)) ||
		    strcmp(ai->name, arch_family((enum arch)a, p->arches)) ||
		    !policy_refuses(p, (enum arch)a, &c))
			continue;
		struct diag *d = diag_add(ds, DIAG_PL202, p->span, "execve is refused on %s, so "
					  "nothing can be started under this policy", ai->name);
		diag_help(ds, d, "add 'use start-run;' (and start-runc for containers), or allow "
				 "execve");
		return;
	}
}

void policy_check(const struct policy *p, struct diags *ds)
{
	if (!(p->layers & LAYER_SECCOMP))
		return;
	policy_check_start(p, ds);
	if (!(p->layers & LAYER_APPARMOR))
		return;
	for (int a = 0; a < ARCH_NR; a++) {
		if (!(p->arches & ARCH_BIT(a)))
			continue;
		check_families(p, (enum arch)a, ds);
		return; /* the other architectures have the same families */
	}
}
