/* SPDX-License-Identifier: Apache-2.0 */
/* Calls pasted from strace's output. */
#include "compiler/file/strace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/oci.h"
#include "grammar/parse.h"

static const char pointer[] = "\"_\"";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

const char *strace_skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	p += *p == '"';
	return strncmp(p, "...", 3) ? p : p + 3;
}

const char *strace_skip_group(const char *p)
{
	unsigned depth = 0;

	do {
		if (*p == '"') {
			p = strace_skip_string(p);
			continue;
		}
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	} while (*p && depth);
	return p;
}

const char *strace_skip_decoded(const char *p)
{
	unsigned depth = 0;

	do {
		if (*p == '"') {
			p = strace_skip_string(p);
			continue;
		}
		depth += *p == '<';
		depth -= *p == '>' && p[-1] != '-';
		p++;
	} while (*p && depth);
	return p;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* What -Y adds to a process. */
static const char *take_comm(const char *p, struct strace_head *head)
{
	const char *end = strace_skip_decoded(p);

	if (end - p >= 2)
		head->comm = (struct str){ p + 1, (size_t)(end - p) - 2 };
	return end;
}

/* "[pid  4711] ", "[pid 4711<sh>] ", "[00007fc73b7d5ad7] " (-i), "[  59] " (-n); NULL: no such thing. */
static const char *skip_bracketed(const char *p, struct strace_head *head)
{
	const char *q = skip_blanks(p + 1), *begin = NULL;

	if (*p != '[')
		return NULL;
	if (!strncmp(q, "pid", 3))
		begin = q = skip_blanks(q + 3);
	q += strspn(q, "0123456789abcdef?");
	if (begin)
		head->pid = (struct str){ begin, (size_t)(q - begin) };
	q = *q == '<' ? take_comm(q, head) : q;
	return *q == ']' ? q + 1 : NULL;
}

/* "4711 " of -f -o, "4711<sh> ", "05:17:52.080970 ", "1700000000.1 ", "(+     0.000013) "; NULL. */
static const char *skip_stamp(const char *p, struct strace_head *head)
{
	const char *q = *p == '(' && p[1] == '+' ? skip_blanks(p + 2) : p;
	const char *end = q + strspn(q, "0123456789:.");
	struct str stamp = { q, (size_t)(end - q) };

	if (end == q)
		return NULL;
	if (q != p)
		return *end == ')' ? end + 1 : NULL;
	if (*end == '<')
		end = take_comm(end, head);
	if (*end != ' ' && *end != '\t')
		return NULL;
	if (memchr(stamp.p, '.', stamp.n) || memchr(stamp.p, ':', stamp.n))
		head->time = stamp;
	else
		head->pid = stamp;
	return end;
}

void strace_head(const char *text, struct strace_head *head)
{
	const char *p = skip_blanks(text), *next;

	*head = (struct strace_head){ 0 };
	while ((next = *p == '[' ? skip_bracketed(p, head) : skip_stamp(p, head)))
		p = skip_blanks(next);
	head->rest = p;
}

/* What stands in front of the call: the process, times, the place, the call's number. */
static const char *skip_prefixes(const char *text)
{
	struct strace_head head;

	strace_head(text, &head);
	return head.rest;
}

/* What strace alone writes: then numbers that begin with 0 are its octal modes. */
static bool is_strace(const char *text)
{
	for (const char *p = strchr(text, ')'); p; p = strchr(p + 1, ')')) {
		size_t blanks = strspn(p + 1, " \t"); /* to the column that -a names */
		if (blanks && p[1 + blanks] == '=')
			return true;
	}
	return strchr(text, '"') || strchr(text, '{');
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

/* SIGRT_1 and so on: strace's names for what is between SIGRTMIN, 32 for the kernel, and SIGRTMAX. */
static const char *put_signal(struct arena *a, const char *p, const char **out)
{
	char *end;

	if (strncmp(p, "SIGRT_", 6) || !is_digit(p[6]))
		return NULL;
	unsigned long n = strtoul(p + 6, &end, 10);
	if (n > 96 || is_word(*end)) /* SIGRTMAX is 128 on mips */
		return NULL;
	*out = arena_printf(a, "%lu", 32 + n);
	return end;
}

/* "_IOC(_IOC_READ|_IOC_WRITE, 0x54, 0x2a, 0x4)", of requests without a name: asm-generic/ioctl.h. */
static const char *put_request(struct arena *a, const char *p, const char **out)
{
	static const char begin[] = "_IOC(";
	unsigned long directions = 0, parts[3];
	char *end;

	if (strncmp(p, begin, sizeof(begin) - 1))
		return NULL;
	p += sizeof(begin) - 1;
	for (; *p && *p != ','; p++) {
		directions |= !strncmp(p, "_IOC_WRITE", 10) ? 1ul : 0;
		directions |= !strncmp(p, "_IOC_READ", 9) ? 2ul : 0;
	}
	for (size_t i = 0; i < 3; i++) {
		if (*p != ',')
			return NULL;
		parts[i] = strtoul(p + 1, &end, 0);
		p = end;
	}
	if (*p != ')' || parts[0] > 0xff || parts[1] > 0xff || parts[2] > 0x3fff)
		return NULL;
	*out = arena_printf(a, "%lu", directions << 30 | parts[2] << 16 | parts[0] << 8 | parts[1]);
	return p + 1;
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

static bool begins_argument(const struct rewriting *r)
{
	size_t n = r->n;

	while (n && r->to[n - 1] == ' ')
		n--;
	return n && strchr("(,", r->to[n - 1]);
}

static bool begins_name(const char *p)
{
	return *p >= 'A' && *p <= 'Z';
}

/* One step; where it goes on. */
static const char *rewrite(struct rewriting *r, const char *text, const char *p)
{
	bool starts = p == text || !is_word(p[-1]);
	const char *number, *end;

	if (*p == '~' && p[1] == '[') /* a set of signals by what is not in it */
		p++;
	if (*p == '"' || *p == '{' || *p == '[') {
		put(r, pointer);
		end = *p == '"' ? strace_skip_string(p) : strace_skip_group(p);
		/* What the kernel has made of it: "{flags=...} => {parent_tid=[77]}". */
		return strncmp(end, " => ", 4) || !strchr("{[\"", end[4]) ? end :
		       end[4] == '"' ? strace_skip_string(end + 4) :
				       strace_skip_group(end + 4);
	}
	if (!strncmp(p, "/*", 2)) {
		end = strstr(p + 2, "*/");
		return end ? end + 2 : p + strlen(p);
	}
	/* Cut off, by another process's line or by what strace has to say meanwhile. */
	if (!strncmp(p, "<unfinished", 11) || !strncmp(p, "strace: ", 8)) {
		while (r->n && strchr(", ", r->to[r->n - 1]))
			r->n--;
		put(r, ")");
		return p + strlen(p);
	}
	if (*p == '<' && p > text && is_word(p[-1]) && strchr(p, '>'))
		return strace_skip_decoded(p);
	if (starts && !strncmp(p, "child_stack=", 12)) { /* strace's name for the table's */
		put(r, "stack=");
		return p + 12;
	}
	if (!strncmp(p, " or ", 4) && begins_name(p + 4)) { /* one number of two names */
		for (p += 4; is_word(*p);)
			p++;
		return p;
	}
	if (*p == '|' && begins_argument(r)) /* -X raw, where no flag has a name: "|0x900" */
		return p + 1;
	end = r->octal && starts ? put_octal(r->arena, p, &number) : NULL;
	if (!end && starts)
		end = put_signal(r->arena, p, &number);
	if (!end && starts)
		end = put_request(r->arena, p, &number);
	if (end) {
		put(r, number);
		return end;
	}
	r->to[r->n++] = *p;
	return p + 1;
}

static const char *strace_call(struct arena *a, const char *text)
{
	struct rewriting r = { .arena = a,
			       .to = arena_alloc(a, 3 * strlen(text) + 1),
			       .octal = is_strace(text) };
	const char *p = skip_prefixes(text);
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
	if (*p &&
	    !strchr(" \t", *p)) /* "read(3)x" is not strace's: the parser shall say what is wrong */
		put(&r, p);
	r.to[r.n] = '\0';
	return r.to;
}

static const struct {
	const char *begins, *is, *help;
} no_calls[] = {
	{ "<...", "the end of a call whose beginning stands on another line",
	  "give the line that ends with '<unfinished ...>'" },
	{ "<unfinished", "the end of a line that strace broke, no call", NULL },
	{ "+++", "how a process ended, no call", NULL },
	{ "---", "a signal, no call", NULL },
	{ "> ", "a line of a call's stack, no call", NULL },
	{ ">/", "a line of a call's stack, no call", NULL },
	{ "strace: ", "what strace says of itself, no call", NULL },
	{ "[ Process PID=", "what strace says of itself, no call", NULL },
	{ "<detached ...>", "what strace says of itself, no call", NULL },
	{ "????", "a call whose beginning strace did not see", NULL },
};

/* Lines of strace's that hold no call to ask about. */
static bool is_no_call(const char *text, struct diags *ds)
{
	const char *p = skip_prefixes(text);

	for (size_t i = 0; i < ARRAY_SIZE(no_calls); i++) {
		if (strncmp(p, no_calls[i].begins, strlen(no_calls[i].begins)))
			continue;
		BUF_AUTO shown = { 0 };
		buf_safe(&shown, str_c(text));
		struct diag *d =
			diag_add(ds, DIAG_PL239, NO_SPAN, "'%s' is %s", shown.p, no_calls[i].is);
		diag_help(ds, d, "%s",
			  no_calls[i].help ?
				  no_calls[i].help :
				  "give lines such as 'openat(AT_FDCWD, \"x\", O_RDONLY) = 3'");
		return true;
	}
	return false;
}

struct ast_call_args *strace_parse(struct session *s, const char *text)
{
	if (is_no_call(text, s->diags))
		return NULL;
	struct source *src = source_add(s->sources, "<call>", str_c(strace_call(s->arena, text)));
	return pale_parse_call(s->arena, src, s->diags);
}

/* ---- which call ---- */

static bool has_name(const struct oci_asked_calls *asked, struct str name)
{
	for (size_t i = 0; i < asked->n; i++)
		if (str_eq(asked->names[i], name))
			return true;
	return false;
}

const struct oci_asked_calls *strace_asked(struct session *s, const char *const *texts, int n)
{
	struct oci_asked_calls *asked = ARENA_NEW(s->arena, struct oci_asked_calls);
	struct str *names = ARENA_ARRAY(s->arena, struct str, (size_t)n * ARCH_NR + 1);

	asked->names = names;
	for (int i = 0; i < n; i++) {
		const char *p = skip_prefixes(texts[i]), *end = p;
		while (is_word(*end))
			end++;
		if (*p != '#') {
			names[asked->n++] = (struct str){ p, (size_t)(end - p) };
			continue;
		}
		unsigned long nr = strtoul(p + 1, NULL, 0);
		for (int a = 0; a < ARCH_NR; a++) {
			const struct syscall_info *sys = syscall_by_nr((enum arch)a, (uint32_t)nr);
			if (sys && !has_name(asked, str_c(sys->name)))
				names[asked->n++] = str_c(sys->name);
		}
	}
	return asked;
}
