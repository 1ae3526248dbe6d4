/* SPDX-License-Identifier: Apache-2.0 */
/* Classic BPF: generated, proved, measured; a program or several for each machine family. */
#include <stdlib.h>
#include <string.h>

#include "compiler/cbpf/prove.h"
#include "compiler/target/target.h"
#include "compiler/target/weights.h"

/* The architecture a family's figures are about: the first that the policy lists. */
static enum arch first_arch(const struct policy *p, const char *family)
{
	unsigned a = 0;

	while (!(p->arches & ARCH_BIT(a)) || strcmp(arch_family((enum arch)a, p->arches), family))
		a++;
	return (enum arch)a;
}

/* ---- figures ---- */

struct figures {
	unsigned calls, most;
	double average, weighted;
	unsigned allowed, cached; /* numbers always allowed; of them, in the kernel's cache */
};

static bool always_allowed(const struct policy *p, const struct call *k)
{
	struct verdict v = policy_eval(p, k, NULL);
	size_t first, end;
	bool certain = p->dflt[0].kind == VERDICT_ALLOW;
	uint32_t nr = k->nr;
	int a = arch_of_call(k->audit_arch, &nr);

	if (v.kind != VERDICT_ALLOW || a < 0)
		return false;
	policy_calls_of(p, (enum arch)a, k->nr, &first, &end);
	for (size_t i = first; i < end; i++) {
		if (p->calls.v[i].cond && p->calls.v[i].verdict.kind != VERDICT_ALLOW)
			return false;
		certain |= !p->calls.v[i].cond && p->calls.v[i].verdict.kind == VERDICT_ALLOW;
	}
	return certain;
}

/* The kernel's cache covers native and compat numbers; x32 has none. */
static bool is_cached(const struct cbpf_stack *progs, uint32_t audit, uint32_t nr)
{
	for (size_t i = 0; i < progs->n; i++)
		if (!cbpf_const_allow(&progs->v[i], audit, nr))
			return false;
	return true;
}

static void measure_arch(const struct policy *p, const struct cbpf_stack *progs, enum arch a,
			 const struct cbpf_weights *w, struct figures *f)
{
	const struct arch_info *info = arch_info(a);
	uint64_t weight = 0;
	bool first = f->calls == 0;
	double sum = 0, weighted = 0;

	for (uint32_t nr = 0; (nr = syscall_next(a, nr)) != UINT32_MAX; nr++) {
		struct call k = { .audit_arch = info->audit, .nr = info->nr_base + nr };
		unsigned steps;
		if (!policy_knows(p, a, k.nr))
			continue;
		cbpf_run_stack(progs, &k, &steps);
		if (first) {
			f->calls++;
			sum += steps;
			weight += w ? w->count[nr] : 0;
			weighted += w ? (double)w->count[nr] * steps : 0;
		}
		if (info->nr_base || !always_allowed(p, &k))
			continue;
		f->allowed++;
		f->cached += is_cached(progs, info->audit, k.nr);
	}
	if (!first || !f->calls)
		return;
	f->average = sum / f->calls;
	f->weighted = weight ? weighted / (double)weight : 0;
}

static const char *tell_figures(struct compilation *c, const struct policy *p,
				const struct cbpf_stack *progs, const char *family,
				const struct cbpf_proof *proof, const struct cbpf_weights *w)
{
	struct figures f = { 0 };
	BUF_AUTO b = { 0 };
	size_t insns = 0;

	for (unsigned a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a) &&
		    !strcmp(arch_family((enum arch)a, p->arches), family))
			measure_arch(p, progs, (enum arch)a, w, &f);
	for (size_t i = 0; i < progs->n; i++) {
		f.most += cbpf_longest(&progs->v[i]);
		insns += progs->v[i].n;
	}
	buf_printf(&b, "%zu bytes, ", progs->v[0].n * sizeof(*progs->v[0].insns));
	if (progs->n > 1)
		buf_printf(&b, "first of %zu programs, %zu instructions in all", progs->n, insns);
	else
		buf_printf(&b, "%zu instructions", insns);
	buf_printf(&b, "; executed per call: %.2f on average over %u known %s calls, %u at most",
		   f.average, f.calls, arch_info(first_arch(p, family))->name, f.most);
	if (w)
		buf_printf(&b, ", %.2f on the trace", f.weighted);
	buf_printf(&b, "; proved for all calls (%zu nodes); cacheable: %u of %u always allowed%s",
		   proof->nodes, f.cached, f.allowed, target_force(c));
	return buf_keep(c->diags->arena, &b);
}

/* ---- one family ---- */

#ifdef PALE_PLANT
static unsigned planted_bug(void)
{
	const char *n = getenv("PALE_PLANT");

	return n ? (unsigned)strtoul(n, NULL, 10) : 0;
}
#else
static unsigned planted_bug(void)
{
	return 0;
}
#endif

static bool would_load(struct diags *ds, const struct policy *p, const struct cbpf_stack *progs)
{
	for (size_t i = 0; i < progs->n; i++) {
		size_t at;
		const char *why = cbpf_check(progs->v[i].insns, progs->v[i].n, &at);
		if (!why)
			continue;
		diag_add(ds, DIAG_PL205, p->span,
			 "the generated program would not load: instruction %zu: %s", at, why);
		return false;
	}
	return true;
}

/* NAME.x86_64.bpf; where one program is not enough, NAME.x86_64.2.bpf and so on beside it. */
static void add_artifacts(struct compilation *c, const struct target *t, const struct policy *p,
			  const struct cbpf_stack *progs, const char *family, const char *about)
{
	struct arena *arena = c->diags->arena;

	for (size_t i = 0; i < progs->n; i++) {
		struct artifact a = { .target = t, .about = about, .is_part = i > 0 };
		a.name = arena_printf(arena, "%s.%s.%s", target_name(c, p), family, t->suffix);
		if (i) {
			a.name = arena_printf(arena, "%s.%s.%zu.%s", target_name(c, p), family,
					      i + 1, t->suffix);
			a.about = arena_printf(arena,
					       "%zu bytes, %zu instructions; to be attached "
					       "together with the first",
					       progs->v[i].n * sizeof(*progs->v[i].insns),
					       progs->v[i].n);
		}
		cbpf_write(&progs->v[i], &a.bytes);
		vec_push(arena, &c->artifacts, a);
	}
}

static int compile_family(struct compilation *c, const struct target *t, const struct policy *p,
			  const char *family)
{
	struct arena *arena = c->diags->arena;
	struct diags *ds = c->diags;
	struct cbpf_options opt = { .family = family, .plant = planted_bug() };
	struct cbpf_weights w;
	struct cbpf_stack progs;
	struct cbpf_proof proof;

	if (c->weights) {
		weights_read(c, first_arch(p, family), &w);
		opt.weights = &w;
	}
	if (ds->errors || cbpf_generate_stack(arena, p, &opt, &progs, ds) ||
	    !would_load(ds, p, &progs) ||
	    cbpf_prove(arena, p, progs.v, progs.n, family, &proof, ds))
		return -1;
	add_artifacts(c, t, p, &progs, family,
		      tell_figures(c, p, &progs, family, &proof, opt.weights));
	return 0;
}

/* Flags are an argument of seccomp(2), beside the program. */
static void tell_log(struct compilation *c, const struct policy *p)
{
	struct diag *d = diag_add(c->diags, DIAG_PL214, policy_header_span(p, AST_HEADER_LOG),
				  "a BPF program cannot say that refusals are logged");

	diag_help(c->diags, d, "whoever loads it sets SECCOMP_FILTER_FLAG_LOG, as 'pale run' does");
}

int target_bpf_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	const char *families[ARCH_NR];
	unsigned n = cbpf_families(p, families);

	if (p->log_refusals)
		tell_log(c, p);
	for (unsigned i = 0; i < n; i++)
		if (compile_family(c, t, p, families[i]))
			return -1;
	return 0;
}

/* ---- asking: the kernel's checks, and the proof ---- */

static bool is_taken(struct diags *ds, const struct policy *p, const struct cbpf *prog)
{
	size_t at = 0;
	const char *why = cbpf_check(prog->insns, prog->n, &at);

	if (why)
		diag_add(ds, DIAG_PL143, p->span, "the kernel would refuse instruction %zu: %s", at,
			 why);
	return !why;
}

static bool ask(struct target_check *c, const struct policy *p, const char *family,
		struct cbpf_stack *progs)
{
	struct arena *a = c->diags->arena;
	struct cbpf_options opt = { .family = family };
	struct cbpf_proof proof;
	bool ok = !cbpf_generate_stack(a, p, &opt, progs, c->diags);

	for (size_t i = 0; ok && i < progs->n; i++)
		ok = is_taken(c->diags, p, &progs->v[i]);
	return ok && !cbpf_prove(a, p, progs->v, progs->n, family, &proof, c->diags);
}

static const char *size_of(struct arena *a, const struct cbpf_stack *progs)
{
	size_t insns = 0;

	for (size_t i = 0; i < progs->n; i++)
		insns += progs->v[i].n;
	if (progs->n > 1)
		return arena_printf(a, "%zu instructions in %zu programs, proved for all calls",
				    insns, progs->n);
	return arena_printf(a, "%zu instructions, proved for all calls", insns);
}

void target_bpf_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	struct arena *a = c->diags->arena;
	const char *families[ARCH_NR];
	unsigned n = cbpf_families(p, families);

	for (unsigned i = 0; i < n; i++) {
		struct cbpf_stack progs = { 0 };
		bool ok = ask(c, p, families[i], &progs);
		target_answer(c, arena_printf(a, "%s %s", t->name, families[i]),
			      ok ? TARGET_TAKES : TARGET_REFUSES, ok ? size_of(a, &progs) : "");
	}
}
