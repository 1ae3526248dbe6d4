/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a runtime's filter is more than its JSON: libseccomp's rules for multiplexed calls,
 * runc's ENOSYS stub. And the proof that the JSON says what the policy does.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/write.h"

enum { SAMPLES_MAX = 32 };

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
	struct diag *d = oci_fail(w, DIAG_PL223, span,
				  arena_printf(w->arena, "with '%s' listed, libseccomp also answers "
					       "'%s' number %u as '%s': %s, which the policy does not "
					       "say", arch_info(a)->name, call->name, selector, sys->name,
					       text.p));
	bool enosys = w->jd.kind == VERDICT_ERRNO && w->jd.data == 38;
	diag_help(w->ds, d, "decide it with 'errno %s %s;', or leave '%s' out",
		  enosys ? "EPERM" : "ENOSYS", call->name, arch_info(a)->name);
}

/* In the environments of a piece whose kernels begin at in->first: `n` is the multiplexer's. */
static bool selector_agrees(struct writer *w, const struct syscall_info *call, dd_node n,
			    const struct env_cube *in, const struct oci_cube *piece, unsigned selector)
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
			const struct syscall_info *call, const struct oci_piece *p, unsigned selector)
{
	dd_node n = oci_arch_node(w, v, a, call);
	struct env_cube in = p->gate;
	bool same = true;

	if (!v->any && p->gate.hosts && !(p->gate.hosts & ARCH_BIT(v->host)))
		return true;
	vec_each(&w->kernels, k) {
		if (k[0] > p->gate.last || (k + 1 < w->kernels.v + w->kernels.n && k[1] <= p->gate.first))
			continue;
		in.first = *k;
		same &= selector_agrees(w, call, n, &in, &p->cube, selector);
	}
	return same;
}

static void check_name(struct writer *w, const struct oci_view *v, const struct oci_name *name, enum arch a)
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

/* The highest number that the JSON names there; -1: none, and then there is no stub. */
static int64_t last_named(const struct writer *w, enum arch a)
{
	int64_t last = -1;

	vec_each(&w->names, name)
		if (name->sys->nr[a] >= 0 && oci_number(name->sys, a) > last &&
		    oci_runtime_knows(w, name->sys))
			last = oci_number(name->sys, a);
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

/* As this machine loads it, in every environment. */
static struct policy *read_policy(struct writer *w, struct str text, const struct oci_view *v, enum arch host)
{
	struct oci_read_options opt = { .host_known = true, .host = host, .name = "read-back" };
	struct resolve_options resolve = { .foreign = true, .keep_when = !v->any };
	struct diags *ds = diags_new(w->arena, w->ds->sources);
	struct source *src = source_add(w->ds->sources, "<written JSON>", text);
	struct json *root = json_parse(w->arena, src, ds);
	struct ast_file *file = root && !ds->errors ? oci_read(w->arena, root, src, &opt, ds) : NULL;

	resolve.env.host_known = true;
	resolve.env.host = host;
	struct policies *all = file ? policy_resolve(w->arena, file, &resolve, ds) : NULL;
	if (!all || ds->errors || all->list.n != 1) {
		diag_add(w->ds, DIAG_PL229, w->p->span, "the JSON written cannot be read back: %s",
			 ds->list.n ? ds->list.v[0]->text : "no policy in it");
		return NULL;
	}
	return all->list.v[0];
}

static bool same_answers(struct writer *w, const struct oci_view *v, const struct decision *back,
			 const struct syscall_info *sys, enum arch a)
{
	static const uint64_t high = UINT64_C(0xffffffff) << 32, zeros[6];
	const uint64_t mask[6] = { high, high, high, high, high, high };
	dd_node want = oci_arch_node(w, v, a, sys);
	dd_node got = decision_node(back, a, oci_number(sys, a));
	struct dd_point at;

	if (arch_info(a)->bits == 32) {
		want = dd_restrict(w->d->dd, want, mask, zeros);
		got = dd_restrict(w->d->dd, got, mask, zeros);
	}
	if (want == got || want == DD_NONE || got == DD_NONE)
		return want == got;
	dd_differ_at(w->d->dd, want, got, &at);
	BUF_AUTO text = { 0 };
	verdict_print(&text, dd_eval_at(w->d->dd, got, &at));
	buf_puts(&text, " and not ");
	verdict_print(&text, dd_eval_at(w->d->dd, want, &at));
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

static bool compare_back(struct writer *w, const struct oci_view *v, const struct policy *q,
			 unsigned arches)
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
			    !same_answers(w, v, back, sys, (enum arch)a))
				return false;
	}
	return true;
}

/* Environments of which each that answers differently somewhere is met by one, for each name. */
static void choose_samples(struct writer *w, const struct oci_view *v, enum arch host,
			   struct env_cube *out, size_t *n)
{
	*n = 0;
	vec_each(&w->leaves, leaf) {
		size_t i = 0;
		if (!v->any && !(leaf->hosts & ARCH_BIT(host)))
			continue;
		while (i < *n && !oci_gates_meet(&out[i], leaf))
			i++;
		if (i == SAMPLES_MAX)
			continue;
		if (i == *n)
			out[(*n)++] = (struct env_cube){ .last = UINT16_MAX };
		out[i].caps |= leaf->caps;
		out[i].no_caps |= leaf->no_caps;
		out[i].first = out[i].first > leaf->first ? out[i].first : leaf->first;
		out[i].last = out[i].last < leaf->last ? out[i].last : leaf->last;
		out[i].hosts = ARCH_BIT(host);
	}
}

static bool check_machine(struct writer *w, struct str text, const struct oci_view *v)
{
	struct env_cube samples[SAMPLES_MAX];
	struct policy *q = read_policy(w, text, v, v->host);
	size_t n;

	if (!q || !compare_back(w, v, q, v->arches))
		return false;
	/* One that makes calls of one architecture only loads part of what a larger one does. */
	if (strcmp(arch_info(v->host)->name, arch_info(v->host)->family))
		return true;
	choose_samples(w, v, v->host, samples, &n);
	for (size_t i = 0; i < n; i++)
		if (!oci_check_filter(w, text, v, &samples[i]))
			return false;
	return true;
}

bool oci_read_back(struct writer *w, struct str text)
{
	if (!w->views.v[0].any) {
		vec_each(&w->views, v)
			if (!check_machine(w, text, v))
				return false;
		return true;
	}
	for (int h = 0; h < ARCH_NR; h++) {
		struct oci_view v = { .any = true, .host = (enum arch)h };
		if (strcmp(arch_info(v.host)->name, arch_info(v.host)->family))
			continue;
		for (int a = 0; a < ARCH_NR; a++)
			if (w->p->arches & ARCH_BIT(a) && env_runs(v.host, (enum arch)a))
				v.arches |= ARCH_BIT(a);
		if (v.arches && !check_machine(w, text, &v))
			return false;
	}
	return true;
}
