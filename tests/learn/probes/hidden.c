/* SPDX-License-Identifier: Apache-2.0 */
/* hidden DIR: not dumpable, so that its /proc files belong to root; then opens, binds, makes. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc < 2 || chdir(argv[1]) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return 1;
	if (open("/etc/hostname", O_RDONLY) < 0 || open("out", O_CREAT | O_RDWR, 0600) < 0)
		return 2;
	return mkdir("made", 0700) || bind(s, (struct sockaddr *)&at, sizeof(at)) ? 3 : 0;
}
