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
 *
 * The return from a signal's handler is never a notification. A signal that comes before we have
 * received a call ends its wait (kernel/seccomp.c should_sleep_killable(); without
 * WAIT_KILLABLE_RECV, before Linux 5.19, also one that comes before our answer), and the call returns
 * EINTR. This one would return to the instruction behind it, where there is no program.
 */
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "compiler/base/bug.h"
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

/* ---- what cannot be held ---- */

static const char *const not_held[] = { "rt_sigreturn", "sigreturn" };

static bool can_hold(const struct call_rule *r)
{
	const struct syscall_info *sys =
		syscall_by_nr(r->arch, r->nr - arch_info(r->arch)->nr_base);

	for (size_t i = 0; sys && i < ARRAY_SIZE(not_held); i++)
		if (!strcmp(sys->name, not_held[i]))
			return false;
	return true;
}

static bool is_answer(struct verdict v)
{
	return verdict_refuses(v) || v.kind == VERDICT_NOTIFY;
}

/* Where no rule of the call matches; false: one always does. */
static bool rest_of(const struct policy *p, enum arch a, uint32_t nr, struct decision_why *why,
		    struct verdict *v)
{
	size_t i, end;

	for (policy_calls_of(p, a, nr, &i, &end); i < end; i++)
		if (!p->calls.v[i].cond)
			return false;
	bool known = policy_knows(p, a, nr);
	*why = (struct decision_why){ known ? BY_DEFAULT : BY_UNKNOWN, NULL, a };
	*v = known ? p->dflt[a] : p->unknown[a];
	return true;
}

/* Is such a call refused, with some arguments? By what? */
static bool find_refusing(const struct policy *p, enum arch a, uint32_t nr,
			  struct decision_why *why, struct verdict *v)
{
	size_t i, end;

	for (policy_calls_of(p, a, nr, &i, &end); i < end; i++) {
		*why = (struct decision_why){ BY_RULE, &p->calls.v[i], a };
		*v = p->calls.v[i].verdict;
		if (is_answer(*v))
			return true;
	}
	return rest_of(p, a, nr, why, v) && is_answer(*v);
}

static void find_not_held(struct arena *a, const struct policy *p, enum arch arch,
			  const struct syscall_info *sys, struct enforce_report *report)
{
	const struct arch_info *info = arch_info(arch);
	struct refusal r = { .arch = arch, .audit_arch = info->audit };

	if (!(p->arches & ARCH_BIT(arch)) || sys->nr[arch] < 0)
		return;
	r.nr = (uint32_t)sys->nr[arch] + info->nr_base;
	if (find_refusing(p, arch, r.nr, &r.why, &r.verdict))
		vec_push(a, &report->not_held, r);
}

void listener_not_held(struct arena *a, const struct policy *p, struct enforce_report *report)
{
	const char *family = arch_info((enum arch)arch_native())->family;

	for (int arch = 0; arch < ARCH_NR; arch++)
		for (size_t i = 0; i < ARRAY_SIZE(not_held); i++)
			if (!strcmp(arch_info((enum arch)arch)->family, family))
				find_not_held(a, p, (enum arch)arch,
					      syscall_by_name(str_c(not_held[i])), report);
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

static void copy_as_is(struct copy *c, const struct call_rule *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		vec_push(c->arena, &c->to->calls, r[i]);
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
		if (!can_hold(r)) {
			copy_as_is(c, r, end - i);
			continue;
		}
		copy_staying(c, r, end - i);
		copy_others(c, r, end - i, !call_before(r, &start));
	}
	push_start(c);
}

static void put_rule(struct policy *q, size_t at, const struct call_rule *r)
{
	struct call_rule *v = q->calls.v;

	memmove(&v[at + 1], &v[at], (q->calls.n - at) * sizeof(*v));
	v[at] = *r;
	q->calls.n++;
}

/* The filter answers as the policy does: by a rule where that is its default, which changes. */
static void keep_answer(struct arena *a, struct policy *q, struct call_rule r)
{
	struct decision_why why;
	size_t first, end, at;

	policy_calls_of(q, r.arch, r.nr, &first, &end);
	if (!rest_of(q, r.arch, r.nr, &why, &r.verdict))
		return;
	if (first < end)
		r.cond = cond_node(a, COND_NOT, any_of(a, &q->calls.v[first], end - first), NULL);
	for (at = first; at < end && q->calls.v[at].verdict.kind <= r.verdict.kind;)
		at++;
	put_rule(q, at, &r);
}

static void let_pass(struct policy *q, struct call_rule r)
{
	struct call_rule *v = q->calls.v;
	size_t first, end;

	policy_calls_of(q, r.arch, r.nr, &first, &end);
	memmove(&v[first], &v[end], (q->calls.n - end) * sizeof(*v));
	q->calls.n -= end - first;
	r.verdict = (struct verdict){ VERDICT_ALLOW, 0 };
	put_rule(q, first, &r);
}

/* The policy with rules for what is not held, as the filter is to answer it. */
static const struct policy *answer_not_held(struct arena *a, const struct policy *p, bool exact)
{
	struct policy *q = arena_dup(a, p, sizeof(*p));
	struct enforce_report refused = { 0 };
	struct origin from = { .span = p->span };

	listener_not_held(a, p, &refused);
	q->calls.cap = p->calls.n + refused.not_held.n;
	q->calls.v = ARENA_ARRAY(a, struct call_rule, q->calls.cap + 1);
	if (p->calls.n)
		memcpy(q->calls.v, p->calls.v, p->calls.n * sizeof(*p->calls.v));
	vec_each(&refused.not_held, k) {
		struct call_rule r = { .arch = k->arch, .nr = k->nr };
		r.sys = syscall_by_nr(k->arch, k->nr - arch_info(k->arch)->nr_base);
		r.origin = arena_dup(a, &from, sizeof(from));
		if (exact)
			keep_answer(a, q, r);
		else
			let_pass(q, r);
	}
	return q;
}

const struct policy *policy_listening(struct arena *a, const struct policy *given, bool exact,
				      const char *path)
{
	const struct policy *p = answer_not_held(a, given, exact);
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
