/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths and links that two profiles answer differently. Both sides' rules are machines of one
 * pool: a walk over both finds each pair of answers that some path has, with a shortest, and each
 * permission of each half is looked at there.
 */
#include <stdlib.h>

#include "compiler/base/bug.h"
#include "compiler/tell/diff_profiles.h"
#include "compiler/tell/explained.h"

enum { PERMS_OPEN = PERM_R | PERM_W | PERM_A | PERM_M | PERM_K };

/* ---- what is asked ---- */

struct at { /* a path, or a link, and what both sides make of it */
	struct aa_access access;
	const struct aa_answer *a, *b;         /* of a path */
	const struct aa_link_answers *la, *lb; /* of a link; else NULL */
};

static struct aa_verdict verdict_at(const struct aa_asking *q, const struct at *at, bool in_a,
				    enum file_who who, unsigned perm)
{
	if (at->la)
		return aa_link_verdict(q, in_a ? at->la : at->lb, who);
	return aa_path_verdict(q, in_a ? at->a : at->b, who, perm);
}

/* `naming`, if there is one, decides or it is nobody. */
static struct profile_said decided_at(struct profile_side *s, const struct at *at,
				      enum file_who who, unsigned perm,
				      const struct aa_rule *naming)
{
	struct aa_access access = at->access;

	if (!s->is_matched) {
		access.perms = ~0u;
		aa_match(&s->q, &access, &s->matched);
		s->is_matched = true;
	}
	access.perms = perm;
	struct aa_verdict v = aa_ask_matched(&s->q, &access, who, &s->matched);
	struct profile_said said = profile_said_of(&v);
	if (naming && !profile_said_by(&said, &v, naming))
		said.by = NULL;
	return said;
}

/* ---- lines ---- */

struct line { /* at one path: bits that are not told yet */
	struct profile_told is;
	unsigned perms[FILE_WHO_NR];
};

struct lines {
	VEC(struct line) list;
};

static void put_words(struct buf *out, unsigned set)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = {
		{ PERM_R, "read" }, { PERM_W, "write" },   { PERM_A, "append" }, { PERM_K, "lock" },
		{ PERM_M, "map" },  { PERM_X, "execute" }, { PERM_L, "link" },
	};
	const char *between = "";

	if (set & PERM_W) /* which says it as well */
		set &= ~(unsigned)PERM_A;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (set & words[i].bit) {
			buf_printf(out, "%s%s", between, words[i].word);
			between = ", ";
		}
}

static const char *access_text(struct arena *a, const struct aa_access *access, unsigned perms,
			       const char *who)
{
	static const char *const verbs[AA_ACCESS_NR] = {
		[AA_ACCESS_OPEN] = "open", [AA_ACCESS_EXEC] = "exec", [AA_ACCESS_LINK] = "link"
	};
	BUF_AUTO text = { 0 };

	buf_printf(&text, "%s%s%s ", verbs[access->kind], *who ? " " : "", who);
	aa_access_put_path(&text, access->path);
	if (access->kind == AA_ACCESS_LINK) {
		buf_putc(&text, ' ');
		aa_access_put_path(&text, access->target);
	}
	if (access->kind == AA_ACCESS_OPEN) {
		buf_putc(&text, ' ');
		aa_perms_put(&text, perms);
	}
	return buf_keep(a, &text);
}

static void emit(struct profiles *c, const struct aa_access *access, const struct profile_told *l,
		 unsigned perms, unsigned halves)
{
	static const char *const whose[] = { "", " by others than its owner", " by its owner", "" };
	static const char *const words[] = { "", "other", "owner", "" };
	BUF_AUTO about = { 0 };

	if (!perms)
		return;
	put_words(&about, perms);
	buf_putc(&about, ' ');
	aa_access_put_path(&about, access->path);
	if (access->kind == AA_ACCESS_LINK) {
		buf_puts(&about, " to ");
		aa_access_put_path(&about, access->target);
	}
	buf_puts(&about, whose[halves]);
	struct diff_resource r = profile_row(c, l);
	r.about = buf_keep(c->arena, &about);
	r.path = aa_access_json_path(c->arena, access->path);
	r.access = access_text(c->arena, access, perms, words[halves]);
	profile_add(c, r);
}

static void emit_all(struct profiles *c, const struct aa_access *access, const struct lines *lines)
{
	vec_each(&lines->list, l) {
		unsigned both = l->perms[FILE_OWNER] & l->perms[FILE_OTHER];
		emit(c, access, &l->is, both, 1u << FILE_OWNER | 1u << FILE_OTHER);
		emit(c, access, &l->is, l->perms[FILE_OWNER] & ~both, 1u << FILE_OWNER);
		emit(c, access, &l->is, l->perms[FILE_OTHER] & ~both, 1u << FILE_OTHER);
	}
}

static void note_line(struct profiles *c, struct lines *lines, const struct profile_told *told,
		      enum file_who who, unsigned perm)
{
	struct line l = { .is = *told };

	l.perms[who] = perm;
	vec_each(&lines->list, old)
		if (profile_same_told(&old->is, told)) {
			old->perms[who] |= perm;
			return;
		}
	vec_push(c->arena, &lines->list, l);
}

static void tell_varies(struct profiles *c)
{
	if (c->undecided)
		return;
	c->undecided = true;
	profile_not_decided(c, RESOURCE_FILES,
			    "the parser of release 4.1.0 grants some of what differs by where its "
			    "memory lies; ask for another release with --target");
}

static void compare_perm(struct profiles *c, const struct at *at, enum file_who who, unsigned perm,
			 struct lines *lines)
{
	struct aa_verdict a = verdict_at(&c->a.q, at, true, who, perm);
	struct aa_verdict b = verdict_at(&c->b.q, at, false, who, perm);
	struct profile_told now = { .kind = RESOURCE_FILES,
				    .a = profile_said_of(&a),
				    .b = profile_said_of(&b) };

	now.change = profile_change(c, &now.a, &now.b);
	if (now.change == CHANGE_NR)
		return;
	if (now.change == CHANGE_UNDECIDED) {
		tell_varies(c);
		return;
	}
	now.a = decided_at(&c->a, at, who, perm, c->naming_a ? c->naming : NULL);
	now.b = decided_at(&c->b, at, who, perm, c->naming_a ? NULL : c->naming);
	now.where = at->access.path;
	now.perms[who] = perm;
	if (c->naming && (!(c->naming_a ? now.a.by : now.b.by) || profile_is_named(c, &now)))
		return;
	now.perms[who] = 0;
	struct profile_told *told = profile_told_of(c, &now);
	if (told->perms[who] & perm)
		return;
	told->perms[who] |= perm;
	note_line(c, lines, &now, who, perm);
}

static void compare_at(struct profiles *c, const struct at *at, unsigned perms)
{
	struct lines lines = { .list = { .n = 0 } };

	c->a.is_matched = c->b.is_matched = false;
	for (unsigned perm = 1; perm <= perms; perm <<= 1)
		for (unsigned who = 0; perm & perms && who < FILE_WHO_NR; who++)
			compare_perm(c, at, (enum file_who)who, perm, &lines);
	emit_all(c, &at->access, &lines);
}

/* ---- paths ---- */

static void tell_too_many(struct profiles *c, const char *what)
{
	profile_not_decided(c, RESOURCE_FILES,
			    arena_printf(c->arena,
					 "to compare %s takes more than %d states of both sides; "
					 "write fewer patterns with '**' in their midst, or a "
					 "child profile",
					 what, MACHINE_STATES_MAX));
}

/* Links of a path that neither side's rules let be one: their modes answer them. */
static void compare_no_link(struct profiles *c, const struct at *path)
{
	struct aa_link_answers la = { path->a, NULL, path->a }, lb = { path->b, NULL, path->b };
	struct at at = { .access = { .kind = AA_ACCESS_LINK,
				     .path = path->access.path,
				     .target = path->access.path },
			 .la = &la,
			 .lb = &lb };

	for (unsigned who = 0; who < FILE_WHO_NR; who++)
		if ((path->a->allow[who] | path->b->allow[who]) & PERM_L)
			return;
	la.pair = aa_means_link(c->arena, &c->a.q.means, at.access.path, at.access.target);
	lb.pair = aa_means_link(c->arena, &c->b.q.means, at.access.path, at.access.target);
	compare_at(c, &at, PERM_L);
}

static void compare_path(struct profiles *c, const struct machine_found *f, bool links)
{
	struct at at = { .access = { .kind = AA_ACCESS_OPEN, .path = f->path },
			 .a = aa_means_class(c->pool, f->a),
			 .b = aa_means_class(c->pool, f->b) };

	compare_at(c, &at, PERMS_OPEN);
	at.access.kind = AA_ACCESS_EXEC;
	compare_at(c, &at, PERM_X);
	if (links)
		compare_no_link(c, &at);
}

/* ---- rules that only one side has ---- */

/* A path of each way in which a rule changes what is answered; false: there is no room for it. */
static bool name_rule(struct profiles *c, struct profile_side *s, const struct aa_opened *f,
		      bool differ)
{
	struct arena *scratch = arena_scratch(c->arena);
	struct aa_means own = aa_means_build(c->pool, s->q.target.release, f, 1);
	struct machine_walk w = { .decided = false };

	if (own.decided)
		w = machine_walk_within(scratch, &c->a.q.means.machine, &c->b.q.means.machine,
					&own.machine, MACHINE_PATHS, differ, &c->left);
	c->naming = f->rule;
	c->naming_a = s == &c->a;
	vec_each(&w.found, found) {
		found->path = (struct str){ str_dup(c->arena, found->path), found->path.n };
		compare_path(c, found, false);
	}
	c->naming = NULL;
	arena_free(scratch);
	return w.decided;
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

/* As one release reads it: the other's may say as much. */
static uint32_t saying_of(struct profiles *c, const struct aa_opened *f)
{
	return aa_means_saying(c->pool, c->a.q.target.release, f);
}

/* What the rules of a side say, in the order of these numbers. */
static uint32_t *sayings_of(struct profiles *c, const struct profile_side *s)
{
	uint32_t *out = ARENA_ARRAY(c->arena, uint32_t, s->q.files.list.n + 1);

	for (size_t i = 0; i < s->q.files.list.n; i++)
		out[i] = saying_of(c, &s->q.files.list.v[i]);
	qsort(out, s->q.files.list.n, sizeof(*out), by_number);
	return out;
}

/* Rules that are not named: there is no room. */
static size_t name_rules(struct profiles *c, struct profile_side *s, bool differ)
{
	const struct profile_side *other = s == &c->a ? &c->b : &c->a;
	uint32_t *theirs = sayings_of(c, other);
	size_t unnamed = 0;

	vec_each(&s->q.files.list, f) {
		uint32_t own = saying_of(c, f);
		if (!f->rule ||
		    bsearch(&own, theirs, other->q.files.list.n, sizeof(own), by_number))
			continue;
		if (profile_is_full(c) || !name_rule(c, s, f, differ))
			unnamed++;
	}
	return unnamed;
}

static void compare_each_rule(struct profiles *c, bool differ)
{
	size_t unnamed;

	c->left = MACHINE_STATES_MAX;
	unnamed = name_rules(c, &c->a, differ) + name_rules(c, &c->b, differ);
	if (unnamed)
		profile_note_unnamed(c, diff_kinds[RESOURCE_FILES], unnamed);
}

void compare_profile_files(struct profiles *c)
{
	bool differ = profile_same_modes(c);
	struct machine_walk w = machine_walk(c->arena, &c->a.q.means.machine, &c->b.q.means.machine,
					     MACHINE_PATHS, differ);

	vec_each(&w.found, f)
		compare_path(c, f, !profile_same_modes(c));
	if (!w.decided)
		tell_too_many(c, "the file rules");
	else if (w.found.n)
		compare_each_rule(c, differ);
}

/* ---- links ---- */

/* Pairs of paths, of the rules that speak of links alone. */
static struct aa_means links_of(struct profiles *c, const struct profile_side *s)
{
	VEC(struct aa_opened) links = { .n = 0 };

	vec_each(&s->q.files.list, f)
		if (f->perms & PERM_L)
			vec_push(c->arena, &links, *f);
	return aa_means_build(c->pool, s->q.target.release, links.v, links.n);
}

struct context { /* what makes answers of the same verdicts the same line */
	unsigned change;
	enum aa_outcome a, b;
	bool quiet_a, quiet_b;
	const char *why_a, *why_b;
	enum file_who who;
};

struct contexts {
	VEC(struct context) list;
};

/* Is there something new to say? Who decides is found for that alone. */
static bool is_new(struct profiles *c, struct contexts *known, const struct at *at)
{
	bool fresh = false;

	for (unsigned who = 0; who < FILE_WHO_NR; who++) {
		struct aa_verdict a = verdict_at(&c->a.q, at, true, (enum file_who)who, PERM_L);
		struct aa_verdict b = verdict_at(&c->b.q, at, false, (enum file_who)who, PERM_L);
		struct profile_said x = profile_said_of(&a), y = profile_said_of(&b);
		struct context now = { profile_change(c, &x, &y),
				       a.outcome,
				       b.outcome,
				       a.quiet,
				       b.quiet,
				       a.why,
				       b.why,
				       (enum file_who)who };
		bool old = now.change == CHANGE_NR;
		vec_each(&known->list, k)
			old |= k->change == now.change && k->a == now.a && k->b == now.b &&
			       k->quiet_a == now.quiet_a && k->quiet_b == now.quiet_b &&
			       k->why_a == now.why_a && k->why_b == now.why_b && k->who == now.who;
		if (old)
			continue;
		vec_push(c->arena, &known->list, now);
		fresh = true;
	}
	return fresh;
}

static void compare_link(struct profiles *c, struct contexts *known,
			 const struct machine_link_head *h, const struct machine_link_tail *t)
{
	const struct aa_means_pool *p = c->pool;
	struct aa_link_answers la = { aa_means_class(p, h->path[0]), aa_means_class(p, t->pair[0]),
				      aa_means_class(p, t->to[0]) };
	struct aa_link_answers lb = { aa_means_class(p, h->path[1]), aa_means_class(p, t->pair[1]),
				      aa_means_class(p, t->to[1]) };
	struct at at = { .access = { .kind = AA_ACCESS_LINK, .path = h->text, .target = t->text },
			 .la = &la,
			 .lb = &lb };

	if (is_new(c, known, &at))
		compare_at(c, &at, PERM_L);
}

void compare_profile_links(struct profiles *c)
{
	struct aa_means a = links_of(c, &c->a), b = links_of(c, &c->b);
	const struct machine *paths[] = { &c->a.q.means.machine, &c->b.q.means.machine };
	bool differ = profile_same_modes(c);
	struct machine_links_asked asked = { { &a.machine, &b.machine },
					     { paths[0], paths[1] },
					     differ };

	if (differ && paths[0]->start == paths[1]->start)
		return;
	struct machine_links w = machine_walk_links(c->arena, &asked);
	vec_each(&w.heads, h) {
		struct contexts known = { .list = { .n = 0 } };
		vec_each(&w.groups.v[h->group].tails, t)
			compare_link(c, &known, h, t);
	}
	if (!w.decided)
		tell_too_many(c, "what links may lead to");
}
