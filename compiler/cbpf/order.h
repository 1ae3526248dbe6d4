/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A call's diagram to instructions. */
#include "compiler/cbpf/meaning.h"

/* What may still be tried in one program: the calls that come first have more of it. */
struct order_budget {
	size_t nodes; /* of diagrams in other orders */
	size_t lists; /* calls of which a list of rules is looked for */
};
struct order_budget order_budget_new(void);

/* What is tried, and the room for it, from call to call: owned by the arena. */
struct orders;
struct orders *orders_new(struct arena *a, struct code *c, bool big_endian,
			  struct order_budget *left);
/*
 * The smallest of all that is tried, for a diagram whose places are the words' and which ends in
 * code (fn_code()) everywhere, or in a claim: that is claims[FN_NO] or claims[FN_YES]. CODE_NONE:
 * the diagram is too large.
 */
code_id order_best(struct orders *s, struct meaning *m, fn_id f, const code_id claims[2]);
