/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor text out of a policy: abi pinned, rules sorted, each with the line it came from.
 */
#include "compiler/policy/policy.h"

/* The kernel's table of names has 16 places, and 4 are not for names (parser's AA_EXEC_COUNT). */
enum { APPARMOR_TARGETS_MAX = 12 }; /* profiles that one profile's rules change to by name */

struct apparmor_target; /* needs.h */

struct apparmor_options {
	bool complain; /* refuse nothing: of policy_logging(), as deny rules refuse nevertheless */
	const struct apparmor_target *target; /* NULL: not said; apparmor_abi() */
};

/* 0, or -1 with diagnostics (a rule that the target cannot express) and `out` empty. */
int apparmor_write(struct arena *a, const struct policy *p, const struct apparmor_options *opt,
		   struct buf *out, struct diags *ds);

/* The canonical profile name that `run` loads and changes to. */
const char *apparmor_profile_name(struct arena *a, const struct policy *p);

/*
 * The abi that a policy's profile names, "abi/3.0": the newest of the target's release, or where no
 * target is said (NULL) the oldest under which all that the policy says is mediated.
 */
const char *apparmor_abi(const struct policy *p, const struct apparmor_target *t);

enum file_who { FILE_OTHER, FILE_OWNER, FILE_WHO_NR }; /* is the file the asking process' own? */
