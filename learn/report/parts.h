/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of the page. Inside learn/report only. */
#include "learn/report/html.h"
#include "learn/report/report.h"

/* growth.c: the picture of what was new when. */
void report_growth(struct buf *out, struct arena *a, const struct recording *r);

/* files.c: the file rules of a policy's statements as a tree of directories. How many. */
size_t report_files(struct buf *out, struct arena *a, const struct ast_stmt *policy);
