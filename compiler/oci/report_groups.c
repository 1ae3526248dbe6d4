/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of which all of one kind are one message; none of them stops a container. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/report.h"
#include "grammar/json_cut.h"

static struct diag *tell_keys(struct report *r, const struct oci_fault *f, struct group *g)
{
	static const char *const *const all[] = { oci_profile_keys, oci_entry_keys, oci_arg_keys,
						  oci_gate_keys, oci_row_keys };
	struct suggest near;

	suggest_start(&near, f->word);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (const char *const *k = all[i]; *k; k++)
			suggest_offer(&near, str_c(*k));
	struct diag *d =
		REPORT(r, f, "no runtime reads the %s %s here: %s skipped in silence",
		       PLURAL(*g, "key", "keys"), group_list(g), PLURAL(*g, "it is", "they are"));
	report_near(r, d, f, &near, "remove it; the place for a remark is an entry's \"comment\"");
	if (d->fix.edits.n)
		diag_fix_means(d, FIX_UNSAFE, d->severity == SEVERITY_ERROR ? FIX_READ : FIX_OTHER);
	else if (!near.best.p && g->hits.n == 1)
		report_cut(r, d, f, FIX_SAFE);
	return d;
}

static struct diag *tell_key_twice(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = REPORT(
		r, f,
		"%s %s twice in one object: Docker and runc take the last value (null, where "
		"it stands for a word or a number, leaves the one before), other readers the first",
		group_list(g), PLURAL(*g, "stands", "stand"));

	diag_help(r->ds, d, "keep one; unite what both say");
	return d;
}

static struct diag *tell_key_same(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = REPORT(r, f, "%s %s twice in one object, and both say the same",
				group_list(g), PLURAL(*g, "stands", "stand"));

	diag_help(r->ds, d, "keep one");
	if (g->hits.n == 1)
		report_cut(r, d, f, FIX_SAFE);
	return d;
}

static struct diag *tell_key_case(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = REPORT(
		r, f, "%s %s differently from the specification: Go folds case, crun and jq do not",
		group_list(g), PLURAL(*g, "is spelt", "are spelt"));

	diag_help(r->ds, d, "use the specification's spelling");
	vec_each(&r->p->faults, k)
		if (k->kind == OCI_FAULT_KEY_CASE)
			diag_fix(r->ds, d, k->span,
				 str_c(arena_printf(r->ds->arena, "\"%s\"", k->key)));
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
	return d;
}

static struct diag *tell_lossy(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d =
		REPORT(r, f,
		       "%s %s no double: tools that hold numbers as doubles (jq 1.6, JavaScript) "
		       "change %s when they rewrite this file",
		       group_list(g), PLURAL(*g, "fits", "fit"), PLURAL(*g, "it", "them"));

	diag_help(r->ds, d, "edit this file only with tools that keep 64-bit integers");
	return d;
}

static struct diag *tell_old_name(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = REPORT(
		r, f,
		"'name' is Docker's form of before 2016, which Docker, Podman and CRI-O read, and "
		"runc and crun do not: %s",
		group_list(g));

	diag_help(r->ds, d, "write \"names\": [...]");
	vec_each(&r->p->faults, k) {
		const struct json *name;
		if (k->kind != OCI_FAULT_OLD_NAME || k->entry == OCI_NO_ENTRY)
			continue;
		name = oci_member(r->p->entries.v[k->entry].json, "name");
		diag_fix(r->ds, d, name->key_span, STR("\"names\""));
		diag_fix(r->ds, d, name->span,
			 str_c(arena_printf(r->ds->arena, "[" PRISTR "]",
					    STRARG(span_text(r->ds->sources, name->span)))));
	}
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
	return d;
}

/* In front of the entry's members, or the profile's: of the first of them alone. */
static void write_number(struct report *r, struct diag *d, const struct oci_fault *f,
			 const char *key)
{
	const struct json *of =
		f->entry == OCI_NO_ENTRY ? r->p->json : r->p->entries.v[f->entry].json;

	json_fix_member(r->ds, d, of,
			arena_printf(r->ds->arena, "\"%s\": %ju", key, (uintmax_t)f->number));
	diag_fix_means(d, FIX_UNSAFE, FIX_SAME); /* to Podman, as whose file it is read */
}

static struct diag *tell_podman(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = REPORT(
		r, f,
		"Podman alone reads the errno by name, %s: Docker, containerd, runc and crun skip "
		"it and answer EPERM",
		group_list(g));

	const char *key = strcmp(f->key, "errno") ? "defaultErrnoRet" : "errnoRet";
	diag_help(r->ds, d, "write the number too: \"%s\": %ju", key, (uintmax_t)f->number);
	if (g->hits.n == 1)
		write_number(r, d, f, key);
	return d;
}

static struct diag *tell_dialect(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = REPORT(
		r, f,
		"Docker resolves %s before it writes a config.json; a runtime skips %s here, and "
		"the rules apply always",
		group_list(g), PLURAL(*g, "it", "them"));

	diag_help(r->ds, d, "write out what holds for this container");
	return d;
}

/* As new calls are named for old ones: f before it, a digit behind it. */
static bool is_variant(struct str word, struct str of)
{
	bool digit = word.n && word.p[word.n - 1] >= '0' && word.p[word.n - 1] <= '9';

	return word.n == of.n + 1 && ((word.p[0] == 'f' && !memcmp(word.p + 1, of.p, of.n)) ||
				      (digit && !memcmp(word.p, of.p, of.n)));
}

static struct diag *tell_strangers(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = REPORT(
		r, f,
		"%s: newer than Linux %u.%u, or misspelt: no libseccomp up to " LIBSECCOMP_NEWEST
		" knows %s, runc leaves %s out without a word, and the default answers",
		group_list(g), tables_level >> 8, tables_level & 0xff, PLURAL(*g, "it", "them"),
		PLURAL(*g, "it", "them"));
	struct suggest near;

	suggest_start(&near, f->word);
	for (size_t i = 0; i < syscall_count(); i++)
		suggest_offer(&near, str_c(syscall_at(i)->name));
	/* One letter off may be a slip; two may as well be a call that pale does not know. */
	if (near.best.p && near.distance == 1 && !is_variant(f->word, near.best))
		diag_help(r->ds, d, "if '" PRISTR "' is meant, write that", STRARG(near.best));
	else
		diag_help(r->ds, d, "%s",
			  PLURAL(*g, "look the name up: a misspelt one neither allows nor refuses",
				 "look the names up: misspelt ones neither allow nor refuse"));
	return d;
}

static bool is_listed(const struct oci_profile *p, const char *name)
{
	vec_each(&p->entries, e)
		vec_each(&e->names, n)
			if (str_is(n->text, name))
				return true;
	return false;
}

static struct diag *tell_libc(struct report *r, const struct oci_fault *f, struct group *g)
{
	const char *help = "";
	struct diag *d = REPORT(
		r, f,
		"%s: %s of the C library or of older headers, and no system call of any Linux: %s "
		"nothing",
		group_list(g), PLURAL(*g, "a name", "names"), PLURAL(*g, "it does", "they do"));

	for (size_t i = 0; i < g->hits.n && i < 4; i++) {
		const char *real = syscall_alias(g->hits.v[i].text);
		help = arena_printf(r->ds->arena, "%s%s" PRISTR ": the call is %s (%s)", help,
				    i ? "; " : "", STRARG(g->hits.v[i].text), real,
				    is_listed(r->p, real) ? "listed already" : "not listed");
	}
	diag_help(r->ds, d, "%s", help);
	oci_fix_cut_words(r->p, r->ds, d, g, NULL);
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
	return d;
}

group_fn *const oci_tell_groups[OCI_FAULT_NR] = {
	[OCI_FAULT_KEY] = tell_keys,           [OCI_FAULT_KEY_TWICE] = tell_key_twice,
	[OCI_FAULT_KEY_SAME] = tell_key_same,  [OCI_FAULT_KEY_CASE] = tell_key_case,
	[OCI_FAULT_LOSSY] = tell_lossy,        [OCI_FAULT_OLD_NAME] = tell_old_name,
	[OCI_FAULT_PODMAN] = tell_podman,      [OCI_FAULT_DIALECT] = tell_dialect,
	[OCI_FAULT_STRANGER] = tell_strangers, [OCI_FAULT_LIBC] = tell_libc,
};
