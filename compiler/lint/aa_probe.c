/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/aa_probe.h"

#include <string.h>

#include "compiler/automata/machine.h"
#include "compiler/automata/nfa.h"

/* ---- a path of a glob: its automaton beside that of paths, breadth first ---- */

struct step {
	uint32_t node, from;
	enum path_state path;
	unsigned char byte; /* that led here; 0: none */
};

struct search {
	struct arena *arena;
	const struct nfa *nfa;
	bool *met;
	VEC(struct step) steps;
	VEC(uint32_t) forks;
};

static void reach(struct search *s, uint32_t node, struct step step)
{
	s->forks.n = 0;
	vec_push(s->arena, &s->forks, node);
	while (s->forks.n) {
		uint32_t at = s->forks.v[--s->forks.n];
		if (at == NFA_NONE || s->met[(size_t)at * PATH_NR + step.path])
			continue;
		s->met[(size_t)at * PATH_NR + step.path] = true;
		step.node = at;
		if (s->nfa->nodes.v[at].op == NFA_FORK) {
			vec_push(s->arena, &s->forks, s->nfa->nodes.v[at].b);
			vec_push(s->arena, &s->forks, s->nfa->nodes.v[at].a);
		} else {
			vec_push(s->arena, &s->steps, step);
		}
	}
}

/* By what it does to a path there are three bytes: '/', '.', and any other. */
static void follow(struct search *s, uint32_t at)
{
	struct step here = s->steps.v[at];
	const struct nfa_node *node = &s->nfa->nodes.v[here.node];
	struct byte_set rest = s->nfa->sets.v[node->set];
	unsigned char bytes[3] = { 0, '.', '/' };

	rest.w[0] &= ~(UINT64_C(1) << '.' | UINT64_C(1) << '/');
	bytes[0] = byte_set_pick(&rest);
	for (unsigned i = 0; i < 3; i++) {
		struct step to = { .from = at, .byte = bytes[i] };
		if (!bytes[i] || !byte_set_has(&s->nfa->sets.v[node->set], bytes[i]))
			continue;
		to.path = path_step(here.path, bytes[i]);
		if (to.path != PATH_DEAD)
			reach(s, node->a, to);
	}
}

static struct str spell(const struct search *s, uint32_t at)
{
	size_t n = 0;

	for (uint32_t i = at; s->steps.v[i].byte; i = s->steps.v[i].from)
		n++;
	char *text = arena_alloc(s->arena, n + 1);
	size_t k = n;
	for (uint32_t i = at; s->steps.v[i].byte; i = s->steps.v[i].from)
		text[--k] = (char)s->steps.v[i].byte;
	return (struct str){ text, n };
}

struct str aa_probe_path(struct arena *a, const struct glob *g)
{
	struct search s = { .arena = a, .nfa = &g->nfa };

	s.met = ARENA_ARRAY(a, bool, g->nfa.nodes.n *PATH_NR);
	reach(&s, 0, (struct step){ .path = PATH_START });
	for (uint32_t i = 0; i < s.steps.n; i++) {
		const struct nfa_node *node = &s.nfa->nodes.v[s.steps.v[i].node];
		if (node->op == NFA_END && path_ends(s.steps.v[i].path))
			return spell(&s, i);
		if (node->op == NFA_STEP)
			follow(&s, i);
	}
	return (struct str){ NULL, 0 };
}

bool aa_probe_is_one(const struct glob *g)
{
	if (g->has)
		return false;
	vec_each(&g->nfa.nodes, node)
		if (node->op == NFA_FORK && node->b != NFA_NONE)
			return false;
	return true;
}

/* ---- what the profile says of its paths ---- */

static unsigned matched(void *who, const uint32_t *rules, size_t n)
{
	(void)who, (void)rules, (void)n;
	return 1;
}

static struct machine machine_of(struct arena *a, const struct glob *g)
{
	struct machine_pool *pool = machine_pool_new(a, matched, NULL);
	size_t steps = MACHINE_STEPS_MAX;
	machine_texts texts = machine_glob(pool, g, machine_end(pool, 0), &steps);

	if (texts == MACHINE_NONE)
		return (struct machine){ .decided = false };
	return machine_build(pool, texts);
}

struct str aa_probe_find(struct lint *l, const struct glob *g, aa_probe_fn *fn, const void *who,
			 bool *decided)
{
	const struct aa_means *means = &l->aa->q->means;
	struct str path = aa_probe_path(l->arena, g);

	*decided = true;
	if (!path.p || fn(who, path, aa_means_path(means, path)))
		return path;
	if (aa_probe_is_one(g))
		return (struct str){ NULL, 0 };
	struct machine one = machine_of(l->arena, g);
	*decided = aa_decided(l, one.decided);
	if (!one.decided)
		return (struct str){ NULL, 0 };
	struct machine_walk walk =
		machine_walk(l->arena, &one, &means->machine, MACHINE_PATHS, false);
	*decided = aa_decided(l, walk.decided);
	vec_each(&walk.found, f)
		if (f->a && fn(who, f->path, aa_means_class(means->pool, f->b)))
			return f->path;
	return (struct str){ NULL, 0 };
}

unsigned aa_probe_perm(unsigned perms)
{
	static const unsigned order[] = { PERM_W, PERM_R, PERM_X, PERM_A, PERM_M, PERM_K };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (perms & order[i])
			return order[i];
	return 0;
}
