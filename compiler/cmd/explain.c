/* SPDX-License-Identifier: Apache-2.0 */
/* pale explain: every rule that speaks of a call or a path, and which of them wins. */
#include "compiler/cmd/ask_apparmor.h"
#include "compiler/cmd/runtime.h"
#include "compiler/file/strace.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/explained.h"

struct explain_options {
	struct input_options input;
	const char *policy;
	int arch;
	const struct options *all;
};

/* -1: go on; else the exit status. */
static int read_options(struct session *s, const struct options *o, struct explain_options *out)
{
	*out = (struct explain_options){
		.policy = o->at[OPT_POLICY].text,
		.arch = o->at[OPT_ARCH].given ? (int)o->at[OPT_ARCH].arch : -1,
		.all = o,
	};
	if (environment_options(o, &out->input.resolve))
		return EXIT_USAGE;
	int rc = runtime_given(s, o, &out->input.runtime);
	if (rc >= 0)
		return rc;
	return o->n == 2 ? -1 : usage_error(o->command, "a FILE and one CALL or PATH are needed");
}

/* What it answers to calls in all environments, or in the one that is known. */
static int load_rules(struct session *s, const struct explain_options *o, const char *file,
		      struct input *in, struct decide *d)
{
	const struct decide_options opt = { .resolve = o->input.resolve,
					    .policy = o->policy,
					    .runtime = o->input.runtime,
					    .asked = o->input.asked,
					    .only = o->arch >= 0 ? ARCH_BIT(o->arch) : 0 };
	struct decide_part part = { 0 };

	unsigned hangs;
	int status = input_resolve_unless(s, &o->input, INPUT_OPEN | INPUT_HOST, in, &hangs);
	if (hangs)
		return decide_load(s, dd_new(s->arena, DECIDE_BUDGET), file, &opt, d);
	if (status)
		return status;
	part.policy = input_policy(s, in, o->policy);
	if (!part.policy)
		return EXIT_FOUND;
	*d = (struct decide){ .arches = part.policy->arches };
	vec_push(s->arena, &d->parts, part);
	return EXIT_OK;
}

/* Notes on reading the file are check's; errors and warnings are told. */
static void forget_notes(struct diags *ds)
{
	size_t kept = 0;

	for (size_t i = 0; i < ds->list.n; i++)
		if (ds->list.v[i]->severity < SEVERITY_INFO)
			ds->list.v[kept++] = ds->list.v[i];
	ds->list.n = kept;
}

static int explain_policy_access(struct session *s, const struct explain_options *o,
				 struct input *in, const char *what, struct buf *out)
{
	struct access_of of;
	const struct policy *p;
	int status = input_resolve(s, &o->input, in);

	p = status ? NULL : input_policy(s, in, o->policy);
	if (!p)
		return status ? status : EXIT_FOUND;
	status = apparmor_asking_policy(s, o->all, p, &of);
	if (status)
		return status;
	return access_explain(s, &of, what, out) ? EXIT_FOUND : EXIT_OK;
}

static int explain(struct session *s, const struct explain_options *o, const char *file,
		   const char *what)
{
	struct input in;
	struct decide d;
	BUF_AUTO out = { 0 };
	int bad, status = input_open(s, file, &in);

	if (status)
		return status;
	bool access = what[0] == '/' || aa_access_is(str_c(what));

	if (access && in.format == INPUT_BPF) {
		apparmor_no_accesses(s, what, "a program");
		bad = true;
	} else if (in.format == INPUT_BPF) {
		bad = explain_program(s, file, what, o->arch, &out);
	} else if (access) {
		status = explain_policy_access(s, o, &in, what, &out);
		if (status && status != EXIT_FOUND)
			return status;
		bad = status;
	} else {
		status = load_rules(s, o, file, &in, &d);
		if (status)
			return status;
		forget_notes(s->diags);
		forget_disputes(s->diags);
		bad = explain_call(s, &d, &o->input.resolve.env, what, o->arch, &out);
	}
	if (!bad && write_output(NULL, &out, 0))
		return EXIT_SYSTEM;
	return session_report(s) || bad ? EXIT_FOUND : EXIT_OK;
}

static int explain_profile(struct session *s, const struct options *o)
{
	struct aa_asking asking;
	const struct access_of of = { .q = &asking };
	BUF_AUTO out = { 0 };

	if (!apparmor_options_fit(o, ASKS_APPARMOR))
		return EXIT_USAGE;
	int status = apparmor_asking(s, o, o->operands[0], &asking);

	if (!status && !access_explain(s, &of, o->operands[1], &out) && write_output(NULL, &out, 0))
		return EXIT_SYSTEM;
	return session_report(s) && !status ? EXIT_FOUND : status;
}

int cmd_explain(int argc, char **argv)
{
	struct explain_options e;
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&s, &o, &e);
	if (status < 0 && apparmor_asked(&s, &o, o.operands[0])) {
		status = explain_profile(&s, &o);
	} else if (status < 0 && !apparmor_options_fit(&o, asks_what(o.operands + 1))) {
		status = EXIT_USAGE;
	} else if (status < 0) {
		const char *what = o.operands[1];
		e.input.asked = strace_asked(&s, &what, 1);
		status = explain(&s, &e, o.operands[0], what);
	}
	return session_end(&s, status);
}
