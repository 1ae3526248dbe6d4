/* SPDX-License-Identifier: Apache-2.0 */
/* Compose files (https://github.com/compose-spec/compose-spec/blob/main/05-services.md). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

/* As the engine parts it: at the first '=', where there is none at the first ':' (moby,
 * daemon/daemon_unix.go, parseSecurityOpt). */
static struct deploy_option read_option(struct deploy_text t)
{
	struct deploy_option o = { .span = t.span };
	const char *at = memchr(t.text.p, '=', t.text.n);

	if (!at) {
		at = memchr(t.text.p, ':', t.text.n);
		o.colon = at != NULL;
	}
	o.key = at ? (struct str){ t.text.p, (size_t)(at - t.text.p) } : t.text;
	if (at)
		o.value = (struct str){ at + 1, t.text.n - o.key.n - 1 };
	return o;
}

/* As the engine reads it (strconv.ParseBool); what that refuses starts nothing. */
static bool is_false(struct str value)
{
	static const char *const words[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_is(value, words[i]))
			return true;
	return false;
}

static void read_options(struct deployment *d, struct deploy_container *c, const struct json *list)
{
	deploy_texts texts = { 0 };

	deploy_add_texts(d, &texts, list);
	vec_each(&texts, t) {
		struct deploy_option o = read_option(*t);

		if (str_is(o.key, "no-new-privileges"))
			c->no_new_privileges =
				(struct deploy_flag){ is_false(o.value) ? DEPLOY_NO : DEPLOY_YES,
						      t->span };
		vec_push(d->arena, &c->options, o);
	}
}

/* "/var/run/docker.sock:/x:ro", or a mapping. */
static void read_volumes(struct deployment *d, struct deploy_container *c, const struct json *list)
{
	for (const struct json *v = list ? list->first : NULL; v; v = v->next) {
		struct deploy_text t = deploy_text_of(v, "source");
		const char *colon;

		if (v->kind == JSON_STRING) {
			t = (struct deploy_text){ v->text, v->span };
			colon = memchr(t.text.p, ':', t.text.n);
			if (!colon)
				continue;
			t.text.n = (size_t)(colon - t.text.p);
		}
		if (t.text.n && t.text.p[0] == '/' && !memchr(t.text.p, '$', t.text.n))
			vec_push(d->arena, &c->mounts, t);
	}
}

static void read_service(struct deployment *d, const struct json *service)
{
	static const struct {
		const char *key, *namespace;
	} shared[] = {
		{ "pid", "pid" }, { "network_mode", "network" }, { "ipc", "ipc" },
		{ "uts", "uts" }, { "userns_mode", "user" },     { "cgroup", "cgroup" },
	};
	struct deploy_text name = { str_c(arena_printf(d->arena, "service '%s'",
						       str_safe_of(d->arena, service->key))),
				    service->key_span };
	struct deploy_container *c;

	if (service->kind != JSON_OBJECT)
		return;
	c = deploy_add(d, DEPLOY_COMPOSE, name);
	c->word = service->key;
	c->privileged = deploy_flag_of(service, "privileged");
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		struct deploy_text t = deploy_text_of(service, shared[i].key);

		if (str_is(t.text, "host")) {
			t.text = str_c(shared[i].namespace);
			vec_push(d->arena, &c->host, t);
		}
	}
	deploy_add_texts(d, &c->caps, deploy_member(service, "cap_add", JSON_ARRAY));
	read_options(d, c, deploy_member(service, "security_opt", JSON_ARRAY));
	read_volumes(d, c, deploy_member(service, "volumes", JSON_ARRAY));
}

void deploy_read_compose(struct deployment *d, const struct json *root)
{
	const struct json *services = deploy_member(root, "services", JSON_OBJECT);

	for (const struct json *s = services ? services->first : NULL; s; s = s->next)
		read_service(d, s);
}
