/* SPDX-License-Identifier: Apache-2.0 */
/* What all of the writer asks of a policy: the place of a rule, a name's number, the machines. */
#include <string.h>

#include "compiler/oci/write/writer.h"

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

const struct call_rule *oci_call_rule(const struct writer *w, const struct syscall_info *sys)
{
	for (int a = 0; a < ARCH_NR; a++) {
		size_t first, end;
		if (!(w->p->arches & ARCH_BIT(a)) || sys->nr[a] < 0)
			continue;
		policy_calls_of(w->p, (enum arch)a, oci_number(sys, (enum arch)a), &first, &end);
		if (first < end)
			return &w->p->calls.v[first];
	}
	return NULL;
}

struct span oci_call_span(const struct writer *w, const struct syscall_info *sys)
{
	const struct call_rule *rule = oci_call_rule(w, sys);

	return rule ? rule->origin->span : w->p->span;
}

uint32_t oci_number(const struct syscall_info *sys, enum arch a)
{
	return (uint32_t)sys->nr[a] + arch_info(a)->nr_base;
}

bool oci_runtime_knows(const struct writer *w, const struct syscall_info *sys)
{
	return libseccomp_knows(w->opt->runtime.libseccomp, str_c(sys->name));
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

struct oci_name *oci_name_find(const struct writer *w, const struct syscall_info *sys)
{
	vec_each(&w->names, n)
		if (n->sys == sys)
			return n;
	return NULL;
}

bool oci_is_approximated(const struct writer *w, const struct syscall_info *sys)
{
	for (size_t i = 0; i < w->approximated.n; i++)
		if (w->approximated.v[i] == sys->name)
			return true;
	return false;
}

static bool told_in(const struct diags *ds, enum diag_id id, struct span sp)
{
	vec_each(&ds->list, d)
		if ((*d)->id == id && (*d)->span.source == sp.source &&
		    (*d)->span.begin == sp.begin)
			return true;
	return false;
}

bool oci_told(const struct writer *w, enum diag_id id, struct span sp)
{
	return told_in(w->ds, id, sp) || (w->told && told_in(w->told, id, sp));
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

/* ---- machines ---- */

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
