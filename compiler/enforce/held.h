/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The seccomp filters that the kernel holds for a running thread, and the call that it is in.
 * Reading filters stops the thread for that moment (ptrace; it needs CAP_SYS_ADMIN) and lets
 * it go as it was.
 */
#include <sys/types.h>

#include "compiler/cbpf/cbpf.h"

enum held_mode { HELD_NONE, HELD_STRICT, HELD_FILTERS }; /* as /proc/PID/status numbers them */

struct held {
	enum held_mode mode;
	VEC(struct cbpf) filters; /* in the order in which they were installed */
	VEC(bool) logs;           /* of each: it has SECCOMP_FILTER_FLAG_LOG */
	char name[16];            /* what the kernel calls the process */
	uint32_t audit;           /* AUDIT_ARCH_* of the call it is in; 0: not known */
};

/*
 * 0 or -errno, *step (may be NULL): what was being done. -ESRCH: no such process; -ECHILD: it has
 * ended, and its parent has not waited for it (a zombie); -EPERM: not
 * ours to look at; -EACCES: a filter of our own forbids it; -EIO, -EINVAL: the kernel was
 * built without CONFIG_CHECKPOINT_RESTORE. `tid` may be any thread of a process.
 */
int held_read(struct arena *a, pid_t tid, struct held *out, const char **step);

struct held_call {
	enum { HELD_RUNNING, HELD_IN_CALL, HELD_OUTSIDE } state; /* OUTSIDE: stopped, in no call */
	uint32_t nr;
	uint64_t args[6];
	uint64_t ip;
};

/* From /proc/TID/syscall: 0 or -errno. */
int held_call(pid_t tid, struct held_call *out);
