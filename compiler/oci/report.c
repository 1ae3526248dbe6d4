/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of a JSON profile as diagnostics: the same words, id and severity in every command. */
#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/group.h"
#include "compiler/base/suggest.h"
#include "compiler/oci/profile.h"

struct report {
	const struct oci_profile *p;
	const struct environment *env;
	struct diags *ds;
	const bool *anothers;   /* by entry: it is about calls that nobody asks for; NULL: none */
	bool stopped;           /* with the fault being told no container starts ... */
	enum severity severity; /* ... and so it is this */
};

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

#define ADD(r, f, ...)                                                                             \
	diag_add_as((r)->ds, facts[(f)->kind].id, (r)->severity, (f)->span, __VA_ARGS__)

static const char *runtime_name(const struct report *r)
{
	return r->p->runtime.kind == OCI_CRUN ? "crun" : "runc";
}

/* What becomes of the container: the end of a sentence. */
static const char *outcome(const struct report *r)
{
	return r->stopped ? ", and the container does not start" : "";
}

static void help_near(struct report *r, struct diag *d, const struct oci_fault *f,
		      const struct suggest *s, const char *otherwise)
{
	if (!diag_suggest(r->ds, d, f->span, s))
		diag_help(r->ds, d, "%s", otherwise);
}

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
	struct diag *d = ADD(
		r, f, "'%s' wants %s here, and this is %s: the readers refuse the whole profile",
		f->key, json_kind_name(f->want), is);
	diag_help(r->ds, d, "write %s", json_kind_name(f->want));
	return d;
}

static struct diag *tell_number(struct report *r, const struct oci_fault *f)
{
	struct str text = span_text(r->ds->sources, f->span);
	struct diag *d =
		ADD(r, f,
		    "'%s' must be a whole number from 0 to 2^64-1, and '" PRISTR "' is not: "
		    "the readers refuse the whole profile",
		    f->key, STRARG(text));
	bool number = text.n && text.p[0] != '"' && text.p[0] != '[' && text.p[0] != '{';
	long long n = 0;

	if (number && text.n < 20 && text.p[0] == '-' && sscanf(text.p, "%lld", &n) == 1 && n < 0)
		diag_help(r->ds, d, "a negative argument of 32 bits is written as %u", (uint32_t)n);
	else if (text.n && text.p[0] == '"' && strstr(f->key, "rrnoRet"))
		diag_help(r->ds, d, "the number, without quotes: ENOSYS is 38, EPERM is 1");
	else
		diag_help(r->ds, d, "write it in decimal, without quotes, point or exponent");
	return d;
}

static struct diag *tell_kernel(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
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
		d = ADD(r, f, "no defaultAction: runc and crun refuse to start the container");
	else
		d = ADD(r, f,
			"no defaultAction and no rule: Docker takes this for no seccomp at all, "
			"and "
			"runs the container unconfined");
	diag_help(r->ds, d, "add \"defaultAction\": \"SCMP_ACT_ERRNO\"");
	return d;
}

static struct diag *tell_action(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f, "no runtime knows the action '" PRISTR "'%s", STRARG(f->word),
			     outcome(r));
	struct suggest near;

	suggest_start(&near, f->word);
	for (const struct oci_action *a = oci_actions; a->name; a++)
		suggest_offer(&near, str_c(a->name));
	help_near(r, d, f, &near,
		  "SCMP_ACT_ALLOW, _ERRNO, _KILL_PROCESS, _KILL_THREAD, _LOG, _TRAP, _TRACE and "
		  "_NOTIFY are known");
	return d;
}

static struct diag *tell_no_action(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f, "this entry has no action%s", outcome(r));

	diag_help(r->ds, d, "add \"action\": \"SCMP_ACT_ALLOW\" (or what is meant)");
	return d;
}

static struct diag *tell_arch(struct report *r, const struct oci_fault *f)
{
	const char *who = r->stopped ? runtime_name(r) : "no runtime";
	struct diag *d = ADD(r, f, "%s knows %s architecture '" PRISTR "'%s", who,
			     r->stopped ? "no" : "the", STRARG(f->word), outcome(r));
	int a = arch_find(f->word);
	struct suggest near;

	if (oci_arch_word_find(f->word)) {
		diag_help(r->ds, d, "leave it out, or use a runtime that knows it");
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
	help_near(r, d, f, &near, "names look like SCMP_ARCH_X86_64 and SCMP_ARCH_AARCH64");
	return d;
}

static struct diag *tell_byte_order(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
		    "'" PRISTR "' has another byte order than this machine: no filter holds both, "
		    "and the container does not start (\"numerical argument out of domain\")",
		    STRARG(f->word));

	diag_help(
		r->ds, d,
		"leave it out; where the profile is for another machine, name that with '--host'");
	return d;
}

static struct diag *tell_operator(struct report *r, const struct oci_fault *f)
{
	struct diag *d;
	struct suggest near;

	if (f->word.n)
		d = ADD(r, f, "no runtime knows the operator '" PRISTR "'%s", STRARG(f->word),
			outcome(r));
	else
		d = ADD(r, f, "a comparison without an operator%s", outcome(r));
	suggest_start(&near, f->word);
	for (int i = 0; i < OCI_OP_NR; i++)
		suggest_offer(&near, str_c(oci_op_names[i]));
	help_near(r, d, f, &near, "SCMP_CMP_EQ, _NE, _LT, _LE, _GT, _GE and _MASKED_EQ are known");
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
	struct diag *d =
		ADD(r, f, "%s knows %s flag '" PRISTR "'%s", known ? runtime_name(r) : "no runtime",
		    known ? "no" : "the", STRARG(f->word), outcome(r));
	if (known)
		near.best = (struct str){ 0 };
	help_near(r, d, f, &near,
		  known ? "leave it out" :
			  "SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW, _TSYNC and "
			  "_WAIT_KILLABLE_RECV are known");
	return d;
}

static struct diag *tell_flags(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f, "runc before 1.2 refuses a profile with 'flags'%s", outcome(r));

	diag_help(r->ds, d,
		  "leave them out, or name the runtime that loads it: '--runtime docker-28.5'");
	return d;
}

static struct diag *tell_arch_and_map(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f, "both 'architectures' and 'archMap': Docker refuses the profile");

	diag_note(r->ds, d, f->other, "the other");
	diag_help(r->ds, d, "keep archMap: it follows the machine; architectures does not");
	return d;
}

static struct diag *tell_map_row(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f, "a row of archMap without 'architecture' is no machine's: it is skipped");

	diag_help(r->ds, d, "name the machine: \"architecture\": \"SCMP_ARCH_X86_64\"");
	return d;
}

static struct diag *tell_arch_left(struct report *r, const struct oci_fault *f)
{
	return ADD(r, f, "'" PRISTR "' is left out: pale has no table for it", STRARG(f->word));
}

static struct diag *tell_arch_added(struct report *r, const struct oci_fault *f)
{
	return ADD(r, f,
		   "'" PRISTR "' is added: runtimes always decide the machine's own architecture",
		   STRARG(f->word));
}

/* ---- entries ---- */

static struct diag *tell_name_and_names(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f, "both 'name' and 'names' in one entry: Docker refuses the profile");

	diag_note(r->ds, d, f->other, "the other");
	diag_help(r->ds, d, "move \"" PRISTR "\" into names", STRARG(f->word));
	return d;
}

static struct diag *tell_name_unread(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(
		r, f,
		"Docker and Podman read 'name', and no runtime does: in a config.json this entry "
		"says nothing of '" PRISTR "' (crun does not start a container with it)",
		STRARG(f->word));

	diag_help(r->ds, d, "write \"names\": [\"" PRISTR "\"]", STRARG(f->word));
	return d;
}

static struct diag *tell_empty_name(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f, "an empty name: %s",
		    r->stopped ? "runc does not start the container (\"empty string is not a valid "
				 "syscall\")" :
				 "runc would not start the container; here it does nothing");

	diag_help(r->ds, d, "remove it");
	return d;
}

static struct diag *tell_no_names(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f, "this entry names no call: %s",
			     r->stopped ? "crun wants 'names' and does not start the container" :
					  "it does nothing");

	diag_help(r->ds, d, "name the calls, or remove the entry");
	return d;
}

static struct diag *tell_arg_index(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f, "a call has six arguments, 0 to 5, and none has index " PRISTR "%s",
		    STRARG(f->word), outcome(r));

	diag_help(r->ds, d, "the first argument has index 0");
	return d;
}

static struct diag *tell_repeated(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
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
	struct diag *d = ADD(r, f,
			     "valueTwo is read with SCMP_CMP_MASKED_EQ alone; with " PRISTR
			     " it does nothing",
			     STRARG(f->word));

	diag_help(r->ds, d, "remove it; a range takes two entries");
	return d;
}

static struct diag *tell_host(struct report *r, const struct oci_fault *f)
{
	int a = oci_arch_find(f->word);
	const char *go = "";

	a = a < 0 ? arch_find(f->word) : a;
	if (a >= 0)
		go = arch_info((enum arch)a)->go;
	struct diag *d = ADD(r, f, "'" PRISTR "' is never the name of a host here: it %s nothing",
			     STRARG(f->word), f->key);
	diag_help(r->ds, d, "these are Go's names%s%s: amd64, arm64, s390x, ...",
		  *go ? ", here " : "", go);
	return d;
}

static struct diag *tell_capability(struct report *r, const struct oci_fault *f)
{
	bool includes = !strcmp(f->key, "includes");
	struct diag *d = ADD(
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
	return d;
}

static struct diag *tell_null_item(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f,
			     "a null in '%s': crun 1.28 gives up on the profile there without a "
			     "word, and the container runs with no filter at all",
			     f->key);

	diag_help(r->ds, d, "remove it");
	return d;
}

static struct diag *tell_default_again(struct report *r, const struct oci_fault *f)
{
	return ADD(r, f,
		   "this entry has no effect: its action is the default, which runtimes skip");
}

/* ---- errno ---- */

static struct diag *tell_idle_errno(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
		    "'%s' with " PRISTR ": the specification says that a runtime must refuse this; "
		    "crun does, runc skips it",
		    f->key, STRARG(f->word));

	diag_help(r->ds, d, "remove %s, or use SCMP_ACT_ERRNO", f->key);
	return d;
}

static struct diag *tell_errno_range(struct report *r, const struct oci_fault *f)
{
	struct diag *d;

	if (r->stopped && f->number > UINT32_MAX && r->p->runtime.kind == OCI_CRUN)
		d = ADD(r, f, "crun reads '%s' as a number of 32 bits, and %ju is none%s", f->key,
			(uintmax_t)f->number, outcome(r));
	else if (r->stopped || f->number <= UINT16_MAX)
		d = ADD(r, f, "libseccomp takes no errno above %d, and this is %ju%s%s",
			OCI_ERRNO_MAX, (uintmax_t)f->number,
			f->number > UINT16_MAX ? " (cut to 16 bits, as runtimes do)" : "",
			outcome(r));
	else
		d = ADD(r, f, "runtimes cut this number to 16 bits and make %u of it",
			(unsigned)(uint16_t)f->number);
	diag_help(r->ds, d, "EPERM is 1, ENOSYS is 38");
	return d;
}

static struct diag *tell_errno_zero(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
		    "%serrno 0 is success: the call is not made, and the program believes that it "
		    "was (a setuid() that keeps root)",
		    f->number ? "runtimes cut this number to 16 bits, which leaves 0; " : "");

	diag_help(r->ds, d, "EPERM is 1, ENOSYS is 38");
	return d;
}

static struct diag *tell_podman_other(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f,
			     "Podman answers '" PRISTR
			     "', Docker the number beside it (%ju), and they differ",
			     STRARG(f->word), (uintmax_t)f->number);

	diag_help(r->ds, d, "make both say the same");
	return d;
}

static struct diag *tell_podman_here(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f,
			     "on %s Podman answers '" PRISTR
			     "', and Docker the number beside it, %ju: read as "
			     "Podman does",
			     arch_info(r->p->host)->name, STRARG(f->word), (uintmax_t)f->number);

	diag_help(r->ds, d, "nothing need be done for other machines");
	return d;
}

static struct diag *tell_podman_word(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
		    "'" PRISTR "' is no errno: Podman refuses the profile, and others skip the key "
		    "'%s' and answer %ju",
		    STRARG(f->word), f->key, (uintmax_t)f->number);
	struct suggest near;

	suggest_start(&near, f->word);
	constant_suggest("errno", &near);
	help_near(r, d, f, &near, "names look like EPERM and ENOSYS");
	return d;
}

static struct diag *tell_podman_idle(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f, "'%s' says nothing with " PRISTR, f->key, STRARG(f->word));

	diag_help(r->ds, d, "remove it, or use SCMP_ACT_ERRNO");
	return d;
}

/* ---- notify, and pale's own bounds ---- */

static struct diag *tell_metadata(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f, "listenerMetadata without listenerPath: the specification forbids it");

	diag_help(r->ds, d, "add listenerPath, or remove this");
	return d;
}

static struct diag *tell_no_listener(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f, "SCMP_ACT_NOTIFY without listenerPath: nobody is there to answer%s",
		    r->stopped ? ", and runc does not start the container" : "");

	diag_help(r->ds, d, "add \"listenerPath\": \"/path/to/socket\"");
	return d;
}

static struct diag *tell_notify_default(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f, "SCMP_ACT_NOTIFY as the default: runc refuses it%s", outcome(r));

	diag_help(r->ds, d, "name the calls to be notified about");
	return d;
}

static struct diag *tell_notify_write(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
		    "SCMP_ACT_NOTIFY for write: runc needs it to hand over the listener, and "
		    "refuses this%s",
		    outcome(r));

	diag_help(r->ds, d, "leave write out");
	return d;
}

static struct diag *tell_too_many(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(r, f, "more than %ju %s in one profile: pale reads no further",
			     (uintmax_t)f->number, f->key);

	diag_help(r->ds, d, "entries with the same action and conditions can be one");
	return d;
}

/* ---- several of one kind in one message ---- */

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
		ADD(r, f, "no runtime reads the %s %s here: %s skipped in silence",
		    PLURAL(*g, "key", "keys"), group_list(g), PLURAL(*g, "it is", "they are"));
	help_near(r, d, f, &near, "remove it; the place for a remark is an entry's \"comment\"");
	return d;
}

static struct diag *tell_key_twice(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = ADD(
		r, f,
		"%s %s twice in one object: Docker and runc take the last value (null, where "
		"it stands for a word or a number, leaves the one before), other readers the first",
		group_list(g), PLURAL(*g, "stands", "stand"));

	diag_help(r->ds, d, "keep one; unite what both say");
	return d;
}

static struct diag *tell_key_same(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = ADD(r, f, "%s %s twice in one object, and both say the same",
			     group_list(g), PLURAL(*g, "stands", "stand"));

	diag_help(r->ds, d, "keep one");
	return d;
}

static struct diag *tell_key_merged(struct report *r, const struct oci_fault *f)
{
	struct diag *d =
		ADD(r, f,
		    "'" PRISTR
		    "' stands twice in one object, and not as a word, a number or words each "
		    "time: Docker and runc read the second into what the first has left, element "
		    "by element, "
		    "or refuse either; other readers take one: no answer holds for this file",
		    STRARG(f->word));

	diag_note(r->ds, d, f->other, "the first");
	diag_help(r->ds, d, "keep one; unite what both say");
	return d;
}

static struct diag *tell_nul_byte(struct report *r, const struct oci_fault *f)
{
	struct diag *d = ADD(
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
		d = ADD(r, f,
			"crun knows no '" PRISTR
			"', and readers written in Go take it for '%s': no answer "
			"holds for this file",
			STRARG(f->word), f->key);
		diag_fix(r->ds, d, f->span, str_c(arena_printf(r->ds->arena, "\"%s\"", f->key)));
		return d;
	}
	d = ADD(r, f,
		"'" PRISTR "' stands twice in one object: crun takes the first or the last, as the "
		"JSON library "
		"that it was built with does: no answer holds for this file",
		STRARG(f->word));
	diag_note(r->ds, d, f->other, "the first");
	diag_help(r->ds, d, "keep one; unite what both say");
	return d;
}

static struct diag *tell_key_case(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = ADD(
		r, f, "%s %s differently from the specification: Go folds case, crun and jq do not",
		group_list(g), PLURAL(*g, "is spelt", "are spelt"));

	diag_help(r->ds, d, "use the specification's spelling");
	return d;
}

static struct diag *tell_lossy(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d =
		ADD(r, f,
		    "%s %s no double: tools that hold numbers as doubles (jq 1.6, JavaScript) "
		    "change %s when they rewrite this file",
		    group_list(g), PLURAL(*g, "fits", "fit"), PLURAL(*g, "it", "them"));

	diag_help(r->ds, d, "edit this file only with tools that keep 64-bit integers");
	return d;
}

static struct diag *tell_old_name(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = ADD(
		r, f,
		"'name' is Docker's form of before 2016, which Docker, Podman and CRI-O read, and "
		"runc and crun do not: %s",
		group_list(g));

	diag_help(r->ds, d, "write \"names\": [...]");
	return d;
}

static struct diag *tell_podman(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = ADD(
		r, f,
		"Podman alone reads the errno by name, %s: Docker, containerd, runc and crun skip "
		"it and answer EPERM",
		group_list(g));

	diag_help(r->ds, d, "write the number too: \"%s\": %ju",
		  strcmp(f->key, "errno") ? "defaultErrnoRet" : "errnoRet", (uintmax_t)f->number);
	return d;
}

static struct diag *tell_dialect(struct report *r, const struct oci_fault *f, struct group *g)
{
	struct diag *d = ADD(
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
	struct diag *d = ADD(
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
	struct diag *d = ADD(
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
	return d;
}

/* ---- all ---- */

typedef struct diag *tell_fn(struct report *r, const struct oci_fault *f);
typedef struct diag *group_fn(struct report *r, const struct oci_fault *first, struct group *g);

static tell_fn *const tell[OCI_FAULT_NR] = {
	[OCI_FAULT_NUMBER] = tell_number,
	[OCI_FAULT_NO_DEFAULT] = tell_no_default,
	[OCI_FAULT_ACTION] = tell_action,
	[OCI_FAULT_NO_ACTION] = tell_no_action,
	[OCI_FAULT_ARCH] = tell_arch,
	[OCI_FAULT_OPERATOR] = tell_operator,
	[OCI_FAULT_FLAG] = tell_flag,
	[OCI_FAULT_ARCH_AND_MAP] = tell_arch_and_map,
	[OCI_FAULT_NAME_AND_NAMES] = tell_name_and_names,
	[OCI_FAULT_NAME_UNREAD] = tell_name_unread,
	[OCI_FAULT_EMPTY_NAME] = tell_empty_name,
	[OCI_FAULT_NO_NAMES] = tell_no_names,
	[OCI_FAULT_ARG_INDEX] = tell_arg_index,
	[OCI_FAULT_IDLE_ERRNO] = tell_idle_errno,
	[OCI_FAULT_ERRNO_RANGE] = tell_errno_range,
	[OCI_FAULT_ERRNO_ZERO] = tell_errno_zero,
	[OCI_FAULT_KERNEL] = tell_kernel,
	[OCI_FAULT_HOST] = tell_host,
	[OCI_FAULT_CAPABILITY] = tell_capability,
	[OCI_FAULT_VALUE_TWO] = tell_value_two,
	[OCI_FAULT_METADATA] = tell_metadata,
	[OCI_FAULT_NO_LISTENER] = tell_no_listener,
	[OCI_FAULT_PODMAN_OTHER] = tell_podman_other,
	[OCI_FAULT_PODMAN_HERE] = tell_podman_here,
	[OCI_FAULT_PODMAN_WORD] = tell_podman_word,
	[OCI_FAULT_PODMAN_IDLE] = tell_podman_idle,
	[OCI_FAULT_TYPE] = tell_type,
	[OCI_FAULT_KEY_MERGED] = tell_key_merged,
	[OCI_FAULT_KEY_OF_CRUN] = tell_key_of_crun,
	[OCI_FAULT_NUL_BYTE] = tell_nul_byte,
	[OCI_FAULT_BYTE_ORDER] = tell_byte_order,
	[OCI_FAULT_FLAGS] = tell_flags,
	[OCI_FAULT_MAP_ROW] = tell_map_row,
	[OCI_FAULT_REPEATED] = tell_repeated,
	[OCI_FAULT_NULL_ITEM] = tell_null_item,
	[OCI_FAULT_DEFAULT_AGAIN] = tell_default_again,
	[OCI_FAULT_REPEATED_EQUAL] = tell_repeated,
	[OCI_FAULT_NOTIFY_DEFAULT] = tell_notify_default,
	[OCI_FAULT_NOTIFY_WRITE] = tell_notify_write,
	[OCI_FAULT_TOO_MANY] = tell_too_many,
	[OCI_FAULT_ARCH_LEFT] = tell_arch_left,
	[OCI_FAULT_ARCH_ADDED] = tell_arch_added,
};

static group_fn *const tell_all[OCI_FAULT_NR] = {
	/* none of these stops a container */
	[OCI_FAULT_KEY] = tell_keys,           [OCI_FAULT_KEY_TWICE] = tell_key_twice,
	[OCI_FAULT_KEY_SAME] = tell_key_same,  [OCI_FAULT_KEY_CASE] = tell_key_case,
	[OCI_FAULT_LOSSY] = tell_lossy,        [OCI_FAULT_OLD_NAME] = tell_old_name,
	[OCI_FAULT_PODMAN] = tell_podman,      [OCI_FAULT_DIALECT] = tell_dialect,
	[OCI_FAULT_STRANGER] = tell_strangers, [OCI_FAULT_LIBC] = tell_libc,
};

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
	vec_each(&r->p->faults, f) {
		if (f->kind != kind || is_silent(r, f))
			continue;
		r->stopped = stops(r, f);
		r->severity = r->stopped ? SEVERITY_ERROR : facts[kind].severity;
		tell[kind](r, f);
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
	r->severity = facts[kind].severity;
	group_labels(r->ds, tell_all[kind](r, first, &g), &g);
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
		if (tell_all[kind])
			tell_group(&r, kind);
		else
			tell_each(&r, kind);
	}
	vec_each(&p->entries, e)
		stopped |= e->stops && (!env || oci_gate_open(e->gate, env));
	return !stopped;
}
