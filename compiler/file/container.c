/* SPDX-License-Identifier: Apache-2.0 */
/* A profile, or the JSON that a policy compiles to, as an engine and a runtime load it. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/file/container.h"
#include "compiler/oci/runtime/library.h"
#include "compiler/oci/write/write.h"

enum { NODE_BUDGET = 1 << 20 };

/* A policy's way there is the JSON that compile writes. */
static const struct json *compiled(struct session *s, const struct policy *p,
				   const struct oci_runtime *rt)
{
	struct oci_write_options opt = { .dialect = OCI_DIALECT_DOCKER,
					 .runtime = *rt,
					 .is_question = true };
	struct buf text = { 0 };

	if (oci_write(s->arena, p, &opt, &text, s->diags))
		return NULL;
	char *copy = buf_keep(s->arena, &text);
	buf_free(&text);
	struct source *src = source_add(
		s->sources, arena_printf(s->arena, PRISTR ".docker.json", STRARG(p->name)),
		str_c(copy));
	return json_parse(s->arena, src, s->diags);
}

/* out->json for out->runtime. */
static int open_json(struct session *s, const struct environment *env, struct container *out)
{
	struct oci_load_options opt = { .runtime = out->runtime, .env = *env, .asked = out->calls };
	int native = arch_native();

	if (!env->host_known) {
		opt.env.host_known = native >= 0;
		opt.env.host = native >= 0 ? (enum arch)native : ARCH_X86_64;
	}
	if (!opt.env.host_known) {
		diag_help(s->diags,
			  diag_add(s->diags, DIAG_PL131, out->json->span,
				   "what is loaded depends on the machine, and this one is none "
				   "that pale knows"),
			  "say it with --host");
		return EXIT_USAGE;
	}
	out->dd = dd_new(s->arena, NODE_BUDGET);
	out->asked = opt.env;
	out->env = oci_closed(&opt.env);
	out->span = out->json->span;
	return oci_load(s->arena, out->dd, out->json, &opt, &out->held, s->diags) ? EXIT_FOUND :
										    EXIT_OK;
}

int container_on(struct session *s, const struct container *l, enum arch host,
		 struct container *out)
{
	struct environment env = l->asked;

	*out = (struct container){
		.policy = l->policy, .json = l->json, .runtime = l->runtime, .calls = l->calls
	};
	env.host = host;
	return open_json(s, &env, out);
}

int container_load(struct session *s, const char *file, const struct input_options *input,
		   const char *policy, const struct oci_runtime *rt, struct container *out)
{
	struct input in;
	int status = input_open(s, file, &in);

	*out = (struct container){ .runtime = *rt, .calls = input->asked };
	if (!status && in.format == INPUT_BPF) {
		diag_help(s->diags,
			  diag_add(s->diags, DIAG_PL021, NO_SPAN,
				   "'%s' is a BPF program, which is no profile", file),
			  "leave --as out");
		return EXIT_FOUND;
	}
	if (!status && in.format == INPUT_PALE)
		status = input_resolve(s, input, &in);
	if (!status && in.format == INPUT_PALE) {
		out->policy = input_policy(s, &in, policy);
		status = out->policy ? EXIT_OK : EXIT_FOUND;
	}
	if (!status)
		out->json = out->policy ? compiled(s, out->policy, rt) : in.json;
	if (!status)
		status = out->json && !s->diags->errors ? open_json(s, &input->resolve.env, out) :
							  EXIT_FOUND;
	return s->diags->errors && !status ? EXIT_FOUND : status;
}

dd_node container_at(struct dd *d, dd_node n, const struct call *c, bool args)
{
	n = dd_fix(d, n, DD_CALL, UINT64_MAX, DD_CALL_OF(c->audit_arch, c->nr));
	for (unsigned i = 0; args && i < 6; i++)
		n = dd_fix(d, n, (enum dd_field)i, UINT64_MAX, c->args[i]);
	return n;
}

struct verdict container_eval(const struct container *l, const struct call *c)
{
	struct dd_point at = dd_point_of(&l->env, c);

	return dd_eval_at(l->dd, l->held.root, &at);
}

int container_check(struct session *s, const struct container *l, const struct call *c, bool args)
{
	const struct oci_model *m = l->held.model;
	unsigned open = 0;

	if (l->held.open)
		open = oci_open_fields(l->dd, container_at(l->dd, m->root, c, args), &l->asked) |
		       oci_open_fields(l->dd, container_at(l->dd, m->undefined, c, args),
				       &l->asked);
	if (open)
		return oci_ask_environment(s->diags, m->profile, c, open);
	if (container_at(l->dd, l->held.undecided, c, args) != DD_TRUE)
		return 0;
	BUF_AUTO call = { 0 };
	oci_print_call(&call, c->audit_arch, c->nr, c->args);
	unsigned matching;
	const struct oci_rule *one = oci_model_rule(m, &l->env, c, container_eval(l, c), &matching);
	struct diag *d = diag_add(
		s->diags, DIAG_PL267, one ? one->span : l->span,
		"two entries with different actions match %s, and only "
		"the runtime's own libseccomp can tell which decides: %s is installed here",
		call.p, oci_libseccomp_name(s->arena, oci_libseccomp_installed()));
	diag_help(s->diags, d,
		  "'--runtime %s-%u.%u+libseccomp-%s' asks that one, or make their conditions "
		  "exclude each other",
		  m->runtime.kind == OCI_CRUN ? "crun" : "runc", m->runtime.version >> 16 & 0xff,
		  m->runtime.version >> 8 & 0xff,
		  oci_libseccomp_name(s->arena, oci_libseccomp_installed()));
	return -1;
}
