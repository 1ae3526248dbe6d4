/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that libseccomp does not take together. It merges the comparisons of one call into a tree,
 * and answers EEXIST where a rule ends at a comparison behind which one of another action goes on:
 * the same comparisons twice, or first some and then, with another action, fewer of them (src/db.c
 * _db_tree_add(), the same from 2.5.0 to 2.6.1). The other way round the shorter one decides. On
 * i386, s390x and ppc64le a rule on `socket` is one on socketcall as well, whose first comparison
 * is the number there: a rule without conditions then has one. Rules before and between may take
 * comparisons out of the tree, so the installed library is asked, with the calls in question
 * alone, in each environment in which other entries are in force.
 *
 * A comparison of 64 bits by order, or by "not equal", is several nodes that share what comes
 * behind them. A rule that begins with the same comparison is put into what they share more than
 * once, and the list of that level may become a circle, in which seccomp_rule_add() goes on for
 * ever: runc and crun were seen to (2.5.4).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/group.h"
#include "compiler/oci/runtime/library.h"
#include "compiler/oci/runtime/settle.h"

enum { RULES_ASKED_MAX = 1000, POINTS_MAX = 64, CPU_S = 1, HITS_MAX = 16 };

struct refusal {
	const struct oci_rule *rule, *beside; /* beside: NULL where no one rule is the reason */
};

struct refusals {
	struct arena *arena;
	const struct oci_profile *p;
	struct oci_profile asked; /* the rules in question, as they are handed over */
	VEC(struct refusal) hits;
	VEC(struct environment) seen;
	const struct oci_rule *endless; /* with which the library does not come to an end */
	unsigned refused, taken;        /* environments */
	bool undecided;
};

/* ---- which rules ---- */

/* Calls that share a number somewhere: those that socketcall carries, and those of ipc. */
static struct str slot_of(const struct oci_word *name)
{
	unsigned selector;
	const char *mux = name->sys ? syscall_multiplexer(name->sys, &selector) :
				      multiplexer_of(name->text, &selector);

	return mux ? str_c(mux) : name->text;
}

static void push_rule(struct refusals *r, uint32_t entry, const struct oci_word *name,
		      struct str slot, const struct oci_arg *args, uint32_t n)
{
	struct oci_rule rule = { .entry = entry,
				 .name = slot,
				 .handed = name->text,
				 .span = name->span,
				 .args = args,
				 .nargs = n,
				 .written = args,
				 .nwritten = n };

	vec_push(r->arena, &r->asked.rules, rule);
}

/* What a runtime hands over, also of a name that the architectures lack. */
static bool is_handed(const struct oci_entry *e)
{
	return e->readable && !e->stops && !e->is_default;
}

/* Slots by some of their letters: those in which an entry has another action than the first one. */
struct slots {
	bool is_other[256];
};

static bool *slot_in(struct slots *s, struct str slot)
{
	unsigned h = (unsigned)slot.n;

	for (size_t i = 0; i < slot.n && i < 16; i++)
		h = h * 31 + (unsigned char)slot.p[i];
	return &s->is_other[h % ARRAY_SIZE(s->is_other)];
}

/* False: none has. */
static bool find_others(const struct refusals *r, struct slots *out)
{
	const struct oci_entry *first = NULL;
	bool any = false;

	vec_each(&r->p->entries, e) {
		if (!is_handed(e))
			continue;
		first = first ? first : e;
		if (verdict_eq(first->verdict, e->verdict))
			continue;
		vec_each(&e->names, name)
			any = *slot_in(out, slot_of(name)) = true;
	}
	return any;
}

/* Where no entry has another action there is no question. */
static void collect_rules(struct refusals *r)
{
	struct slots others = { { false } };

	if (!find_others(r, &others))
		return;
	for (uint32_t i = 0; i < r->p->entries.n; i++) {
		const struct oci_entry *e = &r->p->entries.v[i];
		if (!is_handed(e))
			continue;
		vec_each(&e->names, name) {
			struct str slot = slot_of(name);
			if (!*slot_in(&others, slot) || !oci_name_known(&r->p->runtime, name))
				continue;
			if (!e->splits)
				push_rule(r, i, name, slot, e->args.v, (uint32_t)e->args.n);
			for (size_t k = 0; e->splits && k < e->args.n; k++)
				push_rule(r, i, name, slot, &e->args.v[k], 1);
		}
	}
}

static struct verdict verdict_of(const struct refusals *r, const struct oci_rule *rule)
{
	return r->p->entries.v[rule->entry].verdict;
}

/* Only what compares something can meet what another action compares; socketcall always does. */
static bool in_question(const struct refusals *r, struct oci_rule **v, size_t n)
{
	const struct oci_rule *first = NULL;
	bool other = false, compares = false;

	for (size_t i = 0; i < n; i++) {
		first = first ? first : v[i];
		other |= !verdict_eq(verdict_of(r, first), verdict_of(r, v[i]));
		compares |= v[i]->nargs || str_is(v[i]->name, "socketcall") ||
			    str_is(v[i]->name, "ipc");
	}
	return other && compares;
}

static void keep_questions(struct refusals *r)
{
	size_t n = r->asked.rules.n, kept = 0;
	struct oci_rule **sorted = ARENA_ARRAY(r->arena, struct oci_rule *, n + 1);
	bool *keep = ARENA_ARRAY(r->arena, bool, n + 1);

	for (size_t i = 0; i < n; i++)
		sorted[i] = &r->asked.rules.v[i];
	oci_sort_rules(r->arena, sorted, n);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && str_eq(sorted[i]->name, sorted[k]->name); k++)
			;
		bool wanted = in_question(r, &sorted[i], k - i);
		for (size_t m = i; m < k; m++)
			keep[sorted[m] - r->asked.rules.v] = wanted;
	}
	for (size_t i = 0; i < n; i++)
		if (keep[i])
			r->asked.rules.v[kept++] = r->asked.rules.v[i];
	r->asked.rules.n = kept;
}

/* ---- the reason ---- */

/* Does x compare all that y does, leaving out what socketcall puts in its place? */
static bool goes_on_behind(const struct oci_rule *x, const struct oci_rule *y, bool multiplexed)
{
	for (uint32_t i = 0; i < y->nargs; i++) {
		const struct oci_arg *want = &y->args[i];
		bool found = multiplexed && !want->index;
		for (uint32_t k = 0; k < x->nargs && !found; k++)
			found = x->args[k].index == want->index && x->args[k].op == want->op &&
				x->args[k].mask == want->mask && x->args[k].value == want->value;
		if (!found)
			return false;
	}
	return true;
}

/* Another rule of that name; or, behind socketcall, of that name, or of another. */
static const struct oci_rule *find_reason(const struct refusals *r, const struct oci_rule *y,
					  const struct environment *env)
{
	const struct oci_rule *last = NULL;

	for (int pass = 0; pass < 3 && !last; pass++)
		for (const struct oci_rule *x = r->asked.rules.v; x < y; x++) {
			bool same =
				pass < 2 ? str_eq(x->handed, y->handed) : str_eq(x->name, y->name);
			if (same && !verdict_eq(verdict_of(r, x), verdict_of(r, y)) &&
			    oci_gate_open(r->p->entries.v[x->entry].gate, env) &&
			    goes_on_behind(x, y, pass > 0))
				last = x;
		}
	return last;
}

static void add_hit(struct refusals *r, const struct oci_rule *rule, const struct environment *env)
{
	vec_each(&r->hits, h)
		if (h->rule == rule)
			return;
	vec_push(r->arena, &r->hits, ((struct refusal){ rule, find_reason(r, rule, env) }));
}

/* ---- asking ---- */

/* What is refused is left out in turn, so that the rules behind it are tried as well. */
static void ask_once(struct refusals *r, const struct environment *env, enum arch machine)
{
	struct oci_rule *rules = r->asked.rules.v, *out[HITS_MAX];
	struct str names[HITS_MAX];
	size_t n = 0;

	for (bool again = true; again;) {
		struct oci_child child = { .cpu_s = CPU_S };
		struct cbpf prog;
		const char *why;
		int rc = oci_child_start(&child, &r->asked, machine, env);
		rc = rc ? rc : oci_child_finish(&child, r->arena, OCI_CHILD_MS, &prog, &why);
		if (rc == -ETIMEDOUT && child.refused < r->asked.rules.n)
			r->endless = &rules[child.refused];
		else
			r->undecided |= rc && rc != -EINVAL;
		again = rc == -EINVAL && child.refused < r->asked.rules.n && n < HITS_MAX;
		if (!again)
			break;
		out[n] = &rules[child.refused];
		names[n] = out[n]->handed;
		add_hit(r, out[n], env);
		out[n++]->handed = (struct str){ NULL, 0 };
	}
	r->refused += n || r->endless;
	r->taken += !n && !r->endless;
	while (n--)
		out[n]->handed = names[n];
}

static void ask_machine(struct refusals *r, const struct oci_asked *in, struct environment env)
{
	bool here = oci_library_knows(env.host) || arch_native() < 0;
	enum arch machine = here ? env.host : (enum arch)arch_native();
	uint64_t always = env.caps;

	r->asked.arches = here ? r->asked.arches : ARCH_BIT(machine);
	for (size_t k = 0; k < in->nkernels; k++)
		for (uint64_t caps = 0;; caps = (caps - in->caps) & in->caps) {
			bool again = false;
			env.caps = always | caps;
			env.kernel = in->kernels[k];
			vec_each(&r->seen, s)
				again |= s->host == env.host && oci_same_rules(&r->asked, s, &env);
			r->undecided |= !again && r->seen.n == POINTS_MAX;
			if (!again && r->seen.n < POINTS_MAX && !r->endless) {
				vec_push(r->arena, &r->seen, env);
				ask_once(r, &env, machine);
			}
			if (caps == in->caps)
				break;
		}
}

static void ask_machines(struct refusals *r, const struct environment *known)
{
	struct environment env = { .caps_known = true, .kernel_known = true, .host_known = true };
	struct oci_asked in = { 0 };
	unsigned all = r->p->arches;

	if (r->asked.rules.n > RULES_ASKED_MAX || !oci_collect_asked(&r->asked, &in)) {
		r->undecided = true;
		return;
	}
	if (known && known->caps_known) {
		env.caps = known->caps;
		in.caps = 0;
	}
	if (known && known->kernel_known) {
		in.kernels[0] = known->kernel;
		in.nkernels = 1;
	}
	for (int h = 0; h < ARCH_NR; h++) {
		unsigned family = 0;
		env.host = (enum arch)h;
		for (int a = 0; a < ARCH_NR; a++)
			if (all & ARCH_BIT(a) &&
			    !strcmp(arch_family((enum arch)a, all), arch_info(env.host)->name))
				family |= ARCH_BIT(a);
		if (!family || (known && known->host_known && known->host != env.host))
			continue;
		r->asked.arches = family | ARCH_BIT(h);
		ask_machine(r, &in, env);
	}
}

/* ---- telling ---- */

static const char *words(const struct refusals *r, const struct oci_rule *rule)
{
	if (r->p->runtime.kind == OCI_CRUN)
		return "crun: \"seccomp_rule_add_array: File exists\"";
	return arena_printf(r->arena,
			    "runc: \"error adding seccomp %srule for syscall " PRISTR
			    ": file exists\"",
			    rule->nargs ? "" : "filter ", STRARG(rule->handed));
}

static bool told_before(const struct refusals *r, const struct refusal *h)
{
	for (const struct refusal *k = r->hits.v; k < h; k++)
		if (k->rule->entry == h->rule->entry)
			return true;
	return false;
}

static void tell_hit(struct refusals *r, const struct refusal *h, struct diags *ds)
{
	struct group g = { .arena = r->arena };

	vec_each(&r->hits, k)
		if (k->rule->entry == h->rule->entry)
			group_add(&g, k->rule->handed, k->rule->span);
	struct diag *d = diag_add(
		ds, DIAG_SC112, group_span(&g),
		"%s: libseccomp answers EEXIST to this entry, which gives conditions of an entry "
		"before it another action, and the container does not start (%s)",
		group_list(&g), words(r, h->rule));
	group_rest(ds, d, &g);
	if (h->beside)
		diag_note(ds, d, h->beside->span, "the other entry");
	if (h->beside && !h->rule->nargs)
		diag_note(ds, d, h->rule->span,
			  "without conditions it still has one where socketcall or ipc carries the "
			  "call (i386): their first argument");
	bool fewer = h->beside && h->beside->nargs > h->rule->nargs;
	diag_help(ds, d,
		  fewer ? "put this entry before the other, where it decides alone, or leave one "
			  "of them out" :
			  "keep the action that is meant");
}

static unsigned open_fields(const struct refusals *r, const struct environment *env)
{
	unsigned fields = 0;

	vec_each(&r->hits, h)
		for (int i = 0; i < 2; i++) {
			const struct oci_rule *rule = i ? h->beside : h->rule;
			const struct oci_gate *g = rule ? r->p->entries.v[rule->entry].gate : NULL;
			if (g && !env->caps_known && (g->caps | g->no_caps))
				fields |= 1u << DD_CAPS;
			if (g && !env->kernel_known && (g->min_kernel || g->max_kernel))
				fields |= 1u << DD_SYSTEM;
		}
	return fields;
}

/* The first of those that are not taken together which asks. */
static int ask(const struct refusals *r, struct diags *ds, unsigned fields)
{
	enum oci_asks what = oci_first_asked(fields);
	struct span at = NO_SPAN;

	vec_each(&r->hits, h)
		for (int i = 0; i < 2 && at.source == SOURCE_NONE; i++) {
			const struct oci_rule *rule = i ? h->beside : h->rule;
			at = rule ? r->p->entries.v[rule->entry].asks[what] : at;
		}
	return oci_ask_at(ds, at, fields);
}

static void tell_endless(struct refusals *r, struct diags *ds)
{
	struct diag *d = diag_add(
		ds, DIAG_SC166, r->endless->span,
		"'" PRISTR "': libseccomp goes round in circles with this "
		"entry and those before it (%d s of processor time), and so does the runtime: the "
		"container does not start",
		STRARG(r->endless->handed), CPU_S);

	diag_help(ds, d,
		  "two entries with other actions begin with one comparison: leave one of them "
		  "out, or compare with SCMP_CMP_EQ or SCMP_CMP_MASKED_EQ there");
}

static void tell_undecided(struct refusals *r, struct diags *ds)
{
	struct diag *d = diag_add(
		ds, DIAG_SC167, r->p->json->span,
		"whether libseccomp takes entries with other actions for "
		"one call is not known: that needs more than %d rules, %d environments or 5 "
		"capabilities (the first is for '" PRISTR "'), or memory",
		RULES_ASKED_MAX, POINTS_MAX, STRARG(r->asked.rules.v[0].handed));

	diag_help(ds, d,
		  "write fewer entries for one call, or let them ask for fewer capabilities");
}

bool oci_refused(struct arena *a, const struct oci_profile *p, const struct environment *env,
		 struct group *names, struct diags *ds)
{
	struct refusals r = { .arena = a, .p = p, .asked = *p };

	r.asked.rules.v = NULL;
	r.asked.rules.n = r.asked.rules.cap = 0;
	memset(&r.asked.strangers, 0, sizeof(r.asked.strangers)); /* collect_rules() has them too */
	if (!p->has_default || p->unusable)
		return false;
	collect_rules(&r);
	keep_questions(&r);
	if (r.asked.rules.n)
		ask_machines(&r, env);
	if (r.undecided)
		tell_undecided(&r, ds);
	if (r.endless)
		tell_endless(&r, ds);
	if (env && !r.endless && r.refused && r.taken && open_fields(&r, env))
		return ask(&r, ds, open_fields(&r, env)) != 0;
	vec_each(&r.hits, h) {
		if (!told_before(&r, h))
			tell_hit(&r, h, ds);
		if (names)
			group_add(names, h->rule->handed, h->rule->span);
	}
	return r.hits.n || r.endless;
}
