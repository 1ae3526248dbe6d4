/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AppArmor's own loader: asked about a profile, and loading one. */
#include "compiler/base/diag.h"

struct parser_question {
	struct str text;
	const struct source *source; /* what holds the text, for the lines that the parser names */
	struct span whole;           /* where to say what it names no line of */
	const char *const *includes; /* -I, NULL-ended; may be NULL */
};

enum parser_answer {
	PARSER_TAKES,     /* exit status 0; what it said are warnings (PL150) */
	PARSER_REFUSES,   /* told (PL143) */
	PARSER_NOT_THERE, /* not told */
	PARSER_SHORT,     /* it could not be asked: told (PL020) */
};

/* Loads nothing (-Q), under the features of the package where they are installed. */
enum parser_answer parser_ask(const struct parser_question *q, struct diags *ds);

/*
 * Its version, "3.0.8", in the arena. TAKES; NOT_THERE, also where it does not say; SHORT: told
 * (PL020) at `whole`.
 */
enum parser_answer parser_version(struct span whole, struct str *version, struct diags *ds);

/*
 * Loads the text into the kernel, in the place of a profile of its name. Only the system's own
 * parser is trusted with that, never one along $PATH: -ENOENT where it has none. Else as
 * program_ask(): its exit status, 256 + the signal that ended it, or -errno.
 */
int parser_load(struct str text, struct buf *said);
