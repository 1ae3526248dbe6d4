/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: the parser answers with a tree or diagnostics. A tree without errors prints to a
 * text that parses without errors, prints the same again and holds as many comments.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "grammar/parse.h"
#include "grammar/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_comments(const struct ast_comment *c)
{
	size_t n = 0;

	for (; c; c = c->next)
		n++;
	return n;
}

static size_t count_all(const struct ast_stmt *s)
{
	size_t n = 0;

	for (; s; s = s->next)
		n += count_comments(s->leading) + count_comments(s->trailing) +
		     count_comments(s->inner) + count_all(s->body);
	return n;
}

static void check_round_trip(struct arena *a, struct sources *sources, struct diags *ds,
			     const struct ast_file *first)
{
	BUF_AUTO once = { 0 };
	BUF_AUTO twice = { 0 };

	ast_print(&once, first);
	struct source *src = source_add(sources, "again", (struct str){ once.p, once.n });
	struct ast_file *second = pale_parse_source(a, src, ds);

	BUG_ON(ds->errors);
	ast_print(&twice, second);
	BUG_ON(once.n != twice.n || (once.n && memcmp(once.p, twice.p, once.n)));
	BUG_ON(count_all(first->stmts) + count_comments(first->trailer) !=
	       count_all(second->stmts) + count_comments(second->trailer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct str text = { (const char *)data, size };
	struct source *src = source_add(sources, "fuzz", text);
	struct ast_file *file = pale_parse_source(a, src, ds);
	BUF_AUTO out = { 0 };

	if (!ds->errors)
		check_round_trip(a, sources, ds, file);
	pale_parse_call(a, src, ds);
	diags_sort(ds);
	for (size_t i = 0; i < ds->list.n; i++) {
		diag_print_text(ds, ds->list.v[i], true, &out);
		diag_print_json(ds, ds->list.v[i], &out);
	}
	buf_free(&out);
	arena_free(a);
	return 0;
}
