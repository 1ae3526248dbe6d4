/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SJ, and what else the one reader of JSON finds while it reads (compiler/oci/parse.c): every
 * command tells of these in the same words.
 */
#include "compiler/lint/internal.h"

/* The row that --list-rules and --explain show; grammar/json.c does the work while it reads. */
void sj_json_syntax(struct lint *l, enum diag_id id)
{
	(void)l, (void)id;
}

void sj_form(struct lint *l, enum diag_id id)
{
	if (l->profile)
		oci_report(l->profile, NULL, id, l->ds);
}
