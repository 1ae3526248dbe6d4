/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/output/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "compiler/output/lock.h"
#include "compiler/output/parts.h"

#define LINKS_MAX   40 /* as path_resolution(7) */
#define SYNCED_EACH 16 /* files; more are synced at once, with their file system */

/* A file on its way: where it goes, and what is there. */
struct pending {
	const struct output_file *file;
	int dir;         /* O_PATH */
	bool dir_shared; /* with the file before it */
	char name[NAME_MAX + 1];
	char tmp[24];  /* beside it; "": none now */
	char kept[24]; /* what was there, under this name; "": nothing is kept */
	int lock;      /* the directory's; -1: none */
	struct stat old;
	bool exists;
	bool named;      /* the new file has its name */
	bool parts;      /* the first of its old parts, if there are any */
	const char *why; /* the reason of a refusal that errno has no words for */
	output_say *say;
};

/* ---- where a path leads ---- */

struct walk {
	char rest[2 * PATH_MAX]; /* what is still to be walked */
	unsigned links;
	bool last_is_link;
	struct pending *to;
};

/* Each user's files are his own here, though all may write: a stranger can put a link. */
static int is_strangers(int dir, const struct stat *st)
{
	struct stat parent;

	if (fstat(dir, &parent))
		return -errno;
	return parent.st_mode & S_ISVTX && parent.st_mode & (S_IWOTH | S_IWGRP) &&
	       st->st_uid != geteuid() && st->st_uid != parent.st_uid;
}

static int enter(struct pending *to, int from, const char *dir)
{
	int fd = openat(from, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (to->dir >= 0)
		close(to->dir);
	to->dir = fd;
	return 0;
}

/* A link of /proc is no text: what it leads to may have no name (a pipe). */
static bool leads_past_names(int dir, const char *name)
{
	struct statfs fs;
	struct stat st;

	return !fstatfs(dir, &fs) && fs.f_type == PROC_SUPER_MAGIC && !fstatat(dir, name, &st, 0) &&
	       !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* The link's text takes the place of its name. */
static int follow_link(struct walk *w, const char *name, const char *behind)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(w->to->dir, name, text, sizeof(text) - 1);
	size_t left = strlen(behind);

	if (n < 0)
		return -errno;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + left >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n, behind, left + 1);
	memcpy(w->rest, text, (size_t)n);
	return text[0] == '/' ? enter(w->to, AT_FDCWD, "/") : 0;
}

/* Takes the next name off the path; *behind: what follows it. */
static int next_name(struct walk *w, char **behind)
{
	char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");

	if (!n)
		return -EISDIR;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(w->to->name, from, n);
	w->to->name[n] = '\0';
	*behind = from + n;
	return 0;
}

/* One name of the path: 1 when it was the last. */
static int walk_step(struct walk *w)
{
	struct pending *to = w->to;
	char *behind;
	int err = next_name(w, &behind);

	if (err)
		return err;
	if (fstatat(to->dir, to->name, &to->old, AT_SYMLINK_NOFOLLOW)) {
		if (errno != ENOENT || *behind)
			return -errno;
		if (w->last_is_link)
			to->why = "a symbolic link that leads to nothing";
		return w->last_is_link ? -ENOENT : 1;
	}
	err = is_strangers(to->dir, &to->old);
	if (err && !S_ISDIR(to->old.st_mode)) {
		to->why = "another user's, in a directory where all may write";
		return err < 0 ? err : -EACCES;
	}
	if (S_ISLNK(to->old.st_mode) && !leads_past_names(to->dir, to->name)) {
		w->last_is_link |= !*behind;
		return follow_link(w, to->name, behind);
	}
	if (*behind) {
		memmove(w->rest, behind, strlen(behind) + 1);
		return enter(to, to->dir, to->name);
	}
	to->exists = true;
	return S_ISDIR(to->old.st_mode) ? -EISDIR : 1;
}

/* The directory and the name at the end of all links. */
static int locate(struct pending *to)
{
	struct walk w = { .to = to };
	int r;

	if (strlen(to->file->path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(w.rest, to->file->path);
	r = enter(to, AT_FDCWD, w.rest[0] == '/' ? "/" : ".");
	while (!r)
		r = walk_step(&w);
	return r < 0 ? r : 0;
}

/* Thousands of files of one directory need one descriptor for it. */
static void share_directory(struct pending *to, const struct pending *before)
{
	struct stat a, b;

	if (fstat(to->dir, &a) || fstat(before->dir, &b) || a.st_dev != b.st_dev ||
	    a.st_ino != b.st_ino)
		return;
	close(to->dir);
	to->dir = before->dir;
	to->dir_shared = true;
}

/* ---- the temporary file ---- */

static int write_bytes(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Short, so that it fits wherever the file's own name does. */
static int pick_name(char tmp[24])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char random[TEMPORARY_LETTERS];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno;
	strcpy(tmp, TEMPORARY);
	for (size_t i = 0; i < sizeof(random); i++)
		tmp[strlen(TEMPORARY) + i] = letters[random[i] % 32];
	tmp[strlen(TEMPORARY) + sizeof(random)] = '\0';
	return 0;
}

static int open_temporary(int dir, char tmp[24])
{
	for (int tries = 0; tries < 16; tries++) {
		int err = pick_name(tmp);
		int fd = err ? -1 :
			       openat(dir, tmp,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		err = err ? err : -errno;
		tmp[0] = '\0';
		if (err != -EEXIST)
			return err;
	}
	return -EEXIST;
}

/* A file that was there keeps its mode and, where we may, its owner. */
static int set_mode(int fd, const struct pending *to)
{
	mode_t mask;

	if (to->exists) {
		if (fchown(fd, to->old.st_uid, to->old.st_gid) && errno != EPERM)
			return -errno;
		return fchmod(fd, to->old.st_mode & 0777) ? -errno : 0;
	}
	mask = umask(0);
	umask(mask);
	return fchmod(fd, (mode_t)to->file->mode & ~mask) ? -errno : 0;
}

static int write_temporary(struct pending *to, bool sync)
{
	int fd = open_temporary(to->dir, to->tmp);
	int err;

	if (fd < 0)
		return fd;
	err = write_bytes(fd, to->file->text->p, to->file->text->n);
	if (!err)
		err = set_mode(fd, to);
	if (!err && sync && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* All that was written in it, and what else is on its disk; tells errors since Linux 5.8, sync(2). */
static int sync_all_of(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || syncfs(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* A device, a pipe: there is nothing to put beside it. */
static int write_through(const struct pending *to)
{
	int fd = openat(to->dir, to->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0)
		return -errno;
	err = write_bytes(fd, to->file->text->p, to->file->text->n);
	return close(fd) && !err ? -errno : err;
}

static bool is_special(const struct pending *to)
{
	return to->exists && !S_ISREG(to->old.st_mode);
}

/* ---- names ---- */

static bool is_unknown(int err)
{
	return err == EINVAL || err == ENOSYS || err == EOPNOTSUPP;
}

/* The bytes from one to the other, and to the disk. */
static int copy_bytes(int from, int into)
{
	char bytes[8192];
	ssize_t n;
	int err = 0;

	while (!err && (n = read(from, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		err = n > 0 ? write_bytes(into, bytes, (size_t)n) : 0;
	}
	return err ? err : fsync(into) ? -errno : 0;
}

static int copy_old(struct pending *to)
{
	int from = openat(to->dir, to->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int into, err;

	if (from < 0)
		return -errno;
	into = open_temporary(to->dir, to->kept);
	err = into < 0 ? into : set_mode(into, to);
	if (!err)
		err = copy_bytes(from, into);
	close(from);
	if (into >= 0 && close(into) && !err)
		err = -errno;
	return err;
}

/*
 * The old file under a second name, so that its own is never without a file: a link, or where
 * there are none (vfat; a file of another's, where links to those are protected) a copy.
 */
static int keep_old(struct pending *to)
{
	int err = pick_name(to->kept);

	if (err)
		to->kept[0] = '\0';
	if (err || !linkat(to->dir, to->name, to->dir, to->kept, 0))
		return err;
	to->kept[0] = '\0';
	return errno == EPERM || errno == EMLINK || is_unknown(errno) ? copy_old(to) : -errno;
}

/* An old file that has no follower: out of the way until all have their names. */
static int move_away(struct pending *to)
{
	char kept[24];
	int err = pick_name(kept);

	if (!err && renameat2(to->dir, to->name, to->dir, kept, RENAME_NOREPLACE))
		err = -errno;
	if (err && is_unknown(-err)) /* that nobody has such a name is all but certain */
		err = renameat(to->dir, to->name, to->dir, kept) ? -errno : 0;
	if (err)
		return err;
	strcpy(to->kept, kept);
	to->named = true;
	return 0;
}

/*
 * Where several files change, the old one is kept until all have: RENAME_EXCHANGE (rename(2)),
 * which not every file system has (NFS, 9p, FUSE).
 */
static int give_name(struct pending *to, bool alone)
{
	bool keeps = to->exists && !alone;
	int err;

	if (to->file->remove)
		return move_away(to);
	if (keeps && !renameat2(to->dir, to->tmp, to->dir, to->name, RENAME_EXCHANGE)) {
		strcpy(to->kept, to->tmp);
		to->tmp[0] = '\0';
		to->named = true;
		return 0;
	}
	if (keeps && !is_unknown(errno))
		return -errno;
	err = keeps ? keep_old(to) : 0;
	if (!err && renameat(to->dir, to->tmp, to->dir, to->name))
		err = -errno;
	if (err)
		return err;
	to->tmp[0] = '\0';
	to->named = true;
	return 0;
}

/* What has its name loses it again. 0, or -errno after a word about what is not as it was. */
static int undo_name(struct pending *to)
{
	int err;

	if (!to->kept[0] && to->exists)
		return 0; /* one file alone: it is the last that can fail */
	err = to->kept[0] ? renameat(to->dir, to->kept, to->dir, to->name) :
			    unlinkat(to->dir, to->name, 0);
	err = err ? -errno : 0;
	if (err && to->kept[0])
		to->say("pale: cannot put back the old '%s', which is '%s' now: %s", to->file->path,
			to->kept, strerror(-err));
	else if (err)
		to->say("pale: cannot remove '%s', which is new: %s", to->file->path,
			strerror(-err));
	to->kept[0] = '\0';
	return err;
}

static int take_back(struct pending *to)
{
	int err = to->named ? undo_name(to) : 0;

	if (to->kept[0])
		(void)!unlinkat(to->dir, to->kept, 0);
	if (to->tmp[0])
		(void)!unlinkat(to->dir, to->tmp, 0);
	to->kept[0] = to->tmp[0] = '\0';
	return err;
}

static void sync_directory(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some filesystems cannot; the rename itself has happened. */
	if (fd >= 0) {
		(void)!fsync(fd);
		close(fd);
	}
}

/* All have their names: what was there can go. */
static int drop_old(struct pending *to)
{
	int err = 0;

	if (to->kept[0] && unlinkat(to->dir, to->kept, 0)) {
		err = -errno;
		to->say("pale: cannot remove the old '%s', which is '%s' now: %s", to->file->path,
			to->kept, strerror(-err));
	}
	to->kept[0] = '\0';
	if (!to->dir_shared)
		sync_directory(to->dir);
	return err;
}

/* ---- signals ---- */

/* Would one of those that are held back end the command? Then it ends before, not after. */
static bool is_ending(const sigset_t *held_before)
{
	static const int ends[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				    SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU };
	struct sigaction now;
	sigset_t waiting;

	if (sigpending(&waiting))
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (sigismember(&waiting, ends[i]) == 1 && !sigismember(held_before, ends[i]) &&
		    !sigaction(ends[i], NULL, &now) && now.sa_handler == SIG_DFL)
			return true;
	return false;
}

/* ---- all of it ---- */

/* *at, here and below: the file that it is about, where it failed. */
static int locate_all(struct pending *all, size_t n, size_t *at)
{
	for (*at = 0; *at < n; ++*at) {
		int err = locate(&all[*at]);
		if (err)
			return err;
		if (*at)
			share_directory(&all[*at], &all[*at - 1]);
	}
	return 0;
}

/* First, and with signals as they are: a pipe may wait for ever, and nothing can be taken back. */
static int write_specials(struct pending *all, size_t n, size_t *at)
{
	for (*at = 0; *at < n; ++*at) {
		if (!is_special(&all[*at]) || all[*at].file->remove)
			continue;
		int err = write_through(&all[*at]);
		if (err)
			return err;
	}
	return 0;
}

static bool is_replaced(const struct pending *to)
{
	return !is_special(to) && (to->exists || to->parts || !to->file->remove);
}

struct directory {
	dev_t dev;
	ino_t ino;
	struct pending *to;
};

static int compare_places(const void *a, const void *b)
{
	const struct directory *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* Each directory once, and in one order for all: two runs never wait for each other. */
static int lock_all(struct pending *all, size_t n, const sigset_t *held_before)
{
	struct directory *places = calloc(n ? n : 1, sizeof(*places));
	size_t found = 0;
	struct stat st;

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (is_replaced(&all[i]) && !(found && all[i].dir_shared) &&
		    !fstat(all[i].dir, &st))
			places[found++] = (struct directory){ st.st_dev, st.st_ino, &all[i] };
	qsort(places, found, sizeof(*places), compare_places);
	for (size_t i = 0; i < found; i++)
		if (!i || compare_places(&places[i - 1], &places[i]))
			places[i].to->lock =
				output_lock(places[i].to->dir, places[i].to->file->path,
					    held_before, places[i].to->say);
	free(places);
	return 0;
}

/* What another run has written while we waited for it is an old file like any other. */
static int look_again(struct pending *to)
{
	int err;

	to->exists = !fstatat(to->dir, to->name, &to->old, AT_SYMLINK_NOFOLLOW);
	if (!to->exists)
		return errno == ENOENT ? 0 : -errno;
	err = is_strangers(to->dir, &to->old);
	if (!err && S_ISREG(to->old.st_mode))
		return 0;
	to->why = "it has become something else meanwhile";
	return err < 0 ? err : -EEXIST;
}

static int look_again_at_all(struct pending *all, size_t n, size_t *at)
{
	for (*at = 0; *at < n; ++*at) {
		int err = is_replaced(&all[*at]) ? look_again(&all[*at]) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int write_temporaries(struct pending *all, size_t n, const sigset_t *held_before, size_t *at)
{
	for (*at = 0; *at < n; ++*at) {
		if (is_special(&all[*at]) || all[*at].file->remove)
			continue;
		int err = write_temporary(&all[*at], n <= SYNCED_EACH);
		if (!err && is_ending(held_before))
			err = -EINTR;
		if (err)
			return err;
	}
	for (*at = 0; n > SYNCED_EACH && *at < n; ++*at) {
		int err = all[*at].dir_shared ? 0 : sync_all_of(all[*at].dir);
		if (err)
			return err;
	}
	return 0;
}

static bool is_named(const struct pending *to)
{
	return !is_special(to) && (to->exists || !to->file->remove);
}

static int give_names(struct pending *all, size_t n, size_t *at)
{
	size_t several = 0;

	for (size_t i = 0; i < n; i++)
		several += is_named(&all[i]);
	for (*at = 0; *at < n; ++*at) {
		if (!is_named(&all[*at]))
			continue;
		int err = give_name(&all[*at], several == 1);
		if (err)
			return err;
	}
	return 0;
}

/* Puts the old files back where it failed; closes what is open. 0, or what could not be done. */
static int settle(struct pending *all, size_t n, bool failed)
{
	int left = 0;

	for (size_t i = n; i-- > 0;) {
		int r = failed ? take_back(&all[i]) : drop_old(&all[i]);
		left = left ? left : r;
	}
	for (size_t i = n; i-- > 0;) {
		int r = all[i].lock < 0 ? 0 :
					  output_unlock(all[i].dir, all[i].file->path, all[i].lock,
							all[i].say);
		if (all[i].dir >= 0 && !all[i].dir_shared)
			close(all[i].dir);
		left = left || failed ? left : r;
	}
	return left;
}

/* `none`: of several, none has changed. */
static void say_failed(const struct pending *to, bool none, int err, output_say *say)
{
	const char *why = to && to->why ? to->why : strerror(-err);

	if (err == -ENOMEM || !to)
		say("pale: out of memory");
	else if (!none)
		say("pale: cannot write '%s': %s", to->file->path, why);
	else
		say("pale: cannot write '%s': %s; so none of the files was written", to->file->path,
		    why);
}

static int check_texts(const struct output_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (files[i].text && files[i].text->failed)
			return -ENOMEM;
	return 0;
}

/* ---- old parts and all else ---- */

/* Everything that one call writes. */
struct writing {
	struct arena *arena; /* NULL: there are no parts */
	const parts_list *parts;
	struct pending *all;
	size_t n, at; /* at: the file that it is about, where it failed */
	size_t parts_at;
	output_say *say;
};

static int add_pending(struct writing *w, const struct output_file *file)
{
	struct pending *all = realloc(w->all, (w->n + 1) * sizeof(*all));

	if (!all)
		return -ENOMEM;
	w->all = all;
	all[w->n++] = (struct pending){ .file = file, .dir = -1, .lock = -1, .say = w->say };
	return 0;
}

static struct output_file *removal(struct arena *a, const char *path)
{
	struct output_file *f = ARENA_NEW(a, struct output_file);

	*f = (struct output_file){ .path = path, .remove = true };
	return f;
}

/* By the first that there could be the directory is locked, whatever is in it. */
static int add_first_parts(struct writing *w)
{
	int err = 0;

	w->parts_at = w->n;
	for (size_t i = 0; !err && w->arena && i < w->parts->n; i++) {
		const struct output_parts *p = &w->parts->v[i];
		err = add_pending(w, removal(w->arena, arena_printf(w->arena, "%s%zu.bpf",
								    p->prefix, p->last + 1)));
		if (!err)
			w->all[w->n - 1].parts = true;
	}
	return err;
}

static int add_other_part(struct writing *w, const char *path)
{
	int err = add_pending(w, removal(w->arena, path));

	if (err)
		return err;
	w->at = w->n - 1;
	err = locate(&w->all[w->at]);
	if (!err)
		share_directory(&w->all[w->at], &w->all[w->at - 1]);
	return err;
}

/* The others, when it is. */
static int add_other_parts(struct writing *w)
{
	struct parts_there there = { 0 };
	int err = 0;

	for (size_t i = 0; !err && w->arena && i < w->parts->n; i++) {
		const struct output_parts *p = &w->parts->v[i];
		path_list old = { 0 };
		w->at = w->parts_at + i;
		err = old_parts(w->arena, p->prefix, p->last + 1, &there, &old);
		if (err)
			w->all[w->at].why = arena_printf(
				w->arena, "old parts cannot be looked for: %s", strerror(-err));
		for (size_t k = 0; !err && k < old.n; k++)
			err = add_other_part(w, old.v[k]);
	}
	return err;
}

static bool is_several(const struct writing *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += !w->all[i].parts || w->all[i].exists;
	return n > 1;
}

static int write_all(struct writing *w, const sigset_t *held_before)
{
	int err = lock_all(w->all, w->n, held_before);

	if (!err)
		err = add_other_parts(w);
	if (!err)
		err = look_again_at_all(w->all, w->n, &w->at);
	if (!err)
		err = write_temporaries(w->all, w->n, held_before, &w->at);
	if (!err)
		err = give_names(w->all, w->n, &w->at);
	return err;
}

static int write_files(struct writing *w, const struct output_file *files, size_t n)
{
	sigset_t every, before;
	int err = check_texts(files, n);

	for (size_t i = 0; !err && i < n; i++)
		err = add_pending(w, &files[i]);
	if (!err)
		err = add_first_parts(w);
	if (!err)
		err = locate_all(w->all, w->n, &w->at);
	if (!err)
		err = write_specials(w->all, w->n, &w->at);
	sigfillset(&every);
	sigprocmask(SIG_BLOCK, &every, &before);
	if (!err)
		err = write_all(w, &before);
	int left = settle(w->all, w->n, err);
	sigprocmask(SIG_SETMASK, &before, NULL); /* who is to end, ends here, without a word */
	if (err)
		say_failed(w->n ? &w->all[w->at] : NULL, is_several(w) && !left, err, w->say);
	return err ? err : left;
}

int output_write_parts(struct arena *a, const struct output_file *files, size_t n,
		       const parts_list *parts, path_list *gone, output_say *say)
{
	struct writing w = { .arena = a, .parts = parts, .say = say };
	int err = write_files(&w, files, n);

	for (size_t i = n; !err && a && i < w.n; i++)
		if (w.all[i].exists)
			vec_push(a, gone, w.all[i].file->path);
	free(w.all);
	return err;
}

int output_write_all(const struct output_file *files, size_t n, output_say *say)
{
	return output_write_parts(NULL, files, n, NULL, NULL, say);
}

int output_write_bytes(int fd, const struct buf *text)
{
	return text->failed ? -ENOMEM : write_bytes(fd, text->p, text->n);
}

/* ---- before ---- */

static int check_path(struct pending *to)
{
	int err = locate(to);

	if (err)
		return err;
	if (is_special(to))
		return faccessat(to->dir, to->name, W_OK, AT_EACCESS) ? -errno : 0;
	/* A file is made in its directory, and replaced there. */
	return faccessat(to->dir, ".", W_OK | X_OK, AT_EACCESS) ? -errno : 0;
}

int output_check(const char *path, output_say *say)
{
	struct output_file file = { .path = path };
	struct pending to = { .file = &file, .dir = -1 };
	int err = check_path(&to);

	if (err)
		say("pale: '%s' cannot be written: %s", path, to.why ? to.why : strerror(-err));
	if (to.dir >= 0)
		close(to.dir);
	return err;
}
