/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/weigh.h"

/*
 * Capabilities are masks: what is not denied is allowed. Of them and, but for 4.1.8, of
 * change_profile no priority counts, and a prompt allows; of change_profile nothing is logged as a
 * rule asks for, nor passed over (parser_yacc.y, capability and change_profile; 4.1.8's
 * generic_add_prefix). The others add up as files do.
 */
struct aa_prefix aa_weigh(enum aa_release release, const struct aa_rule *r)
{
	bool change = r->class == AA_CLASS_CHANGE_PROFILE;
	struct aa_prefix p = r->prefix;

	if (r->class != AA_CLASS_CAPABILITY && !change)
		return p;
	if (!change || release != AA_RELEASE_4_1_8) {
		p.priority = 0;
		p.mode = p.mode == AA_MODE_PROMPT ? AA_MODE_ALLOW : p.mode;
	}
	if (change)
		p.audit = p.mode == AA_MODE_DENY;
	return p;
}

int aa_compare_weights(const struct aa_prefix *x, const struct aa_prefix *y)
{
	static const int ranks[] = {
		[AA_MODE_ALLOW] = 1, [AA_MODE_DENY] = 2, [AA_MODE_PROMPT] = 0
	};

	if (x->priority != y->priority)
		return x->priority > y->priority ? 1 : -1;
	return ranks[x->mode] - ranks[y->mode];
}

void aa_add_weight(struct aa_halves *h, const struct aa_prefix *p, unsigned perms)
{
	*(p->mode == AA_MODE_DENY   ? &h->deny :
	  p->mode == AA_MODE_PROMPT ? &h->prompt :
				      &h->allow) |= perms;
	if (p->mode != AA_MODE_DENY && p->audit)
		h->audit |= perms;
	if (p->mode == AA_MODE_DENY && !p->audit)
		h->quiet |= perms;
}
