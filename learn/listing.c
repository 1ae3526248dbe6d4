/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "learn/propose.h"

enum {
	DIRECTORIES_MAX = 8192,
	NAMES_MAX = 131072 /* of one; a larger one is not counted */
};

/* The first file whose path is not before this one. */
static size_t lower_bound(const struct recording *r, struct str path)
{
	size_t low = 0, high = r->files.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (str_cmp(r->files.v[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Was the path used, or anything below it? path: room for one more byte. */
static bool is_used(const struct recording *r, char *path, size_t n)
{
	size_t at = lower_bound(r, (struct str){ path, n });

	if (at < r->files.n && str_eq(r->files.v[at].path, (struct str){ path, n }))
		return true;
	path[n] = '/';
	at = lower_bound(r, (struct str){ path, n + 1 });
	path[n] = 0;
	return at < r->files.n && r->files.v[at].path.n > n &&
	       !memcmp(r->files.v[at].path.p, path, n) && r->files.v[at].path.p[n] == '/';
}

/* 0, or -1: it cannot be counted. dir: ends in / and a NUL byte. */
static int count_others(const struct recording *r, struct str dir, uint64_t *others)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct dirent *e;
	size_t names = 0;
	DIR *d = opendir(dir.p);
	int err;

	if (!d)
		return -1;
	memcpy(path, dir.p, dir.n);
	*others = 0;
	while (errno = 0, (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		memcpy(path + dir.n, e->d_name, n + 1);
		*others += !is_used(r, path, dir.n + n);
		if (++names > NAMES_MAX)
			break;
	}
	err = errno;
	closedir(d);
	return err || names > NAMES_MAX ? -1 : 0;
}

static bool is_kernels(struct str path)
{
	return str_starts(path, "/proc/") || str_starts(path, "/sys/") || str_starts(path, "/dev/");
}

/* What is in front of its last name, with the '/'. */
static struct str directory_of(struct str path)
{
	size_t n = path.n;

	/* A directory's own directory is that above it. */
	if (n > 1 && path.p[n - 1] == '/')
		n--;
	while (n > 1 && path.p[n - 1] != '/')
		n--;
	return (struct str){ path.p, n };
}

static int cmp_dir(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void take(struct arena *a, struct recording *r, struct str dir)
{
	struct recorded_listing l = { .path = str_c(str_dup(a, dir)) };

	if (!count_others(r, l.path, &l.others))
		vec_push(a, &r->listings, l);
}

/* ---- patterns ---- */

struct names { /* of one directory, links not among them */
	struct str dir;
	bool failed;
	VEC(const char *) list;
};

struct counting {
	struct arena *a;
	const struct recording *r;
	struct names last; /* the directory that was read last: patterns of one stand together */
	size_t budget;     /* names that may still be looked at */
};

static bool is_link(DIR *d, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_LNK;
	return !fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode);
}

static void read_names(struct counting *c, struct str dir)
{
	struct names *n = &c->last;
	struct dirent *e;
	DIR *d;

	if (str_eq(n->dir, dir))
		return;
	*n = (struct names){ .dir = str_c(str_dup(c->a, dir)) };
	d = opendir(n->dir.p);
	n->failed = !d;
	while (d && (errno = 0, e = readdir(d)) && n->list.n <= NAMES_MAX)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && !is_link(d, e))
			vec_push(c->a, &n->list, str_dup(c->a, str_c(e->d_name)));
	n->failed |= d && (errno || n->list.n > NAMES_MAX);
	if (d)
		closedir(d);
}

/* What a pattern's component begins with, as it stands for itself. */
static size_t literal(const char *glob)
{
	return strcspn(glob, "*?[\\");
}

/* How many files of the directory path[0..n), which ends in a slash, have a name like the pattern's end. */
static int count_in(struct counting *c, const char *path, size_t n, const char *glob,
		    uint64_t *others)
{
	size_t front = literal(glob);
	char file[PATH_MAX + NAME_MAX + 2];

	read_names(c, (struct str){ path, n });
	if (c->last.failed || c->last.list.n > c->budget)
		return -1;
	c->budget -= c->last.list.n;
	memcpy(file, path, n);
	vec_each(&c->last.list, name) {
		if (strncmp(*name, glob, front) || fnmatch(glob, *name, 0))
			continue;
		strcpy(file + n, *name);
		*others += !is_used(c->r, file, n + strlen(*name));
	}
	return 0;
}

/*
 * A pattern whose directories are plain, as nearly all are; what lies in directories of a pattern is
 * not counted. -1: it was not.
 */
static int count_pattern(struct counting *c, struct str pattern, uint64_t *others)
{
	const char *name = (const char *)memrchr(pattern.p, '/', pattern.n) + 1;
	size_t n = (size_t)(name - pattern.p);

	if (!*name || n >= PATH_MAX || literal(pattern.p) < n)
		return -1;
	*others = 0;
	return count_in(c, pattern.p, n, name, others);
}

static bool was_elsewhere(const struct recording *r)
{
	vec_each(&r->files, f)
		if (f->elsewhere)
			return true;
	return false;
}

static void take_patterns(struct arena *a, struct recording *r)
{
	struct counting c = { .a = a, .r = r, .budget = (size_t)16 * NAMES_MAX };
	struct proposed_files files = { 0 };

	generalize_files(a, r, false, &files);
	vec_each(&files.list, f) {
		struct recorded_listing l = { .path = f->pattern };

		if (f->why && !f->gathered && f->pattern.n <= PATH_MAX && !is_kernels(f->pattern) &&
		    !count_pattern(&c, f->pattern, &l.others))
			vec_push(a, &r->listings, l);
	}
}

void listing_take(struct arena *a, struct recording *r)
{
	VEC(struct str) dirs = { 0 };
	size_t taken = 0;

	vec_each(&r->files, f) {
		struct str dir = directory_of(f->path);

		/* Most stand behind another of theirs. */
		if (!f->elsewhere && (!dirs.n || !str_eq(dirs.v[dirs.n - 1], dir)))
			vec_push(a, &dirs, dir);
	}
	if (dirs.n)
		qsort(dirs.v, dirs.n, sizeof(*dirs.v), cmp_dir);
	for (size_t i = 0; i < dirs.n && taken < DIRECTORIES_MAX; i++) {
		if ((i && str_eq(dirs.v[i], dirs.v[i - 1])) || is_kernels(dirs.v[i]) ||
		    dirs.v[i].n <= 1 || dirs.v[i].n >= PATH_MAX)
			continue;
		take(a, r, dirs.v[i]);
		taken++;
	}
	/* Names of one namespace say nothing of another's. */
	if (!was_elsewhere(r))
		take_patterns(a, r);
	recording_sort(r);
}
