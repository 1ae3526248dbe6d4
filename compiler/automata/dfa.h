/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Questions about many globs at once. Every glob carries labels, small numbers that the caller
 * gives a meaning ("allows read", "B: denies write to the owner"). A path has the labels of all
 * globs that match it. automaton_walk() finds every distinct set of labels that some path has,
 * each with a shortest such path; so
 *	which paths do two rule sets answer differently?  label A's rules 0.., B's rules 128..,
 *		and look at the sets whose two halves give different answers
 *	is glob x inside the union of others?  label x 0, the others 1: is there the set {0}?
 *	do two rules that exclude each other meet?  is there a set with both labels
 * The subsets of nodes are built on demand and counted. Exact: nothing is sampled.
 */
#include "compiler/automata/glob.h"

enum { AUTOMATON_LABELS = 256 };

struct label_set {
	uint64_t w[AUTOMATON_LABELS / 64];
};

void label_add(struct label_set *s, unsigned label);
bool label_has(const struct label_set *s, unsigned label);
bool label_eq(const struct label_set *x, const struct label_set *y);

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

struct automaton *automaton_new(struct arena *a, enum automaton_domain domain, size_t budget);
/* The glob is copied; one that is added twice counts twice. */
void automaton_add(struct automaton *m, const struct glob *g, const struct label_set *labels);

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

/* The result lives in the automaton's arena. More globs may be added, and walked again. */
struct automaton_walk automaton_walk(struct automaton *m);
