/* SPDX-License-Identifier: Apache-2.0 */
/* The linter's driver: the table of rules, and the groups that findings are told in. */
#include "compiler/lint/lint.h"

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

#define LIST_MAX  12 /* names in one message */
#define LABEL_MAX 3  /* further places under it */

#define PALE LINT_PALE
#define JSON LINT_JSON
#define BOTH (LINT_PALE | LINT_JSON)

static const struct lint_rule rules[] = {
#define LINT(id, formats, fn, explain) { DIAG_##id, formats, explain },
#include "compiler/lint/rules.def"
#undef LINT
};

static lint_fn *const runs[] = {
#define LINT(id, formats, fn, explain) fn,
#include "compiler/lint/rules.def"
#undef LINT
};

size_t lint_rule_count(void)
{
	return ARRAY_SIZE(rules);
}

const struct lint_rule *lint_rule_at(size_t i)
{
	BUG_ON(i >= ARRAY_SIZE(rules));
	return &rules[i];
}

static void run_rules(struct lint *l, unsigned format)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].formats & format)
			runs[i](l, rules[i].id);
}

int lint_json(struct arena *a, const struct json *root, struct source *src, struct diags *ds)
{
	size_t before = ds->list.n;
	struct lint l = { .arena = a, .ds = ds, .root = root };

	(void)src;
	if (!root)
		return -1;
	l.profile = profile_read(a, root, ds->sources);
	if (l.profile)
		l.view = view_of_profile(a, l.profile);
	run_rules(&l, LINT_JSON);
	diags_sort(ds);
	return (int)(ds->list.n - before);
}

int lint_pale(struct arena *a, const struct ast_file *file, const struct policies *policies,
	      struct diags *ds)
{
	size_t before = ds->list.n;

	if (!file)
		return -1;
	for (size_t i = 0; policies && i < policies->list.n; i++) {
		struct lint l = { .arena = a, .ds = ds, .file = file };

		l.policy = policies->list.v[i];
		l.view = view_of_policy(a, l.policy);
		run_rules(&l, LINT_PALE);
	}
	lint_pale_file(a, file, ds);
	diags_sort(ds);
	return (int)(ds->list.n - before);
}

/* ---- groups ---- */

static size_t find_slot(const struct group *g, struct str text)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	size_t i;

	for (i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * 1099511628211u;
	for (i = (size_t)h & (g->nslots - 1);
	     g->slots[i] && !str_eq(g->hits.v[g->slots[i] - 1].text, text);
	     i = (i + 1) & (g->nslots - 1))
		;
	return i;
}

static void grow_slots(struct group *g)
{
	if (g->nslots && g->hits.n * 2 < g->nslots)
		return;
	g->nslots = g->nslots ? g->nslots * 4 : 64;
	g->slots = ARENA_ARRAY(g->arena, uint32_t, g->nslots);
	for (size_t i = 0; i < g->hits.n; i++)
		g->slots[find_slot(g, g->hits.v[i].text)] = (uint32_t)i + 1;
}

bool group_add(struct group *g, struct str text, struct span span)
{
	struct hit h = { text, span };
	size_t slot;

	grow_slots(g);
	slot = find_slot(g, text);
	if (g->slots[slot])
		return false;
	vec_push(g->arena, &g->hits, h);
	g->slots[slot] = (uint32_t)g->hits.n;
	return true;
}

const char *group_list(const struct group *g)
{
	char *out = arena_printf(g->arena, "%s", "");
	size_t shown = g->hits.n > LIST_MAX + 1 ? LIST_MAX : g->hits.n;

	for (size_t i = 0; i < shown; i++) {
		const char *sep = !i ? "" : i + 1 == g->hits.n ? " and " : ", ";

		out = arena_printf(g->arena, "%s%s'" PRISTR "'", out, sep,
				   STRARG(g->hits.v[i].text));
	}
	if (shown < g->hits.n)
		out = arena_printf(g->arena, "%s and %zu more", out, g->hits.n - shown);
	return out;
}

struct span group_span(const struct group *g)
{
	return g->hits.n ? g->hits.v[0].span : NO_SPAN;
}

void group_labels(struct diags *ds, struct diag *d, const struct group *g)
{
	for (size_t i = 1; i < g->hits.n && i <= LABEL_MAX; i++)
		diag_note(ds, d, g->hits.v[i].span, "%s", i == LABEL_MAX && g->hits.n > i + 1 ?
			  "here, and further down" : "here");
}
