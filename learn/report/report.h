/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * REPORT: a recording and its proposal as one HTML page that stands alone: no script, nothing from
 * elsewhere, and every name that the workload chose escaped.
 */
#include "compiler/decision/decision.h"
#include "grammar/ast.h"
#include "learn/record/recordings.h"

struct report {
	const struct recording *r;
	const struct recordings *runs;   /* of which it is, settled */
	const struct ast_file *proposal; /* of it */
	const struct decision *beside;   /* another policy, to compare calls with; NULL: none */
	const char *beside_name;         /* "Docker's default" */
};

/* The page, with UTF-8 text; scratch memory is the arena's. */
void report_put(struct buf *out, struct arena *a, const struct report *rep);
