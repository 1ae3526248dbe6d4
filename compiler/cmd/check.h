/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How `pale check` asks AppArmor's own loader. */
#include "compiler/cmd/cmd.h"

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

enum parser_answer parser_ask(struct session *s, const struct parser_question *q);
