/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/decision/cover.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"

enum {
	ARGS = 6,
	TERMS_MAX = 24,      /* of one list */
	PIECES_MAX = 16,     /* of a set that is told by ranges */
	SHORT = 5,           /* a cost that no list is below by much */
	NODES_MAX = 1 << 13, /* of a claim whose structure is looked for */
	NEVER = 1 << 20,     /* the length of a path that there is none of */
	DEPTH = 1,           /* lists whose last term is a list of the other kind ... */
	TRY = 64,            /* visits that a cost or a bit left out is counted as */
	MIXED_MAX = 2,       /* ... after so many terms at most */
	LONG_BOX = 32,       /* a cost from which on less is asked of a box */
	COST_FIRST = 16,     /* of a structure, at the first try ... */
	COST_MAX = 256,      /* ... and at the last */
};

struct box { /* of values, an argument at a time */
	dd_node part[ARGS];
};

struct list { /* sets of one argument, OR between */
	dd_node set[TERMS_MAX];
	size_t cost[TERMS_MAX];
	size_t n;
};

static bool spend(struct cover_search *s, size_t visits)
{
	s->left -= s->left < visits ? s->left : visits;
	return s->left;
}

static bool try_more(struct cover_search *s)
{
	return spend(s, TRY);
}

/* Remembers all: a cache that forgot would make what is found depend on the nodes' numbers. */
struct cover_memo {
	enum question {
		COST_OF_SET, /* must; may: DD_NONE */
		FIRST_TERM,
		ONE_ARGUMENT,
		ONE_BOX,
		FREE_OF_ARGUMENT, /* may; must: DD_NONE */
	} question;
	unsigned arg; /* ONE_BOX: ARGS */
	dd_node must, may;
	size_t cost;
	dd_node node;
	const struct cover *found;
	struct cover_memo *next;
};

static struct cover_memo *recall(struct cover_search *s, enum question question, unsigned arg,
				 dd_node must, dd_node may, bool *known)
{
	size_t size = sizeof(s->memo) / sizeof(s->memo[0]);
	struct cover_memo **place = &s->memo[(must + may * 31 + arg * 7 + question) % size];

	for (struct cover_memo *m = *place; m; m = m->next) {
		*known = m->must == must && m->may == may && m->arg == arg &&
			 m->question == question;
		if (*known)
			return m;
	}
	struct cover_memo *m = ARENA_NEW(s->arena, struct cover_memo);
	*m = (struct cover_memo){ .question = question,
				  .arg = arg,
				  .must = must,
				  .may = may,
				  .cost = SIZE_MAX,
				  .node = DD_NONE,
				  .next = *place };
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
	struct cover_memo *m = recall(s, COST_OF_SET, arg, set, DD_NONE, &known);
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

/* How many bits the shortest way to DD_TRUE looks at. A node's is found once. */
static uint32_t path_length(struct cover_search *s, dd_node n)
{
	struct node k = s->d->nodes.v[n];

	if (k.bit == DD_TERMINAL)
		return n == DD_TRUE ? 0 : NEVER;
	if (s->lengths.v[n])
		return s->lengths.v[n];
	spend(s, 1);
	uint32_t low = path_length(s, k.low), high = path_length(s, k.high);
	s->lengths.v[n] = (low < high ? low : high) + 1;
	return s->lengths.v[n];
}

static uint32_t length_of(struct cover_search *s, dd_node n)
{
	size_t old = s->lengths.n, size = s->d->nodes.n * 2;

	if (n >= old) {
		uint32_t *v = ARENA_ARRAY(s->arena, uint32_t, size);
		if (old)
			memcpy(v, s->lengths.v, old * sizeof(*v));
		arena_give_back(s->arena, s->lengths.v, old * sizeof(*v));
		s->lengths.v = v;
		s->lengths.n = size;
	}
	return path_length(s, n);
}

static struct dd_path shortest_path(struct cover_search *s, dd_node n)
{
	struct dd_path p = { .node = DD_TRUE };

	length_of(s, n);
	while (n != DD_TRUE) {
		struct node k = s->d->nodes.v[n];
		bool high = path_length(s, k.high) < path_length(s, k.low);
		enum dd_field f = rank_field(k.bit / 64);
		uint64_t bit = UINT64_C(1) << (63 - k.bit % 64);
		p.mask[f] |= bit;
		p.value[f] |= high ? bit : 0;
		n = high ? k.high : k.low;
	}
	return p;
}

/* Does the set hold every value of the cube? A node that was seen before is one that it passed. */
static bool holds_cube(struct cover_search *s, dd_node n, uint64_t mask, uint64_t value)
{
	struct node k = s->d->nodes.v[n];

	if (k.bit == DD_TERMINAL)
		return n == DD_TRUE;
	if (!dd_memo_first(s->d, n))
		return true;
	if (!spend(s, 1))
		return false;
	uint64_t bit = UINT64_C(1) << (63 - k.bit % 64);
	if (mask & bit)
		return holds_cube(s, value & bit ? k.high : k.low, mask, value);
	return holds_cube(s, k.low, mask, value) && holds_cube(s, k.high, mask, value);
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
		if (holds_cube(s, may, less, p->value[arg]))
			mask = less;
	}
	return mask;
}

/* As much of `may` in one masked value as goes, and some of `must`; *tested: by how many bits. */
static dd_node prime_cube(struct cover_search *s, unsigned arg, dd_node must, dd_node may,
			  unsigned *tested)
{
	struct dd_path p = shortest_path(s, must);
	uint64_t high = widen_cube(s, arg, &p, may, true);
	uint64_t low = widen_cube(s, arg, &p, may, false);
	uint64_t mask = __builtin_popcountll(high) < __builtin_popcountll(low) ? high : low;

	*tested = (unsigned)__builtin_popcountll(mask);
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
	uint64_t last = first + bits_below(bits);
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
	uint64_t last = first + bits_below(bits);

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

/* Do both look at the lower half alone? */
static unsigned width_of(const struct cover_search *s, unsigned arg, dd_node x, dd_node y)
{
	uint32_t half = bit_of((enum dd_field)arg, 31);

	return s->d->nodes.v[x].bit >= half && s->d->nodes.v[y].bit >= half ? 32 : 64;
}

/* The ranges of `may` that hold some of `must`, each whole. */
static dd_node whole_ranges(struct cover_search *s, unsigned arg, dd_node must, dd_node may)
{
	struct ranges all = { .d = s->d, .arg = arg }, some = all;
	unsigned bits = width_of(s, arg, must, may);

	collect_ranges(&all, may, bits, 0);
	if (all.failed)
		return DD_NONE;
	for (size_t i = 0; i < all.n; i++)
		if (meets(&all, must, bits, 0, &all.list[i]))
			some.list[some.n++] = all.list[i];
	return ranges_set(s->d, &some, bits, bits_below(bits));
}

struct search_value { /* the first value of a set from `bound` on, or the last one up to it */
	const struct dd *d;
	unsigned arg;
	bool down;
	uint64_t bound, found;
};

static bool find_value(struct search_value *v, dd_node n, unsigned bits, uint64_t first)
{
	uint64_t last = first + bits_below(bits);

	if (n == DD_FALSE || (v->down ? first > v->bound : last < v->bound))
		return false;
	if (n == DD_TRUE) {
		v->found = v->down ? (last < v->bound ? last : v->bound) :
				     (first > v->bound ? first : v->bound);
		return true;
	}
	uint32_t bit = bit_of((enum dd_field)v->arg, bits - 1);
	uint64_t middle = first + (UINT64_C(1) << (bits - 1));
	dd_node low = child(v->d, n, bit, false), high = child(v->d, n, bit, true);
	if (v->down)
		return find_value(v, high, bits - 1, middle) || find_value(v, low, bits - 1, first);
	return find_value(v, low, bits - 1, first) || find_value(v, high, bits - 1, middle);
}

/* The range of `may` around the first or last value of `must`; *tested: as a cube of its size. */
static dd_node prime_range(struct cover_search *s, unsigned arg, dd_node must, dd_node may,
			   bool last, unsigned *tested)
{
	unsigned bits = width_of(s, arg, must, may);
	struct search_value at = { s->d, arg, last, last ? bits_below(bits) : 0, 0 };
	struct ranges r = { .d = s->d, .arg = arg, .n = 1 };
	dd_node never = dd_not(s->d, may);
	uint64_t first_in = 0, last_in = bits_below(bits);

	if (never == DD_NONE || !find_value(&at, must, bits, 0))
		return DD_NONE;
	struct search_value below = { s->d, arg, true, at.found, 0 };
	struct search_value above = { s->d, arg, false, at.found, 0 };
	if (find_value(&below, never, bits, 0))
		first_in = below.found + 1;
	if (find_value(&above, never, bits, 0))
		last_in = above.found - 1;
	r.list[0] = (struct dd_range){ first_in, last_in, DD_TRUE };
	*tested = bits;
	for (uint64_t more = last_in - first_in; more > 1; more >>= 1)
		--*tested;
	return ranges_set(s->d, &r, bits, bits_below(bits));
}

/* The largest of a cube and two ranges. */
static dd_node find_term(struct cover_search *s, unsigned arg, dd_node must, dd_node may)
{
	unsigned tested, others;
	dd_node best = prime_cube(s, arg, must, may, &tested);

	for (int last = 0; last < 2; last++) {
		dd_node range = prime_range(s, arg, must, may, last, &others);
		if (range == DD_NONE || others >= tested)
			continue;
		best = range;
		tested = others;
	}
	return best;
}

/* Each limit asks again for what the one before began with. */
static dd_node prime_term(struct cover_search *s, unsigned arg, dd_node must, dd_node may)
{
	bool known;
	struct cover_memo *m = recall(s, FIRST_TERM, arg, must, may, &known);

	if (!known)
		m->node = find_term(s, arg, must, may);
	return m->node;
}

/* The larger of the two ranges at the ends. */
static dd_node end_range(struct cover_search *s, unsigned arg, dd_node must, dd_node may)
{
	unsigned by_first, by_last;
	dd_node first = prime_range(s, arg, must, may, false, &by_first);
	dd_node last = prime_range(s, arg, must, may, true, &by_last);

	return first == DD_NONE || last == DD_NONE || by_first <= by_last ? first : last;
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

static const struct cover *any_of_sets(struct cover_search *s, unsigned arg, dd_node must,
				       dd_node may, bool range_first, unsigned depth, size_t limit);

/* What is left at the end of a list. */
static const struct cover *rest_of_list(struct cover_search *s, unsigned arg, dd_node must,
					dd_node may, unsigned depth, size_t limit)
{
	const struct cover *c = one_set(s, arg, must, may);

	if (!depth || (c && c->cost <= SHORT))
		return c;
	return cheaper(c, negate(s, any_of_sets(s, arg, dd_not(s->d, may), dd_not(s->d, must),
						false, depth - 1, limit)));
}

static const struct cover *any_of_sets(struct cover_search *s, unsigned arg, dd_node must,
				       dd_node may, bool range_first, unsigned depth, size_t limit)
{
	const struct cover *best = NULL;
	struct list l = { .n = 0 };

	while (must != DD_FALSE && must != DD_NONE && may != DD_NONE && s->left) {
		dd_node term = range_first && !l.n ? end_range(s, arg, must, may) :
						     prime_term(s, arg, must, may);
		if (term == DD_NONE || !add_to_list(s, arg, &l, term))
			break;
		must = without(s, must, term);
		size_t cost = list_cost(&l);
		if (must == DD_NONE || cost >= limit)
			break;
		const struct cover *rest = NULL;
		if (must != DD_FALSE) {
			rest = rest_of_list(s, arg, must, may, l.n <= MIXED_MAX ? depth : 0,
					    limit - cost);
			if (!rest)
				continue;
		}
		cost += rest ? rest->cost : 0;
		if (cost >= limit)
			continue;
		best = cheaper(best, list_cover(s, arg, &l, rest));
		limit = cost;
	}
	return best;
}

/* A few values here and there, which no mask says better. */
static bool is_scattered(struct cover_search *s, unsigned arg, dd_node set)
{
	bool half = s->d->nodes.v[set].bit >= bit_of((enum dd_field)arg, 31);

	return length_of(s, set) + 2 >= (half ? 32 : 64);
}

static const struct cover *any_or_all_sets(struct cover_search *s, unsigned arg, dd_node must,
					   dd_node may, bool range_first, size_t limit)
{
	const struct cover *any = any_of_sets(s, arg, must, may, range_first, DEPTH, limit);

	return cheaper(any, negate(s, any_of_sets(s, arg, dd_not(s->d, may), dd_not(s->d, must),
						  range_first, DEPTH, limit)));
}

/*
 * Largest terms first; where that finds nothing, what lies at an end first: of `x > 9 and (x has 7
 * or x lacks 64)` the opposite has cubes that are larger than `x <= 9`, and many of them.
 */
static const struct cover *find_argument(struct cover_search *s, unsigned arg, dd_node must,
					 dd_node may)
{
	const struct cover *c = one_set(s, arg, must, may);
	dd_node never = dd_not(s->d, may);

	if (never == DD_NONE || (c && c->cost <= SHORT))
		return c;
	if (c && (is_scattered(s, arg, must) || is_scattered(s, arg, never)))
		return c;
	size_t most = c && c->cost < COST_MAX ? c->cost : COST_MAX;
	for (size_t limit = COST_FIRST; limit / 2 < most; limit *= 2) {
		const struct cover *found = any_or_all_sets(s, arg, must, may, false, limit);
		if (!found)
			found = any_or_all_sets(s, arg, must, may, true, limit);
		if (found)
			return cheaper(c, found);
	}
	return c;
}

static const struct cover *one_argument(struct cover_search *s, unsigned arg, dd_node must,
					dd_node may)
{
	bool known;
	struct cover_memo *m = recall(s, ONE_ARGUMENT, arg, must, may, &known);

	if (!known)
		m->found = find_argument(s, arg, must, may);
	return m->found;
}

/* ---- several arguments ---- */

static dd_node but(struct cover_search *s, const struct box *b, unsigned arg)
{
	dd_node all = DD_TRUE;

	for (unsigned i = ARGS; i-- > 0;)
		if (i != arg)
			all = dd_and(s->d, b->part[i], all);
	return all;
}

/* Each argument in turn gets every value that the others' values allow. */
static bool widen_box(struct cover_search *s, struct box *b, dd_node may, bool last_first)
{
	for (unsigned i = 0; i < ARGS; i++) {
		unsigned arg = last_first ? ARGS - 1 - i : i;
		if (b->part[arg] == DD_TRUE || !try_more(s))
			continue;
		dd_node fits = dd_choose(s->d, but(s, b, arg), may, DD_TRUE);
		b->part[arg] = dd_whatever_else(s->d, fits, (enum dd_field)arg);
		if (b->part[arg] == DD_NONE)
			return false;
	}
	return true;
}

/* Where `may` holds whatever the argument is. */
static dd_node free_of(struct cover_search *s, dd_node may, unsigned arg)
{
	bool known;
	struct cover_memo *m = recall(s, FREE_OF_ARGUMENT, arg, DD_NONE, may, &known);

	if (!known)
		m->node = dd_whatever(s->d, may, (enum dd_field)arg);
	return m->node;
}

/*
 * What is left to a box: not what a box that need not look at one of its arguments may say as
 * well, where that one is asked for in any case: `x in 1..9 and y == 2 or x has 64` is not told
 * as `(x in 1..9 or x has 64) and y == 2 or x has 64`.
 */
static dd_node its_own(struct cover_search *s, const struct box *b, dd_node inside, dd_node must,
		       dd_node may)
{
	dd_node own = inside;

	for (unsigned i = 0; i < ARGS; i++) {
		if (b->part[i] == DD_TRUE)
			continue;
		dd_node free = free_of(s, may, i);
		if (free == DD_FALSE || free == DD_NONE || !try_more(s))
			continue;
		dd_node beside = without(s, must, b->part[i]);
		dd_node none = dd_whatever(s->d, dd_not(s->d, beside), (enum dd_field)i);
		own = without(s, own, without(s, free, none));
	}
	return own == DD_FALSE ? inside : own;
}

static const struct cover *parts_cover(struct cover_search *s, const struct box *b, dd_node inside)
{
	const struct cover *all = NULL;

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

static const struct cover *box_cover(struct cover_search *s, const struct box *b, dd_node must,
				     dd_node may)
{
	dd_node inside = dd_and(s->d, must, but(s, b, ARGS)), own;
	const struct cover *c = parts_cover(s, b, inside);

	if (c && c->cost < LONG_BOX)
		return c;
	own = its_own(s, b, inside, must, may);
	return own == inside || own == DD_NONE ? c : cheaper(c, parts_cover(s, b, own));
}

/* The cheaper of two boxes around the largest cube. */
static const struct cover *find_box(struct cover_search *s, dd_node must, dd_node may)
{
	struct dd_path p = shortest_path(s, must);
	struct box b, other;

	for (unsigned i = 0; i < ARGS; i++)
		b.part[i] = dd_equal(s->d, (enum dd_field)i, p.mask[i], p.value[i]);
	other = b;
	if (!widen_box(s, &b, may, false) || !widen_box(s, &other, may, true))
		return NULL;
	const struct cover *c = box_cover(s, &b, must, may);
	return memcmp(&b, &other, sizeof(b)) ? cheaper(c, box_cover(s, &other, must, may)) : c;
}

static const struct cover *prime_box(struct cover_search *s, dd_node must, dd_node may)
{
	bool known;
	struct cover_memo *m = recall(s, ONE_BOX, ARGS, must, may, &known);

	if (!known)
		m->found = find_box(s, must, may);
	return m->found;
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
					unsigned depth, size_t limit)
{
	const struct cover *best = NULL;
	struct terms t = { .n = 0 };
	dd_node left = must;
	size_t cost = 0;

	while (t.n < TERMS_MAX && left != DD_FALSE && left != DD_NONE && may != DD_NONE &&
	       s->left) {
		const struct cover *one = prime_box(s, left, may);
		if (!one || cost + one->cost >= limit)
			return best;
		t.term[t.n++] = one;
		cost += one->cost + 1;
		left = without(s, left, holds_where(s, one));
		if (!depth || t.n > MIXED_MAX || left == DD_FALSE || left == DD_NONE)
			continue;
		const struct cover *rest =
			negate(s, any_of_boxes(s, dd_not(s->d, may), dd_not(s->d, left), depth - 1,
					       limit - cost + 1));
		if (!rest)
			continue;
		best = cheaper(best, any_of_terms(s, &t, must, rest));
		limit = best && best->cost < limit ? best->cost : limit;
	}
	return left == DD_FALSE ? cheaper(best, any_of_terms(s, &t, must, NULL)) : best;
}

/* Both kinds under a growing limit: one that is long is given up where the other is short. */
static const struct cover *any_or_all_boxes(struct cover_search *s, dd_node must, dd_node may)
{
	size_t most = s->most < COST_MAX ? s->most : COST_MAX;

	for (size_t next = COST_FIRST; next / 2 < most; next *= 2) {
		size_t limit = next < most ? next : most;
		const struct cover *any = any_of_boxes(s, must, may, DEPTH, limit);
		const struct cover *all = negate(
			s, any_of_boxes(s, dd_not(s->d, may), dd_not(s->d, must), DEPTH, limit));
		if (any || all)
			return cheaper(any, all);
	}
	return NULL;
}

static size_t count_nodes(struct dd *d, dd_node n, size_t most)
{
	struct node k = d->nodes.v[n];

	if (k.bit == DD_TERMINAL || !most || !dd_memo_first(d, n))
		return 0;
	size_t low = count_nodes(d, k.low, most - 1);
	size_t high = low < most - 1 ? count_nodes(d, k.high, most - 1 - low) : 0;
	return low + high + 1;
}

static bool is_small(struct cover_search *s, dd_node n)
{
	dd_memo_start(s->d);
	return count_nodes(s->d, n, NODES_MAX) < NODES_MAX;
}

const struct cover *cover_find(struct cover_search *s, dd_node must, dd_node may)
{
	unsigned fields = dd_fields(s->d, must) | dd_fields(s->d, may);

	BUG_ON(must == DD_FALSE || may == DD_FALSE);
	if (!is_small(s, must) || !is_small(s, may))
		return NULL;
	if (fields >> ARGS || may == DD_TRUE)
		return NULL;
	if (!(fields & (fields - 1)))
		return one_argument(s, (unsigned)__builtin_ctz(fields), must, may);
	return any_or_all_boxes(s, must, may);
}
