/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a statement whatever it speaks of: where its rules come from, where they go. */
#include "compiler/policy/resolve.h"

struct origin *resolve_origin(struct resolver *r, const struct item *it,
			      const struct ast_call *call, struct span span)
{
	struct origin *o = ARENA_NEW(r->arena, struct origin);

	o->stmt = it->stmt;
	o->call = call;
	o->span = span;
	o->set = it->set;
	o->use = it->set ? it->use : NO_SPAN;
	o->env = resolve_open(it) ? it->env : NULL;
	return o;
}

bool resolve_open(const struct item *it)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (it->env && it->env[a])
			return true;
	return false;
}

struct policy *resolve_left_out(struct resolver *r)
{
	struct policy *p = r->p->left_out;

	if (p)
		return p;
	p = ARENA_NEW(r->arena, struct policy);
	p->name = r->p->name;
	p->span = r->p->span;
	p->layers = r->p->layers;
	p->arches = r->p->arches;
	r->p->left_out = p;
	return p;
}
