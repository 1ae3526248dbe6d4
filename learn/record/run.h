/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * RUN: what is known of one run as a whole: who ran, where, how it was watched, how it ended and what
 * was lost. What it did are its facts (fact.h).
 */
#include "compiler/tables/tables.h"
#include "learn/record/line.h"

#define RUN_ID    16      /* bytes, from getrandom(2) */
#define RUN_NEVER "never" /* recorded_run.serve_from: no process came to serve */

struct recording_losses {         /* each counted; any non-zero makes the proposal incomplete */
	uint64_t calls_full;      /* a (call) map was full */
	uint64_t values_full;     /* argument values that found no room */
	uint64_t paths_full;      /* paths that found no room */
	uint64_t paths_truncated; /* longer or deeper than the backend walks */
	uint64_t paths_unresolved;
	uint64_t paths_relinked; /* names whose links led elsewhere when they were looked up */
	uint64_t unknown_abi;
	uint64_t ring_dropped;
	uint64_t uncounted;  /* calls that perf counted and the programs did not see */
	uint64_t untraced;   /* processes that could not be followed */
	uint64_t hidden;     /* children that their maker keeps from being traced */
	uint64_t left;       /* tasks that were moved out of the cgroup */
	uint64_t containers; /* that were wanted, and gone when they were looked at */
	uint64_t tracing;    /* the workload's own ptrace calls, refused as pale was the tracer */
	uint64_t unread;     /* questions about the recording that the kernel did not answer */
};

#define RUN_MAKERS 3

struct recorded_run {
	unsigned char id[RUN_ID];
	uint64_t snapshot;   /* of one run the later one holds all that the earlier one does */
	bool unfinished;     /* a snapshot: the run went on */
	const char *name;    /* as the program was called, without directories; NULL: a cgroup */
	const char *command; /* the command line, for people; NULL: not known, or left out */
	const char *client;  /* what the command hands its work to; NULL */
	const char *backend; /* "ebpf", "ptrace", "seccomp" */
	const char *hostname;
	const char *image;           /* of a container; NULL */
	const char *containers;      /* "docker:web 0123456789ab, ...": what was recorded; NULL */
	const char *runtime;         /* that made it, and its version: "runc 1.1.5+ds1"; NULL */
	const char *runtime_program; /* while it is recorded: its path; NULL */
	struct {
		uint64_t dev, ino;
	} makers[RUN_MAKERS]; /* the same: the files of programs, one of which is the runtime's */
	const char *kernel;   /* uname -r */
	const char *libc;     /* "glibc 2.36", "musl", "static" */
	enum arch host;
	const char *program;    /* resolved path of the first exec; NULL with --cgroup */
	uint64_t started_ns;    /* since the epoch */
	uint64_t duration_ns;   /* since the target's exec */
	const char *serve_from; /* what the first process that served was told by; RUN_NEVER; NULL:
				 * start and serving were not told apart */
	uint64_t serving_ns;    /* and when, since the target's exec; 0: not known */
	uint64_t processes;     /* tasks seen */
	bool midway;            /* the cgroup had tasks before the recording began */
	bool interrupted;       /* ended by a signal to pale, not by the workload */
	bool left_running;      /* and the workload was still there when pale let it go */
	bool no_calls;          /* what it was made of shows no calls, */
	bool no_arguments;      /* of calls no arguments, */
	bool no_files;          /* no files, but for programs that were executed; */
	bool files_written;     /* then: files were opened to be written, or named anew */
	bool answered_only;     /* nothing but what was refused, or logged */
	const char *no_witness; /* where calls can be missed, why it is not proved that none was */
	bool caps_observed;     /* else there are none because the backend cannot see them */
	bool names_observed;    /* by eBPF: what calls change by name was seen as it was resolved */
	bool looks_observed;    /* so was whom the kernel asked about as one looked at another */
	bool programs_observed; /* which program made a call was looked at */
	bool programs_by_phase; /* and while it started, or served */
	bool rings_observed;    /* and what rings of io_uring do with sockets */
	bool peers_observed;    /* who got and who sent each signal was looked at */
	uint64_t caps_held;     /* bit n: the command had capability n to begin with */
	uint64_t
		foreign_numbers; /* calls of an ABI that the kernel does not have, all answered so */
	uint64_t odd_numbers;    /* calls by numbers far beyond any table; nothing is lost */
	uint64_t disconnected;   /* opens of things without a path: pipes, sockets, memory files */
	uint64_t namespace_files; /* opened: to AppArmor all of them are "/", below no root */
	uint64_t
		looks_below; /* directories of other processes entered, or held, or links to them */
	uint64_t memory_programs; /* executed from memory files: no path, no rule */
	uint64_t unseen_exec;     /* mprotect(PROT_EXEC) of what could not be looked up */
	uint64_t core_dumps; /* by ptrace, which does not see the file that the kernel writes */
	uint64_t elsewhere;  /* names in a chroot or other mount namespace, links not followed */
	uint64_t unkept;     /* records of what a recording has no facts for */
	uint64_t unread;     /* programs that could not be read afterwards: interpreter unknown */
	struct recording_losses losses;
};

/* Counts of runs added up: what would pass the largest number stays there. */
static inline uint64_t count_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

bool run_lossy(const struct recorded_run *r);
/* The losses, one phrase each ("12 paths found no room"), separated by commas; "none". */
void run_losses_print(struct buf *out, const struct recorded_run *r);
/* A time since the start, for people: "0.2 ms", "3.1 s". */
void run_time_print(struct buf *out, uint64_t ns);
/* Everything of it, a line each, each after "run N ". */
void run_print(struct buf *out, const struct recorded_run *r, size_t n);
/*
 * One such line, after "run N "; *seen: the rows that were there before. false: w->why. Texts are
 * w->arena's.
 */
bool run_read(struct line *w, struct recorded_run *r, uint64_t *seen);
/* What a run cannot be without: NULL, or the word that is missing. */
const char *run_lacks(uint64_t seen);
/* Two that say the same; their ids are equal. */
bool run_same(const struct recorded_run *a, const struct recorded_run *b);
/* Counters and losses of `r` are added to those of `to`; what is not countable stays. */
void run_count(struct recorded_run *to, const struct recorded_run *r);
