/* SPDX-License-Identifier: Apache-2.0 */
/* Of a container's runtime: what was seen outside the workload, and is in no rule. */
#include <string.h>

#include "learn/proposal.h"

/* Is it among those that were met, "runc 1.1.5+ds1, crun 1.8.1"? */
static bool was_met(const struct recorded_run *run, const char *name)
{
	const char *at = run->runtime ? strstr(run->runtime, name) : NULL;

	return at && (at == run->runtime || at[-1] == ' ');
}

const char *propose_starts(const struct recording *r)
{
	bool runc = was_met(&r->run, "runc"), crun = was_met(&r->run, "crun");

	return runc && crun ? "runc,crun" : runc ? "runc" : crun ? "crun" : "run";
}

static size_t count_capabilities(const struct recording *r)
{
	uint64_t seen = 0;
	size_t n = 0;

	vec_each(&r->runtime_caps, c)
		if (!proposal_is_noise(c))
			seen |= UINT64_C(1) << c->cap;
	for (; seen; seen &= seen - 1)
		n++;
	return n;
}

void propose_describe_runtime(struct proposal *p, struct ast_comment **to)
{
	const struct recording *r = p->r;
	size_t caps = count_capabilities(r);

	if (!r->runtime_calls.n)
		return;
	ast_comment_add(p->a, to,
			"runtime:  %zu call%s and %zu capabilit%s of %s, which made the container "
			"or joined it, left out",
			r->runtime_calls.n, r->runtime_calls.n == 1 ? "" : "s", caps,
			caps == 1 ? "y" : "ies", r->run.runtime ? r->run.runtime : "others");
}
