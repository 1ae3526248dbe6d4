/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The steps of `pale run`, apart: preparing (reads, compiles, loads; may fail freely) and
 * confining (system calls only, in the process that becomes the command). Nothing here is
 * used outside compiler/enforce.
 */
#include <linux/filter.h>
#include <sys/types.h>

#include "compiler/enforce/enforce.h"

enum step {
	STEP_LIMIT,
	STEP_CAPABILITY,
	STEP_APPARMOR,
	STEP_NO_NEW_PRIVS,
	STEP_FILTER,
	STEP_EXEC,
	STEP_START,    /* a process for the command */
	STEP_ENDED,    /* it was ended before it became the command; err: by this signal */
	STEP_LISTENER, /* detail: what of it */
	STEP_FAKED,    /* detail: what was said to be done, and is not */
};

struct failure { /* which step the system refused */
	enum step step;
	int err;            /* errno */
	const char *detail; /* a limit's name; NULL */
	unsigned cap;       /* STEP_CAPABILITY: the one that stayed */
};

struct plan { /* all that confining needs, ready made */
	const struct policy *policy;
	unsigned layers;
	const char *path;
	char *const *argv;
	bool drop_caps;
	uint64_t caps;                    /* those kept */
	const char *profile;              /* AppArmor: NULL for none */
	const struct sock_fprog *filters; /* attached in this order */
	size_t nfilters;                  /* 0: none */
	unsigned filter_flags;            /* of each; a listener sets its own for its only one */
	bool listens; /* a listener will be needed: limit_descriptors() is called once it is there */
	bool may_tell; /* write(2) is allowed once the filter stands */
};

/*
 * A copy for the filter only, where every refusal is a notification; `exact`: but for those
 * that a listener cannot answer as the kernel does (listener_can_answer()). Another
 * notification is execve of `path` itself, this pointer: the command's own start.
 */
const struct policy *policy_listening(struct arena *a, const struct policy *p, bool exact,
				      const char *path);
/*
 * Calls that the policy refuses and that never wait for an answer: the returns from a signal's
 * handler. Into report->not_held.
 */
void listener_not_held(struct arena *a, const struct policy *p, struct enforce_report *report);
/*
 * Can a listener do what the verdict says? SIGKILL ends processes and no single thread, and the
 * SIGSYS of a trap tells of the call, which only the kernel can (signal(7), kernel/signal.c
 * do_rt_tgsigqueueinfo()).
 */
bool listener_can_answer(struct verdict v);

/*
 * Warns where calls that the policy answers so are not logged here, whatever a filter asks for
 * (PL216): p is what the filter is made of.
 */
void warn_not_logged(const struct policy *p, struct diags *ds);

/* Does this kernel have AppArmor, switched on? */
bool profile_supported(void);
/* Loads text into the kernel: apparmor_parser, without a shell. 0, or -1 with diagnostics. */
int profile_load(const struct policy *p, struct str text, struct diags *ds);

/* False: a system call that has to fail does not, so seccomp(2) does not reach the kernel. */
bool confine_possible(void);
/* Capabilities, AppArmor on exec, no_new_privs, limits, in this order. False: *f says what. */
bool confine_process(const struct plan *plan, struct failure *f);
/* The filters; -1 with *f, or a listener (0 without SECCOMP_FILTER_FLAG_NEW_LISTENER). */
int confine_filter(const struct plan *plan, struct failure *f);
/* The policy's limit of open files, for the process pid. False: *f. */
bool limit_descriptors(const struct plan *plan, pid_t pid, struct failure *f);

/* Runs the plan under a listener. 0, or -1 with *f. */
int listen_run(struct arena *a, const struct enforce_options *opt, const struct plan *plan,
	       struct enforce_report *report, int *status, struct failure *f);
