/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Diagnostics: what is wrong with the user's text, as records. Collected here, printed by
 * cmd/ (the library never prints). Every diagnostic of every command has one id and one slug,
 * and all of them stand in diag.def (the linter's above their
 * functions): DIAG(PL014, "unknown-syscall", ERROR, "one line").
 *
 *	struct diag *d = diag_add(diags, DIAG_PL014, span, "unknown system call '" PRISTR "'", ...);
 *	diag_help(diags, d, "did you mean 'openat'?");
 *	diag_note(diags, d, other_span, "allowed here");
 *	diag_fix(diags, d, span, STR("openat"));
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/arena.h"
#include "compiler/base/source.h"
#include "compiler/base/str.h"
#include "compiler/base/suggest.h"
#include "compiler/base/vec.h"

enum severity { SEVERITY_ERROR, SEVERITY_HIGH, SEVERITY_WARNING, SEVERITY_INFO, SEVERITY_NR };

enum diag_id {
#define DIAG(id, slug, severity, doc) DIAG_##id,
#include "compiler/base/diag.def"
#undef DIAG
	DIAG_NR
};

struct diag_info {
	const char *id;   /* "PL014" */
	const char *slug; /* "unknown-syscall" */
	enum severity severity;
	const char *doc; /* one line; `pale lint --explain` has more for lint rules */
};

struct diag_label { /* a second place, shown with its own excerpt */
	struct span span;
	const char *text;
	bool again; /* the same is said of it: another place of the finding, no note on it */
};

struct edit { /* the bytes of the span become the replacement */
	struct span span;
	struct str replacement;
};

enum fix_safety {
	FIX_UNSAFE, /* it takes or gives rights, or guesses what was meant: asked for by name */
	FIX_SAFE,   /* nothing that passes or is refused changes */
};

/* What the text means with it, in the words of `pale diff`: the proof asks for just that. */
enum fix_change {
	FIX_READ,    /* an error kept the text from meaning anything: it is gone, and none is new */
	FIX_SAME,    /* nothing differs */
	FIX_TIGHTER, /* some is refused that was allowed, nothing the other way */
	FIX_LOOSER,
	FIX_ERRNO, /* refused alike, with another errno */
	FIX_OTHER, /* whatever the right word means: it is not known which way */
	FIX_CHANGE_NR
};

struct fix { /* what mends it: all of the edits, which do not overlap; none: there is no exact one */
	VEC(struct edit) edits;
	enum fix_safety safety;
	enum fix_change change;
	VEC(struct str) calls; /* the calls that change, where it is about calls; none: not said */
};

extern const char *const fix_change_words[FIX_CHANGE_NR]; /* "read" "same" "tighter" ... */

struct diag {
	enum diag_id id;
	enum diag_id
		rule; /* what the linter calls it, where its id alone does not say; 0: nothing */
	enum severity severity; /* as in the table unless diag_severity() changed it */
	struct span span;
	const char *text; /* lower case, no full stop */
	const char *help; /* the way out; NULL: none */
	struct fix fix;
	VEC(struct diag_label) labels;
	uint64_t also; /* of what diag_also() was told, in whichever order; 0: of nothing */
	const char *
		suppressed; /* why a comment in the file keeps it from being told; NULL: nothing does */
};

struct diags {
	struct arena *arena;
	struct sources *sources;
	VEC(struct diag *) list;
	size_t errors;         /* severity ERROR seen, also those past the cap */
	size_t cap;            /* at most this many errors are kept (20); the rest are counted */
	struct diag *past_cap; /* what diag_add() returns for those: nothing of it is kept */
};

struct diags *diags_new(struct arena *a, struct sources *s);
const struct diag_info *diag_info(enum diag_id id);
const char *severity_name(enum severity s); /* "error" "high" "warning" "info" */

/* Of -errno: is the system short of something (PL020), so that another time it may go well? */
bool diag_is_shortage(int err);

/* Never NULL; a diagnostic past the cap is returned but not kept. */
struct diag *diag_add(struct diags *ds, enum diag_id id, struct span sp, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* With a severity that is not the table's: one fact is graver than another of the same id. */
struct diag *diag_add_as(struct diags *ds, enum diag_id id, enum severity severity, struct span sp,
			 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void diag_text(struct diags *ds, struct diag *d, const char *fmt, ...) /* in place of its own */
	__attribute__((format(printf, 3, 4)));
void diag_help(struct diags *ds, struct diag *d, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_note(struct diags *ds, struct diag *d, struct span sp, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Another place of which it says the same. Text shows three of them, the rest only count. */
void diag_again(struct diags *ds, struct diag *d, struct span sp);
/* The same with a text of its own; fmt is no more than a word or two. */
void diag_again_as(struct diags *ds, struct diag *d, struct span sp, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What it speaks of, too, and its text does not name: one that speaks of more is another finding. */
void diag_also(struct diags *ds, struct diag *d, struct str what);
/*
 * One more edit of what mends it; the replacement is copied. Unsafe, and an error that is gone with
 * it, unless diag_fix_means() says otherwise.
 */
void diag_fix(struct diags *ds, struct diag *d, struct span sp, struct str replacement);
/* Behind the finding's severity: what is grave and would stay so is not silenced unasked, so unsafe. */
void diag_fix_means(struct diag *d, enum fix_safety safety, enum fix_change change);
/* A call that the fix changes; the name is borrowed. */
void diag_fix_call(struct diags *ds, struct diag *d, struct str call);
/* There is none after all. */
void diag_fix_drop(struct diag *d);
/*
 * The same for one word: nothing is noted unless the text of sp is that word, or the word in
 * quotes (JSON: what is between them is replaced), to the letter.
 */
void diag_fix_word(struct diags *ds, struct diag *d, struct span sp, struct str word,
		   struct str replacement);
/*
 * suggest_start(), but past the cap of errors, where no help is kept: then no candidate is looked
 * at, which for a million misspelt names takes minutes. False: none need be offered.
 */
bool diag_suggest_start(const struct diags *ds, struct suggest *s, struct str word);
/*
 * "did you mean 'X'?" as the help, and as a fix of the word where one candidate alone is at
 * most one edit away. False: nothing was near enough, and the help is the caller's.
 */
bool diag_suggest(struct diags *ds, struct diag *d, struct span sp, const struct suggest *s);
void diag_severity(struct diags *ds, struct diag *d, enum severity s);
/* One id tells several facts, of which the linter's catalogue has a rule each: this is that one. */
void diag_rule(struct diags *ds, struct diag *d, enum diag_id rule);

/* What was collected in another list of the same arena is in this one, too. */
void diags_take(struct diags *ds, const struct diags *from);

/* By source, place, id; stable. Call before printing. */
void diags_sort(struct diags *ds);
/* rustc's shape: place, message [id slug], excerpt with carets, labels, help. colour: ANSI. */
void diag_print_text(const struct diags *ds, const struct diag *d, bool colour, struct buf *out);
/* The members of its JSON object, and the object on a line of its own. */
struct json_writer;
void diag_put_members(const struct diags *ds, const struct diag *d, struct json_writer *w);
void diag_print_json(const struct diags *ds, const struct diag *d, struct buf *out);
