/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What `pale run` does: limits, capability bounding set, AppArmor on exec, no_new_privs, the
 * filter, then execve; fail closed: everything that can fail is done before anything is given
 * up, and where a step fails nothing is executed.
 *
 * --verify, --count: a listener sees each refused call. In --verify it answers "continue": the
 * kernel then runs the call with whatever the arguments hold by that time, so --verify refuses
 * nothing and protects nothing; it is for finding out what a policy would refuse. Limits,
 * capabilities and AppArmor are in force in every mode.
 */
#include "compiler/cbpf/cbpf.h"
#include "compiler/policy/policy.h"

enum enforce_mode {
	ENFORCE,        /* refusals are the kernel's own */
	ENFORCE_VERIFY, /* every refusal becomes notify-and-continue and is counted */
	ENFORCE_COUNT,  /* every refusal is counted and answered with the policy's own errno */
	ENFORCE_LOG,    /* every refusal becomes SECCOMP_RET_LOG */
};

/*
 * ENFORCE_COUNT answers as the policy says. errno: exactly. `kill`: the process gets SIGKILL at
 * once (a listener cannot make the kernel say SIGSYS; the command's own status is reported as
 * 128+SIGSYS all the same); one that we may not kill gets ENOSYS. `kill-thread` and `trap`: no
 * listener can do that, so the filter itself does, and they are not counted. `notify`: ENOSYS,
 * as when nobody listens. rt_sigreturn and sigreturn are answered by the filter itself, or let pass
 * in ENFORCE_VERIFY: held, a signal could end their wait, and they would return. A filter that the command loads itself stands before the listener:
 * what both refuse it answers, and that is not counted.
 *
 * ENFORCE_VERIFY and ENFORCE_COUNT make this process non-dumpable (prctl(2)) for good: the
 * command has its user id and could otherwise take the listener, or its memory, over. Whoever
 * keeps CAP_SYS_PTRACE still can; a warning says so for ENFORCE_COUNT.
 */

struct refusal {        /* one (call, why) with its count */
	enum arch arch; /* ARCH_NR: none that pale knows */
	uint32_t audit_arch;
	uint32_t nr; /* seccomp_data.nr */
	struct decision_why why;
	struct verdict verdict;
	uint64_t count;
	uint64_t args[6]; /* of the first one */
	int pid;          /* of the first one */
};

struct enforce_report {
	VEC(struct refusal) refusals;
	VEC(struct refusal) not_held; /* refused, and not seen: a signal would make them return */
	uint64_t total;
	uint64_t unnamed; /* of total: of more kinds than `refusals` takes (4,096) */
	uint64_t lost;    /* notifications that could not be answered (the caller was gone) */
};

struct enforce_options {
	enum enforce_mode mode;
	unsigned layers;   /* LAYER_* to set up; 0: those the policy counts on */
	bool log_refusals; /* also where the policy does not say it */
	char *const *argv; /* argv[0] is the program, found along PATH */
	const struct policy *policy;
	/* Called once all is prepared and nothing given up: what ds holds by then (warnings) can
	 * still be told. May be NULL. */
	void (*ready)(void *arg);
	void *ready_arg;
};

/*
 * ENFORCE and ENFORCE_LOG replace this process and return only on failure. The others wait for
 * the command and everything it started, pass signals on, and return its exit status
 * (128+N for a signal). Failure: -1 with diagnostics, nothing executed; *status is the exit
 * code to leave with (125, 126, 127; 128+N where signal N came before the command was there).
 * A listener that fails later is a failure too (125), and the command is killed. The process
 * must have one thread.
 *
 * The one failure that cannot be returned is an execve that the kernel refuses once the filter
 * is in place: the process then ends with 126 or 127.
 */
int enforce_run(struct arena *a, const struct enforce_options *opt, struct enforce_report *report,
		int *status, struct diags *ds);
