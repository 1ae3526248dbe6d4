/* SPDX-License-Identifier: Apache-2.0 */
/* What the grammar's actions call: nodes and lists. No name is looked up here. */
#include <string.h>

#include "grammar/apparmor_tree.h"
#include "grammar/list.h"
#include "grammar/parser.h"

/* ---- lists ---- */

void parse_add_top(struct parse *p, struct ast_stmt *stmt)
{
	p->top = stmts_add(p->top, stmt);
}

struct ast_stmts stmts_add(struct ast_stmts list, struct ast_stmt *stmt)
{
	if (stmt)
		LIST_ADD(list, stmt);
	return list;
}

struct ast_words words_add(struct parse *p, struct ast_words list, struct ast_word w)
{
	struct ast_word *node = ARENA_NEW(p->arena, struct ast_word);

	*node = w;
	node->next = NULL;
	LIST_ADD(list, node);
	return list;
}

struct ast_calls calls_add(struct ast_calls list, struct ast_call *c)
{
	LIST_ADD(list, c);
	return list;
}

struct ast_networks networks_add(struct ast_networks list, struct ast_network *n)
{
	LIST_ADD(list, n);
	return list;
}

struct ast_values values_one(struct ast_value *v)
{
	return (struct ast_values){ v, v };
}

struct ast_values values_add(struct ast_values list, struct ast_value *v)
{
	LIST_ADD(list, v);
	return list;
}

/* ---- statements ---- */

static struct ast_stmt *stmt_new(struct parse *p, enum ast_stmt_kind kind, struct span sp,
				 struct span keyword)
{
	struct ast_stmt *s = ARENA_NEW(p->arena, struct ast_stmt);

	s->kind = kind;
	s->span = sp;
	s->keyword = keyword;
	return s;
}

struct ast_stmt *stmt_block(struct parse *p, enum ast_stmt_kind kind, struct span sp,
			    struct span keyword, struct ast_word name, struct ast_stmts body)
{
	struct ast_stmt *s = stmt_new(p, kind, sp, keyword);

	s->name = name;
	s->body = body.first;
	return s;
}

struct ast_stmt *stmt_path(struct parse *p, enum ast_stmt_kind kind, struct span sp,
			   struct span keyword, struct ast_word path)
{
	struct ast_stmt *s = stmt_new(p, kind, sp, keyword);

	s->paths = words_add(p, (struct ast_words){ 0 }, path).first;
	return s;
}

struct ast_stmt *stmt_end(struct ast_stmt *s, struct span sp)
{
	if (s)
		s->span = sp;
	return s;
}

struct ast_stmt *stmt_use(struct parse *p, struct span sp, struct span keyword,
			  struct ast_words names, struct ast_word *except)
{
	struct ast_stmt *s = stmt_words(p, AST_STMT_USE, sp, keyword, names);

	s->except = except;
	return s;
}

struct ast_stmt *stmt_limit(struct parse *p, struct span sp, struct span keyword,
			    struct ast_word name, struct ast_value *value)
{
	struct ast_words words = words_add(p, (struct ast_words){ 0 }, name);
	struct ast_stmt *s = stmt_words(p, AST_STMT_LIMIT, sp, keyword, words);

	s->value = value;
	return s;
}

struct ast_stmt *stmt_calls(struct parse *p, struct span sp, struct ast_verdict v,
			    struct ast_calls calls)
{
	struct ast_stmt *s = stmt_new(p, AST_STMT_CALLS, sp, v.span);

	s->verdict = v;
	s->calls = calls.first;
	return s;
}

struct ast_stmt *stmt_prefix(struct parse *p, struct span sp, struct ast_verdict v,
			     struct ast_stmt *s)
{
	(void)p;
	if (!s)
		return NULL;
	s->span = sp;
	s->keyword = v.span;
	s->verdict = v;
	s->explicit_allow = v.action == AST_ACTION_ALLOW;
	return s;
}

struct ast_stmt *stmt_file(struct parse *p, struct span sp, struct span keyword, bool owner,
			   struct ast_word perms, struct ast_words paths, struct ast_word target)
{
	struct ast_stmt *s = stmt_new(p, AST_STMT_FILE, sp, keyword);

	s->owner = owner;
	s->perms = words_add(p, (struct ast_words){ 0 }, perms).first;
	s->paths = paths.first;
	s->target = target;
	return s;
}

struct ast_stmt *stmt_words(struct parse *p, enum ast_stmt_kind kind, struct span sp,
			    struct span keyword, struct ast_words words)
{
	struct ast_stmt *s = stmt_new(p, kind, sp, keyword);

	s->words = words.first;
	return s;
}

struct ast_stmt *stmt_network(struct parse *p, struct span sp, struct span keyword,
			      struct ast_networks networks)
{
	struct ast_stmt *s = stmt_new(p, AST_STMT_NETWORK, sp, keyword);

	s->networks = networks.first;
	return s;
}

struct ast_stmt *stmt_signal(struct parse *p, struct span sp, struct span keyword,
			     struct ast_words directions, struct ast_words signals,
			     struct ast_word peer)
{
	struct ast_stmt *s = stmt_new(p, AST_STMT_SIGNAL, sp, keyword);

	s->perms = directions.first;
	s->words = signals.first;
	s->target = peer;
	return s;
}

struct ast_stmt *stmt_when(struct parse *p, struct span sp, struct span keyword,
			   struct ast_env *env, struct ast_stmts body)
{
	struct ast_stmt *s = stmt_new(p, AST_STMT_WHEN, sp, keyword);

	s->env = env;
	s->body = body.first;
	return s;
}

struct ast_stmt *header_path(struct parse *p, struct span sp, struct span keyword,
			     struct ast_word path)
{
	struct ast_stmt *s = stmt_path(p, AST_STMT_HEADER, sp, keyword, path);

	s->header = AST_HEADER_PROGRAM;
	return s;
}

struct ast_stmt *header_level(struct parse *p, struct span sp, struct span keyword,
			      struct ast_word name, struct ast_word version)
{
	struct ast_words words = words_add(p, (struct ast_words){ 0 }, name);
	struct ast_stmt *s = header_words(p, AST_HEADER_LEVEL, sp, keyword, words);

	s->version = version;
	return s;
}

struct ast_stmt *header_words(struct parse *p, enum ast_header h, struct span sp,
			      struct span keyword, struct ast_words words)
{
	struct ast_stmt *s = stmt_words(p, AST_STMT_HEADER, sp, keyword, words);

	s->header = h;
	return s;
}

struct ast_stmt *header_verdict(struct parse *p, enum ast_header h, struct span sp,
				struct span keyword, struct ast_verdict v)
{
	struct ast_stmt *s = stmt_new(p, AST_STMT_HEADER, sp, keyword);

	s->header = h;
	s->verdict = v;
	return s;
}

struct ast_verdict verdict_of(enum ast_action action, struct span sp, struct ast_value *data)
{
	return (struct ast_verdict){ .action = action, .span = sp, .data = data };
}

struct ast_network *network_new(struct parse *p, struct ast_word family, struct ast_word type,
				struct ast_value *protocol)
{
	struct ast_network *n = ARENA_NEW(p->arena, struct ast_network);

	n->family = family;
	n->type = type;
	n->protocol = protocol;
	return n;
}

/* ---- calls and conditions ---- */

struct ast_call *call_new(struct parse *p, struct span sp, struct ast_word name,
			  struct ast_cond *cond)
{
	struct ast_call *c = ARENA_NEW(p->arena, struct ast_call);

	c->span = sp;
	c->name = name;
	c->cond = cond;
	return c;
}

static uint64_t number_behind_hash(struct parse *p, struct ast_word nr)
{
	struct span sp = { nr.span.source, nr.span.begin + 1, nr.span.end };

	return scan_number(p, sp)->number;
}

struct ast_call *call_by_number(struct parse *p, struct span sp, struct ast_word nr,
				struct ast_cond *cond)
{
	struct ast_call *c = call_new(p, sp, nr, cond);

	c->by_number = true;
	c->number = number_behind_hash(p, nr);
	return c;
}

struct ast_cond *operand_new(struct parse *p, struct span sp, bool reg, struct ast_word arg,
			     struct ast_value *mask)
{
	struct ast_cond *c = ARENA_NEW(p->arena, struct ast_cond);

	c->kind = AST_COND_CMP;
	c->span = sp;
	c->reg = reg;
	c->arg = arg;
	c->mask = mask;
	return c;
}

struct ast_cond *cond_cmp(struct ast_cond *c, struct span sp, enum ast_cmp op, struct span op_span,
			  struct ast_values values)
{
	c->span = sp;
	c->op = op;
	c->op_span = op_span;
	c->values = values.first;
	return c;
}

static unsigned deeper(struct parse *p, struct span sp, unsigned a, unsigned b)
{
	unsigned depth = (a > b ? a : b) + 1;

	if (depth > PARSE_CHAIN_MAX && !p->stopped) {
		struct diag *d = diag_add(p->diags, DIAG_PL004, sp,
					  "more than %d terms in one expression", PARSE_CHAIN_MAX);
		diag_help(p->diags, d, "write several rules, or 'in' with ranges");
		p->stopped = true;
	}
	return depth;
}

struct ast_cond *cond_join(struct parse *p, struct span sp, enum ast_cond_kind kind, bool comma,
			   struct ast_cond *left, struct ast_cond *right)
{
	struct ast_cond *c = ARENA_NEW(p->arena, struct ast_cond);

	c->kind = kind;
	c->span = sp;
	c->comma = comma;
	c->left = left;
	c->right = right;
	c->depth = deeper(p, sp, left->depth, right ? right->depth : 0);
	return c;
}

struct ast_cond *cond_parens(struct ast_cond *c, struct span sp)
{
	c->span = sp;
	c->parens = true;
	return c;
}

struct ast_value *value_name(struct parse *p, struct ast_word name)
{
	struct ast_value *v = ARENA_NEW(p->arena, struct ast_value);

	v->kind = AST_VALUE_NAME;
	v->span = name.span;
	v->text = name.text;
	return v;
}

struct ast_value *value_pair(struct parse *p, struct span sp, enum ast_value_kind kind,
			     struct ast_value *left, struct ast_value *right)
{
	struct ast_value *v = ARENA_NEW(p->arena, struct ast_value);

	v->kind = kind;
	v->span = sp;
	v->left = left;
	v->right = right;
	v->depth = (uint16_t)deeper(p, sp, left->depth, right->depth);
	return v;
}

/* ---- the environment ---- */

struct ast_env *env_words(struct parse *p, struct span sp, enum ast_env_kind kind,
			  struct ast_words words)
{
	struct ast_env *e = ARENA_NEW(p->arena, struct ast_env);

	e->kind = kind;
	e->span = sp;
	e->words = words.first;
	return e;
}

struct ast_env *env_join(struct parse *p, struct span sp, enum ast_env_kind kind,
			 struct ast_env *left, struct ast_env *right)
{
	struct ast_env *e = env_words(p, sp, kind, (struct ast_words){ 0 });

	e->left = left;
	e->right = right;
	e->depth = deeper(p, sp, left->depth, right ? right->depth : 0);
	return e;
}

struct ast_env *env_parens(struct ast_env *e, struct span sp)
{
	e->span = sp;
	e->parens = true;
	return e;
}

struct ast_env *env_kernel(struct parse *p, struct span sp, enum ast_cmp op,
			   struct ast_word version)
{
	struct ast_env *e = env_words(p, sp, AST_ENV_KERNEL, (struct ast_words){ 0 });

	e->op = op;
	e->version = version;
	return e;
}

/* ---- one call of the command line ---- */

void parse_call_name(struct parse *p, struct span sp, struct ast_word name)
{
	(void)sp;
	p->call->name = name;
}

void parse_call_number(struct parse *p, struct span sp, struct ast_word nr)
{
	parse_call_name(p, sp, nr);
	p->call->by_number = true;
	p->call->number = number_behind_hash(p, nr);
}

void parse_call_arg(struct parse *p, struct span sp, struct ast_word name, struct ast_value *value)
{
	struct ast_call_args *c = p->call;

	if (c->nargs == sizeof(c->args) / sizeof(c->args[0])) {
		diag_add(p->diags, DIAG_PL002, sp, "a system call has at most six arguments");
		p->stopped = true;
		return;
	}
	c->args[c->nargs].name = name;
	c->args[c->nargs++].value = value;
}

/* ---- rules in AppArmor's own words ---- */

/* Its comments are kept where all are: what the rule's grammar sees of them is blanks. */
static char *without_comments(struct parse *p, struct ast_word text)
{
	char *copy = arena_dup(p->arena, text.text.p, text.text.n);

	for (size_t i = p->comments.n; i--;) {
		struct span c = p->comments.v[i]->span;

		if (c.begin < text.span.begin)
			break;
		if (c.end <= text.span.end)
			memset(copy + (c.begin - text.span.begin), ' ', c.end - c.begin);
	}
	return copy;
}

static struct ast_stmt *own_words(struct parse *p, enum ast_stmt_kind kind, struct span sp,
				  struct ast_word text)
{
	struct span keyword = text.span;
	struct ast_stmt *s;
	struct aa_stmt *rule;

	if (text.span.end >= p->src->text.n) /* the ';' is missing: told by who misses it */
		return NULL;
	rule = aa_parse_rule(p->arena, p->src, text.span, without_comments(p, text), p->diags);
	if (!rule)
		return NULL;
	keyword.end = rule->items->span.end;
	s = stmt_new(p, kind, sp, keyword);
	s->rule = rule;
	return s;
}

struct ast_stmt *stmt_apparmor(struct parse *p, struct span sp, struct ast_word text)
{
	return own_words(p, AST_STMT_APPARMOR, sp, text);
}

struct ast_stmt *header_apparmor(struct parse *p, struct span sp, struct ast_word text)
{
	struct ast_stmt *s = own_words(p, AST_STMT_HEADER, sp, text);

	if (s)
		s->header = AST_HEADER_APPARMOR;
	return s;
}
