/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rules of change_profile at the execution of a path that disagree about the environment: to the
 * parser `safe` and `unsafe` are two ways to execute, of the text that program and label are
 * together (parser_regex.c, process_dfa_entry). A deny and a rule without patterns go before the
 * others as they do of files, and so does what the parser makes of one release's order.
 */
#include "compiler/apparmor/merged.h"

/*
 * Tells each pair that a parser refuses (PL370), or may (PL386); *undecided: how many errors of
 * these were told that are none where it is decided otherwise is added. m holds all rules of the
 * profile that change it.
 */
void aa_check_changes(const struct aa_reader *rd, const struct aa_merging *m, size_t *undecided);
