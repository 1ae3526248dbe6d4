/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening policy: the same rules with every refusal turned into a notification, so that
 * the listener's filter goes through the one generator and its check. Where the copy says
 * NOTIFY, policy_eval() on the original says what would have happened, and why.
 *
 * Precedence stays: what refuses stood before notify, trace, log and allow, and notify still
 * stands before the last three. In a log copy everything but allow becomes log, `notify` and
 * `trace` too, as there is nobody to ask and nothing is to be refused.
 */
#include "compiler/enforce/confine.h"

static struct verdict soften(struct verdict v, bool for_log)
{
	if (for_log)
		return (struct verdict){ v.kind == VERDICT_ALLOW ? VERDICT_ALLOW : VERDICT_LOG, 0 };
	return verdict_refuses(v) ? (struct verdict){ VERDICT_NOTIFY, 0 } : v;
}

const struct policy *policy_listening(struct arena *a, const struct policy *p, bool for_log)
{
	struct policy *q = arena_dup(a, p, sizeof(*p));

	q->calls.v = arena_dup(a, p->calls.v, p->calls.n * sizeof(*p->calls.v));
	q->calls.cap = q->calls.n;
	vec_each(&q->calls, r)
		r->verdict = soften(r->verdict, for_log);
	for (int i = 0; i < ARCH_NR; i++) {
		q->dflt[i] = soften(q->dflt[i], for_log);
		q->unknown[i] = soften(q->unknown[i], for_log);
	}
	q->foreign = soften(q->foreign, for_log);
	return q;
}
