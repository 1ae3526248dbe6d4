/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "chroot": below argv[2], where /link leads to /real: makes a directory and removes a file
 * through it, and executes a copy of this program. "bind": in a mount namespace of its own,
 * argv[2]/real bound over argv[2]/link: the same there.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int work(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/link/made", dir);
	if (mkdir(path, 0700))
		return 3;
	snprintf(path, sizeof(path), "%s/link/gone", dir);
	return unlink(path) ? 4 : 0;
}

int main(int argc, char **argv)
{
	char real[4096], link[4096];

	if (argc == 2)
		return getsid(0) < 0;
	if (argc < 3)
		return 1;
	if (!strcmp(argv[1], "chroot")) {
		if (chroot(argv[2]) || chdir("/") || work(""))
			return 2;
		execl("/jail", "/jail", "again", (char *)NULL);
		return 5;
	}
	snprintf(real, sizeof(real), "%s/real", argv[2]);
	snprintf(link, sizeof(link), "%s/link", argv[2]);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(real, link, NULL, MS_BIND, NULL))
		return 6;
	return work(argv[2]);
}
