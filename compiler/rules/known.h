/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Patterns and rules that were parsed and found right, over all files of a process: what many
 * profiles include is looked at once, for the same values of the variables in it. What is wrong is
 * never remembered, and so told each time.
 */
#include "compiler/automata/glob.h"
#include "compiler/rules/rules.h"

enum { AA_KNOWN_MAX = 4 << 20 }; /* bytes of what is remembered; past it all is parsed again */

struct aa_known;

/* `read`: who checks a rule reads it next, and patterns that a check parses are kept. Owner: the arena. */
struct aa_known *aa_known_new(struct arena *a, bool read);
bool aa_known_is_read(const struct aa_known *k);

/*
 * Is this pattern known to be right? What it asked stays the question of aa_known_add until the
 * next call: it is right, too.
 */
bool aa_known_right(struct aa_known *k, struct str text, enum glob_kind kind,
		    const struct glob_variables *vars);
void aa_known_add(struct aa_known *k);
/* The pattern as glob_parse() gives it, parsed once; fault is GLOB_FINE before. In k's arena. */
const struct glob *aa_known_glob(struct aa_known *k, struct str text, enum glob_kind kind,
				 const struct glob_variables *vars, struct glob_fault *fault);

/*
 * glob_heads_of(), and glob_overlap_paths() or glob_overlap(), of which the answers about patterns that are kept
 * here are remembered; the budget counts as if they were not.
 */
struct glob_heads aa_known_heads(struct aa_known *k, struct arena *a, const struct glob *g);
enum { AA_KNOWN_TEXTS, AA_KNOWN_PATHS }; /* texts that both match; paths alone */
enum glob_answer aa_known_overlap(struct aa_known *k, struct arena *a, int what,
				  const struct glob *x, const struct glob *y, size_t *budget,
				  const char **witness);

/*
 * Is this rule known to be right for the target, and to ask for nothing more? Only of a rule that
 * hangs on no variable, and whose statement lives as long as what is remembered.
 */
bool aa_known_rule(const struct aa_known *k, const struct aa_use *use,
		   const struct aa_target *target);
void aa_known_rule_add(struct aa_known *k, const struct aa_use *use,
		       const struct aa_target *target);
/*
 * Where such a rule is kept once it was read, in aa_known_arena(), NULL there before; NULL: it is not known,
 * or there is no more room.
 */
const struct aa_rule **aa_known_rule_place(struct aa_known *k, const struct aa_use *use,
					   const struct aa_target *target);
struct arena *aa_known_arena(const struct aa_known *k);
/*
 * aa_rule_read() of what is asked, not checked: a rule that is known is read once, and is a copy in the
 * reader's arena with this use. The reader's target and `known`, which may be NULL, count (known_read.c).
 */
struct aa_rule *aa_known_rule_read(const struct aa_reader *reader, const struct aa_use *use);
