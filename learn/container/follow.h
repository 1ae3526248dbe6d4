/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The containers that somebody wants, as they come: a new one is met when its cgroup is made, which
 * is before its runtime executes anything of it.
 */
#include "learn/container/container.h"
#include "learn/container/tree.h"

struct container_want {
	const char *const *names; /* as container_is_called() takes them */
	size_t nnames;
	const char *const *labels; /* "K=V" */
	size_t nlabels;
	bool wait; /* also for what does not run yet */
};

#define FOLLOW_NAMES 32 /* of want.names */

struct follow {
	struct arena *arena;
	struct containers *all;
	const struct container_want *want;
	int fd; /* of inotify, to be waited for with POLLIN; -1: none, look now and then */
	const struct container *first[FOLLOW_NAMES]; /* by name: the one that has come; NULL */
	VEC(struct container *) met;                 /* all that were wanted and came, once each */
	struct cgroup_tree tree;
	VEC(struct candidate {
		char *cgroup;
		unsigned looks; /* that did not tell whose it is */
	})
	candidates;
};

/* Watches the tree from now on; containers_look() comes behind this. The want is borrowed. */
struct follow *follow_new(struct arena *a, struct containers *cs, const struct container_want *w);
/* Is the container wanted by this name; by a label? */
bool follow_wants(const struct follow *f, const struct container *c);
/* It is met: from now on one that is called the same is taken of this engine, and namespace, alone. */
void follow_meet(struct follow *f, struct container *c);
/* The next container that is wanted, with its cgroup; NULL: none more now. Does not block. */
struct container *follow_next(struct follow *f);
/* Is something wanted that never came, and is to be waited for? */
bool follow_waits(const struct follow *f);
void follow_close(struct follow *f); /* NULL is fine */
