/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Processes that run already and are to be recorded from here on. Each is held by a pidfd, so that its
 * number cannot come to mean another one meanwhile; none is ever signalled.
 */
#include <sys/types.h>

#include "compiler/base/diag.h"
#include "learn/record/run.h"

struct process {
	pid_t pid;
	int fd; /* pidfd; readable once it has ended */
	bool ended;
};

/*
 * Opens it; false after a diagnostic: it is not there, has ended, is a thread, the kernel's, pale
 * itself, or somebody's whom this user may not look at.
 */
bool process_open(struct arena *a, pid_t pid, struct process *out, struct diags *ds);
/* Has it ended? Asked once more each time, until it has. */
bool process_ended(struct process *p);
/* What the run is called after it: program, name, command line (unless not wanted), capabilities. */
void process_describe(struct arena *a, const struct process *p, bool no_arguments,
		      struct recorded_run *run);
void process_close(struct process *p);

/* A command line as a shell reads it back. */
const char *process_command(struct arena *a, const char *const *argv);
/* Without its directories. */
const char *process_base(const char *path);
