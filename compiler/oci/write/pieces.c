/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a name answers, in pieces that JSON entries can carry: the environment is cut where its
 * answer changes (includes and excludes), the arguments into cubes (EQ and MASKED_EQ). Pieces
 * are disjoint, in every environment; neighbours that say the same are joined again.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/write/writer.h"

enum { PIECES_MAX = 1 << 14 }; /* of one name, before neighbours are joined */

/* ---- pieces ---- */

struct cutter {
	struct writer *w;
	struct oci_name *name;
	unsigned arches; /* that the entries are for: of all machines with this node */
	size_t budget;   /* environments left */
};

/* The first narrow architecture that would see these cubes without their high words; or NR. */
static enum arch cut_arch(const struct cutter *c, const struct cube_list *l)
{
	bool high = false;

	vec_each(&l->v, cube)
		for (unsigned i = 0; i < 6; i++)
			high |= cube->value[i] >> 32 != 0;
	for (int a = 0; a < ARCH_NR && high; a++)
		if (c->arches & ARCH_BIT(a) && oci_is_narrow((enum arch)a) &&
		    c->name->sys->nr[a] >= 0)
			return (enum arch)a;
	return ARCH_NR;
}

static void tell_cut(struct cutter *c, enum arch a)
{
	struct writer *w = c->w;
	struct diag *d = oci_fail(w, DIAG_PL221, oci_call_span(w, c->name->sys),
				  arena_printf(w->arena,
					       "'%s' is compared with a number above 32 bits, "
					       "which libseccomp cuts off on %s",
					       c->name->sys->name, arch_info(a)->name));
	diag_help(w->ds, d, "compile for 64-bit architectures only with '--arch'");
}

static void tell_budget(struct cutter *c, size_t found)
{
	struct writer *w = c->w;
	struct diag *d = oci_fail(w, DIAG_PL228, oci_costly_span(w, c->name->sys),
				  arena_printf(w->arena,
					       "'%s' needs more than %zu JSON entries; the budget "
					       "for the file is %d",
					       c->name->sys->name, found, ENTRIES_MAX));
	diag_help(w->ds, d,
		  "ranges on two arguments of one rule multiply: use fewer or aligned ranges and "
		  "fewer conditions, or compile to '-t bpf'");
}

static void add_piece(struct cutter *c, const struct env_cube *gate, const struct oci_cube *cube)
{
	if (c->name->pieces.n >= PIECES_MAX) {
		if (!c->w->failed)
			tell_budget(c, c->name->pieces.n);
		return;
	}
	vec_push(c->w->arena, &c->name->pieces,
		 ((struct oci_piece){ .gate = *gate, .cube = *cube }));
}

/* Its answers in fewer entries, where that can be tried: what is left for cubes. */
static dd_node add_fewer(struct cutter *c, const struct env_cube *gate, dd_node n)
{
	struct oci_leaf l = { .w = c->w, .name = c->name, .arches = c->arches };

	if (c->name->masks)
		return n;
	n = oci_choices(&l, n);
	if (n != DD_NONE && oci_intervals(&l, n))
		n = dd_terminal(c->w->d->dd, c->w->jd);
	vec_each(&l.pieces, p) {
		if (!oci_carries(c->w, c->name, p->cube.c.verdict))
			return n;
		p->gate = *gate;
		vec_push(c->w->arena, &c->name->pieces, *p);
	}
	return n;
}

/* Cubes of low words, where the registers in `low` have nothing above. */
static void add_low(struct cutter *c, const struct env_cube *gate, dd_node n, unsigned above,
		    unsigned low)
{
	struct cube_list l = { .w = c->w };

	if (!oci_cubes(&l, n)) {
		tell_budget(c, CUBES_MAX);
		return;
	}
	vec_each(&l.v, cube) {
		struct oci_cube o = { .c = *cube, .above = (uint8_t)above };
		for (unsigned i = 0; i < 6; i++) {
			if (!(low >> i & 1))
				continue;
			if (cube->mask[i])
				o.c.mask[i] |= HIGH_WORD;
			else
				o.below |= (uint8_t)(1u << i);
		}
		add_piece(c, gate, &o);
	}
}

/*
 * Where a register decides by its high word only whether anything is there, that is one ordered
 * comparison, which libseccomp's low words on i386 and x32 can never (or always) meet, as they
 * should. false: some value has a high word of its own.
 */
static bool split_high(struct cutter *c, const struct env_cube *gate, dd_node n, unsigned above,
		       unsigned low)
{
	struct dd *d = c->w->d->dd;

	for (unsigned i = 0; i < 6; i++) {
		enum dd_field arg = (enum dd_field)i;
		dd_node none = dd_fix(d, n, arg, HIGH_WORD, 0);
		dd_node some = dd_fix(d, n, arg, HIGH_WORD, UINT64_C(1) << 32);
		if (none == n && some == n)
			continue;
		if (dd_fields(d, some) >> i & 1 ||
		    dd_choose(d, dd_equal(d, arg, HIGH_WORD, 0), none, some) != n)
			return false;
		return split_high(c, gate, some, above | 1u << i, low) &&
		       split_high(c, gate, none, above, low | 1u << i);
	}
	add_low(c, gate, n, above, low);
	return true;
}

static void add_ordered(struct cutter *c, const struct env_cube *gate, dd_node n, enum arch cut)
{
	struct oci_cube ordered[ORDERED_MAX];
	size_t many, first = c->name->pieces.n;

	if (oci_order(c->w, c->name, n, ordered, &many)) {
		for (size_t i = 0; i < many; i++)
			add_piece(c, gate, &ordered[i]);
		return;
	}
	if (split_high(c, gate, n, 0, 0))
		return;
	c->name->pieces.n = first;
	if (!c->w->failed)
		tell_cut(c, cut);
}

static void note_leaf(struct writer *w, const struct env_cube *gate)
{
	vec_each(&w->leaves, l)
		if (!memcmp(l, gate, sizeof(*l)))
			return;
	vec_push(w->arena, &w->leaves, *gate);
}

/* n looks at arguments only. */
static void add_leaf(struct cutter *c, const struct env_cube *gate, dd_node n)
{
	struct cube_list l = { .w = c->w };

	note_leaf(c->w, gate);
	if (n == DD_NONE) {
		oci_fail(c->w, DIAG_PL220, oci_call_span(c->w, c->name->sys),
			 "the conditions are too complex");
		return;
	}
	n = add_fewer(c, gate, n);
	if (c->w->failed)
		return;
	if (!oci_cubes(&l, n)) {
		tell_budget(c, CUBES_MAX);
		return;
	}
	vec_each(&l.v, cube) {
		if (!oci_carries(c->w, c->name, cube->verdict))
			return;
	}
	enum arch cut = cut_arch(c, &l);
	if (cut != ARCH_NR) {
		add_ordered(c, gate, n, cut);
		return;
	}
	vec_each(&l.v, cube) {
		if (OCI_PLANTED(c->w, OCI_PLANT_BIT)) {
			cube->mask[0] &= cube->mask[0] - 1;
			cube->value[0] &= cube->mask[0];
		}
		add_piece(c, gate, &(struct oci_cube){ .c = *cube });
	}
}

/* The kernels between two thresholds answer alike. */
static void cut_kernels(struct cutter *c, struct env_cube in, dd_node n)
{
	const uint16_t *from = c->w->kernels.v;
	size_t end = c->w->kernels.n;

	for (size_t i = 0, k; i < end; i = k) {
		dd_node here = dd_fix(c->w->d->dd, n, DD_SYSTEM, 0xffff00, (uint64_t)from[i] << 8);
		for (k = i + 1; k < end; k++)
			if (dd_fix(c->w->d->dd, n, DD_SYSTEM, 0xffff00, (uint64_t)from[k] << 8) !=
			    here)
				break;
		in.first = from[i];
		in.last = k < end ? (uint16_t)(from[k] - 1) : UINT16_MAX;
		if (!c->w->failed)
			add_leaf(c, &in, here);
	}
}

static void cut_caps(struct cutter *c, struct env_cube in, dd_node n, unsigned cap)
{
	for (; cap < CAPABILITY_NR; cap++) {
		uint64_t bit = UINT64_C(1) << cap;
		if (!(c->w->caps & bit))
			continue;
		dd_node with = dd_fix(c->w->d->dd, n, DD_CAPS, bit, bit);
		dd_node without = dd_fix(c->w->d->dd, n, DD_CAPS, bit, 0);
		if (with == without) {
			n = with;
			continue;
		}
		struct env_cube yes = in, no = in;
		yes.caps |= bit;
		no.no_caps |= bit;
		cut_caps(c, yes, with, cap + 1);
		if (!c->w->failed)
			cut_caps(c, no, without, cap + 1);
		return;
	}
	if (c->budget-- == 0) {
		c->budget = 0;
		if (!c->w->failed)
			tell_budget(c, c->name->pieces.n);
		return;
	}
	cut_kernels(c, in, n);
}

/* ---- joining ---- */

static int by_condition(const struct oci_condition *x, const struct oci_condition *y)
{
	int c = (int)x->arg - (int)y->arg;

	if (!c)
		c = (int)x->op - (int)y->op;
	if (!c)
		c = (x->mask < y->mask) - (x->mask > y->mask);
	return c ? c : (x->value > y->value) - (x->value < y->value);
}

int oci_by_list(const struct oci_conditions *x, const struct oci_conditions *y)
{
	int c = (x->n > y->n) - (x->n < y->n);

	for (size_t i = 0; i < x->n && !c; i++)
		c = by_condition(&x->v[i], &y->v[i]);
	return c;
}

static bool is_choice(const struct oci_conditions *list)
{
	unsigned seen = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (seen >> list->v[i].arg & 1)
			return true;
		seen |= 1u << list->v[i].arg;
	}
	return false;
}

size_t oci_rules_of(const struct oci_name *name)
{
	size_t n = 0;

	vec_each(&name->pieces, p)
		n += is_choice(&p->list) ? p->list.n : 1;
	return n;
}

static int by_what(const void *x, const void *y)
{
	const struct oci_piece *a = x, *b = y;
	int c = oci_by_cube(&a->cube.c, &b->cube.c);

	if (!c)
		c = oci_by_list(&a->list, &b->list);

	if (!c)
		c = (int)a->cube.above - (int)b->cube.above;
	if (!c)
		c = (int)a->cube.below - (int)b->cube.below;
	if (!c)
		c = (int)a->cube.ordered - (int)b->cube.ordered;
	if (!c)
		c = (int)a->cube.arg - (int)b->cube.arg;
	if (!c)
		c = (int)a->cube.op - (int)b->cube.op;
	if (!c)
		c = (a->cube.bound > b->cube.bound) - (a->cube.bound < b->cube.bound);
	return c;
}

/* Is the union of two disjoint boxes a box? *x becomes it. */
static bool join_gates(struct env_cube *x, const struct env_cube *y)
{
	bool caps = x->caps == y->caps && x->no_caps == y->no_caps;
	bool kernels = x->first == y->first && x->last == y->last;
	uint64_t bit = x->caps ^ y->caps;

	if (caps && kernels) {
		x->hosts |= y->hosts;
		return true;
	}
	if (x->hosts != y->hosts)
		return false;
	if (caps && (x->last + 1 == y->first || y->last + 1 == x->first)) {
		x->first = x->first < y->first ? x->first : y->first;
		x->last = x->last > y->last ? x->last : y->last;
		return true;
	}
	if (!kernels || bit & (bit - 1) || bit != (x->no_caps ^ y->no_caps))
		return false;
	x->caps &= ~bit;
	x->no_caps &= ~bit;
	return true;
}

static bool join_run(struct oci_piece *v, size_t n, bool *gone)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && !gone[i]; k++)
			if (!gone[k] && join_gates(&v[i].gate, &v[k].gate))
				gone[k] = any = true;
	return any;
}

static void join_pieces(struct cutter *c)
{
	struct oci_piece *v = c->name->pieces.v;
	size_t n = c->name->pieces.n;
	bool *gone = ARENA_ARRAY(c->w->arena, bool, n + 1);

	if (n)
		qsort(v, n, sizeof(*v), by_what);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && !by_what(&v[i], &v[k]); k++)
			;
		while (join_run(v + i, k - i, gone + i))
			;
	}
	c->name->pieces.n = 0;
	for (size_t i = 0; i < n; i++)
		if (!gone[i])
			v[c->name->pieces.n++] = v[i];
	if (OCI_PLANTED(c->w, OCI_PLANT_ENTRY) && c->name->pieces.n > 1)
		c->name->pieces.n--;
}

bool oci_gates_meet(const struct env_cube *x, const struct env_cube *y)
{
	return !(x->caps & y->no_caps) && !(y->caps & x->no_caps) && x->first <= y->last &&
	       y->first <= x->last && (!x->hosts || !y->hosts || x->hosts & y->hosts);
}

void oci_pieces(struct writer *w, struct oci_name *name)
{
	struct cutter c = { .w = w, .name = name, .budget = PIECES_MAX };

	for (size_t i = 0; i < w->views.n && !w->failed; i++) {
		struct env_cube all = { .last = UINT16_MAX };
		bool done = name->node[i] == DD_NONE;
		for (size_t k = 0; k < i && !done; k++)
			done = name->node[k] == name->node[i];
		if (done)
			continue;
		c.arches = 0;
		for (size_t k = i; k < w->views.n; k++)
			if (name->node[k] == name->node[i]) {
				c.arches |= w->views.v[k].arches;
				all.hosts |= w->views.v[k].any ? 0 : ARCH_BIT(w->views.v[k].host);
			}
		cut_caps(&c, all, name->node[i], 0);
	}
	if (w->failed)
		return;
	join_pieces(&c);
	vec_each(&name->pieces, p)
		if (p->gate.hosts == name->hosts)
			p->gate.hosts = 0;
}
