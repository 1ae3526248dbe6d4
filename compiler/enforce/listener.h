/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The listener of --verify and --count, in its parts: listen.c sets up and waits, answer.c
 * answers the calls that wait, pass.c passes signals on and tells who has ended. Used inside
 * compiler/enforce only.
 */
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>

#include "compiler/enforce/confine.h"

enum child_state { CHILD_PREPARING, CHILD_FAILED, CHILD_FILTERED, CHILD_NOT_EXECUTED };

struct shared { /* between the child before its execve and us */
	_Atomic int state;
	int listener;
	struct failure failure;
};

struct listener {
	struct arena *arena;
	const struct plan *plan;
	enum enforce_mode mode;
	struct enforce_report *report;
	struct shared *shared;
	int signals; /* signalfd */
	int fd;      /* -1: not yet, or its last user is gone */
	bool failed; /* of no more use, says failure */
	struct failure failure;
	pid_t command;
	bool released; /* its execve has been let through */
	bool command_gone;
	bool command_killed; /* by us, for a kill verdict */
	int command_status;
	struct sigaction sigchld; /* as we found them: the command's */
	sigset_t mask;
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
	struct seccomp_notif_sizes sizes;
};

/* Sets failure; false. err: an errno, 0 for STEP_FAKED. */
static inline bool listener_fail(struct listener *l, enum step step, int err, const char *detail)
{
	l->failure = (struct failure){ .step = step, .err = err, .detail = detail };
	l->failed = true;
	return false;
}

/* ---- answer.c ---- */

/* The child's filter stands: takes its descriptor over, or fails. */
void listener_take(struct listener *l);
/* Answers one call that waits (fd is readable). */
void listener_answer(struct listener *l);

/* ---- pass.c ---- */

/* Blocks what is passed on, for signals_serve() to read from l->signals. False: failure. */
bool signals_open(struct listener *l);
/* As they were; what still waited is dropped. */
void signals_close(struct listener *l);
/* Reads what has come. False: the command and all that it started have ended. */
bool signals_serve(struct listener *l);
