/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where names of a text are defined: in itself, in what it includes, in the directories of sets. */
#include "compiler/file/setlist.h"
#include "compiler/lsp/words.h"

struct aa_library;

/* The sets that it may use: its own, its includes', then the directories'. */
void lsp_sets_of(struct lsp_request *q, const struct lsp_asked *asked, struct set_list *out);

struct lsp_variable {    /* @{NAME} of AppArmor's text: a statement that sets it, or adds to it */
	struct str name; /* with @{ } */
	const struct source *source;
	const struct aa_stmt *stmt;
};
typedef VEC(struct lsp_variable) lsp_variables;
/* Those of the text and of all that it includes, as far as it can be read. */
void lsp_variables_of(struct lsp_request *q, const struct lsp_asked *asked, lsp_variables *out);
/* Profiles, children and hats of the same, by their own names, as variables: the statement has the place. */
void lsp_profiles_of(struct lsp_request *q, const struct lsp_asked *asked, lsp_variables *out);
/* A path of an include in the file of that path: from its folder, or absolute. */
const char *lsp_beside(struct arena *a, const char *path, struct str name);
/* Where AppArmor's includes of the text are found; NULL: nowhere. */
struct aa_library *lsp_library_of(struct lsp_request *q, const struct lsp_asked *asked);
/* "@{HOME}" of a word around the place; empty: it is in none. */
struct str lsp_variable_at(const struct lsp_around *l, uint32_t offset);
