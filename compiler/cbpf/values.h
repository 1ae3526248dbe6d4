/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The tests of one word. */
#include "compiler/base/chain.h"
#include "compiler/cbpf/meaning.h"

struct values {
	struct arena *arena;
	struct code *c;
	struct meaning *m;   /* of all words; at hand is the one at this place: */
	unsigned at;         /* what looks at none of its bits is an end, */
	const code_id *code; /* whose instructions are these, by node; NULL: it is a fn_code() */
	uint32_t offset;     /* of the word at hand */
	struct chain pieces;
	size_t tries, all_tries, depth;
	bool failed;             /* a word had too many parts: the code is none */
	uint32_t *visits, visit; /* by node: the walk that was here last, and what it made of it */
	size_t nvisits;
	fn_id *memo;
	uint64_t *sure;
	size_t nmemo;
};

/* Where a word lies in struct seccomp_data; word: argument * 2 + (low word). */
uint32_t values_offset(unsigned word, bool big_endian);
void values_init(struct values *v, struct arena *a, struct code *c);
/* For other diagrams: what was kept of those before is forgotten. */
void values_start(struct values *v, struct meaning *m, const code_id *code);
/* The tests, where A holds the word at this offset, a value of f, whose first word that is. */
code_id values_build(struct values *v, uint32_t offset, fn_id f);
/* The same of ranges under a mask, each with its leaf, no two neighbours with one; two or more. */
code_id values_tests(struct code *c, struct arena *scratch, uint32_t mask, struct tree_range *r,
		     size_t n);
