/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/check_apparmor.h"

#include <string.h>

#include "compiler/apparmor/features.h"
#include "compiler/rules/known.h"
#include "compiler/apparmor/parser.h"
#include "compiler/rules/rules.h"

/* As they are written, each once: of two that are read alike each has its line. */
static void take_versions(struct arena *a, const struct option_value *target,
			  struct apparmor_checks *out)
{
	vec_each(&target->list, text) {
		bool there = false;

		vec_each(&out->versions, v)
			there |= str_is(*v, *text);
		if (!there)
			vec_push(a, &out->versions, str_c(*text));
	}
}

int apparmor_checks_open(struct session *s, const struct options *o,
			 const struct option_value *target, struct apparmor_checks *out)
{
	const char *path = o->at[OPT_FEATURES].text;
	struct source *src;

	*out = (struct apparmor_checks){
		.library = aa_library_new(s->arena, s->sources, o->at[OPT_INCLUDE].list.v, NULL),
		.known = aa_known_new(s->arena, false),
	};
	take_versions(s->arena, target, out);
	if (path && target->kernel)
		return usage_error(o->command, "--features says what the kernel has, and --target "
					       "which it is: leave one of them out");
	if (!path && target->kernel)
		out->features = aa_features_of_kernel(s->arena, target->kernel);
	if (!path)
		return EXIT_OK;
	int err = source_load(s->sources, path, &src);
	if (err)
		return input_unreadable(s, path, err);
	if (!aa_features_right(src, s->diags))
		return EXIT_FOUND;
	out->features = aa_features_read(s->arena, src->text);
	return EXIT_OK;
}

static bool is_told(const struct diags *ds, const struct diag *d)
{
	vec_each(&ds->list, it)
		if ((*it)->id == d->id && (*it)->span.source == d->span.source &&
		    (*it)->span.begin == d->span.begin && !strcmp((*it)->text, d->text))
			return true;
	return false;
}

/* What two releases say alike is told once; of all, as many errors as of one run. */
static void tell_new(struct diags *ds, const struct diags *more)
{
	struct diags one = *more;

	vec_each(&more->list, d) {
		if (is_told(ds, *d))
			continue;
		if ((*d)->severity == SEVERITY_ERROR && ds->errors >= ds->cap) {
			ds->errors++; /* counted as one more that is not shown */
			continue;
		}
		one.list.v = d;
		one.list.n = 1;
		one.errors = (*d)->severity == SEVERITY_ERROR;
		diags_take(ds, &one);
	}
}

static enum target_says ask(struct apparmor_checks *c, struct diags *ds, const struct aa_file *file,
			    enum aa_release release)
{
	static const enum target_says says[] = { [AA_CHECK_TAKES] = TARGET_TAKES,
						 [AA_CHECK_REFUSES] = TARGET_REFUSES,
						 [AA_CHECK_UNDECIDED] = TARGET_UNDECIDED };
	struct diags *own = diags_new(ds->arena, ds->sources);
	struct aa_asked asked = { .release = release, .kernel = c->features, .known = c->known };
	enum aa_checked verdict = aa_check(ds->arena, c->library, file, &asked, NULL, own);

	tell_new(ds, own);
	return says[verdict];
}

/* One line: of a release, or of a version that is read as that. */
static void answer(struct apparmor_checks *c, struct target_check *asked,
		   const struct aa_file *file, struct str version, bool well, const char *detail)
{
	const char *name = arena_printf(asked->diags->arena, "apparmor=" PRISTR, STRARG(version));
	enum aa_release release;
	enum target_says says;

	if (!aa_release_of(version, &release)) {
		target_answer(asked, name, TARGET_UNASKED, "pale does not know this release");
		return;
	}
	says = ask(c, asked->diags, file, release);
	target_answer(asked, name, well ? says : TARGET_REFUSES, detail);
}

/* Which parser is here? It is asked once; where the system is short of something, again. */
static enum parser_answer find_installed(struct apparmor_checks *c, struct span whole,
					 struct diags *ds)
{
	struct str version;
	enum parser_answer answer;

	if (c->knows_installed)
		return c->installed.p ? PARSER_TAKES : PARSER_NOT_THERE;
	answer = parser_version(whole, &version, ds);
	if (answer == PARSER_SHORT)
		return answer;
	c->knows_installed = true;
	if (answer == PARSER_TAKES)
		c->installed = str_c(str_dup(c->library->arena, version));
	return answer;
}

/* The parser that will load it, where there is one: what pale knows of its release. */
static void answer_installed(struct apparmor_checks *c, struct target_check *asked,
			     const struct aa_file *file, bool well)
{
	static const char of[] = "the parser that is installed";
	struct span whole = { file->source->id, 0, 0 };
	enum parser_answer found = find_installed(c, whole, asked->diags);
	const char *doubt;

	if (found == PARSER_NOT_THERE)
		return;
	if (found == PARSER_SHORT) {
		target_answer(asked, "apparmor", TARGET_UNASKED, of);
		return;
	}
	doubt = aa_release_doubt(c->installed);
	if (*doubt)
		answer(c, asked, file, c->installed, well,
		       arena_printf(asked->diags->arena, "%s, %s", of, doubt));
	else
		answer(c, asked, file, c->installed, well, of);
}

void apparmor_checks_ask(struct apparmor_checks *c, struct session *one, struct source *src,
			 struct target_check *asked)
{
	struct diags *ds = diags_new(one->arena, c->library->sources);
	const struct aa_file *file;
	bool well;

	one->sources = c->library->sources;
	one->diags = asked->diags = ds;
	file = aa_parse_source(one->arena, src, ds);
	well = !ds->errors;
	vec_each(&c->versions, v)
		answer(c, asked, file, *v, well, aa_release_doubt(*v));
	if (c->versions.n)
		return;
	answer(c, asked, file, STR("5.0"), well, "");
	answer_installed(c, asked, file, well);
}
