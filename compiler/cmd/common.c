/* SPDX-License-Identifier: Apache-2.0 */
/* What every command needs: a session, its report, what it tells. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/cmd.h"

/* ---- commands ---- */

static const struct command commands[] = {
#define COMMAND(name, fn, forms, summary, about, after) { name, summary, forms, about, after },
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

void tell_text(const struct buf *lines)
{
	fflush(stdout);
	if (lines->n)
		fwrite(lines->p, 1, lines->n, stderr);
}
