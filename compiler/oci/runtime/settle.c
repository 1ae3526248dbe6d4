/* SPDX-License-Identifier: Apache-2.0 */
/* A profile's rules as a runtime's libseccomp takes them: what conflicts.c leaves open is asked. */
#include "compiler/oci/runtime/settle.h"

#include "compiler/base/group.h"
#include "compiler/oci/runtime/library.h"

/* The same two entries meet again in what libseccomp makes of them elsewhere: told once. */
static bool told_before(const struct oci_profile *p, const struct oci_rule *rules,
			const struct oci_dispute *d)
{
	for (const struct oci_dispute *k = p->disputes.v; k < d; k++)
		if (rules[k->first].span.begin == rules[d->first].span.begin &&
		    rules[k->second].span.begin == rules[d->second].span.begin &&
		    k->asked == d->asked)
			return true;
	return false;
}

/* An architecture that has the call. */
static enum arch table_arch(const struct syscall_info *sys)
{
	int a = 0;

	while (a < ARCH_NR - 1 && sys->nr[a] < 0)
		a++;
	return (enum arch)a;
}

void oci_print_witness(struct buf *out, struct str name, const uint64_t args[6])
{
	const struct syscall_info *sys = syscall_by_name(name);
	unsigned n = 0;

	if (sys)
		syscall_args(sys, table_arch(sys), &n);
	for (unsigned i = 0; i < 6; i++)
		n = args[i] && n <= i ? i + 1 : n;
	buf_printf(out, "'" PRISTR "(", STRARG(name));
	for (unsigned i = 0; i < n; i++)
		buf_printf(out, "%s%#jx", i ? ", " : "", (uintmax_t)args[i]);
	buf_puts(out, ")'");
}

/* Returns false where it is an error. */
static bool tell_dispute(struct arena *a, const struct oci_profile *p, const struct oci_rule *rules,
			 const struct oci_dispute *d, const struct oci_read_options *opt,
			 struct diags *ds)
{
	const struct oci_rule *x = &rules[d->first], *y = &rules[d->second];
	struct verdict vx = p->entries.v[x->entry].verdict, vy = p->entries.v[y->entry].verdict;
	bool first = d->winner == OCI_FIRST || (d->winner == OCI_NOBODY && vx.kind < vy.kind);
	bool tighter = opt && opt->tighter, strict = opt && opt->strict && !tighter && !d->asked;
	BUF_AUTO call = { 0 };
	BUF_AUTO taken = { 0 };

	oci_print_witness(&call, x->name, d->args);
	if (strict)
		buf_puts(&taken, "it is not known");
	else if (d->asked)
		buf_printf(&taken, "%s says ", oci_libseccomp_name(a, oci_libseccomp_installed()));
	else
		buf_printf(&taken, "%s is taken, ",
			   vx.kind == vy.kind ? "the first" : "the more restrictive");
	if (!strict)
		verdict_print(&taken, first ? vx : vy);
	struct diag *g = diag_add(
		ds,
		strict  ? DIAG_PL273 :
		tighter ? DIAG_PL281 :
			  DIAG_SC153,
		y->span,
		"two entries with different actions match %s, and which decides depends on "
		"libseccomp: %s",
		call.p, taken.p);
	diag_note(ds, g, x->span, "the other one");
	if (strict)
		diag_help(ds, g,
			  "name the runtime whose libseccomp is installed here, such as '--runtime "
			  "runc-1.1+libseccomp-%s', or take the more restrictive with "
			  "'--approximate'",
			  oci_libseccomp_name(a, oci_libseccomp_installed()));
	else
		diag_help(ds, g, "make the conditions exclude each other");
	return !strict;
}

bool oci_settle(struct arena *a, struct oci_profile *p, const struct oci_read_options *opt,
		const struct oci_disputes **disputes, struct diags *ds)
{
	bool fine = true;

	*disputes = NULL;
	struct group refused = { .arena = a };
	bool found = oci_find_disputes(a, p, ds);
	bool stops = found && !(opt && opt->unasked) && oci_refused(a, p, NULL, &refused, ds);
	oci_tell_swallowed(a, p, p->rules.v, &refused, ds);
	if (!found || stops)
		return false;
	if (!p->disputes.n)
		return true;
	const struct oci_rule *rules = p->rules.v; /* as parsed: the losers' are cut then */
	*disputes = oci_decide_disputes(a, p, opt);
	vec_each(&p->disputes, d)
		if (!told_before(p, rules, d))
			fine &= tell_dispute(a, p, rules, d, opt, ds);
	return fine;
}
