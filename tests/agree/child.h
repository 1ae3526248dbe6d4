/* SPDX-License-Identifier: Apache-2.0 */
/* A child that programs look at, signal and trace. */
#ifndef TESTS_AGREE_CHILD_H
#define TESTS_AGREE_CHILD_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int ended(pid_t pid, int want)
{
	int status = 0;

	return pid < 0 || waitpid(pid, &status, __WALL) != pid ||
	       (status & ~0x80) != want; /* a core was written */
}

/* A child that waits to be killed, and that is: it ends with the pipe of its parent's too. */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static int put_down(pid_t pid)
{
	return kill(pid, SIGTERM) || ended(pid, SIGTERM);
}

#endif
