/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/aa_meant.h"

#include "grammar/parse.h"

/* NULL: it does not read so. */
static const struct aa_rule *with_text(struct lint *l, const struct aa_rule *r,
				       const struct aa_word *w, const char *text)
{
	struct glob_variables vars = aa_profile_variables(l->arena, l->aa->policy, l->aa->profile);
	struct sources *own = sources_new(l->arena);
	struct diags *ds = diags_new(l->arena, own);
	struct aa_reader rd = {
		.arena = l->arena, .diags = ds, .target = l->aa->policy->target, .variables = &vars
	};
	struct span whole = r->use->stmt->span;
	const char *src = source_of(l->ds->sources, whole)->text.p;
	struct aa_use *use = ARENA_NEW(l->arena, struct aa_use);
	const struct aa_file *file;
	BUF_AUTO b = { 0 };

	if (w->span.source != whole.source || w->span.begin < whole.begin ||
	    w->span.end > whole.end)
		return NULL;
	buf_add(&b, src + whole.begin, w->span.begin - whole.begin);
	buf_puts(&b, text);
	buf_add(&b, src + w->span.end, whole.end - w->span.end);
	file = aa_parse_source(l->arena, source_add(own, "<meant>", str_c(buf_keep(l->arena, &b))),
			       ds);
	if (ds->errors || !file->stmts)
		return NULL;
	*use = (struct aa_use){ .stmt = file->stmts, .class = r->class };
	return aa_rule_read(&rd, use);
}

const char *aa_meant_object(struct lint *l, struct aa_meant *m, const struct aa_rule *r,
			    const struct aa_word *w, const char *text)
{
	const struct aa_rule *rule = with_text(l, r, w, text);
	bool deny = r->prefix.mode == AA_MODE_DENY;
	struct arena *scratch;
	struct machine_walk walk;
	struct aa_objects one;
	const char *access = NULL;

	if (!rule)
		return NULL;
	if (!m->pool) {
		const struct aa_asking *q = l->aa->q;

		m->pool = aa_objects_pool_new(l->arena);
		m->all =
			aa_objects_build(m->pool, l->aa->release, q->rules.v, q->rules.n, r->class);
	}
	one = aa_objects_build(m->pool, m->all.release, &rule, 1, r->class);
	if (!aa_decided(l, m->all.decided && one.decided && l->aa->states_left))
		return NULL;
	scratch = arena_scratch(l->arena);
	walk = aa_objects_walk_within(scratch, &one, &m->all, &one, false, &l->aa->states_left);
	aa_decided(l, walk.decided);
	vec_each(&walk.found, f) {
		unsigned said = aa_objects_class(m->pool, f->a)->allow;
		unsigned has = aa_objects_class(m->pool, f->b)->allow;
		unsigned wrong = said & (deny ? has : ~has);

		if (wrong && !access)
			access = aa_objects_witness(l->arena, r->class, f->path, wrong & -wrong);
	}
	arena_free(scratch);
	return access;
}
