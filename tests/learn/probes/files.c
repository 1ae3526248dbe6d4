/* SPDX-License-Identifier: Apache-2.0 */
/* In the directory argv[1], ways to name and use files: links, relative, dirfd, mkstemp, unlink, rename, locks. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			perror(#x);                                                                \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static int touch(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0 && !close(fd);
}

static int names(void)
{
	int dir, fd;

	CHECK(!mkdir("sub", 0700));
	CHECK(touch("real"));
	CHECK(!symlink("real", "link"));
	CHECK((fd = open("./sub/../link", O_RDONLY | O_CLOEXEC)) >= 0); /* -> real */
	close(fd);
	CHECK((dir = open("sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0); /* r sub/ */
	CHECK((fd = openat(dir, "at", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
	CHECK(!flock(fd, LOCK_EX)); /* k */
	CHECK(!fchmod(fd, 0640));
	close(fd);
	CHECK(!mkdirat(dir, "below", 0700));
	CHECK(!unlinkat(dir, "below", AT_REMOVEDIR));
	CHECK(!fchdir(dir));
	CHECK((fd = open("../appended", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) >= 0);
	close(fd);
	CHECK(!chdir(".."));
	close(dir);
	return 0;
}

static int changes(void)
{
	CHECK(touch("gone"));
	CHECK(!unlink("gone"));
	CHECK(touch("old"));
	CHECK(!rename("old", "sub/new"));
	CHECK(!link("real", "hard"));
	CHECK(!chmod("real", 0644));
	CHECK(!truncate("real", 10));
	CHECK(open("missing", O_RDONLY | O_CLOEXEC) < 0); /* failed: no rule */
	return 0;
}

static int sockets(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), c;

	CHECK(s >= 0 && !bind(s, (struct sockaddr *)&a, sizeof(a)) && !listen(s, 1));
	c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(c >= 0 && !connect(c, (struct sockaddr *)&a, sizeof(a)));
	close(c);
	close(s);
	return 0;
}

static int deep(void)
{
	char name[201];

	/* Longer than one key of the recorder's map holds, and deeper than most walks go. */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	for (int i = 0; i < 5; i++)
		CHECK(!mkdir(name, 0700) && !chdir(name));
	for (int i = 0; i < 30; i++)
		CHECK(!mkdir("d", 0700) && !chdir("d"));
	CHECK(touch("deepest"));
	return 0;
}

int main(int argc, char **argv)
{
	char temp[] = "/tmp/palexx-XXXXXX";
	int fd;

	CHECK(argc > 1 && !chdir(argv[1]));
	if (names() || changes() || sockets())
		return 1;
	CHECK((fd = mkstemp(temp)) >= 0 && !close(fd) && !unlink(temp));
	return deep();
}
