/* SPDX-License-Identifier: Apache-2.0 */
/* SC: what the named runtime's libseccomp makes of a profile. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/decision.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"

/* ---- names that it does not know ---- */

static bool is_call_here(const struct lint *l, const struct oci_word *n)
{
	unsigned declared = l->profile->declared ? l->profile->declared : l->profile->arches;

	for (unsigned a = 0; n->sys && a < ARCH_NR; a++)
		if (declared & ARCH_BIT(a) && n->sys->nr[a] >= 0)
			return true;
	return false;
}

/* Calls of entries that permit, or of those that refuse, whose names the library lacks. */
static void collect_dropped(struct lint *l, bool permits, struct group *out)
{
	vec_each(&l->profile->entries, e) {
		if (!e->readable || e->is_default || entry_permits(e) != permits)
			continue;
		vec_each(&e->names, n)
			if (is_call_here(l, n) && !oci_name_known(l->runtime, n->text))
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
