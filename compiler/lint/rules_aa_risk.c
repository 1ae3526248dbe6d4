/* SPDX-License-Identifier: Apache-2.0 */
/* AP3: what a program under an AppArmor profile may do to the machine. */
#include <string.h>

#include "compiler/lint/aa_facts.h"

/* ---- everything of a class ---- */

RULE(AP302, "all-rule", HIGH, APPARMOR, ap_all_rule,
     "`all,` allows everything that AppArmor knows of",
     "`all,` stands for every file with every permission, every capability, network, mount, signal, "
     "ptrace, change of profile and whatever else the release mediates. What is left of the profile "
     "are its deny rules: that confines a program to all but a list, and a list of what is dangerous "
     "is never whole.\n\n"
     "Way out: the rules that the program needs; pale learn finds them.")
void ap_all_rule(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		struct diag *d;

		if (r->class != AA_CLASS_ALL || r->prefix.mode != AA_MODE_ALLOW)
			continue;
		d = aa_tell(
			l, id, r->use,
			"'all' allows every access there is: only deny rules are left to confine '%s'",
			str_safe(l->arena, str_dup(l->arena, l->aa->profile->label)));
		if (d)
			diag_help(
				l->ds, d,
				"write the rules that the program needs; 'pale learn' finds them");
	}
}
