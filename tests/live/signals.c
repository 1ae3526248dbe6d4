/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums what comes through a pipe while a timer and a child send it signals, at least as many as its
 * first argument says; the second: SA_RESTART, or what is interrupted is asked for again here.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t seen;

static void count(int sig)
{
	(void)sig;
	seen++;
}

static void move(ssize_t (*fn)(int, void *, size_t), int fd, uint32_t *v)
{
	ssize_t n;

	do {
		n = fn(fd, v, sizeof(*v));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(*v))
		_exit(3);
}

static ssize_t put(int fd, void *p, size_t n)
{
	return write(fd, p, n);
}

int main(int argc, char **argv)
{
	/* Each millisecond would be sooner than a busy machine lets pale answer, each time anew. */
	struct itimerval ticks = { { 0, 10000 }, { 0, 10000 } }, none = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = count };
	pid_t self = getpid(), child = -1;
	uint64_t sum = 0;
	uint32_t i = 0;
	int fd[2];

	if (argc != 3 || pipe(fd))
		return 2;
	sa.sa_flags = strcmp(argv[2], "restart") ? 0 : SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	child = fork();
	while (child == 0 && getppid() == self)
		kill(self, SIGUSR1);
	if (child == 0)
		return 0;
	setitimer(ITIMER_REAL, &ticks, NULL);
	for (; seen < atoi(argv[1]) || i % 1000; i++) {
		uint32_t v = i;
		move(put, fd[1], &v);
		move(read, fd[0], &v);
		sum += v;
	}
	/* A call that is held for an answer is interrupted as a slow one is, kill(2) as well. */
	while (kill(child, SIGKILL) < 0 && errno == EINTR)
		;
	setitimer(ITIMER_REAL, &none, NULL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	printf("%s\n", sum == (uint64_t)i * (i - 1) / 2 ? "right" : "wrong");
	return 0;
}
