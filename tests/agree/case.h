/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of the bench have in common; they are run in machines of their own alone. Each is one multi-call program:
 *   PROGRAM                lists its cases
 *   PROGRAM fresh CASE     makes what the case finds: /d, with the names below, and what it sets up
 *   PROGRAM CASE           does it, in /d; 0 where every call did what it was made for
 *   PROGRAM as LABEL CASE  the same by an exec into that profile of AppArmor
 *   PROGRAM under FILE CASE  and by one under that filter, raw BPF
 *   PROGRAM /SCRIPT        0: it is the interpreter of a script
 */
#ifndef TESTS_AGREE_CASE_H
#define TESTS_AGREE_CASE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct awkward {
	const char *name;
	int (*run)(void);
	int (*setup)(void);
};

/* A row of a table of cases: the function is the name. */
#define CASE(f)                                                                                    \
	{                                                                                          \
		.name = #f, .run = f                                                               \
	}
#define SET_UP(f, s)                                                                               \
	{                                                                                          \
		.name = #f, .run = f, .setup = s                                                   \
	}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	size_t n = strlen(text);

	return fd < 0 || write(fd, text, n) != (ssize_t)n || close(fd);
}

/* All that is in it, however deep: names are longer than any path may be. */
static int emptied(int at, const char *name)
{
	int bad = 0, fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *e; d && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(fd, e->d_name, 0))
			bad |= emptied(fd, e->d_name) || unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	return !d || closedir(d) || bad;
}

static int empty_again(const char *name)
{
	mkdir(name, 0755);
	return emptied(AT_FDCWD, name);
}

/* /d/{file,other} of four pages, link -> file, dir/in, empty/, a/f and b/f with current -> a. */
static int fresh(void)
{
	static const char *const dirs[] = { "dir", "empty", "a", "b" };

	if (access("/rows",
		   F_OK)) /* /tmp and /srv are emptied: not on a machine that somebody uses */
		return 9;
	umount2("/d/empty", MNT_DETACH);
	umount2("/d/dir", MNT_DETACH);
	if (chdir("/") || empty_again("/d") || empty_again("/tmp") || empty_again("/srv") ||
	    chdir("/d"))
		return 1;
	if (put("file", "x") || put("other", "y") || truncate("file", 16384) ||
	    truncate("other", 16384))
		return 2;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(dirs[i], 0755))
			return 3;
	return put("dir/in", "in") || put("a/f", "a") || put("b/f", "b") ||
	       symlink("file", "link") || symlink("a", "current");
}

static int run_as(const char *label, char **argv)
{
	char text[256];
	int fd = open("/proc/self/attr/exec", O_WRONLY);
	int n = snprintf(text, sizeof(text), "exec %s", label);

	if (fd < 0 || write(fd, text, (size_t)n) != n || close(fd))
		return 90;
	execv("/proc/self/exe", argv);
	return 91;
}

static int run_under(const char *file, char **argv)
{
	static struct sock_filter code[BPF_MAXINSNS];
	int fd = open(file, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, code, sizeof(code));
	struct sock_fprog prog = { (unsigned short)(n > 0 ? (size_t)n / sizeof(code[0]) : 0),
				   code };

	if (close(fd) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return 94;
	execv("/proc/self/exe", argv);
	return 95;
}

static int run_case(const struct awkward *cases, size_t n, int argc, char **argv)
{
	for (size_t i = 0; argc < 2 && i < n; i++)
		puts(cases[i].name);
	if (argc < 2 || strchr(argv[1], '/'))
		return 0;
	if (argc == 4) {
		char *words[] = { argv[0], argv[3], NULL };

		if (chdir("/d"))
			return 92;
		return strcmp(argv[1], "as") ? run_under(argv[2], words) : run_as(argv[2], words);
	}
	for (size_t i = 0; i < n; i++) {
		if (argc == 3 && !strcmp(argv[1], "fresh") && !strcmp(argv[2], cases[i].name))
			return fresh() || (cases[i].setup && cases[i].setup());
		if (argc == 2 && !strcmp(argv[1], cases[i].name))
			return chdir("/d") ? 92 : cases[i].run();
	}
	return 93;
}

#define CASES_MAIN(cases)                                                                          \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return run_case(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);              \
	}

#endif
