/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A call's diagram to instructions. */
#include "compiler/cbpf/meaning.h"

/* What is tried, and the room for it, from call to call: owned by the arena. */
struct orders;
struct orders *orders_new(struct arena *a, struct code *c, bool big_endian);
/*
 * The smallest of all that is tried, for a diagram whose places are the words' and which ends in
 * code (fn_code()) everywhere, or in a claim: that is claims[FN_NO] or claims[FN_YES]. CODE_NONE:
 * the diagram is too large.
 */
code_id order_best(struct orders *s, struct meaning *m, fn_id f, const code_id claims[2]);
