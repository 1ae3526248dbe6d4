/* SPDX-License-Identifier: Apache-2.0 */
/* What the actions of apparmor.y call: nodes and lists. */
#include <string.h>

#include "grammar/apparmor_parser.h"
#include "grammar/list.h"

/* ---- lists ---- */

void aa_add_top(struct aa_parse *p, struct aa_stmts list)
{
	if (!list.first)
		return;
	if (p->top.last)
		p->top.last->next = list.first;
	else
		p->top.first = list.first;
	p->top.last = list.last;
}

struct aa_words aa_words_add(struct aa_parse *p, struct aa_words list, struct aa_word w)
{
	struct aa_word *node = ARENA_NEW(p->arena, struct aa_word);

	*node = w;
	node->next = NULL;
	LIST_ADD(list, node);
	return list;
}

struct aa_items aa_items_add(struct aa_items list, struct aa_item *i)
{
	LIST_ADD(list, i);
	return list;
}

struct aa_stmts aa_stmts_add(struct aa_stmts list, struct aa_stmt *s)
{
	if (s)
		LIST_ADD(list, s);
	return list;
}

/* ---- items ---- */

bool aa_item_is(const struct aa_item *i, const char *word)
{
	return i && i->kind == AA_WORD && !i->word.quoted && str_is(i->word.text, word);
}

struct aa_item *aa_item_word(struct aa_parse *p, struct span sp, enum aa_item_kind kind,
			     struct aa_word word)
{
	struct aa_item *i = ARENA_NEW(p->arena, struct aa_item);

	i->kind = kind;
	i->span = sp;
	i->word = word;
	return i;
}

struct aa_item *aa_item_list(struct aa_parse *p, struct span sp, struct aa_words values)
{
	struct aa_item *i = aa_item_word(p, sp, AA_LIST, (struct aa_word){ 0 });

	i->parens = true;
	i->values = values.first;
	return i;
}

struct aa_item *aa_item_cond(struct aa_parse *p, struct span sp, struct aa_word name, enum aa_op op,
			     struct aa_words values, bool parens)
{
	struct aa_item *i = aa_item_word(p, sp, AA_COND, name);

	i->op = op;
	i->values = values.first;
	i->parens = parens;
	return i;
}

struct aa_item *aa_item_group(struct aa_parse *p, struct span sp, struct aa_word name,
			      struct aa_items conds)
{
	struct aa_item *i = aa_item_word(p, sp, AA_GROUP, name);

	i->op = AA_OP_EQ;
	i->conds = conds.first;
	return i;
}

/* ---- expressions ---- */

struct aa_expr *aa_expr_word(struct aa_parse *p, struct span sp, enum aa_expr_kind kind,
			     struct aa_word word)
{
	struct aa_expr *e = ARENA_NEW(p->arena, struct aa_expr);

	e->kind = kind;
	e->span = sp;
	e->word = word;
	return e;
}

struct aa_expr *aa_expr_cmp(struct aa_parse *p, struct span sp, enum aa_cmp cmp,
			    struct aa_word left, struct aa_word right)
{
	struct aa_expr *e = aa_expr_word(p, sp, AA_EXPR_CMP, left);

	e->cmp = cmp;
	e->other = right;
	return e;
}

struct aa_expr *aa_expr_join(struct aa_parse *p, struct span sp, enum aa_expr_kind kind,
			     struct aa_expr *left, struct aa_expr *right)
{
	struct aa_expr *e = aa_expr_word(p, sp, kind, (struct aa_word){ 0 });

	e->left = left;
	e->right = right;
	e->depth = 1 + (right && right->depth > left->depth ? right->depth : left->depth);
	if (e->depth > AA_CHAIN_MAX)
		aa_too_long(p, sp);
	return e;
}

struct aa_expr *aa_expr_parens(struct aa_expr *e, struct span sp)
{
	e->parens = true;
	e->span = sp;
	return e;
}

/* ---- statements ---- */

static struct aa_stmt *stmt_new(struct aa_parse *p, enum aa_stmt_kind kind, struct span sp)
{
	struct aa_stmt *s = ARENA_NEW(p->arena, struct aa_stmt);

	s->kind = kind;
	s->span = sp;
	s->head = sp;
	return s;
}

/* What a caret points at: the first word behind the prefix, or the prefix. */
static struct span head_of(struct aa_items prefix, struct aa_items items, struct span sign)
{
	if (items.first)
		return items.first->span;
	if (prefix.first)
		return span_join(prefix.first->span, prefix.last->span);
	return sign;
}

/* `sign`: the ',' or '{' behind it. Where bison says that an empty prefix begins is no part of it. */
static struct aa_stmt *rule_new(struct aa_parse *p, struct span sp, struct aa_items prefix,
				struct aa_items items, struct span sign)
{
	const struct aa_item *first = prefix.first ? prefix.first : items.first;
	struct aa_stmt *s = stmt_new(p, AA_STMT_RULE, sp);

	s->span.begin = first ? first->span.begin : sign.begin;
	s->head = head_of(prefix, items, sign);
	s->prefix = prefix.first;
	s->items = items.first;
	return s;
}

struct aa_stmt *aa_rule(struct aa_parse *p, struct span sp, struct aa_items prefix,
			struct aa_items items)
{
	return rule_new(p, sp, prefix, items, (struct span){ sp.source, sp.end - 1, sp.end });
}

struct aa_stmt *aa_braces(struct aa_parse *p, struct span sp, struct aa_items prefix,
			  struct aa_items items, struct aa_stmts body, struct span block)
{
	struct span sign = { block.source, block.begin, block.begin + 1 };
	struct aa_stmt *s = rule_new(p, sp, prefix, items, sign);

	s->kind = items.first ? AA_STMT_PROFILE : AA_STMT_BLOCK;
	s->body = body.first;
	s->block = block;
	return s;
}

struct aa_stmt *aa_if(struct aa_parse *p, struct span sp, struct aa_expr *e, struct aa_stmts body,
		      struct span block, struct aa_stmt *otherwise)
{
	struct aa_stmt *s = stmt_new(p, AA_STMT_IF, sp);

	s->head = (struct span){ sp.source, sp.begin, e->span.end };
	s->expr = e;
	s->body = body.first;
	s->block = block;
	s->otherwise = otherwise;
	return s;
}

/* A '\\' alone ends the file: printed, it would join the line end behind it. */
static void tell_open_escape(struct aa_parse *p, const struct aa_word *last)
{
	struct diag *d;

	if (!last || last->quoted || last->span.end < p->src->text.n || !str_is(last->text, "\\"))
		return;
	d = diag_add(p->diags, DIAG_PL002, last->span,
		     "the file ends in a '\\' that has nothing to escape");
	diag_help(p->diags, d, "take it out, or end the line behind the value that is meant");
}

struct aa_stmt *aa_set(struct aa_parse *p, struct span sp, enum aa_op op, struct aa_word word,
		       struct aa_words values, struct aa_expr *e)
{
	struct aa_stmt *s = stmt_new(p, e ? AA_STMT_BOOL : AA_STMT_VAR, sp);

	s->head = word.span;
	s->op = op;
	s->word = word;
	s->values = values.first;
	s->expr = e;
	tell_open_escape(p, values.last);
	return s;
}

struct aa_stmt *aa_include(struct aa_parse *p, struct span sp, struct aa_word how,
			   struct aa_word file)
{
	struct aa_stmt *s = stmt_new(p, AA_STMT_INCLUDE, sp);

	s->hash = str_starts(how.text, "#");
	s->if_exists = how.text.n > strlen("#include");
	s->word = file;
	if (!file.quoted && file.text.n > 1 && file.text.p[0] == '<') {
		s->magic = true;
		s->word.text = (struct str){ file.text.p + 1, file.text.n - 2 };
	}
	return s;
}
