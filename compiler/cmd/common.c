/* SPDX-License-Identifier: Apache-2.0 */
/* What every command needs: a session, its report, what it tells. */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "compiler/cmd/cmd.h"

/* ---- commands ---- */

static const struct command commands[] = {
#define COMMAND(name, fn, usage, summary) { name, summary, usage },
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

static void open_with(struct session *s, int failure)
{
	const char *format = getenv("PALE_DIAG");

	*s = (struct session){ .failure = failure };
	s->arena =
		arena_new(failure == EXIT_PALE ? leave_run_without_memory : leave_without_memory);
	s->sources = sources_new(s->arena);
	s->diags = diags_new(s->arena, s->sources);
	s->diag_json = format && !strcmp(format, "json");
}

void session_open(struct session *s)
{
	open_with(s, EXIT_SYSTEM);
}

void session_open_run(struct session *s)
{
	open_with(s, EXIT_PALE);
}

void session_close(struct session *s)
{
	arena_free(s->arena);
	*s = (struct session){ 0 };
}

int session_end(struct session *s, int status)
{
	int end = status == EXIT_FOUND && s->starved ? s->failure : status;

	session_close(s);
	return end;
}

bool session_report(struct session *s)
{
	struct diags *ds = s->diags;
	bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	bool found = ds->errors > 0;
	size_t told[DIAG_NR] = { 0 }, untold = 0;
	BUF_AUTO out = { 0 };

	diags_sort(ds);
	vec_each(&ds->list, it) {
		const struct diag *d = *it;
		s->starved |= d->id == DIAG_PL020;
		if (s->diag_json)
			diag_print_json(ds, d, &out);
		else if (told[d->id]++ < ds->cap) /* errors past the cap were not kept */
			diag_print_text(ds, d, colour, &out);
		else
			untold++;
	}
	if (untold)
		buf_printf(&out, "pale: %zu more notes are not shown (--diag=json shows all)\n",
			   untold);
	if (ds->errors > ds->cap && !s->diag_json)
		buf_printf(&out, "pale: %zu more errors are not shown\n", ds->errors - ds->cap);
	fflush(stdout);
	if (out.n)
		fwrite(out.p, 1, out.n, stderr);
	if (out.failed)
		tell_no_memory(s->failure);
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

int usage_error(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "pale %s: ", c->name);
	va_start(ap, fmt);
	tell_va(fmt, ap);
	va_end(ap);
	fprintf(stderr, "usage: pale %s %s\n", c->name, c->usage);
	return EXIT_USAGE;
}

/* "--out" of "--out=x" and of "--out"; empty: the word is no long option. */
static struct str long_name(const char *word)
{
	if (word[0] != '-' || word[1] != '-')
		return (struct str){ "", 0 };
	return (struct str){ word + 2, strcspn(word + 2, "=") };
}

/* Its start is enough. */
static bool begins(const struct option *o, struct str name)
{
	return name.n && strlen(o->name) >= name.n && !memcmp(o->name, name.p, name.n);
}

static int unknown_option(const struct command *c, const struct option *options, struct str name)
{
	const struct option *first = NULL;
	struct suggest near;

	suggest_start(&near, name);
	for (const struct option *o = options; o->name; o++) {
		suggest_offer(&near, str_c(o->name));
		if (first && begins(o, name))
			return usage_error(
				c, "'--" PRISTR "' can be '--%s' or '--%s' (pale %s --help)",
				STRARG(name), first->name, o->name, c->name);
		first = begins(o, name) ? o : first;
	}
	if (!near.best.p)
		return usage_error(c, "no option '--" PRISTR "' (pale %s --help)", STRARG(name),
				   c->name);
	return usage_error(
		c, "no option '--" PRISTR "'; did you mean '--" PRISTR "'? (pale %s --help)",
		STRARG(name), STRARG(near.best), c->name);
}

int option_error(const struct command *c, const struct option *options, char **argv)
{
	struct str name = long_name(argv[optind - 1]);

	/* Its value is in optopt where the option is known and something about its value is not. */
	for (const struct option *o = options; optopt && o->name; o++)
		if (o->val == optopt && begins(o, name))
			return usage_error(c, "'--" PRISTR "' %s (pale %s --help)", STRARG(name),
					   o->has_arg ? "needs a value" : "takes no value",
					   c->name);
	if (optopt)
		return usage_error(c, "no option '-%c', or it needs a value (pale %s --help)",
				   optopt, c->name);
	return unknown_option(c, options, name);
}
