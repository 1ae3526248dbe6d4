/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Items that have nothing to do with each other, done by several processes: each takes the next one
 * when it is free, and what it makes of it comes back as bytes, which are taken in the items' order. So
 * does what it says on standard error meanwhile, which lies in a file in memory.
 */
#include <stddef.h>

#include "compiler/base/str.h"

enum { JOBS_MAX = 64 };

struct jobs {
	size_t from, to; /* the items */
	unsigned processes;
	void *who;
	void (*work)(void *who, size_t item, struct buf *out); /* in a process of its own */
	void (*take)(void *who, size_t item, struct str made, struct str said); /* here */
	/* Instead, of an item whose process ended before it was done: what waitpid(2) says; -1: nothing. */
	void (*lost)(void *who, size_t item, int status, struct str said);
};

/*
 * Returns the first item that nobody took up, `to` where there is none: no process could be made, or all
 * of them have ended. Nothing may be in a buffer of stdio's.
 */
size_t jobs_run(const struct jobs *j);

/* How many processors this process may use, and its cgroups give it time of: at least 1. */
unsigned jobs_processors(void);
