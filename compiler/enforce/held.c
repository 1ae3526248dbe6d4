/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of a running thread, by PTRACE_SECCOMP_GET_FILTER and PTRACE_SECCOMP_GET_METADATA
 * (kernel/seccomp.c seccomp_get_filter(), seccomp_get_metadata()). */
#include "compiler/enforce/held.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "compiler/enforce/procfs.h"

enum { FILTERS_MAX = 8192 }; /* 32768 instructions on a path, at least 4 + 1 a filter */

/* What has ended and was not waited for has a status, and nobody can attach to it (proc(5)). */
static bool is_zombie(const char *status)
{
	const char *state = strstr(status, "\nState:\t");

	return state && (state[8] == 'Z' || state[8] == 'X');
}

static int read_mode(pid_t tid, struct held *out)
{
	char text[PROC_STATUS_MAX];
	uint64_t mode;
	ssize_t n = proc_read(tid, "status", text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (is_zombie(text))
		return -ECHILD;
	if (!proc_status_number(text, "Seccomp", 10, &mode) || mode > HELD_FILTERS)
		return -ENOSYS;
	out->mode = (enum held_mode)mode;
	n = proc_read(tid, "comm", out->name, sizeof(out->name));
	if (n < 0)
		return (int)n;
	out->name[strcspn(out->name, "\n")] = '\0';
	return 0;
}

/* Stops it. The signal that it was about to get, 0 for none, or -errno. */
static int stop(pid_t tid, const char **step)
{
	int status;

	*step = "attach to the process";
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0)
		return -errno;
	*step = "stop the process";
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		return -errno;
	while (waitpid(tid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFSTOPPED(status))
		return -ESRCH; /* it ended meanwhile */
	return status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
}

static int read_filter(struct arena *a, pid_t tid, unsigned long index, struct cbpf *out)
{
	void *at = (void *)index; /* ptrace() takes the index in place of an address */
	long n = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, at, NULL);

	if (n < 0)
		return -errno;
	if (n == 0 || n > CBPF_MAX)
		return -EPROTO;
	*out = (struct cbpf){ .insns = ARENA_ARRAY(a, struct sock_filter, (size_t)n),
			      .n = (size_t)n,
			      .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };
	/* The filters of a stopped thread change only by another thread's TSYNC: newer ones come
	 * behind those that were there. */
	return ptrace(PTRACE_SECCOMP_GET_FILTER, tid, at, out->insns) == n ? 0 : -EAGAIN;
}

/* struct seccomp_metadata of linux/ptrace.h, which the C library's own header leaves no room for. */
struct metadata {
	uint64_t at, flags;
};

static int read_logs(pid_t tid, unsigned long index, bool *out)
{
	struct metadata m = { .at = index };
	void *size = (void *)sizeof(m); /* ptrace() takes it in place of an address */

	if (ptrace(PTRACE_SECCOMP_GET_METADATA, tid, size, &m) < 0)
		return -errno;
	*out = (m.flags & SECCOMP_FILTER_FLAG_LOG) != 0;
	return 0;
}

/* By which of the machine's ways in the thread entered; 0: this kernel (before 5.3) cannot say. */
static uint32_t read_audit(pid_t tid)
{
	struct __ptrace_syscall_info info = { 0 };
	void *size = (void *)sizeof(info); /* ptrace() takes it in place of an address */

	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, size, &info) > 0 ? info.arch : 0;
}

static int read_filters(struct arena *a, pid_t tid, struct held *out, const char **step)
{
	*step = "read its state";
	int err = read_mode(tid, out);

	*step = "read its filters";
	for (unsigned long i = 0; !err && out->mode == HELD_FILTERS && i < FILTERS_MAX; i++) {
		struct cbpf prog;
		bool logs = false;
		err = read_filter(a, tid, i, &prog);
		if (err == -ENOENT && i)
			return 0;
		err = err ? err : read_logs(tid, i, &logs);
		if (err)
			return err;
		vec_push(a, &out->filters, prog);
		vec_push(a, &out->logs, logs);
	}
	return err;
}

int held_read(struct arena *a, pid_t tid, struct held *out, const char **step)
{
	const char *unused;
	struct held h = { .mode = HELD_NONE };

	if (!step)
		step = &unused;
	*out = h;
	/* Whoever has no filter needs no stopping; a number that is used again is seen below. */
	*step = "read its state";
	int err = read_mode(tid, out);
	if (err || out->mode != HELD_FILTERS)
		return err;
	int signal = stop(tid, step);
	if (signal == -EPERM && read_mode(tid, &h) == -ECHILD)
		return -ECHILD; /* it ended meanwhile */
	if (signal < 0)
		return signal;
	h = (struct held){ .mode = HELD_NONE };
	*out = h;
	out->audit = read_audit(tid);
	err = read_filters(a, tid, out, step);
	/* ptrace() takes the signal in place of an address. */
	ptrace(PTRACE_DETACH, tid, NULL, (void *)(unsigned long)signal);
	return err;
}

int held_call(pid_t tid, struct held_call *out)
{
	char text[512];
	uint64_t sp;
	int nr;
	ssize_t n = proc_read(tid, "syscall", text, sizeof(text));

	*out = (struct held_call){ .state = HELD_RUNNING };
	if (n < 0)
		return (int)n;
	if (!strncmp(text, "running", 7))
		return 0;
	uint64_t *a = out->args;
	int got = sscanf(text,
			 "%d 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64
			 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64,
			 &nr, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &sp, &out->ip);
	if (got != 9 && !(got == 3 && nr == -1))
		return -EPROTO;
	out->state = nr == -1 ? HELD_OUTSIDE : HELD_IN_CALL;
	out->nr = (uint32_t)nr;
	return 0;
}
