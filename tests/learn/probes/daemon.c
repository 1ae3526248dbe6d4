/* SPDX-License-Identifier: Apache-2.0 */
/* Forks twice, so that its parent is gone, and only then writes argv[1]: the run is over later than the command. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec ts = { 0, 100000000 };
	int fd;
	pid_t pid = fork();

	if (pid < 0 || argc < 2)
		return 1;
	if (pid)
		return waitpid(pid, NULL, 0) < 0;
	setsid();
	if (fork())
		_exit(0);
	nanosleep(&ts, NULL); /* the command itself has ended by now */
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	syscall(SYS_getsid, 0);
	return fd < 0 || write(fd, "x", 1) != 1;
}
