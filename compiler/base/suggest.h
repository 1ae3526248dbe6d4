/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * "Did you mean": the candidate nearest to a mistyped word (Damerau-Levenshtein, words up to
 * 64 bytes, distance at most max(1, len/3); a tie goes to the same first letter, then to the
 * candidate offered first). Feed candidates one by one; allocates nothing.
 */
#include "compiler/base/str.h"

struct suggest {
	struct str word;
	struct str best; /* p == NULL: nothing near enough yet */
	unsigned distance;
	bool rival; /* another word is as near as the best: it is a guess */
};

void suggest_start(struct suggest *s, struct str word);
void suggest_offer(struct suggest *s, struct str candidate);

/* "; did you mean 'X'?", or nothing: say("no set '%s'" PRINEAR, name, NEARARG(suggest)) */
#define PRINEAR    "%s" PRISTR "%s"
#define NEARARG(s) (s).best.p ? "; did you mean '" : "", STRARG((s).best), (s).best.p ? "'?" : ""
