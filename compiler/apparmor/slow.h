/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Profiles that AppArmor's parser takes long to load: it looks for what expressions begin with in common one
 * byte after the other (libapparmor_re, simplify_tree_base()), and goes through all that stands behind each time.
 */
#include "compiler/policy/policy.h"

struct apparmor_target; /* needs.h */

/*
 * Tells where file rules of the policy have so much of long names in common (PL470). Measured: 0.35 to 0.41
 * microseconds a byte and what follows it with 3.0.8 (0.68 s to 10.25 s of CPU), a quarter with 4.1 and 5.0.
 * t: NULL where no release is named, and 3.0 may be what loads it.
 */
void apparmor_tell_slow(struct arena *a, const struct policy *p, const struct apparmor_target *t,
			struct diags *ds);
