/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One test of bits at the bottom of a tree:
 *
 *	if (A & 3)              299, 301-303, 305-307, 309-311
 *		goto allow;
 *	goto deny;              300, 304, 308, 312
 *
 * Which of the 512 masks over the low nine bits separate two leaves, all but `e` values on the
 * one side and `f` on the other? A value x stands with those none of whose bits are tested for
 * the masks that are subsets of ~x: a vector of 512 bits, eight words. Per leaf and side a
 * saturating counter of 512 columns counts the values that do not belong there; each value of
 * an interval is added once, so an interval costs what its last range does. The values of a window
 * are a vector as well: those on one side of a test are these words under a mask.
 */
#include <assert.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"
#include "compiler/cbpf/tree.h"

enum {
	SPAN = 512, /* values of one aligned window, and masks */
	WORDS = SPAN / 64,
	TRIES = 12, /* masks of one kind weighed */
};

typedef uint64_t vec2 __attribute__((vector_size(16)));

struct counter { /* bit m of at_least[n]: under mask m more than n values are out of place */
	vec2 at_least[ODD_MAX + 1][WORDS / 2];
};

struct window {
	struct tree *t;
	const struct tree_input *in;
	uint32_t base;
	bool without_points;
	code_id leaf[2]; /* the two commonest */
	float weight[SPAN];
	uint32_t height[SPAN];      /* of its leaf; where the value is absent, any */
	uint64_t there[WORDS];      /* values that are not absent */
	uint64_t present[WORDS];    /* of them those of the interval at hand, */
	uint64_t of_leaf[2][WORDS]; /* and of these the ones with that leaf */
	uint32_t npresent;
	struct counter wrong[2][2]; /* by leaf and side */
	unsigned
		alive; /* bit x + 2 * y: with leaf x on the one side and y on the other a mask leaves
			 * few enough values wrong; 0: there is no use in going on */
	size_t i;
	uint32_t low, high; /* words of `present` that the interval reaches */
	size_t row_words;   /* the most that `words` becomes as j grows */
	size_t words;       /* masks of bits in which its values differ are in the first ones */
	struct bit_choice best;
	uint32_t least; /* values passing through tests beside the first, for the best so far */
};

/* ---- values ---- */

static bool is_removed(const struct tree *t, uint32_t value)
{
	for (size_t k = 0; k < t->nremoved; k++)
		if (!(value & t->removed[k]))
			return true;
	return false;
}

static void fill_range(struct window *w, const struct tree_range *r)
{
	uint32_t first = r->first - w->base, last = r->last - w->base, n = 0;
	double plain = r->weight;

	for (uint32_t x = first; x <= last; x++) {
		w->height[x] = w->t->c->nodes.v[r->leaf].height;
		if (is_removed(w->t, w->base + x))
			continue;
		w->there[x >> 6] |= 1ull << (x & 63);
		n++;
	}
	for (size_t p = 0; p < w->in->npoints; p++)
		if (w->in->points[p].value >= r->first && w->in->points[p].value <= r->last)
			plain -= w->in->points[p].weight;
	for (uint32_t x = first; x <= last; x++)
		w->weight[x] = plain > 0 && n ? (float)plain / (float)n : 0;
}

static void fill_window(struct window *w)
{
	const struct tree *t = w->t;

	memset(w->there, 0, sizeof(w->there));
	for (size_t k = 0; k < t->n; k++)
		if (t->r[k].first >= w->base && t->r[k].last - w->base < SPAN)
			fill_range(w, &t->r[k]);
	for (size_t p = 0; p < w->in->npoints; p++)
		if (w->in->points[p].value - w->base < SPAN)
			w->weight[w->in->points[p].value - w->base] +=
				(float)w->in->points[p].weight;
	for (size_t p = 0; p < t->npoints && w->without_points; p++) {
		uint32_t x = t->points[p].value - w->base;
		if (x < SPAN)
			w->there[x >> 6] &= ~(1ull << (x & 63));
	}
}

/* By the low six bits of a value: which of the 64 masks of six bits share none with it. */
#define APART(x)                                                                                   \
	(((x)&1 ? 0x5555555555555555u : UINT64_MAX) & ((x)&2 ? 0x3333333333333333u : UINT64_MAX) & \
	 ((x)&4 ? 0x0f0f0f0f0f0f0f0fu : UINT64_MAX) & ((x)&8 ? 0x00ff00ff00ff00ffu : UINT64_MAX) & \
	 ((x)&16 ? 0x0000ffff0000ffffu : UINT64_MAX) &                                             \
	 ((x)&32 ? 0x00000000ffffffffu : UINT64_MAX))
#define APART4(x)  APART(x), APART((x) + 1), APART((x) + 2), APART((x) + 3)
#define APART16(x) APART4(x), APART4((x) + 4), APART4((x) + 8), APART4((x) + 12)

static const uint64_t apart_low[64] = { APART16(0), APART16(16), APART16(32), APART16(48) };

/* Masks, 64 of them from 64 * k on, that share no bit with x. */
static uint64_t masks_apart(uint32_t x, uint32_t k)
{
	return k & x >> 6 ? 0 : apart_low[x & 63];
}

static uint32_t count_bits(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555u;
	x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (uint32_t)(x * 0x0101010101010101u >> 56);
}

static size_t pairs_of(size_t words)
{
	return (words + 1) / 2;
}

struct levels { /* of a pair of words: one variable each, for they are registers */
	vec2 some, two, more;
};

static inline void count(struct levels *n, vec2 masks)
{
	n->more |= n->two & masks;
	n->two |= n->some & masks;
	n->some |= masks;
}

static inline struct levels levels_of(const struct counter *c, uint32_t k)
{
	static_assert(ODD_MAX == 2, "three levels");
	return (struct levels){ c->at_least[0][k], c->at_least[1][k], c->at_least[2][k] };
}

static inline void keep_levels(struct counter *c, uint32_t k, struct levels n)
{
	c->at_least[0][k] = n.some;
	c->at_least[1][k] = n.two;
	c->at_least[2][k] = n.more;
}

/* Values of one word; of their masks the k-th pair of words. */
static void count_values(struct counter wrong[2], uint32_t word, uint64_t values, uint32_t k)
{
	const vec2 reached = { 2 * k & word ? 0 : UINT64_MAX, (2 * k + 1) & word ? 0 : UINT64_MAX };
	struct levels apart = levels_of(&wrong[0], k), rest = levels_of(&wrong[1], k);

	for (; values; values &= values - 1) {
		uint64_t low = apart_low[__builtin_ctzll(values)];
		vec2 masks = (vec2){ low, low } & reached;
		count(&apart, masks);
		count(&rest, ~masks);
	}
	keep_levels(&wrong[0], k, apart);
	keep_levels(&wrong[1], k, rest);
}

/* Values of one word, all with this leaf. */
static void add_values(struct window *w, uint32_t word, uint64_t values, code_id to)
{
	w->present[word] |= values;
	w->npresent += count_bits(values);
	for (unsigned leaf = 0; leaf < 2; leaf++) {
		if (w->leaf[leaf] == to) {
			w->of_leaf[leaf][word] |= values;
			continue;
		}
		for (uint32_t k = 0; k < pairs_of(w->row_words); k++)
			count_values(w->wrong[leaf], word, values, k);
	}
}

/* ---- masks ---- */

static uint32_t height_at(const struct window *w, uint32_t value)
{
	return w->height[value - w->base];
}

/* Hotter values go first, then those with longer leaves. */
static void add_odd(const struct window *w, struct bit_side *s, uint32_t value)
{
	const float *weight = w->weight;
	size_t at = s->n++;

	for (; at; at--) {
		float x = weight[s->odd[at - 1] - w->base], y = weight[value - w->base];
		if (x > y || (x >= y && height_at(w, s->odd[at - 1]) >= height_at(w, value)))
			break;
		s->odd[at] = s->odd[at - 1];
	}
	s->odd[at] = value;
}

/* What stands on one side, value after value: sums of weights are rounded. */
static float find_side(const struct window *w, uint32_t mask, unsigned side, unsigned leaf,
		       struct bit_side *s)
{
	float weight = 0;

	for (uint32_t k = w->low; k <= w->high; k++) { /* sharing no bit works both ways */
		uint64_t apart = masks_apart(mask, k);
		uint64_t here = w->present[k] & (side ? ~apart : apart);
		const float *weights = &w->weight[k * 64];
		for (uint64_t v = here; v; v &= v - 1)
			weight += weights[__builtin_ctzll(v)];
		for (uint64_t v = here & ~w->of_leaf[leaf][k]; v; v &= v - 1)
			add_odd(w, s, w->base + k * 64 + (uint32_t)__builtin_ctzll(v));
	}
	return weight;
}

/* The sides' leaves, of the two commonest. */
static void weigh_mask(struct window *w, uint32_t mask, const unsigned leaf[2])
{
	struct bit_choice c = { .mask = (uint16_t)mask };
	float weight[2];
	uint32_t h;

	for (unsigned side = 0; side < 2; side++) {
		c.side[side].rest = w->leaf[leaf[side]];
		weight[side] = find_side(w, mask, side, leaf[side], &c.side[side]);
	}
	c.cost = weight[0] + weight[1] + w->t->test_cost;
	for (unsigned side = 0; side < 2; side++) {
		const struct bit_side *s = &c.side[side];
		h = 1 + s->n + w->t->c->nodes.v[s->rest].height;
		c.height = (uint16_t)(h > c.height ? h : c.height);
		for (uint32_t k = 0; k < s->n; k++) {
			c.cost += weight[side] + w->t->test_cost;
			weight[side] -= w->weight[s->odd[k] - w->base];
			h = k + 2 + height_at(w, s->odd[k]);
			c.height = (uint16_t)(h > c.height ? h : c.height);
		}
	}
	if (!w->best.mask || c.cost < w->best.cost)
		w->best = c;
}

/* How many values of the interval have no bit of the mask. */
static uint32_t count_apart(const struct window *w, uint32_t mask)
{
	uint32_t n = 0;

	for (uint32_t k = w->low; k <= w->high; k++) /* sharing no bit works both ways */
		n += count_bits(w->present[k] & masks_apart(mask, k));
	return n;
}

/* Weighing is slow: only masks that lead fewer values through more tests are weighed. */
static void try_mask(struct window *w, uint32_t mask, const unsigned leaf[2], const size_t odd[2])
{
	uint32_t tests = 0, apart;

	if (odd[0] || odd[1]) {
		apart = count_apart(w, mask);
		tests = (uint32_t)odd[0] * apart + (uint32_t)odd[1] * (w->npresent - apart);
	}
	if (tests >= w->least)
		return;
	w->least = tests;
	weigh_mask(w, mask, leaf);
}

/* The fewest that try_mask() can count: who is out of place on a side stands there. */
static size_t least_tests(const struct window *w, size_t e, size_t f)
{
	size_t apart = f > e ? w->npresent - f : e;

	return e * apart + f * (w->npresent - apart);
}

/* The masks under which exactly n values are wrong. */
static vec2 find_exact(const struct counter *c, size_t n, size_t k)
{
	return n ? c->at_least[n - 1][k] & ~c->at_least[n][k] : ~c->at_least[0][k];
}

/* Of one word of masks; false: there is no use in trying more with as many values out of place. */
static bool try_word(struct window *w, size_t word, uint64_t masks, const unsigned leaf[2],
		     const size_t odd[2], int *tries)
{
	size_t least = least_tests(w, odd[0], odd[1]);

	for (; masks && w->least > least; masks &= masks - 1) {
		if ((*tries)-- == 0)
			return false;
		try_mask(w, (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(masks), leaf, odd);
	}
	return w->least > least;
}

static void try_leaves(struct window *w, const unsigned leaf[2], const size_t odd[2])
{
	const struct counter *c = &w->wrong[leaf[0]][0], *d = &w->wrong[leaf[1]][1];
	size_t n = pairs_of(w->words);
	int tries = TRIES;

	for (size_t k = 0; k < n; k++) {
		vec2 masks = find_exact(c, odd[0], k) & find_exact(d, odd[1], k);
		if (!(masks[0] | masks[1]))
			continue;
		if (!try_word(w, 2 * k, masks[0], leaf, odd, &tries) ||
		    (2 * k + 1 < w->words && !try_word(w, 2 * k + 1, masks[1], leaf, odd, &tries)))
			return;
	}
}

static void try_masks(struct window *w, size_t e, size_t f)
{
	for (unsigned both = 0; both < 4; both++)
		if (w->alive >> both & 1)
			try_leaves(w, (const unsigned[2]){ both & 1, both >> 1 },
				   (const size_t[2]){ e, f });
}

/* Leaves that left too many values wrong go on doing so. */
static unsigned find_alive(const struct window *w)
{
	unsigned alive = 0;

	for (unsigned both = 0; both < 4; both++) {
		const vec2 *x = w->wrong[both & 1][0].at_least[ODD_MAX];
		const vec2 *y = w->wrong[both >> 1][1].at_least[ODD_MAX];
		vec2 some = { 0, 0 };
		for (size_t k = 0; k < pairs_of(w->row_words) && w->alive >> both & 1; k++)
			some |= ~(x[k] | y[k]);
		alive |= (some[0] | some[1] ? 1u : 0) << both;
	}
	return alive;
}

/* ---- intervals ---- */

/* By how many ranges they have, for what bits separate is what alternates. */
static bool find_leaves(struct window *w)
{
	const struct tree *t = w->t;
	size_t most[2] = { 0, 0 };

	w->leaf[0] = w->leaf[1] = UINT32_MAX;
	for (size_t k = 0; k < t->n; k++) {
		size_t n = 0;
		if (t->r[k].leaf == w->leaf[0] || t->r[k].leaf == w->leaf[1])
			continue;
		for (size_t m = k; m < t->n; m++)
			n += t->r[m].leaf == t->r[k].leaf;
		if (n > most[0]) {
			w->leaf[1] = w->leaf[0];
			most[1] = most[0];
			w->leaf[0] = t->r[k].leaf;
			most[0] = n;
		} else if (n > most[1]) {
			w->leaf[1] = t->r[k].leaf;
			most[1] = n;
		}
	}
	return most[0] + most[1] > t->n / 2;
}

static struct window *start_window(struct tree *t, const struct tree_input *in, bool without_points)
{
	struct window *w = ARENA_NEW(t->scratch, struct window);

	w->t = t;
	w->in = in;
	w->without_points = without_points;
	w->base = UINT32_MAX;
	return find_leaves(w) ? w : NULL;
}

void bits_start(struct tree *t, const struct tree_input *in)
{
	if (!in->are_numbers || t->n < 3)
		return;
	for (unsigned without = 0; without < (t->npoints ? 2 : 1); without++) {
		t->window[without] = start_window(t, in, without);
		if (t->window[without])
			t->bits[without] =
				ARENA_ARRAY(t->scratch, struct bit_choice, t->n * BITS_RANGES);
	}
}

/* Of masks of bits in which values of these two words differ. */
static size_t words_between(uint32_t low, uint32_t high)
{
	return low == high ? 1 : (size_t)1 << (32 - __builtin_clz(low ^ high));
}

/* No bit at all is no test, and of the last pair of words one may be too much. */
static void start_counters(struct window *w)
{
	vec2 never = { 1, w->row_words == 1 ? UINT64_MAX : 0 };

	memset(w->wrong, 0, sizeof(w->wrong));
	for (unsigned leaf = 0; leaf < 2; leaf++)
		for (unsigned side = 0; side < 2; side++)
			for (unsigned n = 0; n <= ODD_MAX; n++)
				w->wrong[leaf][side].at_least[n][0] = never;
}

static void start_row(struct window *w, size_t i)
{
	uint32_t base = w->t->r[i].first & ~(uint32_t)(SPAN - 1);

	if (base != w->base) {
		w->base = base;
		fill_window(w);
	}
	memset(w->present, 0, sizeof(w->present));
	memset(w->of_leaf, 0, sizeof(w->of_leaf));
	w->npresent = 0;
	w->alive = UINT32_MAX;
	w->i = i;
	w->low = (w->t->r[i].first - base) >> 6;
	w->row_words = 1;
	for (size_t j = i; j < w->t->n && j - i < BITS_RANGES; j++)
		if (w->t->r[j].last - base < SPAN)
			w->row_words = words_between(w->low, (w->t->r[j].last - base) >> 6);
	start_counters(w);
}

static void add_range(struct window *w, size_t j)
{
	const struct tree_range *r = &w->t->r[j];

	if (r->last - w->base >= SPAN) {
		w->alive = 0;
		return;
	}
	uint32_t first = r->first - w->base, last = r->last - w->base;
	w->high = last >> 6;
	for (uint32_t k = first >> 6; k <= w->high; k++) {
		uint64_t from = k == first >> 6 ? UINT64_MAX << (first & 63) : UINT64_MAX;
		uint64_t to = k == w->high ? UINT64_MAX >> (63 - (last & 63)) : UINT64_MAX;
		add_values(w, k, w->there[k] & from & to, r->leaf);
	}
	w->alive = find_alive(w);
}

/* Is there a point in some interval of the row? Where none is, the other table has its answers. */
static bool row_has_point(const struct tree *t, size_t i)
{
	for (size_t p = 0; p < t->npoints; p++)
		if (t->at[p] >= i && t->at[p] - i < BITS_RANGES)
			return true;
	return false;
}

void bits_extend(struct tree *t, size_t i, size_t j)
{
	for (unsigned k = 0; k < 2; k++) {
		struct window *w = t->window[k];
		if (!w)
			continue;
		if (i == j && w->without_points && !row_has_point(t, i))
			w->alive = 0;
		else if (i == j)
			start_row(w, i);
		if (w->alive)
			add_range(w, j);
	}
}

/* One table without any point tested, one with all; they are one where there is no point. */
static int table_of(const struct tree *t, struct problem q, size_t npoints)
{
	return !t->bits[0] || q.h != npoints * (q.h > 0) ? -1 : q.h > 0;
}

void bits_solve(const struct tree *t, struct problem q, size_t npoints)
{
	int k = table_of(t, q, npoints);
	struct window *w = k < 0 ? NULL : t->window[k];

	if (!w || !w->alive)
		return;
	w->words = words_between(w->low, w->high);
	w->best = (struct bit_choice){ .mask = 0 };
	w->least = UINT32_MAX;
	for (size_t odd = 0; odd <= 2 * ODD_MAX && w->least; odd++)
		for (size_t e = odd > ODD_MAX ? odd - ODD_MAX : 0; e <= ODD_MAX && e <= odd; e++)
			if (least_tests(w, e, odd - e) < w->least)
				try_masks(w, e, odd - e);
	t->bits[k][q.i * BITS_RANGES + q.j - q.i] = w->best;
}

const struct bit_choice *bits_found(const struct tree *t, struct problem q, size_t npoints)
{
	int k = table_of(t, q, npoints);
	const struct bit_choice *b;

	if (k < 0)
		return NULL;
	b = &t->bits[k][q.i * BITS_RANGES + q.j - q.i];
	return b->mask ? b : NULL;
}

static code_id leaf_of(const struct tree *t, struct problem q, uint32_t value)
{
	while (value > t->r[q.i].last)
		q.i++;
	return t->r[q.i].leaf;
}

code_id bits_emit(const struct tree *t, struct problem q, const struct bit_choice *b)
{
	code_id to[2];

	for (unsigned side = 0; side < 2; side++) {
		const struct bit_side *s = &b->side[side];
		to[side] = s->rest;
		for (uint32_t k = s->n; k-- > 0;)
			to[side] = code_jump(t->c, BPF_JEQ, s->odd[k], leaf_of(t, q, s->odd[k]),
					     to[side]);
	}
	return code_jump(t->c, BPF_JSET, b->mask, to[1], to[0]);
}
