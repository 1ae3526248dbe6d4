/* SPDX-License-Identifier: Apache-2.0 */
/* pale run: a command under a policy, here and now. */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/options.h"
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

_Static_assert(LAYER_SECCOMP == 1 << 0 && LAYER_APPARMOR == 1 << 1, "the words of --layers");

/* -1: go on; else the exit status. */
static int check_usage(const struct options *o, const struct run_options *out)
{
	const struct command *c = o->command;
	bool counts = out->enforce.mode == ENFORCE_VERIFY || out->enforce.mode == ENFORCE_COUNT;

	if (o->n != 1 || !o->program)
		return usage_error(c, !o->n ? "no policy file" :
					      "one policy file, and '--' before the command");
	if (!*o->program)
		return usage_error(c, "no command behind '--'");
	if (out->report && !counts)
		return usage_error(c, "--report goes with --verify or --count");
	return -1;
}

/* -1: go on; else the exit status. */
static int read_options(struct session *s, const struct options *o, struct run_options *out)
{
	bool log = o->at[OPT_RUN_LOG_ONLY].given || o->at[OPT_LOG].given;

	*out = (struct run_options){
		.enforce = { .mode = log                     ? ENFORCE_LOG :
				     o->at[OPT_VERIFY].given ? ENFORCE_VERIFY :
				     o->at[OPT_COUNT].given  ? ENFORCE_COUNT :
							       ENFORCE,
			     .log_refusals = o->at[OPT_LOG_REFUSALS].given,
			     .layers = o->at[OPT_LAYERS].words,
			     .argv = o->program },
		.file = o->operands[0],
		.policy = o->at[OPT_POLICY].text,
		.report = o->at[OPT_REPORT].text,
	};
	int rc = check_usage(o, out);
	if (rc >= 0)
		return rc;
	if (environment_options(o, &out->input.resolve))
		return EXIT_USAGE;
	return runtime_given(s, o, &out->input.runtime);
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
	return write_output(o->report, &json, 0666) ? EXIT_PALE : status;
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
	if (check_writable(o->report))
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
		     "seccomp layer, which is left out");
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
	struct options o = { .end = OPTIONS_TO_DASHES };
	struct run_options r;
	struct session s;

	session_open_run(&s);
	session_bound(&s);
	int rc = options_read(&s, argc, argv, &o);
	if (rc < 0)
		rc = read_options(&s, &o, &r);
	if (rc < 0)
		rc = run_policy(&s, &r);
	else if (rc) /* wrong usage has a status that the command's own is never taken for */
		rc = EXIT_PALE;
	return session_end(&s, rc);
}
