/* SPDX-License-Identifier: Apache-2.0 */
/* change_profile, unix, dbus, mqueue as accesses. */
#include "compiler/apparmor/access_parts.h"

/* ---- change_profile, change_hat ---- */

static bool has_word(const struct reading *r, size_t at, const char *word)
{
	return at < r->n && str_is(r->words[at].text, word);
}

bool access_change_profile(struct reading *r, struct aa_access *out)
{
	size_t at = 1;

	out->class = AA_CLASS_CHANGE_PROFILE;
	out->perms = AA_ACCESS_CHANGE;
	if (has_word(r, 2, "->")) {
		out->change.exec = r->words[1].text;
		if (!access_is_path(r, out->change.exec, r->words[1].span))
			return false;
		at++;
	}
	at += has_word(r, at, "->");
	if (at + 1 != r->n || !r->words[at].text.n || has_word(r, at, "&"))
		return access_vague(
			r, "change_profile is asked about one label",
			"such as: 'change_profile p', stacked 'change_profile &p', at an "
			"execution 'change_profile /bin/p -> p'");
	out->change.target = r->words[at].text;
	return true;
}

bool access_change_hat(struct reading *r, struct aa_access *out)
{
	struct str *name = &out->change.target;

	out->class = AA_CLASS_CHANGE_PROFILE;
	out->perms = AA_ACCESS_HAT;
	if (r->n == 2)
		*name = r->words[1].text;
	if (name->n && name->p[0] == '^')
		*name = (struct str){ name->p + 1, name->n - 1 };
	return name->n ||
	       access_vague(r, "change_hat is asked about one hat", "such as: change_hat h");
}
