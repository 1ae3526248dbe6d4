/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/lint_jobs.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/jobs.h"
#include "compiler/cmd/lint_fixed.h"
#include "compiler/lint/pack.h"

enum {
	/* A process more for so many: it has to read again what they share. Measured, two against one:
	 * 16 AppArmor profiles take as long, 24 and 24 seccomp profiles less. */
	FILES_EACH = 12,
	UNASKED_MAX = 8, /* each takes some memory */
};

/* A pipe, or standard input, is there for one process alone. */
static bool all_regular(const lint_file_list *files)
{
	vec_each(files, f) {
		struct stat st;

		if (!strcmp(f->path, "-") || (!stat(f->path, &st) && !S_ISREG(st.st_mode)))
			return false;
	}
	return true;
}

static bool has_baseline(const lint_file_list *files)
{
	vec_each(files, f)
		if (f->config->options.at[OPT_BASELINE].given)
			return true;
	return false;
}

unsigned lint_jobs_for(const struct lint_run *r, const struct options *o,
		       const lint_file_list *files)
{
	const struct option_value *asked = &o->at[OPT_JOBS];
	size_t n = asked->given ? asked->number : files->n / FILES_EACH;

	if (!asked->given && n > UNASKED_MAX)
		n = UNASKED_MAX;
	if (!asked->given && n > 1 && n > jobs_processors())
		n = jobs_processors();
	if (n > files->n)
		n = files->n;
	return n > 1 && !(r->fixing.on && has_baseline(files)) && all_regular(files) ? (unsigned)n :
										       1;
}

/* ---- there ---- */

struct outcome { /* of a file, before its findings and what else is to be done */
	int status;
	bool apparmor, passed_over, starved, would, joined, asked_named;
	size_t findings, rest;
};

static void work(void *run, size_t item, struct buf *out)
{
	struct lint_run *r = run;
	struct outcome o = { 0 };
	size_t at = out->n;

	buf_add(out, &o, sizeof(o));
	r->packed = out;
	r->fixing.out.n = 0;
	r->fixing.would = r->all->telling->starved = false;
	o.status = r->lint(r, &r->files->v[item]);
	o.apparmor = r->apparmor;
	o.passed_over = r->passed_over;
	o.starved = r->all->telling->starved;
	o.would = r->fixing.would;
	o.joined = r->joined;
	o.asked_named = r->asked_named;
	o.findings = out->n - at - sizeof(o);
	o.rest = r->fixing.out.n;
	buf_add(out, r->fixing.out.p, r->fixing.out.n);
	out->failed |= r->fixing.out.failed;
	if (!out->failed)
		memcpy(out->p + at, &o, sizeof(o));
}

/* ---- here ---- */

static int tell_lost(struct lint_run *r, int status)
{
	struct session *s = r->session;
	struct diag *d;

	s->diags = diags_new(s->arena, s->sources);
	if (status != -1 && WIFSIGNALED(status))
		d = diag_add(s->diags, DIAG_PL457, NO_SPAN,
			     "not linted: its process was ended by signal %d", WTERMSIG(status));
	else
		d = diag_add(s->diags, DIAG_PL457, NO_SPAN, "not linted: its process has ended");
	diag_help(s->diags, d,
		  r->fixing.on ?
			  "the file is as it was; '--jobs 1' lints all files in one process" :
			  "'--jobs 1' lints all files in one process");
	return EXIT_SYSTEM;
}

/*
 * One process alone would have come to this file when those before it were fixed. So it is looked at
 * again where one of them was read for it, and where what went wrong is told as it is told here.
 */
static bool is_outdated(const struct lint_run *r, const struct outcome *o, struct str paths)
{
	if (!r->fixing.on || o->passed_over)
		return false;
	if (o->status || (o->joined && r->fixing.written.n))
		return true;
	if (!r->fixing.written.n)
		return false;
	for (const char *p = paths.p, *end = paths.p + paths.n; p < end; p += strlen(p) + 1)
		if (lint_written_has(r, p))
			return true;
	return false;
}

/* What is to become of its text. */
static void finish(struct lint_run *r, struct str rest, const struct lint_fixed *fixed)
{
	if (r->fixing.diff)
		buf_add(&r->fixing.out, rest.p, rest.n);
	else if (fixed->made && lint_fix_write(r, r->session, fixed))
		r->fixing.failed = true;
}

int lint_made_here(void *run)
{
	struct lint_run *r = run;
	struct session *s = r->session;
	struct findings *found = ARENA_NEW(s->arena, struct findings);
	struct str made = r->made->bytes, rest, paths = STR("");
	struct buf said = { .p = (char *)r->made->said.p, .n = r->made->said.n };
	struct lint_fixed *fixed = ARENA_NEW(s->arena, struct lint_fixed);
	struct outcome o = { 0 };

	if (r->made->lost) {
		tell_text(&said);
		return tell_lost(r, r->made->ended);
	}
	memcpy(&o, made.p, sizeof(o));
	made.p += sizeof(o);
	rest = (struct str){ made.p + o.findings, o.rest };
	if (r->fixing.on && !r->fixing.diff && rest.n)
		paths = lint_fixed_unpack(rest, fixed);
	if (o.asked_named && r->fixing.on && !r->fixing.diff)
		lint_named_once(r); /* at this time one process alone does */
	if (is_outdated(r, &o, paths))
		return lint_fix_here(r);
	tell_text(&said);
	r->apparmor = o.apparmor;
	r->passed_over = o.passed_over;
	s->telling->starved |= o.starved;
	r->fixing.would |= o.would;
	if (o.passed_over)
		return o.status;
	if (!r->fixing.diff) {
		made.n = o.findings;
		if (!findings_unpack(s->arena, made, r->name, found))
			BUG("findings of another process");
		if (r->baseline)
			baseline_mark(r->baseline, found);
		r->found = found;
	}
	if (r->fixing.on)
		finish(r, rest, fixed);
	return o.status;
}

static void take_made(struct lint_run *r, size_t item, const struct lint_made *made)
{
	int err;

	r->made = made;
	err = r->lint(r, &r->files->v[item]);
	r->status = err ? err : r->status;
	r->made = NULL;
}

static void take(void *run, size_t item, struct str bytes, struct str said)
{
	take_made(run, item, &(struct lint_made){ .bytes = bytes, .said = said });
}

static void lost(void *run, size_t item, int status, struct str said)
{
	take_made(run, item, &(struct lint_made){ .said = said, .lost = true, .ended = status });
}

size_t lint_by_jobs(struct lint_run *r, size_t first, unsigned processes)
{
	const struct jobs jobs = { .from = first,
				   .to = r->files->n,
				   .processes = processes,
				   .who = r,
				   .work = work,
				   .take = take,
				   .lost = lost };

	lint_written_forget(r); /* what is fixed by now they read so */
	fflush(stdout);
	return jobs_run(&jobs);
}
