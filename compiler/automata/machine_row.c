/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a set of positions goes, byte by byte, as runs of bytes that go one way. Most positions
 * take one byte: those are found by it. The others are few, and told apart by a mask.
 */
#include "compiler/automata/machine_pool.h"

struct wide {
	uint32_t bytes, to;
};

struct way { /* of bytes that no position takes as one of few */
	uint64_t mask;
	uint32_t other, to;
};

/* One a pool, for its memory. */
struct following {
	struct machine_pool *p;
	struct byte_set edges; /* where the answer may change */
	uint32_t first[256];   /* of the positions that take few bytes, this one too: index + 1 */
	VEC(uint32_t) singles, after;  /* where they go, and the next one of the same byte */
	VEC(const struct bytes *) few; /* those whose bytes are in `first` */
	VEC(struct wide) wides;
	VEC(const struct run *) stars; /* the run of each that has the byte under work */
	VEC(struct way) ways;
	VEC(uint32_t) sets;
	size_t cost;
};

static void add_few(struct following *f, const struct bytes *b, uint32_t to)
{
	struct arena *a = f->p->arena;

	vec_push_own(a, &f->few, b);
	for (unsigned i = 0; i < b->few_n; i++) {
		vec_push_own(a, &f->singles, to);
		vec_push_own(a, &f->after, f->first[b->few_bytes[i]]);
		f->first[b->few_bytes[i]] = (uint32_t)f->singles.n;
	}
}

/* A star among others: where its own set goes, which was followed. */
static void add_star(struct following *f, const struct position *x)
{
	const struct set *s = pool_set(f->p, x->to);

	vec_push_own(f->p->arena, &f->stars, s->row);
	for (uint32_t i = 0; i + 1 < s->row_n; i++) {
		unsigned edge = s->row[i].high + 1u;
		f->edges.w[edge / 64] |= UINT64_C(1) << edge % 64;
	}
	f->cost += s->row_n;
}

static void add_positions(struct following *f, uint32_t set, uint32_t own)
{
	const struct set *s = pool_set(f->p, set);

	f->cost += s->n;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct position *x = &f->p->positions.v[s->positions[i]];
		if (x->bytes == POSITION_END)
			continue;
		if (x->out && x->to != own) {
			add_star(f, x);
			continue;
		}
		const struct bytes *b = &f->p->bytes.v[x->bytes];
		for (unsigned k = 0; k < 4; k++)
			f->edges.w[k] |= b->edges.w[k];
		if (b->few)
			add_few(f, b, x->to);
		else
			vec_push_own(f->p->arena, &f->wides, ((struct wide){ x->bytes, x->to }));
		if (x->out) /* the star of this set */
			add_positions(f, x->out, own);
	}
}

static void clear(struct following *f)
{
	vec_each(&f->few, b)
		for (unsigned i = 0; i < (*b)->few_n; i++)
			f->first[(*b)->few_bytes[i]] = 0;
	f->few.n = f->singles.n = f->after.n = 0;
	f->cost = 1;
}

static void begin(struct following *f, uint32_t set)
{
	clear(f);
	f->edges = (struct byte_set){ { 1 } };
	f->wides.n = f->ways.n = f->stars.n = 0;
	add_positions(f, set, set);
}

/* Where wide positions and stars go, behind the sets that are there; the first 64 as a mask. */
static uint64_t take_wides(struct following *f, unsigned char c)
{
	uint64_t mask = 0;

	f->cost += f->wides.n + f->stars.n + 1;
	for (size_t i = 0; i < f->wides.n; i++) {
		if (!byte_set_has(&f->p->bytes.v[f->wides.v[i].bytes].set, c))
			continue;
		mask |= i < 64 ? UINT64_C(1) << i : 0;
		vec_push_own(f->p->arena, &f->sets, f->wides.v[i].to);
	}
	vec_each(&f->stars, run) {
		while ((*run)->high < c)
			++*run;
		if ((*run)->to)
			vec_push_own(f->p->arena, &f->sets, (*run)->to);
	}
	return mask;
}

static uint32_t unite(struct following *f)
{
	return pool_unite(f->p, f->sets.v, f->sets.n, &f->cost);
}

static uint32_t way_of(struct following *f, unsigned char c)
{
	f->sets.n = 0;
	for (uint32_t i = f->first[c]; i; i = f->after.v[i - 1])
		vec_push_own(f->p->arena, &f->sets, f->singles.v[i - 1]);
	bool alone = f->sets.n;
	struct way way = { .mask = take_wides(f, c) };
	if (alone || f->wides.n > 64 || f->stars.n > 1 || f->sets.n < 2)
		return unite(f);
	way.other = f->stars.n ? f->stars.v[0]->to : 0;
	vec_each(&f->ways, old)
		if (old->mask == way.mask && old->other == way.other)
			return old->to;
	way.to = unite(f);
	vec_push_own(f->p->arena, &f->ways, way);
	return way.to;
}

static void add_run(struct machine_pool *p, unsigned high, uint32_t to)
{
	if (p->row.n && p->row.v[p->row.n - 1].to == to)
		p->row.v[p->row.n - 1].high = (unsigned char)high;
	else
		vec_push_own(p->arena, &p->row, ((struct run){ to, (unsigned char)high }));
}

/* The byte before the next edge behind c. */
static unsigned end_of_run(const struct byte_set *edges, unsigned c)
{
	unsigned k = (c + 1) / 64;
	uint64_t w = k < 4 ? edges->w[k] >> (c + 1) % 64 << (c + 1) % 64 : 0;

	while (k < 4 && !w)
		w = ++k < 4 ? edges->w[k] : 0;
	return k < 4 ? 64 * k + (unsigned)__builtin_ctzll(w) - 1 : 255;
}

static struct following *following_of(struct machine_pool *p)
{
	if (!p->following) {
		p->following = ARENA_NEW(p->arena, struct following);
		p->following->p = p;
	}
	return p->following;
}

/* The sets of its stars, and the stars behind those, are followed before: few, and not deep. */
static bool follow_stars(struct machine_pool *p, uint32_t set, uint32_t own, size_t *left)
{
	for (uint32_t i = 0; i < pool_set(p, set)->star_n; i++) {
		struct position x = p->positions.v[pool_set(p, set)->positions[i]];
		bool fine = x.to == own ? follow_stars(p, x.out, own, left) :
					  pool_set(p, x.to)->row || pool_follow(p, x.to, *left);
		if (!fine || pool_set(p, x.to)->cost > *left)
			return false;
		*left -= pool_set(p, x.to)->cost;
	}
	return true;
}

/* Of positions that do not take a few bytes, or are the set of one star. */
static bool follow_rest(struct machine_pool *p, uint32_t set, size_t *left)
{
	if (!follow_stars(p, set, set, left))
		return false;
	struct following *f = following_of(p);
	p->row.n = 0;
	begin(f, set);
	for (unsigned c = 0, high; c < 256; c = high + 1) {
		high = end_of_run(&f->edges, c);
		add_run(p, high, way_of(f, (unsigned char)c));
	}
	return true;
}

/* Singles only; `first` is left empty by who takes them. */
static void begin_few(struct following *f, uint32_t set)
{
	struct machine_pool *p = f->p;
	const struct set *s = pool_set(p, set);

	clear(f);
	f->edges = (struct byte_set){ { 0 } };
	f->cost += s->n;
	vec_room(p->arena, &f->singles, BYTES_FEW * (size_t)s->n);
	vec_room(p->arena, &f->after, BYTES_FEW * (size_t)s->n);
	for (uint32_t i = s->star_n; i < s->n; i++) {
		const struct position *x = &p->positions.v[s->positions[i]];
		if (x->bytes == POSITION_END || !p->bytes.v[x->bytes].few)
			continue;
		const struct bytes *b = &p->bytes.v[x->bytes];
		for (unsigned k = 0; k < b->few_n; k++) {
			unsigned c = b->few_bytes[k];
			f->singles.v[f->singles.n++] = x->to;
			f->after.v[f->after.n++] = f->first[c];
			f->first[c] = (uint32_t)f->singles.n;
			f->edges.w[c / 64] |= UINT64_C(1) << c % 64;
		}
	}
}

static uint32_t way_of_few(struct following *f, unsigned c, uint32_t other)
{
	f->sets.n = 0;
	for (uint32_t i = f->first[c]; i; i = f->after.v[i - 1])
		vec_push_own(f->p->arena, &f->sets, f->singles.v[i - 1]);
	f->first[c] = 0;
	if (other)
		vec_push_own(f->p->arena, &f->sets, other);
	return f->sets.n > 1 ? unite(f) : f->sets.v[0];
}

/* Bytes from `low` up to `high` go this way, if there are any; the first one behind. */
static unsigned add_from(struct machine_pool *p, unsigned low, unsigned high, uint32_t to)
{
	if (low > high)
		return low;
	add_run(p, high, to);
	return high + 1;
}

/* Another row, but for the few bytes of the positions that are taken one by one. */
static bool follow_few(struct machine_pool *p, uint32_t set, uint32_t rest, size_t *left)
{
	struct following *f = following_of(p);

	if (rest && !pool_set(p, rest)->row && !pool_follow(p, rest, *left))
		return false;
	const struct run *run = pool_set(p, rest)->row;
	uint32_t cost = pool_set(p, rest)->cost;
	if (cost > *left)
		return false;
	*left -= cost;
	p->row.n = 0;
	begin_few(f, set);
	f->cost += pool_set(p, rest)->row_n;
	unsigned low = 0; /* the first byte that has no way yet */
	for (unsigned k = 0; k < 4; k++)
		for (uint64_t w = f->edges.w[k]; w; w &= w - 1) {
			unsigned c = 64 * k + (unsigned)__builtin_ctzll(w);
			for (; run->high < c; run++)
				low = add_from(p, low, run->high, run->to);
			if (c)
				low = add_from(p, low, c - 1, run->to);
			low = add_from(p, low, c, way_of_few(f, c, run->to));
		}
	for (; low < 256; run++)
		low = add_from(p, low, run->high, run->to);
	return true;
}

bool pool_follow(struct machine_pool *p, uint32_t set, size_t most)
{
	size_t left = most;
	uint32_t rest = pool_rest(p, set);

	if (!(rest == set ? follow_rest(p, set, &left) : follow_few(p, set, rest, &left)))
		return false;
	size_t cost = p->following->cost + most - left;
	if (cost > most)
		return false;
	struct set *s = pool_set(p, set);
	s->cost = (uint32_t)cost;
	s->row_n = (uint32_t)p->row.n;
	s->row = arena_dup(p->arena, p->row.v, p->row.n * sizeof(*p->row.v));
	return true;
}
