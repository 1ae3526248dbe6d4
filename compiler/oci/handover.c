/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that a runtime hands to libseccomp for one name of one entry, and those that the
 * library makes of them.
 */
#include "compiler/base/bug.h"
#include "compiler/oci/parse.h"

enum { RULES_MAX = 1 << 18 };

const struct oci_limits *oci_limits_of(const struct oci_rule *r)
{
	static const struct oci_limits none;

	return r->limits ? r->limits : &none;
}

struct handover {
	struct arena *arena;
	struct oci_profile *p;
	bool full;
};

static bool has_high_words(const struct oci_arg *args, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (args[i].value >> 32)
			return true;
	return false;
}

static unsigned arches_of(const struct syscall_info *sys, unsigned arches)
{
	return sys ? sys->on & arches : 0;
}

/* The multiplexer that makes the call somewhere; also of `send`, which is none of its own there. */
static const char *carrier_of(const struct oci_word *name, unsigned *selector)
{
	return name->sys ? syscall_multiplexer(name->sys, selector) :
			   multiplexer_of(name->text, selector);
}

static bool push_rule(struct handover *h, const struct oci_rule *r)
{
	if (h->p->rules.n < RULES_MAX) {
		vec_push(h->arena, &h->p->rules, *r);
		return true;
	}
	h->full = true;
	return false;
}

/*
 * On what libseccomp holds for 32-bit architectures, x32 among them, it compares low words
 * alone, with the constant cut (src/db.c _db_rule_gen_32()). The kernel has zeros above on
 * i386, so there only a cut constant shows; x32 calls carry whole registers.
 */
static unsigned cut_arches(const struct oci_rule *r)
{
	unsigned cut = 0;
	bool high = false;

	for (uint32_t i = 0; i < r->nargs; i++)
		high |= r->args[i].mask >> 32 != 0;
	if (!high)
		return 0;
	for (int a = 0; a < ARCH_NR; a++)
		if (a == ARCH_X32 ||
		    (arch_info((enum arch)a)->bits == 32 && has_high_words(r->args, r->nargs)))
			cut |= ARCH_BIT(a);
	return r->arches & cut;
}

static void add_rule(struct handover *h, const struct oci_rule *rule)
{
	unsigned cut_for = cut_arches(rule);
	struct oci_rule r;

	if (!cut_for) {
		push_rule(h, rule);
		return;
	}
	r = *rule;
	r.arches = rule->arches & ~cut_for;
	if (r.arches && push_rule(h, &r))
		r.derived = true;
	struct oci_arg *cut = arena_dup(h->arena, r.args, r.nargs * sizeof(*cut));
	for (uint32_t i = 0; i < r.nargs; i++) {
		cut[i].value = (uint32_t)cut[i].value;
		cut[i].mask = (uint32_t)cut[i].mask;
	}
	r.args = cut;
	r.arches = cut_for;
	push_rule(h, &r);
}

/*
 * For a rule on `socket` libseccomp adds, where socketcall exists, `socketcall: arg0 == 1` with
 * the comparisons on other arguments kept, although they then look at a pointer
 * (src/arch-x86.c abi_rule_add()).
 */
static void add_multiplexed(struct handover *h, const struct oci_word *name,
			    const struct oci_rule *rule)
{
	unsigned selector;
	const char *mux = carrier_of(name, &selector);
	struct oci_rule r;

	if (!mux)
		return;
	r = *rule;
	r.sys = syscall_by_name(str_c(mux));
	r.arches = arches_of(r.sys, h->p->arches);
	if (!r.arches)
		return;
	struct oci_arg *args = ARENA_ARRAY(h->arena, struct oci_arg, r.nargs + 1);
	uint32_t n = 0;
	args[n++] = (struct oci_arg){
		.op = OCI_EQ, .mask = UINT64_MAX, .value = selector, .span = r.span
	};
	for (uint32_t i = 0; i < r.nargs; i++)
		if (r.args[i].index)
			args[n++] = r.args[i];
	r.args = args;
	r.nargs = n;
	r.name = str_c(mux);
	r.derived = true;
	add_rule(h, &r);
}

/* libseccomp keeps no comparison under a mask of 0, which always holds. */
static const struct oci_arg *kept_args(struct handover *h, const struct oci_arg *args, uint32_t *n)
{
	uint32_t nkept = 0;

	for (uint32_t i = 0; i < *n; i++)
		nkept += args[i].mask != 0;
	if (nkept == *n)
		return args;
	struct oci_arg *kept = ARENA_ARRAY(h->arena, struct oci_arg, nkept + 1);
	nkept = 0;
	for (uint32_t i = 0; i < *n; i++)
		if (args[i].mask)
			kept[nkept++] = args[i];
	*n = nkept;
	return kept;
}

static void add_name_rule(struct handover *h, const struct oci_word *name, struct oci_rule *r,
			  const struct oci_arg *args, uint32_t nargs)
{
	size_t first = h->p->rules.n;

	r->written = args;
	r->nwritten = r->nargs = nargs;
	r->args = kept_args(h, args, &r->nargs);
	if (r->arches)
		add_rule(h, r);
	add_multiplexed(h, name, r);
	if (first < h->p->rules.n)
		h->p->rules.v[first].handed = r->name;
}

static bool is_multiplexed(unsigned arches, const struct oci_word *name)
{
	unsigned selector;

	return carrier_of(name, &selector) && arches_of(syscall_by_name(STR("socketcall")), arches);
}

static bool add_stranger(struct handover *h, struct oci_rule r, const struct oci_arg *args,
			 uint32_t nargs)
{
	struct oci_profile *p = h->p;

	r.handed = r.name;
	r.written = args;
	r.nwritten = nargs;
	h->full |= p->rules.n + p->strangers.n >= RULES_MAX;
	if (!h->full)
		vec_push(h->arena, &p->strangers, ((struct oci_stranger){ r, p->rules.n }));
	return !h->full;
}

static bool add_strangers(struct handover *h, struct oci_rule r, const struct oci_entry *e)
{
	if (!e->splits)
		return add_stranger(h, r, e->args.v, (uint32_t)e->args.n);
	for (size_t i = 0; i < e->args.n && !h->full; i++)
		add_stranger(h, r, &e->args.v[i], 1);
	return !h->full;
}

/* Distinct indices: all must hold. A repeated one: runc and crun then make each a rule. */
bool oci_add_rules(struct arena *a, struct oci_profile *p, uint32_t entry,
		   const struct oci_word *name)
{
	struct handover h = { .arena = a, .p = p };
	const struct oci_entry *e = &p->entries.v[entry];
	struct oci_rule r = { .entry = entry,
			      .name = name->text,
			      .sys = name->sys,
			      .span = name->span,
			      .arches = arches_of(name->sys, p->arches) };

	if (!r.arches && !is_multiplexed(p->arches, name))
		return add_strangers(&h, r, e);
	if (!e->splits)
		add_name_rule(&h, name, &r, e->args.v, (uint32_t)e->args.n);
	for (size_t i = 0; e->splits && i < e->args.n; i++)
		add_name_rule(&h, name, &r, &e->args.v[i], 1);
	return !h.full;
}
