/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/leads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/base/str.h"
#include "learn/proc.h"

#define FOLLOWED_MAX 40 /* MAXSYMLINKS of the kernel's namei.h */

struct walk {
	pid_t tid;
	int root, at;            /* open directories, or whatever the name has come to */
	char rest[2 * PATH_MAX]; /* of the name */
	enum leads_last last;
	int followed;
	leads_told *tell;
	const void *to;
};

/* A link of the task's: its root, its working directory, a descriptor. -1: there is none. */
static int open_theirs(pid_t tid, const char *what)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/%s", (int)tid, what);
	return open(link, O_PATH | O_CLOEXEC);
}

static int open_base(pid_t tid, int dir)
{
	char what[32] = "cwd";

	if (dir >= 0)
		snprintf(what, sizeof(what), "fd/%d", dir);
	return open_theirs(tid, what);
}

static bool is_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

/*
 * Does no such link stand in its way? The kernel says so in one call, by what a task with our root finds;
 * what the task calls self is somebody else here, and what is gone, or refused, leads nowhere.
 */
static bool is_plain(int base, const char *name, enum leads_last last)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	int fd;

	if (last != LEADS_FOLLOWED)
		how.flags |= O_NOFOLLOW;
	fd = (int)syscall(SYS_openat2, base, name, &how, sizeof(how));
	if (fd < 0)
		return errno != ELOOP && errno != ENOSYS && errno != EPERM;
	if (last == LEADS_READ && is_proc(fd)) {
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

/* The next component; false: there is none. */
static bool take(struct walk *w, char out[NAME_MAX + 1], bool *is_last)
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");

	if (!n || n > NAME_MAX)
		return false;
	memcpy(out, w->rest + skip, n);
	out[n] = 0;
	memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
	*is_last = !*w->rest;
	return true;
}

static void go(struct walk *w, int fd)
{
	if (w->at != w->root)
		close(w->at);
	w->at = fd;
}

static bool is_root(const struct walk *w)
{
	struct statx at, root;

	return !statx(w->at, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &at) &&
	       !statx(w->root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &root) &&
	       at.stx_ino == root.stx_ino && at.stx_mnt_id == root.stx_mnt_id;
}

/* What the link says takes its place. */
static bool put(struct walk *w, const char *to)
{
	char rest[2 * PATH_MAX];

	if (++w->followed > FOLLOWED_MAX ||
	    snprintf(rest, sizeof(rest), "%s/%s", to, w->rest) >= (int)sizeof(rest))
		return false;
	strcpy(w->rest, rest);
	if (*to == '/')
		go(w, w->root);
	return true;
}

/* Is the directory of the same /proc as ours, whose numbers are those that we know? */
static bool is_our_proc(int fd)
{
	struct stat st, ours;

	return !fstat(fd, &st) && !stat("/proc", &ours) && st.st_dev == ours.st_dev;
}

/*
 * A link of /proc: at its root "self" and the like, which say where they lead, as the task's own do; below a
 * process what has no text. How it stands there tells whose.
 */
static bool follow_proc(struct walk *w, int link, const char *name, bool is_last)
{
	char self[64], here[PATH_MAX], to[PATH_MAX];
	struct lead lead = { .theirs = !is_our_proc(link) };
	ssize_t n;
	int fd;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", link);
	n = readlink(self, here, sizeof(here) - 1);
	if (n < 0)
		return false;
	here[n] = 0;
	lead.pid = proc_link_of(here);
	lead.space = lead.pid && strstr(here, "/ns/");
	if (!lead.pid) {
		if (!strcmp(name, "self") || !strcmp(name, "thread-self"))
			snprintf(to, sizeof(to), "%u",
				 lead.theirs ? proc_own_pid(w->tid) : (unsigned)w->tid);
		else if ((n = readlinkat(link, "", to, sizeof(to) - 1)) > 0)
			to[n] = 0;
		else
			return false;
		return put(w, to);
	}
	if (is_last && w->last == LEADS_READ) {
		if (readlinkat(link, "", to, sizeof(to)) >= 0)
			w->tell(w->to, &lead);
		return false;
	}
	fd = openat(w->at, name, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT) /* the kernel has refused it, before AppArmor is asked */
		return false;
	w->tell(w->to, &lead);
	if (fd < 0 || ++w->followed > FOLLOWED_MAX) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	go(w, fd);
	return true;
}

static bool step(struct walk *w, const char *name, bool is_last)
{
	char to[PATH_MAX];
	struct stat st;
	bool goes_on;
	ssize_t n;
	int fd;

	if (!strcmp(name, ".") || (!strcmp(name, "..") && is_root(w)))
		return true;
	fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) || !S_ISLNK(st.st_mode)) {
		go(w, fd);
		return true;
	}
	if (is_last && w->last == LEADS_KEPT) {
		close(fd);
		return false;
	}
	if (is_proc(fd)) {
		goes_on = follow_proc(w, fd, name, is_last);
	} else {
		n = is_last && w->last == LEADS_READ ? -1 : readlinkat(fd, "", to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = 0;
		goes_on = n > 0 && put(w, to);
	}
	close(fd);
	return goes_on;
}

/* As the kernel does it, a component after the other (fs/namei.c, link_path_walk()). */
static void walk(struct walk *w, const char *name)
{
	char component[NAME_MAX + 1];
	bool is_last;

	if (strlen(name) >= sizeof(w->rest))
		return;
	strcpy(w->rest, name);
	if (*name == '/')
		go(w, w->root);
	while (take(w, component, &is_last) && step(w, component, is_last))
		;
}

void leads_find(pid_t tid, int dir, const char *name, enum leads_last last, bool elsewhere,
		leads_told *tell, const void *to)
{
	struct walk w = { .tid = tid, .root = -1, .at = -1, .last = last, .tell = tell, .to = to };
	bool is_named = str_starts(str_c(name), "/proc/");

	if (!*name || (*name == '/' && !is_named && !elsewhere && is_plain(-1, name, last)))
		return;
	if (*name != '/') {
		w.at = open_base(tid, dir);
		if (w.at < 0)
			return;
		if (!elsewhere && is_plain(w.at, name, last)) {
			close(w.at);
			return;
		}
	}
	w.root = open_theirs(tid, "root");
	if (w.at < 0)
		w.at = w.root;
	if (w.root >= 0)
		walk(&w, name);
	if (w.at >= 0 && w.at != w.root)
		close(w.at);
	if (w.root >= 0)
		close(w.root);
}
