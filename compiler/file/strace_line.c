/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of strace's output in parts. */
#include "compiler/file/strace.h"

#include <stdbool.h>
#include <string.h>

#include "compiler/base/bug.h"

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

static bool begins(const char *p, const char *with)
{
	return !strncmp(p, with, strlen(with));
}

/* ---- arguments ---- */

/* Does what strace wrote of the call end here, before its closing bracket? */
static bool is_cut(const char *p)
{
	return begins(p, "<unfinished ...>") || begins(p, "<detached ...>") ||
	       begins(p, "<ptrace(SYSCALL)") || begins(p, "strace: ");
}

/* Behind one element of an argument that begins at p. */
static const char *skip_element(const char *p, bool behind_name, unsigned *depth)
{
	const char *end;

	if (*p == '"')
		return strace_skip_string(p);
	if (*p == '[' || *p == '{')
		return strace_skip_group(p);
	if (*p == '<' && behind_name && strchr(p, '>'))
		return strace_skip_decoded(p);
	if (begins(p, "/*")) {
		end = strstr(p + 2, "*/");
		return end ? end + 2 : p + strlen(p);
	}
	*depth += *p == '(';
	*depth -= *p == ')' && *depth;
	return p + 1;
}

static void add_argument(struct strace_line *l, const char *begin, const char *end)
{
	while (begin < end && *begin == ' ')
		begin++;
	while (end > begin && strchr(", ", end[-1]))
		end--;
	if (begin < end && l->nargs < STRACE_ARGS)
		l->args[l->nargs++] = (struct str){ begin, (size_t)(end - begin) };
}

/* From behind the opening bracket; behind the closing one, or NULL: it is not there. */
static const char *split_arguments(struct strace_line *l, const char *p)
{
	const char *begin = p;
	unsigned depth = 0;

	while (*p && !is_cut(p)) {
		if (!depth && (*p == ',' || *p == ')')) {
			add_argument(l, begin, p);
			if (*p == ')')
				return p + 1;
			begin = ++p;
			continue;
		}
		p = skip_element(p, p > begin && is_name(p[-1]), &depth);
	}
	add_argument(l, begin, p);
	l->end = p;
	return NULL;
}

static enum strace_kind split_call(struct strace_line *l, const char *p)
{
	const char *begin = p;

	while (is_name(*p))
		p++;
	if (p == begin || *p != '(')
		return STRACE_NONE;
	l->name = (struct str){ begin, (size_t)(p - begin) };
	p = split_arguments(l, p + 1);
	if (!p)
		return STRACE_UNFINISHED;
	p += strspn(p, " \t");
	if (*p != '=')
		return STRACE_NONE;
	p += 1 + strspn(p + 1, " \t");
	l->result = str_c(p);
	return STRACE_CALL;
}

/* ---- lines ---- */

static enum strace_kind split_resumed(struct strace_line *l, const char *p)
{
	const char *begin = p + strlen("<... "), *end = begin;

	while (is_name(*end))
		end++;
	l->name = (struct str){ begin, (size_t)(end - begin) };
	if (end == begin || !begins(end, " resumed"))
		return STRACE_NONE;
	end += strlen(" resumed");
	end += *end == '>';
	l->rest = end;
	return STRACE_RESUMED;
}

/* " | 00010  02 00 3e 00 ...": the bytes that -e read and -e write show beside a call. */
static bool is_dumped(const char *text)
{
	return begins(text, " | ") && strspn(text + 3, "0123456789abcdef") >= 5;
}

/* "% time     seconds  usecs/call     calls    errors syscall": -C counts below what it wrote. */
bool strace_begins_counts(const char *text)
{
	const char *p = text + strspn(text, " ");

	return begins(p, "% time") && strstr(p, " syscall");
}

/* "------ ----------- ...", "  0.00    0.000000           0         2         2 statfs" */
bool strace_is_count(const char *text)
{
	const char *p = text + strspn(text, "0123456789.- ");

	while (is_name(*p))
		p++;
	return !*p && p > text;
}

void strace_split(const char *text, struct strace_line *out)
{
	static const char *const own[] = { "strace: ",       "<unfinished", "<detached ...>",
					   "[ Process PID=", "> ",          ">/" };
	const char *p;

	*out = (struct strace_line){ .kind = STRACE_OWN };
	if (is_dumped(text)) {
		out->rest = text;
		return;
	}
	strace_head(text, &out->head);
	p = out->rest = out->head.rest;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (begins(p, own[i]))
			return;
	if (!*p)
		return;
	if (begins(p, "+++ ")) {
		out->kind = STRACE_ENDED;
	} else if (begins(p, "--- ")) {
		out->kind = STRACE_SIGNAL;
		out->rest = p + strlen("--- ");
	} else {
		out->kind = begins(p, "<... ") ? split_resumed(out, p) : split_call(out, p);
	}
}

/* ---- texts ---- */

/* One byte of a string at *p, before `end`: print_quoted_string() of strace's util.c. */
static char unescape(const char **p, const char *end)
{
	static const char letters[] = "ntrvfab\\\"", bytes[] = "\n\t\r\v\f\a\b\\\"";
	const char *q = *p + 1, *found;
	unsigned v = 0;

	if (**p != '\\' || q == end) {
		*p = q;
		return q[-1];
	}
	found = *q ? strchr(letters, *q) : NULL;
	if (found) {
		*p = q + 1;
		return bytes[found - letters];
	}
	if (*q == 'x') {
		for (q++; q < end && hex_digit(*q) >= 0 && v < 16; q++)
			v = v * 16 + (unsigned)hex_digit(*q);
	} else {
		for (const char *begin = q; q < end && q < begin + 3 && *q >= '0' && *q <= '7'; q++)
			v = v * 8 + (unsigned)(*q - '0');
	}
	if (q == *p + 1) /* no escape of strace's */
		q++;
	*p = q;
	return (char)v;
}

static ptrdiff_t unescape_all(const char *p, const char *end, char *to, size_t room)
{
	size_t n = 0;

	while (p < end) {
		if (n == room)
			return -1;
		to[n++] = unescape(&p, end);
	}
	return (ptrdiff_t)n;
}

ptrdiff_t strace_string(struct str arg, char *to, size_t room)
{
	if (arg.n < 2 || arg.p[0] != '"' || arg.p[arg.n - 1] != '"')
		return -1;
	return unescape_all(arg.p + 1, arg.p + arg.n - 1, to, room);
}

ptrdiff_t strace_descriptor(struct str arg, char *to, size_t room)
{
	static const char gone[] = "(deleted)";
	const char *begin = arg.n ? memchr(arg.p, '<', arg.n) : NULL;
	const char *end = begin, *stop = arg.p + arg.n;

	if (!begin || begin + 1 == stop)
		return -1;
	while (end < stop && *end != '>')
		end++;
	/* "</dev/pts/0<char 136:0>>": what is less in the path itself is escaped. */
	for (const char *p = begin + 1; p < end; p++)
		if (*p == '<')
			end = p;
	if (end == stop)
		return -1;
	begin++;
	if (end - begin > (ptrdiff_t)sizeof(gone) &&
	    !memcmp(end - sizeof(gone) + 1, gone, sizeof(gone) - 1) &&
	    end[-(ptrdiff_t)sizeof(gone)] == ' ')
		end -= sizeof(gone);
	return unescape_all(begin, end, to, room);
}
