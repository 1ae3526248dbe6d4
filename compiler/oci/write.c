/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as Docker or OCI JSON. The default of the JSON is the policy's `unknown`, so that
 * holes and numbers beyond the table answer as the policy says; every known call that answers
 * otherwise is named. Entries are the cubes of the call's diagram: EQ and MASKED_EQ, disjoint,
 * at most one comparison an argument, in any order the same.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/write.h"

/*
 * Narrow for libseccomp, which then compares low words alone: i386, where the kernel has zeros
 * above, and x32, where it has not.
 */
#define HIGH_WORD (UINT64_C(0xffffffff) << 32)
static const uint64_t high_words[6] = { HIGH_WORD, HIGH_WORD, HIGH_WORD,
					HIGH_WORD, HIGH_WORD, HIGH_WORD };
static const uint64_t zeros[6];

static bool is_narrow(enum arch a)
{
	return arch_info(a)->bits == 32 || a == ARCH_X32;
}

struct diag *oci_fail(struct writer *w, enum diag_id id, struct span span, const char *text)
{
	w->failed = true;
	return diag_add(w->ds, id, span, "%s", text);
}

struct span oci_header_span(const struct writer *w, enum ast_header header)
{
	const struct ast_stmt *s = w->p->stmt ? w->p->stmt->body : NULL;

	for (; s; s = s->next)
		if (s->kind == AST_STMT_HEADER && s->header == header)
			return s->span;
	return w->p->span;
}

struct span oci_rule_span(const struct writer *w, enum arch a, uint32_t nr)
{
	size_t first, end;

	policy_calls_of(w->p, a, nr, &first, &end);
	return first < end ? w->p->calls.v[first].origin->span : w->p->span;
}

static struct span call_span(const struct writer *w, const struct syscall_info *sys)
{
	for (int a = 0; a < ARCH_NR; a++) {
		size_t first, end;
		if (!(w->p->arches & ARCH_BIT(a)) || sys->nr[a] < 0)
			continue;
		policy_calls_of(w->p, (enum arch)a, oci_number(sys, (enum arch)a), &first, &end);
		if (first < end)
			return w->p->calls.v[first].origin->span;
	}
	return w->p->span;
}

uint32_t oci_number(const struct syscall_info *sys, enum arch a)
{
	return (uint32_t)sys->nr[a] + arch_info(a)->nr_base;
}

bool oci_runtime_knows(const struct writer *w, const struct syscall_info *sys)
{
	return libseccomp_knows(w->opt->runtime.libseccomp, str_c(sys->name));
}

/* ---- one decision a name ---- */

static void tell_difference(struct writer *w, const struct syscall_info *sys, enum arch x, enum arch y,
			    dd_node nx, dd_node ny)
{
	uint64_t args[6];
	BUF_AUTO text = { 0 };

	dd_differ(w->d->dd, nx, ny, args);
	buf_printf(&text, "'%s' answers ", sys->name);
	verdict_print(&text, dd_eval(w->d->dd, nx, args));
	buf_printf(&text, " on %s and ", arch_info(x)->name);
	verdict_print(&text, dd_eval(w->d->dd, ny, args));
	buf_printf(&text, " on %s", arch_info(y)->name);
	if (!dd_is_terminal(w->d->dd, nx, NULL) || !dd_is_terminal(w->d->dd, ny, NULL))
		buf_printf(&text, " for (%#jx, %#jx, %#jx, ...)", (uintmax_t)args[0], (uintmax_t)args[1],
			   (uintmax_t)args[2]);
	buf_puts(&text, "; a JSON entry covers both");
	struct diag *d = oci_fail(w, DIAG_PL221, call_span(w, sys), text.p ? text.p : sys->name);
	diag_help(w->ds, d, "compile for one of them with '--arch', or give both the same rule");
}

/* With --approximate, where both are plain refusals: the more restrictive. */
static bool approximate_pair(struct writer *w, const struct syscall_info *sys, dd_node x, dd_node *y)
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

/*
 * The node that the JSON must give this name: false when the listed architectures have none,
 * or differ. Narrow ones see the entry with its high words zero.
 */
static bool name_node(struct writer *w, const struct syscall_info *sys, dd_node *out)
{
	int found = -1;

	*out = DD_NONE;

	for (int pass = 0; pass < 2; pass++) /* wide ones first: they say more */
		for (int i = 0; i < ARCH_NR; i++) {
			enum arch a = (enum arch)i;
			if (!(w->p->arches & ARCH_BIT(i)) || sys->nr[i] < 0 || is_narrow(a) != pass)
				continue;
			dd_node n = decision_node(w->d, a, oci_number(sys, a)), known = *out;
			if (is_narrow(a)) {
				if (a != ARCH_X32)
					n = dd_restrict(w->d->dd, n, high_words, zeros);
				known = dd_restrict(w->d->dd, known, high_words, zeros);
			}
			if (found < 0) {
				found = i;
				*out = n;
				known = is_narrow(a) ? dd_restrict(w->d->dd, n, high_words, zeros) : n;
			}
			if (n != known && !approximate_pair(w, sys, n, out)) {
				tell_difference(w, sys, (enum arch)found, a, known, n);
				return false;
			}
		}
	return found >= 0;
}

static void note_unknown_name(struct writer *w, const struct syscall_info *sys, dd_node n)
{
	struct verdict v;
	bool plain = dd_is_terminal(w->d->dd, n, &v);

	if (!verdict_refuses(w->jd)) {
		struct diag *d = oci_fail(w, DIAG_PL227, call_span(w, sys),
					  arena_printf(w->arena, "the runtime's libseccomp does not know '%s', "
						       "which would then be allowed by default", sys->name));
		diag_help(w->ds, d, "name a newer runtime with '--runtime', or let 'unknown' refuse");
		return;
	}
	if (!plain || !verdict_refuses(v))
		vec_push(w->arena, &w->unknown_names, sys->name);
}

static void group_add(struct writer *w, dd_node n, const struct syscall_info *sys)
{
	vec_each(&w->groups, g)
		if (g->node == n) {
			vec_push(w->arena, &g->calls, sys);
			return;
		}
	vec_push(w->arena, &w->groups, ((struct group){ .node = n }));
	vec_push(w->arena, &w->groups.v[w->groups.n - 1].calls, sys);
}

static void collect_names(struct writer *w)
{
	dd_node jd = dd_terminal(w->d->dd, w->jd);

	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *sys = syscall_at(i);
		dd_node n;
		if (!name_node(w, sys, &n) || n == jd)
			continue;
		if (n == DD_NONE) {
			oci_fail(w, DIAG_PL220, call_span(w, sys), "the conditions are too complex");
			return;
		}
		/* Also those that this runtime skips: a newer one then does what the policy says. */
		group_add(w, n, sys);
		if (!oci_runtime_knows(w, sys))
			note_unknown_name(w, sys, n);
	}
}

/* A number that answers otherwise than the JSON's default and has no name. */
static void check_numbers(struct writer *w)
{
	for (int i = 0; i < ARCH_NR; i++) {
		enum arch a = (enum arch)i;
		dd_node unknown = dd_terminal(w->d->dd, w->p->unknown[i]);
		vec_each(&w->d->ranges[i], r) {
			if (r->node == unknown)
				continue;
			for (uint32_t nr = r->first; nr <= r->last; nr++) {
				if (syscall_by_nr(a, nr - arch_info(a)->nr_base))
					continue;
				struct diag *d = oci_fail(w, DIAG_PL222, oci_rule_span(w, a, nr),
							  arena_printf(w->arena, "JSON names calls, and number %u "
								       "of %s has no name",
								       nr - arch_info(a)->nr_base,
								       arch_info(a)->name));
				diag_help(w->ds, d, "leave the rule to another target ('-t bpf')");
				break;
			}
		}
	}
}

/* ---- cubes ---- */

struct cube_list {
	struct writer *w;
	VEC(struct dd_cube) v;
};

static bool take_cube(void *ctx, const struct dd_cube *c)
{
	struct cube_list *l = ctx;

	if (verdict_eq(c->verdict, l->w->jd))
		return true;
	if (l->v.n >= CUBES_MAX)
		return false;
	vec_push(l->w->arena, &l->v, *c);
	return true;
}

static int by_cube(const void *x, const void *y)
{
	const struct dd_cube *a = x, *b = y;
	int c = (int)b->verdict.kind - (int)a->verdict.kind;

	if (!c)
		c = (a->verdict.data > b->verdict.data) - (a->verdict.data < b->verdict.data);
	for (unsigned i = 0; i < 6 && !c; i++)
		c = (a->mask[i] < b->mask[i]) - (a->mask[i] > b->mask[i]);
	for (unsigned i = 0; i < 6 && !c; i++)
		c = (a->value[i] > b->value[i]) - (a->value[i] < b->value[i]);
	return c;
}

/* Two cubes that differ in one bit of a value become one without that bit: the union of what
 * they covered, so all stay disjoint. */
static bool join_round(struct cube_list *l)
{
	bool *gone = ARENA_ARRAY(l->w->arena, bool, l->v.n + 1);
	bool *joined = ARENA_ARRAY(l->w->arena, bool, l->v.n + 1);
	struct dd_cube *sorted = arena_dup(l->w->arena, l->v.v, l->v.n * sizeof(*sorted));
	bool any = false;

	for (size_t i = 0; i < l->v.n; i++)
		for (unsigned arg = 0; arg < 6 && !gone[i] && !joined[i]; arg++)
			for (uint64_t left = sorted[i].mask[arg] & ~sorted[i].value[arg]; left && !joined[i];
			     left &= left - 1) {
				uint64_t bit = left & -left;
				struct dd_cube key = sorted[i];
				key.value[arg] |= bit;
				struct dd_cube *o = bsearch(&key, sorted, l->v.n, sizeof(key), by_cube);
				if (!o || gone[o - sorted] || joined[o - sorted])
					continue;
				gone[o - sorted] = joined[i] = any = true;
				l->v.v[i].mask[arg] &= ~bit;
			}
	size_t n = 0;
	for (size_t i = 0; i < l->v.n; i++)
		if (!gone[i])
			l->v.v[n++] = l->v.v[i];
	l->v.n = n;
	return any;
}

static bool carries(struct writer *w, const struct group *g, const struct verdict v)
{
	const char *why = NULL, *how = NULL;

	if (v.kind == VERDICT_TRAP && v.data) {
		why = "JSON has no place for the data of 'trap'";
		how = "write 'trap' without data, or compile to '-t bpf'";
	} else if (v.kind == VERDICT_NOTIFY) {
		why = "'notify' needs a listener, which this JSON does not name";
		how = "'listenerPath' belongs to the container's configuration; use 'pale run' or '-t bpf'";
	}
	if (!why)
		return true;
	struct diag *d = oci_fail(w, DIAG_PL224, g ? call_span(w, g->calls.v[0]) :
						     oci_header_span(w, AST_HEADER_UNKNOWN), why);
	diag_help(w->ds, d, "%s", how);
	return false;
}

/* The first narrow architecture that would see these cubes without their high words; or NR. */
static enum arch cut_arch(const struct writer *w, const struct group *g, const struct cube_list *l)
{
	bool high = false;

	vec_each(&l->v, c)
		for (unsigned i = 0; i < 6; i++)
			high |= c->value[i] >> 32 != 0;
	for (size_t i = 0; high && i < g->calls.n; i++)
		for (int a = 0; a < ARCH_NR; a++)
			if (w->p->arches & ARCH_BIT(a) && is_narrow((enum arch)a) &&
			    g->calls.v[i]->nr[a] >= 0)
				return (enum arch)a;
	return ARCH_NR;
}

static void tell_cut(struct writer *w, const struct group *g, enum arch a)
{
	struct diag *d = oci_fail(w, DIAG_PL221, call_span(w, g->calls.v[0]),
				  arena_printf(w->arena, "'%s' is compared with a number above 32 bits, "
					       "which libseccomp cuts off on %s",
					       g->calls.v[0]->name, arch_info(a)->name));
	diag_help(w->ds, d, "compile for 64-bit architectures only with '--arch'");
}

static void tell_budget(struct writer *w, const struct group *g, const struct cube_list *l, bool all)
{
	struct diag *d = oci_fail(w, DIAG_PL228, call_span(w, g->calls.v[0]),
				  arena_printf(w->arena, "'%s' needs %s%zu JSON entries of masked "
					       "comparisons; the budget for the file is %d",
					       g->calls.v[0]->name, all ? "" : "more than ", l->v.n,
					       ENTRIES_MAX));
	diag_help(w->ds, d, "use fewer or aligned ranges, or compile to '-t bpf'");
}

static void group_cubes(struct writer *w, struct group *g)
{
	struct cube_list l = { .w = w };
	bool all = dd_cubes(w->d->dd, g->node, take_cube, &l);

	if (all) {
		qsort(l.v.v, l.v.n, sizeof(*l.v.v), by_cube);
		while (join_round(&l))
			qsort(l.v.v, l.v.n, sizeof(*l.v.v), by_cube);
	}
	vec_each(&l.v, c) {
		if (!carries(w, g, c->verdict))
			return;
	}
	enum arch cut = cut_arch(w, g, &l);
	if (cut != ARCH_NR && !oci_order_group(w, g)) {
		tell_cut(w, g, cut);
		return;
	}
	if (cut == ARCH_NR) {
		if (!all || w->entries + l.v.n > ENTRIES_MAX) {
			tell_budget(w, g, &l, all);
			return;
		}
		struct oci_cube *cubes = ARENA_ARRAY(w->arena, struct oci_cube, l.v.n + 1);
		for (size_t i = 0; i < l.v.n; i++)
			cubes[i].c = l.v.v[i];
		g->cubes = cubes;
		g->ncubes = l.v.n;
	}
	w->entries += g->ncubes;
}

/* ---- what the JSON's default may be ---- */

static void choose_default(struct writer *w)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	bool old = w->opt->dialect == OCI_DIALECT_DOCKER && rt->docker && rt->docker < OCI_VERSION(23, 0, 0);

	enum arch other;

	if (!policy_one_verdict(w->p, w->p->unknown, &w->jd, &other)) {
		struct diag *d = oci_fail(w, DIAG_PL252, oci_header_span(w, AST_HEADER_UNKNOWN),
					  arena_printf(w->arena, "'unknown' is errno %u here and %u on %s: a "
						       "JSON profile has one default", w->jd.data,
						       w->p->unknown[other].data, arch_info(other)->name));
		diag_help(w->ds, d, "compile for one machine with '--arch', or write the number");
		return;
	}
	carries(w, NULL, w->jd);
	if (!old || w->jd.kind != VERDICT_ERRNO || w->jd.data == 1)
		return;
	if (!w->opt->approximate) {
		struct diag *d = oci_fail(w, DIAG_PL225, oci_header_span(w, AST_HEADER_UNKNOWN),
					  "Docker before 23 ignores 'defaultErrnoRet': unknown numbers would "
					  "answer EPERM");
		diag_help(w->ds, d, "'--approximate' takes EPERM for them, or write 'unknown errno EPERM;'");
		return;
	}
	w->jd = (struct verdict){ VERDICT_ERRNO, 1 };
	diag_add(w->ds, DIAG_PL230, oci_header_span(w, AST_HEADER_UNKNOWN),
		 "holes in the table answer EPERM: Docker before 23 ignores 'defaultErrnoRet'");
}

static void tell_notes(struct writer *w)
{
	BUF_AUTO names = { 0 };

	for (size_t i = 0; i < w->unknown_names.n; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", w->unknown_names.v[i]);
	if (names.n)
		diag_add(w->ds, DIAG_PL226, w->p->span,
			 "the runtime's libseccomp does not know these calls and refuses them: %s", names.p);
	names.n = 0;
	for (size_t i = 0; i < w->approximated.n; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", w->approximated.v[i]);
	if (names.n)
		diag_add(w->ds, DIAG_PL230, w->p->span,
			 "architectures differ; the more restrictive answer is taken for: %s", names.p);
}

/*
 * libseccomp starts every filter with the machine's own architecture, and Docker takes the
 * archMap row of that name only: without it the machine's calls would be decided by these
 * entries, and those of the listed architecture not at all.
 */
static void check_native(struct writer *w)
{
	for (int i = 0; i < ARCH_NR; i++) {
		const struct arch_info *ai = arch_info((enum arch)i);
		int native = arch_find(str_c(ai->family));
		if (!(w->p->arches & ARCH_BIT(i)) || native < 0 || w->p->arches & ARCH_BIT(native))
			continue;
		struct diag *d = oci_fail(w, DIAG_PL232, oci_header_span(w, AST_HEADER_ARCH),
					  arena_printf(w->arena, "'%s' without '%s': runtimes on such a machine "
						       "decide its own calls by this JSON as well, and Docker "
						       "leaves '%s' out", ai->name, ai->family, ai->name));
		diag_help(w->ds, d, "list '%s' too, or compile to '-t bpf'", ai->family);
		return;
	}
}

int oci_write(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct buf *out, struct diags *ds)
{
	struct writer w = { .arena = a, .p = p, .opt = opt, .ds = ds };

	w.d = decision_build(a, p, ds);
	if (!w.d)
		return -1;
	choose_default(&w);
	check_native(&w);
	check_numbers(&w);
	collect_names(&w);
	for (size_t i = 0; i < w.groups.n && !w.failed; i++)
		group_cubes(&w, &w.groups.v[i]);
	if (!w.failed)
		oci_check_multiplexed(&w);
	if (!w.failed)
		oci_check_stub(&w);
	if (w.failed)
		return -1;
	tell_notes(&w);
	oci_print(&w, out);
	if (oci_read_back(&w, (struct str){ out->p, out->n }))
		return 0;
	buf_free(out);
	return -1;
}
