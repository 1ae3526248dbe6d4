/* SPDX-License-Identifier: Apache-2.0 */
/* pale check: would every target's loader accept what this file says? */
#include <errno.h>
#include <string.h>

#include "compiler/apparmor/halves.h"
#include "compiler/base/bug.h"
#include "compiler/cmd/ask_apparmor.h"
#include "compiler/cmd/check_apparmor.h"
#include "compiler/tell/decided.h"
#include "compiler/file/kind.h"
#include "compiler/cmd/runtime.h"
#include "compiler/target/target.h"

struct check_options {
	const struct command *command;
	struct input_options input;
	const char *policy;
	struct oci_runtime runtime;
	unsigned targets;
	struct apparmor_checks apparmor;
	unsigned releases; /* of --target: of AppArmor, a bit for each enum aa_release */
	uint16_t kernel;
};

struct check {
	struct session *session;
	const char *path; /* of the file at hand */
	struct check_options *opt;
	struct session *all; /* of the command; session is one file's */
	bool open; /* the file at hand is checked in every environment, as far as that goes */
	bool failed;
};

/* The answers in words, and what makes the status 1. */
static void say(struct check *c, const char *of, enum target_says says, const char *detail)
{
	static const char *const words[] = { [TARGET_TAKES] = "ok",
					     [TARGET_REFUSES] = "refused",
					     [TARGET_UNASKED] = "not checked",
					     [TARGET_UNDECIDED] = "not decided" };

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
				      .includes = c->opt->input.resolve.apparmor_dirs,
				      .releases = c->opt->releases,
				      .kernel = c->opt->kernel };
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

static void check_halves(struct check *c, const struct policy *p)
{
	struct apparmor_target targets[AA_RELEASE_NR];
	size_t n = 0;

	for (unsigned r = 0; r < AA_RELEASE_NR; r++)
		if (c->opt->releases >> r & 1)
			targets[n++] =
				(struct apparmor_target){ (enum aa_release)r, c->opt->kernel };
	apparmor_check_halves(p, targets, n, c->session->diags);
}

static void check_policy(struct check *c, const struct policy *p)
{
	unsigned set = targets_of(c->opt->targets, p->layers) & targets_in(p->layers);
	struct target_check q = question(c);
	const struct target *t;

	session_bound_compile(c->session, p);
	printf("policy " PRISTR "\n", STRARG(p->name));
	policy_check(p, c->session->diags);
	check_halves(c, p);
	if (!set)
		say(c, "targets", TARGET_UNASKED, "none that --target names is the policy's");
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
	session_bound_compile(c->session, NULL);
	if (session_report(c->session))
		c->failed = true;
}

/* ---- files ---- */

/* What was cut off, or never written, is no policy that is well. */
static int tell_empty(struct session *s, const struct source *src)
{
	diag_help(
		s->diags, input_tell_empty(s, src),
		"write 'policy NAME { ... }', which pale learn proposes; of AppArmor's text, which "
		"may be comments alone, say that it is: --target apparmor=5.0");
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

/* Who names a release of AppArmor has AppArmor text, where it is no text of another kind. */
static bool is_apparmor(const struct check_options *opt, struct str text, const char *path)
{
	const struct file_kind *k = kind_of_file(text, path);

	return k == kind_apparmor ||
	       (opt->apparmor.versions.n && k->format == INPUT_PALE && k != kind_policy);
}

/* Targets are asked for, and AppArmor is none of them. */
static bool asks_apparmor(const struct check *c)
{
	if (targets_of(c->opt->targets, LAYER_APPARMOR) & targets_in(LAYER_APPARMOR))
		return true;
	usage_error(c->opt->command,
		    "'%s' is AppArmor's, and --target does not name that: apparmor, or "
		    "apparmor=5.0",
		    str_safe(c->session->arena, c->path));
	return false;
}

static int check_file(void *check)
{
	struct check *c = check;
	struct session *s = c->session;
	const char *path = c->path;
	struct source *src;
	struct target_check q = question(c);
	struct input in;

	if (source_load(s->sources, path, &src) == 0 && is_apparmor(c->opt, src->text, path)) {
		if (!asks_apparmor(c))
			return EXIT_USAGE;
		source_load(c->all->sources, path, &src); /* the one that is lent */
		apparmor_checks_ask(&c->opt->apparmor, s, src, &q);
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
	unsigned stop = !some || c->opt->targets & TARGETS_ALL ? INPUT_OPEN : 0, hangs;
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

/* How many are AppArmor's; of standard input and what cannot be read that is not known yet. */
struct counted {
	int apparmor, unknown;
};

static struct counted count_kinds(struct session *s, const struct check_options *opt, char **files)
{
	struct counted n = { 0, 0 };
	struct source *src;

	for (; *files; files++)
		if (!strcmp(*files, "-") || source_load(s->sources, *files, &src))
			n.unknown++;
		else
			n.apparmor += is_apparmor(opt, src->text, *files);
	return n;
}

/* Options that none of the files hears of are wrong. */
static bool options_fit(const struct options *o, struct counted n)
{
	if (n.apparmor == o->n)
		return apparmor_options_fit(o, ASKS_APPARMOR);
	if (n.apparmor || n.unknown || !o->at[OPT_FEATURES].given)
		return true;
	usage_error(o->command, "--features says nothing of a file that is not AppArmor's");
	return false;
}

/* -1: go on; else the exit status. */
static int read_options(struct session *s, const struct options *o, struct check_options *out)
{
	unsigned targets = o->at[OPT_TARGET_RELEASE].words;

	*out = (struct check_options){
		.command = o->command,
		.policy = o->at[OPT_POLICY].text,
		.releases = (unsigned)o->at[OPT_TARGET_RELEASE].number,
		.kernel = o->at[OPT_TARGET_RELEASE].kernel,
		.targets = targets ? targets : TARGETS_ALL,
		.input.resolve.apparmor_dirs = o->at[OPT_INCLUDE].list.v,
	};
	if (environment_options(o, &out->input.resolve))
		return EXIT_USAGE;
	if (!o->n)
		return usage_error(o->command, "a FILE is needed");
	int status = apparmor_checks_open(s, o, &o->at[OPT_TARGET_RELEASE], &out->apparmor);
	if (status)
		return status;
	struct counted n = count_kinds(s, out, o->operands);
	if (!options_fit(o, n))
		return EXIT_USAGE;
	/* No runtime loads AppArmor's files, and asking one takes longer than reading them. */
	return n.apparmor == o->n ? -1 : runtime_loader(s, o, -1, &out->runtime);
}

static int check_files(struct check *c, char **files, int n)
{
	struct session *s = c->session;
	int worst = EXIT_OK;

	if (session_report(s)) /* what was said of the runtime is no file's */
		return EXIT_FOUND;
	for (; *files; files++) {
		if (n > 1)
			printf("%s:\n", str_safe(s->arena, *files));
		struct session own;
		c->session = session_for(s, &own, n > 1 ? *files : NULL);
		c->path = *files;
		int status = session_guard(c->session, check_file, c);
		session_done(s, c->session);
		worst = status > worst ? status : worst;
	}
	return worst == EXIT_OK && c->failed ? EXIT_FOUND : worst;
}

int cmd_check(int argc, char **argv)
{
	struct check_options opt;
	struct options o = { 0 };
	struct session s;
	struct check c = { .session = &s, .opt = &opt, .all = &s };

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&s, &o, &opt);
	if (status < 0)
		status = check_files(&c, o.operands, o.n);
	status = session_end(&s, status);
	if (fflush(stdout)) {
		tell("pale check: cannot write: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return status;
}
