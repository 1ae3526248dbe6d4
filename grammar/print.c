/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical layout: four spaces a level, one statement a line, long lists wrapped at 100
 * columns, one empty line kept where the user left some. Trees made by programs come out legal
 * too: parentheses where the structure needs them, paths quoted or escaped where they must be.
 */
#include "grammar/apparmor_print.h"
#include "grammar/parse.h"
#include "grammar/print.h"

#include <string.h>

#include "compiler/base/bug.h"

#define COLUMNS 100
#define INDENT  4

const char *ast_cmp_text(enum ast_cmp op)
{
	switch (op) {
	case AST_CMP_EQ: return "==";
	case AST_CMP_NE: return "!=";
	case AST_CMP_LT: return "<";
	case AST_CMP_LE: return "<=";
	case AST_CMP_GT: return ">";
	case AST_CMP_GE: return ">=";
	case AST_CMP_IN: return "in";
	case AST_CMP_HAS: return "has";
	case AST_CMP_HAS_ANY: return "has any";
	case AST_CMP_LACKS: return "lacks";
	case AST_CMP_NR: break;
	}
	BUG("comparison");
}

const char *ast_action_text(enum ast_action action)
{
	switch (action) {
	case AST_ACTION_ALLOW: return "allow";
	case AST_ACTION_LOG: return "log";
	case AST_ACTION_DENY: return "deny";
	case AST_ACTION_QUIET_DENY: return "quiet deny";
	case AST_ACTION_ERRNO: return "errno";
	case AST_ACTION_KILL_PROCESS: return "kill-process";
	case AST_ACTION_KILL_THREAD: return "kill-thread";
	case AST_ACTION_TRAP: return "trap";
	case AST_ACTION_NOTIFY: return "notify";
	case AST_ACTION_TRACE: return "trace";
	case AST_ACTION_NR: break;
	}
	BUG("action");
}

/* ---- words and paths ---- */

static void put_str(struct buf *out, struct str s)
{
	if (s.n)
		buf_add(out, s.p, s.n);
}

/* Would the scanner read this text as one bare path? (policy.l, GLOB) */
static bool is_bare_path(struct str s)
{
	unsigned braces = 0;

	if (!str_starts(s, "/") && !str_starts(s, "@{"))
		return false;
	for (size_t i = 0, len; i < s.n; i += len) {
		len = utf8_len(s.p + i, s.n - i);
		if (!len || (unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
		if (s.p[i] == '\\') {
			len += i + len < s.n ? utf8_len(s.p + i + len, s.n - i - len) : 0;
			if (len < 2 || (unsigned char)s.p[i + 1] < ' ')
				return false;
		} else if (s.p[i] == '[') {
			/* A class may hold commas and braces; it ends in this path or is none. */
			const char *end = memchr(s.p + i, ']', s.n - i);

			if (!end || memchr(s.p + i, ';', (size_t)(end - s.p) - i))
				return false;
			for (const char *c = s.p + i; c < end; c++)
				if (*c == '"' || (unsigned char)*c <= ' ' ||
				    (unsigned char)*c >= 0x7f)
					return false;
			len = (size_t)(end - s.p) - i + 1;
		} else if (s.p[i] == '{') {
			braces++;
		} else if (s.p[i] == '}' ? !braces-- : s.p[i] == ',' && !braces) {
			return false;
		} else if (s.p[i] == ';' || s.p[i] == '"') {
			return false;
		}
	}
	return !braces;
}

/*
 * A path as it may stand in a policy, quotes aside: control bytes and what is not UTF-8 become
 * AppArmor's octal escapes; a backslash that escapes nothing is left out.
 */
static void put_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0, len; i < s.n; i += len) {
		unsigned char c = (unsigned char)s.p[i];
		unsigned char next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;

		len = utf8_len(s.p + i, s.n - i);
		if (!len || c < ' ' || c == 0x7f) {
			buf_printf(out, "\\%03o", c);
			len = 1;
		} else if (c != '\\') {
			buf_add(out, s.p + i, len);
		} else if (i + 1 == s.n) {
			buf_puts(out, "\\\\");
		} else if (next != '"' && next >= ' ' && next < 0x7f) {
			buf_add(out, s.p + i, 2);
			len = 2;
		}
	}
}

static void put_quoted(struct buf *out, struct str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
	buf_putc(out, '"');
}

static void put_path(struct buf *out, struct str s, bool quoted)
{
	BUF_AUTO text = { 0 };
	struct str t;

	put_escaped(&text, s);
	t = (struct str){ text.p, text.n };
	if (!quoted && is_bare_path(t))
		put_str(out, t);
	else
		put_quoted(out, t);
}

/* A profile's name behind -> may be a plain word. */
static bool is_word(struct str s)
{
	bool hyphen = true; /* at the start, too, a letter or _ must follow */

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (c == '-' && !hyphen) {
			hyphen = true;
			continue;
		}
		if (!letter && !(digit && i))
			return false;
		hyphen = false;
	}
	return !hyphen;
}

/* Condition words are never names (policy.y, name). */
static bool is_name(struct str s)
{
	static const char *const never[] = {
		"and", "any", "has", "in", "lacks", "not", "or", "reg"
	};

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (str_is(s, never[i]))
			return false;
	return is_word(s);
}

/* Programs name policies after files and commands: what is no name is made one. */
static void put_block_name(struct buf *out, struct str s)
{
	if (is_name(s)) {
		put_str(out, s);
		return;
	}
	buf_putc(out, '_');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool keep =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		buf_putc(out, keep ? c : '_');
	}
}

static void put_target(struct buf *out, struct str s)
{
	if (!s.n)
		return;
	buf_puts(out, " -> ");
	if (is_name(s))
		put_str(out, s);
	else
		put_path(out, s, false);
}

/* ---- values and conditions ---- */

static void put_atom(struct buf *out, const struct ast_value *v);

static void put_value(struct buf *out, const struct ast_value *v)
{
	switch (v->kind) {
	case AST_VALUE_NAME: put_str(out, v->text); return;
	case AST_VALUE_NUMBER:
		if (v->text.n)
			put_str(out, v->text);
		else
			buf_printf(out, "%s%llu", v->negative ? "-" : "",
				   (unsigned long long)v->number);
		return;
	case AST_VALUE_OR:
		put_value(out, v->left);
		buf_putc(out, '|');
		put_value(out, v->right);
		return;
	case AST_VALUE_RANGE:
		put_atom(out, v->left);
		buf_puts(out, "..");
		put_atom(out, v->right);
		return;
	}
	BUG("value");
}

/* Where the grammar takes a single value, `A|B` needs its parentheses. */
static void put_atom(struct buf *out, const struct ast_value *v)
{
	bool parens = v->kind == AST_VALUE_OR;

	if (parens)
		buf_putc(out, '(');
	put_value(out, v);
	if (parens)
		buf_putc(out, ')');
}

static void put_values(struct buf *out, const struct ast_cond *c)
{
	const struct ast_value *v = c->values;
	bool braces = c->op == AST_CMP_IN && (v->next || v->kind != AST_VALUE_RANGE);

	if (braces)
		buf_putc(out, '{');
	for (; v; v = v->next) {
		put_value(out, v);
		if (v->next)
			buf_puts(out, ", ");
	}
	if (braces)
		buf_putc(out, '}');
}

static void put_cmp(struct buf *out, const struct ast_cond *c)
{
	if (c->mask)
		buf_putc(out, '(');
	if (c->reg)
		buf_puts(out, "reg ");
	put_str(out, c->arg.text);
	if (c->mask) {
		buf_puts(out, " & ");
		put_value(out, c->mask);
		buf_putc(out, ')');
	}
	buf_printf(out, " %s ", ast_cmp_text(c->op));
	put_values(out, c);
}

/* How tightly a condition binds: comma, or, and, not. */
static unsigned rank_of(const struct ast_cond *c)
{
	switch (c->kind) {
	case AST_COND_CMP: return 4;
	case AST_COND_NOT: return 3;
	case AST_COND_AND: return c->comma && !c->parens ? 0 : 2;
	case AST_COND_OR: return 1;
	}
	BUG("condition");
}

static void put_cond(struct buf *out, const struct ast_cond *c, unsigned least);

static void put_pair(struct buf *out, const struct ast_cond *c)
{
	/* Lists lean to the left: what leans to the right says so with parentheses. */
	switch (c->kind) {
	case AST_COND_CMP: put_cmp(out, c); return;
	case AST_COND_NOT:
		buf_puts(out, "not ");
		put_cond(out, c->left, 3);
		return;
	case AST_COND_AND:
		put_cond(out, c->left, rank_of(c));
		buf_puts(out, rank_of(c) ? " and " : ", ");
		put_cond(out, c->right, rank_of(c) + 1);
		return;
	case AST_COND_OR:
		put_cond(out, c->left, 1);
		buf_puts(out, " or ");
		put_cond(out, c->right, 2);
		return;
	}
	BUG("condition");
}

static void put_cond(struct buf *out, const struct ast_cond *c, unsigned least)
{
	bool parens = c->parens || rank_of(c) < least;
	struct ast_cond inner = *c;

	if (!parens) {
		put_pair(out, c);
		return;
	}
	/* Inside parentheses there is no comma: it becomes `and`. */
	inner.comma = false;
	inner.parens = false;
	buf_putc(out, '(');
	put_pair(out, &inner);
	buf_putc(out, ')');
}

void ast_print_cond(struct buf *out, const struct ast_cond *cond)
{
	put_cond(out, cond, 0);
}

void ast_print_call(struct buf *out, const struct ast_call *call)
{
	if (call->by_number && !call->name.text.n)
		buf_printf(out, "#%llu", (unsigned long long)call->number);
	else
		put_str(out, call->name.text);
	if (!call->cond)
		return;
	buf_putc(out, '(');
	ast_print_cond(out, call->cond);
	buf_putc(out, ')');
}

/* ---- lists that wrap ---- */

struct list {
	struct buf *out;
	size_t line; /* where the line in `out` begins */
	unsigned indent;
	bool first;
};

static void put_spaces(struct buf *out, unsigned n)
{
	while (n--)
		buf_putc(out, ' ');
}

static bool ends_with(struct str s, size_t at, const char *end)
{
	size_t n = strlen(end);

	return at >= n && !memcmp(s.p + at - n, end, n);
}

static bool may_break(struct str s, size_t at, bool anywhere)
{
	return ends_with(s, at, ", ") || ends_with(s, at, " or ") || ends_with(s, at, " and ") ||
	       (anywhere && s.p[at - 1] == '|');
}

/* How much of a call goes on a line: up to its last comma or word that fits, or else its last flag. */
static size_t find_break(struct str s, size_t room)
{
	for (int anywhere = 0; anywhere < 2; anywhere++)
		for (size_t at = room < s.n ? room : s.n; at > 1; at--)
			if (may_break(s, at, anywhere))
				return at;
	return 0;
}

/* A call whose condition is longer than a line goes on in the next ones, deeper than the list. */
static void put_call_lines(struct list *l, struct str s)
{
	unsigned indent = l->indent + 2 * INDENT;

	for (;;) {
		size_t column = l->out->n - l->line;
		size_t cut = column + s.n + 2 > COLUMNS && column < COLUMNS ?
				     find_break(s, COLUMNS - column) :
				     0;
		if (!cut || cut == s.n)
			break;
		put_str(l->out, (struct str){ s.p, cut - (s.p[cut - 1] == ' ') });
		s = (struct str){ s.p + cut, s.n - cut };
		buf_putc(l->out, '\n');
		l->line = l->out->n;
		put_spaces(l->out, indent);
	}
	put_str(l->out, s);
}

/* An item of n bytes comes next, on the next line where this one is full. */
static void list_next(struct list *l, size_t n)
{
	bool full = l->out->n - l->line + n + 3 > COLUMNS;

	if (!l->first && full) {
		buf_puts(l->out, ",\n");
		l->line = l->out->n;
		put_spaces(l->out, l->indent + INDENT);
	} else if (!l->first) {
		buf_puts(l->out, ", ");
	} else {
		buf_putc(l->out, ' ');
	}
	l->first = false;
}

/* One that stays whole: what a name holds is no place to break it. */
static void list_item(struct list *l, const struct buf *item)
{
	list_next(l, item->n);
	put_str(l->out, (struct str){ item->p, item->n });
}

static void list_words(struct list *l, const struct ast_word *w, bool paths)
{
	for (; w; w = w->next) {
		BUF_AUTO item = { 0 };

		if (paths)
			put_path(&item, w->text, false);
		else
			put_str(&item, w->text);
		list_item(l, &item);
	}
}

static void list_calls(struct list *l, const struct ast_call *c)
{
	for (; c; c = c->next) {
		BUF_AUTO item = { 0 };

		ast_print_call(&item, c);
		list_next(l, item.n);
		put_call_lines(l, (struct str){ item.p, item.n });
	}
}

static void list_networks(struct list *l, const struct ast_network *n)
{
	for (; n; n = n->next) {
		BUF_AUTO item = { 0 };

		put_str(&item, n->family.text);
		if (n->type.text.n) {
			buf_putc(&item, ' ');
			put_str(&item, n->type.text);
		}
		if (n->protocol) {
			buf_puts(&item, " protocol ");
			put_atom(&item, n->protocol);
		}
		list_item(l, &item);
	}
}

/* ---- statements ---- */

static void put_verdict(struct buf *out, const struct ast_verdict *v)
{
	/* `kill` is the short word for kill-process; one of the two is printed. */
	buf_puts(out, v->action == AST_ACTION_KILL_PROCESS ? "kill" : ast_action_text(v->action));
	if (v->data) {
		buf_putc(out, ' ');
		put_atom(out, v->data);
	}
}

static void put_header(struct list *l, const struct ast_stmt *s)
{
	static const char *const words[AST_HEADER_NR] = {
		[AST_HEADER_PROGRAM] = "program", [AST_HEADER_LEVEL] = "level",
		[AST_HEADER_LAYERS] = "layers",   [AST_HEADER_ARCH] = "arch",
		[AST_HEADER_DEFAULT] = "default", [AST_HEADER_UNKNOWN] = "unknown",
		[AST_HEADER_FOREIGN] = "foreign", [AST_HEADER_LOG] = "log",
	};

	if (words[s->header])
		buf_puts(l->out, words[s->header]);
	switch (s->header) {
	case AST_HEADER_PROGRAM: list_words(l, s->paths, true); return;
	case AST_HEADER_LEVEL:
		list_words(l, s->words, false);
		buf_putc(l->out, ' ');
		put_str(l->out, s->version.text);
		return;
	case AST_HEADER_LAYERS:
	case AST_HEADER_ARCH:
	case AST_HEADER_LOG: list_words(l, s->words, false); return;
	case AST_HEADER_DEFAULT:
	case AST_HEADER_UNKNOWN:
	case AST_HEADER_FOREIGN:
		buf_putc(l->out, ' ');
		if (s->verdict.action == AST_ACTION_KILL_PROCESS)
			buf_puts(l->out, ast_action_text(s->verdict.action));
		else
			put_verdict(l->out, &s->verdict);
		return;
	case AST_HEADER_APPARMOR: aa_print_head(l->out, s->rule); return;
	case AST_HEADER_NR: break;
	}
	BUG("header");
}

static void put_signal(struct list *l, const struct ast_stmt *s)
{
	buf_puts(l->out, "signal");
	for (const struct ast_word *w = s->perms; w; w = w->next) {
		buf_putc(l->out, ' ');
		put_str(l->out, w->text);
	}
	list_words(l, s->words, false);
	put_target(l->out, s->target.text);
}

static void put_file(struct list *l, const struct ast_stmt *s)
{
	buf_puts(l->out, s->owner ? "owner file " : "file ");
	put_str(l->out, s->perms->text);
	list_words(l, s->paths, true);
	put_target(l->out, s->target.text);
}

static void put_prefix(struct buf *out, const struct ast_stmt *s)
{
	if (s->verdict.action == AST_ACTION_ALLOW && !s->explicit_allow)
		return;
	put_verdict(out, &s->verdict);
	buf_putc(out, ' ');
}

static void put_env(struct buf *out, const struct ast_env *e, unsigned least);

static void put_env_words(struct buf *out, const char *word, const struct ast_word *w)
{
	buf_puts(out, word);
	for (; w; w = w->next) {
		buf_putc(out, ' ');
		put_str(out, w->text);
		if (w->next)
			buf_putc(out, ',');
	}
}

static unsigned env_rank(const struct ast_env *e)
{
	return e->kind == AST_ENV_OR ? 1 : e->kind == AST_ENV_AND ? 2 : 3;
}

static void put_env_pair(struct buf *out, const struct ast_env *e)
{
	switch (e->kind) {
	case AST_ENV_CAPABILITY: put_env_words(out, "capability", e->words); return;
	case AST_ENV_HOST: put_env_words(out, "host", e->words); return;
	case AST_ENV_ARCH: put_env_words(out, "arch", e->words); return;
	case AST_ENV_KERNEL:
		buf_printf(out, "kernel %s ", ast_cmp_text(e->op));
		put_str(out, e->version.text);
		return;
	case AST_ENV_NOT:
		buf_puts(out, "not ");
		put_env(out, e->left, 3);
		return;
	case AST_ENV_AND:
	case AST_ENV_OR:
		put_env(out, e->left, env_rank(e));
		buf_puts(out, e->kind == AST_ENV_AND ? " and " : " or ");
		put_env(out, e->right, env_rank(e) + 1);
		return;
	}
	BUG("environment");
}

static void put_env(struct buf *out, const struct ast_env *e, unsigned least)
{
	bool parens = e->parens || env_rank(e) < least;

	if (parens)
		buf_putc(out, '(');
	put_env_pair(out, e);
	if (parens)
		buf_putc(out, ')');
}

static void put_resource(struct list *l, const struct ast_stmt *s)
{
	if (s->kind == AST_STMT_FILE) {
		put_file(l, s);
	} else if (s->kind == AST_STMT_SIGNAL) {
		put_signal(l, s);
	} else if (s->kind == AST_STMT_NETWORK) {
		buf_puts(l->out, "network");
		list_networks(l, s->networks);
	} else {
		buf_puts(l->out, s->kind == AST_STMT_NAMESPACE ? "namespace" : "capability");
		list_words(l, s->words, false);
	}
}

/* The bytes of a class, "[a;]", that policy.l takes for one; 0: it is none. */
static size_t class_at(struct str t, size_t i)
{
	for (size_t k = i + 1; k < t.n && !strchr(" \t\r\n;", t.p[k]); k++)
		if (t.p[k] == ']')
			return k + 1 - i;
	return 0;
}

/*
 * A rule's text in AppArmor's words: a backslash is put before what would end it here, or begin a
 * comment. Of a byte that needs none AppArmor drops it.
 */
static void put_protected(struct buf *out, struct str t)
{
	bool quoted = false;
	unsigned open = 0;

	for (size_t i = 0, n; i < t.n; i += n) {
		char c = t.p[i];
		bool hash = c == '#' && i && t.p[i - 1] == ' ';

		n = c == '\\' && i + 1 < t.n ? 2 : 1;
		quoted ^= c == '"';
		if (!quoted) {
			n = c == '[' && class_at(t, i) ? class_at(t, i) : n;
			if (c == ';' || hash || (c == '}' && !open))
				buf_putc(out, '\\');
			open += c == '{';
			open -= c == '}' && open;
		}
		buf_add(out, t.p + i, n);
	}
}

/* Behind a prefix a bare name is the call's. */
static void put_apparmor(struct buf *out, const struct ast_stmt *s)
{
	const struct aa_item *first = s->rule->items;
	bool any = !first->next && pale_resource_is_call(first->word.text) &&
		   s->verdict.action != AST_ACTION_QUIET_DENY &&
		   (s->verdict.action != AST_ACTION_ALLOW || s->explicit_allow);
	BUF_AUTO text = { 0 };

	put_prefix(out, s);
	buf_puts(out, any ? "any " : "");
	aa_print_head(&text, s->rule);
	put_protected(out, (struct str){ text.p, text.n });
}

static void put_stmt_head(struct list *l, const struct ast_stmt *s)
{
	switch (s->kind) {
	case AST_STMT_HEADER: put_header(l, s); return;
	case AST_STMT_INCLUDE:
		buf_puts(l->out, "include ");
		put_path(l->out, s->paths->text, true);
		return;
	case AST_STMT_USE:
		buf_puts(l->out, "use");
		list_words(l, s->words, false);
		if (!s->except)
			return;
		buf_puts(l->out, " except");
		l->first = true;
		list_words(l, s->except, false);
		return;
	case AST_STMT_CALLS:
		put_verdict(l->out, &s->verdict);
		list_calls(l, s->calls);
		return;
	case AST_STMT_FILE:
	case AST_STMT_CAPABILITY:
	case AST_STMT_NETWORK:
	case AST_STMT_SIGNAL:
	case AST_STMT_NAMESPACE:
		put_prefix(l->out, s);
		put_resource(l, s);
		return;
	case AST_STMT_LIMIT:
		buf_puts(l->out, "limit");
		list_words(l, s->words, false);
		buf_putc(l->out, ' ');
		put_atom(l->out, s->value);
		return;
	case AST_STMT_WHEN:
		buf_puts(l->out, "when ");
		put_env(l->out, s->env, 0);
		return;
	case AST_STMT_APPARMOR: put_apparmor(l->out, s); return;
	case AST_STMT_POLICY:
	case AST_STMT_SET:
		buf_puts(l->out, s->kind == AST_STMT_POLICY ? "policy " : "set ");
		put_block_name(l->out, s->name.text);
		return;
	case AST_STMT_NR: break;
	}
	BUG("statement");
}

/* ---- comments and bodies ---- */

/* The text of a comment up to its line's end; returns what is left (programs write several). */
static struct str put_comment_line(struct buf *out, struct str text)
{
	const char *nl = text.n ? memchr(text.p, '\n', text.n) : NULL;
	struct str line = { text.p, nl ? (size_t)(nl - text.p) : text.n };
	struct str rest = { nl ? nl + 1 : "", nl ? text.n - line.n - 1 : 0 };

	while (line.n && strchr(" \t\r", line.p[line.n - 1]))
		line.n--;
	buf_putc(out, '#');
	if (line.n && line.p[0] != '#' && line.p[0] != '!')
		buf_putc(out, ' ');
	for (const char *tab; line.n && (tab = memchr(line.p, '\t', line.n));) {
		buf_safe(out, (struct str){ line.p, (size_t)(tab - line.p) });
		buf_putc(out, '\t');
		line.n -= (size_t)(tab - line.p) + 1;
		line.p = tab + 1;
	}
	buf_safe(out, line);
	return rest;
}

static void put_comments(struct buf *out, const struct ast_comment *c, unsigned indent, bool first)
{
	for (; c; c = c->next, first = false) {
		struct str text = c->text;

		if (c->blank_before && !first)
			buf_putc(out, '\n');
		do {
			put_spaces(out, indent);
			text = put_comment_line(out, text);
			buf_putc(out, '\n');
		} while (text.n);
	}
}

static void put_trailing(struct buf *out, const struct ast_comment *c)
{
	struct str text;

	if (!c)
		return;
	text = c->text;
	do {
		buf_puts(out, " ");
		text = put_comment_line(out, text);
	} while (text.n);
}

static bool has_body(const struct ast_stmt *s)
{
	return s->kind == AST_STMT_POLICY || s->kind == AST_STMT_SET || s->kind == AST_STMT_WHEN;
}

static void put_body(struct buf *out, const struct ast_stmt *stmts, unsigned indent, bool apart);

static void put_stmt(struct buf *out, const struct ast_stmt *s, unsigned indent, bool first)
{
	struct list l = { .out = out, .indent = indent, .first = true };

	put_comments(out, s->leading, indent, first);
	if (s->blank_before && s->leading)
		buf_putc(out, '\n');
	l.line = out->n;
	put_spaces(out, indent);
	put_stmt_head(&l, s);
	if (!has_body(s)) {
		buf_putc(out, ';');
	} else if (!s->body && !s->inner) {
		buf_puts(out, " {}");
	} else {
		buf_puts(out, " {\n");
		put_body(out, s->body, indent + INDENT, false);
		put_comments(out, s->inner, indent + INDENT, !s->body);
		put_spaces(out, indent);
		buf_putc(out, '}');
	}
	put_trailing(out, s->trailing);
	buf_putc(out, '\n');
}

/* `apart`: an empty line between all, as between policies. */
static void put_body(struct buf *out, const struct ast_stmt *stmts, unsigned indent, bool apart)
{
	for (const struct ast_stmt *s = stmts; s; s = s->next) {
		bool blank = s->leading ? s->leading->blank_before : s->blank_before;
		bool space = s != stmts && (blank || apart);

		if (space)
			buf_putc(out, '\n');
		put_stmt(out, s, indent, true);
	}
}

void ast_print_stmt(struct buf *out, const struct ast_stmt *stmt, unsigned indent)
{
	put_stmt(out, stmt, indent, true);
}

void ast_print(struct buf *out, const struct ast_file *file)
{
	put_body(out, file->stmts, 0, true);
	if (file->trailer && file->stmts && file->trailer->blank_before)
		buf_putc(out, '\n');
	put_comments(out, file->trailer, 0, true);
}
