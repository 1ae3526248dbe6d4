/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printtool FILE...    each file parsed, printed and parsed again: "same", "refused" or what differs
 * printtool -i FILE...  each file printed over itself: what is too odd to be known for AppArmor's, too
 * printtool -r SEED N  the same of N trees made at random
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/apparmor/again.h"

static bool print_over(const char *path, const struct aa_file *file)
{
	BUF_AUTO text = { 0 };
	FILE *f = fopen(path, "w");
	bool good;

	aa_print(&text, file);
	good = f && fwrite(text.p ? text.p : "", 1, text.n, f) == text.n;
	return f && !fclose(f) && good;
}

static bool try_file(const char *path, bool over)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src;
	const char *wrong = "cannot be read";

	if (!source_load(sources, path, &src)) {
		struct aa_file *file = aa_parse_source(a, src, ds);

		wrong = ds->errors ? "refused" : try_again(a, sources, ds, file, true);
		if (over && !wrong && !print_over(path, file))
			wrong = "cannot be written";
	}
	printf("%s\t%s\n", wrong ? wrong : "same", path);
	arena_free(a);
	return !wrong || !strcmp(wrong, "refused");
}

/* ---- random trees ---- */

struct maker {
	struct arena *arena;
	unsigned long long state;
};

static unsigned below(struct maker *m, unsigned n)
{
	m->state = m->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(m->state >> 33) % n;
}

static bool one_in(struct maker *m, unsigned n)
{
	return !below(m, n);
}

static struct aa_word pick(struct maker *m, const char *const *list, unsigned n)
{
	return (struct aa_word){ .text = str_c(list[below(m, n)]) };
}

#define PICK(m, list) pick((m), (list), sizeof(list) / sizeof(*(list)))

static struct aa_word path(struct maker *m)
{
	static const char *const bare[] = {
		"/",    "/a",     "/a/**",   "/{,usr/}lib/*.so", "@{HOME}/x",
		"/a,b", "/a\\ b", "/a\\,",   "/a[^b]?",          "@{P}/{1,2}/",
		"/#x",  "/a}",    "/a\\\"b", "@{A}@{B}",         "/a=b",
		"/a:b", "/a(b)",  "/\xff"
	};
	static const char *const quoted[] = { "/a b",  "/",    "",        "in",   "/a\\\"b",
					      "x,y",   "/#",   "include", "@{X}", " ",
					      "\\\\a", "a\nb", "{",       "->",   "=" };

	if (one_in(m, 4)) {
		struct aa_word w = PICK(m, quoted);

		w.quoted = true;
		return w;
	}
	return PICK(m, bare);
}

static struct aa_word *words(struct maker *m, unsigned n)
{
	struct aa_word *list = NULL;

	while (n--) {
		struct aa_word *w = ARENA_NEW(m->arena, struct aa_word);

		*w = path(m);
		w->next = list;
		list = w;
	}
	return list;
}

/* Of a list in parentheses, where ',', '(' and ')' end a word. */
static struct aa_word *plain_words(struct maker *m, unsigned n)
{
	static const char *const plain[] = { "read",  "send", "rw",   "a.b.c", "#1",
					     "in",    "a=b",  "@{X}", "/a",    "include",
					     "a\\,b", "a\\)", "a:b" };
	struct aa_word *list = NULL;

	while (n--) {
		struct aa_word *w = ARENA_NEW(m->arena, struct aa_word);

		*w = one_in(m, 4) ? path(m) : PICK(m, plain);
		if (!w->quoted && strpbrk(w->text.p, "()"))
			w->quoted = true;
		if (!w->quoted && memchr(w->text.p, ',', w->text.n) && !strchr(w->text.p, '\\'))
			w->quoted = true;
		w->next = list;
		list = w;
	}
	return list;
}

static struct aa_item *item(struct maker *m, struct aa_item **list, enum aa_item_kind kind,
			    struct aa_word word)
{
	struct aa_item *i = ARENA_NEW(m->arena, struct aa_item);

	while (*list)
		list = &(*list)->next;
	*list = i;
	i->kind = kind;
	i->word = word;
	i->parens = kind == AA_LIST;
	return i;
}

static struct aa_word word(const char *text)
{
	return (struct aa_word){ .text = str_c(text) };
}

static void prefix(struct maker *m, struct aa_stmt *s)
{
	static const char *const all[] = { "audit", "deny", "allow", "owner", "other", "prompt" };
	static const char *const numbers[] = { "5", "-1000", "+7", "0" };
	struct aa_word *w;

	if (one_in(m, 8)) {
		struct aa_item *i = item(m, &s->prefix, AA_COND, word("priority"));

		w = ARENA_NEW(m->arena, struct aa_word);
		*w = PICK(m, numbers);
		i->op = AA_OP_EQ;
		i->values = w;
	}
	while (one_in(m, 3))
		item(m, &s->prefix, AA_WORD, PICK(m, all));
}

static void condition(struct maker *m, struct aa_item **list)
{
	static const char *const names[] = { "set",    "peer_", "type", "options",
					     "fstype", "path",  "label" };
	struct aa_item *i = item(m, list, AA_COND, PICK(m, names));
	static const enum aa_op all[] = { AA_OP_EQ, AA_OP_SET, AA_OP_IN };

	i->op = all[below(m, 3)];
	i->parens = i->op == AA_OP_IN || (i->op == AA_OP_EQ && one_in(m, 2));
	i->values = i->parens ? plain_words(m, below(m, 4)) : words(m, 1);
}

/* A rule with conditions. */
static void typed(struct maker *m, struct aa_stmt *s)
{
	static const char *const heads[] = { "mount",   "signal", "unix",  "dbus",
					     "network", "ptrace", "mqueue" };
	static const char *const args[] = { "send", "receive", "inet", "stream",
					    "in",   "include", "#x",   "a,b" };
	struct aa_item *peer;

	item(m, &s->items, AA_WORD, PICK(m, heads));
	while (one_in(m, 2))
		item(m, &s->items, AA_WORD, one_in(m, 3) ? path(m) : PICK(m, args));
	if (one_in(m, 3))
		item(m, &s->items, AA_LIST, word(""))->values = plain_words(m, below(m, 4));
	while (one_in(m, 2))
		condition(m, &s->items);
	if (one_in(m, 4)) {
		peer = item(m, &s->items, AA_GROUP, word("peer"));
		peer->op = AA_OP_EQ;
		while (one_in(m, 2)) {
			struct aa_item *c = item(m, &peer->conds, AA_COND, word("name"));

			c->op = AA_OP_EQ;
			c->parens = one_in(m, 3);
			c->values = plain_words(m, c->parens ? below(m, 3) : 1);
		}
	}
	if (one_in(m, 4))
		item(m, &s->items, AA_ARROW, path(m));
}

static void rule(struct maker *m, struct aa_stmt *s)
{
	static const char *const perms[] = { "r", "rw", "mrix", "Pxwk", "l", "px", "file", "link" };
	static const char *const changes[] = {
		"=a", ":=b", "in", "(b)", "/a", "x,y", "#z", "unsafe"
	};

	s->kind = AA_STMT_RULE;
	prefix(m, s);
	switch (below(m, 5)) {
	case 0: typed(m, s); return;
	case 1:
		item(m, &s->items, AA_WORD, word("change_profile"));
		while (one_in(m, 2))
			item(m, &s->items, AA_WORD, one_in(m, 2) ? path(m) : PICK(m, changes));
		if (one_in(m, 2))
			item(m, &s->items, AA_ARROW, one_in(m, 2) ? path(m) : PICK(m, changes));
		return;
	case 2:
		item(m, &s->items, AA_WORD, word("set"));
		item(m, &s->items, AA_WORD, word("rlimit"));
		item(m, &s->items, AA_WORD, word("nofile"));
		item(m, &s->items, AA_LE, word(""));
		item(m, &s->items, AA_WORD, word("-5"));
		return;
	default:
		item(m, &s->items, AA_WORD, path(m));
		item(m, &s->items, AA_WORD, PICK(m, perms));
		if (one_in(m, 4))
			item(m, &s->items, AA_ARROW, path(m));
	}
}

static struct aa_expr *expr(struct maker *m, unsigned depth)
{
	static const char *const values[] = { "true", "false", "a", "/b", "@{V}", "3" };
	struct aa_expr *e = ARENA_NEW(m->arena, struct aa_expr);

	e->parens = one_in(m, 4);
	switch (depth ? below(m, 7) : below(m, 4)) {
	case 0:
		e->kind = AA_EXPR_BOOL;
		e->word = word("${B}");
		return e;
	case 1:
		e->kind = AA_EXPR_DEFINED;
		e->word = word(one_in(m, 2) ? "${B}" : "@{V}");
		return e;
	case 2:
		e->kind = AA_EXPR_CMP;
		e->cmp = (enum aa_cmp)below(m, AA_CMP_LE + 1);
		e->word = PICK(m, values);
		e->other = PICK(m, values);
		return e;
	case 3:
		e->kind = AA_EXPR_VALUE;
		e->word = PICK(m, values);
		return e;
	case 4:
		e->kind = AA_EXPR_NOT;
		e->left = expr(m, depth - 1);
		e->left->parens |= e->left->kind == AA_EXPR_AND || e->left->kind == AA_EXPR_OR;
		return e;
	default: break;
	}
	e->kind = one_in(m, 2) ? AA_EXPR_AND : AA_EXPR_OR;
	e->left = expr(m, depth - 1);
	e->right = expr(m, depth - 1);
	e->left->parens |= e->kind == AA_EXPR_AND && e->left->kind == AA_EXPR_OR;
	e->right->parens |= e->right->kind == AA_EXPR_OR || e->right->kind == e->kind;
	return e;
}

static struct ast_comment *comments(struct maker *m, unsigned n)
{
	static const char *const all[] = {
		"", " a", "include <x>", "#", " b\n c", "!", "\t", "{ },"
	};
	struct ast_comment *list = NULL;

	while (n--) {
		struct ast_comment *c = ARENA_NEW(m->arena, struct ast_comment);

		c->text = str_c(all[below(m, 8)]);
		c->blank_before = one_in(m, 3);
		c->next = list;
		list = c;
	}
	return list;
}

static struct aa_stmt *body(struct maker *m, unsigned depth);

static void profile(struct maker *m, struct aa_stmt *s, unsigned depth)
{
	static const char *const names[] = { "a", "a//b", "/usr/bin/x", "in", "=", "(a)", ":ns:c" };

	s->kind = AA_STMT_PROFILE;
	switch (below(m, 4)) {
	case 0: item(m, &s->items, AA_WORD, word("^")); break;
	case 1: item(m, &s->items, AA_WORD, word("hat")); break;
	default: item(m, &s->items, AA_WORD, word("profile"));
	}
	item(m, &s->items, AA_WORD, one_in(m, 3) ? path(m) : PICK(m, names));
	if (one_in(m, 2))
		item(m, &s->items, AA_WORD, path(m));
	if (one_in(m, 2))
		condition(m, &s->items);
	if (one_in(m, 3)) {
		struct aa_item *i = item(m, &s->items, AA_COND, word("flags"));

		i->op = AA_OP_EQ;
		i->parens = true;
		i->values = plain_words(m, 1 + below(m, 3));
	}
	s->body = body(m, depth);
}

static void choice(struct maker *m, struct aa_stmt *s, unsigned depth)
{
	s->kind = AA_STMT_IF;
	s->expr = expr(m, 3);
	s->body = body(m, depth);
	if (one_in(m, 2))
		return;
	s->otherwise = ARENA_NEW(m->arena, struct aa_stmt);
	if (one_in(m, 2)) {
		choice(m, s->otherwise, depth);
		return;
	}
	s->otherwise->kind = AA_STMT_BLOCK;
	s->otherwise->body = body(m, depth);
	s->otherwise->opening = comments(m, one_in(m, 4));
}

static void setting(struct maker *m, struct aa_stmt *s)
{
	s->op = (enum aa_op)(AA_OP_EQ + below(m, 4)) & 0xff;
	if (one_in(m, 3)) {
		s->kind = AA_STMT_BOOL;
		s->word = word(one_in(m, 2) ? "${B}" : "$B");
		s->expr = expr(m, 2);
		return;
	}
	s->kind = AA_STMT_VAR;
	s->word = word(one_in(m, 2) ? "@{X}" : "@X");
	s->values = words(m, below(m, 4));
}

static void include(struct maker *m, struct aa_stmt *s)
{
	s->kind = AA_STMT_INCLUDE;
	s->hash = one_in(m, 3);
	s->if_exists = one_in(m, 3);
	s->magic = one_in(m, 2);
	s->word = word("abstractions/base");
	if (!s->magic && one_in(m, 2))
		s->word = (struct aa_word){ .text = STR("a b"), .quoted = true };
}

static struct aa_stmt *stmt(struct maker *m, unsigned depth)
{
	struct aa_stmt *s = ARENA_NEW(m->arena, struct aa_stmt);

	switch (depth ? below(m, 9) : below(m, 6)) {
	case 0: setting(m, s); break;
	case 1: include(m, s); break;
	case 6: profile(m, s, depth - 1); break;
	case 7: choice(m, s, depth - 1); break;
	case 8:
		s->kind = AA_STMT_BLOCK;
		prefix(m, s);
		s->body = body(m, depth - 1);
		break;
	default: rule(m, s);
	}
	s->blank_before = one_in(m, 4);
	s->leading = comments(m, one_in(m, 4) ? 1 + below(m, 3) : 0);
	s->trailing = comments(m, one_in(m, 6));
	if (s->kind == AA_STMT_PROFILE || s->kind == AA_STMT_BLOCK || s->kind == AA_STMT_IF) {
		s->opening = comments(m, one_in(m, 4));
		s->inner = comments(m, one_in(m, 4) ? 1 + below(m, 2) : 0);
	}
	return s;
}

static struct aa_stmt *body(struct maker *m, unsigned depth)
{
	struct aa_stmt *first = NULL;

	for (unsigned n = below(m, 5); n; n--) {
		struct aa_stmt *s = stmt(m, depth);

		s->next = first;
		first = s;
	}
	return first;
}

static bool try_random(unsigned long long seed)
{
	struct maker m = { .arena = arena_new(NULL), .state = seed * 0x9e3779b97f4a7c15ULL + 1 };
	struct sources *sources = sources_new(m.arena);
	struct diags *ds = diags_new(m.arena, sources);
	struct aa_file file = { .stmts = body(&m, 4), .trailer = comments(&m, below(&m, 3)) };
	const char *wrong = try_again(m.arena, sources, ds, &file, false);

	if (wrong)
		printf("%s\tseed %llu\n", wrong, seed);
	arena_free(m.arena);
	return !wrong;
}

int main(int argc, char **argv)
{
	bool good = true;

	if (argc == 4 && !strcmp(argv[1], "-r")) {
		unsigned long long first = strtoull(argv[2], NULL, 0),
				   n = strtoull(argv[3], NULL, 0);

		for (unsigned long long i = 0; i < n && good; i++)
			good = try_random(first + i);
		return !good;
	}
	bool over = argc > 1 && !strcmp(argv[1], "-i");
	for (int i = 1 + over; i < argc; i++)
		good &= try_file(argv[i], over);
	return !good;
}
