/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where rules are tied together by the arguments that they share, a diagram looks at one argument
 * again and again for each outcome of those before, and a list of rules only once a rule. The
 * rules as written are no basis for it, as those of one meaning are to become one program: so the
 * list is found anew, from the diagram.
 */
#include "compiler/cbpf/cover.h"

#include <string.h>

#include "compiler/base/bug.h"

enum {
	NODES_MAX = 1 << 15, /* of all diagrams on the way to one list */
	BOXES_MAX = 24,      /* rules, and as many that could be one on the way to them */
	SIDES_MAX = 8,       /* what the values of one word lead to, */
	CLOSED_MAX = 24,     /* and what several of those have in common */
	STEPS_MAX = 300,
	PAIRS_FROM = 24,  /* instructions from which sets of two words are tried */
	ENDS_MAX = 3,     /* answers of one call */
	SHAPES = 6,       /* of one set that are compared, */
	SHAPES_PLAIN = 4, /* these first, */
	LEAST = 2,        /* until one has so few instructions, */
	SIMPLE = 3,       /* and the others where they have more than so many */
};

struct box { /* a rule: each word, or argument, is in its set; FN_YES: whatever it is */
	fn_id set[FN_WORDS];
};

struct boxes {
	struct box v[BOXES_MAX];
	size_t n;
};

struct primes { /* all largest boxes that lie in f */
	fn_id f;
	struct boxes *boxes;
};

struct test { /* of a set, with the answers that come first as its ends */
	fn_id set;
	code_id code;
	size_t insns;
};

struct common { /* bits that are set in all values of a set, and in none */
	uint64_t ones, zeros;
};

struct covers {
	struct arena *arena;
	struct values *values;
	struct meaning *parts;
	bool big_endian;
	struct meaning m;

	unsigned unit;              /* bits that one set is about: of a word, or of an argument */
	const struct meaning *from; /* the diagram that was asked for, */
	fn_id from_f;
	const code_id *claims;
	fn_id f;             /* and its copy */
	fn_id end[ENDS_MAX]; /* what f leads to, */
	code_id code[ENDS_MAX];
	unsigned nends;
	unsigned order[ENDS_MAX]; /* in which they are asked for, the last when no other is it */
	struct boxes list[ENDS_MAX - 1]; /* found, by place in that order */

	VEC(struct primes) primes;
	VEC(struct test) tests;
	size_t steps;
	size_t most; /* instructions that are left */
	bool failed;
	uint32_t *visits, visit; /* by node: the walk that was here last, and what it made of it */
	fn_id *made;
	struct common *common;
	size_t nvisits;
};

/* ---- claims ---- */

static void start_walk(struct covers *k)
{
	if (k->nvisits < k->m.nodes.n) {
		k->nvisits = 2 * k->m.nodes.n;
		k->visits = ARENA_ARRAY(k->arena, uint32_t, k->nvisits);
		k->made = ARENA_ARRAY(k->arena, fn_id, k->nvisits);
		k->common = ARENA_ARRAY(k->arena, struct common, k->nvisits);
		k->visit = 0;
	}
	k->visit++;
}

static bool implies(struct covers *k, fn_id x, fn_id y)
{
	return fn_choose(&k->m, x, y, FN_YES) == FN_YES;
}

static fn_id claim_of_box(struct covers *k, const struct box *b)
{
	fn_id f = FN_YES;

	for (unsigned w = FN_WORDS; w-- > 0;)
		f = fn_and(&k->m, b->set[w], f);
	return f;
}

/* The place of its set in a box. */
static unsigned place_of(const struct covers *k, fn_id f)
{
	return k->m.nodes.v[f].rank / k->unit;
}

/* Behind the last bit of one. */
static uint32_t end_of(const struct covers *k, unsigned place)
{
	return (place + 1) * k->unit;
}

/* Where f, as far as the bits before `end`, comes to this. */
static fn_id leads_to(struct covers *k, fn_id f, uint32_t end, fn_id to)
{
	const struct fn_node n = k->m.nodes.v[f];

	if (n.rank >= end)
		return f == to ? FN_YES : FN_NO;
	if (k->visits[f] == k->visit)
		return k->made[f];
	fn_id low = leads_to(k, n.low, end, to);
	k->made[f] = fn_make(&k->m, n.rank, low, leads_to(k, n.high, end, to));
	k->visits[f] = k->visit;
	return k->made[f];
}

struct sides {
	fn_id v[SIDES_MAX];
	size_t n;
};

/* What f comes to behind the bits before `end`, lower values first. False: too many. */
static bool find_sides(struct covers *k, fn_id f, uint32_t end, struct sides *out)
{
	const struct fn_node *n = &k->m.nodes.v[f];

	if (n->rank < end) {
		if (k->visits[f] == k->visit)
			return true;
		k->visits[f] = k->visit;
		return find_sides(k, n->low, end, out) && find_sides(k, n->high, end, out);
	}
	for (size_t i = 0; i < out->n; i++)
		if (out->v[i] == f)
			return true;
	if (out->n == SIDES_MAX)
		return false;
	out->v[out->n++] = f;
	return true;
}

static fn_id project(struct covers *k, fn_id f, unsigned at)
{
	const struct fn_node n = k->m.nodes.v[f];

	if (f == FN_NO)
		return FN_NO;
	if (n.rank / k->unit > at)
		return FN_YES; /* something makes it hold */
	if (k->visits[f] == k->visit)
		return k->made[f];
	fn_id low = project(k, n.low, at), high = project(k, n.high, at);
	k->made[f] = n.rank / k->unit == at ? fn_make(&k->m, n.rank, low, high) :
					      fn_or(&k->m, low, high);
	k->visits[f] = k->visit;
	return k->made[f];
}

/* The values at one place for which f may hold. */
static fn_id values_of(struct covers *k, fn_id f, unsigned at)
{
	start_walk(k);
	return project(k, f, at);
}

/* ---- largest boxes ---- */

static const struct boxes *primes_of(struct covers *k, fn_id f);

/* What is in all of some of the sides; false: too many. */
static bool close_sides(struct covers *k, const struct sides *s, fn_id out[CLOSED_MAX], size_t *n)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] != FN_NO)
			out[(*n)++] = s->v[i];
	for (size_t i = 0; i < *n; i++)
		for (size_t j = 0; j < i; j++) {
			fn_id both = fn_and(&k->m, out[i], out[j]);
			size_t x = 0;
			while (x < *n && out[x] != both)
				x++;
			if (both == FN_NO || x < *n)
				continue;
			if (*n == CLOSED_MAX)
				return false;
			out[(*n)++] = both;
		}
	return true;
}

static bool add_box(struct boxes *to, const struct box *b)
{
	for (size_t i = 0; i < to->n; i++)
		if (!memcmp(&to->v[i], b, sizeof(*b)))
			return true;
	if (to->n == BOXES_MAX)
		return false;
	to->v[to->n++] = *b;
	return true;
}

/* Each box of what several sides share, with the values that lead to a side where it lies. */
static bool add_primes(struct covers *k, fn_id f, const struct sides *s, const fn_id set[SIDES_MAX],
		       struct boxes *out)
{
	fn_id closed[CLOSED_MAX];
	size_t n = 0;

	if (!close_sides(k, s, closed, &n))
		return false;
	for (size_t c = 0; c < n; c++) {
		const struct boxes *below = primes_of(k, closed[c]);
		for (size_t i = 0; i < below->n; i++) {
			struct box b = below->v[i];
			fn_id claim = claim_of_box(k, &b), values = FN_NO;
			for (size_t x = 0; x < s->n; x++)
				if (implies(k, claim, s->v[x]))
					values = fn_or(&k->m, values, set[x]);
			b.set[place_of(k, f)] = values;
			if (!add_box(out, &b))
				return false;
		}
	}
	return true;
}

static bool find_primes(struct covers *k, fn_id f, struct boxes *out)
{
	struct sides sides = { .n = 0 };
	fn_id set[SIDES_MAX];

	if (f == FN_NO)
		return true;
	if (f == FN_YES) {
		out->n = 1;
		for (unsigned w = 0; w < FN_WORDS; w++)
			out->v[0].set[w] = FN_YES;
		return true;
	}
	start_walk(k);
	if (k->steps++ == STEPS_MAX || !find_sides(k, f, end_of(k, place_of(k, f)), &sides))
		return false;
	for (size_t i = 0; i < sides.n; i++) {
		start_walk(k);
		set[i] = leads_to(k, f, end_of(k, place_of(k, f)), sides.v[i]);
	}
	return add_primes(k, f, &sides, set, out) && !k->m.exhausted;
}

static const struct boxes *primes_of(struct covers *k, fn_id f)
{
	vec_each(&k->primes, p)
		if (p->f == f)
			return p->boxes;
	struct boxes *boxes = ARENA_NEW(k->arena, struct boxes);
	if (k->failed || !find_primes(k, f, boxes)) {
		k->failed = true;
		boxes->n = 0;
	}
	vec_push(k->arena, &k->primes, ((struct primes){ f, boxes }));
	return boxes;
}

/* ---- as few as may be ---- */

static unsigned words_of(const struct box *b)
{
	unsigned words = 0;

	for (unsigned w = 0; w < FN_WORDS; w++)
		words |= (unsigned)(b->set[w] != FN_YES) << w;
	return words;
}

/* Of all values of the word, the part that is in the set. */
static double share_of(const struct covers *k, fn_id set)
{
	const struct fn_node *n = &k->m.nodes.v[set];

	if (n->rank == FN_LEAF)
		return set == FN_YES;
	return (share_of(k, n->low) + share_of(k, n->high)) / 2;
}

/* Those that look at fewer words first, then the larger. */
static void sort_boxes(struct covers *k, struct boxes *b)
{
	double share[BOXES_MAX];
	int words[BOXES_MAX];

	for (size_t i = 0; i < b->n; i++) {
		struct box box = b->v[i];
		double own = 1;
		for (unsigned w = 0; w < FN_WORDS; w++)
			own *= share_of(k, box.set[w]);
		int own_words = __builtin_popcount(words_of(&box));
		size_t at = i;
		for (; at > 0 && (own_words < words[at - 1] ||
				  (own_words == words[at - 1] && own > share[at - 1]));
		     at--) {
			b->v[at] = b->v[at - 1];
			share[at] = share[at - 1];
			words[at] = words[at - 1];
		}
		b->v[at] = box;
		share[at] = own;
		words[at] = own_words;
	}
}

/* What the others hold. */
static fn_id claim_of_others(struct covers *k, const struct boxes *b, size_t without)
{
	fn_id f = FN_NO;

	for (size_t i = 0; i < b->n; i++)
		if (i != without)
			f = fn_or(&k->m, f, claim_of_box(k, &b->v[i]));
	return f;
}

/* What only this one holds of what must be held. */
static fn_id own_part(struct covers *k, const struct boxes *b, size_t i, fn_id must)
{
	fn_id others = fn_not(&k->m, claim_of_others(k, b, i));

	return fn_and(&k->m, fn_and(&k->m, claim_of_box(k, &b->v[i]), must), others);
}

static void drop_needless(struct covers *k, struct boxes *b, fn_id must)
{
	for (size_t i = b->n; i-- > 0;)
		if (own_part(k, b, i, must) == FN_NO) {
			memmove(b->v + i, b->v + i + 1, (b->n - i - 1) * sizeof(*b->v));
			b->n--;
		}
}

/* ---- as simple as may be ---- */

struct ends { /* what the values of a word lead to, and the instructions of it */
	struct sides sides;
	code_id code[SIDES_MAX];
};

/* The diagram of one word, for its tests. */
static fn_id part_of(struct covers *k, fn_id f, uint32_t end, const struct ends *ends)
{
	const struct fn_node n = k->m.nodes.v[f];
	size_t i = 0;

	if (n.rank >= end) {
		while (ends->sides.v[i] != f)
			i++;
		return fn_code(k->parts, ends->code[i]);
	}
	if (k->visits[f] == k->visit)
		return k->made[f];
	fn_id low = part_of(k, n.low, end, ends);
	k->made[f] = fn_make(k->parts, n.rank % 32, low, part_of(k, n.high, end, ends));
	k->visits[f] = k->visit;
	return k->made[f];
}

/* The tests of a diagram of one word or of two, which ends in fn_code(). */
static code_id build(struct covers *k, fn_id f)
{
	const struct fn_node n = k->m.nodes.v[f];
	uint32_t end = (n.rank / 32 + 1) * 32, offset = values_offset(n.rank / 32, k->big_endian);
	struct ends ends = { .sides = { .n = 0 } };

	if (n.rank == FN_LEAF)
		return n.high ? n.low : k->code[0]; /* no code: thrown away by the caller */
	start_walk(k);
	k->values->failed |= k->m.exhausted || !find_sides(k, f, end, &ends.sides);
	if (k->values->failed)
		return k->code[0];
	for (size_t i = 0; i < ends.sides.n; i++)
		ends.code[i] = build(k, ends.sides.v[i]);
	start_walk(k);
	fn_id part = part_of(k, f, end, &ends);
	if (fn_is_leaf(k->parts, part))
		return k->parts->nodes.v[part].low;
	return code_load(k->values->c, offset, values_build(k->values, offset, part));
}

static const struct test *test_of(struct covers *k, fn_id set)
{
	vec_each(&k->tests, t)
		if (t->set == set)
			return t;
	fn_id yes = fn_code(&k->m, k->code[0]), no = fn_code(&k->m, k->code[1]);
	code_id code = build(k, fn_choose(&k->m, set, yes, no));
	struct test test = { set, code, code_count(k->values->c, code) };
	vec_push(k->arena, &k->tests, test);
	return &k->tests.v[k->tests.n - 1];
}

static size_t cost_of(struct covers *k, fn_id set)
{
	return test_of(k, set)->insns;
}

/* The instructions of a test with other ends. */
static code_id with_ends(struct covers *k, code_id code, code_id then, code_id otherwise)
{
	struct code *c = k->values->c;
	struct code_node n = c->nodes.v[code];
	code_id to;

	if (code == k->code[0])
		return then;
	if (code == k->code[1])
		return otherwise;
	to = with_ends(k, n.t, then, otherwise);
	if (n.kind == CODE_LOAD)
		return code_load(c, n.k, to);
	if (n.kind == CODE_AND)
		return code_and(c, n.k, to);
	return code_jump(c, n.op, n.k, to, with_ends(k, n.f, then, otherwise));
}

static code_id test_set(struct covers *k, fn_id set, code_id then, code_id otherwise)
{
	unsigned plant = k->values->c->plant;

	if (set == FN_YES || set == FN_NO)
		return set == FN_YES ? then : otherwise;
	k->values->c->plant = PLANT_NONE; /* the test has its bug already */
	code_id code = with_ends(k, test_of(k, set)->code, then, otherwise);
	k->values->c->plant = plant;
	return code;
}

static uint64_t bit_of(const struct covers *k, uint32_t rank)
{
	return UINT64_C(1) << (k->unit - 1 - rank % k->unit);
}

static struct common common_bits(struct covers *k, fn_id set)
{
	const struct fn_node n = k->m.nodes.v[set];
	struct common both = { 0, 0 };

	if (n.rank == FN_LEAF)
		return both;
	if (k->visits[set] == k->visit)
		return k->common[set];
	struct common low = common_bits(k, n.low), high = common_bits(k, n.high);
	both = (struct common){ low.ones & high.ones, low.zeros & high.zeros };
	if (n.low == FN_NO)
		both = (struct common){ high.ones | bit_of(k, n.rank), high.zeros };
	else if (n.high == FN_NO)
		both = (struct common){ low.ones, low.zeros | bit_of(k, n.rank) };
	k->visits[set] = k->visit;
	return k->common[set] = both;
}

/* All values with the bits that those in the set have in common. */
static fn_id cube_around(struct covers *k, fn_id set, unsigned place)
{
	fn_id cube = FN_YES;

	start_walk(k);
	struct common bits = common_bits(k, set);
	for (uint32_t rank = end_of(k, place); rank-- > place * k->unit;) {
		if (bits.ones & bit_of(k, rank))
			cube = fn_make(&k->m, rank, FN_NO, cube);
		else if (bits.zeros & bit_of(k, rank))
			cube = fn_make(&k->m, rank, cube, FN_NO);
	}
	return cube;
}

static fn_id range_around(struct covers *k, fn_id set, unsigned place)
{
	uint64_t first = 0, last = UINT64_MAX;
	fn_id above = FN_YES, below = FN_YES;
	const struct fn_node *n;

	for (fn_id f = set; n = &k->m.nodes.v[f], n->rank != FN_LEAF;) {
		first |= n->low == FN_NO ? bit_of(k, n->rank) : 0;
		f = n->low == FN_NO ? n->high : n->low;
	}
	for (fn_id f = set; n = &k->m.nodes.v[f], n->rank != FN_LEAF;) {
		last &= ~(n->high == FN_NO ? bit_of(k, n->rank) : 0);
		f = n->high == FN_NO ? n->low : n->high;
	}
	for (uint32_t rank = end_of(k, place); rank-- > place * k->unit;) {
		bool low = first & bit_of(k, rank), high = last & bit_of(k, rank);
		above = low ? fn_make(&k->m, rank, FN_NO, above) :
			      fn_make(&k->m, rank, above, FN_YES);
		below = high ? fn_make(&k->m, rank, FN_YES, below) :
			       fn_make(&k->m, rank, below, FN_NO);
	}
	return fn_and(&k->m, above, below);
}

struct between { /* sets that hold this, and lie in that */
	fn_id least, most;
};

static bool lies_between(struct covers *k, struct between b, fn_id set)
{
	return implies(k, b.least, set) && implies(k, set, b.most);
}

/* The set that another box has already, else the cheapest to test for of some. */
static fn_id simplest(struct covers *k, const struct boxes *all, unsigned word, struct between b)
{
	struct meaning *m = &k->m;
	fn_id never = fn_not(m, b.most);
	fn_id best = b.least;

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].set[word] != FN_YES && lies_between(k, b, all->v[i].set[word]))
			best = all->v[i].set[word];
	if (best != b.least)
		return best;
	const fn_id shapes[SHAPES] = {
		cube_around(k, b.least, word),
		fn_not(m, cube_around(k, never, word)),
		range_around(k, b.least, word),
		fn_not(m, range_around(k, never, word)),
		b.least,
		b.most,
	};
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < SHAPES && least > (i < SHAPES_PLAIN ? LEAST : SIMPLE); i++) {
		if (!lies_between(k, b, shapes[i]) || cost_of(k, shapes[i]) >= least)
			continue;
		best = shapes[i];
		least = cost_of(k, best);
	}
	return best;
}

static void simplify(struct covers *k, struct boxes *all, size_t at, fn_id must, fn_id never)
{
	struct box own = all->v[at], *b = &all->v[at];
	fn_id need = own_part(k, all, at, must);

	if (need == FN_NO)
		return; /* others hold it by now */
	for (unsigned w = 0; w < FN_WORDS; w++)
		b->set[w] = FN_YES; /* no set of its own is in the way of the simplest */
	for (unsigned w = 0; w < FN_WORDS; w++)
		if (own.set[w] != FN_YES)
			own.set[w] = values_of(k, need, w);
	for (unsigned w = 0; w < FN_WORDS; w++) {
		struct between range = { own.set[w], FN_YES };
		if (own.set[w] == FN_YES)
			continue;
		own.set[w] = FN_YES;
		fn_id wrong = fn_and(&k->m, claim_of_box(k, &own), never);
		range.most = fn_not(&k->m, values_of(k, wrong, w));
		if (range.most != FN_YES)
			own.set[w] = simplest(k, all, w, range);
	}
	*b = own;
}

/* Of the first boxes, which hardly come to less: a test for each set. */
static size_t insns_of(struct covers *k, const struct boxes *b, size_t n)
{
	size_t insns = 0;

	for (unsigned w = 0; w < FN_WORDS; w++) {
		size_t before = insns;
		for (size_t i = 0; i < n; i++) {
			size_t same = 0;
			while (b->v[same].set[w] != b->v[i].set[w])
				same++;
			if (same == i && b->v[i].set[w] != FN_YES)
				insns += cost_of(k, b->v[i].set[w]) - 1;
		}
		insns += insns > before; /* its load */
	}
	return insns;
}

/* Boxes that hold all of what they must and nothing but what they may. */
static bool find_boxes(struct covers *k, fn_id must, fn_id may, struct boxes *out)
{
	fn_id never = fn_not(&k->m, may);

	*out = *primes_of(k, may);
	if (k->failed)
		return false;
	sort_boxes(k, out);
	drop_needless(k, out, must);
	for (size_t i = 0; i < out->n && insns_of(k, out, i) < k->most; i++)
		simplify(k, out, i, must, never);
	drop_needless(k, out, must);
	size_t insns = insns_of(k, out, out->n);
	if (k->m.exhausted || insns >= k->most)
		return false;
	k->most -= insns;
	return true;
}

/* ---- instructions ---- */

struct class
{ /* rules that have one set of the word at hand */
	fn_id set;
	size_t insns;
	uint32_t rules; /* a bit each */
	bool is_all;    /* they look at nothing else */
	code_id to;
};

struct group { /* of rules that look at one word first: sets that are apart */
	unsigned word;
	struct class class[BOXES_MAX];
	size_t n;
	size_t saved; /* instructions, against one rule after the other */
};

static void classify(struct covers *k, const struct boxes *b, struct group *g)
{
	for (size_t i = 0; i < b->n; i++) {
		fn_id set = b->v[i].set[g->word];
		size_t at = 0;
		if (set == FN_YES)
			continue;
		while (at < g->n && g->class[at].set != set)
			at++;
		if (at == g->n)
			g->class[g->n++] = (struct class){ set, cost_of(k, set), 0, false, 0 };
		g->class[at].rules |= UINT32_C(1) << i;
		g->class[at].is_all |= words_of(&b->v[i]) == 1u << g->word;
	}
}

/* Those that are asked for first: nothing else to look at, then those of most rules. */
static bool comes_first(const struct class *x, const struct class *y)
{
	int a = __builtin_popcount(x->rules), b = __builtin_popcount(y->rules);

	if (x->is_all != y->is_all)
		return x->is_all;
	return a != b ? a > b : x->insns < y->insns;
}

static void sort_classes(struct group *g)
{
	for (size_t i = 1; i < g->n; i++) {
		struct class own = g->class[i];
		size_t at = i;
		for (; at > 0 && comes_first(&own, &g->class[at - 1]); at--)
			g->class[at] = g->class[at - 1];
		g->class[at] = own;
	}
}

/* The rules that may look at this word first. */
static struct group group_at(struct covers *k, const struct boxes *b, unsigned word)
{
	struct group g = { .word = word };
	fn_id taken = FN_NO;
	size_t n = 0;

	classify(k, b, &g);
	sort_classes(&g);
	for (size_t i = 0; i < g.n; i++) {
		const struct class *c = &g.class[i];
		if (!c->is_all && fn_and(&k->m, taken, c->set) != FN_NO)
			continue;
		if (!c->is_all)
			taken = fn_or(&k->m, taken, c->set);
		g.saved += (size_t)(__builtin_popcount(c->rules) - 1) * c->insns + (n > 0);
		g.class[n++] = *c;
	}
	g.n = n;
	return g;
}

static struct group choose_group(struct covers *k, const struct boxes *b, unsigned first)
{
	struct group best = { .n = 0 };

	if (first < FN_WORDS)
		best = group_at(k, b, first);
	if (best.n)
		return best;
	for (unsigned w = 0; w < FN_WORDS; w++) {
		struct group g = group_at(k, b, w);
		if (g.n && (!best.n || g.saved > best.saved))
			best = g;
	}
	return best;
}

static code_id emit(struct covers *k, const struct boxes *b, unsigned first, code_id to,
		    code_id otherwise);

/* Boxes by number, without what they say of a word. */
static struct boxes some_boxes(const struct boxes *b, uint32_t which, unsigned without)
{
	struct boxes out = { .n = 0 };

	for (size_t i = 0; i < b->n; i++) {
		if (!(which >> i & 1))
			continue;
		out.v[out.n] = b->v[i];
		if (without < FN_WORDS)
			out.v[out.n].set[without] = FN_YES;
		out.n++;
	}
	return out;
}

/* All sets of the word in one diagram, or one test after the other: the smaller. */
static code_id test_group(struct covers *k, const struct group *g, code_id otherwise)
{
	struct code *c = k->values->c;
	fn_id all = fn_code(&k->m, otherwise);
	code_id chain = otherwise;
	bool is_simple = true;

	for (size_t i = g->n; i-- > 0;) {
		const struct class *x = &g->class[i];
		chain = test_set(k, x->set, x->to, chain);
		is_simple &= x->insns == LEAST;
	}
	if (g->n < 2 || is_simple)
		return chain;
	for (size_t i = g->n; i-- > 0;)
		all = fn_choose(&k->m, g->class[i].set, fn_code(&k->m, g->class[i].to), all);
	code_id at_once = build(k, all);
	size_t insns = code_count(c, code_drop_loads(c, at_once));
	return code_count(c, code_drop_loads(c, chain)) < insns ? chain : at_once;
}

static code_id emit(struct covers *k, const struct boxes *b, unsigned first, code_id to,
		    code_id otherwise)
{
	uint32_t all = (uint32_t)((UINT64_C(1) << b->n) - 1);

	if (b->n == 0)
		return otherwise;
	for (size_t i = 0; i < b->n; i++)
		if (!words_of(&b->v[i]))
			return to;
	struct group g = choose_group(k, b, first);
	for (size_t i = 0; i < g.n; i++)
		all &= ~g.class[i].rules;
	struct boxes rest = some_boxes(b, all, FN_WORDS);
	otherwise = emit(k, &rest, FN_WORDS, to, otherwise);
	for (size_t i = 0; i < g.n; i++) {
		struct boxes own = some_boxes(b, g.class[i].rules, g.word);
		g.class[i].to = emit(k, &own, FN_WORDS, to, otherwise);
	}
	return test_group(k, &g, otherwise);
}

/* ---- ways ---- */

struct covers *covers_new(struct arena *a, struct values *v, struct meaning *parts, bool big_endian)
{
	struct covers *k = ARENA_NEW(a, struct covers);

	k->arena = a;
	k->values = v;
	k->parts = parts;
	k->big_endian = big_endian;
	meaning_init(&k->m, a, NODES_MAX);
	return k;
}

/* The diagram alone, without what was made on the way to other lists. False: too large. */
static bool start_unit(struct covers *k, unsigned unit)
{
	static const uint8_t same[FN_WORDS] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	struct sides ends = { .n = 0 };

	meaning_clear(&k->m, NODES_MAX);
	k->primes.n = k->tests.n = 0;
	k->unit = unit;
	k->f = fn_copy(&k->m, k->from, k->from_f, same);
	start_walk(k);
	if (k->m.exhausted || !find_sides(k, k->f, FN_LEAF, &ends) || ends.n > ENDS_MAX)
		return false;
	k->nends = (unsigned)ends.n;
	for (size_t i = 0; i < ends.n; i++) {
		const struct fn_node *n = &k->m.nodes.v[ends.v[i]];
		k->end[i] = ends.v[i];
		k->code[i] = n->high ? n->low : k->claims[n->low];
	}
	return true;
}

unsigned covers_start(struct covers *k, const struct meaning *m, fn_id f, const code_id claims[2])
{
	k->from = m;
	k->from_f = f;
	k->claims = claims;
	k->failed = false;
	if (!start_unit(k, 32) || k->nends < 2)
		return 0;
	unsigned words = fn_measure(&k->m, k->f).words;
	return words & words >> 1 & 0x555 ? 2 * k->nends : k->nends;
}

bool covers_find(struct covers *k, unsigned way, size_t most)
{
	fn_id may = FN_NO;

	unsigned unit = way < k->nends ? 32 : 64;

	for (unsigned i = 0; i < k->nends; i++)
		k->order[i] = (way + 1 + i) % k->nends;
	if (unit == 64 && most < PAIRS_FROM)
		return false;
	if ((unit != k->unit || k->m.exhausted) && !start_unit(k, unit))
		return false;
	if (k->failed)
		k->primes.n = 0; /* some are not whole */
	k->steps = 0;
	k->failed = false;
	k->most = most;
	for (unsigned i = 0; i + 1 < k->nends; i++) {
		start_walk(k);
		fn_id must = leads_to(k, k->f, FN_LEAF, k->end[k->order[i]]);
		may = fn_or(&k->m, may, must);
		if (!find_boxes(k, must, may, &k->list[i]))
			return false;
	}
	return true;
}

code_id covers_build(struct covers *k, unsigned word)
{
	code_id to = k->code[k->order[k->nends - 1]];

	for (unsigned i = k->nends - 1; i-- > 0;)
		to = emit(k, &k->list[i], word, k->code[k->order[i]], to);
	return k->m.exhausted || k->values->failed ? CODE_NONE : to;
}

unsigned covers_words(const struct covers *k)
{
	unsigned once = 0, twice = 0;

	for (unsigned i = 0; i + 1 < k->nends; i++)
		for (size_t b = 0; b < k->list[i].n; b++) {
			unsigned words = words_of(&k->list[i].v[b]);
			twice |= once & words;
			once |= words;
		}
	return twice;
}
