/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which rules are told: of --select, --ignore and --severity. A word is an id, a slug, or the first
 * letters of ids ("AP", "SR2"); of two that speak of a rule the longer one counts, of equals the one
 * that ignores. What keeps a file, or all of its rules, from being read is always told.
 */
#include "compiler/base/diag.h"
#include "compiler/base/suggest.h"

struct selection { /* all 0: no rule is ignored */
	uint8_t selected[DIAG_NR],
		ignored[DIAG_NR]; /* letters of the longest word that speaks of it */
	bool any;                 /* rules are selected: others are not told */
	bool above;               /* --severity: */
	enum severity least;      /* nothing less grave is told */
};

/* The rules of one word; false: there is none, and *near has the nearest. */
bool selection_add(struct selection *s, struct str word, bool ignore, struct suggest *near);
/* An error of the text (PL..., no JSON, an entry of a wrong type), or that some were cut off? */
bool selection_stays(const struct diag *d);
/* The same for one that is ignored whatever else speaks of it. */
bool selection_never(struct selection *s, struct str word, struct suggest *near);
/* What the other one never tells this one does not tell, either. */
void selection_join_never(struct selection *s, const struct selection *with);
bool selection_has(const struct selection *s, const struct diag *d);
/* Are findings of this id told whatever their severity? */
bool selection_has_rule(const struct selection *s, enum diag_id id);
/* Does the word name the rule, as above? Letters of it that do; 0: no. */
unsigned selection_match(struct str word, enum diag_id id);
