/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/lint_run.h"
#include "compiler/deploy/deploy.h"
#include "compiler/file/kind.h"
#include "compiler/lint/named.h"
#include "grammar/apparmor_tree.h"

#include <string.h>

static void add_objects_of_json(struct arena *a, struct sources *sources, struct source *src,
				const char *path, struct lint_named *out)
{
	struct arena *own = arena_scratch(a);
	struct diags *ds = diags_new(own, sources);
	const struct json *root = json_parse(own, src, ds);

	if (root && !ds->errors && root->kind == JSON_OBJECT)
		lint_named_add_objects(
			a, sources, deploy_of_json(own, src, root, DEPLOY_KUBERNETES), path, out);
	else
		out->seccomp_open = true;
	arena_free(own);
}

/* What cannot be read, or parsed, is told when its turn comes. */
static void add_file(struct arena *a, const struct lint_file *f, struct lint_named *out)
{
	struct arena *own = arena_scratch(a);
	struct sources *sources = sources_new(own);
	struct diags *ds = diags_new(own, sources);
	struct source *src;

	if (source_load_regular(sources, f->path, &src)) {
		arena_free(own);
		return;
	}
	const struct file_kind *kind = kind_of_file(src->text, f->path);

	if (kind->format == INPUT_JSON) {
		vec_push(a, &out->json, f->path);
		if (memmem(src->text.p, src->text.n, "\"apiVersion\"", 12))
			add_objects_of_json(a, sources, src, f->path, out);
	}
	if (kind == kind_apparmor) {
		const struct aa_file *file = aa_parse_source(own, src, ds);

		if (file && !ds->errors)
			lint_named_add(a, file, f->path, out);
		else
			out->open = true;
	} else if (kind == kind_kubernetes || kind_holds_profile(kind)) {
		const struct deployment *d = deploy_read(own, src, DEPLOY_KUBERNETES, ds);

		if (d)
			lint_named_add_objects(a, sources, d, f->path, out);
	}
	arena_free(own);
}

const struct lint_named *lint_named_once(struct lint_run *r)
{
	struct arena *a = r->all->arena;

	r->asked_named = true;
	if (r->named_profiles)
		return r->named_profiles;
	r->named_profiles = ARENA_NEW(a, struct lint_named);
	r->named_profiles->dirs = r->options->at[OPT_INCLUDE].list.v;
	r->named_profiles->asked = r->asked;
	vec_each(r->files, f)
		add_file(a, f, r->named_profiles);
	return r->named_profiles;
}
