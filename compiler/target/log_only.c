/* SPDX-License-Identifier: Apache-2.0 */
/* pale compile --log-refusals and --log-only: what is logged, and what then passes. */
#include "compiler/target/target.h"

void targets_log_refusals(const struct policies *of, struct diags *ds)
{
	for (size_t i = 0; of && i < of->list.n; i++) {
		of->list.v[i]->log_refusals = true;
		policy_check_log(of->list.v[i], ds);
	}
}

/* libseccomp's answer to architectures that its filter does not have is not the profile's to say. */
static void tell_foreign(const struct policy *p, struct diags *ds)
{
	struct diag *d = diag_add(
		ds, DIAG_PL219, policy_header_span(p, AST_HEADER_FOREIGN),
		"calls of architectures that are not listed are killed under JSON all the same");

	diag_help(ds, d, "list those that programs may use in 'arch', or compile to '-t bpf'");
}

/* Limits are set whatever the mode is (security/apparmor/resource.c, __aa_transition_rlimits()). */
static void tell_apparmor(const struct policy *p, struct diags *ds)
{
	if (p->limits.n)
		diag_add(ds, DIAG_PL219, p->limits.v[0].origin->span,
			 "limits are left out: AppArmor sets them in complain mode as well");
	vec_each(&p->files, f) {
		if (!file_rule_denies_exec(f))
			continue;
		diag_add(ds, DIAG_PL219, f->origin->span,
			 "executing what this rule refuses is logged only "
			 "where no other rule allows it");
		return;
	}
}

static void tell_log_only(const struct compilation *c, const struct policy *p)
{
	struct diags *ds = c->diags;
	unsigned set = targets_of(c->targets, p->layers);
	struct diag *d = diag_add(ds, DIAG_PL215, p->span,
				  "what --log-only writes enforces nothing: what policy '" PRISTR
				  "' refuses passes, and is logged",
				  STRARG(p->name));

	diag_help(ds, d, "compile without it before the program meets an attacker");
	if (p->layers & LAYER_SECCOMP && set & targets_how(TARGET_CONTAINER))
		tell_foreign(p, ds);
	if (p->layers & LAYER_APPARMOR && set & targets_in(LAYER_APPARMOR))
		tell_apparmor(p, ds);
}

static void replace(struct arena *a, const struct policies *of)
{
	for (size_t i = 0; of && i < of->list.n; i++)
		of->list.v[i] = policy_logging(a, of->list.v[i]);
}

void targets_log_only(struct compilation *c, const struct policies *of)
{
	for (size_t i = 0; i < of->list.n; i++)
		tell_log_only(c, of->list.v[i]);
	replace(c->diags->arena, of);
	replace(c->diags->arena, c->kept);
}
