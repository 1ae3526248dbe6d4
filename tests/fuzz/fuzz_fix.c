/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixes of whatever the linter finds: 'A' first: of AppArmor's text, else of JSON. Each is made on the text with those
 * before it, round after round: edits lie in the text, what was read is read with those, too, that say what changes,
 * and a patch of all of it can be written. That a fix means what it announces is proved where it is made, of each.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/fix/fix.h"
#include "compiler/lint/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROUNDS = 3, TEXT_MAX = 1 << 14 };

/* What is found in a text; how many errors it has before its meaning is looked at. */
static struct diags *find(struct arena *a, bool apparmor, struct str text, size_t *errors)
{
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src = source_add(sources, "fuzz", text);

	if (apparmor) {
		struct lint_work work = { 0 };
		struct lint_apparmor with = { .library = aa_library_new(a, sources, NULL, "/none"),
					      .asked = { .release = AA_RELEASE_5_0 },
					      .work = &work,
					      .paths = aa_paths_new(a) };
		const struct aa_file *file = aa_parse_source(a, src, ds);

		*errors = ds->errors;
		if (!ds->errors)
			lint_apparmor(a, &with, file, ds);
		lint_work_end(&work);
		return ds;
	}
	const struct json *root = json_parse(a, src, ds);
	*errors = ds->errors;
	if (root && !ds->errors)
		lint_json(a, &(struct lint_filter){ 0 }, root, ds);
	return ds;
}

/* True: something was made of it. */
static bool round_of(struct arena *a, bool apparmor, struct str *text)
{
	struct fix_text t = { .arena = a, .base = *text, .text = *text };
	size_t errors, after;
	struct diags *ds = find(a, apparmor, *text, &errors);

	vec_each(&ds->list, d) {
		struct str out;

		vec_each(&(*d)->fix.edits, e)
			BUG_ON(e->span.begin > e->span.end || e->span.end > text->n);
		if (!(*d)->fix.edits.n || !fix_try(&t, &(*d)->fix, &out))
			continue;
		struct arena *own = arena_scratch(a);
		find(own, apparmor, out, &after);
		arena_free(own);
		if (after && (*d)->fix.change == FIX_READ) /* not proved: it is not made */
			continue;
		BUG_ON(!errors && after);
		fix_keep(&t, &(*d)->fix, out);
	}
	BUF_AUTO patch = { 0 };
	fix_put_diff(&patch, a, "fuzz", *text, t.text);
	BUG_ON((patch.n == 0) != str_eq(*text, t.text));
	bool more = !str_eq(*text, t.text);
	*text = t.text;
	return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	bool apparmor = size && data[0] == 'A';
	struct str text = { (const char *)data + apparmor, size - apparmor };

	for (unsigned i = 0; i < ROUNDS && size < TEXT_MAX; i++)
		if (!round_of(a, apparmor, &text))
			break;
	arena_free(a);
	return 0;
}
