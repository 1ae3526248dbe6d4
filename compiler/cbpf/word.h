/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a register holds while a program is lifted: 32 claims over the filter's input, one a
 * bit. Words are interned: equal contents have one id.
 */
#include "compiler/base/vec.h"
#include "compiler/decision/decision.h"

typedef uint32_t word_id;
#define WORD_NONE UINT32_MAX /* a budget ran out: the manager's, or the words' own */

struct word {
	dd_node bit[32]; /* least significant first */
	bool constant;
	uint32_t value; /* constant */
	bool plain;     /* an input word as it is: bits shift.. of field */
	enum dd_field field;
	unsigned shift;
};

struct words {
	struct dd *dd;
	struct arena *arena;
	VEC(struct word) list;
	VEC(word_id) table;           /* open addressing, WORD_NONE: free; n is its size */
	word_id inputs[DD_FIELDS][2]; /* by field and half (0: low); WORD_NONE: not asked for yet */
	size_t work; /* operations on bits so far: most need no new node, and cost time all the same */
};

void words_init(struct words *w, struct dd *d, struct arena *a);
word_id word_constant(struct words *w, uint32_t value);
word_id word_input(struct words *w, enum dd_field f, unsigned shift);
/* op: BPF_ADD ... BPF_XOR, BPF_NEG (y unused). Division by zero gives zero here. */
word_id word_alu(struct words *w, uint16_t op, word_id x, word_id y);
/* op: BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET. */
dd_node word_claim(struct words *w, uint16_t op, word_id x, word_id y);
/* Is `x op k` one test of an input word, for any k? Then word_test() needs no word for k. */
bool word_tests(const struct words *w, uint16_t op, word_id x);
dd_node word_test(struct words *w, uint16_t op, word_id x, uint32_t k, dd_node then,
		  dd_node otherwise);
/* then where the claim `x op y` holds, else otherwise. */
dd_node word_choose(struct words *w, uint16_t op, word_id x, word_id y, dd_node then,
		    dd_node otherwise);
/* What the kernel makes of this word as a filter's return value. */
dd_node word_verdict(struct words *w, word_id x);
