/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a runtime's filter is more than its JSON: libseccomp's rules for multiplexed calls,
 * runc's ENOSYS stub. And the proof that the JSON says what the policy does.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/write.h"

/* ---- socketcall and ipc ---- */

/*
 * For a rule on `socket` libseccomp adds, on i386, the rule `socketcall: arg0 == 1` with the
 * other comparisons kept, although they then look at a pointer (src/arch-x86.c). A rule for
 * socketcall without a condition swallows it; else both must agree.
 */
static void check_selector(struct writer *w, const struct group *g, const struct syscall_info *sys,
			   enum arch a, const char *mux, unsigned selector)
{
	const struct syscall_info *call = syscall_by_name(str_c(mux));
	struct verdict v;

	if (!call || call->nr[a] < 0)
		return;
	dd_node n = decision_node(w->d, a, oci_number(call, a));
	bool plain = dd_is_terminal(w->d->dd, n, &v);
	if (plain && !verdict_eq(v, w->jd) && oci_runtime_knows(w, call))
		return;
	for (size_t i = 0; i < g->ncubes; i++) {
		struct dd_cube c = g->cubes[i].c;
		c.mask[0] = UINT64_MAX;
		c.value[0] = selector;
		dd_node part = dd_restrict(w->d->dd, n, c.mask, c.value);
		if (part == dd_terminal(w->d->dd, c.verdict))
			continue;
		BUF_AUTO text = { 0 };
		verdict_print(&text, c.verdict);
		size_t first, end;
		policy_calls_of(w->p, a, oci_number(sys->nr[a] >= 0 ? sys : call, a), &first, &end);
		struct span span = first < end ? w->p->calls.v[first].origin->span : w->p->span;
		struct diag *d = oci_fail(w, DIAG_PL223, span,
					  arena_printf(w->arena, "with '%s' listed, libseccomp also answers "
						       "'%s' number %u as '%s': %s, which the policy does not "
						       "say", arch_info(a)->name, mux, selector, sys->name,
						       text.p));
		bool enosys = w->jd.kind == VERDICT_ERRNO && w->jd.data == 38;
		diag_help(w->ds, d, "decide it with 'errno %s %s;', or leave '%s' out",
			  enosys ? "EPERM" : "ENOSYS", mux, arch_info(a)->name);
		return;
	}
}

void oci_check_multiplexed(struct writer *w)
{
	const char *mux;
	unsigned selector;

	vec_each(&w->groups, g)
		vec_each(&g->calls, sys)
			for (int a = 0; a < ARCH_NR; a++)
				if (w->p->arches & ARCH_BIT(a) &&
				    multiplexed_by(*sys, (enum arch)a, &mux, &selector) == 0)
					check_selector(w, g, *sys, (enum arch)a, mux, selector);
}

/* ---- runc's stub ---- */

/* The highest number that the JSON names there; -1: none, and then there is no stub. */
static int64_t last_named(const struct writer *w, enum arch a)
{
	int64_t last = -1;

	vec_each(&w->groups, g)
		vec_each(&g->calls, sys)
			if ((*sys)->nr[a] >= 0 && oci_number(*sys, a) > last &&
			    oci_runtime_knows(w, *sys))
				last = oci_number(*sys, a);
	return last;
}

static bool permissive(struct verdict v)
{
	return v.kind == VERDICT_ALLOW || v.kind == VERDICT_LOG || v.kind == VERDICT_TRACE;
}

static bool tell_stub(struct writer *w, enum arch a, uint32_t number, struct verdict v)
{
	BUF_AUTO text = { 0 };

	verdict_print(&text, v);
	const char *what = arena_printf(w->arena, "runc answers ENOSYS for every %s number above the last "
					"one named (%u); the policy says %s", arch_info(a)->name,
					number - arch_info(a)->nr_base, text.p);
	/* EPERM for ENOSYS is no loosening; ENOSYS for a kill would be one. */
	if (w->opt->approximate && v.kind >= VERDICT_ERRNO) {
		diag_add(w->ds, DIAG_PL230, oci_header_span(w, AST_HEADER_UNKNOWN), "%s", what);
		return false;
	}
	struct diag *d = oci_fail(w, DIAG_PL225, oci_header_span(w, AST_HEADER_UNKNOWN), what);
	diag_help(w->ds, d, "write 'unknown errno ENOSYS;', or compile for crun%s",
		  v.kind >= VERDICT_ERRNO ? ", or accept it with '--approximate'" : "");
	return true;
}

/*
 * runc (libcontainer/seccomp/patchbpf) puts a stub before the filter: numbers above the
 * highest one named for the architecture answer ENOSYS, unless the default permits.
 */
void oci_check_stub(struct writer *w)
{
	uint64_t enosys = 0;

	if (w->opt->runtime.kind != OCI_RUNC || permissive(w->jd))
		return;
	for (int i = 0; i < ARCH_NR; i++) {
		enum arch a = (enum arch)i;
		int64_t last = w->p->arches & ARCH_BIT(i) ? last_named(w, a) : -1;
		constant_find("errno", STR("ENOSYS"), a, &enosys);
		if (verdict_eq(w->p->unknown[a], (struct verdict){ VERDICT_ERRNO, (uint16_t)enosys }))
			continue;
		if (last >= 0 && tell_stub(w, a, (uint32_t)last, w->p->unknown[a]))
			return;
	}
}

/* ---- reading back ---- */

static struct policy *read_policy(struct writer *w, struct str text, enum arch host)
{
	struct oci_read_options opt = { .host_known = true, .host = host, .name = "read-back" };
	struct resolve_options resolve = { .foreign = true };
	struct diags *ds = diags_new(w->arena, w->ds->sources);
	struct source *src = source_add(w->ds->sources, "<written JSON>", text);
	struct json *root = json_parse(w->arena, src, ds);
	struct ast_file *file = root && !ds->errors ? oci_read(w->arena, root, src, &opt, ds) : NULL;
	struct policies *all = file ? policy_resolve(w->arena, file, &resolve, ds) : NULL;

	if (!all || ds->errors || all->list.n != 1) {
		diag_add(w->ds, DIAG_PL229, w->p->span, "the JSON written cannot be read back: %s",
			 ds->list.n ? ds->list.v[0]->text : "no policy in it");
		return NULL;
	}
	return all->list.v[0];
}

static bool same_answers(struct writer *w, const struct decision *back, const struct syscall_info *sys,
			 enum arch a)
{
	static const uint64_t high = UINT64_C(0xffffffff) << 32, zeros[6];
	const uint64_t mask[6] = { high, high, high, high, high, high };
	dd_node want = decision_node(w->d, a, oci_number(sys, a));
	dd_node got = decision_node(back, a, oci_number(sys, a));
	uint64_t args[6];

	if (arch_info(a)->bits == 32) {
		want = dd_restrict(w->d->dd, want, mask, zeros);
		got = dd_restrict(w->d->dd, got, mask, zeros);
	}
	if (want == got || want == DD_NONE || got == DD_NONE)
		return want == got;
	dd_differ(w->d->dd, want, got, args);
	BUF_AUTO text = { 0 };
	verdict_print(&text, dd_eval(w->d->dd, got, args));
	buf_puts(&text, " and not ");
	verdict_print(&text, dd_eval(w->d->dd, want, args));
	diag_add(w->ds, DIAG_PL229, oci_rule_span(w, a, oci_number(sys, a)),
		 "the JSON written says %s for '%s' on %s; this is a bug in pale", text.p, sys->name,
		 arch_info(a)->name);
	return false;
}

bool oci_is_approximated(const struct writer *w, const struct syscall_info *sys)
{
	for (size_t i = 0; i < w->approximated.n; i++)
		if (w->approximated.v[i] == sys->name)
			return true;
	return false;
}

static bool compare_back(struct writer *w, const struct policy *q, unsigned arches)
{
	struct decision *back = decision_build_in(w->arena, w->d->dd, q, w->ds);

	if (!back)
		return false;
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *sys = syscall_at(i);
		if (oci_is_approximated(w, sys))
			continue;
		for (int a = 0; a < ARCH_NR; a++)
			if (arches & ARCH_BIT(a) && sys->nr[a] >= 0 &&
			    !same_answers(w, back, sys, (enum arch)a))
				return false;
	}
	return true;
}

unsigned oci_family(const struct policy *p, enum arch a)
{
	unsigned family = 0;

	for (int b = 0; b < ARCH_NR; b++)
		if (p->arches & ARCH_BIT(b) &&
		    !strcmp(arch_info(a)->family, arch_info((enum arch)b)->family))
			family |= ARCH_BIT(b);
	return family;
}

bool oci_read_back(struct writer *w, struct str text)
{
	/* As each machine family would load it: its own row of archMap. */
	unsigned done = 0;

	for (int a = 0; a < ARCH_NR; a++) {
		if (!(w->p->arches & ARCH_BIT(a)) || done & ARCH_BIT(a))
			continue;
		unsigned family = oci_family(w->p, (enum arch)a);
		done |= family;
		struct policy *q = read_policy(w, text, (enum arch)a);
		if (!q || !compare_back(w, q, family) || !oci_check_filter(w, text, (enum arch)a, family))
			return false;
	}
	return true;
}
