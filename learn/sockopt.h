/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Options of sockets, whose numbers mean something only by their level: getsockopt and setsockopt,
 * whose recorded value is both (recording_args_of()).
 */
#include <stdint.h>

#include "compiler/tables/tables.h"
#include "learn/proposal.h"

/* The domain of the options of a level; NULL: pale has no names for them. */
const char *sockopt_domain(uint64_t level, enum arch a);
/* "SOL_SOCKET SO_REUSEADDR" */
void sockopt_put(struct buf *out, uint64_t value, enum arch a);
/* level == L and optname in {...}, for each of the levels; NULL where there were too many. */
struct ast_cond *sockopt_cond(struct proposal *p, const struct recorded_call *c,
			      const struct recorded_arg *seen);
/*
 * What such calls were not seen with and may be any day (sockopt.def); seen: what this one was, or NULL.
 * NULL: nothing.
 */
struct ast_cond *sockopt_ordinary(struct proposal *p, const struct recorded_call *c,
				  const struct recorded_arg *seen);
