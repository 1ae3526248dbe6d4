/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a runtime's filter is more than its JSON: libseccomp's rules for multiplexed calls,
 * runc's ENOSYS stub.
 */

#include "compiler/oci/runtime/model.h"
#include "compiler/oci/write/writer.h"

/* ---- socketcall and ipc ---- */

/*
 * For a rule on `socket` libseccomp adds, on i386, the rule `socketcall: arg0 == 1` with the
 * other comparisons kept, although they then look at a pointer (src/arch-x86.c). A rule for
 * socketcall without a condition swallows it; else both must agree.
 */
static void tell_selector(struct writer *w, const struct syscall_info *sys, enum arch a,
			  const struct syscall_info *call, unsigned selector, struct verdict v)
{
	BUF_AUTO text = { 0 };

	verdict_print(&text, v);
	struct span span = oci_rule_span(w, a, oci_number(sys->nr[a] >= 0 ? sys : call, a));
	struct diag *d =
		oci_fail(w, DIAG_PL223, span,
			 arena_printf(w->arena,
				      "with '%s' listed, libseccomp also answers '%s' number %u as "
				      "'%s': %s, which the policy does not say",
				      arch_info(a)->name, call->name, selector, sys->name, text.p));
	bool enosys = w->jd.kind == VERDICT_ERRNO && w->jd.data == 38;
	diag_help(w->ds, d, "decide it with 'errno %s %s;', or leave '%s' out",
		  enosys ? "EPERM" : "ENOSYS", call->name, arch_info(a)->name);
}

/* In the environments of a piece whose kernels begin at in->first: `n` is the multiplexer's. */
static bool selector_agrees(struct writer *w, const struct syscall_info *call, dd_node n,
			    const struct env_cube *in, const struct oci_cube *piece,
			    unsigned selector)
{
	struct dd_cube c = piece->c;
	struct verdict v;

	n = oci_fix(w, n, in);
	if (dd_is_terminal(w->d->dd, n, &v) && !verdict_eq(v, w->jd) && oci_runtime_knows(w, call))
		return true;
	c.mask[0] = UINT64_MAX;
	c.value[0] = selector;
	return dd_restrict(w->d->dd, n, c.mask, c.value) == dd_terminal(w->d->dd, c.verdict);
}

static bool check_piece(struct writer *w, const struct oci_view *v, enum arch a,
			const struct syscall_info *call, const struct oci_piece *p,
			unsigned selector)
{
	dd_node n = oci_arch_node(w, v, a, call);
	struct env_cube in = p->gate;
	bool same = true;

	if (!v->any && p->gate.hosts && !(p->gate.hosts & ARCH_BIT(v->host)))
		return true;
	vec_each(&w->kernels, k) {
		if (k[0] > p->gate.last ||
		    (k + 1 < w->kernels.v + w->kernels.n && k[1] <= p->gate.first))
			continue;
		in.first = *k;
		same &= selector_agrees(w, call, n, &in, &p->cube, selector);
	}
	return same;
}

static void check_name(struct writer *w, const struct oci_view *v, const struct oci_name *name,
		       enum arch a)
{
	const char *mux;
	unsigned selector;

	if (!(v->arches & ARCH_BIT(a)) || multiplexed_by(name->sys, a, &mux, &selector))
		return;
	const struct syscall_info *call = syscall_by_name(str_c(mux));
	if (!call || call->nr[a] < 0)
		return;
	vec_each(&name->pieces, p) {
		if (check_piece(w, v, a, call, p, selector))
			continue;
		tell_selector(w, name->sys, a, call, selector, p->cube.c.verdict);
		return;
	}
}

void oci_check_multiplexed(struct writer *w)
{
	vec_each(&w->names, name)
		vec_each(&w->views, v)
			for (int a = 0; a < ARCH_NR && !w->failed; a++)
				check_name(w, v, name, (enum arch)a);
}

/* ---- runc's stub ---- */

/*
 * The highest number that runc finds for the JSON's names: 0 counts as none, and then there is
 * no stub; names behind socketcall and ipc have numbers below zero there.
 */
static uint32_t last_named(const struct writer *w, enum arch a)
{
	const char *mux;
	unsigned selector;
	uint32_t last = 0;

	vec_each(&w->names, name)
		if (oci_numbered(&w->opt->runtime, name->sys, a) &&
		    oci_number(name->sys, a) > last &&
		    multiplexed_by(name->sys, a, &mux, &selector))
			last = oci_number(name->sys, a);
	return last;
}

static bool tell_stub(struct writer *w, enum arch a, uint32_t number, struct verdict v)
{
	BUF_AUTO text = { 0 };

	verdict_print(&text, v);
	const char *what = arena_printf(w->arena,
					"runc answers ENOSYS for every %s number above the last "
					"one named (%u); the policy says %s",
					arch_info(a)->name, number - arch_info(a)->nr_base, text.p);
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
 * Names behind ipc and socketcall that have a number of their own as well (ppc64le's shmctl):
 * runc does not count it, so that the stub refuses the call where no other name lies above.
 */
static bool stub_hides(struct writer *w, enum arch a, uint32_t last)
{
	vec_each(&w->names, name) {
		if (!oci_numbered(&w->opt->runtime, name->sys, a) ||
		    oci_number(name->sys, a) <= last)
			continue;
		struct diag *d =
			oci_fail(w, DIAG_PL225, oci_call_span(w, name->sys),
				 arena_printf(w->arena,
					      "runc answers ENOSYS for '%s' on %s: its number lies "
					      "above the last that runc finds for a name (%u)",
					      name->sys->name, arch_info(a)->name,
					      last - arch_info(a)->nr_base));
		diag_help(w->ds, d,
			  "decide a call with a higher number otherwise than 'unknown' does, or "
			  "compile for crun");
		return true;
	}
	return false;
}

/* A call that answers like the JSON's default is not named; above the last name the stub answers. */
static bool stub_answers_other(struct writer *w, enum arch a, uint32_t last, struct verdict enosys)
{
	for (size_t i = 0; i < syscall_count() && !verdict_eq(w->jd, enosys); i++) {
		const struct syscall_info *sys = syscall_at(i);
		struct verdict v;
		if (!oci_numbered(&w->opt->runtime, sys, a) || oci_number(sys, a) <= last ||
		    !dd_is_terminal(w->d->dd, decision_node(w->d, a, oci_number(sys, a)), &v) ||
		    !verdict_eq(v, w->jd))
			continue;
		struct diag *d = oci_fail(
			w, DIAG_PL225, oci_call_span(w, sys),
			arena_printf(w->arena,
				     "runc answers errno %u for '%s' on %s, a number above "
				     "the last one named (%u); the policy says errno %u",
				     enosys.data, sys->name, arch_info(a)->name,
				     last - arch_info(a)->nr_base, v.data));
		diag_help(w->ds, d, "write 'errno ENOSYS' by its name, or compile for crun");
		return true;
	}
	return false;
}

/* Where nothing is named there is no stub, and the JSON's default answers for every number. */
static bool tell_no_stub(struct writer *w, enum arch a)
{
	if (verdict_eq(w->p->unknown[a], w->jd))
		return false;
	struct diag *d =
		oci_fail(w, DIAG_PL252, oci_header_span(w, AST_HEADER_UNKNOWN),
			 arena_printf(w->arena,
				      "'unknown' is errno %u here and %u on %s, where no call is "
				      "named: a JSON profile has one default",
				      w->jd.data, w->p->unknown[a].data, arch_info(a)->name));
	diag_help(w->ds, d, "compile for one machine with '--arch', or write the number");
	return true;
}

/*
 * runc (libcontainer/seccomp/patchbpf) puts a stub before the filter: numbers above the
 * highest one named for the architecture answer ENOSYS, unless the default permits.
 */
void oci_check_stub(struct writer *w)
{
	uint64_t enosys = 0;

	if (w->opt->runtime.kind != OCI_RUNC || !oci_stub_covers(w->jd.kind))
		return;
	for (int i = 0; i < ARCH_NR; i++) {
		enum arch a = (enum arch)i;
		uint32_t last = w->p->arches & ARCH_BIT(i) ? last_named(w, a) : 0;
		if (last && !w->opt->approximate && stub_hides(w, a, last))
			return;
		if (w->p->arches & ARCH_BIT(i) && !last && !w->opt->approximate &&
		    tell_no_stub(w, a))
			return;
		constant_find("errno", STR("ENOSYS"), a, &enosys);
		const struct verdict stub = { VERDICT_ERRNO, (uint16_t)enosys };
		bool same = verdict_eq(w->p->unknown[a], stub);
		if (last && same && !w->opt->approximate && stub_answers_other(w, a, last, stub))
			return;
		if (last && !same && tell_stub(w, a, last, w->p->unknown[a]))
			return;
	}
}

/* ---- what the JSON names ---- */
