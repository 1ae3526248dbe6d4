/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of a JSON profile as diagnostics: the same words, id and severity in every command. */
#include "compiler/base/bug.h"
#include "compiler/oci/report.h"

static const struct {
	enum diag_id id;
	enum severity severity;
} facts[OCI_FAULT_NR] = {
#define FAULT(kind, id, severity) [OCI_FAULT_##kind] = { DIAG_##id, SEVERITY_##severity },
#include "compiler/oci/faults.def"
#undef FAULT
};

static bool stops(const struct report *r, const struct oci_fault *f)
{
	return f->stops && (f->entry == OCI_NO_ENTRY || !r->env ||
			    oci_gate_open(r->p->entries.v[f->entry].gate, r->env));
}

bool oci_is_asked(const struct oci_profile *p, struct str name)
{
	bool found = !p->asked;

	for (size_t i = 0; !found && i < p->asked->n; i++)
		found = str_eq(p->asked->names[i], name);
	return found;
}

/* Entries that name calls, all of which are known and none asked for, themselves or by what
 * libseccomp makes of them. */
static const bool *find_anothers(const struct oci_profile *p, struct arena *a)
{
	bool *anothers = ARENA_ARRAY(a, bool, p->entries.n + 1);

	for (size_t i = 0; i < p->entries.n; i++) {
		const struct oci_entry *e = &p->entries.v[i];
		anothers[i] = e->names.n;
		vec_each(&e->names, n)
			anothers[i] = anothers[i] && n->sys && !oci_is_asked(p, n->text);
	}
	vec_each(&p->rules, r)
		anothers[r->entry] = anothers[r->entry] && !oci_is_asked(p, r->name);
	return anothers;
}

/* About what an entry says of its calls, with which the container starts; not about the text. */
static bool is_of_calls(enum oci_fault_kind kind)
{
	static const enum oci_fault_kind kinds[] = {
		OCI_FAULT_REPEATED,   OCI_FAULT_REPEATED_EQUAL, OCI_FAULT_DEFAULT_AGAIN,
		OCI_FAULT_VALUE_TWO,  OCI_FAULT_LOSSY,          OCI_FAULT_IDLE_ERRNO,
		OCI_FAULT_HOST,       OCI_FAULT_ERRNO_RANGE,    OCI_FAULT_ERRNO_ZERO,
		OCI_FAULT_CAPABILITY,
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

static bool is_silent(const struct report *r, const struct oci_fault *f)
{
	return r->anothers && f->entry != OCI_NO_ENTRY && r->anothers[f->entry] && !stops(r, f) &&
	       is_of_calls(f->kind);
}

static void tell_each(struct report *r, enum oci_fault_kind kind)
{
	tell_fn *tell = oci_tell_words[kind] ? oci_tell_words[kind] : oci_tell_entries[kind];

	vec_each(&r->p->faults, f) {
		if (f->kind != kind || is_silent(r, f))
			continue;
		r->id = facts[kind].id;
		r->stopped = stops(r, f);
		r->severity = r->stopped ? SEVERITY_ERROR : facts[kind].severity;
		tell(r, f);
	}
}

static void tell_group(struct report *r, enum oci_fault_kind kind)
{
	struct group g = { .arena = r->ds->arena };
	const struct oci_fault *first = NULL;

	vec_each(&r->p->faults, f) {
		if (f->kind != kind || is_silent(r, f))
			continue;
		first = first ? first : f;
		group_add(&g, f->word, f->span);
	}
	if (!first)
		return;
	r->stopped = false;
	r->id = facts[kind].id;
	r->severity = facts[kind].severity;
	group_labels(r->ds, oci_tell_groups[kind](r, first, &g), &g);
}

bool oci_report(const struct oci_profile *p, const struct environment *env, struct diags *ds)
{
	struct report r = { .p = p, .env = env, .ds = ds };
	bool stopped = p->stops || p->unusable;

	r.anothers = p->asked ? find_anothers(p, ds->arena) : NULL;
	for (int i = 0; i < OCI_FAULT_NR; i++) {
		enum oci_fault_kind kind = (enum oci_fault_kind)i;
		if (!p->nfaults[kind])
			continue;
		if (oci_tell_groups[kind])
			tell_group(&r, kind);
		else
			tell_each(&r, kind);
	}
	vec_each(&p->entries, e)
		stopped |= e->stops && (!env || oci_gate_open(e->gate, env));
	return !stopped;
}
