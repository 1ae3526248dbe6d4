/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Other programs: the one that a command line names, for those that execute it themselves, and
 * those that are asked something.
 */
#include "compiler/base/diag.h"

/*
 * Along PATH, as execvp(3) looks for it, but a file without "#!" is not given to a shell. 0 and
 * *path (in the arena, or name itself); else the exit code (126, 127) with a diagnostic.
 */
int program_find(struct arena *a, const char *name, const char **path, struct diags *ds);

struct program_question {
	const char *path;        /* as execve(2) takes it: nothing is searched */
	const char *const *argv; /* NULL-ended, with the name in front */
	int in;                  /* its standard input; -1: /dev/null */
	bool hear_errors;        /* its standard error is heard as well, else nobody's */
	int limit_ms;            /* it is ended then, with all that it started */
	size_t most;             /* bytes that are heard of it */
	bool cut;                /* what it says beyond them is dropped; else it is ended */
};

enum { PROGRAM_SIGNAL = 256 }; /* + the signal: no exit status is that large */

/*
 * Runs it without a shell, in a process group of its own, with an environment of PATH and
 * LC_ALL=C alone, and adds what it says to *said. Its exit status, or PROGRAM_SIGNAL + n;
 * -ETIMEDOUT; -E2BIG (more than `most`, and not `cut`); another -errno: it was not started, or
 * not heard. What it left running has ended by then, too.
 */
int program_ask(const struct program_question *q, struct buf *said);
