/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a process that runs already holds: open files and sockets, executable mappings, where it stands,
 * and the calls that its threads sleep in. A recording that begins midway cannot see how it came by
 * them, and the process needs them all the same.
 */
#include <sys/types.h>

#include "learn/model.h"

/* One process, asked for by /proc. What ends or is closed meanwhile is not held. */
void held_process(struct model *m, pid_t pid);
/*
 * All processes that are in the cgroup's directory or below it; with a border those inside containers
 * alone. How many.
 */
size_t held_cgroup(struct model *m, const char *cgroup, bool border);
/* How many those are, alone. */
size_t held_count(const char *cgroup, bool border);
