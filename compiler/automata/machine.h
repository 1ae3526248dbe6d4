/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Many globs as one deterministic, minimal automaton over bytes. Each glob carries a rule number;
 * what the rules that match a path give together, its class, is the caller's to say. States that
 * have one class and the same way on are one state.
 *
 * A pool holds everything, for one function of classes. What is left to match of a text is a set
 * of positions, and equal sets are one wherever they come from: rules that say the same behind a
 * common end, and the same includes in other profiles, are followed once. A glob has no cycle but
 * a star over one byte, so nearly all states are found from their ends by hash; only what is left,
 * the cycles of several states, is refined (by the smaller half, as Hopcroft does; Paige and
 * Tarjan 1987, section 3).
 */
#include "compiler/automata/glob.h"

/*
 * What one machine may take: states before they are made minimal, and the positions and
 * transitions that making them looked at. A machine that would take more is not decided. Both are
 * the same whatever the pool held before.
 */
enum { MACHINE_STATES_MAX = 200000, MACHINE_STEPS_MAX = 50000000 };

/* The class of exactly these rules, which ascend; n > 0. 0 is the class of no rule at all. */
typedef unsigned machine_class_fn(void *who, const uint32_t *rules, size_t n);

struct machine_pool;

/* Owner: the arena. */
struct machine_pool *machine_pool_new(struct arena *a, machine_class_fn *class_of, void *who);

/* Texts that end in rules: 0 none, else a number of the pool. */
typedef uint32_t machine_texts;
#define MACHINE_NONE UINT32_MAX

machine_texts machine_end(struct machine_pool *p, uint32_t rule); /* the empty text */
/* A byte of the set, NUL too, then what `then` has. */
machine_texts machine_byte(struct machine_pool *p, const struct byte_set *set, machine_texts then);
/*
 * What the glob matches, then what `then` has. MACHINE_NONE where *steps, from which its work is
 * taken, ends before (closing over its alternatives takes the square of its length at most).
 */
machine_texts machine_glob(struct machine_pool *p, const struct glob *g, machine_texts then,
			   size_t *steps);
machine_texts machine_union(struct machine_pool *p, const machine_texts *texts, size_t n);

struct machine {
	const struct machine_pool *pool;
	bool decided;   /* false: the budget ended, and nothing may be asked of it */
	uint32_t start; /* its first state; machines of one pool that have the same are equal */
	size_t states, steps; /* that making it took */
};

struct machine machine_build(struct machine_pool *p, machine_texts texts);
/* The class of a text (any bytes), in O(its length). */
unsigned machine_find(const struct machine *m, struct str text);
/* States of the minimal automaton, without the one that nothing leaves; walks them. */
size_t machine_size(struct arena *a, const struct machine *m);

enum machine_domain {
	MACHINE_PATHS, /* that the kernel asks about: "/" first, no "//", no "." or ".." component */
	MACHINE_TEXTS, /* any bytes but NUL: as the parser looks for contradictions */
};

/* Which texts there are, NUL in them too: an automaton of the caller's that is walked beside. */
struct machine_shape {
	uint32_t start;
	/* MACHINE_NONE: no text begins so. */
	uint32_t (*step)(const struct machine_shape *s, uint32_t state, unsigned char byte);
	bool (*ends)(const struct machine_shape *s, uint32_t state); /* a text may end here */
	/* Of a text that ends here: pairs of classes are found once for each group. */
	unsigned (*group)(const struct machine_shape *s, uint32_t state);
};

struct machine_found {
	unsigned a, b;
	unsigned group;  /* of a shape; else 0 */
	struct str path; /* a shortest one that has these classes; also NUL-terminated */
};

struct machine_walk {
	VEC(struct machine_found)
	found;         /* shortest first, each pair once */
	bool decided;  /* false: the budget ended; `found` holds what was met until then */
	size_t states; /* pairs reached */
};

/*
 * Every pair of classes that some text has in a and in b, which may be of different pools; b NULL:
 * the classes of a, with 0. `differ`: only where the machines go different ways, for which both
 * must be of one pool: pairs of two classes, and perhaps some of one. At most MACHINE_STATES_MAX
 * pairs of states. Letters are preferred in witnesses. Owner: the arena.
 */
struct machine_walk machine_walk(struct arena *a, const struct machine *x, const struct machine *y,
				 enum machine_domain domain, bool differ);
/*
 * The same of the texts to which `in` too gives a class; y is not NULL, and pairs are taken from
 * *left, which is less behind it.
 */
struct machine_walk machine_walk_within(struct arena *a, const struct machine *x,
					const struct machine *y, const struct machine *in,
					enum machine_domain domain, bool differ, size_t *left);
/*
 * Every pair of classes, neither of them 0, that some path or text has in a and in b: where either
 * machine leads nowhere nothing is looked for. Else as machine_walk().
 */
struct machine_walk machine_meet(struct arena *a, const struct machine *x, const struct machine *y,
				 enum machine_domain domain);
struct machine_walk machine_meet_shape(struct arena *a, const struct machine *x,
				       const struct machine *y, const struct machine_shape *shape);
/* As machine_walk() over the texts of a shape. */
struct machine_walk machine_walk_shape(struct arena *a, const struct machine *x,
				       const struct machine *y, const struct machine_shape *shape,
				       bool differ);
struct machine_walk machine_walk_shape_within(struct arena *a, const struct machine *x,
					      const struct machine *y, const struct machine *in,
					      const struct machine_shape *shape, bool differ,
					      size_t *left);

/*
 * Texts of two paths with a NUL between: what a path is, what it is with another behind, and what
 * that other is, for two sides. `links` hold those pairs, `paths` all paths; all are of one pool
 * where `differ` is set, which leaves out tails that both sides read alike behind one class.
 */
struct machine_links_asked {
	const struct machine *links[2], *paths[2];
	bool differ;
};

struct machine_link_head { /* shortest first, each once */
	unsigned path[2];
	size_t group; /* what may stand behind */
	struct str text;
};

struct machine_link_tail {
	unsigned pair[2], to[2];
	struct str text;
};

struct machine_link_group {
	uint32_t start[2]; /* states behind the NUL */
	bool differ;
	VEC(struct machine_link_tail) tails;
};

struct machine_links {
	VEC(struct machine_link_head) heads;
	VEC(struct machine_link_group) groups;
	bool decided; /* false: the budget of machine_walk() ended, over all of it */
};

struct machine_links machine_walk_links(struct arena *a, const struct machine_links_asked *q);
