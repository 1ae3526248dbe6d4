/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Writing JSON (RFC 8259): what a string may hold of the user's stands here and nowhere else, and
 * a writer that knows where commas go.
 *
 *	struct json_writer w = { .out = out };
 *	json_open(&w, NULL, '{');
 *	json_text(&w, "name", "openat");
 *	json_open(&w, "args", '[');
 *	json_number(&w, NULL, 3);
 *	json_close(&w, ']');
 *	json_close(&w, '}');		{"name": "openat", "args": [3]}
 */
#include <stdint.h>

#include "compiler/base/str.h"

/*
 * A string with its quotes and escapes. Characters that a terminal obeys or does not show
 * (utf8_is_control()) are \uXXXX; bytes that are not UTF-8 become U+FFFD.
 */
void json_put_string(struct buf *out, struct str s);

struct json_writer {
	struct buf *out;
	bool compact;     /* nothing behind ',' and ':' */
	bool begun;       /* the next value stands behind another */
	const char *line; /* what stands before the next value or bracket instead of a blank */
};

/* `key` is NULL in an array and at the top. */
void json_open(struct json_writer *w, const char *key, char bracket);
void json_close(struct json_writer *w, char bracket);
/* The next value, or the closing bracket, begins a line: "\n" and its indentation. */
void json_line(struct json_writer *w, const char *line);

void json_string(struct json_writer *w, const char *key, struct str s);
void json_text(struct json_writer *w, const char *key, const char *s);
/* Nothing where s is NULL. */
void json_optional(struct json_writer *w, const char *key, const char *s);
void json_number(struct json_writer *w, const char *key, uint64_t n);
/* 16 digits, as a string: what is a name and no number. */
void json_hex(struct json_writer *w, const char *key, uint64_t n);
void json_signed(struct json_writer *w, const char *key, int64_t n);
void json_bool(struct json_writer *w, const char *key, bool b);
void json_null(struct json_writer *w, const char *key);
