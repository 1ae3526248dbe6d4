/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines that are asked at their sockets: Docker's, and Podman's that speaks the same. Their list of
 * containers is taken, not what they tell of one: a container that is being started is locked meanwhile,
 * and a question about it answered when it has been.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base/bug.h"
#include "learn/container/fields.h"
#include "learn/container/http.h"

#define USERS_MOST 256
#define WAIT_MS    1500 /* for an engine that does not answer */
#define LIST       "/containers/json?all=1"
#define LIST_PODS  "/v4.0.0/libpod/containers/json?all=true&pod=true" /* since Podman 4.0 */

/* "/web", or "/web" and "/other/web" of a link: its own has one slash. */
static const char *own_name(struct arena *a, const struct json *names)
{
	if (!names || names->kind != JSON_ARRAY)
		return NULL;
	for (const struct json *n = names->first; n; n = n->next) {
		struct str s = n->text;

		if (n->kind != JSON_STRING || !s.n)
			continue;
		if (s.p[0] == '/')
			s = (struct str){ s.p + 1, s.n - 1 };
		if (s.n && !memchr(s.p, '/', s.n))
			return str_dup(a, s);
	}
	return NULL;
}

static void read_one(struct containers *cs, struct arena *scratch, const struct json *one,
		     enum container_engine e, const char *from)
{
	const struct json *id = one->kind == JSON_OBJECT ? json_get(one, "Id") : NULL;
	const struct json *infra;
	struct container *c;

	if (!id || id->kind != JSON_STRING || !id->text.n)
		return;
	c = containers_meet(cs, id->text, e);
	if (!c)
		return;
	if (c->engine == ENGINE_UNKNOWN)
		c->engine = e;
	fields_name(cs, c, own_name(scratch, json_get(one, "Names")), from, AT_ENGINES);
	if (!c->image)
		c->image = fields_text(cs->arena, one, "Image");
	if (!c->pod)
		c->pod = fields_text(cs->arena, one, "PodName"); /* Podman's own */
	if (!c->pod_id)
		c->pod_id = fields_text(cs->arena, one, "Pod");
	infra = json_get(one, "IsInfra");
	c->is_sandbox |= infra && infra->kind == JSON_BOOL && infra->boolean;
	if (!c->is_labelled)
		fields_labels(cs, c, json_get(one, "Labels"));
	c->is_labelled = true;
}

bool containers_read_answer(struct containers *cs, struct str text, enum container_engine e,
			    const char *from)
{
	struct arena *scratch = arena_scratch(cs->arena);
	const struct json *list = fields_parse(scratch, text);
	bool is = list && list->kind == JSON_ARRAY;

	if (is)
		for (const struct json *one = list->first; one; one = one->next)
			read_one(cs, scratch, one, e, from);
	arena_free(scratch);
	return is;
}

/* 0, or -errno: -EPROTO it is no list. *e: who answered, where it is another one than was thought. */
static int ask_list(struct containers *cs, const char *socket, enum container_engine *e,
		    const char *list)
{
	struct http_answer answer;
	BUF_AUTO text = { 0 };
	int err = http_get(socket, list, WAIT_MS, &text);

	if (!err && (!http_read((struct str){ text.p, text.n }, &answer) || answer.status != 200))
		err = -EPROTO;
	if (err)
		return err;
	/* Podman may listen where Docker's clients ask. */
	if (str_starts(answer.server, "Libpod/"))
		*e = ENGINE_PODMAN;
	return containers_read_answer(cs, answer.body, *e, socket) ? 0 : -EPROTO;
}

static void ask(struct containers *cs, const char *socket, enum container_engine e)
{
	struct stat st;
	int err = -EPROTO;

	if (stat(socket, &st) || !S_ISSOCK(st.st_mode) ||
	    (cs->silent && !strcmp(cs->silent, socket))) /* it is not waited for again */
		return;
	/* Pods are in Podman's own list alone; a release without that has Docker's. */
	if (e == ENGINE_PODMAN)
		err = ask_list(cs, socket, &e, LIST_PODS);
	if (err == -EPROTO) {
		bool is_dockers = e == ENGINE_DOCKER;

		err = ask_list(cs, socket, &e, LIST);
		if (!err && is_dockers && e == ENGINE_PODMAN)
			(void)ask_list(cs, socket, &e, LIST_PODS);
	}
	cs->has_engine |= !err;
	if (err == -ECONNREFUSED) /* nobody listens any more */
		return;
	if (err) {
		cs->silent = arena_strdup(cs->arena, socket);
		cs->silent_error = err;
	}
}

/* unix:///run/x.sock, as their clients take it; of another machine's nothing can be recorded. */
static void ask_named(struct containers *cs, const char *variable, enum container_engine e)
{
	const char *at = getenv(variable);

	if (at && !strncmp(at, "unix://", 7))
		ask(cs, at + 7, e);
}

/* Those that users run for themselves. */
static void ask_users(struct containers *cs)
{
	static const struct {
		const char *socket;
		enum container_engine engine;
	} places[] = {
		{ "podman/podman.sock", ENGINE_PODMAN },
		{ "docker.sock", ENGINE_DOCKER },
	};
	const char *run = arena_printf(cs->scratch, "%s/run/user", cs->root);
	const struct dirent *entry;
	DIR *d = opendir(run);

	for (unsigned n = 0; d && n < USERS_MOST && (entry = readdir(d)); n++)
		for (size_t i = 0; entry->d_name[0] != '.' && i < ARRAY_SIZE(places); i++)
			ask(cs,
			    arena_printf(cs->scratch, "%s/%s/%s", run, entry->d_name,
					 places[i].socket),
			    places[i].engine);
	if (d)
		closedir(d);
}

void containers_ask(struct containers *cs)
{
	if (!*cs->root) {
		ask_named(cs, "DOCKER_HOST", ENGINE_DOCKER);
		ask_named(cs, "CONTAINER_HOST", ENGINE_PODMAN);
	}
	ask(cs, arena_printf(cs->scratch, "%s/run/docker.sock", cs->root), ENGINE_DOCKER);
	vec_each(&cs->docker_sockets, socket)
		ask(cs, arena_printf(cs->scratch, "%s%s", cs->root, *socket), ENGINE_DOCKER);
	ask(cs, arena_printf(cs->scratch, "%s/run/podman/podman.sock", cs->root), ENGINE_PODMAN);
	ask_users(cs);
	containers_ask_pods(cs);
}
