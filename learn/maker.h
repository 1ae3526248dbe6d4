/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whose program makes a container: the runtime's, while it is at it. */
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * The program of the runtime that pid is of, or one of the processes that started it is: runc's or
 * crun's, below our root, run by root, root's and nobody else's to write. false: it has ended, or is another.
 */
bool maker_find(pid_t pid, char path[PATH_MAX]);
/*
 * The same of a path that was seen when it was at it. ino 0: of what runs as a copy in memory, by the word that it
 * was called by; else it is that file still.
 */
bool maker_is(const char *path, ino_t ino, dev_t dev);
