/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile or a policy lets through, call by call. */
#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

static size_t call_index(const struct syscall_info *s)
{
	size_t lo = 0, hi = syscall_count();

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (syscall_at(mid) == s)
			return mid;
		if (str_cmp(str_c(syscall_at(mid)->name), str_c(s->name)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	BUG("a call that is not in the table");
}

static unsigned arches_with(const struct syscall_info *s, unsigned arches)
{
	unsigned mask = 0;

	for (unsigned a = 0; a < ARCH_NR; a++)
		if (s->nr[a] >= 0)
			mask |= ARCH_BIT(a);
	return mask & arches;
}

const struct call_state *view_call(const struct view *v, const char *name)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));

	return s ? &v->calls[call_index(s)] : NULL;
}

unsigned view_has(const struct view *v, const char *name)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));

	return s ? arches_with(s, v->arches) : 0;
}

int32_t view_highest(const struct view *v, enum arch a)
{
	int32_t max = -1;

	for (size_t i = 0; i < syscall_count(); i++) {
		const struct call_state *c = &v->calls[i];

		/* runc looks at the names alone, whatever their entry says of them. */
		if ((c->some | c->refused | c->limited) & ARCH_BIT(a) && syscall_at(i)->nr[a] > max)
			max = syscall_at(i)->nr[a];
	}
	return max;
}

bool view_refuses(const struct view *v)
{
	return v->has_default && verdict_refuses(v->dflt);
}

/* Where no rule names a call, the default speaks; a rule that refuses a part leaves the rest. */
static void add_default(struct view *v)
{
	bool permits = v->has_default &&
		       (v->dflt.kind == VERDICT_ALLOW || v->dflt.kind == VERDICT_LOG);

	if (!permits)
		return;
	for (size_t i = 0; i < syscall_count(); i++) {
		struct call_state *c = &v->calls[i];
		unsigned here = arches_with(syscall_at(i), v->arches) & ~c->refused;

		c->open |= here & ~(c->limited | c->some);
		c->some |= here;
	}
}

/*
 * libseccomp: of two unconditional rules the first stays, and an unconditional rule swallows
 * those with conditions. An entry that says what the default says is left out by the runtimes.
 */
static void add_state(struct call_state *c, const struct oci_entry *e, unsigned here, bool permits)
{
	bool always = e->always, gated = entry_gated(e);

	if (permits) {
		c->some |= here;
		if (!always)
			c->tested |= here;
		else if (gated)
			c->maybe_open |= here;
		else
			c->open |= here & ~(c->refused | c->maybe_refused);
		return;
	}
	if (e->is_default)
		return;
	if (!always || gated)
		c->limited |= here;
	if (always && gated)
		c->maybe_refused |= here;
	if (always && !gated) {
		c->refused |= here & ~(c->open | c->maybe_open);
		c->refusal = e->verdict;
	}
}

static void add_entry(struct view *v, const struct oci_entry *e)
{
	bool permits = entry_permits(e);

	for (size_t i = 0; i < e->names.n; i++) {
		const struct oci_word *n = &e->names.v[i];
		struct call_state *c;
		unsigned here;

		if (!n->sys)
			continue;
		c = &v->calls[call_index(n->sys)];
		here = arches_with(n->sys, e->arches);
		if (!(c->some | c->refused | c->limited) && here)
			c->span = n->span;
		add_state(c, e, here, permits);
	}
}

struct view *view_of_profile(struct arena *a, const struct oci_profile *p)
{
	struct view *v = ARENA_NEW(a, struct view);

	v->json = true;
	v->arches = p->declared;
	v->arches_written = p->arches_written;
	v->has_default = p->has_default;
	v->dflt = v->unknown = p->dflt;
	v->dflt_span = p->dflt_span;
	v->calls = ARENA_ARRAY(a, struct call_state, syscall_count());
	vec_each(&p->entries, e)
		if (e->readable)
			add_entry(v, e);
	for (size_t i = 0; i < syscall_count(); i++) {
		v->calls[i].tested &= ~(v->calls[i].open | v->calls[i].refused);
		v->calls[i].some &= ~v->calls[i].refused;
	}
	add_default(v);
	return v;
}

static struct span rule_span(const struct call_rule *r)
{
	return r->origin->use.source != SOURCE_NONE ? r->origin->use : r->origin->span;
}

static void add_rule(struct view *v, const struct call_rule *r)
{
	struct call_state *c;
	bool permits = r->verdict.kind == VERDICT_ALLOW || r->verdict.kind == VERDICT_LOG;

	if (!r->sys)
		return;
	c = &v->calls[call_index(r->sys)];
	if (!(c->some | c->refused | c->limited))
		c->span = rule_span(r);
	if (permits) {
		c->some |= ARCH_BIT(r->arch);
		if (r->cond)
			c->tested |= ARCH_BIT(r->arch);
		else
			c->open |= ARCH_BIT(r->arch);
	} else if (r->cond) {
		c->limited |= ARCH_BIT(r->arch);
	} else {
		c->refused |= ARCH_BIT(r->arch);
		/* The rules ask about x86_64, where an errno's number need not be another's. */
		if (r->arch == ARCH_X86_64 || !(c->refused & ARCH_BIT(ARCH_X86_64)))
			c->refusal = r->verdict;
	}
}

struct view *view_of_policy(struct arena *a, const struct policy *p)
{
	struct view *v = ARENA_NEW(a, struct view);

	v->arches = p->arches;
	v->arches_written = true;
	v->has_default = true;
	v->dflt = p->dflt[ARCH_X86_64];
	v->unknown = p->unknown[ARCH_X86_64];
	v->dflt_span = p->span;
	v->calls = ARENA_ARRAY(a, struct call_state, syscall_count());
	vec_each(&p->calls, r)
		add_rule(v, r);
	/* The most restrictive verdict wins here, whatever the order. */
	for (size_t i = 0; i < syscall_count(); i++) {
		struct call_state *c = &v->calls[i];

		c->tested &= ~(c->open | c->refused);
		c->some &= ~c->refused;
		c->open &= ~(c->refused | c->limited);
	}
	add_default(v);
	return v;
}
