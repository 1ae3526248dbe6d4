/* SPDX-License-Identifier: Apache-2.0 */
/* set process: start other programs and wait for them: fork, vfork, posix_spawn, system, popen. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
	char *const argv[] = { "true", NULL };
	struct rusage ru;
	siginfo_t info;
	int fds[2], status;
	pid_t pid;
	FILE *f;

	pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, &status, 0);
	pid = vfork();
	if (!pid)
		_exit(0);
	wait4(pid, &status, 0, &ru);
	pipe(fds);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		setsid();
		dup2(fds[1], 1);
		close(fds[0]);
		execve("/bin/true", argv, environ);
		_exit(1);
	}
	kill(pid, SIGCONT);
	waitid(P_PID, (id_t)pid, &info, WEXITED);
	pipe2(fds, O_CLOEXEC);
	fcntl(dup(fds[0]), F_SETFD, FD_CLOEXEC);
	posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ);
	waitpid(pid, &status, 0);
	system("true");
	f = popen("true", "r");
	pclose(f);
	getpid();
	getppid();
	getpgrp();
	return 0;
}
