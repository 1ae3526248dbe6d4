/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/unit_facts.h"

#include "compiler/lint/facts.h"
#include "grammar/parse.h"

static const struct unit_facts *make(struct lint *l)
{
	const struct resolve_options opt = { .foreign = true };
	struct diags *own = diags_new(l->arena, l->ds->sources);
	struct unit_facts *u = ARENA_NEW(l->arena, struct unit_facts);
	const struct deploy_setting *first = l->deployment->settings.v;
	const struct deploy_setting *bounded;
	struct unit_filter filter;
	struct policies *all;

	if (!l->deployment->settings.n || l->deployment->part || first->over ||
	    !unit_filter(l->arena, l->deployment, l->systemd, &filter))
		return NULL;
	u->in = (struct inner){ source_add(l->ds->sources, first->src->name, filter.text),
				first->src->id, filter.at };
	all = policy_resolve(l->arena, pale_parse_source(l->arena, u->in.source, own), &opt, own);
	if (own->errors || all->list.n != 1)
		return NULL;
	u->policy = all->list.v[0];
	u->exec = filter.exec;
	u->caps = unit_capabilities(l->deployment, &bounded);
	u->facts = facts_of_policy(l->arena, NULL, u->policy, own);
	return u->facts && !u->facts->undecided ? u : NULL;
}

const struct unit_facts *lint_unit_facts(struct lint *l)
{
	if (!l->unit_asked)
		l->unit = make(l);
	l->unit_asked = true;
	return l->unit;
}

void lint_unit_facts_end(struct lint *l)
{
	if (l->unit)
		facts_end(l->unit->facts);
}

struct span lint_unit_span(const struct unit_facts *u, struct span of_policy)
{
	return inner_span(&u->in, of_policy);
}
