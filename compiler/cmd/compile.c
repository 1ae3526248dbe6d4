/* SPDX-License-Identifier: Apache-2.0 */
/* pale compile: one policy to Docker and OCI JSON, BPF programs and an AppArmor profile. */
#include <getopt.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/compile.h"
#include "compiler/cmd/runtime.h"

static const char help[] =
	"Compiles a policy (or a profile that pale reads) exactly, or says why not; an error "
	"writes\n"
	"nothing. One artifact goes to standard output or to -o FILE; several go to -o DIR (here\n"
	"when it is not given), each under the policy's name and what `pale list targets` shows.\n"
	"A filter of more than 4096 instructions is several programs, which get numbers.\n\n"
	"  -t, --target LIST  which of the targets below, or all (default: what `layers` counts "
	"on)\n"
	"  -o, --output PATH  a file for one artifact, a directory for several\n"
	"      --policy NAME  this policy of a file that holds several (default: all of them)\n"
	"      --arch LIST    only these of the listed architectures\n"
	"      --weights FILE lines of `COUNT NAME`: calls that are frequent are decided sooner\n"
	"      --runtime R    what loads the JSON\n"
	"      --log-refusals the kernel logs refused calls, as `log refusals;` in the policy "
	"says\n"
	"      --log-only     for staging: what would be refused passes and is logged; what is\n"
	"                     written enforces nothing, and has that in its name\n"
	"      --approximate  JSON may become tighter where it cannot be exact; it is said where\n"
	"      --caps LIST --kernel V --host ARCH   the environment that `when` asks about\n"
	"      --sets DIR     look for sets here first\n"
	"  -q, --quiet        do not describe what was written\n";

struct request {
	struct session *session;
	struct compilation c;
	bool runtime_named; /* by --runtime; else the default, on every machine */
	struct input_options input;
	const char *output, *policy, *weights;
	bool log_refusals;
	bool quiet;
};

/* What the artifacts do not hold: the rest of the policy, and who enforces it. */
static void tell_left(const struct policy *p, unsigned asked)
{
	unsigned set = targets_of(asked, p->layers);
	bool apparmor = set & targets_of(0, LAYER_APPARMOR);
	bool seccomp = set & targets_of(0, LAYER_SECCOMP);
	size_t resources = p->files.n + p->networks.n + p->signals.n;
	BUF_AUTO names = { 0 };

	targets_print(&names, targets_of(0, apparmor ? LAYER_SECCOMP : LAYER_APPARMOR), "or");
	if (!apparmor && resources)
		tell(PRISTR ": left to AppArmor (-t %s): %zu file, %zu network, %zu signal rules",
		     STRARG(p->name), names.p, p->files.n, p->networks.n, p->signals.n);
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
	r->session->starved |= again.starved;
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
	for (size_t i = 0; i < of->list.n && !err; i++)
		err = targets_write(&r->c, of->list.v[i]);
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
	    (!r->c.targets || r->c.targets & keep))
		rc = keep_conditions(r, &in);
	if (rc != EXIT_OK)
		return rc;
	if (in.format == INPUT_BPF) {
		tell("pale: '%s' is a BPF program already", path);
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
	rc = compile_write(&r->c, r->output, r->quiet);
	if (rc == EXIT_OK && !r->quiet)
		vec_each(&in.policies->list, p)
			tell_left(*p, r->c.targets);
	return rc;
}

int target_option(const struct command *self, const char *list, unsigned *targets)
{
	BUF_AUTO names = { 0 };
	struct str wrong;

	if (!targets_read(list, targets, &wrong))
		return EXIT_OK;
	targets_print(&names, TARGETS_ALL, "and");
	return usage_error(self, "no target '" PRISTR "'; there are: %s; or all", STRARG(wrong),
			   names.p);
}

void target_help(struct buf *out)
{
	const struct target *t;

	buf_puts(out, "targets:\n");
	for (size_t i = 0; (t = target_at(i)); i++)
		buf_printf(out, "  %-10s %s\n", t->name, t->what);
}

enum {
	OPT_POLICY = 256,
	OPT_WEIGHTS,
	OPT_RUNTIME,
	OPT_LOG_REFUSALS,
	OPT_LOG_ONLY,
	OPT_APPROXIMATE,
	OPT_ENV
};

static const struct option options[] = {
	{ "target", required_argument, NULL, 't' },
	{ "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "weights", required_argument, NULL, OPT_WEIGHTS },
	{ "runtime", required_argument, NULL, OPT_RUNTIME },
	{ "log-refusals", no_argument, NULL, OPT_LOG_REFUSALS },
	{ "log-only", no_argument, NULL, OPT_LOG_ONLY },
	{ "approximate", no_argument, NULL, OPT_APPROXIMATE },
	{ "caps", required_argument, NULL, OPT_ENV },
	{ "kernel", required_argument, NULL, OPT_ENV },
	{ "host", required_argument, NULL, OPT_ENV },
	{ "arch", required_argument, NULL, OPT_ENV },
	{ "sets", required_argument, NULL, OPT_ENV },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int take_option(struct request *r, int c, int index)
{
	int rc;

	switch (c) {
	case 't': return target_option(command_find("compile"), optarg, &r->c.targets);
	case 'o':
		r->output = optarg;
		return *optarg ? EXIT_OK : usage_error(command_find("compile"), "-o needs a name");
	case 'q': r->quiet = true; return EXIT_OK;
	case OPT_POLICY: r->policy = optarg; return EXIT_OK;
	case OPT_WEIGHTS: r->weights = optarg; return EXIT_OK;
	case OPT_RUNTIME:
		r->input.runtime = &r->c.runtime;
		r->runtime_named = true;
		rc = runtime_option(r->session, command_find("compile"), optarg, -1, &r->c.runtime);
		if (rc < 0)
			runtime_note(r->session, &r->c.runtime);
		return rc < 0 ? EXIT_OK : rc;
	case OPT_LOG_REFUSALS: r->log_refusals = true; return EXIT_OK;
	case OPT_LOG_ONLY: r->c.log_only = true; return EXIT_OK;
	case OPT_APPROXIMATE: r->c.approximate = true; return EXIT_OK;
	case OPT_ENV:
		return environment_option(r->session, &r->input.resolve, options[index].name,
					  optarg);
	}
	BUG("an option that no case takes");
}

static int run_request(struct request *r, int argc, char **argv)
{
	int c, index = 0;

	while ((c = getopt_long(argc, argv, "t:o:qh", options, &index)) != -1) {
		if (c == 'h') {
			BUF_AUTO targets = { 0 };
			target_help(&targets);
			printf("usage: pale compile %s\n\n%s\n%s\nruntime: %s\n",
			       command_find("compile")->forms, help, targets.p,
			       oci_runtime_default);
			return EXIT_OK;
		}
		int rc = c == '?' ? option_error(command_find("compile"), options, argv) :
				    take_option(r, c, index);
		if (rc != EXIT_OK)
			return rc;
	}
	if (optind + 1 != argc)
		return usage_error(command_find("compile"), "expected one file");
	if (r->log_refusals && r->c.log_only)
		return usage_error(command_find("compile"),
				   "--log-only refuses nothing: one of it and "
				   "--log-refusals");
	if (r->weights) {
		int err = source_load(r->session->sources, r->weights, &r->c.weights);
		if (err < 0)
			return input_unreadable(r->session, r->weights, err);
	}
	if (r->c.targets == TARGETS_ALL)
		r->c.targets = 0;
	return compile_input(r, argv[optind]);
}

int cmd_compile(int argc, char **argv)
{
	struct session s;
	struct request r = { .session = &s };

	session_open(&s);
	r.c.diags = s.diags;
	BUG_ON(oci_runtime_parse(str_c(oci_runtime_default), -1, &r.c.runtime));
	int rc = run_request(&r, argc, argv);
	vec_each(&r.c.artifacts, a)
		buf_free(&a->bytes);
	return session_end(&s, rc);
}
