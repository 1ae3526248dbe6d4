/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Docker keeps of its containers on disk, below its data-root: where that is as a rule, where daemon.json
 * says (dockerd(8)), and where a dockerd that runs was told to have it; with the sockets that it listens at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "learn/container/fields.h"

/* Who was renamed has it written again. */
static bool is_read(const struct containers *cs, struct container *c, const char *file)
{
	char path[4096];
	struct stat st;

	if (c->name && (!c->told_by || strcmp(c->told_by, file) != 0))
		return true;
	if (snprintf(path, sizeof(path), "%s%s", cs->root, file) >= (int)sizeof(path) ||
	    stat(path, &st))
		return c->name;
	if (c->name && st.st_mtim.tv_sec == c->told_when.tv_sec &&
	    st.st_mtim.tv_nsec == c->told_when.tv_nsec)
		return true;
	c->told_when = st.st_mtim;
	return false;
}

static void read_state(struct containers *cs, struct container *c, const char *file)
{
	struct arena *scratch;
	const struct json *state, *config;
	const char *name;

	if (is_read(cs, c, file))
		return;
	scratch = arena_scratch(cs->arena);
	state = fields_load(cs, scratch, file);
	name = fields_text(scratch, state, "Name");
	config = state && state->kind == JSON_OBJECT ? json_get(state, "Config") : NULL;
	fields_name(cs, c, name && *name == '/' ? name + 1 : name, file, AT_STATE);
	fields_take(&c->image, fields_text(cs->arena, config, "Image"));
	if (config && config->kind == JSON_OBJECT && !c->is_labelled) {
		fields_labels(cs, c, json_get(config, "Labels"));
		c->is_labelled = true;
	}
	c->engine = ENGINE_DOCKER;
	arena_free(scratch);
}

static void read_docker(struct containers *cs, const char *path, const char *id)
{
	char file[4096];
	struct container *c;

	if (strlen(id) != CONTAINER_ID ||
	    snprintf(file, sizeof(file), "%s/%s/config.v2.json", path, id) >= (int)sizeof(file))
		return;
	cs->has_engine = true;
	c = containers_meet(cs, str_c(id), ENGINE_DOCKER);
	if (c)
		read_state(cs, c, file);
}

/* ---- where ---- */

static void add_socket(struct containers *cs, const char *host)
{
	if (!strncmp(host, "unix://", 7))
		fields_place(cs, &cs->docker_sockets, host + 7);
}

static void read_daemon_json(struct containers *cs, const char *path)
{
	struct arena *scratch = arena_scratch(cs->arena);
	const struct json *all = fields_load(cs, scratch, path), *hosts;
	const char *at = fields_text(scratch, all, "data-root");

	if (!at)
		at = fields_text(scratch, all, "graph"); /* before Docker 17.05 */
	if (at)
		fields_place(cs, &cs->docker_roots, at);
	hosts = all && all->kind == JSON_OBJECT ? json_get(all, "hosts") : NULL;
	if (hosts && hosts->kind == JSON_ARRAY)
		for (const struct json *h = hosts->first; h; h = h->next)
			if (h->kind == JSON_STRING && h->text.n)
				add_socket(cs, str_dup(scratch, h->text));
	arena_free(scratch);
}

static void take_option(struct containers *cs, struct str name, const char *value)
{
	static const struct {
		const char *name;
		enum { ROOT, HOST, FILE_OF } what;
	} known[] = {
		{ "--data-root", ROOT }, { "-g", ROOT }, { "--graph", ROOT },
		{ "--host", HOST },      { "-H", HOST }, { "--config-file", FILE_OF },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!str_is(name, known[i].name))
			continue;
		switch (known[i].what) {
		case ROOT: fields_place(cs, &cs->docker_roots, value); break;
		case HOST: add_socket(cs, value); break;
		case FILE_OF: read_daemon_json(cs, value); break;
		}
	}
}

void containers_meet_dockerd(struct containers *cs, const char *pid)
{
	fields_options(cs, pid, take_option);
}

/* Of a rootless one. */
static void read_users(struct containers *cs, const char *path, const char *user)
{
	fields_each_entry(
		cs, arena_printf(cs->scratch, "%s/%s/.local/share/docker/containers", path, user),
		read_docker);
}

void containers_read_docker(struct containers *cs)
{
	fields_each_entry(cs, "/var/lib/docker/containers", read_docker);
	read_daemon_json(cs, "/etc/docker/daemon.json");
	vec_each(&cs->docker_roots, root)
		fields_each_entry(cs, arena_printf(cs->scratch, "%s/containers", *root),
				  read_docker);
	fields_each_entry(cs, "/home", read_users);
	if (!*cs->root && getenv("HOME"))
		fields_each_entry(cs,
				  arena_printf(cs->scratch, "%s/.local/share/docker/containers",
					       getenv("HOME")),
				  read_docker);
}
