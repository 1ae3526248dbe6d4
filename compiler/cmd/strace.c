/* SPDX-License-Identifier: Apache-2.0 */
/* Calls pasted from strace's output. */
#include <stdbool.h>
#include <string.h>

#include "compiler/cmd/strace.h"

static const char pointer[] = "\"_\"";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Behind a string that begins at p, and the dots of one that strace cut. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	p += *p == '"';
	return strncmp(p, "...", 3) ? p : p + 3;
}

/* Behind a bracket's partner; brackets within strings do not count. */
static const char *skip_group(const char *p)
{
	unsigned depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	} while (*p && depth);
	return p;
}

/* "[pid  4711] ", or the bare number that -f -o puts there. */
static const char *skip_process(const char *text)
{
	const char *p = text + strspn(text, " \t");

	if (!strncmp(p, "[pid", 4) && strchr(p, ']'))
		return strchr(p, ']') + 1 + strspn(strchr(p, ']') + 1, " \t");
	const char *end = p + strspn(p, "0123456789");
	return end > p && (*end == ' ' || *end == '\t') ? end + strspn(end, " \t") : text;
}

/* What strace alone writes: then numbers that begin with 0 are its octal modes. */
static bool is_strace(const char *text)
{
	return strchr(text, '"') || strstr(text, ") =") || strstr(text, ") \t=") || strchr(text, '{');
}

static const char *put_octal(struct arena *a, const char *p, const char **out)
{
	const char *end = p + strspn(p, "01234567");
	unsigned long v = 0;

	if (p[0] != '0' || !is_digit(p[1]) || is_word(*end) || end - p > 12)
		return NULL;
	for (const char *q = p; q < end; q++)
		v = v * 8 + (unsigned long)(*q - '0');
	*out = arena_printf(a, "%lu", v);
	return end;
}

struct rewriting {
	struct arena *arena;
	char *to;
	size_t n;
	bool octal;
};

static void put(struct rewriting *r, const char *s)
{
	size_t n = strlen(s);

	memcpy(r->to + r->n, s, n);
	r->n += n;
}

/* One step; where it goes on. */
static const char *rewrite(struct rewriting *r, const char *text, const char *p)
{
	bool starts = p == text || !is_word(p[-1]);
	const char *number, *end;

	if (*p == '"' || *p == '{' || *p == '[') {
		put(r, pointer);
		return *p == '"' ? skip_string(p) : skip_group(p);
	}
	if (!strncmp(p, "/*", 2)) {
		end = strstr(p + 2, "*/");
		return end ? end + 2 : p + strlen(p);
	}
	if (!strncmp(p, "<unfinished", 11)) {
		while (r->n && strchr(", ", r->to[r->n - 1]))
			r->n--;
		put(r, ")");
		return p + strlen(p);
	}
	if (*p == '<' && p > text && is_word(p[-1]) && strchr(p, '>'))
		return strchr(p, '>') + 1;
	end = r->octal && starts ? put_octal(r->arena, p, &number) : NULL;
	if (end) {
		put(r, number);
		return end;
	}
	r->to[r->n++] = *p;
	return p + 1;
}

const char *strace_call(struct arena *a, const char *text)
{
	struct rewriting r = { .arena = a, .to = arena_alloc(a, 3 * strlen(text) + 1), .octal = is_strace(text) };
	const char *p = skip_process(text);
	unsigned depth = 0;

	text = p;
	while (*p) {
		bool opens = *p == '(', closes = *p == ')';
		depth += opens;
		p = rewrite(&r, text, p);
		depth -= closes && depth;
		if (closes && !depth)
			break; /* the result, or <unfinished ...> */
	}
	if (*p && !strchr(" \t", *p)) /* "read(3)x" is not strace's: the parser shall say what is wrong */
		put(&r, p);
	r.to[r.n] = '\0';
	return r.to;
}
