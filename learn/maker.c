/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/maker.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "learn/proc.h"

#define PARENTS_MOST                                                                               \
	4 /* crun's or runc's first process starts the container's, or its child does */

static bool is_runtime(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && (!strcmp(name, "/runc") || !strcmp(name, "/crun"));
}

/*
 * Root's own, and not of a container: its root is ours. What a container made run, and calls itself
 * runc, is never executed.
 */
static bool is_here(pid_t pid)
{
	char path[64];
	struct stat owner, theirs, ours;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &owner) || owner.st_uid)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/root/", (int)pid);
	return !stat(path, &theirs) && !stat("/", &ours) && theirs.st_dev == ours.st_dev &&
	       theirs.st_ino == ours.st_ino;
}

static bool is_roots(const struct stat *st)
{
	return S_ISREG(st->st_mode) && !st->st_uid && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static ssize_t read_command(pid_t pid, char path[PATH_MAX])
{
	char at[64];
	ssize_t n;
	int fd;

	snprintf(at, sizeof(at), "/proc/%d/cmdline", (int)pid);
	fd = open(at, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, path, PATH_MAX - 1);
	if (fd >= 0)
		close(fd);
	return n;
}

/*
 * By its link; of crun, which goes on as a copy in memory or below a mount of its own, that is none, and
 * its path is the first word of its command.
 */
static bool read_program(pid_t pid, char path[PATH_MAX])
{
	char at[64];
	struct stat runs, there;
	bool copied;
	ssize_t n;

	snprintf(at, sizeof(at), "/proc/%d/exe", (int)pid);
	n = readlink(at, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = 0;
	copied = !strncmp(path, "/memfd:", 7);
	if (copied || !strcmp(path, "/")) {
		n = read_command(pid, path);
		path[n < 0 ? 0 : n] = 0;
	}
	if (*path != '/' || !is_runtime(path) || stat(path, &there) || !is_roots(&there))
		return false;
	return copied ||
	       (!stat(at, &runs) && runs.st_dev == there.st_dev && runs.st_ino == there.st_ino);
}

bool maker_is(const char *path, ino_t ino, dev_t dev)
{
	struct stat st;

	return *path == '/' && is_runtime(path) && !stat(path, &st) && is_roots(&st) &&
	       (!ino || (st.st_ino == ino && st.st_dev == dev));
}

bool maker_find(pid_t pid, char path[PATH_MAX])
{
	for (int i = 0; i < PARENTS_MOST && pid > 1; i++, pid = proc_parent(pid))
		if (is_here(pid) && read_program(pid, path))
			return true;
	*path = 0;
	return false;
}
