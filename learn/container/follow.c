/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/follow.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/bug.h"

#define DEEP       32
#define DIRS_MOST  16384
#define LOOKS_MOST 25 /* at a new cgroup, until it is nobody's that is known */

/* ---- the tree ---- */

static void add_candidate(struct follow *f, const char *cgroup)
{
	vec_each(&f->candidates, c)
		if (!strcmp(c->cgroup, cgroup))
			return;
	vec_push(f->arena, &f->candidates,
		 ((struct candidate){ .cgroup = arena_strdup(f->arena, cgroup) }));
}

static void watch_one(struct follow *f, const char *dir)
{
	int number =
		f->dirs.n < DIRS_MOST ?
			inotify_add_watch(f->fd, dir, IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK) :
			-1;

	while (number >= 0 && f->dirs.n <= (size_t)number)
		vec_push(f->arena, &f->dirs, NULL);
	if (number >= 0)
		f->dirs.v[number] = arena_strdup(f->arena, dir);
}

/* What lies below is looked at behind the watch: nothing is made unseen between. */
static void watch_below(struct follow *f, const char *dir, unsigned deep, bool is_new)
{
	const struct dirent *entry;
	enum container_engine e;
	char path[PATH_MAX];
	struct str id;
	bool is_container = container_of_name(dir, &id, &e);
	DIR *d;

	if (is_new && !strstr(dir, "-conmon-"))
		add_candidate(f, dir);
	if (is_container)
		return;
	watch_one(f, dir);
	d = opendir(dir);
	while (d && deep && (entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < PATH_MAX)
			watch_below(f, path, deep - 1, is_new);
	if (d)
		closedir(d);
}

struct follow *follow_new(struct arena *a, struct containers *cs, const struct container_want *w)
{
	struct follow *f = ARENA_NEW(a, struct follow);

	f->arena = a;
	f->all = cs;
	f->want = w;
	BUG_ON(w->nnames > FOLLOW_NAMES);
	f->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->fd >= 0 && cs->tree)
		watch_below(f, cs->tree, DEEP, false);
	return f;
}

static void read_event(struct follow *f, const struct inotify_event *e)
{
	char path[PATH_MAX];

	f->overflowed |= (e->mask & IN_Q_OVERFLOW) != 0;
	if (e->wd < 0 || (size_t)e->wd >= f->dirs.n || !f->dirs.v[e->wd])
		return;
	if (e->mask & IN_IGNORED) {
		f->dirs.v[e->wd] = NULL;
		return;
	}
	if (!(e->mask & IN_CREATE) || !(e->mask & IN_ISDIR) || !e->len)
		return;
	if (snprintf(path, sizeof(path), "%s/%s", f->dirs.v[e->wd], e->name) < PATH_MAX)
		watch_below(f, path, DEEP, true);
}

static void read_events(struct follow *f)
{
	_Alignas(struct inotify_event) char text[16384];
	ssize_t n;

	while (f->fd >= 0 && (n = read(f->fd, text, sizeof(text))) > 0)
		for (const char *p = text; p < text + n;) {
			const struct inotify_event *e = (const void *)p;

			read_event(f, e);
			p += sizeof(*e) + e->len;
		}
}

/* ---- whose it is ---- */

bool follow_wants(const struct follow *f, const struct container *c)
{
	for (size_t i = 0; i < f->want->nnames; i++)
		if (container_is_called(c, f->want->names[i]) &&
		    (!f->is_met[i] || f->engine[i] == c->engine))
			return true;
	for (size_t i = 0; i < f->want->nlabels; i++)
		if (container_has_label(c, f->want->labels[i]))
			return true;
	return false;
}

void follow_meet(struct follow *f, struct container *c)
{
	for (size_t i = 0; i < f->want->nnames; i++)
		if (!f->is_met[i] && container_is_called(c, f->want->names[i])) {
			f->is_met[i] = true;
			f->engine[i] = c->engine;
		}
	vec_each(&f->met, m)
		if (*m == c)
			return;
	vec_push(f->arena, &f->met, c);
}

static struct container *container_at(struct follow *f, const char *cgroup)
{
	enum container_engine e;
	struct container *c;
	struct str id;

	if (!container_of_name(cgroup, &id, &e))
		return containers_by_place(f->all, cgroup);
	c = containers_meet(f->all, id, e);
	if (c && c->engine == ENGINE_UNKNOWN)
		c->engine = e;
	return c;
}

/* 1: it is wanted; 0: it is not; -1: not all that there is to know of it is known yet. */
static int judge(struct follow *f, const char *cgroup, struct container **out)
{
	struct container *c = container_at(f, cgroup);

	if (!c)
		return -1;
	if (follow_wants(f, c)) {
		c->cgroup = arena_strdup(f->arena, cgroup);
		follow_meet(f, c);
		*out = c;
		return 1;
	}
	return c->name && (!f->want->nlabels || container_labels_known(c)) ? 0 : -1;
}

/*
 * Only what runtimes call as they like can turn out to be one, and that they have written down. A
 * container's own may be gone meanwhile: that it was wanted, and missed, is known later.
 */
static unsigned looks_most(const char *cgroup)
{
	enum container_engine e;
	struct str id;

	return container_of_name(cgroup, &id, &e) ? LOOKS_MOST : 2;
}

/* The first that is wanted; what is not, or is gone, is dropped. */
static struct container *pick(struct follow *f, bool count)
{
	struct container *out = NULL;

	for (size_t i = 0; !out && i < f->candidates.n;) {
		struct candidate *c = &f->candidates.v[i];
		unsigned most = looks_most(c->cgroup);
		int is = judge(f, c->cgroup, &out);

		c->looks += count;
		if (is < 0 && c->looks < most && (most == LOOKS_MOST || !access(c->cgroup, F_OK)))
			i++;
		else
			f->candidates.v[i] = f->candidates.v[--f->candidates.n];
	}
	return out;
}

static bool must_ask(const struct follow *f)
{
	vec_each(&f->candidates, c)
		if (looks_most(c->cgroup) == LOOKS_MOST)
			return true;
	return false;
}

/* Inotify told not all of it: what runs, and was not met. */
static void look_at_all(struct follow *f)
{
	containers_look(f->all);
	vec_each(&f->all->list, c)
		if ((*c)->cgroup)
			add_candidate(f, (*c)->cgroup);
}

struct container *follow_next(struct follow *f)
{
	struct container *c;

	read_events(f);
	if (f->overflowed || f->fd < 0) {
		f->overflowed = false;
		look_at_all(f);
	}
	c = pick(f, false);
	for (enum containers_at at = 0; at < AT_NR && !c && f->candidates.n; at++) {
		if (at != AT_ENGINES || must_ask(f))
			containers_look_at(f->all, at);
		c = pick(f, at == AT_NR - 1);
	}
	return c;
}

bool follow_waits(const struct follow *f)
{
	if (!f->want->wait)
		return false;
	for (size_t i = 0; i < f->want->nnames; i++)
		if (!f->is_met[i])
			return true;
	return f->want->nlabels && !f->met.n;
}

void follow_close(struct follow *f)
{
	if (f && f->fd >= 0)
		close(f->fd);
}
