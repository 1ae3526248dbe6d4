/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is legal and yet hardly meant: layers that disagree (language.md, rule 6) and a policy
 * under which nothing can start (rule 10). Warnings only.
 */
#include <string.h>
#include <sys/socket.h>

#include "compiler/policy/resolve.h"

enum {
	FAMILY_END = 64,
	NAMES_SHOWN = 6,
	TYPES = 6,
	TYPE_MASK = 0xf
}; /* SOCK_STREAM to SOCK_SEQPACKET */

/* Of a policy for several environments: in one of them. */
static bool passes(const struct policy *p, enum arch a, const struct call *c,
		   const struct origin **by)
{
	struct decision_why why;

	*by = NULL;
	if (p->conditional)
		return !policy_refuses(p, a, c);
	if (verdict_refuses(policy_eval(p, c, &why)))
		return false;
	if (why.by == BY_RULE)
		*by = why.rule->origin;
	return true;
}

bool policy_lets(const struct policy *p, enum arch a, uint32_t nr, const struct cond *among,
		 const uint64_t sample[6], const struct origin **by)
{
	struct call c = { .audit_arch = arch_info(a)->audit, .nr = nr };
	size_t i, end;

	memcpy(c.args, sample, sizeof(c.args));
	if (passes(p, a, &c, by))
		return true;
	policy_calls_of(p, a, c.nr, &i, &end);
	for (; i < end; i++)
		if (cond_overlap(p->calls.v[i].cond, among, c.args) == 1 && passes(p, a, &c, by))
			return true;
	return false;
}

/* Does some socket() of this family and type pass the filter? *by: the rule; NULL: a header. */
static bool seccomp_allows(const struct policy *p, enum arch a, unsigned family, unsigned type,
			   const struct origin **by)
{
	const struct syscall_info *s = syscall_by_name(STR("socket"));
	struct cond is_family = {
		.kind = COND_CMP,
		.cmp = { .arg = 0, .width = 32, .op = CMP_EQ, .mask = UINT32_MAX, .value = family }
	};
	struct cond is_type = {
		.kind = COND_CMP,
		.cmp = { .arg = 1, .width = 32, .op = CMP_EQ, .mask = TYPE_MASK, .value = type }
	};
	struct cond both = { .kind = COND_AND, .left = &is_family, .right = &is_type };
	const uint64_t sample[6] = { family, type };

	return policy_lets(p, a, (uint32_t)s->nr[a] + arch_info(a)->nr_base, &both, sample, by);
}

/* A rule of unix sockets that lets some of this type be made. */
static bool unix_allows(const struct policy *p, unsigned type, const struct origin **by)
{
	bool allowed = false;

	vec_each(&p->others, rule) {
		const struct aa_rule *r = *rule;

		if (r->class != AA_CLASS_UNIX || !(r->perms & AA_NET_CREATE) ||
		    (r->unix_.type >= 0 && (unsigned)r->unix_.type != type))
			continue;
		if (r->prefix.mode != AA_MODE_ALLOW && !r->conds.n)
			return false;
		if (r->prefix.mode != AA_MODE_ALLOW || allowed)
			continue;
		allowed = true;
		*by = r->origin;
	}
	return allowed;
}

/* The kernel's AppArmor sees no protocol: a deny of one is not written (apparmor/write.c). */
static bool apparmor_allows(const struct policy *p, unsigned family, unsigned type,
			    const struct origin **by)
{
	bool allowed = family == AF_UNIX && unix_allows(p, type, by);

	vec_each(&p->networks, n) {
		if ((n->family >= 0 && (unsigned)n->family != family) ||
		    (n->type >= 0 && (unsigned)n->type != type))
			continue;
		if (n->action == RULE_ALLOW || n->action == RULE_LOG) {
			allowed = true;
			*by = n->origin;
		} else if (n->protocol < 0) {
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
	diag_rule(ds, g, DIAG_DS519);
	diag_help(ds, g, "%s", help);
}

/* "AF_INET", or "AF_INET SOCK_DGRAM" where each layer lets another type of it pass, or both do. */
static void add_types(struct disagreement *d, const char *family, const bool types[TYPES],
		      bool agreed, enum arch a, const struct origin *by)
{
	BUF_AUTO text = { 0 };

	buf_puts(&text, family);
	for (unsigned t = 1; t < TYPES && agreed; t++)
		if (types[t])
			buf_printf(&text, " %s", constant_name("sock_type", t, a));
	add_family(d, text.p, by);
}

static void check_family(const struct policy *p, enum arch a, const char *name, unsigned family,
			 struct disagreement *open, struct disagreement *shut)
{
	bool passes[TYPES] = { false }, refused[TYPES] = { false };
	const struct origin *passed_by = NULL, *allowed_by = NULL;
	unsigned npasses = 0, nrefused = 0;
	bool agreed = false;

	for (unsigned t = 1; t < TYPES; t++) {
		const struct origin *by = NULL, *by_apparmor = NULL;
		bool seccomp = seccomp_allows(p, a, family, t, &by);
		bool apparmor = apparmor_allows(p, family, t, &by_apparmor);
		agreed |= seccomp && apparmor;
		passes[t] = seccomp && !apparmor;
		refused[t] = !seccomp && apparmor;
		passed_by = passes[t] && !npasses++ ? by : passed_by;
		allowed_by = refused[t] && !nrefused++ ? by_apparmor : allowed_by;
	}
	/* Else it is every type that the one layer lets pass. */
	agreed |= npasses && nrefused;
	if (npasses)
		add_types(open, name, passes, agreed, a, passed_by);
	if (nrefused)
		add_types(shut, name, refused, agreed, a, allowed_by);
}

static void check_families(const struct policy *p, enum arch a, struct diags *ds)
{
	const struct domain_info *d = domain_find("af");
	struct disagreement open = { 0 }, shut = { 0 };
	uint64_t seen = 0;

	for (size_t i = d->first; i < d->first + d->rows; i++) {
		const struct constant_row row = constant_at(i);
		uint64_t family = row.value[a];
		if (!family || family >= FAMILY_END || seen >> family & 1)
			continue;
		seen |= UINT64_C(1) << family;
		check_family(p, a, row.name, (unsigned)family, &open, &shut);
	}
	report(p, &open, "seccomp", "AppArmor",
	       "write 'network ...' for the families that are meant: it speaks to both layers", ds);
	report(p, &shut, "AppArmor", "seccomp",
	       "drop the rule that lets them, or the one that refuses the call", ds);
	buf_free(&open.names);
	buf_free(&shut.names);
}

/* One architecture of each machine family will do: compat ones may well run nothing. */
void policy_check_start(const struct policy *p, struct diags *ds)
{
	const struct syscall_info *s = syscall_by_name(STR("execve"));

	for (int a = 0; a < ARCH_NR; a++) {
		const struct arch_info *ai = arch_info((enum arch)a);
		struct call c = { .audit_arch = ai->audit, .nr = (uint32_t)s->nr[a] + ai->nr_base };
		/* The architecture that its machine family is named after. */
		if (!(p->arches & ARCH_BIT(a)) ||
		    strcmp(ai->name, arch_family((enum arch)a, p->arches)) ||
		    !policy_refuses(p, (enum arch)a, &c))
			continue;
		struct diag *d = diag_add(ds, DIAG_PL202, p->span,
					  "execve is refused on %s, so "
					  "nothing can be started under this policy",
					  ai->name);
		diag_help(
			ds, d,
			"add 'use start-run;' (and start-runc for containers), or allow execve; one "
			"that a program loads itself once it has started (pale_load(3)) needs neither");
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
