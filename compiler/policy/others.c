/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in AppArmor's own words: mount, ptrace, unix, ... They are read as a profile's are, by the
 * one table of words, for the newest release; which release a policy then needs, the writer of
 * profiles finds out.
 */
#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

static struct aa_prefix prefix_of(enum ast_action a)
{
	switch (a) {
	case AST_ACTION_LOG: return (struct aa_prefix){ .audit = true };
	case AST_ACTION_DENY: return (struct aa_prefix){ .mode = AA_MODE_DENY, .audit = true };
	case AST_ACTION_QUIET_DENY: return (struct aa_prefix){ .mode = AA_MODE_DENY };
	default: return (struct aa_prefix){ .mode = AA_MODE_ALLOW };
	}
}

/* ---- variables ---- */

/* False: one is not declared, which was told. */
static bool word_declared(struct resolver *r, const struct aa_word *w, bool *any)
{
	struct ast_word as = { .text = w->text, .span = w->span };

	if (!glob_has_variable(w->text))
		return true;
	*any = true;
	return resolve_declared(r, &as);
}

bool resolve_items_declared(struct resolver *r, const struct aa_item *i, bool *any)
{
	bool ok = true;

	for (; i; i = i->next) {
		ok &= word_declared(r, &i->word, any);
		for (const struct aa_word *w = i->values; w; w = w->next)
			ok &= word_declared(r, w, any);
		ok &= resolve_items_declared(r, i->conds, any);
	}
	return ok;
}

/* ---- a rule ---- */

static struct aa_rule *read_rule(struct resolver *r, const struct ast_stmt *st, struct diags *ds)
{
	struct aa_reader rd = {
		.arena = r->arena,
		.diags = ds,
		.target = { .release = AA_RELEASE_NR - 1, .mediated = ~0u, .compiled = ~0u },
		.policy = true
	};
	struct aa_use use = { .stmt = st->rule, .prefix = prefix_of(st->verdict.action) };
	bool variables = false;
	struct aa_rule *rule;

	if (!resolve_items_declared(r, st->rule->items, &variables))
		return NULL;
	if (variables)
		rd.variables = resolve_variables(r, st->keyword);
	use.class = aa_class_of(&rd, st->rule->items);
	rule = aa_rule_read(&rd, &use);
	if (rule)
		rule->use = NULL;
	return rule;
}

/*
 * Read once a policy: sets may come several times. What is wrong with one, or odd, is told once a
 * file.
 */
static const struct aa_rule *rule_of(struct resolver *r, const struct ast_stmt *st)
{
	uint64_t hash = hash_bytes(HASH_START, &st, sizeof(st));
	struct table_walk it = table_start(hash);
	struct diags *ds = r->ds;
	struct read_rule read = { st, r->p, NULL };

	for (size_t at; (at = table_next(&r->read_at, &it)) != TABLE_END;) {
		const struct read_rule *known = &r->read.v[at];

		if (known->stmt != st)
			continue;
		if (known->policy == r->p || !known->rule)
			return known->rule;
		ds = diags_new(r->arena, r->ds->sources);
	}
	read.rule = read_rule(r, st, ds);
	table_add(r->arena, &r->read_at, hash, r->read.n);
	vec_push(r->arena, &r->read, read);
	return read.rule;
}

void resolve_other(struct resolver *r, const struct item *it)
{
	const struct aa_rule *rule = rule_of(r, it->stmt);

	if (!rule || !it->arches)
		return;
	struct aa_rule *own = arena_dup(r->arena, rule, sizeof(*rule));
	own->origin = resolve_origin(r, it, NULL, it->stmt->span);
	vec_push(r->arena, &r->p->others, own);
}
