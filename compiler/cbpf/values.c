/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests of one word: which of its values leads where, as a diagram of its 32 bits, to
 * instructions. Tried are, for each part again, and the smallest is kept:
 *
 *	A &= mask;              ranges of the bits that matter, in a tree (tree.c)
 *	if (A >= 16) ...
 *
 *	if (A & mask) ...       bits of which any one that is set (or, after A &= mask, differs from
 *	                        a value) leads to the same: they are one test
 *
 *	if (A >= 4711) ...      an order above and below which there are two simpler answers
 *
 * The diagram is one for all spellings, and so is what is chosen here.
 */
#include "compiler/cbpf/values.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

enum {
	SMALL = 80,           /* nodes up to which tests of bits are tried */
	MEDIUM = 600,         /* up to which a test a bit is better than nothing */
	RANGES_MAX = 1 << 17, /* more than any program holds */
	RANGES_FEW = 12,      /* taken without a look at bits */
	VALUES_CLOSE = 4,     /* values that are one of a list */
	STEPS_EACH = 64,      /* of the walk that finds one */
	TRIES_MAX = 60,       /* parts of one word that are looked at in more than one way */
	TRIES_ALL = 3000,     /* of one call */
	SINGLES_DEPTH = 1,    /* bits tried by themselves, at most so many below each other */
	MANY = 4,             /* instructions from which more is tried */
	GROUPS = 2,           /* tests of several bits */
	FEW = 1,              /* nodes up to which a bit by itself is one of them */
	ENDS = 8,
};

/* Bits of A that tests before have found out. */
struct known {
	uint32_t zeros, ones;
};

/* A part of a word, and the instructions that were chosen for it. */
struct piece_memo {
	struct chain_link link;
	fn_id f;
	uint32_t offset;
	struct known known;
	code_id code;
};

struct piece { /* one that is being looked at */
	fn_id f;
	struct known known;
	uint32_t support; /* bits that matter */
	size_t nodes;
	fn_id end[ENDS]; /* what its values lead to */
	size_t nends;    /* ENDS: as many or more */
};

static code_id solve(struct values *v, fn_id f, struct known known);

/* Does it look at no bit of the word? */
static bool is_end(const struct values *v, fn_id f)
{
	return fn_word(v->m, f) != v->at;
}

static code_id code_of(const struct values *v, fn_id end)
{
	return v->code ? v->code[end] : v->m->nodes.v[end].low;
}

/* The place of its bit in the word, the most significant first; 32: an end. */
static unsigned place_of(const struct values *v, fn_id f)
{
	return is_end(v, f) ? 32 : v->m->nodes.v[f].rank % 32;
}

static uint32_t bit_of(const struct values *v, fn_id f)
{
	return UINT32_C(1) << (31 - v->m->nodes.v[f].rank % 32);
}

/* ---- diagrams of one word ---- */

static void add_end(struct piece *p, fn_id f)
{
	for (size_t i = 0; i < p->nends; i++)
		if (p->end[i] == f)
			return;
	if (p->nends < ENDS)
		p->end[p->nends++] = f;
}

static void survey(struct values *v, fn_id f, struct piece *p)
{
	const struct fn_node *n = &v->m->nodes.v[f];

	if (is_end(v, f)) {
		add_end(p, f);
		return;
	}
	if (v->visits[f] == v->visit)
		return;
	v->visits[f] = v->visit;
	p->nodes++;
	p->support |= bit_of(v, f);
	survey(v, n->low, p);
	survey(v, n->high, p);
}

static void start_visit(struct values *v)
{
	if (v->nvisits < v->m->nodes.n) {
		v->nvisits = v->m->nodes.n + v->m->nodes.n / 4;
		v->visits = ARENA_ARRAY(v->arena, uint32_t, v->nvisits);
		v->visit = 0;
	}
	v->visit++;
}

/* Likewise, and what is made of each node is kept. */
static void start_memo(struct values *v)
{
	start_visit(v);
	if (v->nmemo >= v->nvisits)
		return;
	v->nmemo = v->nvisits;
	v->memo = ARENA_ARRAY(v->arena, fn_id, v->nmemo);
	v->sure = ARENA_ARRAY(v->arena, uint64_t, v->nmemo);
}

struct literals { /* bits and what they are taken to be */
	uint32_t mask, value;
};

static fn_id fix(struct values *v, fn_id f, struct literals l)
{
	struct fn_node n = v->m->nodes.v[f];
	fn_id result;

	if (is_end(v, f) || UINT32_MAX >> n.rank % 32 < (l.mask & -l.mask))
		return f; /* all the bits lie above */
	if (v->visits[f] == v->visit)
		return v->memo[f];
	if (l.mask & bit_of(v, f)) {
		result = fix(v, l.value & bit_of(v, f) ? n.high : n.low, l);
	} else {
		fn_id low = fix(v, n.low, l);
		result = fn_make(v->m, n.rank, low, fix(v, n.high, l));
	}
	v->visits[f] = v->visit;
	v->memo[f] = result;
	return result;
}

static fn_id fixed(struct values *v, fn_id f, struct literals l)
{
	start_memo(v);
	return fix(v, f, l);
}

/* ---- ranges ---- */

struct ranges {
	VEC(struct tree_range) list;
	uint32_t mask;
	struct known known;
	size_t steps, max;
};

/* The bits from `bits` on are those of value. False: too many. */
static bool add_ranges(struct values *v, struct ranges *r, fn_id f, unsigned bits, uint32_t value)
{
	uint32_t below = (uint32_t)((UINT64_C(1) << bits) - 1) & r->mask & ~r->known.zeros;
	const struct fn_node n = v->m->nodes.v[f];

	if (r->steps++ > r->max * STEPS_EACH || r->list.n > r->max)
		return false;
	if (is_end(v, f)) {
		code_id leaf = code_of(v, f);
		if (r->list.n && r->list.v[r->list.n - 1].leaf == leaf)
			r->list.v[r->list.n - 1].last = value | below;
		else
			vec_push_own(v->arena, &r->list,
				     ((struct tree_range){ value | (below & r->known.ones),
							   value | below, leaf, 0 }));
		return true;
	}
	uint32_t bit = UINT32_C(1) << --bits, own = bit_of(v, f);
	while (bit != own && !(below & bit))
		bit = UINT32_C(1) << --bits;
	if (bit == own)
		return add_ranges(v, r, n.low, bits, value) &&
		       add_ranges(v, r, n.high, bits, value | bit);
	return (bit & r->known.ones || add_ranges(v, r, f, bits, value)) &&
	       add_ranges(v, r, f, bits, value | bit);
}

/* Under the mask that makes them fewest. False: they would be too many. */
static bool find_ranges(struct values *v, const struct piece *p, size_t max, struct ranges *out)
{
	struct ranges masked = { .mask = p->support, .known = p->known, .max = max };

	*out = (struct ranges){ .mask = UINT32_MAX, .known = p->known, .max = max };
	bool fits = add_ranges(v, out, p->f, 32, 0);
	if ((p->support | p->known.zeros | p->known.ones) != UINT32_MAX &&
	    add_ranges(v, &masked, p->f, 32, 0) && (!fits || masked.list.n + 1 < out->list.n)) {
		*out = masked;
		return true;
	}
	return fits;
}

/*
 * Values that rules name weigh one each; all the ranges between them together as much as one,
 * for nobody calls with those on purpose.
 */
static void weigh(struct tree_range *r, size_t n)
{
	size_t wide = 0;

	for (size_t i = 0; i < n; i++)
		wide += r[i].first != r[i].last;
	for (size_t i = 0; i < n; i++)
		r[i].weight = r[i].first == r[i].last ? 1 : 1.0 / (double)wide;
}

static code_id tree_of(struct code *c, struct arena *scratch, struct tree_range *r, size_t n)
{
	struct tree_input in = { .ranges = r, .n = n, .test_cost = 3 };

	if (n == 2 && r[0].first != r[0].last) /* most are as simple as these two */
		return code_jump(c, BPF_JGE, r[1].first, r[1].leaf, r[0].leaf);
	if (n == 2)
		return code_jump(c, BPF_JEQ, r[0].first, r[0].leaf, r[1].leaf);
	if (n == 3 && r[1].first == r[1].last && r[0].leaf == r[2].leaf)
		return code_jump(c, BPF_JEQ, r[1].first, r[1].leaf, r[0].leaf);
	weigh(r, n);
	return tree_build(c, scratch, &in);
}

static code_id by_ranges(struct values *v, struct ranges *r)
{
	r->list.v[0].first = 0; /* what does not occur may go anywhere */
	r->list.v[r->list.n - 1].last = UINT32_MAX;
	return code_and(v->c, r->mask, tree_of(v->c, v->arena, r->list.v, r->list.n));
}

/* ---- tests of bits ---- */

struct group { /* literals any of which leads to `to`, which looks at none of them */
	struct literals any;
	fn_id to;
	unsigned n;
};

struct groups {
	struct group v[64];
	size_t n;
};

static void add_literal(struct groups *all, uint32_t bit, bool high, fn_id to)
{
	size_t i = 0;

	while (i < all->n && all->v[i].to != to)
		i++;
	if (i == all->n)
		all->v[all->n++] = (struct group){ .to = to };
	all->v[i].any.mask |= bit;
	all->v[i].any.value |= high ? bit : 0;
	all->v[i].n++;
}

/* Bits that make it this end: where they are not set in the lower half, where set in the upper. */
static uint64_t sure_of(struct values *v, fn_id f, fn_id end)
{
	const struct fn_node n = v->m->nodes.v[f];

	if (is_end(v, f))
		return f == end ? UINT64_MAX : 0;
	if (v->visits[f] == v->visit)
		return v->sure[f];
	uint64_t bit = bit_of(v, f), sure = sure_of(v, n.low, end) & sure_of(v, n.high, end);
	sure &= ~(bit | bit << 32);
	sure |= (n.low == end ? bit : 0) | (n.high == end ? bit << 32 : 0);
	v->visits[f] = v->visit;
	v->sure[f] = sure;
	return sure;
}

static void find_sure_groups(struct values *v, const struct piece *p, struct groups *all)
{
	for (size_t i = 0; i < p->nends; i++) {
		start_memo(v);
		uint64_t sure = sure_of(v, p->f, p->end[i]);
		uint32_t mask = (uint32_t)(sure | sure >> 32);
		if (mask)
			all->v[all->n++] =
				(struct group){ .any = { mask, (uint32_t)(sure >> 32) },
						.to = p->end[i],
						.n = (unsigned)__builtin_popcount(mask) };
	}
}

static void find_groups(struct values *v, const struct piece *p, struct groups *all)
{
	all->n = 0;
	for (unsigned i = 32; i-- > 0;) {
		uint32_t bit = UINT32_C(1) << i;
		if (!(p->support & bit))
			continue;
		add_literal(all, bit, true, fixed(v, p->f, (struct literals){ bit, bit }));
		add_literal(all, bit, false, fixed(v, p->f, (struct literals){ bit, 0 }));
	}
}

/* The continuation of a test that left something else in A. */
static code_id again(struct values *v, fn_id f, struct known known)
{
	code_id to = solve(v, f, known);

	return is_end(v, f) ? to : code_load(v->c, v->offset, to);
}

static code_id by_group(struct values *v, const struct piece *p, const struct group *k)
{
	uint32_t mask = k->any.mask, others = mask & ~k->any.value; /* what none of them is */
	fn_id none = fixed(v, p->f, (struct literals){ mask, others });
	struct known then = { p->known.zeros | (mask & ~others), p->known.ones | others };
	struct known any = p->known;

	if (k->n == 1) {
		any.zeros |= others;
		any.ones |= mask & ~others;
	}
	if (others && k->n > 1)
		return code_and(v->c, mask,
				code_jump(v->c, BPF_JEQ, others, again(v, none, then),
					  again(v, k->to, any)));
	code_id to = solve(v, k->to, any), rest = solve(v, none, then);
	return code_jump(v->c, BPF_JSET, mask, others ? rest : to, others ? to : rest);
}

/* Instructions of its own: those that only tell its ends apart. */
static size_t count_own(struct values *v, const struct piece *p, code_id code)
{
	code_count_start(v->c);
	for (size_t i = 0; i < p->nends; i++)
		v->c->nodes.v[code_of(v, p->end[i])].visit = v->c->visit;
	return code_count_more(v->c, code);
}

/* Fewer instructions, then a shorter longest path, then the one that was there. */
static code_id better(struct values *v, const struct piece *p, code_id x, code_id y)
{
	if (x == CODE_NONE || x == y)
		return y;
	size_t a = count_own(v, p, x), b = count_own(v, p, y);
	if (a != b)
		return a < b ? x : y;
	return v->c->nodes.v[y].height < v->c->nodes.v[x].height ? y : x;
}

static code_id by_groups(struct values *v, const struct piece *p, const struct groups *all,
			 code_id best)
{
	size_t tried = 0;
	unsigned least = p->nodes <= FEW ? 1 : 2;

	for (unsigned n = 32; n >= least; n--)
		for (size_t i = 0; i < all->n && tried < GROUPS; i++)
			if (all->v[i].n == n) {
				best = better(v, p, best, by_group(v, p, &all->v[i]));
				tried++;
			}
	return best;
}

static code_id by_first_bit(struct values *v, const struct piece *p)
{
	uint32_t bit = bit_of(v, p->f);
	struct group k = { .any = { bit, bit }, .to = v->m->nodes.v[p->f].high, .n = 1 };

	return by_group(v, p, &k);
}

/* The first bit, and the first that decides by itself where it is set, or is not. */
static code_id by_singles(struct values *v, const struct piece *p, const struct groups *all,
			  code_id best)
{
	if (best != CODE_NONE && v->depth >= SINGLES_DEPTH)
		return best;
	v->depth++;
	best = better(v, p, best, by_first_bit(v, p));
	for (size_t i = 0; i < all->n && v->depth <= SINGLES_DEPTH; i++)
		if (all->v[i].n == 1 && is_end(v, all->v[i].to)) {
			best = better(v, p, best, by_group(v, p, &all->v[i]));
			break;
		}
	v->depth--;
	return best;
}

/* ---- one order ---- */

static fn_id side(const struct values *v, fn_id f, uint32_t bit, bool high)
{
	const struct fn_node *n = &v->m->nodes.v[f];

	return is_end(v, f) || bit_of(v, f) != bit ? f : high ? n->high : n->low;
}

/*
 * The greatest value, or least, for which two different diagrams differ; where the least is not
 * above `floor` some such value.
 */
static uint32_t differ_at(const struct values *v, fn_id x, fn_id y, bool greatest, uint32_t floor)
{
	uint32_t value = greatest ? UINT32_MAX : 0;

	while (!is_end(v, x) || !is_end(v, y)) {
		unsigned a = place_of(v, x), b = place_of(v, y);
		uint32_t bit = UINT32_C(1) << (31 - (a < b ? a : b));
		bool high = greatest;
		if (side(v, x, bit, high) == side(v, y, bit, high)) {
			high = !high;
			value ^= bit;
		}
		x = side(v, x, bit, high);
		y = side(v, y, bit, high);
		if (!greatest && (value | (bit - 1)) <= floor)
			break;
	}
	return value;
}

struct bound { /* f is this function above one value, and below another */
	fn_id f;
	uint32_t last_other, first_other;
	size_t nodes; /* 0: not counted yet */
};

static size_t nodes_of(struct values *v, struct bound *b)
{
	struct piece p = { .nodes = 1 };

	if (!b->nodes) {
		start_visit(v);
		survey(v, b->f, &p);
		b->nodes = p.nodes;
	}
	return b->nodes;
}

/* The simplest two functions, seen where a bit is known or as an end, that share the values. */
static code_id by_order(struct values *v, const struct piece *p, const struct groups *all,
			code_id best)
{
	struct bound b[64 + ENDS], *above = NULL, *below = NULL;
	uint32_t least = UINT32_MAX;
	size_t n = 0;

	for (size_t i = 0; i < all->n + p->nends; i++) {
		fn_id f = i < all->n ? all->v[i].to : p->end[i - all->n];
		if (f == p->f)
			continue;
		b[n] = (struct bound){ .f = f, .last_other = differ_at(v, p->f, f, true, 0) };
		least = b[n].last_other < least ? b[n].last_other : least;
		n++;
	}
	if (least == UINT32_MAX)
		return best;
	for (size_t i = 0; i < n; i++)
		b[i].first_other = differ_at(v, p->f, b[i].f, false, least);
	for (struct bound *x = b; x < b + n; x++)
		for (struct bound *y = b; y < b + n; y++)
			if (x->last_other < y->first_other &&
			    (!above || nodes_of(v, x) + nodes_of(v, y) <
					       nodes_of(v, above) + nodes_of(v, below))) {
				above = x;
				below = y;
			}
	if (!above)
		return best;
	code_id to = solve(v, above->f, p->known);
	return better(
		v, p, best,
		code_jump(v->c, BPF_JGE, above->last_other + 1, to, solve(v, below->f, p->known)));
}

/* ---- all of it ---- */

/* Are they values, or a few close together, apart from all others? */
static bool is_list(const struct ranges *r)
{
	for (size_t i = 0; i < r->list.n; i++)
		if (r->list.v[i].last - r->list.v[i].first >= VALUES_CLOSE &&
		    r->list.v[i].leaf != r->list.v[r->list.n - 1].leaf)
			return false;
	return true;
}

static code_id by_bits(struct values *v, const struct piece *p, const struct ranges *r,
		       code_id best)
{
	struct groups all = { .n = 0 };

	v->tries++;
	v->all_tries++;
	find_sure_groups(v, p, &all);
	best = by_groups(v, p, &all, best);
	if (best != CODE_NONE && (count_own(v, p, best) < MANY || (r && is_list(r))))
		return best;
	find_groups(v, p, &all);
	best = by_order(v, p, &all, best);
	best = by_groups(v, p, &all, best);
	if (best == CODE_NONE || count_own(v, p, best) >= MANY)
		best = by_singles(v, p, &all, best);
	return best;
}

static code_id choose(struct values *v, fn_id f, struct known known)
{
	struct piece p = { .f = f, .known = known };
	code_id best = CODE_NONE;
	struct ranges r;

	start_visit(v);
	survey(v, f, &p);
	bool small = p.nodes <= SMALL && v->tries < TRIES_MAX && v->all_tries < TRIES_ALL;
	/* More ranges than nodes: many parts are alike, which ranges cannot say. */
	size_t max = p.nodes < RANGES_FEW ? RANGES_FEW : p.nodes;
	bool fits = !v->failed && find_ranges(v, &p, max < RANGES_MAX ? max : RANGES_MAX, &r);
	bool first = fits && (!small || r.list.n <= RANGES_FEW || is_list(&r));
	if (first)
		best = by_ranges(v, &r);
	if (first && (!small || count_own(v, &p, best) < p.nends))
		return best;
	v->failed |= p.nodes > MEDIUM;
	if (v->failed)
		return code_of(v, p.end[0]);
	if (!small)
		return by_first_bit(v, &p);
	best = by_bits(v, &p, fits ? &r : NULL, best);
	if (fits && !first && count_own(v, &p, best) > r.list.n / 2)
		best = better(v, &p, best, by_ranges(v, &r));
	return best;
}

static uint32_t hash_piece(uint32_t offset, fn_id f, struct known known)
{
	uint32_t h = (f * 5u + offset) ^ known.zeros * 0x9e3779b9u ^ known.ones * 0x85ebca6bu;

	return h ^ h >> 16;
}

/* A holds the word. */
static code_id solve(struct values *v, fn_id f, struct known known)
{
	if (is_end(v, f))
		return code_of(v, f);
	uint32_t hash = hash_piece(v->offset, f, known);
	struct piece_memo *p;
	for (struct chain_link *l = chain_first(&v->pieces, hash); l; l = chain_next(l)) {
		p = (struct piece_memo *)l;
		if (p->f == f && p->known.zeros == known.zeros && p->known.ones == known.ones &&
		    p->offset == v->offset)
			return p->code;
	}
	p = ARENA_NEW(v->arena, struct piece_memo);
	*p = (struct piece_memo){
		.f = f, .offset = v->offset, .known = known, .code = choose(v, f, known)
	};
	chain_add(v->arena, &v->pieces, &p->link, hash);
	return p->code;
}

code_id values_tests(struct code *c, struct arena *scratch, uint32_t mask, struct tree_range *r,
		     size_t n)
{
	if (n == 2 && r[1].first <= (mask & -mask)) /* zero or not: A stays whole */
		return code_jump(c, BPF_JSET, mask, r[1].leaf, r[0].leaf);
	r[n - 1].last = UINT32_MAX; /* above the mask: never met, any leaf will do */
	return code_and(c, mask, tree_of(c, scratch, r, n));
}

uint32_t values_offset(unsigned word, bool big_endian)
{
	bool low = word & 1;

	return (uint32_t)offsetof(struct seccomp_data, args) + word / 2 * 8 +
	       (low != big_endian ? 0 : 4);
}

void values_init(struct values *v, struct arena *a, struct code *c)
{
	*v = (struct values){ .arena = a, .c = c };
}

void values_start(struct values *v, struct meaning *m, const code_id *code)
{
	v->m = m;
	v->code = code;
	chain_clear(&v->pieces);
	v->all_tries = 0;
	v->failed = false;
}

code_id values_build(struct values *v, uint32_t offset, fn_id f)
{
	v->at = fn_word(v->m, f);
	v->offset = offset;
	v->tries = v->depth = 0;
	return solve(v, f, (struct known){ 0, 0 });
}
