/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "compiler/fix/fix.h"

static int compare_edits(const void *x, const void *y)
{
	const struct edit *a = x, *b = y;

	if (a->span.begin != b->span.begin)
		return a->span.begin < b->span.begin ? -1 : 1;
	return (a->span.end > b->span.end) - (a->span.end < b->span.end);
}

static bool meets(struct span a, struct span b)
{
	return a.begin == b.begin || (a.begin < b.end && b.begin < a.end);
}

/* By place, each inside of the text and apart from the next. */
static bool sort_edits(struct edit *v, size_t n, struct str text)
{
	qsort(v, n, sizeof(*v), compare_edits);
	for (size_t i = 0; i < n; i++)
		if (v[i].span.begin > v[i].span.end || v[i].span.end > text.n ||
		    v[i].span.source != v[0].span.source || (i && meets(v[i - 1].span, v[i].span)))
			return false;
	return true;
}

static void copy(struct buf *out, struct str text, size_t from, size_t to)
{
	buf_add(out, text.p + from, to - from);
}

static struct edit *all_edits(const struct fix_text *t, const struct fix *fix, size_t *n)
{
	struct edit *all = ARENA_ARRAY(t->arena, struct edit, t->made.n + fix->edits.n + 1);

	*n = 0;
	vec_each(&t->made, e)
		all[(*n)++] = *e;
	vec_each(&fix->edits, e)
		all[(*n)++] = *e;
	return all;
}

bool fix_try(const struct fix_text *t, const struct fix *fix, struct str *out)
{
	size_t n, at = 0;
	struct edit *all = all_edits(t, fix, &n);
	BUF_AUTO b = { 0 };

	if (!fix->edits.n || !sort_edits(all, n, t->base))
		return false;
	for (size_t i = 0; i < n; i++) {
		copy(&b, t->base, at, all[i].span.begin);
		buf_add(&b, all[i].replacement.p, all[i].replacement.n);
		at = all[i].span.end;
	}
	copy(&b, t->base, at, t->base.n);
	if (b.failed || b.n > SOURCE_MAX)
		return false;
	*out = (struct str){ buf_keep(t->arena, &b), b.n };
	return true;
}

void fix_keep(struct fix_text *t, const struct fix *fix, struct str text)
{
	vec_each(&fix->edits, e)
		vec_push(t->arena, &t->made, *e);
	t->text = text;
}
