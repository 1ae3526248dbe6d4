/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor text out of a policy: abi pinned, rules sorted, each with the line it came from.
 */
#include "compiler/policy/policy.h"

/* The kernel's table of names has 16 places, and 4 are not for names (parser's AA_EXEC_COUNT). */
enum { APPARMOR_TARGETS_MAX = 12 }; /* profiles that one profile's rules change to by name */

struct apparmor_options {
	bool complain; /* refuse nothing: of policy_logging(), as deny rules refuse nevertheless */
};

/* 0, or -1 with diagnostics (a rule that abi 3.0 cannot express) and `out` empty. */
int apparmor_write(struct arena *a, const struct policy *p, const struct apparmor_options *opt,
		   struct buf *out, struct diags *ds);

/* The canonical profile name that `run` loads and changes to. */
const char *apparmor_profile_name(struct arena *a, const struct policy *p);

/* ---- what file rules give ---- */

enum file_who { FILE_OTHER, FILE_OWNER, FILE_WHO_NR }; /* is the file the asking process' own? */

/* The rules that match one path, taken together. Starts as { 0 }; PERM_* throughout. */
struct file_sum {
	unsigned allowed[FILE_WHO_NR], denied[FILE_WHO_NR];
	unsigned written[FILE_WHO_NR]; /* allowed, without what other permissions imply */
	const struct file_rule *exec[FILE_WHO_NR]; /* that says how to execute; NULL: none */
};

/* What one rule allows or denies, with what its letters imply: w a, and ix m where it allows. */
unsigned file_rule_bits(const struct file_rule *f);
void file_sum_add(struct file_sum *s, const struct file_rule *f);
/* What is left. W without A: may be written, but not opened to append. */
unsigned file_sum_perms(const struct file_sum *s, enum file_who who);
/* Is PERM_M there only until AppArmor 4.1.1? Implied by an ix whose x is denied: 4.1.2 drops it. */
bool file_sum_by_version(const struct file_sum *s, enum file_who who);
