/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's globs as the 3.0 parser turns them into its DFA (tests/apparmor compares the two):
 *	?  one byte but '/'        *  any bytes but '/'        **  any bytes
 *	[abc] [a-z]                [^abc] (also '/')           {a,b{c,d}}    \ooo \c
 * A star that fills a whole component ("/" before it, "/" or the end behind it) needs at least
 * one byte, and that is no '/'. What the parser misreads inside brackets is malformed here.
 * A glob becomes a program of a few instructions, run over the path with a set of threads.
 */
#include <errno.h>
#include <string.h>

#include "compiler/apparmor/apparmor.h"

enum { GLOB_MAX = 4096, CODE_MAX = 4 * GLOB_MAX, DEPTH_MAX = 50 };

enum op { OP_BYTE, OP_NOT_SLASH, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_MATCH };

struct insn {
	uint8_t op, byte;
	uint16_t next;  /* SPLIT, JUMP */
	uint16_t other; /* SPLIT */
	uint16_t set, set_end; /* SET: the text between the brackets */
};

struct glob {
	char text[GLOB_MAX]; /* with runs of '/' collapsed */
	size_t n, pos;
	struct insn code[CODE_MAX];
	size_t length;
	bool bad;
};

/* As the parser's filter_slashes(): exactly two at the start stay. */
static void load_text(struct glob *g, struct str glob)
{
	size_t i = 0;

	if (glob.n > 1 && glob.p[0] == '/' && glob.p[1] == '/' && !(glob.n > 2 && glob.p[2] == '/')) {
		g->text[g->n++] = '/';
		g->text[g->n++] = '/';
		i = 2;
	}
	for (; i < glob.n; i++)
		if (glob.p[i] != '/' || !g->n || g->text[g->n - 1] != '/')
			g->text[g->n++] = glob.p[i];
}

static size_t emit(struct glob *g, enum op op, size_t next, size_t other)
{
	if (g->length >= CODE_MAX) {
		g->bad = true;
		return 0;
	}
	g->code[g->length] = (struct insn){ .op = (uint8_t)op, .next = (uint16_t)next,
					    .other = (uint16_t)other };
	return g->length++;
}

static void emit_byte(struct glob *g, char c)
{
	size_t at = emit(g, OP_BYTE, 0, 0);

	g->code[at].byte = (uint8_t)c;
}

static void compile_star(struct glob *g)
{
	bool before = g->pos > 1 && g->text[g->pos - 2] == '/';
	enum op op = OP_NOT_SLASH;

	if (g->pos < g->n && g->text[g->pos] == '*')
		op = OP_ANY;
	while (g->pos < g->n && g->text[g->pos] == '*')
		g->pos++;
	if (before && (g->pos == g->n || g->text[g->pos] == '/'))
		emit(g, OP_NOT_SLASH, 0, 0);
	size_t split = emit(g, OP_SPLIT, g->length + 1, 0);
	emit(g, op, 0, 0);
	emit(g, OP_JUMP, split, 0);
	g->code[split].other = (uint16_t)g->length;
}

static void compile_set(struct glob *g)
{
	size_t start = g->pos;

	if (g->pos < g->n && g->text[g->pos] == '^')
		g->pos++;
	size_t first = g->pos;
	while (g->pos < g->n && g->text[g->pos] != ']') {
		char c = g->text[g->pos];
		/* The parser translates globs inside brackets too, and drops this backslash. */
		if (strchr("*?{}[", c) || (c == '\\' && (g->pos + 1 >= g->n || g->text[g->pos + 1] != ']')))
			g->bad = true;
		g->pos += c == '\\' ? 2 : 1;
	}
	if (g->pos >= g->n || g->pos == first) {
		g->bad = true;
		return;
	}
	size_t at = emit(g, OP_SET, 0, 0);
	g->code[at].set = (uint16_t)start;
	g->code[at].set_end = (uint16_t)g->pos++;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static void compile_escape(struct glob *g)
{
	if (g->pos >= g->n) {
		g->bad = true;
		return;
	}
	char c = g->text[g->pos++];
	if (is_octal(c)) {
		unsigned value = (unsigned)(c - '0');
		for (int i = 0; i < 2 && g->pos < g->n && is_octal(g->text[g->pos]); i++)
			value = value * 8 + (unsigned)(g->text[g->pos++] - '0');
		g->bad |= !value || value > 255;
		emit_byte(g, (char)value);
		return;
	}
	/* Letters and digits mean other things in other places of the parser. */
	g->bad |= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	emit_byte(g, c);
}

static void compile_sequence(struct glob *g, unsigned depth);

/* {a,b,c}:  split L1; a; jump end; L1: split L2; b; jump end; L2: c; end */
static void compile_braces(struct glob *g, unsigned depth)
{
	size_t ends = 0, alternatives = 0;

	for (;;) {
		size_t split = emit(g, OP_SPLIT, g->length + 1, 0);
		compile_sequence(g, depth + 1);
		if (g->bad || g->pos >= g->n) {
			g->bad = true;
			return;
		}
		alternatives++;
		/* The jumps to the end are chained through `next` until it is known. */
		size_t jump = emit(g, OP_JUMP, ends, 0);
		ends = jump;
		bool last = g->text[g->pos++] == '}';
		/* A split of the last one that has nowhere else to go continues in it. */
		g->code[split].other = last ? g->code[split].next : (uint16_t)g->length;
		if (last)
			break;
	}
	g->bad |= alternatives < 2;
	while (ends && !g->bad) {
		size_t next = g->code[ends].next;
		g->code[ends].next = (uint16_t)g->length;
		ends = next;
	}
}

static void compile_sequence(struct glob *g, unsigned depth)
{
	g->bad |= depth > DEPTH_MAX;
	while (g->pos < g->n && !g->bad) {
		char c = g->text[g->pos];
		if (depth && (c == ',' || c == '}'))
			return;
		g->pos++;
		if (c == '*')
			compile_star(g);
		else if (c == '?')
			emit(g, OP_NOT_SLASH, 0, 0);
		else if (c == '[')
			compile_set(g);
		else if (c == '{')
			compile_braces(g, depth);
		else if (c == '\\')
			compile_escape(g);
		else if (c == ']' || c == '}' || !c)
			g->bad = true;
		else
			emit_byte(g, c);
	}
}

/* ---- running ---- */

static char set_char(const struct glob *g, size_t *i)
{
	if (g->text[*i] == '\\')
		++*i;
	return g->text[(*i)++];
}

static bool set_has(const struct glob *g, const struct insn *n, char c)
{
	size_t i = n->set, end = n->set_end;
	bool negated = g->text[i] == '^', found = false;

	i += negated;
	while (i < end) {
		unsigned char low = (unsigned char)set_char(g, &i), high = low;
		if (i + 1 < end && g->text[i] == '-') {
			i++;
			high = (unsigned char)set_char(g, &i);
		}
		found |= (unsigned char)c >= low && (unsigned char)c <= high;
	}
	return found != negated;
}

struct threads {
	uint16_t at[CODE_MAX];
	size_t n;
	uint8_t seen[CODE_MAX];
};

/* Follows splits and jumps; each instruction enters once. */
static void thread_add(const struct glob *g, struct threads *t, uint16_t start)
{
	uint16_t stack[CODE_MAX];
	size_t n = 0;

	stack[n++] = start;
	while (n) {
		uint16_t at = stack[--n];
		const struct insn *k = &g->code[at];
		if (t->seen[at])
			continue;
		t->seen[at] = 1;
		if (k->op == OP_JUMP || k->op == OP_SPLIT) {
			if (k->op == OP_SPLIT && !t->seen[k->other] && n < CODE_MAX - 1)
				stack[n++] = k->other;
			if (!t->seen[k->next])
				stack[n++] = k->next;
			continue;
		}
		t->at[t->n++] = at;
	}
}

static bool accepts(const struct glob *g, const struct insn *n, char c)
{
	switch ((enum op)n->op) {
	case OP_BYTE:
		return n->byte == (uint8_t)c;
	case OP_NOT_SLASH:
		return c != '/' && c != '\0';
	case OP_ANY:
		return c != '\0';
	case OP_SET:
		return c != '\0' && set_has(g, n, c);
	case OP_SPLIT:
	case OP_JUMP:
	case OP_MATCH:
		break;
	}
	return false;
}

static int run(const struct glob *g, struct str path)
{
	struct threads now = { .n = 0 }, then;

	thread_add(g, &now, 0);
	for (size_t i = 0; i < path.n && now.n; i++) {
		then.n = 0;
		memset(then.seen, 0, g->length);
		for (size_t t = 0; t < now.n; t++)
			if (accepts(g, &g->code[now.at[t]], path.p[i]))
				thread_add(g, &then, (uint16_t)(now.at[t] + 1));
		memcpy(now.at, then.at, then.n * sizeof(then.at[0]));
		now.n = then.n;
	}
	for (size_t t = 0; t < now.n; t++)
		if (g->code[now.at[t]].op == OP_MATCH)
			return 1;
	return 0;
}

int apparmor_glob_match(struct str glob, struct str path)
{
	struct glob g;

	if (glob.n >= GLOB_MAX || !glob.n)
		return -EINVAL;
	g.n = g.pos = g.length = 0;
	g.bad = false;
	load_text(&g, glob);
	compile_sequence(&g, 0);
	emit(&g, OP_MATCH, 0, 0);
	return g.bad ? -EINVAL : run(&g, path);
}
