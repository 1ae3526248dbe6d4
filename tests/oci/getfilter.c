/* SPDX-License-Identifier: Apache-2.0 */
/* getfilter PID: the seccomp filter that the kernel holds for a process, on stdout; how many
 * it holds, on stderr. */
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

static long get(pid_t pid, unsigned long at, struct sock_filter *insns)
{
	return ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, pid, (void *)at, insns);
}

int main(int argc, char **argv)
{
	static struct sock_filter insns[4096];
	int status;
	pid_t pid = argc == 2 ? (pid_t)atoi(argv[1]) : 0;

	if (pid <= 0 || ptrace(PTRACE_ATTACH, pid, NULL, NULL) ||
	    waitpid(pid, &status, __WALL) < 0) {
		perror("getfilter: attach");
		return 1;
	}
	unsigned long n = 0;
	while (get(pid, n, NULL) > 0)
		n++;
	long count = get(pid, 0, insns);
	if (count < 0)
		perror("getfilter: PTRACE_SECCOMP_GET_FILTER");
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	fprintf(stderr, "%lu filters\n", n);
	if (count > 0)
		fwrite(insns, sizeof(insns[0]), (size_t)count, stdout);
	return count > 0 ? 0 : 1;
}
