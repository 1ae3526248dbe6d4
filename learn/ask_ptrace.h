/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a stopped task asks of AppArmor's classes beside files: asks.h, by ptrace. */
#include "learn/address.h"
#include "learn/asks.h"

#include <sys/types.h>

struct ask_stopped {
	pid_t tid;
	const uint64_t *args; /* of its call */
	/* A text of at most `max` bytes; its length, -1: it cannot be read. */
	ssize_t (*read_text)(pid_t tid, uint64_t addr, char out[TRACE_PATH + 1], size_t max);
	bool (*read_memory)(pid_t tid, uint64_t addr, void *out, size_t n);
	bool (*is_ours)(const void *tracer, pid_t tid); /* is this task recorded, too? */
	const void *tracer;
};

struct ask_pending;

/*
 * What it asks, with its names as they are now: of calls that are TRACE_EARLY before they begin, of
 * others when they have succeeded. NULL: nothing, or no memory, or (*lost) what cannot be read. The
 * caller's, until ask_give() or ask_drop().
 */
struct ask_pending *ask_take(const struct ask_stopped *s, const struct trace_rule *r, bool *lost);
/* The call has succeeded: into the recording. */
void ask_give(struct model *m, struct ask_pending *p, uint64_t first_ns);
/* An abstract address of a unix socket, or none, as the kernel then chooses one. */
void ask_abstract(struct model *m, pid_t tid, const struct addressed *to, uint64_t first_ns);
/*
 * A task that writes: to /proc/PID/attr/current or exec, by which AppArmor changes profiles. False: what it
 * writes there cannot be read.
 */
bool ask_label(struct model *m, const struct ask_stopped *s, uint64_t first_ns);
void ask_drop(struct ask_pending *p); /* also NULL */
