/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comments belong to the statement beside or below them. The scanner collects them in order;
 * once the tree is there one walk gives each to its statement, so the grammar knows none.
 */
#include <string.h>

#include "grammar/comments.h"

struct cursor {
	const struct parse *p;
	size_t i; /* the next comment to give away */
};

static struct ast_comment *peek(const struct cursor *c)
{
	return c->i < c->p->comments.n ? c->p->comments.v[c->i] : NULL;
}

/* Does an empty line stand above this place? */
static bool blank_above(const struct source *src, uint32_t at)
{
	unsigned lines = 0;

	while (at && strchr(" \t\r\n", src->text.p[at - 1]))
		lines += src->text.p[--at] == '\n';
	return lines > 1;
}

/* Moves the comments that begin before `end` to the end of a list. */
static void take_until(struct cursor *c, uint32_t end, struct ast_comment **list)
{
	struct ast_comment *next;

	while (*list)
		list = &(*list)->next;
	while ((next = peek(c)) && next->span.begin < end) {
		next->blank_before = blank_above(c->p->src, next->span.begin);
		*list = next;
		list = &next->next;
		c->i++;
	}
}

static bool on_one_line(const struct source *src, uint32_t from, uint32_t to)
{
	return !memchr(src->text.p + from, '\n', to - from);
}

static void attach_body(struct cursor *c, struct ast_stmt *stmts, uint32_t end,
			struct ast_comment **rest);

static void attach_stmt(struct cursor *c, struct ast_stmt *s, uint32_t end)
{
	const struct source *src = c->p->src;
	struct ast_comment *next;

	take_until(c, s->span.begin, &s->leading);
	s->blank_before = blank_above(src, s->span.begin);
	if (s->kind == AST_STMT_POLICY || s->kind == AST_STMT_SET || s->kind == AST_STMT_WHEN)
		attach_body(c, s->body, s->span.end, &s->inner);
	else
		take_until(c, s->span.end, &s->leading); /* amid a list: it moves above */
	next = peek(c);
	if (!next || next->span.begin >= end || !on_one_line(src, s->span.end, next->span.begin))
		return;
	if (s->next && s->next->span.begin < next->span.begin)
		return;
	s->trailing = next;
	c->i++;
}

static void attach_body(struct cursor *c, struct ast_stmt *stmts, uint32_t end,
			struct ast_comment **rest)
{
	for (struct ast_stmt *s = stmts; s; s = s->next)
		attach_stmt(c, s, end);
	take_until(c, end, rest);
}

void comments_attach(const struct parse *p, struct ast_file *file)
{
	struct cursor c = { .p = p };

	attach_body(&c, file->stmts, UINT32_MAX, &file->trailer);
}
