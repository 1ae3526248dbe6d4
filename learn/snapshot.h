/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Snapshots: a recording is kept while the run goes on. A forked child, which has all that was
 * recorded up to there, finishes and keeps it; the recorder goes on meanwhile and loses nothing.
 * One child at a time: what falls due before the last one has ended comes after it.
 */
#include <signal.h>
#include <sys/types.h>

#include "learn/model.h"

/* Keeps what a child has; 0, or the child's exit status after a line on standard error. */
typedef int snapshot_keep_fn(void *who, const struct recording *r);

struct snapshots {
	snapshot_keep_fn *keep; /* NULL: none are taken */
	void *who;
	uint64_t every_ns;                   /* 0: only when they are asked for */
	const volatile sig_atomic_t *wanted; /* counted up by SIGUSR1 */
	/* Its own: */
	sig_atomic_t seen;
	uint64_t next_ns;
	pid_t child;     /* 0: none */
	uint64_t taken;  /* snapshots begun */
	uint64_t failed; /* of which so many were not kept */
};

/* To be called when a wait was interrupted, once a second at least. True: this is the child. */
bool snapshot_begin(struct snapshots *s);
/* The child's end: what the model holds is a snapshot. */
_Noreturn void snapshot_end(struct snapshots *s, struct model *m);
/* Was it the child that wait(2) has told of? */
bool snapshot_ended(struct snapshots *s, pid_t pid, int status);
/* Waits for a child that there is. */
void snapshot_wait(struct snapshots *s);
