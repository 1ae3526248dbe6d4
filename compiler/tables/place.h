/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a name stands in a table of names: mktables.c writes it, tables.c looks there. */
#include <stddef.h>
#include <stdint.h>

/* Places: powers of two, at most half of them taken. */
enum {
	TABLES_NAMES = 2048, /* of calls */
	TABLES_FEW = 512,    /* of tables_aliases and the like, whose rows fit a byte */
};

/* Where a search for a call's name begins (FNV-1a); from there on, place after place. For fewer
 * places its low bits. */
static inline size_t tables_place(const char *name, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return (h ^ h >> 15) % TABLES_NAMES;
}
