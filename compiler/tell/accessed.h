/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an AppArmor profile answers to accesses (compiler/apparmor/access.h), as text. */
#include "compiler/apparmor/answer.h"
#include "compiler/file/session.h"

/* A line for each half of files, or one where they are alike. -1: what is wrong is in s. */
int access_simulate(struct session *s, const struct aa_asking *q, const char *text,
		    struct buf *out);
/* Every rule that speaks of an access, or of a path (text begins with '/'), and what decides. */
int access_explain(struct session *s, const struct aa_asking *q, const char *text, struct buf *out);
