/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers wait        until it is killed
 * peers all PID     signals itself, a child, which signals it, its parent, and PID
 * peers send PID    sends SIGUSR2 there: 1 where that is refused
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(const char *what, int r)
{
	if (!r)
		return;
	perror(what);
	exit(2);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Each of the two signals the other, which has blocked it before and waits. */
static void with_a_child(void)
{
	sigset_t set, old;
	int status;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigdelset(&old, SIGUSR1);
	pid = fork();
	if (!pid) {
		sigsuspend(&old);
		_exit(kill(getppid(), SIGUSR1) != 0);
	}
	must("kill a child", kill(pid, SIGUSR1));
	sigsuspend(&old);
	must("waitpid", waitpid(pid, &status, 0) != pid || status);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 2 ? (pid_t)atoi(argv[2]) : 0;

	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, SIG_IGN);
	while (argc == 2)
		pause();
	if (argc != 3)
		return 3;
	if (!strcmp(argv[1], "send"))
		return kill(pid, SIGUSR2) != 0;
	must("raise", raise(SIGUSR1));
	must("kill 0 itself", kill(getpid(), 0));
	with_a_child();
	must("kill the parent", kill(getppid(), SIGURG));
	must("kill another", kill(pid, SIGUSR2));
	must("kill 0 another", kill(pid, 0));
	return 0;
}
