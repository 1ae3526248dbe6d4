/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing; at most half of the slots are taken. */
#include "compiler/automata/machine_index.h"

enum { SLOTS_FIRST = 64 };

static void put(struct index *x, struct index_slot s)
{
	size_t i = s.hash & (x->slot_nr - 1);

	while (x->slots[i].at)
		i = (i + 1) & (x->slot_nr - 1);
	x->slots[i] = s;
}

static void grow(struct arena *a, struct index *x)
{
	struct index old = *x;

	x->slot_nr = old.slot_nr ? old.slot_nr * 2 : SLOTS_FIRST;
	x->slots = ARENA_ARRAY(a, struct index_slot, x->slot_nr);
	for (size_t i = 0; i < old.slot_nr; i++)
		if (old.slots[i].at)
			put(x, old.slots[i]);
	if (old.slots)
		arena_give_back(a, old.slots, old.slot_nr * sizeof(*old.slots));
}

void index_add(struct arena *a, struct index *x, uint64_t hash, uint32_t at)
{
	if ((x->n + 1) * 2 > x->slot_nr)
		grow(a, x);
	put(x, (struct index_slot){ (uint32_t)hash, at + 1 });
	x->n++;
}
