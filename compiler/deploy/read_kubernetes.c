/* SPDX-License-Identifier: Apache-2.0 */
/* Pods, and what has pods in it (https://kubernetes.io/docs/reference/kubernetes-api/). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

static const char seccomp_pod[] = "seccomp.security.alpha.kubernetes.io/",
		  seccomp_container[] = "container.seccomp.security.alpha.kubernetes.io/",
		  apparmor_container[] = "container.apparmor.security.beta.kubernetes.io/";

static struct deploy_profile read_profile(const struct json *context, const char *key)
{
	const struct json *m = deploy_member(context, key, JSON_OBJECT);
	struct deploy_profile p = { .span = NO_SPAN };

	if (!m)
		return p;
	p.span = m->span;
	p.type = deploy_text_of(m, "type");
	p.local = deploy_text_of(m, "localhostProfile");
	return p;
}

/* What Docker says with one of its security options. */
static void add_option(struct deployment *d, struct deploy_container *c, const char *key,
		       const char *value, struct span at)
{
	struct deploy_option o = { str_c(key), str_c(value), at, false };

	vec_push(d->arena, &c->options, o);
}

static void read_context(struct deployment *d, struct deploy_container *c, const struct json *owner)
{
	const struct json *context = deploy_member(owner, "securityContext", JSON_OBJECT);
	const struct json *labels = deploy_member(context, "seLinuxOptions", JSON_OBJECT);
	struct deploy_text type = deploy_text_of(labels, "type");
	struct deploy_text proc = deploy_text_of(context, "procMount");

	c->seccomp = read_profile(context, "seccompProfile");
	c->apparmor = read_profile(context, "appArmorProfile");
	if (str_is(type.text, "spc_t"))
		add_option(d, c, "label", "type:spc_t", type.span);
	if (str_is(proc.text, "Unmasked"))
		add_option(d, c, "systempaths", "unconfined", proc.span);
}

static void read_container(struct deployment *d, const struct deploy_container *pod,
			   const struct json *j)
{
	const struct json *context = deploy_member(j, "securityContext", JSON_OBJECT);
	const struct json *name = deploy_member(j, "name", JSON_STRING);
	struct deploy_text text = { STR("this container"), j->span };
	struct deploy_container *c;

	if (j->kind != JSON_OBJECT)
		return;
	if (name)
		text = (struct deploy_text){ str_c(arena_printf(d->arena, "container '%s'",
								str_safe_of(d->arena, name->text))),
					     name->span };
	c = deploy_add(d, DEPLOY_KUBERNETES, text);
	c->of = pod;
	c->image = deploy_text_of(j, "image");
	c->word = name ? name->text : str_c(NULL);
	read_context(d, c, j);
	c->privileged = deploy_flag_of(context, "privileged");
	c->no_new_privileges = deploy_flag_of(context, "allowPrivilegeEscalation");
	if (c->no_new_privileges.said)
		c->no_new_privileges.said =
			c->no_new_privileges.said == DEPLOY_YES ? DEPLOY_NO : DEPLOY_YES;
	deploy_add_texts(d, &c->caps,
			 deploy_member(deploy_member(context, "capabilities", JSON_OBJECT), "add",
				       JSON_ARRAY));
}

/* AppArmor's still hold: "container.apparmor.../NAME: localhost/PROFILE", of the containers from `first` on. */
static void take_annotation(struct deployment *d, size_t first, const struct json *m)
{
	static const size_t skip = sizeof(apparmor_container) - 1;
	struct str name = { m->key.p + skip, m->key.n - skip };
	const char *value = m->kind == JSON_STRING ? str_dup(d->arena, m->text) : "";

	if (!strncmp(value, "localhost/", 10))
		value += 10;
	else if (strcmp(value, "unconfined") != 0)
		return;
	for (; first < d->containers.n; first++) {
		struct deploy_container *c = d->containers.v[first];

		if (!c->pod && str_eq(c->word, name) && c->apparmor.span.source == SOURCE_NONE &&
		    c->of->apparmor.span.source == SOURCE_NONE)
			add_option(d, c, "apparmor", value, m->span);
	}
}

static void read_annotations(struct deployment *d, size_t first, const struct json *pod)
{
	const struct json *all = deploy_member(deploy_member(pod, "metadata", JSON_OBJECT),
					       "annotations", JSON_OBJECT);

	for (const struct json *m = all ? all->first : NULL; m; m = m->next) {
		struct deploy_text t = { m->key, m->key_span };

		if (str_starts(m->key, seccomp_pod) || str_starts(m->key, seccomp_container) ||
		    str_starts(m->key, apparmor_container))
			vec_push(d->arena, &d->annotations, t);
		if (str_starts(m->key, apparmor_container))
			take_annotation(d, first, m);
	}
}

static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

/* Some container mounts the volume, and not read-only. */
static bool is_written(const struct json *spec, struct str volume)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json *list = deploy_member(spec, lists[i], JSON_ARRAY);

		for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
			const struct json *mounts = deploy_member(j, "volumeMounts", JSON_ARRAY);

			for (const struct json *m = mounts ? mounts->first : NULL; m; m = m->next)
				if (str_eq(deploy_text_of(m, "name").text, volume) &&
				    deploy_flag_of(m, "readOnly").said != DEPLOY_YES)
					return true;
		}
	}
	return false;
}

static void read_pod_itself(struct deployment *d, struct deploy_container *c,
			    const struct json *spec)
{
	static const struct {
		const char *key, *namespace;
	} shared[] = { { "hostPID", "pid" }, { "hostNetwork", "network" }, { "hostIPC", "ipc" } };
	const struct json *volumes = deploy_member(spec, "volumes", JSON_ARRAY);

	c->pod = true;
	read_context(d, c, spec);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		struct deploy_flag f = deploy_flag_of(spec, shared[i].key);
		struct deploy_text t = { str_c(shared[i].namespace), f.span };

		if (f.said == DEPLOY_YES)
			vec_push(d->arena, &c->host, t);
	}
	for (const struct json *v = volumes ? volumes->first : NULL; v; v = v->next) {
		struct deploy_text t =
			deploy_text_of(deploy_member(v, "hostPath", JSON_OBJECT), "path");

		deploy_add_mount(d, c, t, !is_written(spec, deploy_text_of(v, "name").text));
	}
}

/* A Pod or a template of pods: metadata and spec. */
static void read_pod(struct deployment *d, const struct json *pod)
{
	const struct json *spec = deploy_member(pod, "spec", JSON_OBJECT);
	size_t first = d->containers.n;
	struct deploy_container *c;

	if (!spec || !deploy_member(spec, "containers", JSON_ARRAY))
		return;
	c = deploy_add(d, DEPLOY_KUBERNETES,
		       (struct deploy_text){ STR("this pod"), spec->key_span });
	read_pod_itself(d, c, spec);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json *list = deploy_member(spec, lists[i], JSON_ARRAY);

		for (const struct json *j = list ? list->first : NULL; j; j = j->next)
			read_container(d, c, j);
	}
	read_annotations(d, first, pod);
}

static void read_object(struct deployment *d, const struct json *root)
{
	const struct json *spec = deploy_member(root, "spec", JSON_OBJECT);
	const struct json *job = deploy_member(spec, "jobTemplate", JSON_OBJECT); /* CronJob */

	if (job)
		spec = deploy_member(job, "spec", JSON_OBJECT);
	read_pod(d, root);
	read_pod(d, deploy_member(spec, "template", JSON_OBJECT));
	read_pod(d, deploy_member(root, "template", JSON_OBJECT)); /* PodTemplate */
}

void deploy_read_kubernetes(struct deployment *d, const struct json *root)
{
	const struct json *items = deploy_member(root, "items", JSON_ARRAY);

	for (const struct json *i = items ? items->first : NULL; i; i = i->next)
		read_object(d, i);
	read_object(d, root);
}
