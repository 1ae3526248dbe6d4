/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What one diagnostic says of several words: each once, in the order of their first places.
 *
 *	struct group g = { .arena = a };
 *	group_add(&g, word, span);
 *	d = diag_add(ds, id, group_span(&g), "no such call: %s", group_list(&g));
 *	group_labels(ds, d, &g);
 */
#include "compiler/base/diag.h"
#include "compiler/base/table.h"

struct hit {
	struct str text;
	struct span span;
};

struct group {
	struct arena *arena;
	VEC(struct hit) hits;
	struct table table; /* the texts */
};

bool group_add(struct group *g, struct str text, struct span span); /* false: it is there */
bool group_has(const struct group *g, struct str text);
const char *group_list(const struct group *g); /* "'a', 'b' and 'c'", at most 12 names */
struct span group_span(const struct group *g); /* of the first; NO_SPAN: empty */
/* What group_list() leaves out is told of d, so that other names are another finding. */
void group_rest(struct diags *ds, struct diag *d, const struct group *g);
/* The others' places, and group_rest(). */
void group_labels(struct diags *ds, struct diag *d, const struct group *g);
#define PLURAL(g, one, many) ((g).hits.n == 1 ? (one) : (many))
