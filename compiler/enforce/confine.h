/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The steps of `pale run`, apart: preparing (reads, compiles, loads; may fail freely) and
 * confining (system calls only, in the process that becomes the command). Nothing here is
 * used outside compiler/enforce.
 */
#include <linux/filter.h>

#include "compiler/enforce/enforce.h"

enum step { STEP_LIMIT, STEP_CAPABILITY, STEP_APPARMOR, STEP_NO_NEW_PRIVS, STEP_FILTER, STEP_EXEC };

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
	uint64_t caps;       /* those kept */
	const char *profile; /* AppArmor: NULL for none */
	const struct sock_fprog *filters; /* attached in this order */
	size_t nfilters;                  /* 0: none */
	unsigned filter_flags;            /* with a listener: of the only one */
	bool may_tell; /* write(2) is allowed once the filter stands */
};

/* A copy whose refusals are notifications (or, for_log, log lines): for the filter only. */
const struct policy *policy_listening(struct arena *a, const struct policy *p, bool for_log);

/* Does this kernel have AppArmor, switched on? */
bool profile_supported(void);
/* Loads text into the kernel: apparmor_parser, without a shell. 0, or -1 with diagnostics. */
int profile_load(struct arena *a, const struct policy *p, struct str text, struct diags *ds);

/* Limits, capabilities, AppArmor on exec, no_new_privs, in this order. False: *f says what. */
bool confine_process(const struct plan *plan, struct failure *f);
/* The filters; -1, or a listener (0 without SECCOMP_FILTER_FLAG_NEW_LISTENER). */
int confine_filter(const struct plan *plan);

/* Runs the plan under a listener. */
int listen_run(struct arena *a, const struct enforce_options *opt, const struct plan *plan,
	       struct enforce_report *report, int *status, struct failure *f);
