/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order the arguments of a call are looked at, and how: the smallest of some. What is
 * tried depends on the diagram alone, so rules of one meaning get one program.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/cover.h"
#include "compiler/cbpf/order.h"
#include "compiler/cbpf/values.h"

enum {
	ARGS = FN_WORDS / 2,
	TRIES_NODES = 20000, /* of all orders that are tried: as many as the diagram has, */
	TRIES_SHARE = 8,     /* and no more than this part of what the program has left */
	NODES_MAX = 1 << 16, /* that one with other orders may come to */
	ALL_NODES = 300000,  /* of all calls of a program together */
	ALL_LISTS = 100,
	ROUNDS = 4,
	WORDS_MAX = CBPF_MAX / 2, /* looks at a word: each a load and a test, at least */
	COVER_NODES = 1000,       /* of diagrams for which a list of rules is tried */
	REPEATS_MAX = 200,        /* different ones that are told apart */
};

struct order {
	uint8_t arg[ARGS];
	unsigned n;
};

struct orders {
	struct arena *arena;
	struct values values;
	struct meaning moved; /* the diagram in another order, */
	struct meaning parts; /* and its words, for all orders: what is alike is built once */
	struct covers *covers;
	bool big_endian;
	code_id *code; /* of struct ordered */
	fn_id *part;
	size_t nnodes;

	struct meaning *m; /* the diagram at hand, */
	fn_id f;
	const code_id *claims; /* what the claims come to, */
	code_id best;          /* and the best of it */
	size_t insns;
	uint32_t height;
	size_t tries; /* left */
	struct order_budget *left;
	VEC(uint32_t) seen; /* orders, three bits an argument */
};

/* ---- a diagram in its order ---- */

struct ordered {
	struct orders *s;
	const struct meaning *m;
	const uint8_t *word; /* by place: argument * 2 + (low word) */
	bool is_apart;       /* each word's part is copied to s->parts */
	code_id *code; /* by node: its instructions, and what it is there; CODE_NONE: not yet */
	fn_id *part;
};

static code_id build(struct ordered *g, fn_id f);

/* The part of f that looks at the word at this place, on its own. */
static fn_id part_of(struct ordered *g, fn_id f, unsigned at)
{
	const struct fn_node n = g->m->nodes.v[f];

	if (n.rank / 32 != at)
		return fn_code(&g->s->parts, build(g, f));
	if (g->part[f] == CODE_NONE) {
		fn_id low = part_of(g, n.low, at), high = part_of(g, n.high, at);
		g->part[f] = fn_make(&g->s->parts, n.rank % 32, low, high);
	}
	return g->part[f];
}

/* What f's word leads to. */
static void build_ends(struct ordered *g, fn_id f, unsigned at)
{
	const struct fn_node n = g->m->nodes.v[f];

	if (n.rank / 32 != at) {
		build(g, f);
	} else if (g->part[f] == CODE_NONE) {
		g->part[f] = f;
		build_ends(g, n.low, at);
		build_ends(g, n.high, at);
	}
}

static code_id build_word(struct ordered *g, fn_id f)
{
	unsigned at = fn_word(g->m, f);
	uint32_t offset = values_offset(g->word[at], g->s->big_endian);
	fn_id part = f;

	if (g->is_apart)
		part = part_of(g, f, at);
	else
		build_ends(g, f, at);
	if (g->is_apart && fn_is_leaf(&g->s->parts, part))
		return g->s->parts.nodes.v[part].low;
	return code_load(g->s->values.c, offset, values_build(&g->s->values, offset, part));
}

/* The instructions of a diagram that ends in code (fn_code()), or a claim, everywhere. */
static code_id build(struct ordered *g, fn_id f)
{
	const struct fn_node n = g->m->nodes.v[f];

	if (g->code[f] == CODE_NONE && n.rank == FN_LEAF)
		g->code[f] = n.high ? n.low : g->s->claims[n.low];
	if (g->code[f] == CODE_NONE && g->s->values.failed)
		return code_ret(g->s->values.c, 0); /* thrown away by the caller */
	if (g->code[f] == CODE_NONE)
		g->code[f] = build_word(g, f);
	return g->code[f];
}

/* ---- orders ---- */

/* Places by word: those of the order first. */
static void place(const struct order *o, uint8_t to[FN_WORDS], uint8_t word[FN_WORDS])
{
	unsigned at = 0;
	uint8_t list[ARGS];
	bool used[ARGS] = { false };

	for (unsigned i = 0; i < o->n; i++) {
		used[o->arg[i]] = true;
		list[i] = o->arg[i];
	}
	at = o->n;
	for (uint8_t i = 0; i < ARGS; i++)
		if (!used[i])
			list[at++] = i;
	for (uint8_t i = 0; i < FN_WORDS; i++) {
		word[i] = (uint8_t)(list[i / 2] * 2 + i % 2);
		to[word[i]] = i;
	}
}

static bool keep_better(struct orders *s, code_id code)
{
	code_id packed = code_drop_loads(s->values.c, code);
	size_t insns = code_count(s->values.c, packed);
	uint32_t height = s->values.c->nodes.v[packed].height;

	if (s->best != CODE_NONE &&
	    (insns > s->insns || (insns == s->insns && height >= s->height)))
		return false;
	s->best = code;
	s->insns = insns;
	s->height = height;
	return true;
}

/* f of m, in an order that is its own; true: smaller than what was tried before. */
static bool try_diagram(struct orders *s, const struct meaning *m, fn_id f, const uint8_t *word,
			bool is_apart)
{
	struct ordered g = { .s = s, .m = m, .word = word, .is_apart = is_apart };

	if (s->nnodes < m->nodes.n) {
		s->nnodes = m->nodes.n + m->nodes.n / 4;
		s->code = ARENA_ARRAY(s->arena, code_id, s->nnodes);
		s->part = ARENA_ARRAY(s->arena, fn_id, s->nnodes);
	}
	g.code = s->code;
	g.part = s->part;
	memset(g.code, 0xff, m->nodes.n * sizeof(*g.code));
	memset(g.part, 0xff, m->nodes.n * sizeof(*g.part));
	s->values.failed = false;
	if (!is_apart)
		values_start(&s->values, s->m, s->code);
	code_id code = build(&g, f);
	return !s->values.failed && keep_better(s, code);
}

static bool try_order(struct orders *s, const struct order *o)
{
	uint8_t to[FN_WORDS], word[FN_WORDS];

	place(o, to, word);
	meaning_clear(&s->moved, NODES_MAX);
	fn_id f = fn_copy(&s->moved, s->m, s->f, to);
	if (s->moved.exhausted)
		return false;
	/* Each part is a load and a test. */
	size_t parts = fn_measure(&s->moved, f).parts;
	if (parts > WORDS_MAX || (s->best != CODE_NONE && 2 * parts > s->insns))
		return false;
	return try_diagram(s, &s->moved, f, word, true);
}

static struct order moved(const struct order *o, unsigned from, unsigned to)
{
	struct order r = *o;
	uint8_t arg = o->arg[from];

	memmove(r.arg + from, r.arg + from + 1, r.n - from - 1);
	memmove(r.arg + to + 1, r.arg + to, r.n - 1 - to);
	r.arg[to] = arg;
	return r;
}

/* An order that has not been tried, while there are tries left. */
static bool is_new(struct orders *s, const struct order *o)
{
	uint32_t code = 1;

	for (unsigned i = 0; i < o->n; i++)
		code = code << 3 | o->arg[i];
	vec_each(&s->seen, k)
		if (*k == code)
			return false;
	if (!s->tries)
		return false;
	s->tries--;
	vec_push(s->arena, &s->seen, code);
	return true;
}

/* One argument after another to each other place, as long as that makes it smaller. */
static void sift(struct orders *s, struct order best)
{
	bool any = true;

	for (unsigned round = 0; round < ROUNDS && any; round++) {
		struct order from = best;
		any = false;
		for (unsigned i = 0; i < from.n; i++)
			for (unsigned k = 0; k < from.n; k++) {
				struct order o = moved(&from, i, k);
				if (!is_new(s, &o) || !try_order(s, &o))
					continue;
				best = o;
				any = true;
			}
	}
}

struct told { /* an instruction, and what it is asked of */
	uint32_t offset, mask, op, k;
};

struct repeats {
	struct code *c;
	struct told told[REPEATS_MAX];
	size_t n, again;
};

/* The instructions from here on, A holding a word under a mask. */
static void count_repeats(struct repeats *r, code_id code, uint32_t offset, uint32_t mask)
{
	struct code_node *n = &r->c->nodes.v[code];
	size_t at = 0;

	if (n->kind == CODE_RET || n->visit == r->c->visit)
		return;
	n->visit = r->c->visit;
	if (n->kind == CODE_LOAD)
		mask = UINT32_MAX;
	offset = n->kind == CODE_LOAD ? n->k : offset;
	const struct told own = { offset, mask, n->kind == CODE_JUMP ? n->op : n->kind, n->k };
	while (at < r->n && memcmp(&r->told[at], &own, sizeof(own)) != 0)
		at++;
	r->again += at < r->n || at == REPEATS_MAX;
	if (at == r->n && at < REPEATS_MAX)
		r->told[r->n++] = own;
	if (n->kind == CODE_AND)
		mask &= n->k;
	count_repeats(r, n->t, offset, mask);
	if (n->kind == CODE_JUMP)
		count_repeats(r, n->f, offset, mask);
}

/* Does the best say one thing in several places, as a list of rules does not? */
static bool has_repeats(struct orders *s)
{
	struct repeats r = { .c = s->values.c };

	if (s->best == CODE_NONE)
		return true;
	code_count_start(r.c);
	count_repeats(&r, code_drop_loads(r.c, s->best), 0, UINT32_MAX);
	return r.again > 0;
}

/* As lists of rules, each with one or another word looked at first. */
static void try_covers(struct orders *s)
{
	unsigned ways = covers_start(s->covers, s->m, s->f, s->claims);

	s->values.failed = false;
	for (unsigned way = 0; way < ways; way++) {
		size_t most = s->best == CODE_NONE ? SIZE_MAX : s->insns;
		bool is_found = covers_find(s->covers, way, most);
		if (s->values.failed)
			return; /* a test is none, and it is kept */
		if (!is_found)
			continue;
		unsigned words = covers_words(s->covers);
		for (unsigned w = 0; w <= FN_WORDS; w++) {
			if (w < FN_WORDS && !(words >> w & 1))
				continue;
			code_id code = covers_build(s->covers, w);
			if (code != CODE_NONE)
				keep_better(s, code);
		}
	}
}

struct order_budget order_budget_new(void)
{
	return (struct order_budget){ .nodes = ALL_NODES, .lists = ALL_LISTS };
}

struct orders *orders_new(struct arena *a, struct code *c, bool big_endian,
			  struct order_budget *left)
{
	struct orders *s = ARENA_NEW(a, struct orders);

	s->arena = a;
	s->big_endian = big_endian;
	s->left = left;
	values_init(&s->values, a, c);
	meaning_init(&s->moved, a, NODES_MAX);
	meaning_init(&s->parts, a, SIZE_MAX);
	s->covers = covers_new(a, &s->values, &s->parts, big_endian);
	return s;
}

code_id order_best(struct orders *s, struct meaning *m, fn_id f, const code_id claims[2])
{
	struct fn_extent extent = fn_measure(m, f);
	/* Where each word is looked at in one place no other order does it in fewer. */
	bool is_best = extent.parts == (size_t)__builtin_popcount(extent.words);
	struct order o = { .n = 0 };
	uint8_t word[FN_WORDS];

	s->m = m;
	s->f = f;
	s->claims = claims;
	s->best = CODE_NONE;
	s->seen.n = 0;
	for (uint8_t arg = 0; arg < ARGS; arg++)
		if (extent.words >> arg * 2 & 3)
			o.arg[o.n++] = arg;
	for (uint8_t i = 0; i < FN_WORDS; i++)
		word[i] = i;
	size_t most = s->left->nodes / TRIES_SHARE;
	size_t tries = 1 + (most < TRIES_NODES ? most : TRIES_NODES) / (extent.nodes + 1);
	s->tries = tries;
	is_new(s, &o);
	if (!is_best) {
		meaning_clear(&s->parts, SIZE_MAX);
		values_start(&s->values, &s->parts, NULL);
	}
	if (extent.parts <= WORDS_MAX)
		try_diagram(s, m, f, word, !is_best);
	if (!is_best)
		sift(s, o);
	size_t spent = (tries - s->tries) * extent.nodes;
	s->left->nodes -= spent < s->left->nodes ? spent : s->left->nodes;
	if (!is_best && extent.nodes <= COVER_NODES && s->left->lists && has_repeats(s)) {
		s->left->lists--;
		try_covers(s);
	}
	return s->best;
}
