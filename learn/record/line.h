/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The words of a recording's line: parted by one blank, strings in quotes, numbers in decimal or
 * 0x. What is written by one of the put_ functions is read by its take_ function as the same, for
 * every value, and nothing else is read: a line has one spelling.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/str.h"

/* A string between quotes; of its bytes " and \ as \" and \\, all beyond printable ASCII as \xNN. */
void put_quoted(struct buf *out, struct str s);

struct line {
	struct arena *arena; /* what take_quoted() gives lives there */
	struct str rest;
	const char *why; /* the first thing that was wrong, in the arena; NULL: nothing yet */
	const char *at;  /* and where */
};

/* What is wrong here; the first one counts. Returns false. */
bool line_fail(struct line *w, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Was everything read? Else what stands behind is said to be too much. */
bool line_end(struct line *w);
/* Up to the next blank or the end, which is passed. Empty: fails with `what` is missing. */
bool take_word(struct line *w, const char *what, struct str *out);
/* The word, if it stands next. */
bool take_if(struct line *w, const char *word);
/* hex_digit(), of those that are written here: in small letters. */
int lower_hex(char c);
bool take_number(struct line *w, const char *what, uint64_t most, uint64_t *out);
/* NUL-terminated; one that holds a NUL byte itself is wrong. */
bool take_quoted(struct line *w, const char *what, struct str *out);
