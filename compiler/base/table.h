/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A hash table of positions in an array that the caller has: open addressing, nothing is ever
 * taken out. It keeps each element's hash, so that only equal hashes ask the caller, and
 * growing asks nobody.
 *
 *	for (it = table_start(hash); (at = table_next(&t, &it)) != TABLE_END;)
 *		if (same(&list.v[at], x))
 *			return at;
 *	table_add(arena, &t, hash, list.n);
 *
 * Used where names and paths are looked up: base/group.c, learn/model.c, policy/resolve.c. Not
 * where a table is the inner loop: cbpf/{code,meaning,lift,word}.c, decision/dd.c, oci/write/pieces.c
 * recompute the hash from the elements, which are small, and keep 4 bytes a slot
 * where this takes 16; cbpf/{leaf,values}.c have objects that stay where they are: base/chain.h.
 */
#include <stddef.h>
#include <stdint.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"

#define TABLE_END  SIZE_MAX
#define HASH_START UINT64_C(0xcbf29ce484222325) /* FNV-1a, 64 bits */

/* Of bytes, after those that gave h; HASH_START: of these alone. */
uint64_t hash_bytes(uint64_t h, const void *p, size_t n);
uint64_t hash_str(struct str s);

struct table { /* all 0: empty */
	struct table_slot *slots;
	size_t n, nslots; /* a power of two, at least twice n */
};

struct table_slot {
	uint64_t hash;
	size_t at; /* position + 1; 0: free */
};

struct table_walk {
	uint64_t hash;
	size_t step;
};

static inline struct table_walk table_start(uint64_t hash)
{
	return (struct table_walk){ hash, 0 };
}

/* The next position under this hash, or TABLE_END. */
size_t table_next(const struct table *t, struct table_walk *w);
/* Whether it is there already is the caller's to ask. An old table is left in the arena. */
void table_add(struct arena *a, struct table *t, uint64_t hash, size_t at);
