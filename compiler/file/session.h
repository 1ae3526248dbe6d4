/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What everything that reads a FILE stands on, and how it says what is wrong. */
#include <setjmp.h>

#include "compiler/base/diag.h"

struct policy;

/* How a command ends, and what a step of it that may fail returns (language.md, Exit codes). */
enum {
	EXIT_OK = 0,
	EXIT_FOUND = 1, /* errors in the input, findings, differences */
	EXIT_USAGE = 2,
	EXIT_SYSTEM = 3,
	EXIT_PALE = 125, /* run, learn: our own failure */
};

/* An arena, sources, diagnostics. Nothing is printed here: cmd opens it, and tells what is in it. */
struct session {
	struct arena *arena;
	struct sources *sources;
	struct diags *diags;
	bool diag_json;                /* --diag=json, or PALE_DIAG=json */
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
