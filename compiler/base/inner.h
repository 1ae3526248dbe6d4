/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A text that another one holds in some other spelling: JSON in a string of JSON, a profile in YAML. It is a
 * source of its own, and what is said of it is moved to where it stands in the one around it.
 */
#include "compiler/base/diag.h"

#define INNER_OURS UINT32_MAX /* of a byte: it stands nowhere, and pale wrote it */

struct inner {
	struct source *source; /* of the text */
	uint32_t outer;        /* the source around it */
	/* Where each byte stands there, and where the text ends: source->text.n + 1 of them. */
	const uint32_t *at;
};

/* Other sources' spans stay. NO_SPAN: no byte of it stands anywhere. */
struct span inner_span(const struct inner *n, struct span sp);
/*
 * Findings, notes and edits. Edits of the text are dropped, for they are spelt as it is; and findings and notes
 * that are about nothing but what pale wrote.
 */
void inner_move_diags(const struct inner *n, struct diags *ds);

/* Such a text, written by pale of what stands in another one. */
struct inner_text {
	struct arena *arena; /* of `at` */
	struct buf text;
	VEC(uint32_t) at;
};

void inner_put_ours(struct inner_text *t, const char *text);
/* Of ours, where it stands for something of theirs as a whole. */
void inner_put_for(struct inner_text *t, const char *text, struct span of);
