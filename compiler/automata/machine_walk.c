/* SPDX-License-Identifier: Apache-2.0 */
/* Machines side by side, breadth first, so that the first text met is a shortest. */
#include <stdlib.h>
#include <string.h>

#include "compiler/automata/machine_pool.h"

enum { SIDES = 4 }; /* machines at once, at most */

struct tuple {
	uint32_t at[SIDES], from; /* from: the tuple before; MACHINE_NONE: the start */
	uint32_t where;     /* of a path or shape: its state; MACHINE_NONE: no text begins so */
	unsigned char byte; /* that led here */
};

struct way {
	struct tuple to;
	unsigned rank; /* how well its byte reads; 0 best */
};

struct walk;
typedef void note_fn(struct walk *w, uint32_t at); /* a text ends here */

struct walk {
	struct arena *arena;
	const struct machine_pool *pools[SIDES];
	unsigned sides;
	bool paths, differ;
	const struct machine_shape *shape; /* NULL: of paths, or texts */
	bool nowhere; /* where the first two lead nowhere nothing (more) is looked for */
	bool within;  /* nor where the third does */
	bool meet;    /* nor where one of the first two does */
	size_t left;  /* tuples that may still be met */
	note_fn *note;
	VEC(struct tuple) tuples;
	VEC(struct way) ways;
	struct table by_tuple, by_found;
	bool decided;
	void *out; /* note's */
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

	for (uint32_t i = at; w->tuples.v[i].from != MACHINE_NONE; i = w->tuples.v[i].from)
		n++;
	char *s = arena_alloc(w->arena, n + 1);
	size_t k = n;
	for (uint32_t i = at; w->tuples.v[i].from != MACHINE_NONE; i = w->tuples.v[i].from)
		s[--k] = (char)w->tuples.v[i].byte;
	return (struct str){ s, n };
}

static const struct state *state_at(const struct walk *w, uint32_t at, unsigned side)
{
	return &w->pools[side]->states.v[w->tuples.v[at].at[side]];
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

static bool same_tuple(const struct tuple *x, const struct tuple *y)
{
	return x->where == y->where && !memcmp(x->at, y->at, sizeof(x->at));
}

/* From here on nothing is looked for. */
static bool is_over(const struct walk *w, const uint32_t *at)
{
	return (w->differ && at[0] == at[1] && (w->within || at[2] == at[3])) ||
	       (!at[0] && !at[1] && w->nowhere) || (w->within && !at[2]) ||
	       (w->meet && (!at[0] || !at[1]));
}

static void visit(struct walk *w, struct tuple next)
{
	const uint32_t *at = next.at;
	uint64_t hash = mix(HASH_START, next.where);

	if (next.where == MACHINE_NONE || is_over(w, at))
		return;
	for (unsigned i = 0; i < w->sides; i++)
		hash = mix(hash, at[i]);
	struct table_walk it = table_start(hash);
	for (size_t i; (i = table_next(&w->by_tuple, &it)) != TABLE_END;)
		if (same_tuple(&w->tuples.v[i], &next))
			return;
	if (!w->left) {
		w->decided = false;
		return;
	}
	w->left--;
	table_add(w->arena, &w->by_tuple, hash, w->tuples.n);
	vec_push_own(w->arena, &w->tuples, next);
	if (ends(w, next.where))
		w->note(w, (uint32_t)w->tuples.n - 1);
}

static void add_way(struct walk *w, struct tuple to, unsigned low, unsigned high)
{
	struct way way = { .to = to };

	if (is_over(w, to.at))
		return;
	way.rank = pick(low, high, &way.to.byte);
	way.to.where = after(w, to.where, way.to.byte);
	vec_each(&w->ways, old)
		if (same_tuple(&old->to, &way.to)) {
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

/* Most often there are two or three. */
static void sort_ways(struct walk *w)
{
	enum { FEW = 12 };
	struct way *v = w->ways.v;

	if (w->ways.n > FEW)
		qsort(v, w->ways.n, sizeof(*v), by_rank);
	for (size_t i = 1; i < w->ways.n && w->ways.n <= FEW; i++) {
		struct way way = v[i];
		size_t at = i;

		for (; at && v[at - 1].rank > way.rank; at--)
			v[at] = v[at - 1];
		v[at] = way;
	}
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

/* Where this one leads nowhere nothing is looked for: is_over(). */
static bool needs_side(const struct walk *w, unsigned side)
{
	return side < 2 ? w->meet : w->within;
}

static void step(struct walk *w, uint32_t at)
{
	struct tuple t = w->tuples.v[at];
	const struct run *rows[SIDES];

	w->ways.n = 0;
	for (unsigned i = 0; i < w->sides; i++)
		rows[i] = state_at(w, at, i)->row;
	for (unsigned low = w->shape ? 0 : 1, high; low < 256; low = high + 1) {
		struct tuple to = { .from = at, .where = t.where };
		unsigned over = 0; /* up to there one side leads nowhere that is looked for */
		high = 255;
		for (unsigned i = 0; i < w->sides; i++) {
			while (rows[i]->high < low)
				rows[i]++;
			to.at[i] = rows[i]->to;
			high = rows[i]->high < high ? rows[i]->high : high;
			if (!rows[i]->to && rows[i]->high > over && needs_side(w, i))
				over = rows[i]->high;
		}
		if (over) {
			high = over;
			continue;
		}
		high = bound(w, low, high);
		add_way(w, to, low, high);
	}
	sort_ways(w);
	vec_each(&w->ways, way)
		visit(w, way->to);
}

static void go(struct walk *w, const uint32_t *start)
{
	struct tuple first = { .from = MACHINE_NONE,
			       .where = w->shape ? w->shape->start : PATH_START };

	memcpy(first.at, start, w->sides * sizeof(*start));
	visit(w, first);
	for (uint32_t i = 0; i < w->tuples.n && w->decided; i++)
		step(w, i);
}

/* ---- classes of one or two machines ---- */

static void note_classes(struct walk *w, uint32_t at)
{
	struct machine_walk *out = w->out;
	struct machine_found f = { .a = state_at(w, at, 0)->class, .b = state_at(w, at, 1)->class };

	if ((w->differ && f.a == f.b) || (w->within && !state_at(w, at, 2)->class) ||
	    (w->meet && (!f.a || !f.b)))
		return;
	f.group = w->shape ? w->shape->group(w->shape, w->tuples.v[at].where) : 0;
	uint64_t hash = mix(mix(mix(HASH_START, f.a), f.b), f.group);
	struct table_walk it = table_start(hash);
	for (size_t i; (i = table_next(&w->by_found, &it)) != TABLE_END;) {
		const struct machine_found *old = &out->found.v[i];
		if (old->a == f.a && old->b == f.b && old->group == f.group)
			return;
	}
	f.path = spell(w, at);
	w->nowhere |= !f.a && !f.b && !w->shape;
	table_add(w->arena, &w->by_found, hash, out->found.n);
	vec_push(w->arena, &out->found, f);
}

static struct machine_walk walk_two(struct walk *w, const struct machine *x,
				    const struct machine *y, const struct machine *in)
{
	struct machine_walk out = { .decided = false };

	w->pools[0] = x->pool;
	w->pools[1] = y ? y->pool : x->pool;
	w->pools[2] = in ? in->pool : x->pool;
	w->sides = in ? 3 : 2;
	w->within = in != NULL;
	w->note = note_classes;
	w->out = &out;
	w->decided = x->decided && (!y || y->decided) && (!in || in->decided);
	if (w->decided)
		go(w, (const uint32_t[]){ x->start, y ? y->start : 0, in ? in->start : 0 });
	out.states = w->tuples.n;
	out.decided = w->decided;
	return out;
}

struct machine_walk machine_walk(struct arena *a, const struct machine *x, const struct machine *y,
				 enum machine_domain domain, bool differ)
{
	struct walk w = { .arena = a,
			  .paths = domain == MACHINE_PATHS,
			  .differ = differ,
			  .left = MACHINE_STATES_MAX };

	return walk_two(&w, x, y, NULL);
}

struct machine_walk machine_walk_within(struct arena *a, const struct machine *x,
					const struct machine *y, const struct machine *in,
					enum machine_domain domain, bool differ, size_t *left)
{
	struct walk w = {
		.arena = a, .paths = domain == MACHINE_PATHS, .differ = differ, .left = *left
	};
	struct machine_walk out = walk_two(&w, x, y, in);

	*left = w.left;
	return out;
}

struct machine_walk machine_meet(struct arena *a, const struct machine *x, const struct machine *y,
				 enum machine_domain domain)
{
	struct walk w = { .arena = a,
			  .paths = domain == MACHINE_PATHS,
			  .meet = true,
			  .left = MACHINE_STATES_MAX };

	return walk_two(&w, x, y, NULL);
}

struct machine_walk machine_meet_shape(struct arena *a, const struct machine *x,
				       const struct machine *y, const struct machine_shape *shape)
{
	struct walk w = { .arena = a, .shape = shape, .meet = true, .left = MACHINE_STATES_MAX };

	return walk_two(&w, x, y, NULL);
}

struct machine_walk machine_walk_shape(struct arena *a, const struct machine *x,
				       const struct machine *y, const struct machine_shape *shape,
				       bool differ)
{
	struct walk w = {
		.arena = a, .shape = shape, .differ = differ, .left = MACHINE_STATES_MAX
	};

	return walk_two(&w, x, y, NULL);
}

struct machine_walk machine_walk_shape_within(struct arena *a, const struct machine *x,
					      const struct machine *y, const struct machine *in,
					      const struct machine_shape *shape, bool differ,
					      size_t *left)
{
	struct walk w = { .arena = a, .shape = shape, .differ = differ, .left = *left };
	struct machine_walk out = walk_two(&w, x, y, in);

	*left = w.left;
	return out;
}

/* ---- pairs of paths ---- */

struct linking {
	const struct machine_links_asked *asked;
	struct machine_links out;
	size_t left;
};

/* Of two machines of links and two of paths. */
static struct walk start_links(struct arena *a, struct linking *l, note_fn *note, void *out)
{
	const struct machine_links_asked *q = l->asked;

	return (struct walk){
		.arena = a,
		.pools = { q->links[0]->pool, q->links[1]->pool, q->paths[0]->pool,
			   q->paths[1]->pool },
		.sides = SIDES,
		.paths = true,
		.nowhere = true,
		.left = l->left,
		.note = note,
		.out = out,
		.decided = true,
	};
}

static uint32_t behind_nul(const struct state *s)
{
	return s->row[0].to; /* the first run begins with it */
}

static size_t group_of(struct walk *w, const uint32_t *start, bool differ)
{
	struct linking *l = w->out;

	for (size_t i = 0; i < l->out.groups.n; i++) {
		const struct machine_link_group *g = &l->out.groups.v[i];
		if (g->start[0] == start[0] && g->start[1] == start[1] && g->differ == differ)
			return i;
	}
	vec_push(
		w->arena, &l->out.groups,
		((struct machine_link_group){ .start = { start[0], start[1] }, .differ = differ }));
	return l->out.groups.n - 1;
}

static void note_head(struct walk *w, uint32_t at)
{
	struct linking *l = w->out;
	uint32_t start[2] = { behind_nul(state_at(w, at, 0)), behind_nul(state_at(w, at, 1)) };
	struct machine_link_head h = { .path = { state_at(w, at, 2)->class,
						 state_at(w, at, 3)->class } };
	uint64_t hash = mix(mix(HASH_START, h.path[0]), h.path[1]);

	if (!start[0] && !start[1])
		return;
	h.group = group_of(w, start, l->asked->differ && h.path[0] == h.path[1]);
	hash = mix(hash, h.group);
	struct table_walk it = table_start(hash);
	for (size_t i; (i = table_next(&w->by_found, &it)) != TABLE_END;) {
		const struct machine_link_head *old = &l->out.heads.v[i];
		if (old->path[0] == h.path[0] && old->path[1] == h.path[1] && old->group == h.group)
			return;
	}
	h.text = spell(w, at);
	table_add(w->arena, &w->by_found, hash, l->out.heads.n);
	vec_push(w->arena, &l->out.heads, h);
}

static void note_tail(struct walk *w, uint32_t at)
{
	struct machine_link_group *g = w->out;
	struct machine_link_tail t = { .text = { "", 0 } };
	uint64_t hash = HASH_START;

	for (unsigned i = 0; i < 2; i++) {
		t.pair[i] = state_at(w, at, i)->class;
		t.to[i] = state_at(w, at, i + 2)->class;
		hash = mix(mix(hash, t.pair[i]), t.to[i]);
	}
	struct table_walk it = table_start(hash);
	for (size_t i; (i = table_next(&w->by_found, &it)) != TABLE_END;) {
		const struct machine_link_tail *old = &g->tails.v[i];
		if (!memcmp(old->pair, t.pair, sizeof(t.pair)) &&
		    !memcmp(old->to, t.to, sizeof(t.to)))
			return;
	}
	t.text = spell(w, at);
	table_add(w->arena, &w->by_found, hash, g->tails.n);
	vec_push(w->arena, &g->tails, t);
}

struct machine_links machine_walk_links(struct arena *a, const struct machine_links_asked *q)
{
	struct linking l = { .asked = q, .left = MACHINE_STATES_MAX };

	for (unsigned i = 0; i < 2; i++)
		if (!q->links[i]->decided || !q->paths[i]->decided)
			return l.out;
	struct walk heads = start_links(a, &l, note_head, &l);
	go(&heads, (const uint32_t[]){ q->links[0]->start, q->links[1]->start, q->paths[0]->start,
				       q->paths[1]->start });
	l.left = heads.left;
	l.out.decided = heads.decided;
	vec_each(&l.out.groups, g) {
		struct walk tails = start_links(a, &l, note_tail, g);
		tails.differ = g->differ;
		go(&tails, (const uint32_t[]){ g->start[0], g->start[1], q->paths[0]->start,
					       q->paths[1]->start });
		l.left = tails.left;
		l.out.decided &= tails.decided;
	}
	return l.out;
}
