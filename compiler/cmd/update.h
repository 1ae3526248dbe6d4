/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* pale propose --update: what of a recording a policy refuses, and the policy with it. */
#include "compiler/cmd/options.h"
#include "learn/record/recording.h"

/*
 * Adds to the policy `path` what it refuses of `r`, which is cut down to that, and writes the policy to -o FILE, or
 * the difference to standard output. An exit status; what is wrong is in the session, or was told.
 */
int policy_update(struct session *s, const struct options *o, const char *path,
		  struct recording *r);
