/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which file a path leads to: what is written must not be what is read (options_read(), compile). */
#include "compiler/base/arena.h"
#include "compiler/output/output.h"

/* Do both lead to one regular file, or would they, where there is none yet? */
bool outputs_same(struct arena *a, const char *one, const char *other);
/* The first of these outputs that is one of the files that are read; NULL: none. Sorts, for thousands. */
const char *outputs_find_lost(struct arena *a, const struct output_file *files, size_t n,
			      const path_list *read);
