/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/json_write.h"

#include <string.h>

/* What is written for one well-formed character that cannot stand as it is; else false. */
static bool put_escape(struct buf *out, const char *p, size_t len)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	unsigned char c = (unsigned char)*p;
	const char *hit = c ? strchr(from, c) : NULL;

	if (hit) {
		buf_printf(out, "\\%c", to[hit - from]);
		return true;
	}
	if (!utf8_is_control(p, len))
		return false;
	unsigned point = len == 1 ? c : len == 2 ? c & 0x1fu : c & 0xfu;
	for (size_t i = 1; i < len; i++)
		point = point << 6 | ((unsigned char)p[i] & 0x3f);
	buf_printf(out, "\\u%04x", point);
	return true;
}

/* Do all of these eight stand as they are? A byte is less than n, or is n, where a top bit is set. */
static bool are_plain(const char *p)
{
	const uint64_t ones = UINT64_MAX / 0xff, tops = ones << 7;
	uint64_t bytes, quotes, slashes, deletes;

	memcpy(&bytes, p, sizeof(bytes));
	quotes = bytes ^ ones * '"';
	slashes = bytes ^ ones * '\\';
	deletes = bytes ^ ones * 0x7f;
	return !((bytes | (bytes - ones * ' ') | (quotes - ones) | (slashes - ones) |
		  (deletes - ones)) &
		 tops);
}

/* Bytes that stand as they are, from one on. */
static size_t plain_run(struct str s, size_t from)
{
	size_t at = from;

	while (s.n - at >= 8 && are_plain(s.p + at))
		at += 8;
	while (at < s.n && s.p[at] >= ' ' && s.p[at] < 0x7f && s.p[at] != '"' && s.p[at] != '\\')
		at++;
	return at - from;
}

void json_put_string(struct buf *out, struct str s)
{
	size_t len;

	len = plain_run(s, 0);
	if (len == s.n) { /* nearly all are */
		buf_quote(out, s);
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i += len ? len : 1) {
		len = plain_run(s, i);
		if (len) {
			buf_add(out, s.p + i, len);
			continue;
		}
		len = utf8_len(s.p + i, s.n - i);
		if (!len)
			buf_puts(out, "\\ufffd");
		else if (!put_escape(out, s.p + i, len))
			buf_add(out, s.p + i, len);
	}
	buf_putc(out, '"');
}

/* ---- the writer ---- */

/* A short key, which is all of ours, in one piece; false: it is none, or there is more to write. */
static bool put_short_key(struct json_writer *w, struct str key)
{
	char text[64], *p = text;

	if (w->line || key.n > sizeof(text) - 6 || plain_run(key, 0) < key.n)
		return false;
	if (w->begun)
		*p++ = ',';
	if (w->begun && !w->compact)
		*p++ = ' ';
	*p++ = '"';
	memcpy(p, key.p, key.n);
	p += key.n;
	*p++ = '"';
	*p++ = ':';
	if (!w->compact)
		*p++ = ' ';
	buf_add(w->out, text, (size_t)(p - text));
	w->begun = true;
	return true;
}

static void put_key(struct json_writer *w, const char *key)
{
	if (key && put_short_key(w, str_c(key)))
		return;
	if (w->begun)
		buf_putc(w->out, ',');
	if (w->line)
		buf_puts(w->out, w->line);
	else if (w->begun && !w->compact)
		buf_putc(w->out, ' ');
	w->line = NULL;
	w->begun = true;
	if (!key)
		return;
	json_put_string(w->out, str_c(key));
	buf_puts(w->out, w->compact ? ":" : ": ");
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
	put_key(w, key);
	buf_putc(w->out, bracket);
	w->begun = false;
}

void json_close(struct json_writer *w, char bracket)
{
	if (w->line)
		buf_puts(w->out, w->line);
	w->line = NULL;
	w->begun = true;
	buf_putc(w->out, bracket);
}

void json_line(struct json_writer *w, const char *line)
{
	w->line = line;
}

void json_string(struct json_writer *w, const char *key, struct str s)
{
	put_key(w, key);
	json_put_string(w->out, s);
}

void json_text(struct json_writer *w, const char *key, const char *s)
{
	json_string(w, key, str_c(s));
}

void json_optional(struct json_writer *w, const char *key, const char *s)
{
	if (s)
		json_text(w, key, s);
}

void json_number(struct json_writer *w, const char *key, uint64_t n)
{
	put_key(w, key);
	buf_number(w->out, n);
}

void json_hex(struct json_writer *w, const char *key, uint64_t n)
{
	put_key(w, key);
	buf_printf(w->out, "\"%016jx\"", (uintmax_t)n);
}

void json_signed(struct json_writer *w, const char *key, int64_t n)
{
	put_key(w, key);
	buf_printf(w->out, "%jd", (intmax_t)n);
}

void json_bool(struct json_writer *w, const char *key, bool b)
{
	put_key(w, key);
	buf_puts(w->out, b ? "true" : "false");
}

void json_null(struct json_writer *w, const char *key)
{
	put_key(w, key);
	buf_puts(w->out, "null");
}
