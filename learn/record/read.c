/* SPDX-License-Identifier: Apache-2.0 */
/* A recording's text, line by line. */
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/record/store.h"

struct reading {
	struct recordings *rs;
	struct str text;  /* what is left of it */
	const char *from; /* its beginning */
	size_t base;      /* arrivals that were there before */
	size_t file;
	size_t lines;  /* facts read */
	uint64_t seen; /* of the last run */
	struct recordings_fault *fault;
};

static int fail_at(struct reading *r, const char *at, size_t n, const char *what, const char *help)
{
	*r->fault = (struct recordings_fault){ what, help, (size_t)(at - r->from), n };
	return -1;
}

static int fail_line(struct reading *r, const struct line *w)
{
	return fail_at(r, w->at, 1, w->why,
		       "a recording is written by 'pale learn -r' and 'pale merge'; "
		       "pale-recording(5) says how its lines are made");
}

/* The next line, without its end. False: there is none, or it is cut off. */
static bool next_line(struct reading *r, struct str *line)
{
	const char *end = r->text.n ? memchr(r->text.p, '\n', r->text.n) : NULL;

	if (!end)
		return false;
	*line = (struct str){ r->text.p, (size_t)(end - r->text.p) };
	r->text.p += line->n + 1;
	r->text.n -= line->n + 1;
	return true;
}

static size_t runs_of(const struct reading *r)
{
	return r->rs->arrived.n - r->base;
}

/* ---- the runs ---- */

static int end_run(struct reading *r, const char *at)
{
	const char *lacks = runs_of(r) ? run_lacks(r->seen) : NULL;
	const struct recorded_run *run =
		runs_of(r) ? &r->rs->arrived.v[r->rs->arrived.n - 1].run : NULL;

	if (!lacks && run && run->no_calls && run->no_files)
		return fail_at(
			r, at, 1,
			arena_printf(r->rs->arena,
				     "run %zu is said to have neither calls nor files", runs_of(r)),
			"one of 'no-calls' and 'no-files' can be so: what is left is proposed");
	if (!lacks)
		return 0;
	return fail_at(r, at, 1,
		       arena_printf(r->rs->arena, "run %zu lacks its '%s'", runs_of(r), lacks),
		       "it stands on a line of its own, such as 'run 1 id ...'");
}

/* "run N WORD ...": N is the last run, or the next one. */
static int read_run(struct reading *r, struct str line)
{
	struct line w = { .arena = r->rs->arena, .rest = { line.p + 4, line.n - 4 } };
	struct arrival fresh = { .file = r->file };
	uint64_t n;

	if (r->lines)
		return fail_at(r, line.p, 3, "runs stand above all facts", NULL);
	if (!take_number(&w, "the run", RECORDINGS_RUNS, &n))
		return fail_line(r, &w);
	if (n == runs_of(r) + 1) {
		if (end_run(r, line.p))
			return -1;
		vec_push(r->rs->arena, &r->rs->arrived, fresh);
		r->seen = 0;
	} else if (!n || n != runs_of(r)) {
		return fail_at(r, line.p + 4, 1,
			       "runs are numbered from 1 on, each after the other", NULL);
	}
	if (!run_read(&w, &r->rs->arrived.v[r->rs->arrived.n - 1].run, &r->seen))
		return fail_line(r, &w);
	return 0;
}

/* ---- the facts ---- */

/* The fact, by its text as it stands or as it is written; NULL after a fault. */
static struct stored *read_key(struct reading *r, struct str text)
{
	struct line w = { .arena = r->rs->arena, .rest = text };
	struct stored *s = store_find(r->rs, text);
	BUF_AUTO key = { 0 };
	struct fact f;

	if (s)
		return s;
	if (!fact_read(&w, &f)) {
		fail_line(r, &w);
		return NULL;
	}
	fact_print(&key, &f);
	if (key.failed)
		arena_no_memory(r->rs->arena);
	return store_key(r->rs, (struct str){ key.p, key.n });
}

static bool take_digits(struct str *s, uint64_t *out)
{
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (str_u64((struct str){ s->p, n }, out))
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

static bool take_char(struct str *s, char c)
{
	if (!s->n || *s->p != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

/* "RUN:COUNT" or "RUN:COUNT@FIRST"; false: it is none. */
static bool read_column(struct str *s, struct column *c)
{
	uint64_t run;

	*c = (struct column){ 0 };
	if (!take_digits(s, &run) || !run || run > RECORDINGS_RUNS || !take_char(s, ':') ||
	    !take_digits(s, &c->count))
		return false;
	c->run = (uint32_t)run - 1;
	return !take_char(s, '@') || (take_digits(s, &c->first_ns) && c->first_ns);
}

static int read_columns(struct reading *r, struct stored *s, struct str text)
{
	do {
		const char *at = text.p;
		struct column c;

		if (!read_column(&text, &c) || (text.n && *text.p != ' '))
			return fail_at(r, at, 1,
				       "a run's part of a fact is RUN:COUNT or RUN:COUNT@FIRST",
				       NULL);
		if (c.run >= runs_of(r))
			return fail_at(
				r, at, 1,
				arena_printf(r->rs->arena, "there is no run %u here", c.run + 1),
				NULL);
		c.run += (uint32_t)r->base;
		if (c.run < s->next)
			return fail_at(
				r, at, 1,
				"this run has the fact already, or stands behind a later one",
				NULL);
		store_column(r->rs, s, &c);
	} while (take_char(&text, ' '));
	return 0;
}

static int read_fact(struct reading *r, struct str line)
{
	const char *tab = line.n ? memchr(line.p, '\t', line.n) : NULL;
	struct stored *s;

	if (!runs_of(r))
		return fail_at(r, line.p, 1, "there is no run above this", NULL);
	if (!r->lines && end_run(r, line.p))
		return -1;
	if (!tab)
		return fail_at(r, line.p, line.n ? line.n : 1,
			       "a fact has a TAB and its runs behind it", NULL);
	s = read_key(r, (struct str){ line.p, (size_t)(tab - line.p) });
	r->lines++;
	return s ? read_columns(r, s,
				(struct str){ tab + 1, line.n - (size_t)(tab + 1 - line.p) }) :
		   -1;
}

/* ---- its ends ---- */

/* "end RUNS FACTS", and nothing behind it. */
static int read_end(struct reading *r, struct str line)
{
	struct line w = { .arena = r->rs->arena, .rest = { line.p + 4, line.n - 4 } };
	uint64_t runs, facts;

	if (!take_number(&w, "the number of runs", RECORDINGS_RUNS, &runs) ||
	    !take_number(&w, "the number of facts", UINT64_MAX, &facts) || !line_end(&w))
		return fail_line(r, &w);
	if (!r->lines && end_run(r, line.p))
		return -1;
	if (runs != runs_of(r) || facts != r->lines)
		return fail_at(
			r, line.p, line.n,
			arena_printf(r->rs->arena, "there are %zu runs and %zu facts above this",
				     runs_of(r), r->lines),
			"lines were lost or added; after an edit that is meant, mend the numbers");
	if (r->text.n)
		return fail_at(r, r->text.p, 1, "nothing is expected behind the end", NULL);
	return 0;
}

static int read_first(struct reading *r)
{
	static const char magic[] = "pale recording ";
	struct str line;

	if (!str_starts(r->text, magic) || !next_line(r, &line))
		return fail_at(
			r, r->from, 1, "this is no recording of pale's",
			"one begins with 'pale recording 1'; 'pale learn -r FILE' writes it");
	if (!str_is((struct str){ line.p, line.n + 1 }, RECORDINGS_FIRST))
		return fail_at(r, line.p + sizeof(magic) - 1, line.n - (sizeof(magic) - 1),
			       "a recording of another version than 1",
			       "read it with the pale that wrote it, or a newer one");
	return 0;
}

int recordings_read(struct recordings *rs, struct str text, size_t file,
		    struct recordings_fault *fault)
{
	struct reading r = { .rs = rs,
			     .text = text,
			     .from = text.p,
			     .base = rs->arrived.n,
			     .file = file,
			     .fault = fault };
	struct str line;

	BUG_ON(rs->settled);
	if (read_first(&r))
		return -1;
	while (next_line(&r, &line)) {
		if (str_starts(line, "end "))
			return read_end(&r, line);
		if (str_starts(line, "run ") ? read_run(&r, line) : read_fact(&r, line))
			return -1;
	}
	return fail_at(
		&r, r.text.p, 1, "the recording is cut off here: its last line is 'end ...'",
		"take a whole copy; the snapshot before it is not lost where '--every' wrote it");
}
