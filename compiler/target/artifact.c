/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of all targets need. */
#include "compiler/target/target.h"

const char *target_name(const struct compilation *c, const struct policy *p)
{
	return arena_printf(c->diags->arena, PRISTR "%s", STRARG(p->name),
			    c->log_only ? ".log-only" : "");
}

const char *target_force(const struct compilation *c)
{
	return c->log_only ? "; enforces nothing" : "";
}

void target_answer(struct target_check *c, const char *of, enum target_says says,
		   const char *detail)
{
	struct target_answer a = { of, says, detail };

	vec_push(c->diags->arena, &c->answers, a);
}
