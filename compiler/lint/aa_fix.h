/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fixes of AppArmor's text, of the file at hand alone: what stands in a file that it includes is
 * others' too, and nothing is noted. Each is proved by `pale lint --fix` before it is made.
 */
#include "compiler/lint/aa_facts.h"

/* The rule goes; with its lines, and the comment behind it, where nothing else stands on them. */
void aa_fix_cut(struct lint *l, struct diag *d, const struct aa_use *use, enum fix_safety safety,
		enum fix_change change);
/* A part of a rule, with the blanks in front of it. */
void aa_fix_cut_item(struct lint *l, struct diag *d, const struct aa_use *use,
		     const struct aa_item *item, enum fix_safety safety, enum fix_change change);
/* A word of a rule becomes another. */
void aa_fix_word(struct lint *l, struct diag *d, const struct aa_use *use, struct span word,
		 const char *text, enum fix_change change);
/* A word becomes several rules, NULL-ended, each in a line of its own; the last one has the comma. */
void aa_fix_lines(struct lint *l, struct diag *d, const struct aa_use *use, struct span word,
		  const char *const *rules, enum fix_change change);
/* A rule more: the first of the profile, laid out as what it stands before. Unsafe. */
void aa_fix_add(struct lint *l, struct diag *d, const struct aa_profile *p, const char *rule);
/* A word of the profile's flags goes, and the last one with all of `flags=(...)`. */
void aa_fix_cut_flag(struct lint *l, struct diag *d, const struct aa_profile *p, const char *flag,
		     enum fix_safety safety, enum fix_change change);
