/* SPDX-License-Identifier: Apache-2.0 */
/* Compose files (https://github.com/compose-spec/compose-spec/blob/main/05-services.md). */
#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

static void read_options(struct deployment *d, struct deploy_container *c, const struct json *list)
{
	deploy_texts texts = { 0 };

	deploy_add_texts(d, &texts, list);
	c->open = list && texts.n < list->count;
	vec_each(&texts, t)
		deploy_add_option(d, c, *t);
}

/* A text is a bool, too: values are cast where variables are replaced, also where there are none. */
static struct deploy_flag flag_of(const struct json *object, const char *key)
{
	struct deploy_flag f = deploy_flag_of(object, key);
	const struct json *text = deploy_member(object, key, JSON_STRING);

	if (text && str_ieq(text->text, STR("true")))
		f.said = DEPLOY_YES;
	return f;
}

/* "/var/run/docker.sock:/x:ro", or a mapping. */
static void read_volumes(struct deployment *d, struct deploy_container *c, const struct json *list)
{
	for (const struct json *v = list ? list->first : NULL; v; v = v->next) {
		struct deploy_text t = deploy_text_of(v, "source");

		if (v->kind == JSON_STRING)
			deploy_add_volume(d, c, (struct deploy_text){ v->text, v->span });
		else
			deploy_add_mount(d, c, t, flag_of(v, "read_only").said == DEPLOY_YES);
	}
}

/* "/dev/x:/dev/y:rwm", or a mapping. */
static void read_devices(struct deployment *d, struct deploy_container *c, const struct json *list)
{
	for (const struct json *v = list ? list->first : NULL; v; v = v->next)
		deploy_add_device(d, c,
				  v->kind == JSON_STRING ?
					  (struct deploy_text){ v->text, v->span } :
					  deploy_text_of(v, "source"));
}

/* Since compose 2.38 the engine's socket is mounted so. */
static void read_api_socket(struct deployment *d, struct deploy_container *c,
			    const struct json *service)
{
	struct deploy_flag f = flag_of(service, "use_api_socket");

	if (f.said == DEPLOY_YES)
		deploy_add_mount(d, c, (struct deploy_text){ STR("/var/run/docker.sock"), f.span },
				 false);
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
	c->image = deploy_text_of(service, "image");
	c->privileged = flag_of(service, "privileged");
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
	read_devices(d, c, deploy_member(service, "devices", JSON_ARRAY));
	read_api_socket(d, c, service);
}

void deploy_read_compose(struct deployment *d, const struct json *root)
{
	const struct json *services = deploy_member(root, "services", JSON_OBJECT);

	for (const struct json *s = services ? services->first : NULL; s; s = s->next)
		read_service(d, s);
}
