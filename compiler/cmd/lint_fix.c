/* SPDX-License-Identifier: Apache-2.0 */
/* pale lint --fix and --diff: what is found is mended, each fix by itself proved. */
#include <errno.h>
#include <string.h>

#include "compiler/cmd/lint_fixed.h"
#include "compiler/cmd/runtime.h"
#include "compiler/fix/fix.h"

struct unproved {
	const struct finding *finding;
	const char *why;
};

/* One file. Its session is one of its own, and so are AppArmor's includes: texts stand in for it. */
struct fixing {
	struct lint_run *run;
	struct session *own; /* holds sources and what was tried */
	struct session at;   /* the linting at hand, in an arena of its own */
	struct fix_reading how;
	struct source *src;   /* the file as it is */
	struct fix_text text; /* of the round */
	size_t bytes;
	struct lint_fixed done;
	VEC(struct unproved) unproved; /* of the round */
};

/* Edits of what the file includes are never made. */
static bool is_of_file(const struct fixing *f, const struct fix *fix)
{
	vec_each(&fix->edits, e) {
		const struct source *src = source_of(f->at.sources, e->span);
		if (!src || !src->path != !f->src->path ||
		    (src->path && strcmp(src->path, f->src->path) != 0))
			return false;
	}
	return fix->edits.n > 0;
}

static bool may_fix(const struct fixing *f, const struct finding *found)
{
	const struct fix *fix = &found->diag->fix;

	return found->fate == FINDING_TOLD && selection_has(&f->run->selection, found->diag) &&
	       (f->run->fixing.unsafe || fix->safety == FIX_SAFE) && is_of_file(f, fix);
}

/* In an arena of its own, which goes with the next. */
static int lint_again(struct fixing *f, struct findings *out)
{
	struct lint_run *r = f->run;

	if (f->at.arena)
		arena_free(f->at.arena);
	f->at = *f->own;
	f->at.arena = arena_scratch(f->own->arena);
	f->at.diags = diags_new(f->at.arena, f->at.sources);
	r->session = &f->at;
	r->suppressions = (suppression_list){ 0 };
	int status = r->find(r);
	if (status || r->passed_over)
		return status;
	r->findings(r, out);
	return EXIT_OK;
}

/* ---- one fix ---- */

/* About the text: what rules say of its meaning is told only once it is read. */
static bool is_of_text(const struct diag *d, const struct diag *fixed)
{
	const char *id = diag_info(d->id)->id;

	return d->severity == SEVERITY_ERROR &&
	       (!strncmp(id, "PL", 2) || !strncmp(id, "SJ", 2) || d->id == fixed->id);
}

static bool has_error(const struct findings *all, const struct diag *d)
{
	vec_each(&all->list, f)
		if (f->diag->severity == SEVERITY_ERROR && f->diag->id == d->id &&
		    !strcmp(f->diag->text, d->text))
			return true;
	return false;
}

/* Without an error of before, and none is new: asked of the linter itself, on the text that stands in. */
static const char *prove_read(struct fixing *f, const struct findings *before, const struct diag *d,
			      struct str after)
{
	struct lint_run *r = f->run;
	struct session one = *f->own;
	suppression_list kept = r->suppressions;
	struct session *last = r->session;
	const char *why = NULL;
	struct findings all;
	size_t errors = 0, were = 0;

	one.arena = arena_scratch(f->own->arena);
	one.diags = diags_new(one.arena, one.sources);
	source_stand_in(f->own->sources, r->path, f->src, after);
	r->session = &one;
	r->suppressions = (suppression_list){ 0 };
	if (r->find(r)) {
		why = "the text with it is not read";
	} else {
		r->findings(r, &all);
		vec_each(&before->list, b)
			were += is_of_text(b->diag, d);
		vec_each(&all.list, b) {
			if (!is_of_text(b->diag, d))
				continue;
			errors++;
			if (!has_error(before, b->diag) && !why)
				why = arena_strdup(f->own->arena, b->diag->text);
		}
		if (!why && errors >= were)
			why = "the error would stay";
	}
	r->session = last;
	r->suppressions = kept;
	arena_free(one.arena);
	return why;
}

static const char *prove(struct fixing *f, const struct findings *all, const struct diag *d,
			 struct str after)
{
	const struct fix *fix = &d->fix;
	struct session one = *f->own;
	const char *why;

	if (fix->change == FIX_READ)
		return prove_read(f, all, d, after);
	one.arena = arena_scratch(f->own->arena);
	one.diags = diags_new(one.arena, one.sources);
	why = fix_prove(&one, &f->how, fix, f->src, f->text.text, after);
	why = why ? arena_strdup(f->own->arena, why) : NULL;
	arena_free(one.arena);
	return why;
}

static void tell_unproved(const struct fixing *f)
{
	vec_each(&f->unproved, u) {
		const struct finding *found = u->finding;
		const struct diag_info *info = diag_info(found->diag->id);
		struct place at = source_place(found->source, found->diag->span.begin);

		tell("pale lint: %s:%u: the fix of %s %s is not proved, and not made: %s",
		     f->run->name, at.line, info->id, info->slug, u->why);
	}
}

/* True: one was made. */
static bool fix_round(struct fixing *f, const struct findings *all)
{
	bool any = false;

	f->unproved.n = 0;
	f->text = (struct fix_text){ .arena = f->own->arena,
				     .base = f->text.text,
				     .text = f->text.text };
	vec_each(&all->list, found) {
		const struct fix *fix = &found->diag->fix;
		const char *why;
		struct str after;
		if (!may_fix(f, found))
			continue;
		if (f->done.made >= FIX_FILE_MAX || f->bytes > FIX_BYTES_MAX)
			break;
		f->bytes += f->text.text.n * 4;
		if (!fix_try(&f->text, fix, &after) || str_eq(after, f->text.text))
			continue;
		why = prove(f, all, found->diag, after);
		if (why) {
			vec_push(f->own->arena, &f->unproved, ((struct unproved){ found, why }));
			continue;
		}
		fix_keep(&f->text, fix, after);
		f->done.made++;
		f->done.made_of[found->diag->id]++;
		any = true;
	}
	return any;
}

/* ---- writing ---- */

/* Does the file still hold what was read? */
static bool is_unchanged(const struct lint_run *r, struct arena *a, struct str before)
{
	struct sources *now = sources_new(a);
	struct source *src;

	return !source_load(now, r->path, &src) && str_eq(src->text, before);
}

static void tell_made(const struct lint_run *r, const struct lint_fixed *f)
{
	BUF_AUTO ids = { 0 };

	for (unsigned i = 0; i < DIAG_NR; i++) {
		if (!f->made_of[i])
			continue;
		buf_printf(&ids, "%s%s", ids.n ? ", " : "", diag_info((enum diag_id)i)->id);
		if (f->made_of[i] > 1)
			buf_printf(&ids, " (%zu)", f->made_of[i]);
	}
	tell("pale lint: %s: %zu fix%s made: %s", r->name, f->made, f->made == 1 ? "" : "es",
	     ids.p ? ids.p : "");
}

int lint_fix_write(struct lint_run *r, struct session *s, const struct lint_fixed *f)
{
	BUF_AUTO out = { 0 };

	if (!is_unchanged(r, s->arena, f->before)) {
		struct diag *d =
			diag_add(s->diags, DIAG_PL433, NO_SPAN,
				 "'%s' was changed while it was looked at: it is left as it is now",
				 str_safe(s->arena, r->path));
		diag_help(s->diags, d, "run it again");
		session_report(s);
		return EXIT_SYSTEM;
	}
	buf_add(&out, f->after.p, f->after.n);
	if (write_output(r->path, &out, 0666))
		return EXIT_SYSTEM;
	tell_made(r, f);
	lint_written_add(r);
	return EXIT_OK;
}

static int write_fixed(struct fixing *f, struct str text)
{
	struct lint_run *r = f->run;

	f->done.before = f->src->text;
	f->done.after = text;
	if (r->fixing.diff) {
		r->fixing.would |= !str_eq(text, f->src->text);
		fix_put_diff(&r->fixing.out, f->own->arena, r->name, f->src->text, text);
		return EXIT_OK;
	}
	if (!strcmp(r->path, "-") || r->text) {
		buf_add(&r->fixing.out, text.p, text.n);
		return EXIT_OK;
	}
	if (r->packed) {
		lint_fixed_pack(&f->done, f->own->sources, &r->fixing.out);
		return EXIT_OK;
	}
	return f->done.made ? lint_fix_write(r, f->own, &f->done) : EXIT_OK;
}

/* ---- a file ---- */

static int open_file(struct fixing *f)
{
	struct lint_run *r = f->run;
	struct session *s = f->own;

	f->how = (struct fix_reading){
		.path = r->path,
		.decide = { .resolve = r->resolve, .runtime = r->runtime },
		.library = r->profiles.reading.checks.library,
		.asked = r->profiles.reading.asked,
		.apparmor = r->apparmor,
	};
	if (source_load(s->sources, r->path, &f->src))
		return EXIT_SYSTEM;
	f->text = (struct fix_text){ .text = f->src->text };
	return EXIT_OK;
}

static int fix_rounds(struct fixing *f, struct findings *all)
{
	struct lint_run *r = f->run;
	int status = EXIT_OK;

	for (unsigned round = 0; round < FIX_ROUNDS; round++) {
		if (!fix_round(f, all)) {
			tell_unproved(f);
			return EXIT_OK;
		}
		source_stand_in(f->own->sources, r->path, f->src, f->text.text);
		status = lint_again(f, all);
		if (status)
			return status;
	}
	tell("pale lint: %s: more can be fixed: run it again", r->name);
	return EXIT_OK;
}

/* Finds what there is to fix. */
static int fix_open(struct lint_run *r, struct fixing *f, struct findings *all)
{
	int status;

	r->fixing.inside = true;
	f->run = r;
	f->own = r->session;
	r->fixing.arena = f->own->arena;
	r->profiles = (struct lint_profiles){ .paths = aa_paths_new(f->own->arena) };
	status = apparmor_reading_open(f->own, r->options, &r->options->at[OPT_TARGET_RELEASE],
				       &r->profiles.reading);
	if (!status)
		status = lint_again(f, all);
	if (!status && !r->passed_over)
		status = open_file(f);
	return status;
}

static bool touches(const struct lint_offer *o, struct span sp)
{
	return sp.begin <= o->end && (sp.end >= o->begin || sp.begin >= o->begin);
}

int lint_offer_here(void *run)
{
	struct lint_run *r = run;
	struct fixing *f = ARENA_NEW(r->session->arena, struct fixing);
	struct findings *all = ARENA_NEW(r->session->arena, struct findings);
	int status = fix_open(r, f, all);

	if (status || r->passed_over) {
		r->fixing.inside = false;
		return status;
	}
	f->text = (struct fix_text){ .arena = f->own->arena,
				     .base = f->src->text,
				     .text = f->src->text };
	vec_each(&all->list, found) {
		const struct diag *d = found->diag;
		struct str after;

		if (f->bytes > FIX_BYTES_MAX || !may_fix(f, found) ||
		    !touches(r->fixing.offer, d->span))
			continue;
		f->bytes += f->src->text.n * 4;
		if (fix_try(&f->text, &d->fix, &after) && !str_eq(after, f->src->text) &&
		    !prove(f, all, d, after))
			r->fixing.offer->put(r->fixing.offer->to, all, found);
	}
	r->found = all;
	r->fixing.inside = false;
	return EXIT_OK;
}

int lint_fix_here(void *run)
{
	struct lint_run *r = run;
	struct fixing *f = ARENA_NEW(r->session->arena, struct fixing);
	struct findings *all = ARENA_NEW(r->session->arena, struct findings);
	int status = fix_open(r, f, all);

	if (!status && !r->passed_over)
		status = fix_rounds(f, all);
	r->found = status || r->passed_over ? NULL : all;
	if (r->found && write_fixed(f, f->text.text))
		r->fixing.failed = true;
	r->fixing.inside = false;
	return status;
}

int lint_fix_options(struct lint_run *r, const struct options *o)
{
	const struct option_value *fix = &o->at[OPT_FIX];

	r->fixing.diff = o->at[OPT_DIFF].given;
	r->fixing.on = fix->given || r->fixing.diff;
	r->fixing.unsafe = fix->given && fix->word == 1;
	r->fixing.to_stdout = r->fixing.on && !r->fixing.diff && r->has_stdin;
	if (r->fixing.to_stdout && o->n > 1)
		return usage_error(o->command,
				   "'--fix' writes standard input to standard output: no other "
				   "files beside it");
	if (r->fixing.on && o->at[OPT_WRITE_BASELINE].given)
		return usage_error(o->command, "one of '--%s' and '--write-baseline', not both",
				   fix->given ? "fix" : "diff");
	return EXIT_OK;
}

int lint_fix_end(struct lint_run *r, struct buf *out)
{
	int err = 0;

	if (r->fixing.diff || r->fixing.to_stdout)
		err = write_output(NULL, &r->fixing.out, 0);
	buf_free(&r->fixing.out);
	if (err || r->fixing.diff)
		return err;
	report_end(&r->report, out);
	if (!r->fixing.to_stdout)
		return write_output(NULL, out, 0);
	tell_text(out);
	return 0;
}
