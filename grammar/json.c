/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 8259, strictly, by recursive descent (200 deep at most). What people write by mistake
 * (comments, trailing commas, NaN, single quotes, a missing comma) is reported where it stands
 * and read as it was meant, so that one run finds all of it.
 */
#include "grammar/json.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 200
#define ERRORS_MAX  20
#define VALUES_MAX  (1u << 20) /* a node is some 170 bytes: 16 MiB of "0," must not take 1 GiB */

struct reader {
	struct arena *arena;
	struct source *src;
	struct diags *ds;
	const char *p;
	uint32_t n;
	uint32_t pos;
	uint32_t values;
	unsigned errors;
	struct diag spare; /* takes what is said past ERRORS_MAX */
	bool stop;         /* nothing behind this point can be read: unwind */
};

static struct json *read_value(struct reader *r, unsigned depth);

static struct span span_from(const struct reader *r, uint32_t begin, uint32_t end)
{
	return (struct span){ r->src->id, begin, end > r->n ? r->n : end };
}

static struct diag *fail(struct reader *r, uint32_t begin, uint32_t end, const char *text,
			 const char *help)
{
	struct diag *d;

	if (r->errors++ >= ERRORS_MAX) {
		r->stop = true;
		r->pos = r->n;
		return &r->spare;
	}
	d = diag_add(r->ds, DIAG_SJ001, span_from(r, begin, end), "%s", text);
	if (help)
		diag_help(r->ds, d, "%s", help);
	return d;
}

static bool at_end(const struct reader *r)
{
	return r->pos >= r->n;
}

static char peek(const struct reader *r)
{
	return at_end(r) ? '\0' : r->p[r->pos];
}

static bool looking_at(const struct reader *r, const char *word)
{
	size_t n = strlen(word);

	return r->n - r->pos >= n && r->p[r->pos] == *word && !memcmp(r->p + r->pos, word, n);
}

/* The text stopped in the middle of something that began at `begin`. */
static void fail_truncated(struct reader *r, uint32_t begin, const char *what)
{
	struct diag *d;

	if (r->stop)
		return;
	d = fail(r, r->n ? r->n - 1 : 0, r->n, "the text ends too early",
		 "the file is cut off: write the rest, or close what is open");
	diag_note(r->ds, d, span_from(r, begin, begin + 1), "%s", what);
	r->stop = true;
}

static void skip_comment(struct reader *r)
{
	uint32_t begin = r->pos;
	bool block = looking_at(r, "/*");

	while (!at_end(r) && !(block ? looking_at(r, "*/") : peek(r) == '\n'))
		r->pos++;
	fail(r, begin, begin + (peek(r) == '\n' || at_end(r) ? 1 : 2), "JSON has no comments",
	     "remove it; in a Docker profile a rule's own \"comment\" field is the place");
	if (block && at_end(r))
		fail_truncated(r, begin, "this comment is not closed");
	else if (block)
		r->pos += 2;
}

/* A source's text ends in a NUL, which is none. */
static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct reader *r)
{
	for (;;) {
		uint32_t at = r->pos;
		while (is_space(r->p[at]))
			at++;
		r->pos = at;
		if (r->p[at] != '#' &&
		    (r->p[at] != '/' || (!looking_at(r, "//") && !looking_at(r, "/*"))))
			return;
		skip_comment(r);
	}
}

/* ---- strings ---- */

/* Length of the well-formed UTF-8 sequence at p, 0 where there is none. */
static unsigned utf8_length(const unsigned char *p, size_t n)
{
	unsigned len = *p < 0x80               ? 1 :
		       *p >= 0xc2 && *p < 0xe0 ? 2 :
		       *p >= 0xe0 && *p < 0xf0 ? 3 :
		       *p >= 0xf0 && *p < 0xf5 ? 4 :
						 0;

	if (!len || n < len)
		return 0;
	for (unsigned i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies above U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Four hex digits at `at`; -1 where there are none. */
static int32_t hex4(const struct reader *r, uint32_t at, uint32_t end)
{
	int32_t v = 0;

	if (end - at < 4)
		return -1;
	for (uint32_t i = at; i < at + 4; i++) {
		char c = r->p[i];
		int d = c >= '0' && c <= '9' ? c - '0' :
			c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			c >= 'A' && c <= 'F' ? c - 'A' + 10 :
					       -1;

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* \uXXXX at `at` (the backslash), pairs joined; a lone surrogate becomes U+FFFD, as in Go. */
static uint32_t unescape_u(struct reader *r, uint32_t at, uint32_t end, char *out, size_t *n)
{
	int32_t hi = hex4(r, at + 2, end), lo;

	if (hi < 0) {
		fail(r, at, at + 2, "\\u needs four hexadecimal digits", NULL);
		return at + 2;
	}
	if (hi >= 0xd800 && hi < 0xdc00 && end - at >= 12 && r->p[at + 6] == '\\' &&
	    r->p[at + 7] == 'u') {
		lo = hex4(r, at + 8, end);
		if (lo >= 0xdc00 && lo < 0xe000) {
			*n += utf8_put(out + *n, 0x10000u + ((uint32_t)(hi - 0xd800) << 10) +
							 (uint32_t)(lo - 0xdc00));
			return at + 12;
		}
	}
	*n += utf8_put(out + *n, hi >= 0xd800 && hi < 0xe000 ? 0xfffdu : (uint32_t)hi);
	return at + 6;
}

static uint32_t unescape(struct reader *r, uint32_t at, uint32_t end, char *out, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;

	if (at + 1 >= end) /* cannot happen: a backslash takes the next byte along */
		return end;
	if (r->p[at + 1] == 'u')
		return unescape_u(r, at, end, out, n);
	hit = r->p[at + 1] ? strchr(from, r->p[at + 1]) : NULL;
	if (!hit) {
		fail(r, at, at + 2, "JSON knows no such escape",
		     "a backslash itself is written \\\\; the escapes are "
		     "\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
		return at + 2;
	}
	out[(*n)++] = to[hit - from];
	return at + 2;
}

/* Decodes [at, end); what is not valid is reported once a string and left out. */
static struct str decode_string(struct reader *r, uint32_t at, uint32_t end)
{
	/* No sequence grows: \uXXXX is 6 bytes for at most 3, a pair 12 for 4. */
	char *out = arena_alloc(r->arena, (size_t)(end - at) + 1);
	size_t n = 0;
	bool told = false;

	while (at < end) {
		unsigned char c = (unsigned char)r->p[at];
		unsigned len = utf8_length((const unsigned char *)r->p + at, end - at);

		if (c == '\\') {
			at = unescape(r, at, end, out, &n);
			continue;
		}
		if (len && c >= 0x20) {
			memcpy(out + n, r->p + at, len);
			n += len;
			at += len;
			continue;
		}
		if (!told && !len)
			fail(r, at, at + 1, "this byte is not UTF-8",
			     "JSON is UTF-8; save the file in that encoding");
		else if (!told)
			fail(r, at, at + 1, "a control character stands in a string",
			     "write it as an escape: \\t, \\n, \\u00XX");
		told = true;
		at++;
	}
	return (struct str){ out, n };
}

/* Of the next eight bytes those before one that is a quote, a backslash or no plain character. */
static unsigned count_plain(const char *p, char quote)
{
	const uint64_t ones = UINT64_MAX / 0xff, tops = ones << 7;
	uint64_t bytes, quotes, slashes, others;

	memcpy(&bytes, p, sizeof(bytes));
	bytes = le64toh(bytes);
	quotes = bytes ^ ones * (unsigned char)quote;
	slashes = bytes ^ ones * '\\';
	/* Less than a number is what borrows; the first that is marked so is right. */
	others = (bytes | (bytes - ones * ' ') | (quotes - ones) | (slashes - ones)) & tops;
	return others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
}

/* Behind the opening quote: where the string ends (the closing quote, or a line's end). */
static uint32_t find_string_end(const struct reader *r, uint32_t at, char quote, bool *plain)
{
	unsigned run = 8;

	*plain = true;
	while (run == 8 && r->n - at >= 8) {
		run = count_plain(r->p + at, quote);
		at += run;
	}
	while (at < r->n && r->p[at] != quote && r->p[at] != '\n') {
		if (r->p[at] == '\\') {
			*plain = false;
			at++;
			if (at >= r->n || r->p[at] == '\n')
				break;
		} else if ((unsigned char)r->p[at] < 0x20 || (unsigned char)r->p[at] >= 0x80) {
			*plain = false;
		}
		at++;
	}
	return at < r->n ? at : r->n;
}

static struct str read_string(struct reader *r)
{
	uint32_t begin = r->pos, end;
	char quote = r->p[begin];
	struct str text;
	bool plain;

	if (quote == '\'')
		fail(r, begin, begin + 1, "strings stand in double quotes",
		     "write \" instead of '");
	end = find_string_end(r, begin + 1, quote, &plain);
	if (end >= r->n) {
		r->pos = r->n;
		fail_truncated(r, begin, "this string is not closed");
		return STR("");
	}
	text = plain ? (struct str){ r->p + begin + 1, end - begin - 1 } :
		       decode_string(r, begin + 1, end);
	r->pos = end + 1;
	if (r->p[end] == '\n') {
		fail(r, begin, end, "this string is not closed on its line",
		     "close it with \"; a line break inside a string is written \\n");
		r->pos = end;
	}
	return text;
}

/* ---- numbers and words ---- */

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?  Returns NULL, or what is wrong. */
static const char *check_number(struct str s, bool *integer)
{
	size_t i = 0, digits;

	*integer = true;
	if (i < s.n && s.p[i] == '-')
		i++;
	for (digits = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		;
	if (i == digits)
		return "a number needs a digit here";
	if (s.p[digits] == '0' && i > digits + 1)
		return "a number does not begin with 0 (JSON has no octal)";
	if (i < s.n && s.p[i] == '.') {
		*integer = false;
		for (digits = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			;
		if (i == digits)
			return "a number needs a digit behind its point";
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		*integer = false;
		i++;
		if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
			i++;
		for (digits = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			;
		if (i == digits)
			return "a number needs a digit in its exponent";
	}
	return i == s.n ? NULL : "this is not a number (JSON has decimal only)";
}

static void set_integers(struct json *v)
{
	bool negative = v->text.p[0] == '-';
	uint64_t n = 0;

	for (size_t i = negative; i < v->text.n; i++) {
		unsigned d = (unsigned)(v->text.p[i] - '0');

		if (n > (UINT64_MAX - d) / 10)
			return; /* no 64-bit integer: the text says all there is */
		n = n * 10 + d;
	}
	if (!negative) {
		v->is_u64 = true;
		v->u64 = n;
	}
	if (n <= INT64_MAX) {
		v->is_i64 = true;
		v->i64 = negative ? -(int64_t)n : (int64_t)n;
	} else if (negative && n == (uint64_t)INT64_MAX + 1) {
		v->is_i64 = true;
		v->i64 = INT64_MIN;
	}
}

static bool is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '+' || c == '-' || c == '.';
}

static void read_number(struct reader *r, struct json *v)
{
	uint32_t begin = r->pos;
	const char *wrong;
	bool integer;

	while (is_word_byte(peek(r)))
		r->pos++;
	v->kind = JSON_NUMBER;
	v->text = (struct str){ r->p + begin, r->pos - begin };
	wrong = check_number(v->text, &integer);
	if (wrong)
		fail(r, begin, r->pos, wrong,
		     "write a decimal number, such as 38; hexadecimal and NaN are not JSON");
	else if (integer)
		set_integers(v);
}

static void read_word(struct reader *r, struct json *v)
{
	uint32_t begin = r->pos;
	struct str word;

	while (is_word_byte(peek(r)))
		r->pos++;
	word = (struct str){ r->p + begin, r->pos - begin };
	v->text = word;
	if (str_is(word, "true") || str_is(word, "false")) {
		v->kind = JSON_BOOL;
		v->boolean = word.n == 4;
		return;
	}
	v->kind = JSON_NULL;
	if (str_is(word, "null"))
		return;
	if (str_is(word, "NaN") || str_is(word, "Infinity"))
		fail(r, begin, r->pos, "JSON has no NaN and no Infinity", "write a number");
	else if (str_ieq(word, STR("true")) || str_ieq(word, STR("false")) ||
		 str_ieq(word, STR("null")) || str_is(word, "None"))
		fail(r, begin, r->pos, "this word is not JSON",
		     "the words are true, false and null, in lower case");
	else
		fail(r, begin, r->pos, "this word is not JSON", "a string stands in double quotes");
}

/* ---- arrays and objects ---- */

static void append(struct json *parent, struct json **last, struct json *child)
{
	if (*last)
		(*last)->next = child;
	else
		parent->first = child;
	*last = child;
	parent->count++;
}

/* Skips to the next ',' or closing bracket of this level, so that one slip is one error. */
static void resync(struct reader *r)
{
	unsigned open = 0;
	bool plain;

	while (!at_end(r)) {
		char c = peek(r);

		if (c == '"') {
			uint32_t end = find_string_end(r, r->pos + 1, '"', &plain);

			r->pos = end < r->n ? end + 1 : r->n;
			continue;
		}
		if (!open && (c == ',' || c == ']' || c == '}'))
			return;
		if (c == '[' || c == '{')
			open++;
		else if (c == ']' || c == '}')
			open--;
		r->pos++;
	}
}

static bool starts_value(const struct reader *r)
{
	char c = peek(r);

	return c == '"' || c == '\'' || c == '[' || c == '{' || (is_word_byte(c) && !at_end(r));
}

/*
 * Behind an element: takes the comma. True: another element follows; false: the list ended
 * (its bracket is taken) or nothing more can be read.
 */
static bool next_element(struct reader *r, char close, uint32_t begin)
{
	uint32_t comma;

	skip_space(r);
	if (!at_end(r) && peek(r) != ',' && peek(r) != ']' && peek(r) != '}' && !r->stop) {
		bool missing = starts_value(r);

		fail(r, r->pos, r->pos + 1,
		     missing ? "a comma is missing before this" : "unexpected character",
		     missing      ? NULL :
		     close == ']' ? "a ',' or the closing ']' stands here" :
				    "a ',' or the closing '}' stands here");
		if (missing)
			return true;
		resync(r);
	}
	if (r->stop)
		return false;
	if (at_end(r)) {
		fail_truncated(r, begin,
			       close == ']' ? "this '[' is not closed" : "this '{' is not closed");
		return false;
	}
	if (peek(r) != ',') {
		if (peek(r) != close) {
			struct diag *d =
				fail(r, r->pos, r->pos + 1, "the wrong bracket closes this", NULL);
			diag_help(r->ds, d, "'%c' is needed here", close);
			diag_note(r->ds, d, span_from(r, begin, begin + 1), "opened here");
		}
		r->pos++;
		return false;
	}
	comma = r->pos++;
	skip_space(r);
	while (peek(r) == ',') {
		fail(r, r->pos, r->pos + 1, "nothing stands between two commas", "remove one");
		r->pos++;
		skip_space(r);
	}
	if (peek(r) != ']' && peek(r) != '}')
		return true;
	fail(r, comma, comma + 1, "a comma stands behind the last element", "remove it");
	r->pos++;
	return false;
}

static void read_array(struct reader *r, struct json *v, unsigned depth)
{
	struct json *last = NULL, *child;
	uint32_t begin = r->pos++;

	v->kind = JSON_ARRAY;
	skip_space(r);
	if (peek(r) == ']') {
		r->pos++;
		return;
	}
	do {
		skip_space(r);
		child = read_value(r, depth + 1);
		if (child)
			append(v, &last, child);
		else if (!r->stop)
			resync(r);
	} while (next_element(r, ']', begin));
}

static int compare_members(const void *x, const void *y)
{
	const struct json *a = *(const struct json *const *)x, *b = *(const struct json *const *)y;
	int c = str_cmp(a->key, b->key);

	return c ? c :
		   (a->key_span.begin > b->key_span.begin) -
			       (a->key_span.begin < b->key_span.begin);
}

/* Sorting keeps an object of a million keys from taking a trillion steps. */
static void mark_duplicates(struct reader *r, struct json *object)
{
	struct json **members, *m;
	uint32_t n = 0;

	if (object->count < 2)
		return;
	members = ARENA_ARRAY(r->arena, struct json *, object->count);
	for (m = object->first; m; m = m->next)
		members[n++] = m;
	qsort(members, n, sizeof(*members), compare_members);
	for (uint32_t i = 1; i < n; i++)
		members[i]->duplicate = str_eq(members[i - 1]->key, members[i]->key);
}

/* "key": value; NULL after an error that was reported and skipped. */
static struct json *read_member(struct reader *r, unsigned depth)
{
	uint32_t begin = r->pos;
	struct json *child;
	struct span span;
	struct str key;

	if (peek(r) != '"' && peek(r) != '\'') {
		if (at_end(r))
			return NULL;
		fail(r, begin, begin + 1, "a key stands here, in double quotes", NULL);
		resync(r);
		return NULL;
	}
	key = read_string(r);
	if (r->stop)
		return NULL;
	span = span_from(r, begin, r->pos);
	skip_space(r);
	if (peek(r) == ':') {
		r->pos++;
	} else if (!at_end(r)) {
		fail(r, r->pos, r->pos + 1, "a ':' is missing behind the key", NULL);
		if (!starts_value(r)) {
			resync(r);
			return NULL;
		}
	}
	skip_space(r);
	child = read_value(r, depth + 1);
	if (!child) {
		if (!r->stop)
			resync(r);
		return NULL;
	}
	child->key = key;
	child->key_span = span;
	return child;
}

static void read_object(struct reader *r, struct json *v, unsigned depth)
{
	struct json *last = NULL, *child;
	uint32_t begin = r->pos++;

	v->kind = JSON_OBJECT;
	skip_space(r);
	if (peek(r) == '}') {
		r->pos++;
		return;
	}
	do {
		skip_space(r);
		child = read_member(r, depth);
		if (child)
			append(v, &last, child);
	} while (next_element(r, '}', begin));
	mark_duplicates(r, v);
}

/* NULL: nothing that is a value stands here (reported; the offending byte is not taken). */
static struct json *read_value(struct reader *r, unsigned depth)
{
	struct json *v;
	uint32_t begin = r->pos;
	char c = peek(r);

	if (at_end(r))
		return NULL; /* who called knows what is open, and says it */
	if (!starts_value(r)) {
		fail(r, begin, begin + 1, "a value is missing here",
		     "an object, an array, a string, a number, true, false or null stands here");
		return NULL;
	}
	if (depth > NESTING_MAX || ++r->values > VALUES_MAX) {
		fail(r, begin, begin + 1,
		     depth > NESTING_MAX ? "nested more than 200 deep" : "more than 1048576 values",
		     "no seccomp profile needs this; look at how the file was made");
		r->stop = true;
		return NULL;
	}
	v = ARENA_NEW(r->arena, struct json);
	if (c == '{') {
		read_object(r, v, depth);
	} else if (c == '[') {
		read_array(r, v, depth);
	} else if (c == '"' || c == '\'') {
		v->kind = JSON_STRING;
		v->text = read_string(r);
	} else if (c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9')) {
		read_number(r, v);
	} else {
		read_word(r, v);
	}
	v->span = span_from(r, begin, r->pos);
	return v;
}

struct json *json_parse(struct arena *a, struct source *src, struct diags *ds)
{
	struct reader r = { .arena = a, .src = src, .ds = ds, .p = src->text.p };
	struct json *root;

	if (src->text.n > SOURCE_MAX) {
		diag_help(ds,
			  diag_add(ds, DIAG_SJ001, (struct span){ src->id, 0, 1 },
				   "the text is larger than 16 MiB"),
			  "no seccomp profile needs this; look at how the file was made");
		return NULL;
	}
	r.n = (uint32_t)src->text.n;
	if (looking_at(&r, "\xef\xbb\xbf")) {
		fail(&r, 0, 3, "the text begins with a byte order mark",
		     "save the file as UTF-8 without BOM; Go's JSON reader refuses it");
		r.pos = 3;
	}
	skip_space(&r);
	if (at_end(&r)) {
		if (!r.stop)
			fail(&r, 0, 1, "the text is empty",
			     "a profile is one JSON object: { ... }");
		return NULL;
	}
	root = read_value(&r, 1);
	skip_space(&r);
	if (root && !r.stop && !at_end(&r))
		fail(&r, r.pos, r.pos + 1, "something stands behind the end of the JSON text",
		     "one file holds one JSON value");
	return root;
}

/* ---- looking things up ---- */

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *found = NULL;

	if (!object || object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->first; m; m = m->next)
		if (str_is(m->key, key))
			found = m;
	return found;
}

/*
 * Go folds as Unicode does: two letters outside ASCII fold into it, U+017F (s) and the Kelvin
 * sign (k). A key spelt with them is read by the runtimes, hence by us.
 */
static bool fold_whole(struct str key, const char *want)
{
	size_t i = 0;

	for (; *want; want++) {
		char c = i < key.n ? key.p[i] : '\0';
		size_t n = 1;

		if (c == '\xc5' && key.n - i >= 2 && key.p[i + 1] == '\xbf') {
			c = 's';
			n = 2;
		} else if (c == '\xe2' && key.n - i >= 3 && !memcmp(key.p + i, "\xe2\x84\xaa", 3)) {
			c = 'k';
			n = 3;
		}
		if (str_fold(c) != str_fold(*want))
			return false;
		i += n;
	}
	return i == key.n;
}

/* Most differ in their first letters, by more than the bit that is the case. */
static inline bool differ_at_once(struct str key, const char *want)
{
	return key.n && !(key.p[0] & 0x80) && (key.p[0] ^ *want) & ~0x20;
}

bool json_key_folds(struct str key, const char *want)
{
	return !differ_at_once(key, want) && fold_whole(key, want);
}

const struct json *json_find_fold(const struct json *m, const char *key)
{
	while (m && !json_key_folds(m->key, key))
		m = m->next;
	return m;
}

const struct json *json_get_fold(const struct json *object, const char *key)
{
	const struct json *found = NULL;

	if (!object || object->kind != JSON_OBJECT)
		return NULL;
	/* Every matching key assigns in turn, exact or folded: the last one stays. */
	for (const struct json *m = object->first; (m = json_find_fold(m, key)); m = m->next)
		found = m;
	return found;
}

const char *json_kind_name(enum json_kind k)
{
	switch (k) {
	case JSON_NULL: return "null";
	case JSON_BOOL: return "a boolean";
	case JSON_NUMBER: return "a number";
	case JSON_STRING: return "a string";
	case JSON_ARRAY: return "an array";
	case JSON_OBJECT: return "an object";
	}
	return "";
}
