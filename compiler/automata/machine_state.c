/* SPDX-License-Identifier: Apache-2.0 */
/* Minimal states as they are kept and found: by class and row. */
#include "compiler/automata/machine_pool.h"

uint64_t pool_hash_row(uint32_t class, const struct run *row, size_t n, uint32_t self)
{
	uint64_t h = mix(HASH_START, class);

	for (size_t i = 0; i < n; i++)
		h = mix(mix(h, row[i].high), row[i].to == self ? MACHINE_NONE : row[i].to);
	return h;
}

uint32_t pool_new_state(struct machine_pool *p, uint32_t class, const struct run *row, size_t n)
{
	uint32_t at = (uint32_t)p->states.n;
	struct run *own = arena_dup(p->arena, row, n * sizeof(*row));
	bool loops = false;

	for (size_t i = 0; i < n; i++) {
		loops |= own[i].to == MACHINE_NONE;
		own[i].to = own[i].to == MACHINE_NONE ? at : own[i].to;
	}
	vec_push_own(p->arena, &p->states,
		     ((struct state){ .row = own, .row_n = (uint32_t)n, .class = class }));
	if (loops)
		vec_push_own(p->arena, &p->cyclic, at);
	return at;
}

void pool_enter_state(struct machine_pool *p, uint32_t state)
{
	const struct state *s = &p->states.v[state];

	index_add(p->arena, &p->by_row, pool_hash_row(s->class, s->row, s->row_n, state), state);
}
