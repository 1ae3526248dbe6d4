/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a call's name stands in the table of names: mktables.c writes it, tables.c looks there. */
#include <stddef.h>
#include <stdint.h>

enum { TABLES_NAMES = 2048 }; /* places: a power of two, at most half of them taken */

/* Where a search for a call's name begins (FNV-1a); from there on, place after place. */
static inline size_t tables_place(const char *name, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return (h ^ h >> 15) % TABLES_NAMES;
}
