/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of the page. Inside learn/report only. */
#include <string.h>

#include "learn/report/html.h"
#include "learn/report/report.h"

struct page {
	struct buf *out;
	struct arena *a;
	const struct report *rep;
	const struct recording *r;
	const struct ast_stmt *policy;
	const struct page_makers *makers; /* of each call; NULL: they are not told apart */
};

/* Is it known what was done while serving? */
static inline bool report_has_phases(const struct page *p)
{
	return p->r->run.serve_from && strcmp(p->r->run.serve_from, RUN_NEVER) != 0;
}

/* growth.c: the picture of what was new when, and of how many runs had shown it. */
void report_growth(const struct page *p);
/* fresh[i]: calls and files that were new in the i-th of n runs. */
struct run_news {
	size_t calls, files;
};
void report_growth_by_run(const struct page *p, const struct run_news *fresh, size_t n);

/* runs.c: where and when each run was, and what was new in it; of one alone nothing. */
void report_runs(const struct page *p);

/* calls.c */
void report_phases(const struct page *p);
void report_capabilities(const struct page *p);
void report_calls(const struct page *p);
void report_beside(const struct page *p);
/* What the container's runtime did, which is not proposed. */
void report_runtime(const struct page *p);

/* programs.c: which program made which call; who made one, as a cell where that is told apart. */
void report_call_name(struct buf *out, enum arch a, uint32_t nr);
void report_find_makers(struct page *p);
void report_programs(const struct page *p);
void report_makers(const struct page *p, const struct recorded_call *c);

/* files.c: the file rules of a policy's statements as a tree of directories; of none nothing. */
void report_files(const struct page *p);
