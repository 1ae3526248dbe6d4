/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing over slots of hash and position; at most half of them are taken. */
#include "compiler/base/table.h"

#define SLOTS_FIRST 64

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(0x100000001b3);
	return h;
}

uint64_t hash_str(struct str s)
{
	return hash_bytes(HASH_START, s.p, s.n);
}

size_t table_next(const struct table *t, struct table_walk *w)
{
	while (t->nslots) {
		const struct table_slot *s = &t->slots[(w->hash + w->step) & (t->nslots - 1)];

		if (!s->at)
			break;
		w->step++;
		if (s->hash == w->hash)
			return s->at - 1;
	}
	return TABLE_END;
}

static void put(struct table *t, struct table_slot s)
{
	size_t i = s.hash & (t->nslots - 1);

	while (t->slots[i].at)
		i = (i + 1) & (t->nslots - 1);
	t->slots[i] = s;
}

static void grow(struct arena *a, struct table *t)
{
	struct table old = *t;

	t->nslots = old.nslots ? old.nslots * 2 : SLOTS_FIRST;
	t->slots = ARENA_ARRAY(a, struct table_slot, t->nslots);
	for (size_t i = 0; i < old.nslots; i++)
		if (old.slots[i].at)
			put(t, old.slots[i]);
}

void table_add(struct arena *a, struct table *t, uint64_t hash, size_t at)
{
	if ((t->n + 1) * 2 > t->nslots)
		grow(a, t);
	put(t, (struct table_slot){ hash, at + 1 });
	t->n++;
}
