/* SPDX-License-Identifier: Apache-2.0 */
/* What engines leave in files about a container, of which its cgroup has the id alone. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "compiler/watch/site.h"
#include "grammar/json.h"

enum { STATE_MAX = 1 << 20, PODS_MAX = 4096 };

/* A file's value, in the arena; NULL: it is not there, not for us, too large or no JSON. */
static const struct json *read_json(struct arena *a, const char *path)
{
	struct sources *sources = sources_new(a);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t n = 0;

	if (fd < 0)
		return NULL;
	char *text = arena_alloc(a, STATE_MAX);
	for (ssize_t got; n < STATE_MAX && (got = read(fd, text + n, STATE_MAX - n)) > 0;)
		n += (size_t)got;
	close(fd);
	if (!n || n == STATE_MAX)
		return NULL;
	return json_parse(a, source_add(sources, path, (struct str){ text, n }),
			  diags_new(a, sources));
}

static struct str text_of(const struct json *v)
{
	return v && v->kind == JSON_STRING ? v->text : (struct str){ "", 0 };
}

/* "Name": "/web" */
static void docker_name(struct arena *a, const char *root, struct site *p)
{
	const struct json *top = read_json(
		a, arena_printf(a, "%s/var/lib/docker/containers/%s/config.v2.json", root, p->id));
	struct str name = top && top->kind == JSON_OBJECT ? text_of(json_get(top, "Name")) :
							    (struct str){ "", 0 };

	if (name.n && *name.p == '/')
		name = (struct str){ name.p + 1, name.n - 1 };
	site_keep(p->name, sizeof(p->name), name);
}

/* [{"id": "...", "names": ["web"]}, ...]: containers/storage's list, root's */
static void podman_name(struct arena *a, const char *root, struct site *p)
{
	const struct json *top = read_json(
		a,
		arena_printf(a, "%s/var/lib/containers/storage/overlay-containers/containers.json",
			     root));

	if (!top || top->kind != JSON_ARRAY)
		return;
	for (const struct json *e = top->first; e; e = e->next) {
		const struct json *names;

		if (e->kind != JSON_OBJECT || !str_is(text_of(json_get(e, "id")), p->id))
			continue;
		names = json_get(e, "names");
		if (names && names->kind == JSON_ARRAY && names->first)
			site_keep(p->name, sizeof(p->name), text_of(names->first));
		return;
	}
}

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

void site_names(const char *root, struct site *p)
{
	struct arena *a;

	if (*p->pod_uid)
		pod_name(root, p);
	if (p->state != SITE_CONTAINER || *p->pod)
		return;
	a = arena_new(NULL);
	if (!strcmp(p->engine, "docker"))
		docker_name(a, root, p);
	else if (!strcmp(p->engine, "podman"))
		podman_name(a, root, p);
	arena_free(a);
}
