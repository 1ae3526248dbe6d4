/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two matching rules of one rank with different data (language.md, rule 2): is there a call
 * that both match? Exact: every way through the connectives gives a list of comparisons, and
 * for each argument the bits are tried from the top, keeping only the comparisons that the bits
 * so far leave undecided.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

enum {
	STEPS_MAX = 1000000,   /* bits tried for one call; beyond: an error that says so */
	PAIRS_MAX = 20000,     /* pairs of rules on one call, of globs that begin alike */
	GLANCES_MAX = 1 << 22, /* pairs of rules on one call whose bits contradict each other */
	CMPS_MAX = 64,         /* undecided comparisons of one argument are a 64-bit set */
	REPORTS_MAX = 3,       /* on one call, on exec transitions */
};

struct todo { /* conditions that must hold as well (or, negated, must not) */
	const struct cond *cond;
	bool negated;
	const struct todo *next;
};

struct test {
	struct cmp cmp; /* not negated: the operator was turned around */
};

struct solver {
	size_t steps;
	struct test tests[6][CMPS_MAX];
	unsigned n[6];
	uint64_t args[6];
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_TOO_HARD };

static enum cmp_op negate(enum cmp_op op)
{
	static const enum cmp_op other[CMP_OP_NR] = {
		[CMP_EQ] = CMP_NE, [CMP_NE] = CMP_EQ, [CMP_LT] = CMP_GE,
		[CMP_GE] = CMP_LT, [CMP_GT] = CMP_LE, [CMP_LE] = CMP_GT,
	};

	return other[op];
}

/* What comparison `c` says once the bits so far differ from its value (sign: -1 below). */
static bool holds_after(enum cmp_op op, int sign)
{
	switch (op) {
	case CMP_EQ: return false;
	case CMP_NE: return true;
	case CMP_LT:
	case CMP_LE: return sign < 0;
	case CMP_GT:
	case CMP_GE: return sign > 0;
	case CMP_OP_NR: break;
	}
	BUG("cmp_op");
}

static bool holds_equal(enum cmp_op op)
{
	return op == CMP_EQ || op == CMP_LE || op == CMP_GE;
}

/* The bit changes which comparisons are open; false: one of them fails. */
static bool take_bit(const struct solver *s, unsigned arg, int bit, unsigned value, uint64_t *open)
{
	for (unsigned i = 0; i < s->n[arg]; i++) {
		const struct cmp *c = &s->tests[arg][i].cmp;
		if (!(*open >> i & 1))
			continue;
		/* What the mask takes away is 0, also where the constant is not: (x & 1) < 2. */
		unsigned want = (unsigned)(c->value >> bit & 1);
		unsigned have = c->mask >> bit & 1 ? value : 0;
		if (want == have)
			continue;
		int sign = have > want ? 1 : -1;
		if (c->is_signed && bit == c->width - 1)
			sign = -sign;
		if (!holds_after(c->op, sign))
			return false;
		*open &= ~(UINT64_C(1) << i);
	}
	return true;
}

static enum answer try_bits(struct solver *s, unsigned arg, int bit, uint64_t open)
{
	if (s->steps++ > STEPS_MAX)
		return ANSWER_TOO_HARD;
	if (bit < 0) {
		for (unsigned i = 0; i < s->n[arg]; i++)
			if (open >> i & 1 && !holds_equal(s->tests[arg][i].cmp.op))
				return ANSWER_NO;
		return ANSWER_YES;
	}
	uint64_t before = 0;
	for (unsigned value = 0, tried = 0; value < 2; value++) {
		uint64_t next = open;
		if (!take_bit(s, arg, bit, value, &next))
			continue;
		if (tried++ && next == before)
			return ANSWER_NO; /* nothing asks about this bit: 1 is no different */
		before = next;
		uint64_t mask = UINT64_C(1) << bit;
		s->args[arg] = value ? s->args[arg] | mask : s->args[arg] & ~mask;
		enum answer a = try_bits(s, arg, bit - 1, next);
		if (a != ANSWER_NO)
			return a;
	}
	return ANSWER_NO;
}

static enum answer solve_arg(struct solver *s, unsigned arg)
{
	uint64_t open = s->n[arg] == 64 ? UINT64_MAX : (UINT64_C(1) << s->n[arg]) - 1;

	s->args[arg] = 0;
	return try_bits(s, arg, 63, open);
}

/* A way that failed further down may have left its own values behind. */
static enum answer solve_all(struct solver *s)
{
	enum answer a = ANSWER_YES;

	for (unsigned arg = 0; arg < 6 && a == ANSWER_YES; arg++)
		a = solve_arg(s, arg);
	return a;
}

static enum answer solve(struct solver *s, const struct todo *todo);

/* The quick answer for two large sets of values: x == 1 and x == 2. */
static bool other_value(const struct solver *s, const struct cmp *c)
{
	for (unsigned i = 0; c->op == CMP_EQ && i < s->n[c->arg]; i++) {
		const struct cmp *t = &s->tests[c->arg][i].cmp;
		if (t->op == CMP_EQ && (t->value ^ c->value) & t->mask & c->mask)
			return true;
	}
	return false;
}

static enum answer add_test(struct solver *s, const struct cmp *cmp, bool negated,
			    const struct todo *rest)
{
	unsigned arg = cmp->arg;

	if (s->n[arg] == CMPS_MAX)
		return ANSWER_TOO_HARD;
	struct cmp c = *cmp;
	if (negated)
		c.op = negate(c.op);
	if (other_value(s, &c))
		return ANSWER_NO;
	s->tests[arg][s->n[arg]++].cmp = c;
	enum answer a = solve_arg(s, arg);
	if (a == ANSWER_YES)
		a = solve(s, rest);
	s->n[arg]--;
	return a;
}

static enum answer either(struct solver *s, const struct cond *c, bool negated,
			  const struct todo *rest)
{
	struct todo left = { c->left, negated, rest }, right = { c->right, negated, rest };
	enum answer a = solve(s, &left);

	return a == ANSWER_NO ? solve(s, &right) : a;
}

static enum answer solve(struct solver *s, const struct todo *todo)
{
	if (!todo)
		return solve_all(s);
	if (s->steps++ > STEPS_MAX)
		return ANSWER_TOO_HARD;
	const struct cond *c = todo->cond;
	bool negated = todo->negated;
	if (!c)
		return solve(s, todo->next);
	if (c->kind == COND_CMP)
		return add_test(s, &c->cmp, negated, todo->next);
	if (c->kind == COND_NOT) {
		struct todo in = { c->left, !negated, todo->next };
		return solve(s, &in);
	}
	if ((c->kind == COND_OR) != negated)
		return either(s, c, negated, todo->next);
	struct todo right = { c->right, negated, todo->next };
	struct todo left = { c->left, negated, &right };
	return solve(s, &left);
}

static enum answer overlap(struct solver *s, const struct cond *x, const struct cond *y)
{
	struct todo second = { y, false, NULL };
	struct todo first = { x, false, &second };

	memset(s->n, 0, sizeof(s->n));
	memset(s->args, 0, sizeof(s->args));
	return solve(s, &first);
}

int cond_overlap(const struct cond *x, const struct cond *y, uint64_t args[6])
{
	struct solver s = { .steps = 0 };
	enum answer a = overlap(&s, x, y);

	if (a == ANSWER_TOO_HARD)
		return -1;
	memcpy(args, s.args, sizeof(s.args));
	return a == ANSWER_YES;
}

/* ---- calls ---- */

static bool carries_data(enum verdict_kind k)
{
	return k == VERDICT_ERRNO || k == VERDICT_TRAP || k == VERDICT_TRACE;
}

static struct span span_of(const struct call_rule *r)
{
	return r->origin ? r->origin->span : NO_SPAN;
}

static const char *spell_verdict(struct arena *a, const struct call_rule *r)
{
	struct verdict v = r->verdict;
	BUF_AUTO b = { 0 };

	verdict_print(&b, v);
	const char *name = v.kind == VERDICT_ERRNO ? constant_name("errno", v.data, r->arch) : NULL;
	return name ? arena_printf(a, "errno %s", name) : arena_printf(a, "%s", b.p);
}

/* Also of a rule by number, where the number has a name. */
static const struct syscall_info *call_of(const struct call_rule *r)
{
	return r->sys ? r->sys : syscall_by_nr(r->arch, r->nr - arch_info(r->arch)->nr_base);
}

static const char *spell_call(struct arena *a, const struct call_rule *r, const uint64_t args[6])
{
	BUF_AUTO b = { 0 };
	unsigned n = 6;

	if (call_of(r))
		syscall_args(call_of(r), r->arch, &n);
	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "%s%s%llx", i ? ", " : "", args[i] ? "0x" : "",
			   (unsigned long long)args[i]);
	if (call_of(r))
		return arena_printf(a, "%s(%s) on %s", call_of(r)->name, b.p ? b.p : "",
				    arch_info(r->arch)->name);
	return arena_printf(a, "#%u(%s) on %s", r->nr - arch_info(r->arch)->nr_base, b.p ? b.p : "",
			    arch_info(r->arch)->name);
}

/* " with capability sys_admin", where the witness needs more than the call. */
static const char *spell_environment(struct arena *a, const struct env_cube *where,
				     const struct env_cube *all)
{
	BUF_AUTO b = { 0 };

	env_cube_print(where, all, &b);
	return b.n ? arena_printf(a, ", with %s", b.p) : "";
}

struct meeting { /* of two rules: the environment and the arguments */
	enum answer answer;
	struct env_cube all, where;
	const uint64_t *args;
};

/* Do both rules match some call in some environment? */
static struct meeting meet(struct solver *s, const struct call_rule *x, const struct call_rule *y)
{
	struct meeting m = { .all = env_all(ARCH_BIT(x->arch)), .args = s->args };
	int together = env_overlap(x->env, y->env, &m.all, &m.where);

	m.answer = together ? overlap(s, x->cond, y->cond) : ANSWER_NO;
	if (together < 0 && m.answer == ANSWER_YES)
		m.answer = ANSWER_TOO_HARD;
	return m;
}

static void report_pair(struct arena *a, struct diags *ds, const struct call_rule *x,
			const struct call_rule *y, const struct meeting *m)
{
	enum answer answer = m->answer;
	const char *name = call_of(x) ? call_of(x)->name :
					arena_printf(a, "#%u", x->nr - arch_info(x->arch)->nr_base);
	struct diag *d;

	if (span_of(x).source == span_of(y).source && span_of(x).begin > span_of(y).begin) {
		const struct call_rule *t = x;
		x = y;
		y = t;
	}
	d = diag_add(
		ds, DIAG_PL129, span_of(y),
		answer == ANSWER_TOO_HARD ?
			"'%s' gets '%s' here and '%s' elsewhere, and it could not be shown that "
			"no call meets both" :
			"'%s' gets '%s' here and '%s' elsewhere, and neither is stricter",
		name, spell_verdict(a, y), spell_verdict(a, x));
	diag_note(ds, d, span_of(x), "%s", spell_verdict(a, x));
	if (answer == ANSWER_YES)
		diag_help(ds, d, "both match %s%s: let one of them exclude it",
			  spell_call(a, x, m->args), spell_environment(a, &m->where, &m->all));
	else
		diag_help(ds, d,
			  "it was tried with %d bits, %d pairs of rules on one call and %d "
			  "comparisons of one argument: write simpler conditions, or one verdict "
			  "for both",
			  STEPS_MAX, PAIRS_MAX, CMPS_MAX);
}

struct bits { /* (argument & mask) == value is needed */
	uint64_t mask[6], value[6];
};

/* What the equalities that all must hold say; other comparisons may narrow it further. */
static void need_bits(struct bits *b, const struct cond *c)
{
	for (; c && c->kind == COND_AND; c = c->left)
		need_bits(b, c->right);
	if (!c || c->kind != COND_CMP || c->cmp.op != CMP_EQ)
		return;
	uint64_t mask =
		c->cmp.width < 64 ? c->cmp.mask & ((UINT64_C(1) << c->cmp.width) - 1) : c->cmp.mask;
	if (c->cmp.value & ~mask)
		return;
	b->value[c->cmp.arg] = (b->value[c->cmp.arg] & ~mask) | c->cmp.value;
	b->mask[c->cmp.arg] |= mask;
}

/* The entries of imported JSON: thousands on one call, each pair told apart by a bit. */
static bool bits_contradict(const struct bits *x, const struct call_rule *y)
{
	struct bits b = { { 0 }, { 0 } };
	bool differ = false;

	need_bits(&b, y->cond);
	for (unsigned i = 0; i < 6; i++)
		differ |= ((x->value[i] ^ b.value[i]) & x->mask[i] & b.mask[i]) != 0;
	return differ;
}

/* Rules [i, end) are on one call. */
static void check_call(struct arena *a, const struct policy *p, size_t i, size_t end,
		       struct solver *s, struct diags *ds, bool *said)
{
	size_t pairs = 0, glances = 0, reports = 0;

	/* Sorted by verdict: behind the last rule with the same data come those of this rank. */
	for (size_t other = i; i < end; i++) {
		const struct call_rule *x = &p->calls.v[i];
		while (other < end && verdict_eq(p->calls.v[other].verdict, x->verdict))
			other++;
		struct bits needed = { { 0 }, { 0 } };
		need_bits(&needed, x->cond);
		for (size_t k = other; k < end && carries_data(x->verdict.kind); k++) {
			const struct call_rule *y = &p->calls.v[k];
			if (x->verdict.kind != y->verdict.kind)
				break;
			if (glances++ < GLANCES_MAX && bits_contradict(&needed, y))
				continue;
			struct meeting m = { .answer = ANSWER_TOO_HARD };
			if (pairs++ < PAIRS_MAX)
				m = meet(s, x, y);
			if (m.answer == ANSWER_NO)
				continue;
			*said = true;
			report_pair(a, ds, x, y, &m);
			if (m.answer == ANSWER_TOO_HARD || ++reports == REPORTS_MAX)
				return;
		}
	}
}

static void check_calls(struct arena *a, const struct policy *p, struct diags *ds)
{
	struct solver *s = ARENA_NEW(a, struct solver);
	VEC(const struct syscall_info *) told = { 0 };

	for (size_t i = 0; i < p->calls.n;) {
		size_t end = i;
		bool known = false, said = false;
		while (end < p->calls.n && p->calls.v[end].arch == p->calls.v[i].arch &&
		       p->calls.v[end].nr == p->calls.v[i].nr)
			end++;
		/* What is wrong on one architecture is mostly wrong on all: once is enough. */
		vec_each(&told, t)
			if (p->calls.v[i].sys && *t == p->calls.v[i].sys)
				known = true;
		s->steps = 0;
		if (!known)
			check_call(a, p, i, end, s, ds, &said);
		if (said)
			vec_push(a, &told, p->calls.v[i].sys);
		i = end;
	}
}

/* ---- exec transitions ---- */

static void report_exec(struct diags *ds, const struct file_rule *x, const struct file_rule *y,
			const char *witness)
{
	struct span sx = x->origin ? x->origin->span : NO_SPAN;
	struct span sy = y->origin ? y->origin->span : NO_SPAN;
	struct diag *d = diag_add(ds, DIAG_PL129, sy,
				  "two transitions for one program: %s%s" PRISTR
				  " here, %s%s" PRISTR " elsewhere",
				  y->exec, y->target.n ? " -> " : "", STRARG(y->target), x->exec,
				  x->target.n ? " -> " : "", STRARG(x->target));

	diag_note(ds, d, sx, "%s" PRISTR, x->target.n ? "-> " : "this one", STRARG(x->target));
	if (witness)
		diag_help(ds, d, "both match '%s': let one of them exclude it", witness);
	else
		diag_help(ds, d,
			  "that no path meets both was not shown within %d steps and %d pairs of "
			  "rules: write fewer stars, or one transition for both",
			  GLOB_BUDGET, PAIRS_MAX);
}

static bool same_exec(const struct file_rule *x, const struct file_rule *y)
{
	return !strcmp(x->exec, y->exec) && str_eq(x->target, y->target);
}

static bool sets_exec(const struct file_rule *f)
{
	return f->perms & PERM_X && f->action != RULE_DENY && f->action != RULE_QUIET_DENY;
}

struct exec_rules {
	struct arena *arena;
	struct diags *ds;
	VEC(const struct file_rule *) rules;
	VEC(const struct glob *) globs;
	size_t pairs, budget, reports;
};

/* False: enough was said, or the rest would not be told apart in time. */
static bool check_pair(struct exec_rules *e, size_t i, size_t k)
{
	const struct file_rule *x = e->rules.v[i], *y = e->rules.v[k];
	const char *witness = NULL;
	enum glob_answer answer = GLOB_NOT_DECIDED;

	if (same_exec(x, y))
		return true;
	if (e->pairs < PAIRS_MAX) {
		size_t before = e->budget;
		answer = glob_overlap(e->arena, e->globs.v[i], e->globs.v[k], &e->budget, &witness);
		e->pairs += e->budget != before;
	}
	if (answer == GLOB_NO)
		return true;
	report_exec(e->ds, x, y, witness);
	return answer == GLOB_YES && ++e->reports < REPORTS_MAX;
}

static void check_files(struct arena *a, const struct policy *p, struct diags *ds)
{
	struct exec_rules e = { .arena = a, .ds = ds, .budget = GLOB_BUDGET };

	vec_each(&p->files, f) {
		const struct glob *g =
			sets_exec(f) ? glob_parse(a, f->path, GLOB_PATH, p->variables, NULL) : NULL;
		if (!g)
			continue;
		vec_push(a, &e.rules, f);
		vec_push(a, &e.globs, g);
	}
	for (size_t i = 0; i < e.rules.n; i++)
		for (size_t k = i + 1; k < e.rules.n; k++)
			if (!check_pair(&e, i, k))
				return;
}

void conflict_check(struct arena *a, const struct policy *p, struct diags *ds)
{
	check_calls(a, p, ds);
	check_files(a, p, ds);
}
