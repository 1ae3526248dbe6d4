/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor's globs, read as apparmor_parser reads them; the one place that knows. Four steps,
 * each the parser's own (tests/apparmor holds the result against its tables):
 *	1  escapes: \ooo \xHH \dNNN give the byte; of these ? * [ ] { } ^ , and the backslash
 *	   stay protected, all others ('-', '@', '/') are as if written plainly
 *	   (parser_misc.c, processunquoted)
 *	2  variables, with their values as text: one value as it is, several as {a,b}
 *	   (parser_variable.c); with no values at hand a variable stands for its own name
 *	3  of a path, runs of '/' become one, but exactly two at the start stay. Only in the
 *	   text: "/{,a}/b" does match "//b" (parser_regex.c, filter_slashes)
 *	4  ? one byte but '/', * any number of them, ** any bytes, {a,b}, [a-z], [^a-z] (which has
 *	   '/' too); a star that fills a whole component ("/" before it, "/" or the end behind)
 *	   needs a byte. Inside brackets the parser translates globs as well, and the class then
 *	   ends where its regular expressions end it: such a reading is kept, and GLOB_MISREAD says
 *	   so (parser_regex.c, convert_aaregex_to_pcre; libapparmor_re/parse.y)
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/automata/nfa.h"

enum glob_fault_kind {
	GLOB_FINE,
	GLOB_MISREAD,    /* the parser takes it, and to mean something else than it says */
	GLOB_UNDECLARED, /* a variable that no value is known of, where values were given */
	GLOB_REFUSED,    /* the parser does not take it: a class that it cannot read */
	GLOB_RECURSIVE,  /* nor one whose variables are in each other's values */
	GLOB_MALFORMED,  /* nor is it a glob: brackets, braces, a last backslash, the length */
};

/* The worst that is wrong with a glob, the first of its kind. */
struct glob_fault {
	enum glob_fault_kind kind;
	size_t at, n;     /* where, in bytes of the text as written */
	const char *why;  /* a clause: "']' closes nothing" */
	const char *help; /* the way out; NULL: none but the obvious */
};

/* Values of variables, as they stand in a declaration, after step 1. */
struct glob_variable {
	struct str name;
	VEC(struct str) values;
};

struct glob_variables {
	VEC(struct glob_variable) list;
	/*
	 * As 5.0 opens them: a value behind slashes alone keeps its own, so that "/@{run}" is
	 * "/{/run,/var/run}", which no path matches, and one value loses slashes as several do
	 * (variable.cc, expand_by_alternation).
	 */
	bool by_5_0;
};

bool glob_has_variable(struct str written); /* as far as text can tell: "@{" and a name */
/* The bytes of "@{NAME}" at i of a text after step 1, and its name; 0: none stands there. */
size_t glob_variable_at(struct str s, size_t i, struct str *name);

/* Step 1 alone. */
struct str glob_unescape(struct arena *a, struct str written);

const struct glob_variable *glob_variable_find(const struct glob_variables *v, struct str name);

enum glob_kind {
	GLOB_PATH, /* of files: step 3 applies */
	GLOB_NAME, /* of profiles: it does not */
};

/* What a glob has beside bytes and alternatives: by this the parser tells which it calls exact. */
enum {
	GLOB_HAS_CLASS = 1 << 0,   /* [a-z] */
	GLOB_HAS_NEGATED = 1 << 1, /* [^a-z], ? */
	GLOB_HAS_STAR = 1 << 2,
};

struct glob {
	struct str text;    /* as written */
	struct str opened;  /* after step 3 */
	struct nfa nfa;     /* from node 0 to its NFA_END node */
	struct str prefix;  /* the bytes that every match begins with, at least */
	uint64_t hash;      /* of nfa: of globs that are alike it is the same */
	unsigned has;       /* GLOB_HAS_* */
	bool open;          /* holds a variable that stands for its own name */
	const void *keeper; /* as long as whom it lives; NULL: nobody said */
};

/*
 * Parses once. vars NULL: variables stand for their own names, and are no fault. NULL for
 * from GLOB_REFUSED on; the glob as the parser reads it for the others. Owner: the
 * arena, which must outlive it; `text` is borrowed. fault may be NULL.
 */
const struct glob *glob_parse(struct arena *a, struct str text, enum glob_kind kind,
			      const struct glob_variables *vars, struct glob_fault *fault);

/*
 * A value with the variables from its front on replaced that have one plain value each: one without
 * an '@' and with no backslash at its end, so that where it meets other text nothing new begins. Up to
 * the first that has none, or with which it is longer than GLOB_OPENED_MAX; by one step, where
 * replacing one by one is a copy of it for each. plain(): false: no such value.
 */
enum { GLOB_OPENED_MAX = 65536 }; /* bytes, once variables are opened */
typedef bool glob_plain(void *data, struct str name, struct str *value);
struct str glob_put_plain(struct arena *a, struct str value, glob_plain *plain, void *data);

struct glob_alias {
	struct str from, to; /* after step 1 */
};

/*
 * The glob that an alias makes of this one: what begins with `from` after step 2 begins with `to`
 * instead. NULL where it does not begin so (*fault is GLOB_FINE then), or as glob_parse().
 */
const struct glob *glob_parse_alias(struct arena *a, struct str text, enum glob_kind kind,
				    const struct glob_variables *vars,
				    const struct glob_alias *alias, struct glob_fault *fault);

bool glob_match(struct arena *a, const struct glob *g, struct str path);

/* The node behind so many bytes of the prefix. */
uint32_t glob_behind(const struct glob *g, size_t n);

enum glob_answer { GLOB_NO, GLOB_YES, GLOB_NOT_DECIDED };

enum { GLOB_BUDGET = 2000000 }; /* pairs of nodes, of about 40 bytes each */

/*
 * Is there a text that both match? GLOB_YES with *witness in the arena: a shortest path that
 * the kernel can ask about (no "//", no "." or ".." component); where only other texts are
 * matched by both, a shortest of those, as the parser compares texts. Letters are preferred.
 * GLOB_NOT_DECIDED where *budget, which the calls of one question share, ends before the answer.
 */
enum glob_answer glob_overlap(struct arena *a, const struct glob *x, const struct glob *y,
			      size_t *budget, const char **witness);

/* The same of paths alone: where no path is matched by both, GLOB_NO. */
enum glob_answer glob_overlap_paths(struct arena *a, const struct glob *x, const struct glob *y,
				    size_t *budget, const char **witness);

enum { GLOB_HEADS = 12 };

/* The bytes that a glob's texts may begin with: cheap to compare, where one is held against many. */
struct glob_heads {
	struct byte_set at[GLOB_HEADS];
	unsigned n; /* that each of its texts has at least; no more than GLOB_HEADS */
};

struct glob_heads glob_heads_of(struct arena *a, const struct glob *g);
/* False: no text is matched by both; glob_overlap() would say GLOB_NO. */
bool glob_heads_meet(const struct glob_heads *x, const struct glob_heads *y);
