/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as pale.toml: a table, or one error with its place; every value lies inside the text, and members
 * stand in the order of the text or come from another table of the same name.
 */
#include "compiler/base/bug.h"
#include "grammar/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct json *v, size_t end)
{
	uint32_t n = 0;

	BUG_ON(v->span.begin > v->span.end || v->span.end > end);
	for (const struct json *m = v->first; m; m = m->next, n++) {
		BUG_ON(v->kind != JSON_ARRAY && v->kind != JSON_OBJECT);
		BUG_ON(v->kind == JSON_OBJECT &&
		       (m->key_span.begin > m->key_span.end || m->key_span.end > end));
		BUG_ON(m->is_u64 && m->is_i64 && m->u64 != (uint64_t)m->i64);
		check(m, end);
	}
	BUG_ON(n != v->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src = source_add(sources, "fuzz", (struct str){ (const char *)data, size });
	struct json *root = toml_parse(a, src, ds);

	BUG_ON(root ? ds->errors != 0 : ds->errors != 1);
	if (root)
		check(root, size);
	vec_each(&ds->list, d) {
		BUF_AUTO text = { 0 };

		BUG_ON((*d)->span.source != src->id || (*d)->span.end > size);
		diag_print_text(ds, *d, false, &text);
	}
	arena_free(a);
	return 0;
}
