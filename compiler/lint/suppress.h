/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a file says is not to be told: `pale: ignore SR205,AP3 reason` in a comment of a policy or of
 * AppArmor's text, for its line or, where it stands alone, for the next line that is no comment; in
 * JSON in the `comment` of an entry, for the entry. Rules are named as --select names them. A
 * finding is suppressed where all of its places are; it is still counted, and shown by forms of output
 * that have a way to. What is said for nothing, or without a reason, is a finding (DS517).
 */
#include "compiler/base/diag.h"
#include "grammar/ast.h"
#include "grammar/json.h"

struct suppression {
	struct span place;  /* the comment */
	struct span covers; /* findings that begin in it */
	struct str rules;   /* "SR205,AP3" */
	struct str reason;
};

typedef VEC(struct suppression) suppression_list;

void suppress_read_comments(struct arena *a, const struct source *src,
			    const struct comment_list *comments, suppression_list *out);
void suppress_read_json(struct arena *a, const struct json *root, suppression_list *out);

/* diag->suppressed of all that is; DS517 is added. Nothing is where an error kept rules from running. */
void suppress_apply(struct diags *ds, suppression_list *all);
