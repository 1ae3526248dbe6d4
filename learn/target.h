/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The command to record: a child that waits on a pipe until the tracer is in place. No shell.
 * If pale dies first, the pipe closes and the child ends without executing anything.
 */
#include "learn/learn.h"
#include "learn/process.h"

struct follow;
struct sock_fprog;

struct target {
	pid_t pid;   /* 0: none: what is watched runs already */
	int release; /* one byte lets it go */
	int failure; /* its errno when exec failed; end of file when it did not */
	bool ended;
	int wait_status;      /* once ended */
	bool asked;           /* stop signal was passed on */
	uint64_t deadline_ns; /* then */
	/* What is watched, beside cgroups; no signal is passed on to these. */
	struct process processes[LEARN_WATCHED];
	size_t nprocesses;
	struct follow *follow; /* containers that are watched, as they come; NULL */
	struct view view;      /* where names are looked up, if that is a container */
};

/* path: the program's file, executed as it is: no shell takes what has no "#!". `ignored`: as in
 * struct learn_options. filter: what it begins with, under no_new_privs; NULL. 0 or -errno */
int target_start(const char *path, char *const *argv, const sigset_t *ignored,
		 const struct sock_fprog *filter, struct target *t);
int target_release(struct target *t);
void target_drop(struct target *t); /* closes; kills it if it was never released */
/* After it ended: why exec failed, or -errno: why the filter did; 0: neither did. */
int target_exec_errno(struct target *t);
int target_status(const struct target *t); /* as a shell has it: 128+N for a signal */
/* Have all processes ended that were watched? true also where there are none. */
bool target_gone(struct target *t);
bool target_lives(struct target *t); /* does it, or a process that it left behind, still run? */

/*
 * To be called when a wait was interrupted: passes the stop signal on once. True: finish now,
 * the workload has had its time.
 */
bool target_stop(struct target *t, const struct learn_options *opt);
