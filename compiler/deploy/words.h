/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A shell's simple commands as words (POSIX.1-2017, XCU 2.2, 2.3, 2.9), read and never run: quotes are
 * taken off, redirections and what stands in here-documents left out, commands inside $(...) and `...`
 * read, too. What a variable or a command would give is not known. Bounded: 4,096 words of a command,
 * 16 levels of $(...).
 */
#include "compiler/base/source.h"
#include "compiler/base/vec.h"

struct shell_word {
	struct str text; /* without quotes */
	struct span span;
	bool literal; /* as it stands in the source: byte for byte */
	bool unknown; /* something of it the shell replaces */
	bool splits;  /* without quotes, so that it may become none, or several words */
};

typedef VEC(struct shell_word) shell_words;

struct words_part { /* a part of the text that is still to be read */
	uint32_t begin, end;
	unsigned depth;
};

struct words {
	struct arena *arena;
	const struct source *src;
	uint32_t at, end;
	unsigned depth;
	VEC(struct words_part) parts;
	VEC(struct shell_word) documents; /* here-documents whose text begins at the next line */
	VEC(struct span) comments;        /* from '#' on, in the order in which they are met */
};

void words_start(struct arena *a, const struct source *src, struct words *w);
/* The same of a part: a value of a unit. */
void words_start_at(struct arena *a, const struct source *src, struct span part, struct words *w);
/* The words of the next command; false: there is none any more. */
bool words_next(struct words *w, shell_words *out);
