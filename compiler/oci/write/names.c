/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names the JSON has, and what it says of each on a machine: all architectures of the
 * machine share the entries of a name.
 */
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/write/writer.h"

static const uint64_t high_words[6] = { HIGH_WORD, HIGH_WORD, HIGH_WORD,
					HIGH_WORD, HIGH_WORD, HIGH_WORD };
static const uint64_t zeros[6];

/* The policy's architectures that have the call and where the runtime finds no number for it. */
static unsigned unnumbered(const struct writer *w, const struct syscall_info *sys, bool *everywhere)
{
	unsigned lost = 0;

	*everywhere = true;
	for (int a = 0; a < ARCH_NR; a++) {
		if (!(w->p->arches & ARCH_BIT(a)) || sys->nr[a] < 0)
			continue;
		if (oci_numbered(&w->opt->runtime, sys, (enum arch)a))
			*everywhere = false;
		else
			lost |= ARCH_BIT(a);
	}
	return lost;
}

static void tell_difference(struct writer *w, const struct syscall_info *sys, enum arch x,
			    enum arch y, dd_node nx, dd_node ny)
{
	struct dd_point at;
	struct verdict vx, vy;
	BUF_AUTO text = { 0 };

	dd_differ_at(w->d->dd, nx, ny, &at);
	vx = dd_eval_at(w->d->dd, nx, &at);
	vy = dd_eval_at(w->d->dd, ny, &at);
	buf_printf(&text, "'%s' answers ", sys->name);
	verdict_print(&text, vx);
	buf_printf(&text, " on %s and ", arch_info(x)->name);
	verdict_print(&text, vy);
	buf_printf(&text, " on %s", arch_info(y)->name);
	if (!dd_is_terminal(w->d->dd, nx, NULL) || !dd_is_terminal(w->d->dd, ny, NULL))
		buf_printf(&text, " for (%#jx, %#jx, %#jx, ...)", (uintmax_t)at.at[0],
			   (uintmax_t)at.at[1], (uintmax_t)at.at[2]);
	buf_puts(&text, "; a JSON entry covers both");
	struct diag *d =
		oci_fail(w, DIAG_PL221, oci_call_span(w, sys), text.p ? text.p : sys->name);
	diag_help(w->ds, d, "compile for one of them with '--arch', or give both the same rule");
}

/* With --approximate, where both are plain refusals: the more restrictive. */
static bool approximate_pair(struct writer *w, const struct syscall_info *sys, dd_node x,
			     dd_node *y)
{
	struct verdict vx, vy;

	if (!w->opt->approximate || !dd_is_terminal(w->d->dd, x, &vx) ||
	    !dd_is_terminal(w->d->dd, *y, &vy))
		return false;
	if (vy.kind > vx.kind)
		*y = x;
	vec_push(w->arena, &w->approximated, sys->name);
	return true;
}

/* What an entry that says `known` says there. */
static dd_node seen_on(struct writer *w, enum arch a, dd_node known)
{
	return oci_is_narrow(a) ? dd_restrict(w->d->dd, known, high_words, zeros) : known;
}

/* What the policy says there, about arguments that the kernel can hand over. */
static dd_node wanted_on(struct writer *w, const struct oci_view *v, enum arch a,
			 const struct syscall_info *sys)
{
	dd_node n = oci_arch_node(w, v, a, sys);

	return arch_info(a)->bits == 32 ? dd_restrict(w->d->dd, n, high_words, zeros) : n;
}

static bool has_name(const struct oci_view *v, enum arch a, const struct syscall_info *sys)
{
	return v->arches & ARCH_BIT(a) && sys->nr[a] >= 0;
}

/* Do entries that say `known` say what the policy does on this machine? */
static bool fits(struct writer *w, const struct oci_view *v, const struct syscall_info *sys,
		 dd_node known)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (has_name(v, (enum arch)a, sys) &&
		    seen_on(w, (enum arch)a, known) != wanted_on(w, v, (enum arch)a, sys))
			return false;
	return true;
}

/*
 * What the JSON must say of this name on one machine: all of its architectures share the
 * entries. DD_NONE: the architectures do not have it, or (reported) differ.
 */
static dd_node view_node(struct writer *w, const struct oci_view *v, const struct syscall_info *sys)
{
	int found = -1;
	dd_node out = DD_NONE;

	for (int pass = 0; pass < 2; pass++) /* wide ones first: they say more */
		for (int i = 0; i < ARCH_NR; i++) {
			enum arch a = (enum arch)i;
			if (!has_name(v, a, sys) || oci_is_narrow(a) != pass)
				continue;
			dd_node n = wanted_on(w, v, a, sys);
			if (found < 0) {
				found = i;
				out = n;
			}
			dd_node seen = seen_on(w, a, out);
			if (n != seen && !approximate_pair(w, sys, n, &out)) {
				tell_difference(w, sys, (enum arch)found, a, seen, n);
				return DD_NONE;
			}
		}
	return out;
}

/* The fewer different nodes, the fewer entries: one that another machine has is taken if it fits. */
static void name_nodes(struct writer *w, struct oci_name *name)
{
	for (size_t i = 0; i < w->views.n; i++) {
		const struct oci_view *v = &w->views.v[i];
		bool there = false;
		name->node[i] = DD_NONE;
		for (int a = 0; a < ARCH_NR; a++)
			there |= has_name(v, (enum arch)a, name->sys);
		if (!there)
			continue;
		name->hosts |= v->any ? 0 : ARCH_BIT(v->host);
		for (size_t k = 0; k < i && name->node[i] == DD_NONE; k++)
			if (name->node[k] != DD_NONE && fits(w, v, name->sys, name->node[k]))
				name->node[i] = name->node[k];
		if (name->node[i] == DD_NONE)
			name->node[i] = view_node(w, v, name->sys);
		if (name->node[i] == DD_NONE && !w->failed)
			oci_fail(w, DIAG_PL220, oci_call_span(w, name->sys),
				 "the conditions are too complex");
	}
}

/* "fchroot", or "map_shadow_stack on x32" where the runtime finds it elsewhere. */
static const char *unknown_name(const struct writer *w, const struct syscall_info *sys,
				unsigned lost, bool everywhere)
{
	const char *name = sys->name;

	for (int a = 0; a < ARCH_NR && !everywhere; a++)
		if (lost & ARCH_BIT(a))
			name = arena_printf(w->arena, "%s%s%s", name,
					    name == sys->name ? " on " : " and ",
					    arch_info((enum arch)a)->name);
	return name;
}

static bool refused(struct verdict v, struct verdict other)
{
	(void)other;
	return verdict_refuses(v);
}

static bool may_refuse(const struct writer *w, const struct oci_name *name)
{
	for (size_t i = 0; i < w->views.n; i++)
		if (name->node[i] != DD_NONE &&
		    dd_compare(w->d->dd, name->node[i], name->node[i], refused) != DD_FALSE)
			return true;
	return false;
}

static void note_unknown_name(struct writer *w, const struct oci_name *name)
{
	const struct syscall_info *sys = name->sys;
	struct verdict v;
	bool refuses = true, everywhere;
	unsigned lost = unnumbered(w, sys, &everywhere);
	const char *who = unknown_name(w, sys, lost, everywhere);

	if (!lost)
		return;
	if (!verdict_refuses(w->jd) && (w->jd.kind != VERDICT_LOG || may_refuse(w, name))) {
		struct diag *d =
			oci_fail(w, DIAG_PL227, oci_call_span(w, sys),
				 arena_printf(w->arena,
					      "the runtime's libseccomp does not know '%s', "
					      "which would then be allowed by default",
					      who));
		diag_help(w->ds, d, "%slet 'unknown' refuse",
			  everywhere && !libseccomp_since(str_c(sys->name)).n ?
				  "no libseccomp up to " LIBSECCOMP_NEWEST " knows it: " :
				  "name a newer runtime with '--runtime', or ");
		return;
	}
	for (size_t i = 0; i < w->views.n; i++)
		refuses &= name->node[i] == DD_NONE ||
			   (dd_is_terminal(w->d->dd, name->node[i], &v) && verdict_refuses(v));
	if (!refuses)
		vec_push(w->arena, &w->unknown_names, who);
}

/*
 * Does a rule say for it what the default does, which is no mere EPERM? Docker before 23 hands
 * `defaultErrnoRet` not over, and what is listed answers rightly there, too: without clone3's ENOSYS
 * no libc falls back to clone, and no thread starts. Runtimes leave such an entry out.
 */
static bool must_be_named(const struct writer *w, const struct oci_name *name)
{
	if (w->opt->dialect != OCI_DIALECT_DOCKER || w->jd.kind != VERDICT_ERRNO || w->jd.data == 1)
		return false;
	for (size_t k = 0; k < w->views.n; k++)
		if (name->node[k] != DD_NONE)
			return oci_call_rule(w, name->sys) != NULL;
	return false;
}

void oci_collect_names(struct writer *w)
{
	dd_node jd = dd_terminal(w->d->dd, w->jd);

	for (size_t i = 0; i < syscall_count() && !w->failed; i++) {
		struct oci_name name = { .sys = syscall_at(i) };
		bool written = false;
		name_nodes(w, &name);
		for (size_t k = 0; k < w->views.n; k++)
			written |= name.node[k] != DD_NONE && name.node[k] != jd;
		if (OCI_PLANTED(w, OCI_PLANT_NAME) && i % 100 == 7)
			continue;
		if (!written && must_be_named(w, &name))
			vec_push(w->arena, &w->as_default, name.sys);
		if (!written || w->failed)
			continue;
		/* Also those that this runtime skips: a newer one then does what the policy says. */
		note_unknown_name(w, &name);
		vec_push(w->arena, &w->names, name);
	}
}
