/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cbpf/meaning.h"

#include <string.h>

enum { TABLE_FIRST = 256, MEMO_FIRST = 64, MEMO_MAX = 1 << 18 };

static uint64_t mix(uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t h = ((uint64_t)a << 32 ^ b) * 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 29 ^ c) * 0xff51afd7ed558ccdu;
	return h ^ h >> 32;
}

/* A table that was larger once is so again without new memory, and is cleared as far as it is used. */
static void grow_table(struct meaning *m)
{
	size_t cap = m->cap ? m->cap * 2 : TABLE_FIRST;

	if (cap > m->room) {
		arena_give_back(m->arena, m->table, m->room * sizeof(*m->table));
		m->table = ARENA_ARRAY(m->arena, uint32_t, cap);
		m->room = cap;
	} else {
		memset(m->table, 0, cap * sizeof(*m->table));
	}
	m->cap = cap;
	for (size_t i = 0; i < m->nodes.n; i++) {
		const struct fn_node *n = &m->nodes.v[i];
		size_t at = (size_t)mix(n->rank, n->low, n->high) & (cap - 1);
		while (m->table[at])
			at = (at + 1) & (cap - 1);
		m->table[at] = (uint32_t)i + 1;
	}
}

/* What was remembered may be forgotten. */
static void grow_memo(struct meaning *m)
{
	size_t n = m->nmemo ? m->nmemo * 4 : MEMO_FIRST;

	if (n > m->memo_room) {
		arena_give_back(m->arena, m->memo, m->memo_room * sizeof(*m->memo));
		m->memo = ARENA_ARRAY(m->arena, struct fn_memo, n);
		m->memo_room = n;
	} else {
		memset(m->memo, 0, n * sizeof(*m->memo));
	}
	m->nmemo = n;
	m->remembered = 0;
}

static fn_id find(struct meaning *m, struct fn_node n)
{
	if (m->nodes.n * 2 >= m->cap)
		grow_table(m);
	size_t at = (size_t)mix(n.rank, n.low, n.high) & (m->cap - 1);
	for (; m->table[at]; at = (at + 1) & (m->cap - 1)) {
		const struct fn_node *k = &m->nodes.v[m->table[at] - 1];
		if (k->rank == n.rank && k->low == n.low && k->high == n.high)
			return m->table[at] - 1;
	}
	if (m->nodes.n >= m->max) {
		m->exhausted = true;
		return FN_NO;
	}
	vec_push_own(m->arena, &m->nodes, n);
	m->table[at] = (uint32_t)m->nodes.n;
	return (fn_id)m->nodes.n - 1;
}

static void add_claims(struct meaning *m)
{
	find(m, (struct fn_node){ FN_LEAF, FN_NO, 0 });
	find(m, (struct fn_node){ FN_LEAF, FN_YES, 0 });
}

void meaning_init(struct meaning *m, struct arena *a, size_t max)
{
	*m = (struct meaning){ .arena = a, .max = max };
	add_claims(m);
}

void meaning_clear(struct meaning *m, size_t max)
{
	m->nodes.n = m->remembered = m->cap = m->nmemo = 0;
	m->max = max;
	m->exhausted = false;
	add_claims(m);
}

fn_id fn_code(struct meaning *m, code_id code)
{
	return find(m, (struct fn_node){ FN_LEAF, code, 1 });
}

fn_id fn_make(struct meaning *m, uint32_t rank, fn_id low, fn_id high)
{
	return low == high ? low : find(m, (struct fn_node){ rank, low, high });
}

/* ---- ranges of one word ---- */

struct word_set {
	unsigned at;
	uint32_t mask;
	const struct interval *iv;
	size_t n;
};

/* The bits above `bits` are those of value; the ranges before iv[from] lie below. */
static fn_id values_below(struct meaning *m, const struct word_set *s, unsigned bits,
			  uint32_t value, size_t from)
{
	uint32_t last = value | (s->mask & (uint32_t)((UINT64_C(1) << bits) - 1));

	while (from < s->n && s->iv[from].last < value)
		from++;
	if (from == s->n || s->iv[from].first > last)
		return FN_NO;
	if (s->iv[from].first <= value && s->iv[from].last >= last)
		return FN_YES;
	uint32_t bit = UINT32_C(1) << --bits;
	fn_id low = values_below(m, s, bits, value, from);
	if (!(s->mask & bit))
		return low;
	return fn_make(m, s->at * 32 + 31 - bits, low, values_below(m, s, bits, value | bit, from));
}

fn_id fn_values(struct meaning *m, unsigned at, uint32_t mask, const struct interval *iv, size_t n)
{
	struct word_set s = { at, mask, iv, n };

	return values_below(m, &s, 32, 0, 0);
}

/* ---- claims joined ---- */

static fn_id side(const struct meaning *m, fn_id f, uint32_t rank, bool high)
{
	const struct fn_node *n = &m->nodes.v[f];

	return n->rank != rank ? f : high ? n->high : n->low;
}

static uint32_t first_rank(const struct meaning *m, fn_id x, fn_id y, fn_id z)
{
	uint32_t a = m->nodes.v[x].rank, b = m->nodes.v[y].rank, c = m->nodes.v[z].rank;

	a = a < b ? a : b;
	return a < c ? a : c;
}

fn_id fn_choose(struct meaning *m, fn_id claim, fn_id then, fn_id otherwise)
{
	if (claim == FN_YES || then == otherwise)
		return then;
	if (claim == FN_NO || m->exhausted)
		return otherwise;
	if (then == FN_YES && otherwise == FN_NO)
		return claim;
	if (m->remembered >= m->nmemo && m->nmemo < MEMO_MAX)
		grow_memo(m);
	uint64_t h = mix(claim, then, otherwise);
	const struct fn_memo *known = &m->memo[h & (m->nmemo - 1)];
	if (known->a == claim && known->b == then && known->c == otherwise)
		return known->result; /* no claim is FN_NO: an empty slot is not met */
	uint32_t rank = first_rank(m, claim, then, otherwise);
	fn_id low = fn_choose(m, side(m, claim, rank, false), side(m, then, rank, false),
			      side(m, otherwise, rank, false));
	fn_id high = fn_choose(m, side(m, claim, rank, true), side(m, then, rank, true),
			       side(m, otherwise, rank, true));
	fn_id result = fn_make(m, rank, low, high);
	m->remembered++;
	m->memo[h & (m->nmemo - 1)] = (struct fn_memo){ claim, then, otherwise, result };
	return result;
}

fn_id fn_and(struct meaning *m, fn_id x, fn_id y)
{
	return fn_choose(m, x, y, FN_NO);
}

fn_id fn_or(struct meaning *m, fn_id x, fn_id y)
{
	return fn_choose(m, x, FN_YES, y);
}

fn_id fn_not(struct meaning *m, fn_id x)
{
	return fn_choose(m, x, FN_NO, FN_YES);
}

static fn_id any_by_halves(struct meaning *m, fn_id *claims, size_t n)
{
	if (n == 1)
		return claims[0];
	return fn_or(m, any_by_halves(m, claims, n / 2),
		     any_by_halves(m, claims + n / 2, n - n / 2));
}

/*
 * Thousands of values are apart from bit to bit on: they are dealt out as in a radix sort,
 * as long as few of them belong on both sides.
 */
fn_id fn_any(struct meaning *m, fn_id *claims, size_t n)
{
	uint32_t rank = FN_LEAF;
	size_t k = 0, lows = 0, highs = 0;

	for (size_t i = 0; i < n; i++) {
		if (claims[i] == FN_YES)
			return FN_YES;
		if (claims[i] == FN_NO)
			continue;
		rank = first_rank(m, claims[i], claims[i], claims[i]) < rank ?
			       m->nodes.v[claims[i]].rank :
			       rank;
		claims[k++] = claims[i];
	}
	if (k < 8)
		return k ? any_by_halves(m, claims, k) : FN_NO;
	fn_id *sides = ARENA_ARRAY(m->arena, fn_id, 2 * k);
	for (size_t i = 0; i < k; i++) {
		fn_id low = side(m, claims[i], rank, false), high = side(m, claims[i], rank, true);
		if (low != FN_NO)
			sides[lows++] = low;
		if (high != FN_NO)
			sides[2 * k - ++highs] = high;
	}
	if (lows + highs > k + k / 8)
		return any_by_halves(m, claims, k);
	fn_id low = fn_any(m, sides, lows);
	return fn_make(m, rank, low, fn_any(m, sides + 2 * k - highs, highs));
}

/* ---- of a whole diagram ---- */

enum { COPY_ENDS = 8 }; /* of a word: with more, one bit after another is put in its place */

struct copy {
	struct meaning *m;
	const struct meaning *from;
	const uint8_t *to;
	fn_id *done;       /* by node; UINT32_MAX: not yet */
	uint32_t *visited; /* by node: the walk that was here last, and what it made of it */
	fn_id *made;
	uint32_t visit;
};

static fn_id copy_node(struct copy *k, fn_id f);

static uint32_t new_rank(const struct copy *k, uint32_t rank)
{
	return k->to[rank / 32] * 32u + rank % 32;
}

/* Bit by bit. */
static fn_id copy_bits(struct copy *k, fn_id f, unsigned at)
{
	struct fn_node n = k->from->nodes.v[f];

	if (n.rank / 32 != at)
		return copy_node(k, f);
	if (k->done[f] != UINT32_MAX)
		return k->done[f];
	uint32_t rank = new_rank(k, n.rank);
	fn_id low = copy_bits(k, n.low, at), high = copy_bits(k, n.high, at);
	if (rank < k->m->nodes.v[low].rank && rank < k->m->nodes.v[high].rank)
		k->done[f] = fn_make(k->m, rank, low, high);
	else
		k->done[f] = fn_choose(k->m, fn_make(k->m, rank, FN_NO, FN_YES), high, low);
	return k->done[f];
}

struct ends { /* what the values of one word lead to */
	fn_id v[COPY_ENDS];
	size_t n;
};

/* False: too many. */
static bool find_ends(struct copy *k, fn_id f, unsigned at, struct ends *out)
{
	const struct fn_node *n = &k->from->nodes.v[f];

	if (k->visited[f] == k->visit)
		return true;
	k->visited[f] = k->visit;
	if (n->rank / 32 == at)
		return find_ends(k, n->low, at, out) && find_ends(k, n->high, at, out);
	if (out->n == COPY_ENDS)
		return false;
	out->v[out->n++] = f;
	return true;
}

/* The values of the word that lead to this end. */
static fn_id leads_to(struct copy *k, fn_id f, unsigned at, fn_id end)
{
	const struct fn_node *n = &k->from->nodes.v[f];

	if (n->rank / 32 != at)
		return f == end ? FN_YES : FN_NO;
	if (k->visited[f] == k->visit)
		return k->made[f];
	fn_id low = leads_to(k, n->low, at, end);
	k->made[f] = fn_make(k->m, new_rank(k, n->rank), low, leads_to(k, n->high, at, end));
	k->visited[f] = k->visit;
	return k->made[f];
}

/* A word that comes behind others now: end after end, which are fewer than bits. */
static fn_id copy_node(struct copy *k, fn_id f)
{
	struct fn_node n = k->from->nodes.v[f];
	unsigned at = n.rank / 32;
	struct ends ends = { .n = 0 };
	bool is_behind = false;

	if (n.rank == FN_LEAF)
		return find(k->m, n);
	if (k->done[f] != UINT32_MAX)
		return k->done[f];
	k->visit++;
	if (!find_ends(k, f, at, &ends))
		return copy_bits(k, f, at);
	fn_id to[COPY_ENDS];
	for (size_t i = 0; i < ends.n; i++) {
		to[i] = copy_node(k, ends.v[i]);
		is_behind |= k->m->nodes.v[to[i]].rank / 32 <= k->to[at];
	}
	if (!is_behind)
		return copy_bits(k, f, at);
	fn_id result = to[0];
	for (size_t i = 1; i < ends.n; i++) {
		k->visit++;
		result = fn_choose(k->m, leads_to(k, f, at, ends.v[i]), to[i], result);
	}
	return k->done[f] = result;
}

fn_id fn_copy(struct meaning *m, const struct meaning *from, fn_id f, const uint8_t *to)
{
	struct copy k = { .m = m, .from = from, .to = to };

	k.done = ARENA_ARRAY(m->arena, fn_id, from->nodes.n);
	k.visited = ARENA_ARRAY(m->arena, uint32_t, from->nodes.n);
	k.made = ARENA_ARRAY(m->arena, fn_id, from->nodes.n);
	memset(k.done, 0xff, from->nodes.n * sizeof(*k.done));
	return copy_node(&k, f);
}

struct measure {
	const struct meaning *m;
	bool *seen, *entered; /* by node */
	struct fn_extent extent;
};

static void measure(struct measure *k, fn_id f, unsigned from)
{
	const struct fn_node *n = &k->m->nodes.v[f];

	if (n->rank == FN_LEAF)
		return;
	unsigned at = n->rank / 32;
	if (at != from && !k->entered[f]) {
		k->entered[f] = true;
		k->extent.parts++;
	}
	if (k->seen[f])
		return;
	k->seen[f] = true;
	k->extent.nodes++;
	k->extent.words |= 1u << at;
	measure(k, n->low, at);
	measure(k, n->high, at);
}

struct fn_extent fn_measure(struct meaning *m, fn_id f)
{
	struct measure k = { .m = m };

	k.seen = ARENA_ARRAY(m->arena, bool, m->nodes.n);
	k.entered = ARENA_ARRAY(m->arena, bool, m->nodes.n);
	measure(&k, f, FN_WORDS);
	return k.extent;
}
