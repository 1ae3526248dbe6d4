/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What everything that reads a FILE stands on, and how it says what is wrong. */
#include "compiler/base/diag.h"
#include "compiler/systemd/settings.h"

struct telling;

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
	struct telling *telling;      /* cmd's own; never NULL */
	enum systemd_release systemd; /* whose groups of calls a unit's are */
};
