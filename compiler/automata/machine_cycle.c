/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A component of several sets to minimal states. If one of its sets is the same as a state that is
 * there, all of them are, since each leads to each: so the one that looks least like any is tried.
 * How a state looks is its colour, what a few bytes ahead of it give. Otherwise the component is
 * refined for itself.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/automata/machine_pool.h"

#define INSIDE (UINT64_C(1) << 32) /* names of blocks; those of states are smaller */

struct sorted { /* a set whose ways have changed */
	uint64_t hash;
	uint32_t block, local, group;
};

struct cycle {
	struct machine_pool *p;
	const uint32_t *sets; /* set.order is its place here, its local number */
	uint32_t n;
	struct arena *scratch;
	uint32_t (*colour)[COLOURS + 1];
	uint32_t *map; /* to states that are there; MACHINE_NONE */
	/* sets by block; where each stands; of each block the first and how many */
	uint32_t *member, *place, *block, *first, *size, block_n;
	uint32_t *before,
		*before_at; /* what leads to each, from before_at[i] to before_at[i + 1] */
	bool *changed;
	VEC(struct sorted) work;
	VEC(uint32_t) next;
};

static const struct set *set_at(const struct cycle *c, uint32_t local)
{
	return pool_set(c->p, c->sets[local]);
}

static bool inside(const struct set *s)
{
	return s->minimal == MACHINE_NONE;
}

/* ---- colours ---- */

/* Goes on with a run that leads to something that looks so; neighbours that look alike are one. */
struct look {
	uint64_t hash, last;
	unsigned high;
	bool any;
};

static void look_at(struct look *l, unsigned high, uint64_t name)
{
	if (l->any && name != l->last)
		l->hash = mix(mix(l->hash, l->high), l->last);
	l->last = name;
	l->high = high;
	l->any = true;
}

static uint64_t look_end(const struct look *l)
{
	return mix(l->hash, l->last);
}

static uint32_t colour_of_state(struct machine_pool *p, uint32_t state, unsigned depth)
{
	const struct state *s = &p->states.v[state];
	struct look l = { .hash = mix(HASH_START, s->class) };

	if (s->colours > depth)
		return s->colour[depth];
	if (depth)
		colour_of_state(p, state, depth - 1);
	for (uint32_t i = 0; depth && i < s->row_n; i++)
		look_at(&l, s->row[i].high, colour_of_state(p, s->row[i].to, depth - 1));
	p->states.v[state].colours = depth + 1;
	p->states.v[state].colour[depth] = (uint32_t)(depth ? look_end(&l) : l.hash);
	return p->states.v[state].colour[depth];
}

static void colour_set(struct cycle *c, uint32_t local, unsigned depth)
{
	const struct set *s = set_at(c, local);
	struct look l = { .hash = mix(HASH_START, s->class) };

	for (uint32_t i = 0; depth && i < s->row_n; i++) {
		const struct set *to = pool_set(c->p, s->row[i].to);
		look_at(&l, s->row[i].high,
			inside(to) ? c->colour[to->order][depth - 1] :
				     colour_of_state(c->p, to->minimal, depth - 1));
	}
	c->colour[local][depth] = (uint32_t)(depth ? look_end(&l) : l.hash);
}

static void find_colours(struct cycle *c)
{
	vec_each(&c->p->cyclic, state)
		index_add(c->p->arena, &c->p->by_colour, colour_of_state(c->p, *state, COLOURS),
			  *state);
	c->p->cyclic.n = 0;
	for (unsigned depth = 0; depth <= COLOURS; depth++)
		for (uint32_t i = 0; i < c->n; i++)
			colour_set(c, i, depth);
}

/* ---- states that are there ---- */

/* Do the two go the same ways, with what c->map says? What it did not say is added, to do next. */
static bool map_one(struct cycle *c, uint32_t local)
{
	const struct set *x = set_at(c, local);
	const struct state *y = &c->p->states.v[c->map[local]];

	if (x->class != y->class)
		return false;
	for (uint32_t i = 0, k = 0; i < x->row_n && k < y->row_n;) {
		const struct set *to = pool_set(c->p, x->row[i].to);
		uint32_t want = y->row[k].to;
		if (inside(to) && c->map[to->order] == MACHINE_NONE) {
			c->map[to->order] = want;
			vec_push_own(c->scratch, &c->next, to->order);
		}
		if ((inside(to) ? c->map[to->order] : to->minimal) != want)
			return false;
		unsigned high = x->row[i].high, other = y->row[k].high;
		i += high <= other;
		k += other <= high;
	}
	return true;
}

static bool is_state(struct cycle *c, uint32_t local, uint32_t state)
{
	memset(c->map, 0xff, c->n * sizeof(*c->map));
	c->map[local] = state;
	c->next.n = 0;
	vec_push_own(c->scratch, &c->next, local);
	while (c->next.n)
		if (!map_one(c, c->next.v[--c->next.n]))
			return false;
	return true;
}

static size_t count_alike(const struct cycle *c, uint32_t local, size_t most)
{
	struct index_walk it = index_start(c->colour[local][COLOURS]);
	size_t n = 0;

	while (n < most && index_next(&c->p->by_colour, &it) != INDEX_END)
		n++;
	return n;
}

static bool find_states(struct cycle *c)
{
	uint32_t best = 0;
	size_t fewest = count_alike(c, 0, SIZE_MAX);

	for (uint32_t i = 1; i < c->n && fewest > 1; i++) {
		size_t n = count_alike(c, i, fewest);
		best = n < fewest ? i : best;
		fewest = n;
	}
	struct index_walk it = index_start(c->colour[best][COLOURS]);
	for (uint32_t at; (at = index_next(&c->p->by_colour, &it)) != INDEX_END;)
		if (is_state(c, best, at))
			return true;
	return false;
}

/* ---- blocks ---- */

static uint64_t name_of(const struct cycle *c, uint32_t set)
{
	const struct set *s = pool_set(c->p, set);

	return inside(s) ? INSIDE | c->block[s->order] : s->minimal;
}

static uint64_t hash_ways(const struct cycle *c, uint32_t local)
{
	const struct set *s = set_at(c, local);
	struct look l = { .hash = mix(HASH_START, s->class) };

	for (uint32_t i = 0; i < s->row_n; i++)
		look_at(&l, s->row[i].high, name_of(c, s->row[i].to));
	return look_end(&l);
}

static bool same_ways(const struct cycle *c, uint32_t one, uint32_t two)
{
	const struct set *x = set_at(c, one), *y = set_at(c, two);

	if (x->class != y->class)
		return false;
	for (uint32_t i = 0, k = 0; i < x->row_n && k < y->row_n;) {
		if (name_of(c, x->row[i].to) != name_of(c, y->row[k].to))
			return false;
		unsigned high = x->row[i].high, other = y->row[k].high;
		i += high <= other;
		k += other <= high;
	}
	return true;
}

static int by_hash(const void *x, const void *y)
{
	const struct sorted *a = x, *b = y;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->local > b->local) - (a->local < b->local);
}

static int by_group(const void *x, const void *y)
{
	const struct sorted *a = x, *b = y;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->local > b->local) - (a->local < b->local);
}

enum { FEW = 12 }; /* most components are as small: put in order one by one */

static void sort_work(struct cycle *c, int (*order)(const void *, const void *))
{
	struct sorted *v = c->work.v;

	if (c->work.n > FEW) {
		qsort(v, c->work.n, sizeof(*v), order);
		return;
	}
	for (size_t i = 1; i < c->work.n; i++) {
		struct sorted one = v[i];
		size_t k = i;
		for (; k && order(&v[k - 1], &one) > 0; k--)
			v[k] = v[k - 1];
		v[k] = one;
	}
}

/* Groups of the work that go the same ways, by the names that blocks have now. */
static void find_groups(struct cycle *c)
{
	struct sorted *v = c->work.v;
	uint32_t groups = 0;

	sort_work(c, by_hash);
	for (size_t i = 0, first = 0; i < c->work.n; i++) {
		if (v[i].block != v[first].block || v[i].hash != v[first].hash)
			first = i;
		size_t k = first;
		while (k < i && !same_ways(c, v[k].local, v[i].local))
			k++;
		v[i].group = k < i ? v[k].group : groups++;
	}
	sort_work(c, by_group); /* groups ascend by block */
}

/* Sets from `first` on become a block of their own, and what leads to them has changed. */
static void new_block(struct cycle *c, uint32_t first, uint32_t size)
{
	uint32_t at = c->block_n++;

	c->first[at] = first;
	c->size[at] = size;
	for (uint32_t i = first; i < first + size; i++) {
		uint32_t local = c->member[i];
		c->block[local] = at;
		for (uint32_t k = c->before_at[local]; k < c->before_at[local + 1]; k++) {
			uint32_t from = c->before[k];
			if (!c->changed[from])
				vec_push_own(c->scratch, &c->next, from);
			c->changed[from] = true;
		}
	}
}

/* Behind `v` the changed ones of one block, by group: they are put at its end, in that order. */
static uint32_t gather(struct cycle *c, const struct sorted *v, size_t n)
{
	uint32_t block = v[0].block, end = c->first[block] + c->size[block], at = end;

	for (size_t i = 0; i < n; i++) {
		uint32_t local = v[i].local, other = c->member[--at];
		c->member[c->place[local]] = other;
		c->place[other] = c->place[local];
		c->member[at] = local;
		c->place[local] = at;
	}
	for (size_t i = 0; i < n; i++) {
		c->member[at + i] = v[i].local;
		c->place[v[i].local] = at + (uint32_t)i;
	}
	return at;
}

/* The largest part of a block keeps its name, the others get new ones. */
static void split(struct cycle *c, const struct sorted *v, size_t n)
{
	uint32_t block = v[0].block, first = c->first[block], at = gather(c, v, n);
	uint32_t keep = first, keep_size = at - first;

	for (size_t i = 0, k; i < n; i = k) {
		for (k = i; k < n && v[k].group == v[i].group;)
			k++;
		uint32_t begin = at + (uint32_t)i, size = (uint32_t)(k - i);
		if (size <= keep_size) {
			new_block(c, begin, size);
			continue;
		}
		if (keep_size)
			new_block(c, keep, keep_size);
		keep = begin;
		keep_size = size;
	}
	c->first[block] = keep;
	c->size[block] = keep_size;
}

static void refine(struct cycle *c)
{
	while (c->next.n) {
		c->work.n = 0;
		vec_each(&c->next, local) {
			c->changed[*local] = false;
			struct sorted s = { hash_ways(c, *local), c->block[*local], *local, 0 };
			vec_push_own(c->scratch, &c->work, s);
		}
		c->next.n = 0;
		find_groups(c);
		for (size_t i = 0, k; i < c->work.n; i = k) {
			for (k = i; k < c->work.n && c->work.v[k].block == c->work.v[i].block;)
				k++;
			split(c, c->work.v + i, k - i);
		}
	}
}

static void find_ways_in(struct cycle *c)
{
	uint32_t edges = 0;

	c->before_at = ARENA_ARRAY(c->scratch, uint32_t, c->n + 2);
	for (int fill = 0; fill < 2; fill++) {
		for (uint32_t i = 0; i < c->n; i++) {
			const struct set *s = set_at(c, i);
			for (uint32_t k = 0; k < s->row_n; k++) {
				const struct set *to = pool_set(c->p, s->row[k].to);
				if (inside(to) && fill)
					c->before[c->before_at[to->order + 1]++] = i;
				else if (inside(to))
					c->before_at[to->order + 2]++;
			}
		}
		for (uint32_t i = 0; !fill && i < c->n; i++)
			c->before_at[i + 2] += c->before_at[i + 1];
		edges = c->before_at[c->n + 1];
		if (!fill)
			c->before = ARENA_ARRAY(c->scratch, uint32_t, edges + 1);
	}
}

static void find_blocks(struct cycle *c)
{
	struct arena *a = c->scratch;
	uint32_t n = c->n;

	c->member = ARENA_ARRAY(a, uint32_t, n);
	c->place = ARENA_ARRAY(a, uint32_t, n);
	c->block = ARENA_ARRAY(a, uint32_t, n);
	c->first = ARENA_ARRAY(a, uint32_t, n);
	c->size = ARENA_ARRAY(a, uint32_t, n);
	c->changed = ARENA_ARRAY(a, bool, n);
	find_ways_in(c);
	c->block_n = 1;
	c->size[0] = n;
	c->next.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		c->member[i] = c->place[i] = i;
		c->changed[i] = true;
		vec_push_own(a, &c->next, i);
	}
	refine(c);
}

/* A state for each block, in their order. */
static void add_states(struct cycle *c)
{
	struct machine_pool *p = c->p;
	uint32_t base = (uint32_t)p->states.n;

	for (uint32_t b = 0; b < c->block_n; b++) {
		const struct set *s = set_at(c, c->member[c->first[b]]);
		p->row.n = 0;
		for (uint32_t i = 0; i < s->row_n; i++) {
			const struct set *to = pool_set(p, s->row[i].to);
			uint32_t state = inside(to) ? base + c->block[to->order] : to->minimal;
			if (p->row.n && p->row.v[p->row.n - 1].to == state)
				p->row.v[p->row.n - 1].high = s->row[i].high;
			else
				vec_push_own(p->arena, &p->row,
					     ((struct run){ state, s->row[i].high }));
		}
		pool_new_state(p, s->class, p->row.v, p->row.n);
		vec_push_own(p->arena, &p->cyclic, base + b);
		pool_enter_state(p, base + b);
	}
	for (uint32_t i = 0; i < c->n; i++)
		c->map[i] = base + c->block[i];
}

void pool_minimize_cycle(struct machine_pool *p, struct arena *a, const uint32_t *sets, size_t n)
{
	struct cycle c = { .p = p, .sets = sets, .n = (uint32_t)n, .scratch = a };

	c.colour = arena_alloc_array(a, n, sizeof(*c.colour));
	c.map = ARENA_ARRAY(a, uint32_t, n);
	for (uint32_t i = 0; i < n; i++)
		pool_set(p, sets[i])->order = i;
	find_colours(&c);
	if (!find_states(&c)) {
		find_blocks(&c);
		add_states(&c);
	}
	for (uint32_t i = 0; i < n; i++)
		pool_set(p, sets[i])->minimal = c.map[i];
}
