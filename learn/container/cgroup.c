/* SPDX-License-Identifier: Apache-2.0 */
/* What the names of cgroups say of containers. */
#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/container/container.h"

/* In front of the id, as runtimes and their drivers write it. */
static const struct {
	const char *prefix;
	enum container_engine engine;
} prefixes[] = {
	{ "docker-", ENGINE_DOCKER },      { "libpod-", ENGINE_PODMAN },
	{ "crio-", ENGINE_CRIO },          { "cri-containerd-", ENGINE_CONTAINERD },
	{ "nerdctl-", ENGINE_CONTAINERD }, { "libpod-payload-", ENGINE_PODMAN },
};

static size_t id_length(const char *s)
{
	size_t n = 0;

	while (n <= CONTAINER_ID && hex_digit(s[n]) >= 0)
		n++;
	return n;
}

static bool is_below(const char *path, const char *last, const char *above)
{
	size_t n = strlen(above);

	return (size_t)(last - path) >= n && !strncmp(last - n, above, n);
}

/* The bare id: cgroupfs drivers put the engine, or the pod, into the directory above. */
static enum container_engine engine_above(const char *path, const char *last)
{
	return is_below(path, last, "/docker/") ? ENGINE_DOCKER : ENGINE_UNKNOWN;
}

bool container_of_name(const char *path, struct str *id, enum container_engine *e)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path, *p = last;

	*e = engine_above(path, last);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(last, prefixes[i].prefix, strlen(prefixes[i].prefix))) {
			p = last + strlen(prefixes[i].prefix);
			*e = prefixes[i].engine;
		}
	if (id_length(p) != CONTAINER_ID ||
	    (p[CONTAINER_ID] && strcmp(p + CONTAINER_ID, ".scope") != 0) ||
	    (p == last && is_below(path, last, "/libpod_parent/")))
		return false;
	*id = (struct str){ p, CONTAINER_ID };
	return true;
}

bool container_may_be_pod(const char *path)
{
	enum container_engine e;
	struct str id;

	return container_of_name(path, &id, &e) && e == ENGINE_UNKNOWN;
}

bool container_is_pods(const char *path)
{
	enum container_engine e;
	struct str id;

	return container_of_name(path, &id, &e) && e == ENGINE_PODMAN;
}

bool container_of_cgroup(const char *path, struct str *id, enum container_engine *e, size_t *end)
{
	char part[4096];
	size_t n = strlen(path);

	for (; n && n < sizeof(part); n--) {
		struct str in;

		if (path[n] && path[n] != '/')
			continue;
		memcpy(part, path, n);
		part[n] = 0;
		if (!container_of_name(part, &in, e))
			continue;
		*id = (struct str){ path + (in.p - part), in.n };
		*end = n;
		return true;
	}
	return false;
}

/* PODID/libpod-ID, machine-libpod_pod_PODID.slice/libpod-ID.scope */
bool container_pod_of_cgroup(const char *path, struct str *id)
{
	enum container_engine e;
	size_t n;

	if (!container_of_cgroup(path, id, &e, &n) || e != ENGINE_PODMAN)
		return false;
	while (n && path[n - 1] != '/')
		n--;
	n -= n > 0;
	if (n > 6 && !memcmp(path + n - 6, ".slice", 6))
		n -= 6;
	if (n <= CONTAINER_ID || !strchr("/_", path[n - CONTAINER_ID - 1]))
		return false;
	*id = (struct str){ path + n - CONTAINER_ID, CONTAINER_ID };
	return id_length(id->p) == CONTAINER_ID;
}

const char *container_cgroup_of_pid(const struct containers *cs, pid_t pid)
{
	char path[4096], line[4096 + 16];
	const char *out = NULL;
	FILE *f;

	if (!cs->tree || snprintf(path, sizeof(path), "%s/proc/%d/cgroup", cs->root, (int)pid) >=
				 (int)sizeof(path))
		return NULL;
	f = fopen(path, "re");
	while (f && !out && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::/", 4) && line[4])
			out = arena_printf(cs->arena, "%s%s", cs->tree, line + 3);
	}
	if (f)
		fclose(f);
	return out;
}
