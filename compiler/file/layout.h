/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The canonical layout of policies and of AppArmor's text: `pale fmt`, and an editor's. */
#include "compiler/file/session.h"
#include "grammar/apparmor_tree.h"

struct layout_text { /* what a file holds, as the tree of its language: one of the two */
	struct source *source;
	const struct ast_file *policy;
	const struct aa_file *apparmor;
};

/* EXIT_OK, or another status with what is wrong in the session. */
int layout_read(struct session *s, const char *path, struct layout_text *out);
/*
 * Its layout, proved: it is read again, and says what the text says. EXIT_OK, or EXIT_FOUND with
 * what is wrong in the session.
 */
int layout_put(struct session *s, const struct layout_text *t, struct buf *out);
