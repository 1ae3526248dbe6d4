/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SC: conditions. Runtimes compare 64-bit registers; the kernel looks at the argument's own
 * width, and at memory behind a pointer, which no filter sees.
 */
#include <inttypes.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"
#include "compiler/oci/fix.h"

/* What the table says of one argument, over the architectures that an entry speaks to. */
struct arg_facts {
	bool known;   /* the call exists on one of them at least */
	bool beyond;  /* no such argument on any */
	bool pointer; /* a pointer on each */
	bool narrow;  /* 32 bits wide on a machine with 64-bit registers */
	bool is_signed;
	const char *name;
};

static struct arg_facts look_up(const struct syscall_info *s, unsigned arches, uint64_t index)
{
	struct arg_facts f = { .beyond = true, .pointer = true };

	for (unsigned a = 0; s && a < ARCH_NR; a++) {
		unsigned nargs;
		const struct arg_info *args;

		if (!(arches & ARCH_BIT(a)) || s->nr[a] < 0)
			continue;
		f.known = true;
		args = syscall_args(s, (enum arch)a, &nargs);
		if (index >= nargs)
			continue;
		f.beyond = false;
		f.name = args[index].name;
		f.pointer &= args[index].kind == ARG_POINTER;
		if (args[index].width < 64 && args[index].kind != ARG_POINTER &&
		    arch_info((enum arch)a)->bits == 64) {
			f.narrow = true;
			f.is_signed |= args[index].is_signed;
		}
	}
	f.pointer &= f.known && !f.beyond;
	f.beyond &= f.known;
	return f;
}

static struct str describe(struct lint *l, const struct oci_word *n, const struct oci_arg *arg)
{
	static const char *const signs[OCI_OP_NR] = {
		[OCI_NE] = "!=", [OCI_LT] = "<",  [OCI_LE] = "<=",
		[OCI_EQ] = "==", [OCI_GE] = ">=", [OCI_GT] = ">",
	};

	if (arg->op == OCI_MASKED_EQ)
		return str_c(arena_printf(l->arena, "%s: arg%u & 0x%" PRIx64 " == 0x%" PRIx64,
					  n->sys->name, (unsigned)arg->index, oci_arg_written(arg),
					  arg->two));
	return str_c(arena_printf(l->arena, "%s: arg%u %s %" PRIu64, n->sys->name,
				  (unsigned)arg->index, signs[arg->op], oci_arg_written(arg)));
}

typedef bool arg_fn(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
		    const struct oci_arg *arg, const struct arg_facts *f, const char **text);

/* Every condition of every name that fn accepts, with what it says of the first. */
static const char *collect_args(struct lint *l, struct group *g, arg_fn *fn)
{
	const char *first = NULL, *text;

	if (!l->profile)
		return NULL;
	vec_each(&l->profile->entries, e) {
		if (!e->readable || e->is_default)
			continue;
		vec_each(&e->args, arg) {
			vec_each(&e->names, n) {
				struct arg_facts f = look_up(n->sys, e->arches, arg->index);

				if (!f.known || !fn(l, e, n, arg, &f, &text))
					continue;
				group_add(g, describe(l, n, arg), arg->span);
				first = first ? first : text;
			}
		}
	}
	return first;
}

/* Every condition that fn accepts for each name of its entry. */
static span_list spans_of(struct lint *l, arg_fn *fn)
{
	span_list out = { 0 };
	const char *text;

	vec_each(&l->profile->entries, e) {
		if (!e->readable || e->is_default)
			continue;
		vec_each(&e->args, arg) {
			bool all = e->names.n > 0;
			vec_each(&e->names, n) {
				struct arg_facts f = look_up(n->sys, e->arches, arg->index);
				all = all && f.known && fn(l, e, n, arg, &f, &text);
			}
			if (all)
				vec_push(l->arena, &out, arg->span);
		}
	}
	return out;
}

static void cut_conditions(struct lint *l, struct diag *d, arg_fn *fn, enum fix_safety safety,
			   enum fix_change change)
{
	span_list spans = spans_of(l, fn);

	oci_fix_cut_args(l->profile, l->ds, d, &spans);
	diag_fix_means(d, safety, change);
}

/* Entries that have such a condition, whole. */
static void cut_entries(struct lint *l, struct diag *d, arg_fn *fn)
{
	span_list spans = spans_of(l, fn), names = { 0 };

	vec_each(&l->profile->entries, e) {
		bool has = false;
		vec_each(&e->args, arg)
			vec_each(&spans, s)
				has |= s->begin == arg->span.begin;
		vec_each(&e->names, n)
			if (has)
				vec_push(l->arena, &names, n->span);
	}
	oci_fix_cut_names(l->profile, l->ds, d, &names);
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
}

/* ---- an entry's own conditions ---- */

static bool is_always_true(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
			   const struct oci_arg *arg, const struct arg_facts *f, const char **text)
{
	(void)l, (void)e, (void)n, (void)f;
	*text = "";
	return (arg->op == OCI_GE && !oci_arg_written(arg)) ||
	       (arg->op == OCI_LE && oci_arg_written(arg) == UINT64_MAX);
}

RULE(SC114, "tautology", HIGH, JSON, sc_tautology, "a condition that always holds",
     "A condition that every value meets (>= 0, or <= 2^64-1): arguments are compared as unsigned "
     "numbers.")

void sc_tautology(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!collect_args(l, &g, is_always_true))
		return;
	d = diag_add(l->ds, id, group_span(&g), "always true: %s", group_list(&g));
	diag_help(l->ds, d, "say what is meant, or remove the condition");
	cut_conditions(l, d, is_always_true, FIX_SAFE, FIX_SAME);
	group_labels(l->ds, d, &g);
}

static bool is_never_true(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
			  const struct oci_arg *arg, const struct arg_facts *f, const char **text)
{
	(void)l, (void)e, (void)n, (void)f;
	*text = "";
	return (arg->op == OCI_LT && !oci_arg_written(arg)) ||
	       (arg->op == OCI_GT && oci_arg_written(arg) == UINT64_MAX);
}

RULE(SC115, "unsatisfiable", WARNING, JSON, sc_unsatisfiable, "a condition that never holds",
     "A condition that no value meets (< 0, or > 2^64-1): arguments are compared as unsigned "
     "numbers. The entry does nothing.")

void sc_unsatisfiable(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!collect_args(l, &g, is_never_true))
		return;
	d = diag_add(l->ds, id, group_span(&g), "never true, arguments are unsigned: %s",
		     group_list(&g));
	diag_help(l->ds, d, "the entry does nothing: say what is meant, or remove it");
	cut_entries(l, d, is_never_true);
	group_labels(l->ds, d, &g);
}

RULE(SC116, "masked-swapped", HIGH, JSON, sc_masked_swapped,
     "bits outside the mask in a masked comparison",
     "In SCMP_CMP_MASKED_EQ 'value' is the mask and 'valueTwo' what is compared. Bits of valueTwo "
     "outside the mask are dropped by libseccomp in silence; most often the two are swapped.")

void sc_masked_swapped(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	vec_each(&l->profile->entries, e) {
		vec_each(&e->args, arg) {
			struct diag *d;

			if (!e->readable || arg->op != OCI_MASKED_EQ || !oci_arg_written(arg) ||
			    !(arg->two & ~oci_arg_written(arg)))
				continue;
			d = diag_add(l->ds, id, arg->span,
				     "valueTwo 0x%" PRIx64 " has bits outside "
				     "the mask 0x%" PRIx64 " (value): libseccomp drops them and "
				     "compares with 0x%" PRIx64,
				     arg->two, oci_arg_written(arg),
				     arg->two & oci_arg_written(arg));
			diag_help(l->ds, d,
				  "value is the mask and valueTwo what is compared; "
				  "are they swapped?");
		}
	}
}

RULE(SC117, "masked-zero", HIGH, JSON, sc_masked_zero, "a masked comparison with mask 0",
     "SCMP_CMP_MASKED_EQ with mask 0 compares 0 with 0: it always holds.")

void sc_masked_zero(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	vec_each(&l->profile->entries, e)
		vec_each(&e->args, arg) {
			struct diag *d;
			if (!e->readable || arg->op != OCI_MASKED_EQ || oci_arg_written(arg))
				continue;
			d = diag_add(l->ds, id, arg->span,
				     "a mask of 0 compares nothing: the condition always holds");
			diag_help(l->ds, d, "value is the mask, valueTwo what is compared");
			oci_fix_cut_at(l->profile, l->ds, d, arg->span);
			diag_fix_means(d, FIX_SAFE, FIX_SAME);
		}
}

/* ---- arguments as the kernel has them ---- */

static bool is_pointer(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
		       const struct oci_arg *arg, const struct arg_facts *f, const char **text)
{
	(void)l, (void)e, (void)n;
	*text = f->name;
	/* A null pointer is a value that can be asked for. */
	return f->pointer && !((arg->op == OCI_EQ || arg->op == OCI_NE) && !oci_arg_written(arg));
}

RULE(SC118, "pointer-compare", WARNING, JSON, sc_pointer_compare, "a condition on a pointer",
     "A condition on an argument that is a pointer. A filter sees the address and cannot follow "
     "it, and the memory may change after the check "
     "(Documentation/userspace-api/seccomp_filter.rst). Comparing with 0 is fine and not reported.")

void sc_pointer_compare(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	const char *name = collect_args(l, &g, is_pointer);
	struct diag *d;

	if (!name)
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: the argument ('%s') is a pointer; a filter sees "
		     "the address, never what it points at",
		     group_list(&g), name);
	diag_help(l->ds, d, "remove the condition; paths and addresses are AppArmor's business");
	group_labels(l->ds, d, &g);
}

static bool is_beyond(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
		      const struct oci_arg *arg, const struct arg_facts *f, const char **text)
{
	(void)l, (void)e, (void)n, (void)arg;
	*text = "";
	return f->beyond;
}

RULE(SC119, "arity", HIGH, JSON, sc_arity, "a condition on an argument that the call does not have",
     "A condition on an argument that the call does not have. The register holds whatever the "
     "program left there.")

void sc_arity(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!collect_args(l, &g, is_beyond))
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: the call has no such argument, and the register holds whatever was there",
		     group_list(&g));
	diag_help(l->ds, d, "the first argument has index 0 (pale show CALL lists them)");
	cut_conditions(l, d, is_beyond, FIX_UNSAFE, FIX_LOOSER);
	group_labels(l->ds, d, &g);
}

static bool holds(const struct oci_arg *arg, uint64_t v)
{
	switch (arg->op) {
	case OCI_NE: return v != oci_arg_written(arg);
	case OCI_LT: return v < oci_arg_written(arg);
	case OCI_LE: return v <= oci_arg_written(arg);
	case OCI_EQ: return v == oci_arg_written(arg);
	case OCI_GE: return v >= oci_arg_written(arg);
	case OCI_GT: return v > oci_arg_written(arg);
	case OCI_MASKED_EQ: return (v & oci_arg_written(arg)) == (arg->two & oci_arg_written(arg));
	case OCI_OP_NR: break;
	}
	BUG("operator");
}

static bool matches(const struct oci_entry *e, uint64_t index, uint64_t v)
{
	for (size_t i = 0; i < e->args.n; i++)
		if (e->args.v[i].index == index && !holds(&e->args.v[i], v))
			return false;
	return true;
}

/*
 * Does another entry of the call speak of one of these values? What it asks of other arguments
 * is taken as met: a doubt keeps the linter silent.
 */
static bool is_touched(const struct oci_profile *p, const struct oci_entry *but,
		       const struct oci_word *n, uint64_t index, uint64_t low, uint64_t wide)
{
	unsigned tries = 0;

	vec_each(&p->entries, e) {
		if (e == but || !e->readable || e->is_default)
			continue;
		if (++tries > 256) /* hostile input must not take quadratic time */
			return true;
		if (!matches(e, index, low) && !matches(e, index, wide))
			continue;
		vec_each(&e->names, name)
			if (name->sys == n->sys)
				return true;
	}
	return false;
}

/* The value at the edge of a comparison, on the side that the condition is meant to catch. */
static uint64_t edge_of(const struct oci_arg *arg)
{
	return oci_arg_written(arg) - (arg->op == OCI_GE || arg->op == OCI_LT);
}

/* A 32-bit value that the condition is meant to catch, and that gets round it with high bits. */
static bool find_witness(const struct oci_arg *arg, bool permits, uint64_t *low, uint64_t *wide)
{
	uint64_t bit = 1ull << 32;

	if (arg->op == OCI_MASKED_EQ) {
		if (permits || !(oci_arg_written(arg) >> 32) || arg->two >> 32)
			return false;
		while (!(oci_arg_written(arg) & bit))
			bit <<= 1;
		*low = arg->two & oci_arg_written(arg);
		*wide = *low | bit;
		return true;
	}
	*low = edge_of(arg);
	*wide = *low | bit;
	if (*low > UINT32_MAX)
		return false; /* wider than the argument: SC122; or < 0, >= 0: SC115, SC114 */
	/* Permitted although it should not be; or not refused although it should be. */
	return permits ? !holds(arg, *low) && holds(arg, *wide) :
			 holds(arg, *low) && !holds(arg, *wide);
}

static bool fails_open(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
		       const struct oci_arg *arg, const struct arg_facts *f, const char **text)
{
	bool permits = entry_permits(e);
	uint64_t low, wide;

	if (!permits && (!verdict_refuses(e->verdict) || facts_refuses(l->facts)))
		return false; /* what gets round a refusal meets the default's */
	if (!f->narrow || !find_witness(arg, permits, &low, &wide) ||
	    is_touched(l->profile, e, n, arg->index, low, wide))
		return false;
	*text = arena_printf(l->arena,
			     "0x%" PRIx64 " is %s, and the kernel takes it for 0x%" PRIx64, wide,
			     permits ? "allowed" : "not refused", low);
	return true;
}

RULE(SC120, "width-fail-open", HIGH, JSON, sc_width_fail_open,
     "a 64-bit comparison of a 32-bit argument that can be got round",
     "The kernel looks at the low 32 bits of this argument; the runtime's filter compares 64. A "
     "program may put anything into the high half: 'not equal', 'greater' in an allowing entry and "
     "'equal', 'less' in a refusing one then let the forbidden value pass (CVE-2019-7303, "
     "CVE-2019-10063).\n\n"
     "The message gives a witness. Way out: SCMP_CMP_MASKED_EQ with mask 0xffffffff, or a pale "
     "policy, whose comparisons look at the width that the kernel uses.")

void sc_width_fail_open(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	const char *witness = collect_args(l, &g, fails_open);
	struct diag *d;

	if (!witness)
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: the kernel looks at 32 bits of this argument, the filter at 64: %s",
		     group_list(&g), witness);
	diag_help(l->ds, d,
		  "compare with SCMP_CMP_MASKED_EQ and a mask of 4294967295 "
		  "(pale's own comparisons look at the argument's width)");
	group_labels(l->ds, d, &g);
}

static bool fails_closed(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
			 const struct oci_arg *arg, const struct arg_facts *f, const char **text)
{
	(void)l, (void)n;
	*text = "";
	if (!f->narrow || !f->is_signed || !entry_permits(e) || oci_arg_written(arg) > UINT32_MAX)
		return false;
	/* Only what libcs are seen to sign-extend: a negative int. */
	return arg->op == OCI_EQ && oci_arg_written(arg) >> 31;
}

RULE(SC121, "width-fail-closed", WARNING, JSON, sc_width_fail_closed,
     "a 64-bit comparison of a negative 32-bit argument",
     "An allowing entry compares a negative 32-bit value in 64 bits. Some libcs sign-extend "
     "(musl's ioctl), others do not (libseccomp#383: AT_FDCWD as 0xffffff9c and as "
     "0xffffffffffffff9c): one of them is refused.")

void sc_width_fail_closed(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!collect_args(l, &g, fails_closed))
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: a negative int, which some libcs sign-extend to 64 "
		     "bits: the condition then fails and the call is refused",
		     group_list(&g));
	diag_help(l->ds, d, "compare with SCMP_CMP_MASKED_EQ and a mask of 4294967295");
	group_labels(l->ds, d, &g);
}

static bool is_too_wide(struct lint *l, const struct oci_entry *e, const struct oci_word *n,
			const struct oci_arg *arg, const struct arg_facts *f, const char **text)
{
	uint64_t v =
		arg->op == OCI_MASKED_EQ ? arg->two & oci_arg_written(arg) : oci_arg_written(arg);

	(void)l, (void)e, (void)n;
	*text = "";
	return f->narrow && v > UINT32_MAX &&
	       (arg->op == OCI_EQ || arg->op == OCI_MASKED_EQ || arg->op == OCI_NE);
}

RULE(SC122, "sign-extension", WARNING, JSON, sc_sign_extension, "a value wider than the argument",
     "The value has more than 32 bits, the kernel looks at 32. Whether the register holds these "
     "high bits depends on compiler and libc.")

void sc_sign_extension(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!collect_args(l, &g, is_too_wide))
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: the value has more than the 32 bits that the kernel "
		     "looks at; whether a register holds these high bits is chance",
		     group_list(&g));
	diag_help(l->ds, d,
		  "-1 as 32 bits is 4294967295, compared with SCMP_CMP_MASKED_EQ and a mask "
		  "of 4294967295");
	group_labels(l->ds, d, &g);
}

RULE(SC125, "clone-ns-mask", HIGH, BOTH, sc_clone_ns_mask,
     "a mask on clone that forgets namespace flags",
     "clone is allowed when certain flags are clear, and some of the seven CLONE_NEW* flags are "
     "forgotten: others are refused, these pass. All of them: 0x7e020000, 2114060288. Or a deny list refuses "
     "clone where a mask of all seven has all seven set: each flag alone passes.")

/* A refusal of clone that asks for all flags at once, as a deny list has it by a mask with all of them. */
static void tell_all_at_once(struct lint *l, enum diag_id id, unsigned on)
{
	struct diag *d;

	if (facts_ask(l->facts, "clone((flags & 0x7e020000) == 0x7e020000)", "CAP_SYS_ADMIN").some &
	    on)
		return;
	d = diag_add(
		l->ds, id, facts_span(l->facts, "clone"),
		"the refusal of clone's CLONE_NEW* flags holds only where all of them are set: "
		"clone(CLONE_NEWUSER) passes");
	diag_help(l->ds, d, "refuse each flag by itself: a condition that masks it alone");
}

/* However it is said: some of the flags pass, and some do not. */
void sc_clone_ns_mask(struct lint *l, enum diag_id id)
{
	static const char *const flags[] = { "CLONE_NEWNS",  "CLONE_NEWCGROUP", "CLONE_NEWUTS",
					     "CLONE_NEWIPC", "CLONE_NEWUSER",   "CLONE_NEWPID",
					     "CLONE_NEWNET" };
	struct group open = GROUP(l);

	if (!l->facts)
		return;
	unsigned on = facts_tested(l->facts, "clone");
	for (size_t i = 0; on && i < ARRAY_SIZE(flags); i++) {
		const char *has = arena_printf(l->arena, "clone(flags has %s)", flags[i]);
		if (facts_ask(l->facts, has, "CAP_SYS_ADMIN").some & on)
			group_add(&open, str_c(flags[i]), facts_span(l->facts, "clone"));
	}
	if (open.hits.n == ARRAY_SIZE(flags) && !facts_refuses(l->facts))
		tell_all_at_once(l, id, on);
	if (!open.hits.n || open.hits.n == ARRAY_SIZE(flags) || !facts_refuses(l->facts))
		return;
	struct diag *d = diag_add(l->ds, id, group_span(&open),
				  "the conditions on clone's flags let %s through, and refuse the "
				  "other CLONE_NEW* flags",
				  group_list(&open));
	diag_help(l->ds, d, "2114060288 (0x7e020000) has all seven");
}
