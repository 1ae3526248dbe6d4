/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The hierarchy of cgroups, told of what is made in it by inotify(7): before anything runs there. */
#include <stdbool.h>

#include "compiler/base/arena.h"
#include "compiler/base/vec.h"

#define TREE_DIRS 16384 /* that are watched, and were since it was opened */

struct cgroup_tree {
	struct arena *arena;
	int fd;           /* of inotify, for POLLIN; -1: none */
	VEC(char *) dirs; /* by inotify's number: where it looks */
	VEC(char *) made; /* since it was opened, for the caller to empty */
	bool overflowed;  /* something was lost: the caller looks at all of it */
};

/* Watches all below `top` but containers' own, from now on; all: what is there counts as made. top NULL: nothing. */
void tree_open(struct cgroup_tree *t, struct arena *a, const char *top, bool all);
/* Adds to `made`. Does not block. */
void tree_read(struct cgroup_tree *t);
void tree_close(struct cgroup_tree *t);
