/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Of a model what model_calls.c alone uses. */
#include "learn/model.h"

struct model_calls {
	enum model_phase phase;
	uint32_t at[2][ARCH_NR][TRACE_NRS]; /* index into calls, and serve_calls, from 1 */
};

struct model_calls *model_calls(struct model *m);
