/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What denial.c and denial_rule.c share; nobody else includes it. */
#include "compiler/tell/denial.h"

bool denials_is_file(const struct denied *d);
/* Of all other classes: words, text, rule and statement. NULL, or what is wrong. */
const char *denials_rule(struct arena *a, struct denial *n);
