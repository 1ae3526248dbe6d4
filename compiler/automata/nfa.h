/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Nondeterministic automata over bytes, as Thompson builds them: a node takes one byte of a set,
 * or forks without a byte, or ends. Node 0 is the start. A set may hold NUL, as the parser's [^a]
 * does: no path has one, and texts of several fields have them between two (machine_shape).
 * Everything lives in the arena.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/str.h"
#include "compiler/base/vec.h"

struct byte_set {
	uint64_t w[4];
};

void byte_set_add(struct byte_set *s, unsigned char low, unsigned char high); /* low <= high */
void byte_set_invert(struct byte_set *s);
static inline bool byte_set_has(const struct byte_set *s, unsigned char c)
{
	return s->w[c / 64] >> c % 64 & 1;
}

/* The byte of a set that reads best in a message: a letter, a digit, anything that is printed. */
unsigned char byte_set_pick(const struct byte_set *s); /* 0: there is none but NUL */

enum nfa_op {
	NFA_OPEN, /* not yet filled: where building goes on */
	NFA_STEP, /* a byte of sets[set], then `a` */
	NFA_FORK, /* `a` and `b` without a byte; NFA_NONE: only `a` */
	NFA_END,
};

enum { NFA_NONE = UINT32_MAX };

struct nfa_node {
	uint32_t a, b, set;
	enum nfa_op op;
};

struct nfa {
	struct arena *arena;
	VEC(struct nfa_node) nodes;
	VEC(struct byte_set) sets;
};

/* Building goes from an open node to the open node that it returns. */
uint32_t nfa_open(struct nfa *n);
uint32_t nfa_step(struct nfa *n, uint32_t from, const struct byte_set *set);
void nfa_fork(struct nfa *n, uint32_t from, uint32_t a, uint32_t b);
/* What was built from `begin` to the open node `end` any number of times. */
uint32_t nfa_star(struct nfa *n, uint32_t begin, uint32_t end);

/* A set of nodes under work: forks are followed, STEP and END nodes are held, each once. */
struct nfa_states {
	uint32_t *held, *stack, *mark;
	size_t n;
	uint32_t turn; /* a node whose mark is this is in */
};

void nfa_states_init(struct nfa_states *s, const struct nfa *n);
void nfa_states_clear(struct nfa_states *s);
void nfa_states_add(struct nfa_states *s, const struct nfa *n, uint32_t node);

/*
 * Paths as the kernel asks about them, as a small automaton beside another: "/" first, no "//",
 * no "." or ".." component; a directory ends in "/" (fs/d_path.c, apparmor's d_namespace_path).
 */
enum path_state { PATH_START, PATH_SLASH, PATH_DOT, PATH_DOTS, PATH_NAME, PATH_DEAD, PATH_NR };

enum path_state path_step(enum path_state s, unsigned char c);
static inline bool path_ends(enum path_state s)
{
	return s == PATH_SLASH || s == PATH_NAME;
}
