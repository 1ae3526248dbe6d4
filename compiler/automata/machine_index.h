/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * base/table.h for what the building of machines asks all the time: 8 bytes a slot, and looked at
 * in line. Only half of the hash is kept, so that what it finds must be compared; and tables that
 * are outgrown are given back.
 */
#include <stddef.h>
#include <stdint.h>

#include "compiler/base/arena.h"

#define INDEX_END UINT32_MAX

struct index_slot {
	uint32_t hash, at; /* at: position + 1; 0: free */
};

struct index { /* all 0: empty */
	struct index_slot *slots;
	size_t n, slot_nr; /* a power of two, at least twice n */
};

struct index_walk {
	uint32_t hash;
	size_t step;
};

static inline struct index_walk index_start(uint64_t hash)
{
	return (struct index_walk){ (uint32_t)hash, 0 };
}

/* The next position under this hash, or INDEX_END. */
static inline uint32_t index_next(const struct index *x, struct index_walk *w)
{
	while (x->slot_nr) {
		const struct index_slot *s = &x->slots[(w->hash + w->step) & (x->slot_nr - 1)];

		if (!s->at)
			break;
		w->step++;
		if (s->hash == w->hash)
			return s->at - 1;
	}
	return INDEX_END;
}

/* Whether it is there already is the caller's to ask. */
void index_add(struct arena *a, struct index *x, uint64_t hash, uint32_t at);
