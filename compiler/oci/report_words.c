/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with one value or key: its type, number or word. */
#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/report.h"
#include "grammar/json_cut.h"

/* ---- types and numbers ---- */

static struct diag *tell_type(struct report *r, const struct oci_fault *f)
{
	const char *is = "of another type";
	struct str text = span_text(r->ds->sources, f->span);

	if (text.n)
		is = json_kind_name(text.p[0] == '"'                     ? JSON_STRING :
				    text.p[0] == '['                     ? JSON_ARRAY :
				    text.p[0] == '{'                     ? JSON_OBJECT :
				    text.p[0] == 't' || text.p[0] == 'f' ? JSON_BOOL :
				    text.p[0] == 'n'                     ? JSON_NULL :
									   JSON_NUMBER);
	struct diag *d = REPORT(
		r, f, "'%s' wants %s here, and this is %s: the readers refuse the whole profile",
		f->key, json_kind_name(f->want), is);
	diag_help(r->ds, d, "write %s", json_kind_name(f->want));
	return d;
}

static struct diag *tell_number(struct report *r, const struct oci_fault *f)
{
	struct str text = span_text(r->ds->sources, f->span);
	struct diag *d =
		REPORT(r, f,
		       "'%s' must be a whole number from 0 to 2^64-1, and '" PRISTR "' is not: the "
		       "readers refuse the whole profile",
		       f->key, STRARG(text));
	bool number = text.n && text.p[0] != '"' && text.p[0] != '[' && text.p[0] != '{';
	long long n = 0;

	if (number && text.n < 20 && text.p[0] == '-' && sscanf(text.p, "%lld", &n) == 1 && n < 0) {
		diag_help(r->ds, d, "a negative argument of 32 bits is written as %u", (uint32_t)n);
		diag_fix(r->ds, d, f->span, str_c(arena_printf(r->ds->arena, "%u", (uint32_t)n)));
	} else if (text.n && text.p[0] == '"' && strstr(f->key, "rrnoRet"))
		diag_help(r->ds, d, "the number, without quotes: ENOSYS is 38, EPERM is 1");
	else
		diag_help(r->ds, d, "write it in decimal, without quotes, point or exponent");
	return d;
}

static struct diag *tell_kernel(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f,
		       "minKernel is \"MAJOR.MINOR\", and " PRISTR " is not: Docker refuses the "
		       "profile",
		       STRARG(span_text(r->ds->sources, f->span)));

	diag_help(r->ds, d, "write it as a string of two numbers: \"4.8\"");
	return d;
}

/* ---- words ---- */

static struct diag *tell_no_default(struct report *r, const struct oci_fault *f)
{
	struct diag *d;

	if (r->stopped)
		d = REPORT(r, f, "no defaultAction: runc and crun refuse to start the container");
	else
		d = REPORT(r, f,
			   "no defaultAction and no rule: Docker takes this for no seccomp at all, "
			   "and runs the container unconfined");
	diag_help(r->ds, d, "add \"defaultAction\": \"SCMP_ACT_ERRNO\"");
	if (r->stopped)
		json_fix_member(r->ds, d, r->p->json, "\"defaultAction\": \"SCMP_ACT_ERRNO\"");
	return d;
}

static struct diag *tell_action(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f, "no runtime knows the action '" PRISTR "'%s", STRARG(f->word),
				report_outcome(r));
	struct suggest near;

	suggest_start(&near, f->word);
	for (const struct oci_action *a = oci_actions; a->name; a++)
		suggest_offer(&near, str_c(a->name));
	report_near(r, d, f, &near,
		    "SCMP_ACT_ALLOW, _ERRNO, _KILL_PROCESS, _KILL_THREAD, _LOG, _TRAP, _TRACE and "
		    "_NOTIFY are known");
	return d;
}

static struct diag *tell_no_action(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(r, f, "this entry has no action%s", report_outcome(r));

	diag_help(r->ds, d, "add \"action\": \"SCMP_ACT_ALLOW\" (or what is meant)");
	return d;
}

static struct diag *tell_arch(struct report *r, const struct oci_fault *f)
{
	const char *who = r->stopped ? report_runtime(r) : "no runtime";
	struct diag *d = REPORT(r, f, "%s knows %s architecture '" PRISTR "'%s", who,
				r->stopped ? "no" : "the", STRARG(f->word), report_outcome(r));
	int a = arch_find(f->word);
	struct suggest near;

	if (oci_arch_word_find(f->word)) {
		diag_help(r->ds, d, "leave it out, or use a runtime that knows it");
		report_cut(r, d, f, FIX_UNSAFE);
		return d;
	}
	if (a >= 0) {
		diag_help(r->ds, d, "write \"%s\"", arch_info((enum arch)a)->oci);
		diag_fix_word(r->ds, d, f->span, f->word, str_c(arch_info((enum arch)a)->oci));
		return d;
	}
	suggest_start(&near, f->word);
	for (const struct oci_arch_word *w = oci_arch_words; w->name; w++)
		if (w->runc != OCI_NEVER)
			suggest_offer(&near, str_c(w->name));
	report_near(r, d, f, &near, "names look like SCMP_ARCH_X86_64 and SCMP_ARCH_AARCH64");
	return d;
}

static struct diag *tell_byte_order(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f,
		"'" PRISTR "' has another byte order than %s: no filter holds both, and there "
		"the container does not start (\"numerical argument out of domain\")",
		STRARG(f->word), arch_info((enum arch)f->number)->name);

	diag_help(r->ds, d, "leave it out; for another machine than %s name that one with '--host'",
		  arch_info((enum arch)f->number)->name);
	report_cut(r, d, f, FIX_UNSAFE);
	return d;
}

static struct diag *tell_operator(struct report *r, const struct oci_fault *f)
{
	struct diag *d;
	struct suggest near;

	if (f->word.n)
		d = REPORT(r, f, "no runtime knows the operator '" PRISTR "'%s", STRARG(f->word),
			   report_outcome(r));
	else
		d = REPORT(r, f, "a comparison without an operator%s", report_outcome(r));
	suggest_start(&near, f->word);
	for (int i = 0; i < OCI_OP_NR; i++)
		suggest_offer(&near, str_c(oci_op_names[i]));
	report_near(r, d, f, &near,
		    "SCMP_CMP_EQ, _NE, _LT, _LE, _GT, _GE and _MASKED_EQ are known");
	return d;
}

static struct diag *tell_flag(struct report *r, const struct oci_fault *f)
{
	bool known = false;
	struct suggest near;

	suggest_start(&near, f->word);
	for (const char *const *name = oci_flag_names; *name; name++) {
		known |= str_is(f->word, *name);
		suggest_offer(&near, str_c(*name));
	}
	struct diag *d = REPORT(r, f, "%s knows %s flag '" PRISTR "'%s",
				known ? report_runtime(r) : "no runtime", known ? "no" : "the",
				STRARG(f->word), report_outcome(r));
	if (known)
		near.best = (struct str){ 0 };
	report_near(r, d, f, &near,
		    known ? "leave it out" :
			    "SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW, _TSYNC and "
			    "_WAIT_KILLABLE_RECV are known");
	if (known)
		report_cut(r, d, f, FIX_UNSAFE);
	return d;
}

static struct diag *tell_flags(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f, "runc before 1.2 refuses a profile with 'flags'%s", report_outcome(r));

	diag_help(r->ds, d,
		  "leave them out, or name the runtime that loads it: '--runtime docker-28.5'");
	report_cut(r, d, f, FIX_UNSAFE);
	return d;
}

static struct diag *tell_arch_and_map(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		REPORT(r, f, "both 'architectures' and 'archMap': Docker refuses the profile");

	diag_note(r->ds, d, f->other, "the other");
	diag_help(r->ds, d, "keep archMap: it follows the machine; architectures does not");
	report_cut(r, d, f, FIX_UNSAFE);
	return d;
}

static struct diag *tell_map_row(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f, "a row of archMap without 'architecture' is no machine's: it is skipped");

	diag_help(r->ds, d, "name the machine: \"architecture\": \"SCMP_ARCH_X86_64\"");
	report_cut(r, d, f, FIX_SAFE);
	return d;
}

static struct diag *tell_arch_left(struct report *r, const struct oci_fault *f)
{
	return REPORT(r, f, "'" PRISTR "' is left out: pale has no table for it", STRARG(f->word));
}

static struct diag *tell_arch_added(struct report *r, const struct oci_fault *f)
{
	return REPORT(r, f,
		      "'" PRISTR
		      "' is added: runtimes always decide the machine's own architecture",
		      STRARG(f->word));
}

/* ---- keys and bytes that two readers take differently ---- */

static struct diag *tell_key_merged(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f,
		"'" PRISTR
		"' stands twice in one object, and not as a word, a number or words each time: "
		"Docker and runc read the second into what the first has left, element by element, "
		"or refuse either; other readers take one: no answer holds for this file",
		STRARG(f->word));

	diag_note(r->ds, d, f->other, "the first");
	diag_help(r->ds, d, "keep one; unite what both say");
	return d;
}

static struct diag *tell_nul_byte(struct report *r, const struct oci_fault *f)
{
	struct diag *d = REPORT(
		r, f,
		"'" PRISTR
		"' has a NUL byte in it: libseccomp and crun, which are written in C, end "
		"the word there, and readers written in Go do not: no answer holds for this file",
		STRARG(f->word));

	diag_help(r->ds, d, "take \\u0000 out, and what stands behind it if that is not meant");
	return d;
}

static struct diag *tell_key_of_crun(struct report *r, const struct oci_fault *f)
{
	struct diag *d;

	if (f->key) {
		d = REPORT(r, f,
			   "crun knows no '" PRISTR
			   "', and readers written in Go take it for '%s': no answer "
			   "holds for this file",
			   STRARG(f->word), f->key);
		diag_fix(r->ds, d, f->span, str_c(arena_printf(r->ds->arena, "\"%s\"", f->key)));
		return d;
	}
	d = REPORT(r, f,
		   "'" PRISTR
		   "' stands twice in one object: crun takes the first or the last, as the JSON "
		   "library that it was built with does: no answer holds for this file",
		   STRARG(f->word));
	diag_note(r->ds, d, f->other, "the first");
	diag_help(r->ds, d, "keep one; unite what both say");
	return d;
}

tell_fn *const oci_tell_words[OCI_FAULT_NR] = {
	[OCI_FAULT_NUMBER] = tell_number,
	[OCI_FAULT_NO_DEFAULT] = tell_no_default,
	[OCI_FAULT_ACTION] = tell_action,
	[OCI_FAULT_NO_ACTION] = tell_no_action,
	[OCI_FAULT_ARCH] = tell_arch,
	[OCI_FAULT_OPERATOR] = tell_operator,
	[OCI_FAULT_FLAG] = tell_flag,
	[OCI_FAULT_ARCH_AND_MAP] = tell_arch_and_map,
	[OCI_FAULT_KERNEL] = tell_kernel,
	[OCI_FAULT_TYPE] = tell_type,
	[OCI_FAULT_KEY_MERGED] = tell_key_merged,
	[OCI_FAULT_KEY_OF_CRUN] = tell_key_of_crun,
	[OCI_FAULT_NUL_BYTE] = tell_nul_byte,
	[OCI_FAULT_BYTE_ORDER] = tell_byte_order,
	[OCI_FAULT_FLAGS] = tell_flags,
	[OCI_FAULT_MAP_ROW] = tell_map_row,
	[OCI_FAULT_ARCH_LEFT] = tell_arch_left,
	[OCI_FAULT_ARCH_ADDED] = tell_arch_added,
};
