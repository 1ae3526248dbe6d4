/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a name stands in a table of names: mktables.c writes it, tables.c looks there. */
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Places: powers of two, at most half of them taken. */
enum {
	TABLES_NAMES = 2048, /* of calls */
	TABLES_FEW = 512,    /* of tables_aliases and the like, whose rows fit a byte */
};

static inline uint64_t tables_eight(const char *p)
{
	uint64_t bytes;

	memcpy(&bytes, p, sizeof(bytes));
	return le64toh(bytes); /* the same where the table is made and where it is read */
}

static inline uint64_t tables_four(const char *p)
{
	uint32_t bytes;

	memcpy(&bytes, p, sizeof(bytes));
	return le32toh(bytes);
}

/*
 * Where a search for a call's name begins; from there on, place after place. For fewer places its
 * low bits. Of a name its two ends and its length, which two names seldom have in common, spread by a
 * multiplication (Knuth, The Art of Computer Programming, 6.4).
 */
static inline size_t tables_place(const char *name, size_t n)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t first = 0, last = n;

	if (n >= 8) {
		first = tables_eight(name);
		last = tables_eight(name + n - 8);
	} else if (n >= 4) {
		first = tables_four(name);
		last = tables_four(name + n - 4);
	} else if (n) {
		first = (unsigned char)name[0] | (unsigned)(unsigned char)name[n / 2] << 8;
		last = (unsigned char)name[n - 1];
	}
	uint64_t h = (first + n) * golden;
	h = (h ^ h >> 32 ^ last) * golden;
	return (size_t)(h >> 40) % TABLES_NAMES;
}
