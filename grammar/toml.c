/* SPDX-License-Identifier: Apache-2.0 */
/* https://toml.io/en/v1.0.0, a part of it (toml.h), by recursive descent; the first error ends it. */
#include "grammar/toml.h"

#include <string.h>

enum { NESTING_MAX = 32, VALUES_MAX = 4096 };

enum { TABLE_MADE = 1, TABLE_NAMED, TABLE_DOTTED, TABLE_INLINE }; /* in u64 of an object */

struct reader {
	struct arena *arena;
	struct source *src;
	struct diags *ds;
	const char *p;
	uint32_t n, pos;
	unsigned values;
};

static bool read_value(struct reader *r, struct json *out, unsigned depth);

/* ---- what is wrong ---- */

static bool fail(struct reader *r, enum diag_id id, uint32_t begin, uint32_t end, const char *text,
		 const char *help)
{
	struct diag *d;

	end = end > r->n ? r->n : end;
	d = diag_add(r->ds, id, (struct span){ r->src->id, begin > end ? end : begin, end }, "%s",
		     text);
	if (help)
		diag_help(r->ds, d, "%s", help);
	return false;
}

static bool wrong(struct reader *r, const char *text, const char *help)
{
	return fail(r, DIAG_PL437, r->pos, r->pos + 1, text, help);
}

static bool unread(struct reader *r, uint32_t length, const char *text, const char *help)
{
	return fail(r, DIAG_PL438, r->pos, r->pos + length, text, help);
}

/* ---- characters ---- */

static char peek(const struct reader *r)
{
	return r->pos < r->n ? r->p[r->pos] : '\0';
}

static bool at_end(const struct reader *r)
{
	return r->pos >= r->n;
}

static bool looking_at(const struct reader *r, const char *word)
{
	size_t n = strlen(word);

	return r->n - r->pos >= n && !memcmp(r->p + r->pos, word, n);
}

static bool at_newline(const struct reader *r)
{
	return peek(r) == '\n' || looking_at(r, "\r\n");
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t')
		r->pos++;
}

/* One character of a comment or a string: well-formed UTF-8 and no control but a tab. */
static bool take_char(struct reader *r)
{
	size_t len = utf8_len(r->p + r->pos, r->n - r->pos);
	unsigned char c = (unsigned char)peek(r);

	if (!len)
		return wrong(r, "this byte is not UTF-8",
			     "TOML is UTF-8: save the file in that encoding");
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		return wrong(r, "a control character stands here",
			     "write it as an escape: \"\\u00XX\"");
	r->pos += (uint32_t)len;
	return true;
}

static bool skip_comment(struct reader *r)
{
	if (peek(r) != '#')
		return true;
	while (!at_end(r) && !at_newline(r))
		if (!take_char(r))
			return false;
	return true;
}

static void skip_newline(struct reader *r)
{
	r->pos += peek(r) == '\r' ? 2 : 1;
}

static bool end_line(struct reader *r)
{
	skip_blanks(r);
	if (!skip_comment(r))
		return false;
	if (at_end(r))
		return true;
	if (!at_newline(r))
		return wrong(r, "something stands behind the value",
			     "begin a new line, or write # before a comment");
	skip_newline(r);
	return true;
}

/* Blanks, comments and line ends, of which arrays may be full. */
static bool skip_lines(struct reader *r)
{
	for (;;) {
		skip_blanks(r);
		if (!skip_comment(r))
			return false;
		if (at_end(r) || !at_newline(r))
			return true;
		skip_newline(r);
	}
}

/* ---- strings ---- */

static size_t put_utf8(char *out, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (char)c;
		return 1;
	}
	for (size_t i = n - 1; i; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)((0xf00u >> n & 0xffu) | c);
	return n;
}

/* \uXXXX and \UXXXXXXXX, at the backslash. */
static bool take_unicode(struct reader *r, unsigned digits, char *out, size_t *n)
{
	uint32_t c = 0;

	for (unsigned i = 0; i < digits; i++) {
		uint32_t at = r->pos + 2 + i;
		int d = at < r->n ? hex_digit(r->p[at]) : -1;

		if (d < 0)
			return wrong(r,
				     digits == 4 ? "\\u needs four hexadecimal digits" :
						   "\\U needs eight hexadecimal digits",
				     NULL);
		c = c << 4 | (uint32_t)d;
	}
	if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return wrong(r, "the escape names no character", NULL);
	*n += put_utf8(out + *n, c);
	r->pos += 2 + digits;
	return true;
}

static bool take_escape(struct reader *r, char *out, size_t *n)
{
	static const char from[] = "\"\\bfnrt", to[] = "\"\\\b\f\n\r\t";
	char c = r->pos + 1 < r->n ? r->p[r->pos + 1] : '\0';
	const char *hit = c ? strchr(from, c) : NULL;

	if (c == 'u' || c == 'U')
		return take_unicode(r, c == 'u' ? 4 : 8, out, n);
	if (!hit)
		return wrong(r, "TOML knows no such escape",
			     "a string in '...' has none: '\\d' is what it says");
	out[(*n)++] = to[hit - from];
	r->pos += 2;
	return true;
}

/* At its quote, one of " and '; *out is a NUL-terminated copy. */
static bool read_string(struct reader *r, struct str *out)
{
	uint32_t begin = r->pos, room = 0;
	char quote = peek(r);
	size_t n = 0;
	char *text;

	if (looking_at(r, "\"\"\"") || looking_at(r, "'''"))
		return unread(r, 3, "pale reads no strings over several lines",
			      "write \"...\", with \\n for a line's end");
	while (begin + room < r->n && r->p[begin + room] != '\n')
		room++;
	text = arena_alloc(r->arena, (size_t)room + 1); /* no escape is shorter than what it says */
	r->pos++;
	while (!at_end(r) && peek(r) != quote && !at_newline(r)) {
		uint32_t at = r->pos;

		if (quote == '"' && peek(r) == '\\') {
			if (!take_escape(r, text, &n))
				return false;
			continue;
		}
		if (!take_char(r))
			return false;
		memcpy(text + n, r->p + at, r->pos - at);
		n += r->pos - at;
	}
	if (peek(r) != quote || at_end(r))
		return fail(r, DIAG_PL437, begin, r->pos, "this string is not closed on its line",
			    quote == '"' ? "close it with \"" : "close it with '");
	r->pos++;
	*out = (struct str){ text, n };
	return true;
}

/* ---- keys ---- */

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* One part of a dotted key. */
static bool read_key(struct reader *r, struct str *key, struct span *span)
{
	uint32_t begin = r->pos;

	if (peek(r) == '"' || peek(r) == '\'') {
		if (!read_string(r, key))
			return false;
	} else {
		while (is_bare(peek(r)))
			r->pos++;
		if (r->pos == begin)
			return wrong(
				r, "a key is expected here",
				"write key = value, or [table]; a key with other characters stands in quotes");
		*key = (struct str){ r->p + begin, r->pos - begin };
	}
	*span = (struct span){ r->src->id, begin, r->pos };
	skip_blanks(r);
	return true;
}

static struct json *find(struct json *table, struct str key)
{
	for (struct json *m = table->first; m; m = m->next)
		if (str_eq(m->key, key))
			return m;
	return NULL;
}

static bool add(struct reader *r, struct json *to, struct json **out)
{
	struct json **end = &to->first;

	if (++r->values > VALUES_MAX)
		return wrong(r, "the file holds more than 4096 values", NULL);
	while (*end)
		end = &(*end)->next;
	*end = *out = ARENA_NEW(r->arena, struct json);
	to->count++;
	return true;
}

static bool twice(struct reader *r, const struct json *first, struct span again, const char *what)
{
	struct diag *d = diag_add(r->ds, DIAG_PL437, again, "%s", what);

	diag_note(r->ds, d, first->key_span, "first here");
	diag_help(r->ds, d, "leave one of them out");
	return false;
}

/* The table of this name in `table`, made where there is none. */
static bool enter(struct reader *r, struct json **table, struct str key, struct span span)
{
	struct json *m = find(*table, key);

	if (m && (m->kind != JSON_OBJECT || m->u64 == TABLE_INLINE))
		return twice(r, m, span, "this is no table that more can be written to");
	if (!m) {
		if (!add(r, *table, &m))
			return false;
		*m = (struct json){ .kind = JSON_OBJECT,
				    .span = span,
				    .key = key,
				    .key_span = span,
				    .u64 = TABLE_MADE };
	}
	*table = m;
	return true;
}

/* a.b.c: `table` becomes a.b, *key c. */
static bool read_path(struct reader *r, struct json **table, struct str *key, struct span *span,
		      unsigned made_by)
{
	for (unsigned depth = 0;; depth++) {
		if (depth == NESTING_MAX)
			return wrong(r, "keys are nested more than 32 deep", NULL);
		if (!read_key(r, key, span))
			return false;
		if (peek(r) != '.')
			return true;
		r->pos++;
		skip_blanks(r);
		if (!enter(r, table, *key, *span))
			return false;
		if ((*table)->u64 == TABLE_NAMED && made_by == TABLE_DOTTED)
			return twice(r, *table, *span, "this table has a heading of its own");
		if (made_by == TABLE_DOTTED)
			(*table)->u64 = TABLE_DOTTED;
	}
}

static bool read_pair(struct reader *r, struct json *table, unsigned depth)
{
	struct json value = { 0 }, *m;
	struct span span;
	struct str key;

	if (!read_path(r, &table, &key, &span, TABLE_DOTTED))
		return false;
	if (peek(r) != '=')
		return wrong(r, "'=' is expected behind the key", "write key = value");
	r->pos++;
	skip_blanks(r);
	if ((m = find(table, key)) != NULL)
		return twice(r, m, span, "this key was given before");
	if (!read_value(r, &value, depth) || !add(r, table, &m))
		return false;
	*m = value;
	m->key = key;
	m->key_span = span;
	return true;
}

/* ---- values ---- */

static bool read_array(struct reader *r, struct json *out, unsigned depth)
{
	out->kind = JSON_ARRAY;
	r->pos++;
	for (;;) {
		struct json value = { 0 }, *m;

		if (!skip_lines(r))
			return false;
		if (peek(r) == ']')
			break;
		if (!read_value(r, &value, depth + 1) || !add(r, out, &m))
			return false;
		*m = value;
		if (!skip_lines(r))
			return false;
		if (peek(r) != ',' && peek(r) != ']')
			return wrong(r, "',' or ']' is expected here",
				     "the values of an array are parted by commas");
		r->pos += peek(r) == ',';
	}
	r->pos++;
	return true;
}

static bool read_inline(struct reader *r, struct json *out, unsigned depth)
{
	out->kind = JSON_OBJECT;
	r->pos++;
	skip_blanks(r);
	while (peek(r) != '}') {
		if (!read_pair(r, out, depth + 1))
			return false;
		skip_blanks(r);
		if (peek(r) != ',' && peek(r) != '}')
			return wrong(r, "',' or '}' is expected here",
				     "an inline table stands on one line; else write [table]");
		if (peek(r) != ',')
			continue;
		r->pos++;
		skip_blanks(r);
		if (peek(r) == '}')
			return wrong(r, "a key is expected here",
				     "no comma stands before the '}' of an inline table");
	}
	r->pos++;
	out->u64 = TABLE_INLINE;
	return true;
}

/* Decimal integers, true and false; what else begins so is named. */
static bool read_word(struct reader *r, struct json *out)
{
	uint32_t begin = r->pos, end = begin;
	bool negative = peek(r) == '-';

	while (end < r->n && (is_bare(r->p[end]) || strchr("+.:", r->p[end])) && r->p[end])
		end++;
	struct str word = { r->p + begin, end - begin };
	struct str digits = { word.p + negative, word.n - negative };

	if (!word.n)
		return wrong(r, "a value is expected here",
			     "write \"...\", a list in [ ], a number, true or false");
	out->text = word;
	if (str_is(word, "true") || str_is(word, "false")) {
		out->kind = JSON_BOOL;
		out->boolean = str_is(word, "true");
	} else if (digits.n && digits.p[0] >= '0' && digits.p[0] <= '9' &&
		   !memchr(digits.p, 'x', digits.n) && !str_u64(digits, &out->u64) &&
		   (!negative || out->u64 <= INT64_MAX)) {
		out->kind = JSON_NUMBER;
		out->is_u64 = !negative;
		out->is_i64 = out->u64 <= INT64_MAX;
		out->i64 = negative ? -(int64_t)out->u64 : (int64_t)out->u64;
	} else if (strchr("+-0123456789", word.p[0]) || str_is(word, "inf") ||
		   str_is(word, "nan")) {
		return unread(r, (uint32_t)word.n, "of numbers pale reads decimal integers alone",
			      "write dates, versions and such in quotes: \"5.0\"");
	} else {
		return fail(r, DIAG_PL437, begin, end, "this is no value",
			    "a text stands in quotes: \"...\"");
	}
	r->pos = end;
	return true;
}

static bool read_value(struct reader *r, struct json *out, unsigned depth)
{
	uint32_t begin = r->pos;
	bool fine;

	if (depth > NESTING_MAX)
		return wrong(r, "values are nested more than 32 deep", NULL);
	switch (peek(r)) {
	case '"':
	case '\'':
		out->kind = JSON_STRING;
		fine = read_string(r, &out->text);
		break;
	case '[': fine = read_array(r, out, depth); break;
	case '{': fine = read_inline(r, out, depth); break;
	default: fine = read_word(r, out);
	}
	out->span = (struct span){ r->src->id, begin, r->pos };
	return fine;
}

/* ---- the file ---- */

/* [a.b]: what stands below it goes to *table. */
static bool read_heading(struct reader *r, struct json *root, struct json **table)
{
	struct span span;
	struct str key;

	if (looking_at(r, "[["))
		return unread(r, 2, "pale reads no arrays of tables", "write [table]");
	r->pos++;
	skip_blanks(r);
	*table = root;
	if (!read_path(r, table, &key, &span, TABLE_NAMED))
		return false;
	if (peek(r) != ']')
		return wrong(r, "']' is expected here", "write [table]");
	r->pos++;
	if (!enter(r, table, key, span))
		return false;
	if ((*table)->u64 != TABLE_MADE)
		return twice(r, *table, span, "this table was given before");
	(*table)->u64 = TABLE_NAMED;
	(*table)->key_span = span;
	return end_line(r);
}

struct json *toml_parse(struct arena *a, struct source *src, struct diags *ds)
{
	struct reader r = {
		.arena = a, .src = src, .ds = ds, .p = src->text.p, .n = (uint32_t)src->text.n
	};
	struct json *root = ARENA_NEW(a, struct json), *table = root;

	*root = (struct json){ .kind = JSON_OBJECT, .span = { src->id, 0, r.n } };
	if (looking_at(&r, "\xef\xbb\xbf")) /* as other readers take it */
		r.pos = 3;
	for (;;) {
		if (!skip_lines(&r))
			return NULL;
		if (at_end(&r))
			return root;
		if (peek(&r) == '[' ? !read_heading(&r, root, &table) :
				      !(read_pair(&r, table, 0) && end_line(&r)))
			return NULL;
	}
}
