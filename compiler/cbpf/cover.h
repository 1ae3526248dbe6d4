/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A call's diagram as a list of rules of its own, made from what it means: each is one set of values
 * a word, and they are as large as can be (prime implicants, Quine 1955, of words instead of bits),
 * as few as they may be, and then as simple to test for as what the others cover allows.
 */
#include "compiler/cbpf/meaning.h"
#include "compiler/cbpf/values.h"

struct covers;
/* v: at hand for a diagram whose only word is at place 0, `parts`, where the tests are built. */
struct covers *covers_new(struct arena *a, struct values *v, struct meaning *parts,
			  bool big_endian);
/* Ways to cover f that there are to try, of a diagram as order_best() takes it; 0: too many. */
unsigned covers_start(struct covers *k, const struct meaning *m, fn_id f, const code_id claims[2]);
/* Finds the rules of one way. False: they would be too many, or hardly less than `most` instructions. */
bool covers_find(struct covers *k, unsigned way, size_t most);
/*
 * The instructions of what was found; the rules that look at this word are put together first.
 * CODE_NONE: too many diagrams on the way.
 */
code_id covers_build(struct covers *k, unsigned word);
/* Words that more than one of the rules found looks at, a bit each. */
unsigned covers_words(const struct covers *k);
