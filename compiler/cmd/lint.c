/* SPDX-License-Identifier: Apache-2.0 */
/* pale lint: findings in policies, Docker/OCI JSON and AppArmor's text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/file/kind.h"
#include "compiler/cmd/lint_config.h"
#include "compiler/cmd/lint_files.h"
#include "compiler/cmd/lint_jobs.h"
#include "compiler/cmd/lint_rules.h"
#include "compiler/cmd/lint_run.h"
#include "compiler/cmd/runtime.h"
#include "compiler/deploy/deploy.h"
#include "compiler/file/unit.h"
#include "compiler/lint/pack.h"
#include "compiler/lint/questions.h"
#include "compiler/oci/oci.h"
#include "grammar/parse.h"

enum {
	FILES_AT_A_TIME = 256,
	KEPT_MAX = 64 << 20, /* bytes: behind a file that takes more the next begins anew */
};

/* What the command line and one pale.toml, or none, say of files. */
struct lint_settings {
	struct resolve_options resolve;
	const struct oci_runtime *runtime; /* NULL: any */
	struct selection selection;
	struct baseline *baseline; /* NULL: none is given */
	struct lint_profiles profiles;
	enum severity threshold; /* report's, as the next two are */
	bool never;
	struct selection fail_on;
};

/* ---- files ---- */

/* What standard input is called, in what is said of it and for what hangs on a name. */
static const char *name_stdin(const struct lint_run *r, struct source *src)
{
	if (r->stdin_name)
		src->name = r->stdin_name;
	return src->name;
}

static void drop_profiles(struct lint_profiles *p)
{
	lint_work_end(&p->work);
	arena_free(p->arena);
	p->arena = NULL;
}

/*
 * The library's sources are lent: so that what is included is read once, the file is one of them. Until
 * profiles.lent is taken back its profiles are read in an arena that is lent, too.
 */
static int lend_library(struct lint_run *r, const char *path, struct source **src)
{
	struct lint_profiles *p = &r->profiles;
	struct session *s = r->session;
	struct aa_library *library = p->reading.checks.library;

	if (r->text && library->sources != s->sources)
		source_give(library->sources, path, *r->text);
	int err = source_load(library->sources, path, src);
	if (err)
		return input_unreadable(s, path, err);
	if (!strcmp(path, "-"))
		r->name = name_stdin(r, *src);
	s->sources = library->sources;
	s->diags = diags_new(s->arena, s->sources);
	if (!p->left-- || (p->arena && arena_size(p->arena) > KEPT_MAX))
		drop_profiles(p);
	bool first = !p->arena;
	p->lent = !r->fixing.on; /* whose sessions end within the file's */
	if (p->lent)
		p->arena = session_lend(s, p->arena);
	else if (first)
		p->arena = arena_scratch(r->fixing.arena);
	if (first) {
		p->left = FILES_AT_A_TIME - 1;
		p->with = (struct lint_apparmor){
			.library = library,
			.asked = p->reading.asked,
			.work = &p->work,
			.paths = p->paths,
		};
	}
	return EXIT_OK;
}

/* The operator's: what is found in the text is told where that stands. */
static void lint_inner(struct lint_run *r, const struct source *file,
		       const struct deploy_apparmor *p)
{
	struct session *s = r->session;
	struct diags *own = diags_new(s->arena, s->sources);
	struct inner in = { source_add(s->sources, file->name, p->text), file->id, p->at };
	const struct aa_file *text = aa_parse_source(r->profiles.arena, in.source, own);
	size_t before = r->suppressions.n;

	if (!own->errors)
		lint_apparmor(r->profiles.arena, &r->profiles.with, text, own);
	lint_apparmor_name(own);
	suppress_read_comments(s->arena, in.source, &text->comments, &r->suppressions);
	for (; before < r->suppressions.n; before++) {
		struct suppression *said = &r->suppressions.v[before];

		said->place = inner_span(&in, said->place);
		said->covers = inner_span(&in, said->covers);
	}
	inner_move_diags(&in, own);
	diags_take(s->diags, own);
}

/* A SeccompProfile of the security profiles operator, with its base where a file has it. */
static void judge_operators(struct lint_run *r, const struct json *spec)
{
	const struct lint_filter with = { .runtime = r->runtime, .questions = r->questions };

	r->joined = true;
	lint_operator_profile(r->session->arena, &with, spec,
			      lint_has_base(spec) ? lint_named_once(r) : NULL, r->session->diags);
}

static void judge_starts(struct lint_run *r, const struct source *src, const struct deployment *d)
{
	struct session *s = r->session;
	const struct lint_filter with = { .runtime = r->runtime,
					  .questions = r->questions,
					  .systemd = r->options->at[OPT_SYSTEMD].word };

	r->joined = true;
	vec_each(&d->profiles, p)
		judge_operators(r, *p);
	vec_each(&d->apparmor, p)
		lint_inner(r, src, *p);
	lint_deployment(s->arena, &with, d,
			lint_asks_apparmor(s->arena, d) ? lint_named_once(r) : NULL, s->diags);
}

/* By its name, of an object that is of nothing else: its keys may all be misspelt. */
static bool is_named_daemon(const struct source *src, const struct json *root)
{
	static const char *const others[] = { "defaultAction", "syscalls", "apiVersion",
					      "ociVersion" };
	const char *slash = strrchr(src->name, '/');

	if (strcmp(slash ? slash + 1 : src->name, "daemon.json") || root->kind != JSON_OBJECT ||
	    !root->first)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (json_get_fold(root, others[i]))
			return false;
	return true;
}

/* daemon.json, objects of Kubernetes with pods in them. */
static bool lint_starts_in_json(struct lint_run *r, const struct source *src,
				const struct json *root)
{
	struct session *s = r->session;
	bool daemon = deploy_is_daemon(root) || is_named_daemon(src, root);
	const struct deployment *d;

	if (!daemon && !(root->kind == JSON_OBJECT && json_get(root, "apiVersion")))
		return false;
	d = deploy_of_json(s->arena, src, root, daemon ? DEPLOY_DAEMON : DEPLOY_KUBERNETES);
	bool holds =
		d->containers.n || d->apparmor.n || d->bindings.n || d->profiles.n || d->unread.n;
	if (holds)
		judge_starts(r, src, d);
	vec_each(&d->profiles, p)
		suppress_read_json(s->arena, *p, &r->suppressions);
	return holds;
}

static void lint_profile(struct lint_run *r, struct source *src)
{
	struct session *s = r->session;
	const struct json *root = json_parse(s->arena, src, s->diags);
	struct inside inside;

	if (!root || s->diags->errors || lint_starts_in_json(r, src, root) ||
	    !kind_find_profile(s, root, src, &inside))
		return;
	const struct lint_filter with = { .runtime = r->runtime, .questions = r->questions };
	if (inside.operators)
		judge_operators(r, inside.profile);
	else
		lint_json(s->arena, &with, inside.profile, s->diags);
	suppress_read_json(s->arena, inside.profile, &r->suppressions);
}

static void tell_program(struct session *s, const struct source *src)
{
	struct diag *d = diag_add(s->diags, DIAG_PL021, (struct span){ src->id, 0, 0 },
				  "this is a BPF program, which lint does not read");

	diag_help(s->diags, d,
		  "'pale import' makes a policy of it, which lint reads; 'pale check' tells "
		  "its dead instructions");
}

static bool has_profile(const struct aa_stmt *s)
{
	for (; s; s = s->next)
		if (s->kind == AA_STMT_PROFILE ||
		    (s->kind == AA_STMT_IF && (has_profile(s->body) || has_profile(s->otherwise))))
			return true;
	return false;
}

static int lint_text(struct lint_run *r, const char *path)
{
	struct lint_profiles *p = &r->profiles;
	struct source *src;
	int err = lend_library(r, path, &src);

	if (err)
		return err;
	struct session *s = r->session;
	const struct aa_file *file = aa_parse_source(p->arena, src, s->diags);
	/* Abstractions and tunables are read with the profiles that include them. */
	r->passed_over = r->walked && !s->diags->errors && !has_profile(file->stmts);
	if (!r->passed_over && !s->diags->errors)
		lint_apparmor(p->arena, &p->with, file, s->diags);
	lint_apparmor_name(s->diags);
	suppress_read_comments(s->arena, src, &file->comments, &r->suppressions);
	p->lent = false;
	return EXIT_OK;
}

/* Everything that is wrong is a finding, also what keeps the rest from being read. */
static void lint_source(struct lint_run *r, struct source *src, const char *path)
{
	struct session *s = r->session;
	size_t n = strlen(path);

	enum input_format format = input_recognise(s, src);

	if (format == INPUT_BPF)
		tell_program(s, src);
	/* The name is asked only where the content says nothing. */
	if (format == INPUT_JSON ||
	    (format == INPUT_PALE && n > 5 && !strcmp(path + n - 5, ".json")))
		lint_profile(r, src);
	if (format != INPUT_PALE || s->diags->errors || (n > 5 && !strcmp(path + n - 5, ".json")))
		return;
	struct ast_file *file = pale_parse_source(s->arena, src, s->diags);
	struct policies *policies;

	if (!s->diags->errors && !file->stmts)
		input_tell_empty(s, src);
	if (s->diags->errors)
		return;
	policies = policy_resolve(s->arena, file, &r->resolve, s->diags);
	const struct lint_filter with = { .runtime = r->runtime, .questions = r->questions };
	if (!s->diags->errors)
		lint_pale(s->arena, &with, file, policies, s->diags);
	suppress_read_comments(s->arena, src, &file->comments, &r->suppressions);
}

static enum deploy_form deploy_form_of(const struct file_kind *kind)
{
	return kind_holds_profile(kind) ? DEPLOY_PROFILE :
	       kind == kind_compose     ? DEPLOY_COMPOSE :
	       kind == kind_kubernetes  ? DEPLOY_KUBERNETES :
	       kind == kind_shell       ? DEPLOY_RUN :
	       kind == kind_unit        ? DEPLOY_UNIT :
	       kind == kind_dockerfile  ? DEPLOY_DOCKERFILE :
					  DEPLOY_NONE;
}

static void tell_nothing_started(struct session *s, const struct source *src)
{
	struct diag *d = diag_add(s->diags, DIAG_PL456, (struct span){ src->id, 0, 0 },
				  "no command here starts a container");

	diag_help(
		s->diags, d,
		"docker, podman or nerdctl, with run, create or exec --privileged, is looked for");
}

static void lint_starts(struct lint_run *r, struct source *src, enum deploy_form form)
{
	struct session *s = r->session;
	struct diags *own = diags_new(s->arena, s->sources);
	struct deployment *d = deploy_read(s->arena, src, form, own);

	/* As a chart's templates/ are full of. */
	if (!d && form != DEPLOY_COMPOSE && kind_may_be_template(src->text)) {
		r->passed_over = r->walked;
		if (!r->walked)
			input_tell_other(s, src, kind_template);
		return;
	}
	diags_take(s->diags, own);
	if (!d)
		return;
	if (form == DEPLOY_UNIT) {
		unit_read_over(s, r->path, d);
		deploy_read_quadlet(d);
	}
	if (form == DEPLOY_RUN && !d->containers.n && !d->execs.n)
		tell_nothing_started(s, src);
	judge_starts(r, src, d);
	suppress_read_comments(s->arena, src, &d->comments, &r->suppressions);
}

static const char *reader_name(struct lint_run *r)
{
	struct arena *a = r->session->arena;

	if (r->apparmor)
		return arena_printf(a, "apparmor %s",
				    aa_release_name(r->profiles.reading.asked.release));
	return arena_printf(a, "%s%s", runtime_name(a, r->runtime), r->runtime ? "" : " runtime");
}

/* More of them than are kept are told where the last of those is. */
static void tell_cut(struct diags *ds)
{
	const struct diag *last = NULL;

	vec_each(&ds->list, d)
		last = (*d)->severity == SEVERITY_ERROR ? *d : last;
	if (ds->errors > ds->cap && last)
		diag_add(ds, DIAG_PL430, last->span, "%zu more errors are not shown",
			 ds->errors - ds->cap);
}

static void lint_findings(struct lint_run *r, struct findings *out)
{
	struct diags *ds = r->session->diags;

	tell_cut(ds);
	vec_each(&ds->list, d)
		r->session->telling->starved |= (*d)->id == DIAG_PL020;
	suppress_apply(ds, &r->suppressions);
	findings_of(ds, r->name, out);
	if (r->baseline && !r->packed)
		baseline_mark(r->baseline, out);
}

static void put_findings(struct lint_run *r)
{
	struct findings all;

	if (r->found)
		all = *r->found;
	else
		lint_findings(r, &all);
	if (r->packed) {
		findings_pack(&all, r->packed);
		return;
	}
	if (r->new_baseline)
		baseline_add(&all, &r->new_entries);
	findings_select(&all, &r->selection);
	all.reader = reader_name(r);
	if (r->put)
		r->put(r, &all);
	else
		report_file(&r->report, &all);
}

/* Of folders those alone come here in which nothing was found. */
static int tell_nothing_below(struct session *s, const char *folder)
{
	struct diag *d = diag_add(s->diags, DIAG_PL001, NO_SPAN,
				  "nothing that 'pale lint' takes up is below '%s'", folder);

	diag_help(s->diags, d, "pale(1) says what that is; a file that is named is always read");
	return EXIT_FOUND;
}

/* Only then is the library needed, which costs. */
static bool may_hold_apparmor(const struct file_kind *kind, struct str text)
{
	return (kind->format == INPUT_JSON || kind == kind_kubernetes ||
		kind_holds_profile(kind)) &&
	       memmem(text.p, text.n, "AppArmorProfile", 15);
}

static int lint_here(void *run)
{
	struct lint_run *r = run;
	struct session *s = r->session;
	struct source *src;
	int err = source_load(s->sources, r->path, &src);

	s->diags = diags_new(s->arena, s->sources); /* the cap on errors is a file's */
	r->passed_over =
		r->walked && (err == -EFBIG || (!err && !lint_file_wants(r->path, src->text)));
	if (r->passed_over)
		return EXIT_OK;
	if (err == -EISDIR)
		return tell_nothing_below(s, r->path);
	if (err)
		return input_unreadable(s, r->path, err);
	r->apparmor = kind_of_file(src->text, r->path) == kind_apparmor;
	if (r->apparmor)
		return lint_text(r, r->path);
	if (!strcmp(r->path, "-"))
		r->name = name_stdin(r, src);
	const struct file_kind *kind = kind_of_file(src->text, r->name);
	enum deploy_form form = deploy_form_of(kind);
	if (may_hold_apparmor(kind, src->text) && (err = lend_library(r, r->path, &src)))
		return err;
	if (form)
		lint_starts(r, src, form);
	else
		lint_source(r, src, r->name);
	r->profiles.lent = false;
	return EXIT_OK;
}

/* What counts for the file at hand. */
static void use_settings(struct lint_run *r, const struct lint_file *file)
{
	const struct lint_settings *of = file->config->settings;

	r->options = &file->config->options;
	r->resolve = of->resolve;
	r->runtime = of->runtime;
	r->selection = of->selection;
	r->baseline = of->baseline;
	r->profiles = of->profiles;
	r->asked = of->profiles.reading.asked;
	r->report.threshold = of->threshold;
	r->report.never = of->never;
	r->report.fail_on = of->fail_on;
	lint_config_ignores(&r->configs, file->config, file->path, &r->selection);
}

static int lint_file(struct lint_run *r, const struct lint_file *file)
{
	struct session own, *all = r->session;
	struct lint_settings *of = file->config->settings;
	struct lint_profiles shared;

	use_settings(r, file);
	shared = r->profiles;
	r->session = session_for(all, &own, file->path);
	r->path = r->name = file->path;
	if (r->text)
		source_give(r->session->sources, r->path, *r->text);
	r->walked = file->walked;
	r->apparmor = false;
	r->suppressions = (suppression_list){ 0 };
	r->found = NULL;
	r->passed_over = r->joined = r->asked_named = false;
	int status = session_guard(r->session,
				   r->made         ? lint_made_here :
				   r->fixing.offer ? lint_offer_here :
				   r->fixing.on    ? lint_fix_here :
						     lint_here,
				   r);
	bool cut =
		r->fixing.inside; /* what it needs passes the bound: the session has a new arena */
	if (cut)
		r->session = &own;
	if (cut && !r->fixing.offer)
		tell("pale lint: %s: its fixes need more memory than there may be: none is made; without "
		     "--fix it is looked at alone",
		     r->name);
	r->fixing.would |= cut;
	r->fixing.inside = false;
	if (r->profiles.lent) { /* its bound was met */
		drop_profiles(&r->profiles);
		r->profiles.lent = false;
	}
	if (!r->passed_over && !r->fixing.diff)
		put_findings(r);
	else if (status && !r->passed_over && !cut)
		session_report(
			r->session); /* findings are not shown, but why there is no patch is */
	if (r->fixing.on) {
		r->session = &own;
		r->profiles = shared;
	}
	r->session->diags = diags_new(r->session->arena, r->session->sources);
	session_done(all, r->session);
	r->session = all;
	of->profiles = r->profiles; /* what was read for them is there for the next */
	return status == EXIT_FOUND ? EXIT_OK : status;
}

static int write_baseline(struct lint_run *r)
{
	BUF_AUTO out = { 0 };

	baseline_end(&r->new_entries, &out);
	return write_output(r->new_baseline, &out, 0666);
}

static void tell_gone(const struct lint_run *r)
{
	size_t gone = 0;

	vec_each(&r->configs.list, c) {
		const struct lint_settings *of = (*c)->settings;

		gone += of && of->baseline ? baseline_gone(of->baseline) : 0;
	}
	if (gone)
		tell("pale lint: %zu finding%s of the baseline %s no more: --write-baseline leaves "
		     "%s out",
		     gone, gone == 1 ? "" : "s", gone == 1 ? "is" : "are",
		     gone == 1 ? "it" : "them");
}

static void free_profiles(struct lint_run *r)
{
	vec_each(&r->configs.list, c) {
		struct lint_settings *of = (*c)->settings;

		if (of)
			drop_profiles(&of->profiles);
	}
}

/* What the first one makes that files share is there for all processes. */
static void lint_each(struct lint_run *r, const struct options *o)
{
	const lint_file_list *files = r->files;
	unsigned processes = lint_jobs_for(r, o, files);
	size_t next = 0;

	while (next < files->n) {
		int err = lint_file(r, &files->v[next++]);

		r->status = err ? err : r->status;
		if (processes > 1)
			next = lint_by_jobs(r, next, processes);
		processes = 1; /* none could be made, or all have ended */
	}
}

static int lint_files(struct lint_run *r, const struct options *o, const lint_file_list *files)
{
	BUF_AUTO out = { 0 };

	r->files = files;
	lint_each(r, o);
	free_profiles(r);
	if (r->new_baseline && write_baseline(r))
		return EXIT_SYSTEM;
	tell_gone(r);
	if (lint_fix_end(r, &out))
		return EXIT_SYSTEM;
	if (r->report.left_out)
		tell("pale lint: %zu more findings are not in it: who reads %s takes no more",
		     r->report.left_out, r->format);
	if (r->status || r->session->telling->starved || r->fixing.failed)
		return EXIT_SYSTEM;
	if (r->fixing.diff)
		return r->fixing.would ? EXIT_FOUND : EXIT_OK;
	return r->report.failed ? EXIT_FOUND : EXIT_OK;
}

/* ---- the command ---- */

static int read_rules(struct lint_run *r, const struct options *o, enum option_id id)
{
	struct suggest near;

	vec_each(&o->at[id].list, text) {
		const char *list = *text;

		option_at(o, list);
		for (struct str word; option_item(&list, &word);)
			if (!selection_add(&r->selection, word, id == OPT_IGNORE, &near))
				return usage_error(o->command,
						   "'--%s' takes ids, slugs and their beginnings "
						   "(--list-rules); '" PRISTR "' is none" PRINEAR,
						   id == OPT_IGNORE ? "ignore" : "select",
						   STRARG(word), NEARARG(near));
	}
	option_at(o, NULL);
	return EXIT_OK;
}

static int read_selection(struct lint_run *r, const struct options *o)
{
	const struct option_value *severity = &o->at[OPT_SEVERITY];

	r->selection.above = severity->given;
	r->selection.least = (enum severity)severity->word;
	return read_rules(r, o, OPT_SELECT) ? EXIT_USAGE : read_rules(r, o, OPT_IGNORE);
}

static int read_stdin_name(struct lint_run *r, const struct options *o)
{
	r->stdin_name = o->at[OPT_STDIN_FILENAME].text;
	for (int i = 0; i < o->n; i++)
		r->has_stdin |= !strcmp(o->operands[i], "-");
	if (r->stdin_name && !r->has_stdin)
		return usage_error(o->command,
				   "'--stdin-filename' says what '-' is called, and '-' is no "
				   "file here");
	return EXIT_OK;
}

/* -1: go on; else the exit status. */
static int read_baseline(struct lint_run *r, const struct options *o)
{
	const char *path = o->at[OPT_BASELINE].text;
	struct session *s = r->session;
	struct source *src;

	r->baseline = NULL;
	r->new_baseline = o->at[OPT_WRITE_BASELINE].text;
	r->report.baseline |= path || r->new_baseline;
	if (r->new_baseline && check_writable(r->new_baseline))
		return EXIT_SYSTEM;
	if (!path)
		return -1;
	int err = source_load(s->sources, path, &src);
	if (err)
		return input_unreadable(s, path, err);
	const struct json *root = json_parse(s->arena, src, s->diags);
	if (root && !s->diags->errors)
		r->baseline = baseline_read(s->arena, root, s->diags);
	return r->baseline ? -1 : EXIT_USAGE;
}

static bool is_severity(struct str word, enum severity *out)
{
	for (*out = SEVERITY_ERROR; *out < SEVERITY_NR; (*out)++)
		if (str_is(word, severity_name(*out)))
			return true;
	return false;
}

static int wrong_level(const struct options *o, struct str word, struct suggest *near)
{
	for (unsigned i = 0; i < SEVERITY_NR; i++)
		suggest_offer(near, str_c(severity_name((enum severity)i)));
	suggest_offer(near, STR("none"));
	return usage_error(o->command,
			   "'--error-on' takes error, high, warning, info, none and rules "
			   "(--list-rules); '" PRISTR "' is none" PRINEAR,
			   STRARG(word), NEARARG(*near));
}

/* Of several severities the least one; rules alone: of no severity. */
static int read_threshold(struct lint_run *r, const struct options *o)
{
	const struct option_value *on = &o->at[OPT_ERROR_ON];
	struct report *out = &r->report;
	struct suggest near;

	out->threshold = on->given ? SEVERITY_ERROR : SEVERITY_WARNING;
	out->never = on->given;
	out->fail_on = (struct selection){ 0 };
	vec_each(&on->list, text) {
		const char *list = *text;

		option_at(o, list);
		for (struct str word; option_item(&list, &word);) {
			enum severity level;

			if (is_severity(word, &level)) {
				out->threshold = level > out->threshold ? level : out->threshold;
				out->never = false;
			} else if (!str_is(word, "none") &&
				   !selection_add(&out->fail_on, word, false, &near)) {
				return wrong_level(o, word, &near);
			}
		}
	}
	option_at(o, NULL);
	return EXIT_OK;
}

/* How it is written. */
static int read_format(struct lint_run *r, const struct options *o)
{
	const struct option_value *format = &o->at[OPT_LINT_FORMAT];

	r->format = format->given ? format->text : "text";
	r->report.format = report_format_find(r->format);
	r->report.statistics = o->at[OPT_STATISTICS].given;
	r->report.pages = o->at[OPT_RULE_PAGES].text;
	if (r->report.pages && !strstr(r->report.pages, "://"))
		return usage_error(o->command,
				   "'--rule-pages' takes a URL, such as "
				   "https://host/rules, not '%s'",
				   r->report.pages);
	if ((r->report.statistics || o->at[OPT_LIST_RULES].given) &&
	    strcmp(r->format, "text") != 0 && strcmp(r->format, "json") != 0)
		return usage_error(o->command, "'--%s' is text or json, not %s",
				   r->report.statistics ? "statistics" : "list-rules", r->format);
	return EXIT_OK;
}

/* -1: go on; else the exit status. */
static int read_options(struct lint_run *r, const struct options *o, bool runtime_too)
{
	const struct option_value *runtime = &o->at[OPT_RUNTIME];

	r->selection = (struct selection){ 0 };
	r->resolve = (struct resolve_options){ .keep_when = true };
	r->runtime = NULL;
	if (read_selection(r, o) || read_threshold(r, o) || environment_options(o, &r->resolve))
		return EXIT_USAGE;
	r->resolve.set_dirs = set_directories(r->session->arena, r->resolve.set_dirs);
	option_at(o, runtime->text);
	if (runtime_too && runtime->given && strcmp(runtime->text, "any") != 0)
		return runtime_given(r->session, o, &r->runtime);
	return -1;
}

/* The installed one, asked once. */
static const struct oci_runtime *runtime_here_once(struct lint_run *r)
{
	if (!r->here_asked)
		r->here = runtime_here_or_any(r->session);
	r->here_asked = true;
	return r->here;
}

/* EXIT_OK, or the exit status. */
static int open_settings(struct lint_run *r, struct lint_config *c)
{
	const struct options *o = &c->options;
	struct lint_settings *of = ARENA_NEW(r->session->arena, struct lint_settings);
	bool named = o->at[OPT_RUNTIME].text == r->configs.given->at[OPT_RUNTIME].text;
	int rc = read_options(r, o, !named);

	if (named)
		r->runtime = r->named;
	if (rc < 0 && !o->at[OPT_RUNTIME].given && !r->no_runtime)
		r->runtime = runtime_here_once(r);
	option_at(o, NULL);
	if (rc < 0)
		rc = read_baseline(r, o);
	r->profiles = (struct lint_profiles){ .paths = aa_paths_new(r->session->arena) };
	if (rc < 0)
		rc = apparmor_reading_open(r->session, o, &o->at[OPT_TARGET_RELEASE],
					   &r->profiles.reading);
	if (rc == EXIT_USAGE && c->path) /* it is no usage of the command line */
		rc = EXIT_FOUND;
	*of = (struct lint_settings){ .resolve = r->resolve,
				      .runtime = r->runtime,
				      .selection = r->selection,
				      .baseline = r->baseline,
				      .profiles = r->profiles,
				      .threshold = r->report.threshold,
				      .never = r->report.never,
				      .fail_on = r->report.fail_on };
	c->settings = of;
	return rc;
}

/* Does nothing of the run hang on the runtime? No text of AppArmor's does, but documents name it. */
static bool needs_no_runtime(const struct lint_run *r, const lint_file_list *files)
{
	if (r->fixing.on || !strcmp(r->format, "json") || !strcmp(r->format, "sarif"))
		return false;
	vec_each(files, f)
		if (!lint_file_is_apparmor(f->path))
			return false;
	return true;
}

/* Of each pale.toml that counts for some file, before the first of them is read. */
static int open_all_settings(struct lint_run *r, const lint_file_list *files)
{
	struct lint_config *here = lint_config_of(&r->configs, "pale.toml");
	int status = r->configs.status ? r->configs.status : read_format(r, &here->options);

	if (!status)
		status = r->configs.status; /* of the one here */
	r->no_runtime = needs_no_runtime(r, files);
	vec_each(files, f)
		if (!f->config->settings && !status)
			status = open_settings(r, f->config);
	const struct lint_settings *of = here->settings;
	if (!status)
		r->report.runtime = runtime_name(r->session->arena, of ? of->runtime : r->runtime);
	if (session_report(r->session) && !status) /* no finding of a file */
		status = EXIT_FOUND;
	return status;
}

static int run_lint(struct lint_run *r, const struct options *o)
{
	lint_file_list files = { 0 };
	int rc = read_format(r, o) ? EXIT_USAGE : read_options(r, o, true);

	if (rc >= 0)
		return rc;
	if (o->at[OPT_EXPLAIN].given)
		return lint_explain_rule(o->command, o->at[OPT_EXPLAIN].text);
	if (o->at[OPT_DOCS].given)
		return lint_write_docs(r->session, o->at[OPT_DOCS].text);
	if (o->at[OPT_LIST_RULES].given)
		return lint_list_rules(!strcmp(r->format, "json"));
	if (!o->n)
		return usage_error(o->command, "no file given");
	if (read_stdin_name(r, o) || lint_fix_options(r, o))
		return EXIT_USAGE;
	r->questions = questions_new(r->session->arena);
	r->named = r->runtime;
	rc = lint_configs_open(r->session, o, &r->configs);
	if (!rc)
		rc = lint_files_find(r->session, o->operands, &r->configs, &files);
	if (!rc)
		rc = open_all_settings(r, &files);
	return rc ? rc : lint_files(r, o, &files);
}

/* ---- files as they come ---- */

int lint_run_open(struct lint_run *r, struct session *s, const struct options *o)
{
	r->session = r->all = s;
	r->find = lint_here;
	r->findings = lint_findings;
	int rc = read_options(r, o, true);
	if (rc >= 0)
		return rc;
	r->questions = questions_new(s->arena);
	r->named = r->runtime;
	return lint_configs_open(s, o, &r->configs);
}

/* Its settings are there; false: told. */
static bool configured(struct lint_run *r, const char *path, struct lint_file *out)
{
	*out = (struct lint_file){ .path = path, .config = lint_config_of(&r->configs, path) };
	return !r->configs.status && (out->config->settings || !open_settings(r, out->config));
}

int lint_run_file(struct lint_run *r, const char *path, bool walked)
{
	struct lint_file file;

	if (!configured(r, path, &file))
		return EXIT_FOUND;
	file.walked = walked;
	if (lint_config_excludes(&r->configs, file.config, path))
		return EXIT_OK;
	return lint_file(r, &file);
}

bool lint_run_names(struct lint_run *r, const char *path, struct lint_names *out)
{
	struct lint_file file;

	if (!configured(r, path, &file))
		return false;
	const struct lint_settings *of = file.config->settings;
	*out = (struct lint_names){ of->resolve.set_dirs, of->profiles.reading.checks.library };
	return true;
}

void lint_run_end(struct lint_run *r)
{
	free_profiles(r);
	report_free(&r->report);
	buf_free(&r->new_entries);
	buf_free(&r->fixing.out);
}

/* ---- the command ---- */

int cmd_lint(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;
	struct lint_run r = { .session = &s,
			      .all = &s,
			      .find = lint_here,
			      .lint = lint_file,
			      .findings = lint_findings,
			      .report.threshold = SEVERITY_WARNING };

	session_open(&s);
	r.report.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = run_lint(&r, &o);
	report_free(&r.report);
	buf_free(&r.new_entries);
	return session_end(&s, status);
}
