/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The ptrace backend's own: the tasks that it traces, and what is recorded of a call of one that stands
 * still (calls_ptrace.c, files_ptrace.c), which trace_ptrace.c lets run and stops.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "learn/ask_ptrace.h"
#include "learn/await.h"
#include "learn/backend.h"

#define TRACEE_BUCKETS 1024
#define TRACER_GONE    256 /* tasks that have ended, of which something may be told yet */

struct tracee {
	pid_t tid;
	unsigned pid, parent; /* of its process, of that one's parent, as they call themselves */
	struct tracee *next;
	uint8_t rule;
	uint64_t nstops;  /* up to now */
	pid_t leader;     /* of its process: the first of its threads */
	model_program by; /* the program that its process runs; 0: not looked at yet */
	bool serves;      /* its process does (serve.h) */
	bool presumed;    /* since it ran before, and no more */
	bool forking;     /* in a call that makes a task, of which no event has told yet */
	bool stops;       /* at the end of the call that it is in */
	bool fsuid_known; /* and is this one; whom it acts as where files are concerned */
	uid_t fsuid;
	bool owned; /* what the call is about to change by name: by whom the task acts as */
	uint64_t args[6];
	struct ask_pending *ask; /* of the call that it is in; NULL */
	struct sending *sending; /* likewise, one block: whom it signals (signal_ptrace.h) */
	bool doomed;             /* a traced task has sent SIGKILL to its process */
	pid_t dies_with;         /* SIGKILL was asked for at the death of this one; 0 */
};

struct tracer {
	const struct learn_options *opt;
	struct target *target;
	struct model *model;
	struct recording *r;
	struct trace_call calls[TRACE_CALLS];
	struct trace_rule rules[TRACE_RULES];
	struct tracee *buckets[TRACEE_BUCKETS];
	size_t live;
	struct {
		pid_t tid, leader;
	} gone[TRACER_GONE]; /* the last ones of all that were traced */
	size_t ngone;
	bool started;
	bool detaching;
	bool serve_all; /* every process serves */
	bool labels;    /* something below a directory attr was opened: perhaps a task's */
	uint64_t start_ns;
	struct await await;
	bool moved;       /* a task may have another root, or other mounts, than we have */
	dev_t namespaces; /* the device that files of namespaces are of; 0: not known */
};
/* NULL: it is none of those. */
struct tracee *tracer_find(const struct tracer *t, pid_t tid);
/* One of the threads of a process; NULL: none is traced. */
struct tracee *tracer_find_process(const struct tracer *t, pid_t leader);
/* Has it ended, not long ago? Its maker's stop may be told behind its end. */
bool tracer_has_ended(const struct tracer *t, pid_t tid);
/* The same as tracer_find(), and met now where it is none yet, and counted; NULL: for want of memory. */
struct tracee *tracer_get(struct tracer *t, pid_t tid);
/* It has ended. */
void tracer_drop(struct tracer *t, pid_t tid);
/* All threads of its process serve, or do not; presumed: as it ran before. */
void tracer_serves(struct tracer *t, const struct tracee *e, bool serves, bool presumed);
/* Since the target's exec. */
uint64_t tracer_now(const struct tracer *t);

/* The task stands at the start or at the end of a call. What cannot be read is counted among the losses. */
void tracee_called(struct tracer *t, struct tracee *e);
/* Does it matter what the call that it is in comes to, by what it asks? */
bool tracee_awaits(const struct tracer *t, const struct tracee *e);
/* It runs another program than before. */
void tracee_executed(struct tracer *t, pid_t tid);
