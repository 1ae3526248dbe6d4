/* SPDX-License-Identifier: Apache-2.0 */
/* tracer: a child asks to be traced, and is attached to, as debuggers do. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			execl("/bin/true", "true", (char *)NULL);
		pause();
	}
	/* Refused where it is traced already, by this or another process. */
	ptrace(PTRACE_SEIZE, pid, NULL, NULL);
	if (waitpid(pid, &status, WNOHANG) == 0)
		ptrace(PTRACE_ATTACH, pid, NULL, NULL);
	kill(pid, 9);
	return waitpid(pid, &status, 0) != pid;
}
