/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moment CASE...: each in the directory of its name, where `a` and `b` are directories with a file
 * `f` and an empty directory `e`, `current` leads to `a` and `flink` to `a/f`. What names lead to, who
 * owns it and where it is differs at the end of the case from when it was used. 0 where every call
 * succeeded; without a case: their names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXCHANGE 2
#define DEEP     150

static int flip(const char *name, const char *to)
{
	return symlink(to, "fresh") || rename("fresh", name);
}

static int through_chmod(void)
{
	return chmod("current/f", 0600) || flip("current", "b");
}

static int through_chown(void)
{
	return chown("current/f", getuid(), getgid()) || flip("current", "b");
}

static int through_truncate(void)
{
	return truncate("current/f", 1) || flip("current", "b");
}

static int through_mkdir(void)
{
	return mkdir("current/new", 0700) || flip("current", "b");
}

static int through_rmdir(void)
{
	return rmdir("current/e") || flip("current", "b");
}

static int through_unlink(void)
{
	return unlink("current/f") || flip("current", "b");
}

static int through_rename(void)
{
	return rename("current/f", "current/g") || flip("current", "b");
}

static int through_link(void)
{
	return link("current/f", "current/g") || flip("current", "b");
}

static int through_symlink(void)
{
	return symlink("x", "current/s") || flip("current", "b");
}

static int through_mknod(void)
{
	return mknod("current/p", S_IFIFO | 0600, 0) || flip("current", "b");
}

static int through_bind(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "current/sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || flip("current", "b");
}

static int through_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "a/sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), to = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		return 1;
	strcpy(addr.sun_path, "current/sock");
	return connect(to, (struct sockaddr *)&addr, sizeof(addr)) || flip("current", "b");
}

static int through_last(void)
{
	return chmod("flink", 0600) || flip("flink", "b/f");
}

static int through_both(void)
{
	return chmod("current/f", 0600) || flip("current", "b") || chmod("current/f", 0600);
}

static int through_removed(void)
{
	return mkdir("current/new", 0700) || unlink("current");
}

static int through_made(void)
{
	return symlink("a", "made") || mkdir("made/new", 0700) || chmod("made/f", 0600);
}

static int through_old(void)
{
	return mkdir("current/new", 0700) || rmdir("current/new");
}

static int changed_directory(void)
{
	return chdir("current") || mkdir("x", 0700) || chdir("../b") || mkdir("y", 0700) ||
	       chdir("..") || flip("current", "b");
}

static int renamed_parent(void)
{
	return mkdir("p", 0700) || mkdir("p/x", 0700) || rename("p", "q") || rmdir("q/x");
}

static int swapped_parents(void)
{
	return unlink("a/f") || rename("a", "c") || rename("b", "a") || unlink("a/f") ||
	       rmdir("c/e");
}

static int moved_twice(void)
{
	return mkdir("q1", 0700) || rename("q1", "q2") || rename("q2", "q3") || rmdir("q3");
}

static int moved_over(void)
{
	return rename("a/e", "b/e") || rmdir("b/e");
}

static int exchanged(void)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", EXCHANGE) || unlink("a/f");
}

static int moved_into(void)
{
	return rename("a", "b/a") || unlink("b/a/f") || rmdir("b/a/e") || rmdir("b/a");
}

static int temporary(void)
{
	return open("t", O_RDWR | O_CREAT | O_EXCL, 0600) < 0 || chmod("t", 0644) || unlink("t");
}

static int replaced(void)
{
	return open("t", O_WRONLY | O_CREAT | O_EXCL, 0600) < 0 || rename("t", "a/f");
}

static int own_directory(void)
{
	return mkdir("own", 0700) || chmod("own", 0755) || rmdir("own");
}

static int own_link(void)
{
	return symlink("x", "own") || lchown("own", getuid(), getgid()) || unlink("own");
}

static int fails_full(void)
{
	return !rmdir("a") || errno != ENOTEMPTY || !rename("b", "a") || errno != ENOTEMPTY;
}

static int fails_directory(void)
{
	return !unlink("a/e") || errno != EISDIR;
}

/* As execvp() and shells try what is a shell's script by then. */
static int fails_format(void)
{
	int fd = open("s", O_WRONLY | O_CREAT, 0700);

	if (write(fd, "exit\n", 5) != 5 || close(fd))
		return 1;
	execl("./s", "s", (char *)NULL);
	return errno != ENOEXEC;
}

static int deep(void)
{
	for (int i = 0; i < DEEP; i++)
		if (mkdir("d", 0700) || chdir("d"))
			return 1;
	if (open("f", O_WRONLY | O_CREAT, 0600) < 0 || unlink("f"))
		return 1;
	for (int i = 0; i < DEEP; i++)
		if (chdir("..") || rmdir("d"))
			return 1;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} cases[] = {
#define CASE(f)                                                                                    \
	{                                                                                          \
#f, f                                                                              \
	}
	CASE(through_chmod),    CASE(through_chown),
	CASE(through_truncate), CASE(through_mkdir),
	CASE(through_rmdir),    CASE(through_unlink),
	CASE(through_rename),   CASE(through_link),
	CASE(through_symlink),  CASE(through_mknod),
	CASE(through_bind),     CASE(through_connect),
	CASE(through_last),     CASE(through_both),
	CASE(through_removed),  CASE(through_made),
	CASE(through_old),      CASE(changed_directory),
	CASE(renamed_parent),   CASE(swapped_parents),
	CASE(moved_twice),      CASE(moved_over),
	CASE(exchanged),        CASE(moved_into),
	CASE(temporary),        CASE(replaced),
	CASE(own_directory),    CASE(own_link),
	CASE(fails_full),       CASE(fails_directory),
	CASE(fails_format),     CASE(deep),
};

static int run_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(name, cases[i].name))
			return cases[i].run() != 0;
	return 2;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		int status = 0;
		pid_t pid = fork();

		if (!pid)
			_exit(chdir(argv[i]) ? 3 : run_case(argv[i]));
		if (waitpid(pid, &status, 0) != pid || status) {
			printf("%s failed: %d\n", argv[i], status);
			failed = 1;
		}
	}
	for (size_t i = 0; argc < 2 && i < sizeof(cases) / sizeof(cases[0]); i++)
		puts(cases[i].name);
	return failed;
}
