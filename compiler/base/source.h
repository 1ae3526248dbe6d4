/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Source texts and places in them. A span is (source, first byte, byte after the last); it is
 * small and copied freely. Line and column are computed only when something is printed.
 * Sources live in the arena of their `struct sources`.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"
#include "compiler/base/vec.h"

#define SOURCE_MAX (16u << 20) /* bytes of one input */

struct span {
	uint32_t source; /* index into struct sources; SOURCE_NONE: no place */
	uint32_t begin;
	uint32_t end;
};

#define SOURCE_NONE UINT32_MAX
#define NO_SPAN     ((struct span){ SOURCE_NONE, 0, 0 })

struct source_mark { /* a place that was computed once; others are counted from it */
	uint32_t offset, line, column, line_begin;
};

struct source_marks { /* every SOURCE_STEP bytes, made when the first place is asked for */
	struct arena *arena;
	VEC(struct source_mark) list;
	struct source_mark last; /* where the place asked for before was found */
	uint32_t line_begin,
		line_end; /* of the line that was shown last: it may be all of 16 MiB */
};

struct source {
	uint32_t id;
	const char *name; /* as the user wrote it, "<stdin>" for - */
	const char *path; /* resolved, to see that two names are one file; NULL for stdin */
	struct str text;  /* followed by a NUL byte that is not counted */
	struct source_marks *marks;
};

struct sources {
	struct arena *arena;
	VEC(struct source *) list;
	/*
	 * What several lists share, NULL: nothing. A text that is in it is taken from it, and so is what
	 * can be read only once, standard input and pipes. It outlives this one.
	 */
	struct sources *lender;
	int stdin_error; /* why standard input could not be read: it is not tried again */
};

struct place {
	uint32_t line;        /* from 1 */
	uint32_t column;      /* from 1, in code points; a tab counts as one */
	struct str line_text; /* without its newline */
};

struct sources *sources_new(struct arena *a);
/*
 * Reads a whole file ("-": standard input). 0, or -errno; -EFBIG past SOURCE_MAX, -EISDIR for
 * a directory. What was loaded already, standard input too, gives the same source again.
 */
int source_load(struct sources *s, const char *path, struct source **out);
/* For what a text names, not the user: -EINVAL for a device or a pipe, which may never end. */
int source_load_regular(struct sources *s, const char *path, struct source **out);
/* The bytes alone, of what may be larger than a source. 0 or -errno; -EFBIG past `most`. */
int source_read(const char *path, size_t most, struct buf *out);
/* A text that does not come from a file; `text` is copied. */
struct source *source_add(struct sources *s, const char *name, struct str text);
/*
 * From now on the file holds this text, whatever is on the disk: what a text would mean with an edit
 * is asked so. old: one that was loaded, standard input too. What is loaded later by it gets this one, until the
 * next. The text is copied.
 */
struct source *source_stand_in(struct sources *s, const char *path, const struct source *old,
			       struct str text);
/* The same of a file that may be there or not, and was not loaded: an editor's text, not saved yet. */
struct source *source_give(struct sources *s, const char *path, struct str text);
struct source *source_of(const struct sources *s, struct span sp); /* NULL for NO_SPAN */
struct str span_text(const struct sources *s, struct span sp);
struct span span_join(struct span a, struct span b); /* NO_SPAN is neutral */
struct place source_place(const struct source *src, uint32_t offset);
