/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The command line: argv -> library -> print. One file a subcommand, one row in commands.def.
 * Only here is anything printed and only main() exits.
 */
#include <stdio.h>

#include "compiler/base/diag.h"
#include "compiler/cmd/output.h"
#include "compiler/policy/policy.h"
#include "grammar/json.h"

enum { /* language.md, Exit codes */
       EXIT_OK = 0,
       EXIT_FOUND = 1, /* errors in the input, findings, differences */
       EXIT_USAGE = 2,
       EXIT_SYSTEM = 3,
       EXIT_PALE = 125, /* run, learn: our own failure */
};

typedef int cmd_fn(int argc, char **argv); /* argv[0] is the subcommand's name */

struct command {
	const char *name;
	const char *summary;
	const char *forms; /* behind "pale NAME " and its options, a line each */
	const char *about; /* of --help, before the options */
	const char *after; /* and behind them */
};

const struct command *command_at(size_t i);           /* in the order of commands.def */
const struct command *command_find(const char *name); /* one of them */

#define COMMAND(name, fn, forms, summary, about, after) cmd_fn fn;
#include "compiler/cmd/commands.def"
#undef COMMAND

/* What every command starts with: an arena, sources, diagnostics. */
struct session {
	struct arena *arena;
	struct sources *sources;
	struct diags *diags;
	bool diag_json; /* --diag=json, or PALE_DIAG=json */
	bool starved;   /* PL020 was reported */
	int failure;    /* the status to leave with when memory ends */
};

void session_open(struct session *s);
/* For run and learn: 3 may be their command's status, so they leave with EXIT_PALE. */
void session_open_run(struct session *s);
/*
 * From here on what its arena holds is bounded (PL218, and out), as session_open() does it;
 * session_open_run() does not: a recording has bounds of its own. The session must not move.
 */
void session_bound(struct session *s);
/*
 * For one file of several, so that memory is a file's and not that of all: opens `own` and returns
 * it, but for standard input, which is read once and stays in `s`. Both end in session_done().
 */
struct session *session_for(struct session *s, struct session *own, const char *path);
void session_done(struct session *s, struct session *one);
void session_close(struct session *s);
/* Closes it. `status`; where that is EXIT_FOUND and what was found is a system that is short of
 * something (PL020), the status of such failures. */
int session_end(struct session *s, int status);
/* Prints what was collected to stderr (sorted, then forgotten); true when an error was among it. */
bool session_report(struct session *s);

/*
 * One line to stderr, "pale: ..." or "pale COMMAND: ...", its control characters shown as \xNN:
 * the only way for a name, a path or an argument to get there.
 */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Our own lines to stderr: nothing that a user wrote may stand in them. */
void tell_text(const struct buf *lines);

/* "; did you mean 'X'?", or nothing: tell("no set '%s'" PRINEAR, name, NEARARG(suggest)) */
#define PRINEAR    "%s" PRISTR "%s"
#define NEARARG(s) (s).best.p ? "; did you mean '" : "", STRARG((s).best), (s).best.p ? "'?" : ""

/* Tells it and the usage of the command, and returns EXIT_USAGE (options.c). */
int usage_error(const struct command *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- input: FILE is a policy or any foreign format, recognised from content ---- */

struct oci_runtime;
enum input_format { INPUT_PALE, INPUT_JSON, INPUT_BPF, INPUT_OTHER };

struct input_options {
	struct resolve_options resolve;
	bool parse_only;                   /* do not resolve */
	bool machine_known;                /* JSON, where resolve.env leaves the host open: */
	enum arch machine;                 /* whose row of archMap it is read with */
	const struct oci_runtime *runtime; /* JSON: that loads it; NULL: the default one */
	const struct oci_asked_calls
		*asked; /* JSON: what is wrong with others' entries is not told;
					      * NULL: all is */
};

struct input {
	enum input_format format;
	struct source *source;
	struct ast_file *ast;    /* PALE; JSON: the tree it was read into */
	const struct json *json; /* JSON: the profile's object, or the config.json around it */
	struct str profile;      /* JSON: its bytes */
	const struct oci_disputes *disputes; /* JSON: calls that libseccomp decides; NULL: none */
	struct policies *policies;           /* unless parse_only; NULL for BPF */
};

/* Loads and resolves. EXIT_OK, EXIT_FOUND (diagnostics were printed) or EXIT_SYSTEM (told). */
int input_load(struct session *s, const char *path, const struct input_options *opt,
	       struct input *out);
/* Its two steps: what the file is and its tree; then what it means. */
int input_open(struct session *s, const char *path, struct input *out);
int input_resolve(struct session *s, const struct input_options *opt, struct input *in);
enum {                      /* what something of it may hang on */
       INPUT_OPEN = 1 << 0, /* an environment that neither the options nor its own capability
			     * lines say (PL131); JSON, always */
       INPUT_HOST = 1 << 1, /* the machine that is assumed without --host (PL238) */
};
/*
 * input_resolve(), unless something hangs on one of `stop`: then nothing is resolved, nothing is
 * told, and *hangs (else 0) says on which.
 */
int input_resolve_unless(struct session *s, const struct input_options *opt, unsigned stop,
			 struct input *in, unsigned *hangs);
/* What it is (kind.h). Of a kind that pale does not read it says so (PL021): INPUT_OTHER. */
enum input_format input_recognise(struct session *s, const struct source *src);
/* Tells why source_load() failed: EXIT_FOUND for what is no file of text, else EXIT_SYSTEM. */
int input_unreadable(struct session *s, const char *path, int err);
/* Says that a file without any statement is no policy (PL001). */
void input_tell_empty(struct session *s, const struct source *src);
/* The policy a command works on: the only one, or the one named; NULL after saying why not. */
const struct policy *input_policy(struct session *s, const struct input *in, const char *name);

/*
 * The directories that sets are looked for in, NULL-ended: those of --sets (NULL-ended; may be NULL),
 * then $PALE_PATH, then profiles/sets of the source tree the binary was built in, then the installed.
 */
const char *const *set_directories(struct arena *a, const char *const *first);
