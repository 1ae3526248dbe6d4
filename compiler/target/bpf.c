/* SPDX-License-Identifier: Apache-2.0 */
/* Classic BPF: generated, proved, measured; a program or several for each machine family. */
#include <stdlib.h>
#include <string.h>

#include "compiler/cbpf/prove.h"
#include "compiler/target/figures.h"
#include "compiler/target/target.h"
#include "compiler/target/weights.h"

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
		weights_read(c, figures_arch(p, family), &w);
		opt.weights = &w;
	}
	if (ds->errors || cbpf_generate_stack(arena, p, &opt, &progs, ds) ||
	    !would_load(ds, p, &progs) ||
	    cbpf_prove(arena, p, progs.v, progs.n, family, &proof, ds))
		return -1;
	const struct figures_of of = { p, family, &progs, &proof, opt.weights };
	add_artifacts(
		c, t, p, &progs, family,
		c->quiet ? "" :
			   arena_printf(arena, "%s%s", figures_tell(arena, &of), target_force(c)));
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
