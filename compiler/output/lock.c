/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/output/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME TEMPORARY "lock"

enum { QUIET_STEPS = 100 }; /* of 10 ms */

static bool is_temporary(const char *name)
{
	size_t n = strlen(TEMPORARY);

	return !strncmp(name, TEMPORARY, n) && strlen(name) == n + TEMPORARY_LETTERS &&
	       strspn(name + n, "abcdefghijklmnopqrstuvwxyz234567") == TEMPORARY_LETTERS;
}

/* Where others may write, theirs may be in use: who cannot open a lock writes without it. */
static bool is_ours(int dir, const char *name)
{
	struct stat st, parent;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return false;
	if (st.st_uid == geteuid())
		return true;
	return geteuid() == 0 && !fstat(dir, &parent) && !(parent.st_mode & (S_IWGRP | S_IWOTH));
}

static void remove_left(int dir, const char *beside, output_say *say)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	for (errno = 0; d && (e = readdir(d)); errno = 0) {
		if (!is_temporary(e->d_name) || !is_ours(dir, e->d_name))
			continue;
		if (unlinkat(dir, e->d_name, 0))
			say("pale: cannot remove '%s' beside '%s', which a run that was killed "
			    "has left: %s",
			    e->d_name, beside, strerror(errno));
		else
			say("pale: removed '%s' beside '%s', which a run that was killed had left",
			    e->d_name, beside);
	}
	if (!d || errno)
		say("pale: what a run that was killed has left beside '%s' (%s*) cannot be looked "
		    "for: %s",
		    beside, TEMPORARY, strerror(errno));
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

/* *old: it was there. */
static int open_lock(int dir, bool *old)
{
	struct stat st;
	int fd = openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	*old = fd < 0 && errno == EEXIST;
	if (*old)
		fd = openat(dir, LOCK_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !*old)
		return fd;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		return fd;
	close(fd);
	errno = EACCES;
	return -1;
}

/* Whoever held it before us has removed it: then it is no lock any more. */
static bool is_named(int dir, int fd)
{
	struct stat open, named;

	return !fstat(fd, &open) && !fstatat(dir, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* Another run is soon done: it is told where it takes a second. */
static void wait_for_holder(int fd, const char *beside, const sigset_t *outside, unsigned before,
			    output_say *say)
{
	struct timespec step = { .tv_nsec = 10000000 };
	sigset_t every;

	if (before < QUIET_STEPS) {
		(void)!ppoll(NULL, 0, &step, outside);
		return;
	}
	if (before == QUIET_STEPS)
		say("pale: waiting for another run that writes beside '%s'", beside);
	sigprocmask(SIG_SETMASK, outside, &every);
	(void)!flock(fd, LOCK_EX); /* whatever it says, we look again */
	sigprocmask(SIG_SETMASK, &every, NULL);
}

/* 1: ours; 0: it is held; -1: not to be had. */
static int take(int dir, int fd, bool old)
{
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return is_named(dir, fd);
	if (errno == EWOULDBLOCK)
		return 0;
	if (!old)
		(void)!unlinkat(dir, LOCK_NAME, 0);
	return -1;
}

int output_lock(int dir, const char *beside, const sigset_t *outside, output_say *say)
{
	for (unsigned waits = 0;;) {
		bool old;
		int fd = open_lock(dir, &old), taken;

		if (fd < 0 && old && errno == ENOENT)
			continue; /* gone meanwhile */
		if (fd < 0)
			return -1;
		taken = take(dir, fd, old);
		if (taken > 0 && old)
			remove_left(dir, beside, say);
		if (taken > 0)
			return fd;
		if (!taken)
			wait_for_holder(fd, beside, outside, waits++, say);
		close(fd);
		if (taken < 0)
			return -1;
	}
}

int output_unlock(int dir, const char *beside, int lock, output_say *say)
{
	int err = unlinkat(dir, LOCK_NAME, 0) ? -errno : 0;

	if (err)
		say("pale: cannot remove '%s' beside '%s': %s", LOCK_NAME, beside, strerror(-err));
	close(lock);
	return err;
}
