/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File rules of two policies: which paths do they answer differently? Both sides' globs become
 * one automaton whose labels tell the rules apart; each set of labels that some path has is a
 * shortest path, and on that path both sides are asked, for its owner and for others.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/automata/dfa.h"
#include "compiler/base/bug.h"
#include "compiler/tell/diff_rules.h"

enum {
	SIDE_LABELS = AUTOMATON_LABELS / 2,
	OWN_LABELS = 88, /* of them, for rules of their own: the others share by what they allow */
	LOOKS_MAX = 1 << 26, /* a rule looked at for one path */
	SHOWN_MAX = 60,      /* lines */
	PERMS = 7,
};

static const struct {
	unsigned bit;
	const char *word;
} perms[PERMS] = {
	{ PERM_R, "read" }, { PERM_W, "write" }, { PERM_A, "append" },  { PERM_L, "link" },
	{ PERM_K, "lock" }, { PERM_M, "map" },   { PERM_X, "execute" },
};

struct pattern {
	const struct file_rule *rule;
	const struct glob *glob;
};

struct file_side {
	const struct policy *p;
	VEC(struct pattern) rules;
	VEC(const char *) kinds; /* label -> what its rules say beside the path */
	unsigned own;            /* labels given to single rules, from the top down */
};

struct permission { /* one of a path, for its owner or others */
	struct cell cell;
	const struct file_rule *exec; /* which lets it be executed */
};

enum who { OWNER, OTHERS, WHO_NR };

struct answers {
	struct permission of[WHO_NR][PERMS];
};

struct file_line { /* permissions that change alike, for the same rules */
	enum change change;
	const char *a, *b;
	const struct origin *by_a, *by_b;
	unsigned perms, who; /* bits */
};

struct files {
	struct comparing *c;
	struct file_side a, b;
	struct automaton *automaton;
	VEC(struct file_line) told;
	size_t looks, untold;
	bool open; /* a variable is not opened */
};

/* ---- rules ---- */

static bool lets(const struct file_rule *f)
{
	return f->action == RULE_ALLOW || f->action == RULE_LOG;
}

unsigned file_whole_perms(const struct file_rule *f)
{
	return f->perms | (f->perms & PERM_W ? PERM_A : 0) |
	       (lets(f) && strstr(f->exec, "ix") ? PERM_M : 0);
}

static const char *kind_text(struct arena *a, const struct file_rule *f)
{
	return arena_printf(a, "%d %d %u %s " PRISTR, f->action, f->owner, file_whole_perms(f),
			    f->exec, STRARG(f->target));
}

const char *file_rule_text(struct arena *a, const struct policy *p, const struct file_rule *f)
{
	static const char name[] = "@{profile_name}";
	bool named = memmem(f->path.p, f->path.n, name, sizeof(name) - 1);

	/* The length keeps two rules apart whose words run into each other. */
	return arena_printf(a, "%zu " PRISTR " %s" PRISTR, f->path.n, STRARG(f->path),
			    kind_text(a, f), named ? (int)p->name.n : 0, p->name.p);
}

/* ---- labels ---- */

static int by_word(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

struct texts {
	VEC(const char *) list;
};

static void sorted_texts(struct arena *a, const struct policy *p, struct texts *out)
{
	vec_each(&p->files, f)
		vec_push(a, &out->list, file_rule_text(a, p, f));
	if (out->list.n)
		qsort(out->list.v, out->list.n, sizeof(*out->list.v), by_word);
}

static bool has_text(const struct texts *t, const char *text)
{
	return t->list.n && bsearch(&text, t->list.v, t->list.n, sizeof(text), by_word);
}

/* -1: there are no labels left. */
static int kind_label(struct arena *a, struct file_side *s, const struct file_rule *f)
{
	const char *text = kind_text(a, f);

	for (size_t i = 0; i < s->kinds.n; i++)
		if (!strcmp(s->kinds.v[i], text))
			return (int)i;
	if (s->kinds.n + s->own == SIDE_LABELS)
		return -1;
	vec_push(a, &s->kinds, text);
	return (int)s->kinds.n - 1;
}

/* A rule that only this side has is told apart from all others while labels last. */
static bool add_rule(struct files *fs, struct file_side *s, const struct file_rule *f, bool own)
{
	struct arena *a = fs->c->arena;
	struct pattern p = { f, glob_parse(a, f->path, GLOB_PATH, s->p->variables, NULL) };
	struct label_set label = { { 0 } };
	int n;

	BUG_ON(!p.glob); /* it was read when the policy was */
	if (own && s->own < OWN_LABELS && s->kinds.n + s->own < SIDE_LABELS)
		n = SIDE_LABELS - (int)++s->own;
	else
		n = kind_label(a, s, f);
	if (n < 0)
		return false;
	label_add(&label, (unsigned)n + (s == &fs->b ? SIDE_LABELS : 0));
	automaton_add(fs->automaton, p.glob, &label);
	vec_push(a, &s->rules, p);
	fs->open |= p.glob->open;
	return true;
}

/* Kinds first: where they alone are too many nothing is decided. */
static bool add_rules(struct files *fs, struct file_side *s, const struct policy *other)
{
	struct texts theirs = { 0 };

	sorted_texts(fs->c->arena, other, &theirs);
	for (int own = 0; own < 2; own++)
		vec_each(&s->p->files, f)
			if (!has_text(&theirs, file_rule_text(fs->c->arena, s->p, f)) == own &&
			    !add_rule(fs, s, f, own))
				return false;
	return true;
}

/* ---- a path ---- */

static void take_rule(struct answers *out, const struct file_rule *f)
{
	unsigned whole = file_whole_perms(f);

	for (enum who w = OWNER; w < WHO_NR; w++)
		for (unsigned i = 0; i < PERMS && (w == OWNER || !f->owner); i++) {
			struct permission *p = &out->of[w][i];
			if (!(whole & perms[i].bit))
				continue;
			cell_mark(&p->cell, f->action, f->origin);
			if (lets(f) && perms[i].bit == PERM_X && !p->exec)
				p->exec = f;
		}
}

/* False: too much work. */
static bool ask(struct files *fs, const struct file_side *s, struct str path, struct answers *out)
{
	struct arena *scratch = arena_scratch(fs->c->arena);

	memset(out, 0, sizeof(*out));
	fs->looks += s->rules.n;
	vec_each(&s->rules, r) {
		struct str prefix = r->glob->prefix;
		if (prefix.n > path.n || memcmp(prefix.p, path.p, prefix.n))
			continue;
		fs->looks += path.n;
		if (glob_match(scratch, r->glob, path))
			take_rule(out, r->rule);
	}
	arena_free(scratch);
	return fs->looks < LOOKS_MAX;
}

/* "allowed (px -> kid)" */
static const char *answer_text(struct arena *a, enum answer answer, const struct permission *p)
{
	if (answer < LOGGED || !p->exec)
		return answer_words[answer];
	return arena_printf(a, p->exec->target.n ? "%s (%s -> " PRISTR ")" : "%s (%s)",
			    answer_words[answer], p->exec->exec, STRARG(p->exec->target));
}

static bool same_transition(const struct permission *x, const struct permission *y)
{
	return !x->exec || !y->exec ||
	       (!strcmp(x->exec->exec, y->exec->exec) && str_eq(x->exec->target, y->exec->target));
}

/* False: the same. */
static bool change_at(struct files *fs, const struct permission *x, const struct permission *y,
		      struct file_line *out)
{
	enum answer a = cell_answer(&x->cell, &out->by_a), b = cell_answer(&y->cell, &out->by_b);
	bool both = a >= LOGGED && b >= LOGGED;

	if (a == b && (!both || same_transition(x, y)))
		return false;
	out->change = both && !same_transition(x, y) ? CHANGE_INCOMPARABLE : answer_change(a, b);
	out->a = answer_text(fs->c->arena, a, x);
	out->b = answer_text(fs->c->arena, b, y);
	return true;
}

/* ---- lines ---- */

static bool same_line(const struct file_line *x, const struct file_line *y)
{
	return x->change == y->change && origin_same(x->by_a, y->by_a) &&
	       origin_same(x->by_b, y->by_b) && !strcmp(x->a, y->a) && !strcmp(x->b, y->b);
}

/* "write" says "append" as well. */
static const char *perm_words(struct arena *a, unsigned set)
{
	const char *list = "";

	if (set & PERM_W)
		set &= ~(unsigned)PERM_A;
	for (unsigned i = 0; i < PERMS; i++)
		if (set & perms[i].bit)
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", perms[i].word);
	return list;
}

static void add_line(struct files *fs, const struct file_line *l, struct str path)
{
	static const char *const who[] = { "", " by its owner", " by others than its owner", "" };
	struct comparing *c = fs->c;
	BUF_AUTO name = { 0 };

	vec_each(&fs->told, old)
		if (same_line(old, l) && old->perms == l->perms && old->who == l->who)
			return;
	vec_push(c->arena, &fs->told, *l);
	c->out->has[l->change] = true;
	if (fs->told.n > SHOWN_MAX) {
		fs->untold++;
		return;
	}
	buf_safe(&name, path);
	struct diff_resource r = {
		.change = l->change,
		.kind = RESOURCE_FILES,
		.path = str_dup(c->arena, path),
		.reason = "",
		.about = arena_printf(c->arena, "%s %s%s", perm_words(c->arena, l->perms), name.p,
				      who[l->who]),
		.a = l->a,
		.b = l->b,
		.by_a = difference_by(c, &c->a, l->by_a),
		.by_b = difference_by(c, &c->b, l->by_b),
	};
	difference_add(c, &r);
}

struct file_lines {
	VEC(struct file_line) list;
};

/* Permissions of one line are those that change alike for all of one `who`. */
static void collect(struct files *fs, const struct answers *x, const struct answers *y,
		    struct file_lines *out)
{
	for (unsigned i = 0; i < PERMS; i++)
		for (enum who w = OWNER; w < WHO_NR; w++) {
			struct file_line now = { .perms = perms[i].bit, .who = 1u << w },
					 *same = NULL;
			if (!change_at(fs, &x->of[w][i], &y->of[w][i], &now))
				continue;
			vec_each(&out->list, l)
				if (l->perms == now.perms && same_line(l, &now))
					same = l;
			if (same)
				same->who |= now.who;
			else
				vec_push(fs->c->arena, &out->list, now);
		}
}

static bool compare_path(struct files *fs, struct str path)
{
	struct answers x, y;
	struct file_lines lines = { 0 };

	if (!ask(fs, &fs->a, path, &x) || !ask(fs, &fs->b, path, &y))
		return false;
	collect(fs, &x, &y, &lines);
	for (size_t i = 0; i < lines.list.n; i++) {
		struct file_line l = lines.list.v[i];
		if (!l.perms)
			continue;
		for (size_t k = i + 1; k < lines.list.n; k++) {
			struct file_line *next = &lines.list.v[k];
			if (next->who != l.who || !same_line(next, &l))
				continue;
			l.perms |= next->perms;
			next->perms = 0;
		}
		add_line(fs, &l, path);
	}
	return true;
}

/* ---- the whole ---- */

static const char *too_many(struct files *fs, const char *what, unsigned limit)
{
	const struct pattern *most = NULL;
	const struct file_side *sides[] = { &fs->a, &fs->b };

	for (size_t i = 0; i < 2; i++)
		vec_each(&sides[i]->rules, r)
			if (!most || r->glob->nfa.nodes.n > most->glob->nfa.nodes.n)
				most = r;
	return arena_printf(
		fs->c->arena,
		"the file rules differ, and to compare them takes more than %u %s%s%s; write "
		"simpler patterns or fewer",
		limit, what, most ? "; the largest is " : "",
		most ? difference_by(fs->c, &fs->c->a, most->rule->origin) : "");
}

void compare_files(struct comparing *c)
{
	struct files fs = { .c = c,
			    .a.p = c->a.p,
			    .b.p = c->b.p,
			    .automaton =
				    automaton_new(c->arena, AUTOMATON_PATHS, AUTOMATON_BUDGET) };
	const char *why = NULL;

	if (!add_rules(&fs, &fs.a, c->b.p) || !add_rules(&fs, &fs.b, c->a.p)) {
		difference_not_decided(c, RESOURCE_FILES,
				       too_many(&fs, "kinds of rules on one side", SIDE_LABELS));
		return;
	}
	struct automaton_walk w = automaton_walk(fs.automaton);
	if (!w.decided)
		why = too_many(&fs, "states of their patterns", AUTOMATON_BUDGET);
	vec_each(&w.found, f)
		if (!compare_path(&fs, f->path)) {
			why = too_many(&fs, "looks at a rule", LOOKS_MAX);
			break;
		}
	if (fs.open)
		why = "the file rules differ, and some hold variables, which are not opened: write "
		      "them out";
	if (why)
		difference_not_decided(c, RESOURCE_FILES, why);
	if (fs.untold)
		vec_push(c->arena, &c->out->notes,
			 arena_printf(c->arena, "%zu more differences in files are not shown",
				      fs.untold));
}

/* ---- program ---- */

/* AppArmor confines what matches by itself; under another path nothing does. */
static void add_program(struct comparing *c, struct str path, bool in_a)
{
	BUF_AUTO name = { 0 };

	buf_safe(&name, path);
	struct diff_resource r = {
		.change = in_a ? CHANGE_LOOSER : CHANGE_TIGHTER,
		.kind = RESOURCE_PROGRAM,
		.about = arena_printf(c->arena, "program %s", name.p),
		.path = str_dup(c->arena, path),
		.a = in_a ? "confined" : "not confined",
		.b = in_a ? "not confined" : "confined",
		.by_a = difference_header(c, &c->a, AST_HEADER_PROGRAM, ": no program line"),
		.by_b = difference_header(c, &c->b, AST_HEADER_PROGRAM, ": no program line"),
		.reason = "",
	};
	difference_add(c, &r);
}

void compare_programs(struct comparing *c)
{
	struct automaton *m = automaton_new(c->arena, AUTOMATON_PATHS, AUTOMATON_BUDGET);
	const struct policy *both[] = { c->a.p, c->b.p };
	bool open = false;

	if (str_eq(both[0]->program, both[1]->program))
		return;
	for (unsigned i = 0; i < 2; i++) {
		const struct glob *g = both[i]->program.n ?
					       glob_parse(c->arena, both[i]->program, GLOB_PATH,
							  both[i]->variables, NULL) :
					       NULL;
		struct label_set label = { { 0 } };
		label_add(&label, i);
		open |= both[i]->program.n && (!g || g->open);
		if (g)
			automaton_add(m, g, &label);
	}
	struct automaton_walk w = automaton_walk(m);
	vec_each(&w.found, f)
		if (label_has(&f->labels, 0) != label_has(&f->labels, 1))
			add_program(c, f->path, label_has(&f->labels, 0));
	if (open || !w.decided)
		difference_not_decided(c, RESOURCE_PROGRAM,
				       "the 'program' lines differ, and their patterns are not "
				       "compared: write them out");
}
