/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * RULE: what was asked of AppArmor's classes beside files, capabilities, networks and signals, as
 * the rule of its own that allows just that: "mount fstype=tmpfs options=(rw) tmpfs -> /mnt/",
 * "ptrace (read) peer=db". In this form what a backend saw and what the kernel's log tells are one.
 */
#include "compiler/rules/profile.h"

#define RULE_TEXT 16384 /* bytes: two names of PATH_MAX, each byte escaped, and the words around */

/*
 * The statement of one rule without prefix and ',', as AppArmor 5.0 reads it, in the arena. NULL:
 * it is none of these classes, or not one rule that is right.
 */
const struct aa_stmt *rule_parse(struct arena *a, struct str text);
/* Its one spelling, which is its own: as `pale fmt` has it. p NULL: it is none. */
struct str rule_spelling(struct arena *a, struct str text);

/* A rule in two: what is done, and to what. Rules of one `rest` are one rule of all that is done. */
struct rule_parts {
	enum aa_class class;
	unsigned
		perms; /* of its class, AA_PTRACE_* ...; 0: rules of the class have no words for it */
	struct str rest; /* all else: behind the keyword where there are perms, else with it */
};

/* False: it is no rule. Texts are in the arena. */
bool rule_split(struct arena *a, struct str text, struct rule_parts *out);
/* The two together, spelled: rule_split() of it gives the same. */
struct str rule_join(struct arena *a, const struct rule_parts *parts);
