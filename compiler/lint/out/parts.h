/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the forms of output share. */
#include "compiler/base/json_write.h"
#include "compiler/lint/out/out.h"

typedef void report_file_fn(struct report *r, const struct findings *all);
typedef void report_end_fn(struct report *r, struct buf *out);
#define FORMAT(name, of_file, of_end)                                                              \
	report_file_fn of_file;                                                                    \
	report_end_fn of_end;
#include "compiler/lint/out/formats.def"
#undef FORMAT

/* How others call a severity. They have no `high`: it is their error, and SARIF's has a number. */
struct severity_words {
	const char *gcc, *sarif, *github, *gitlab, *checkstyle;
	const char *security; /* SARIF's security-severity, as CVSS counts: 7.0 and more is high */
};
const struct severity_words *severity_words(enum severity s);

struct region { /* lines and columns from 1, columns in code points, the end behind the last */
	uint32_t line, column, end_line, end_column;
};
/* Of a span; all 1 where there is no source. */
struct region region_of(const struct source *src, struct span sp);

struct counts {
	size_t of[SEVERITY_NR], suppressed, known;
};
/* "3 findings: 1 high, 2 warning, 1 suppressed" */
void put_counts(struct buf *out, const struct counts *c);

/* statistics.c: lines, and a member. */
void statistics_text(const struct report *r, struct buf *out);
void statistics_json(const struct report *r, struct json_writer *w);

/* As services that hold a repository name its files: without the "./" of 'pale lint .'. */
const char *repository_path(const char *path);
/* A relative reference, or file:// of an absolute path: bytes that a URI has no room for as %NN. */
void put_uri(struct buf *out, const char *path);
