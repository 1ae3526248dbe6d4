/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * RECORDING: what a run did, aggregated, whichever backend saw it. Backends fill it, propose.c
 * turns it into a policy. Everything that was lost or cut off is counted here; a recording
 * with losses says so wherever it goes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"
#include "compiler/base/vec.h"
#include "compiler/tables/tables.h"

#define RECORDING_VALUES_MAX 32 /* distinct values of one argument before it counts as unbounded */

struct recorded_value {
	uint64_t value;
	uint64_t count;
};

struct recorded_arg { /* one scalar argument that is worth knowing */
	uint8_t index;
	bool unbounded; /* more distinct values than RECORDING_VALUES_MAX: values is a sample */
	uint64_t ones;  /* OR of all values */
	uint64_t zeros; /* OR of all complements */
	VEC(struct recorded_value) values;
};

/* A combination of arguments that belong together (socket's family, type, protocol). */
struct recorded_tuple {
	uint64_t args[3];
	uint64_t count;
};

struct recorded_call {
	enum arch arch;
	uint32_t nr;       /* without base */
	uint64_t count;    /* entries since the target's exec */
	uint64_t first_ns; /* since the target's exec */
	VEC(struct recorded_arg) args;
	VEC(struct recorded_tuple) tuples; /* socket and socketpair only */
};

struct recorded_file {
	struct str path; /* as the kernel resolved it; directories end in / */
	unsigned perms;  /* PERM_* of policy.h; beside PERM_W, PERM_A means nothing */
	bool owned;      /* every access was by the file's owner */
	bool elsewhere;  /* executed in a chroot or other mount namespace: unreadable from here */
	bool peers;      /* below /proc/PID of another process than the one that opened it */
	uint64_t count;
	uint64_t first_ns;
};

struct recorded_capability { /* used with success, and in which call */
	unsigned cap;
	enum arch arch;
	uint32_t nr;
	uint64_t count;
	uint64_t first_ns;
};

struct recorded_signal { /* received from a process (kill and the like, not the kernel's own) */
	int signal;
	uint64_t count;
	uint64_t first_ns;
};

struct recording_losses {         /* each counted; any non-zero makes the proposal incomplete */
	uint64_t calls_full;      /* a (call) map was full */
	uint64_t values_full;     /* argument values that found no room */
	uint64_t paths_full;      /* paths that found no room */
	uint64_t paths_truncated; /* longer or deeper than the backend walks */
	uint64_t paths_unresolved;
	uint64_t unknown_abi;
	uint64_t ring_dropped;
	uint64_t untraced; /* processes that could not be followed */
	uint64_t left;     /* tasks that were moved out of the cgroup */
	uint64_t tracing;  /* the workload's own ptrace calls, refused as pale was the tracer */
	uint64_t unread;   /* questions about the recording that the kernel did not answer */
};

struct recording {
	const char *backend; /* "ebpf", "ptrace" */
	const char *kernel;  /* uname -r */
	const char *libc;    /* "glibc 2.36", "musl", "static" */
	enum arch host;
	struct str program; /* resolved path of the first exec; empty with --cgroup */
	uint64_t duration_ns;
	uint64_t processes; /* tasks seen */
	bool midway;        /* the cgroup had tasks before the recording began */
	bool interrupted;   /* ended by a signal to pale, not by the workload */
	bool left_running;  /* and the workload was still there when pale let it go */
	VEC(struct recorded_call) calls;
	VEC(struct recorded_file) files;
	VEC(struct recorded_signal) received;
	bool caps_observed; /* else caps is empty because the backend cannot see them */
	VEC(struct recorded_capability) caps;
	uint64_t caps_held;       /* bit n: the command had capability n to begin with */
	uint64_t odd_numbers;     /* calls by numbers far beyond any table; nothing is lost */
	uint64_t disconnected;    /* opens of things without a path: pipes, sockets, memory files */
	uint64_t memory_programs; /* executed from memory files: no path, no rule */
	uint64_t unseen_exec;     /* mprotect(PROT_EXEC) of what could not be looked up */
	uint64_t elsewhere; /* names in a chroot or other mount namespace, links not followed */
	uint64_t unread;    /* programs that could not be read afterwards: interpreter unknown */
	struct recording_losses losses;
};

bool recording_lossy(const struct recording *r);
/* The losses, one phrase each ("12 paths found no room"), separated by commas; "none". */
void recording_losses_print(struct buf *out, const struct recording *r);
/* A line a fact, for people and tests. */
void recording_print(struct buf *out, const struct recording *r);
/* Everything in a fixed order: calls by number, values by value, files by path. */
void recording_sort(struct recording *r);
const struct recorded_call *recording_call(const struct recording *r, enum arch a, uint32_t nr);
/* Which arguments of a call are recorded: bit i for arg i (socket, clone, prctl, ioctl,
 * personality, mmap and mprotect prot, ...). One list for both backends. */
unsigned recording_args(enum arch a, uint32_t nr);
