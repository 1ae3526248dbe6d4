/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root as a policy: first the header lines that leave least to say, then for every call of
 * every listed architecture the rules that make its node of them. What is the same on all
 * architectures that have the call is said once, the rest under `when arch`.
 */
#include "compiler/decision/decompile.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"
#include "compiler/decision/describe.h"
#include "grammar/ast_build.h"
#include "grammar/print.h"

enum {
	RANGES_MAX = 1 << 16,    /* of numbers with one answer, an architecture */
	UNNAMED_MAX = 2048,      /* numbers of one range without a name that are said one by one */
	NUMBERS_MAX = 1 << 15,   /* of those, of all ranges and architectures */
	NUMBER_END = 0x40000000, /* of what can be written behind # */
	VERDICTS_MAX = 256,      /* of one call */
};

struct range {
	uint32_t first, last; /* seccomp_data.nr */
	dd_node node;
};

struct count {
	struct verdict v;
	uint64_t n;
};
typedef VEC(struct count) counts;

struct rule {
	unsigned arches; /* `when arch`; 0: all */
	struct verdict v;
	const char *name; /* "read", "#470" */
	uint64_t number;  /* sorts #470 */
	struct ast_cond *cond;
};

struct decompiler {
	struct dd *d;
	struct arena *arena;
	dd_node root;
	const struct decompile_options *opt;
	struct describer *describer;
	unsigned arches;
	struct verdict foreign, dflt, unknown;
	unsigned apart; /* architectures of which every number meets one verdict of its own ... */
	struct verdict own[ARCH_NR];       /* ... this one */
	VEC(struct range) ranges[ARCH_NR]; /* of architectures that answer alike the same ones */
	VEC(struct rule) rules;
	const char *why; /* it cannot be said: why */
};

/* ---- verdicts below a node ---- */

typedef VEC(struct verdict) verdicts;

static void collect_verdicts(struct decompiler *c, dd_node n, verdicts *out, uint32_t *seen)
{
	const struct node *k = &c->d->nodes.v[n];
	struct verdict v;

	if (seen[n / 32] >> n % 32 & 1)
		return;
	seen[n / 32] |= 1u << n % 32;
	if (dd_is_terminal(c->d, n, &v)) {
		vec_push(c->arena, out, v);
		return;
	}
	collect_verdicts(c, k->low, out, seen);
	collect_verdicts(c, k->high, out, seen);
}

static int by_rank(const void *x, const void *y)
{
	const struct verdict *a = x, *b = y;

	return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind) :
				    (a->data > b->data) - (a->data < b->data);
}

/* The most restrictive first. */
static verdicts verdicts_of(struct decompiler *c, dd_node n)
{
	verdicts out = { 0 };
	struct verdict v;

	if (dd_is_terminal(c->d, n, &v)) {
		vec_push(c->arena, &out, v);
		return out;
	}
	uint32_t *seen = calloc(c->d->nodes.n / 32 + 1, sizeof(*seen));
	BUG_ON(!seen);
	collect_verdicts(c, n, &out, seen);
	free(seen);
	qsort(out.v, out.n, sizeof(*out.v), by_rank);
	return out;
}

static void add_count(struct decompiler *c, counts *list, struct verdict v, uint64_t n)
{
	vec_each(list, k)
		if (verdict_eq(k->v, v)) {
			k->n += n;
			return;
		}
	vec_push(c->arena, list, ((struct count){ v, n }));
}

static const struct count *most(const counts *list)
{
	const struct count *best = NULL;

	vec_each(list, k)
		if (!best || k->n > best->n || (k->n == best->n && k->v.kind < best->v.kind))
			best = k;
	return best;
}

/* ---- architectures ---- */

static dd_node token_node(const struct decompiler *c, uint32_t audit)
{
	dd_node n = c->root;

	for (const struct node *k = &c->d->nodes.v[n]; k->bit < 32; k = &c->d->nodes.v[n])
		n = audit >> (31 - k->bit) & 1 ? k->high : k->low;
	return n;
}

struct tokens {
	struct decompiler *c;
	VEC(struct range) list; /* first: how many tokens, less one */
};

static bool take_tokens(void *ctx, const struct dd_path *p)
{
	struct tokens *t = ctx;
	unsigned fixed = (unsigned)__builtin_popcountll(p->mask[DD_CALL] >> 32);
	uint32_t more = (uint32_t)((UINT64_C(1) << (32 - fixed)) - 1);

	vec_each(&t->list, k)
		if (k->node == p->node) {
			k->first =
				k->first > UINT32_MAX - more - 1 ? UINT32_MAX : k->first + more + 1;
			return true;
		}
	vec_push(t->c->arena, &t->list, ((struct range){ more, 0, p->node }));
	return true;
}

/* What most architecture tokens meet, so nearly all of those that nobody has. */
static dd_node foreign_node(struct decompiler *c)
{
	struct tokens t = { .c = c };
	const struct range *best = NULL;

	dd_paths(c->d, c->root, dd_bit_of(DD_CALL, 31), take_tokens, &t);
	vec_each(&t.list, k)
		if (!best || k->first > best->first)
			best = k;
	return best->node;
}

static uint32_t first_number(enum arch a)
{
	return arch_info(a)->nr_base;
}

static uint32_t last_number(enum arch a)
{
	return a == ARCH_X86_64 ? 0x3fffffff : 0xfffffffe;
}

struct clip {
	struct decompiler *c;
	enum arch a;
};

static bool take_range(void *ctx, uint32_t first, uint32_t last, dd_node n)
{
	struct clip *k = ctx;

	if (first < first_number(k->a))
		first = first_number(k->a);
	if (last > last_number(k->a))
		last = last_number(k->a);
	if (first <= last)
		vec_push(k->c->arena, &k->c->ranges[k->a], ((struct range){ first, last, n }));
	return true;
}

/* The same token's, or one's of the same answers. */
static bool copy_ranges(struct decompiler *c, enum arch a)
{
	for (int b = 0; b < (int)a; b++)
		if (token_node(c, arch_info((enum arch)b)->audit) ==
			    token_node(c, arch_info(a)->audit) &&
		    first_number((enum arch)b) == first_number(a) &&
		    last_number((enum arch)b) == last_number(a)) {
			memcpy(&c->ranges[a], &c->ranges[b], sizeof(c->ranges[a]));
			return true;
		}
	return false;
}

static bool read_ranges(struct decompiler *c, enum arch a)
{
	struct clip k = { c, a };

	if (copy_ranges(c, a))
		return true;
	c->ranges[a].n = 0;
	if (dd_numbers(c->d, c->root, arch_info(a)->audit, RANGES_MAX, take_range, &k))
		return true;
	c->why = arena_printf(c->arena,
			      "%s: more than %d ranges of numbers with answers of their own",
			      arch_info(a)->name, RANGES_MAX);
	return false;
}

static dd_node node_at(const struct decompiler *c, enum arch a, uint32_t nr)
{
	return dd_call(c->d, c->root, arch_info(a)->audit, nr);
}

/* Does each number of it meet what foreign architectures meet? */
static bool is_foreign(const struct decompiler *c, enum arch a, dd_node foreign)
{
	vec_each(&c->ranges[a], r) {
		dd_node there = dd_call(c->d, foreign, 0, r->first);
		if (r->node != there)
			return false;
	}
	return true;
}

static bool token_listed(const struct decompiler *c, uint32_t audit)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (c->arches & ARCH_BIT(a) && arch_info((enum arch)a)->audit == audit)
			return true;
	return false;
}

/* Number -1 passes on a listed architecture: where foreign ones do not let it pass, a token of
 * which all else is foreign is listed too, by the first architecture that has it. */
static void list_skipping(struct decompiler *c, dd_node foreign)
{
	dd_node allow = dd_terminal(c->d, (struct verdict){ VERDICT_ALLOW, 0 });

	if (dd_call(c->d, foreign, 0, UINT32_MAX) == allow)
		return;
	for (int a = 0; a < ARCH_NR; a++)
		if (!token_listed(c, arch_info((enum arch)a)->audit) &&
		    node_at(c, (enum arch)a, UINT32_MAX) == allow)
			c->arches |= ARCH_BIT(a);
}

/* One verdict for all numbers, -1 apart, which no policy refuses. */
static bool meets_one(const struct decompiler *c, enum arch a, struct verdict *v)
{
	if (!c->ranges[a].n || !dd_is_terminal(c->d, c->ranges[a].v[0].node, v))
		return false;
	vec_each(&c->ranges[a], r)
		if (r->node != c->ranges[a].v[0].node && r->first != UINT32_MAX)
			return false;
	return true;
}

/*
 * No one verdict says what foreign architectures meet: those that the machines of the listed ones
 * run as well are listed too, unless all that they meet is the verdict that the others get.
 */
static void list_families(struct decompiler *c)
{
	unsigned named = c->arches;

	for (unsigned left = named; left; left &= left - 1) {
		const char *family = arch_info((enum arch)__builtin_ctz(left))->family;
		for (int a = 0; a < ARCH_NR; a++) {
			struct verdict v;
			if (strcmp(arch_info((enum arch)a)->family, family) != 0)
				continue;
			if (!meets_one(c, (enum arch)a, &v) || !verdict_eq(v, c->foreign))
				c->arches |= ARCH_BIT(a);
		}
	}
}

static bool find_arches(struct decompiler *c)
{
	dd_node foreign = foreign_node(c);
	verdicts v = verdicts_of(c, foreign);

	for (int a = 0; a < ARCH_NR; a++) {
		if (!read_ranges(c, (enum arch)a))
			return false;
		/* All its numbers may meet one verdict that is not the foreign one. */
		if (token_node(c, arch_info((enum arch)a)->audit) != foreign &&
		    !is_foreign(c, (enum arch)a, foreign))
			c->arches |= ARCH_BIT(a);
	}
	list_skipping(c, foreign);
	c->foreign = v.v[0];
	if (v.n > 1)
		list_families(c);
	if (!c->arches)
		c->arches = ARCH_BIT(c->opt->machine);
	for (int a = 0; a < ARCH_NR; a++)
		if (!(c->arches & ARCH_BIT(a)))
			c->ranges[a].n = 0;
	return true;
}

/* ---- default and unknown ---- */

static bool is_known(enum arch a, uint32_t nr)
{
	const struct syscall_info *s = syscall_by_nr(a, nr - arch_info(a)->nr_base);

	return s && s->since[a] <= tables_level;
}

/* How many numbers of a range have no name; *hole: those of them before the table's end. */
static uint64_t count_unnamed(enum arch a, const struct range *r, uint64_t *hole)
{
	uint64_t n = (uint64_t)r->last - r->first + 1;
	uint32_t end = arch_info(a)->nr_base + syscall_end(a);

	*hole = 0;
	for (uint32_t nr = r->first; nr < end && nr <= r->last; nr++) {
		n -= is_known(a, nr);
		*hole += !is_known(a, nr);
	}
	return n;
}

static void count_range(struct decompiler *c, enum arch a, const struct range *r, counts *known,
			counts *holes, counts *unknown)
{
	verdicts v = verdicts_of(c, r->node);
	uint64_t hole, unnamed = count_unnamed(a, r, &hole);
	uint64_t named = (uint64_t)r->last - r->first + 1 - unnamed;

	if (unnamed)
		add_count(c, unknown, v.v[0], unnamed);
	if (v.n > 1)
		return;
	if (hole)
		add_count(c, holes, v.v[0], hole);
	if (named)
		add_count(c, known, v.v[0], named);
}

/*
 * Where unnamed numbers are refused the filter lists what it permits: its default is the
 * refusal that most of the others meet, holes of the table included unless they are `unknown`.
 */
static void find_default(struct decompiler *c, counts *known, const counts *holes)
{
	counts refused = { 0 };
	uint64_t total = 0, n = 0;

	vec_each(known, k)
		total += k->n;
	vec_each(holes, k)
		if (!verdict_eq(k->v, c->unknown))
			add_count(c, known, k->v, k->n);
	vec_each(known, k)
		if (verdict_refuses(k->v))
			add_count(c, &refused, k->v, k->n);
	vec_each(&refused, k)
		n += k->n;
	c->dflt = c->unknown;
	if (verdict_refuses(c->unknown) && n * 20 >= total && refused.n)
		c->dflt = most(&refused)->v;
	else if (known->n)
		c->dflt = most(known)->v;
}

/*
 * Architectures that are one verdict throughout: a `when arch` says that in two lines, as
 * filters do that refuse x32 as a whole. Where all are so the headers say what the first meets.
 */
static void find_apart(struct decompiler *c)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (c->arches & ARCH_BIT(a) && meets_one(c, (enum arch)a, &c->own[a]))
			c->apart |= ARCH_BIT(a);
	if (c->apart != c->arches)
		return;
	enum arch first = (enum arch)__builtin_ctz(c->arches);
	for (int a = 0; a < ARCH_NR; a++)
		if (c->apart & ARCH_BIT(a) && verdict_eq(c->own[a], c->own[first]))
			c->apart &= ~ARCH_BIT(a);
}

static void find_verdicts(struct decompiler *c)
{
	counts known = { 0 }, holes = { 0 }, unknown = { 0 };

	find_apart(c);
	for (int a = 0; a < ARCH_NR; a++)
		for (size_t i = 0; i < c->ranges[a].n && !(c->apart & ARCH_BIT(a)); i++)
			count_range(c, (enum arch)a, &c->ranges[a].v[i], &known, &holes, &unknown);
	c->unknown = most(&unknown)->v;
	/* Ranges that cannot be said one by one all get it: the most restrictive of them. */
	vec_each(&unknown, k)
		if (c->opt->tighter && k->n > UNNAMED_MAX && k->v.kind < c->unknown.kind)
			c->unknown = k->v;
	find_default(c, &known, &holes);
	/* What the headers say anyway is not said apart. */
	for (int a = 0; a < ARCH_NR; a++)
		if (c->apart & ARCH_BIT(a) && verdict_eq(c->own[a], c->dflt) &&
		    verdict_eq(c->own[a], c->unknown))
			c->apart &= ~ARCH_BIT(a);
}

static struct verdict dflt_of(const struct decompiler *c, int a)
{
	return c->apart & ARCH_BIT(a) ? c->own[a] : c->dflt;
}

static struct verdict unknown_of(const struct decompiler *c, int a)
{
	return c->apart & ARCH_BIT(a) ? c->own[a] : c->unknown;
}

/* ---- one call ---- */

struct body { /* the rules of one call on one architecture */
	VEC(struct rule) rules;
	const char *text; /* equal texts: equal bodies */
};

static bool same_kind(const verdicts *v, size_t i)
{
	for (size_t k = 0; k < v->n; k++)
		if (k != i && v->v[k].kind == v->v[i].kind)
			return true;
	return false;
}

static bool claim_is(struct verdict x, struct verdict y)
{
	return verdict_eq(x, y);
}

/* `socket` refused as a whole where socketcall makes it too: said of its register. */
static struct ast_cond *always(struct decompiler *c, struct verdict v,
			       const struct describe_site *site)
{
	if (!site->registers || !verdict_refuses(v))
		return NULL;
	return ast_cmp_new(c->arena, "arg0", true, AST_CMP_GE, NULL, ast_number(c->arena, 0));
}

/* base: where no rule matches; DD_NONE: nowhere, every verdict is written down. */
static bool write_body(struct decompiler *c, const struct describe_site *site, dd_node n,
		       dd_node base, struct body *b)
{
	verdicts v = verdicts_of(c, n);
	dd_node stronger = DD_FALSE;

	if (v.n > VERDICTS_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		struct rule r = { .v = v.v[i] };
		if (dd_terminal(c->d, v.v[i]) == base)
			continue;
		dd_node exact = dd_compare(c->d, n, dd_terminal(c->d, v.v[i]), claim_is);
		/* Where a more restrictive rule decides it may hold as well. */
		dd_node wide = same_kind(&v, i) ? exact : dd_or(c->d, exact, stronger);
		if (dd_describe(c->describer, site, exact, wide, &r.cond) < 0)
			return false;
		if (!r.cond)
			r.cond = always(c, r.v, site);
		stronger = dd_or(c->d, stronger, exact);
		vec_push(c->arena, &b->rules, r);
	}
	BUF_AUTO text = { 0 };
	vec_each(&b->rules, r) {
		verdict_print(&text, r->v);
		buf_putc(&text, ' ');
		if (r->cond)
			ast_print_cond(&text, r->cond);
		buf_putc(&text, ';');
	}
	b->text = text.n ? str_dup(c->arena, (struct str){ text.p, text.n }) : "";
	return true;
}

/*
 * What meets the base is left out, unless saying it makes the other rules much shorter: of three
 * verdicts on, for two are a condition and what it leaves, and conditions are told either way.
 */
static bool add_body(struct decompiler *c, const struct describe_site *site, dd_node n,
		     struct verdict base, struct body *b)
{
	struct body whole = { 0 };
	bool ok = write_body(c, site, n, dd_terminal(c->d, base), b);

	if (ok && (b->rules.n < 2 || strlen(b->text) < 200))
		return true;
	if (!write_body(c, site, n, DD_NONE, &whole))
		return ok;
	if (!ok || strlen(whole.text) * 4 < strlen(b->text) * 3)
		*b = whole;
	return true;
}

/* ---- the same call on several architectures ---- */

struct subject {
	const char *name;
	uint64_t number;
	unsigned arches; /* listed ones that have it */
	struct body body[ARCH_NR];
};

static void add_rules(struct decompiler *c, const struct subject *s)
{
	unsigned done = 0;

	for (int a = 0; a < ARCH_NR; a++) {
		unsigned same = 0;
		if (!(s->arches & ~done & ARCH_BIT(a)))
			continue;
		for (int b = a; b < ARCH_NR; b++)
			if (s->arches & ARCH_BIT(b) && !strcmp(s->body[a].text, s->body[b].text))
				same |= ARCH_BIT(b);
		done |= same;
		vec_each(&s->body[a].rules, k) {
			struct rule r = *k;
			r.name = s->name;
			r.number = s->number;
			r.arches = same == s->arches ? 0 : same;
			vec_push(c->arena, &c->rules, r);
		}
	}
}

/* Where socketcall or ipc makes the call as well and may pass, a typed condition is an error. */
static bool needs_registers(struct decompiler *c, const struct syscall_info *s)
{
	for (int a = 0; a < ARCH_NR; a++) {
		const char *name;
		unsigned selector;
		if (!(c->arches & ARCH_BIT(a)) || s->nr[a] < 0 ||
		    multiplexed_by(s, (enum arch)a, &name, &selector) < 0)
			continue;
		const struct syscall_info *mux = syscall_by_name(str_c(name));
		struct verdict v;
		uint32_t nr = (uint32_t)mux->nr[a] + arch_info((enum arch)a)->nr_base;
		if (!dd_is_terminal(c->d, node_at(c, (enum arch)a, nr), &v) || !verdict_refuses(v))
			return true;
	}
	return false;
}

static bool too_long(struct decompiler *c, const char *name, int a)
{
	c->why = arena_printf(c->arena,
			      "what decides '%s' on %s looks at its arguments in more ways "
			      "than %d comparisons or %d MiB can say, or has more than %d answers",
			      name, arch_info((enum arch)a)->name, DESCRIBE_MAX, DESCRIBE_MIB_MAX,
			      VERDICTS_MAX);
	return false;
}

static bool name_call(struct decompiler *c, const struct syscall_info *s)
{
	struct subject sub = { .name = s->name };
	struct describe_site site = { .sys = s, .registers = needs_registers(c, s) };

	for (int a = 0; a < ARCH_NR; a++) {
		if (!(c->arches & ARCH_BIT(a)) || s->nr[a] < 0)
			continue;
		uint32_t nr = (uint32_t)s->nr[a] + arch_info((enum arch)a)->nr_base;
		sub.arches |= ARCH_BIT(a);
		site.arch = (enum arch)a;
		if (!add_body(c, &site, node_at(c, (enum arch)a, nr),
			      is_known((enum arch)a, nr) ? dflt_of(c, a) : unknown_of(c, a),
			      &sub.body[a]))
			return too_long(c, s->name, a);
	}
	add_rules(c, &sub);
	return true;
}

/* ---- numbers without a name ---- */

typedef VEC(uint32_t) numbers; /* without the architecture's base */

static int by_number(const void *x, const void *y)
{
	const uint32_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* Those that do not meet `unknown`, unless they are too many. False: they are, of all ranges. */
static bool find_unnamed(struct decompiler *c, enum arch a, numbers *out)
{
	uint32_t base = arch_info(a)->nr_base;
	dd_node unknown = dd_terminal(c->d, unknown_of(c, (int)a));

	vec_each(&c->ranges[a], r) {
		uint64_t hole;
		if (r->node == unknown || count_unnamed(a, r, &hole) > UNNAMED_MAX)
			continue;
		for (uint64_t nr = r->first; nr <= r->last; nr++)
			if (!is_known(a, (uint32_t)nr) && !syscall_by_nr(a, (uint32_t)nr - base) &&
			    nr - base < NUMBER_END)
				vec_push(c->arena, out, (uint32_t)nr - base);
		if (out->n > NUMBERS_MAX) {
			c->why = arena_printf(c->arena,
					      "more than %d numbers without a name, as #%u on %s, "
					      "have answers of their own",
					      NUMBERS_MAX, out->v[out->n - 1], arch_info(a)->name);
			return false;
		}
	}
	return true;
}

/* Numbers of one range, and of every second one, have one node: what was said of it last. */
enum { SAID = 64 };
struct said {
	dd_node node[ARCH_NR][SAID];
	struct body body[ARCH_NR][SAID];
};

static bool number_body(struct decompiler *c, struct said *said, enum arch a, uint32_t nr,
			struct body *b)
{
	dd_node n = node_at(c, a, nr + arch_info(a)->nr_base);
	struct describe_site site = { .arch = a };
	size_t i = n % SAID;

	if (!said->body[a][i].text || said->node[a][i] != n) {
		said->body[a][i] = (struct body){ 0 };
		said->node[a][i] = n;
		if (!add_body(c, &site, n, unknown_of(c, (int)a), &said->body[a][i]))
			return false;
	}
	*b = said->body[a][i];
	return true;
}

static bool number_call(struct decompiler *c, struct said *said, uint32_t nr)
{
	const char *name = arena_printf(c->arena, "#%u", nr);
	struct subject sub = { .name = name, .number = nr };
	bool elsewhere = false;

	for (int a = 0; a < ARCH_NR; a++) {
		if (!(c->arches & ARCH_BIT(a)))
			continue;
		if (syscall_by_nr((enum arch)a, nr)) {
			elsewhere = true;
			continue;
		}
		sub.arches |= ARCH_BIT(a);
		if (!number_body(c, said, (enum arch)a, nr, &sub.body[a]))
			return too_long(c, name, a);
	}
	size_t first = c->rules.n;
	add_rules(c, &sub);
	/* A number that has a name on a listed architecture means another call there. */
	for (size_t i = first; elsewhere && i < c->rules.n; i++)
		if (!c->rules.v[i].arches)
			c->rules.v[i].arches = sub.arches;
	return true;
}

static bool number_calls(struct decompiler *c)
{
	struct said *said = ARENA_NEW(c->arena, struct said);
	numbers all = { 0 };

	for (int a = 0; a < ARCH_NR; a++)
		if (c->arches & ARCH_BIT(a) && !find_unnamed(c, (enum arch)a, &all))
			return false;
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_number);
	for (size_t i = 0; i < all.n; i++)
		if ((!i || all.v[i] != all.v[i - 1]) && !number_call(c, said, all.v[i]))
			return false;
	return true;
}

/* ---- the tree ---- */

/* An errno by its name, where that means this number on all listed architectures. */
static struct ast_verdict verdict_of(struct decompiler *c, struct verdict v)
{
	struct ast_verdict out = ast_verdict_of(c->arena, v);
	const char *name = NULL;

	if (v.kind != VERDICT_ERRNO)
		return out;
	out.data = ast_number(c->arena, v.data);
	for (int a = 0; a < ARCH_NR; a++) {
		uint64_t n;
		if (!(c->arches & ARCH_BIT(a)))
			continue;
		if (!name)
			name = constant_name("errno", v.data, (enum arch)a);
		if (!name || constant_find("errno", str_c(name), (enum arch)a, &n) != 0 ||
		    n != v.data)
			return out;
	}
	out.data = ast_name(c->arena, name);
	return out;
}

static struct ast_stmt *add_header(struct ast_body *b, enum ast_header header)
{
	struct ast_stmt *s = ast_add(b, AST_STMT_HEADER);

	s->header = header;
	return s;
}

static void add_headers(struct decompiler *c, struct ast_body *b)
{
	struct ast_stmt *s = add_header(b, AST_HEADER_LEVEL);

	ast_words_add(c->arena, &s->words, "linux");
	s->version = *ast_word_new(
		c->arena, arena_printf(c->arena, "%u.%u", tables_level >> 8, tables_level & 0xff));
	ast_words_add(c->arena, &add_header(b, AST_HEADER_LAYERS)->words, "seccomp");
	s = add_header(b, AST_HEADER_ARCH);
	for (int a = 0; a < ARCH_NR; a++)
		if (c->arches & ARCH_BIT(a))
			ast_words_add(c->arena, &s->words, arch_info((enum arch)a)->name);
	add_header(b, AST_HEADER_DEFAULT)->verdict = verdict_of(c, c->dflt);
	add_header(b, AST_HEADER_UNKNOWN)->verdict = verdict_of(c, c->unknown);
	add_header(b, AST_HEADER_FOREIGN)->verdict = verdict_of(c, c->foreign);
	if (c->opt->log_refusals)
		ast_words_add(c->arena, &add_header(b, AST_HEADER_LOG)->words, "refusals");
}

/* For all first, then by architectures; plain lists first, what is permitted first; names. */
static int by_place(const void *x, const void *y)
{
	const struct rule *a = x, *b = y;
	int r = (a->arches > b->arches) - (a->arches < b->arches);

	if (!r)
		r = (a->cond != NULL) - (b->cond != NULL);
	if (!r && !a->cond)
		r = -by_rank(&a->v, &b->v);
	if (!r)
		r = (a->number > b->number) - (a->number < b->number);
	if (!r)
		r = strcmp(a->name, b->name);
	return r ? r : -by_rank(&a->v, &b->v);
}

static struct ast_body open_when(struct decompiler *c, struct ast_body *b, unsigned arches,
				 struct ast_stmt **when)
{
	struct ast_env *env = ARENA_NEW(c->arena, struct ast_env);

	*when = ast_add(b, AST_STMT_WHEN);
	(*when)->blank_before = true;
	env->kind = AST_ENV_ARCH;
	env->span = env->version.span = NO_SPAN;
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			ast_words_add(c->arena, &env->words, arch_info((enum arch)a)->name);
	(*when)->env = env;
	return (struct ast_body){ .arena = c->arena };
}

static void add_apart(struct decompiler *c, struct ast_body *b)
{
	for (unsigned left = c->apart; left;) {
		enum arch first = (enum arch)__builtin_ctz(left);
		unsigned same = 0;
		struct ast_stmt *when;

		for (int a = 0; a < ARCH_NR; a++)
			if (left & ARCH_BIT(a) && verdict_eq(c->own[a], c->own[first]))
				same |= ARCH_BIT(a);
		struct ast_body inner = open_when(c, b, same, &when);
		add_header(&inner, AST_HEADER_DEFAULT)->verdict = verdict_of(c, c->own[first]);
		add_header(&inner, AST_HEADER_UNKNOWN)->verdict = verdict_of(c, c->own[first]);
		when->body = inner.first;
		left &= ~same;
	}
}

/* Rules [i, end) into one block. */
static void add_block(struct decompiler *c, struct ast_body *b, size_t i, size_t end)
{
	const struct rule *before = NULL;
	struct ast_call **tail = NULL;

	for (; i < end; i++) {
		const struct rule *r = &c->rules.v[i];
		if (!before || r->cond || before->cond || !verdict_eq(r->v, before->v)) {
			struct ast_stmt *s = ast_add(b, AST_STMT_CALLS);
			s->verdict = verdict_of(c, r->v);
			s->blank_before = !before && !r->arches;
			tail = &s->calls;
		}
		*tail = ast_call_new(c->arena, r->name, r->cond);
		tail = &(*tail)->next;
		before = r;
	}
}

static struct ast_file *build_tree(struct decompiler *c)
{
	struct ast_body top = { .arena = c->arena }, body = top;
	struct ast_stmt *policy = ast_add(&top, AST_STMT_POLICY);

	if (c->rules.n)
		qsort(c->rules.v, c->rules.n, sizeof(*c->rules.v), by_place);
	if (c->opt->comment)
		ast_comment_add(c->arena, &policy->leading, "%s", c->opt->comment);
	policy->name = *ast_word_new(c->arena, c->opt->name);
	add_headers(c, &body);
	add_apart(c, &body);
	for (size_t i = 0, end; i < c->rules.n; i = end) {
		unsigned arches = c->rules.v[i].arches;
		struct ast_stmt *when;
		for (end = i; end < c->rules.n && c->rules.v[end].arches == arches;)
			end++;
		if (!arches) {
			add_block(c, &body, i, end);
			continue;
		}
		struct ast_body inner = open_when(c, &body, arches, &when);
		add_block(c, &inner, i, end);
		when->body = inner.first;
	}
	policy->body = body.first;
	struct ast_file *file = ARENA_NEW(c->arena, struct ast_file);
	file->stmts = top.first;
	return file;
}

struct ast_file *decision_decompile(struct dd *d, struct arena *a, dd_node root,
				    const struct decompile_options *opt, const char **why)
{
	struct decompiler c = {
		.d = d, .arena = a, .root = root, .opt = opt, .describer = describe_new(d, a)
	};
	bool ok;

	BUG_ON(root == DD_NONE || dd_fields(d, root) >> DD_IP & 1);
	ok = find_arches(&c);
	if (ok)
		find_verdicts(&c);
	for (size_t i = 0; ok && i < syscall_count(); i++)
		ok = name_call(&c, syscall_at(i));
	ok = ok && number_calls(&c);
	*why = c.why;
	return ok ? build_tree(&c) : NULL;
}

/* ---- the instruction pointer ---- */

static dd_node tighten(struct dd *d, dd_node n, dd_node *memo, size_t size)
{
	struct node k = d->nodes.v[n];

	if (k.bit == DD_TERMINAL)
		return n;
	BUG_ON(n >= size);
	if (memo[n] != DD_NONE)
		return memo[n];
	dd_node low = tighten(d, k.low, memo, size), high = tighten(d, k.high, memo, size), r;
	if (low == DD_NONE || high == DD_NONE)
		return DD_NONE;
	r = rank_field(k.bit / 64) == DD_IP ? dd_stack(d, low, high) : dd_make(d, k.bit, low, high);
	memo[n] = r;
	return r;
}

dd_node decompile_tighten_ip(struct dd *d, dd_node root)
{
	size_t size = d->nodes.n;

	if (root == DD_NONE || !(dd_fields(d, root) >> DD_IP & 1))
		return root;
	dd_node *memo = malloc(size * sizeof(*memo));
	BUG_ON(!memo);
	memset(memo, 0xff, size * sizeof(*memo));
	root = tighten(d, root, memo, size);
	free(memo);
	return root;
}
