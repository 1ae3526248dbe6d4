/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runtimes keep of their containers on disk, written before one is started: containerd's bundles
 * (nerdctl and Kubernetes put their names into the annotations), containers/storage of Podman and CRI-O,
 * Docker's own. What is known already is not read again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "grammar/toml.h"
#include "learn/container/fields.h"

/* A number that a file holds; 0. */
static pid_t read_pid(struct containers *cs, const char *path)
{
	char at[4096];
	FILE *f = NULL;
	int pid = 0;

	if (snprintf(at, sizeof(at), "%s%s", cs->root, path) < (int)sizeof(at))
		f = fopen(at, "re");
	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid > 0 ? pid : 0;
}

/* ---- config.json: what the runtime is told ---- */

static const struct {
	const char *key;
	size_t member;
} annotations[] = {
	{ "io.kubernetes.cri.container-name", offsetof(struct container, name) },
	{ "io.kubernetes.cri.sandbox-name", offsetof(struct container, pod) },
	{ "io.kubernetes.cri.image-name", offsetof(struct container, image) },
	{ "io.kubernetes.container.name", offsetof(struct container, name) },
	{ "io.kubernetes.pod.name", offsetof(struct container, pod) },
	{ "io.kubernetes.cri-o.ImageName", offsetof(struct container, image) },
	{ "nerdctl/name", offsetof(struct container, name) },
};

/* Labels of a pod that CRI-O keeps as a text: JSON in JSON. */
static void read_text_labels(struct containers *cs, struct container *c, struct arena *scratch,
			     const struct json *object, const char *key)
{
	const char *text = fields_text(scratch, object, key);

	if (text)
		fields_labels(cs, c, fields_parse(scratch, str_c(text)));
}

/* The pod that it is in, or is: of containerd its labels are asked for (cri.c). */
static void read_pod(struct containers *cs, struct container *c, const struct json *notes,
		     const char *type, const char *sandbox)
{
	const struct json *kind =
		notes && notes->kind == JSON_OBJECT ? json_get(notes, type) : NULL;
	const struct json *id = kind ? json_get(notes, sandbox) : NULL;

	if (!kind || kind->kind != JSON_STRING)
		return;
	c->is_sandbox = str_is(kind->text, "sandbox");
	if (!c->is_sandbox && id && id->kind == JSON_STRING && id->text.n)
		c->sandbox = containers_meet(cs, id->text, c->engine);
}

#define SLICE ".slice"

/*
 * "SLICE:PREFIX:NAME", as runtimes take it with --systemd-cgroup: a scope, in a slice that has a directory for each
 * part of its name (runc's docs/systemd.md, systemd.slice(5)). Anything else is the place itself, or is told by
 * its first process.
 */
static const char *place_of(struct containers *cs, const char *path)
{
	const char *prefix = path && *path != '/' ? strchr(path, ':') : NULL;
	const char *name = prefix ? strchr(prefix + 1, ':') : NULL;
	struct str slice = { path, prefix ? (size_t)(prefix - path) : 0 };
	BUF_AUTO out = { 0 };

	if (!name || name == prefix + 1 || !name[1] || strpbrk(name + 1, ":/"))
		return path;
	if (!slice.n)
		slice = STR("system" SLICE);
	if (slice.n < sizeof(SLICE) ||
	    memcmp(slice.p + slice.n - strlen(SLICE), SLICE, strlen(SLICE)) != 0 ||
	    memchr(slice.p, '/', slice.n))
		return path;
	slice.n -= strlen(SLICE);
	for (size_t i = 1; i <= slice.n && *slice.p != '-'; i++)
		if (i == slice.n || slice.p[i] == '-')
			buf_printf(&out, "/%.*s" SLICE, (int)i, slice.p);
	buf_printf(&out, "/%.*s-%s.scope", (int)(name - prefix - 1), prefix + 1, name + 1);
	return buf_keep(cs->arena, &out);
}

static void read_config(struct containers *cs, struct container *c, const char *path)
{
	struct arena *scratch = arena_scratch(cs->arena);
	const struct json *config = fields_load(cs, scratch, path), *notes, *linux_part;
	const char *manager;

	if (config && config->kind == JSON_OBJECT) {
		linux_part = json_get(config, "linux");
		notes = json_get(config, "annotations");
		fields_take(&c->place,
			    place_of(cs, fields_text(cs->arena, linux_part, "cgroupsPath")));
		for (size_t i = 0; i < ARRAY_SIZE(annotations); i++)
			fields_take((const char **)((char *)c + annotations[i].member),
				    fields_text(cs->arena, notes, annotations[i].key));
		fields_labels(cs, c, notes);
		read_text_labels(cs, c, scratch, notes, "io.kubernetes.cri-o.Labels");
		read_text_labels(cs, c, scratch, notes, "nerdctl/labels");
		manager = fields_text(scratch, notes, "io.container.manager");
		if (fields_text(scratch, notes, "io.kubernetes.cri-o.ContainerType") &&
		    (!manager || strcmp(manager, "libpod") != 0)) /* Podman says it of its pods' */
			c->engine = ENGINE_CRIO;
		read_pod(cs, c, notes, "io.kubernetes.cri-o.ContainerType",
			 "io.kubernetes.cri-o.SandboxID");
		read_pod(cs, c, notes, "io.kubernetes.cri.container-type",
			 "io.kubernetes.cri.sandbox-id");
		/* Of the others engines alone have them. */
		c->is_labelled |= c->engine == ENGINE_CRIO ||
				  (c->engine == ENGINE_CONTAINERD && !c->is_sandbox);
	}
	arena_free(scratch);
}

/* ---- containerd ---- */

static void read_bundle(struct containers *cs, const char *path, const char *id)
{
	const char *space = strrchr(path, '/');
	bool is_dockers = space && !strcmp(space, "/moby");
	const char *at = arena_printf(cs->scratch, "%s/%s", path, id);
	struct container *c = containers_meet_in(cs, str_c(id), path);

	cs->has_engine = true;
	if (!c)
		return;
	if (!c->place) {
		c->engine = is_dockers ? ENGINE_DOCKER : ENGINE_CONTAINERD;
		if (space && !is_dockers && !c->space)
			c->space = arena_strdup(cs->arena, space + 1);
		read_config(cs, c, arena_printf(cs->scratch, "%s/config.json", at));
		if (!c->name && strlen(id) != CONTAINER_ID)
			c->name = c->id;
	}
	c->pid = read_pid(cs, arena_printf(cs->scratch, "%s/init.pid", at));
}

static void read_space(struct containers *cs, const char *path, const char *name)
{
	fields_each_entry(cs, arena_printf(cs->scratch, "%s/%s", path, name), read_bundle);
}

/* ---- containers/storage: Podman and CRI-O ---- */

/* Podman's `metadata` is JSON as a text: the image as it was named. */
static void read_stored(struct containers *cs, struct arena *scratch, const struct json *one,
			const char *file)
{
	const char *id = fields_text(scratch, one, "id"), *meta;
	const struct json *names;
	struct container *c = id ? containers_meet(cs, str_c(id), ENGINE_PODMAN) : NULL;

	if (!c)
		return;
	if (c->engine == ENGINE_UNKNOWN)
		c->engine = ENGINE_PODMAN;
	names = json_get(one, "names");
	if (names && names->kind == JSON_ARRAY && names->first &&
	    names->first->kind == JSON_STRING && names->first->text.n)
		fields_name(cs, c, str_dup(scratch, names->first->text), file, AT_STATE);
	meta = c->image ? NULL : fields_text(scratch, one, "metadata");
	if (meta)
		fields_take(&c->image, fields_text(cs->arena, fields_parse(scratch, str_c(meta)),
						   "image-name"));
}

static void read_storage(struct containers *cs, const char *graph)
{
	static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		struct arena *scratch = arena_scratch(cs->arena);
		const char *file = arena_printf(scratch, "%s/%s-containers/containers.json", graph,
						drivers[i]);
		const struct json *list = fields_load(cs, scratch, file);

		cs->has_engine |= list != NULL;
		if (list && list->kind == JSON_ARRAY)
			for (const struct json *one = list->first; one; one = one->next)
				if (one->kind == JSON_OBJECT)
					read_stored(cs, scratch, one, file);
		arena_free(scratch);
	}
}

static void read_userdata(struct containers *cs, const char *path, const char *id)
{
	const struct str key = str_c(id);
	struct container *c = containers_by_id(cs, key);
	const char *at = arena_printf(cs->scratch, "%s/" PRISTR "/userdata", path, STRARG(key));

	if (strlen(id) != CONTAINER_ID)
		return;
	cs->has_engine = true;
	if (!c || !c->place) {
		c = containers_meet(cs, str_c(id), ENGINE_PODMAN);
		if (!c)
			return;
		if (c->engine == ENGINE_UNKNOWN)
			c->engine = ENGINE_PODMAN;
		read_config(cs, c, arena_printf(cs->scratch, "%s/config.json", at));
	}
	c->pid = read_pid(cs, arena_printf(cs->scratch, "%s/pidfile", at));
}

static void read_run(struct containers *cs, const char *run)
{
	fields_each_entry(cs, arena_printf(cs->scratch, "%s/overlay-containers", run),
			  read_userdata);
	fields_each_entry(cs, arena_printf(cs->scratch, "%s/vfs-containers", run), read_userdata);
}

/* storage.conf(5): the two places, where somebody has moved them. */
static void read_moved(struct containers *cs)
{
	struct arena *scratch = arena_scratch(cs->arena);
	struct sources *sources = sources_new(scratch);
	struct diags *ds = diags_new(scratch, sources);
	const char *named = *cs->root ? NULL : getenv("CONTAINERS_STORAGE_CONF");
	struct source *src;
	const struct json *all = NULL, *storage;
	const char *at;

	at = named ? named : arena_printf(scratch, "%s/etc/containers/storage.conf", cs->root);
	if (!source_load_regular(sources, at, &src))
		all = toml_parse(scratch, src, ds);
	storage = all ? json_get(all, "storage") : NULL;
	at = fields_text(cs->arena, storage, "graphroot");
	if (at)
		read_storage(cs, at);
	at = fields_text(cs->arena, storage, "runroot");
	if (at)
		read_run(cs, at);
	arena_free(scratch);
}

static void read_users_run(struct containers *cs, const char *path, const char *user)
{
	read_run(cs, arena_printf(cs->scratch, "%s/%s/containers", path, user));
}

static void read_users_storage(struct containers *cs, const char *path, const char *user)
{
	read_storage(
		cs, arena_printf(cs->scratch, "%s/%s/.local/share/containers/storage", path, user));
}

/* ---- by the processes that run ---- */

/*
 * Of a containerd whose state is elsewhere, the shims tell where: each was started in the bundle of its
 * first container, STATE/io.containerd.runtime.v2.task/SPACE/ID, before the runtime was.
 */
static void read_shims_space(struct containers *cs, const char *path, const char *pid)
{
	static const char tasks[] = "/io.containerd.runtime.v2.task/";
	char at[4096], where[4096];
	size_t root = strlen(cs->root);
	char *end;
	ssize_t n;

	snprintf(at, sizeof(at), "%s%s/%s/cwd", cs->root, path, pid);
	n = readlink(at, where, sizeof(where) - 1);
	where[n < 0 ? 0 : n] = 0;
	end = strstr(where, tasks);
	end = end && !strncmp(where, cs->root, root) ? strchr(end + strlen(tasks), '/') : NULL;
	if (!end)
		return;
	*end = 0;
	vec_each(&cs->spaces, s)
		if (!strcmp(*s, where + root))
			return;
	vec_push(cs->arena, &cs->spaces, arena_strdup(cs->arena, where + root));
}

/* GRAPH/DRIVER-containers/ID/userdata, so many names less, as a place. */
static void add_above(struct containers *cs, container_places *to, const char *path, unsigned names)
{
	char *top = arena_strdup(cs->scratch, path), *slash = NULL;

	while (names-- && (slash = strrchr(top, '/')))
		*slash = 0;
	if (slash)
		fields_place(cs, to, top);
}

/*
 * Of a Podman whose storage is elsewhere, as a user's own may be, the monitors tell where: conmon(8) is told
 * its container's bundle and the file for its first process. And its name, which is all that may be read of a
 * user's own without CAP_DAC_READ_SEARCH.
 */
static void read_conmon(struct containers *cs, const char *pid)
{
	char args[FIELDS_ARGS];
	const char *end = args + fields_arguments(cs, pid, args), *value, *id = "", *name = "";
	struct container *c;

	for (const char *p = args; p < end; p += strlen(p) + 1) {
		value = p + strlen(p) + 1;
		if (value < end && !strcmp(p, "-b") && strstr(value, "-containers/"))
			add_above(cs, &cs->graphs, value, 3);
		if (value < end && !strcmp(p, "-p") && strstr(value, "-containers/"))
			add_above(cs, &cs->runs, value, 4);
		id = value < end && !strcmp(p, "-c") ? value : id;
		name = value < end && !strcmp(p, "-n") ? value : name;
	}
	c = strlen(id) == CONTAINER_ID && *name ? containers_meet(cs, str_c(id), ENGINE_PODMAN) :
						  NULL;
	if (c && c->engine == ENGINE_PODMAN && !c->monitored)
		c->monitored = arena_strdup(cs->arena, name);
}

static void read_moved_storage(struct containers *cs)
{
	vec_each(&cs->graphs, graph)
		read_storage(cs, *graph);
	vec_each(&cs->runs, run)
		read_run(cs, *run);
}

static void read_process(struct containers *cs, const char *path, const char *pid)
{
	char at[4096], comm[32] = "";
	FILE *f = NULL;

	if (*pid >= '1' && *pid <= '9' &&
	    snprintf(at, sizeof(at), "%s%s/%s/comm", cs->root, path, pid) < (int)sizeof(at))
		f = fopen(at, "re");
	if (f && !fgets(comm, sizeof(comm), f))
		*comm = 0;
	if (f)
		fclose(f);
	if (!strncmp(comm, "containerd-shim", 15))
		read_shims_space(cs, path, pid);
	if (!strcmp(comm, "conmon\n"))
		read_conmon(cs, pid);
	if (!strcmp(comm, "dockerd\n"))
		containers_meet_dockerd(cs, pid);
	if (!strcmp(comm, "containerd\n"))
		containers_meet_containerd(cs, pid);
}

static void read_spaces(struct containers *cs)
{
	vec_each(&cs->states, s)
		fields_each_entry(cs, *s, read_space);
	vec_each(&cs->spaces, s)
		fields_each_entry(cs, *s, read_bundle);
}

void containers_read_shims(struct containers *cs)
{
	fields_each_entry(cs, "/proc", read_process);
	read_spaces(cs);
	read_moved_storage(cs);
	containers_read_docker(cs);
}

/* One's own, whose home may be anywhere. */
static void read_own(struct containers *cs)
{
	const char *home = *cs->root ? NULL : getenv("HOME");
	const char *run = *cs->root ? NULL : getenv("XDG_RUNTIME_DIR");

	if (home)
		read_storage(cs,
			     arena_printf(cs->scratch, "%s/.local/share/containers/storage", home));
	if (run)
		read_run(cs, arena_printf(cs->scratch, "%s/containers", run));
}

void containers_read_state(struct containers *cs)
{
	/* Of containerd itself, of the one that dockerd starts, and of k3s'. */
	static const char *const tasks[] = {
		"/run/containerd/io.containerd.runtime.v2.task",
		"/run/docker/containerd/daemon/io.containerd.runtime.v2.task",
		"/run/k3s/containerd/io.containerd.runtime.v2.task",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		fields_each_entry(cs, tasks[i], read_space);
	containers_read_containerd(cs);
	read_spaces(cs);
	containers_read_docker(cs);
	read_run(cs, "/run/containers/storage");
	read_storage(cs, "/var/lib/containers/storage");
	read_moved(cs);
	fields_each_entry(cs, "/run/user", read_users_run);
	fields_each_entry(cs, "/home", read_users_storage);
	read_storage(cs, "/root/.local/share/containers/storage");
	read_own(cs);
	read_moved_storage(cs);
}
