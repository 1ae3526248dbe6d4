/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a runtime makes of several rules for one call. A policy lets the most restrictive
 * matching rule win; libseccomp does not (facts measured with 2.5.4 and 2.6.1):
 *	an action equal to the default     is skipped
 *	no condition beside conditions     swallows them, in either order
 *	no condition twice                 the first wins
 *	one condition, two actions         the container may not start (refuse.c)
 *	overlapping conditions             whatever the merged tree yields: it is asked (dispute.c)
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/oci/runtime/settle.h"

/* The writer's budget for a file is 2,000 entries, each of which may be of one call. */
enum {
	COMPARISONS_MAX = 1 << 22,
	MEETINGS_MAX = 1000000,
	DIAGRAM_NODES = 1 << 16,
	DIAGRAMS_MAX = 200,
	DISPUTES_MAX = 1000
};

struct settler {
	struct arena *arena;
	struct oci_profile *p;
	struct diags *ds;
	size_t comparisons; /* left: input is hostile */
	size_t meetings;    /* likewise: pairs that no bit tells apart */
	size_t diagrams;    /* likewise */
	struct dd *dd;
	struct oci_rule *const *sorted; /* all of them, by name */
	size_t nsorted;
	bool failed;
	bool full; /* a budget is spent: the rest is not looked at */
};

const struct cond *oci_args_cond(struct arena *a, const struct oci_arg *args, uint32_t nargs)
{
	static const enum cmp_op ops[OCI_OP_NR] = {
		[OCI_NE] = CMP_NE, [OCI_LT] = CMP_LT, [OCI_LE] = CMP_LE,        [OCI_EQ] = CMP_EQ,
		[OCI_GE] = CMP_GE, [OCI_GT] = CMP_GT, [OCI_MASKED_EQ] = CMP_EQ,
	};
	const struct cond *all = NULL;

	for (uint32_t i = 0; i < nargs; i++) {
		struct cond *c = ARENA_NEW(a, struct cond);
		c->kind = COND_CMP;
		c->cmp = (struct cmp){ .arg = args[i].index,
				       .width = 64,
				       .op = ops[args[i].op],
				       .mask = args[i].mask,
				       .value = args[i].value };
		if (all) {
			struct cond *both = ARENA_NEW(a, struct cond);
			both->kind = COND_AND;
			both->left = all;
			both->right = c;
			all = both;
		} else {
			all = c;
		}
	}
	return all;
}

bool oci_always(const struct oci_rule *r)
{
	for (uint32_t i = 0; i < r->nargs; i++)
		if (r->args[i].op != OCI_MASKED_EQ || r->args[i].mask)
			return false;
	return true;
}

/* A bit that one rule wants set and the other clear: the common case, without a diagram. */
static bool bits_contradict(const struct oci_rule *x, const struct oci_rule *y)
{
	for (uint32_t i = 0; i < x->nargs; i++)
		for (uint32_t k = 0; k < y->nargs; k++) {
			const struct oci_arg *a = &x->args[i], *b = &y->args[k];
			bool equal = (a->op == OCI_EQ || a->op == OCI_MASKED_EQ) &&
				     (b->op == OCI_EQ || b->op == OCI_MASKED_EQ);
			if (equal && a->index == b->index &&
			    (a->value ^ b->value) & a->mask & b->mask)
				return true;
		}
	return false;
}

static dd_node both_hold(struct settler *s, const struct oci_rule *x, const struct oci_rule *y)
{
	return dd_and(s->dd, dd_cond(s->dd, oci_args_cond(s->arena, x->args, x->nargs)),
		      dd_cond(s->dd, oci_args_cond(s->arena, y->args, y->nargs)));
}

enum meeting { MEET_NEVER, MEET, MEET_TOO_HARD };

/* Do some arguments meet both? MEET: *at is one. */
static enum meeting meet(struct settler *s, const struct oci_rule *x, const struct oci_rule *y,
			 struct dd_point *at)
{
	if (bits_contradict(x, y))
		return MEET_NEVER;
	if (s->meetings-- == 0) {
		s->meetings = 0;
		return MEET_TOO_HARD;
	}
	dd_node n = s->dd ? both_hold(s, x, y) : DD_NONE;
	if (n == DD_NONE) { /* a fresh one: pairs share it until it is full */
		if (s->diagrams-- == 0) {
			s->diagrams = 0;
			return MEET_TOO_HARD;
		}
		s->dd = dd_new(s->arena, DIAGRAM_NODES);
		n = both_hold(s, x, y);
	}
	if (n == DD_NONE)
		return MEET_TOO_HARD;
	return dd_witness(s->dd, n, at) ? MEET : MEET_NEVER;
}

static const struct oci_entry *entry_of(const struct settler *s, const struct oci_rule *r)
{
	return &s->p->entries.v[r->entry];
}

/* As the JSON has it: what libseccomp makes of `socket` stands behind the rule for it. */
static struct str written_name(const struct oci_rule *r)
{
	while (!r->handed.n)
		r--;
	return r->handed;
}

static uint32_t rule_index(const struct settler *s, const struct oci_rule *r)
{
	return (uint32_t)(r - s->p->rules.v);
}

/* What libseccomp adds for socketcall is not what the entry says: the call is its own. */
static bool is_carried(const struct oci_rule *r)
{
	return !str_eq(written_name(r), r->name);
}

static void list_swallowed(struct settler *s, const struct oci_rule *winner, struct oci_rule *loser)
{
	if (loser->listed || is_carried(loser) || winner->entry == loser->entry)
		return;
	loser->listed = true;
	vec_push(s->arena, &s->p->swallowed,
		 ((struct oci_swallowed){ rule_index(s, winner), rule_index(s, loser) }));
}

static void swallow(struct settler *s, const struct oci_rule *winner, struct oci_rule *loser)
{
	const struct oci_gate *w = entry_of(s, winner)->gate;

	if (!oci_gate_implies(entry_of(s, loser)->gate, w)) {
		if (!loser->limits)
			loser->limits = ARENA_NEW(s->arena, struct oci_limits);
		vec_push(s->arena, &loser->limits->unless, w);
		return;
	}
	loser->dropped = true;
	list_swallowed(s, winner, loser);
	const char *inside =
		is_carried(loser) ? arena_printf(s->arena, " inside " PRISTR, STRARG(loser->name)) :
				    "";
	vec_push(s->arena, &s->p->dropped,
		 arena_printf(s->arena,
			      "without effect%s, an entry without a condition decides: " PRISTR,
			      inside, STRARG(written_name(loser))));
	vec_push(s->arena, &s->p->dropped_entry, loser->entry);
}

static bool covers(const struct oci_rule *wide, const struct oci_rule *narrow)
{
	return !(narrow->arches & ~wide->arches);
}

static void tell_pair(struct settler *s, const struct oci_rule *x, const struct oci_rule *y,
		      const char *text, const char *help)
{
	struct diag *d = diag_add(s->ds, DIAG_PL273, y->span, "%s", text);

	diag_note(s->ds, d, x->span, "the other one");
	diag_help(s->ds, d, "%s", help);
	s->failed = true;
}

/* Both have conditions, and different actions. */
static void settle_conditions(struct settler *s, const struct oci_rule *x, const struct oci_rule *y)
{
	struct oci_dispute d = { .first = rule_index(s, x), .second = rule_index(s, y) };
	struct dd_point at;

	enum meeting m = meet(s, x, y, &at);
	if (m == MEET_NEVER)
		return;
	if (s->p->disputes.n == DISPUTES_MAX) {
		tell_pair(s, x, y,
			  arena_printf(s->arena,
				       "more than %d pairs of entries with different actions match "
				       "one call; here for '" PRISTR "'",
				       DISPUTES_MAX, STRARG(y->name)),
			  "make their conditions exclude each other");
		s->full = true;
		return;
	}
	if (m == MEET_TOO_HARD) {
		s->full = true;
		tell_pair(s, x, y,
			  arena_printf(s->arena,
				       "whether two entries for '" PRISTR "' with different "
				       "actions match the same arguments is more than is decided "
				       "with %d pairs and %d times %d decision nodes",
				       STRARG(y->name), MEETINGS_MAX, DIAGRAMS_MAX, DIAGRAM_NODES),
			  "compare fewer arguments, or make the conditions exclude each other in "
			  "one bit");
		return;
	}
	memcpy(d.args, at.at, sizeof(d.args));
	vec_push(s->arena, &s->p->disputes, d);
}

/* Another condition beside none: the author means it to hold, and nothing asks for it. */
static bool makes_idle(const struct settler *s, const struct oci_rule *all,
		       const struct oci_rule *some)
{
	return oci_always(all) && !oci_always(some) && covers(all, some) &&
	       oci_gate_implies(entry_of(s, some)->gate, entry_of(s, all)->gate);
}

/* Both say the same. */
static void settle_alike(struct settler *s, struct oci_rule *x, struct oci_rule *y)
{
	bool first = makes_idle(s, x, y), second = makes_idle(s, y, x);

	if (first)
		list_swallowed(s, x, y);
	else if (second)
		list_swallowed(s, y, x);
	/* What libseccomp adds beside a rule that says the same is not worth a line. */
	if (first && y->derived)
		y->dropped = true;
	else if (second && x->derived)
		x->dropped = true;
}

/* x stands before y in the profile. */
static void settle_pair(struct settler *s, struct oci_rule *x, struct oci_rule *y)
{
	const struct oci_entry *ex = entry_of(s, x), *ey = entry_of(s, y);

	if (x->dropped || y->dropped || !(x->arches & y->arches) ||
	    oci_gate_exclusive(ex->gate, ey->gate))
		return;
	if (verdict_eq(ex->verdict, ey->verdict)) {
		settle_alike(s, x, y);
		return;
	}
	if (!x->nargs)
		swallow(s, x, y);
	else if (!y->nargs)
		swallow(s, y, x);
	else
		settle_conditions(s, x, y);
}

/* The call that has most entries is what makes a profile long; y is where the bound was met. */
static void tell_comparisons(struct settler *s, const struct oci_rule *y)
{
	const struct oci_rule *most = y;
	size_t n = 0, best = 0;

	for (size_t i = 0; i < s->nsorted; i++) {
		n = i && str_eq(s->sorted[i]->name, s->sorted[i - 1]->name) ? n + 1 : 1;
		if (n <= best)
			continue;
		best = n;
		most = s->sorted[i];
	}
	struct diag *d = diag_add(s->ds, DIAG_PL273, most->span,
				  "more than %d pairs of entries would have to be "
				  "compared with each other; '" PRISTR "' has most, %zu entries",
				  COMPARISONS_MAX, STRARG(most->name), best);
	diag_help(s->ds, d,
		  "join entries with the same action, or leave those out that another one covers");
	s->failed = true;
}

static void settle_call(struct settler *s, struct oci_rule **rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && !s->full; k++) {
			if (s->comparisons-- == 0) {
				s->comparisons = 0;
				tell_comparisons(s, rules[k]);
				return;
			}
			settle_pair(s, rules[i], rules[k]);
		}
}

struct named {
	uint64_t head; /* the first bytes of its name: these tell nearly all apart */
	struct oci_rule *rule;
};

static uint64_t head_of(struct str name)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | (i < name.n ? (unsigned char)name.p[i] : 0);
	return head;
}

static int by_name_then_place(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int c = a->head != b->head ? (a->head < b->head ? -1 : 1) :
				     str_cmp(a->rule->name, b->rule->name);

	return c ? c : (a->rule > b->rule) - (a->rule < b->rule);
}

void oci_sort_rules(struct arena *a, struct oci_rule **rules, size_t n)
{
	struct named *all = ARENA_ARRAY(a, struct named, n + 1);

	for (size_t i = 0; i < n; i++)
		all[i] = (struct named){ head_of(rules[i]->name), rules[i] };
	qsort(all, n, sizeof(*all), by_name_then_place);
	for (size_t i = 0; i < n; i++)
		rules[i] = all[i].rule;
}

static void drop_defaults(struct settler *s)
{
	uint32_t told = UINT32_MAX;

	vec_each(&s->p->rules, r) {
		const struct oci_entry *e = entry_of(s, r);
		if (!verdict_eq(e->verdict, s->p->dflt))
			continue;
		r->dropped = true;
		if (told == r->entry)
			continue;
		told = r->entry;
		vec_push(s->arena, &s->p->dropped,
			 arena_printf(s->arena,
				      "an entry with the default's action was left out "
				      "(" PRISTR ", ...): runtimes skip it",
				      STRARG(r->name)));
		vec_push(s->arena, &s->p->dropped_entry, r->entry);
	}
}

bool oci_find_disputes(struct arena *a, struct oci_profile *p, struct diags *ds)
{
	struct settler s = { .arena = a,
			     .p = p,
			     .ds = ds,
			     .comparisons = COMPARISONS_MAX,
			     .meetings = MEETINGS_MAX,
			     .diagrams = DIAGRAMS_MAX };
	struct oci_rule **sorted = ARENA_ARRAY(a, struct oci_rule *, p->rules.n + 1);
	size_t n = 0;

	drop_defaults(&s);
	uint32_t *of = ARENA_ARRAY(a, uint32_t, syscall_count());
	vec_each(&p->rules, r)
		of[syscall_index(r->sys)] += !r->dropped;
	vec_each(&p->rules, r) /* what stands alone is compared with nothing */
		if (!r->dropped && of[syscall_index(r->sys)] > 1)
			sorted[n++] = r;
	oci_sort_rules(a, sorted, n);
	s.sorted = sorted;
	s.nsorted = n;
	for (size_t i = 0, k; i < n && s.comparisons && !s.full; i = k) {
		for (k = i + 1; k < n && str_eq(sorted[i]->name, sorted[k]->name); k++)
			;
		settle_call(&s, &sorted[i], k - i);
	}
	return !s.failed;
}
