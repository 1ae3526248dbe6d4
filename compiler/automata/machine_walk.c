/* SPDX-License-Identifier: Apache-2.0 */
/* Two machines side by side, breadth first, so that the first text met is a shortest. */
#include <stdlib.h>

#include "compiler/automata/machine_pool.h"

struct pair {
	uint32_t x, y, from; /* from: the pair before; MACHINE_NONE: the start */
	uint32_t where;      /* of a path or shape: its state; MACHINE_NONE: no text begins so */
	unsigned char byte;  /* that led here */
};

struct way {
	struct pair to;
	unsigned rank; /* how well its byte reads; 0 best */
};

struct walk {
	struct arena *arena;
	const struct machine_pool *px, *py;
	bool paths, differ, nowhere;       /* nowhere: the pair of class 0 with itself is found */
	const struct machine_shape *shape; /* NULL: of paths, or texts */
	VEC(struct pair) pairs;
	VEC(struct way) ways;
	struct table by_pair, by_classes;
	struct machine_walk out;
};

/* The byte of these that reads best in a message, as byte_set_pick() has it, and how well. */
static unsigned pick(unsigned low, unsigned high, unsigned char *byte)
{
	static const struct {
		unsigned char low, high;
	} order[] = { { 'a', 'z' }, { 'A', 'Z' }, { '0', '9' },   { '_', '_' }, { '-', '.' },
		      { '!', '~' }, { ' ', ' ' }, { 0x80, 0xff }, { 0, 0x7f } };

	for (unsigned k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		unsigned first = low > order[k].low ? low : order[k].low;
		unsigned last = high < order[k].high ? high : order[k].high;
		if (first > last)
			continue;
		*byte = (unsigned char)first;
		return 256 * k + first;
	}
	return UINT32_MAX;
}

static struct str spell(const struct walk *w, uint32_t at)
{
	size_t n = 0;

	for (uint32_t i = at; w->pairs.v[i].from != MACHINE_NONE; i = w->pairs.v[i].from)
		n++;
	char *s = arena_alloc(w->arena, n + 1);
	size_t k = n;
	for (uint32_t i = at; w->pairs.v[i].from != MACHINE_NONE; i = w->pairs.v[i].from)
		s[--k] = (char)w->pairs.v[i].byte;
	return (struct str){ s, n };
}

static bool ends(const struct walk *w, uint32_t where)
{
	if (w->shape)
		return w->shape->ends(w->shape, where);
	return !w->paths || path_ends(where);
}

static uint32_t after(const struct walk *w, uint32_t where, unsigned char byte)
{
	if (w->shape)
		return w->shape->step(w->shape, where, byte);
	if (!w->paths)
		return where;
	enum path_state to = path_step(where, byte);
	return to == PATH_DEAD ? MACHINE_NONE : to;
}

static void note_classes(struct walk *w, uint32_t at)
{
	const struct pair *p = &w->pairs.v[at];
	struct machine_found f = { .a = w->px->states.v[p->x].class,
				   .b = w->py->states.v[p->y].class };

	if (!ends(w, p->where) || (w->differ && f.a == f.b))
		return;
	f.group = w->shape ? w->shape->group(w->shape, p->where) : 0;
	uint64_t hash = mix(mix(mix(HASH_START, f.a), f.b), f.group);
	struct table_walk it = table_start(hash);
	for (size_t i; (i = table_next(&w->by_classes, &it)) != TABLE_END;) {
		const struct machine_found *old = &w->out.found.v[i];
		if (old->a == f.a && old->b == f.b && old->group == f.group)
			return;
	}
	f.path = spell(w, at);
	w->nowhere |= !f.a && !f.b;
	table_add(w->arena, &w->by_classes, hash, w->out.found.n);
	vec_push(w->arena, &w->out.found, f);
}

static void visit(struct walk *w, struct pair next)
{
	uint64_t hash = mix(mix(mix(HASH_START, next.x), next.y), next.where);

	if (next.where == MACHINE_NONE || (w->differ && next.x == next.y) ||
	    (!next.x && !next.y && w->nowhere))
		return;
	struct table_walk it = table_start(hash);
	for (size_t i; (i = table_next(&w->by_pair, &it)) != TABLE_END;) {
		const struct pair *p = &w->pairs.v[i];
		if (p->x == next.x && p->y == next.y && p->where == next.where)
			return;
	}
	if (w->pairs.n == MACHINE_STATES_MAX) {
		w->out.decided = false;
		return;
	}
	table_add(w->arena, &w->by_pair, hash, w->pairs.n);
	vec_push_own(w->arena, &w->pairs, next);
	note_classes(w, (uint32_t)w->pairs.n - 1);
}

static void add_way(struct walk *w, struct pair to, unsigned low, unsigned high)
{
	struct way way = { .to = to, .rank = pick(low, high, &way.to.byte) };

	way.to.where = after(w, to.where, way.to.byte);
	vec_each(&w->ways, old)
		if (old->to.x == to.x && old->to.y == to.y && old->to.where == way.to.where) {
			if (way.rank < old->rank)
				*old = way;
			return;
		}
	vec_push_own(w->arena, &w->ways, way);
}

static int by_rank(const void *x, const void *y)
{
	const struct way *a = x, *b = y;

	return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Where a run of bytes from `low` ends at the latest: what makes a path or shape is told apart. */
static unsigned bound(const struct walk *w, unsigned low, unsigned high)
{
	if (w->shape)
		return low;
	if (w->paths && low < '.' && high >= '.')
		return '.' - 1;
	if (w->paths && (low == '.' || low == '/')) /* neighbours */
		return low;
	return high;
}

static void step(struct walk *w, uint32_t at)
{
	struct pair p = w->pairs.v[at];
	const struct run *x = w->px->states.v[p.x].row, *y = w->py->states.v[p.y].row;

	w->ways.n = 0;
	for (unsigned low = w->shape ? 0 : 1, high; low < 256; low = high + 1) {
		while (x->high < low)
			x++;
		while (y->high < low)
			y++;
		high = bound(w, low, x->high < y->high ? x->high : y->high);
		add_way(w, (struct pair){ x->to, y->to, at, p.where, 0 }, low, high);
	}
	if (w->ways.n > 1)
		qsort(w->ways.v, w->ways.n, sizeof(*w->ways.v), by_rank);
	vec_each(&w->ways, way)
		visit(w, way->to);
}

static struct machine_walk walk_from(struct walk *w, const struct machine *x,
				     const struct machine *y, uint32_t start)
{
	w->px = x->pool;
	w->py = y ? y->pool : x->pool;
	w->out.decided = x->decided && (!y || y->decided);
	if (!w->out.decided)
		return w->out;
	visit(w,
	      (struct pair){
		      .x = x->start, .y = y ? y->start : 0, .from = MACHINE_NONE, .where = start });
	for (uint32_t i = 0; i < w->pairs.n && w->out.decided; i++)
		step(w, i);
	w->out.states = w->pairs.n;
	return w->out;
}

struct machine_walk machine_walk(struct arena *a, const struct machine *x, const struct machine *y,
				 enum machine_domain domain, bool differ)
{
	struct walk w = { .arena = a, .paths = domain == MACHINE_PATHS, .differ = differ };

	return walk_from(&w, x, y, PATH_START);
}

struct machine_walk machine_walk_shape(struct arena *a, const struct machine *x,
				       const struct machine *y, const struct machine_shape *shape,
				       bool differ)
{
	struct walk w = { .arena = a, .shape = shape, .differ = differ };

	return walk_from(&w, x, y, shape->start);
}
