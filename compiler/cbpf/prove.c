/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cbpf/prove.h"

#include <inttypes.h>
#include <string.h>

#include "compiler/base/bug.h"

enum {
	NODES = 1 << 20,
	NODES_PER_INSN = 21, /* where each tests 32 bits, and tails are shared */
	HOLE = 8192,
};

struct prover {
	struct arena *arena;
	const struct policy *p;
	struct dd *dd;
	struct decision *d;
	struct cbpf_proof *out;
};

/* ---- the decision against the specification ---- */

static bool agrees(struct prover *v, const struct call *c)
{
	struct verdict is = decision_eval(v->d, c), should = policy_eval(v->p, c, NULL);

	v->out->points++;
	if (verdict_eq(is, should))
		return true;
	v->out->result = CBPF_DIFFERS;
	v->out->witness = *c;
	v->out->is = is;
	v->out->should = should;
	return false;
}

/* The specification looks at all rules of a number for each call: so often, and at many more, not. */
enum { RULE_CALLS = 8, RULES_SEEN = 1 << 25 };

/* A call for each comparison of a rule, up to a few: the argument has the compared value. */
static bool agrees_on_cond(struct prover *v, const struct cond *cond, struct call *c,
			   unsigned *left)
{
	for (; *left && cond && cond->kind != COND_CMP; cond = cond->left)
		if (cond->kind != COND_NOT && !agrees_on_cond(v, cond->right, c, left))
			return false;
	if (!cond || !*left)
		return true;
	--*left;
	c->args[cond->cmp.arg] = cond->cmp.value;
	return agrees(v, c);
}

static bool agrees_on_rule(struct prover *v, const struct call_rule *r)
{
	struct call c = { .audit_arch = arch_info(r->arch)->audit, .nr = r->nr };
	unsigned left = RULE_CALLS;

	return agrees_on_cond(v, r->cond, &c, &left);
}

/* Rules of one number: all, where that sees RULES_SEEN at most; else evenly spread ones. */
static bool agrees_on_rules(struct prover *v, size_t first, size_t end)
{
	size_t n = end - first, step = 1 + n * n / RULES_SEEN;

	for (size_t i = first; i < end; i += step)
		if (v->p->calls.v[i].cond && !agrees_on_rule(v, &v->p->calls.v[i]))
			return false;
	return true;
}

static bool agrees_on_arch(struct prover *v, enum arch a)
{
	const struct arch_info *info = arch_info(a);
	struct call c = { .audit_arch = info->audit };

	/* Each number up to one behind the last call; past wide holes, the calls alone. */
	for (uint32_t nr = 0, next; nr <= syscall_end(a); nr++) {
		c.nr = info->nr_base + nr;
		if (!agrees(v, &c))
			return false;
		next = syscall_next(a, nr);
		if (next != UINT32_MAX && next > nr + HOLE)
			nr = next - 2;
	}
	c.nr = UINT32_MAX;
	return agrees(v, &c);
}

static bool in_family(const struct prover *v, enum arch a, const char *family)
{
	return !strcmp(arch_family(a, v->p->arches), family);
}

static bool decision_agrees(struct prover *v, const char *family)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (in_family(v, (enum arch)a, family) && v->p->arches & ARCH_BIT(a) &&
		    !agrees_on_arch(v, (enum arch)a))
			return false;
	for (size_t i = 0, first, end; i < v->p->calls.n; i = end) {
		const struct call_rule *r = &v->p->calls.v[i];
		policy_calls_from(v->p, i, r->arch, r->nr, &first, &end);
		if (in_family(v, r->arch, family) && !agrees_on_rules(v, first, end))
			return false;
	}
	return true;
}

/* ---- the programs against the decision ---- */

static void compare(struct prover *v, dd_node is, dd_node should)
{
	struct dd_point at;

	if (is == DD_NONE || should == DD_NONE) {
		v->out->result = CBPF_NOT_DECIDED;
		return;
	}
	if (!dd_differ_at(v->dd, is, should, &at))
		return;
	v->out->result = CBPF_DIFFERS;
	v->out->witness = (struct call){ .audit_arch = (uint32_t)(at.at[DD_CALL] >> 32),
					 .nr = (uint32_t)at.at[DD_CALL] };
	memcpy(v->out->witness.args, at.at, sizeof(v->out->witness.args));
	v->out->is = dd_eval_at(v->dd, is, &at);
	v->out->should = dd_eval_at(v->dd, should, &at);
}

static void prove_all(struct prover *v, const struct cbpf *progs, size_t n, const char *family)
{
	unsigned arches = 0;
	dd_node is = DD_NONE;

	for (unsigned a = 0; a < ARCH_NR; a++)
		if (in_family(v, (enum arch)a, family))
			arches |= ARCH_BIT(a);
	for (size_t i = 0; i < n; i++) {
		dd_node one = cbpf_lift(v->dd, v->arena, &progs[i]);
		is = i ? dd_stack(v->dd, one, is) : one;
	}
	compare(v, is, decision_root(v->d, arches));
}

static void tell_difference(const struct prover *v, struct diags *ds)
{
	const struct call *k = &v->out->witness;
	BUF_AUTO is = { 0 };
	BUF_AUTO should = { 0 };

	verdict_print(&is, v->out->is);
	verdict_print(&should, v->out->should);
	struct diag *d = diag_add(ds, DIAG_PL205, v->p->span,
				  "the generated program answers %s where the policy says %s: arch "
				  "%#x, nr %u, arguments %#" PRIx64 " %#" PRIx64 " %#" PRIx64
				  " %#" PRIx64 " %#" PRIx64 " %#" PRIx64,
				  is.p, should.p, k->audit_arch, k->nr, k->args[0], k->args[1],
				  k->args[2], k->args[3], k->args[4], k->args[5]);
	diag_help(ds, d,
		  "nothing was written; this is a bug of pale, please report it with the policy");
}

static void tell_undecided(const struct prover *v, struct diags *ds)
{
	struct diag *d = diag_add(ds, DIAG_PL290, v->p->span,
				  "the proof that the program is the policy needs more than %d "
				  "decision nodes",
				  NODES);

	diag_help(ds, d, "nothing was written; compare fewer arguments in one rule");
}

int cbpf_prove(struct arena *a, const struct policy *p, const struct cbpf *progs, size_t n,
	       const char *family, struct cbpf_proof *out, struct diags *ds)
{
	struct prover v = { .arena = a, .p = p, .out = out };
	size_t insns = 0;

	for (size_t i = 0; i < n; i++)
		insns += progs[i].n;
	v.dd = dd_new_for(a, NODES, insns * NODES_PER_INSN);
	*out = (struct cbpf_proof){ .result = CBPF_PROVED };
	v.d = decision_build_in(a, v.dd, p, ds);
	if (!v.d)
		out->result = CBPF_NOT_DECIDED; /* and told: the rule that was too much */
	else if (decision_agrees(&v, family))
		prove_all(&v, progs, n, family);
	out->nodes = dd_size(v.dd);
	out->decision = v.d;
	if (out->result == CBPF_DIFFERS)
		tell_difference(&v, ds);
	else if (out->result == CBPF_NOT_DECIDED && v.d)
		tell_undecided(&v, ds);
	return out->result == CBPF_PROVED ? 0 : -1;
}
