/* SPDX-License-Identifier: Apache-2.0 */
/* pale compile: one policy to Docker and OCI JSON, BPF programs and an AppArmor profile. */
#include <getopt.h>
#include <string.h>

#include "compiler/apparmor/apparmor.h"
#include "compiler/base/bug.h"
#include "compiler/cmd/compile.h"
#include "compiler/cmd/runtime.h"

static const char help[] =
	"Compiles a policy (or a profile that pale reads) exactly, or says why not; an error "
	"writes\n"
	"nothing. One artifact goes to standard output or to -o FILE; several go to -o DIR (here\n"
	"when it is not given): NAME.docker.json NAME.oci.json NAME.FAMILY.bpf NAME.apparmor.\n"
	"A filter of more than 4096 instructions is several programs: NAME.FAMILY.2.bpf and so "
	"on.\n\n"
	"  -t, --target LIST  docker, oci, bpf, apparmor, or all (default: what `layers` counts "
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
	struct compilation c;
	struct input_options input;
	const char *output, *policy, *weights;
	bool log_refusals;
	bool quiet;
};

/* ---- what a policy compiles to ---- */

static int compile_json(struct compilation *c, const struct policy *p, enum oci_dialect dialect)
{
	struct session *s = c->session;
	struct oci_write_options opt = { .dialect = dialect,
					 .runtime = c->runtime,
					 .approximate = c->approximate };
	struct artifact a = { 0 };

	if (!c->runtime_named && !c->runtime_told)
		runtime_compare(s, &c->runtime);
	c->runtime_told = true;
	if (oci_write(s->arena, p, &opt, &a.bytes, s->diags))
		return EXIT_FOUND;
	a.name = arena_printf(s->arena, "%s.%s.json", compile_name(c, p),
			      dialect == OCI_DIALECT_DOCKER ? "docker" : "oci");
	a.about = arena_printf(s->arena, "%zu bytes; %s%s", a.bytes.n,
			       runtime_claim(s->arena, &c->runtime, c->approximate),
			       compile_force(c));
	vec_push(s->arena, &c->artifacts, a);
	return EXIT_OK;
}

static int compile_apparmor(struct compilation *c, const struct policy *p)
{
	struct session *s = c->session;
	struct apparmor_options opt = { .abi = "abi/3.0", .complain = c->log_only };
	struct artifact a = { 0 };

	if (apparmor_write(s->arena, p, &opt, &a.bytes, s->diags))
		return EXIT_FOUND;
	a.name = arena_printf(s->arena, "%s.apparmor", compile_name(c, p));
	a.about = arena_printf(s->arena,
			       "%zu bytes; profile %s: %zu file, %zu capability, %zu network, "
			       "%zu signal, %zu limit rules%s",
			       a.bytes.n, apparmor_profile_name(s->arena, p), p->files.n, p->caps.n,
			       p->networks.n, p->signals.n, p->limits.n, compile_force(c));
	vec_push(s->arena, &c->artifacts, a);
	return EXIT_OK;
}

static unsigned layer_of(unsigned target)
{
	return target == TARGET_APPARMOR ? LAYER_APPARMOR : LAYER_SECCOMP;
}

static int check_layers(struct compilation *c, const struct policy *p)
{
	static const unsigned all[] = { TARGET_DOCKER, TARGET_OCI, TARGET_BPF, TARGET_APPARMOR };
	static const char *const names[] = { "docker", "oci", "bpf", "apparmor" };

	for (size_t i = 0; i < 4; i++) {
		if (!(c->targets & all[i]) || p->layers & layer_of(all[i]))
			continue;
		const char *layer = layer_of(all[i]) == LAYER_APPARMOR ? "apparmor" : "seccomp";
		struct diag *d =
			diag_add(c->session->diags, DIAG_PL206, p->span,
				 "policy '" PRISTR "' does not count on %s, which -t %s asks for",
				 STRARG(p->name), layer, names[i]);
		diag_help(c->session->diags, d, "add %s to its `layers` line", layer);
	}
	return c->session->diags->errors ? EXIT_FOUND : EXIT_OK;
}

/* The policy with the conditions that the environment leaves open. */
static const struct policy *kept_policy(const struct compilation *c, const struct policy *p)
{
	for (size_t i = 0; c->kept && i < c->kept->list.n; i++)
		if (str_eq(c->kept->list.v[i]->name, p->name))
			return c->kept->list.v[i];
	return p;
}

int compile_policy(struct compilation *c, const struct policy *p)
{
	unsigned targets = c->targets;
	int rc = check_layers(c, p);

	if (!targets && p->layers & LAYER_SECCOMP)
		targets |= TARGET_DOCKER | TARGET_OCI | TARGET_BPF;
	if (!targets || (!c->targets && p->layers & LAYER_APPARMOR))
		targets |= TARGET_APPARMOR;
	if (rc == EXIT_OK && p->layers & LAYER_SECCOMP)
		compile_check_start(c, p, targets);
	if (rc == EXIT_OK && targets & TARGET_DOCKER)
		rc = compile_json(c, kept_policy(c, p), OCI_DIALECT_DOCKER);
	if (rc == EXIT_OK && targets & TARGET_OCI)
		rc = compile_json(c, p, OCI_DIALECT_OCI);
	if (rc == EXIT_OK && targets & TARGET_BPF)
		rc = compile_bpf(c, p);
	if (rc == EXIT_OK && targets & TARGET_APPARMOR)
		rc = compile_apparmor(c, p);
	return rc;
}

/* What the artifacts do not hold: the rest of the policy, and who enforces it. */
static void tell_left(const struct policy *p, unsigned targets)
{
	bool apparmor = targets ? targets & TARGET_APPARMOR : p->layers & LAYER_APPARMOR;
	bool seccomp = targets ? targets & ~(unsigned)TARGET_APPARMOR : p->layers & LAYER_SECCOMP;
	size_t resources = p->files.n + p->networks.n + p->signals.n;

	if (!apparmor && resources)
		tell(PRISTR
		     ": left to AppArmor (-t apparmor): %zu file, %zu network, %zu signal rules",
		     STRARG(p->name), p->files.n, p->networks.n, p->signals.n);
	if (!apparmor && (p->caps.n || p->limits.n))
		tell(PRISTR
		     ": left to AppArmor, the container engine or `pale run`: %zu capability, "
		     "%zu limit rules",
		     STRARG(p->name), p->caps.n, p->limits.n);
	if (!seccomp && p->calls.n)
		tell(PRISTR ": left to seccomp (-t docker, oci or bpf): %zu call rules",
		     STRARG(p->name), p->calls.n);
}

/* ---- the command ---- */

/*
 * Resolves once more, for Docker's JSON: what it says that the first time did not (rules that
 * clash in other environments) is an error as well.
 */
static int keep_conditions(struct request *r, const struct input *in)
{
	struct session again = *r->c.session;
	struct input_options opt = r->input;
	struct input kept = *in;

	opt.resolve.keep_when = true;
	again.diags = diags_new(again.arena, again.sources); /* its notes were given already */
	int rc = input_resolve(&again, &opt, &kept);
	r->c.session->starved |= again.starved;
	r->c.kept = kept.policies;
	return rc;
}

static int compile_input(struct request *r, const char *path)
{
	struct session *s = r->c.session;
	struct input in;

	/* Docker alone: nothing else must know the environment. */
	r->input.resolve.keep_when = r->c.targets == TARGET_DOCKER;
	int rc = input_load(s, path, &r->input, &in);
	if (rc == EXIT_OK && in.format != INPUT_BPF && !r->input.resolve.keep_when &&
	    (!r->c.targets || r->c.targets & TARGET_DOCKER))
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
	if (r->log_refusals) {
		compile_log_refusals(in.policies, s->diags);
		compile_log_refusals(r->c.kept, diags_new(s->arena, s->sources));
	}
	if (r->c.log_only)
		compile_log_only(&r->c, in.policies);
	vec_each(&in.policies->list, p) {
		rc = compile_policy(&r->c, *p);
		if (rc != EXIT_OK)
			break;
	}
	if (session_report(s) || rc != EXIT_OK)
		return EXIT_FOUND;
	rc = compile_write(&r->c, r->output, r->quiet);
	if (rc == EXIT_OK && !r->quiet)
		vec_each(&in.policies->list, p)
			tell_left(*p, r->c.targets);
	return rc;
}

static int target_option(struct request *r, const char *list)
{
	static const struct {
		const char *name;
		unsigned target;
	} names[] = { { "docker", TARGET_DOCKER },
		      { "oci", TARGET_OCI },
		      { "bpf", TARGET_BPF },
		      { "apparmor", TARGET_APPARMOR },
		      { "all", 0 } };
	size_t n;

	for (; *list; list += n + (list[n] == ',')) {
		size_t i = 0;
		n = strcspn(list, ",");
		while (i < 5 && !str_is((struct str){ list, n }, names[i].name))
			i++;
		if (i == 5)
			return usage_error(command_find("compile"), "no target '%.*s'", (int)n,
					   list);
		if (i == 4)
			r->c.targets = 0;
		else
			r->c.targets |= names[i].target;
	}
	return EXIT_OK;
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
	case 't': return target_option(r, optarg);
	case 'o':
		r->output = optarg;
		return *optarg ? EXIT_OK : usage_error(command_find("compile"), "-o needs a name");
	case 'q': r->quiet = true; return EXIT_OK;
	case OPT_POLICY: r->policy = optarg; return EXIT_OK;
	case OPT_WEIGHTS: r->weights = optarg; return EXIT_OK;
	case OPT_RUNTIME:
		r->input.runtime = &r->c.runtime;
		r->c.runtime_named = true;
		rc = runtime_option(r->c.session, command_find("compile"), optarg, -1,
				    &r->c.runtime);
		if (rc < 0)
			runtime_note(r->c.session, &r->c.runtime);
		return rc < 0 ? EXIT_OK : rc;
	case OPT_LOG_REFUSALS: r->log_refusals = true; return EXIT_OK;
	case OPT_LOG_ONLY: r->c.log_only = true; return EXIT_OK;
	case OPT_APPROXIMATE: r->c.approximate = true; return EXIT_OK;
	case OPT_ENV:
		return environment_option(r->c.session, &r->input.resolve, options[index].name,
					  optarg);
	}
	BUG("an option that no case takes");
}

static int run_request(struct request *r, int argc, char **argv)
{
	int c, index = 0;

	while ((c = getopt_long(argc, argv, "t:o:qh", options, &index)) != -1) {
		if (c == 'h') {
			printf("usage: pale compile %s\n\n%s\nruntime: %s\n",
			       command_find("compile")->forms, help, oci_runtime_default);
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
		int err = source_load(r->c.session->sources, r->weights, &r->c.weights);
		if (err < 0)
			return input_unreadable(r->c.session, r->weights, err);
	}
	return compile_input(r, argv[optind]);
}

int cmd_compile(int argc, char **argv)
{
	struct session s;
	struct request r = { .c.session = &s };

	session_open(&s);
	BUG_ON(oci_runtime_parse(str_c(oci_runtime_default), -1, &r.c.runtime));
	int rc = run_request(&r, argc, argv);
	vec_each(&r.c.artifacts, a)
		buf_free(&a->bytes);
	return session_end(&s, rc);
}
