/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/check_apparmor.h"

#include <string.h>

#include "compiler/apparmor/features.h"
#include "compiler/rules/known.h"
#include "compiler/apparmor/parser.h"
#include "compiler/rules/rules.h"

int apparmor_checks_open(struct session *s, const struct options *o, struct apparmor_checks *out)
{
	const char *path = o->at[OPT_FEATURES].text;
	struct source *src;

	*out = (struct apparmor_checks){
		.library = aa_library_new(s->arena, s->sources, o->at[OPT_INCLUDE].list.v, NULL),
		.known = aa_known_new(s->arena),
		.releases = (unsigned)o->at[OPT_TARGET_RELEASE].number,
	};
	if (!path)
		return EXIT_OK;
	int err = source_load(s->sources, path, &src);
	if (err)
		return input_unreadable(s, path, err);
	out->features = aa_features_read(s->arena, src->text);
	if (!out->features) {
		tell("pale check: '%s' has more than %d bytes, and no parser reads it as features",
		     path, AA_FEATURES_MAX);
		return EXIT_FOUND;
	}
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

/* What two releases say alike is told once. */
static void tell_new(struct diags *ds, const struct diags *more)
{
	struct diags one = *more;

	vec_each(&more->list, d) {
		if (is_told(ds, *d))
			continue;
		one.list.v = d;
		one.list.n = 1;
		one.errors = (*d)->severity == SEVERITY_ERROR;
		diags_take(ds, &one);
	}
}

static bool ask(struct apparmor_checks *c, struct diags *ds, const struct aa_file *file,
		enum aa_release release)
{
	struct diags *own = diags_new(ds->arena, ds->sources);
	struct aa_asked asked = { .release = release, .kernel = c->features, .known = c->known };
	bool takes = aa_check(ds->arena, c->library, file, &asked, own);

	tell_new(ds, own);
	return takes;
}

static const char *name_of(struct arena *a, enum aa_release release)
{
	return arena_printf(a, "apparmor=%s", aa_release_name(release));
}

static void answer(struct apparmor_checks *c, struct target_check *asked,
		   const struct aa_file *file, enum aa_release release, bool well)
{
	bool takes = ask(c, asked->diags, file, release) && well;

	target_answer(asked, name_of(asked->diags->arena, release),
		      takes ? TARGET_TAKES : TARGET_REFUSES,
		      release == AA_RELEASE_4_0 ? "not measured: as 4.1 reads it" : "");
}

static enum target_says says_of(enum parser_answer answer)
{
	return answer == PARSER_TAKES   ? TARGET_TAKES :
	       answer == PARSER_REFUSES ? TARGET_REFUSES :
					  TARGET_UNASKED;
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

/* The parser that will load it, where there is one: its release as pale reads it, and itself. */
static void answer_installed(struct apparmor_checks *c, struct target_check *asked,
			     const struct aa_file *file, bool well)
{
	const struct source *src = file->source;
	struct span whole = { src->id, 0, 0 };
	struct parser_question q = { src->text, src, whole, asked->includes };
	enum parser_answer answer = find_installed(c, whole, asked->diags);
	enum aa_release release;
	const char *name;

	if (answer == PARSER_NOT_THERE)
		return;
	if (answer == PARSER_SHORT) {
		target_answer(asked, "apparmor", TARGET_UNASKED, "the parser that is installed");
		return;
	}
	name = arena_printf(asked->diags->arena, "apparmor=" PRISTR, STRARG(c->installed));
	if (!aa_release_of(c->installed, &release)) {
		target_answer(asked, name, TARGET_UNASKED, "pale does not know this release");
		return;
	}
	if (!ask(c, asked->diags, file, release) || !well)
		answer = PARSER_REFUSES;
	else if (!c->features)
		answer = parser_ask(&q, asked->diags);
	target_answer(asked, name, says_of(answer), "the parser that is installed");
}

void apparmor_checks_ask(struct apparmor_checks *c, struct session *one, struct source *src,
			 struct target_check *asked)
{
	struct diags *ds = diags_new(one->arena, c->library->sources);
	const struct aa_file *file;

	one->sources = c->library->sources;
	one->diags = asked->diags = ds;
	file = aa_parse_source(one->arena, src, ds);
	bool well = !ds->errors;
	for (unsigned r = 0; r < AA_RELEASE_NR; r++)
		if (c->releases >> r & 1)
			answer(c, asked, file, (enum aa_release)r, well);
	if (c->releases)
		return;
	answer(c, asked, file, AA_RELEASE_5_0, well);
	answer_installed(c, asked, file, well);
}
