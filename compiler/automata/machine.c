/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of positions. A position is what is left of a glob, told by what it takes and by the set
 * that follows, so positions are one from their ends on: the same tail of two globs that end in
 * one rule is the same set. Every number is found by hash, and what is equal has one number.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/automata/machine_pool.h"
#include "compiler/base/bug.h"

static uint32_t new_set(struct machine_pool *p)
{
	if (p->set_n % SETS_A_PAGE == 0)
		vec_push_own(p->arena, &p->pages, ARENA_ARRAY(p->arena, struct set, SETS_A_PAGE));
	return p->set_n++;
}

struct machine_pool *machine_pool_new(struct arena *a, machine_class_fn *class_of, void *who)
{
	struct machine_pool *p = ARENA_NEW(a, struct machine_pool);

	*p = (struct machine_pool){ .arena = a, .class_of = class_of, .who = who };
	struct run *all = ARENA_NEW(a, struct run);
	*all = (struct run){ 0, 255 };
	*pool_set(p, new_set(p)) = (struct set){ .row = all, .row_n = 1 };
	vec_push(a, &p->states, ((struct state){ .row = all, .row_n = 1 }));
	vec_push(a, &p->cyclic, 0);
	return p;
}

/* ---- sets ---- */

/* Begins a new set under work, with room for every position. */
static void next_turn(struct machine_pool *p)
{
	struct arena *a = p->arena;

	p->held_n = 0;
	p->turn++;
	if (p->mark_nr >= p->positions.n && p->turn != UINT32_MAX)
		return;
	arena_give_back(a, p->mark, p->mark_nr * sizeof(*p->mark));
	arena_give_back(a, p->held, p->mark_nr * sizeof(*p->held));
	p->mark_nr = 2 * p->positions.n + 64;
	p->mark = ARENA_ARRAY(a, uint32_t, p->mark_nr);
	p->held = ARENA_ARRAY(a, uint32_t, p->mark_nr);
	p->turn = 1;
}

static void hold(struct machine_pool *p, uint32_t position)
{
	if (p->mark[position] == p->turn)
		return;
	p->mark[position] = p->turn;
	p->held[p->held_n++] = position;
}

static void hold_set(struct machine_pool *p, uint32_t set)
{
	const struct set *s = pool_set(p, set);

	for (uint32_t k = 0; k < s->n; k++)
		hold(p, s->positions[k]);
}

static bool is_star(const struct position *x)
{
	return x->out;
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

enum { FEW_ENDS = 16 }; /* as many are put in order one by one */

/* Ascending, each once. */
static void sort_ends(struct machine_pool *p)
{
	uint32_t *v = p->ends.v;
	size_t n = 1;

	if (p->ends.n > FEW_ENDS)
		qsort(v, p->ends.n, sizeof(*v), by_number);
	for (size_t i = 1; i < p->ends.n && p->ends.n <= FEW_ENDS; i++) {
		uint32_t one = v[i];
		size_t k = i;
		for (; k && v[k - 1] > one; k--)
			v[k] = v[k - 1];
		v[k] = one;
	}
	for (size_t i = 1; i < p->ends.n; i++)
		if (v[i] != v[n - 1])
			v[n++] = v[i];
	p->ends.n = n;
}

/* The rules in p->ends, of which there are some. */
static uint32_t number_of_ends(struct machine_pool *p)
{
	struct arena *a = p->arena;
	uint64_t hash = HASH_START;

	sort_ends(p);
	vec_each(&p->ends, rule)
		hash = mix(hash, *rule);
	struct index_walk it = index_start(hash);
	for (uint32_t at; (at = index_next(&p->by_class, &it)) != INDEX_END;) {
		const struct class_of_rules *c = &p->classes.v[at];
		if (c->n == p->ends.n && !memcmp(c->rules, p->ends.v, c->n * sizeof(*c->rules)))
			return at + 1;
	}
	struct class_of_rules c = { .n = p->ends.n };
	c.rules = arena_dup(a, p->ends.v, p->ends.n * sizeof(*p->ends.v));
	c.class = p->class_of(p->who, c.rules, c.n);
	index_add(a, &p->by_class, hash, (uint32_t)p->classes.n);
	vec_push(a, &p->classes, c);
	return (uint32_t)p->classes.n;
}

static void add_ends(struct machine_pool *p, uint32_t ends)
{
	const struct class_of_rules *c = &p->classes.v[ends - 1];

	for (size_t i = 0; i < c->n; i++)
		vec_push_own(p->arena, &p->ends, c->rules[i]);
}

/* The rules that end in what is held, those behind stars too; 0: none. */
static uint32_t ends_of_held(struct machine_pool *p)
{
	uint32_t one = 0; /* where there is no other they need not be looked for */

	p->ends.n = 0;
	for (uint32_t i = 0; i < p->held_n; i++) {
		const struct position *x = &p->positions.v[p->held[i]];
		uint32_t ends = is_star(x) ? pool_set(p, x->out)->ends : 0;
		if (x->bytes == POSITION_END)
			vec_push_own(p->arena, &p->ends, x->to);
		if (ends && one && ends != one)
			add_ends(p, ends);
		else if (ends)
			one = ends;
	}
	if (!p->ends.n)
		return one;
	if (one)
		add_ends(p, one);
	return number_of_ends(p);
}

/* Is this set made of exactly the positions that bear the mark of this turn? */
static bool is_held(const struct machine_pool *p, const struct set *s)
{
	if (s->n != p->held_n)
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		if (p->mark[s->positions[i]] != p->turn)
			return false;
	return true;
}

/* A set's hash is the sum of these, and so grows with it. */
static uint32_t hash_position(uint32_t position)
{
	return (uint32_t)mix(HASH_START, position);
}

/* The set of what is held; 0: there is none yet. */
static uint32_t find_held(const struct machine_pool *p, uint32_t hash)
{
	struct index_walk it = index_start(hash);

	for (uint32_t at; (at = index_next(&p->by_set, &it)) != INDEX_END;)
		if (is_held(p, pool_set(p, at)))
			return at;
	return 0;
}

static uint32_t add_held(struct machine_pool *p, uint32_t hash, uint32_t star_n, uint32_t ends)
{
	uint32_t set = new_set(p);

	*pool_set(p, set) = (struct set){
		.positions = arena_dup(p->arena, p->held, p->held_n * sizeof(*p->held)),
		.n = p->held_n,
		.star_n = star_n,
		.hash = hash,
		.ends = ends,
		.class = ends ? p->classes.v[ends - 1].class : 0,
		.minimal = MACHINE_NONE,
	};
	if (p->held_n > 1)
		index_add(p->arena, &p->by_set, hash, set);
	return set;
}

static uint32_t put_stars_first(struct machine_pool *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->held_n; i++) {
		uint32_t position = p->held[i];
		if (!is_star(&p->positions.v[position]))
			continue;
		p->held[i] = p->held[n];
		p->held[n++] = position;
	}
	return n;
}

static uint32_t set_of_one(struct machine_pool *p, uint32_t position)
{
	if (p->positions.v[position].only)
		return p->positions.v[position].only;
	next_turn(p);
	hold(p, position);
	uint32_t only = add_held(p, hash_position(position), is_star(&p->positions.v[position]),
				 ends_of_held(p));
	p->positions.v[position].only = only;
	return only;
}

/* The number of the set that is held, stars first, whatever the order in which it was met. */
static uint32_t set_of_held(struct machine_pool *p, uint32_t star_n)
{
	uint32_t hash = 0;

	if (p->held_n == 1)
		return set_of_one(p, p->held[0]);
	for (uint32_t i = 0; i < p->held_n; i++)
		hash += hash_position(p->held[i]);
	uint32_t old = find_held(p, hash);
	return old ? old : add_held(p, hash, star_n, ends_of_held(p));
}

enum { FEW_MEMBERS = 8 }; /* as many are looked through */

static uint32_t member_slot(const struct set *s, uint32_t position)
{
	return 1 +
	       ((uint32_t)(position * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (s->members[0] - 1));
}

static uint32_t next_slot(const struct set *s, uint32_t slot)
{
	return slot == s->members[0] ? 1 : slot + 1;
}

/* The positions of a set that is asked often, by hash. */
static void enter_members(struct machine_pool *p, struct set *s)
{
	uint32_t slots = 4;

	while (slots < 2 * s->n)
		slots *= 2;
	s->members = ARENA_ARRAY(p->arena, uint32_t, slots + 1);
	s->members[0] = slots;
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t at = member_slot(s, s->positions[i]);
		while (s->members[at])
			at = next_slot(s, at);
		s->members[at] = s->positions[i] + 1;
	}
}

static bool is_member(const struct set *s, uint32_t position)
{
	for (uint32_t i = 0; s->n <= FEW_MEMBERS && i < s->n; i++)
		if (s->positions[i] == position)
			return true;
	if (s->n <= FEW_MEMBERS)
		return false;
	uint32_t at = member_slot(s, position);
	while (s->members[at] && s->members[at] != position + 1)
		at = next_slot(s, at);
	return s->members[at];
}

/* Does this position follow one of these stars? */
static bool is_covered(struct machine_pool *p, const uint32_t *stars, uint32_t n, uint32_t position)
{
	for (uint32_t i = 0; i < n; i++) {
		struct set *out = pool_set(p, p->positions.v[stars[i]].out);
		if (out->n > FEW_MEMBERS && !out->members)
			enter_members(p, out);
		if (is_member(out, position))
			return true;
	}
	return false;
}

static uint32_t star_of(struct machine_pool *p, uint32_t bytes, uint32_t out);
static uint32_t unite_anew(struct machine_pool *p, const uint32_t *sets, size_t n, size_t *cost);

/* What two stars over the same bytes are together: one, before what follows either. */
static uint32_t merge_stars(struct machine_pool *p, uint32_t one, uint32_t two, size_t *cost)
{
	uint64_t hash = mix(mix(HASH_START, one), two);
	struct index_walk it = index_start(hash);
	uint32_t outs[] = { p->positions.v[one].out, p->positions.v[two].out };
	size_t own = 0; /* what is paid is as if it had never been done */

	*cost += pool_set(p, outs[0])->n + pool_set(p, outs[1])->n;
	for (uint32_t at; (at = index_next(&p->by_merge, &it)) != INDEX_END;)
		if (p->merges.v[at].one == one && p->merges.v[at].two == two)
			return p->merges.v[at].star;
	uint32_t star = star_of(p, p->positions.v[one].bytes, unite_anew(p, outs, 2, &own));
	index_add(p->arena, &p->by_merge, hash, (uint32_t)p->merges.n);
	vec_push_own(p->arena, &p->merges, ((struct merge){ one, two, star }));
	return star;
}

/* Another star for those of p->stars from `base` on, of which no two are over the same bytes. */
static void take_star(struct machine_pool *p, size_t base, uint32_t star, size_t *cost)
{
	for (size_t i = base; i < p->stars.n; i++) {
		uint32_t old = p->stars.v[i];
		if (old == star)
			return;
		if (p->positions.v[old].bytes != p->positions.v[star].bytes)
			continue;
		uint32_t both = merge_stars(p, old, star, cost);
		p->stars.v[i] = both;
		return;
	}
	vec_push_own(p->arena, &p->stars, star);
}

enum { FOLLOWERS_MARKED = 48 }; /* of a star; where there are more each position is looked up */

/*
 * Marks what follows the stars that are held first, where it is little, so that it is not held; no
 * star that is held is among it. False: of some it was too much.
 */
static bool mark_followers(struct machine_pool *p, uint32_t star_n, uint32_t mark)
{
	bool all = true;

	for (uint32_t i = 0; i < star_n; i++) {
		const struct set *out = pool_set(p, p->positions.v[p->held[i]].out);
		all &= out->n <= FOLLOWERS_MARKED;
		for (uint32_t k = 0; k < out->n && out->n <= FOLLOWERS_MARKED; k++)
			p->mark[out->positions[k]] = mark;
	}
	return all;
}

/* What follows a star is said by the star: those positions are left out. */
static uint32_t unite_anew(struct machine_pool *p, const uint32_t *sets, size_t n, size_t *cost)
{
	size_t base = p->stars.n;

	for (size_t i = 0; i < n; i++) {
		*cost += pool_set(p, sets[i])->n;
		for (uint32_t k = 0; k < pool_set(p, sets[i])->star_n; k++)
			take_star(p, base, pool_set(p, sets[i])->positions[k], cost);
	}
	uint32_t star_n = (uint32_t)(p->stars.n - base);
	const uint32_t *stars = star_n ? p->stars.v + base : NULL;
	next_turn(p);
	for (uint32_t i = 0; i < star_n; i++)
		if (star_n == 1 || !is_covered(p, stars, star_n, stars[i]))
			hold(p, stars[i]);
	p->stars.n = base;
	star_n = p->held_n;
	bool all = mark_followers(p, star_n, p->turn);
	for (size_t i = 0; i < n; i++) {
		const struct set *s = pool_set(p, sets[i]);
		for (uint32_t k = s->star_n; k < s->n; k++)
			if (p->mark[s->positions[k]] != p->turn &&
			    (all || !is_covered(p, p->held, star_n, s->positions[k])))
				hold(p, s->positions[k]);
	}
	mark_followers(p, star_n, 0);
	return p->held_n ? set_of_held(p, star_n) : 0;
}

static bool has_position(const struct set *s, uint32_t position)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->positions[i] == position)
			return true;
	return false;
}

/* Are the stars of x among those of y? */
static bool has_stars(const struct set *y, const struct set *x)
{
	for (uint32_t i = 0; i < x->star_n; i++) {
		uint32_t k = 0;
		while (k < y->star_n && y->positions[k] != x->positions[i])
			k++;
		if (k == y->star_n)
			return false;
	}
	return true;
}

/* Of two sets whose stars are all of the first, which so merges and drops nothing of its own. */
static uint32_t add_set(struct machine_pool *p, uint32_t to, uint32_t from)
{
	const struct set *y = pool_set(p, to), *x = pool_set(p, from);
	uint32_t hash = y->hash;
	bool ends = false;

	if (x->n == 1 && y->n <= FEW_MEMBERS &&
	    (has_position(y, x->positions[0]) ||
	     is_covered(p, y->positions, y->star_n, x->positions[0])))
		return to;
	next_turn(p);
	hold_set(p, to);
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t position = x->positions[i];
		if (p->mark[position] == p->turn ||
		    is_covered(p, y->positions, y->star_n, position))
			continue;
		hold(p, position);
		hash += hash_position(position);
		ends |= p->positions.v[position].bytes == POSITION_END;
	}
	if (p->held_n == y->n)
		return to;
	uint32_t old = find_held(p, hash);
	return old ? old : add_held(p, hash, y->star_n, ends ? ends_of_held(p) : y->ends);
}

static uint32_t unite_pair(struct machine_pool *p, uint32_t x, uint32_t y, size_t *cost)
{
	const struct set *one = pool_set(p, x), *two = pool_set(p, y);
	bool within = has_stars(two, one);

	if (!within && !has_stars(one, two))
		return unite_anew(p, (const uint32_t[]){ x, y }, 2, cost);
	*cost += one->n + two->n;
	/* where both may grow the larger does */
	if (within && one->n > two->n && one->star_n == two->star_n)
		within = false;
	return within ? add_set(p, y, x) : add_set(p, x, y);
}

/* The same stars are met under many paths, and so the same two sets. */
static uint32_t unite_two(struct machine_pool *p, uint32_t x, uint32_t y, size_t *cost)
{
	if (!x || !y || x == y)
		return x ? x : y;
	if (!p->unions)
		p->unions = ARENA_ARRAY(p->arena, struct two, UNIONS);
	struct two *t = &p->unions[mix(mix(HASH_START, x), y) % UNIONS];
	if (t->x != x || t->y != y) {
		size_t own = 0;
		uint32_t to = unite_pair(p, x, y, &own);
		*t = (struct two){ x, y, to, own };
	}
	*cost += t->cost;
	return t->to;
}

uint32_t pool_rest(struct machine_pool *p, uint32_t set)
{
	const struct set *s = pool_set(p, set);

	next_turn(p);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct position *x = &p->positions.v[s->positions[i]];
		if (is_star(x) || (x->bytes != POSITION_END && !p->bytes.v[x->bytes].few))
			hold(p, s->positions[i]);
	}
	if (p->held_n == s->n)
		return set;
	return p->held_n ? set_of_held(p, s->star_n) : 0;
}

enum { FOLDED = 4 }; /* sets; more are united at once */

uint32_t pool_unite(struct machine_pool *p, const uint32_t *sets, size_t n, size_t *cost)
{
	uint32_t all = n ? sets[n - 1] : 0;

	if (n > FOLDED)
		return unite_anew(p, sets, n, cost);
	for (size_t i = n; i > 1; i--)
		all = unite_two(p, sets[i - 2], all, cost);
	return all;
}

/* ---- positions ---- */

static uint32_t bytes_index(struct machine_pool *p, const struct byte_set *set)
{
	struct bytes b = { .set = *set };
	uint64_t hash = HASH_START;
	unsigned count = 0;

	for (unsigned i = 0; i < 4; i++)
		hash = mix(hash, set->w[i]);
	struct index_walk it = index_start(hash);
	for (uint32_t at; (at = index_next(&p->by_bytes, &it)) != INDEX_END;)
		if (!memcmp(&p->bytes.v[at].set, set, sizeof(*set)))
			return at;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t before = set->w[i] << 1 | (i ? set->w[i - 1] >> 63 : 0);
		b.edges.w[i] = set->w[i] ^ before;
		count += (unsigned)__builtin_popcountll(set->w[i]);
	}
	b.few = count <= BYTES_FEW;
	for (unsigned c = 0; b.few && c < 256; c++)
		if (byte_set_has(set, (unsigned char)c))
			b.few_bytes[b.few_n++] = (unsigned char)c;
	index_add(p->arena, &p->by_bytes, hash, (uint32_t)p->bytes.n);
	vec_push(p->arena, &p->bytes, b);
	return (uint32_t)p->bytes.n - 1;
}

/* Of a star `to` is not yet known, and no part of what it is. */
static uint32_t position_of(struct machine_pool *p, uint32_t bytes, uint32_t to, uint32_t out)
{
	uint64_t hash = mix(mix(mix(HASH_START, bytes), to), out);

	struct index_walk it = index_start(hash);
	for (uint32_t at; (at = index_next(&p->by_position, &it)) != INDEX_END;) {
		const struct position *x = &p->positions.v[at];
		if (x->bytes == bytes && x->out == out && (out || x->to == to))
			return at;
	}
	index_add(p->arena, &p->by_position, hash, (uint32_t)p->positions.n);
	vec_push_own(p->arena, &p->positions, ((struct position){ bytes, to, out, 0 }));
	return (uint32_t)p->positions.n - 1;
}

static bool is_within(const struct machine_pool *p, uint32_t few, uint32_t many)
{
	const uint64_t *x = p->bytes.v[few].set.w, *y = p->bytes.v[many].set.w;

	return !((x[0] & ~y[0]) | (x[1] & ~y[1]) | (x[2] & ~y[2]) | (x[3] & ~y[3]));
}

/* What follows a star, a star over fewer bytes being what follows that one. */
static void hold_behind(struct machine_pool *p, uint32_t bytes, uint32_t out)
{
	for (uint32_t k = 0; k < pool_set(p, out)->n; k++) {
		uint32_t position = pool_set(p, out)->positions[k];
		const struct position *x = &p->positions.v[position];
		if (is_star(x) && is_within(p, x->bytes, bytes))
			hold_behind(p, bytes, x->out);
		else
			hold(p, position);
	}
}

/* Any number of these bytes, then `out`. Stars so do not follow stars but by widening twice. */
static uint32_t star_of(struct machine_pool *p, uint32_t bytes, uint32_t out)
{
	next_turn(p);
	hold_behind(p, bytes, out);
	uint32_t star = position_of(p, bytes, 0, set_of_held(p, put_stars_first(p)));
	if (!p->positions.v[star].to) {
		uint32_t set = set_of_one(p, star);
		p->positions.v[star].to = set;
	}
	return star;
}

machine_texts machine_end(struct machine_pool *p, uint32_t rule)
{
	return set_of_one(p, position_of(p, POSITION_END, rule, 0));
}

machine_texts machine_byte(struct machine_pool *p, const struct byte_set *set, machine_texts then)
{
	return then ? set_of_one(p, position_of(p, bytes_index(p, set), then, 0)) : 0;
}

machine_texts machine_union(struct machine_pool *p, const machine_texts *texts, size_t n)
{
	size_t cost = 0;

	return pool_unite(p, texts, n, &cost);
}

/* ---- globs ---- */

struct node_texts {
	uint32_t texts; /* MACHINE_NONE: not yet known */
	uint32_t met;   /* by which closing it was met last */
	bool asked;     /* what it needs was asked for */
};

/* A glob's nodes from their ends on. One a pool, for its memory. */
struct reading {
	struct machine_pool *p;
	const struct nfa *nfa;
	machine_texts then;
	struct node_texts *nodes;
	size_t node_nr;  /* there is room for */
	uint32_t *bytes; /* of each set of the glob; MACHINE_NONE: not yet known */
	size_t byte_nr;
	uint32_t closings;
	VEC(uint32_t) work, forks, leaves, sets;
	size_t *steps;
};

static const struct nfa_node *node_at(const struct reading *r, uint32_t at)
{
	return &r->nfa->nodes.v[at];
}

/* Behind forks that lead one way. */
static uint32_t behind(const struct reading *r, uint32_t at)
{
	while (node_at(r, at)->op == NFA_FORK && node_at(r, at)->b == NFA_NONE)
		at = node_at(r, at)->a;
	return at;
}

/* nfa_star() over one byte, the only one that globs have: a fork into a step that leads back. */
static bool begins_star(const struct reading *r, uint32_t at)
{
	const struct nfa_node *k = node_at(r, at);

	if (k->op != NFA_FORK || k->b == NFA_NONE || node_at(r, k->a)->op != NFA_STEP)
		return false;
	const struct nfa_node *end = node_at(r, node_at(r, k->a)->a);
	return end->op == NFA_FORK && end->b == NFA_NONE && end->a == at;
}

/* The node whose texts a leaf needs; NFA_NONE: none, it is the end. */
static uint32_t needs(const struct reading *r, uint32_t leaf)
{
	const struct nfa_node *k = node_at(r, leaf);

	if (k->op == NFA_END)
		return NFA_NONE;
	return behind(r, k->op == NFA_STEP ? k->a : k->b);
}

/* Steps, stars and ends that a node leads to without a byte. */
static void close_node(struct reading *r, uint32_t at)
{
	struct arena *a = r->p->arena;

	r->leaves.n = r->forks.n = 0;
	r->closings++;
	vec_push_own(a, &r->forks, at);
	while (r->forks.n) {
		at = behind(r, r->forks.v[--r->forks.n]);
		if (r->nodes[at].met == r->closings)
			continue;
		r->nodes[at].met = r->closings;
		const struct nfa_node *k = node_at(r, at);
		if (k->op != NFA_FORK || begins_star(r, at)) {
			vec_push_own(a, &r->leaves, at);
			continue;
		}
		vec_push_own(a, &r->forks, k->b);
		vec_push_own(a, &r->forks, k->a);
	}
}

static uint32_t bytes_of(struct reading *r, const struct nfa_node *step)
{
	if (r->bytes[step->set] == MACHINE_NONE)
		r->bytes[step->set] = bytes_index(r->p, &r->nfa->sets.v[step->set]);
	return r->bytes[step->set];
}

static uint32_t texts_of_leaf(struct reading *r, uint32_t leaf)
{
	const struct nfa_node *k = node_at(r, leaf);

	if (k->op == NFA_END)
		return r->then;
	uint32_t next = r->nodes[needs(r, leaf)].texts;
	if (!next)
		return 0;
	if (k->op == NFA_STEP)
		return set_of_one(r->p, position_of(r->p, bytes_of(r, k), next, 0));
	uint32_t star = star_of(r->p, bytes_of(r, node_at(r, k->a)), next);
	return r->p->positions.v[star].to;
}

static bool pay(struct reading *r, size_t cost)
{
	bool enough = cost <= *r->steps;

	*r->steps -= enough ? cost : *r->steps;
	return enough;
}

/* Most nodes are a byte before another: nothing has to be closed over. */
static bool read_step(struct reading *r, uint32_t at)
{
	uint32_t need = needs(r, at);

	if (r->nodes[need].texts != MACHINE_NONE) {
		r->nodes[at].texts = texts_of_leaf(r, at);
	} else {
		BUG_ON(r->nodes[at].asked); /* a cycle that is no star */
		vec_push_own(r->p->arena, &r->work, need);
	}
	r->nodes[at].asked = true;
	return pay(r, 2);
}

/* The texts of a node, or what they need first on top of the work. False: the steps ended. */
static bool read_node(struct reading *r, uint32_t at)
{
	struct arena *a = r->p->arena;
	size_t cost = 1, before = r->work.n;

	if (node_at(r, at)->op == NFA_STEP)
		return read_step(r, at);
	close_node(r, at);
	vec_each(&r->leaves, leaf) {
		uint32_t need = needs(r, *leaf);
		if (need != NFA_NONE && r->nodes[need].texts == MACHINE_NONE)
			vec_push_own(a, &r->work, need);
	}
	cost += r->leaves.n;
	BUG_ON(r->work.n != before && r->nodes[at].asked); /* a cycle that is no star */
	r->nodes[at].asked = true;
	if (r->work.n == before) {
		r->sets.n = 0;
		vec_each(&r->leaves, leaf)
			vec_push_own(a, &r->sets, texts_of_leaf(r, *leaf));
		r->nodes[at].texts = pool_unite(r->p, r->sets.v, r->sets.n, &cost);
	}
	return pay(r, cost);
}

static struct reading *begin_reading(struct machine_pool *p, const struct nfa *nfa)
{
	struct arena *a = p->arena;
	size_t n = nfa->nodes.n, sets = nfa->sets.n;

	if (!p->reading)
		p->reading = ARENA_NEW(a, struct reading);
	struct reading *r = p->reading;
	if (r->node_nr < n) {
		arena_give_back(a, r->nodes, r->node_nr * sizeof(*r->nodes));
		r->node_nr = 2 * n;
		r->nodes = ARENA_ARRAY(a, struct node_texts, r->node_nr);
	}
	if (r->byte_nr < sets) {
		arena_give_back(a, r->bytes, r->byte_nr * sizeof(*r->bytes));
		r->byte_nr = 2 * sets;
		r->bytes = ARENA_ARRAY(a, uint32_t, r->byte_nr);
	}
	for (size_t i = 0; i < n; i++)
		r->nodes[i] = (struct node_texts){ .texts = MACHINE_NONE };
	for (size_t i = 0; i < sets; i++)
		r->bytes[i] = MACHINE_NONE;
	r->p = p;
	r->nfa = nfa;
	r->closings = 0;
	r->work.n = 0;
	return r;
}

static bool same_glob(const struct nfa *x, const struct nfa *y)
{
	return x->nodes.n == y->nodes.n && x->sets.n == y->sets.n &&
	       !memcmp(x->nodes.v, y->nodes.v, x->nodes.n * sizeof(*x->nodes.v)) &&
	       (!x->sets.n || !memcmp(x->sets.v, y->sets.v, x->sets.n * sizeof(*x->sets.v)));
}

/* Includes bring the same globs into every profile. */
static const struct read_glob *find_glob(const struct machine_pool *p, const struct nfa *nfa,
					 machine_texts then, uint64_t hash)
{
	struct index_walk it = index_start(hash);

	for (uint32_t at; (at = index_next(&p->by_glob, &it)) != INDEX_END;)
		if (p->globs.v[at].then == then && same_glob(p->globs.v[at].nfa, nfa))
			return &p->globs.v[at];
	return NULL;
}

static machine_texts read_glob(struct machine_pool *p, const struct nfa *nfa, machine_texts then,
			       size_t *steps)
{
	struct reading *r = begin_reading(p, nfa);
	uint32_t first = behind(r, 0);

	r->then = then;
	r->steps = steps;
	vec_push_own(p->arena, &r->work, first);
	while (r->work.n) {
		uint32_t at = r->work.v[r->work.n - 1];
		if (r->nodes[at].texts != MACHINE_NONE)
			r->work.n--;
		else if (!read_node(r, at))
			return MACHINE_NONE;
	}
	return r->nodes[first].texts;
}

/* The glob may go before the pool does. */
static const struct nfa *keep_nfa(struct machine_pool *p, const struct nfa *nfa)
{
	struct nfa *kept = arena_dup(p->arena, nfa, sizeof(*nfa));

	kept->arena = p->arena;
	kept->nodes.v = arena_dup(p->arena, nfa->nodes.v, nfa->nodes.n * sizeof(*nfa->nodes.v));
	kept->sets.v = arena_dup(p->arena, nfa->sets.v, nfa->sets.n * sizeof(*nfa->sets.v));
	return kept;
}

machine_texts machine_glob(struct machine_pool *p, const struct glob *g, machine_texts then,
			   size_t *steps)
{
	uint64_t hash = mix(mix(HASH_START, then), g->hash);
	const struct read_glob *old = find_glob(p, &g->nfa, then, hash);
	size_t before = *steps;

	if (old && old->steps <= *steps) {
		*steps -= old->steps;
		return old->texts;
	}
	machine_texts texts = read_glob(p, &g->nfa, then, steps);
	if (texts == MACHINE_NONE)
		return MACHINE_NONE;
	index_add(p->arena, &p->by_glob, hash, (uint32_t)p->globs.n);
	vec_push_own(p->arena, &p->globs,
		     ((struct read_glob){ keep_nfa(p, &g->nfa), then, texts, before - *steps }));
	return texts;
}
