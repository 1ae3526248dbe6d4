/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfilter OUT COMMAND...: runs a container runtime traced, and where one of its processes has
 * loaded a seccomp filter, writes what it then holds to OUT.0 (the oldest), OUT.1, ... and kills
 * it: what a filter refuses cannot keep it from being read. How many filters on stdout.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif
enum { FILTERS_MAX = 8, LIMIT = 20 /* seconds; tracees die with us */ };

static struct sock_filter held[FILTERS_MAX][4096];
static long lengths[FILTERS_MAX];
static unsigned long nheld;
static pid_t loading; /* in the middle of the call that loads */

static long get(pid_t pid, unsigned long at, struct sock_filter *insns)
{
	return ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, pid, (void *)at, insns);
}

static void collect(pid_t pid)
{
	nheld = 0;
	while (nheld < FILTERS_MAX && (lengths[nheld] = get(pid, nheld, held[nheld])) > 0)
		nheld++;
}

static bool loads(const struct __ptrace_syscall_info *i)
{
	return (i->entry.nr == SYS_seccomp && i->entry.args[0] == SECCOMP_SET_MODE_FILTER) ||
	       (i->entry.nr == SYS_prctl && i->entry.args[0] == PR_SET_SECCOMP);
}

static void at_syscall(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && loads(&info)) {
		loading = pid;
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && loading == pid) {
		loading = 0;
		if (info.exit.is_error || nheld)
			return;
		collect(pid);
		kill(pid, SIGKILL);
	}
}

static int write_all(const char *out)
{
	for (unsigned long i = 0; i < nheld; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s.%lu", out, i);
		FILE *f = fopen(path, "w");
		if (!f ||
		    fwrite(held[i], sizeof(held[i][0]), (size_t)lengths[i], f) !=
			    (size_t)lengths[i] ||
		    fclose(f))
			return -1;
	}
	return printf("%lu\n", nheld) > 0 ? 0 : -1;
}

static void start(char **argv)
{
	alarm(0);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	int status, result = 1;
	pid_t pid, first;

	if (argc < 3)
		return 2;
	alarm(LIMIT);
	first = fork();
	if (first == 0)
		start(argv + 2);
	if (first < 0 || waitpid(first, &status, 0) != first ||
	    ptrace(PTRACE_SETOPTIONS, first, NULL, options)) {
		perror("holdfilter");
		return 1;
	}
	ptrace(PTRACE_SYSCALL, first, NULL, NULL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		long sig = 0;
		if (pid < 0 || !WIFSTOPPED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			at_syscall(pid);
		else if (!(status >> 16) && WSTOPSIG(status) != SIGTRAP &&
			 WSTOPSIG(status) != SIGSTOP)
			sig = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, pid, NULL, sig);
	}
	if (write_all(argv[1]))
		return 1;
	return nheld ? 0 : result;
}
