/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile's rules as libseccomp takes them (measured with 2.5.4 and 2.6.1; what is shown
 * against the installed one stands in tests/oci/test_loaded.py):
 *	an action equal to the default       is not handed over
 *	a rule without conditions            swallows those with, in either order; of two the first
 *	one condition with two actions       may be refused, and then no container starts (refuse.c)
 *	conditions that overlap              not defined where their actions differ
 *	32-bit architectures and x32         low words alone are compared
 *	number -1                            gets the default
 *	an architecture not listed           kills the thread, and so does x32 where it is not listed
 * and before that, with runc (libcontainer/seccomp/patchbpf), for each architecture listed
 *	ld nr; jgt HIGHEST NAMED, enosys
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/runtime/model.h"

#define X32_BIT 0x40000000u

enum { NONE = UINT32_MAX };

struct placed { /* what the profile says of a call: a chain of rules, in their order */
	uint32_t first, last; /* NONE: nothing */
	unsigned numbered;    /* ARCH_BIT(): where the library has its number */
	unsigned carried;     /* likewise: another call carries it there */
};

struct loader {
	struct arena *arena;
	struct dd *dd;
	const struct oci_profile *p;
	const struct oci_runtime *rt;
	enum arch host;
	dd_node *gates;         /* claim of each entry's includes and excludes */
	struct oci_call *plain; /* what a call gets that one entry names, without a condition */
	dd_node (*matches)[2];  /* claim of each rule's conditions, on low words alone and on all */
	struct placed *calls;   /* by call */
	uint32_t *next;         /* of each rule, in its call's chain */
	VEC(const struct oci_rule *) at; /* those of the number at hand */
	struct oci_call_row *rows;       /* by call */
	struct oci_call *unnamed;        /* what no rule speaks of */
	dd_node dflt;
};

bool oci_numbered(const struct oci_runtime *rt, const struct syscall_info *sys, enum arch a)
{
	return libseccomp_numbers(rt->libseccomp, sys, a);
}

/* ---- includes and excludes ---- */

static const struct env_cond *env_join(struct arena *a, const struct env_cond *l,
				       struct env_cond cond, bool negated)
{
	struct env_cond *r = arena_dup(a, &cond, sizeof(cond));

	if (negated) {
		struct env_cond no = { .kind = ENV_NOT, .left = r };
		r = arena_dup(a, &no, sizeof(no));
	}
	if (!l)
		return r;
	struct env_cond both = { .kind = ENV_AND, .left = l, .right = r };
	return arena_dup(a, &both, sizeof(both));
}

static dd_node gate_claim(struct loader *l, const struct oci_gate *g)
{
	const struct env_cond *c = NULL;

	if (g->never)
		return DD_FALSE;
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		if ((g->caps | g->no_caps) >> cap & 1) {
			struct env_cond one = { .kind = ENV_CAP, .cap = cap };
			if (g->caps >> cap & 1)
				c = env_join(l->arena, c, one, false);
			if (g->no_caps >> cap & 1)
				c = env_join(l->arena, c, one, true);
		}
	if (g->hosts)
		c = env_join(l->arena, c, (struct env_cond){ .kind = ENV_HOST, .hosts = g->hosts },
			     false);
	if (g->no_hosts)
		c = env_join(l->arena, c,
			     (struct env_cond){ .kind = ENV_HOST, .hosts = g->no_hosts }, true);
	if (g->min_kernel)
		c = env_join(l->arena, c,
			     (struct env_cond){ .kind = ENV_KERNEL, .version = g->min_kernel },
			     false);
	if (g->max_kernel)
		c = env_join(l->arena, c,
			     (struct env_cond){ .kind = ENV_KERNEL, .version = g->max_kernel },
			     true);
	return c ? dd_env(l->dd, c) : DD_TRUE;
}

/* ---- one number ---- */

static bool is_narrow(enum arch a)
{
	return arch_info(a)->bits == 32 || a == ARCH_X32;
}

static dd_node make_match(struct loader *l, const struct oci_rule *r, bool narrow)
{
	static const enum cmp_op ops[OCI_OP_NR] = {
		[OCI_NE] = CMP_NE, [OCI_LT] = CMP_LT, [OCI_LE] = CMP_LE,        [OCI_EQ] = CMP_EQ,
		[OCI_GE] = CMP_GE, [OCI_GT] = CMP_GT, [OCI_MASKED_EQ] = CMP_EQ,
	};
	uint64_t seen = narrow ? UINT32_MAX : UINT64_MAX;
	dd_node all = DD_TRUE;

	for (uint32_t i = 0; i < r->nargs; i++) {
		struct cond c = { .kind = COND_CMP,
				  .cmp = { .arg = r->args[i].index,
					   .width = narrow ? 32 : 64,
					   .op = ops[r->args[i].op],
					   .mask = r->args[i].mask & seen,
					   .value = r->args[i].value & seen } };
		all = dd_and(l->dd, all, dd_cond(l->dd, &c));
	}
	return all;
}

static dd_node match_claim(struct loader *l, const struct oci_rule *r, enum arch a)
{
	bool narrow = is_narrow(a);
	dd_node *made = &l->matches[r - l->p->rules.v][narrow];

	if (*made == DD_NONE)
		*made = make_match(l, r, narrow);
	return *made;
}

struct number { /* what the rules of one number come to */
	dd_node node, undefined;
	VEC(struct verdict) verdicts; /* that conditions lead to so far ... */
	VEC(dd_node) unions;          /* ... and where each matches */
};

/* Where another verdict's conditions match as well, nobody says which decides. */
static void add_conditional(struct loader *l, struct number *n, dd_node match, struct verdict v)
{
	struct dd *d = l->dd;
	dd_node *own = NULL;

	for (size_t i = 0; i < n->verdicts.n; i++) {
		if (verdict_eq(n->verdicts.v[i], v))
			own = &n->unions.v[i];
		else
			n->undefined = dd_or(d, n->undefined, dd_and(d, match, n->unions.v[i]));
	}
	if (own) {
		*own = dd_or(d, *own, match);
	} else {
		vec_push(l->arena, &n->verdicts, v);
		vec_push(l->arena, &n->unions, match);
	}
	n->node = dd_choose(d, match, dd_terminal(d, v), n->node);
}

static const struct verdict *verdict_of(const struct loader *l, const struct oci_rule *r)
{
	return &l->p->entries.v[r->entry].verdict;
}

/* What the rules at hand make of a number: those without conditions come before those with. */
static struct number join_rules(struct loader *l, enum arch a)
{
	struct dd *d = l->dd;
	struct number num = { .node = l->dflt, .undefined = DD_FALSE };
	dd_node plain = DD_FALSE;

	vec_each(&l->at, at) {
		const struct oci_rule *r = *at;
		if (!r->nargs || verdict_eq(*verdict_of(l, r), l->p->dflt))
			continue;
		dd_node match = dd_and(d, l->gates[r->entry], match_claim(l, r, a));
		add_conditional(l, &num, match, *verdict_of(l, r));
	}
	for (size_t i = l->at.n; i-- > 0;) { /* the first is put on last */
		const struct oci_rule *r = l->at.v[i];
		if (r->nargs || verdict_eq(*verdict_of(l, r), l->p->dflt))
			continue;
		dd_node gate = l->gates[r->entry];
		num.node = dd_choose(d, gate, dd_terminal(d, *verdict_of(l, r)), num.node);
		plain = dd_or(d, plain, gate);
	}
	num.undefined = dd_and(d, num.undefined, dd_not(d, plain));
	return num;
}

/* Of the rules at hand: `reading` and `undefined`. A good while, and for more than one call. */
static const struct oci_call *make_call(struct loader *l, enum arch a)
{
	const struct oci_rule *only = l->at.n == 1 && !l->at.v[0]->nargs ? l->at.v[0] : NULL;
	struct oci_call *made = only ? &l->plain[only->entry] : NULL;

	if (made && made->named && made->reading != DD_NONE)
		return made;
	struct number num = join_rules(l, a);
	if (!made)
		made = ARENA_NEW(l->arena, struct oci_call);
	*made = (struct oci_call){ num.node, num.undefined, true };
	return made;
}

/* ---- all numbers ---- */

static void place_call(struct loader *l, const struct syscall_info *sys, struct placed *c)
{
	unsigned selector;
	const char *mux = syscall_multiplexer(sys, &selector);

	c->numbered = libseccomp_numbers_on(l->rt->libseccomp, sys);
	c->carried = mux ? syscall_by_name(str_c(mux))->on : 0;
}

static void place_rules(struct loader *l)
{
	size_t n = l->p->rules.n;

	BUG_ON(n >= NONE);
	l->calls = ARENA_ARRAY(l->arena, struct placed, syscall_count());
	l->next = ARENA_ARRAY(l->arena, uint32_t, n + 1);
	for (size_t i = 0; i < syscall_count(); i++)
		l->calls[i].first = NONE;
	for (uint32_t i = 0; i < n; i++) {
		const struct syscall_info *sys = l->p->rules.v[i].sys;
		struct placed *c = &l->calls[syscall_index(sys)];

		l->next[i] = NONE;
		if (c->first == NONE) {
			place_call(l, sys, c);
			c->first = i;
		} else {
			l->next[c->last] = i;
		}
		c->last = i;
	}
}

/* Does each rule of it say the same on all of these architectures? */
static bool is_same_anywhere(const struct loader *l, const struct placed *c, unsigned on)
{
	for (uint32_t i = c->first; i != NONE; i = l->next[i]) {
		const struct oci_rule *r = &l->p->rules.v[i];
		if (r->nargs || on & ~r->arches)
			return false;
	}
	return true;
}

/* Do the same rules speak of the call on both architectures, which look at as much of a word? */
static bool is_same(const struct loader *l, const struct placed *c, enum arch a, enum arch b)
{
	bool same = true;

	for (uint32_t i = c->first; same && i != NONE; i = l->next[i]) {
		unsigned on = l->p->rules.v[i].arches;
		same = !(on & ARCH_BIT(a)) == !(on & ARCH_BIT(b));
	}
	return same;
}

/* By architecture, of those on which the library numbers the call. */
static const struct oci_call *make_each(struct loader *l, const struct placed *c, unsigned on)
{
	struct oci_call *made = ARENA_ARRAY(l->arena, struct oci_call, ARCH_NR);
	int before[2] = { -1,
			  -1 }; /* that it was read on last, of those that look at low words too */

	for (int a = 0; a < ARCH_NR; a++) {
		int *last = &before[is_narrow((enum arch)a)];
		made[a] = *l->unnamed;
		if (!(on & ARCH_BIT(a)))
			continue;
		if (*last >= 0 && is_same(l, c, (enum arch) * last, (enum arch)a)) {
			made[a] = made[*last];
			continue;
		}
		l->at.n = 0;
		for (uint32_t i = c->first; i != NONE; i = l->next[i])
			if (l->p->rules.v[i].arches & ARCH_BIT(a))
				vec_push(l->arena, &l->at, &l->p->rules.v[i]);
		if (l->at.n)
			made[a] = *make_call(l, (enum arch)a);
		*last = a;
	}
	return made;
}

static void add_call(struct loader *l, size_t call)
{
	const struct placed *c = &l->calls[call];
	struct oci_call_row *row = &l->rows[call];
	unsigned on = c->numbered & l->p->arches;

	if (!on)
		return;
	row->alike = !(syscall_at(call)->on & l->p->arches & ~on) && is_same_anywhere(l, c, on);
	if (!row->alike) {
		row->at = make_each(l, c, on);
		return;
	}
	l->at.n = 0;
	for (uint32_t i = c->first; i != NONE; i = l->next[i])
		vec_push(l->arena, &l->at, &l->p->rules.v[i]);
	row->at = make_call(l, (enum arch)__builtin_ctz(on));
}

static const struct oci_call *call_on(const struct oci_call_row *row, enum arch a)
{
	return row->alike ? row->at : &row->at[a];
}

/* Calls of one architecture that the profile names and the library numbers, by rising number. */
struct named_calls {
	struct loader *l;
	enum arch arch;
	uint32_t nr; /* to go on from, without base */
	size_t at;   /* the call's place in syscall_at() */
};

static const struct placed *next_named(struct named_calls *w, uint64_t *call)
{
	const struct arch_info *info = arch_info(w->arch);

	while ((w->nr = syscall_next(w->arch, w->nr)) != UINT32_MAX) {
		w->at = syscall_index(syscall_by_nr(w->arch, w->nr));
		const struct placed *c = &w->l->calls[w->at];
		uint32_t nr = w->nr++ + info->nr_base;

		*call = DD_CALL_OF(info->audit, nr);
		if (c->first != NONE && c->numbered & ARCH_BIT(w->arch))
			return c;
	}
	return NULL;
}

static uint64_t first_call(enum arch a)
{
	return DD_CALL_OF(arch_info(a)->audit, arch_info(a)->nr_base);
}

static void order_arches(enum arch arches[ARCH_NR])
{
	for (int i = 0; i < ARCH_NR; i++) {
		int at = i;

		for (; at && first_call(arches[at - 1]) > first_call((enum arch)i); at--)
			arches[at] = arches[at - 1];
		arches[at] = (enum arch)i;
	}
}

static void read_rules(struct loader *l)
{
	size_t n = l->p->rules.n, entries = l->p->entries.n, ncalls = syscall_count();

	l->gates = ARENA_ARRAY(l->arena, dd_node, entries + 1);
	l->plain = ARENA_ARRAY(l->arena, struct oci_call, entries + 1);
	l->matches = arena_alloc_array(l->arena, n + 1, sizeof(*l->matches));
	for (size_t i = 0; i < entries; i++)
		l->gates[i] = gate_claim(l, l->p->entries.v[i].gate);
	for (size_t i = 0; i < n; i++)
		l->matches[i][0] = l->matches[i][1] = DD_NONE;
	place_rules(l);
	l->dflt = dd_terminal(l->dd, l->p->dflt);
	l->unnamed = ARENA_NEW(l->arena, struct oci_call);
	*l->unnamed = (struct oci_call){ .reading = l->dflt, .undefined = DD_FALSE };
	l->rows = ARENA_ARRAY(l->arena, struct oci_call_row, ncalls);
	for (size_t i = 0; i < ncalls; i++) {
		l->rows[i] = (struct oci_call_row){ .at = l->unnamed, .alike = true };
		if (l->calls[i].first != NONE)
			add_call(l, i);
	}
}

/* What a number without a rule meets: the ends of each token's parts. */
struct spread {
	struct loader *l;
	VEC(struct dd_range) out;
	const struct dd_range *named; /* in order */
	size_t n, at;
};

static void spread_range(struct spread *s, uint64_t first, uint64_t last, dd_node node)
{
	struct dd_range *before = s->out.n ? &s->out.v[s->out.n - 1] : NULL;

	if (before && before->node == node)
		before->last = last;
	else
		vec_push(s->l->arena, &s->out, ((struct dd_range){ first, last, node }));
}

static void spread_to(struct spread *s, uint64_t first, uint64_t last, dd_node node)
{
	while (s->at < s->n && s->named[s->at].first <= last) {
		uint64_t c = s->named[s->at].first;
		if (c > first)
			spread_range(s, first, c - 1, node);
		spread_range(s, c, c, s->named[s->at++].node);
		first = c + 1; /* no call is the last of its token */
	}
	spread_range(s, first, last, node);
}

static dd_node spread_all(struct loader *l, const struct dd_range *named, size_t n, dd_node listed,
			  dd_node foreign)
{
	struct spread s = { .l = l, .named = named, .n = n };
	uint64_t next = 0;

	for (uint32_t done = 0, audit;; done = audit) { /* tokens in rising order; 0 is nobody's */
		unsigned arches = 0;
		audit = UINT32_MAX;
		for (int a = 0; a < ARCH_NR; a++) {
			uint32_t t = arch_info((enum arch)a)->audit;
			if (!(l->p->arches & ARCH_BIT(a)) || t <= done || t > audit)
				continue;
			arches = (t == audit ? arches : 0) | ARCH_BIT(a);
			audit = t;
		}
		if (audit == UINT32_MAX)
			break;
		spread_to(&s, next, DD_CALL_OF(audit, 0) - 1, foreign);
		if (arches & ARCH_BIT(ARCH_X86_64) && !(arches & ARCH_BIT(ARCH_X32))) {
			spread_to(&s, DD_CALL_OF(audit, 0), DD_CALL_OF(audit, X32_BIT - 1), listed);
			spread_to(&s, DD_CALL_OF(audit, X32_BIT), DD_CALL_OF(audit, UINT32_MAX - 1),
				  foreign);
			spread_to(&s, DD_CALL_OF(audit, UINT32_MAX), DD_CALL_OF(audit, UINT32_MAX),
				  listed);
		} else if (arches & ARCH_BIT(ARCH_X32) && !(arches & ARCH_BIT(ARCH_X86_64))) {
			spread_to(&s, DD_CALL_OF(audit, 0), DD_CALL_OF(audit, X32_BIT - 1),
				  foreign);
			spread_to(&s, DD_CALL_OF(audit, X32_BIT), DD_CALL_OF(audit, UINT32_MAX),
				  listed);
		} else {
			spread_to(&s, DD_CALL_OF(audit, 0), DD_CALL_OF(audit, UINT32_MAX), listed);
		}
		next = DD_CALL_OF(audit, UINT32_MAX) + 1;
	}
	spread_to(&s, next, UINT64_MAX, foreign);
	return dd_ranges(l->dd, DD_CALL, 64, s.out.v, s.out.n);
}

/* What the rules make of all numbers, as two diagrams. */
static void spread_rules(struct loader *l, struct oci_model *out)
{
	dd_node foreign = dd_terminal(l->dd, (struct verdict){ VERDICT_KILL_THREAD, 0 });
	VEC(struct dd_range) readings = { 0 }, undefined = { 0 };
	enum arch arches[ARCH_NR]; /* in the order of their numbers */

	order_arches(arches);
	for (int i = 0; i < ARCH_NR; i++) {
		struct named_calls w = { .l = l, .arch = arches[i] };
		bool listed = l->p->arches & ARCH_BIT(arches[i]);

		for (uint64_t c; listed && next_named(&w, &c);) {
			const struct oci_call *m = call_on(&l->rows[w.at], w.arch);

			if (m->named)
				vec_push(l->arena, &readings,
					 ((struct dd_range){ c, c, m->reading }));
			if (m->undefined != DD_FALSE)
				vec_push(l->arena, &undefined,
					 ((struct dd_range){ c, c, m->undefined }));
		}
	}
	out->reading = spread_all(l, readings.v, readings.n, l->dflt, foreign);
	out->undefined = spread_all(l, undefined.v, undefined.n, DD_FALSE, DD_FALSE);
}

/* ---- runc's stub ---- */

struct named_number {
	uint32_t nr;
	dd_node gate; /* claim: named in these environments */
};

/*
 * Calls above the highest number named, in each environment: between two of the candidates, which
 * come by rising number, where none above is named and one below is.
 */
static dd_node above_named(struct loader *l, const struct named_number *v, size_t n, dd_node any)
{
	struct dd *d = l->dd;
	dd_node claim = DD_FALSE, higher = DD_FALSE;
	uint32_t last = UINT32_MAX;

	for (size_t i = n; i-- > 0 && higher != any;) {
		dd_node here = dd_and(d, any, dd_not(d, higher));
		dd_node above = dd_word_at_least(d, DD_CALL, 0, v[i].nr + 1, DD_TRUE, DD_FALSE);
		dd_node below = last == UINT32_MAX ?
					DD_TRUE :
					dd_not(d, dd_word_at_least(d, DD_CALL, 0, last + 1, DD_TRUE,
								   DD_FALSE));
		claim = dd_or(d, claim, dd_and(d, here, dd_and(d, above, below)));
		last = v[i].nr;
		higher = dd_or(d, higher, v[i].gate);
	}
	return claim;
}

/*
 * In which environments a call counts. The stub looks names up for each architecture: socketcall's
 * have negative numbers there.
 */
static dd_node stub_gate(struct loader *l, const struct placed *c, enum arch a)
{
	dd_node named = DD_FALSE;

	if (c->carried & ARCH_BIT(a))
		return DD_FALSE;
	for (uint32_t i = c->first; i != NONE && named != DD_TRUE; i = l->next[i]) {
		const struct oci_rule *r = &l->p->rules.v[i];

		/* Not in the JSON: what libseccomp adds for `socket`. */
		if (!r->derived || (!str_is(r->name, "socketcall") && !str_is(r->name, "ipc")))
			named = dd_or(l->dd, named, l->gates[r->entry]);
	}
	return named;
}

static dd_node stub_arch(struct loader *l, enum arch a)
{
	struct named_calls w = { .l = l, .arch = a };
	VEC(struct named_number) named = { 0 };
	dd_node claim, any = DD_FALSE;
	const struct placed *c;
	uint64_t call;

	while ((c = next_named(&w, &call)) != NULL) {
		dd_node gate = (uint32_t)call ? stub_gate(l, c, a) : DD_FALSE;

		/* Zero never counts: runc takes it for "none". */
		if (gate == DD_FALSE)
			continue;
		any = dd_or(l->dd, any, gate);
		vec_push(l->arena, &named, ((struct named_number){ (uint32_t)call, gate }));
	}
	claim = above_named(l, named.v, named.n, any);
	/* Numbers that an s390 kernel does not know arrive as 0, once setup(2). */
	if (a == ARCH_S390X)
		claim = dd_or(l->dd, claim,
			      dd_and(l->dd, any, dd_equal(l->dd, DD_CALL, UINT32_MAX, 0)));
	if (a == ARCH_X86_64)
		claim = dd_and(l->dd, claim, dd_equal(l->dd, DD_CALL, X32_BIT, 0));
	else if (a == ARCH_X32)
		claim = dd_and(l->dd, claim, dd_equal(l->dd, DD_CALL, X32_BIT, X32_BIT));
	return dd_and(l->dd, claim,
		      dd_equal(l->dd, DD_CALL, UINT64_C(0xffffffff) << 32,
			       DD_CALL_OF(arch_info(a)->audit, 0)));
}

/* The architectures that it has a part for. */
static unsigned stub_arches(const struct loader *l)
{
	bool own = l->rt->version >= OCI_VERSION(1, 1, 15); /* the machine's, listed or not */

	if (l->rt->kind != OCI_RUNC || !oci_stub_covers(l->p->dflt.kind))
		return 0;
	return l->p->listed | (own ? ARCH_BIT(l->host) : 0);
}

static dd_node stub_claim(struct loader *l)
{
	unsigned arches = stub_arches(l);
	dd_node claim = DD_FALSE;

	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			claim = dd_or(l->dd, claim, stub_arch(l, (enum arch)a));
	return claim;
}

dd_node oci_model_stubbed(const struct oci_model *m, dd_node filter)
{
	uint64_t enosys = 38;

	constant_find("errno", STR("ENOSYS"), m->host, &enosys);
	return dd_choose(m->dd, m->stub,
			 dd_terminal(m->dd, (struct verdict){ VERDICT_ERRNO, (uint16_t)enosys }),
			 filter);
}

int oci_model_build(struct arena *a, struct dd *d, const struct oci_profile *p,
		    const struct oci_runtime *rt, enum arch host, struct oci_model *out)
{
	struct loader l = { .arena = a, .dd = d, .p = p, .rt = rt, .host = host };

	read_rules(&l);
	*out = (struct oci_model){ .dd = d, .profile = p, .runtime = *rt, .host = host };
	spread_rules(&l, out);
	out->stub = stub_claim(&l);
	out->stub_mark =
		oci_model_stubbed(out, dd_terminal(d, (struct verdict){ VERDICT_ALLOW, 0 }));
	out->root = oci_model_stubbed(out, out->reading);
	return out->root == DD_NONE || out->undefined == DD_NONE ? -1 : 0;
}

static void set_stub(struct loader *l, enum arch a, uint32_t nr, dd_node stub)
{
	struct oci_call_row *row = &l->rows[syscall_index(syscall_by_nr(a, nr))];

	if (stub == DD_FALSE)
		return;
	if (!row->stub)
		row->stub = ARENA_ARRAY(l->arena, dd_node, ARCH_NR); /* DD_FALSE is 0 */
	row->stub[a] = stub;
}

/* Where the profile names the call of a number, for the stub. */
static dd_node gate_at(struct loader *l, enum arch a, uint32_t nr)
{
	const struct placed *c = &l->calls[syscall_index(syscall_by_nr(a, nr))];
	bool named = c->first != NONE && c->numbered & ARCH_BIT(a) && nr + arch_info(a)->nr_base;

	return named ? stub_gate(l, c, a) : DD_FALSE;
}

/* The stub as stub_arch() has it, at the numbers of calls alone: from the highest down. */
static void stub_calls(struct loader *l, enum arch a)
{
	dd_node any = DD_FALSE, higher = DD_FALSE;
	struct dd *d = l->dd;

	for (uint32_t nr = 0; any != DD_TRUE && (nr = syscall_next(a, nr)) != UINT32_MAX; nr++)
		any = dd_or(d, any, gate_at(l, a, nr));
	for (uint32_t nr = syscall_end(a);
	     higher != any && (nr = syscall_before(a, nr)) != UINT32_MAX;) {
		higher = dd_or(d, higher, gate_at(l, a, nr));
		set_stub(l, a, nr, dd_and(d, any, dd_not(d, higher)));
	}
	if (a == ARCH_S390X && !syscall_next(a, 0))
		set_stub(l, a, 0, any);
}

void oci_model_calls(struct arena *a, struct dd *d, const struct oci_profile *p,
		     const struct oci_runtime *rt, enum arch host, struct oci_calls *out)
{
	struct loader l = { .arena = a, .dd = d, .p = p, .rt = rt, .host = host };

	read_rules(&l);
	for (int i = 0; i < ARCH_NR; i++)
		if (stub_arches(&l) & ARCH_BIT(i))
			stub_calls(&l, (enum arch)i);
	out->rows = l.rows;
}

/* ---- which part answers ---- */

bool oci_args_hold(const struct oci_rule *r, enum arch a, const uint64_t args[6])
{
	for (uint32_t i = 0; i < r->nargs; i++) {
		const struct oci_arg *g = &r->args[i];
		uint64_t seen = is_narrow(a) ? UINT32_MAX : UINT64_MAX;
		uint64_t have = args[g->index] & g->mask & seen, want = g->value & seen;
		bool holds = false;
		switch (g->op) {
		case OCI_NE: holds = have != want; break;
		case OCI_LT: holds = have < want; break;
		case OCI_LE: holds = have <= want; break;
		case OCI_MASKED_EQ:
		case OCI_EQ: holds = have == want; break;
		case OCI_GE: holds = have >= want; break;
		case OCI_GT: holds = have > want; break;
		case OCI_OP_NR: BUG("operator");
		}
		if (!holds)
			return false;
	}
	return true;
}

static bool matches(const struct oci_model *m, const struct environment *env, const struct call *c,
		    const struct oci_rule *r)
{
	uint32_t nr = c->nr;
	int a = arch_of_call(c->audit_arch, &nr);
	const struct syscall_info *sys = syscall_by_name(r->name);
	const struct oci_entry *e = &m->profile->entries.v[r->entry];

	return sys && a >= 0 && r->arches & ARCH_BIT(a) &&
	       oci_numbered(&m->runtime, sys, (enum arch)a) && (uint32_t)sys->nr[a] == nr &&
	       !verdict_eq(e->verdict, m->profile->dflt) && oci_gate_open(e->gate, env) &&
	       oci_args_hold(r, (enum arch)a, c->args);
}

struct oci_why oci_model_why(const struct oci_model *m, const struct environment *env,
			     const struct call *c)
{
	const struct oci_profile *p = m->profile;
	struct oci_why why = { .by = OCI_BY_DEFAULT };
	uint32_t nr = c->nr;
	int a = arch_of_call(c->audit_arch, &nr);

	struct dd_point at = dd_point_of(env, c);
	if (dd_eval_at(m->dd, m->stub_mark, &at).kind == VERDICT_ERRNO)
		return (struct oci_why){ .by = OCI_BY_STUB };
	if (a < 0 || (!(p->arches & ARCH_BIT(a)) && c->nr != UINT32_MAX))
		return (struct oci_why){ .by = OCI_BY_ARCH };
	for (int plain = 1; plain >= 0; plain--)
		vec_each(&p->rules, r)
			if (plain == !r->nargs && matches(m, env, c, r))
				return (struct oci_why){ .by = OCI_BY_ENTRY, .rule = r };
	return why;
}

const struct oci_rule *oci_model_rule(const struct oci_model *m, const struct environment *env,
				      const struct call *c, struct verdict v, unsigned *matching)
{
	const struct oci_rule *found = NULL;
	uint32_t last = UINT32_MAX;

	*matching = 0;
	vec_each(&m->profile->rules, r) {
		if (!matches(m, env, c, r))
			continue;
		*matching += r->entry != last;
		last = r->entry;
		if (!found && verdict_eq(m->profile->entries.v[r->entry].verdict, v))
			found = r;
	}
	return found;
}
