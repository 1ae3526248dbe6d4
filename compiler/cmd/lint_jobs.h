/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* pale lint's files by several processes: what is found in each comes back, and goes into one report. */
#include "compiler/cmd/lint_run.h"

/*
 * How many processes lint the files: --jobs, or as many as there are processors and work for them. 1
 * where a file can be read only once, or what is fixed hangs on a baseline that is counted off.
 */
unsigned lint_jobs_for(const struct lint_run *r, const struct options *o,
		       const lint_file_list *files);

/* The files from `first` on; returns the first of which nothing came back, as jobs_run() does. */
size_t lint_by_jobs(struct lint_run *r, size_t first, unsigned processes);

/* Of the file at hand, by another process. */
struct lint_made {
	struct str bytes; /* how it went, its findings, and what is to become of its text */
	struct str said;  /* to standard error */
	bool lost;        /* the process has ended before, and */
	int ended;        /* waitpid(2) says so; -1: nothing is known */
};
/* In place of linting: r->made becomes r->found, a fixed text is written, or what is wrong is told. */
int lint_made_here(void *run);
