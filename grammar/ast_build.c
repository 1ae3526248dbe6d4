/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar/ast_build.h"

#include <string.h>

#include "compiler/base/bug.h"

enum { NAME_LETTERS = 64 }; /* of a policy */

struct ast_stmt *ast_add(struct ast_body *b, enum ast_stmt_kind kind)
{
	struct ast_stmt *s = ARENA_NEW(b->arena, struct ast_stmt);

	s->kind = kind;
	s->span = NO_SPAN;
	s->keyword = NO_SPAN;
	s->verdict.span = NO_SPAN;
	s->name.span = NO_SPAN;
	if (b->last)
		b->last->next = s;
	else
		b->first = s;
	b->last = s;
	return s;
}

struct ast_word *ast_word_new(struct arena *a, const char *text)
{
	struct ast_word *w = ARENA_NEW(a, struct ast_word);

	w->text = str_c(arena_strdup(a, text));
	w->span = NO_SPAN;
	return w;
}

void ast_words_add(struct arena *a, struct ast_word **list, const char *text)
{
	while (*list)
		list = &(*list)->next;
	*list = ast_word_new(a, text);
}

void ast_comment_add(struct arena *a, struct ast_comment **list, const char *fmt, ...)
{
	struct ast_comment *c = ARENA_NEW(a, struct ast_comment), *last;
	va_list ap;

	va_start(ap, fmt);
	c->text = str_c(arena_vprintf(a, fmt, ap));
	va_end(ap);
	c->span = NO_SPAN;
	if (!*list) {
		*list = c;
		return;
	}
	last = (*list)->added ? (*list)->added : *list; /* a proposal's head may have thousands */
	while (last->next)
		last = last->next;
	last->next = c;
	(*list)->added = c;
}

#define NUMBER_FORMAT(n) ((n) > 9999 ? "0x%llx" : "%llu")

void ast_number_text(struct buf *out, uint64_t n)
{
	buf_printf(out, NUMBER_FORMAT(n), (unsigned long long)n);
}

struct ast_value *ast_number(struct arena *a, uint64_t n)
{
	struct ast_value *v = ARENA_NEW(a, struct ast_value);

	v->kind = AST_VALUE_NUMBER;
	v->span = NO_SPAN;
	v->number = n;
	v->text = str_c(arena_printf(a, NUMBER_FORMAT(n), (unsigned long long)n));
	return v;
}

struct ast_value *ast_name(struct arena *a, const char *name)
{
	struct ast_value *v = ARENA_NEW(a, struct ast_value);

	v->kind = AST_VALUE_NAME;
	v->span = NO_SPAN;
	v->text = str_c(arena_strdup(a, name));
	return v;
}

struct ast_value *ast_or(struct arena *a, struct ast_value *l, struct ast_value *r)
{
	struct ast_value *v;

	if (!l || !r)
		return l ? l : r;
	v = ARENA_NEW(a, struct ast_value);
	v->kind = AST_VALUE_OR;
	v->span = span_join(l->span, r->span);
	v->left = l;
	v->right = r;
	v->depth = (uint16_t)((l->depth > r->depth ? l->depth : r->depth) + 1);
	return v;
}

struct ast_cond *ast_cmp_new(struct arena *a, const char *arg, bool reg, enum ast_cmp op,
			     struct ast_value *mask, struct ast_value *values)
{
	struct ast_cond *c = ARENA_NEW(a, struct ast_cond);

	c->kind = AST_COND_CMP;
	c->span = NO_SPAN;
	c->op_span = NO_SPAN;
	c->arg = *ast_word_new(a, arg);
	c->reg = reg;
	c->op = op;
	c->mask = mask;
	c->values = values;
	return c;
}

struct ast_cond *ast_cond_join(struct arena *a, enum ast_cond_kind kind, struct ast_cond *l,
			       struct ast_cond *r)
{
	struct ast_cond *c;

	BUG_ON(kind == AST_COND_CMP);
	if (kind != AST_COND_NOT && (!l || !r))
		return l ? l : r;
	c = ARENA_NEW(a, struct ast_cond);
	c->kind = kind;
	c->left = l;
	c->right = r;
	c->span = span_join(l->span, r ? r->span : NO_SPAN);
	c->depth = (r && r->depth > l->depth ? r->depth : l->depth) + 1;
	return c;
}

struct ast_call *ast_call_new(struct arena *a, const char *name, struct ast_cond *cond)
{
	struct ast_call *c = ARENA_NEW(a, struct ast_call);

	c->span = NO_SPAN;
	c->name = *ast_word_new(a, name);
	c->cond = cond;
	if (name[0] == '#') {
		c->by_number = true;
		BUG_ON(str_u64(str_c(name + 1), &c->number));
	}
	return c;
}

/* Names for the errnos that policies use; any other comes out as a number, which is legal. */
static const char *errno_name(unsigned n)
{
	static const struct {
		unsigned n;
		const char *name;
	} names[] = { { 1, "EPERM" }, { 13, "EACCES" }, { 22, "EINVAL" }, { 38, "ENOSYS" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].n == n)
			return names[i].name;
	return NULL;
}

char *ast_policy_name(struct arena *a, const char *file)
{
	const char *base = strrchr(file, '/');

	base = base ? base + 1 : file;
	size_t n = strlen(base), k = 0;
	n = n > 5 && !strcmp(base + n - 5, ".json") ? n - 5 : strcspn(base, ".");
	char *name = arena_alloc(a, n + 2);
	for (size_t i = 0; i < n && k < NAME_LETTERS; i++) {
		bool letter =
			(base[i] >= 'a' && base[i] <= 'z') || (base[i] >= 'A' && base[i] <= 'Z');
		bool digit = base[i] >= '0' && base[i] <= '9';
		if (digit && !k)
			name[k++] = 'p'; /* a name begins with a letter */
		if (letter || digit || (base[i] == '_' && k))
			name[k++] = base[i];
		else if (k && name[k - 1] != '-')
			name[k++] = '-';
	}
	while (k && name[k - 1] == '-')
		k--;
	name[k] = '\0';
	return k && strcmp(file, "<stdin>") ? name : arena_strdup(a, "imported");
}

struct ast_verdict ast_verdict_of(struct arena *a, struct verdict v)
{
	struct ast_verdict out = { .span = NO_SPAN };

	switch (v.kind) {
	case VERDICT_KILL_PROCESS: out.action = AST_ACTION_KILL_PROCESS; return out;
	case VERDICT_KILL_THREAD: out.action = AST_ACTION_KILL_THREAD; return out;
	case VERDICT_TRAP:
		out.action = AST_ACTION_TRAP;
		out.data = v.data ? ast_number(a, v.data) : NULL;
		return out;
	case VERDICT_ERRNO:
		out.action = AST_ACTION_ERRNO;
		out.data = errno_name(v.data) ? ast_name(a, errno_name(v.data)) :
						ast_number(a, v.data);
		return out;
	case VERDICT_NOTIFY: out.action = AST_ACTION_NOTIFY; return out;
	case VERDICT_TRACE:
		out.action = AST_ACTION_TRACE;
		out.data = v.data ? ast_number(a, v.data) : NULL;
		return out;
	case VERDICT_LOG: out.action = AST_ACTION_LOG; return out;
	case VERDICT_ALLOW: out.action = AST_ACTION_ALLOW; return out;
	case VERDICT_NR: break;
	}
	BUG("verdict");
}
