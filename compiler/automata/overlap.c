/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is there a text that two globs match? The product of their automata, breadth first, so that
 * the witness is a shortest one; a pair of nodes at a time, so that it never grows beyond the
 * product of their sizes. First among the paths that the kernel asks about.
 */
#include <string.h>

#include "compiler/automata/glob.h"

struct pair {
	uint32_t from; /* index of the pair before */
	uint32_t x, y;
	enum path_state path;
	unsigned char byte; /* 0: the first of all */
};

struct product {
	struct arena *arena;
	const struct nfa *x, *y;
	bool paths;        /* only those that the kernel asks about */
	struct str common; /* what both begin with, and where they go on behind it */
	struct pair start;
	uint32_t *visited;
	VEC(struct pair) pairs, forks;
};

/* Forks are followed at once, so that the pairs stand in the order of their bytes. */
static void visit(struct product *p, struct pair next)
{
	if (next.path == PATH_DEAD)
		return;
	p->forks.n = 0;
	vec_push(p->arena, &p->forks, next);
	while (p->forks.n) {
		next = p->forks.v[--p->forks.n];
		if (next.x == NFA_NONE || next.y == NFA_NONE)
			continue;
		size_t k = ((size_t)next.x * p->y->nodes.n + next.y) * PATH_NR + next.path;
		if (p->visited[k / 32] >> k % 32 & 1)
			continue;
		p->visited[k / 32] |= UINT32_C(1) << k % 32;
		const struct nfa_node *x = &p->x->nodes.v[next.x], *y = &p->y->nodes.v[next.y];
		struct pair other = next;
		if (x->op == NFA_FORK) {
			next.x = x->a;
			other.x = x->b;
		} else if (y->op == NFA_FORK) {
			next.y = y->a;
			other.y = y->b;
		} else {
			vec_push(p->arena, &p->pairs, next);
			continue;
		}
		vec_push(p->arena, &p->forks, other);
		vec_push(p->arena, &p->forks, next);
	}
}

static void take(struct product *p, uint32_t at, const struct byte_set *set, uint32_t x, uint32_t y)
{
	unsigned char c = byte_set_pick(set);
	enum path_state s = p->paths ? path_step(p->pairs.v[at].path, c) : PATH_NAME;

	if (c)
		visit(p, (struct pair){ at, x, y, s, c });
}

/* Both take a byte: one of each kind that matters for what is a path. */
static void take_bytes(struct product *p, uint32_t at, const struct nfa_node *x,
		       const struct nfa_node *y)
{
	struct byte_set both, slash = { { UINT64_C(1) << '/' } }, dot = { { UINT64_C(1) << '.' } };

	for (unsigned i = 0; i < 4; i++) {
		both.w[i] = p->x->sets.v[x->set].w[i] & p->y->sets.v[y->set].w[i];
		slash.w[i] &= both.w[i];
		dot.w[i] &= both.w[i];
		if (p->paths)
			both.w[i] &= ~(slash.w[i] | dot.w[i]);
	}
	if (both.w[0] | both.w[1] | both.w[2] | both.w[3])
		take(p, at, &both, x->a, y->a);
	if (p->paths && slash.w[0]) /* of both the bit is in the first word */
		take(p, at, &slash, x->a, y->a);
	if (p->paths && dot.w[0])
		take(p, at, &dot, x->a, y->a);
}

static const char *spell(const struct product *p, uint32_t at)
{
	size_t n = p->common.n;

	for (uint32_t i = at; p->pairs.v[i].byte; i = p->pairs.v[i].from)
		n++;
	char *s = arena_alloc(p->arena, n + 1);
	if (p->common.n)
		memcpy(s, p->common.p, p->common.n);
	for (uint32_t i = at; p->pairs.v[i].byte; i = p->pairs.v[i].from)
		s[--n] = (char)p->pairs.v[i].byte;
	return s;
}

static enum glob_answer search(struct product *p, size_t *budget, const char **witness)
{
	size_t size = p->x->nodes.n * p->y->nodes.n * PATH_NR / 32 + 1;

	if (size > *budget)
		return GLOB_NOT_DECIDED;
	*budget -= size;
	p->visited = ARENA_ARRAY(p->arena, uint32_t, size);
	p->pairs.n = 0;
	p->start.path = p->paths ? PATH_START : PATH_NAME;
	for (size_t i = 0; p->paths && i < p->common.n; i++)
		p->start.path = path_step(p->start.path, (unsigned char)p->common.p[i]);
	visit(p, p->start);
	for (uint32_t i = 0; i < p->pairs.n; i++) {
		struct pair k = p->pairs.v[i];
		if (!*budget)
			return GLOB_NOT_DECIDED;
		--*budget;
		if (p->x->nodes.v[k.x].op == NFA_END && p->y->nodes.v[k.y].op == NFA_END &&
		    path_ends(k.path)) {
			*witness = spell(p, i);
			return GLOB_YES;
		}
		const struct nfa_node *x = &p->x->nodes.v[k.x], *y = &p->y->nodes.v[k.y];
		if (x->op == NFA_STEP && y->op == NFA_STEP)
			take_bytes(p, i, x, y);
	}
	return GLOB_NO;
}

static enum glob_answer overlap(struct arena *a, const struct glob *x, const struct glob *y,
				bool texts, size_t *budget, const char **witness)
{
	struct product p = { .arena = a, .x = &x->nfa, .y = &y->nfa, .paths = true };

	*witness = NULL;
	size_t common = x->prefix.n < y->prefix.n ? x->prefix.n : y->prefix.n;
	if (memcmp(x->prefix.p, y->prefix.p, common)) /* most paths */
		return GLOB_NO;
	p.common = (struct str){ x->prefix.p, common };
	p.start = (struct pair){ .x = glob_behind(x, common), .y = glob_behind(y, common) };
	enum glob_answer answer = search(&p, budget, witness);
	if (answer != GLOB_NO || !texts)
		return answer;
	p.paths = false;
	return search(&p, budget, witness);
}

enum glob_answer glob_overlap(struct arena *a, const struct glob *x, const struct glob *y,
			      size_t *budget, const char **witness)
{
	return overlap(a, x, y, true, budget, witness);
}

enum glob_answer glob_overlap_paths(struct arena *a, const struct glob *x, const struct glob *y,
				    size_t *budget, const char **witness)
{
	return overlap(a, x, y, false, budget, witness);
}

/* ---- beginnings ---- */

struct glob_heads glob_heads_of(struct arena *a, const struct glob *g)
{
	struct glob_heads heads = { .n = 0 };
	struct arena *scratch = arena_scratch(a);
	struct nfa local = g->nfa;
	struct nfa_states now, next;

	local.arena = scratch;
	nfa_states_init(&now, &local);
	nfa_states_init(&next, &local);
	nfa_states_clear(&now);
	nfa_states_add(&now, &local, 0);
	for (bool ends = false; heads.n < GLOB_HEADS; heads.n++) {
		struct byte_set *at = &heads.at[heads.n];

		nfa_states_clear(&next);
		for (size_t i = 0; i < now.n; i++) {
			const struct nfa_node *k = &local.nodes.v[now.held[i]];
			ends |= k->op == NFA_END;
			for (unsigned w = 0; k->op == NFA_STEP && w < 4; w++)
				at->w[w] |= local.sets.v[k->set].w[w];
			if (k->op == NFA_STEP)
				nfa_states_add(&next, &local, k->a);
		}
		if (ends || !now.n)
			break;
		struct nfa_states old = now;
		now = next;
		next = old;
	}
	arena_free(scratch);
	return heads;
}

bool glob_heads_meet(const struct glob_heads *x, const struct glob_heads *y)
{
	for (unsigned i = 0; i < x->n && i < y->n; i++) {
		const uint64_t *v = x->at[i].w, *w = y->at[i].w;

		if (!(v[0] & w[0] || v[1] & w[1] || v[2] & w[2] || v[3] & w[3]))
			return false;
	}
	return true;
}
