/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/decision/cover.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"

enum {
	ARGS = 6,
	TERMS_MAX = 24,  /* of one list */
	PIECES_MAX = 16, /* of a set that is told by ranges */
	SHORT = 5,       /* a cost that no list is below by much */
	NEVER = 1 << 20, /* the length of a path that there is none of */
	DEPTH = 1,       /* lists whose last term is a list of the other kind ... */
	MIXED_MAX = 2,   /* ... after so many terms at most */
	VAIN_MAX = 4,    /* terms one after the other that make a list no cheaper */
};

struct box { /* of values, an argument at a time */
	dd_node part[ARGS];
};

struct list { /* sets of one argument, OR between */
	dd_node set[TERMS_MAX];
	size_t cost[TERMS_MAX];
	size_t n;
};

static bool try_more(struct cover_search *s)
{
	if (s->left)
		s->left--;
	return s->left;
}

/* Remembers all: a cache that forgot would make what is found depend on the nodes' numbers. */
struct cover_memo {
	unsigned arg;
	dd_node must, may; /* may: DD_NONE: the cost of a set */
	size_t cost;
	const struct cover *found;
	struct cover_memo *next;
};

static struct cover_memo *recall(struct cover_search *s, unsigned arg, dd_node must, dd_node may,
				 bool *known)
{
	size_t size = sizeof(s->memo) / sizeof(s->memo[0]);
	struct cover_memo **place = &s->memo[(must + may * 31 + arg * 7) % size];

	for (struct cover_memo *m = *place; m; m = m->next) {
		*known = m->must == must && m->may == may && m->arg == arg;
		if (*known)
			return m;
	}
	struct cover_memo *m = ARENA_NEW(s->arena, struct cover_memo);
	*m = (struct cover_memo){ arg, must, may, SIZE_MAX, NULL, *place };
	*place = m;
	*known = false;
	return m;
}

static size_t set_cost(struct cover_search *s, unsigned arg, dd_node set)
{
	bool known;

	if (set == DD_TRUE)
		return 0;
	if (set == DD_NONE || set == DD_FALSE || !try_more(s))
		return SIZE_MAX;
	struct cover_memo *m = recall(s, arg, set, DD_NONE, &known);
	if (!known)
		m->cost = s->cost(s->ctx, arg, set);
	return m->cost;
}

static dd_node without(struct cover_search *s, dd_node x, dd_node y)
{
	return dd_and(s->d, x, dd_not(s->d, y));
}

/* ---- structures ---- */

static const struct cover *new_set(struct cover_search *s, unsigned arg, dd_node set)
{
	size_t cost = set_cost(s, arg, set);
	struct cover *c;

	if (cost == SIZE_MAX)
		return NULL;
	c = ARENA_NEW(s->arena, struct cover);
	*c = (struct cover){ .kind = COVER_SET, .arg = arg, .set = set, .cost = cost };
	return c;
}

static bool is_true(const struct cover *c)
{
	return c->kind == COVER_SET && c->set == DD_TRUE;
}

static const struct cover *join(struct cover_search *s, enum cover_kind kind, const struct cover *l,
				const struct cover *r)
{
	struct cover *c;

	if (!l || !r)
		return NULL;
	if (is_true(l))
		return kind == COVER_AND ? r : l;
	if (is_true(r))
		return kind == COVER_AND ? l : r;
	c = ARENA_NEW(s->arena, struct cover);
	*c = (struct cover){ .kind = kind, .left = l, .right = r, .cost = l->cost + r->cost + 1 };
	return c;
}

static const struct cover *cheaper(const struct cover *x, const struct cover *y)
{
	return !x || (y && y->cost < x->cost) ? y : x;
}

static const struct cover *negate(struct cover_search *s, const struct cover *c)
{
	if (!c)
		return NULL;
	if (c->kind == COVER_SET)
		return new_set(s, c->arg, dd_not(s->d, c->set));
	return join(s, c->kind == COVER_AND ? COVER_OR : COVER_AND, negate(s, c->left),
		    negate(s, c->right));
}

static dd_node holds_where(struct cover_search *s, const struct cover *c)
{
	if (c->kind == COVER_SET)
		return c->set;
	dd_node l = holds_where(s, c->left), r = holds_where(s, c->right);
	return c->kind == COVER_AND ? dd_and(s->d, l, r) : dd_or(s->d, l, r);
}

/* ---- cubes ---- */

/* How many bits the shortest way to DD_TRUE looks at. */
static uint32_t path_length(struct dd *d, dd_node n)
{
	struct node k = d->nodes.v[n];

	if (k.bit == DD_TERMINAL)
		return n == DD_TRUE ? 0 : NEVER;
	if (!dd_memo_first(d, n))
		return d->memo[n].result;
	uint32_t low = path_length(d, k.low), high = path_length(d, k.high);
	d->memo[n].result = (low < high ? low : high) + 1;
	return d->memo[n].result;
}

static uint32_t length_of(const struct dd *d, dd_node n)
{
	return n == DD_TRUE ? 0 : n == DD_FALSE ? NEVER : d->memo[n].result;
}

static struct dd_path shortest_path(struct dd *d, dd_node n)
{
	struct dd_path p = { .node = DD_TRUE };

	dd_memo_start(d);
	path_length(d, n);
	while (n != DD_TRUE) {
		struct node k = d->nodes.v[n];
		bool high = length_of(d, k.high) < length_of(d, k.low);
		enum dd_field f = rank_field(k.bit / 64);
		uint64_t bit = UINT64_C(1) << (63 - k.bit % 64);
		p.mask[f] |= bit;
		p.value[f] |= high ? bit : 0;
		n = high ? k.high : k.low;
	}
	return p;
}

/* Does the set hold every value of the cube? A node that was seen before is one that it passed. */
static bool holds_cube(struct dd *d, dd_node n, uint64_t mask, uint64_t value)
{
	struct node k = d->nodes.v[n];

	if (k.bit == DD_TERMINAL)
		return n == DD_TRUE;
	if (!dd_memo_first(d, n))
		return true;
	uint64_t bit = UINT64_C(1) << (63 - k.bit % 64);
	if (mask & bit)
		return holds_cube(d, value & bit ? k.high : k.low, mask, value);
	return holds_cube(d, k.low, mask, value) && holds_cube(d, k.high, mask, value);
}

/* Leaves out one bit after the other that the cube can do without, the highest or lowest first. */
static uint64_t widen_cube(struct cover_search *s, unsigned arg, const struct dd_path *p,
			   dd_node may, bool highest_first)
{
	uint64_t mask = p->mask[arg];

	for (unsigned i = 0; i < 64; i++) {
		uint64_t bit = UINT64_C(1) << (highest_first ? 63 - i : i);
		uint64_t less = mask & ~bit;
		if (!(mask & bit) || !try_more(s))
			continue;
		dd_memo_start(s->d);
		if (holds_cube(s->d, may, less, p->value[arg]))
			mask = less;
	}
	return mask;
}

/* As much of `may` in one masked value as goes, and some of `must`. */
static dd_node prime_cube(struct cover_search *s, unsigned arg, dd_node must, dd_node may)
{
	struct dd_path p = shortest_path(s->d, must);
	uint64_t high = widen_cube(s, arg, &p, may, true);
	uint64_t low = widen_cube(s, arg, &p, may, false);
	uint64_t mask = __builtin_popcountll(high) < __builtin_popcountll(low) ? high : low;

	return dd_equal(s->d, (enum dd_field)arg, mask, p.value[arg] & mask);
}

/* ---- ranges ---- */

struct ranges {
	const struct dd *d;
	unsigned arg;
	struct dd_range list[PIECES_MAX + 1]; /* node: unused until they become a diagram */
	size_t n;
	bool failed; /* more than PIECES_MAX */
};

static void collect_ranges(struct ranges *r, dd_node n, unsigned bits, uint64_t first)
{
	uint64_t last = first + (bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1);
	uint32_t bit = bits ? bit_of((enum dd_field)r->arg, bits - 1) : 0;

	if (n == DD_FALSE || r->failed)
		return;
	if (n == DD_TRUE && r->n && r->list[r->n - 1].last + 1 == first) {
		r->list[r->n - 1].last = last;
		return;
	}
	if (n == DD_TRUE) {
		r->failed = r->n == PIECES_MAX;
		r->list[r->n] = (struct dd_range){ first, last, DD_TRUE };
		r->n += !r->failed;
		return;
	}
	collect_ranges(r, child(r->d, n, bit, false), bits - 1, first);
	collect_ranges(r, child(r->d, n, bit, true), bits - 1, first + (UINT64_C(1) << (bits - 1)));
}

/* Are there values of the set between these? */
static bool meets(const struct ranges *r, dd_node n, unsigned bits, uint64_t first,
		  const struct dd_range *k)
{
	uint64_t last = first + (bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1);

	if (n == DD_FALSE || last < k->first || first > k->last)
		return false;
	if (n == DD_TRUE || (first >= k->first && last <= k->last))
		return true;
	uint32_t bit = bit_of((enum dd_field)r->arg, bits - 1);
	return meets(r, child(r->d, n, bit, false), bits - 1, first, k) ||
	       meets(r, child(r->d, n, bit, true), bits - 1, first + (UINT64_C(1) << (bits - 1)),
		     k);
}

static dd_node ranges_set(struct dd *d, const struct ranges *r, unsigned bits, uint64_t top)
{
	struct dd_range list[2 * PIECES_MAX + 1];
	uint64_t next = 0;
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->list[i].first > next)
			list[n++] = (struct dd_range){ next, r->list[i].first - 1, DD_FALSE };
		list[n++] = r->list[i];
		next = r->list[i].last + 1;
	}
	if (!n)
		return DD_FALSE;
	if (list[n - 1].last != top)
		list[n++] = (struct dd_range){ next, top, DD_FALSE };
	return dd_ranges(d, (enum dd_field)r->arg, bits, list, n);
}

/* The ranges of `may` that hold some of `must`, each whole. */
static dd_node whole_ranges(struct cover_search *s, unsigned arg, dd_node must, dd_node may)
{
	bool half = s->d->nodes.v[may].bit >= bit_of((enum dd_field)arg, 31) &&
		    s->d->nodes.v[must].bit >= bit_of((enum dd_field)arg, 31);
	struct ranges all = { .d = s->d, .arg = arg }, some = all;
	unsigned bits = half ? 32 : 64;

	collect_ranges(&all, may, bits, 0);
	if (all.failed)
		return DD_NONE;
	for (size_t i = 0; i < all.n; i++)
		if (meets(&all, must, bits, 0, &all.list[i]))
			some.list[some.n++] = all.list[i];
	return ranges_set(s->d, &some, bits, half ? UINT32_MAX : UINT64_MAX);
}

/* ---- one argument ---- */

static const struct cover *one_set(struct cover_search *s, unsigned arg, dd_node must, dd_node may)
{
	const struct cover *c = new_set(s, arg, must);

	if (may == must || may == DD_NONE || (c && c->cost <= 2))
		return c;
	c = cheaper(c, new_set(s, arg, may));
	return cheaper(c, new_set(s, arg, whole_ranges(s, arg, must, may)));
}

/* As a term of its own, or as part of one whose cost it adds less to. */
static bool add_to_list(struct cover_search *s, unsigned arg, struct list *l, dd_node set)
{
	size_t cost = set_cost(s, arg, set);

	if (cost == SIZE_MAX)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		dd_node both = dd_or(s->d, l->set[i], set);
		size_t c = set_cost(s, arg, both);
		if (c < l->cost[i] + cost) {
			l->set[i] = both;
			l->cost[i] = c;
			return true;
		}
	}
	if (l->n == TERMS_MAX)
		return false;
	l->set[l->n] = set;
	l->cost[l->n++] = cost;
	return true;
}

static size_t list_cost(const struct list *l)
{
	size_t cost = 0;

	for (size_t i = 0; i < l->n; i++)
		cost += l->cost[i] + 1;
	return cost;
}

static const struct cover *list_cover(struct cover_search *s, unsigned arg, const struct list *l,
				      const struct cover *last)
{
	const struct cover *all = last;

	for (size_t i = l->n; i-- > 0;) {
		const struct cover *one = new_set(s, arg, l->set[i]);
		all = all ? join(s, COVER_OR, one, all) : one;
	}
	return all;
}

static const struct cover *any_of_cubes(struct cover_search *s, unsigned arg, dd_node must,
					dd_node may, unsigned depth);

/* What is left at the end of a list. */
static const struct cover *rest_of_list(struct cover_search *s, unsigned arg, dd_node must,
					dd_node may, unsigned depth)
{
	const struct cover *c = one_set(s, arg, must, may);

	if (!depth || (c && c->cost <= SHORT))
		return c;
	return cheaper(c, negate(s, any_of_cubes(s, arg, dd_not(s->d, may), dd_not(s->d, must),
						 depth - 1)));
}

static const struct cover *any_of_cubes(struct cover_search *s, unsigned arg, dd_node must,
					dd_node may, unsigned depth)
{
	const struct cover *best = NULL;
	struct list l = { .n = 0 };
	size_t least = SIZE_MAX, vain = 0, terms = 0;

	while (must != DD_FALSE && must != DD_NONE && may != DD_NONE && s->left) {
		dd_node cube = prime_cube(s, arg, must, may);
		if (cube == DD_NONE || !add_to_list(s, arg, &l, cube))
			break;
		must = without(s, must, cube);
		if (must == DD_NONE || (best && list_cost(&l) >= best->cost))
			break;
		const struct cover *rest = NULL;
		if (must != DD_FALSE) {
			rest = rest_of_list(s, arg, must, may, l.n <= MIXED_MAX ? depth : 0);
			if (!rest)
				continue;
		}
		size_t cost = list_cost(&l) + (rest ? rest->cost : 0);
		vain = cost < least ? 0 : vain + (l.n > terms);
		terms = l.n;
		if (vain == VAIN_MAX)
			break;
		if (cost < least)
			best = cheaper(best, list_cover(s, arg, &l, rest));
		least = cost < least ? cost : least;
	}
	return best;
}

/* A few values here and there, which no mask says better. */
static bool is_scattered(struct cover_search *s, unsigned arg, dd_node set)
{
	bool half = s->d->nodes.v[set].bit >= bit_of((enum dd_field)arg, 31);

	dd_memo_start(s->d);
	return path_length(s->d, set) + 2 >= (half ? 32 : 64);
}

static const struct cover *find_argument(struct cover_search *s, unsigned arg, dd_node must,
					 dd_node may)
{
	const struct cover *c = one_set(s, arg, must, may);
	dd_node never = dd_not(s->d, may);

	if (never == DD_NONE || (c && c->cost <= SHORT))
		return c;
	if (c && (is_scattered(s, arg, must) || is_scattered(s, arg, never)))
		return c;
	c = cheaper(c, any_of_cubes(s, arg, must, may, DEPTH));
	return cheaper(c, negate(s, any_of_cubes(s, arg, never, dd_not(s->d, must), DEPTH)));
}

static const struct cover *one_argument(struct cover_search *s, unsigned arg, dd_node must,
					dd_node may)
{
	bool known;
	struct cover_memo *m = recall(s, arg, must, may, &known);

	if (!known)
		m->found = find_argument(s, arg, must, may);
	return m->found;
}

/* ---- several arguments ---- */

static dd_node but(struct cover_search *s, const struct box *b, unsigned arg)
{
	dd_node all = DD_TRUE;

	for (unsigned i = 0; i < ARGS; i++)
		if (i != arg)
			all = dd_and(s->d, all, b->part[i]);
	return all;
}

/* Each argument in turn gets every value that the others' values allow. */
static bool widen_box(struct cover_search *s, struct box *b, dd_node may, bool last_first)
{
	for (unsigned i = 0; i < ARGS; i++) {
		unsigned arg = last_first ? ARGS - 1 - i : i;
		if (b->part[arg] == DD_TRUE || !try_more(s))
			continue;
		dd_node bad = without(s, but(s, b, arg), may);
		b->part[arg] = dd_whatever_else(s->d, dd_not(s->d, bad), (enum dd_field)arg);
		if (b->part[arg] == DD_NONE)
			return false;
	}
	return true;
}

static const struct cover *box_cover(struct cover_search *s, const struct box *b, dd_node must)
{
	const struct cover *all = NULL;
	dd_node inside = dd_and(s->d, must, but(s, b, ARGS));

	for (unsigned i = ARGS; i-- > 0;) {
		if (b->part[i] == DD_TRUE)
			continue;
		dd_node need = dd_project(s->d, inside, (enum dd_field)i);
		if (need == DD_NONE)
			return NULL;
		const struct cover *one = one_argument(s, i, need, b->part[i]);
		all = all ? join(s, COVER_AND, one, all) : one;
		if (!all)
			return NULL;
	}
	return all;
}

/* The cheaper of two boxes around the largest cube. */
static const struct cover *prime_box(struct cover_search *s, dd_node must, dd_node may)
{
	struct dd_path p = shortest_path(s->d, must);
	struct box b, other;

	for (unsigned i = 0; i < ARGS; i++)
		b.part[i] = dd_equal(s->d, (enum dd_field)i, p.mask[i], p.value[i]);
	other = b;
	if (!widen_box(s, &b, may, false) || !widen_box(s, &other, may, true))
		return NULL;
	const struct cover *c = box_cover(s, &b, must);
	return memcmp(&b, &other, sizeof(b)) ? cheaper(c, box_cover(s, &other, must)) : c;
}

struct terms {
	const struct cover *term[TERMS_MAX];
	size_t n;
};

/* Without the terms that the others make needless, the most expensive first. */
static const struct cover *any_of_terms(struct cover_search *s, const struct terms *t, dd_node must,
					const struct cover *rest)
{
	const struct cover *all = rest;

	for (size_t i = t->n; i-- > 0;) {
		dd_node others = rest ? holds_where(s, rest) : DD_FALSE;
		for (size_t k = 0; k < i; k++)
			others = dd_or(s->d, others, holds_where(s, t->term[k]));
		if (all && all != rest)
			others = dd_or(s->d, others, holds_where(s, all));
		if (without(s, must, others) == DD_FALSE)
			continue;
		all = all ? join(s, COVER_OR, t->term[i], all) : t->term[i];
	}
	return all;
}

static const struct cover *any_of_boxes(struct cover_search *s, dd_node must, dd_node may,
					unsigned depth)
{
	const struct cover *best = NULL;
	struct terms t = { .n = 0 };
	dd_node left = must;
	size_t cost = 0;

	while (t.n < TERMS_MAX && left != DD_FALSE && left != DD_NONE && may != DD_NONE &&
	       s->left) {
		const struct cover *one = prime_box(s, left, may);
		if (!one || (best && cost + one->cost >= best->cost))
			return best;
		t.term[t.n++] = one;
		cost += one->cost + 1;
		left = without(s, left, holds_where(s, one));
		if (!depth || t.n > MIXED_MAX || left == DD_FALSE || left == DD_NONE)
			continue;
		const struct cover *rest = negate(
			s, any_of_boxes(s, dd_not(s->d, may), dd_not(s->d, left), depth - 1));
		if (rest)
			best = cheaper(best, any_of_terms(s, &t, must, rest));
	}
	return left == DD_FALSE ? cheaper(best, any_of_terms(s, &t, must, NULL)) : best;
}

const struct cover *cover_find(struct cover_search *s, dd_node must, dd_node may)
{
	unsigned fields = dd_fields(s->d, must) | dd_fields(s->d, may);
	const struct cover *c;

	BUG_ON(must == DD_FALSE || may == DD_FALSE);
	if (fields >> ARGS || may == DD_TRUE)
		return NULL;
	if (!(fields & (fields - 1)))
		return one_argument(s, (unsigned)__builtin_ctz(fields), must, may);
	c = any_of_boxes(s, must, may, DEPTH);
	return cheaper(c, negate(s, any_of_boxes(s, dd_not(s->d, may), dd_not(s->d, must), DEPTH)));
}
