/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/loaded.h"

#include "compiler/base/bug.h"
#include "compiler/tell/decided.h"

static void put_member(struct buf *out, const struct sources *sources, const struct json *object,
		       const char *key)
{
	const struct json *m = oci_member(object, key);

	put_place(out, sources, m ? m->span : object->span);
	buf_printf(out, ": '%s'", key);
}

static void put_entry(struct buf *out, const struct sources *sources, const struct oci_rule *r)
{
	put_place(out, sources, r->span);
	buf_printf(out, ": '" PRISTR "'", STRARG(r->handed.n ? r->handed : r->name));
	if (!r->handed.n)
		buf_puts(out, ", with what libseccomp adds for it");
}

/* Several entries match: the one that libseccomp let decide. */
static bool put_disputed(struct buf *out, const struct sources *sources, const struct container *l,
			 const struct call *c, struct verdict held)
{
	unsigned matching;
	const struct oci_rule *r = oci_model_rule(l->held.model, &l->env, c, held, &matching);

	if (!r)
		return false;
	put_entry(out, sources, r);
	if (matching == 2)
		buf_puts(out, ", of two that match");
	else
		buf_printf(out, ", of %u that match", matching);
	return true;
}

/* The call is listed by a name that the runtime's libseccomp does not know. */
static void put_late_name(struct buf *out, const struct sources *sources, const struct container *l,
			  const struct call *c)
{
	const struct oci_model *m = l->held.model;
	uint32_t nr = c->nr;
	int a = arch_of_call(c->audit_arch, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);

	if (!sys || libseccomp_numbers(m->runtime.libseccomp, sys, (enum arch)a))
		return;
	vec_each(&m->profile->rules, r) {
		if (!str_is(r->name, sys->name) ||
		    !oci_gate_open(m->profile->entries.v[r->entry].gate, &l->env))
			continue;
		buf_puts(out, "; listed at ");
		put_place(out, sources, r->span);
		buf_puts(out, ", but ");
		put_unknowing(out, sys, (enum arch)a);
		return;
	}
}

void put_loaded(struct buf *out, const struct sources *sources, const struct container *l,
		const struct call *c)
{
	const struct oci_model *m = l->held.model;
	struct oci_why why = oci_model_why(m, &l->env, c);
	struct dd_point at = dd_point_of(&l->env, c);

	if (m->profile->lost) {
		buf_puts(out, "no filter: the runtime loses the profile at a null in it");
		return;
	}
	if (!m->profile->has_default) {
		buf_puts(out, "no filter: the profile has no default and no rule");
		return;
	}
	struct verdict held = dd_eval_at(l->dd, l->held.root, &at);
	if (container_at(l->dd, l->held.disputed, c, true) == DD_TRUE &&
	    put_disputed(out, sources, l, c, held))
		return;
	if (!verdict_eq(held, dd_eval_at(l->dd, m->root, &at))) {
		buf_puts(out, "libseccomp: its filter, which the entries do not say");
		return;
	}
	switch (why.by) {
	case OCI_BY_STUB:
		buf_puts(out, "runc: ENOSYS for numbers above all that the profile names");
		put_late_name(out, sources, l, c);
		return;
	case OCI_BY_ARCH:
		buf_puts(out, "libseccomp: an architecture that the profile does not list");
		return;
	case OCI_BY_ENTRY: put_entry(out, sources, why.rule); return;
	case OCI_BY_DEFAULT:
		put_member(out, sources, m->profile->json, "defaultAction");
		put_late_name(out, sources, l, c);
		return;
	}
	BUG("layer");
}
