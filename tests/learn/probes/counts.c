/* SPDX-License-Identifier: Apache-2.0 */
/* Known calls in known numbers: argv[1] getppid in each of 3 threads and 2 children, twice that in main. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long n;

static void *loop(void *arg)
{
	(void)arg;
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[3];

	n = argc > 1 ? atol(argv[1]) : 1000;
	for (int i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, loop, NULL))
			return 1;
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid) {
			loop(NULL);
			_exit(0);
		}
	}
	loop(NULL);
	loop(NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	while (wait(NULL) > 0)
		;
	return 0;
}
