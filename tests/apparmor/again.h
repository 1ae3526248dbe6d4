/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What AppArmor text owes whoever prints it: read again it says the same, and is printed the same. */
#include <stdio.h>
#include <string.h>

#include "grammar/apparmor_print.h"

static inline size_t count_list(const struct ast_comment *c)
{
	size_t n = 0;

	for (; c; c = c->next)
		n++;
	return n;
}

static inline size_t count_comments(const struct aa_stmt *s)
{
	size_t n = 0;

	for (; s; s = s->next)
		n += count_list(s->leading) + count_list(s->trailing) + count_list(s->opening) +
		     count_list(s->inner) + count_comments(s->body) + count_comments(s->otherwise);
	return n;
}

static inline void show(const struct buf *text)
{
	fwrite(text->p ? text->p : "", 1, text->n, stdout);
}

static inline void show_errors(const struct diags *ds)
{
	vec_each(&ds->list, d) {
		BUF_AUTO text = { 0 };

		diag_print_text(ds, *d, false, &text);
		show(&text);
	}
}

/*
 * NULL where all is well, or what is not, and the texts on stdout. `parsed`: the tree is of a text, so
 * each comment is one line.
 */
static inline const char *try_again(struct arena *a, struct sources *sources, struct diags *ds,
				    const struct aa_file *file, bool parsed)
{
	BUF_AUTO once = { 0 };
	BUF_AUTO twice = { 0 };
	struct aa_file *again;
	const char *wrong = NULL;

	aa_print(&once, file);
	again = aa_parse_source(a, source_add(sources, "again", (struct str){ once.p, once.n }),
				ds);
	aa_print(&twice, again);
	if (ds->errors)
		wrong = "does not parse";
	else if (!aa_same(file, again))
		wrong = "is another tree";
	else if (once.n != twice.n || (once.n && memcmp(once.p, twice.p, once.n)))
		wrong = "is not stable";
	else if (parsed && count_comments(file->stmts) + count_list(file->trailer) !=
				   count_comments(again->stmts) + count_list(again->trailer))
		wrong = "has other comments";
	if (wrong) {
		show(&once);
		printf("---- again:\n");
		show(&twice);
		show_errors(ds);
	}
	return wrong;
}
