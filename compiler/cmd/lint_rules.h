/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The linter's rules as text, on standard output or as files; the exit status comes back. */
#include "compiler/cmd/cmd.h"

int lint_list_rules(bool json);
int lint_explain_rule(const struct command *c, const char *word); /* id or slug */
/* A Markdown page a rule, and README.md, in a folder that is made where there is none. */
int lint_write_docs(struct session *s, const char *dir);
