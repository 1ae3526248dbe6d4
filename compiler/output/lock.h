/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One writer a directory. What a run writes beside the files that it replaces is told from what a
 * killed one has left by this lock, and two runs at once do not mix their files.
 *
 * It is a file, ".pale-lock", and flock(2) on it: its owner alone can open it (mode 0600), so no
 * stranger who may read the directory can make us wait. It is removed at the end; one that is
 * there and that nobody holds is a killed run's.
 */
#include <signal.h>
#include <stdbool.h>

#include "compiler/output/output.h"

/* A temporary's name is this and eight letters of base 32. */
#define TEMPORARY ".pale-"
enum { TEMPORARY_LETTERS = 8 };

/*
 * Locks the directory `dir` (O_PATH will do), and removes and tells what a killed run has left in
 * it. Waits for another run of the same user, after a second with a word about it, with the signal mask
 * `outside`; all signals are blocked before and after. `beside`: a file of it, for messages.
 * The descriptor to be given to output_unlock(), or -1: this directory cannot be locked (another
 * user's lock, a file system without flock(2), one that cannot be written), which is no error.
 */
int output_lock(int dir, const char *beside, const sigset_t *outside, output_say *say);

/* 0, or -errno after a message: the lock's file stays, which keeps nobody from writing. */
int output_unlock(int dir, const char *beside, int lock, output_say *say);
