/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/lint_jobs.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/jobs.h"
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
	return n > 1 && !r->fixing.on && all_regular(files) ? (unsigned)n : 1;
}

/* ---- there ---- */

struct outcome { /* of a file, before its findings */
	int status;
	bool apparmor, passed_over;
};

static void work(void *run, size_t item, struct buf *out)
{
	struct lint_run *r = run;
	struct outcome o = { 0 };
	size_t at = out->n;

	buf_add(out, &o, sizeof(o));
	r->packed = out;
	o.status = r->lint(r, &r->files->v[item]);
	o.apparmor = r->apparmor;
	o.passed_over = r->passed_over;
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
	diag_help(s->diags, d, "'--jobs 1' lints all files in one process");
	return EXIT_SYSTEM;
}

int lint_made_here(void *run)
{
	struct lint_run *r = run;
	struct session *s = r->session;
	struct findings *found = ARENA_NEW(s->arena, struct findings);
	struct str made = r->made->bytes;
	struct outcome o = { 0 };

	if (r->made->lost)
		return tell_lost(r, r->made->ended);
	memcpy(&o, made.p, sizeof(o));
	r->apparmor = o.apparmor;
	r->passed_over = o.passed_over;
	if (o.passed_over)
		return o.status;
	made = (struct str){ made.p + sizeof(o), made.n - sizeof(o) };
	if (!findings_unpack(s->arena, made, r->name, found))
		BUG("findings of another process");
	vec_each(&found->list, f)
		s->telling->starved |= f->diag->id == DIAG_PL020;
	if (r->baseline)
		baseline_mark(r->baseline, found);
	r->found = found;
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

static void take(void *run, size_t item, struct str bytes)
{
	take_made(run, item, &(struct lint_made){ .bytes = bytes });
}

static void lost(void *run, size_t item, int status)
{
	take_made(run, item, &(struct lint_made){ .lost = true, .ended = status });
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

	fflush(stdout);
	return jobs_run(&jobs);
}
