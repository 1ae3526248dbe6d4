/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rules' pages: Markdown (GitHub's), a page a rule and one that lists them all. */
#include "compiler/lint/lint.h"

void rule_page(const struct lint_rule *r, struct buf *out);
/* Families in the order of the table; each rule with a link to ID.md beside it. */
void rule_index(struct buf *out);
const char *rule_formats(const struct lint_rule *r); /* "json,pale" */
