/* SPDX-License-Identifier: Apache-2.0 */
/* pale compile: one policy to Docker and OCI JSON, BPF programs and an AppArmor profile. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/apparmor/needs.h"
#include "compiler/cmd/compile.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/runtime.h"

struct request {
	struct session *session;
	const char *file;           /* of several, the one at hand */
	struct compiled_files *all; /* where artifacts go; NULL: one file, whose are written */
	struct compilation c;
	bool runtime_named; /* by --runtime; else the default, on every machine */
	struct input_options input;
	const char *output, *policy, *weights;
	struct apparmor_target apparmor; /* of --target, where one is named */
	bool log_refusals;
};

/* What the artifacts do not hold: the rest of the policy, and who enforces it. */
static void tell_left(const struct policy *p, unsigned asked)
{
	unsigned set = targets_of(asked, p->layers);
	bool apparmor = set & targets_in(LAYER_APPARMOR);
	bool seccomp = set & targets_in(LAYER_SECCOMP);
	size_t resources = p->files.n + p->networks.n + p->signals.n + p->others.n;
	BUF_AUTO names = { 0 };

	targets_print(&names, targets_of(0, apparmor ? LAYER_SECCOMP : LAYER_APPARMOR), "or");
	if (!apparmor && resources)
		tell(PRISTR
		     ": left to AppArmor (-t %s): %zu file, %zu network, %zu signal, %zu other rules",
		     STRARG(p->name), names.p, p->files.n, p->networks.n, p->signals.n,
		     p->others.n);
	if (!apparmor && (p->caps.n || p->limits.n))
		tell(PRISTR
		     ": left to AppArmor, the container engine or `pale run`: %zu capability, "
		     "%zu limit rules",
		     STRARG(p->name), p->caps.n, p->limits.n);
	if (!seccomp && p->calls.n)
		tell(PRISTR ": left to seccomp (-t %s): %zu call rules", STRARG(p->name), names.p,
		     p->calls.n);
}

/* ---- the command ---- */

/*
 * Resolves once more, for Docker's JSON: what it says that the first time did not (rules that
 * clash in other environments) is an error as well.
 */
static int keep_conditions(struct request *r, const struct input *in)
{
	struct session again = *r->session;
	struct input_options opt = r->input;
	struct input kept = *in;

	opt.resolve.keep_when = true;
	again.diags = diags_new(again.arena, again.sources); /* its notes were given already */
	int rc = input_resolve(&again, &opt, &kept);
	if (rc)
		session_report(&again);
	r->c.kept = kept.policies;
	return rc;
}

/* Says that another runtime is installed here, where one is to load what is written. */
static void compare_runtimes(struct request *r, const struct policies *of)
{
	unsigned set = 0;

	vec_each(&of->list, p)
		set |= targets_of(r->c.targets, (*p)->layers);
	if (!r->runtime_named && set & targets_how(TARGET_CONTAINER))
		runtime_compare(r->session, &r->c.runtime);
}

static int compile_policies(struct request *r, const struct policies *of)
{
	struct session *s = r->session;
	int err = 0;

	if (r->log_refusals) {
		targets_log_refusals(of, s->diags);
		targets_log_refusals(r->c.kept, diags_new(s->arena, s->sources));
	}
	if (r->c.log_only)
		targets_log_only(&r->c, of);
	compare_runtimes(r, of);
	for (size_t i = 0; i < of->list.n && !err; i++) {
		session_bound_compile(s, of->list.v[i]);
		err = targets_write(&r->c, of->list.v[i]);
	}
	session_bound_compile(s, NULL);
	return session_report(s) || err ? EXIT_FOUND : EXIT_OK;
}

static int compile_input(struct request *r, const char *path)
{
	struct session *s = r->session;
	unsigned keep = targets_how(TARGET_KEEPS_WHEN);
	struct input in;

	/* Those alone: nothing else must know the environment. */
	r->input.resolve.keep_when = r->c.targets && !(r->c.targets & ~keep);
	int rc = input_load(s, path, &r->input, &in);
	if (rc == EXIT_OK && in.format != INPUT_BPF && !r->input.resolve.keep_when &&
	    (!r->c.targets || r->c.targets & (keep | TARGETS_ALL)))
		rc = keep_conditions(r, &in);
	if (rc != EXIT_OK)
		return rc;
	if (in.format == INPUT_BPF) {
		diag_add(s->diags, DIAG_PL021, NO_SPAN, "'%s' is a BPF program already", path);
		return EXIT_FOUND;
	}
	if (r->policy || !in.policies->list.n) {
		const struct policy *p = input_policy(s, &in, r->policy);
		if (!p)
			return EXIT_FOUND;
		in.policies->list.n = 0;
		vec_push(s->arena, &in.policies->list, (struct policy *)p);
	}
	rc = compile_policies(r, in.policies);
	if (rc != EXIT_OK)
		return rc;
	if (r->all)
		compile_keep(r->all, &r->c, path);
	else
		rc = compile_write(&r->c, r->output);
	if (rc == EXIT_OK && !r->c.quiet)
		vec_each(&in.policies->list, p)
			tell_left(*p, r->c.targets);
	return rc;
}

/* -1: go on; else the exit status. */
static int read_options(struct request *r, const struct options *o)
{
	const struct option_value *runtime = &o->at[OPT_RUNTIME];
	unsigned targets = o->at[OPT_TARGET_RELEASE].words;
	bool named;
	int status = apparmor_target_option(o, &r->apparmor, &named);

	if (status >= 0)
		return status;
	r->c.apparmor = named ? &r->apparmor : NULL;

	r->c.targets = targets;
	r->c.approximate = o->at[OPT_APPROXIMATE].given;
	r->c.log_only = o->at[OPT_LOG_ONLY].given;
	r->log_refusals = o->at[OPT_LOG_REFUSALS].given;
	r->output = o->at[OPT_OUTPUT_PATH].text;
	r->policy = o->at[OPT_POLICY].text;
	r->weights = o->at[OPT_WEIGHTS].text;
	r->c.quiet = o->at[OPT_QUIET].given;
	r->runtime_named = runtime->given;
	if (environment_options(o, &r->input.resolve))
		return EXIT_USAGE;
	if (o->n < 1)
		return usage_error(o->command, "expected a file");
	if (o->n > 1 && (!r->output || !strcmp(r->output, "-")))
		return usage_error(o->command,
				   "what %d files become does not fit standard output: "
				   "give a directory, -o DIR",
				   o->n);
	if (o->n > 1 && r->policy)
		return usage_error(o->command, "--policy chooses in one file, and these are %d",
				   o->n);
	if (!runtime->given)
		return -1;
	r->input.runtime = &r->c.runtime;
	return runtime_loader(r->session, o, -1, &r->c.runtime);
}

static int run_request(struct request *r, const char *file)
{
	if (r->weights) {
		int err = source_load(r->session->sources, r->weights, &r->c.weights);
		if (err < 0)
			return input_unreadable(r->session, r->weights, err);
	}
	return compile_input(r, file);
}

static void free_artifacts(struct compilation *c)
{
	vec_each(&c->artifacts, a)
		buf_free(&a->bytes);
}

/* Of one of several. What is not kept is given back here: who passes a bound does not come back. */
static int compile_file(void *who)
{
	struct request *r = who;
	int rc = run_request(r, r->file);

	free_artifacts(&r->c);
	return rc;
}

/* One that is wrong is told, and the others are compiled. */
static int compile_files(struct request *r, const struct options *o)
{
	struct session own, *s = r->session;
	struct compiled_files all = { .c.diags = s->diags,
				      .c.quiet = r->c.quiet,
				      .named = o->operands,
				      .n_named = (size_t)o->n };
	struct source *weights; /* read once, for all */
	int worst = EXIT_OK, written;
	int err = r->weights ? source_load(s->sources, r->weights, &weights) : 0;

	if (err)
		return input_unreadable(s, r->weights, err);
	for (int i = 0; i < o->n; i++) {
		struct request one = *r;
		one.file = o->operands[i];
		one.all = &all;
		one.session = session_for(s, &own, one.file);
		one.c.diags = one.session->diags;
		int rc = session_guard(one.session, compile_file, &one);
		session_done(s, one.session);
		worst = rc > worst ? rc : worst;
		r->runtime_named = true; /* that another is installed is said once */
	}
	written = compile_write_all(&all, r->output);
	free_artifacts(&all.c);
	return written > worst ? written : worst;
}

int cmd_compile(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;
	struct request r = { .session = &s };

	session_open(&s);
	r.c.diags = s.diags;
	BUG_ON(oci_runtime_parse(str_c(oci_runtime_default), -1, &r.c.runtime));
	int rc = options_read(&s, argc, argv, &o);
	if (rc < 0)
		rc = read_options(&r, &o);
	if (rc < 0)
		rc = o.n > 1 ? compile_files(&r, &o) : run_request(&r, o.operands[0]);
	free_artifacts(&r.c);
	return session_end(&s, rc);
}
