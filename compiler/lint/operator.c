/* SPDX-License-Identifier: Apache-2.0 */
/* A SeccompProfile of the security profiles operator (DP628, rules_operator.c). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

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

int lint_operator_profile(struct arena *a, const struct lint_filter *with, const struct json *spec,
			  struct diags *ds)
{
	const struct json *base = deploy_member(spec, "baseProfileName", JSON_STRING);
	struct diags *own = diags_new(a, ds->sources);
	size_t before = ds->list.n, kept = 0;

	if (lint_json(a, with, spec, own) < 0)
		return -1;
	for (size_t i = 0; i < own->list.n; i++) {
		struct diag *d = own->list.v[i];
		const char *id = diag_info(d->id)->id;
		bool lacks = base && base->text.n && !strncmp(id, "SC", 2);

		if (!lacks && !(d->id == DIAG_SJ002 && is_objects_key(spec, d->span)))
			own->list.v[kept++] = d;
		else if (d->severity == SEVERITY_ERROR)
			own->errors--;
	}
	own->list.n = kept;
	diags_take(ds, own);
	if (base && base->text.n)
		diag_help(
			ds,
			diag_add(
				ds, DIAG_DP628, base->span,
				"it builds on '%s', which may allow what this lacks: that is not told",
				str_safe_of(a, base->text)),
			"name the file that the operator makes of both, and that is looked at whole");
	return (int)(ds->list.n - before);
}
