/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/figures.h"

#include <string.h>

#include "compiler/decision/decision.h"

struct mean {
	unsigned calls;
	double steps;                      /* in all */
	double traced_calls, traced_steps; /* each as often as the trace has it */
};

struct figures {
	struct mean all, uncached; /* of the first architecture */
	unsigned allowed, cached;  /* numbers always allowed; of them, in the kernel's cache */
};

static bool in_family(const struct policy *p, unsigned a, const char *family)
{
	return p->arches & ARCH_BIT(a) && !strcmp(arch_family((enum arch)a, p->arches), family);
}

enum arch figures_arch(const struct policy *p, const char *family)
{
	unsigned a = 0;

	while (!in_family(p, a, family))
		a++;
	return (enum arch)a;
}

static bool always_allowed(const struct decision *d, enum arch a, uint32_t nr)
{
	struct verdict v;

	return dd_is_terminal(d->dd, decision_node(d, a, nr), &v) && v.kind == VERDICT_ALLOW;
}

/* By any kernel that has a cache: all the programs must let it. */
static bool can_cache(const struct cbpf_stack *progs, uint32_t audit, uint32_t nr)
{
	for (size_t i = 0; i < progs->n; i++)
		if (!cbpf_const_allow(&progs->v[i], audit, nr))
			return false;
	return true;
}

static void add_call(struct mean *m, unsigned steps, uint64_t traced)
{
	m->calls++;
	m->steps += steps;
	m->traced_calls += (double)traced;
	m->traced_steps += (double)traced * steps;
}

static void measure_call(const struct figures_of *f, enum arch a, uint32_t nr, struct figures *out)
{
	const struct arch_info *info = arch_info(a);
	const struct cbpf_weights *w = f->weights;
	struct call k = { .audit_arch = info->audit, .nr = info->nr_base + nr };
	bool can = can_cache(f->progs, info->audit, k.nr);
	unsigned steps;

	/* The cache has native and compat numbers; x32 is in none. */
	if (!info->nr_base && always_allowed(f->proof->decision, a, k.nr)) {
		out->allowed++;
		out->cached += can;
	}
	if (a != figures_arch(f->policy, f->family))
		return;
	cbpf_run_stack(f->progs, &k, &steps);
	add_call(&out->all, steps, w ? w->count[nr] : 0);
	if (!can || !arch_caches(a, f->policy->kernel))
		add_call(&out->uncached, steps, w ? w->count[nr] : 0);
}

static void measure(const struct figures_of *f, struct figures *out)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		for (uint32_t nr = 0; in_family(f->policy, a, f->family) &&
				      (nr = syscall_next((enum arch)a, nr)) != UINT32_MAX;
		     nr++)
			if (policy_knows(f->policy, (enum arch)a,
					 arch_info((enum arch)a)->nr_base + nr))
				measure_call(f, (enum arch)a, nr, out);
}

static void print_traced(struct buf *b, const struct figures_of *f, const struct mean *m)
{
	if (f->weights && m->traced_calls > 0)
		buf_printf(b, ", %.2f on the trace", m->traced_steps / m->traced_calls);
	else if (f->weights)
		buf_puts(b, ", none of them on the trace");
}

static void print_executed(struct buf *b, const struct figures_of *f, const struct figures *is)
{
	enum arch first = figures_arch(f->policy, f->family);
	unsigned most = 0;

	for (size_t i = 0; i < f->progs->n; i++)
		most += cbpf_longest(&f->progs->v[i]);
	buf_printf(b, "executed per call: %.2f on average over %u known %s calls, %u at most",
		   is->all.calls ? is->all.steps / is->all.calls : 0, is->all.calls,
		   arch_info(first)->name, most);
	print_traced(b, f, &is->all);
	if (!arch_caches(first, f->policy->kernel))
		return;
	buf_puts(b, "; executed per uncached call: ");
	if (!is->uncached.calls) {
		buf_puts(b, "there is none");
		return;
	}
	buf_printf(b, "%.2f on average over %u", is->uncached.steps / is->uncached.calls,
		   is->uncached.calls);
	print_traced(b, f, &is->uncached);
}

const char *figures_tell(struct arena *a, const struct figures_of *f)
{
	const struct cbpf_stack *progs = f->progs;
	struct figures is = { .allowed = 0 };
	BUF_AUTO b = { 0 };
	size_t insns = 0;

	measure(f, &is);
	for (size_t i = 0; i < progs->n; i++)
		insns += progs->v[i].n;
	buf_printf(&b, "%zu bytes, ", progs->v[0].n * sizeof(*progs->v[0].insns));
	if (progs->n > 1)
		buf_printf(&b, "first of %zu programs, %zu instructions in all; ", progs->n, insns);
	else
		buf_printf(&b, "%zu instructions; ", insns);
	print_executed(&b, f, &is);
	buf_printf(&b, "; proved for all calls (%zu nodes); cacheable: %u of %u always allowed",
		   f->proof->nodes, is.cached, is.allowed);
	return buf_keep(a, &b);
}
