/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The linter: what a profile means, said where it stands. One row a rule above its function (its id
 * is a diagnostic's), one function a rule in rules_*.c. Reads pale policies and Docker/OCI
 * JSON; findings are diagnostics.
 */
#include "compiler/policy/policy.h"
#include "grammar/json.h"

struct lint_rule {
	enum diag_id id;
	unsigned formats;    /* LINT_JSON | LINT_PALE */
	const char *explain; /* paragraphs for --explain: what, why, evidence, way out */
};

enum { LINT_PALE = 1, LINT_JSON = 2 };

size_t lint_rule_count(void);
const struct lint_rule *lint_rule_at(size_t i);

/* Findings go to ds (sorted); returns their number, or -1 when the input could not be read. */
struct oci_runtime;
/* rt: the runtime that what depends on one is about; NULL: JSON as oci_runtime_default reads it,
 * and what any of them needs. */
int lint_json(struct arena *a, const struct json *root, const struct oci_runtime *rt,
	      struct diags *ds);
int lint_pale(struct arena *a, const struct ast_file *file, const struct policies *policies,
	      const struct oci_runtime *rt, struct diags *ds);
