/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/merged.h"

#include <string.h>

struct merge_key {
	struct str name, beside; /* beside: the program of change_profile; NULL: none */
	enum aa_mode mode;
	bool audit;
	int priority;
};

static struct str text_of(struct arena *a, const struct aa_text *t)
{
	return t->word ? glob_unescape(a, t->word->text) : (struct str){ NULL, 0 };
}

/* False: it is merged with nothing of the other class. */
static bool key_of(struct arena *a, const struct aa_rule *r, struct merge_key *out)
{
	bool change = r->class == AA_CLASS_CHANGE_PROFILE;

	if (!change && (r->class != AA_CLASS_FILE || r->file.link.word || !r->file.path.word))
		return false;
	*out = (struct merge_key){ .mode = r->prefix.mode,
				   .audit = r->prefix.audit,
				   .priority = change ? 0 : r->prefix.priority };
	if (!change) {
		out->name = text_of(a, &r->file.path);
		return true;
	}
	if (out->mode == AA_MODE_PROMPT)
		out->mode = AA_MODE_ALLOW;
	out->name = r->change.target.word ? text_of(a, &r->change.target) : str_c("**");
	out->beside = text_of(a, &r->change.exec);
	return true;
}

static bool same_name(enum aa_release release, struct str x, struct str y)
{
	size_t skip = release >= AA_RELEASE_5_0 && x.n;

	return x.n == y.n && (!x.p == !y.p) &&
	       (x.n == skip || !memcmp(x.p + skip, y.p + skip, x.n - skip));
}

static bool same_key(enum aa_release release, const struct merge_key *x, const struct merge_key *y)
{
	return x->mode == y->mode && (x->audit == y->audit || release < AA_RELEASE_4_0) &&
	       x->priority == y->priority && same_name(release, x->name, y->name) &&
	       same_name(release, x->beside, y->beside);
}

bool aa_is_merged_away(struct arena *a, enum aa_release release, const struct aa_changes *changes,
		       const struct aa_rule *r)
{
	bool later = r->class != AA_CLASS_CHANGE_PROFILE;
	struct merge_key own, other;

	if (!changes->list.n || (!later && release < AA_RELEASE_5_0) || !key_of(a, r, &own))
		return false;
	vec_each(&changes->list, c) {
		if (later && key_of(a, *c, &other) && same_key(release, &own, &other))
			return true;
		later |= *c == r;
	}
	return false;
}
