/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare [-r] [-n COUNT] [-s SEED] [-i INDEX]: COUNT pairs of random policies, most of them one
 * policy and the same with a line changed. What compare_roots() says of each pair is held
 * against policy_eval_in(), which shares no code with it: every witness, and at points near the
 * policies' own constants that a difference is told exactly where there is one, once, with the
 * right verdicts and class, and none where there is none. Prints what it saw; 0 when all agree.
 * -r: decision_rules() and decision_deciders() of COUNT policies instead. At the witness of a rule
 * that decides, policy_eval_in() answers otherwise without it and those that repeat it; without all rules that are told to
 * do nothing, nothing changes; the rule that policy_eval_in() names is among those told.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "compiler/decision/compare.h"
#include "compiler/decision/dd.h"
#include "compiler/decision/rules.h"
#include "grammar/parse.h"
#include "tests/random/generate.h"
#include "tests/random/which.h"

enum { BUDGET = 1 << 22, RULES_LOOKED_AT = 40, POINTS_EACH = 12 };

struct totals {
	uint64_t pairs, refused, undecided, same, items, witnesses, points, differing, wrong;
	uint64_t changes[CHANGE_NR], parts[PART_FOREIGN + 1], conditional;
	uint64_t rules, roles[RULE_UNDECIDED + 1];
};

struct pair {
	struct gen random;
	struct dd *dd;
	const struct policy *p[2];
	dd_node root[2];
	struct compare *c;
	struct totals *t;
	uint64_t index;
};

static bool holds(const struct dd *d, dd_node claim, const struct dd_point *p)
{
	while (!dd_is_terminal(d, claim, NULL)) {
		const struct node *k = &d->nodes.v[claim];
		bool one = p->at[rank_field(k->bit / 64)] >> (63 - k->bit % 64) & 1;
		claim = one ? k->high : k->low;
	}
	return claim == DD_TRUE;
}

static struct verdict answer(const struct policy *p, const struct dd_point *at)
{
	struct environment env;
	struct call c;

	dd_point_tell(at, &env, &c);
	return policy_eval_in(p, &env, &c, NULL);
}

static void tell(struct pair *k, const char *what, const struct dd_point *at)
{
	if (k->t->wrong++ > 10)
		return;
	printf("pair %" PRIu64 ": %s:", k->index, what);
	for (unsigned f = 0; f < DD_FIELDS; f++)
		printf(" %#" PRIx64, at->at[f]);
	putchar('\n');
}

/* ---- what is told of a point ---- */

static bool speaks_of(struct pair *k, const struct compare_item *it, const struct dd_point *at)
{
	uint32_t nr = (uint32_t)at->at[DD_CALL];

	if (it->region)
		return true;
	return at->at[DD_CALL] >> 32 == arch_info(it->arch)->audit && nr >= it->first &&
	       nr <= it->last && holds(k->dd, it->env, at);
}

static bool change_allows(enum change all, struct verdict a, struct verdict b)
{
	if (a.kind == b.kind)
		return true; /* any class may hold another errno beside what names it */
	enum change one = b.kind > a.kind ? CHANGE_LOOSER : CHANGE_TIGHTER;
	return all == one || all == CHANGE_INCOMPARABLE;
}

static void check_point(struct pair *k, const struct dd_point *at)
{
	struct verdict a = answer(k->p[0], at), b = answer(k->p[1], at);
	unsigned told = 0;

	k->t->points++;
	k->t->differing += !verdict_eq(a, b);
	vec_each(&k->c->items, it) {
		if (!speaks_of(k, it, at))
			continue;
		vec_each(&it->steps, s) {
			if (!holds(k->dd, s->where, at))
				continue;
			told++;
			bool right = s->others || (verdict_eq(a, s->a) && verdict_eq(b, s->b));
			if (!right || !change_allows(it->change, a, b))
				tell(k, "other verdicts are told", at);
		}
	}
	if (told != !verdict_eq(a, b))
		tell(k, told ? "a difference that is none" : "a difference is not told", at);
}

static void check_witnesses(struct pair *k)
{
	vec_each(&k->c->items, it) {
		bool has[CHANGE_NR] = { false };
		k->t->items++;
		k->t->changes[it->change]++;
		k->t->parts[it->part]++;
		k->t->conditional += it->env != DD_TRUE;
		if (it->change == CHANGE_UNDECIDED)
			continue;
		vec_each(&it->steps, s) {
			struct verdict a = answer(k->p[0], &s->witness),
				       b = answer(k->p[1], &s->witness);
			k->t->witnesses++;
			if (!verdict_eq(a, s->a) || !verdict_eq(b, s->b) || verdict_eq(a, b))
				tell(k, "a witness shows something else", &s->witness);
			if (!speaks_of(k, it, &s->witness) || !holds(k->dd, s->where, &s->witness))
				tell(k, "a witness lies outside", &s->witness);
			has[a.kind == b.kind ? CHANGE_ERRNO :
			    b.kind > a.kind  ? CHANGE_LOOSER :
					       CHANGE_TIGHTER] = true;
		}
		enum change want = has[CHANGE_LOOSER] && has[CHANGE_TIGHTER] ? CHANGE_INCOMPARABLE :
				   has[CHANGE_LOOSER]                        ? CHANGE_LOOSER :
				   has[CHANGE_TIGHTER]                       ? CHANGE_TIGHTER :
									       CHANGE_ERRNO;
		if (it->change != want)
			tell(k, "the class is not that of its steps", &it->steps.v[0].witness);
	}
}

/* ---- points ---- */

static void near_constants(struct gen *g, const struct cond *c, struct dd_point *at)
{
	if (!c)
		return;
	if (c->kind != COND_CMP) {
		near_constants(g, c->left, at);
		if (c->kind != COND_NOT)
			near_constants(g, c->right, at);
		return;
	}
	if (gen_chance(g, 60))
		at->at[c->cmp.arg] = c->cmp.value + gen_below(g, 3) - 1;
	if (gen_chance(g, 20))
		at->at[c->cmp.arg] ^= UINT64_C(1) << gen_below(g, 64);
}

static uint16_t near_version(struct gen *g, const struct env_cond *c, uint64_t *caps,
			     uint16_t kernel)
{
	if (!c)
		return kernel;
	if (c->kind == ENV_KERNEL && gen_chance(g, 50))
		return (uint16_t)(c->version + gen_below(g, 3) - 1);
	if (c->kind == ENV_CAP)
		*caps ^= gen_chance(g, 50) ? UINT64_C(1) << c->cap : 0;
	if (c->kind < ENV_AND)
		return kernel;
	kernel = near_version(g, c->left, caps, kernel);
	return c->kind == ENV_NOT ? kernel : near_version(g, c->right, caps, kernel);
}

static void check_call(struct pair *k, const struct call_rule *r, enum arch a, uint32_t nr)
{
	struct gen *g = &k->random;

	for (unsigned n = 0; n < POINTS_EACH; n++) {
		struct dd_point at = { .at = { [DD_CALL] = DD_CALL_OF(arch_info(a)->audit, nr) } };
		unsigned hosts = 0;
		for (unsigned h = 0; h < ARCH_NR; h++)
			hosts |= env_runs((enum arch)h, a) ? ARCH_BIT(h) : 0;
		for (unsigned i = 0; i < 6; i++)
			at.at[i] = gen_chance(g, 50) ? 0 : gen_next(g) >> gen_below(g, 64);
		at.at[DD_CAPS] = gen_next(g) & ((UINT64_C(1) << CAPABILITY_NR) - 1);
		uint16_t kernel = (uint16_t)(gen_below(g, 8) << 8 | gen_below(g, 20));
		if (r) {
			near_constants(g, r->cond, &at);
			kernel = near_version(g, r->env, &at.at[DD_CAPS], kernel);
		}
		at.at[DD_SYSTEM] = (uint64_t)kernel << 8 | gen_arch_of(g, hosts);
		for (unsigned i = 0; i < 6 && arch_info(a)->bits == 32; i++)
			at.at[i] = (uint32_t)at.at[i];
		check_point(k, &at);
	}
}

static void check_points(struct pair *k)
{
	struct gen *g = &k->random;

	for (unsigned side = 0; side < 2; side++) {
		const struct policy *p = k->p[side];
		for (unsigned n = 0; n < RULES_LOOKED_AT && n < p->calls.n; n++) {
			const struct call_rule *r = &p->calls.v[gen_below(g, (unsigned)p->calls.n)];
			check_call(k, r, r->arch, r->nr);
		}
	}
	for (unsigned a = 0; a < ARCH_NR; a++) {
		uint32_t base = arch_info((enum arch)a)->nr_base;
		check_call(k, NULL, (enum arch)a, base + gen_below(g, syscall_end((enum arch)a)));
		check_call(k, NULL, (enum arch)a,
			   base + syscall_end((enum arch)a) + gen_below(g, 1000));
		check_call(k, NULL, (enum arch)a, UINT32_MAX);
		check_call(k, NULL, (enum arch)a, (uint32_t)gen_next(g) | 0x80000000u);
	}
}

/* ---- pairs ---- */

static bool is_rule(struct str line)
{
	static const char *const words[] = { "allow ", "log ",   "kill",    "errno ",
					     "trap ",  "trace ", "notify ", "deny " };

	while (line.n && (*line.p == '\t' || *line.p == ' '))
		line = (struct str){ line.p + 1, line.n - 1 };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_starts(line, words[i]))
			return line.p[line.n - 1] == ';';
	return false;
}

/* One rule left out, or with another verdict in front of its calls. */
static void put_changed(struct gen *g, struct str line, struct buf *to)
{
	static const char *const verdicts[] = { "allow", "log", "kill", "errno 13", "trap 3" };
	size_t at = 0, words = 0;

	if (gen_chance(g, 40))
		return;
	while (at < line.n && strchr("\t ", line.p[at]))
		at++;
	/* errno, trap and trace have their data behind them. */
	words = !strncmp(line.p + at, "errno", 5) || !strncmp(line.p + at, "tra", 3) ? 2 : 1;
	for (; words && at < line.n; words--) {
		at += strcspn(line.p + at, " ");
		at += strspn(line.p + at, " ");
	}
	buf_printf(to, "\t%s " PRISTR "\n", verdicts[gen_below(g, ARRAY_SIZE(verdicts))],
		   (int)(line.n - at), line.p + at);
}

static unsigned count_rules(const struct buf *text)
{
	unsigned n = 0;

	for (const char *p = text->p, *end; *p; p = end + (*end != 0)) {
		end = strchrnul(p, '\n');
		n += is_rule((struct str){ p, (size_t)(end - p) });
	}
	return n;
}

static void change_line(struct gen *g, const struct buf *from, struct buf *to)
{
	unsigned rules = 0, at = gen_below(g, count_rules(from) + 1);

	for (const char *p = from->p, *end; *p; p = end + (*end != 0)) {
		end = strchrnul(p, '\n');
		struct str line = { p, (size_t)(end - p) };
		if (is_rule(line) && rules++ == at)
			put_changed(g, line, to);
		else
			buf_printf(to, PRISTR "\n", STRARG(line));
	}
}

static const struct policy *resolve(struct arena *a, struct diags *ds, const struct buf *text)
{
	struct resolve_options opt = { .keep_when = true };
	struct source *src = source_add(ds->sources, "random", (struct str){ text->p, text->n });
	struct ast_file *file = pale_parse_source(a, src, ds);
	struct policies *all = ds->errors ? NULL : policy_resolve(a, file, &opt, ds);

	return ds->errors || !all->list.n ? NULL : all->list.v[0];
}

static void compare_pair(struct totals *t, uint64_t seed, uint64_t index, bool print)
{
	struct arena *a = arena_new(NULL);
	struct diags *ds = diags_new(a, sources_new(a));
	struct pair k = { .t = t, .index = index, .random = { .random = seed << 40 ^ index } };
	struct buf text[2] = { { 0 }, { 0 } };
	unsigned flags = GEN_WHEN | GEN_NUMBERS;

	gen_policy((seed << 40) + index, flags, &text[0]);
	if (gen_chance(&k.random, 25))
		gen_policy((seed << 40) + index + 1, flags, &text[1]);
	else
		change_line(&k.random, &text[0], &text[1]);
	if (print)
		printf("%s%s", text[0].p, text[1].p);
	t->pairs++;
	k.dd = dd_new(a, BUDGET);
	struct compare_side side[2] = { 0 };
	bool ok = true;
	for (unsigned i = 0; i < 2 && ok; i++) {
		k.p[i] = resolve(a, ds, &text[i]);
		struct decision *d = k.p[i] ? decision_build_in(a, k.dd, k.p[i], ds) : NULL;
		ok = d != NULL;
		if (ok)
			side[i] = (struct compare_side){ decision_root(d, d->arches), d->arches,
							 false };
	}
	t->refused += !ok;
	if (ok) {
		k.c = compare_roots(a, k.dd, &side[0], &side[1], 0, 0);
		t->undecided += k.c->undecided > 0;
		t->same += !k.c->items.n;
		if ((side[0].root == side[1].root) && k.c->items.n)
			t->wrong++;
		check_witnesses(&k);
		check_points(&k);
	}
	buf_free(&text[0]);
	buf_free(&text[1]);
	arena_free(a);
}

/* ---- rules ---- */

static bool does_nothing(const struct rule_use *u)
{
	return u->role == RULE_SHADOWED || u->role == RULE_REPEATS || u->role == RULE_NEVER_MATCHES;
}

enum leave_out { LEAVE_NONE, LEAVE_REPEATS, LEAVE_IDLE };

/* The policy without one rule (SIZE_MAX: none), and without others that are told to be idle. */
static const struct policy *without(struct arena *a, const struct policy *p,
				    const struct rule_use *uses, size_t but, enum leave_out idle)
{
	struct policy *q = arena_dup(a, p, sizeof(*p));

	q->calls.v = NULL;
	q->calls.n = q->calls.cap = 0;
	for (size_t i = 0; i < p->calls.n; i++)
		if (i != but && !(idle == LEAVE_IDLE && does_nothing(&uses[i])) &&
		    !(idle == LEAVE_REPEATS && uses[i].role == RULE_REPEATS))
			vec_push(a, &q->calls, p->calls.v[i]);
	return q;
}

static bool same_answers(struct arena *a, struct pair *k, const struct policy *q)
{
	struct compare_side side[2];
	const struct policy *p[2] = { k->p[0], q };

	for (unsigned i = 0; i < 2; i++) {
		struct decision *d =
			decision_build_in(a, k->dd, p[i], diags_new(a, sources_new(a)));
		side[i] = (struct compare_side){ decision_root(d, p[i]->arches), p[i]->arches,
						 false };
	}
	return !compare_roots(a, k->dd, &side[0], &side[1], 0, 0)->items.n;
}

static void check_rule(struct arena *a, struct pair *k, const struct rule_use *uses, size_t i)
{
	const struct rule_use *u = &uses[i];

	k->t->rules++;
	k->t->roles[u->role]++;
	if (u->rule != &k->p[0]->calls.v[i])
		tell(k, "another rule", &u->witness);
	if (u->role == RULE_DECIDES) {
		struct verdict with = answer(k->p[0], &u->witness);
		struct verdict left =
			answer(without(a, k->p[0], uses, i, LEAVE_REPEATS), &u->witness);
		k->t->witnesses++;
		if (verdict_eq(with, left) || !verdict_eq(with, u->rule->verdict))
			tell(k, "a rule that decides does not", &u->witness);
	}
	if (u->role == RULE_IS_DEFAULT &&
	    !same_answers(a, k, without(a, k->p[0], uses, i, LEAVE_NONE)))
		tell(k, "a rule that is the default is not", &u->witness);
	if ((u->role == RULE_SHADOWED || u->role == RULE_REPEATS) && !u->nby)
		tell(k, "nobody makes it idle", &u->witness);
}

/* Near the constants of a rule: is the one that decides told? */
static void check_deciders(struct arena *a, struct pair *k, const struct call_rule *r)
{
	struct rule_parts parts = decision_deciders(a, k->dd, k->p[0], r->arch, r->nr, DD_TRUE);

	for (unsigned n = 0; n < POINTS_EACH; n++) {
		struct dd_point at = { .at = { [DD_CALL] = DD_CALL_OF(arch_info(r->arch)->audit,
								      r->nr) } };
		unsigned told = 0;
		near_constants(&k->random, r->cond, &at);
		uint16_t kernel = near_version(&k->random, r->env, &at.at[DD_CAPS], 0);
		unsigned hosts = 0;
		for (unsigned h = 0; h < ARCH_NR; h++)
			hosts |= env_runs((enum arch)h, r->arch) ? ARCH_BIT(h) : 0;
		at.at[DD_SYSTEM] = (uint64_t)kernel << 8 | gen_arch_of(&k->random, hosts);
		for (unsigned i = 0; i < 6 && arch_info(r->arch)->bits == 32; i++)
			at.at[i] = (uint32_t)at.at[i];
		struct environment env = {
			.caps_known = true,
			.caps = at.at[DD_CAPS],
			.kernel_known = true,
			.kernel = kernel,
			.host_known = true,
			.host = (enum arch)(at.at[DD_SYSTEM] & 0xff),
		};
		struct call c = { .audit_arch = arch_info(r->arch)->audit, .nr = r->nr };
		struct decision_why why;
		memcpy(c.args, at.at, sizeof(c.args));
		struct verdict v = policy_eval_in(k->p[0], &env, &c, &why);
		k->t->points++;
		vec_each(&parts.list, part) {
			if (!holds(k->dd, part->where, &at))
				continue;
			told += part->rule == why.rule;
			if (part->rule ? !verdict_eq(part->rule->verdict, v) : why.by == BY_RULE)
				tell(k, "a rule is told to decide and does not", &at);
		}
		if (told != 1)
			tell(k, "the rule that decides is not told", &at);
	}
}

static void check_rules(struct totals *t, uint64_t seed, uint64_t index, bool print)
{
	struct arena *a = arena_new(NULL);
	struct diags *ds = diags_new(a, sources_new(a));
	struct pair k = { .t = t, .index = index, .random = { .random = seed << 40 ^ index } };
	struct buf text = { 0 };

	gen_policy((seed << 40) + index, GEN_WHEN | GEN_NUMBERS, &text);
	if (print)
		fputs(text.p, stdout);
	t->pairs++;
	k.dd = dd_new(a, BUDGET);
	k.p[0] = resolve(a, ds, &text);
	t->refused += !k.p[0];
	if (k.p[0]) {
		const struct rule_use *uses = decision_rules(a, k.dd, k.p[0]);
		for (size_t i = 0; i < k.p[0]->calls.n; i++)
			check_rule(a, &k, uses, i);
		if (!same_answers(a, &k, without(a, k.p[0], uses, SIZE_MAX, LEAVE_IDLE)))
			tell(&k, "without rules that do nothing, something changes",
			     &uses[0].witness);
		for (unsigned n = 0; n < RULES_LOOKED_AT && k.p[0]->calls.n; n++)
			check_deciders(
				a, &k,
				&k.p[0]->calls.v[gen_below(&k.random, (unsigned)k.p[0]->calls.n)]);
	}
	buf_free(&text);
	arena_free(a);
}

static void print_rules(const struct totals *t)
{
	printf("%" PRIu64 " policies, %" PRIu64 " refused, %" PRIu64 " rules; %" PRIu64
	       " witnesses; %" PRIu64 " points; %" PRIu64 " wrong\nroles:",
	       t->pairs, t->refused, t->rules, t->witnesses, t->points, t->wrong);
	for (unsigned i = 0; i <= RULE_UNDECIDED; i++)
		printf(" %" PRIu64, t->roles[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct totals t = { 0 };
	struct which w = { .n = 200, .seed = 1, .only = UINT64_MAX };

	if (!which_read(argc, argv, "rn:s:i:", &w))
		return 2;
	for (uint64_t i = which_first(&w); i < which_end(&w); i++)
		(w.other ? check_rules : compare_pair)(&t, w.seed, i, i == w.only);
	if (w.other) {
		print_rules(&t);
		return t.wrong != 0;
	}
	printf("%" PRIu64 " pairs, %" PRIu64 " refused, %" PRIu64 " not decided, %" PRIu64
	       " same; %" PRIu64 " differences, %" PRIu64 " of them in some environments; %" PRIu64
	       " witnesses; %" PRIu64 " points, %" PRIu64 " differ; %" PRIu64 " wrong\n",
	       t.pairs, t.refused, t.undecided, t.same, t.items, t.conditional, t.witnesses,
	       t.points, t.differing, t.wrong);
	printf("classes:");
	for (unsigned i = 0; i < CHANGE_NR; i++)
		printf(" %" PRIu64, t.changes[i]);
	printf("\nparts:");
	for (unsigned i = 0; i <= PART_FOREIGN; i++)
		printf(" %" PRIu64, t.parts[i]);
	putchar('\n');
	return t.wrong != 0;
}
