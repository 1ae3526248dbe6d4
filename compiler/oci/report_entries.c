/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with an entry, or with one thing beside another. */
#include <string.h>

#include "compiler/oci/report.h"

/* ---- entries ---- */

static struct diag *tell_name_and_names(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f, "both 'name' and 'names' in one entry: Docker refuses the profile");

	diag_note(r->ds, d, f->other, "the other");
	diag_help(r->ds, d, "move \"" PRISTR "\" into names", STRARG(f->word));
	return d;
}

static struct diag *tell_name_unread(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f,
		"Docker and Podman read 'name', and no runtime does: in a config.json this entry "
		"says nothing of '" PRISTR "' (crun does not start a container with it)",
		STRARG(f->word));

	diag_help(r->ds, d, "write \"names\": [\"" PRISTR "\"]", STRARG(f->word));
	return d;
}

static struct diag *tell_empty_name(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f, "an empty name: %s",
		r->stopped ? "runc does not start the container (\"empty string is not a valid "
			     "syscall\")" :
			     "runc would not start the container; here it does nothing");

	diag_help(r->ds, d, "remove it");
	report_cut(r, d, f, FIX_SAFE);
	return d;
}

static struct diag *tell_no_names(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f, "this entry names no call: %s",
				r->stopped ? "crun wants 'names' and does not start the container" :
					     "it does nothing");

	diag_help(r->ds, d, "name the calls, or remove the entry");
	/* Without the list itself its key may be misspelt. */
	if (f->entry != OCI_NO_ENTRY && oci_member(r->p->entries.v[f->entry].json, "names")) {
		oci_fix_cut_at(r->p, r->ds, d, r->p->entries.v[f->entry].json->span);
		diag_fix_means(d, FIX_SAFE, d->severity == SEVERITY_ERROR ? FIX_READ : FIX_SAME);
	}
	return d;
}

static struct diag *tell_arg_index(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f, "a call has six arguments, 0 to 5, and none has index " PRISTR "%s",
		       STRARG(f->word), report_outcome(r));

	diag_help(r->ds, d, "the first argument has index 0");
	return d;
}

static struct diag *tell_repeated(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f,
		"two conditions on one argument of '" PRISTR "': runc and crun make each "
		"condition of this entry a rule of its own, so that any one of them is enough",
		STRARG(f->word));

	diag_help(r->ds, d, "%s",
		  f->kind == OCI_FAULT_REPEATED_EQUAL ?
			  "write an entry for each value" :
			  "a range cannot be said as one entry: list values, or masks");
	return d;
}

static struct diag *tell_value_two(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f,
				"valueTwo is read with SCMP_CMP_MASKED_EQ alone; with " PRISTR
				" it does nothing",
				STRARG(f->word));

	diag_help(r->ds, d, "remove it; a range takes two entries");
	report_cut(r, d, f, FIX_SAFE);
	return d;
}

static struct diag *tell_host(struct report *r, const struct oci_fault *f)
{
	int a = oci_arch_find(f->word);
	const char *go = "";

	a = a < 0 ? arch_find(f->word) : a;
	if (a >= 0)
		go = arch_info((enum arch)a)->go;
	struct diag *d =
		REPORT(r, f, "'" PRISTR "' is never the name of a host here: it %s nothing",
		       STRARG(f->word), f->key);
	diag_help(r->ds, d, "these are Go's names%s%s: amd64, arm64, s390x, ...",
		  *go ? ", here " : "", go);
	if (*go) {
		diag_fix_word(r->ds, d, f->span, f->word, str_c(go));
		diag_fix_means(d, FIX_UNSAFE, FIX_OTHER);
	}
	return d;
}

static struct diag *tell_capability(struct report *r, const struct oci_fault *f)
{
	bool includes = !strcmp(f->key, "includes");
	struct diag *d = REPORT(
		r, f,
		"'" PRISTR "' never equals a capability, so that %s: Docker compares the text "
		"with names like CAP_SYS_ADMIN",
		STRARG(f->word), includes ? "this entry is never in force" : "it excludes nothing");
	int cap = capability_find(f->word);

	if (cap < 0)
		return d;
	char *name = arena_strdup(r->ds->arena, capability_name((unsigned)cap));
	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	name = arena_printf(r->ds->arena, "CAP_%s", name);
	diag_help(r->ds, d, "write \"%s\"", name);
	diag_fix_word(r->ds, d, f->span, f->word, str_c(name));
	diag_fix_means(d, FIX_UNSAFE, FIX_OTHER);
	return d;
}

static struct diag *tell_null_item(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f,
				"a null in '%s': crun 1.28 gives up on the profile there without a "
				"word, and the container runs with no filter at all",
				f->key);

	diag_help(r->ds, d, "remove it");
	return d;
}

static struct diag *tell_default_again(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f, "this entry has no effect: its action is the default, which runtimes skip");

	if (f->entry != OCI_NO_ENTRY) {
		oci_fix_cut_at(r->p, r->ds, d, r->p->entries.v[f->entry].json->span);
		diag_fix_means(d, FIX_SAFE, FIX_SAME);
	}
	return d;
}

/* ---- errno ---- */

static struct diag *tell_idle_errno(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f,
				"'%s' with " PRISTR
				": the specification says that a runtime must refuse this; "
				"crun does, runc skips it",
				f->key, STRARG(f->word));

	diag_help(r->ds, d, "remove %s, or use SCMP_ACT_ERRNO", f->key);
	report_cut(r, d, f, FIX_SAFE);
	return d;
}

static struct diag *tell_errno_range(struct report *r, const struct oci_fault *f)
{
	struct diag *d;

	if (r->stopped && f->number > UINT32_MAX && r->p->runtime.kind == OCI_CRUN)
		d = REPORT(r, f, "crun reads '%s' as a number of 32 bits, and %ju is none%s",
			   f->key, (uintmax_t)f->number, report_outcome(r));
	else if (r->stopped || f->number <= UINT16_MAX)
		d = REPORT(r, f, "libseccomp takes no errno above %d, and this is %ju%s%s",
			   OCI_ERRNO_MAX, (uintmax_t)f->number,
			   f->number > UINT16_MAX ? " (cut to 16 bits, as runtimes do)" : "",
			   report_outcome(r));
	else
		d = REPORT(r, f, "runtimes cut this number to 16 bits and make %u of it",
			   (unsigned)(uint16_t)f->number);
	diag_help(r->ds, d, "EPERM is 1, ENOSYS is 38");
	return d;
}

static struct diag *tell_errno_zero(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f,
		"%serrno 0 is success: the call is not made, and the program believes that it "
		"was (a setuid() that keeps root)",
		f->number ? "runtimes cut this number to 16 bits, which leaves 0; " : "");

	diag_help(r->ds, d, "EPERM is 1, ENOSYS is 38");
	diag_fix(r->ds, d, f->span, STR("1"));
	diag_fix_means(d, FIX_UNSAFE, FIX_ERRNO);
	return d;
}

static struct diag *tell_podman_other(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f,
				"Podman answers '" PRISTR
				"', Docker the number beside it (%ju), and they differ",
				STRARG(f->word), (uintmax_t)f->number);

	diag_help(r->ds, d, "make both say the same");
	return d;
}

static struct diag *tell_podman_here(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f,
				"on %s Podman answers '" PRISTR
				"', and Docker the number beside it, %ju: read as Podman does",
				arch_info(r->p->host)->name, STRARG(f->word), (uintmax_t)f->number);

	diag_help(r->ds, d, "nothing need be done for other machines");
	return d;
}

static struct diag *tell_podman_word(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f,
		"'" PRISTR "' is no errno: Podman refuses the profile, and others skip the key "
		"'%s' and answer %ju",
		STRARG(f->word), f->key, (uintmax_t)f->number);
	struct suggest near;

	suggest_start(&near, f->word);
	constant_suggest("errno", &near);
	report_near(r, d, f, &near, "names look like EPERM and ENOSYS");
	return d;
}

static struct diag *tell_podman_idle(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f, "'%s' says nothing with " PRISTR, f->key, STRARG(f->word));

	diag_help(r->ds, d, "remove it, or use SCMP_ACT_ERRNO");
	report_cut(r, d, f, FIX_SAFE);
	return d;
}

/* ---- notify, and pale's own bounds ---- */

static struct diag *tell_metadata(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f, "listenerMetadata without listenerPath: the specification forbids it");

	diag_help(r->ds, d, "add listenerPath, or remove this");
	report_cut(r, d, f, FIX_SAFE);
	return d;
}

static struct diag *tell_no_listener(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f, "SCMP_ACT_NOTIFY without listenerPath: nobody is there to answer%s",
		       r->stopped ? ", and runc does not start the container" : "");

	diag_help(r->ds, d, "add \"listenerPath\": \"/path/to/socket\"");
	return d;
}

static struct diag *tell_notify_default(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f, "SCMP_ACT_NOTIFY as the default: runc refuses it%s",
				report_outcome(r));

	diag_help(r->ds, d, "name the calls to be notified about");
	return d;
}

static struct diag *tell_notify_write(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f,
		       "SCMP_ACT_NOTIFY for write: runc needs it to hand over the listener, and "
		       "refuses this%s",
		       report_outcome(r));

	diag_help(r->ds, d, "leave write out");
	report_cut(r, d, f, FIX_UNSAFE);
	return d;
}

static struct diag *tell_too_many(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f, "more than %ju %s in one profile: pale reads no further",
				(uintmax_t)f->number, f->key);

	diag_help(r->ds, d, "entries with the same action and conditions can be one");
	return d;
}

tell_fn *const oci_tell_entries[OCI_FAULT_NR] = {
	[OCI_FAULT_NAME_AND_NAMES] = tell_name_and_names,
	[OCI_FAULT_NAME_UNREAD] = tell_name_unread,
	[OCI_FAULT_EMPTY_NAME] = tell_empty_name,
	[OCI_FAULT_NO_NAMES] = tell_no_names,
	[OCI_FAULT_ARG_INDEX] = tell_arg_index,
	[OCI_FAULT_IDLE_ERRNO] = tell_idle_errno,
	[OCI_FAULT_ERRNO_RANGE] = tell_errno_range,
	[OCI_FAULT_ERRNO_ZERO] = tell_errno_zero,
	[OCI_FAULT_HOST] = tell_host,
	[OCI_FAULT_CAPABILITY] = tell_capability,
	[OCI_FAULT_VALUE_TWO] = tell_value_two,
	[OCI_FAULT_METADATA] = tell_metadata,
	[OCI_FAULT_NO_LISTENER] = tell_no_listener,
	[OCI_FAULT_PODMAN_OTHER] = tell_podman_other,
	[OCI_FAULT_PODMAN_HERE] = tell_podman_here,
	[OCI_FAULT_PODMAN_WORD] = tell_podman_word,
	[OCI_FAULT_PODMAN_IDLE] = tell_podman_idle,
	[OCI_FAULT_REPEATED] = tell_repeated,
	[OCI_FAULT_NULL_ITEM] = tell_null_item,
	[OCI_FAULT_DEFAULT_AGAIN] = tell_default_again,
	[OCI_FAULT_REPEATED_EQUAL] = tell_repeated,
	[OCI_FAULT_NOTIFY_DEFAULT] = tell_notify_default,
	[OCI_FAULT_NOTIFY_WRITE] = tell_notify_write,
	[OCI_FAULT_TOO_MANY] = tell_too_many,
};
