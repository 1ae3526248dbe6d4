/* SPDX-License-Identifier: Apache-2.0 */
/* pale check: would every target's loader accept what this file says? */
#include <errno.h>
#include <getopt.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/apparmor/apparmor.h"
#include "compiler/apparmor/parser.h"
#include "compiler/base/bug.h"
#include "compiler/cbpf/prove.h"
#include "compiler/cbpf/reach.h"
#include "compiler/cmd/compile.h"
#include "compiler/file/decide.h"
#include "compiler/tell/decided.h"
#include "compiler/file/kind.h"
#include "compiler/cmd/runtime.h"

static const char help[] =
	"usage: pale check FILE...\n\n"
	"Reads each file (a policy, seccomp JSON, raw BPF, an AppArmor profile), writes every "
	"target\n"
	"that its layers call for and asks the loaders: bpf against the kernel's checks and the\n"
	"policy's own meaning, docker and oci through libseccomp, apparmor by apparmor_parser.\n"
	"Of raw BPF it tells the instructions that no call reaches; of several files each is "
	"named\n"
	"before its result. Exit status 1 when a target is refused.\n\n"
	"  -t, --target LIST  bpf, docker, oci, apparmor: only these\n"
	"  -I DIR             where AppArmor's includes and variables are; again for more\n"
	"  --runtime R        the container runtime that JSON is for; else the installed one\n"
	"  --policy NAME      one policy of a file that holds several\n"
	"  --caps LIST --kernel VERSION --host ARCH    what `when` asks about; what is not given "
	"is\n"
	"                     left open, and only docker's JSON, which can say it, is checked\n"
	"  --sets DIR         where sets are found\n"
	"  --arch LIST        only these of the listed architectures\n";

static const struct target_name {
	const char *name;
	unsigned bit;
} targets[] = {
	{ "bpf", TARGET_BPF },
	{ "docker", TARGET_DOCKER },
	{ "oci", TARGET_OCI },
	{ "apparmor", TARGET_APPARMOR },
};

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

static void say(struct check *c, const char *target, bool ok, const char *detail)
{
	printf("%-12s %s%s%s%s\n", target, ok ? "ok" : "refused", *detail ? " (" : "", detail,
	       *detail ? ")" : "");
	if (!ok)
		c->failed = true;
}

static void say_not_checked(struct check *c, const char *target)
{
	printf("%-12s not checked\n", target);
	c->failed = true;
}

/* The system, not the file, is why there is no answer. */
static bool is_starved(const struct diags *ds)
{
	for (size_t i = 0; i < ds->list.n; i++)
		if (ds->list.v[i]->id == DIAG_PL020)
			return true;
	return false;
}

static void say_open(const char *target)
{
	printf("%-12s not checked: it depends on the environment; give --caps, --kernel, --host\n",
	       target);
}

/* ---- seccomp ---- */

static void check_bpf(struct check *c, const struct policy *p)
{
	struct session *s = c->session;
	const char *families[ARCH_NR];
	unsigned n = cbpf_families(p, families);

	for (unsigned i = 0; i < n; i++) {
		struct cbpf_options opt = { .family = families[i] };
		struct cbpf_stack progs = { 0 };
		struct cbpf_proof proof;
		size_t at = 0, insns = 0;
		bool ok = cbpf_generate_stack(s->arena, p, &opt, &progs, s->diags) == 0;
		for (size_t k = 0; ok && k < progs.n; k++) {
			const char *why = cbpf_check(progs.v[k].insns, progs.v[k].n, &at);
			insns += progs.v[k].n;
			if (why)
				diag_add(s->diags, DIAG_PL143, p->span,
					 "the kernel would refuse instruction %zu: %s", at, why);
			ok = ok && !why;
		}
		ok = ok &&
		     cbpf_prove(s->arena, p, progs.v, progs.n, families[i], &proof, s->diags) == 0;
		say(c, arena_printf(s->arena, "bpf %s", families[i]), ok,
		    !ok ? "" :
		    progs.n > 1 ?
			  arena_printf(s->arena,
				       "%zu instructions in %zu programs, proved "
				       "for all calls",
				       insns, progs.n) :
			  arena_printf(s->arena, "%zu instructions, proved for all calls", insns));
	}
}

static void check_json(struct check *c, const struct policy *p, enum oci_dialect dialect,
		       const char *name)
{
	struct session *s = c->session;
	struct oci_write_options opt = { .dialect = dialect };
	BUF_AUTO out = { 0 };

	opt.runtime = c->opt->runtime;
	bool ok = oci_write(s->arena, p, &opt, &out, s->diags) == 0;
	if (!ok && is_starved(s->diags)) {
		say_not_checked(c, name);
		return;
	}
	BUF_AUTO runtime = { 0 };
	oci_runtime_print(&runtime, &opt.runtime);
	say(c, name, ok,
	    arena_printf(s->arena, "as %s loads it%s", runtime.p,
			 p->conditional ? ", in every environment" : ""));
}

/* What docker's notes said is not said again for oci, which differs in form only. */
static void check_jsons(struct check *c, const struct policy *p, unsigned which)
{
	struct session *s = c->session;

	if (which & TARGET_DOCKER)
		check_json(c, p, OCI_DIALECT_DOCKER, "docker");
	if (!(which & TARGET_OCI))
		return;
	struct diags *first = s->diags;
	if (which & TARGET_DOCKER)
		s->diags = diags_new(s->arena, s->sources);
	size_t errors = first->errors;
	check_json(c, p, OCI_DIALECT_OCI, "oci");
	if (s->diags != first && s->diags->errors && !errors)
		session_report(s);
	s->diags = first;
}

/* ---- apparmor ---- */

static void ask_parser(struct check *c, const struct source *src, struct span whole)
{
	struct parser_question q = { src->text, src, whole, c->opt->includes };

	switch (parser_ask(&q, c->session->diags)) {
	case PARSER_TAKES: say(c, "apparmor", true, "apparmor_parser takes it"); return;
	case PARSER_REFUSES: say(c, "apparmor", false, ""); return;
	case PARSER_NOT_THERE:
		diag_add(c->session->diags, DIAG_PL143, whole,
			 "there is no apparmor_parser here to ask");
		break;
	case PARSER_SHORT: break;
	}
	say_not_checked(c, "apparmor");
}

static void check_apparmor(struct check *c, const struct policy *p)
{
	struct session *s = c->session;
	struct apparmor_options opt = { .abi = "abi/3.0" };
	BUF_AUTO out = { 0 };

	if (apparmor_write(s->arena, p, &opt, &out, s->diags) < 0)
		say(c, "apparmor", false, "");
	else
		ask_parser(c,
			   source_add(s->sources,
				      arena_printf(s->arena, "<profile of " PRISTR ">",
						   STRARG(p->name)),
				      (struct str){ out.p, out.n }),
			   p->span);
}

/* ---- files ---- */

/* Docker's JSON has conditions of its own; the other targets are for one environment. */
static void check_seccomp(struct check *c, const struct policy *p)
{
	unsigned which = c->opt->targets;

	if (!p->conditional) {
		if (which & TARGET_BPF)
			check_bpf(c, p);
		check_jsons(c, p, which);
		return;
	}
	if (which & TARGET_BPF)
		say_open("bpf");
	check_jsons(c, p, TARGET_DOCKER);
	if (which & TARGET_OCI)
		say_open("oci");
}

static void check_policy(struct check *c, const struct policy *p)
{
	printf("policy " PRISTR "\n", STRARG(p->name));
	policy_check(p, c->session->diags);
	if (p->layers & LAYER_SECCOMP)
		check_seccomp(c, p);
	/* Resource rules under a condition that is open are not there. */
	if (p->layers & LAYER_APPARMOR && c->opt->targets & TARGET_APPARMOR) {
		if (c->open)
			say_open("apparmor");
		else
			check_apparmor(c, p);
	}
	if (session_report(c->session))
		c->failed = true;
}

/* "3, 7..9": what is false, told as ranges; how many. */
static size_t put_unreached(struct buf *out, const bool *reached, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t last = i;
		if (reached[i])
			continue;
		while (last + 1 < n && !reached[last + 1])
			last++;
		buf_printf(out, last > i ? "%s%zu..%zu" : "%s%zu", count ? ", " : "", i, last);
		count += last - i + 1;
		i = last;
	}
	return count;
}

/* Answers that stand in the program and that no call gets. */
static void put_never(struct buf *out, const struct cbpf *prog, const bool *reached)
{
	const char *sep = "";

	for (size_t i = 0; i < prog->n; i++) {
		const struct sock_filter *f = &prog->insns[i];
		bool given = reached[i] || (f->code & 0x1f) != (BPF_RET | BPF_K);
		for (size_t k = 0; k < prog->n && !given; k++)
			given = (prog->insns[k].code & 0x1f) == (BPF_RET | BPF_K) &&
				prog->insns[k].k == f->k && (reached[k] || k < i);
		if (given)
			continue;
		buf_puts(out, *sep ? sep : "; never answered: ");
		verdict_print(out, verdict_from_ret(f->k));
		sep = ", ";
	}
}

static void tell_dead_code(struct session *s, const struct source *src, const struct cbpf *prog)
{
	bool *reached = ARENA_ARRAY(s->arena, bool, prog->n);
	BUF_AUTO where = { 0 };

	if (cbpf_reach(dd_new(s->arena, DECIDE_BUDGET), s->arena, prog, reached) < 0) {
		struct diag *d = diag_add(s->diags, DIAG_PL285, NO_SPAN,
					  "%s: whether calls reach "
					  "all instructions is not decided",
					  src->name);
		diag_help(s->diags, d, "'pale explain' shows those that decide a call");
		return;
	}
	size_t n = put_unreached(&where, reached, prog->n);
	if (!n)
		return;
	put_never(&where, prog, reached);
	struct diag *d = diag_add(s->diags, DIAG_PL284, NO_SPAN,
				  "%s: no call reaches instruction%s "
				  "%.*s",
				  src->name, n > 1 ? "s" : "", (int)where.n, where.p);
	diag_help(s->diags, d,
		  "'pale import' and 'pale compile' write the same filter without them");
}

static int check_program(struct check *c, struct source *src)
{
	struct session *s = c->session;
	struct cbpf prog;
	bool ok = cbpf_read(s->arena, src, &prog, s->diags) == 0;

	if (ok)
		tell_dead_code(s, src, &prog);
	say(c, "bpf", ok, ok ? arena_printf(s->arena, "%zu instructions", prog.n) : "");
	return session_report(s) || !ok ? EXIT_FOUND : EXIT_OK;
}

/* The profile as it stands, through the library that runtimes load it with. */
static void check_profile(struct check *c, const struct source *src, struct str text)
{
	struct session *s = c->session;
	struct cbpf prog;
	const char *why = NULL;
	const struct environment *env = &c->opt->input.resolve.env;
	enum arch host = env->host_known ? env->host : (enum arch)arch_native();
	int err = oci_libseccomp(s->arena, text, host, env, 10000, &prog, &why);

	if (err && err != -EINVAL && err != -ETIMEDOUT && err != -EOPNOTSUPP) {
		diag_add(s->diags, DIAG_PL020, NO_SPAN,
			 "libseccomp could not be asked about '%s': %s", src->name, strerror(-err));
		say_not_checked(c, "libseccomp");
	} else {
		if (err)
			diag_add(s->diags, DIAG_PL143, NO_SPAN, "libseccomp does not load '%s': %s",
				 src->name,
				 err == -ETIMEDOUT ? "it took more than 10 s" :
				 why               ? why :
						     strerror(-err));
		say(c, "libseccomp", !err,
		    err ? "" : arena_printf(s->arena, "%zu instructions", prog.n));
	}
	if (session_report(s))
		c->failed = true;
}

/* What was cut off, or never written, is no policy that is well. */
static int tell_empty(struct session *s, const struct source *src)
{
	input_tell_empty(s, src);
	session_report(s);
	return EXIT_FOUND;
}

static int check_file(struct check *c, const char *path)
{
	struct session *s = c->session;
	struct source *src;
	struct input in;

	if (source_load(s->sources, path, &src) == 0 && kind_of(src->text) == kind_apparmor) {
		ask_parser(c, src, (struct span){ src->id, 0, 0 });
		return session_report(s) ? EXIT_FOUND : EXIT_OK;
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
		check_profile(c, in.source, in.profile);
		return EXIT_OK;
	}
	if (in.format == INPUT_BPF)
		return check_program(c, in.source);
	parse.parse_only = false;
	/* Whoever asks for one target asks for what it would be: that needs an environment. */
	c->open = (c->opt->targets == ~0u || c->opt->targets == TARGET_DOCKER) &&
		  input_is_open(s, &parse, &in);
	parse.resolve.keep_when = c->open;
	status = input_resolve(s, &parse, &in);
	if (status)
		return status;
	if (session_report(s))
		return EXIT_FOUND;
	if (!in.ast->stmts)
		return tell_empty(s, in.source);
	if (!in.policies->list.n && !c->opt->policy) { /* a file of sets: resolving was the check */
		say(c, "sets", true, "");
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

static int read_targets(const char *list, unsigned *out)
{
	*out = 0;
	while (*list) {
		size_t n = strcspn(list, ",");
		bool found = false;
		for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
			if (strlen(targets[i].name) != n || memcmp(targets[i].name, list, n))
				continue;
			*out |= targets[i].bit;
			found = true;
		}
		if (!found)
			return -EINVAL;
		list += n + (list[n] == ',');
	}
	return *out ? 0 : -EINVAL;
}

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
			if (read_targets(optarg, &o->targets) < 0)
				return usage_error(self, "targets are bpf, docker, oci, apparmor");
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
	return -1;
}

int cmd_check(int argc, char **argv)
{
	struct session s;
	struct check_options o = { .targets = ~0u };
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
		status = check_file(&c, argv[i]);
		worst = status > worst ? status : worst;
	}
	worst = session_end(&s, worst == EXIT_OK && c.failed ? EXIT_FOUND : worst);
	if (fflush(stdout)) {
		tell("pale check: cannot write: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return worst;
}
