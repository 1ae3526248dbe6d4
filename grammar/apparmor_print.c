/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of AppArmor text, as AppArmor's own profiles have it: two blanks a level, a statement
 * a line, lists as (a, b). What two words mean may hang on the blank between them, so where a blank
 * would join them, a line ends instead: texts where that happens are odd, and stay what they are.
 */
#include "grammar/apparmor_print.h"

#include <string.h>

#include "compiler/base/bug.h"

enum { INDENT = 2 };

static const char *const ops[AA_OP_NR] = {
	[AA_OP_NONE] = "",      [AA_OP_EQ] = "=",   [AA_OP_ADD] = "+=",
	[AA_OP_DEFAULT] = "?=", [AA_OP_SET] = ":=", [AA_OP_IN] = "in",
};

static void put_str(struct buf *out, struct str s)
{
	if (s.n)
		buf_add(out, s.p, s.n);
}

static void put_spaces(struct buf *out, unsigned n)
{
	while (n--)
		buf_putc(out, ' ');
}

/* ---- words ---- */

static void put_word(struct buf *out, const struct aa_word *w)
{
	if (w->quoted)
		buf_putc(out, '"');
	put_str(out, w->text);
	if (w->quoted)
		buf_putc(out, '"');
}

static bool word_is(const struct aa_word *w, const char *text)
{
	return !w->quoted && str_is(w->text, text);
}

/*
 * Its last backslash, one that another one protects as well, is joined to what comes next: only the
 * end of a line is not.
 */
static bool ends_open(const struct aa_word *w)
{
	return !w->quoted && w->text.n && w->text.p[w->text.n - 1] == '\\';
}

/* What parts a word from what follows it. */
static void put_gap(struct buf *out, const struct aa_word *w, const char *gap)
{
	buf_puts(out, ends_open(w) ? "\n" : gap);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("/.*?{}[]^@_:+~%-,", c)) || (unsigned char)c >= 0x80;
}

static bool needs_escape(char c)
{
	if ((unsigned char)c >= 0x80)
		return false;
	return is_plain(c) ? !strchr("/.+~%-:_@", c) : strchr("$\"", c) != NULL;
}

/* Behind a backslash. The scanner takes the second half of an escaped one, before a blank or a
 * quote, for an escape of that: octal then. */
static void put_escaped(struct buf *out, char c)
{
	if (c == '\\') {
		buf_puts(out, "\\134");
		return;
	}
	if (needs_escape(c))
		buf_putc(out, '\\');
	buf_putc(out, c);
}

static bool is_bare(struct str s)
{
	int braces = 0;

	for (size_t i = 0; i < s.n; i++) {
		braces += (s.p[i] == '{') - (s.p[i] == '}');
		if (!is_plain(s.p[i]) && s.p[i] != '\\')
			return false;
		if (s.p[i] == ',' && braces <= 0)
			return false;
	}
	return s.n;
}

bool aa_print_path(struct buf *out, struct str path)
{
	bool bare = is_bare(path);

	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f)
			return false;
	buf_puts(out, bare ? "" : "\"");
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '\\' && i + 1 < path.n)
			put_escaped(out, path.p[++i]);
		else if (path.p[i] == '"')
			buf_puts(out, "\\\"");
		else
			buf_putc(out, path.p[i]);
	}
	buf_puts(out, bare ? "" : "\"");
	return true;
}

/* Bytes of the character at the start of s that may stand as it is, in quotes; 0: it must not. */
static size_t shown_len(struct str s)
{
	size_t n = utf8_len(s.p, s.n);

	return n && !utf8_is_control(s.p, n) && !strchr("*?{}[]^\\\"", *s.p) ? n : 0;
}

static bool is_literal_bare(struct str s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = shown_len((struct str){ s.p + i, s.n - i });
		if (!n || !is_plain(s.p[i]) || s.p[i] == ',')
			return false;
	}
	return s.n;
}

void aa_print_literal(struct buf *out, struct str name)
{
	const char *quote = is_literal_bare(name) ? "" : "\"";

	buf_puts(out, quote);
	for (size_t i = 0, n; i < name.n; i += n) {
		n = shown_len((struct str){ name.p + i, name.n - i });
		if (n)
			buf_add(out, name.p + i, n);
		else if (strchr("*?{}[]^\"", name.p[i]) && name.p[i])
			buf_printf(out, "\\%c", name.p[i]);
		else
			buf_printf(out, "\\%03o", (unsigned char)name.p[i]);
		n += !n;
	}
	buf_puts(out, quote);
}

/* ---- items ---- */

/* `between`: a comma and a blank, or inside of a condition's list, which takes no comma, a blank. */
static void put_list(struct buf *out, const struct aa_word *w, const char *between)
{
	buf_putc(out, '(');
	for (; w; w = w->next) {
		put_word(out, w);
		put_gap(out, w, "");
		buf_puts(out, w->next ? between : "");
	}
	buf_putc(out, ')');
}

static void put_cond(struct buf *out, const struct aa_item *i, const char *between)
{
	put_word(out, &i->word);
	if (i->op == AA_OP_NONE)
		return;
	if (i->op == AA_OP_IN)
		buf_puts(out, " in ");
	else
		buf_puts(out, ops[i->op]);
	if (i->parens)
		put_list(out, i->values, between);
	else if (i->values)
		put_word(out, i->values);
}

static const struct aa_word *last_word(const struct aa_item *i)
{
	static const struct aa_word none = { 0 };

	if (i->kind == AA_WORD || i->kind == AA_ARROW || (i->kind == AA_COND && !i->op))
		return &i->word;
	return i->kind == AA_COND && !i->parens && i->values ? i->values : &none;
}

static void put_group(struct buf *out, const struct aa_item *g)
{
	put_word(out, &g->word);
	buf_puts(out, "=(");
	for (const struct aa_item *i = g->conds; i; i = i->next) {
		put_cond(out, i, " ");
		put_gap(out, last_word(i), "");
		buf_puts(out, i->next ? ", " : "");
	}
	buf_putc(out, ')');
}

static void put_item(struct buf *out, const struct aa_item *i)
{
	switch (i->kind) {
	case AA_WORD: put_word(out, &i->word); return;
	case AA_LIST: put_list(out, i->values, ", "); return;
	case AA_COND: put_cond(out, i, ", "); return;
	case AA_GROUP: put_group(out, i); return;
	case AA_ARROW:
		buf_puts(out, "-> ");
		put_word(out, &i->word);
		return;
	case AA_LE: buf_puts(out, "<="); return;
	case AA_PLUS: buf_putc(out, '+'); return;
	}
	BUG("item");
}

static bool starts_number(struct str s)
{
	return s.n && ((s.p[0] >= '0' && s.p[0] <= '9') || (s.p[0] == '-' && s.n > 1));
}

/* A number and its unit, `100M`, are two words that nothing parts. */
static bool is_unit(const struct aa_item *i, const struct aa_item *next)
{
	return i->kind == AA_WORD && next && next->kind == AA_WORD && !i->word.quoted &&
	       !next->word.quoted && starts_number(i->word.text) && i->span.end > i->span.begin &&
	       i->span.end == next->span.begin;
}

/*
 * Would a blank behind this word make it another thing: an include, or the name of a condition?
 * `next` is NULL before '{'.
 */
static bool needs_line(const struct aa_item *i, const struct aa_item *next)
{
	if (i->kind != AA_WORD)
		return false;
	if (aa_item_is(i, "include"))
		return true;
	if (aa_item_is(i, "in") && next && next->kind == AA_LIST)
		return true;
	return aa_item_is(i, "change_profile") && next && next->kind == AA_WORD &&
	       (str_starts(next->word.text, "=") || str_starts(next->word.text, ":=") ||
		word_is(&next->word, "in"));
}

/* What stands between an item and the next, or the '{' (`more`) or ',' behind the last. */
static void put_items_gap(struct buf *out, const struct aa_item *i, bool more)
{
	const struct aa_item *next = i->next;

	if (ends_open(last_word(i)) || (more && needs_line(i, next)))
		buf_putc(out, '\n');
	else if (more && !is_unit(i, next))
		buf_putc(out, ' ');
}

static void put_items(struct buf *out, const struct aa_stmt *s)
{
	bool block = s->kind != AA_STMT_RULE;
	const struct aa_item *i;

	for (i = s->prefix; i; i = i->next) {
		put_item(out, i);
		if (i->next || s->items || block)
			buf_putc(out, ' ');
	}
	for (i = s->items; i; i = i->next) {
		put_item(out, i);
		if (i == s->items && aa_item_is(i, "^") && i->next)
			continue;
		put_items_gap(out, i, i->next || block);
	}
}

/* ---- what `if` asks ---- */

static unsigned rank_of(const struct aa_expr *e)
{
	return e->kind == AA_EXPR_OR  ? 1 :
	       e->kind == AA_EXPR_AND ? 2 :
	       e->kind == AA_EXPR_NOT ? 3 :
					4;
}

static const char *cmp_text(enum aa_cmp cmp)
{
	switch (cmp) {
	case AA_CMP_EQ: return "==";
	case AA_CMP_NE: return "!=";
	case AA_CMP_IN: return "in";
	case AA_CMP_GT: return ">";
	case AA_CMP_GE: return ">=";
	case AA_CMP_LT: return "<";
	case AA_CMP_LE: return "<=";
	}
	BUG("comparison");
}

static const struct aa_word *last_of(const struct aa_expr *e)
{
	static const struct aa_word paren = { 0 };

	while (e->kind == AA_EXPR_AND || e->kind == AA_EXPR_OR || e->kind == AA_EXPR_NOT) {
		if (e->parens)
			return &paren;
		e = e->kind == AA_EXPR_NOT ? e->left : e->right;
	}
	return e->parens ? &paren : e->kind == AA_EXPR_CMP ? &e->other : &e->word;
}

/* A word of an expression, and what follows. From a '#' on it takes the line. */
static void put_gap_behind(struct buf *out, const struct aa_word *w, const char *gap)
{
	bool line = !w->quoted && str_starts(w->text, "#");

	put_gap(out, w, line ? "\n" : gap);
}

/* Labels and variables take a ')' for a part of them. */
static bool takes_paren(const struct aa_word *w)
{
	return !w->quoted && w->text.n && strchr("/@:&", w->text.p[0]);
}

static void put_expr(struct buf *out, const struct aa_expr *e, unsigned least);

static void put_plain_expr(struct buf *out, const struct aa_expr *e)
{
	switch (e->kind) {
	case AA_EXPR_DEFINED: buf_puts(out, "defined "); /* fallthrough */
	case AA_EXPR_BOOL:
	case AA_EXPR_VALUE: put_word(out, &e->word); return;
	case AA_EXPR_CMP:
		put_word(out, &e->word);
		put_gap_behind(out, &e->word, " ");
		buf_printf(out, "%s ", cmp_text(e->cmp));
		put_word(out, &e->other);
		return;
	case AA_EXPR_NOT:
		buf_puts(out, "not ");
		put_expr(out, e->left, 3);
		return;
	case AA_EXPR_AND:
	case AA_EXPR_OR:
		put_expr(out, e->left, rank_of(e));
		put_gap_behind(out, last_of(e->left), " ");
		buf_puts(out, e->kind == AA_EXPR_AND ? "and " : "or ");
		put_expr(out, e->right, rank_of(e) + 1);
		return;
	}
	BUG("expression");
}

static void put_expr(struct buf *out, const struct aa_expr *e, unsigned least)
{
	bool parens = e->parens || rank_of(e) < least;
	struct aa_expr inner = *e;

	inner.parens = false;
	if (parens)
		buf_putc(out, '(');
	put_plain_expr(out, &inner);
	if (!parens)
		return;
	put_gap_behind(out, last_of(&inner), takes_paren(last_of(&inner)) ? " " : "");
	buf_putc(out, ')');
}

/* ---- statements ---- */

static void put_set(struct buf *out, const struct aa_stmt *s)
{
	/* In front of ':=', and behind a name without braces, the blank is needed. */
	bool close = s->op != AA_OP_SET && str_starts(s->word.text, "@{");
	const char *blank = close ? "" : " ";

	put_word(out, &s->word);
	buf_printf(out, "%s%s%s", blank, ops[s->op], s->values || s->expr ? blank : "");
	if (s->kind == AA_STMT_BOOL) {
		put_expr(out, s->expr, 0);
		return;
	}
	for (const struct aa_word *w = s->values; w; w = w->next) {
		put_word(out, w);
		buf_puts(out, w->next ? " " : "");
	}
}

static void put_include(struct buf *out, const struct aa_stmt *s)
{
	buf_printf(out, "%sinclude %s", s->hash ? "#" : "", s->if_exists ? "if exists " : "");
	if (s->magic)
		buf_putc(out, '<');
	put_word(out, &s->word);
	if (s->magic)
		buf_putc(out, '>');
}

void aa_print_head(struct buf *out, const struct aa_stmt *s)
{
	switch (s->kind) {
	case AA_STMT_RULE:
	case AA_STMT_BLOCK:
	case AA_STMT_PROFILE: put_items(out, s); return;
	case AA_STMT_IF:
		buf_puts(out, "if ");
		put_expr(out, s->expr, 0);
		put_gap_behind(out, last_of(s->expr), " ");
		return;
	case AA_STMT_VAR:
	case AA_STMT_BOOL: put_set(out, s); return;
	case AA_STMT_INCLUDE: put_include(out, s); return;
	case AA_STMT_NR: break;
	}
	BUG("statement");
}

/* ---- comments and bodies ---- */

/* A comment as it stands, but no longer: a program's may have lines, and may look like an include. */
static void put_comment(struct buf *out, const struct ast_comment *c, const char *before)
{
	struct str rest = c->text;

	do {
		const char *nl = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
		struct str line = { rest.p, nl ? (size_t)(nl - rest.p) : rest.n };

		rest = nl ? (struct str){ nl + 1, rest.n - line.n - 1 } : (struct str){ "", 0 };
		while (line.n && strchr(" \t\r", line.p[line.n - 1]))
			line.n--;
		buf_puts(out, before);
		buf_puts(out, str_starts(line, "include") ? "# " : "#");
		put_str(out, line);
	} while (rest.n);
}

static void put_comments(struct buf *out, const struct ast_comment *c, unsigned indent, bool first)
{
	for (; c; c = c->next, first = false) {
		if (c->blank_before && !first)
			buf_putc(out, '\n');
		put_spaces(out, indent);
		put_comment(out, c, "");
		buf_putc(out, '\n');
	}
}

static void put_body(struct buf *out, const struct aa_stmt *stmts, unsigned indent);

static void put_block(struct buf *out, const struct aa_stmt *s, unsigned indent)
{
	buf_putc(out, '{');
	if (!s->body && !s->inner && !s->opening) {
		buf_puts(out, " }");
		return;
	}
	if (s->opening)
		put_comment(out, s->opening, " ");
	buf_putc(out, '\n');
	put_body(out, s->body, indent + INDENT);
	put_comments(out, s->inner, indent + INDENT, !s->body);
	put_spaces(out, indent);
	buf_putc(out, '}');
}

static void put_choice(struct buf *out, const struct aa_stmt *s, unsigned indent)
{
	for (; s; s = s->otherwise) {
		aa_print_head(out, s);
		put_block(out, s, indent);
		if (s->otherwise)
			buf_puts(out, " else ");
	}
}

static void put_stmt(struct buf *out, const struct aa_stmt *s, unsigned indent)
{
	put_comments(out, s->leading, indent, true);
	if (s->blank_before && s->leading)
		buf_putc(out, '\n');
	put_spaces(out, indent);
	if (s->kind == AA_STMT_IF) {
		put_choice(out, s, indent);
	} else {
		aa_print_head(out, s);
		if (s->kind == AA_STMT_RULE)
			buf_putc(out, ',');
		else if (s->kind == AA_STMT_PROFILE || s->kind == AA_STMT_BLOCK)
			put_block(out, s, indent);
	}
	if (s->trailing)
		put_comment(out, s->trailing, " ");
	buf_putc(out, '\n');
}

static void put_body(struct buf *out, const struct aa_stmt *stmts, unsigned indent)
{
	for (const struct aa_stmt *s = stmts; s; s = s->next) {
		bool blank = s->leading ? s->leading->blank_before : s->blank_before;

		if (blank && s != stmts)
			buf_putc(out, '\n');
		put_stmt(out, s, indent);
	}
}

void aa_print(struct buf *out, const struct aa_file *file)
{
	put_body(out, file->stmts, 0);
	if (file->trailer && file->stmts && file->trailer->blank_before)
		buf_putc(out, '\n');
	put_comments(out, file->trailer, 0, true);
}

/* ---- equality ---- */

static int order_word(const struct aa_word *a, const struct aa_word *b)
{
	int c = str_cmp(a->text, b->text);

	return c ? c : (int)a->quoted - (int)b->quoted;
}

static int order_words(const struct aa_word *a, const struct aa_word *b)
{
	for (; a && b; a = a->next, b = b->next) {
		int c = order_word(a, b);

		if (c)
			return c;
	}
	return (a != NULL) - (b != NULL);
}

static int order_items(const struct aa_item *a, const struct aa_item *b)
{
	for (; a && b; a = a->next, b = b->next) {
		int c = order_word(&a->word, &b->word);

		c = c ? c : (int)a->kind - (int)b->kind;
		c = c ? c : (int)a->op - (int)b->op;
		c = c ? c : (int)a->parens - (int)b->parens;
		c = c ? c : order_words(a->values, b->values);
		c = c ? c : order_items(a->conds, b->conds);
		if (c)
			return c;
	}
	return (a != NULL) - (b != NULL);
}

int aa_order(const struct aa_stmt *a, const struct aa_stmt *b)
{
	return order_items(a->items, b->items);
}

static bool same_word(const struct aa_word *a, const struct aa_word *b)
{
	return !order_word(a, b);
}

static bool same_words(const struct aa_word *a, const struct aa_word *b)
{
	return !order_words(a, b);
}

static bool same_items(const struct aa_item *a, const struct aa_item *b)
{
	return !order_items(a, b);
}

static bool same_expr(const struct aa_expr *a, const struct aa_expr *b)
{
	if (!a || !b)
		return a == b;
	return a->kind == b->kind && a->cmp == b->cmp && a->parens == b->parens &&
	       same_word(&a->word, &b->word) && same_word(&a->other, &b->other) &&
	       same_expr(a->left, b->left) && same_expr(a->right, b->right);
}

static bool same_stmts(const struct aa_stmt *a, const struct aa_stmt *b)
{
	for (; a && b; a = a->next, b = b->next)
		if (a->kind != b->kind || a->op != b->op || a->magic != b->magic ||
		    a->if_exists != b->if_exists || a->hash != b->hash ||
		    !same_word(&a->word, &b->word) || !same_words(a->values, b->values) ||
		    !same_items(a->prefix, b->prefix) || !same_items(a->items, b->items) ||
		    !same_expr(a->expr, b->expr) || !same_stmts(a->body, b->body) ||
		    !same_stmts(a->otherwise, b->otherwise))
			return false;
	return a == b;
}

bool aa_same(const struct aa_file *a, const struct aa_file *b)
{
	return same_stmts(a->stmts, b->stmts);
}
