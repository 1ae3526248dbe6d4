/* SPDX-License-Identifier: Apache-2.0 */
/* What every command needs: a session, its report, what it tells. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "compiler/cmd/cmd.h"

/* ---- commands ---- */

static const struct command commands[] = {
#define COMMAND(name, fn, forms, summary, about, after)                                            \
	{ name, summary, forms, about, after, NULL },
#include "compiler/cmd/commands.def"
#undef COMMAND
};

const struct command *command_at(size_t i)
{
	BUG_ON(i >= ARRAY_SIZE(commands));
	return &commands[i];
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	BUG("no such command");
}

/* ---- sessions ---- */

static _Noreturn void tell_no_memory(int status)
{
	fputs("pale: out of memory\n", stderr);
	exit(status);
}

/* An arena's handler takes nothing, so there is one for each status to leave with. */
static void leave_without_memory(void)
{
	tell_no_memory(EXIT_SYSTEM);
}

static void leave_run_without_memory(void)
{
	tell_no_memory(EXIT_PALE);
}

/*
 * What one file may cost, whatever its shape, is 1 GiB; the arenas are all of a process but some
 * MiB. The bounds of single steps come before this one, and know the rule.
 */
enum {
	SESSION_MIB_MAX = 768,
	COMPILE_MIB_MAX = 256, /* more than what policy_check_size() lets pass takes */
};

/* The file itself, where it is known; else what is likeliest to be meant. */
static const struct source *largest_source(const struct session *s)
{
	const struct source *largest = NULL;

	vec_each(&s->sources->list, it) {
		if (s->telling->path && !strcmp((*it)->name, s->telling->path))
			return *it;
		if (!largest || (*it)->text.n > largest->text.n)
			largest = *it;
	}
	return largest;
}

static void tell_file_bound(const struct session *s, struct diags *ds)
{
	const struct source *src = largest_source(s);
	struct diag *d = diag_add(ds, DIAG_PL218, NO_SPAN,
				  "'%s' (%zu bytes) needs more than %d MiB of memory",
				  src ? src->name : "this", src ? src->text.n : 0, SESSION_MIB_MAX);

	diag_help(
		ds, d,
		"no policy or profile in use comes near it: write fewer rules, values or entries");
}

/* Another session, with an arena of its own, which reports as this one does. */
static struct session said_by(const struct session *s)
{
	struct session own = { .arena = arena_new(leave_without_memory) };

	own.telling = ARENA_NEW(own.arena, struct telling);
	*own.telling = (struct telling){ .json = s->telling->json,
					 .failure = s->telling->failure,
					 .several = s->telling->several,
					 .path = s->telling->path };
	return own;
}

/* At once, and not in what is left behind: its places are those of the full session's sources. */
static void tell_compile_bound(struct session *s)
{
	struct session own = said_by(s);
	const struct policy *p = s->telling->compiled;
	struct call_cost cost = policy_dearest_call(p);
	const struct call_rule *r = cost.dearest;

	/* What finds the lines of a source stands in the full arena, and is small. */
	arena_bound(s->arena, SIZE_MAX, NULL, NULL);
	own.sources = s->sources;
	own.diags = diags_new(own.arena, own.sources);
	struct diag *d = diag_add(own.diags, DIAG_PL220, r->origin ? r->origin->span : p->span,
				  "to compile policy '" PRISTR
				  "' takes more than %d MiB of memory: most is %s's, "
				  "%zu rules with %zu comparisons, this one with most",
				  STRARG(p->name), COMPILE_MIB_MAX,
				  r->sys ? r->sys->name : "a number", cost.rules, cost.comparisons);
	diag_help(own.diags, d,
		  "join values into ranges or masks, or leave the distinction to the default");
	session_report(&own);
	s->telling->elsewhere = own.telling->elsewhere;
	s->telling->named = own.telling->named;
	arena_free(own.arena);
}

/* The session's arena is full: what is to be said stands in one of its own. */
static void leave_at_bound(void *who)
{
	struct session *s = who, own = said_by(s);
	jmp_buf *back = s->telling->at_bound;

	own.sources = sources_new(own.arena);
	own.diags = diags_new(own.arena, own.sources);
	if (s->telling->compiled)
		tell_compile_bound(s);
	else
		tell_file_bound(s, own.diags);
	own.telling->elsewhere = s->telling->elsewhere;
	own.telling->named = s->telling->named;
	if (back) {
		session_close(s);
		*s = own;
		session_bound(s);
		longjmp(*back, 1);
	}
	session_report(&own);
	exit(s->telling->failure == EXIT_PALE ? EXIT_PALE : EXIT_FOUND);
}

int session_guard(struct session *one, int (*fn)(void *who), void *who)
{
	jmp_buf back;

	if (setjmp(back))
		return EXIT_FOUND;
	one->telling->at_bound = &back;
	int status = fn(who);
	one->telling->at_bound = NULL;
	return status;
}

static void open_with(struct session *s, struct arena *arena, int failure)
{
	const char *format = getenv("PALE_DIAG");

	*s = (struct session){ .arena = arena };
	s->sources = sources_new(s->arena);
	s->diags = diags_new(s->arena, s->sources);
	s->telling = ARENA_NEW(s->arena, struct telling);
	s->telling->failure = failure;
	s->telling->json = format && !strcmp(format, "json");
}

void session_bound(struct session *s)
{
	arena_bound(s->arena, (size_t)SESSION_MIB_MAX << 20, leave_at_bound, s);
}

struct arena *session_lend(struct session *one, struct arena *a)
{
	if (!a)
		a = arena_new(leave_without_memory);
	arena_bound(a, (size_t)SESSION_MIB_MAX << 20, leave_at_bound, one);
	return a;
}

void session_bound_compile(struct session *s, const struct policy *p)
{
	size_t all = (size_t)SESSION_MIB_MAX << 20;
	size_t most = arena_taken(s->arena) + ((size_t)COMPILE_MIB_MAX << 20);

	s->telling->compiled = p && p->calls.n && most < all ? p : NULL;
	arena_bound(s->arena, s->telling->compiled ? most : all, leave_at_bound, s);
}

void session_open(struct session *s)
{
	open_with(s, arena_new(leave_without_memory), EXIT_SYSTEM);
	session_bound(s);
}

void session_open_unbound(struct session *s)
{
	open_with(s, arena_new(leave_without_memory), EXIT_SYSTEM);
}

/* What is wrong and was not told. */
static void tell_rest(struct session *s)
{
	if (s->diags->errors)
		session_report(s);
}

/* Errors told so far in what inputs depend on, word for word. */
struct several {
	struct arena *arena;
	struct table table;
	VEC(struct str) told;
};

struct session *session_for(struct session *s, struct session *own, const char *path)
{
	struct telling *all = s->telling;

	if (!all->several) {
		all->several = ARENA_NEW(s->arena, struct several);
		all->several->arena = s->arena;
	}
	open_with(own, all->emptied ? all->emptied : arena_new(leave_without_memory), EXIT_SYSTEM);
	all->emptied = NULL;
	session_bound(own);
	own->sources->lender = s->sources;
	own->telling->several = all->several;
	own->telling->path = path;
	own->telling->json = all->json;
	return own;
}

static void tell_dependence(struct session *one)
{
	struct diag *d =
		diag_add(one->diags, DIAG_PL320, NO_SPAN, "'%s' depends on '%s', which has errors",
			 one->telling->path, one->telling->elsewhere);

	diag_help(one->diags, d,
		  "they are told once for all files that depend on it: mend them there");
	session_report(one);
}

void session_done(struct session *s, struct session *one)
{
	tell_rest(one);
	if (one->telling->elsewhere && !one->telling->named)
		tell_dependence(one);
	s->telling->starved |= one->telling->starved;
	arena_empty(one->arena);
	s->telling->emptied = one->arena;
}

void session_open_run(struct session *s)
{
	open_with(s, arena_new(leave_run_without_memory), EXIT_PALE);
}

void session_close(struct session *s)
{
	arena_free(s->telling->emptied);
	arena_free(s->arena);
	*s = (struct session){ 0 };
}

int session_end(struct session *s, int status)
{
	tell_rest(s);
	int end = status == EXIT_FOUND && s->telling->starved ? s->telling->failure : status;

	session_close(s);
	return end;
}

static bool told_before(struct several *all, struct str text)
{
	struct table_walk it = table_start(hash_str(text));
	size_t at;

	while ((at = table_next(&all->table, &it)) != TABLE_END)
		if (str_eq(all->told.v[at], text))
			return true;
	table_add(all->arena, &all->table, hash_str(text), all->told.n);
	vec_push(all->arena, &all->told, ((struct str){ str_dup(all->arena, text), text.n }));
	return false;
}

/* An error whose text stands in `out` from there on: is it one of a file that several depend on? */
static void note_error(struct session *s, const struct diag *d, struct buf *out, size_t from)
{
	const struct source *src = source_of(s->sources, d->span);
	struct telling *t = s->telling;
	const char *own = strcmp(t->path, "-") ? t->path : "<stdin>";

	if (!src || !strcmp(src->name, own)) {
		t->named = true;
		return;
	}
	t->elsewhere = arena_strdup(t->several->arena, src->name);
	if (out->failed || out->n == from ||
	    !told_before(t->several, (struct str){ out->p + from, out->n - from }))
		return;
	out->n = from;
	out->p[from] = '\0';
}

bool session_report(struct session *s)
{
	struct diags *ds = s->diags;
	struct telling *t = s->telling;
	bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	bool found = ds->errors > 0;
	size_t told[DIAG_NR] = { 0 }, untold = 0;
	BUF_AUTO out = { 0 };

	diags_sort(ds);
	vec_each(&ds->list, it) {
		const struct diag *d = *it;
		size_t from = out.n;
		t->starved |= d->id == DIAG_PL020;
		if (t->json)
			diag_print_json(ds, d, &out);
		else if (told[d->id]++ < ds->cap) /* errors past the cap were not kept */
			diag_print_text(ds, d, colour, &out);
		else
			untold++;
		if (t->path && d->severity == SEVERITY_ERROR)
			note_error(s, d, &out, from);
	}
	if (untold)
		buf_printf(&out, "pale: %zu more notes are not shown (--diag=json shows all)\n",
			   untold);
	if (ds->errors > ds->cap && !t->json)
		buf_printf(&out, "pale: %zu more errors are not shown\n", ds->errors - ds->cap);
	fflush(stdout);
	if (out.n)
		fwrite(out.p, 1, out.n, stderr);
	if (out.failed)
		tell_no_memory(t->failure);
	ds->list.n = 0;
	ds->errors = 0;
	return found;
}

/* Names, paths and words of the user's stand in it: what a terminal would obey is shown. */
__attribute__((format(printf, 1, 0))) static void tell_va(const char *fmt, va_list ap)
{
	BUF_AUTO text = { 0 }, safe = { 0 };

	buf_vprintf(&text, fmt, ap);
	buf_safe(&safe, (struct str){ text.p, text.n });
	fflush(stdout);
	fprintf(stderr, "%s\n", safe.failed || text.failed ? "pale: out of memory" : safe.p);
}

void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell_va(fmt, ap);
	va_end(ap);
}

void tell_text(const struct buf *lines)
{
	fflush(stdout);
	if (lines->n)
		fwrite(lines->p, 1, lines->n, stderr);
}

static bool is_standard_output(const char *path)
{
	return !path || !strcmp(path, "-");
}

int write_output(const char *path, const struct buf *text, unsigned mode)
{
	struct output_file file = { .path = path, .text = text, .mode = mode };

	if (!is_standard_output(path))
		return output_write_all(&file, 1, tell);
	int err = text->failed   ? -ENOMEM :
		  fflush(stdout) ? -errno :
				   output_write_bytes(STDOUT_FILENO, text);
	if (err == -ENOMEM)
		tell("pale: out of memory");
	else if (err)
		tell("pale: cannot write standard output: %s", strerror(-err));
	return err;
}

int check_writable(const char *path)
{
	return is_standard_output(path) ? 0 : output_check(path, tell);
}
