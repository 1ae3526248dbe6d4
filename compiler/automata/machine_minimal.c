/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets to minimal states. Their graph is taken apart into components of sets that lead to one
 * another (Tarjan 1972), which come out with all that they lead to already minimal. A component of
 * one set is the state that has its class and its row, if there is one; else a new one.
 */
#include <string.h>

#include "compiler/automata/machine_pool.h"

struct frame {
	uint32_t set, at; /* the next run to look at */
	uint32_t low;     /* of the orders that it leads to */
};

struct search {
	struct machine_pool *p;
	struct arena *scratch;
	VEC(struct frame) frames;
	VEC(uint32_t) open; /* sets of components that are not yet whole */
	uint32_t orders;
};

/* ---- one state ---- */

/*
 * Is p->row, whose ways back to itself are MACHINE_NONE, the row of this state, if the two are the
 * same? Neighbours that are then the same are one run.
 */
static bool is_row(const struct machine_pool *p, uint32_t class, uint32_t state)
{
	const struct state *s = &p->states.v[state];
	size_t k = 0;

	if (s->class != class)
		return false;
	for (uint32_t i = 0; i < s->row_n; i++) {
		do {
			uint32_t to = p->row.v[k].to;
			if ((to == MACHINE_NONE ? state : to) != s->row[i].to)
				return false;
		} while (p->row.v[k++].high < s->row[i].high);
		if (p->row.v[k - 1].high != s->row[i].high)
			return false;
	}
	return true;
}

/* The row of a set as one of states; back to the set itself: MACHINE_NONE. */
static void row_of_states(struct machine_pool *p, uint32_t set)
{
	const struct set *s = pool_set(p, set);

	p->row.n = 0;
	for (uint32_t i = 0; i < s->row_n; i++) {
		uint32_t to =
			s->row[i].to == set ? MACHINE_NONE : pool_set(p, s->row[i].to)->minimal;
		if (p->row.n && p->row.v[p->row.n - 1].to == to)
			p->row.v[p->row.n - 1].high = s->row[i].high;
		else
			vec_push_own(p->arena, &p->row, ((struct run){ to, s->row[i].high }));
	}
}

/*
 * A state that is the same as this one leads where it leads. Either that is not the state itself,
 * but for loops that both have: then their rows have one hash. Or it is among the ways.
 */
static uint32_t minimal_of_one(struct machine_pool *p, uint32_t set)
{
	uint32_t class = pool_set(p, set)->class;

	row_of_states(p, set);
	vec_each(&p->row, run)
		if (run->to != MACHINE_NONE && is_row(p, class, run->to))
			return run->to;
	if (!class && p->row.n == 1 && p->row.v[0].to == MACHINE_NONE)
		return 0;
	uint64_t hash = pool_hash_row(class, p->row.v, p->row.n, MACHINE_NONE);
	struct index_walk it = index_start(hash);
	for (uint32_t at; (at = index_next(&p->by_row, &it)) != INDEX_END;)
		if (is_row(p, class, at))
			return at;
	uint32_t state = pool_new_state(p, class, p->row.v, p->row.n);
	index_add(p->arena, &p->by_row, hash, state);
	return state;
}

/* ---- components ---- */

static void enter(struct search *s, uint32_t set)
{
	struct set *x = pool_set(s->p, set);

	x->order = ++s->orders;
	vec_push_own(s->scratch, &s->open, set);
	vec_push_own(s->scratch, &s->frames, ((struct frame){ set, 0, x->order }));
}

/* The component that ends at a set, the last one entered that is open. */
static void leave(struct search *s, uint32_t set)
{
	struct machine_pool *p = s->p;
	size_t n = 1;

	while (s->open.v[s->open.n - n] != set)
		n++;
	s->open.n -= n;
	if (n > 1) {
		pool_minimize_cycle(p, s->scratch, s->open.v + s->open.n, n);
		return;
	}
	uint32_t minimal = minimal_of_one(p, set);
	pool_set(p, set)->minimal = minimal;
}

/* Looks at the next way of the set on top, and leaves it where there is none. */
static void go_on(struct search *s)
{
	struct frame *f = &s->frames.v[s->frames.n - 1];
	struct set *x = pool_set(s->p, f->set);

	if (f->at < x->row_n) {
		uint32_t to = x->row[f->at++].to;
		const struct set *y = pool_set(s->p, to);
		if (y->minimal != MACHINE_NONE)
			return;
		if (!y->order)
			enter(s, to);
		else if (y->order < f->low)
			f->low = y->order;
		return;
	}
	s->frames.n--;
	if (s->frames.n && f->low < f[-1].low)
		f[-1].low = f->low;
	if (f->low == x->order)
		leave(s, f->set);
}

void pool_minimize(struct machine_pool *p, uint32_t root)
{
	struct search s = { .p = p };

	if (pool_set(p, root)->minimal != MACHINE_NONE)
		return;
	s.scratch = arena_scratch(p->arena);
	enter(&s, root);
	while (s.frames.n)
		go_on(&s);
	arena_free(s.scratch);
}
