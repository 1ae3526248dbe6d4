/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON says once for all calls: its default, architectures and flags. */
#include "compiler/oci/write/writer.h"

/* ENOSYS everywhere, with the number that it has there: what runc's stub answers. */
static bool unknown_is_enosys(const struct writer *w)
{
	uint64_t enosys;

	for (int a = 0; a < ARCH_NR; a++)
		if (w->p->arches & ARCH_BIT(a) &&
		    (w->p->unknown[a].kind != VERDICT_ERRNO ||
		     constant_find("errno", STR("ENOSYS"), (enum arch)a, &enosys) ||
		     w->p->unknown[a].data != enosys))
			return false;
	return true;
}

static void tell_defaults(struct writer *w, struct verdict v, enum arch other)
{
	BUF_AUTO text = { 0 };

	buf_puts(&text, "'unknown' is ");
	verdict_print(&text, w->jd);
	buf_puts(&text, " here and ");
	verdict_print(&text, v);
	buf_printf(&text, " on %s: a JSON profile has one default", arch_info(other)->name);
	struct diag *d = oci_fail(w, DIAG_PL252, oci_header_span(w, AST_HEADER_UNKNOWN),
				  arena_strdup(w->arena, text.p ? text.p : ""));
	diag_help(w->ds, d, "compile for one machine with '--arch', or write the number");
}

static void choose_default(struct writer *w)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	const char *without = w->opt->no_errno;
	enum arch other;

	if (!without && w->opt->dialect == OCI_DIALECT_DOCKER && rt->docker &&
	    rt->docker < OCI_VERSION(23, 0, 0))
		without = "Docker before 23 ignores";
	bool one = policy_one_verdict(w->p, w->p->unknown, &w->jd, &other);

	if (!one && rt->kind == OCI_RUNC && unknown_is_enosys(w)) {
		struct diag *d = diag_add(
			w->ds, DIAG_PL286, oci_header_span(w, AST_HEADER_UNKNOWN),
			"ENOSYS is %u here and %u on %s, and a JSON profile has one default: "
			"holes in the table of %s answer %u there",
			w->jd.data, w->p->unknown[other].data, arch_info(other)->name,
			arch_info(other)->name, w->jd.data);
		diag_help(w->ds, d,
			  "no kernel has a call at these numbers; those above the last one named "
			  "answer ENOSYS, as runc does");
	} else if (!one) {
		tell_defaults(w, w->p->unknown[other], other);
		return;
	}
	oci_carries(w, NULL, w->jd);
	if (!without || w->jd.kind != VERDICT_ERRNO || w->jd.data == 1)
		return;
	if (!w->opt->approximate) {
		struct diag *d =
			oci_fail(w, DIAG_PL225, oci_header_span(w, AST_HEADER_UNKNOWN),
				 arena_printf(w->arena,
					      "%s 'defaultErrnoRet': unknown numbers would "
					      "answer EPERM",
					      without));
		diag_help(w->ds, d,
			  "'--approximate' takes EPERM for them, or write 'unknown errno EPERM;'");
		return;
	}
	w->jd = (struct verdict){ VERDICT_ERRNO, 1 };
	diag_add(w->ds, DIAG_PL230, oci_header_span(w, AST_HEADER_UNKNOWN),
		 "holes in the table answer EPERM: %s 'defaultErrnoRet'", without);
}

/* Who loads it must take the flag: the engine hands it on, the runtime knows the word. */
static void choose_flags(struct writer *w)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	bool config = w->opt->dialect == OCI_DIALECT_OCI;
	bool handed = oci_flags_handed(rt, config);
	const char *why = !handed ? "Docker before 23 hands no 'flags' to the runtime" :
				    "runc before 1.2 refuses a profile with 'flags'";
	struct span sp = oci_header_span(w, AST_HEADER_LOG);

	w->logs = w->p->log_refusals && handed && oci_flag_taken(rt, str_c(oci_flag_log));
	if (!w->p->log_refusals || w->logs)
		return;
	if (w->opt->approximate) {
		diag_add(w->ds, DIAG_PL230, sp, "refusals are not logged: %s", why);
		return;
	}
	struct diag *d = oci_fail(w, DIAG_PL213, sp,
				  arena_printf(w->arena, "refusals are to be logged, and %s", why));
	diag_help(w->ds, d,
		  "name the runtime where it is a newer one ('--runtime "
		  "runc-1.3+libseccomp-2.6.1'), or have them unlogged knowingly ('--approximate')");
}

/*
 * libseccomp starts every filter with the machine's own architecture, and Docker takes the
 * archMap row of that name only: without it the machine's calls would be decided by these
 * entries, and those of the listed architecture not at all.
 */
static void check_native(struct writer *w)
{
	for (int i = 0; i < ARCH_NR; i++) {
		const struct arch_info *ai = arch_info((enum arch)i);
		const char *family = arch_family((enum arch)i, w->p->arches);
		int native = arch_find(str_c(family));
		if (!(w->p->arches & ARCH_BIT(i)) || native < 0 || w->p->arches & ARCH_BIT(native))
			continue;
		struct diag *d = oci_fail(
			w, DIAG_PL232, oci_header_span(w, AST_HEADER_ARCH),
			arena_printf(w->arena,
				     "'%s' without '%s': runtimes on such a machine decide its own "
				     "calls by this JSON as well, and Docker leaves '%s' out",
				     ai->name, family, ai->name));
		diag_help(w->ds, d, "list '%s' too, or compile to '-t bpf'", family);
		return;
	}
}

/*
 * The first releases of runc 1.1, which has words of its own, and libseccomp before 2.6 know none
 * for the youngest architectures. Docker's JSON has a row for each machine.
 */
static void note_word(struct writer *w, enum arch a)
{
	bool runc = w->opt->runtime.kind == OCI_RUNC;
	struct diag *d =
		diag_add(w->ds, DIAG_PL291, oci_header_span(w, AST_HEADER_ARCH),
			 "this %s has no word for '%s' and starts no container with this JSON%s",
			 runc ? "runc" : "crun", arch_info(a)->name,
			 w->opt->dialect == OCI_DIALECT_DOCKER ? " on such a machine" : "");

	diag_help(w->ds, d,
		  "%slibseccomp 2.6 knows all of them ('--runtime'); or write one profile for each "
		  "machine with '--arch'",
		  runc ? "runc 1.1.15 with " : "");
}

/* false: an architecture of one machine that libseccomp does not know stops it on the others. */
static bool check_words(struct writer *w)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	unsigned version = rt->libseccomp & ~LIBSECCOMP_DEBIAN12;

	for (int a = 0; a < ARCH_NR; a++) {
		const struct oci_arch_word *word =
			oci_arch_word_find(str_c(arch_info((enum arch)a)->oci));
		if (!(w->p->arches & ARCH_BIT(a)))
			continue;
		if (version >= word->libseccomp || w->opt->dialect == OCI_DIALECT_DOCKER ||
		    w->p->arches == ARCH_BIT(a)) {
			if (!oci_arch_taken(rt, word))
				note_word(w, (enum arch)a);
			continue;
		}
		struct diag *d =
			oci_fail(w, DIAG_PL265, oci_header_span(w, AST_HEADER_ARCH),
				 arena_printf(w->arena,
					      "libseccomp before 2.6 does not know '%s': no "
					      "container would start on the other machines",
					      arch_info((enum arch)a)->name));
		diag_help(w->ds, d,
			  "name a newer runtime with '--runtime', or write one profile for each "
			  "machine with '--arch'");
		return false;
	}
	return true;
}

/* The OCI dialect lists all machines' architectures, and libseccomp adds each to its filter. */
static void check_listed(struct writer *w)
{
	int little = -1, big = -1;

	if (!check_words(w) || w->opt->dialect != OCI_DIALECT_OCI)
		return;
	for (int a = 0; a < ARCH_NR; a++)
		if (w->p->arches & ARCH_BIT(a))
			*(arch_info((enum arch)a)->big_endian ? &big : &little) = a;
	if (little < 0 || big < 0)
		return;
	struct diag *d = oci_fail(
		w, DIAG_PL265, oci_header_span(w, AST_HEADER_ARCH),
		arena_printf(w->arena,
			     "libseccomp refuses '%s' beside '%s': one filter has "
			     "one byte order, and no container would start",
			     arch_info((enum arch)big)->name, arch_info((enum arch)little)->name));
	diag_help(w->ds, d,
		  "write one profile for each with '--arch', or '-t docker', which has a row for "
		  "each machine");
}

/* A number that answers otherwise than the JSON's default and has no name. */
static void check_numbers(struct writer *w)
{
	for (int i = 0; i < ARCH_NR; i++) {
		enum arch a = (enum arch)i;
		dd_node unknown = dd_terminal(w->d->dd, w->p->unknown[i]);
		vec_each(&w->d->ranges[i], r) {
			if (r->node == unknown)
				continue;
			for (uint32_t nr = r->first; nr <= r->last; nr++) {
				if (syscall_by_nr(a, nr - arch_info(a)->nr_base))
					continue;
				struct diag *d =
					oci_fail(w, DIAG_PL222, oci_rule_span(w, a, nr),
						 arena_printf(w->arena,
							      "JSON names calls, and number %u "
							      "of %s has no name",
							      nr - arch_info(a)->nr_base,
							      arch_info(a)->name));
				diag_help(w->ds, d, "leave the rule to another target ('-t bpf')");
				break;
			}
		}
	}
}

void oci_choose_whole(struct writer *w)
{
	choose_default(w);
	choose_flags(w);
	check_native(w);
	check_listed(w);
	check_numbers(w);
}
