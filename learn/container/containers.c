/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "compiler/base/bug.h"

#define TREE_DEEP 32
#define TREE_MOST 65536 /* directories */

/* The v2 hierarchy: alone, or beside version 1. Of another root it is known by its files. */
static const char *find_tree(struct arena *a, const char *root)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *at = arena_printf(a, "%s%s", root, places[i]);
		struct statfs fs;

		if (*root ? !access(arena_printf(a, "%s/cgroup.controllers", at), F_OK) :
			    !statfs(at, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
			return at;
	}
	return NULL;
}

struct containers *containers_new(struct arena *a, const char *root)
{
	struct containers *cs = ARENA_NEW(a, struct containers);

	cs->arena = a;
	cs->root = arena_strdup(a, root);
	cs->tree = find_tree(a, root);
	return cs;
}

void containers_pod(const struct containers *cs, struct container *c, const char *cgroup)
{
	struct str id;

	if (c->pod || !container_pod_of_cgroup(cgroup, &id))
		return;
	vec_each(&cs->list, other)
		if ((*other)->pod && (*other)->pod_id && str_is(id, (*other)->pod_id)) {
			c->pod = (*other)->pod;
			c->pod_id = (*other)->pod_id;
			return;
		}
}

/* ---- where they run ---- */

static void set_cgroup(struct containers *cs, struct container *c, const char *path)
{
	containers_pod(cs, c, path);
	if (!c->cgroup || strcmp(c->cgroup, path) != 0)
		c->cgroup = arena_strdup(cs->arena, path);
}

/* Has it a container of Podman's below? */
static bool is_pod(const char *dir)
{
	const struct dirent *entry;
	bool is = false;
	char path[PATH_MAX];
	DIR *d = container_may_be_pod(dir) ? opendir(dir) : NULL;

	while (d && !is && (entry = readdir(d)))
		is = snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < PATH_MAX &&
		     container_is_pods(path);
	if (d)
		closedir(d);
	return is;
}

/* Below what is a container's own there are none of another. */
static void look_below(struct containers *cs, const char *dir, unsigned deep, unsigned *left)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d))) {
		enum container_engine e;
		struct container *c;
		struct str id;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >= PATH_MAX)
			continue;
		if (!*left)
			break;
		--*left;
		if (!container_of_name(path, &id, &e) || is_pod(path)) {
			if (deep)
				look_below(cs, path, deep - 1, left);
			continue;
		}
		c = strstr(entry->d_name, "-conmon-") ? NULL : containers_meet(cs, id, e);
		if (c)
			set_cgroup(cs, c, path);
	}
	if (d)
		closedir(d);
}

/* ctr's have names of their own: by what the runtime was told, or its first process. */
static void place(struct containers *cs, struct container *c)
{
	const char *path;
	struct stat st;

	if (c->place && *c->place == '/') {
		path = arena_printf(cs->scratch, "%s%s", cs->tree, c->place);
		if (!stat(path, &st) && S_ISDIR(st.st_mode))
			set_cgroup(cs, c, path);
	} else if (c->pid) {
		path = container_cgroup_of_pid(cs, c->pid);
		if (path && !stat(path, &st))
			set_cgroup(cs, c, path);
	}
}

void containers_look(struct containers *cs)
{
	unsigned left = TREE_MOST;

	cs->scratch = arena_scratch(cs->arena);
	vec_each(&cs->list, c)
		if ((*c)->cgroup && access((*c)->cgroup, F_OK))
			(*c)->cgroup = NULL;
	cs->silent = NULL;
	containers_read_shims(cs);
	containers_read_state(cs);
	containers_ask(cs);
	if (cs->tree) {
		look_below(cs, cs->tree, TREE_DEEP, &left);
		vec_each(&cs->list, c)
			if (!(*c)->cgroup)
				place(cs, *c);
	}
	arena_free(cs->scratch);
	cs->scratch = NULL;
}

void containers_look_at(struct containers *cs, enum containers_at at)
{
	static void (*const look[AT_NR])(struct containers * cs) = {
		containers_read_state,
		containers_ask,
		containers_read_shims,
	};

	cs->scratch = arena_scratch(cs->arena);
	look[at](cs);
	arena_free(cs->scratch);
	cs->scratch = NULL;
}

struct container *containers_by_place(const struct containers *cs, const char *cgroup)
{
	size_t n = cs->tree ? strlen(cs->tree) : 0;

	if (!n || strncmp(cgroup, cs->tree, n) != 0)
		return NULL;
	vec_each(&cs->list, c)
		if ((*c)->place && !strcmp((*c)->place, cgroup + n))
			return *c;
	return NULL;
}

struct container *containers_around(const struct containers *cs, const char *path)
{
	vec_each(&cs->list, c) {
		size_t n = (*c)->place ? strlen((*c)->place) : 0;

		/* "/" is everybody's, and no container's own. */
		if (n > 1 && *(*c)->place == '/' && !strncmp(path, (*c)->place, n) &&
		    (!path[n] || path[n] == '/'))
			return *c;
	}
	return NULL;
}

/* ---- whom a word means ---- */

/* Behind "docker:"; NULL: it is said to be another engine's. */
static const char *behind_engine(const struct container *c, const char *wanted)
{
	const char *colon = strchr(wanted, ':');

	for (enum container_engine e = 1; colon && e < ENGINE_NR; e++)
		if (str_is((struct str){ wanted, (size_t)(colon - wanted) },
			   container_engine_name(e)))
			return e == c->engine ? colon + 1 : NULL;
	return wanted;
}

/* Behind "demo/", where that is its namespace. */
static const char *behind_space(const struct container *c, const char *wanted)
{
	size_t n = c->space ? strlen(c->space) : 0;

	return n && !strncmp(wanted, c->space, n) && wanted[n] == '/' ? wanted + n + 1 : wanted;
}

bool container_is_named(const struct container *c, const char *wanted)
{
	const char *slash;

	wanted = behind_engine(c, wanted);
	if (!wanted || !*wanted)
		return false;
	wanted = behind_space(c, wanted);
	slash = strchr(wanted, '/');
	if (slash && c->pod && c->name)
		return strlen(c->pod) == (size_t)(slash - wanted) &&
		       !strncmp(c->pod, wanted, (size_t)(slash - wanted)) &&
		       !strcmp(c->name, slash + 1);
	return (c->name && !strcmp(c->name, wanted)) || !strcmp(c->id, wanted);
}

bool container_is_called(const struct container *c, const char *wanted)
{
	if (container_is_named(c, wanted))
		return true;
	wanted = behind_engine(c, wanted);
	if (!wanted || !*wanted || strlen(c->id) != CONTAINER_ID)
		return false;
	wanted = behind_space(c, wanted);
	if (!*wanted)
		return false;
	for (const char *p = wanted; *p; p++)
		if (hex_digit(*p) < 0)
			return false;
	return !strncmp(c->id, wanted, strlen(wanted));
}

static bool has_own_label(const struct container *c, struct str wanted)
{
	const char *equals = memchr(wanted.p, '=', wanted.n);
	struct str key = { wanted.p, equals ? (size_t)(equals - wanted.p) : wanted.n };
	struct str value = { wanted.p + key.n + 1, equals ? wanted.n - key.n - 1 : 0 };

	vec_each(&c->labels, l)
		if (str_is(key, l->key) && (!equals || str_is(value, l->value)))
			return true;
	return false;
}

static bool has_label(const struct container *c, struct str wanted)
{
	return has_own_label(c, wanted) || (c->sandbox && has_own_label(c->sandbox, wanted));
}

bool container_has_label(const struct container *c, const char *wanted)
{
	if (c->is_sandbox)
		return false;
	if (has_label(c, str_c(wanted))) /* a value may hold a comma */
		return true;
	for (const char *p = wanted;; p++) {
		size_t n = strcspn(p, ",");

		if (!has_label(c, (struct str){ p, n }))
			return false;
		p += n;
		if (!*p)
			return true;
	}
}

bool container_labels_known(const struct container *c)
{
	return c->is_labelled && (!c->sandbox || c->sandbox->is_labelled);
}

static const char *called(struct arena *a, const struct container *c, bool whole)
{
	const char *engine = container_engine_name(c->engine);
	BUF_AUTO name = { 0 };

	if (c->space && !c->pod && (whole || strcmp(c->space, "default") != 0)) {
		buf_safe(&name, str_c(c->space));
		buf_putc(&name, '/');
	}
	if (c->pod && c->name)
		buf_safe(&name, str_c(arena_printf(a, "%s/%s", c->pod, c->name)));
	else if (c->name)
		buf_safe(&name, str_c(c->name));
	else
		buf_safe(&name, (struct str){ c->id, strnlen(c->id, CONTAINER_SHORT) });
	return arena_printf(a, "%s:%s", engine, name.p ? name.p : "");
}

const char *container_called(struct arena *a, const struct container *c)
{
	return called(a, c, false);
}

const char *container_called_whole(struct arena *a, const struct container *c)
{
	return called(a, c, true);
}

/* ---- is it being started ---- */

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The number of the mount that an open file was reached through; 0: not known. */
static unsigned long long mount_of(int fd)
{
	unsigned long long id = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && !id && fgets(line, sizeof(line), f))
		sscanf(line, "mnt_id: %llu", &id);
	if (f)
		fclose(f);
	return id;
}

static bool has_mount(pid_t pid, unsigned long long id)
{
	unsigned long long one;
	char path[64], *line = NULL;
	size_t size = 0;
	bool has = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	f = fopen(path, "re");
	while (f && !has && getline(&line, &size, f) > 0)
		has = sscanf(line, "%llu", &one) == 1 && one == id;
	free(line);
	if (f)
		fclose(f);
	return has;
}

/*
 * As border.bpf.h tells it: whoever is inside has a root that is not the host's, and runs a program of
 * its own mount namespace; a runtime's is the host's or a memory file's, wherever it is by then.
 */
bool container_is_runtime(pid_t pid)
{
	/* Where the first process may not be looked at, pale's own root is the host's. */
	const char *host = access("/proc/1/root/.", F_OK) ? "/" : "/proc/1/root/.";
	unsigned long long id;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root/.", (int)pid);
	/* It has ended, or is not in any container; whoever may not be looked at may be the workload's. */
	if (access(path, F_OK))
		return errno != EACCES;
	if (same_file(path, host))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return true;
	id = mount_of(fd);
	close(fd);
	return !has_mount(pid, id);
}
