/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as YAML, a script, a unit, JSON: what is read has places inside the text, and every
 * reader and rule of deployments comes to an end with it. The first byte, a digit in the seeds, chooses the form.
 */
#include "compiler/base/bug.h"
#include "compiler/lint/lint.h"
#include "compiler/deploy/deploy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	static const enum deploy_form forms[] = { DEPLOY_COMPOSE,   DEPLOY_KUBERNETES,
						  DEPLOY_PROFILE,   DEPLOY_RUN,
						  DEPLOY_UNIT,      DEPLOY_DAEMON,
						  DEPLOY_DOCKERFILE };
	enum deploy_form form = forms[size ? (uint8_t)(data[0] - '0') % ARRAY_SIZE(forms) : 0];
	struct str text = { (const char *)data + (size > 0), size - (size > 0) };
	struct source *src = source_add(sources, "fuzz", text);
	struct deployment *d = NULL;

	if (form == DEPLOY_DAEMON) {
		const struct json *root = json_parse(a, src, ds);

		if (root && !ds->errors)
			d = deploy_of_json(a, src, root, form);
	} else {
		d = deploy_read(a, src, form, ds);
	}
	if (form == DEPLOY_UNIT) { /* put over itself, too */
		deploy_read_unit(d, src, true);
		deploy_read_quadlet(d);
	}
	BUG_ON(!d && !ds->errors);
	if (d) {
		lint_deployment(a, &(struct lint_filter){ 0 }, d, NULL, ds);
		vec_each(&d->apparmor, p)
			for (size_t i = 0; i <= (*p)->text.n; i++)
				BUG_ON((*p)->at[i] != INNER_OURS && (*p)->at[i] > src->text.n);
		vec_each(&d->profiles, p)
			lint_json(a, &(struct lint_filter){ 0 }, *p, ds);
	}
	vec_each(&ds->list, it) {
		BUF_AUTO text_of = { 0 };

		BUG_ON((*it)->span.source != SOURCE_NONE && (*it)->span.source == src->id &&
		       (*it)->span.end > src->text.n);
		diag_print_text(ds, *it, false, &text_of);
	}
	arena_free(a);
	return 0;
}
