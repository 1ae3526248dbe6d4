/* SPDX-License-Identifier: Apache-2.0 */
/* A machine: what its texts lead to is followed and counted, then made minimal; and asked. */
#include "compiler/automata/machine_pool.h"

struct building {
	struct machine_pool *p;
	VEC(uint32_t) work;
};

static void reach(struct building *b, uint32_t set)
{
	struct set *s = pool_set(b->p, set);

	s->seen = b->p->build;
	vec_push_own(b->p->arena, &b->work, set);
}

/* Counts what was followed for another machine as well: what is decided never depends on it. */
static bool go_on(struct building *b, struct machine *m, uint32_t set)
{
	struct machine_pool *p = b->p;
	size_t left = MACHINE_STEPS_MAX - m->steps;

	if (m->states == MACHINE_STATES_MAX || pool_set(p, set)->cost > left)
		return false;
	if (!pool_set(p, set)->row && !pool_follow(p, set, left))
		return false;
	m->states++;
	m->steps += pool_set(p, set)->cost;
	const struct run *row = pool_set(p, set)->row;
	for (uint32_t i = 0, n = pool_set(p, set)->row_n; i < n; i++)
		if (pool_set(p, row[i].to)->seen != p->build)
			reach(b, row[i].to);
	return true;
}

struct machine machine_build(struct machine_pool *p, machine_texts texts)
{
	struct machine m = { .pool = p, .decided = true };
	struct building b = { .p = p };

	p->build++;
	reach(&b, texts);
	for (size_t i = 0; i < b.work.n && m.decided; i++)
		m.decided = go_on(&b, &m, b.work.v[i]);
	if (!m.decided)
		return m;
	pool_minimize(p, texts);
	m.start = pool_set(p, texts)->minimal;
	return m;
}

unsigned machine_find(const struct machine *m, struct str text)
{
	const struct state *s = &m->pool->states.v[m->start];

	for (size_t i = 0; i < text.n; i++) {
		const struct run *run = s->row;
		while (run->high < (unsigned char)text.p[i])
			run++;
		s = &m->pool->states.v[run->to];
	}
	return s->class;
}

size_t machine_size(struct arena *a, const struct machine *m)
{
	bool *met = ARENA_ARRAY(a, bool, m->pool->states.n);
	VEC(uint32_t) work = { .v = NULL };

	met[0] = true;
	if (m->start)
		vec_push(a, &work, m->start);
	met[m->start] = true;
	for (size_t i = 0; i < work.n; i++) {
		const struct state *s = &m->pool->states.v[work.v[i]];
		for (uint32_t k = 0; k < s->row_n; k++) {
			if (!met[s->row[k].to])
				vec_push(a, &work, s->row[k].to);
			met[s->row[k].to] = true;
		}
	}
	return work.n;
}
