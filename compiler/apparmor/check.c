/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/check.h"

#include "compiler/apparmor/rules.h"

struct checking {
	struct aa_reader rd;
	const struct aa_policy *policy;
};

/* Words of a rule that has no effect are read, too, and refused; but its variables are not opened. */
static void check_rules(struct checking *c, const struct aa_profile *p)
{
	struct glob_variables vars = aa_profile_variables(c->rd.arena, c->policy, p);

	vec_each(&p->uses, use) {
		bool live = use->reach == AA_REACH_LIVE && p->reach == AA_REACH_LIVE;

		c->rd.variables = live ? &vars : NULL;
		aa_rule_read(&c->rd, use);
	}
	vec_each(&p->children, child)
		check_rules(c, *child);
}

static void check_end(const struct aa_file *file, struct diags *ds)
{
	struct diag *d;

	if (file->unended.source == SOURCE_NONE)
		return;
	d = diag_add(
		ds, DIAG_PL002, file->unended,
		"a comment ends the file without a line end, and AppArmor's parser refuses that");
	diag_help(ds, d, "'pale fmt -i' ends it with one");
}

bool aa_check(struct arena *a, struct aa_library *lib, const struct aa_file *file,
	      const struct aa_asked *asked, struct diags *ds)
{
	size_t errors = ds->errors;
	struct checking c = { .rd = { .arena = a, .diags = ds } };

	c.policy = aa_expand(a, lib, file, asked, ds);
	c.rd.target = c.policy->target;
	vec_each(&c.policy->profiles, p)
		check_rules(&c, *p);
	check_end(file, ds);
	return ds->errors == errors;
}
