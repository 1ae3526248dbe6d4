/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Places as the protocol counts them: lines from 0, which end in LF, CRLF or CR, and in them units of
 * the encoding that was agreed on. A place behind a line's end is its end, one amid a character
 * its beginning.
 */
#include "compiler/base/json_write.h"
#include "compiler/base/source.h"

enum lsp_encoding { LSP_UTF16, LSP_UTF8 };
extern const char *const lsp_encoding_names[]; /* "utf-16", "utf-8" */

struct lsp_position {
	uint32_t line, character;
};

/* A text with the places of its lines; what is asked in the order of the text is found at once. */
struct lsp_lines {
	struct str text;
	enum lsp_encoding encoding;
	VEC(uint32_t) starts;
	uint32_t line, at, units; /* where the last place was found */
};

void lsp_lines_of(struct arena *a, struct str text, enum lsp_encoding e, struct lsp_lines *out);
struct lsp_position lsp_position_of(struct lsp_lines *l, uint32_t offset);
/* The same of a text of which no lines are known; its bytes are passed over. */
uint32_t lsp_offset_of(struct str text, enum lsp_encoding e, struct lsp_position p);

void lsp_put_range(struct json_writer *w, const char *key, struct lsp_lines *l, uint32_t begin,
		   uint32_t end);
