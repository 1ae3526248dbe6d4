/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What stands around a place in a text that is being written, so that no tree can be made of it:
 * the words of its statement up to there. And what the languages' own words mean (words.def).
 */
#include "compiler/lsp/server.h"

enum { LSP_TOP = 1, LSP_RULE = 2, LSP_COND = 4 }; /* where a word may stand: words.def */

struct lsp_word_row {
	const char *word;
	unsigned where;
	const char *text;
};

/* Those of a language; JSON's stand anywhere. */
const struct lsp_word_row *lsp_word_rows(enum lsp_language language, size_t *n);
const struct lsp_word_row *lsp_word_find(enum lsp_language language, struct str word);

struct lsp_around {
	VEC(struct str)
	before;              /* of the statement: words, quoted texts without quotes, punctuation */
	struct str word;     /* that the place is in, or behind; empty: none */
	uint32_t begin, end; /* of it; the place itself where there is none */
	unsigned depth;      /* braces around it */
	unsigned parens;     /* and parentheses, of this statement */
	bool comment, quoted, magic; /* magic: in < > */
};

/* Of policies and AppArmor's text. */
void lsp_look_around(struct arena *a, enum lsp_language language, struct str text, uint32_t offset,
		     struct lsp_around *out);
/* The bytes before the first statement that has braces. */
size_t lsp_preamble(struct arena *a, enum lsp_language language, struct str text);
/* The i-th word of the statement before the place, from its end (0: the last); empty: none. */
struct str lsp_behind(const struct lsp_around *l, size_t i);
/* Is it one of the words before the place? */
bool lsp_in_statement(const struct lsp_around *l, const char *word);
/* The call before the parenthesis that the place is in, and where it is in `before`; empty: none. */
struct str lsp_opener(const struct lsp_around *l, size_t *at);

/* ---- JSON ---- */

enum { LSP_JSON_DEPTH = 200 }; /* brackets around a place that are looked at */

struct lsp_json_around {
	struct str keys
		[LSP_JSON_DEPTH]; /* of what is around it, outermost first; empty: in an array */
	unsigned depth;
	struct str key;      /* the member whose value it is in; of an array's: the array's */
	bool is_key;         /* it is, or may become, a key */
	bool string;         /* it is in a string */
	struct str word;     /* that string, as written */
	uint32_t begin, end; /* of it, without quotes */
	uint32_t object;     /* where the innermost object begins */
};
void lsp_look_around_json(struct str text, uint32_t offset, struct lsp_json_around *out);
