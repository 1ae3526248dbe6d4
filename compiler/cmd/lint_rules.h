/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The linter's rules as text: written to standard output, the exit status comes back. */
#include "compiler/cmd/cmd.h"

int lint_list_rules(bool json);
int lint_explain_rule(const struct command *c, const char *word); /* id or slug */
