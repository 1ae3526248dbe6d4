/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/suggest.h"

#include <string.h>

#define WORD_MAX 64

void suggest_start(struct suggest *s, struct str word)
{
	*s = (struct suggest){ .word = word };
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Damerau-Levenshtein (adjacent swaps count one), three rows; case does not count. */
static unsigned distance_of(struct str a, struct str b)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];

	for (unsigned j = 0; j <= b.n; j++)
		prev[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		char x = fold(a.p[i - 1]);

		cur[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			char y = fold(b.p[j - 1]);

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b.p[j - 2]) && fold(a.p[i - 2]) == y &&
			    before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		unsigned *t = before;
		before = prev;
		prev = cur;
		cur = t;
	}
	return prev[b.n];
}

void suggest_offer(struct suggest *s, struct str candidate)
{
	size_t limit = s->word.n / 3 ? s->word.n / 3 : 1;
	size_t longer = s->word.n > candidate.n ? s->word.n : candidate.n;
	size_t shorter = s->word.n + candidate.n - longer;
	unsigned d;

	if (!s->word.n || !candidate.n || longer > WORD_MAX || longer - shorter > limit)
		return;
	d = distance_of(s->word, candidate);
	/* A distance of a whole word means nothing in common: 'r' is no typo of 'x'. */
	if (d > limit || d >= longer)
		return;
	if (s->best.p && (d > s->distance || str_eq(s->best, candidate)))
		return;
	s->rival = s->best.p && d == s->distance;
	if (s->best.p && d == s->distance &&
	    (fold(s->best.p[0]) == fold(s->word.p[0]) ||
	     fold(candidate.p[0]) != fold(s->word.p[0])))
		return;
	s->best = candidate;
	s->distance = d;
}
