/* SPDX-License-Identifier: Apache-2.0 */
/* pale run: a command under a policy, here and now. */
#include <errno.h>
#include <getopt.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/cmd.h"
#include "compiler/tell/refusals.h"
#include "compiler/cmd/runtime.h"
#include "compiler/enforce/enforce.h"

struct run_options {
	struct enforce_options enforce;
	struct input_options input;
	const char *file;
	const char *policy;
	const char *report;
};

enum {
	OPT_LOG = 256,
	OPT_VERIFY,
	OPT_COUNT,
	OPT_LOG_REFUSALS,
	OPT_LAYERS,
	OPT_POLICY,
	OPT_REPORT,
	OPT_RUNTIME,
	OPT_ENVIRONMENT
};

static const struct option options[] = {
	{ "log-only", no_argument, NULL, OPT_LOG },
	{ "log", no_argument, NULL, OPT_LOG },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "count", no_argument, NULL, OPT_COUNT },
	{ "log-refusals", no_argument, NULL, OPT_LOG_REFUSALS },
	{ "layers", required_argument, NULL, OPT_LAYERS },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "report", required_argument, NULL, OPT_REPORT },
	{ "runtime", required_argument, NULL, OPT_RUNTIME },
	{ "caps", required_argument, NULL, OPT_ENVIRONMENT },
	{ "kernel", required_argument, NULL, OPT_ENVIRONMENT },
	{ "host", required_argument, NULL, OPT_ENVIRONMENT },
	{ "sets", required_argument, NULL, OPT_ENVIRONMENT },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int print_help(const struct command *c)
{
	printf("usage: pale %s %s\n\n%s", c->name, c->forms,
	       "Runs CMD under the policy: capabilities, AppArmor where the policy counts on it,\n"
	       "no_new_privs, limits, then the seccomp filter, then execve. Where a layer that "
	       "the\n"
	       "policy counts on cannot be set up, nothing is executed.\n\n"
	       "  --count          count refused calls; each is answered as the policy says\n"
	       "  --verify         count what would be refused and let it pass: protects nothing\n"
	       "  --log-only       let what would be refused pass and have the kernel log it\n"
	       "                   (--log is an older name of it)\n"
	       "  --log-refusals   have the kernel log what it refuses, as `log refusals;` says\n"
	       "  --layers LIST    seccomp, apparmor: set up these instead of the policy's own\n"
	       "  --policy NAME    which policy of the file\n"
	       "  --runtime R      whose reading of a JSON profile, such as debian13, docker-28.5\n"
	       "  --report FILE    --count, --verify: the report as JSON; - is standard output\n"
	       "  --caps LIST  --kernel V  --host ARCH  --sets DIR\n"
	       "                   what 'when' asks about (found out here unless said), and "
	       "sets\n\n"
	       "Exit status: the command's own (128+N for signal N); 125 pale failed and nothing\n"
	       "was executed, 126 CMD cannot be executed, 127 CMD was not found.\n");
	return EXIT_OK;
}

int parse_layers(const char *list, unsigned *out)
{
	*out = 0;
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ", ");
		struct str word = { p, n };

		if (str_is(word, "seccomp"))
			*out |= LAYER_SECCOMP;
		else if (str_is(word, "apparmor"))
			*out |= LAYER_APPARMOR;
		else if (n)
			return -EINVAL;
		p += n;
		p += strspn(p, ", ");
	}
	return *out ? 0 : -EINVAL;
}

/* 0; EXIT_USAGE after saying why; -1 for --help. */
static int take_option(struct session *s, const struct command *c, struct run_options *o, int opt,
		       const char *name)
{
	int rc;

	switch (opt) {
	case OPT_LOG:
	case OPT_VERIFY:
	case OPT_COUNT:
		if (o->enforce.mode != ENFORCE)
			return usage_error(c, "one of --log-only, --verify and --count");
		o->enforce.mode = opt == OPT_LOG    ? ENFORCE_LOG :
				  opt == OPT_VERIFY ? ENFORCE_VERIFY :
						      ENFORCE_COUNT;
		return 0;
	case OPT_LOG_REFUSALS: o->enforce.log_refusals = true; return 0;
	case OPT_LAYERS:
		if (parse_layers(optarg, &o->enforce.layers))
			return usage_error(c, "--layers '%s': wanted are seccomp and apparmor",
					   optarg);
		return 0;
	case OPT_POLICY: o->policy = optarg; return 0;
	case OPT_REPORT: o->report = optarg; return 0;
	case OPT_RUNTIME:
		rc = runtime_named(s, c, optarg, &o->input.runtime);
		return rc < 0 ? 0 : rc;
	case OPT_ENVIRONMENT: return environment_option(s, &o->input.resolve, name, optarg);
	case 'h': return -1;
	default: BUG("option");
	}
}

static int parse_options(struct session *s, const struct command *c, int argc, char **argv,
			 struct run_options *o)
{
	int dashes = 1, opt, index = 0, rc;

	while (dashes < argc && strcmp(argv[dashes], "--"))
		dashes++;
	optind = 1;
	while ((opt = getopt_long(dashes, argv, "h", options, &index)) != -1) {
		rc = opt == '?' ?
			     option_error(c, options, argv) :
			     take_option(s, c, o, opt, opt >= OPT_LOG ? options[index].name : "");
		if (rc)
			return rc;
	}
	if (dashes - optind != 1)
		return usage_error(c, dashes == optind ? "no policy file" :
							 "one policy file, and '--' "
							 "before the command");
	if (dashes + 1 >= argc)
		return usage_error(c, "no command behind '--'");
	if (o->report && o->enforce.mode != ENFORCE_VERIFY && o->enforce.mode != ENFORCE_COUNT)
		return usage_error(c, "--report goes with --verify or --count");
	if (o->enforce.log_refusals && o->enforce.mode != ENFORCE)
		return usage_error(c, "--log-refusals goes without --log-only, --verify and "
				      "--count, which count or "
				      "log by themselves");
	o->file = argv[optind];
	o->enforce.argv = argv + dashes + 1;
	return 0;
}

/* Under no_new_privs no exec gives the command more than we have. */
static uint64_t held_capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	if (syscall(SYS_capget, &h, d))
		return 0;
	return d[0].permitted | (uint64_t)d[1].permitted << 32;
}

/* What `when` asks about and nobody said: this kernel, this machine, our capabilities. */
static void find_environment(struct environment *env)
{
	unsigned major, minor;
	struct utsname u;

	if (!env->kernel_known && !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2) {
		env->kernel_known = true;
		env->kernel = KERNEL_VERSION_OF(major, minor);
	}
	if (!env->host_known) {
		env->host_known = true;
		env->host = (enum arch)arch_native();
	}
	env->held_known = true;
	env->held = held_capabilities();
}

static int write_report(struct session *s, const struct run_options *o,
			const struct enforce_report *report, int status)
{
	BUF_AUTO text = { 0 }, json = { 0 };

	refusals_text(s, o->enforce.policy, report, o->enforce.mode == ENFORCE_VERIFY, &text);
	if (o->report)
		refusals_json(s, o->enforce.policy, report, status, &json);
	if (text.failed || json.failed) {
		tell("pale run: out of memory");
		return EXIT_PALE;
	}
	fflush(stdout);
	fwrite(text.p, 1, text.n, stderr);
	if (!o->report)
		return status;
	return output_write(o->report, &json, 0666) ? EXIT_PALE : status;
}

/* Before the command has the terminal, and this process is no more. */
static void tell_warnings(void *session)
{
	session_report(session);
}

static int run_policy(struct session *s, struct run_options *o)
{
	struct enforce_report report = { 0 };
	struct input in = { 0 };
	int status = EXIT_PALE;

	find_environment(&o->input.resolve.env);
	if (output_check(o->report))
		return EXIT_PALE;
	if (input_load(s, o->file, &o->input, &in))
		return EXIT_PALE;
	o->enforce.policy = input_policy(s, &in, o->policy);
	if (!o->enforce.policy)
		return EXIT_PALE;
	if ((o->enforce.mode != ENFORCE || o->enforce.log_refusals) &&
	    !((o->enforce.layers ? o->enforce.layers : o->enforce.policy->layers) &
	      LAYER_SECCOMP)) {
		tell("pale run: --log-only, --log-refusals, --verify and --count look at the "
		     "seccomp layer, "
		     "which is left out");
		return EXIT_PALE;
	}
	o->enforce.ready = tell_warnings;
	o->enforce.ready_arg = s;
	if (enforce_run(s->arena, &o->enforce, &report, &status, s->diags)) {
		session_report(s);
		return status;
	}
	session_report(s);
	return write_report(s, o, &report, status);
}

int cmd_run(int argc, char **argv)
{
	const struct command *c = command_find("run");
	struct run_options o = { 0 };
	struct session s;
	int rc;

	session_open_run(&s);
	session_bound(&s);
	rc = parse_options(&s, c, argc, argv, &o);
	if (rc < 0)
		rc = print_help(c);
	else
		rc = rc ? EXIT_PALE : run_policy(&s, &o);
	return session_end(&s, rc);
}
