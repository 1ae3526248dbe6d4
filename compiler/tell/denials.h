/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What denial.c and denial_rule.c share; nobody else includes it. */
#include "compiler/tell/denial.h"

bool denials_is_file(const struct denied *d);
/* Of all other classes: words, text, rule and statement. NULL, or what is wrong. */
const char *denials_rule(struct arena *a, struct denial *n);
/* A name in a policy's statement, whose bare words are paths alone. */
void denials_put_name(struct buf *out, struct str name);
