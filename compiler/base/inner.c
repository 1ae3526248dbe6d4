/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/inner.h"

#include <string.h>

struct span inner_span(const struct inner *n, struct span sp)
{
	uint32_t all = (uint32_t)n->source->text.n;
	uint32_t begin = sp.begin < all ? sp.begin : all, end = sp.end < all ? sp.end : all;

	if (sp.source != n->source->id)
		return sp;
	if (begin == end)
		return n->at[begin] == INNER_OURS ?
			       NO_SPAN :
			       (struct span){ n->outer, n->at[begin], n->at[begin] };
	while (begin < end && n->at[begin] == INNER_OURS)
		begin++;
	while (end > begin && n->at[end - 1] == INNER_OURS)
		end--;
	if (begin == end)
		return NO_SPAN;
	/* What an escape of several bytes stands for ends where the next byte begins. */
	bool next = end == all || n->at[end] != INNER_OURS;
	return (struct span){ n->outer, n->at[begin],
			      next && n->at[end] > n->at[end - 1] ? n->at[end] :
								    n->at[end - 1] + 1 };
}

static bool is_inside(const struct inner *n, struct span sp)
{
	return sp.source == n->source->id;
}

/* False: it is about nothing that users wrote. */
static bool move(const struct inner *n, struct diag *d)
{
	bool own = is_inside(n, d->span);
	size_t kept = 0;

	d->span = inner_span(n, d->span);
	if (own && d->span.source == SOURCE_NONE)
		return false;
	for (size_t i = 0; i < d->labels.n; i++) {
		struct diag_label l = d->labels.v[i];
		bool inside = is_inside(n, l.span);

		l.span = inner_span(n, l.span);
		if (!inside || l.span.source != SOURCE_NONE)
			d->labels.v[kept++] = l;
	}
	d->labels.n = kept;
	for (size_t i = 0; i < d->fix.edits.n; i++)
		if (is_inside(n, d->fix.edits.v[i].span)) {
			diag_fix_drop(d);
			break;
		}
	return true;
}

void inner_move_diags(const struct inner *n, struct diags *ds)
{
	size_t kept = 0;

	for (size_t i = 0; i < ds->list.n; i++) {
		struct diag *d = ds->list.v[i];

		if (move(n, d))
			ds->list.v[kept++] = d;
		else if (d->severity == SEVERITY_ERROR)
			ds->errors--;
	}
	ds->list.n = kept;
}

void inner_put_ours(struct inner_text *t, const char *text)
{
	buf_puts(&t->text, text);
	for (; *text; text++)
		vec_push(t->arena, &t->at, INNER_OURS);
}

void inner_put_for(struct inner_text *t, const char *text, struct span of)
{
	size_t n = strlen(text);

	buf_add(&t->text, text, n);
	for (size_t i = 1; i <= n; i++)
		vec_push(t->arena, &t->at, i == n && of.end > of.begin ? of.end - 1 : of.begin);
}
