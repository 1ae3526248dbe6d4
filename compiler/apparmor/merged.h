/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rules that a parser takes for one. It merges file rules that have one path, and takes the target
 * of change_profile for a path: what is merged with such a rule is nothing but change_profile. 5.0
 * compares names but for their first byte, and keeps the last of those that it takes for one
 * (parser_merge.c, process_file_entries; parser_regex.c, process_dfa_entry; seen in the tables of
 * 3.0.8, 4.1.0 and 5.0.2). Names are compared with their variables opened, and after aliases made
 * more rules of them, which concern no target of change_profile.
 */
#include "compiler/apparmor/means.h"

struct aa_merging {
	struct arena *arena;
	enum aa_release release;
	const struct glob_variables *variables;
	VEC(const struct aa_rule *) changes; /* of change_profile, in the order of the text */
};

/*
 * Is nothing left of the rule? Of a file rule: but what it denies of links. path: what an alias
 * made of its path; NULL: the rule as it is written.
 */
bool aa_is_merged_away(const struct aa_merging *m, const struct aa_rule *r,
		       const struct glob *path);

/*
 * Are the two one rule to the parser? It then refuses them where they disagree about how to execute,
 * whatever goes before them. xpath, ypath: as above.
 */
bool aa_are_merged(const struct aa_merging *m, const struct aa_rule *x, const struct glob *xpath,
		   const struct aa_rule *y, const struct glob *ypath);

/* Takes out of the list what is merged away. */
void aa_files_merge(const struct aa_merging *m, struct aa_files *files);
