/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the rules of one call mean: a decision diagram over the bits of its arguments, reduced
 * and shared (Bryant, 1986), so that rules with one meaning are one node however they are
 * written. The generator's own: the proof (compiler/decision) shares nothing with it.
 */
#include "compiler/cbpf/gen.h"

typedef uint32_t fn_id;

#define CODE_NONE UINT32_MAX

enum {
	FN_NO, /* the two claims that are nodes of their own */
	FN_YES,
	FN_WORDS = 12,
	FN_LEAF = FN_WORDS * 32, /* the rank of what looks at no bit */
};

struct fn_node {
	uint32_t rank;   /* place of its bit: word after word, the most significant first */
	fn_id low, high; /* FN_LEAF: low is the code_id where high is 1 */
};

struct fn_memo {
	fn_id a, b, c, result;
};

struct meaning {
	struct arena *arena;
	VEC(struct fn_node) nodes;
	uint32_t *table; /* open addressing: index + 1 into nodes; of `room` so much is in use: */
	size_t cap, room;
	struct fn_memo *memo; /* of fn_choose(), the last of each slot; likewise */
	size_t nmemo, memo_room, remembered;
	size_t max;     /* nodes */
	bool exhausted; /* more were asked for: no answer since then is one */
};

struct interval {
	uint32_t first, last;
};

void meaning_init(struct meaning *m, struct arena *a, size_t max);
/* Empty again, in the room that it has. */
void meaning_clear(struct meaning *m, size_t max);
fn_id fn_code(struct meaning *m, code_id code);
fn_id fn_make(struct meaning *m, uint32_t rank, fn_id low, fn_id high);
/* (word & mask) is in one of the ranges, which are sorted; `at`: the word's place. */
fn_id fn_values(struct meaning *m, unsigned at, uint32_t mask, const struct interval *iv, size_t n);
/* `then` where the claim holds, else `otherwise`. */
fn_id fn_choose(struct meaning *m, fn_id claim, fn_id then, fn_id otherwise);
fn_id fn_and(struct meaning *m, fn_id x, fn_id y);
fn_id fn_or(struct meaning *m, fn_id x, fn_id y);
fn_id fn_not(struct meaning *m, fn_id x);
/* Any of n claims; the array is used up. */
fn_id fn_any(struct meaning *m, fn_id *claims, size_t n);
/* f of another diagram; the word at place i comes to place to[i]. */
fn_id fn_copy(struct meaning *m, const struct meaning *from, fn_id f, const uint8_t *to);

struct fn_extent {
	size_t nodes;   /* that f is made of, its ends left out */
	size_t parts;   /* of those, where one word has been looked at, and another's turn is */
	unsigned words; /* the places of the words that f looks at, a bit each */
};

struct fn_extent fn_measure(struct meaning *m, fn_id f);

static inline bool fn_is_leaf(const struct meaning *m, fn_id f)
{
	return m->nodes.v[f].rank == FN_LEAF;
}

static inline unsigned fn_word(const struct meaning *m, fn_id f)
{
	return m->nodes.v[f].rank / 32;
}
