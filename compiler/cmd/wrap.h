/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Words to lines that fit a terminal, for help and explanations. */
#include "compiler/base/str.h"

enum { WRAP_COLUMNS = 88 };

struct wrap {
	struct buf *out;
	size_t indent; /* blanks before every line but the first */
	size_t column; /* where the line at hand ends */
};

/* `words` stay together; a blank parts them from what stands before them on their line. */
void wrap_add(struct wrap *w, struct str words);
/* Each word of the text; an empty line in it ends a paragraph. */
void wrap_text(struct wrap *w, const char *text);
