/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/mounts.h"

#include <sys/mount.h>

/* The bits by mount.h of the parsers; those of mount(2), but for what no rule can name. */
#define MAKES (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)
#define CMDS  (MS_MOVE | MS_REMOUNT | MS_BIND | MS_REC | MAKES)
#define ALL_3_0                                                                                    \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_MANDLOCK |             \
	 MS_DIRSYNC | MS_NOATIME | MS_NODIRATIME | MS_SILENT | MS_POSIXACL | MS_RELATIME |         \
	 MS_I_VERSION | MS_STRICTATIME | CMDS)
#define NOSYMFOLLOW (1u << 8) /* not in every libc's headers */
#define LAZYTIME    (1u << 25)
#define OF_MOUNTS                                                                                  \
	(MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_NOATIME | MS_NODIRATIME | MS_RELATIME |             \
	 MS_STRICTATIME)

struct mounting {
	struct arena *arena;
	enum aa_release release;
	const struct aa_rule *rule;
	unsigned all, remounts; /* bits that the release knows, and those that a remount may have */
	struct aa_mount_patterns *out;
};

static bool has_source(const struct mounting *m)
{
	return m->rule->mount.source.word;
}

static bool has_type(const struct mounting *m)
{
	return aa_rule_cond(m->rule, AA_COND_FSTYPE, false);
}

static bool is_detached(const struct mounting *m)
{
	const struct aa_text *t = &m->rule->mount.source;

	return m->release >= AA_RELEASE_4_1 && t->word && str_is(t->word->text, "detached");
}

static void add(struct mounting *m, bool source, bool typed, unsigned set, unsigned may)
{
	const struct aa_mount_rule *r = &m->rule->mount;

	vec_push(m->arena, &m->out->list,
		 ((struct aa_mount_pattern){ .point = &r->point,
					     .source = source ? &r->source : NULL,
					     .no_source = source && is_detached(m),
					     .typed = typed,
					     .set = set,
					     .may = may }));
}

/* A change of the propagation; its mount point may stand where a source does. */
static void add_make(struct mounting *m, unsigned set, unsigned may)
{
	add(m, false, false, set, may);
	if (has_source(m) && !m->rule->mount.point.word)
		m->out->list.v[m->out->list.n - 1].point = &m->rule->mount.source;
}

/* ---- 4.0 and later ---- */

static void add_kinds(struct mounting *m, unsigned flags, unsigned may)
{
	bool typed = has_type(m), both = has_source(m) && m->rule->mount.point.word;
	unsigned makes = m->all & ~(unsigned)OF_MOUNTS, news = m->all & ~(unsigned)CMDS;
	bool any = !flags || flags == m->all;

	if ((any || flags & MS_REMOUNT) && !has_source(m) && !typed) {
		add(m, false, false, flags & m->remounts, may & m->remounts);
		if (!any)
			return;
	}
	if ((any || flags & MS_BIND) && !typed) {
		add(m, true, false, flags & (MS_BIND | MS_REC), may & (MS_BIND | MS_REC));
		if (!any)
			return;
	}
	if ((any || flags & (MAKES | MS_REC)) && !both && !typed) {
		add_make(m, flags & makes, may & makes);
		if (!any)
			return;
	}
	if ((any || flags & MS_MOVE) && !typed) {
		add(m, true, false, flags & MS_MOVE, may & MS_MOVE);
		if (!any)
			return;
	}
	if (any || (flags | may) & ~(unsigned)CMDS)
		add(m, true, true, flags & news, may & news);
}

/* Each of `options=` with each of `options in`. */
static void add_pairs(struct mounting *m)
{
	const struct aa_mount_rule *r = &m->rule->mount;
	unsigned bare = r->kind == AA_REMOUNT ? MS_REMOUNT : 0;
	size_t asked = 0;

	if (!r->flags.n && bare)
		add_kinds(m, MS_REMOUNT, m->remounts & ~(unsigned)MS_REMOUNT);
	else if (!r->flags.n)
		add_kinds(m, m->all, m->all);
	vec_each(&r->flags, f)
		asked += f->op == AA_OP_EQ;
	vec_each(&r->flags, f) {
		size_t may = 0;
		if (f->op != AA_OP_EQ) {
			if (!asked)
				add_kinds(m, bare, f->set | f->clear);
			continue;
		}
		vec_each(&r->flags, g) {
			if (g->op == AA_OP_EQ)
				continue;
			add_kinds(m, f->set, g->set | g->clear);
			may++;
		}
		if (!may)
			add_kinds(m, f->set, 0);
	}
}

/* ---- 3.0: one set of flags, and one of those that need not be there ---- */

static void add_old(struct mounting *m, bool source, bool typed, unsigned flags, unsigned may)
{
	add(m, source, typed, flags, flags & may);
	m->out->list.v[m->out->list.n - 1].any_flags = flags == m->all;
}

/* What of the flags a pattern looks at; all of them where both sets hold all. */
static unsigned masked(const struct mounting *m, unsigned flags, unsigned may, unsigned mask)
{
	if (flags != m->all)
		flags &= mask;
	return may != m->all ? flags & mask : flags;
}

static void add_all_old(struct mounting *m)
{
	const struct aa_mount_rule *r = &m->rule->mount;
	bool typed = has_type(m);
	unsigned flags = 0, may = 0;

	vec_each(&r->flags, f) {
		unsigned both = f->op == AA_OP_EQ ? 0 : f->set | f->clear;
		flags |= f->set | both;
		may |= f->clear | both;
	}
	if (r->kind == AA_REMOUNT) {
		flags |= MS_REMOUNT;
		may = 0;
	} else if (!(flags | may)) {
		flags = may = m->all;
	}
	if (flags & MS_REMOUNT && !has_source(m) && !typed)
		add_old(m, false, false, masked(m, flags, may, m->remounts), may);
	if (flags & MS_BIND && !typed)
		add_old(m, true, false, masked(m, flags, may, MS_BIND | MS_REC), may);
	if (flags & MAKES && !has_source(m) && !typed)
		add_old(m, false, false,
			masked(m, flags, may, CMDS | (m->all & ~(unsigned)OF_MOUNTS)), may);
	if (flags & MS_MOVE && !typed)
		add_old(m, true, false, masked(m, flags, may, MS_MOVE), may);
	if ((flags | may) & ~(unsigned)CMDS)
		add_old(m, true, true, flags != m->all ? flags & ~(unsigned)CMDS : flags,
			may != m->all ? may & ~(unsigned)CMDS : may);
}

void aa_mount_patterns(struct arena *a, enum aa_release release, const struct aa_rule *r,
		       struct aa_mount_patterns *out)
{
	struct mounting m = { a, release, r, ALL_3_0, 0, out };

	*out = (struct aa_mount_patterns){ .list = { .n = 0 } };
	if (r->mount.kind == AA_UMOUNT)
		return;
	if (release >= AA_RELEASE_4_0)
		m.all |= NOSYMFOLLOW | LAZYTIME;
	m.remounts = m.all & ~(unsigned)(release >= AA_RELEASE_4_1 ? MS_MOVE : MS_MOVE | MAKES);
	if (release >= AA_RELEASE_4_0)
		add_pairs(&m);
	else
		add_all_old(&m);
}

/* ---- matching ---- */

static bool text_says(struct arena *a, const struct aa_text *t, struct str s)
{
	return !t || !t->word || (t->glob && glob_match(a, t->glob, s));
}

static bool type_says(struct arena *a, const struct aa_rule *r, struct str fstype)
{
	bool said = false;

	vec_each(&r->conds, c) {
		if (c->id != AA_COND_FSTYPE)
			continue;
		said = true;
		vec_each(&c->texts, t)
			if (t->glob && glob_match(a, t->glob, fstype))
				return true;
	}
	return !said;
}

bool aa_mount_matches(struct arena *a, const struct aa_rule *r, const struct aa_mount_pattern *p,
		      const struct aa_mount *m)
{
	if (!p->any_flags && (p->set & ~p->may & ~m->flags || m->flags & ~(p->set | p->may)))
		return false;
	if (p->no_source ? m->source.n > 0 : !text_says(a, p->source, m->source))
		return false;
	return text_says(a, p->point, m->point) && (!p->typed || type_says(a, r, m->fstype));
}
