/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four tasks that share a CPU and make calls without end, so that the kernel switches between them
 * wherever it may. argv[1]: calls (reads, writes, opens) of each; its capabilities (sethostname) and
 * programs (vfork, exec, mkdir, rmdir) are a hundredth of that.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void work(int me, long n, char *self)
{
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	char c, dir[32], host[256];

	for (long i = 0; i < n; i++)
		if (syscall(SYS_read, zero, &c, 1, i) != 1 ||
		    syscall(SYS_write, null, &c, 1, i) != 1)
			_exit(1);
	for (long i = 0; i < n; i++)
		close(open("/etc/hosts", O_RDONLY));
	if (gethostname(host, sizeof(host)))
		_exit(1);
	for (long i = 0; i < n / 100; i++) /* as it is */
		if (sethostname(host, strlen(host)))
			_exit(1);
	for (long i = 0; i < n / 100; i++) {
		snprintf(dir, sizeof(dir), "/tmp/sw%d.%d.%ld", (int)getppid(), me,
			 i); /* another run has others */
		if (!vfork()) {
			execl(self, self, "dir", dir, (char *)NULL);
			_exit(1);
		}
		wait(NULL);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int status, failed = 0;

	if (argc > 2 && !strcmp(argv[1], "dir"))
		return mkdir(argv[2], 0700) || rmdir(argv[2]);
	for (int i = 0; i < 4; i++)
		if (!fork())
			work(i, argc > 1 ? atol(argv[1]) : 10000, argv[0]);
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
