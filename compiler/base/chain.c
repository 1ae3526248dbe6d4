/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/chain.h"

#include <string.h>

enum { HEADS_FIRST = 64 };

static void put(struct chain *t, struct chain_link *l)
{
	struct chain_link **head = &t->heads[l->hash & (t->nheads - 1)];

	l->next = *head;
	*head = l;
}

static void grow(struct arena *a, struct chain *t)
{
	struct chain old = *t;

	t->nheads = old.nheads ? 4 * old.nheads : HEADS_FIRST;
	t->heads = ARENA_ARRAY(a, struct chain_link *, t->nheads);
	for (size_t i = 0; i < old.nheads; i++)
		for (struct chain_link *l = old.heads[i], *next; l; l = next) {
			next = l->next;
			put(t, l);
		}
	if (old.nheads)
		arena_give_back(a, old.heads, old.nheads * sizeof(struct chain_link *));
}

void chain_add(struct arena *a, struct chain *t, struct chain_link *l, uint32_t hash)
{
	if (t->n == t->nheads)
		grow(a, t);
	l->hash = hash;
	put(t, l);
	t->n++;
}

void chain_clear(struct chain *t)
{
	if (t->n)
		memset(t->heads, 0, t->nheads * sizeof(struct chain_link *));
	t->n = 0;
}
