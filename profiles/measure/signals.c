/* SPDX-License-Identifier: Apache-2.0 */
/* set signals: install handlers, block, wait for, queue and time signals. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

static void handler(int sig)
{
	(void)sig;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler };
	/* Again and again: the first may be over before pause() is reached. */
	struct itimerval soon = { .it_interval = { 0, 1000 }, .it_value = { 0, 1000 } };
	struct timespec now = { 0, 1000 };
	stack_t ss = { .ss_sp = malloc(SIGSTKSZ), .ss_size = (size_t)SIGSTKSZ };
	union sigval v = { .sival_int = 1 };
	sigset_t set, old;
	sigjmp_buf env;

	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &old);
	setitimer(ITIMER_REAL, &soon, NULL);
	sigsuspend(&old);
	alarm(0);
	raise(SIGUSR1);
	sigpending(&set);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwaitinfo(&set, NULL);
	sigtimedwait(&set, NULL, &now);
	sigqueue(getpid(), SIGUSR1, v);
	close(signalfd(-1, &set, SFD_CLOEXEC));
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigsetjmp(env, 1);
	setitimer(ITIMER_REAL, &soon, NULL);
	pause();
	return 0;
}
