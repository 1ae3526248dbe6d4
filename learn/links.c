/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/links.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/table.h"
#include "compiler/base/vec.h"
#include "learn/proc.h"

#define FOLLOWED_MAX 40        /* MAXSYMLINKS of the kernel's namei.h */
#define CLOCK_NS     20000000u /* times of files are those of the last tick: twice the longest */

struct change {
	struct str path;
	unsigned how; /* enum link_change */
	uint64_t count, first_ns;
	uint64_t dirs, dir_ns; /* the same of LINK_DIR, which is no change of a link */
};

struct links {
	struct arena *a;
	uint64_t started_ns;
	VEC(struct change) changes;
	struct table by_path;
};

struct links *links_new(struct arena *a, uint64_t started_ns)
{
	struct links *l = ARENA_NEW(a, struct links);

	l->a = a;
	l->started_ns = started_ns;
	return l;
}

static struct change *find(const struct links *l, struct str path)
{
	struct table_walk w = table_start(hash_str(path));
	size_t at;

	while ((at = table_next(&l->by_path, &w)) != TABLE_END)
		if (str_eq(l->changes.v[at].path, path))
			return &l->changes.v[at];
	return NULL;
}

void links_changed(struct links *l, struct str path, enum link_change how, uint64_t count,
		   uint64_t first_ns)
{
	struct change *c = find(l, path), fresh = { .first_ns = UINT64_MAX, .dir_ns = UINT64_MAX };

	if (!c) {
		fresh.path = (struct str){ str_dup(l->a, path), path.n };
		table_add(l->a, &l->by_path, hash_str(path), l->changes.n);
		vec_push(l->a, &l->changes, fresh);
		c = &l->changes.v[l->changes.n - 1];
	}
	if (how == LINK_DIR) {
		c->dirs += count;
		if (first_ns < c->dir_ns)
			c->dir_ns = first_ns;
		return;
	}
	c->how |= how;
	c->count += count;
	if (first_ns < c->first_ns)
		c->first_ns = first_ns;
}

bool links_is_as_old(const struct links *l, const struct stat *st, uint64_t first_ns)
{
	uint64_t changed =
		(uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;

	return changed + CLOCK_NS < l->started_ns + first_ns;
}

bool links_changed_since(const struct links *l, struct str path, uint64_t first_ns)
{
	for (size_t n = 1; n <= path.n; n++) {
		bool is_last = n == path.n;
		const struct change *c;

		if (!is_last && path.p[n] != '/')
			continue;
		c = find(l, (struct str){ path.p, n });
		if (!c)
			continue;
		if (c->dirs > 1 || (c->dirs && c->dir_ns >= first_ns))
			return true;
		if ((is_last || c->how & LINK_RENAMED) && c->count &&
		    (c->count > 1 || c->first_ns >= first_ns))
			return true;
	}
	return false;
}

/* A link that is there now, and was when the name was used. */
static bool is_link_as_then(const struct links *l, struct str path, const struct stat *st,
			    uint64_t first_ns)
{
	const struct change *c = find(l, path);

	if (links_is_as_old(l, st, first_ns))
		return true;
	return c && c->count == 1 && c->first_ns < first_ns;
}

/* No link is there now. Was one? Nothing but links is unlinked and yet led on to other names. */
static bool was_link(const struct links *l, struct str path, bool is_last)
{
	const struct change *c = find(l, path);

	return c && c->how & (is_last ? (unsigned)LINK_MADE : (unsigned)LINK_MADE | LINK_NO_DIR);
}

struct walk {
	char done[PATH_MAX];     /* resolved; without a slash at its end; "" is the root */
	char rest[2 * PATH_MAX]; /* and what comes behind it */
	size_t n;
	int followed;
};

/* The next component behind `done`; false: there is none, or no room for it. */
static bool take_component(struct walk *w)
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");

	if (!len || w->n + len + 2 > sizeof(w->done))
		return false;
	w->done[w->n] = '/';
	memcpy(w->done + w->n + 1, w->rest + skip, len);
	w->n += len + 1;
	w->done[w->n] = 0;
	memmove(w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
	return true;
}

static void drop_component(struct walk *w)
{
	while (w->n && w->done[w->n - 1] != '/')
		w->n--;
	w->n -= w->n > 0;
	w->done[w->n] = 0;
}

/* What the link at `done` says takes its place. */
static bool follow(struct walk *w)
{
	char to[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t n = readlink(w->done, to, sizeof(to) - 1);

	if (n < 0 || ++w->followed > FOLLOWED_MAX)
		return false;
	to[n] = 0;
	if (snprintf(rest, sizeof(rest), "%s/%s", to, w->rest) >= (int)sizeof(rest))
		return false;
	strcpy(w->rest, rest);
	if (*to == '/')
		w->n = 0;
	else
		drop_component(w);
	w->done[w->n] = 0;
	return true;
}

static bool is_dots(struct walk *w)
{
	const char *name = strrchr(w->done, '/') + 1;
	bool up = !strcmp(name, "..");

	if (!up && strcmp(name, ".") != 0)
		return false;
	drop_component(w);
	if (up)
		drop_component(w);
	return true;
}

/*
 * Of a process that is gone: did the name lead by what the process had, its directories, its files? Where
 * to is not to be told any more. last_too: also what stands at the end.
 */
static bool led_by_process(const struct walk *w, bool last_too)
{
	char rest[2 * PATH_MAX + PATH_MAX];

	snprintf(rest, sizeof(rest), "%s/%s", w->done, w->rest + strspn(w->rest, "/"));
	return proc_leads_by(rest, last_too) != 0;
}

bool links_are_as_then(const struct links *l, const char *name, bool last_too, uint64_t first_ns)
{
	struct walk w = { .n = 0 };

	if (strlen(name) >= sizeof(w.rest))
		return true;
	strcpy(w.rest, name);
	while (take_component(&w)) {
		bool is_last = !w.rest[strspn(w.rest, "/")];
		struct str path = { w.done, w.n };
		struct stat st;

		if (is_dots(&w))
			continue;
		if (is_last && !last_too)
			return true;
		if (lstat(w.done, &st))
			return !was_link(l, path, is_last) && !led_by_process(&w, last_too);
		if (!S_ISLNK(st.st_mode)) {
			if (was_link(l, path, is_last))
				return false;
			continue;
		}
		if (!is_link_as_then(l, path, &st, first_ns))
			return false;
		if (!follow(&w))
			return true;
	}
	return true;
}
