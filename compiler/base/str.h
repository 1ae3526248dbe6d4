/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Strings: struct str is a slice (borrowed, not NUL-terminated); struct buf is a growable
 * heap string that writers print into, freed by its owner (BUF_AUTO frees at scope end).
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler/base/arena.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(lit)  ((struct str){ "" lit, sizeof(lit) - 1 })
#define PRISTR    "%.*s"
#define STRARG(s) (int)(s).n, (s).p

/* NULL gives the empty slice. */
static inline struct str str_c(const char *s)
{
	return (struct str){ s ? s : "", s ? strlen(s) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

/* Most differ in their first letters, before anybody has to know how long b is. */
static inline bool str_is(struct str a, const char *b)
{
	if (a.n && b && *a.p != *b)
		return false;
	return str_eq(a, str_c(b));
}

/* ASCII only, whatever the locale says: names of the kernel are ASCII. */
static inline unsigned char str_fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool str_ieq(struct str a, struct str b); /* ASCII case folded */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, const char *prefix);
char *str_dup(struct arena *a, struct str s); /* NUL-terminated copy */

/*
 * Strict numbers: decimal or 0x hex, whole slice. "09", a bare "0x", "", "+1" and anything
 * above 2^64-1 are refused. 0, -EINVAL (not a number) or -ERANGE (too large).
 */
int str_u64(struct str s, uint64_t *out);

/* 0 to 15 of a hexadecimal digit in either case; -1: it is none. */
int hex_digit(char c);

/* Bytes of the well-formed UTF-8 sequence at p, 0 when there is none. */
size_t utf8_len(const char *p, size_t n);
/*
 * Is this well-formed character of `len` bytes one that a terminal obeys or does not show? C0,
 * U+007F..U+009F, and those that turn, part or hide text (U+061C, U+200B..U+200F, U+2028..U+202E,
 * U+2060..U+206F, U+FEFF).
 */
bool utf8_is_control(const char *p, size_t len);

struct buf {
	char *p; /* NUL-terminated once anything was written, else NULL */
	size_t n;
	size_t cap;
	bool failed; /* out of memory: what was written is incomplete; writers check at the end */
};

void buf_free(struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_quote(struct buf *b, struct str s); /* between two '"', as it is */
void buf_number(struct buf *b, uint64_t n);  /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* The text, with utf8_is_control() and bytes that are not UTF-8 as \xNN. */
void buf_safe(struct buf *b, struct str s);
/* A copy of what was written in an arena, "" for nothing; memory that failed ends there. */
char *buf_keep(struct arena *a, const struct buf *b);
/* What buf_safe() writes as a string, for a name that is printed again and again. */
const char *str_safe(struct arena *a, const char *s);
const char *str_safe_of(struct arena *a, struct str s);

#define BUF_AUTO __attribute__((cleanup(buf_free))) struct buf
