/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/origin.h"

#include <string.h>

enum { TOKENS_MAX = 6 }; /* of a time and a host, in front of who wrote it */

static struct str rest_of(struct str s, size_t at)
{
	return (struct str){ s.p + at, s.n - at };
}

static size_t digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

static size_t blanks(struct str s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
		n++;
	return n;
}

static size_t token(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	return n;
}

/* "NAME: " or "NAME[PID]: " that a token is; false: it is none. */
static bool is_tag(struct str word, struct str *name)
{
	size_t n = word.n;

	if (n < 2 || word.p[--n] != ':')
		return false;
	if (word.p[n - 1] == ']') {
		n--;
		while (n && word.p[n - 1] >= '0' && word.p[n - 1] <= '9')
			n--;
		if (!n || word.p[--n] != '[')
			return false;
	}
	*name = (struct str){ word.p, n };
	return n && !memchr(word.p, '"', n) && !memchr(word.p, '=', n) && !memchr(word.p, ':', n);
}

bool syslog_tag(struct str line, struct str *tag, size_t *body)
{
	size_t at = blanks(line);

	for (unsigned i = 0; i <= TOKENS_MAX && at < line.n; i++) {
		struct str word = { line.p + at, token(rest_of(line, at)) };

		at += word.n;
		at += blanks(rest_of(line, at));
		if (is_tag(word, tag)) {
			*body = at;
			return true;
		}
	}
	return false;
}

/* "[   12.345678] ", "<5>[ 12.3] ", "[Sun Nov 29 04:00:00 2026] ": bytes of it; 0: none. */
static size_t stamp(struct str s)
{
	size_t n = s.n > 2 && s.p[0] == '<' ? 1 + digits(rest_of(s, 1)) : 0;
	const char *end;

	if (n)
		n += n < s.n && s.p[n] == '>';
	if (n >= s.n || s.p[n] != '[')
		return 0;
	end = memchr(s.p + n, ']', s.n - n);
	if (!end || end - s.p > 48 || memchr(s.p + n, '=', (size_t)(end - s.p) - n))
		return 0;
	n = (size_t)(end - s.p) + 1;
	return n + blanks(rest_of(s, n));
}

/* What dmesg puts in front beside it: "kern  :notice: ", "2026-11-29T04:00:00,1+00:00 ", "5,7,12,-;". */
static size_t before_stamp(struct str s)
{
	const char *semicolon = memchr(s.p, ';', s.n < 64 ? s.n : 64);
	size_t n = token(s);

	if (str_starts(s, "kern ")) {
		const char *colon = memchr(s.p, ':', s.n < 32 ? s.n : 32);
		const char *end =
			colon ? memchr(colon + 1, ':', s.n - (size_t)(colon + 1 - s.p)) : NULL;
		n = end && end - s.p < 32 ? (size_t)(end - s.p) + 1 : 0;
		return n ? n + blanks(rest_of(s, n)) : 0;
	}
	if (semicolon && digits(s) && !memchr(s.p, ' ', (size_t)(semicolon - s.p)))
		return (size_t)(semicolon - s.p) + 1;
	if (digits(s) == 4 && n > 18 && s.p[4] == '-' && memchr(s.p, 'T', n))
		return n + blanks(rest_of(s, n));
	return 0;
}

/* "type=1400 audit(1.2:3): " at the front; ausearch -i writes a date there, and " : ". */
static bool typed(struct str s, struct str *type, size_t *body)
{
	static const char key[] = "type=", mark[] = "audit(";
	size_t at = sizeof(key) - 1;
	const char *end;

	if (!str_starts(s, key))
		return false;
	*type = (struct str){ s.p + at, token(rest_of(s, at)) };
	at += type->n;
	at += blanks(rest_of(s, at));
	if (str_starts(rest_of(s, at), "msg="))
		at += 4;
	if (!str_starts(rest_of(s, at), mark) || !digits(rest_of(s, at + sizeof(mark) - 1)))
		return false;
	end = memchr(s.p + at, ')', s.n - at);
	if (!end || end - s.p - (ptrdiff_t)at > 64)
		return false;
	at = (size_t)(end - s.p) + 1;
	at += blanks(rest_of(s, at));
	if (at >= s.n || s.p[at] != ':')
		return false;
	*body = at + 1 + blanks(rest_of(s, at + 1));
	return true;
}

/* "AVC ": a type's name, as journald writes it. */
static bool named(struct str s, struct str *type, size_t *body)
{
	*type = (struct str){ s.p, token(s) };
	*body = type->n + blanks(rest_of(s, type->n));
	return str_is(*type, "AVC") || str_is(*type, "USER_AVC") || str_is(*type, "SECCOMP");
}

/* "node=web ", as auditd has it of other machines: bytes of it. */
static size_t node(struct str s)
{
	size_t n = str_starts(s, "node=") ? token(s) : 0;

	return n ? n + blanks(rest_of(s, n)) : 0;
}

static bool writes_audit(struct str tag)
{
	return str_is(tag, "audit") || str_is(tag, "auditd") || str_is(tag, "audispd") ||
	       str_is(tag, "audisp-syslog");
}

static bool head_at(struct str line, size_t at, bool by_journald, struct str *type, size_t *body)
{
	struct str s = rest_of(line, at);

	if (!typed(s, type, body) && !(by_journald && named(s, type, body)))
		return false;
	*body += at;
	return true;
}

bool audit_head(struct str line, struct str *type, size_t *body)
{
	static const char own[] = "audit: ";
	size_t at = blanks(line);
	struct str tag;

	at += node(rest_of(line, at));
	if (head_at(line, at, true, type, body))
		return true;
	at += before_stamp(rest_of(line, at));
	at += stamp(rest_of(line, at));
	if (str_starts(rest_of(line, at), own))
		return head_at(line, at + sizeof(own) - 1, true, type, body);
	if (head_at(line, at, false, type, body))
		return true;
	if (!syslog_tag(line, &tag, &at))
		return false;
	if (writes_audit(tag))
		return head_at(line, at + node(rest_of(line, at)), true, type, body);
	if (!str_is(tag, "kernel"))
		return false;
	at += stamp(rest_of(line, at));
	return str_starts(rest_of(line, at), own) &&
	       head_at(line, at + sizeof(own) - 1, true, type, body);
}
