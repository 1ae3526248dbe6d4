/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/select.h"

#include "compiler/lint/lint.h"

#include <string.h>

unsigned selection_match(struct str word, enum diag_id id)
{
	const struct diag_info *info = diag_info(id);
	struct str whole = str_c(info->id);

	if (str_ieq(word, str_c(info->slug)))
		return (unsigned)whole.n;
	if (!word.n || word.n > whole.n || !str_ieq(word, (struct str){ whole.p, word.n }))
		return 0;
	return (unsigned)word.n;
}

bool selection_add(struct selection *s, struct str word, bool ignore, struct suggest *near)
{
	uint8_t *at = ignore ? s->ignored : s->selected;
	bool found = false;

	suggest_start(near, word);
	s->any |= !ignore;
	for (unsigned i = 0; i < DIAG_NR; i++) {
		unsigned n = selection_match(word, (enum diag_id)i);

		suggest_offer(near, str_c(diag_info((enum diag_id)i)->id));
		suggest_offer(near, str_c(diag_info((enum diag_id)i)->slug));
		found |= n > 0;
		if (n > at[i])
			at[i] = (uint8_t)n;
	}
	return found;
}

bool selection_never(struct selection *s, struct str word, struct suggest *near)
{
	struct selection own = { 0 };

	if (!selection_add(&own, word, true, near))
		return false;
	for (unsigned i = 0; i < DIAG_NR; i++)
		if (own.ignored[i])
			s->ignored[i] = UINT8_MAX;
	return true;
}

void selection_join_never(struct selection *s, const struct selection *with)
{
	for (unsigned i = 0; i < DIAG_NR; i++)
		if (with->ignored[i] == UINT8_MAX)
			s->ignored[i] = UINT8_MAX;
}

bool selection_has_rule(const struct selection *s, enum diag_id id)
{
	if (s->any && !s->selected[id])
		return false;
	return !s->ignored[id] || s->ignored[id] < s->selected[id];
}

bool selection_stays(const struct diag *d)
{
	bool unread = !strncmp(diag_info(d->id)->id, "PL", 2) || d->id == DIAG_SJ001 ||
		      d->id == DIAG_SJ026 || lint_refuses_apparmor(d->id);

	return (unread && d->severity == SEVERITY_ERROR) || d->id == DIAG_PL430;
}

bool selection_has(const struct selection *s, const struct diag *d)
{
	if (selection_stays(d))
		return true;
	if (s->above && d->severity > s->least)
		return false;
	return selection_has_rule(s, d->id);
}
