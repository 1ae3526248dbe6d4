/* SPDX-License-Identifier: Apache-2.0 */
/* What engines leave in files about a container, of which its cgroup has the id alone. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "compiler/base/table.h"
#include "compiler/watch/site.h"
#include "learn/container/container.h"

#define SECOND UINT64_C(1000000000)

enum {
	PODS_MAX = 4096,
	LOOKS_MOST = 20, /* a second, for whose cgroup it is: whoever may make some makes many */
	NOBODYS_MOST = 4096, /* paths that are kept */
};

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
	struct arena *arena; /* of what follows */
	struct containers *all;
	VEC(const char *) nobodys; /* paths of cgroups */
	struct table by_path;      /* of these */
	uint64_t second;           /* in which so many looks were taken */
	unsigned looks;
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
	if (n->arena && n->all->list.n < CONTAINERS_MOST / 2 && n->nobodys.n < NOBODYS_MOST)
		return;
	site_names_end(n);
	memset(&n->nobodys, 0, sizeof(n->nobodys));
	memset(&n->by_path, 0, sizeof(n->by_path));
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
	return c && (c->name || c->monitored) && (c->pod || !*p->pod_uid || !is_of_podman(p));
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
	if (c->name || c->monitored)
		site_keep(p->name, sizeof(p->name), str_c(c->name ? c->name : c->monitored));
	if (c->pod && c->engine == ENGINE_PODMAN)
		site_keep(p->pod, sizeof(p->pod), str_c(c->pod));
	if (c->image)
		site_keep(p->image, sizeof(p->image), str_c(c->image));
	if (c->space)
		site_keep(p->space, sizeof(p->space), str_c(c->space));
}

static bool is_nobodys(const struct site_names *n, const char *path)
{
	struct table_walk it = table_start(hash_str(str_c(path)));
	size_t at;

	while ((at = table_next(&n->by_path, &it)) != TABLE_END)
		if (!strcmp(n->nobodys.v[at], path))
			return true;
	return false;
}

bool site_look(struct site_names *n, uint64_t now_ns)
{
	renew(n);
	if (n->second != now_ns / SECOND)
		n->looks = 0;
	n->second = now_ns / SECOND;
	if (n->looks++ >= LOOKS_MOST)
		return false;
	containers_look_at(n->all, AT_STATE);
	containers_look_at(n->all, AT_SHIMS);
	return true;
}

static const struct container *look_around(struct site_names *n, const char *path, uint64_t now_ns)
{
	const struct container *c = containers_around(n->all, path);

	if (c || is_nobodys(n, path) || !site_look(n, now_ns))
		return c;
	c = containers_around(n->all, path);
	if (!c) {
		table_add(n->arena, &n->by_path, hash_str(str_c(path)), n->nobodys.n);
		vec_push(n->arena, &n->nobodys, arena_strdup(n->arena, path));
	}
	return c;
}

bool site_around(const struct site_names *n, const char *path)
{
	return n->arena && containers_around(n->all, path);
}

bool site_place(struct site_names *n, const char *path, uint64_t now_ns, struct site *out)
{
	const struct container *c;

	renew(n);
	c = look_around(n, path, now_ns);
	if (!c)
		return false;
	out->state = SITE_CONTAINER;
	site_keep(out->engine, sizeof(out->engine), str_c(container_engine_name(c->engine)));
	site_keep(out->id, sizeof(out->id), str_c(c->id));
	site_keep(out->space, sizeof(out->space), str_c(c->space ? c->space : ""));
	site_keep(out->name, sizeof(out->name), str_c(c->name ? c->name : ""));
	site_keep(out->image, sizeof(out->image), str_c(c->image ? c->image : ""));
	return true;
}

void site_names(struct site_names *n, struct site *p)
{
	if (*p->pod_uid && !is_of_podman(p))
		pod_name(n->root, p);
	if (p->state == SITE_CONTAINER && strlen(p->id) == CONTAINER_ID)
		container_names(n, p);
}
