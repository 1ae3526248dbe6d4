/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/deploy/deploy.h"

/* The operator's object, a list of them, or the profile itself. */
static void add_profile(struct deployment *d, const struct json *root)
{
	const struct json *items = deploy_member(root, "items", JSON_ARRAY);
	const struct json *spec = deploy_member(root, "spec", JSON_OBJECT);
	const struct json *kind = deploy_member(root, "kind", JSON_STRING);

	for (const struct json *i = items ? items->first : NULL; i; i = i->next)
		if (!deploy_member(i, "items", JSON_ARRAY))
			add_profile(d, i);
	if (kind && !str_is(kind->text, "SeccompProfile"))
		return;
	if (kind && spec)
		vec_push(d->arena, &d->profiles, spec);
	else if (!kind && root->kind == JSON_OBJECT)
		vec_push(d->arena, &d->profiles, root);
}

/* Of a list with pods in it. */
static void add_profiles_of(struct deployment *d, const struct json *root)
{
	if (deploy_member(root, "kind", JSON_STRING))
		add_profile(d, root);
}

struct deployment *deploy_of_json(struct arena *a, const struct source *src,
				  const struct json *root, enum deploy_form form)
{
	struct deployment *d = ARENA_NEW(a, struct deployment);

	d->arena = a;
	if (form == DEPLOY_DAEMON) {
		deploy_read_daemon(d, root);
		return d;
	}
	deploy_read_kubernetes(d, root);
	deploy_read_operator(d, src, root);
	add_profiles_of(d, root);
	return d;
}

struct deployment *deploy_read(struct arena *a, struct source *src, enum deploy_form form,
			       struct diags *ds)
{
	struct deployment *d = ARENA_NEW(a, struct deployment);
	struct yaml yaml;

	d->arena = a;
	if (form == DEPLOY_RUN) {
		deploy_read_line(d, src, (struct span){ src->id, 0, (uint32_t)src->text.n });
		return d;
	}
	if (form == DEPLOY_DOCKERFILE) {
		deploy_read_dockerfile(d, src);
		return d;
	}
	if (form == DEPLOY_UNIT) {
		deploy_read_unit(d, src, false);
		return d;
	}
	if (!yaml_read(a, src, ds, &yaml))
		return NULL;
	d->comments = yaml.comments;
	vec_each(&yaml.documents, doc) {
		if (form == DEPLOY_COMPOSE)
			deploy_read_compose(d, *doc);
		else
			deploy_read_kubernetes(d, *doc);
		if (form != DEPLOY_COMPOSE)
			deploy_read_operator(d, src, *doc);
		if (form == DEPLOY_PROFILE)
			add_profile(d, *doc);
	}
	return d;
}
