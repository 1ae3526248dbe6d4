/* SPDX-License-Identifier: Apache-2.0 */
/* What engines leave in files about a container, of which its cgroup has the id alone. */
#include <dirent.h>
#include <stdio.h>

#include "compiler/watch/site.h"
#include "learn/container/container.h"

enum { PODS_MAX = 4096 };

/* kubelet's /var/log/pods/NAMESPACE_NAME_UID; neither of the two holds a '_'. */
static void pod_name(const char *root, struct site *p)
{
	char path[256];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/var/log/pods", root);
	dir = opendir(path);
	for (unsigned i = 0; dir && i < PODS_MAX && (e = readdir(dir)); i++) {
		const char *uid = strrchr(e->d_name, '_');
		const char *name = strchr(e->d_name, '_');

		if (!uid || uid == name || strcmp(uid + 1, p->pod_uid) != 0)
			continue;
		snprintf(p->pod, sizeof(p->pod), "%.*s/%.*s", (int)(name - e->d_name), e->d_name,
			 (int)(uid - name - 1), name + 1);
		break;
	}
	if (dir)
		closedir(dir);
}

struct site_names {
	const char *root;
	struct arena *arena; /* of `all` */
	struct containers *all;
};

struct site_names *site_names_new(struct arena *a, const char *root)
{
	struct site_names *n = ARENA_NEW(a, struct site_names);

	n->root = root;
	return n;
}

void site_names_end(struct site_names *n)
{
	if (n->arena)
		arena_free(n->arena);
	n->arena = NULL;
}

/* Of those that came and went only so many are kept: a watch may last. */
static void renew(struct site_names *n)
{
	if (n->arena && n->all->list.n < CONTAINERS_MOST / 2)
		return;
	site_names_end(n);
	n->arena = arena_new(NULL);
	n->all = containers_new(n->arena, n->root);
}

static bool is_of_podman(const struct site *p)
{
	return !strcmp(p->engine, container_engine_name(ENGINE_PODMAN));
}

/* Its name, and that of its pod where it is in one of Podman's, which tells it when it is asked. */
static bool is_told(const struct container *c, const struct site *p)
{
	return c && c->name && (c->pod || !*p->pod_uid || !is_of_podman(p));
}

static void container_names(struct site_names *n, struct site *p)
{
	const struct container *c;

	renew(n);
	c = containers_by_id(n->all, str_c(p->id));
	if (!c) {
		/* One that none knows is not looked for with each of its processes. */
		for (enum containers_at at = 0; at < AT_NR && !is_told(c, p); at++) {
			containers_look_at(n->all, at);
			c = containers_by_id(n->all, str_c(p->id));
		}
		c = containers_meet(n->all, str_c(p->id), ENGINE_UNKNOWN);
	}
	if (!c || c->engine == ENGINE_UNKNOWN)
		return;
	if (!*p->pod && !strcmp(p->engine, container_engine_name(ENGINE_UNKNOWN)))
		site_keep(p->engine, sizeof(p->engine), str_c(container_engine_name(c->engine)));
	if (strcmp(p->engine, container_engine_name(c->engine)) != 0)
		return;
	if (c->name)
		site_keep(p->name, sizeof(p->name), str_c(c->name));
	if (c->pod && c->engine == ENGINE_PODMAN)
		site_keep(p->pod, sizeof(p->pod), str_c(c->pod));
	if (c->image)
		site_keep(p->image, sizeof(p->image), str_c(c->image));
}

void site_names(struct site_names *n, struct site *p)
{
	if (*p->pod_uid && !is_of_podman(p))
		pod_name(n->root, p);
	if (p->state == SITE_CONTAINER)
		container_names(n, p);
}
