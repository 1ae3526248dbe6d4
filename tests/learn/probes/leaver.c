/* SPDX-License-Identifier: Apache-2.0 */
/* Renames itself, asks getsid 3x, moves to the cgroup of argv[1] (cgroup.procs), getpgid 5x. */
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd;

	prctl(PR_SET_NAME, "somebody else");
	for (int i = 0; i < 3; i++)
		getsid(0);
	fd = open(argc > 1 ? argv[1] : "", O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return 1;
	close(fd);
	for (int i = 0; i < 5; i++)
		getpgid(0);
	return 0;
}
