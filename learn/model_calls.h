/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Of a model what model_calls.c alone uses. */
#include "compiler/base/table.h"
#include "learn/model.h"

struct model_calls {
	enum model_phase phase;
	struct table programs;         /* of their paths */
	size_t others;                 /* of the programs, from 1; 0: there are none yet */
	VEC(struct table) programs_at; /* of each: where its calls are */
	struct table tuples; /* of a list, a call and its arguments: where among the call's */
	uint32_t at[2][ARCH_NR][TRACE_NRS]; /* index into calls, and serve_calls, from 1 */
};

struct model_calls *model_calls(struct model *m);
