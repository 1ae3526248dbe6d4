/* SPDX-License-Identifier: Apache-2.0 */
/* Words that one diagnostic speaks of, each once. */
#include "compiler/base/group.h"

#define LIST_MAX  12   /* names in one message */
#define FEW       8    /* are looked through sooner than a hash is made */
#define PLACE_MAX 1000 /* of one finding: GitHub takes no more of SARIF */

bool group_has(const struct group *g, struct str text)
{
	if (g->hits.n <= FEW) {
		vec_each(&g->hits, h)
			if (str_eq(h->text, text))
				return true;
		return false;
	}
	struct table_walk w = table_start(hash_str(text));
	size_t at;

	while ((at = table_next(&g->table, &w)) != TABLE_END)
		if (str_eq(g->hits.v[at].text, text))
			return true;
	return false;
}

bool group_add(struct group *g, struct str text, struct span span)
{
	struct hit h = { text, span };

	if (group_has(g, text))
		return false;
	table_add(g->arena, &g->table, hash_str(text), g->hits.n);
	vec_push(g->arena, &g->hits, h);
	return true;
}

/* How many of the names a message has. */
static size_t shown_of(const struct group *g)
{
	return g->hits.n > LIST_MAX + 1 ? LIST_MAX : g->hits.n;
}

const char *group_list(const struct group *g)
{
	size_t shown = shown_of(g);
	BUF_AUTO out = { 0 };

	for (size_t i = 0; i < shown; i++) {
		buf_puts(&out, !i ? "'" : i + 1 == g->hits.n ? " and '" : ", '");
		buf_add(&out, g->hits.v[i].text.p,
			strnlen(g->hits.v[i].text.p, g->hits.v[i].text.n));
		buf_putc(&out, '\'');
	}
	if (shown < g->hits.n)
		buf_printf(&out, " and %zu more", g->hits.n - shown);
	return buf_keep(g->arena, &out);
}

struct span group_span(const struct group *g)
{
	return g->hits.n ? g->hits.v[0].span : NO_SPAN;
}

void group_rest(struct diags *ds, struct diag *d, const struct group *g)
{
	for (size_t i = shown_of(g); i < g->hits.n; i++)
		diag_also(ds, d, g->hits.v[i].text);
}

void group_labels(struct diags *ds, struct diag *d, const struct group *g)
{
	group_rest(ds, d, g);
	for (size_t i = 1; i < g->hits.n && i < PLACE_MAX; i++)
		diag_again(ds, d, g->hits.v[i].span);
}
