/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/tree.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "learn/container/container.h"

#define DEEP 32

static void watch_one(struct cgroup_tree *t, const char *dir)
{
	int number =
		t->dirs.n < TREE_DIRS ?
			inotify_add_watch(t->fd, dir, IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK) :
			-1;

	while (number >= 0 && t->dirs.n <= (size_t)number)
		vec_push(t->arena, &t->dirs, NULL);
	if (number >= 0)
		t->dirs.v[number] = arena_strdup(t->arena, dir);
}

/* A container's own, whatever it makes there, and a pod's but for its containers. */
static bool is_left_out(const char *dir, const char *path)
{
	enum container_engine e;
	struct str id;

	return container_of_name(dir, &id, &e) && !container_is_pods(path);
}

/* What lies below is looked at behind the watch: nothing is made unseen between. */
static void watch_below(struct cgroup_tree *t, const char *dir, unsigned deep, bool is_new)
{
	const struct dirent *entry;
	enum container_engine e;
	char path[PATH_MAX];
	struct str id;
	DIR *d;

	if (is_new && !strstr(dir, "-conmon-"))
		vec_push(t->arena, &t->made, arena_strdup(t->arena, dir));
	if (container_of_name(dir, &id, &e) && !container_may_be_pod(dir))
		return;
	watch_one(t, dir);
	d = opendir(dir);
	while (d && deep && (entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < PATH_MAX &&
		    !is_left_out(dir, path))
			watch_below(t, path, deep - 1, is_new);
	if (d)
		closedir(d);
}

void tree_open(struct cgroup_tree *t, struct arena *a, const char *top, bool all)
{
	*t = (struct cgroup_tree){ .arena = a };
	t->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (t->fd >= 0 && top)
		watch_below(t, top, DEEP, all);
}

static void read_event(struct cgroup_tree *t, const struct inotify_event *e)
{
	char path[PATH_MAX];

	t->overflowed |= (e->mask & IN_Q_OVERFLOW) != 0;
	if (e->wd < 0 || (size_t)e->wd >= t->dirs.n || !t->dirs.v[e->wd])
		return;
	if (e->mask & IN_IGNORED) {
		t->dirs.v[e->wd] = NULL;
		return;
	}
	if (!(e->mask & IN_CREATE) || !(e->mask & IN_ISDIR) || !e->len)
		return;
	if (snprintf(path, sizeof(path), "%s/%s", t->dirs.v[e->wd], e->name) < PATH_MAX &&
	    !is_left_out(t->dirs.v[e->wd], path))
		watch_below(t, path, DEEP, true);
}

void tree_read(struct cgroup_tree *t)
{
	_Alignas(struct inotify_event) char text[16384];
	ssize_t n;

	while (t->fd >= 0 && (n = read(t->fd, text, sizeof(text))) > 0)
		for (const char *p = text; p < text + n;) {
			const struct inotify_event *e = (const void *)p;

			read_event(t, e);
			p += sizeof(*e) + e->len;
		}
}

void tree_close(struct cgroup_tree *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}
