/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/merged.h"

#include <string.h>

struct merge_key {
	struct str name, beside; /* beside: the program of change_profile; NULL: none */
	enum aa_mode mode;
	bool said; /* `allow` is written: another mode than none (since 4.0) */
	bool audit;
	int priority;
};

/* With its variables opened. */
static struct str text_of(const struct aa_merging *m, const struct aa_text *t, enum glob_kind kind)
{
	const struct glob *g = t->glob;

	if (!t->word)
		return (struct str){ NULL, 0 };
	if (!g)
		g = glob_parse(m->arena, t->word->text, kind, m->variables, NULL);
	return g ? g->opened : glob_unescape(m->arena, t->word->text);
}

/* False: it is merged with nothing of the other class. */
static bool key_of(const struct aa_merging *m, const struct aa_rule *r, const struct glob *path,
		   struct merge_key *out)
{
	bool change = r->class == AA_CLASS_CHANGE_PROFILE;

	if (!change && (r->class != AA_CLASS_FILE || r->file.link.word || !r->file.path.word))
		return false;
	*out = (struct merge_key){ .mode = r->prefix.mode,
				   .said = r->prefix.mode_said && m->release >= AA_RELEASE_4_0,
				   .audit = r->prefix.audit,
				   .priority = r->prefix.priority };
	if (!change) {
		out->name = path ? path->opened : text_of(m, &r->file.path, GLOB_PATH);
		return true;
	}
	if (m->release != AA_RELEASE_4_1_8) { /* of its words only those of a deny count */
		out->mode = out->mode == AA_MODE_PROMPT ? AA_MODE_ALLOW : out->mode;
		out->said = false;
		out->priority = 0;
	}
	out->name = r->change.target.word ? text_of(m, &r->change.target, GLOB_NAME) : str_c("**");
	out->beside = text_of(m, &r->change.exec, GLOB_NAME);
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
	return x->mode == y->mode && x->said == y->said &&
	       (x->audit == y->audit || release < AA_RELEASE_4_0) && x->priority == y->priority &&
	       same_name(release, x->name, y->name) && same_name(release, x->beside, y->beside);
}

bool aa_are_merged(const struct aa_merging *m, const struct aa_rule *x, const struct glob *xpath,
		   const struct aa_rule *y, const struct glob *ypath)
{
	struct merge_key one, two;

	return key_of(m, x, xpath, &one) && key_of(m, y, ypath, &two) &&
	       same_key(m->release, &one, &two);
}

bool aa_is_merged_away(const struct aa_merging *m, const struct aa_rule *r, const struct glob *path)
{
	bool later = r->class != AA_CLASS_CHANGE_PROFILE;
	struct merge_key own, other;

	if (!m->changes.n || (!later && m->release < AA_RELEASE_5_0) || !key_of(m, r, path, &own))
		return false;
	vec_each(&m->changes, c) {
		if (later && key_of(m, *c, NULL, &other) && same_key(m->release, &own, &other))
			return true;
		later |= *c == r;
	}
	return false;
}

void aa_files_merge(const struct aa_merging *m, struct aa_files *files)
{
	size_t n = 0;

	vec_each(&files->list, f) {
		if (f->rule && f->rule->class == AA_CLASS_FILE &&
		    aa_is_merged_away(m, f->rule, f->path)) {
			if (f->mode != AA_MODE_DENY || !(f->perms & PERM_L))
				continue;
			f->perms = PERM_L;
			f->exec = AA_EXEC_NONE;
		}
		files->list.v[n++] = *f;
	}
	files->list.n = n;
}
