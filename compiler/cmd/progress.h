/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How far a command is, on a terminal at standard error, once it has taken longer than a second: one
 * line, written over and taken away at the end. Elsewhere nothing is written. What is shown are our
 * own words and numbers: no name of the user's.
 */
#include <stdint.h>

struct progress {
	const char *command; /* "merge" */
	const char *what;    /* "recordings" */
	uint64_t total;      /* 0: not known */
	uint64_t begun_ns, shown_ns;
	int shows; /* 0: no terminal; 1: nothing is shown yet; 2: a line stands there */
};

/* total 0: not known. */
void progress_begin(struct progress *p, const char *command, const char *what, uint64_t total);
/* So many are done; cheap enough to be called for each. */
void progress_step(struct progress *p, uint64_t done);
/* Before anything else is told. */
void progress_end(struct progress *p);
