/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfilter OUT COMMAND...: runs the command traced and writes the seccomp filters that its
 * processes hold when they end to OUT.0 (the oldest), OUT.1, ... How many on stdout. All that
 * hold any must hold the same; status 3 when they do not. A container that the filter keeps from
 * starting has loaded it all the same. Else the command's status.
 */
#include <errno.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif
enum { FILTERS_MAX = 8, EXIT_DIFFER = 3, LIMIT = 20 /* seconds; tracees die with us */ };

static struct sock_filter held[FILTERS_MAX][4096];
static long lengths[FILTERS_MAX];
static unsigned long nheld;

static long get(pid_t pid, unsigned long at, struct sock_filter *insns)
{
	return ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, pid, (void *)at, insns);
}

/* The task is about to end, its filters are still there. */
static int collect(pid_t pid)
{
	static struct sock_filter insns[4096];
	unsigned long n = 0;

	while (n < FILTERS_MAX && get(pid, n, NULL) > 0)
		n++;
	if (!n)
		return 0;
	if (nheld && n != nheld)
		return -1;
	for (unsigned long i = 0; i < n; i++) {
		long count = get(pid, i, insns);
		if (count <= 0)
			return -1;
		size_t size = (size_t)count * sizeof(insns[0]);
		if (nheld && (count != lengths[i] || memcmp(insns, held[i], size)))
			return -1;
		memcpy(held[i], insns, size);
		lengths[i] = count;
	}
	nheld = n;
	return 0;
}

static int write_all(const char *out)
{
	for (unsigned long i = 0; i < nheld; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s.%lu", out, i);
		FILE *f = fopen(path, "w");
		if (!f || fwrite(held[i], sizeof(held[i][0]), (size_t)lengths[i], f) != (size_t)lengths[i] ||
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
	const long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status, result = 1, differ = 0;
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
	ptrace(PTRACE_CONT, first, NULL, NULL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		long sig = 0;
		if (pid < 0 || !WIFSTOPPED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
			continue;
		}
		int event = status >> 16;
		if (event == PTRACE_EVENT_EXIT)
			differ |= collect(pid);
		else if (!event && WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP)
			sig = WSTOPSIG(status);
		ptrace(PTRACE_CONT, pid, NULL, sig);
	}
	if (write_all(argv[1]))
		return 1;
	return differ ? EXIT_DIFFER : result;
}
