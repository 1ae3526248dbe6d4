/* SPDX-License-Identifier: Apache-2.0 */
/* pale lint: findings in policies, Docker/OCI JSON and AppArmor's text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/json_write.h"
#include "compiler/file/kind.h"
#include "compiler/apparmor/means.h"
#include "compiler/cmd/ask_apparmor.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/runtime.h"
#include "compiler/cmd/wrap.h"
#include "compiler/lint/lint.h"
#include "compiler/oci/oci.h"
#include "grammar/parse.h"

enum lint_format { FORMAT_TEXT, FORMAT_JSON };

/* AppArmor files share what they include and mean: some at a time, for the memory it takes. */
struct lint_profiles {
	struct apparmor_reading reading;
	struct arena *arena;
	struct lint_apparmor with;
	size_t left; /* files until the arena is emptied */
};

enum { FILES_AT_A_TIME = 64 };

struct lint_run {
	struct session *session, *all;
	const char *path, *name; /* of the file at hand; - has another name */
	struct resolve_options resolve;
	const struct oci_runtime *runtime; /* NULL: any */
	enum lint_format format;
	enum severity threshold; /* SEVERITY_NR - 1: any finding counts */
	bool never;              /* --error-on none */
	bool colour;
	bool found;     /* a finding at or above the threshold */
	size_t written; /* findings in the JSON document so far */
	size_t counts[SEVERITY_NR];
	struct buf out;
	struct lint_profiles profiles;
	bool apparmor; /* the file at hand */
};

/* ---- rules ---- */

static const char *formats_text(unsigned formats)
{
	return formats == (LINT_PALE | LINT_JSON)             ? "json,pale" :
	       formats == LINT_JSON                           ? "json" :
	       formats & (LINT_APPARMOR | LINT_APPARMOR_FILE) ? "apparmor" :
								"pale";
}

static void put_rule_json(struct json_writer *w, const struct lint_rule *r)
{
	const struct diag_info *info = diag_info(r->id);

	json_line(w, "\n");
	json_open(w, NULL, '{');
	json_text(w, "id", info->id);
	json_text(w, "slug", info->slug);
	json_text(w, "severity", severity_name(info->severity));
	json_text(w, "formats", formats_text(r->formats));
	json_text(w, "summary", info->doc);
	json_text(w, "explanation", r->explain);
	json_close(w, '}');
}

static void list_rules_json(struct buf *out)
{
	struct json_writer w = { .out = out, .compact = true };

	json_open(&w, NULL, '{');
	json_open(&w, "rules", '[');
	for (size_t i = 0; i < lint_rule_count(); i++)
		put_rule_json(&w, lint_rule_at(i));
	json_line(&w, "\n");
	json_close(&w, ']');
	json_close(&w, '}');
	buf_putc(out, '\n');
}

static int list_rules(enum lint_format format)
{
	BUF_AUTO out = { 0 };

	if (format == FORMAT_JSON)
		list_rules_json(&out);
	for (size_t i = 0; i < lint_rule_count() && format != FORMAT_JSON; i++) {
		const struct lint_rule *r = lint_rule_at(i);
		const struct diag_info *info = diag_info(r->id);

		buf_printf(&out, "%-6s %-28s %-8s %-10s %s\n", info->id, info->slug,
			   severity_name(info->severity), formats_text(r->formats), info->doc);
	}
	return write_output(NULL, &out, 0) ? EXIT_SYSTEM : EXIT_OK;
}

static bool names_rule(const char *word, const struct diag_info *info)
{
	return str_ieq(str_c(word), str_c(info->id)) || str_ieq(str_c(word), str_c(info->slug));
}

static int explain_rule(const struct command *c, const char *word)
{
	const struct lint_rule *r = NULL;
	struct suggest near;
	BUF_AUTO out = { 0 };

	suggest_start(&near, str_c(word));
	for (size_t i = 0; i < lint_rule_count() && !r; i++) {
		const struct diag_info *info = diag_info(lint_rule_at(i)->id);

		if (names_rule(word, info))
			r = lint_rule_at(i);
		suggest_offer(&near, str_c(info->id));
		suggest_offer(&near, str_c(info->slug));
	}
	for (unsigned i = 0; i < DIAG_NR; i++) {
		const struct diag_info *info = diag_info((enum diag_id)i);

		if (r ? r->id != i : !names_rule(word, info))
			continue;
		buf_printf(&out, "%s %s (%s): %s\n", info->id, info->slug,
			   severity_name(info->severity), info->doc);
		break;
	}
	if (r) {
		struct wrap w = { .out = &out };
		buf_putc(&out, '\n');
		wrap_text(&w, r->explain);
		buf_putc(&out, '\n');
	}
	if (out.n)
		return write_output(NULL, &out, 0) ? EXIT_SYSTEM : EXIT_OK;
	if (near.best.p)
		return usage_error(c, "no rule '%s'; did you mean '" PRISTR "'?", word,
				   STRARG(near.best));
	return usage_error(c, "no rule '%s'; --list-rules shows them", word);
}

/* ---- files ---- */

static void lint_profile(struct session *s, struct source *src, const struct oci_runtime *rt)
{
	const struct json *root = json_parse(s->arena, src, s->diags);
	struct inside inside;

	if (root && !s->diags->errors && kind_find_profile(s, root, src, &inside))
		lint_json(s->arena, inside.profile, rt, s->diags);
}

static void tell_program(struct session *s, const struct source *src)
{
	struct diag *d = diag_add(s->diags, DIAG_PL021, (struct span){ src->id, 0, 0 },
				  "this is a BPF program, which lint does not read");

	diag_help(s->diags, d,
		  "'pale import' makes a policy of it, which lint reads; 'pale check' tells "
		  "its dead instructions");
}

/* The library's sources are lent: so that what is included is read once, the file is one of them. */
static int lint_text(struct lint_run *r, const char *path)
{
	struct lint_profiles *p = &r->profiles;
	struct session *s = r->session;
	struct aa_library *library = p->reading.checks.library;
	struct source *src;
	int err = source_load(library->sources, path, &src);

	if (err)
		return input_unreadable(s, path, err);
	s->sources = library->sources;
	s->diags = diags_new(s->arena, s->sources);
	if (!p->left--) {
		arena_free(p->arena);
		p->arena = NULL;
	}
	if (!p->arena) {
		p->arena = arena_scratch(r->all->arena);
		p->left = FILES_AT_A_TIME - 1;
		p->with = (struct lint_apparmor){
			.library = library,
			.asked = { .release = p->reading.release,
				   .kernel = p->reading.checks.features },
			.pool = aa_means_pool_new(p->arena, p->reading.release),
		};
	}
	const struct aa_file *file = aa_parse_source(p->arena, src, s->diags);
	if (!s->diags->errors)
		lint_apparmor(p->arena, &p->with, file, s->diags);
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
		lint_profile(s, src, r->runtime);
	if (format != INPUT_PALE || s->diags->errors || (n > 5 && !strcmp(path + n - 5, ".json")))
		return;
	struct ast_file *file = pale_parse_source(s->arena, src, s->diags);
	struct policies *policies;

	if (!s->diags->errors && !file->stmts)
		input_tell_empty(s, src);
	if (s->diags->errors)
		return;
	policies = policy_resolve(s->arena, file, &r->resolve, s->diags);
	if (!s->diags->errors)
		lint_pale(s->arena, file, policies, r->runtime, s->diags);
}

static void put_summary(struct lint_run *r, const char *name, const size_t counts[SEVERITY_NR])
{
	size_t total = 0;
	const char *sep = ": ";

	for (unsigned i = 0; i < SEVERITY_NR; i++)
		total += counts[i];
	buf_safe(&r->out, str_c(name));
	buf_printf(&r->out, ": %zu finding%s", total, total == 1 ? "" : "s");
	for (unsigned i = 0; i < SEVERITY_NR; i++) {
		if (!counts[i])
			continue;
		buf_printf(&r->out, "%s%zu %s", sep, counts[i], severity_name((enum severity)i));
		sep = ", ";
	}
	if (r->apparmor)
		buf_printf(&r->out, "; for apparmor %s\n",
			   aa_release_name(r->profiles.reading.release));
	else
		buf_printf(&r->out, "; for %s%s\n", runtime_name(r->session->arena, r->runtime),
			   r->runtime ? "" : " runtime");
}

static void put_findings(struct lint_run *r, const char *name)
{
	struct diags *ds = r->session->diags;
	size_t counts[SEVERITY_NR] = { 0 };

	diags_sort(ds);
	for (size_t i = 0; i < ds->list.n; i++) {
		const struct diag *d = ds->list.v[i];

		counts[d->severity]++;
		r->counts[d->severity]++;
		r->session->telling->starved |= d->id == DIAG_PL020;
		r->found |= !r->never && d->severity <= r->threshold;
		if (r->format == FORMAT_TEXT) {
			diag_print_text(ds, d, r->colour, &r->out);
			buf_putc(&r->out, '\n');
			continue;
		}
		buf_puts(&r->out, r->written++ ? ",\n" : "\n");
		diag_print_json(ds, d, &r->out);
		r->out.n--; /* its newline */
	}
	if (r->format == FORMAT_JSON)
		return;
	if (ds->errors > ds->cap)
		buf_printf(&r->out, "%zu more errors are not shown\n", ds->errors - ds->cap);
	put_summary(r, name, counts);
}

static int lint_here(void *run)
{
	struct lint_run *r = run;
	struct session *s = r->session;
	struct source *src;
	int err = source_load(s->sources, r->path, &src);

	s->diags = diags_new(s->arena, s->sources); /* the cap on errors is a file's */
	if (err)
		return input_unreadable(s, r->path, err);
	if (!strcmp(r->path, "-"))
		r->name = src->name;
	r->apparmor = kind_of(src->text) == kind_apparmor;
	if (r->apparmor)
		return lint_text(r, r->path);
	lint_source(r, src, r->path);
	return EXIT_OK;
}

static int lint_file(struct lint_run *r, const char *path)
{
	struct session own, *all = r->session;

	r->session = session_for(all, &own, path);
	r->path = r->name = path;
	r->apparmor = false;
	int status = session_guard(r->session, lint_here, r);
	put_findings(r, r->name);
	r->session->diags = diags_new(r->session->arena, r->session->sources);
	session_done(all, r->session);
	r->session = all;
	return status == EXIT_FOUND ? EXIT_OK : status;
}

static int lint_files(struct lint_run *r, char **files)
{
	int status = EXIT_OK;

	if (r->format == FORMAT_JSON)
		buf_puts(&r->out, "{\"findings\":[");
	for (; *files; files++) {
		int err = lint_file(r, *files);

		status = err ? err : status;
	}
	if (r->format == FORMAT_JSON) {
		struct json_writer w = { .out = &r->out, .compact = true, .begun = true };
		json_line(&w, "\n");
		json_close(&w, ']');
		json_open(&w, "summary", '{');
		for (unsigned i = 0; i < SEVERITY_NR; i++)
			json_number(&w, severity_name((enum severity)i), r->counts[i]);
		json_close(&w, '}');
		json_text(&w, "runtime", runtime_name(r->session->arena, r->runtime));
		json_close(&w, '}');
		buf_putc(&r->out, '\n');
	}
	if (write_output(NULL, &r->out, 0))
		return EXIT_SYSTEM;
	if (status || r->session->telling->starved)
		return EXIT_SYSTEM;
	return r->found ? EXIT_FOUND : EXIT_OK;
}

/* ---- the command ---- */

/* -1: go on; else the exit status. */
static int read_options(struct lint_run *r, const struct options *o)
{
	const struct option_value *on = &o->at[OPT_ERROR_ON], *runtime = &o->at[OPT_RUNTIME];
	int rc = -1;

	r->format = o->at[OPT_FORMAT].word ? FORMAT_JSON : FORMAT_TEXT;
	r->never =
		on->given && on->word == SEVERITY_NR; /* the words are the severities, then none */
	if (on->given && !r->never)
		r->threshold = (enum severity)on->word;
	if (environment_options(o, &r->resolve))
		return EXIT_USAGE;
	r->resolve.set_dirs = set_directories(r->session->arena, r->resolve.set_dirs);
	if (runtime->given && strcmp(runtime->text, "any") != 0)
		rc = runtime_given(r->session, o, &r->runtime);
	return rc;
}

static int run_lint(struct lint_run *r, const struct options *o)
{
	int rc = read_options(r, o);

	if (rc >= 0)
		return rc;
	if (o->at[OPT_EXPLAIN].given)
		return explain_rule(o->command, o->at[OPT_EXPLAIN].text);
	if (o->at[OPT_LIST_RULES].given)
		return list_rules(r->format);
	if (!o->n)
		return usage_error(o->command, "no file given");
	if (!o->at[OPT_RUNTIME].given)
		r->runtime = runtime_here_or_any(r->session);
	rc = apparmor_reading_open(r->session, o, &r->profiles.reading);
	if (rc)
		return rc;
	if (session_report(r->session)) /* no finding of a file */
		return EXIT_FOUND;
	return lint_files(r, o->operands);
}

int cmd_lint(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;
	struct lint_run r = { .session = &s,
			      .all = &s,
			      .threshold = SEVERITY_WARNING,
			      .resolve = { .keep_when = true } };

	session_open(&s);
	r.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = run_lint(&r, &o);
	buf_free(&r.out);
	return session_end(&s, status);
}
