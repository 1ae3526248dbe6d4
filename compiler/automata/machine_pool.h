/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a pool of machines holds; machine.h is the way in. */
#include "compiler/automata/machine.h"
#include "compiler/automata/machine_index.h"
#include "compiler/base/table.h"

/* Bytes up to and with `high`, from behind those of the run before; a row's runs cover all bytes. */
struct run {
	uint32_t to;
	unsigned char high;
};

enum { BYTES_FEW = 8 };

/* A set of bytes, as positions share them. */
struct bytes {
	struct byte_set set,
		edges; /* edges: where a byte's answer is not that of the byte before */
	bool few;      /* so few that each is named */
	unsigned char few_n, few_bytes[BYTES_FEW];
};

enum { POSITION_END = UINT32_MAX };

/*
 * Takes a byte and goes to a set; or ends. A star goes to the set of itself, and stands for what
 * follows it too.
 */
struct position {
	uint32_t bytes; /* POSITION_END: of rule `to` */
	uint32_t to;
	uint32_t out;  /* of a star: what follows it; else 0 */
	uint32_t only; /* the set of this position alone; 0: not yet asked for */
};

/*
 * Positions that a text leads to: a state before it is made minimal. Set 0 is empty. Of stars over
 * the same bytes a set has one, and nothing that follows a star in it; so sets are small where a
 * path is under many globs, and one where these are.
 */
struct set {
	const uint32_t *positions; /* stars first */
	uint32_t *members; /* positions + 1 by hash, where it follows a star; [0]: how many */
	struct run *row;   /* to sets; NULL: not yet followed */
	uint32_t n, star_n, hash, row_n;
	uint32_t ends; /* number + 1 of the rules that end here; 0: none */
	uint32_t class;
	uint32_t cost;    /* steps that following it took */
	uint32_t minimal; /* MACHINE_NONE: not yet known */
	uint32_t seen;    /* in which build it was last reached */
	uint32_t order;   /* of Tarjan's search, then its place in its component */
};

enum { SETS_A_PAGE = 256 };

enum { COLOURS = 3 }; /* bytes that a colour looks ahead */

/* A minimal state. State 0 is the one that nothing leaves, of class 0. */
struct state {
	const struct run *row; /* to states; its neighbours differ */
	uint32_t row_n, class;
	uint32_t colours; /* how many are known */
	uint32_t colour[COLOURS + 1];
};

struct class_of_rules {
	const uint32_t *rules;
	size_t n;
	unsigned class;
};

struct merge {
	uint32_t one, two, star; /* positions: two stars over the same bytes, and both as one */
};

struct read_glob {
	const struct nfa *nfa;
	machine_texts then, texts;
	size_t steps; /* that reading it took */
};

enum { UNIONS = 4096 };

struct two { /* sets, and what they are together */
	uint32_t x, y, to;
	size_t cost;
};

struct machine_pool {
	struct arena *arena;
	machine_class_fn *class_of;
	void *who;
	VEC(struct bytes) bytes;
	VEC(struct position) positions;
	VEC(struct set *) pages; /* of sets, which stay where they are */
	uint32_t set_n;
	VEC(struct state) states;
	VEC(struct class_of_rules) classes;
	VEC(struct merge) merges;
	VEC(struct read_glob) globs;
	VEC(uint32_t) cyclic; /* states that lead back to themselves, not yet in by_colour */
	struct index by_bytes, by_position, by_set, by_merge, by_class, by_glob, by_row, by_colour;
	/* a set under work: its positions, and the turn in which each position was last met */
	uint32_t *held, *mark, held_n, turn;
	size_t mark_nr; /* there is room for in each of these */
	uint32_t build;
	VEC(uint32_t) ends, stars;
	VEC(struct run) row;
	struct two *unions;          /* by hash, the last of each: UNIONS; NULL: none yet */
	struct reading *reading;     /* machine.c's */
	struct following *following; /* machine_row.c's */
};

static inline uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

static inline struct set *pool_set(const struct machine_pool *p, uint32_t set)
{
	return &p->pages.v[set / SETS_A_PAGE][set % SETS_A_PAGE];
}

/* ---- machine.c ---- */

/* The positions of this set that do not take one of a few bytes, as a set of their own. */
uint32_t pool_rest(struct machine_pool *p, uint32_t set);
/* The set of all positions of these sets; *cost grows by what was looked at. */
uint32_t pool_unite(struct machine_pool *p, const uint32_t *sets, size_t n, size_t *cost);

/* ---- machine_row.c ---- */

/* Follows a set: false where more than `most` steps would be taken. */
bool pool_follow(struct machine_pool *p, uint32_t set, size_t most);

/* ---- machine_state.c ---- */

/* Ways back to the state itself count as MACHINE_NONE, and are so in a row of no state yet. */
uint64_t pool_hash_row(uint32_t class, const struct run *row, size_t n, uint32_t self);
uint32_t pool_new_state(struct machine_pool *p, uint32_t class, const struct run *row, size_t n);
void pool_enter_state(struct machine_pool *p, uint32_t state); /* to be found by its row */

/* ---- machine_minimal.c, machine_cycle.c ---- */

/* The minimal states of all sets that a set leads to, all of which were followed. */
void pool_minimize(struct machine_pool *p, uint32_t root);
/* States of a component of several sets, whose ways out are minimal; memory from the scratch. */
void pool_minimize_cycle(struct machine_pool *p, struct arena *a, const uint32_t *sets, size_t n);
