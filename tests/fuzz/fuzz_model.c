/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a profile: read as a container runtime reads it, on some host, for runc and for
 * crun, into the model of what the kernel then holds. At calls made of the input the model
 * answers what its own walk over the entries says (oci_model_why()). The profile read as a policy
 * prints to a text that parses.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/runtime/runtime.h"
#include "grammar/parse.h"
#include "grammar/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NODES = 1 << 14, CALLS = 24 };

struct input {
	struct arena *arena;
	struct sources *sources;
	struct source *src;
	const struct json *root;
	uint64_t random;
};

static uint64_t next(struct input *in)
{
	in->random = in->random * 6364136223846793005u + 1442695040888963407u;
	return in->random >> 16;
}

static uint64_t some_value(struct input *in, const struct oci_profile *p)
{
	uint64_t r = next(in);

	if (!p->rules.n || r % 4 == 0)
		return r % 8 ? next(in) % 4 : next(in) << 32 | next(in);
	const struct oci_rule *rule = &p->rules.v[next(in) % p->rules.n];
	if (!rule->nargs)
		return next(in) % 4;
	const struct oci_arg *arg = &rule->args[next(in) % rule->nargs];
	return arg->value + (r / 4) % 3 - 1 + (r & 64 ? ~arg->mask & next(in) : 0);
}

static void some_call(struct input *in, const struct oci_profile *p, struct call *c)
{
	const struct arch_info *info = arch_info((enum arch)(next(in) % ARCH_NR));
	const struct syscall_info *sys = NULL;

	*c = (struct call){ info->audit, info->nr_base + (uint32_t)next(in) % 600, { 0 } };
	if (p->rules.n && next(in) % 4)
		sys = syscall_by_name(p->rules.v[next(in) % p->rules.n].name);
	for (int a = 0; sys && a < ARCH_NR; a++)
		if (arch_info((enum arch)a) == info && sys->nr[a] >= 0)
			c->nr = info->nr_base + (uint32_t)sys->nr[a];
	for (unsigned i = 0; i < 6; i++)
		c->args[i] = some_value(in, p);
}

/* What the walk says it is; entries that contradict each other say nothing. */
static void check_call(const struct oci_model *m, const struct environment *env,
		       const struct call *c)
{
	struct dd_point at = dd_point_of(env, c);
	struct verdict got = dd_eval_at(m->dd, m->root, &at), want = m->profile->dflt;
	dd_node open = m->undefined;

	for (int f = 0; f < DD_FIELDS; f++)
		open = dd_fix(m->dd, open, (enum dd_field)f, UINT64_MAX, at.at[f]);
	if (open != DD_FALSE)
		return;
	struct oci_why why = oci_model_why(m, env, c);
	switch (why.by) {
	case OCI_BY_STUB: BUG_ON(got.kind != VERDICT_ERRNO); return;
	case OCI_BY_ARCH: BUG_ON(got.kind != VERDICT_KILL_THREAD); return;
	case OCI_BY_ENTRY: want = m->profile->entries.v[why.rule->entry].verdict; break;
	case OCI_BY_DEFAULT: break;
	}
	BUG_ON(verdict_to_ret(got) != verdict_to_ret(want));
}

static void check_model(struct input *in, enum arch host, bool crun)
{
	struct oci_runtime rt;
	struct diags *ds = diags_new(in->arena, in->sources);
	struct oci_read_options opt = { .host_known = true, .host = host, .docker = true };
	struct oci_profile *p = ARENA_NEW(in->arena, struct oci_profile);
	struct oci_model m;

	BUG_ON(oci_runtime_parse(crun ? STR("crun-1.8+libseccomp-2.5.4") :
					STR("runc-1.1+libseccomp-2.5.4"),
				 -1, &rt));
	opt.runtime = &rt;
	oci_parse(in->arena, in->root, &opt, p);
	if (!oci_report(p, NULL, ds)) {
		BUG_ON(!ds->errors);
		return;
	}
	if (!p->has_default || oci_refused(in->arena, p, NULL, NULL, ds))
		return;
	if (oci_model_build(in->arena, dd_new(in->arena, NODES), p, &rt, host, &m))
		return;
	for (unsigned i = 0; i < CALLS; i++) {
		struct environment env = { .caps_known = true,
					   .caps = next(in) % 3 ? next(in) : 0,
					   .kernel_known = true,
					   .kernel = (uint16_t)(next(in) % 0x700),
					   .host_known = true,
					   .host = host };
		struct call c;
		some_call(in, p, &c);
		check_call(&m, &env, &c);
	}
}

static void check_policy(struct input *in, const struct oci_read_options *opt)
{
	struct diags *ds = diags_new(in->arena, in->sources);
	struct ast_file *file = oci_read(in->arena, in->root, in->src, opt, NULL, ds);
	struct resolve_options keep = { .keep_when = true, .foreign = true };
	BUF_AUTO text = { 0 };

	BUG_ON(!file && !ds->errors);
	if (!file)
		return;
	ast_print(&text, file);
	ds = diags_new(in->arena, in->sources);
	struct source *src = source_add(in->sources, "again", (struct str){ text.p, text.n });
	file = pale_parse_source(in->arena, src, ds);
	BUG_ON(ds->errors);
	policy_resolve(in->arena, file, &keep, ds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct input in = { .arena = a, .sources = sources_new(a), .random = size };
	struct diags *ds = diags_new(a, in.sources);

	for (size_t i = 0; i < size; i++)
		in.random = (in.random ^ data[i]) * UINT64_C(1099511628211);
	in.src = source_add(in.sources, "fuzz", (struct str){ (const char *)data, size });
	in.root = json_parse(a, in.src, ds);
	if (in.root && !ds->errors && oci_profile_object(in.root)) {
		enum arch host = in.random % 2 ? ARCH_X86_64 : (enum arch)(next(&in) % ARCH_NR);
		if (host == ARCH_X32) /* no kernel's own */
			host = ARCH_X86_64;
		struct oci_read_options every = { .every_host = true, .unasked = true };
		struct oci_read_options one = { .host_known = true, .host = host, .unasked = true };
		check_model(&in, host, next(&in) % 2);
		check_policy(&in, &every);
		check_policy(&in, &one);
	}
	arena_free(a);
	return 0;
}
