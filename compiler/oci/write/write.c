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
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/write/write.h"

static const uint64_t high_words[6] = { HIGH_WORD, HIGH_WORD, HIGH_WORD,
					HIGH_WORD, HIGH_WORD, HIGH_WORD };
static const uint64_t zeros[6];

/* i386, where the kernel has zeros above, and x32, where it has not. */
bool oci_is_narrow(enum arch a)
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
	const struct ast_stmt *s = policy_header(w->p, header);

	return s ? s->span : w->p->span;
}

struct span oci_rule_span(const struct writer *w, enum arch a, uint32_t nr)
{
	size_t first, end;

	policy_calls_of(w->p, a, nr, &first, &end);
	return first < end ? w->p->calls.v[first].origin->span : w->p->span;
}

static unsigned comparisons(const struct cond *c)
{
	unsigned n = 0;

	for (; c && c->kind != COND_CMP; c = c->left) /* chains lean to the left */
		n += comparisons(c->right);
	return c ? n + 1 : n;
}

/* The rule that compares most, for what has too many entries. */
struct span oci_costly_span(const struct writer *w, const struct syscall_info *sys)
{
	struct span found = oci_call_span(w, sys);
	unsigned most = 0;

	vec_each(&w->p->calls, r) {
		unsigned n = r->sys == sys ? comparisons(r->cond) : 0;
		if (n <= most)
			continue;
		most = n;
		found = r->origin->span;
	}
	return found;
}

struct span oci_call_span(const struct writer *w, const struct syscall_info *sys)
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

/* ---- one decision a name ---- */

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

dd_node oci_arch_node(struct writer *w, const struct oci_view *v, enum arch a,
		      const struct syscall_info *sys)
{
	dd_node n = decision_node(w->d, a, oci_number(sys, a));

	return v->any ? n : dd_fix(w->d->dd, n, DD_SYSTEM, 0xff, v->host);
}

dd_node oci_fix(struct writer *w, dd_node n, const struct env_cube *in)
{
	n = dd_fix(w->d->dd, n, DD_CAPS, in->caps | in->no_caps, in->caps);
	return dd_fix(w->d->dd, n, DD_SYSTEM, 0xffff00, (uint64_t)in->first << 8);
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

static void collect_names(struct writer *w)
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
		if (!written || w->failed)
			continue;
		/* Also those that this runtime skips: a newer one then does what the policy says. */
		note_unknown_name(w, &name);
		vec_push(w->arena, &w->names, name);
	}
}

const struct oci_name *oci_name_find(const struct writer *w, const struct syscall_info *sys)
{
	vec_each(&w->names, n)
		if (n->sys == sys)
			return n;
	return NULL;
}

/* ---- machines and environments ---- */

static void add_view(struct writer *w, struct oci_view v)
{
	for (int a = 0; a < ARCH_NR && !v.any; a++)
		if (w->p->arches & ARCH_BIT(a) && env_runs(v.host, (enum arch)a))
			v.arches |= ARCH_BIT(a);
	vec_push(w->arena, &w->views, v);
}

/* Those that make calls of most architectures first: what suits them mostly suits the others. */
void oci_list_views(struct writer *w)
{
	unsigned hosts = env_all(w->p->arches).hosts;

	if (w->opt->dialect == OCI_DIALECT_OCI) {
		add_view(w, (struct oci_view){ .any = true, .arches = w->p->arches });
		return;
	}
	for (int pass = 0; pass < 2; pass++)
		for (int h = 0; h < ARCH_NR; h++) {
			bool leads = !strcmp(arch_info((enum arch)h)->name,
					     arch_family((enum arch)h, w->p->arches));
			/* Where its own calls are not decided it is not meant: arm's own machines
			 * alone, by a policy that does not list aarch64. */
			if (hosts & w->p->arches & ARCH_BIT(h) && leads != pass)
				add_view(w, (struct oci_view){ .host = (enum arch)h });
		}
}

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
				struct diag *d =
					oci_fail(w, DIAG_PL222, oci_rule_span(w, a, nr),
						 arena_printf(w->arena,
							      "JSON names calls, and number %u "
							      "of %s has no name",
							      nr - arch_info(a)->nr_base,
							      arch_info(a)->name));
				diag_help(w->ds, d, "leave the rule to another target ('-t bpf')");
				break;
			}
		}
	}
}

bool oci_carries(struct writer *w, const struct oci_name *name, struct verdict v)
{
	const char *why = NULL, *how = NULL;

	if (v.kind == VERDICT_TRAP && v.data) {
		why = "JSON has no place for the data of 'trap'";
		how = "write 'trap' without data, or compile to '-t bpf'";
	} else if (v.kind == VERDICT_NOTIFY) {
		why = "'notify' needs a listener, which this JSON does not name";
		how = "'listenerPath' belongs to the container's configuration; use 'pale run' or "
		      "'-t bpf'";
	} else if (v.kind == VERDICT_ERRNO && v.data > OCI_ERRNO_MAX) {
		why = "libseccomp takes no errno above 4094, and the container would not start";
		how = "write another number, or compile to '-t bpf'";
	}
	if (!why)
		return true;
	struct diag *d = oci_fail(
		w, DIAG_PL224,
		name ? oci_call_span(w, name->sys) : oci_header_span(w, AST_HEADER_UNKNOWN), why);
	diag_help(w->ds, d, "%s", how);
	return false;
}

/* ---- what the JSON's default may be ---- */

/* ENOSYS everywhere, with the number that it has there: what runc's stub answers. */
static bool unknown_is_enosys(const struct writer *w)
{
	uint64_t enosys;

	for (int a = 0; a < ARCH_NR; a++)
		if (w->p->arches & ARCH_BIT(a) &&
		    (w->p->unknown[a].kind != VERDICT_ERRNO ||
		     constant_find("errno", STR("ENOSYS"), (enum arch)a, &enosys) ||
		     w->p->unknown[a].data != enosys))
			return false;
	return true;
}

static void tell_defaults(struct writer *w, struct verdict v, enum arch other)
{
	BUF_AUTO text = { 0 };

	buf_puts(&text, "'unknown' is ");
	verdict_print(&text, w->jd);
	buf_puts(&text, " here and ");
	verdict_print(&text, v);
	buf_printf(&text, " on %s: a JSON profile has one default", arch_info(other)->name);
	struct diag *d = oci_fail(w, DIAG_PL252, oci_header_span(w, AST_HEADER_UNKNOWN),
				  arena_strdup(w->arena, text.p ? text.p : ""));
	diag_help(w->ds, d, "compile for one machine with '--arch', or write the number");
}

static void choose_default(struct writer *w)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	bool old = w->opt->dialect == OCI_DIALECT_DOCKER && rt->docker &&
		   rt->docker < OCI_VERSION(23, 0, 0);
	enum arch other;
	bool one = policy_one_verdict(w->p, w->p->unknown, &w->jd, &other);

	if (!one && rt->kind == OCI_RUNC && unknown_is_enosys(w)) {
		struct diag *d = diag_add(
			w->ds, DIAG_PL286, oci_header_span(w, AST_HEADER_UNKNOWN),
			"ENOSYS is %u here and %u on %s, and a JSON profile has one default: "
			"holes in the table of %s answer %u there",
			w->jd.data, w->p->unknown[other].data, arch_info(other)->name,
			arch_info(other)->name, w->jd.data);
		diag_help(w->ds, d,
			  "no kernel has a call at these numbers; those above the last one named "
			  "answer "
			  "ENOSYS, as runc does");
	} else if (!one) {
		tell_defaults(w, w->p->unknown[other], other);
		return;
	}
	oci_carries(w, NULL, w->jd);
	if (!old || w->jd.kind != VERDICT_ERRNO || w->jd.data == 1)
		return;
	if (!w->opt->approximate) {
		struct diag *d = oci_fail(
			w, DIAG_PL225, oci_header_span(w, AST_HEADER_UNKNOWN),
			"Docker before 23 ignores 'defaultErrnoRet': unknown numbers would "
			"answer EPERM");
		diag_help(w->ds, d,
			  "'--approximate' takes EPERM for them, or write 'unknown errno EPERM;'");
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

/*
 * libseccomp starts every filter with the machine's own architecture, and Docker takes the
 * archMap row of that name only: without it the machine's calls would be decided by these
 * entries, and those of the listed architecture not at all.
 */
static void check_native(struct writer *w)
{
	for (int i = 0; i < ARCH_NR; i++) {
		const struct arch_info *ai = arch_info((enum arch)i);
		const char *family = arch_family((enum arch)i, w->p->arches);
		int native = arch_find(str_c(family));
		if (!(w->p->arches & ARCH_BIT(i)) || native < 0 || w->p->arches & ARCH_BIT(native))
			continue;
		struct diag *d = oci_fail(
			w, DIAG_PL232, oci_header_span(w, AST_HEADER_ARCH),
			arena_printf(w->arena,
				     "'%s' without '%s': runtimes on such a machine "
				     "decide its own calls by this JSON as well, and Docker "
				     "leaves '%s' out",
				     ai->name, family, ai->name));
		diag_help(w->ds, d, "list '%s' too, or compile to '-t bpf'", family);
		return;
	}
}

/* runc has words of its own, and the first releases of 1.1 none for the youngest architectures. */
static void note_word(struct writer *w, enum arch a)
{
	struct diag *d =
		diag_add(w->ds, DIAG_PL291, oci_header_span(w, AST_HEADER_ARCH),
			 "this runc has no word for '%s' and starts no container with this JSON",
			 arch_info(a)->name);

	diag_help(w->ds, d,
		  "runc 1.1.15 knows it; or write one profile for each machine with '--arch'");
}

/* false: an architecture of one machine that libseccomp does not know stops it on the others. */
static bool check_words(struct writer *w)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	unsigned version = rt->libseccomp & ~LIBSECCOMP_DEBIAN12;

	for (int a = 0; a < ARCH_NR; a++) {
		const struct oci_arch_word *word =
			oci_arch_word_find(str_c(arch_info((enum arch)a)->oci));
		if (!(w->p->arches & ARCH_BIT(a)))
			continue;
		if (version >= word->libseccomp || w->p->arches == ARCH_BIT(a)) {
			if (rt->kind == OCI_RUNC && rt->version < word->runc)
				note_word(w, (enum arch)a);
			continue;
		}
		struct diag *d =
			oci_fail(w, DIAG_PL265, oci_header_span(w, AST_HEADER_ARCH),
				 arena_printf(w->arena,
					      "libseccomp before 2.6 does not know '%s': no "
					      "container would start on the other machines",
					      arch_info((enum arch)a)->name));
		diag_help(w->ds, d,
			  "name a newer runtime with '--runtime', or write one profile for each "
			  "machine with '--arch'");
		return false;
	}
	return true;
}

/* The OCI dialect lists all machines' architectures, and libseccomp adds each to its filter. */
static void check_listed(struct writer *w)
{
	int little = -1, big = -1;

	if (w->opt->dialect != OCI_DIALECT_OCI || !check_words(w))
		return;
	for (int a = 0; a < ARCH_NR; a++)
		if (w->p->arches & ARCH_BIT(a))
			*(arch_info((enum arch)a)->big_endian ? &big : &little) = a;
	if (little < 0 || big < 0)
		return;
	struct diag *d = oci_fail(
		w, DIAG_PL265, oci_header_span(w, AST_HEADER_ARCH),
		arena_printf(w->arena,
			     "libseccomp refuses '%s' beside '%s': one filter has "
			     "one byte order, and no container would start",
			     arch_info((enum arch)big)->name, arch_info((enum arch)little)->name));
	diag_help(w->ds, d,
		  "write one profile for each with '--arch', or '-t docker', which has a row for "
		  "each machine");
}

/* Who loads it must take the flag: the engine hands it on, the runtime knows the word. */
static void choose_flags(struct writer *w)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	bool config = w->opt->dialect == OCI_DIALECT_OCI;
	bool handed = oci_flags_handed(rt, config);
	const char *why = !handed ? "Docker before 23 hands no 'flags' to the runtime" :
				    "runc before 1.2 refuses a profile with 'flags'";
	struct span sp = oci_header_span(w, AST_HEADER_LOG);

	w->logs = w->p->log_refusals && handed && oci_flag_taken(rt, str_c(oci_flag_log));
	if (!w->p->log_refusals || w->logs)
		return;
	if (w->opt->approximate) {
		diag_add(w->ds, DIAG_PL230, sp, "refusals are not logged: %s", why);
		return;
	}
	struct diag *d = oci_fail(w, DIAG_PL213, sp,
				  arena_printf(w->arena, "refusals are to be logged, and %s", why));
	diag_help(w->ds, d,
		  "name the runtime where it is a newer one ('--runtime "
		  "runc-1.3+libseccomp-2.6.1'), or have them unlogged knowingly ('--approximate')");
}

int oci_write(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct buf *out, struct diags *ds)
{
	struct writer w = { .arena = a, .p = p, .opt = opt, .ds = ds };

	w.d = decision_build(a, p, ds);
	if (!w.d)
		return -1;
	choose_default(&w);
	choose_flags(&w);
	check_native(&w);
	check_listed(&w);
	check_numbers(&w);
	oci_list_views(&w);
	add_kernel(&w, 0);
	vec_each(&p->calls, rule)
		collect_asked(&w, rule->env);
	collect_names(&w);
	for (size_t i = 0; i < w.names.n && !w.failed; i++)
		oci_pieces(&w, &w.names.v[i]);
	if (!w.failed)
		oci_check_multiplexed(&w);
	if (!w.failed)
		oci_check_stub(&w);
	if (w.failed)
		return -1;
	if (!oci_print(&w, out))
		return -1;
	if (out->failed)
		arena_no_memory(a);
	tell_notes(&w);
	if (oci_read_back(&w, (struct str){ out->p, out->n })) {
		oci_tell_size(&w, out->n);
		return 0;
	}
	buf_free(out);
	return -1;
}
