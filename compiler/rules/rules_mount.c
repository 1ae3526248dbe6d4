/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount, remount, umount, pivot_root. One mount rule stands for several kinds of mounts, and one
 * that stands for none is refused: which it is for is as each parser decides it (mount.cc,
 * gen_flag_rules and, of 3.0, gen_policy_re).
 */
#include <string.h>
#include <sys/mount.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

/* Not in every libc's headers; include/uapi/linux/mount.h, include/linux/fs.h. */
#define AA_MS_NOSYMFOLLOW (1u << 8)
#define AA_MS_NOUSER      (1u << 31)

#define PROPAGATION (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)
#define MAKES       (PROPAGATION | MS_REC)
#define COMMANDS    (MS_MOVE | MS_REMOUNT | MS_BIND | MAKES)

static const struct option_row {
	const char *word;
	unsigned set, clear;
	enum aa_release since;
} options[] = {
#define OPTION(word, set, clear, since) { word, set, clear, AA_RELEASE_##since },
#include "compiler/rules/classes.def"
};

/* ---- options ---- */

const char *aa_mount_option(unsigned bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].set == bits && !options[i].clear)
			return options[i].word;
	return NULL;
}

static const struct option_row *find_option(struct aa_read *r, const struct aa_word *w)
{
	struct str word = aa_plain(r->rd, w);
	struct suggest s;
	struct diag *d;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (str_is(word, options[i].word))
			return &options[i];
	d = aa_fault(r, DIAG_PL343, w->span, "mount has no option '%s'", aa_safe(r->rd, word));
	if (!diag_suggest_start(r->rd->diags, &s, word))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		suggest_offer(&s, str_c(options[i].word));
	if (!diag_suggest(r->rd->diags, d, w->span, &s))
		diag_help(
			r->rd->diags, d,
			"options are the kernel's flags: ro nosuid nodev noexec bind remount ...; "
			"what a file system takes besides cannot be named");
	return NULL;
}

/* Releases before 4.1.1 read norelatime as clearing nothing. */
static unsigned clears(const struct aa_read *r, const struct option_row *row)
{
	if (row->clear == MS_RELATIME && r->rd->target.release < AA_RELEASE_4_1_2)
		return 0;
	return row->clear;
}

static bool take_option(struct aa_read *r, const struct aa_word *w, struct aa_mount_flags *f)
{
	const struct option_row *row = find_option(r, w);
	struct diag *d;

	if (!row)
		return false;
	if (!aa_since(r->rd, w->span, w->text, " as an option", row->since)) {
		r->failed = true;
		return false;
	}
	f->set |= row->set;
	f->clear |= clears(r, row);
	if (f->op != AA_OP_EQ || !(f->set & f->clear) || r->rd->target.release < AA_RELEASE_4_0)
		return true;
	d = aa_fault(r, DIAG_PL343, w->span, "'%s' contradicts another option of this list",
		     aa_safe(r->rd, w->text));
	diag_help(r->rd->diags, d, "keep one; 'options in (...)' allows either");
	return false;
}

static bool read_options(struct aa_read *r)
{
	struct aa_mount_rule *m = &r->rule->mount;

	vec_each(&r->rule->conds, c) {
		struct aa_mount_flags f = { .op = c->op };

		if (c->id != AA_COND_OPTIONS)
			continue;
		if (m->kind == AA_REMOUNT && f.op == AA_OP_EQ)
			f.set = MS_REMOUNT;
		for (const struct aa_word *w = c->values; w; w = w->next)
			if (!take_option(r, w, &f))
				return false;
		vec_push(r->rd->arena, &m->flags, f);
	}
	return true;
}

/* ---- what a rule stands for ---- */

struct mount_shape {
	bool source, point, fstype;
};

/* One pair of what is asked for and what may be, both as 4.0 and later have them. */
static bool stands_for(const struct mount_shape *s, unsigned flags, unsigned may)
{
	if (!flags)
		return true; /* whatever the rest allows: a new mount at least */
	if (flags & MS_REMOUNT && !s->source && !s->fstype)
		return true;
	if (flags & MS_BIND && !s->fstype)
		return true;
	if (flags & MAKES && !(s->source && s->point) && !s->fstype)
		return true;
	if (flags & MS_MOVE && !s->fstype)
		return true;
	return ((flags | may) & ~(unsigned)COMMANDS) != 0;
}

static bool any_stands(const struct aa_read *r, const struct mount_shape *s)
{
	const struct aa_mount_rule *m = &r->rule->mount;
	unsigned bare = m->kind == AA_REMOUNT ? MS_REMOUNT : 0;
	size_t asked = 0, may = 0;

	vec_each(&m->flags, f) {
		asked += f->op == AA_OP_EQ;
		may += f->op != AA_OP_EQ;
	}
	if (!m->flags.n)
		return true; /* any flags */
	vec_each(&m->flags, f) {
		unsigned flags = f->op == AA_OP_EQ ? f->set : bare;

		if (f->op == AA_OP_EQ && !may && stands_for(s, flags, 0))
			return true;
		if (f->op != AA_OP_EQ && !asked && stands_for(s, flags, f->set | f->clear))
			return true;
		vec_each(&m->flags, g)
			if (f->op == AA_OP_EQ && g->op != AA_OP_EQ &&
			    stands_for(s, flags, g->set | g->clear))
				return true;
	}
	return false;
}

/* 3.0 keeps one set of flags and one of those that need not be there. */
static bool old_stands(const struct aa_read *r, const struct mount_shape *s)
{
	const struct aa_mount_rule *m = &r->rule->mount;
	unsigned flags = 0, clear = 0;

	vec_each(&m->flags, f) {
		unsigned both = f->op == AA_OP_EQ ? 0 : f->set | f->clear;

		flags |= f->set | both;
		clear |= f->clear | both;
	}
	if (m->kind == AA_REMOUNT) {
		flags |= MS_REMOUNT;
		clear = 0;
	} else if (!(flags | clear)) {
		return true;
	}
	return (flags & MS_REMOUNT && !s->source && !s->fstype) ||
	       (flags & MS_BIND && !s->fstype) ||
	       (flags & PROPAGATION && !s->source && !s->fstype) ||
	       (flags & MS_MOVE && !s->fstype) || ((flags | clear) & ~(unsigned)COMMANDS);
}

static void check_stands(struct aa_read *r)
{
	struct aa_mount_rule *m = &r->rule->mount;
	struct mount_shape s = { m->source.word, m->point.word,
				 aa_rule_cond(r->rule, AA_COND_FSTYPE, false) };
	const struct aa_cond *c = aa_rule_cond(r->rule, AA_COND_OPTIONS, false);
	bool ok = r->rd->target.release < AA_RELEASE_4_0 ? old_stands(r, &s) : any_stands(r, &s);
	struct span sp = c ? c->item->span : r->rule->use->stmt->head;
	struct diag *d;

	if (ok || m->kind == AA_UMOUNT || !aa_is_built(r))
		return; /* the parser finds it out when it compiles the rule */
	d = aa_fault(r, DIAG_PL343, sp, "no mount is like this rule");
	if (s.fstype)
		diag_help(r->rd->diags, d,
			  "to bind, move, remount and change the propagation know no 'fstype'");
	else
		diag_help(r->rd->diags, d,
			  "to remount and to change the propagation know the mount point alone: "
			  "mount options=... -> /POINT");
}

/* ---- mount, remount, umount ---- */

static bool mount_word(struct aa_read *r, struct aa_text *out)
{
	if (!r->at || r->at->kind != AA_WORD)
		return true;
	if (!aa_glob(r, &r->at->word, GLOB_PATH, out))
		return false;
	aa_next(r);
	return true;
}

static bool mount_arrow(struct aa_read *r)
{
	if (!r->at || r->at->kind != AA_ARROW)
		return true;
	if (!r->at->word.quoted && r->at->next && r->at->next->kind == AA_WORD &&
	    r->at->next->span.begin == r->at->span.end) {
		aa_next(r);
		aa_unexpected(r, "','");
		return false;
	}
	if (!aa_glob(r, &r->at->word, GLOB_PATH, &r->rule->mount.point))
		return false;
	aa_next(r);
	return true;
}

void aa_read_mount(struct aa_read *r)
{
	struct aa_mount_rule *m = &r->rule->mount;

	m->kind = !strcmp(r->keyword, "mount")   ? AA_MOUNT :
		  !strcmp(r->keyword, "remount") ? AA_REMOUNT :
						   AA_UMOUNT;
	if (!aa_read_conds(r))
		return;
	if (!mount_word(r, m->kind == AA_MOUNT ? &m->source : &m->point))
		return;
	if (m->kind == AA_MOUNT && !mount_arrow(r))
		return;
	if (r->at) {
		if (r->at->kind == AA_ARROW)
			diag_help(
				r->rd->diags,
				aa_fault(r, DIAG_PL340, r->at->span, "%s has no '->'", r->keyword),
				"write the mount point alone: %s /POINT,", r->keyword);
		else if (r->at->kind == AA_COND && !aa_missing_comma(r, r->at))
			diag_help(
				r->rd->diags,
				aa_fault(r, DIAG_PL340, r->at->span, "a condition behind the path"),
				"conditions stand behind '%s': %s options=ro /path,", r->keyword,
				r->keyword);
		return;
	}
	if (read_options(r))
		check_stands(r);
}

/* ---- pivot_root ---- */

void aa_read_pivot_root(struct aa_read *r)
{
	struct aa_pivot_rule *p = &r->rule->pivot;

	if (!aa_read_conds(r))
		return;
	if (r->at && r->at->kind == AA_WORD) {
		struct str s = r->at->word.text;
		bool label = s.n && strchr("/@:&", s.p[0]);

		if (aa_only_variable(&r->at->word) || (!label && !aa_is_name(r->rd, r->at))) {
			aa_unexpected(r, "a path");
			return;
		}
		if (!aa_glob(r, &r->at->word, GLOB_PATH, &p->root))
			return;
		aa_next(r);
	}
	if (r->at && r->at->kind == AA_ARROW) {
		p->target.word = &r->at->word;
		diag_help(r->rd->diags,
			  aa_misread(r, r->at->span,
				     "no parser changes the profile at "
				     "pivot_root: '->' has no effect"),
			  "leave it out");
		aa_next(r);
	}
}
