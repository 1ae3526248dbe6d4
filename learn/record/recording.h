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
#include "learn/record/address.h"
#include "learn/record/run.h"
#include "learn/record/signal.h"

#define RECORDING_NRS        1024 /* numbers of calls, without base, are below this */
#define RECORDING_NO_CALL    (RECORDING_NRS - 1) /* of a capability: the call is not known */
#define RECORDING_PROGRAMS   254 /* whose calls are told apart; beyond: those of others */
#define RECORDING_VALUES_MAX 32  /* distinct values of one argument before it counts as unbounded */

/* Can a recording be of this machine? Its calls' numbers must be below RECORDING_NRS, as those of mips64el are not. */
bool recording_holds(enum arch a);

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
	bool held; /* no call was seen: sockets of these that were there before */
};

struct recorded_call {
	enum arch arch;
	uint32_t nr;    /* without base */
	uint64_t count; /* entries since the target's exec, and one for each that was under way */
	bool held;      /* none was seen: they were under way when the recording began */
	bool assumed;   /* held, as it were: it was let through, whether it is made was not seen */
	uint64_t first_ns; /* since the target's exec */
	VEC(struct recorded_arg) args;
	VEC(struct recorded_tuple) tuples; /* socket and socketpair only */
	uint64_t *in; /* bit n: in run n of recording.runs; NULL: there is one run */
};

struct recorded_file {
	struct str path; /* as the kernel resolved it; directories end in / */
	unsigned perms;  /* PERM_* of policy.h; beside PERM_W, PERM_A means nothing */
	bool owned;      /* every access was by the file's owner */
	bool owner_told; /* of some access it was known: while a recording is made */
	bool elsewhere;  /* executed in a chroot or other mount namespace: unreadable from here */
	bool peers;      /* below /proc/PID of another process than the one that opened it */
	bool ours;       /* of those, all were recorded, too */
	bool socket;     /* connected or sent to, which since Linux 6.17 asks for r and w */
	bool gone;       /* written, and no longer there when the recording ended */
	bool numbered;   /* written or made, and the last number in its name is that of a process
			* which did, or of its parent */
	bool ran;        /* what it takes to run it was used: while a recording is made */
	bool setid;      /* executed, and set-user-id or set-group-id */
	bool powers; /* executed, and has capabilities of its own (capabilities(7), "File capabilities") */
	bool held; /* only held when the recording began; no PERM_*: a directory to start from */
	uint64_t count;
	uint64_t first_ns;
	uint64_t *in; /* bit n: in run n of recording.runs; NULL: there is one run */
};

struct recorded_listing { /* a directory with files that were used, as it was at the end */
	struct str path;  /* ends in /; or a pattern of files */
	uint64_t
		others; /* names in it that were not used, and nothing below them; files that it is of */
};

enum lost_why { LOST_LONG, LOST_LINK, LOST_EXEC, LOST_NR };

struct recorded_lost {   /* a file of which the path is not known: no rule can be made for it */
	struct str name; /* the end of a path too long to be had; or as the program wrote it */
	enum lost_why
		why; /* it, or its directory, was too long; a link in it led elsewhere since; an exec
			* of it failed, and whether it was a program then is not known */
	unsigned perms; /* PERM_* */
	uint64_t count;
	uint64_t first_ns;
};

struct recorded_capability { /* used with success, and in which call */
	unsigned cap;
	enum arch arch;
	uint32_t nr;
	uint64_t count;
	uint64_t first_ns;
	uint64_t *in; /* bit n: in run n of recording.runs; NULL: there is one run */
};

struct recorded_rule {   /* what was asked of AppArmor's other classes (rule.h) */
	struct str text; /* rule_spelling() */
	uint64_t count;
	uint64_t first_ns;
	uint64_t *in; /* bit n: in run n of recording.runs; NULL: there is one run */
};

struct recorded_address { /* asked for, whether or not it was granted */
	struct address address;
	uint64_t count;
	uint64_t first_ns;
	uint64_t *in; /* bit n: in run n of recording.runs; NULL: there is one run */
};

struct recorded_signal { /* between processes (kill and the like, not the kernel's own) */
	struct signalled what;
	uint64_t count;
	uint64_t first_ns;
	uint64_t *in; /* bit n: in run n of recording.runs; NULL: there is one run */
};

struct recorded_made { /* a call, by one program */
	enum arch arch;
	uint32_t nr;
	uint64_t count; /* by eBPF, which sees whether it was made, 1 of each phase */
	uint64_t first_ns;
	bool serves; /* it was made while serving, so often of these */
	uint64_t serve_count;
	uint64_t serve_first_ns;
};

/*
 * What one program did: what its processes ran (/proc/PID/exe), of a script its interpreter. What a
 * process does between its start and its exec is that of the program that it was started by.
 */
struct recorded_program {
	struct str path; /* NULL: others, beyond RECORDING_PROGRAMS or without a path */
	VEC(struct recorded_made) calls;
};

struct recording_runs { /* where and when several runs were */
	size_t n;
	const unsigned *host, *image; /* of each run: which */
	unsigned hosts, images;       /* how many different ones */
	const uint64_t *started_ns;   /* since the epoch */
	size_t without_files;         /* runs that looked at no files */
	const uint64_t *with_files;   /* bit n: run n did */
};

struct recording {
	struct recorded_run run; /* of several: what they have in common, counters added */
	const struct recording_runs *runs; /* NULL: one */
	VEC(struct recorded_call) calls;
	VEC(struct recorded_file) files;
	VEC(struct recorded_listing) listings; /* of those that could be read */
	VEC(struct recorded_lost) lost;        /* each counted among the losses too */
	VEC(struct recorded_signal) signals;
	VEC(struct recorded_address) addresses;
	VEC(struct recorded_capability) caps;
	VEC(struct recorded_rule) rules;
	/*
	 * Of calls and caps, what processes did that served: from where they began to wait for
	 * somebody, or were told to have, and all that they started since. run.serve_from tells
	 * whether that was looked at.
	 */
	VEC(struct recorded_call) serve_calls;
	VEC(struct recorded_capability) serve_caps;
	/*
	 * The calls again, by who made them: where run.programs_observed every one of `calls` is
	 * somebody's, but for those that nobody looked at (assumed). Where run.programs_by_phase,
	 * so is every one of `serve_calls`.
	 */
	VEC(struct recorded_program) programs;
	/* Of a container's runtime, in its cgroup and outside the workload: never proposed. */
	VEC(struct recorded_call) runtime_calls;
	VEC(struct recorded_capability) runtime_caps;
	/* What files and calls imply, where those are cut later (propose_imply()). NULL: they are not. */
	const uint64_t *sent; /* 65 counts, by signal */
	bool caps_judged;     /* those that were asked for without need are out of caps */
	VEC(struct str)
	rules_known;         /* rules that a policy has (rule.h): they need be said no more */
	bool no_rules;       /* it can hold none */
	bool exists_known;   /* it has one for kill(2) with signal 0 */
	uint64_t sent_known; /* bit n: signal n + 1, sent, needs no rule: the policy has one */
};

/* Everything in a fixed order: calls by number, values by value, files by path. */
void recording_sort(struct recording *r);
/* Did it write files, or make and rename them, and not devices' alone? */
bool recording_wrote_files(const struct recording *r);
/* Was there a call that was not under way already? */
bool recording_saw_call(const struct recording *r);
const struct recorded_call *recording_call(const struct recording *r, enum arch a, uint32_t nr);
/* The same of what was made while serving. */
const struct recorded_call *recording_serve_call(const struct recording *r, enum arch a,
						 uint32_t nr);
/* Was it made while starting, too? */
bool recorded_made_starts(const struct recorded_made *c);
/* The program that alone makes a call; NULL: it is not known, or there are several. */
const struct recorded_program *recording_only_by(const struct recording *r, enum arch a,
						 uint32_t nr);
/* Which arguments of a call are recorded: bit i for arg i (args.def). One list for all backends. */
unsigned recording_args(enum arch a, uint32_t nr);
/* Only where this argument is not 0; -1: in every call. */
int recording_args_if(enum arch a, uint32_t nr);
/*
 * The argument that means something only by the one that is recorded: both are, as one value, this in
 * its lower 32 bits; -1: there is none.
 */
int recording_args_of(enum arch a, uint32_t nr);
/* Did a ring's thread make sockets by it, io_uring_setup or io_uring_enter, and nobody call it? */
bool recording_is_rings(const struct recorded_call *c);
/* They are addresses, and recorded are the 64 bits there, flags of this domain; NULL: they are not. */
const char *recording_args_in(enum arch a, uint32_t nr);
/* Was it seen who got it, in every run? Else what calls were told is all that is known. */
bool recording_signal_seen(const struct recording *r, int sig);
/* Which runs have the one or the other; NULL: there is one run. */
const uint64_t *recording_join_runs(struct arena *a, const struct recording *r, const uint64_t *one,
				    const uint64_t *other);
