/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/record/line.h"

#include <stdarg.h>
#include <string.h>

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

void put_quoted(struct buf *out, struct str s)
{
	size_t from = 0;

	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (is_plain(s.p[i]))
			continue;
		buf_add(out, s.p + from, i - from);
		from = i + 1;
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_printf(out, "\\%c", s.p[i]);
		else
			buf_printf(out, "\\x%02x", (unsigned char)s.p[i]);
	}
	buf_add(out, s.p + from, s.n - from);
	buf_putc(out, '"');
}

bool line_fail(struct line *w, const char *at, const char *fmt, ...)
{
	BUF_AUTO text = { 0 };
	va_list ap;

	if (w->why)
		return false;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	w->why = buf_keep(w->arena, &text);
	w->at = at;
	return false;
}

bool line_end(struct line *w)
{
	if (w->why)
		return false;
	return !w->rest.n || line_fail(w, w->rest.p, "nothing more is expected here");
}

/* A word of n bytes is taken, and the blank behind it. */
static void pass(struct line *w, size_t n)
{
	n += n < w->rest.n && w->rest.p[n] == ' ' && n + 1 < w->rest.n;
	w->rest.p += n;
	w->rest.n -= n;
}

bool take_word(struct line *w, const char *what, struct str *out)
{
	const char *blank = w->rest.n ? memchr(w->rest.p, ' ', w->rest.n) : NULL;

	if (w->why)
		return false;
	*out = (struct str){ w->rest.p, blank ? (size_t)(blank - w->rest.p) : w->rest.n };
	if (!out->n)
		return line_fail(w, w->rest.p, "%s is missing", what);
	pass(w, out->n);
	return true;
}

bool take_if(struct line *w, const char *word)
{
	size_t n = strlen(word);

	if (w->why || w->rest.n < n || memcmp(w->rest.p, word, n) != 0 ||
	    (w->rest.n > n && w->rest.p[n] != ' '))
		return false;
	pass(w, n);
	return true;
}

bool take_number(struct line *w, const char *what, uint64_t most, uint64_t *out)
{
	struct str word;

	if (!take_word(w, what, &word))
		return false;
	if (str_u64(word, out) || *out > most)
		return line_fail(w, word.p, "%s is a number up to %llu", what,
				 (unsigned long long)most);
	return true;
}

int lower_hex(char c)
{
	return c >= 'A' && c <= 'F' ? -1 : hex_digit(c);
}

/* What stands behind a backslash, to *byte: how many characters it has; 0: none that is written. */
static size_t escape(struct str s, unsigned char *byte)
{
	if (s.n && (s.p[0] == '"' || s.p[0] == '\\')) {
		*byte = (unsigned char)s.p[0];
		return 1;
	}
	if (s.n < 3 || s.p[0] != 'x' || lower_hex(s.p[1]) < 0 || lower_hex(s.p[2]) < 0)
		return 0;
	*byte = (unsigned char)(lower_hex(s.p[1]) << 4 | lower_hex(s.p[2]));
	return *byte && !is_plain((char)*byte) && *byte != '"' && *byte != '\\' ? 3 : 0;
}

/* The bytes between the quotes to `out`, which has room for them. Where it ended, NULL: wrong. */
static const char *unquote(struct line *w, const char *what, struct str *out, char *to)
{
	const char *p = w->rest.p + 1, *end = w->rest.p + w->rest.n;

	*out = (struct str){ to, 0 };
	for (; p < end && *p != '"'; p++) {
		unsigned char c = (unsigned char)*p;
		size_t n = 0;

		if (c == '\\') {
			n = escape((struct str){ p + 1, (size_t)(end - p) - 1 }, &c);
			if (!n)
				return (void)line_fail(
					       w, p,
					       "no escape that is written here: \\\", "
					       "\\\\, and \\x01 to \\xff of what is not printed"),
				       NULL;
		} else if (!is_plain((char)c)) {
			return (void)line_fail(w, p, "the byte 0x%02x stands as \\x%02x here", c,
					       c),
			       NULL;
		}
		to[out->n++] = (char)c;
		p += n;
	}
	to[out->n] = 0;
	if (p == end)
		return (void)line_fail(w, w->rest.p, "%s has no quote at its end", what), NULL;
	return p + 1;
}

bool take_quoted(struct line *w, const char *what, struct str *out)
{
	const char *end;

	if (w->why)
		return false;
	if (!w->rest.n || w->rest.p[0] != '"')
		return line_fail(w, w->rest.p, "%s stands in quotes here", what);
	end = unquote(w, what, out, arena_alloc(w->arena, w->rest.n));
	if (!end)
		return false;
	if (end < w->rest.p + w->rest.n && *end != ' ')
		return line_fail(w, end, "a blank is missing behind %s", what);
	pass(w, (size_t)(end - w->rest.p));
	return true;
}
