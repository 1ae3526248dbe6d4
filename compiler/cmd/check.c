/* SPDX-License-Identifier: Apache-2.0 */
/* pale check: would every target's loader accept what this file says? */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/compile.h"
#include "compiler/tell/decided.h"
#include "compiler/file/kind.h"
#include "compiler/cmd/runtime.h"

static const char help[] =
	"usage: pale check FILE...\n\n"
	"Reads each file (a policy, seccomp JSON, raw BPF, an AppArmor profile), writes every "
	"target\n"
	"that its layers call for and asks the loaders: BPF against the kernel's checks and the\n"
	"policy's own meaning, JSON through libseccomp, AppArmor profiles by apparmor_parser.\n"
	"Of raw BPF it tells the instructions that no call reaches; of several files each is "
	"named\n"
	"before its result. Exit status 1 when a target is refused.\n\n"
	"  -t, --target LIST  only these (`pale list targets`)\n"
	"  -I DIR             where AppArmor's includes and variables are; again for more\n"
	"  --runtime R        the container runtime that JSON is for; else the installed one\n"
	"  --policy NAME      one policy of a file that holds several\n"
	"  --caps LIST --kernel VERSION --host ARCH    what `when` asks about; what is not given "
	"is\n"
	"                     left open, and only Docker's JSON, which can say it, is checked\n"
	"  --sets DIR         where sets are found\n"
	"  --arch LIST        only these of the listed architectures\n";

struct check_options {
	struct input_options input;
	const char *policy;
	struct oci_runtime runtime;
	const char *const *includes; /* NULL-ended, or NULL */
	unsigned targets;
};

struct check {
	struct session *session;
	const struct check_options *opt;
	bool open; /* the file at hand is checked in every environment, as far as that goes */
	bool failed;
};

/* The three answers in words, and what makes the status 1. */
static void say(struct check *c, const char *of, enum target_says says, const char *detail)
{
	static const char *const words[] = { [TARGET_TAKES] = "ok",
					     [TARGET_REFUSES] = "refused",
					     [TARGET_UNASKED] = "not checked" };

	printf("%-12s %s%s%s%s\n", of, words[says], *detail ? " (" : "", detail,
	       *detail ? ")" : "");
	c->failed |= says != TARGET_TAKES;
}

static void say_open(const char *target)
{
	printf("%-12s not checked: it depends on the environment; give --caps, --kernel, --host\n",
	       target);
}

static void say_answers(struct check *c, const struct target_check *asked)
{
	vec_each(&asked->answers, a)
		say(c, a->of, a->says, a->detail);
}

static struct target_check question(const struct check *c)
{
	return (struct target_check){ .diags = c->session->diags,
				      .runtime = &c->opt->runtime,
				      .includes = c->opt->includes };
}

/* ---- policies ---- */

/*
 * A target that can say conditions is asked about all environments, the others are for one.
 * Resource rules under a condition that is open are not there at all.
 */
static bool is_open(const struct check *c, const struct target *t, const struct policy *p)
{
	if (t->how & TARGET_KEEPS_WHEN)
		return false;
	return t->layer == LAYER_SECCOMP ? p->conditional : c->open;
}

static void check_policy(struct check *c, const struct policy *p)
{
	unsigned set = targets_of(0, p->layers) & c->opt->targets;
	struct target_check q = question(c);
	const struct target *t;

	printf("policy " PRISTR "\n", STRARG(p->name));
	policy_check(p, c->session->diags);
	for (size_t i = 0; (t = target_at(i)); i++) {
		if (!(set & TARGET_BIT(i)))
			continue;
		q.answers.n = 0;
		if (is_open(c, t, p))
			say_open(t->name);
		else
			t->check(&q, t, p);
		say_answers(c, &q);
	}
	if (session_report(c->session))
		c->failed = true;
}

/* ---- files ---- */

/* What was cut off, or never written, is no policy that is well. */
static int tell_empty(struct session *s, const struct source *src)
{
	input_tell_empty(s, src);
	session_report(s);
	return EXIT_FOUND;
}

/* Of a file that a loader takes as it stands. */
static int tell_answers(struct check *c, const struct target_check *asked)
{
	say_answers(c, asked);
	if (session_report(c->session))
		c->failed = true;
	return c->failed ? EXIT_FOUND : EXIT_OK;
}

static int check_file(struct check *c, const char *path)
{
	struct session *s = c->session;
	struct source *src;
	struct target_check q = question(c);
	struct input in;

	if (source_load(s->sources, path, &src) == 0 && kind_of(src->text) == kind_apparmor) {
		asis_apparmor(&q, src, (struct span){ src->id, 0, 0 });
		return tell_answers(c, &q);
	}
	/* A profile is not resolved: the runtime decides what its conditions need. */
	struct input_options parse = c->opt->input;
	parse.parse_only = true;
	parse.runtime = &c->opt->runtime;
	int status = input_load(s, path, &parse, &in);
	if (status)
		return status;
	if (in.format == INPUT_JSON) {
		session_report(s);
		asis_profile(&q, in.source, in.profile, &c->opt->input.resolve.env);
		return tell_answers(c, &q);
	}
	if (in.format == INPUT_BPF) {
		asis_program(&q, in.source);
		return tell_answers(c, &q);
	}
	parse.parse_only = false;
	/* Whoever asks for one target asks for what it would be: that needs an environment. */
	bool some = c->opt->targets & ~targets_how(TARGET_KEEPS_WHEN);
	unsigned stop = !some || c->opt->targets == TARGETS_ALL ? INPUT_OPEN : 0, hangs;
	status = input_resolve_unless(s, &parse, stop, &in, &hangs);
	c->open = parse.resolve.keep_when = hangs != 0;
	if (hangs)
		status = input_resolve(s, &parse, &in);
	if (status)
		return status;
	if (session_report(s))
		return EXIT_FOUND;
	if (!in.ast->stmts)
		return tell_empty(s, in.source);
	if (!in.policies->list.n && !c->opt->policy) { /* a file of sets: resolving was the check */
		say(c, "sets", TARGET_TAKES, "");
		return EXIT_OK;
	}
	if (c->opt->policy) {
		const struct policy *p = input_policy(s, &in, c->opt->policy);
		if (!p)
			return EXIT_FOUND;
		check_policy(c, p);
		return EXIT_OK;
	}
	vec_each(&in.policies->list, p)
		check_policy(c, *p);
	return EXIT_OK;
}

/* ---- the command ---- */

static bool add_include(struct arena *a, struct check_options *o, const char *dir)
{
	VEC(const char *) list = { 0 };
	struct stat st;

	for (const char *const *old = o->includes; old && *old; old++)
		vec_push(a, &list, *old);
	vec_push(a, &list, dir);
	vec_push(a, &list, NULL);
	o->includes = o->input.resolve.apparmor_dirs = list.v;
	return !stat(dir, &st) && S_ISDIR(st.st_mode);
}

static int read_options(struct session *s, int argc, char **argv, struct check_options *o)
{
	static const struct option options[] = {
		{ "target", required_argument, NULL, 't' },
		{ "runtime", required_argument, NULL, 'r' },
		{ "policy", required_argument, NULL, 'p' },
		{ "arch", required_argument, NULL, OPTION_SHARED },
		{ "help", no_argument, NULL, 'h' },
		SHARED_OPTIONS,
		{ 0 },
	};
	const struct command *self = command_find("check");
	int c, rc, index = 0;
	bool named = false;

	while ((c = getopt_long(argc, argv, "ht:I:", options, &index)) != -1) {
		switch (c) {
		case 't':
			rc = target_option(self, optarg, &o->targets);
			if (rc != EXIT_OK)
				return rc;
			break;
		case 'I':
			if (!add_include(s->arena, o, optarg))
				return usage_error(self, "-I: no directory '%s'", optarg);
			break;
		case 'r':
			rc = runtime_option(s, self, optarg, -1, &o->runtime);
			if (rc >= 0)
				return rc;
			named = true;
			break;
		case 'p': o->policy = optarg; break;
		case 'h': fputs(help, stdout); return EXIT_OK;
		case OPTION_SHARED:
			c = environment_option(s, &o->input.resolve, options[index].name, optarg);
			if (c)
				return c;
			break;
		default: return option_error(self, options, argv);
		}
	}
	if (optind == argc)
		return usage_error(self, "a FILE is needed");
	if (!named)
		runtime_here(s, -1, &o->runtime);
	runtime_note(s, &o->runtime);
	o->targets = o->targets ? o->targets : TARGETS_ALL;
	return -1;
}

int cmd_check(int argc, char **argv)
{
	struct session s;
	struct check_options o = { 0 };
	struct check c = { .session = &s, .opt = &o };
	int worst = EXIT_OK;

	session_open(&s);
	int status = read_options(&s, argc, argv, &o);
	if (status >= 0)
		return session_end(&s, status);
	for (int i = optind; i < argc; i++) {
		const char *name = str_safe(s.arena, argv[i]);
		if (argc - optind > 1)
			printf("%s:\n", name);
		struct session own;
		c.session = session_for(&s, &own, argv[i]);
		status = check_file(&c, argv[i]);
		session_done(&s, c.session);
		worst = status > worst ? status : worst;
	}
	worst = session_end(&s, worst == EXIT_OK && c.failed ? EXIT_FOUND : worst);
	if (fflush(stdout)) {
		tell("pale check: cannot write: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return worst;
}
