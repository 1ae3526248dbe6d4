/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What file rules that match one path give together, as apparmor_parser 3.0 builds its tables
 * (parser_regex.c, process_dfa_entry; parser_yacc.y): an owner's rule is the owner's alone, in a
 * deny too; w is write and append, in a deny too; a transition that may inherit implies m, which
 * a denied x leaves where it is.
 */
#include <string.h>

#include "compiler/apparmor/apparmor.h"

static bool denies(const struct file_rule *f)
{
	return f->action == RULE_DENY || f->action == RULE_QUIET_DENY;
}

unsigned file_rule_bits(const struct file_rule *f)
{
	unsigned bits = f->perms;

	if (bits & PERM_W)
		bits |= PERM_A;
	if (bits & PERM_X && !denies(f) && strchr(f->exec, 'i'))
		bits |= PERM_M;
	return bits;
}

void file_sum_add(struct file_sum *s, const struct file_rule *f)
{
	unsigned bits = file_rule_bits(f);

	for (unsigned who = f->owner ? FILE_OWNER : FILE_OTHER; who < FILE_WHO_NR; who++) {
		if (denies(f)) {
			s->denied[who] |= bits;
			continue;
		}
		s->allowed[who] |= bits;
		s->written[who] |= f->perms;
		if (f->perms & PERM_X)
			s->exec[who] = f;
	}
}

unsigned file_sum_perms(const struct file_sum *s, enum file_who who)
{
	return s->allowed[who] & ~s->denied[who];
}

bool file_sum_by_version(const struct file_sum *s, enum file_who who)
{
	return file_sum_perms(s, who) & PERM_M && !(s->written[who] & PERM_M) &&
	       s->denied[who] & PERM_X;
}
