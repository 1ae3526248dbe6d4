/* SPDX-License-Identifier: Apache-2.0 */
/* A profile, or the JSON that a policy compiles to, as an engine and a runtime load it. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/decided.h"
#include "compiler/cmd/sim_loaded.h"

enum { NODE_BUDGET = 1 << 20 };

int sim_loaded_layer(const char *as, const char *runtime, struct oci_runtime *out)
{
	bool crun = !strcmp(as, "docker:crun");
	const char *name = runtime ? runtime : crun ? "crun-1.8+libseccomp-2.5.4" : oci_runtime_default;

	if (!crun && strcmp(as, "docker:runc"))
		return -1;
	if (oci_runtime_parse(str_c(name), out) < 0 || crun != (out->kind == OCI_CRUN))
		return -2;
	return 0;
}

/* A policy's way there is the JSON that compile writes. */
static const struct json *compiled(struct session *s, const struct policy *p,
				   const struct oci_runtime *rt)
{
	struct oci_write_options opt = { .dialect = OCI_DIALECT_DOCKER, .runtime = *rt };
	struct buf text = { 0 };

	if (oci_write(s->arena, p, &opt, &text, s->diags))
		return NULL;
	char *copy = buf_keep(s->arena, &text);
	buf_free(&text);
	struct source *src = source_add(s->sources, arena_printf(s->arena, PRISTR ".docker.json",
								 STRARG(p->name)), str_c(copy));
	return json_parse(s->arena, src, s->diags);
}

int sim_loaded_open(struct session *s, const struct input *in, const struct policy *p,
		    const struct oci_runtime *rt, const struct environment *env, struct sim_loaded *out)
{
	struct oci_load_options opt = { .runtime = *rt, .env = *env };
	int native = arch_native();

	if (!env->host_known) {
		opt.env.host_known = native >= 0;
		opt.env.host = native >= 0 ? (enum arch)native : ARCH_X86_64;
	}
	if (!opt.env.host_known) {
		tell("pale sim: say the machine with --host");
		return EXIT_USAGE;
	}
	const struct json *root = p ? compiled(s, p, rt) : in->json;
	out->dd = dd_new(s->arena, NODE_BUDGET);
	out->env = opt.env;
	if (!root || s->diags->errors || oci_load(s->arena, out->dd, root, &opt, &out->held, s->diags))
		return EXIT_FOUND;
	return EXIT_OK;
}

struct verdict sim_loaded_eval(const struct sim_loaded *l, const struct call *c)
{
	struct dd_point at = oci_point(&l->env, c);

	return dd_eval_at(l->dd, l->held.root, &at);
}

static void put_member(struct buf *out, const struct sources *sources, const struct json *object,
		       const char *key)
{
	const struct json *m = oci_member(object, key);

	put_place(out, sources, m ? m->span : object->span);
	buf_printf(out, ": '%s'", key);
}

void put_loaded(struct buf *out, const struct sources *sources, const struct sim_loaded *l,
		const struct call *c)
{
	const struct oci_model *m = l->held.model;
	struct oci_why why = oci_model_why(m, &l->env, c);
	struct dd_point at = oci_point(&l->env, c);

	if (!verdict_eq(dd_eval_at(l->dd, l->held.root, &at), dd_eval_at(l->dd, m->root, &at))) {
		buf_puts(out, "libseccomp: its filter, which the entries do not say");
		return;
	}
	switch (why.by) {
	case OCI_BY_STUB:
		buf_puts(out, "runc: ENOSYS for numbers above all that the profile names");
		return;
	case OCI_BY_ARCH:
		buf_puts(out, "libseccomp: an architecture that the profile does not list");
		return;
	case OCI_BY_ENTRY:
		put_place(out, sources, why.rule->span);
		buf_printf(out, ": '" PRISTR "'", STRARG(why.rule->handed.n ? why.rule->handed : why.rule->name));
		if (!why.rule->handed.n)
			buf_puts(out, ", with what libseccomp adds for it");
		return;
	case OCI_BY_DEFAULT:
		put_member(out, sources, m->profile->json, "defaultAction");
		return;
	}
	BUG("layer");
}
