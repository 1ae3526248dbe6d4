/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/queues.h"

/* Behind a slash a star is not empty, and that may be the first one's (convert_aaregex_to_pcre). */
struct aa_label_twice aa_label_twice(struct arena *a, const struct glob *label)
{
	struct str s = label->opened;
	const struct glob *both = NULL;

	if (s.n && s.p[s.n - 1] == '/')
		both = glob_parse(a, str_c(arena_printf(a, PRISTR PRISTR, STRARG(s), STRARG(s))),
				  GLOB_NAME, NULL, NULL);
	if (both)
		return (struct aa_label_twice){ both, NULL };
	return (struct aa_label_twice){ label, label };
}

bool aa_label_twice_match(struct arena *a, const struct glob *label, struct str s)
{
	struct aa_label_twice twice = aa_label_twice(a, label);

	if (!twice.second)
		return glob_match(a, twice.first, s);
	for (size_t i = 0; i <= s.n; i++)
		if (glob_match(a, twice.first, (struct str){ s.p, i }) &&
		    glob_match(a, twice.second, (struct str){ s.p + i, s.n - i }))
			return true;
	return false;
}
