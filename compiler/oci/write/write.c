/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as Docker or OCI JSON. The default of the JSON is the policy's `unknown`, so that
 * holes and numbers beyond the table answer as the policy says; every known call that answers
 * otherwise is named. Entries are disjoint, in any order the same: the cubes of the call's diagram,
 * EQ and MASKED_EQ, one comparison an argument, and fewer where the proof lets them pass (fewer.c).
 */
#include "compiler/oci/write/write.h"

#include "compiler/base/bug.h"
#include "compiler/oci/runtime/library.h"
#include "compiler/oci/write/writer.h"

static void add_kernel(struct writer *w, uint16_t version)
{
	size_t i = w->kernels.n;

	vec_push(w->arena, &w->kernels, version);
	for (; i && w->kernels.v[i - 1] >= version; i--) {
		if (w->kernels.v[i - 1] == version) { /* there already: close the gap */
			for (; i + 1 < w->kernels.n; i++)
				w->kernels.v[i] = w->kernels.v[i + 1];
			w->kernels.n--;
			return;
		}
		w->kernels.v[i] = w->kernels.v[i - 1];
	}
	w->kernels.v[i] = version;
}

static void collect_asked(struct writer *w, const struct env_cond *c)
{
	if (!c)
		return;
	switch (c->kind) {
	case ENV_CAP: w->caps |= UINT64_C(1) << c->cap; return;
	case ENV_KERNEL: add_kernel(w, c->version); return;
	case ENV_HOST: return;
	case ENV_AND:
	case ENV_OR:
	case ENV_NOT:
		collect_asked(w, c->left);
		collect_asked(w, c->right);
		return;
	}
	BUG("env_kind");
}

static void tell_notes(struct writer *w)
{
	BUF_AUTO names = { 0 };

	for (size_t i = 0; i < w->unknown_names.n; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", w->unknown_names.v[i]);
	if (names.n)
		diag_add(w->ds, DIAG_PL226, w->p->span,
			 "the runtime's libseccomp does not know these calls and %s them: %s",
			 w->jd.kind == VERDICT_LOG ? "logs" : "refuses", names.p);
	names.n = 0;
	for (size_t i = 0; i < w->approximated.n; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", w->approximated.v[i]);
	if (names.n)
		diag_add(w->ds, DIAG_PL230, w->p->span,
			 "architectures differ; the more restrictive answer is taken for: %s",
			 names.p);
}

/* Debian 12 patched numbers into its library, not how it builds. */
static bool builds_like_installed(unsigned libseccomp)
{
	return !((oci_libseccomp_installed() ^ libseccomp) & ~(unsigned)LIBSECCOMP_DEBIAN12);
}

/*
 * Where the proof refuses what was written in few entries, the call that it names is written in
 * masks alone, and where it names none, all are. false: it is in masks already.
 */
static bool use_masks(struct writer *w)
{
	bool all = !w->culprit || w->culprit->masks, any = false;

	vec_each(&w->names, name) {
		if (name->masks || (!all && name != w->culprit))
			continue;
		name->masks = any = true;
	}
	w->culprit = NULL;
	return any;
}

/* false, and a diagnostic: it cannot be said, or not within bounds. */
static bool print_names(struct writer *w, struct buf *out)
{
	w->leaves.n = 0;
	vec_each(&w->names, name) {
		name->pieces.n = 0;
		if (!w->failed)
			oci_pieces(w, name);
	}
	if (!w->failed)
		oci_check_multiplexed(w);
	if (!w->failed)
		oci_check_stub(w);
	buf_free(out);
	return !w->failed && oci_print(w, out);
}

/* What a form that is given up was told of is not said. */
static bool print_proved(struct writer *w, struct buf *out)
{
	struct diags *told = w->ds;
	bool fine, proved;

	w->told = told;
	do {
		w->ds = diags_new(w->arena, told->sources);
		w->failed = false;
		fine = print_names(w, out);
		if (fine && out->failed)
			arena_no_memory(w->arena);
		proved = fine && oci_read_back(w, (struct str){ out->p, out->n });
	} while (fine && !proved && !w->starved && use_masks(w));
	diags_take(told, w->ds);
	w->ds = told;
	return proved;
}

int oci_write(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct buf *out, struct diags *ds)
{
	struct writer w = { .arena = a, .p = p, .opt = opt, .ds = ds };

	if (!policy_check_size(p, p->arches, ds))
		return -1;
	w.d = decision_build(a, p, ds);
	if (!w.d)
		return -1;
	oci_choose_whole(&w);
	oci_list_views(&w);
	add_kernel(&w, 0);
	vec_each(&p->calls, rule)
		collect_asked(&w, rule->env);
	oci_collect_names(&w);
	if (w.failed)
		return -1;
	w.compared = !opt->unbuilt && builds_like_installed(opt->runtime.libseccomp);
	if (!print_proved(&w, out)) {
		buf_free(out);
		return -1;
	}
	tell_notes(&w);
	oci_tell_size(&w, out->n);
	return 0;
}
