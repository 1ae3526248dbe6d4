/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The learner: runs a command (or watches cgroups and processes) and gives a recording. Backends are chosen
 * by trying to load, never by comparing versions. Fails closed: without a backend that works
 * nothing is executed.
 */
#include <signal.h>

#include "compiler/base/diag.h"
#include "learn/record/recording.h"
#include "learn/serve.h"
#include "learn/snapshot.h"

struct container_want;
struct live;

#define LEARN_WATCHED 32 /* cgroups, and processes, that one recording can watch */

struct learn_options {
	char *const *argv;          /* the command; NULL: what is named below runs already */
	const char *const *cgroups; /* cgroup v2 directories */
	size_t ncgroups;
	const pid_t *pids;
	size_t npids;
	const struct container_want *containers; /* NULL: none */
	const char *backend;                     /* "auto", "ebpf", "ptrace", "seccomp" */
	size_t max_paths;                        /* 0: the default */
	bool border; /* of the cgroups' tasks those inside a container; what is outside is told apart */
	struct learn_serve serve;
	bool no_arguments; /* the command line is not recorded */
	bool no_files;     /* calls alone: no file is looked at but what is executed */
	/*
	 * Counted up by SIGINT/SIGTERM handlers. 1: the workload is asked to end (stop_signal is
	 * sent to it unless 0) and gets a few seconds; 2: finish now with what is there. The
	 * handlers must keep interrupting a blocked wait (alarm) once stop is not 0.
	 */
	const volatile sig_atomic_t *stop;
	const volatile sig_atomic_t *stop_signal;
	bool lasts;               /* cgroups that have emptied or gone do not end it */
	void (*ready)(void *who); /* called once, when all that follows will be seen; NULL */
	void *ready_who;
	struct snapshots *snapshots; /* kept meanwhile; NULL: none */
	struct live *live;           /* who looks on (live.h); NULL: nobody */
	const sigset_t *ignored; /* signals that our handlers took from SIG_IGN: the command gets
				  * them ignored, as we did; NULL: none */
};

/* 0 and the recording; *status: the command's own exit status (128+N). -1 with diagnostics
 * and *status 125/126/127 when it could not be run. */
int learn_run(struct arena *a, const struct learn_options *opt, struct recording *out, int *status,
	      struct diags *ds);

/* Was a container put back from a checkpoint, as far as its runtime's capabilities tell? */
bool learn_restored(const struct recording *r);

/* Does the backend "seccomp" let this call, or some of such calls, through without a look, wherever --serve-from is? */
bool learn_assumes(const char *call, bool no_files);
/*
 * The argument, and the bits of it, without which such a call is let through where no files are
 * looked at; NULL: it is looked at there, or none is (assumed.def).
 */
const char *learn_assumes_without(const char *call, uint64_t *bits);

/* NULL when this backend works here, else why not (in the arena). */
const char *learn_probe_ebpf(struct arena *a);
const char *learn_probe_ptrace(struct arena *a);

/* ---- recording to policy ---- */

/* Is there a phase of serving whose beginning was seen? */
bool propose_has_phases(const struct recording *r);

enum propose_part {
	PROPOSE_ALL,
	PROPOSE_START, /* of two: all, and what loading the second one takes */
	PROPOSE_SERVE, /* the second one: calls made while serving; it needs propose_has_phases() */
};

struct propose_options {
	enum propose_part part;
	const char *name;            /* of the policy; NULL: the program's */
	const char *const *set_dirs; /* sets that may be used */
	const char *const *starts;   /* sets of how it will be started, "start-run"; NULL-ended */
	bool starts_asked;           /* by the user: one that is not there is an error */
	bool exact;                  /* each file by its own name */
	bool margin;                 /* with calls that come with those that were seen */
	const enum arch *arch;       /* NULL: the recorder's; one that recording_holds() */
	bool only_facts; /* no header lines, sets, nor what was not seen: for a policy that is there */
};

/* A tree that a careful engineer would sign: every rule with its evidence in a comment. A set
 * that cannot be read is a diagnostic (PL414): what it would have given is missing then. */
struct ast_file *propose(struct arena *a, const struct recording *r,
			 const struct propose_options *opt, struct diags *ds);
/* How its program will be started, as far as the recording tells: what is behind "start-", with commas. */
const char *propose_starts(const struct recording *r);
/*
 * To be called before facts are taken out of a recording that a policy has rules for: what calls and
 * files say of signals sent, of tracing and of user namespaces is kept with it, in the arena.
 */
void propose_imply(struct arena *a, struct recording *r);

/* Does a proposal answer ENOSYS to this clone3, as only libcs made it, which then take clone? */
bool propose_refuses_clone3(const struct recorded_call *c);
