/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same policy with every refusal turned into a log line, for finding out what it would
 * refuse. Precedence stays: what refuses stood before log and allow, and log still stands before
 * allow. `notify` and `trace` become log too, as there is nobody to ask and nothing is to be
 * refused.
 */
#include "compiler/policy/policy.h"

static struct verdict log_of(struct verdict v)
{
	return (struct verdict){ v.kind == VERDICT_ALLOW ? VERDICT_ALLOW : VERDICT_LOG, 0 };
}

/* What is refused without a word passes without one. */
static enum rule_action action_of(enum rule_action action)
{
	switch (action) {
	case RULE_DENY: return RULE_LOG;
	case RULE_QUIET_DENY: return RULE_ALLOW;
	case RULE_ALLOW:
	case RULE_LOG: break;
	}
	return action;
}

bool file_rule_denies_exec(const struct file_rule *f)
{
	return f->perms & PERM_X && (f->action == RULE_DENY || f->action == RULE_QUIET_DENY);
}

/* A denied execution has no way to execute: what no rule speaks of is logged in any case. */
static void copy_files(struct arena *a, struct policy *to, const struct policy *from)
{
	to->files.v = NULL;
	to->files.n = to->files.cap = 0;
	vec_each(&from->files, f) {
		struct file_rule now = *f;

		if (file_rule_denies_exec(f)) {
			now.perms &= ~(unsigned)PERM_X;
			now.exec[0] = '\0';
		}
		now.action = action_of(f->action);
		if (now.perms)
			vec_push(a, &to->files, now);
	}
}

static void copy_others(struct arena *a, struct policy *to, const struct policy *from)
{
	to->others.v = NULL;
	to->others.n = to->others.cap = 0;
	vec_each(&from->others, rule) {
		struct aa_rule *now = arena_dup(a, *rule, sizeof(**rule));

		now->prefix.mode = AA_MODE_ALLOW; /* `audit` stays: a denial that is logged */
		vec_push(a, &to->others, now);
	}
}

#define COPY_RULES(a, list)                                                                        \
	do {                                                                                       \
		(list)->v = arena_dup((a), (list)->v, (list)->n * sizeof(*(list)->v));             \
		(list)->cap = (list)->n;                                                           \
		vec_each((list), rule_)                                                            \
			rule_->action = action_of(rule_->action);                                  \
	} while (0)

struct policy *policy_logging(struct arena *a, const struct policy *p)
{
	struct policy *q = arena_dup(a, p, sizeof(*p));

	q->calls.v = arena_dup(a, p->calls.v, p->calls.n * sizeof(*p->calls.v));
	q->calls.cap = q->calls.n;
	vec_each(&q->calls, r)
		r->verdict = log_of(r->verdict);
	for (int i = 0; i < ARCH_NR; i++) {
		q->dflt[i] = log_of(q->dflt[i]);
		q->unknown[i] = log_of(q->unknown[i]);
	}
	q->foreign = log_of(q->foreign);
	q->log_refusals = false; /* there are none, and LOG is logged unasked */
	copy_files(a, q, p);
	COPY_RULES(a, &q->caps);
	COPY_RULES(a, &q->networks);
	COPY_RULES(a, &q->signals);
	copy_others(a, q, p);
	q->limits.v = NULL;
	q->limits.n = q->limits.cap = 0;
	return q;
}
