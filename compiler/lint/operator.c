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
	const struct json *whole = lint_operator_whole(a, ds->sources, named, spec);
	struct diags *own = diags_new(a, ds->sources);
	struct lint_filter its = *with;
	size_t before = ds->list.n, kept = 0;

	its.operators = true;
	if (lint_json(a, &its, whole ? whole : spec, own) < 0)
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
		tell_unknown(a, deploy_member(spec, "baseProfileName", JSON_STRING), ds);
	return (int)(ds->list.n - before);
}
