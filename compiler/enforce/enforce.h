/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What `pale run` does: limits, capability bounding set, AppArmor on exec, no_new_privs, the
 * filter, then execve; fail closed. And --verify / --log / counting: a listener that sees each
 * refused call.
 */
#include "compiler/cbpf/cbpf.h"
#include "compiler/policy/policy.h"

enum enforce_mode {
	ENFORCE,          /* refusals are the kernel's own */
	ENFORCE_VERIFY,   /* every refusal becomes notify-and-continue and is counted */
	ENFORCE_COUNT,    /* every refusal is counted and answered with the policy's own errno */
	ENFORCE_LOG,      /* every refusal becomes SECCOMP_RET_LOG */
};

struct refusal { /* one (call, why) with its count */
	enum arch arch;
	uint32_t nr;
	struct decision_why why;
	struct verdict verdict;
	uint64_t count;
	uint64_t args[6]; /* of the first one */
	int pid;          /* of the first one */
};

struct enforce_report {
	VEC(struct refusal) refusals;
	uint64_t total;
	uint64_t lost; /* notifications that could not be answered (the caller was gone) */
};

struct enforce_options {
	enum enforce_mode mode;
	unsigned layers;      /* LAYER_*: what to set up; must cover the policy's or be said with --layers */
	char *const *argv;    /* argv[0] is the program, found along PATH */
	const struct policy *policy;
};

/*
 * ENFORCE and ENFORCE_LOG replace this process and return only on failure. The others wait for
 * the command and everything it started, pass signals on, and return its exit status
 * (128+N for a signal). Failure: -1 with diagnostics, nothing executed; *status is the exit
 * code to leave with (125, 126, 127).
 */
int enforce_run(struct arena *a, const struct enforce_options *opt, struct enforce_report *report,
		int *status, struct diags *ds);
