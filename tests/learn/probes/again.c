/* SPDX-License-Identifier: Apache-2.0 */
/*
 * again FILE: opens in the working directory, over and over, what has other names, other owners and
 * other neighbours in between. FILE says of each name how often it used that.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXCHANGE 2
#define MANY     1500 /* more than pale keeps in mind */

static struct {
	char name[64];
	unsigned n;
} opened[2 * MANY];
static unsigned names;

static void say(const char *name, unsigned n)
{
	unsigned i = 0;

	while (i < names && strcmp(opened[i].name, name))
		i++;
	if (i == names)
		snprintf(opened[names++].name, sizeof(opened[0].name), "%s", name);
	opened[i].n += n;
}

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

static void use(const char *name, int flags, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int fd = open(name, flags, 0600);

		check(fd < 0, name);
		close(fd);
	}
	say(name, n);
}

/* The names are as long as each other, and lead to the same files. */
static void renamed(void)
{
	check(mkdir("one", 0700), "one");
	use("one/f", O_RDWR | O_CREAT, 1);
	for (int i = 0; i < 20; i++) {
		use("one/f", O_RDONLY, 3);
		check(rename("one", "two"), "rename");
		use("two/f", O_RDONLY, 5);
		check(rename("two/f", "two/g"), "rename");
		say("two/f", 2);
		say("two/g", 2);
		use("two/g", O_RDONLY, 2);
		check(rename("two/g", "two/f") || rename("two", "one"), "rename");
	}
}

static void exchanged(void)
{
	check(mkdir("left", 0700) || mkdir("left/deep", 0700) || mkdir("rest", 0700) ||
		      mkdir("rest/deep", 0700),
	      "mkdir");
	use("left/deep/f", O_RDWR | O_CREAT, 1);
	use("rest/deep/g", O_RDWR | O_CREAT, 1);
	for (int i = 0; i < 20; i++) {
		use(i % 2 ? "rest/deep/f" : "left/deep/f", O_RDONLY, 4);
		use(i % 2 ? "left/deep/g" : "rest/deep/g", O_RDONLY, 3);
		check(syscall(SYS_renameat2, AT_FDCWD, "left", AT_FDCWD, "rest", EXCHANGE) != 0,
		      "exchange");
	}
}

/* What is made lies where what is gone lay, in the kernel's memory. */
static void made_anew(void)
{
	static const char *const tops[] = { "abc", "xyz", "pqr" };
	char name[64], dir[64];

	for (int i = 0; i < 60; i++) {
		const char *top = tops[i % 3];

		snprintf(dir, sizeof(dir), "%s/in", top);
		snprintf(name, sizeof(name), "%s/in/f", top);
		check(mkdir(top, 0700) || mkdir(dir, 0700), top);
		use(name, O_RDWR | O_CREAT, 1);
		use(name, O_RDONLY, 2);
		say(name, 1);
		check(unlink(name) || rmdir(dir) || rmdir(top), top);
	}
}

static void many(void)
{
	char name[64];

	check(mkdir("many", 0700), "many");
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < MANY; i++) {
			snprintf(name, sizeof(name), "many/%d", i);
			use(name, O_RDWR | O_CREAT, 1);
		}
}

static void side_by_side(void)
{
	use("shared", O_RDWR | O_CREAT, 1);
	for (int child = 0; child < 4; child++) {
		pid_t pid = fork();

		check(pid < 0, "fork");
		if (!pid) {
			for (int i = 0; i < 5000; i++)
				close(open("shared", i % 2 ? O_RDONLY : O_RDWR));
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	say("shared", 4 * 5000);
}

/* One directory at two places, and a third one on top of it. */
static void mounted(void)
{
	check(mkdir("here", 0700) || mkdir("there", 0700) || mkdir("else", 0700), "mkdir");
	use("here/f", O_RDWR | O_CREAT, 1);
	use("else/f", O_RDWR | O_CREAT, 1);
	check(unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "unshare");
	for (int i = 0; i < 10; i++) {
		check(mount("here", "there", NULL, MS_BIND, NULL), "mount");
		use("here/f", O_RDONLY, 2);
		use("there/f", O_RDONLY, 3);
		check(mount("else", "there", NULL, MS_BIND, NULL), "mount");
		use("there/f", O_RDONLY, 1);
		check(umount("there") || umount("there"), "umount");
	}
}

static void values(void)
{
	for (int i = 0; i < 3000; i++) {
		int fd = socket(i % 3 ? AF_UNIX : AF_INET, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);

		check(fd < 0, "socket");
		close(fd);
	}
}

static void owned(void)
{
	use("owned", O_RDWR | O_CREAT, 1);
	for (int i = 0; i < 10; i++) {
		check(chown("owned", i % 2 ? 0 : 1, 0), "chown");
		say("owned", 1);
		use("owned", O_RDONLY, 2);
	}
}

int main(int argc, char **argv)
{
	FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;

	check(!out, "again FILE");
	renamed();
	exchanged();
	made_anew();
	many();
	side_by_side();
	values();
	owned();
	mounted();
	for (unsigned i = 0; i < names; i++)
		fprintf(out, "%s %u\n", opened[i].name, opened[i].n);
	return fclose(out) != 0;
}
