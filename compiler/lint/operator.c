/* SPDX-License-Identifier: Apache-2.0 */
/* A SeccompProfile of the security profiles operator, with its base (DP628, rules_operator.c). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"
#include "compiler/lint/named.h"

/* Keys of the object's own, which no runtime is given. */
static bool is_objects_key(const struct json *spec, struct span at)
{
	static const char *const keys[] = { "baseProfileName", "disabled" };

	for (const struct json *m = spec->first; m; m = m->next)
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (str_is(m->key, keys[i]) && m->key_span.begin == at.begin &&
			    m->key_span.source == at.source)
				return true;
	return false;
}

static const struct json *base_of(const struct json *spec)
{
	const struct json *base = deploy_member(spec, "baseProfileName", JSON_STRING);

	return base && base->text.n ? base : NULL;
}

bool lint_has_base(const struct json *spec)
{
	return base_of(spec);
}

/* ---- one with its base ---- */

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
static const struct json *unite(struct arena *a, const struct json *spec, const struct json *base)
{
	const struct json *theirs = deploy_member(base, "syscalls", JSON_ARRAY);
	const struct json *ours = deploy_member(spec, "syscalls", JSON_ARRAY);
	struct json *out = arena_dup(a, spec, sizeof(*spec)), **tail = &out->first;

	if (!theirs || !ours)
		return theirs ? NULL : spec;
	out->first = NULL;
	for (const struct json *m = spec->first; m; m = m->next) {
		struct json *copy = copy_of(a, m, &tail), **end = &copy->first;

		if (m != ours)
			continue;
		copy->first = NULL;
		copy->count = 0;
		add_entries(a, copy, &end, theirs);
		add_entries(a, copy, &end, ours);
	}
	return out;
}

static void tell_unknown(struct arena *a, const struct json *base, struct diags *ds)
{
	diag_help(
		ds,
		diag_add(ds, DIAG_DP628, base->span,
			 "it builds on '%s', which may allow what this lacks: that is not told",
			 str_safe_of(a, base->text)),
		"name the file that has it, too, or the one that the operator makes of both: then it is looked at whole");
}

static bool is_inside(struct span x, struct span y)
{
	return x.source == y.source && x.begin >= y.begin && x.begin <= y.end;
}

int lint_operator_profile(struct arena *a, const struct lint_filter *with, const struct json *spec,
			  const struct lint_named *named, struct diags *ds)
{
	const struct json *base = base_of(spec), *both = spec;
	struct diags *own = diags_new(a, ds->sources);
	struct lint_filter its = *with;
	const struct json *found =
		base && named ? lint_named_spec(a, ds->sources, named, base->text) : NULL;
	size_t before = ds->list.n, kept = 0;
	bool whole = !base;

	if (found && !base_of(found)) {
		both = unite(a, spec, found);
		whole = both;
		both = whole ? both : spec;
	}
	its.operators = true;
	if (lint_json(a, &its, both, own) < 0)
		return -1;
	for (size_t i = 0; i < own->list.n; i++) {
		struct diag *d = own->list.v[i];
		const char *id = diag_info(d->id)->id;
		bool lacks = !whole && !strncmp(id, "SC", 2);
		/* What is so of the base alone is told of that. */
		bool theirs = d->span.source != SOURCE_NONE && !is_inside(d->span, spec->span);

		if (!lacks && !theirs && !(d->id == DIAG_SJ002 && is_objects_key(spec, d->span)))
			own->list.v[kept++] = d;
		else if (d->severity == SEVERITY_ERROR)
			own->errors--;
	}
	own->list.n = kept;
	diags_take(ds, own);
	if (!whole)
		tell_unknown(a, base, ds);
	return (int)(ds->list.n - before);
}
