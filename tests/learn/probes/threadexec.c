/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that is not the leader execs this program again, which then calls getsid 3 times. */
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *go(void *arg)
{
	(void)arg;
	execl("/proc/self/exe", "threadexec", "again", (char *)NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (argc > 1 && !strcmp(argv[1], "again")) {
		for (int i = 0; i < 3; i++)
			if (syscall(SYS_getsid, 0) < 0)
				return 1;
		return 0;
	}
	if (pthread_create(&t, NULL, go, NULL))
		return 1;
	pthread_join(t, NULL);
	return 2;
}
