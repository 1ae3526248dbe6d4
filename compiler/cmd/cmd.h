/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The command line: argv -> library -> print. One file a subcommand, one row in commands.def.
 * Only here is anything printed and only main() exits.
 */
#include <setjmp.h>
#include <stdio.h>

#include "compiler/base/diag.h"
#include "compiler/file/input.h"
#include "compiler/output/output.h"
#include "compiler/policy/policy.h"
#include "grammar/json.h"

typedef int cmd_fn(int argc, char **argv); /* argv[0] is the subcommand's name */

struct command {
	const char *name;
	const char *summary;
	const char *forms; /* behind "pale NAME " and its options, a line each */
	const char *about; /* of --help, before the options */
	const char *after; /* and behind them */
	struct option_source
		*from; /* what its options are read from; NULL: the command line (options.h) */
};

const struct command *command_at(size_t i);           /* in the order of commands.def */
const struct command *command_find(const char *name); /* one of them */

#define COMMAND(name, fn, forms, summary, about, after) cmd_fn fn;
#include "compiler/cmd/commands.def"
#undef COMMAND

/* How what is in a session is told, and how the command is left when that is too much. */
struct telling {
	bool json;                     /* --diag=json, or PALE_DIAG=json */
	bool starved;                  /* PL020 was reported */
	int failure;                   /* the status to leave with when memory ends */
	jmp_buf *at_bound;             /* session_guard() is where bounds lead to; NULL: out */
	const struct policy *compiled; /* what session_bound_compile() was told */
	struct arena *emptied;         /* of the file before, for the next of several; or NULL */
	struct several *several;       /* what sessions of session_for() share; NULL: none yet */
	const char *path;              /* of session_for(), as the user named it; else NULL */
	const char *elsewhere; /* the last file but that in which an error was told; or NULL */
	bool named;            /* an error was told in it, or of no place */
};

void session_open(struct session *s);
/* For run and learn: 3 may be their command's status, so they leave with EXIT_PALE. */
void session_open_run(struct session *s);
/* For recordings, which have bounds of their own. */
void session_open_unbound(struct session *s);
/*
 * From here on what its arena holds is bounded (PL218, and out), as session_open() does it;
 * session_open_run() does not: a recording has bounds of its own. The session must not move.
 */
void session_bound(struct session *s);
/*
 * An arena that outlives `one`, NULL: a new one, which the caller frees. Until it is lent again it is
 * bounded as one's own is, and its bound leads where that does: to session_guard(), whose caller
 * frees it then.
 */
struct arena *session_lend(struct session *one, struct arena *a);
/*
 * From here on what is made of this policy is bounded (PL220, and out), whatever its shape: the tree
 * of a file is bounded by its text, what its rules become is not. NULL: the session's bound alone.
 */
void session_bound_compile(struct session *s, const struct policy *p);
/*
 * For one file of several, so that memory is a file's and not that of all: opens `own` and returns
 * it. What can be read only once, as standard input, is kept in `s`. An error in a file that several
 * depend on is told once, and then who depends on it (PL320); path NULL: it is the only one. Ends in
 * session_done().
 */
struct session *session_for(struct session *s, struct session *own, const char *path);
/*
 * What is done in `one`, of session_for(), for one of several files: fn(who), whose status this is.
 * A file that would take more memory than there is for it (PL218, PL220) ends that: `one` is new then, with
 * this error in it, and the answer EXIT_FOUND. What fn held outside of arenas is lost.
 */
int session_guard(struct session *one, int (*fn)(void *who), void *who);
void session_done(struct session *s, struct session *one);
void session_close(struct session *s);
/* Tells lines and errors that were not told, and closes it. `status`; where that is EXIT_FOUND and what
 * was found is a system that is short of something (PL020), the status of such failures. */
int session_end(struct session *s, int status);
/* Prints what was collected to stderr (lines, then diagnostics, sorted; then forgotten); true when an
 * error was among it. */
bool session_report(struct session *s);

/*
 * One line to stderr, "pale: ..." or "pale COMMAND: ...", its control characters shown as \xNN:
 * the only way for a name, a path or an argument to get there.
 */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Our own lines to stderr: nothing that a user wrote may stand in them. */
void tell_text(const struct buf *lines);

/*
 * Writes a whole file as output.h does; NULL or "-": standard output. 0 or -errno, already told.
 */
int write_output(const char *path, const struct buf *text, unsigned mode);
/* output_check(), told; standard output always can be. */
int check_writable(const char *path);

/* Tells it and the usage of the command, and returns EXIT_USAGE (options.c). */
int usage_error(const struct command *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
