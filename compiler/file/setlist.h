/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The sets that a policy may use, read from the directories of set_directories(): `list` and
 * `show` tell of them. A set that an earlier directory hides is left out.
 */
#include "compiler/file/session.h"
#include "grammar/ast.h"

struct listed_set {
	const char *name;
	struct source *source;
	const struct ast_stmt *stmt;
};

struct set_list {
	VEC(struct listed_set) sets; /* in name order */
};

/*
 * first: the directories of --sets, NULL-ended; may be NULL. Mistakes in the files go to s->diags.
 * 0, or -errno of a file or directory that cannot be read, which is told there too.
 */
int set_list_read(struct session *s, const char *const *first, struct set_list *out);
const struct listed_set *set_list_find(const struct set_list *l, struct str name);
/* Does the set itself name the call (not through `use`)? */
bool set_names_call(const struct listed_set *set, const char *call);
size_t set_count_calls(const struct listed_set *set);
/* The comment above the set, its first line without "NAME:"; empty: none. */
struct str set_summary(const struct listed_set *set);
