/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/rules/known.h"

struct aa_rule *aa_known_rule_read(const struct aa_reader *reader, const struct aa_use *use)
{
	struct aa_known *k = reader->known;
	const struct aa_rule **kept =
		k && use->from ? aa_known_rule_place(k, use, &reader->target) : NULL;
	struct aa_rule *rule;

	if (!kept)
		return aa_rule_read(reader, use);
	if (!*kept) {
		struct aa_reader keeper = *reader;

		keeper.arena = aa_known_arena(k);
		*kept = aa_rule_read(&keeper, use);
	}
	if (!*kept)
		return NULL;
	rule = arena_dup(reader->arena, *kept, sizeof(*rule));
	rule->use = use;
	return rule;
}
