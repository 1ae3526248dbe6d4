/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries with different actions that match the same calls: which decides is up to libseccomp
 * (its merged tree of comparisons), so the installed one is asked. It builds the calls in
 * question alone, on each machine and in each environment in which other entries are open, and
 * the filters say who wins. Where one entry wins everywhere, the other is cut.
 */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"
#include "compiler/oci/runtime/library.h"
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/runtime/settle.h"

/* What is beyond is asked of nobody: the more restrictive, and import says that it is not known. */
enum {
	POINTS_MAX = 64,
	RULES_ASKED_MAX = 1000,
	QUESTIONS_MAX = 1 << 22,
	CPU_S = 2,
	NODES = 1 << 18,
	CUTS_MAX = 6
};

struct said { /* what the library answers in one environment */
	struct environment env;
	dd_node root;
};

struct oci_disputes {
	const struct oci_profile *p;
	const struct oci_rule *rules; /* as parsed, uncut: struct oci_dispute counts in these */
	const char *library;          /* who was asked; NULL: nobody */
	struct oci_profile some;      /* the rules for the calls in question */
	struct dd *dd;
	VEC(struct said) said;
};

struct asker {
	struct arena *arena;
	struct oci_profile *p;
	struct oci_disputes *out;
	struct oci_asked in;
	size_t points;
};

/* ---- which rules ---- */

/* A name and what libseccomp makes of it elsewhere (socketcall) go together: the end of a group. */
static size_t group_end(const struct oci_profile *p, size_t i)
{
	for (i++; i < p->rules.n && !p->rules.v[i].handed.n; i++)
		;
	return i;
}

static bool names(const struct oci_profile *p, size_t i, size_t end, struct str name)
{
	for (; i < end; i++)
		if (str_eq(p->rules.v[i].name, name))
			return true;
	return false;
}

static bool in_question(const struct oci_profile *p, size_t i, size_t end)
{
	vec_each(&p->disputes, d)
		if (names(p, i, end, p->rules.v[d->first].name))
			return true;
	return false;
}

/* And an entry for socketcall itself, which may swallow what is made of others. */
static void collect_rules(struct asker *q)
{
	static const struct str muxes[] = { STR("socketcall"), STR("ipc") };
	const struct oci_profile *p = q->p;
	bool mux[ARRAY_SIZE(muxes)] = { false };

	for (size_t i = 0, end; i < p->rules.n; i = end) {
		end = group_end(p, i);
		for (size_t m = 0; m < ARRAY_SIZE(muxes) && in_question(p, i, end); m++)
			mux[m] |= names(p, i, end, muxes[m]);
	}
	for (size_t i = 0, end; i < p->rules.n; i = end) {
		end = group_end(p, i);
		bool wanted = in_question(p, i, end);
		/* Where socketcall's would be the very first, 2.5.4 forgets to load the number. */
		if (!q->out->some.rules.n && end == i + 1 && !p->rules.v[i].nargs &&
		    p->rules.v[i].arches == p->arches &&
		    oci_gate_any(p->entries.v[p->rules.v[i].entry].gate))
			wanted = true;
		for (size_t m = 0; m < ARRAY_SIZE(muxes); m++)
			wanted |= mux[m] && str_eq(p->rules.v[i].handed, muxes[m]);
		for (; wanted && i < end; i++)
			vec_push(q->arena, &q->out->some.rules, p->rules.v[i]);
	}
}

/* ---- asking ---- */

static void ask(struct asker *q, const struct environment *env)
{
	struct oci_child child = { .cpu_s = CPU_S };
	const char *why;
	struct cbpf prog;

	vec_each(&q->out->said, s)
		if (s->env.host == env->host && oci_same_rules(&q->out->some, &s->env, env))
			return;
	if (q->points++ >= POINTS_MAX || oci_child_start(&child, &q->out->some, env->host, env))
		return;
	int rc = oci_child_finish(&child, q->arena, OCI_CHILD_MS, &prog, &why);
	if (rc == -ETIMEDOUT)
		q->points = POINTS_MAX; /* the next would take as long */
	if (rc)
		return;
	dd_node root = cbpf_lift(q->out->dd, q->arena, &prog);
	if (root != DD_NONE)
		vec_push(q->arena, &q->out->said, ((struct said){ *env, root }));
}

/* Every subset of the capabilities that are asked about, on every kernel. */
static void ask_machine(struct asker *q, enum arch host)
{
	for (size_t k = 0; k < q->in.nkernels; k++)
		for (uint64_t caps = 0;; caps = (caps - q->in.caps) & q->in.caps) {
			struct environment env = { .caps_known = true,
						   .caps = caps,
						   .kernel_known = true,
						   .kernel = q->in.kernels[k],
						   .host_known = true,
						   .host = host };
			ask(q, &env);
			if (caps == q->in.caps)
				break;
		}
}

static void ask_machines(struct asker *q)
{
	unsigned all = q->p->arches, wanted = 0;
	int native = arch_native();

	vec_each(&q->p->disputes, d)
		wanted |= q->p->rules.v[d->first].arches & q->p->rules.v[d->second].arches;
	for (int h = 0; h < ARCH_NR; h++) {
		const char *name = arch_info((enum arch)h)->name;
		unsigned family = 0;
		for (int a = 0; a < ARCH_NR; a++)
			if (wanted & ARCH_BIT(a) && !strcmp(arch_family((enum arch)a, all), name))
				family |= ARCH_BIT(a);
		if (!family)
			continue;
		bool known = oci_library_knows((enum arch)h) || native < 0;
		q->out->some.arches = known ? family | ARCH_BIT(h) : ARCH_BIT(native);
		ask_machine(q, known ? (enum arch)h : (enum arch)native);
	}
}

/* ---- who wins ---- */

static dd_node match(struct asker *q, const struct oci_rule *r)
{
	return dd_cond(q->out->dd, oci_args_cond(q->arena, r->args, r->nargs));
}

static dd_node both_match(struct asker *q, const struct oci_rule *x, const struct oci_rule *y,
			  enum arch a)
{
	struct dd *d = q->out->dd;
	dd_node both = dd_and(d, match(q, x), match(q, y));

	/* A 32-bit kernel interface has nothing in the high words. */
	for (unsigned i = 0; i < 6 && arch_info(a)->bits == 32; i++)
		both = dd_and(d, both,
			      dd_equal(d, (enum dd_field)i, UINT64_C(0xffffffff) << 32, 0));
	return both;
}

static bool applies(const struct oci_profile *p, const struct oci_rule *r,
		    const struct environment *env)
{
	if (!oci_gate_open(p->entries.v[r->entry].gate, env))
		return false;
	vec_each(&oci_limits_of(r)->unless, gate)
		if (oci_gate_open(*gate, env))
			return false;
	return true;
}

/* Whether `v` answers wherever both match. */
static bool wins(struct asker *q, dd_node both, dd_node node, struct verdict v)
{
	dd_node own = dd_terminal(q->out->dd, v);

	return dd_choose(q->out->dd, both, node, own) == own;
}

static struct verdict verdict_of(const struct asker *q, const struct oci_rule *r)
{
	return q->p->entries.v[r->entry].verdict;
}

/* Without the calls that go to a third rule: its own pairs tell of those. */
static dd_node less_third(struct asker *q, const struct oci_dispute *pair,
			  const struct environment *env, dd_node both, dd_node node)
{
	struct dd *d = q->out->dd;
	const struct oci_rule *x = &q->p->rules.v[pair->first], *y = &q->p->rules.v[pair->second];

	vec_each(&q->out->some.rules, z) {
		struct verdict v = verdict_of(q, z);
		if (!str_eq(z->name, x->name) || !(z->arches & x->arches & y->arches) ||
		    !applies(q->p, z, env) || verdict_eq(v, verdict_of(q, x)) ||
		    verdict_eq(v, verdict_of(q, y)))
			continue;
		dd_node theirs = dd_compare(d, node, dd_terminal(d, v), verdict_eq);
		both = dd_and(d, both, dd_not(d, dd_and(d, match(q, z), theirs)));
	}
	return both;
}

/* An architecture that the library does not know is merged as this machine's own is. */
static enum arch stand_in(enum arch a, const struct syscall_info *sys)
{
	int native = arch_native();

	return native < 0 || oci_library_knows(a) || sys->nr[native] < 0 ? a : (enum arch)native;
}

/* OCI_NOBODY: the library was not asked there, or gives both their share. */
static enum oci_winner winner_of(struct asker *q, const struct oci_dispute *d)
{
	const struct oci_rule *x = &q->p->rules.v[d->first], *y = &q->p->rules.v[d->second];
	const struct syscall_info *sys = syscall_by_name(x->name);
	bool first = true, second = true, asked = false, met = false;

	vec_each(&q->out->said, s)
		for (int i = 0; i < ARCH_NR; i++) {
			enum arch a = stand_in((enum arch)i, sys);
			if (!(x->arches & y->arches & ARCH_BIT(i)) || !applies(q->p, x, &s->env) ||
			    !applies(q->p, y, &s->env) || !env_runs(s->env.host, a) ||
			    !oci_library_numbers(sys, a))
				continue;
			uint32_t nr = (uint32_t)sys->nr[a] + arch_info(a)->nr_base;
			dd_node node = dd_fix(q->out->dd, s->root, DD_CALL, UINT64_MAX,
					      DD_CALL_OF(arch_info(a)->audit, nr));
			dd_node both = both_match(q, x, y, a);
			met |= both != DD_FALSE;
			both = less_third(q, d, &s->env, both, node);
			if (both == DD_FALSE)
				continue;
			asked = true;
			first = first && wins(q, both, node, verdict_of(q, x));
			second = second && wins(q, both, node, verdict_of(q, y));
		}
	if (!asked && met) /* a third has all of it: either may */
		return verdict_of(q, x).kind <= verdict_of(q, y).kind ? OCI_FIRST : OCI_SECOND;
	return !asked || first == second ? OCI_NOBODY : first ? OCI_FIRST : OCI_SECOND;
}

/* ---- cutting ---- */

/* Parts of a rule, each in turn cut again. Their limits are shared until something is added. */
typedef VEC(struct oci_rule) rule_list;

static struct oci_limits *own_limits(struct asker *q, struct oci_rule *r)
{
	struct oci_limits *own = arena_dup(q->arena, oci_limits_of(r), sizeof(*own));

	own->unless.cap = own->unless.n;
	own->within.cap = own->within.n;
	own->except.cap = own->except.n;
	r->limits = own;
	return own;
}

static void cut_part(struct asker *q, rule_list *out, struct oci_rule r,
		     const struct oci_rule *winner)
{
	const struct oci_gate *own = q->p->entries.v[r.entry].gate;
	const struct oci_gate *theirs = q->p->entries.v[winner->entry].gate;
	struct oci_rule rest = r;
	struct oci_limits *limits;

	rest.arches &= ~winner->arches;
	if (rest.arches)
		vec_push(q->arena, out, rest);
	r.arches &= winner->arches;
	if (!r.arches)
		return;
	if (!oci_gate_implies(own, theirs)) {
		rest = r;
		limits = own_limits(q, &rest);
		vec_push(q->arena, &limits->unless, theirs);
		vec_push(q->arena, out, rest);
		limits = own_limits(q, &r);
		vec_push(q->arena, &limits->within, theirs);
	}
	limits = own_limits(q, &r);
	vec_push(q->arena, &limits->except, winner);
	vec_push(q->arena, out, r);
}

/* The more restrictive wins in a policy anyway: only what loses to something looser is cut. */
static bool needs_cut(const struct oci_profile *p, uint32_t loser, uint32_t winner)
{
	return p->entries.v[p->rules.v[winner].entry].verdict.kind >=
	       p->entries.v[p->rules.v[loser].entry].verdict.kind;
}

static rule_list cut_rule(struct asker *q, uint32_t index)
{
	struct oci_profile *p = q->p;
	rule_list parts = { 0 };
	size_t cuts = 0;

	vec_push(q->arena, &parts, p->rules.v[index]);
	vec_each(&p->disputes, d) {
		uint32_t won = d->winner == OCI_FIRST ? d->first : d->second;
		uint32_t lost = d->winner == OCI_FIRST ? d->second : d->first;
		if (d->winner == OCI_NOBODY || lost != index || !needs_cut(p, lost, won))
			continue;
		if (cuts++ == CUTS_MAX) {
			d->winner = OCI_NOBODY;
			d->asked = false;
			cuts--;
			continue;
		}
		rule_list next = { 0 };
		vec_each(&parts, part)
			cut_part(q, &next, *part, &q->out->rules[won]);
		parts = next;
	}
	return parts;
}

static void cut_rules(struct asker *q)
{
	struct oci_profile *p = q->p;
	rule_list all = { 0 };

	for (uint32_t i = 0; i < p->rules.n; i++) {
		rule_list parts = { 0 };
		bool lost = false;
		vec_each(&p->disputes, d)
			lost |= d->first == i || d->second == i;
		if (lost)
			parts = cut_rule(q, i);
		else
			vec_push(q->arena, &parts, p->rules.v[i]);
		vec_each(&parts, part)
			vec_push(q->arena, &all, *part);
	}
	p->rules.v = all.v;
	p->rules.n = all.n;
	p->rules.cap = all.cap;
}

/* ---- the whole ---- */

/* Of one rank, with other data: no policy can hold both. */
static bool same_rank(const struct oci_profile *p, const struct oci_dispute *d)
{
	return p->entries.v[p->rules.v[d->first].entry].verdict.kind ==
	       p->entries.v[p->rules.v[d->second].entry].verdict.kind;
}

const struct oci_disputes *oci_decide_disputes(struct arena *a, struct oci_profile *p,
					       const struct oci_read_options *opt)
{
	struct asker q = { .arena = a, .p = p, .out = ARENA_NEW(a, struct oci_disputes) };
	unsigned installed = oci_libseccomp_installed(), named = opt ? opt->libseccomp : 0;
	bool here = installed && (!named || !((named ^ installed) & ~LIBSECCOMP_DEBIAN12));

	*q.out = (struct oci_disputes){ .p = p, .rules = p->rules.v, .dd = dd_new(a, NODES) };
	q.out->some = *p;
	memset(&q.out->some.strangers, 0,
	       sizeof(q.out->some.strangers)); /* one call alone is asked about */
	q.out->some.rules.v = NULL;
	q.out->some.rules.n = q.out->some.rules.cap = 0;
	if (here && (!opt || !opt->unasked)) {
		q.out->library = oci_libseccomp_name(a, installed);
		collect_rules(&q);
		if (q.out->some.rules.n <= RULES_ASKED_MAX &&
		    oci_collect_asked(&q.out->some, &q.in))
			ask_machines(&q);
		if (p->disputes.n * q.out->said.n * q.out->some.rules.n > QUESTIONS_MAX)
			q.out->said.n = 0;
	}
	vec_each(&p->disputes, d) {
		if (!opt || !opt->tighter)
			d->winner = winner_of(&q, d);
		d->asked = d->winner != OCI_NOBODY;
		if (!d->asked && same_rank(p, d))
			d->winner = OCI_FIRST;
	}
	cut_rules(&q);
	return q.out;
}

/* ---- one call ---- */

/* An environment in which both can be open, as far as env leaves that to us. */
static struct environment likely(const struct oci_gate *x, const struct oci_gate *y,
				 const struct environment *env)
{
	struct environment e = *env;
	uint16_t from = x->min_kernel > y->min_kernel ? x->min_kernel : y->min_kernel;

	if (!env->caps_known)
		e.caps = x->caps | y->caps;
	if (!env->kernel_known)
		e.kernel = from;
	if (!env->host_known)
		e.host = (enum arch)arch_native();
	e.caps_known = e.kernel_known = e.host_known = true;
	return e;
}

/* What the library says there, where that is one thing however env may go on. */
static bool library_says(const struct oci_disputes *ds, const struct environment *env,
			 const struct call *c, const struct syscall_info *sys,
			 struct oci_disputed *out)
{
	struct call asked = *c;
	uint32_t nr = c->nr;
	enum arch own = (enum arch)arch_of_call(c->audit_arch, &nr), a = stand_in(own, sys);
	bool found = false;

	asked.audit_arch = arch_info(a)->audit;
	asked.nr = (uint32_t)sys->nr[a] + arch_info(a)->nr_base;

	vec_each(&ds->said, s) {
		struct environment e = s->env;
		if (env->caps_known)
			e.caps = env->caps;
		if (env->kernel_known)
			e.kernel = env->kernel;
		if (env->host_known && own == a)
			e.host = env->host;
		if (!env_runs(s->env.host, a) || !oci_same_rules(&ds->some, &s->env, &e))
			continue;
		struct dd_point at = dd_point_of(&s->env, &asked);
		struct verdict v = dd_eval_at(ds->dd, s->root, &at);
		if (found && !verdict_eq(v, out->says))
			return false;
		out->says = v;
		found = true;
	}
	return found;
}

static bool at_number(const struct oci_rule *x, const struct oci_rule *y, enum arch a, uint32_t nr)
{
	const struct syscall_info *sys = syscall_by_name(x->name);

	return sys && x->arches & y->arches & ARCH_BIT(a) && sys->nr[a] >= 0 &&
	       (uint32_t)sys->nr[a] == nr;
}

static void describe(const struct oci_disputes *ds, const struct oci_dispute *d,
		     struct oci_disputed *out)
{
	const struct oci_rule *x = &ds->rules[d->first], *y = &ds->rules[d->second];

	*out = (struct oci_disputed){ .first = x->span,
				      .second = y->span,
				      .library = ds->library,
				      .first_says = ds->p->entries.v[x->entry].verdict,
				      .second_says = ds->p->entries.v[y->entry].verdict };
	memcpy(out->args, d->args, sizeof(out->args));
}

bool oci_disputed_at(const struct oci_disputes *ds, const struct environment *env,
		     const struct call *c, struct oci_disputed *out)
{
	uint32_t nr = c->nr;
	int a = arch_of_call(c->audit_arch, &nr);

	for (size_t i = 0; ds && a >= 0 && i < ds->p->disputes.n; i++) {
		const struct oci_dispute *d = &ds->p->disputes.v[i];
		const struct oci_rule *x = &ds->rules[d->first], *y = &ds->rules[d->second];
		struct environment e = likely(ds->p->entries.v[x->entry].gate,
					      ds->p->entries.v[y->entry].gate, env);
		if (!at_number(x, y, (enum arch)a, nr) ||
		    !oci_args_hold(x, (enum arch)a, c->args) ||
		    !oci_args_hold(y, (enum arch)a, c->args) || !applies(ds->p, x, &e) ||
		    !applies(ds->p, y, &e))
			continue;
		describe(ds, d, out);
		memcpy(out->args, c->args, sizeof(out->args));
		out->known = library_says(ds, env, c, syscall_by_name(x->name), out);
		return true;
	}
	return false;
}

bool oci_disputed_next(const struct oci_disputes *ds, const struct environment *env, uint32_t audit,
		       uint32_t number, size_t *at, struct oci_disputed *out)
{
	uint32_t nr = number;
	int a = arch_of_call(audit, &nr);

	while (ds && a >= 0 && *at < ds->p->disputes.n) {
		const struct oci_dispute *d = &ds->p->disputes.v[(*at)++];
		struct call c = { .audit_arch = audit, .nr = number };
		memcpy(c.args, d->args, sizeof(c.args));
		if (!at_number(&ds->rules[d->first], &ds->rules[d->second], (enum arch)a, nr) ||
		    !oci_disputed_at(ds, env, &c, out))
			continue;
		return true;
	}
	return false;
}

/* ---- a profile's own contradictions ---- */

struct oci_overlaps {
	struct oci_profile *p;
	const struct oci_rule *rules;        /* as parsed */
	const struct oci_disputes *disputes; /* NULL: none */
};

struct oci_overlaps *oci_overlaps(struct arena *a, const struct oci_profile *p)
{
	const struct oci_read_options opt = { .every_host = true, .unasked = true };
	struct oci_overlaps *o = ARENA_NEW(a, struct oci_overlaps);
	struct diags *quiet = diags_new(a, NULL);

	o->p = ARENA_NEW(a, struct oci_profile);
	oci_parse_as(a, p, &opt, o->p);
	/* They are marked below. */
	if (o->p->rules.v == p->rules.v && p->rules.n)
		o->p->rules.v = arena_dup(a, p->rules.v, p->rules.n * sizeof(*p->rules.v));
	o->p->rules.cap = o->p->rules.n;
	o->rules = o->p->rules.v;
	bool taken = oci_find_disputes(a, o->p, quiet);
	if (taken && o->p->disputes.n)
		o->disputes = oci_decide_disputes(a, o->p, &opt);
	else if (o->p->disputes.n) /* beside what no runtime loads */
		o->disputes =
			arena_dup(a, &(struct oci_disputes){ .p = o->p, .rules = o->p->rules.v },
				  sizeof(*o->disputes));
	return o;
}

void oci_overlaps_tell(struct arena *a, const struct oci_overlaps *o, const struct group *but,
		       struct diags *ds)
{
	oci_tell_swallowed(a, o->p, o->rules, but, ds);
}

bool oci_overlap_next(const struct oci_overlaps *o, size_t *at, struct str *name,
		      struct oci_disputed *out)
{
	while (o->disputes && *at < o->p->disputes.n) {
		const struct oci_dispute *d = &o->p->disputes.v[(*at)++];
		bool again = false;
		describe(o->disputes, d, out);
		*name = o->disputes->rules[d->first].name;
		for (const struct oci_dispute *k = o->p->disputes.v; k < d && !again; k++)
			again = o->disputes->rules[k->first].entry ==
					o->disputes->rules[d->first].entry &&
				o->disputes->rules[k->second].entry ==
					o->disputes->rules[d->second].entry;
		if (!again)
			return true;
	}
	return false;
}
