/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification: what a policy answers, by walking its rules. Nothing here is clever, and
 * nothing here is shared with a generator; every generated program is compared with this.
 */
#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"

#define X32_BIT 0x40000000u

static inline uint64_t low_bits(uint64_t v, unsigned width)
{
	return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

static inline int64_t sign_extend(uint64_t v, unsigned width)
{
	uint64_t sign = UINT64_C(1) << (width - 1);

	return (int64_t)((low_bits(v, width) ^ sign) - sign);
}

static inline int order(const struct cmp *c, uint64_t arg)
{
	uint64_t x = low_bits(arg, c->width) & c->mask;

	if (c->is_signed) {
		int64_t a = sign_extend(x, c->width), b = sign_extend(c->value, c->width);
		return (a > b) - (a < b);
	}
	return (x > c->value) - (x < c->value);
}

static inline bool cmp_eval(const struct cmp *c, uint64_t arg)
{
	if (c->op == CMP_EQ && !c->is_signed) /* most are */
		return (low_bits(arg, c->width) & c->mask) == c->value;
	int o = order(c, arg);

	switch (c->op) {
	case CMP_EQ: return o == 0;
	case CMP_NE: return o != 0;
	case CMP_LT: return o < 0;
	case CMP_LE: return o <= 0;
	case CMP_GT: return o > 0;
	case CMP_GE: return o >= 0;
	case CMP_OP_NR: break;
	}
	BUG("cmp_op");
}

bool cond_eval(const struct cond *c, const uint64_t args[6])
{
	if (!c)
		return true;
	switch (c->kind) {
	case COND_CMP: return cmp_eval(&c->cmp, args[c->cmp.arg]);
	case COND_AND: return cond_eval(c->left, args) && cond_eval(c->right, args);
	case COND_OR: return cond_eval(c->left, args) || cond_eval(c->right, args);
	case COND_NOT: return !cond_eval(c->left, args);
	}
	BUG("cond_kind");
}

/* What rules are sorted by. */
static uint64_t place_of(enum arch a, uint64_t nr)
{
	return ((uint64_t)a << 33) + nr;
}

static bool rule_before(const struct call_rule *r, enum arch a, uint64_t nr)
{
	return place_of(r->arch, r->nr) < place_of(a, nr);
}

/* The first rule of lo..hi that is not on a number before this one; hi: none is. */
static size_t first_from(const struct policy *p, size_t lo, size_t hi, enum arch a, uint64_t nr)
{
	const struct call_rule *v = p->calls.v;
	size_t n = hi - lo;

	/* Half of what is left each time, without a branch that nobody could foretell. */
	while (n > 0) {
		size_t half = n / 2;
		bool before = rule_before(&v[lo + half], a, nr);
		lo = before ? lo + half + 1 : lo;
		n = before ? n - half - 1 : half;
	}
	return lo;
}

/* The same, likely near lo: most numbers have few rules, and some thousands. */
static size_t first_near(const struct policy *p, size_t lo, enum arch a, uint64_t nr)
{
	size_t n = p->calls.n, hi = lo, step = 1;

	while (hi < n && rule_before(&p->calls.v[hi], a, nr)) {
		lo = hi + 1;
		hi = step < n - hi ? hi + step : n;
		step *= 2;
	}
	return first_from(p, lo, hi, a, nr);
}

void policy_calls_of(const struct policy *p, enum arch a, uint32_t nr, size_t *first, size_t *end)
{
	*first = first_from(p, 0, p->calls.n, a, nr);
	*end = first_near(p, *first, a, (uint64_t)nr + 1);
}

void policy_calls_from(const struct policy *p, size_t from, enum arch a, uint32_t nr, size_t *first,
		       size_t *end)
{
	*first = first_near(p, from, a, nr);
	*end = first_near(p, *first, a, (uint64_t)nr + 1);
}

bool policy_knows(const struct policy *p, enum arch a, uint32_t nr)
{
	uint32_t base = arch_info(a)->nr_base;

	if (nr < base)
		return false;
	const struct syscall_info *s = syscall_by_nr(a, nr - base);
	return s && s->since[a] <= p->level;
}

/* -1: a call that none of the listed architectures decides. */
static int deciding_arch(const struct policy *p, const struct call *c)
{
	for (int a = 0; a < ARCH_NR; a++) {
		if (!(p->arches & ARCH_BIT(a)) || arch_info((enum arch)a)->audit != c->audit_arch)
			continue;
		/* x32 shares x86_64's AUDIT_ARCH and is told from it by bit 30 and above. */
		if (a == ARCH_X86_64 && c->nr >= X32_BIT)
			continue;
		if (a == ARCH_X32 && c->nr < X32_BIT)
			continue;
		return a;
	}
	return -1;
}

static bool audit_listed(const struct policy *p, uint32_t audit)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a) && arch_info((enum arch)a)->audit == audit)
			return true;
	return false;
}

static struct verdict decided(struct decision_why *why, enum decided_by by,
			      const struct call_rule *rule, struct verdict v)
{
	if (why)
		*why = (struct decision_why){ .by = by, .rule = rule };
	return v;
}

static struct verdict decided_on(struct decision_why *why, enum decided_by by, enum arch a,
				 const struct call_rule *rule, struct verdict v)
{
	if (why)
		*why = (struct decision_why){ by, rule, a };
	return v;
}

static bool rule_matches(const struct call_rule *r, const struct environment *env,
			 const struct call *c)
{
	/* Thousands of rules compare once each: that is done here, without a call. */
	bool holds = r->cond && r->cond->kind == COND_CMP ?
			     cmp_eval(&r->cond->cmp, c->args[r->cond->cmp.arg]) :
			     cond_eval(r->cond, c->args);

	if (!holds)
		return false;
	BUG_ON(r->env && !env);
	return env_holds(r->env, env);
}

struct verdict policy_eval(const struct policy *p, const struct call *c, struct decision_why *why)
{
	return policy_eval_in(p, NULL, c, why);
}

struct verdict policy_eval_in(const struct policy *p, const struct environment *env,
			      const struct call *c, struct decision_why *why)
{
	if (!audit_listed(p, c->audit_arch))
		return decided(why, BY_FOREIGN, NULL, p->foreign);
	/* Tracers set -1 to skip a call that was already decided. */
	if (c->nr == UINT32_MAX)
		return decided(why, BY_TRACER_SKIP, NULL, (struct verdict){ VERDICT_ALLOW, 0 });
	int arch = deciding_arch(p, c);
	if (arch < 0)
		return decided(why, BY_FOREIGN, NULL, p->foreign);

	const struct call_rule *best = NULL;
	size_t i, end;
	policy_calls_of(p, (enum arch)arch, c->nr, &i, &end);
	for (; i < end; i++) {
		const struct call_rule *r = &p->calls.v[i];
		if ((!best || r->verdict.kind < best->verdict.kind) && rule_matches(r, env, c))
			best = r;
	}
	if (best)
		return decided_on(why, BY_RULE, (enum arch)arch, best, best->verdict);
	if (policy_knows(p, (enum arch)arch, c->nr))
		return decided_on(why, BY_DEFAULT, (enum arch)arch, NULL, p->dflt[arch]);
	return decided_on(why, BY_UNKNOWN, (enum arch)arch, NULL, p->unknown[arch]);
}

bool policy_one_verdict(const struct policy *p, const struct verdict v[ARCH_NR],
			struct verdict *out, enum arch *other)
{
	int first = -1;

	*out = v[0];
	for (int a = 0; a < ARCH_NR; a++) {
		if (!(p->arches & ARCH_BIT(a)))
			continue;
		if (first < 0)
			*out = v[first = a];
		if (verdict_eq(v[a], *out))
			continue;
		*other = (enum arch)a;
		return false;
	}
	return true;
}

bool policy_refuses(const struct policy *p, enum arch a, const struct call *c)
{
	struct verdict otherwise = policy_knows(p, a, c->nr) ? p->dflt[a] : p->unknown[a];
	size_t i, end;

	policy_calls_of(p, a, c->nr, &i, &end);
	for (; i < end; i++) {
		const struct call_rule *r = &p->calls.v[i];
		if (!cond_eval(r->cond, c->args))
			continue;
		/* The refusing ones come first. */
		if (!verdict_refuses(r->verdict))
			return false;
		if (!r->env)
			return true;
	}
	return verdict_refuses(otherwise);
}
