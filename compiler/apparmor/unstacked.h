/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Targets of change_profile where profiles are not stacked (aa_features_stack). */
#include "compiler/rules/rules.h"

/*
 * Is the rule's target one that such a parser takes: "name" or ":namespace:name", neither empty, and
 * nothing stacked (parser_misc.c, parse_label; parser_regex.c, process_dfa_entry)? False: told (PL390).
 */
bool aa_check_unstacked(const struct aa_reader *rd, const struct aa_rule *r);
