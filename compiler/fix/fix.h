/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fixes made and proved: edits become a text, the text before and after are compared as `pale diff`
 * compares two files, and what differs must be what the fix announces. Nothing is written here.
 */
#include "compiler/apparmor/check.h"
#include "compiler/file/decide.h"

enum {
	FIX_ROUNDS = 20,          /* of linting again: a fix may open the way for another */
	FIX_FILE_MAX = 1000,      /* fixes of one file in one run */
	FIX_BYTES_MAX = 1u << 28, /* of all texts that were tried */
};

/* What was made of a text so far: fixes were found in `base`, and each changes `text`. */
struct fix_text {
	struct arena *arena;
	struct str base, text;
	VEC(struct edit) made; /* of base, by place */
};

/*
 * The text with one more fix. False: its edits overlap, or meet what was made before, or lie outside;
 * a later round may do it. Nothing is kept until fix_keep().
 */
bool fix_try(const struct fix_text *t, const struct fix *fix, struct str *out);
void fix_keep(struct fix_text *t, const struct fix *fix, struct str text);

/* How a file is read. */
struct fix_reading {
	const char *path;             /* as source_load() takes it */
	struct decide_options decide; /* of calls */
	struct aa_library *library;   /* AppArmor: of s->sources */
	struct aa_asked asked;
	bool apparmor;
};

/*
 * Is what differs between `before` and `after` what the fix announces? NULL: it is; else why not, in
 * the arena of s. Not of FIX_READ, for which there is nothing before. Texts stand in for `src` in
 * s->sources.
 */
const char *fix_prove(struct session *s, const struct fix_reading *how, const struct fix *fix,
		      const struct source *src, struct str before, struct str after);

/* A unified diff, as patch(1) and git apply take it; nothing where the texts are the same. */
void fix_put_diff(struct buf *out, struct arena *a, const char *name, struct str before,
		  struct str after);
