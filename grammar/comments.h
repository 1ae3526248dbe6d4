/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Gives the comments that a scanner saw to the statements of a tree: of a policy, of AppArmor text.
 * A tree shows its statements one by one as sites; all else is the same for both.
 */
#include "grammar/ast.h"

struct comment_site {
	struct span span; /* the whole statement */
	uint32_t open; /* behind the '{' of its body; 0: what stands before it goes into the body */
	uint32_t close; /* where the body ends */
	bool *blank_before;
	struct ast_comment **leading, **trailing;
	struct ast_comment **opening; /* beside '{'; NULL: such go into the body */
	struct ast_comment **inner; /* before '}'; NULL: it has no body, comments amid it lead it */
	void *body;                 /* its first statement */
	void *other;                /* an `else`: a statement that is part of this one */
	void *next;
};

typedef struct comment_site comment_site_fn(void *stmt);

void comments_attach(const struct source *src, struct comment_list all, void *first,
		     comment_site_fn *site, struct ast_comment **trailer);
