/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which random cases a test program tries: the options that all such programs take. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

struct which {
	uint64_t n;     /* -n: so many ... */
	uint64_t seed;  /* -s: ... of this seed */
	uint64_t only;  /* -i: this one alone, told at length; UINT64_MAX: all */
	unsigned plant; /* -p: with this planted bug (cbpf/gen.h), or with so many; 0: none */
	bool other;     /* a letter of the program's own, without a value */
};

/* `letters`: as getopt(3) takes them. False: wrong usage. */
static inline bool which_read(int argc, char **argv, const char *letters, struct which *w)
{
	int c;

	while ((c = getopt(argc, argv, letters)) != -1) {
		uint64_t v = optarg ? strtoull(optarg, NULL, 0) : 0;

		if (c == '?')
			return false;
		if (c == 'n')
			w->n = v;
		else if (c == 's')
			w->seed = v;
		else if (c == 'i')
			w->only = v;
		else if (c == 'p')
			w->plant = (unsigned)v;
		else
			w->other = true;
	}
	return true;
}

/* The first case and the one behind the last. */
static inline uint64_t which_first(const struct which *w)
{
	return w->only == UINT64_MAX ? 0 : w->only;
}

static inline uint64_t which_end(const struct which *w)
{
	return w->only == UINT64_MAX ? w->n : w->only + 1;
}
