/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/container.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
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

/* ---- where they run ---- */

static void set_cgroup(struct containers *cs, struct container *c, const char *path)
{
	if (!c->cgroup || strcmp(c->cgroup, path) != 0)
		c->cgroup = arena_strdup(cs->arena, path);
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
		if (!container_of_name(path, &id, &e)) {
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

bool container_is_named(const struct container *c, const char *wanted)
{
	const char *slash;

	wanted = behind_engine(c, wanted);
	if (!wanted || !*wanted)
		return false;
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
	for (const char *p = wanted; *p; p++)
		if (hex_digit(*p) < 0)
			return false;
	return !strncmp(c->id, wanted, strlen(wanted));
}

bool container_has_label(const struct container *c, const char *wanted)
{
	size_t n = strcspn(wanted, "=");

	vec_each(&c->labels, l)
		if (strlen(l->key) == n && !strncmp(l->key, wanted, n) &&
		    (!wanted[n] || !strcmp(l->value, wanted + n + 1)))
			return true;
	return false;
}

const char *container_called(struct arena *a, const struct container *c)
{
	const char *engine = container_engine_name(c->engine);
	BUF_AUTO name = { 0 };

	if (c->pod && c->name)
		buf_safe(&name, str_c(arena_printf(a, "%s/%s", c->pod, c->name)));
	else if (c->name)
		buf_safe(&name, str_c(c->name));
	else
		buf_safe(&name, (struct str){ c->id, strnlen(c->id, CONTAINER_SHORT) });
	return arena_printf(a, "%s:%s", engine, name.p ? name.p : "");
}

/* ---- is it being started ---- */

/* runc calls its own processes "runc:[2:INIT]"; its copy of itself may have no path. */
static bool is_called_runc(pid_t pid)
{
	char path[64], comm[8] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT;
	if (!fgets(comm, sizeof(comm), f))
		*comm = 0;
	fclose(f);
	return !strncmp(comm, "runc:[", 6);
}

bool container_is_runtime(pid_t pid)
{
	static const char *const programs[] = { "runc",
						"crun",
						"youki",
						"conmon",
						"runsc",
						"containerd-shim",
						"containerd-shim-runc-v2" };
	char path[64], exe[PATH_MAX], *base;
	ssize_t n;

	if (is_called_runc(pid))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		return errno == ENOENT || errno == ESRCH; /* it has ended */
	exe[n] = 0;
	if (!strncmp(exe, "/memfd:", 7)) /* "/memfd:runc_cloned:/proc/self/exe (deleted)" */
		return !strncmp(exe + 7, "runc_cloned", 11) || !strncmp(exe + 7, "crun", 4) ||
		       !strncmp(exe + 7, "libcrun", 7);
	base = strstr(exe, " (deleted)");
	if (base)
		*base = 0;
	base = strrchr(exe, '/');
	if (base && !base[1]) /* a mount of nothing but the file, "/": runc's copy of itself */
		return true;
	for (size_t i = 0; base && i < ARRAY_SIZE(programs); i++)
		if (!strcmp(base + 1, programs[i]))
			return true;
	return false;
}

static bool is_starting(const char *dir, unsigned deep)
{
	char path[PATH_MAX + 16];
	const struct dirent *entry;
	bool is = true;
	FILE *procs;
	DIR *d;
	int pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	procs = fopen(path, "re");
	while (is && procs && fscanf(procs, "%d", &pid) == 1)
		is = container_is_runtime(pid);
	if (procs)
		fclose(procs);
	d = is ? opendir(dir) : NULL;
	while (is && d && deep && (entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < PATH_MAX)
			is = is_starting(path, deep - 1);
	if (d)
		closedir(d);
	return is;
}

bool container_is_starting(const char *cgroup)
{
	return is_starting(cgroup, TREE_DEEP);
}
