/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that a JSON text is the policy, for all calls that the claim covers (language.md,
 * rule 5): every number of the listed architectures, those the runtime has no name for and -1
 * left out. Twice: the text as the named runtime reads it, in every environment; and the filter
 * that the machine's libseccomp really builds of it, lifted, behind the runtime's stub. The
 * library works while we read.
 */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"
#include "compiler/oci/runtime/library.h"
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/write/write.h"
#include "compiler/oci/write/writer.h"

enum { CPU_S = 5, POINTS_MAX = 16 };

struct proof { /* one machine's loading of the text */
	struct writer *w;
	struct oci_view view;
	struct oci_profile profile;
	struct oci_model model;
	struct environment points[POINTS_MAX]; /* in which libseccomp builds */
	struct oci_child children[POINTS_MAX];
	size_t npoints, started;
};

/* ---- what is claimed ---- */

struct claim {
	const struct proof *p;
	VEC(struct dd_range) ranges;
	bool exact;   /* --approximate: only what the JSON names; never looser is for all */
	bool library; /* only calls that the installed library knows as well */
	struct verdict unknown; /* that the JSON's one default is */
};

static bool named(const struct writer *w, const struct syscall_info *sys)
{
	return oci_name_find(w, sys) && !oci_is_approximated(w, sys);
}

static bool claimed(const struct claim *c, const struct syscall_info *sys, enum arch a)
{
	const struct writer *w = c->p->w;

	/* Of a hole the JSON's one default speaks; where ENOSYS has another number PL286 says so. */
	if (!sys)
		return !c->exact && verdict_eq(w->p->unknown[a], c->unknown);
	if (!oci_numbered(&w->opt->runtime, sys, a) || (c->library && !oci_library_numbers(sys, a)))
		return false;
	return !c->exact || named(w, sys);
}

/* Joined to its neighbour: arm has a million numbers, and names for few of them. */
static void add_range(struct claim *c, struct dd_range r)
{
	struct dd_range *before = c->ranges.n ? &c->ranges.v[c->ranges.n - 1] : NULL;

	if (before && before->node == r.node)
		before->last = r.last;
	else
		vec_push(c->p->w->arena, &c->ranges, r);
}

static void claim_range(struct claim *c, uint64_t first, uint64_t last, dd_node node)
{
	uint64_t next = c->ranges.n ? c->ranges.v[c->ranges.n - 1].last + 1 : 0;

	if (next < first)
		add_range(c, (struct dd_range){ next, first - 1, DD_FALSE });
	add_range(c, (struct dd_range){ first, last, node });
}

/* A 32-bit kernel interface has nothing in the high words. */
static dd_node registers(struct dd *d, enum arch a)
{
	dd_node all = DD_TRUE;

	for (unsigned i = 0; i < 6 && arch_info(a)->bits == 32; i++)
		all = dd_and(d, all, dd_equal(d, (enum dd_field)i, UINT64_C(0xffffffff) << 32, 0));
	return all;
}

static void claim_arch(struct claim *c, enum arch a)
{
	const struct decision *d = c->p->w->d;
	uint32_t audit = arch_info(a)->audit, base = arch_info(a)->nr_base;
	uint32_t last = d->ranges[a].v[d->ranges[a].n - 1].last;
	dd_node node = registers(d->dd, a);

	for (uint32_t nr = 0; nr < syscall_end(a); nr++) {
		const struct syscall_info *sys = syscall_by_nr(a, nr);
		uint64_t call = DD_CALL_OF(audit, base + nr);
		claim_range(c, call, call, claimed(c, sys, a) ? node : DD_FALSE);
	}
	claim_range(c, DD_CALL_OF(audit, base + syscall_end(a)), DD_CALL_OF(audit, last),
		    c->exact ? DD_FALSE : node);
}

static dd_node claim_of(const struct proof *p, bool exact, bool library)
{
	struct claim c = { .p = p, .exact = exact, .library = library };
	enum arch other;
	uint32_t done = 0;

	policy_one_verdict(p->w->p, p->w->p->unknown, &c.unknown, &other);
	for (;;) { /* tokens in rising order; table order within one: x86_64 stands before x32 */
		uint32_t audit = UINT32_MAX;
		for (int a = 0; a < ARCH_NR; a++) {
			uint32_t t = arch_info((enum arch)a)->audit;
			if (p->view.arches & ARCH_BIT(a) && t > done && t < audit)
				audit = t;
		}
		if (audit == UINT32_MAX)
			break;
		for (int a = 0; a < ARCH_NR; a++)
			if (p->view.arches & ARCH_BIT(a) && arch_info((enum arch)a)->audit == audit)
				claim_arch(&c, (enum arch)a);
		done = audit;
	}
	claim_range(&c, c.ranges.v[c.ranges.n - 1].last + 1, UINT64_MAX, DD_FALSE);
	return dd_ranges(p->w->d->dd, DD_CALL, 64, c.ranges.v, c.ranges.n);
}

/* ---- comparing ---- */

static bool is_looser(struct verdict want, struct verdict got)
{
	return got.kind > want.kind;
}

static bool tell_undecided(struct writer *w)
{
	struct diag *d = diag_add(
		w->ds, DIAG_PL290, w->p->span,
		"the proof that the JSON is the policy passes the budget of decision nodes");

	diag_help(w->ds, d, "nothing was written; compare fewer arguments in one rule");
	return false;
}

static struct span witness_span(const struct writer *w, const struct dd_point *at)
{
	uint32_t audit = (uint32_t)(at->at[DD_CALL] >> 32), nr = (uint32_t)at->at[DD_CALL],
		 rest = nr;
	int a = arch_of_call(audit, &rest);

	return a < 0 ? w->p->span : oci_rule_span(w, (enum arch)a, nr);
}

static struct oci_name *name_at(const struct writer *w, const struct dd_point *at)
{
	uint32_t nr = (uint32_t)at->at[DD_CALL];
	int a = arch_of_call((uint32_t)(at->at[DD_CALL] >> 32), &nr);

	return a < 0 ? NULL : oci_name_find(w, syscall_by_nr((enum arch)a, nr));
}

static bool tell_difference(struct writer *w, dd_node want, dd_node got, const struct dd_point *at,
			    bool library)
{
	BUF_AUTO call = { 0 };
	BUF_AUTO is = { 0 };
	BUF_AUTO should = { 0 };

	w->culprit = name_at(w, at);
	oci_print_call(&call, (uint32_t)(at->at[DD_CALL] >> 32), (uint32_t)at->at[DD_CALL], at->at);
	verdict_print(&is, dd_eval_at(w->d->dd, got, at));
	verdict_print(&should, dd_eval_at(w->d->dd, want, at));
	struct diag *d = diag_add(
		w->ds, DIAG_PL229, witness_span(w, at), "%s answers %s for %s; the policy says %s",
		library ? "the filter that libseccomp builds of this JSON" : "the JSON written",
		is.p, call.p, should.p);
	diag_help(w->ds, d,
		  library ? "compare fewer arguments in one rule, or compile to '-t bpf'" :
			    "nothing was written; this is a bug of pale, please report it with the "
			    "policy");
	return false;
}

/* In one environment; NULL: on this machine, in every other respect open. */
static dd_node fix(const struct proof *p, dd_node n, const struct environment *env)
{
	struct dd *d = p->w->d->dd;

	if (!env)
		return p->view.any ? n : dd_fix(d, n, DD_SYSTEM, 0xff, p->view.host);
	n = dd_fix(d, n, DD_CAPS, UINT64_MAX, env->caps);
	return dd_fix(d, n, DD_SYSTEM, UINT64_MAX, DD_SYSTEM_OF(env->kernel, env->host));
}

static bool compare(const struct proof *p, dd_node got, const struct environment *env, bool library)
{
	struct writer *w = p->w;
	struct dd *d = w->d->dd;
	dd_node want = decision_root(w->d, p->view.arches), looser = DD_FALSE;
	dd_node claim = claim_of(p, w->opt->approximate, library);
	struct dd_point at;

	if (w->opt->approximate) /* where the stub answers it has been said, and must only not loosen */
		claim = dd_and(d, claim, dd_not(d, p->model.stub));
	want = fix(p, want, env);
	got = fix(p, got, env);
	claim = fix(p, claim, env);
	dd_node differ = dd_choose(d, claim, want, DD_FALSE);
	dd_node is = dd_choose(d, claim, got, DD_FALSE);
	if (w->opt->approximate)
		looser =
			dd_and(d, claim_of(p, false, library), dd_compare(d, want, got, is_looser));
	if (differ == DD_NONE || is == DD_NONE || looser == DD_NONE)
		return tell_undecided(w);
	if (dd_differ_at(d, differ, is, &at) || dd_witness(d, looser, &at))
		return tell_difference(w, want, got, &at, library);
	return true;
}

/* ---- as the named runtime reads it ---- */

static bool read_text(struct proof *p, struct str text)
{
	struct writer *w = p->w;
	const struct oci_runtime *rt = &w->opt->runtime;
	/* A word for an architecture that a runtime does not know yet is not what is proved. */
	struct oci_runtime newest = { .kind = rt->kind,
				      .version = OCI_VERSION(255, 0, 0),
				      .libseccomp = OCI_VERSION(255, 0, 0) };
	struct oci_read_options opt = { .host_known = true,
					.host = p->view.host,
					.runtime = &newest };
	struct diags *ds = diags_new(w->arena, w->ds->sources);
	struct source *src = source_add(w->ds->sources, "<written JSON>", text);
	struct json *root = json_parse(w->arena, src, ds);

	if (root && !ds->errors)
		oci_parse(w->arena, root, &opt, &p->profile);
	if (!root || ds->errors || !oci_report(&p->profile, NULL, ds) || !p->profile.has_default) {
		diag_add(w->ds, DIAG_PL229, w->p->span, "the JSON written cannot be read back: %s",
			 ds->list.n ? ds->list.v[0]->text : "no profile in it");
		return false;
	}
	bool logs = w->opt->approximate ? w->logs : w->p->log_refusals;
	if ((p->profile.logs_span.source != SOURCE_NONE) != logs) {
		diag_add(w->ds, DIAG_PL229, w->p->span,
			 "the JSON written says otherwise than the policy "
			 "whether refusals are logged");
		return false;
	}
	if (w->opt->dialect == OCI_DIALECT_DOCKER && rt->docker &&
	    rt->docker < OCI_VERSION(23, 0, 0) &&
	    (p->profile.dflt.kind == VERDICT_ERRNO || p->profile.dflt.kind == VERDICT_TRACE))
		p->profile.dflt.data = 1;
	return true;
}

static bool compare_reading(struct proof *p)
{
	struct writer *w = p->w;
	struct dd *d = w->d->dd;
	struct dd_point at;

	if (oci_model_build(w->arena, d, &p->profile, &w->opt->runtime, p->view.host, &p->model))
		return tell_undecided(w);
	/* On this machine: entries for others are not there. */
	if (dd_witness(d, fix(p, p->model.undefined, NULL), &at)) {
		BUF_AUTO call = { 0 };
		oci_print_call(&call, (uint32_t)(at.at[DD_CALL] >> 32), (uint32_t)at.at[DD_CALL],
			       at.at);
		struct diag *g = diag_add(
			w->ds, DIAG_PL229, witness_span(w, &at),
			"the JSON written has entries that contradict each other: %s", call.p);
		diag_help(w->ds, g,
			  "nothing was written; this is a bug of pale, please report it with the "
			  "policy");
		return false;
	}
	return compare(p, p->model.root, NULL, false);
}

/* ---- as libseccomp builds it ---- */

/* Which entries apply there: what makes one environment different from another. */
static bool same_entries(const struct proof *p, const struct environment *x,
			 const struct environment *y)
{
	vec_each(&p->profile.entries, e)
		if (oci_gate_open(e->gate, x) != oci_gate_open(e->gate, y))
			return false;
	return true;
}

static void add_point(struct proof *p, uint64_t caps, uint16_t kernel)
{
	struct environment env = { .caps_known = true,
				   .caps = caps,
				   .kernel_known = true,
				   .kernel = kernel,
				   .host_known = true,
				   .host = p->view.host };

	for (size_t i = 0; i < p->npoints; i++)
		if (same_entries(p, &p->points[i], &env))
			return;
	if (p->npoints < POINTS_MAX)
		p->points[p->npoints++] = env;
}

static struct env_cube gate_cube(const struct oci_gate *g)
{
	return (struct env_cube){ .caps = g->caps,
				  .no_caps = g->no_caps,
				  .first = g->min_kernel,
				  .last = g->max_kernel ? (uint16_t)(g->max_kernel - 1) :
							  UINT16_MAX };
}

/*
 * A call's rules are built apart from all others', so it takes no product of environments: one
 * with nothing, one with everything, and some in which together each entry applies once.
 */
static void choose_points(struct proof *p)
{
	struct env_cube cubes[POINTS_MAX];
	size_t n = 0;

	add_point(p, 0, UINT16_MAX);
	vec_each(&p->profile.entries, e) {
		struct env_cube g = gate_cube(e->gate);
		size_t i = 0;
		if (e->gate->never || oci_gate_any(e->gate))
			continue;
		while (i < n && !oci_gates_meet(&cubes[i], &g))
			i++;
		if (i == POINTS_MAX)
			continue;
		if (i == n)
			cubes[n++] = (struct env_cube){ .last = UINT16_MAX };
		cubes[i].caps |= g.caps;
		cubes[i].no_caps |= g.no_caps;
		cubes[i].first = cubes[i].first > g.first ? cubes[i].first : g.first;
		cubes[i].last = cubes[i].last < g.last ? cubes[i].last : g.last;
	}
	for (size_t i = 0; i < n; i++)
		add_point(p, cubes[i].caps, cubes[i].last);
	if (!n)
		return;
	add_point(p, UINT64_MAX, UINT16_MAX);
	add_point(p, 0, 0);
}

/* A notice that every environment's filter would bring again. */
static bool told_before(const struct writer *w, enum diag_id id, const char *text)
{
	vec_each(&w->ds->list, d)
		if ((*d)->id == id && !strcmp((*d)->text, text))
			return true;
	for (size_t i = 0; w->told && i < w->told->list.n; i++)
		if (w->told->list.v[i]->id == id && !strcmp(w->told->list.v[i]->text, text))
			return true;
	return false;
}

static bool tell_unchecked(const struct proof *p, int rc, const char *why)
{
	struct writer *w = p->w;
	struct diag *d;

	if (rc == -EINVAL) {
		d = diag_add(w->ds, DIAG_PL229, w->p->span, "%s of the JSON written for %s", why,
			     arch_info(p->view.host)->name);
		diag_help(w->ds, d, "compile to '-t bpf'");
		return false;
	}
	if (rc == -EOPNOTSUPP) { /* the model says what it would do; nothing here can show it */
		const char *text = arena_printf(w->arena,
						"libseccomp's filter for %s was not compared: "
						"the one installed does not know that architecture",
						arch_info(p->view.host)->name);
		if (told_before(w, DIAG_PL253, text))
			return true;
		d = diag_add(w->ds, DIAG_PL253, w->p->span, "%s", text);
		diag_help(w->ds, d, "compile it on such a machine to have it compared");
		return true;
	}
	if (rc != -ETIMEDOUT) {
		w->starved = true;
		diag_add(w->ds, DIAG_PL020, w->p->span,
			 "libseccomp's filter for %s could not be had: %s",
			 arch_info(p->view.host)->name, strerror(-rc));
		return false;
	}
	d = diag_add(w->ds, DIAG_PL231, w->p->span,
		     "libseccomp's filter for %s was not compared: it took too long to build",
		     arch_info(p->view.host)->name);
	diag_help(w->ds, d,
		  "nothing was written: a container may take as long to start; compare fewer "
		  "arguments in one rule, or compile to '-t bpf'");
	return false;
}

/*
 * runc has a tree built of more than 32 rules, one a name of an entry in force (1.2.0-rc.1,
 * libcontainer/seccomp/seccomp_linux.go).
 */
static bool builds_tree(const struct proof *p, const struct environment *env)
{
	const struct oci_runtime *rt = &p->w->opt->runtime;
	size_t n = 0;

	if (oci_builds_list(rt))
		return false;
	vec_each(&p->profile.entries, e)
		n += oci_gate_open(e->gate, env) ? e->names.n : 0;
	return n > 32;
}

static bool start_library(struct proof *p)
{
	/* A machine that makes calls of one architecture only loads part of what a larger one does. */
	if (p->w->opt->unbuilt ||
	    strcmp(arch_info(p->view.host)->name, arch_family(p->view.host, p->w->p->arches)))
		return true;
	choose_points(p);
	/* The named libseccomp may know more architectures than the one here. What other machines'
	 * calls get is not claimed, and without theirs the filter is the same for this one's. */
	struct oci_profile here = p->profile;
	for (int a = 0; a < ARCH_NR; a++)
		if (here.arches & ARCH_BIT(a) && !(p->view.arches & ARCH_BIT(a)) &&
		    !oci_library_knows((enum arch)a))
			here.arches &= ~ARCH_BIT(a);
	for (; p->started < p->npoints; p->started++) {
		p->children[p->started].tree = builds_tree(p, &p->points[p->started]);
		p->children[p->started].cpu_s = CPU_S;
		int rc = oci_child_start(&p->children[p->started], &here, p->view.host,
					 &p->points[p->started]);
		if (rc)
			return tell_unchecked(p, rc, NULL);
	}
	return true;
}

/* Thousands of entries make a program that no kernel attaches: no container would start. */
static bool tell_unattached(const struct proof *p, const struct cbpf *prog, const char *why)
{
	struct writer *w = p->w;
	struct diag *d =
		diag_add(w->ds, DIAG_PL228, w->p->span,
			 "of this JSON libseccomp builds a filter of %zu instructions for %s, "
			 "which the kernel does not take: %s",
			 prog->n, arch_info(p->view.host)->name, why);

	diag_help(w->ds, d,
		  "use fewer or aligned ranges and fewer conditions, or compile to '-t bpf'");
	return false;
}

/* Reaps every child, whether or not the answer still matters. */
static bool compare_library(struct proof *p, bool fine)
{
	struct writer *w = p->w;
	unsigned limit = w->opt->limit_ms ? w->opt->limit_ms : OCI_CHILD_MS;

	for (size_t i = 0; i < p->started; i++) {
		const char *why = NULL;
		struct cbpf prog;
		int rc = oci_child_finish(&p->children[i], w->arena, fine ? limit : 0, &prog, &why);
		if (!fine)
			continue;
		if (rc) {
			fine = tell_unchecked(p, rc, why);
			continue;
		}
		const char *unfit = cbpf_check(prog.insns, prog.n, NULL);
		if (unfit) {
			fine = tell_unattached(p, &prog, unfit);
			continue;
		}
		dd_node built = oci_model_stubbed(&p->model, cbpf_lift(w->d->dd, w->arena, &prog));
		fine = compare(p, built, &p->points[i], true);
		if (fine && !i)
			oci_tell_cost(w, p->view.host, &prog);
	}
	return fine;
}

/* ---- each machine ---- */

/* One list for all machines: each family's own, as it loads it. */
static void add_machines(struct writer *w, struct proof *proofs, size_t *n)
{
	for (int h = 0; h < ARCH_NR; h++) {
		struct oci_view v = { .any = true, .host = (enum arch)h };
		if (!(w->p->arches & ARCH_BIT(h)) ||
		    strcmp(arch_info(v.host)->name, arch_family(v.host, w->p->arches)))
			continue;
		for (int a = 0; a < ARCH_NR; a++)
			if (w->p->arches & ARCH_BIT(a) && env_runs(v.host, (enum arch)a))
				v.arches |= ARCH_BIT(a);
		if (v.arches)
			proofs[(*n)++].view = v;
	}
}

bool oci_read_back(struct writer *w, struct str text)
{
	struct proof *proofs = ARENA_ARRAY(w->arena, struct proof, ARCH_NR);
	size_t n = 0;
	bool fine = true;

	if (w->views.v[0].any)
		add_machines(w, proofs, &n);
	else
		vec_each(&w->views, v)
			proofs[n++].view = *v;
	for (size_t i = 0; i < n;
	     i++) /* all: those that are not started are looked through as well */
		proofs[i].w = w;
	for (size_t i = 0; i < n && fine; i++)
		fine = read_text(&proofs[i], text) && start_library(&proofs[i]);
	for (size_t i = 0; i < n && fine; i++)
		fine = compare_reading(&proofs[i]);
	for (size_t i = 0; i < n; i++)
		fine = compare_library(&proofs[i], fine);
	return fine;
}

int oci_prove(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct str text, struct diags *ds)
{
	struct writer w = { .arena = a, .p = p, .opt = opt, .ds = ds };

	BUG_ON(opt->approximate);
	w.d = decision_build(a, p, ds);
	if (!w.d)
		return -1;
	oci_list_views(&w);
	return oci_read_back(&w, text) ? 0 : -1;
}
