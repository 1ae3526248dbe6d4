/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical [-n COUNT] [-s SEED] [-i INDEX]: COUNT random policies, each written in four other
 * ways that mean the same:
 *
 *	split     a rule as two whose union it is, by a comparison or by the environment
 *	merged    the rules of one verdict on a call as one
 *	reordered rules shuffled
 *	bits      a rule where some bits are set, and where none of them is
 *
 * and all five must give one program, byte for byte. -i: that one alone, printed. Prints what it
 * saw; 0 when nothing differs.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "compiler/cbpf/cbpf.h"
#include "grammar/parse.h"
#include "tests/random/generate.h"
#include "tests/random/which.h"

enum { RULES_MAX = 64 };

enum way { WAY_PLAIN, WAY_SPLIT, WAY_MERGED, WAY_REORDERED, WAY_BITS, WAY_NR };
static const char *const ways[] = { "plain", "split", "merged", "reordered", "bits" };

struct rule {
	char call[32], verdict[32];
	char *cond; /* "": always */
	char *half; /* a comparison of the same operands */
	char *bits; /* "NAME MASK" split at the space; "": none of them has bits */
	bool env;   /* split by the environment instead */
};

struct draft {
	struct arena *arena;
	char *head;
	struct rule rules[RULES_MAX];
	unsigned n, order[RULES_MAX];
};

struct totals {
	uint64_t policies, same, refused, programs, insns, differ[WAY_NR];
};

/* ---- a policy ---- */

static char *taken(struct arena *a, struct buf *b)
{
	char *text = arena_printf(a, "%.*s", (int)b->n, b->n ? b->p : "");

	b->n = 0;
	return text;
}

static void add_bits(struct gen *g, const struct gen_operand *o, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (o[i].bits) {
			uint64_t m = gen_mask(g, &o[i], false);
			if (gen_chance(g, 50))
				m &= -m;
			buf_printf(g->out, "%s %#llx", o[i].name, (unsigned long long)m);
			return;
		}
}

static void draft_rule(struct gen *g, struct draft *d, const char *call,
		       const struct gen_operand *o, unsigned n)
{
	struct rule *r = &d->rules[d->n++];

	snprintf(r->call, sizeof(r->call), "%s", call);
	gen_verdict(g, call);
	snprintf(r->verdict, sizeof(r->verdict), "%s", taken(d->arena, g->out));
	if (n && !gen_chance(g, 4))
		gen_condition(g, o, n, gen_below(g, 4));
	r->cond = taken(d->arena, g->out);
	if (n)
		gen_comparison(g, &o[gen_below(g, n)]);
	r->half = taken(d->arena, g->out);
	add_bits(g, o, n);
	r->bits = taken(d->arena, g->out);
	r->env = gen_chance(g, 30);
}

static void draft_policy(struct gen *g, struct draft *d)
{
	g->arches = gen_chance(g, 60) ? ARCH_BIT(ARCH_X86_64) : gen_arches(g);
	g->data_seed = (uint32_t)gen_next(g);
	buf_puts(g->out, "policy r {\n\tlayers seccomp;\n\tarch ");
	gen_arch_names(g, g->arches);
	buf_puts(g->out, ";");
	gen_level(g);
	gen_header(g, "default", 20);
	gen_header(g, "unknown", 20);
	gen_header(g, "foreign", 5);
	gen_multiplexers(g);
	d->head = taken(d->arena, g->out);
	for (unsigned calls = 1 + gen_below(g, 4); calls; calls--) {
		struct gen_operand o[4];
		char call[32];
		const struct syscall_info *s = gen_call(g, call);
		unsigned arches = s ? g->arches & gen_has(s) : g->arches;
		if (s && gen_is_multiplexed(s, arches))
			continue;
		unsigned n = gen_operands(g, s, arches, o);
		for (unsigned rules = 1 + gen_below(g, 3); rules; rules--)
			draft_rule(g, d, call, o, n);
	}
	for (unsigned i = 0; i < d->n; i++) {
		unsigned k = gen_below(g, i + 1);
		d->order[i] = d->order[k];
		d->order[k] = i;
	}
}

/* ---- written ---- */

static void put_rule(struct buf *out, const struct rule *r, const char *before, const char *more)
{
	const char *join = r->cond[0] && more[0] ? ", " : "";

	buf_printf(out, "\n\t%s%s %s", before, r->verdict, r->call);
	if (r->cond[0] || more[0])
		buf_printf(out, "(%s%s%s)", r->cond, join, more);
	buf_printf(out, ";%s", before[0] ? " }" : "");
}

static void put_split(struct arena *a, struct buf *out, const struct rule *r)
{
	if (r->env || !r->half[0]) {
		put_rule(out, r, "when capability sys_admin { ", "");
		put_rule(out, r, "when not capability sys_admin { ", "");
		return;
	}
	put_rule(out, r, "", r->half);
	put_rule(out, r, "", arena_printf(a, "not (%s)", r->half));
}

static void put_bits(struct arena *a, struct buf *out, const struct rule *r)
{
	int name = (int)(strrchr(r->bits, ' ') - r->bits);
	const char *mask = r->bits + name;

	put_rule(out, r, "", arena_printf(a, "%.*s has any%s", name, r->bits, mask));
	put_rule(out, r, "", arena_printf(a, "%.*s lacks%s", name, r->bits, mask));
}

static bool is_first_of(const struct draft *d, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (!strcmp(d->rules[k].call, d->rules[i].call) &&
		    !strcmp(d->rules[k].verdict, d->rules[i].verdict))
			return false;
	return true;
}

static void put_merged(struct buf *out, const struct draft *d, unsigned first)
{
	const struct rule *r = &d->rules[first];
	const char *join = "(";

	for (unsigned k = first; k < d->n; k++)
		if (!strcmp(d->rules[k].call, r->call) &&
		    !strcmp(d->rules[k].verdict, r->verdict) && !d->rules[k].cond[0]) {
			put_rule(out, &d->rules[k], "", "");
			return;
		}
	buf_printf(out, "\n\t%s %s", r->verdict, r->call);
	for (unsigned k = first; k < d->n; k++) {
		const struct rule *o = &d->rules[k];
		if (strcmp(o->call, r->call) || strcmp(o->verdict, r->verdict))
			continue;
		buf_printf(out, "%s(%s)", join, o->cond);
		join = " or ";
	}
	buf_puts(out, ");");
}

static void put_policy(const struct draft *d, enum way way, struct buf *out)
{
	out->n = 0;
	buf_puts(out, d->head);
	for (unsigned i = 0; i < d->n; i++) {
		const struct rule *r = &d->rules[way == WAY_REORDERED ? d->order[i] : i];
		if (way == WAY_SPLIT)
			put_split(d->arena, out, r);
		else if (way == WAY_BITS && r->bits[0])
			put_bits(d->arena, out, r);
		else if (way != WAY_MERGED)
			put_rule(out, r, "", "");
		else if (is_first_of(d, i))
			put_merged(out, d, i);
	}
	buf_puts(out, "\n}\n");
}

/* ---- compiled ---- */

struct programs {
	bool refused;
	struct cbpf of[ARCH_NR];
	unsigned n;
};

static struct programs compile(struct arena *a, const struct buf *text, bool print)
{
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src = source_add(sources, "random", (struct str){ text->p, text->n });
	struct resolve_options opt = { .env = { .caps_known = true,
						.kernel_known = true,
						.kernel = KERNEL_VERSION_OF(6, 1) } };
	struct programs all = { .n = 0 };
	const char *families[ARCH_NR];

	const struct policy *p =
		policy_resolve(a, pale_parse_source(a, src, ds), &opt, ds)->list.v[0];
	all.refused = ds->errors;
	all.n = all.refused ? 0 : cbpf_families(p, families);
	for (unsigned i = 0; i < all.n; i++) {
		struct cbpf_options how = { .family = families[i] };
		all.refused |= cbpf_generate(a, p, &how, &all.of[i], ds) != 0;
	}
	BUF_AUTO b = { 0 };
	vec_each(&ds->list, d)
		if (print && (*d)->severity == SEVERITY_ERROR)
			diag_print_text(ds, *d, false, &b);
	fputs(b.p ? b.p : "", stdout);
	return all;
}

static bool is_same(const struct programs *x, const struct programs *y)
{
	if (x->refused != y->refused || x->n != y->n)
		return false;
	for (unsigned i = 0; i < x->n; i++)
		if (x->of[i].n != y->of[i].n ||
		    memcmp(x->of[i].insns, y->of[i].insns, x->of[i].n * sizeof(*x->of[i].insns)))
			return false;
	return true;
}

static void check_policy(uint64_t seed, bool print, uint64_t index, struct totals *t)
{
	BUF_AUTO text = { 0 };
	struct arena *a = arena_new(NULL);
	struct gen g = { .random = seed, .out = &text, .flags = GEN_NUMBERS };
	struct draft d = { .arena = a };
	struct programs plain = { 0 };
	bool same = true;

	draft_policy(&g, &d);
	for (enum way way = 0; way < WAY_NR; way++) {
		put_policy(&d, way, &text);
		if (print)
			printf("%s: %.*s", ways[way], (int)text.n, text.p);
		struct programs now = compile(a, &text, print);
		if (way == WAY_PLAIN)
			plain = now;
		if (plain.refused)
			break;
		if (print)
			printf("%zu instructions\n", now.n ? now.of[0].n : 0);
		if (is_same(&plain, &now))
			continue;
		t->differ[way]++;
		if (same && t->policies < 400)
			printf("policy %" PRIu64 ": another program where it is %s%s\n", index,
			       ways[way], now.refused ? ": none" : "");
		same = false;
	}
	t->policies++;
	t->refused += plain.refused;
	t->same += same && !plain.refused;
	for (unsigned i = 0; i < plain.n; i++)
		t->insns += plain.of[i].n;
	t->programs += plain.n;
	arena_free(a);
}

int main(int argc, char **argv)
{
	struct which w = { .n = 1000, .seed = 1, .only = UINT64_MAX };
	struct totals t = { 0 };

	if (!which_read(argc, argv, "n:s:i:", &w))
		return 2;
	for (uint64_t i = which_first(&w); i < which_end(&w); i++)
		check_policy((w.seed << 40) + i, i == w.only, i, &t);
	printf("%" PRIu64 " policies, %" PRIu64 " refused, %" PRIu64
	       " of one program in all ways (%" PRIu64 " programs of %" PRIu64
	       " instructions); another one:",
	       t.policies, t.refused, t.same, t.programs, t.insns);
	for (enum way way = WAY_SPLIT; way < WAY_NR; way++)
		printf(" %s %" PRIu64, ways[way], t.differ[way]);
	printf("\n");
	return t.same + t.refused != t.policies;
}
