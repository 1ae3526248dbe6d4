/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command without a vDSO: stops it after its exec and turns AT_SYSINFO_EHDR in its
 * auxiliary vector into AT_IGNORE (getauxval(3)), so that libc falls back to system calls.
 * Then lets it run and prints each call's number, one a line, on standard error.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static long peek(pid_t pid, unsigned long at)
{
	errno = 0;
	long v = ptrace(PTRACE_PEEKDATA, pid, at, 0);
	if (errno)
		exit(3);
	return v;
}

static void hide_vdso(pid_t pid)
{
	struct user_regs_struct regs;
	ptrace(PTRACE_GETREGS, pid, 0, &regs);
	unsigned long p = regs.rsp + 8 * (unsigned long)(peek(pid, regs.rsp) + 2);
	while (peek(pid, p))
		p += 8;
	for (p += 8; peek(pid, p) != AT_NULL; p += 16)
		if (peek(pid, p) == AT_SYSINFO_EHDR) {
			ptrace(PTRACE_POKEDATA, pid, p, AT_IGNORE);
			return;
		}
	exit(4);
}

int main(int argc, char **argv)
{
	int status;
	if (argc < 2)
		return 2;
	pid_t pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (!WIFSTOPPED(status))
		return 1;
	hide_vdso(pid);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
	for (int in = 0;;) {
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		in = !in;
		if (in) {
			struct user_regs_struct regs;
			ptrace(PTRACE_GETREGS, pid, 0, &regs);
			fprintf(stderr, "%lld\n", (long long)regs.orig_rax);
		}
	}
}
