/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that an unconditional one of the same call swallows, told (conflicts.c finds them). */
#include "compiler/base/bug.h"
#include "compiler/base/group.h"
#include "compiler/oci/fix.h"
#include "compiler/oci/runtime/settle.h"

void oci_tell_swallowed(struct arena *a, const struct oci_profile *p, const struct oci_rule *rules,
			const struct group *but, struct diags *ds)
{
	static const struct {
		enum diag_id id;
		const char *text, *help;
	} kinds[] = {
		{ DIAG_SC109,
		  "one entry has conditions and another has none; libseccomp lets the one without "
		  "conditions decide, in either order",
		  "remove the entry without conditions, or the conditions" },
		{ DIAG_SC108,
		  "two entries without conditions disagree; libseccomp keeps the first and ignores "
		  "this one",
		  "remove the one that is not meant" },
	};

	for (size_t always = 0; always < ARRAY_SIZE(kinds); always++) {
		struct group g = { .arena = a };
		struct span winner = NO_SPAN;
		span_list losers = { 0 };
		vec_each(&p->swallowed, s) {
			const struct oci_rule *loser = &rules[s->loser];
			if (oci_always(loser) != always || !oci_is_asked(p, loser->name) ||
			    group_has(but, loser->name))
				continue;
			vec_push(ds->arena, &losers, loser->span);
			if (group_add(&g, loser->name, loser->span) && g.hits.n == 1)
				winner = rules[s->winner].span;
		}
		if (!g.hits.n)
			continue;
		struct diag *d = diag_add(ds, kinds[always].id, group_span(&g), "%s: %s",
					  group_list(&g), kinds[always].text);
		diag_help(ds, d, "%s", kinds[always].help);
		diag_note(ds, d, winner, "decided here");
		oci_fix_cut_names(p, ds, d, &losers);
		diag_fix_means(d, FIX_SAFE, FIX_SAME);
		group_labels(ds, d, &g);
	}
}
