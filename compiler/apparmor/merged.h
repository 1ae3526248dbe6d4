/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rules that a parser takes for one. It merges file rules that have one path, and takes the target
 * of change_profile for a path: what is merged with such a rule is nothing but change_profile. 5.0
 * compares names but for their first byte, and keeps the last of those that it takes for one
 * (parser_merge.c, process_file_entries; parser_regex.c, process_dfa_entry; seen in the tables of
 * 3.0.8, 4.1.0 and 5.0.2).
 */
#include "compiler/rules/rules.h"

struct aa_changes {
	VEC(const struct aa_rule *) list; /* those of change_profile, in the order of the text */
};

/*
 * Is nothing left of the rule? Of a file rule: but what it denies of links. Names are compared as
 * written, their variables unopened.
 */
bool aa_is_merged_away(struct arena *a, enum aa_release release, const struct aa_changes *changes,
		       const struct aa_rule *r);
