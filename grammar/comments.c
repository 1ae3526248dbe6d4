/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comments belong to the statement beside or below them. The scanner collects them in order;
 * once the tree is there one walk gives each to its statement, so the grammars know none.
 */
#include "grammar/comments.h"

#include <string.h>

struct cursor {
	const struct source *src;
	struct comment_list all;
	comment_site_fn *site;
	size_t i; /* the next comment to give away */
};

static struct ast_comment *peek(const struct cursor *c)
{
	return c->i < c->all.n ? c->all.v[c->i] : NULL;
}

/* Does an empty line stand above this place? */
static bool blank_above(const struct source *src, uint32_t at)
{
	unsigned lines = 0;

	while (at && strchr(" \t\r\n", src->text.p[at - 1]))
		lines += src->text.p[--at] == '\n';
	return lines > 1;
}

static struct ast_comment **end_of(struct ast_comment **list)
{
	while (*list)
		list = &(*list)->next;
	return list;
}

/* Moves the comments that begin before `end` to the end of a list. */
static void take_until(struct cursor *c, uint32_t end, struct ast_comment **list)
{
	struct ast_comment *next;

	list = end_of(list);
	while ((next = peek(c)) && next->span.begin < end) {
		next->blank_before = blank_above(c->src, next->span.begin);
		*list = next;
		list = &next->next;
		c->i++;
	}
}

/* The comment that stands on the line where `at` is, before `end`. */
static void take_beside(struct cursor *c, uint32_t at, uint32_t end, struct ast_comment **place)
{
	struct ast_comment *next = peek(c);

	if (!next || next->span.begin < at || next->span.begin >= end ||
	    memchr(c->src->text.p + at, '\n', next->span.begin - at))
		return;
	*place = next;
	c->i++;
}

static void attach_body(struct cursor *c, void *first, uint32_t end, struct ast_comment **rest);

static uint32_t begin_of(struct cursor *c, void *stmt, uint32_t none)
{
	return stmt ? c->site(stmt).span.begin : none;
}

/*
 * The statement and its `else`s. What stands before '{' leads it; an `else` has no line for that: what
 * stands beside the '}' before it goes in front of that, and what is below goes into its body.
 */
static void attach_inside(struct cursor *c, const struct comment_site *first)
{
	struct comment_site s = *first;

	for (;;) {
		if (s.opening)
			take_beside(c, s.open, begin_of(c, s.body, s.close), s.opening);
		attach_body(c, s.body, s.close, s.inner);
		if (!s.other)
			return;
		uint32_t begin = begin_of(c, s.other, s.span.end);
		take_beside(c, s.close, begin, end_of(s.inner));
		s = c->site(s.other);
	}
}

static void attach_stmt(struct cursor *c, const struct comment_site *s, uint32_t end)
{
	take_until(c, s->span.begin, s->leading);
	*s->blank_before = blank_above(c->src, s->span.begin);
	take_until(c, s->inner ? s->open : s->span.end, s->leading); /* amid it: moves above */
	if (s->inner)
		attach_inside(c, s);
	take_beside(c, s->span.end, begin_of(c, s->next, end), s->trailing);
}

static void attach_body(struct cursor *c, void *first, uint32_t end, struct ast_comment **rest)
{
	struct comment_site s;

	for (void *stmt = first; stmt; stmt = s.next) {
		s = c->site(stmt);
		attach_stmt(c, &s, end);
	}
	take_until(c, end, rest);
}

void comments_attach(const struct source *src, struct comment_list all, void *first,
		     comment_site_fn *site, struct ast_comment **trailer)
{
	struct cursor c = { .src = src, .all = all, .site = site };

	attach_body(&c, first, UINT32_MAX, trailer);
}
