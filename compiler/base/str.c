/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (str_fold(a.p[i]) != str_fold(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && (!n || !memcmp(s.p, prefix, n));
}

char *str_dup(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)str_fold(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int str_u64(struct str s, uint64_t *out)
{
	bool hex = s.n >= 2 && s.p[0] == '0' && str_fold(s.p[1]) == 'x';
	unsigned base = hex ? 16 : 10;
	bool large = false;
	uint64_t v = 0;
	size_t i = hex ? 2 : 0;

	if (i == s.n || (!hex && s.n > 1 && s.p[0] == '0'))
		return -EINVAL;
	for (; i < s.n; i++) {
		unsigned d = (unsigned)hex_digit(s.p[i]);

		if (d >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			large = true; /* go on: a letter further on makes it no number at all */
	}
	if (large)
		return -ERANGE;
	*out = v;
	return 0;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

/* Room for n more bytes and the NUL; false when memory ran out. */
static bool reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->failed || n >= SIZE_MAX / 2 - b->n) {
		b->failed = true;
		return false;
	}
	if (b->p && b->cap - b->n > n)
		return true;
	while (cap - b->n <= n)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	if (!reserve(b, 1))
		return;
	b->p[b->n++] = c;
	b->p[b->n] = 0;
}

void buf_quote(struct buf *b, struct str s)
{
	if (!reserve(b, s.n + 2))
		return;
	b->p[b->n++] = '"';
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	b->p[b->n++] = '"';
	b->p[b->n] = 0;
}

void buf_number(struct buf *b, uint64_t n)
{
	char digits[20], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + n % 10);
	while (n /= 10);
	buf_add(b, first, (size_t)(digits + sizeof(digits) - first));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (!reserve(b, 0))
		return;
	va_copy(again, ap);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
	va_end(again);
	if (n < 0) {
		b->p[b->n] = 0;
		b->failed = true;
		return;
	}
	if ((size_t)n >= b->cap - b->n) { /* most often there is room */
		b->p[b->n] = 0;
		if (!reserve(b, (size_t)n))
			return;
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	}
	b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629: no surrogates, nothing overlong). */
size_t utf8_len(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;

	if (!n)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		len = 2;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		len = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (u[0] == 0xe0)
		lo = 0xa0;
	else if (u[0] == 0xed)
		hi = 0x9f;
	else if (u[0] == 0xf0)
		lo = 0x90;
	else if (u[0] == 0xf4)
		hi = 0x8f;
	if (n < len || u[1] < lo || u[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return len;
}

char *buf_keep(struct arena *a, const struct buf *b)
{
	if (b->failed)
		arena_no_memory(a);
	return str_dup(a, (struct str){ b->p, b->n });
}

const char *str_safe_of(struct arena *a, struct str s)
{
	BUF_AUTO b = { 0 };

	buf_safe(&b, s);
	return buf_keep(a, &b);
}

const char *str_safe(struct arena *a, const char *s)
{
	return str_safe_of(a, str_c(s));
}

bool utf8_is_control(const char *p, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;

	if (len == 1)
		return u[0] < 0x20 || u[0] == 0x7f;
	if (len == 2)
		return (u[0] == 0xc2 && u[1] < 0xa0) || (u[0] == 0xd8 && u[1] == 0x9c);
	if (len != 3)
		return false;
	return (u[0] == 0xe2 && u[1] == 0x80 &&
		((u[2] >= 0x8b && u[2] <= 0x8f) || (u[2] >= 0xa8 && u[2] <= 0xae))) ||
	       (u[0] == 0xe2 && u[1] == 0x81 && u[2] >= 0xa0 && u[2] <= 0xaf) ||
	       (u[0] == 0xef && u[1] == 0xbb && u[2] == 0xbf);
}

void buf_safe(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		size_t plain = i;

		while (plain < s.n && s.p[plain] >= ' ' && s.p[plain] < 0x7f)
			plain++;
		if (plain > i) {
			buf_add(b, s.p + i, plain - i);
			i = plain;
			continue;
		}
		size_t len = utf8_len(s.p + i, s.n - i);

		if (len && !utf8_is_control(s.p + i, len)) {
			buf_add(b, s.p + i, len);
			i += len;
			continue;
		}
		buf_printf(b, "\\x%02x", (unsigned char)s.p[i]);
		i++;
	}
}
