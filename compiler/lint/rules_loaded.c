/* SPDX-License-Identifier: Apache-2.0 */
/* SC: what the named runtime's libseccomp makes of a profile. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "compiler/decision/decision.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"
#include "compiler/oci/fix.h"

/* ---- names that it does not know ---- */

static bool is_call_here(const struct lint *l, const struct oci_word *n)
{
	unsigned declared = l->profile->declared ? l->profile->declared : l->profile->arches;

	return n->sys && n->sys->on & declared;
}

/* Calls of entries that permit, or of those that refuse, whose names the library lacks. */
static void collect_dropped(struct lint *l, bool permits, struct group *out)
{
	vec_each(&l->profile->entries, e) {
		if (!e->readable || e->is_default || entry_permits(e) != permits)
			continue;
		vec_each(&e->names, n)
			if (is_call_here(l, n) && !oci_name_known(l->runtime, n))
				group_add(out, n->text, n->span);
	}
}

RULE(SC105, "too-new-for-runtime", HIGH, JSON, sc_too_new_for_runtime,
     "names that the runtime's libseccomp is too old to know",
     "A runtime asks libseccomp for each name, and one that it does not know is left out: runc says so "
     "in its debug log alone. In an allow list the call is then refused although it is listed, which a "
     "list that is kept for newer machines takes for granted (information). In a deny list the call is "
     "allowed although it is refused: the filter fails open. Debian 12's 2.5.4-1+deb12u1 does not know "
     "mseal.\n\n"
     "Way out: a newer libseccomp; or a list of what is allowed, under which an unknown call is refused.")
void sc_too_new_for_runtime(struct lint *l, enum diag_id id)
{
	struct group refused = GROUP(l), permitted = GROUP(l);
	const char *library;
	struct diag *d;

	if (!l->runtime || !l->profile->has_default)
		return;
	library = oci_libseccomp_name(l->arena, l->runtime->libseccomp);
	if (l->profile->dflt.kind == VERDICT_ALLOW || l->profile->dflt.kind == VERDICT_LOG)
		collect_dropped(l, false, &refused);
	else
		collect_dropped(l, true, &permitted);
	if (refused.hits.n) {
		d = diag_add(
			l->ds, id, group_span(&refused),
			"libseccomp %s does not know %s, and leaves %s out: what is to be refused is "
			"allowed, as all that no entry names",
			library, group_list(&refused), PLURAL(refused, "it", "them"));
		diag_help(l->ds, d, "use a newer libseccomp, or list what is allowed instead");
		group_labels(l->ds, d, &refused);
	}
	if (permitted.hits.n) {
		d = diag_add_as(
			l->ds, id, SEVERITY_INFO, group_span(&permitted),
			"libseccomp %s does not know %s, and leaves %s out: listed, and refused",
			library, group_list(&permitted), PLURAL(permitted, "it", "them"));
		diag_help(l->ds, d, "a newer libseccomp allows %s",
			  PLURAL(permitted, "it", "them"));
		oci_fix_cut_words(l->profile, l->ds, d, &permitted, NULL);
		diag_fix_means(d, FIX_UNSAFE, FIX_SAME);
		group_labels(l->ds, d, &permitted);
	}
}

/* ---- conditions that it joins into something else ---- */

static bool has_order(const struct oci_rule *r)
{
	bool order = false;

	for (uint32_t i = 0; i < r->nargs; i++)
		order |= r->args[i].op != OCI_EQ && r->args[i].op != OCI_MASKED_EQ;
	return order;
}

static bool is_wide(const struct oci_rule *r)
{
	for (uint32_t i = 0; i < r->nargs; i++)
		if (r->args[i].value >> 31)
			return true;
	return r->nargs > 1;
}

/*
 * Calls with several entries that compare by order, on two arguments or with large values: no other
 * shape was seen to come out wrong.
 */
static void find_suspects(struct lint *l, struct group *out)
{
	enum { SUSPECTS_MAX = 64 };
	struct group once = GROUP(l);

	vec_each(&l->profile->rules, r)
		if (has_order(r) && is_wide(r) && !group_add(&once, r->name, r->span) &&
		    out->hits.n < SUSPECTS_MAX)
			group_add(out, r->name, r->span);
}

static const struct diag *find_told(const struct diags *ds)
{
	vec_each(&ds->list, d)
		if ((*d)->id == DIAG_PL266)
			return *d;
	return NULL;
}

static void ask_library(struct lint *l, enum diag_id id, const struct hit *call)
{
	struct oci_asked_calls asked = { &call->text, 1 };
	struct oci_load_options opt = { .runtime = *l->runtime, .asked = &asked };
	struct diags *own = diags_new(l->arena, l->ds->sources);
	struct dd *dd = dd_new(l->arena, FACTS_NODES);
	struct oci_loaded held;
	const struct diag *told;
	struct diag *d;

	opt.env.host_known = true;
	opt.env.host = l->profile->host;
	oci_load(l->arena, dd, l->root, &opt, &held, own);
	told = find_told(own);
	if (!told)
		return;
	d = diag_add(l->ds, id, call->span, "%s", told->text);
	vec_each(&told->labels, label)
		diag_note(l->ds, d, call->span, "%s", label->text);
	diag_help(l->ds, d,
		  "write the conditions with SCMP_CMP_EQ and SCMP_CMP_MASKED_EQ, so that no two of "
		  "them match one call; 'pale import' and 'pale compile' do it");
}

RULE(SC151, "built-otherwise", HIGH, JSON, sc_built_otherwise,
     "conditions of which the installed libseccomp builds a filter that they do not say",
     "Several entries for one call that compare by order, on two arguments or with values of 2^31 and "
     "more, can come out of libseccomp as a filter that answers otherwise than they do. Where entries of "
     "this shape stand, the installed library builds their filter in a child process, and all calls are "
     "compared; what is told is a call that it answers otherwise. Told where the runtime's library is "
     "the one that is installed here.\n\n"
     "Way out: equalities and masks, one entry a case; pale compile writes nothing else.")
void sc_built_otherwise(struct lint *l, enum diag_id id)
{
	struct group suspects = GROUP(l);

	if (!l->runtime || !l->profile->has_default || l->profile->stops || l->refused.hits.n)
		return;
	find_suspects(l, &suspects);
	vec_each(&suspects.hits, call)
		ask_library(l, id, call);
}

/* ---- how long it gets ---- */

enum { KERNEL_MAX = 4096 }; /* BPF_MAXINSNS, include/uapi/linux/bpf_common.h */

/* Conditions of which each needs a comparison of its own, wherever else it stands, too. */
struct compared {
	VEC(uint64_t) keys;
	struct table table;
};

/* == and != are one comparison and its reverse, as are < and >=, and > and <=. */
static uint64_t key_of(const struct oci_arg *a)
{
	static const uint8_t kinds[OCI_OP_NR] = {
		[OCI_EQ] = 0, [OCI_NE] = 0, [OCI_LT] = 1,       [OCI_GE] = 1,
		[OCI_GT] = 2, [OCI_LE] = 2, [OCI_MASKED_EQ] = 3
	};
	uint64_t what[] = { a->index, kinds[a->op], a->value & UINT32_MAX, a->mask & UINT32_MAX };

	return hash_bytes(HASH_START, what, sizeof(what));
}

static void add_compared(struct arena *a, struct compared *c, uint64_t key)
{
	struct table_walk w = table_start(key);

	if (table_next(&c->table, &w) != TABLE_END)
		return;
	table_add(a, &c->table, key, c->keys.n);
	vec_push(a, &c->keys, key);
}

/* Of rules that are always in force, of one condition: of others the parts may be shared. */
static bool counts(const struct lint *l, const struct oci_rule *r, unsigned arch)
{
	const struct oci_entry *e = &l->profile->entries.v[r->entry];

	return r->nargs == 1 && !r->dropped && !r->limits && !entry_gated(e) && !e->is_default &&
	       r->arches & arch;
}

RULE(SC149, "filter-size", ERROR, JSON, sc_filter_size,
     "more conditions than the kernel takes instructions",
     "The kernel takes filters of 4096 instructions at most, and libseccomp makes at least one of each "
     "different condition: runc and crun stop with 'error loading seccomp filter', and no container "
     "starts (seccomp_load of 2.5.4: 4,000 conditions on one argument load, 4,096 end in ECANCELED). "
     "Counted are conditions that stand alone in their entry, are always in force and differ in argument, "
     "comparison or value; of entries with several it shares parts, and they are not counted, so that a "
     "profile of which this is not told may still be too long.\n\n"
     "Way out: SCMP_CMP_MASKED_EQ or a range for values that lie together.")
void sc_filter_size(struct lint *l, enum diag_id id)
{
	size_t most = 0;
	struct diag *d;

	if (l->profile->rules.n < KERNEL_MAX || l->profile->stops || l->refused.hits.n)
		return;
	for (unsigned a = 0; a < ARCH_NR; a++) {
		struct compared c = { .keys = { .v = NULL } };

		vec_each(&l->profile->rules, r)
			if (counts(l, r, ARCH_BIT(a)))
				add_compared(l->arena, &c, key_of(r->args));
		most = c.keys.n > most ? c.keys.n : most;
	}
	if (most < KERNEL_MAX)
		return;
	d = diag_add(
		l->ds, id, l->facts ? l->facts->dflt_span : l->profile->rules.v[0].span,
		"%zu different conditions: libseccomp makes more than the %d instructions of it "
		"that the kernel takes, and no container starts",
		most, KERNEL_MAX);
	diag_help(l->ds, d, "write SCMP_CMP_MASKED_EQ or a range for values that lie together");
}
