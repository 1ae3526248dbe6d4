/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/simulator.h"

#include <string.h>

#include "compiler/tell/decided.h"
#include "compiler/tell/loaded.h"
#include "grammar/parse.h"

int simulator_generate(struct session *s, struct simulator *sim)
{
	const char *families[ARCH_NR];
	unsigned n = cbpf_families(sim->policy, families);
	struct cbpf_stack first = { 0 };

	for (unsigned i = 0; i < n; i++) {
		struct cbpf_options opt = { .family = families[i] };
		struct cbpf_stack prog;
		if (cbpf_generate_stack(s->arena, sim->policy, &opt, &prog, s->diags) < 0)
			return -1;
		if (!i)
			first = prog;
		for (int a = 0; a < ARCH_NR; a++) {
			if (strcmp(arch_family((enum arch)a, sim->policy->arches), families[i]))
				continue;
			sim->programs[a] = prog;
			sim->has[a] = true;
		}
	}
	for (int a = 0; a < ARCH_NR; a++)
		if (!sim->has[a])
			sim->programs[a] = first;
	return n ? 0 : -1;
}

/* ---- the specification, where the environment is open ---- */

static struct dd_point point_of(const struct simulator *sim, const struct call *c, enum arch host)
{
	struct environment env = *sim->env;

	env.kernel = env.kernel_known ? env.kernel : tables_level;
	env.host = host;
	return dd_point_of(&env, c);
}

/* The machine that makes calls of this architecture, if it is one as far as the answer goes. */
static bool one_host(const struct simulator *sim, enum arch a, dd_node *n, enum arch *host)
{
	dd_node first = DD_NONE;

	for (int h = 0; h < ARCH_NR; h++) {
		if (sim->env->host_known ? h != (int)sim->env->host : !env_runs((enum arch)h, a))
			continue;
		dd_node here = dd_fix(sim->decide->dd, *n, DD_SYSTEM, 0xff, (uint64_t)h);
		if (first != DD_NONE && here != first)
			return false;
		if (first == DD_NONE || h == (int)a)
			*host = (enum arch)h;
		first = here;
	}
	*n = first;
	return true;
}

/* The file itself, for the place of what asks. */
static const struct oci_profile *profile_of(struct session *s, const struct simulator *sim)
{
	const struct oci_read_options every = { .every_host = true };
	struct oci_profile *p = ARENA_NEW(s->arena, struct oci_profile);

	oci_parse(s->arena, sim->decide->in.json, &every, p);
	return p;
}

/* Where rules hang on what is not known, it must not matter to this call. 0 and *at; or -1, told. */
static int settle_call(struct session *s, const struct simulator *sim, enum arch a,
		       const struct call *c, struct dd_point *at)
{
	struct dd *d = sim->decide->dd;
	dd_node n =
		dd_fix(d, sim->decide->root, DD_CALL, UINT64_MAX, DD_CALL_OF(c->audit_arch, c->nr));
	enum arch host = a;

	for (unsigned i = 0; i < 6; i++)
		n = dd_fix(d, n, (enum dd_field)i, UINT64_MAX, c->args[i]);
	if (!one_host(sim, a, &n, &host))
		return oci_ask_machine(s->diags, profile_of(s, sim), c);
	struct environment env = *sim->env;
	env.host = host;
	unsigned open = oci_open_fields(d, n, &env);
	if (open)
		return oci_ask_environment(s->diags, profile_of(s, sim), c, open);
	*at = point_of(sim, c, host);
	return 0;
}

/* The answer of the file's own meaning; 0, or -1 after saying what is not known. */
static int decide_call(struct session *s, const struct simulator *sim, enum arch a,
		       const struct call *c, struct verdict *v, struct buf *out)
{
	struct dd_point at;
	struct oci_disputed d = { 0 };

	if (settle_call(s, sim, a, c, &at))
		return -1;
	*v = dd_eval_at(sim->decide->dd, sim->decide->root, &at);
	const struct decide_part *part = decide_part_at(sim->decide, &at);
	struct environment env = *sim->env;
	env.host_known = true;
	env.host = (enum arch)(at.at[DD_SYSTEM] & 0xff);
	if (oci_disputed_at(part->disputes, &env, c, &d)) {
		if (!d.known) {
			BUF_AUTO call = { 0 };
			oci_print_call(&call, c->audit_arch, c->nr, c->args);
			struct diag *g = diag_add(
				s->diags, DIAG_PL267, d.second,
				"two entries with different actions match %s, and which decides "
				"depends on libseccomp, which does not say it here",
				call.p);
			diag_note(s->diags, g, d.first, "the other one");
			diag_help(s->diags, g, "make their conditions exclude each other");
			return -1;
		}
		*v = d.says;
	}
	if (out)
		decide_put_why(out, s->sources, sim->decide, &at);
	return 0;
}

/* ---- one call ---- */

int simulator_answer(struct session *s, const struct simulator *sim, enum arch arch,
		     const struct call *c, struct verdict *v, struct buf *out)
{
	struct decision_why why;

	if (sim->decide)
		return decide_call(s, sim, arch, c, v, out);
	if (sim->loaded) {
		if (container_check(s, sim->loaded, c, true))
			return -1;
		*v = container_eval(sim->loaded, c);
		if (out)
			put_loaded(out, s->sources, sim->loaded, c);
		return 0;
	}
	if (sim->as_bpf) {
		*v = verdict_from_ret(cbpf_run_stack(&sim->programs[arch], c, NULL));
		return 0;
	}
	if (!(sim->policy->layers & LAYER_SECCOMP)) {
		*v = (struct verdict){ VERDICT_ALLOW, 0 };
		if (out)
			put_unfiltered(out, s->sources, sim->policy);
		return 0;
	}
	const struct environment any = { .caps_known = true,
					 .kernel_known = true,
					 .kernel = tables_level,
					 .host_known = true,
					 .host = arch };
	*v = policy_eval_in(sim->policy, &any, c, &why);
	if (out)
		put_decided(out, s->sources, sim->policy, &why);
	return 0;
}

enum arch simulator_arch(const struct simulator *sim, const struct ast_call_args *c)
{
	unsigned arches = sim->decide ? sim->decide->arches :
			  sim->policy ? sim->policy->arches :
			  sim->loaded ? sim->loaded->held.model->profile->arches :
					~0u;
	const struct syscall_info *sys = c->by_number ? NULL : syscall_by_name(c->name.text);
	int native = arch_native();

	if (native >= 0 && arches & ARCH_BIT(native) && (!sys || sys->nr[native] >= 0))
		return (enum arch)native;
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a) && (!sys || sys->nr[a] >= 0))
			return (enum arch)a;
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			return (enum arch)a;
	return ARCH_X86_64;
}
