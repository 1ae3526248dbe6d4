/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/file/session.h"

struct ast_call_args;

/*
 * A call of the command line, in the notation of policies or as strace(1) prints it: what stands
 * behind a pointer ("...", [...], {...}) becomes one quoted text; comments, a decoded descriptor
 * (3</tmp/x>), what -f, -t, -r, -i, -n and -Y put in front and the result behind go; modes (0644)
 * are octal. NULL, told: it does not read, or is a line of strace's that holds no call.
 */
struct ast_call_args *strace_parse(struct session *s, const char *text);
/*
 * The calls of n such texts, as far as names can be read off them before they are parsed: of a
 * number (#41) what every architecture calls so.
 */
struct oci_asked_calls;
const struct oci_asked_calls *strace_asked(struct session *s, const char *const *texts, int n);

/* ---- its lines ---- */

/* What stands in front of the call: "4711<sh> 05:17:52.080970 "; what is not there has n == 0. */
struct strace_head {
	struct str pid, comm, time;
	const char *rest; /* the call */
};

void strace_head(const char *text, struct strace_head *head);

/* Behind a string that begins at p, and the dots of one that strace cut. */
const char *strace_skip_string(const char *p);
/* Behind a bracket's partner; brackets within strings do not count. */
const char *strace_skip_group(const char *p);
/* Behind what -y and -Y add: "</tmp/x>", "<TCP:[1.2.3.4:5->6.7.8.9:10]>", "</dev/pts/0<char 136:0>>". */
const char *strace_skip_decoded(const char *p);

enum strace_kind {
	STRACE_CALL,       /* with its result */
	STRACE_UNFINISHED, /* its end stands on another line, or nowhere */
	STRACE_RESUMED,    /* such an end: name, and `rest` behind it */
	STRACE_SIGNAL,     /* "SIGTERM {si_signo=SIGTERM, ...}" in `rest` */
	STRACE_ENDED,      /* the process */
	STRACE_OWN,        /* what strace says of itself */
	STRACE_NONE,       /* none of strace's */
};

enum { STRACE_ARGS = 8 };

/* A line in parts, as they stand there; they live in its text. */
struct strace_line {
	enum strace_kind kind;
	struct strace_head head;
	struct str name;
	struct str args[STRACE_ARGS]; /* what is beyond them is left out */
	unsigned nargs;
	struct str result; /* "3</tmp/x>", "-1 ENOENT (No such file or directory)", "?" */
	const char *rest;
	const char *end; /* UNFINISHED: where its text ends */
};

void strace_split(const char *text, struct strace_line *out);
/* The head of the table that strace -C writes below all lines, and whether a line can be one of it. */
bool strace_begins_counts(const char *text);
bool strace_is_count(const char *text);
/*
 * The bytes of a string ("a\nb", without the dots of one that was cut) or of a descriptor's path
 * (3</a b>) to `to`; how many. -1: it is none, it was cut, or it has more than `room` bytes.
 */
ptrdiff_t strace_string(struct str arg, char *to, size_t room);
ptrdiff_t strace_descriptor(struct str arg, char *to, size_t room);
