/* SPDX-License-Identifier: Apache-2.0 */
/* Words that one diagnostic speaks of, each once. */
#include "compiler/base/group.h"

#define LIST_MAX  12 /* names in one message */
#define LABEL_MAX 3  /* further places under it */

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

bool group_has(const struct group *g, struct str text)
{
	return g->nslots && g->slots[find_slot(g, text)];
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
