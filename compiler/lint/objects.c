/* SPDX-License-Identifier: Apache-2.0 */
/* SeccompProfiles of the security profiles operator: by name, and united with what they build on. */
#include <string.h>

#include "compiler/lint/internal.h"
#include "compiler/lint/named.h"

static const char folder[] = "operator/"; /* below the kubelet's, where the operator writes them */

bool lint_object_names(struct str local)
{
	return str_starts(local, folder);
}

bool lint_asks_operator(const struct deployment *d)
{
	vec_each(&d->containers, c)
		if (lint_object_names((*c)->seccomp.local.text))
			return true;
	return d->bindings.n;
}

struct str lint_object_plain(struct str name)
{
	bool json = name.n > 5 && !memcmp(name.p + name.n - 5, ".json", 5);

	return json ? (struct str){ name.p, name.n - 5 } : name;
}

const struct named_object *lint_object_find(const struct lint_named *all, struct str name,
					    struct str space)
{
	const struct named_object *found = NULL;

	vec_each(&all->seccomp, o)
		if (str_eq(lint_object_plain(o->name), lint_object_plain(name)) &&
		    (!found || str_eq(o->space, space)))
			found = o;
	return found;
}

struct str lint_object_name(struct str local, struct str *space)
{
	struct str rest = { local.p + strlen(folder), local.n - strlen(folder) };
	const char *slash = memchr(rest.p, '/', rest.n);

	*space = (struct str){ rest.p, slash ? (size_t)(slash - rest.p) : 0 };
	return slash ? (struct str){ slash + 1, rest.n - space->n - 1 } : rest;
}

const struct named_object *lint_object_of(const struct lint_named *all, struct str local)
{
	struct str space, name;

	if (!lint_object_names(local))
		return NULL;
	name = lint_object_name(local, &space);
	return lint_object_plain(name).n < name.n ? lint_object_find(all, name, space) : NULL;
}

/* ---- one with its base ---- */

static const struct json *base_of(const struct json *spec)
{
	const struct json *base = deploy_member(spec, "baseProfileName", JSON_STRING);

	return base && base->text.n ? base : NULL;
}

bool lint_has_base(const struct json *spec)
{
	return base_of(spec);
}

static struct json *copy_of(struct arena *a, const struct json *from, struct json ***tail)
{
	struct json *copy = arena_dup(a, from, sizeof(*from));

	copy->next = NULL;
	**tail = copy;
	*tail = &copy->next;
	return copy;
}

static void add_entries(struct arena *a, struct json *list, struct json ***tail,
			const struct json *from)
{
	for (const struct json *e = from ? from->first : NULL; e; e = e->next, list->count++)
		copy_of(a, e, tail);
}

/* The operator takes all from the object, and the entries of both (its util.UnionSyscalls). */
const struct json *lint_operator_unite(struct arena *a, const struct json *spec,
				       const struct json *base)
{
	const struct json *theirs = deploy_member(base, "syscalls", JSON_ARRAY);
	const struct json *ours = deploy_member(spec, "syscalls", JSON_ARRAY);
	struct json *out = arena_dup(a, spec, sizeof(*spec)), **tail = &out->first;

	if (!theirs)
		return spec;
	out->first = NULL;
	out->count += !ours;
	for (const struct json *m = spec->first; m; m = m->next) {
		struct json *copy = copy_of(a, m, &tail), **end = &copy->first;

		if (m != ours)
			continue;
		copy->first = NULL;
		copy->count = 0;
		add_entries(a, copy, &end, theirs);
		add_entries(a, copy, &end, ours);
	}
	if (!ours)
		copy_of(a, theirs, &tail);
	return out;
}

static const struct json *spec_of(struct arena *a, struct sources *sources,
				  const struct named_object *o)
{
	struct diags *own = diags_new(a, sources);
	const struct deployment *d = NULL;
	struct source *src;

	if (source_load_regular(sources, o->path, &src))
		return NULL;
	if (src->text.n && src->text.p[0] == '{') {
		const struct json *root = json_parse(a, src, own);

		if (root && !own->errors && root->kind == JSON_OBJECT)
			d = deploy_of_json(a, src, root, DEPLOY_KUBERNETES);
	} else {
		d = deploy_read(a, src, DEPLOY_PROFILE, own);
	}
	for (size_t i = 0; d && i < d->seccomp.n; i++)
		if (str_eq(d->seccomp.v[i].name.text, o->name) &&
		    str_eq(d->seccomp.v[i].space.text, o->space))
			return d->seccomp.v[i].spec;
	return NULL;
}

const struct json *lint_named_spec(struct arena *a, struct sources *sources,
				   const struct lint_named *all, struct str name)
{
	const struct named_object *o = lint_object_find(all, name, str_c(NULL));

	return o ? spec_of(a, sources, o) : NULL;
}

const struct json *lint_operator_whole(struct arena *a, struct sources *sources,
				       const struct lint_named *named, const struct json *spec)
{
	const struct json *base = base_of(spec), *found;

	if (!base)
		return spec;
	found = named ? lint_named_spec(a, sources, named, base->text) : NULL;
	return found && !base_of(found) ? lint_operator_unite(a, spec, found) : NULL;
}

const struct json *lint_object_spec(struct arena *a, struct sources *sources,
				    const struct lint_named *all, const struct named_object *o)
{
	const struct json *spec = spec_of(a, sources, o);

	return spec ? lint_operator_whole(a, sources, all, spec) : NULL;
}
