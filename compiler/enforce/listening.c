/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies that --verify and --count load in place of the one given: the same rules with every
 * refusal turned into a notification (--log-only: policy/logging.c), so that their filters go
 * through the one generator and its check. Where the copy says NOTIFY, policy_eval() on the original
 * says what would have happened, and why.
 *
 * Precedence stays: what refuses stood before notify, trace, log and allow, and notify still
 * stands before the last three.
 *
 * A listening copy may keep `kill-thread` and `trap` as they are, and these come before notify,
 * while `kill`, a notification in the copy, came before them: their conditions then leave out
 * what `kill` matches.
 */
#include <stdint.h>
#include <sys/syscall.h>

#include "compiler/enforce/confine.h"

bool listener_can_answer(struct verdict v)
{
	return v.kind != VERDICT_KILL_THREAD && v.kind != VERDICT_TRAP;
}

static struct verdict notify_of(struct verdict v, bool exact)
{
	bool answered = verdict_refuses(v) && (!exact || listener_can_answer(v));

	return answered ? (struct verdict){ VERDICT_NOTIFY, 0 } : v;
}

static const struct cond *cond_node(struct arena *a, enum cond_kind kind, const struct cond *left,
				    const struct cond *right)
{
	struct cond c = { .kind = kind, .left = left, .right = right };

	return arena_dup(a, &c, sizeof(c));
}

/* "One of these rules matches", as deep as it must be; a rule without a condition is none of them. */
static const struct cond *any_of(struct arena *a, const struct call_rule *r, size_t n)
{
	return n == 1 ? r->cond :
			cond_node(a, COND_OR, any_of(a, r, n / 2), any_of(a, r + n / 2, n - n / 2));
}

struct copy {
	struct arena *arena;
	struct policy *to;
	bool exact;
	const struct call_rule *start; /* the command's own; NULL once it is in */
};

static bool stays(const struct copy *c, const struct call_rule *r)
{
	return c->exact && !listener_can_answer(r->verdict);
}

/* Of one call's n rules those that stay, but for what `kill` matches: rules come sorted by
 * verdict, so those of `kill` are the first. */
static void copy_staying(struct copy *c, const struct call_rule *r, size_t n)
{
	const struct cond *spared = NULL;
	size_t kills = 0;

	for (; kills < n && r[kills].verdict.kind == VERDICT_KILL_PROCESS; kills++)
		if (!r[kills].cond)
			return; /* nothing else is left to match */
	if (kills)
		spared = cond_node(c->arena, COND_NOT, any_of(c->arena, r, kills), NULL);
	for (size_t i = kills; i < n; i++) {
		struct call_rule now = r[i];

		if (!stays(c, &now))
			continue;
		if (spared)
			now.cond =
				now.cond ? cond_node(c->arena, COND_AND, now.cond, spared) : spared;
		vec_push(c->arena, &c->to->calls, now);
	}
}

static void push_start(struct copy *c)
{
	if (c->start)
		vec_push(c->arena, &c->to->calls, *c->start);
	c->start = NULL;
}

/* The others, with the command's own start where this is its call: sorted by verdict again. */
static void copy_others(struct copy *c, const struct call_rule *r, size_t n, bool starts)
{
	for (size_t i = 0; i < n; i++) {
		struct call_rule now = r[i];

		if (stays(c, &now))
			continue;
		now.verdict = notify_of(now.verdict, c->exact);
		if (starts && now.verdict.kind > VERDICT_NOTIFY)
			push_start(c);
		vec_push(c->arena, &c->to->calls, now);
	}
	if (starts)
		push_start(c);
}

static struct call_rule start_rule(struct arena *a, const struct policy *p, const char *path)
{
	enum arch native = (enum arch)arch_native();
	struct cond at = { .kind = COND_CMP,
			   .cmp = { .arg = 0,
				    .width = 64,
				    .op = CMP_EQ,
				    .mask = UINT64_MAX,
				    .value = (uintptr_t)path } };
	struct origin from = { .span = p->span };

	return (struct call_rule){ .arch = native,
				   .nr = SYS_execve,
				   .sys = syscall_by_nr(native,
							SYS_execve - arch_info(native)->nr_base),
				   .verdict = { VERDICT_NOTIFY, 0 },
				   .cond = arena_dup(a, &at, sizeof(at)),
				   .origin = arena_dup(a, &from, sizeof(from)) };
}

/* Is x's call before y's in the order of rules? */
static bool call_before(const struct call_rule *x, const struct call_rule *y)
{
	return x->arch != y->arch ? x->arch < y->arch : x->nr < y->nr;
}

static void copy_calls(struct copy *c, const struct policy *p)
{
	struct call_rule start = *c->start;

	for (size_t i = 0, end; i < p->calls.n; i = end) {
		const struct call_rule *r = &p->calls.v[i];

		for (end = i + 1; end < p->calls.n && !call_before(r, &p->calls.v[end]); end++)
			;
		if (call_before(&start, r))
			push_start(c);
		copy_staying(c, r, end - i);
		copy_others(c, r, end - i, !call_before(r, &start));
	}
	push_start(c);
}

const struct policy *policy_listening(struct arena *a, const struct policy *p, bool exact,
				      const char *path)
{
	struct policy *q = arena_dup(a, p, sizeof(*p));
	struct call_rule start = start_rule(a, p, path);
	struct copy c = { .arena = a, .to = q, .exact = exact, .start = &start };

	q->calls.v = NULL;
	q->calls.n = q->calls.cap = 0;
	copy_calls(&c, p);
	for (int i = 0; i < ARCH_NR; i++) {
		q->dflt[i] = notify_of(q->dflt[i], exact);
		q->unknown[i] = notify_of(q->unknown[i], exact);
	}
	q->foreign = notify_of(q->foreign, exact);
	return q;
}
