/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: the JSON reader answers with a tree or diagnostics, every span lies inside its
 * parent's, and a tree without errors written out reads back the same. The linter then looks
 * at it: it must come to an end, whatever the profile says.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/lint/lint.h"
#include "grammar/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_value(struct buf *out, const struct json *v)
{
	switch (v->kind) {
	case JSON_NULL: buf_puts(out, "null"); return;
	case JSON_BOOL: buf_puts(out, v->boolean ? "true" : "false"); return;
	case JSON_NUMBER: buf_add(out, v->text.p, v->text.n); return;
	case JSON_STRING: json_put_string(out, v->text); return;
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	buf_putc(out, v->kind == JSON_ARRAY ? '[' : '{');
	for (const struct json *m = v->first; m; m = m->next) {
		if (v->kind == JSON_OBJECT) {
			json_put_string(out, m->key);
			buf_putc(out, ':');
		}
		put_value(out, m);
		if (m->next)
			buf_putc(out, ',');
	}
	buf_putc(out, v->kind == JSON_ARRAY ? ']' : '}');
}

static void check_spans(const struct json *v)
{
	uint32_t n = 0, at = v->span.begin;

	BUG_ON(v->span.begin >= v->span.end);
	for (const struct json *m = v->first; m; m = m->next, n++) {
		BUG_ON(m->span.begin < at || m->span.end > v->span.end);
		BUG_ON(v->kind == JSON_OBJECT &&
		       (m->key_span.begin < at || m->key_span.end > m->span.begin));
		BUG_ON(m->is_u64 && m->is_i64 && m->u64 != (uint64_t)m->i64);
		at = m->span.end;
		check_spans(m);
	}
	BUG_ON(n != v->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src = source_add(sources, "fuzz", (struct str){ (const char *)data, size });
	struct json *root = json_parse(a, src, ds);

	BUG_ON(!root && !ds->errors);
	if (root && !ds->errors) {
		BUF_AUTO once = { 0 };
		BUF_AUTO twice = { 0 };
		struct json *again;

		check_spans(root);
		put_value(&once, root);
		again = json_parse(a, source_add(sources, "again", (struct str){ once.p, once.n }),
				   ds);
		BUG_ON(!again || ds->errors);
		put_value(&twice, again);
		BUG_ON(once.n != twice.n || memcmp(once.p, twice.p, once.n) != 0);
		lint_json(a, &(struct lint_filter){ 0 }, root, ds);
		vec_each(&ds->list, d) {
			BUF_AUTO text = { 0 };

			diag_print_text(ds, *d, false, &text);
			diag_print_json(ds, *d, &text);
		}
	}
	arena_free(a);
	return 0;
}
