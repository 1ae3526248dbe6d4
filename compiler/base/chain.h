/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A hash table of objects that the caller has, each with its link as first member: 8 bytes an
 * object beside that, and no more look-ups than objects of one hash. Nothing is ever taken out.
 *
 *	for (l = chain_first(&t, hash); l; l = chain_next(l))
 *		if (same((struct thing *)l, x))
 *			return (struct thing *)l;
 *	chain_add(arena, &t, &new->link, hash);
 *
 * For objects that stay where they are and are looked up in an inner loop (cbpf/leaf.c, values.c);
 * for positions in an array base/table.h is the one.
 */
#include <stddef.h>
#include <stdint.h>

#include "compiler/base/arena.h"

struct chain_link {
	struct chain_link *next;
	uint32_t hash;
};

struct chain { /* all 0: empty */
	struct chain_link **heads;
	size_t n, nheads; /* a power of two, at least n */
};

static inline struct chain_link *chain_of_hash(struct chain_link *l, uint32_t hash)
{
	while (l && l->hash != hash)
		l = l->next;
	return l;
}

/* The object of this hash that was added last, and the one before it; NULL: there is none. */
static inline struct chain_link *chain_first(const struct chain *t, uint32_t hash)
{
	return t->nheads ? chain_of_hash(t->heads[hash & (t->nheads - 1)], hash) : NULL;
}

static inline struct chain_link *chain_next(const struct chain_link *l)
{
	return chain_of_hash(l->next, l->hash);
}

/* Whether it is there already is the caller's to ask. Of the arena is what finds them. */
void chain_add(struct arena *a, struct chain *t, struct chain_link *l, uint32_t hash);
/* Empty again, in the room that it has. */
void chain_clear(struct chain *t);
