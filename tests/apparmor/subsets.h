/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The second engine that the machines of compiler/automata are held against: sets of nodes on
 * demand, nothing minimal. Questions about many globs at once. Every glob carries labels, small numbers that the caller
 * gives a meaning ("allows read", "B: denies write to the owner"). A path has the labels of all
 * globs that match it. automaton_walk() finds every distinct set of labels that some path has,
 * each with a shortest such path; so
 *	which paths do two rule sets answer differently?  label A's rules 0.., B's rules 128..,
 *		and look at the sets whose two halves give different answers
 *	is glob x inside the union of others?  label x 0, the others 1: is there the set {0}?
 *	do two rules that exclude each other meet?  is there a set with both labels
 * A state is a sorted set of nodes, and, over paths, how far the text is a path. States are found
 * by hash, visited breadth first, and stepped once for each class of bytes that no set of the
 * automaton tells apart. Exact: nothing is sampled.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/automata/glob.h"

enum { AUTOMATON_LABELS = 256 };

struct label_set {
	uint64_t w[AUTOMATON_LABELS / 64];
};

struct automaton;

/* Over which texts? */
enum automaton_domain {
	AUTOMATON_PATHS, /* that the kernel asks about: "/" first, no "//", no "." or ".." component */
	AUTOMATON_TEXTS, /* any bytes but NUL: as the parser looks for contradictions */
};

/*
 * AUTOMATON_BUDGET is the usual budget. It counts ten for each subset of nodes that the walk
 * reaches, and one for each node in it: about 8 bytes each. 2,000 plain paths take a tenth of it.
 */
enum { AUTOMATON_BUDGET = 8000000 };

struct automaton_found {
	struct label_set labels; /* of the globs that match, exactly these */
	struct str path;         /* a shortest path that has them; also NUL-terminated */
};

struct automaton_walk {
	VEC(struct automaton_found)
	found;         /* shortest first; the empty set (no glob) is among them */
	bool decided;  /* false: the budget ended; `found` holds what was met until then */
	size_t states; /* subsets reached */
};

enum { STATE_COST = 10 }; /* a state, its slot and what growing leaves behind, in nodes */

struct state {
	const uint32_t *nodes; /* ascending */
	uint32_t n;
	uint32_t from; /* index of the state before */
	enum path_state path;
	unsigned char byte; /* that led here; 0: the start */
};

struct automaton {
	struct nfa nfa; /* END nodes: `set` is the index of their labels */
	VEC(struct label_set) labels;
	VEC(uint32_t) starts;
	enum automaton_domain domain;
	size_t budget;
};

struct walk {
	struct automaton *m;
	VEC(struct state) states;
	uint32_t *slots; /* index + 1; 0: free */
	size_t slot_nr;  /* a power of two, never more than half full */
	size_t budget;
	unsigned char classes[256]; /* a byte of each class, those that read best first */
	unsigned class_nr;
	struct automaton_walk *out;
};

static void label_add(struct label_set *s, unsigned label)
{
	s->w[label / 64] |= UINT64_C(1) << label % 64;
}

static bool label_has(const struct label_set *s, unsigned label)
{
	return s->w[label / 64] >> label % 64 & 1;
}

static bool label_eq(const struct label_set *x, const struct label_set *y)
{
	return !memcmp(x, y, sizeof(*x));
}

static struct automaton *automaton_new(struct arena *a, enum automaton_domain domain, size_t budget)
{
	struct automaton *m = ARENA_NEW(a, struct automaton);

	m->nfa.arena = a;
	m->domain = domain;
	m->budget = budget;
	return m;
}

static void automaton_add(struct automaton *m, const struct glob *g, const struct label_set *labels)
{
	struct arena *a = m->nfa.arena;
	uint32_t base = (uint32_t)m->nfa.nodes.n, sets = (uint32_t)m->nfa.sets.n;

	vec_push(a, &m->starts, base);
	vec_each(&g->nfa.sets, set)
		vec_push(a, &m->nfa.sets, *set);
	vec_each(&g->nfa.nodes, node) {
		struct nfa_node copy = *node;
		copy.a += base;
		copy.b += copy.b == NFA_NONE ? 0 : base;
		copy.set = node->op == NFA_END ? (uint32_t)m->labels.n : node->set + sets;
		vec_push(a, &m->nfa.nodes, copy);
	}
	vec_push(a, &m->labels, *labels);
}

/* ---- classes of bytes ---- */

/* Splits the classes so far by one set: `of` numbers the class of each byte. */
static unsigned split_classes(unsigned char of[256], unsigned n, const struct byte_set *set)
{
	int inside[256];

	memset(inside, -1, sizeof(inside));
	bool seen[256] = { false };
	for (unsigned c = 1; c < 256; c++)
		if (!byte_set_has(set, (unsigned char)c))
			seen[of[c]] = true;
	for (unsigned c = 1; c < 256; c++) {
		unsigned k = of[c];
		if (!byte_set_has(set, (unsigned char)c) || !seen[k])
			continue;
		if (inside[k] < 0)
			inside[k] = (int)n++;
		of[c] = (unsigned char)inside[k];
	}
	return n;
}

static void find_classes(struct walk *w)
{
	unsigned char of[256] = { 0 };
	unsigned n = split_classes(of, 1, &(struct byte_set){ { 0 } });

	if (w->m->domain == AUTOMATON_PATHS)
		for (const char *p = "/."; *p; p++) {
			struct byte_set one = { { 0 } };
			byte_set_add(&one, (unsigned char)*p, (unsigned char)*p);
			n = split_classes(of, n, &one);
		}
	vec_each(&w->m->nfa.sets, set)
		n = split_classes(of, n, set);
	struct byte_set left = { { 0 } };
	byte_set_invert(&left);
	for (unsigned char c = byte_set_pick(&left); c; c = byte_set_pick(&left)) {
		w->classes[w->class_nr++] = c;
		for (unsigned k = 1; k < 256; k++)
			if (of[k] == of[c])
				left.w[k / 64] &= ~(UINT64_C(1) << k % 64);
	}
}

/* ---- states ---- */

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

static uint64_t hash_state(const struct state *s)
{
	uint64_t h = (uint64_t)s->path + 0x9e3779b97f4a7c15;

	for (uint32_t i = 0; i < s->n; i++) {
		h ^= s->nodes[i];
		h *= 0xff51afd7ed558ccd;
		h ^= h >> 32;
	}
	return h;
}

static bool same_state(const struct state *x, const struct state *y)
{
	return x->path == y->path && x->n == y->n &&
	       (!x->n || !memcmp(x->nodes, y->nodes, x->n * sizeof(*x->nodes)));
}

static void place_state(struct walk *w, uint32_t index)
{
	size_t k = hash_state(&w->states.v[index]) & (w->slot_nr - 1);

	while (w->slots[k])
		k = (k + 1) & (w->slot_nr - 1);
	w->slots[k] = index + 1;
}

static void grow_slots(struct walk *w)
{
	w->slot_nr = w->slot_nr ? 2 * w->slot_nr : 1024;
	w->slots = ARENA_ARRAY(w->m->nfa.arena, uint32_t, w->slot_nr);
	for (uint32_t i = 0; i < w->states.n; i++)
		place_state(w, i);
}

static bool known_state(const struct walk *w, const struct state *s)
{
	for (size_t k = hash_state(s) & (w->slot_nr - 1); w->slots[k];
	     k = (k + 1) & (w->slot_nr - 1))
		if (same_state(&w->states.v[w->slots[k] - 1], s))
			return true;
	return false;
}

static void note_labels(struct walk *w, uint32_t index);

/* The nodes held become a state, if there is none like it. False: the budget has ended. */
static bool add_state(struct walk *w, struct nfa_states *held, struct state s)
{
	struct arena *a = w->m->nfa.arena;

	qsort(held->held, held->n, sizeof(*held->held), by_number);
	s.nodes = held->held;
	s.n = (uint32_t)held->n;
	if (s.path == PATH_DEAD || known_state(w, &s))
		return true;
	if (w->budget < (size_t)s.n + STATE_COST)
		return false;
	w->budget -= (size_t)s.n + STATE_COST;
	s.nodes = arena_dup(a, held->held, held->n * sizeof(*held->held));
	vec_push(a, &w->states, s);
	if (2 * w->states.n > w->slot_nr)
		grow_slots(w);
	else
		place_state(w, (uint32_t)w->states.n - 1);
	note_labels(w, (uint32_t)w->states.n - 1);
	return true;
}

/* ---- labels ---- */

static struct str spell(const struct walk *w, uint32_t at)
{
	size_t n = 0;

	for (uint32_t i = at; w->states.v[i].byte; i = w->states.v[i].from)
		n++;
	char *s = arena_alloc(w->m->nfa.arena, n + 1);
	size_t k = n;
	for (uint32_t i = at; w->states.v[i].byte; i = w->states.v[i].from)
		s[--k] = (char)w->states.v[i].byte;
	return (struct str){ s, n };
}

static void note_labels(struct walk *w, uint32_t index)
{
	const struct state *s = &w->states.v[index];
	struct automaton_found found = { .labels = { { 0 } } };

	if (!path_ends(s->path))
		return;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct nfa_node *node = &w->m->nfa.nodes.v[s->nodes[i]];
		for (unsigned k = 0; node->op == NFA_END && k < AUTOMATON_LABELS / 64; k++)
			found.labels.w[k] |= w->m->labels.v[node->set].w[k];
	}
	vec_each(&w->out->found, old)
		if (label_eq(&old->labels, &found.labels))
			return;
	found.path = spell(w, index);
	vec_push(w->m->nfa.arena, &w->out->found, found);
}

/* ---- the walk ---- */

static bool step_state(struct walk *w, uint32_t index, unsigned char c, struct nfa_states *next)
{
	const struct nfa *nfa = &w->m->nfa;
	struct state from = w->states.v[index];
	struct state to = { .from = index, .byte = c, .path = PATH_NAME };

	if (w->m->domain == AUTOMATON_PATHS)
		to.path = path_step(from.path, c);
	nfa_states_clear(next);
	for (uint32_t i = 0; i < from.n; i++) {
		const struct nfa_node *node = &nfa->nodes.v[from.nodes[i]];
		if (node->op == NFA_STEP && byte_set_has(&nfa->sets.v[node->set], c))
			nfa_states_add(next, nfa, node->a);
	}
	return add_state(w, next, to);
}

static struct automaton_walk automaton_walk(struct automaton *m)
{
	struct automaton_walk out = { .decided = true };
	struct walk w = { .m = m, .budget = m->budget, .out = &out };
	struct nfa_states next;

	find_classes(&w);
	grow_slots(&w);
	nfa_states_init(&next, &m->nfa);
	vec_each(&m->starts, start)
		nfa_states_add(&next, &m->nfa, *start);
	out.decided = add_state(
		&w, &next,
		(struct state){ .path = m->domain == AUTOMATON_PATHS ? PATH_START : PATH_NAME });
	for (uint32_t i = 0; i < w.states.n && out.decided; i++)
		for (unsigned c = 0; c < w.class_nr && out.decided; c++)
			out.decided = step_state(&w, i, w.classes[c], &next);
	out.states = w.states.n;
	return out;
}
