/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A claim as text, argument by argument. The diagram looks at argument 0 before argument 1, so
 * below the nodes of one argument lie a few claims over later ones: the claim is the OR over
 * those of
 *
 *	(argument in the set of values that lead there) and (the claim there)
 *
 * Many calls of a filter are often decided by one claim: what was told of it is told again.
 */
#include "compiler/decision/describe.h"

#include <string.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "compiler/decision/cover.h"
#include "compiler/decision/dd.h"
#include "compiler/decision/describe_set.h"
#include "compiler/policy/spell.h"
#include "grammar/ast_build.h"
#include "grammar/print.h"

enum {
	BRANCHES_MAX = 1024,  /* claims below one argument */
	WIDEN_MAX = 32,       /* of those that are compared with each other */
	LONG = 12,            /* comparisons, from which on its opposite is tried */
	WORK_MAX = 200,       /* times that another way is tried */
	VISITS_MAX = 1 << 26, /* of nodes, over all ways: a second or so */
	PLAIN = 5,            /* what costs no more is not told in another way */
	TRIES_MAX = 1 << 23,  /* visits of nodes for one structure */
	STEPS_MAX = 1 << 20,  /* of the diagrams for one structure */
};

/* ---- one argument: which claims lie below, and which values lead to each ---- */

struct branches {
	VEC(dd_node) nodes; /* DD_FALSE is left out */
	dd_node *sets;      /* by node */
};

static void collect_branches(struct describer *s, dd_node n, uint32_t end, struct branches *b)
{
	const struct node *k = &s->d->nodes.v[n];

	if (n == DD_FALSE || !describe_visit(s) || !describe_first(s, n))
		return;
	if (k->bit >= end) {
		if (b->nodes.n <= BRANCHES_MAX)
			vec_push(s->arena, &b->nodes, n);
		return;
	}
	collect_branches(s, k->low, end, b);
	collect_branches(s, k->high, end, b);
}

/* The values that lead from n to `to`. */
static dd_node select_branch(struct describer *s, dd_node n, uint32_t end, dd_node to)
{
	struct node k = s->d->nodes.v[n];

	if (k.bit >= end)
		return n == to ? DD_TRUE : DD_FALSE;
	/* Only nodes that were there when the walk began are visited. */
	if (s->marks[n].stamp == s->stamp)
		return s->marks[n].result;
	if (!describe_visit(s))
		return DD_NONE;
	dd_node low = select_branch(s, k.low, end, to);
	dd_node high = select_branch(s, k.high, end, to);
	dd_node r = dd_make(s->d, k.bit, low, high);
	s->marks[n].stamp = s->stamp;
	s->marks[n].result = r;
	return r;
}

/*
 * Where x holds whenever y does, y's values may lead to y's claim as well: that says nothing
 * new, and often makes the test of the argument needless.
 */
static bool widen(struct describer *s, struct branches *b)
{
	dd_node wide[WIDEN_MAX];
	size_t n = b->nodes.n;

	if (n > WIDEN_MAX)
		return true;
	for (size_t i = 0; i < n; i++) {
		struct dd_point at;
		dd_witness(s->d, b->nodes.v[i], &at);
		wide[i] = b->sets[i];
		for (size_t j = 0; j < n; j++) {
			if (i == j || !dd_holds_at(s->d, b->nodes.v[j], &at))
				continue;
			dd_node outside = dd_and(s->d, b->nodes.v[i], dd_not(s->d, b->nodes.v[j]));
			if (outside == DD_NONE)
				return false;
			if (outside == DD_FALSE)
				wide[i] = dd_or(s->d, wide[i], b->sets[j]);
			if (wide[i] == DD_NONE)
				return false;
		}
	}
	memcpy(b->sets, wide, n * sizeof(wide[0]));
	return true;
}

/* ---- what is short ---- */

/* What reading it costs: as the cost of a set, and one more for each word between two. */
static size_t cond_cost(const struct ast_cond *c)
{
	size_t cost = 0;

	if (c->kind != AST_COND_CMP)
		return cond_cost(c->left) + (c->right ? cond_cost(c->right) : 0) + 1;
	for (const struct ast_value *v = c->values; v; v = v->next)
		cost += v->kind == AST_VALUE_RANGE ? 3 : 2;
	return cost + (c->mask != NULL);
}

static unsigned argument_of(const struct ast_cond *cmp)
{
	return (unsigned)(cmp->arg.text.p[strlen("arg")] - '0');
}

struct naming { /* of the values of plain comparisons */
	struct arena *arena;
	struct table seen; /* an argument's value each */
	unsigned arguments;
};

/* Is this the first comparison with it? Where hashes meet by chance it is not. */
static bool is_named_first(struct naming *w, uint64_t hash, const struct ast_value *v)
{
	if (v->kind == AST_VALUE_OR)
		return is_named_first(w, hash_str(v->right->text) ^ hash, v->left);
	if (v->kind == AST_VALUE_RANGE)
		return false;
	struct table_walk at = table_start(hash_bytes(hash, v->text.p, v->text.n));
	if (table_next(&w->seen, &at) != TABLE_END)
		return false;
	table_add(w->arena, &w->seen, at.hash, 0);
	return true;
}

static bool names_each_once(struct naming *w, const struct ast_cond *c)
{
	if (c->kind != AST_COND_CMP)
		return names_each_once(w, c->left) && (!c->right || names_each_once(w, c->right));
	if (c->mask || (c->op != AST_CMP_EQ && c->op != AST_CMP_NE && c->op != AST_CMP_IN))
		return false;
	w->arguments |= 1u << argument_of(c);
	for (const struct ast_value *v = c->values; v; v = v->next)
		if (!is_named_first(w, hash_str(c->arg.text), v))
			return false;
	return true;
}

/* No structure of several arguments names fewer values than one that names each once. */
static bool is_short_anyway(struct describer *s, const struct ast_cond *c)
{
	struct naming w = { .arena = s->arena };

	return cond_cost(c) <= PLAIN || (names_each_once(&w, c) && w.arguments & (w.arguments - 1));
}

/* ---- a claim ---- */

/* Lists lean to the left, as those that are read do. */
static struct ast_cond *join_list(struct describer *s, enum ast_cond_kind kind, struct ast_cond *l,
				  struct ast_cond *r)
{
	if (!l || !r || r->kind != kind)
		return ast_cond_join(s->arena, kind, l, r);
	r->left = join_list(s, kind, l, r->left);
	return r;
}

static int claim_cond(struct describer *s, dd_node n, struct ast_cond **out);

/*
 * A set that mixes ranges and masks is no list of either: its upper and its lower bits are told
 * apart like two arguments, where fewest claims lie below the upper ones.
 */
static uint32_t find_split(struct describer *s, dd_node set, struct branches *b)
{
	uint32_t top = s->d->nodes.v[set].bit, best = 0;
	uint64_t tested = set_bits(s, set);
	size_t fewest = SIZE_MAX;

	for (uint32_t end = top + 1; end / 64 == top / 64; end++) {
		if (!(tested & bits_below(64 - end % 64)))
			break;
		b->nodes.n = 0;
		describe_walk(s);
		collect_branches(s, set, end, b);
		if (b->nodes.n <= fewest) {
			fewest = b->nodes.n;
			best = end;
		}
	}
	return best;
}

static int branches_cond(struct describer *s, dd_node n, uint32_t end, struct branches *b,
			 struct ast_cond **out);

static int values_cond(struct describer *s, unsigned arg, dd_node set, struct ast_cond **out)
{
	struct branches *b;
	struct ast_cond *split;
	size_t left = s->left;

	*out = set_cond(s, arg, set);
	size_t used = left - s->left, allowed = *out ? used : left;
	if ((*out && used <= LONG) || !s->work)
		return *out ? 0 : -1;
	s->work--;
	b = ARENA_NEW(s->arena, struct branches);
	uint32_t end = find_split(s, set, b);
	s->left = allowed;
	bool shorter = end && branches_cond(s, set, end, b, &split) == 0 && s->left;
	size_t others = allowed - s->left;
	s->left = left - (shorter ? others : *out ? used : 0);
	if (shorter)
		*out = split;
	return *out ? 0 : -1;
}

static int branch_cond(struct describer *s, unsigned arg, dd_node set, dd_node below,
		       struct ast_cond **out)
{
	struct ast_cond *values = NULL, *rest = NULL;

	if (set != DD_TRUE && values_cond(s, arg, set, &values) < 0)
		return -1;
	if (claim_cond(s, below, &rest) < 0)
		return -1;
	*out = join_list(s, AST_COND_AND, values, rest);
	return *out || (set == DD_TRUE && below == DD_TRUE) ? 0 : -1;
}

/* The claim by what lies below the bits before `end`. */
static int branches_cond(struct describer *s, dd_node n, uint32_t end, struct branches *b,
			 struct ast_cond **out)
{
	uint32_t bit = s->d->nodes.v[n].bit;

	*out = NULL;
	if (bit == DD_TERMINAL || rank_field(bit / 64) > 5 || !s->left || !s->visits)
		return -1;
	describe_walk(s);
	b->nodes.n = 0;
	collect_branches(s, n, end, b);
	if (!s->visits || b->nodes.n > BRANCHES_MAX)
		return -1; /* of which none may be all of them */
	b->sets = ARENA_ARRAY(s->arena, dd_node, b->nodes.n);
	for (size_t i = 0; i < b->nodes.n; i++) {
		describe_walk(s);
		b->sets[i] = select_branch(s, n, end, b->nodes.v[i]);
		if (b->sets[i] == DD_NONE)
			return -1;
	}
	if (!widen(s, b))
		return -1;
	for (size_t i = 0; i < b->nodes.n; i++) {
		struct ast_cond *one;
		if (branch_cond(s, rank_field(bit / 64), b->sets[i], b->nodes.v[i], &one) < 0)
			return -1;
		if (!one) { /* that one holds always, so all does */
			*out = NULL;
			return 0;
		}
		*out = join_list(s, AST_COND_OR, *out, one);
	}
	return 0;
}

static int by_argument(struct describer *s, dd_node n, struct ast_cond **out)
{
	return branches_cond(s, n, (s->d->nodes.v[n].bit / 64 + 1) * 64,
			     ARENA_NEW(s->arena, struct branches), out);
}

/* As it is, or, where that is long, as what does not hold: an AND of many ORs is short then. */
static int claim_cond(struct describer *s, dd_node n, struct ast_cond **out)
{
	struct ast_cond *other;
	size_t left = s->left;

	*out = NULL;
	if (n == DD_TRUE)
		return 0;
	if (n == DD_FALSE || n == DD_NONE)
		return -1;
	int bad = by_argument(s, n, out);
	size_t used = left - s->left, allowed = bad ? left : used;
	if ((!bad && (used <= LONG || !*out || is_short_anyway(s, *out))) || !s->work)
		return bad;
	s->work--;
	s->left = allowed;
	dd_node rest = dd_not(s->d, n);
	bool shorter = rest != DD_NONE && by_argument(s, rest, &other) == 0 && other && s->left;
	size_t others = allowed - s->left;
	s->left = left - (shorter ? others : bad ? 0 : used);
	if (!shorter)
		return bad;
	*out = describe_not(s, other);
	return 0;
}

/* Between arguments an AND is written as a comma. */
static void use_commas(struct ast_cond *c)
{
	for (; c && c->kind == AST_COND_AND; c = c->left)
		c->comma = true;
}

/* ---- a claim by its structure ---- */

static size_t cost_of_set(void *ctx, unsigned arg, dd_node set)
{
	return set_cost(ctx, arg, set);
}

static struct ast_cond *cover_cond(struct describer *s, const struct cover *c)
{
	if (c->kind == COVER_SET)
		return set_cond(s, c->arg, c->set);
	struct ast_cond *l = cover_cond(s, c->left), *r = cover_cond(s, c->right);
	enum ast_cond_kind kind = c->kind == COVER_AND ? AST_COND_AND : AST_COND_OR;
	return l && r ? join_list(s, kind, l, r) : NULL;
}

static size_t text_length(const struct ast_cond *c)
{
	BUF_AUTO text = { 0 };

	ast_print_cond(&text, c);
	return text.n;
}

/* The cheaper to read, the shorter where they are alike. */
static bool is_shorter(const struct ast_cond *x, const struct ast_cond *y)
{
	size_t a = cond_cost(x), b = cond_cost(y);

	return a != b ? a < b : text_length(x) < text_length(y);
}

static bool may_search(struct describer *s, const struct ast_cond *so_far)
{
	return s->d->nodes.n < dd_budget(s->d) / 2 && s->visits &&
	       !(so_far && is_short_anyway(s, so_far));
}

/* A structure's sets are estimated, and may be shorter when they are written. */
static size_t about(size_t cost)
{
	return cost + cost / 4 + 3;
}

static void find_structure(struct describer *s, dd_node must, dd_node may, struct ast_cond **out)
{
	struct cover_search search = { .d = s->d,
				       .arena = s->arena,
				       .cost = cost_of_set,
				       .ctx = s,
				       .most = *out ? about(cond_cost(*out)) : SIZE_MAX,
				       .left = TRIES_MAX };
	size_t aside = dd_put_aside(s->d, STEPS_MAX);
	const struct cover *c = cover_find(&search, must, may);

	dd_give_back(s->d, aside);
	if (!c)
		return;
	struct ast_cond *found = cover_cond(s, c);
	if (found && (!*out || is_shorter(found, *out)))
		*out = found;
}

/* ---- what is compared ---- */

static const struct arg_info *declared(const struct describe_site *site, unsigned arg)
{
	unsigned n;

	if (!site->sys)
		return NULL;
	const struct arg_info *args = syscall_args(site->sys, site->arch, &n);
	return arg < n ? &args[arg] : NULL;
}

static bool is_found_by_name(const struct describe_site *site, const struct arg_info *t,
			     unsigned arg)
{
	return syscall_arg_find(site->sys, site->arch, str_c(t->name)) == (int)arg;
}

/* NULL: as its place is called. "arg2" of prctl is its second parameter, and behind `reg` the third
 * register. */
static const char *name_of(const struct describe_site *site, unsigned arg, bool reg)
{
	const struct arg_info *t = declared(site, arg);

	if (!t || (reg && !(strncmp(t->name, "arg", 3) != 0 && is_found_by_name(site, t, arg))))
		return NULL;
	return t->name;
}

static struct operand register_operand(const struct describe_site *site, unsigned arg)
{
	const struct arg_info *t = declared(site, arg);
	struct operand o = { .arg = (uint8_t)arg, .reg = true, .width = 64, .arch = site->arch };

	o.kind = ARG_NUMBER;
	if (t && t->kind != ARG_POINTER) {
		o.kind = t->kind;
		o.domain = t->domain;
		o.enum_mask = t->enum_mask;
	}
	return o;
}

/* By its type, or as a register where only that can be compared. */
static struct operand typed_operand(const struct describe_site *site, unsigned arg)
{
	unsigned bits = arch_info(site->arch)->bits;
	const struct arg_info *t = declared(site, arg);
	struct operand o = register_operand(site, arg);

	if (site->registers ||
	    (site->sys && (!t || t->kind == ARG_POINTER || !is_found_by_name(site, t, arg))))
		return o;
	o.reg = false;
	o.width = t && t->width < bits ? t->width : bits;
	o.is_signed = t && t->is_signed;
	return o;
}

static bool are_alike(const struct operand *x, const struct operand *y)
{
	return x->arg == y->arg && x->reg == y->reg && x->is_signed == y->is_signed &&
	       x->width == y->width && x->kind == y->kind && x->arch == y->arch &&
	       x->domain == y->domain && x->enum_mask == y->enum_mask;
}

/* The first argument like it of all that were met. */
static unsigned find_alike(struct describer *s, const struct describe_site *site, unsigned arg)
{
	struct argument a = { typed_operand(site, arg), register_operand(site, arg) };

	for (unsigned i = 0; i < s->arguments.n; i++)
		if (are_alike(&s->arguments.v[i].typed, &a.typed) &&
		    are_alike(&s->arguments.v[i].reg, &a.reg))
			return i;
	vec_push(s->arena, &s->arguments, a);
	return (unsigned)s->arguments.n - 1;
}

/* ---- all of it ---- */

struct told { /* a claim over arguments, and what was said of it */
	dd_node must, may;
	unsigned like[6];
	bool failed;
	struct ast_cond *cond; /* NULL: always; its arguments by their places */
};

/* Argument by argument. */
static int by_branches(struct describer *s, dd_node claim, struct ast_cond **out)
{
	s->left = DESCRIBE_MAX;
	s->work = WORK_MAX;
	s->visits = VISITS_MAX;
	*out = NULL;
	if (claim != DD_NONE && claim != DD_FALSE && claim_cond(s, claim, out) == 0 && s->visits)
		return 0;
	*out = NULL; /* what was written until then says too little */
	return -1;
}

static int tell_claim(struct describer *s, dd_node must, dd_node may, struct ast_cond **out)
{
	struct ast_cond *exact = NULL;
	int bad = by_branches(s, may, out);
	size_t left = s->left, visits = s->visits;

	if (!bad && !*out)
		return 0;
	if (must != may && by_branches(s, must, &exact) == 0 && exact &&
	    (bad || is_shorter(exact, *out)))
		*out = exact;
	s->left = left;
	s->visits = visits;
	if (may_search(s, *out))
		find_structure(s, must, may, out);
	if (!*out)
		return -1;
	use_commas(*out);
	return 0;
}

/* The place among what was told of the claim, for arguments like these. */
static size_t find_told(struct describer *s, dd_node must, dd_node may)
{
	struct told t = { .must = must, .may = may };
	size_t at;

	memcpy(t.like, s->like, sizeof(t.like));
	uint64_t hash = hash_bytes(HASH_START, &(dd_node[]){ must, may }, 2 * sizeof(must));
	hash = hash_bytes(hash, t.like, sizeof(t.like));
	for (struct table_walk w = table_start(hash);
	     (at = table_next(&s->by_claim, &w)) != TABLE_END;) {
		const struct told *k = &s->told.v[at];
		if (k->must == must && k->may == may && !memcmp(k->like, t.like, sizeof(t.like)))
			return at;
	}
	t.failed = tell_claim(s, must, may, &t.cond) < 0;
	table_add(s->arena, &s->by_claim, hash, s->told.n);
	vec_push(s->arena, &s->told, t);
	return s->told.n - 1;
}

/* A copy, with the arguments as this call calls them. */
static struct ast_cond *with_names(struct describer *s, const struct describe_site *site,
				   const struct ast_cond *told)
{
	struct ast_cond *c = arena_dup(s->arena, told, sizeof(*told));

	if (c->kind != AST_COND_CMP) {
		c->left = with_names(s, site, c->left);
		c->right = c->right ? with_names(s, site, c->right) : NULL;
		return c;
	}
	const char *name = name_of(site, argument_of(c), c->reg);
	if (name)
		c->arg = *ast_word_new(s->arena, name);
	return c;
}

/* ---- protocols, which have the names of their family ---- */

static int argument_named(const struct ast_cond *cmp, const struct describe_site *site)
{
	return syscall_arg_find(site->sys, site->arch, cmp->arg.text);
}

/*
 * The family that a comparison asks for, or one of several that name protocols alike; AF_UNSPEC,
 * which names none, where they do not. false: none is asked for.
 */
static bool family_asked(const struct ast_cond *c, const struct describe_site *site,
			 uint64_t *family)
{
	const char *first = NULL;
	bool alike = true;

	if (c->mask || (c->op != AST_CMP_EQ && c->op != AST_CMP_IN))
		return false;
	for (const struct ast_value *v = c->values; v; v = v->next) {
		struct spell_as as = { .domain = "ipproto", .arch = site->arch };
		*family = v->number;
		if (v->kind == AST_VALUE_NAME ?
			    constant_find("af", v->text, site->arch, family) != 0 :
			    v->kind != AST_VALUE_NUMBER)
			return false;
		spell_of_family(&as, *family);
		alike &= v == c->values || as.begins == first;
		first = as.begins;
	}
	if (!alike)
		*family = AF_UNSPEC;
	return c->values;
}

/* The family that all of this is under. */
static bool family_above(const struct ast_cond *c, const struct describe_site *site, int at,
			 uint64_t *family)
{
	if (c->kind == AST_COND_AND)
		return family_above(c->left, site, at, family) ||
		       family_above(c->right, site, at, family);
	return c->kind == AST_COND_CMP && at >= 0 && argument_named(c, site) == at &&
	       family_asked(c, site, family);
}

static void name_protocols(struct describer *s, const struct describe_site *site,
			   struct ast_cond *c, const uint64_t *family)
{
	uint64_t own;
	unsigned n = 0;
	const struct arg_info *args = syscall_args(site->sys, site->arch, &n);

	if (c->kind != AST_COND_CMP) {
		if (family_above(c, site, spell_family_at(args, n), &own))
			family = &own;
		name_protocols(s, site, c->left, family);
		if (c->right)
			name_protocols(s, site, c->right, family);
		return;
	}
	int at = argument_named(c, site);
	if (!family || at < 0 || !args[at].domain || strcmp(args[at].domain, "ipproto") != 0)
		return;
	struct spell_as as = spell_argument(&args[at], site->arch);
	spell_of_family(&as, *family);
	struct ast_value *first = NULL, **next = &first;
	for (const struct ast_value *v = c->values; v; v = v->next) {
		struct spelling text;
		uint64_t value;
		if (v->kind == AST_VALUE_NAME &&
		    constant_find("ipproto", v->text, site->arch, &value) == 0) {
			spell(&as, value, &text);
			*next = spell_tree(s->arena, &text);
		} else {
			*next = arena_dup(s->arena, v, sizeof(*v));
		}
		next = &(*next)->next;
	}
	*next = NULL;
	c->values = first;
}

struct describer *describe_new(struct dd *d, struct arena *a)
{
	struct describer *s = ARENA_NEW(a, struct describer);

	s->d = d;
	s->arena = a;
	return s;
}

int dd_describe(struct describer *s, const struct describe_site *site, dd_node must, dd_node may,
		struct ast_cond **out)
{
	unsigned fields;

	*out = NULL;
	if (must == DD_NONE || may == DD_NONE)
		return -1;
	fields = dd_fields(s->d, must) | dd_fields(s->d, may);
	for (unsigned i = 0; i < 6; i++)
		s->like[i] = fields >> i & 1 ? find_alike(s, site, i) : 0;
	size_t at = find_told(s, must, may);
	const struct told *t = &s->told.v[at];
	if (t->failed)
		return -1;
	if (t->cond)
		*out = with_names(s, site, t->cond);
	if (*out && site->sys)
		name_protocols(s, site, *out, NULL);
	return 0;
}
