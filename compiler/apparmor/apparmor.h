/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor text out of a policy: abi pinned, rules sorted, each with the line it came from.
 */
#include "compiler/policy/policy.h"

struct apparmor_options {
	const char *abi; /* "abi/3.0" */
};

/* 0, or -1 with diagnostics (a rule that this abi cannot express) and `out` empty. */
int apparmor_write(struct arena *a, const struct policy *p, const struct apparmor_options *opt,
		   struct buf *out, struct diags *ds);

/* The canonical profile name that `run` loads and changes to. */
const char *apparmor_profile_name(struct arena *a, const struct policy *p);
