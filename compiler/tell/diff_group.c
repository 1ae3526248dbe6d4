/* SPDX-License-Identifier: Apache-2.0 */
/* Differences to lines: what reads the same is said once. */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/diff.h"

enum { RANGES_SHOWN = 6 };

struct entry { /* one call or run of numbers, on all architectures where it reads the same */
	const char *label;
	const char *key;
	const struct compare_item *item; /* the first */
	unsigned arches;
	bool taken;
};

struct environment_text {
	dd_node env;
	enum arch arch;
	const char *text;
};

struct grouping {
	struct session *session;
	struct arena *arena;
	struct diff *out;
	VEC(struct entry) entries;
	VEC(struct environment_text) environments; /* told before */
};

/* ---- texts ---- */

static const char *kept(struct arena *a, const struct buf *b)
{
	return arena_strdup(a, b->p ? b->p : "");
}

const char *diff_arches(struct arena *a, unsigned arches)
{
	const char *list = "";

	for (unsigned i = 0; i < ARCH_NR; i++)
		if (arches & ARCH_BIT(i))
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "",
					    arch_info((enum arch)i)->name);
	return list;
}

static const char *condition_of(struct grouping *g, const struct compare_item *it,
				const struct compare_step *step, bool *exact)
{
	BUF_AUTO text = { 0 };

	*exact = true;
	/* In a region the claim is over numbers too: its verdicts and example say enough. */
	if (it->region) {
		*exact = it->steps.n == 1;
		return "";
	}
	*exact = words_arguments(g->arena, g->out->a->dd, step->where, it->arch, it->sys, &text);
	return kept(g->arena, &text);
}

static const char *environment_of(struct grouping *g, const struct compare_item *it)
{
	struct environment_text e = { it->env, it->arch, "" };
	BUF_AUTO text = { 0 };

	if (it->env == DD_TRUE || it->env == DD_NONE)
		return "";
	vec_each(&g->environments, old)
		if (old->env == it->env && old->arch == it->arch)
			return old->text;
	words_environment(g->out->a->dd, it->env, it->arch, &text);
	e.text = kept(g->arena, &text);
	vec_push(g->arena, &g->environments, e);
	return e.text;
}

static const char *key_of(struct grouping *g, const struct compare_item *it)
{
	BUF_AUTO text = { 0 };

	buf_printf(&text, "%d %d %s", it->change, it->part == PART_CALL ? 0 : it->part,
		   environment_of(g, it));
	vec_each(&it->steps, s) {
		bool exact;
		const char *condition = condition_of(g, it, s, &exact);
		buf_putc(&text, '\n');
		verdict_print(&text, s->a);
		buf_putc(&text, ' ');
		verdict_print(&text, s->b);
		buf_printf(&text, " %d %s", s->others, condition);
	}
	return kept(g->arena, &text);
}

static const char *label_of(struct grouping *g, const struct compare_item *it)
{
	uint32_t base = it->part == PART_NUMBERS ? arch_info(it->arch)->nr_base : 0;

	if (it->part == PART_CALL)
		return it->sys->name;
	if (it->part != PART_NUMBERS)
		return "";
	if (it->first == it->last)
		return arena_printf(g->arena, "#%u", it->first - base);
	return arena_printf(g->arena, "#%u..%u", it->first - base, it->last - base);
}

/* ---- entries ---- */

/* What the call's own part of a diagram looks at. */
static unsigned fields_at(struct dd *dd, dd_node n, const struct dd_point *at)
{
	return dd_fields(
		dd, dd_call(dd, n, (uint32_t)(at->at[DD_CALL] >> 32), (uint32_t)at->at[DD_CALL]));
}

static void add_entry(struct grouping *g, const struct compare_item *it, const char *label)
{
	struct entry e = { label, key_of(g, it), it, 0, false };

	if (it->part != PART_FOREIGN)
		e.arches = ARCH_BIT(it->arch);
	vec_each(&g->entries, old)
		if (!strcmp(old->label, e.label) && !strcmp(old->key, e.key)) {
			old->arches |= e.arches;
			return;
		}
	vec_push(g->arena, &g->entries, e);
}

static const char every_number[] = "every one";

static uint64_t unnamed_numbers(enum arch a)
{
	uint64_t n = (a == ARCH_X86_64 ? 0x40000000u : 0xffffffffu) - arch_info(a)->nr_base;

	for (uint32_t nr = 0; nr < syscall_end(a); nr++)
		n -= syscall_by_nr(a, nr) != NULL;
	return n;
}

/* Do all numbers without a name change alike there? Then they are one entry. */
static bool all_alike(struct grouping *g, enum arch a)
{
	const char *key = NULL;
	uint64_t n = 0;

	vec_each(&g->out->compare->items, it) {
		if (it->part != PART_NUMBERS || it->arch != a)
			continue;
		const char *own = key_of(g, it);
		if (it->region || (key && strcmp(key, own)))
			return false;
		key = own;
		n += (uint64_t)it->last - it->first + 1;
	}
	return key && n == unnamed_numbers(a);
}

static void add_entries(struct grouping *g)
{
	bool alike[ARCH_NR], told[ARCH_NR] = { false };

	for (unsigned a = 0; a < ARCH_NR; a++)
		alike[a] = all_alike(g, (enum arch)a);
	vec_each(&g->out->compare->items, it) {
		if (it->part != PART_NUMBERS || !alike[it->arch]) {
			add_entry(g, it, label_of(g, it));
		} else if (!told[it->arch]) {
			told[it->arch] = true;
			add_entry(g, it, every_number);
		}
	}
}

/* Who does not count on seccomp filters no call. */
static void put_why(struct buf *out, const struct sources *sources, const struct decide *d,
		    const struct dd_point *at)
{
	const struct policy *p = d->parts.n ? d->parts.v[0].policy : NULL;

	if (!p || p->layers & LAYER_SECCOMP)
		decide_put_why(out, sources, d, at);
	else if (!put_header_line(out, sources, p, AST_HEADER_LAYERS))
		put_place(out, sources, p->span);
}

static void add_step(struct grouping *g, struct diff_line *l, const struct compare_item *it,
		     const struct compare_step *from)
{
	const struct sources *sources = g->session->sources;
	struct dd *dd = g->out->a->dd;
	struct diff_step s = {
		.a = from->a, .b = from->b, .others = from->others, .at = from->witness
	};
	BUF_AUTO call = { 0 };
	BUF_AUTO by_a = { 0 };
	BUF_AUTO by_b = { 0 };

	s.condition = condition_of(g, it, from, &s.exact);
	words_call(&call, &s.at, fields_at(dd, it->a, &s.at) | fields_at(dd, it->b, &s.at));
	put_why(&by_a, sources, g->out->a, &s.at);
	put_why(&by_b, sources, g->out->b, &s.at);
	s.call = kept(g->arena, &call);
	s.by_a = kept(g->arena, &by_a);
	s.by_b = kept(g->arena, &by_b);
	vec_push(g->arena, &l->steps, s);
}

/* "#335..386, #450..511" or, where they all change alike, one word for all of them. */
static void fold_numbers(struct grouping *g, struct diff_line *l)
{
	const char *list = "";
	size_t n = l->calls.n;

	if (n == 1 && l->calls.v[0] == every_number) {
		l->calls.v[0] = "every number without a name";
		return;
	}
	for (size_t i = 0; i < n && i < RANGES_SHOWN; i++)
		list = arena_printf(g->arena, "%s%s%s", list, i ? ", " : "", l->calls.v[i]);
	if (n > RANGES_SHOWN)
		list = arena_printf(g->arena, "%s and %zu more ranges", list, n - RANGES_SHOWN);
	l->calls.n = 0;
	vec_push(g->arena, &l->calls, arena_printf(g->arena, "numbers without a name: %s", list));
}

static void add_line(struct grouping *g, struct entry *first, struct entry *end)
{
	const struct compare_item *it = first->item;
	struct diff_line l = { .change = it->change,
			       .part = it->part,
			       .arches = first->arches,
			       .environment = environment_of(g, it) };

	for (struct entry *e = first; e < end; e++) {
		if (e->taken || e->arches != first->arches || strcmp(e->key, first->key))
			continue;
		e->taken = true;
		if (*e->label)
			vec_push(g->arena, &l.calls, e->label);
	}
	if (l.part == PART_NUMBERS)
		fold_numbers(g, &l);
	vec_each(&it->steps, s)
		add_step(g, &l, it, s);
	vec_push(g->arena, &g->out->lines, l);
}

/* ---- counts and notes ---- */

/* How many names have a change of this kind, each counted once. */
static void count_changes(struct grouping *g)
{
	vec_each(&g->entries, e) {
		bool again = false;
		g->out->has[e->item->change] = true;
		if (e->item->part != PART_CALL)
			continue;
		for (struct entry *o = g->entries.v; o < e && !again; o++)
			again = o->item->change == e->item->change && o->item->sys == e->item->sys;
		g->out->count[e->item->change] += !again;
	}
}

static size_t count_same(const struct grouping *g)
{
	size_t same = 0;

	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *sys = syscall_at(i);
		bool there = false, changed = false;
		for (unsigned a = 0; a < ARCH_NR; a++)
			there |= g->out->compare->arches & ARCH_BIT(a) && sys->nr[a] >= 0;
		vec_each(&g->entries, e)
			changed |= e->item->part == PART_CALL && e->item->sys == sys;
		same += there && !changed;
	}
	return same;
}

static void add_notes(struct grouping *g, unsigned only)
{
	struct diff *d = g->out;

	if (!(d->layers & LAYER_APPARMOR))
		vec_push(g->arena, &d->notes, "only system calls were asked for (--layers)");
	if (!(d->layers & LAYER_SECCOMP)) {
		vec_push(g->arena, &d->notes, "only resource rules were asked for (--layers)");
		return;
	}
	if (only)
		vec_push(g->arena, &d->notes,
			 arena_printf(g->arena, "only %s was asked for (--arch)",
				      diff_arches(g->arena, only)));
	if (d->compare->named_only && !only)
		vec_push(g->arena, &d->notes,
			 "not compared: numbers without a name, number -1 and foreign "
			 "architectures: a JSON profile leaves them to its runtime");
	else if (d->compare->named_only)
		vec_push(g->arena, &d->notes,
			 "not compared: numbers without a name and number -1: a JSON "
			 "profile leaves them to its runtime");
	if (!d->compare->arches)
		vec_push(g->arena, &d->notes, "no architecture is decided by both");
}

void diff_group(struct session *s, struct diff *d, unsigned only)
{
	struct grouping g = { .session = s, .arena = s->arena, .out = d };

	add_entries(&g);
	for (enum change change = 0; change < CHANGE_NR; change++)
		for (size_t i = 0; i < g.entries.n; i++)
			if (!g.entries.v[i].taken && g.entries.v[i].item->change == change)
				add_line(&g, &g.entries.v[i], g.entries.v + g.entries.n);
	count_changes(&g);
	d->same = count_same(&g);
	add_notes(&g, only);
}
