/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SC: what the filter means once a runtime has loaded it. Names first, then entries against
 * each other; rules_args.c has the conditions.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"
#include "compiler/oci/fix.h"

/* ---- names ---- */

/* An architecture of the profile that the table has no column for. */
static bool has_other_arch(const struct oci_profile *p, const char *list)
{
	vec_each(&p->arch_names, n) {
		char word[4] = "";
		bool ours = false;

		for (int i = 0; i < ARCH_NR; i++)
			ours |= str_is(n->text, arch_info((enum arch)i)->oci);
		if (ours || !str_starts(n->text, "SCMP_ARCH_") || n->text.n < 13)
			continue;
		/* mips64n32, mipsel, ppc64le: the first three letters tell the family. */
		for (size_t i = 0; i < 3; i++) {
			char c = n->text.p[10 + i];

			word[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		}
		if (!list || strstr(list, strcmp(word, "ppc") ? word : "powerpc"))
			return true;
	}
	return false;
}

/* recv and send have no number where socketcall carries them (9 and 10 there). */
static bool is_socketcall_only(struct str name)
{
	return str_is(name, "recv") || str_is(name, "send");
}

enum name_class { NAME_FINE, NAME_UNKNOWN, NAME_LIBC, NAME_ALIEN, NAME_NO_EFFECT };

static bool is_open(const struct lint *l, const char *name, enum arch a)
{
	return l->facts && facts_always(l->facts, name) & ARCH_BIT(a);
}

static enum name_class classify_table(const struct lint *l, const struct syscall_info *s)
{
	const struct oci_profile *p = l->profile;
	const char *mux;
	unsigned selector;

	if (p->declared & s->on)
		return NAME_FINE;
	if (has_other_arch(p, NULL))
		return NAME_FINE; /* it may have a number there */
	if (p->declared & ARCH_BIT(ARCH_I386) && !multiplexed_by(s, ARCH_I386, &mux, &selector) &&
	    !is_open(l, mux, ARCH_I386))
		return NAME_FINE; /* libseccomp makes a socketcall or ipc rule of it */
	return NAME_NO_EFFECT;
}

static enum name_class classify(const struct lint *l, const struct oci_word *n)
{
	const char *list;

	if (n->sys)
		return classify_table(l, n->sys);
	list = syscall_foreign_arches(n->text);
	if (list && has_other_arch(l->profile, list))
		return NAME_FINE;
	if (is_socketcall_only(n->text)) {
		bool i386 = l->profile->declared & ARCH_BIT(ARCH_I386);

		if (has_other_arch(l->profile, NULL))
			return NAME_FINE; /* arm, mips, s390x, ...: calls of their own */
		return i386 && !is_open(l, "socketcall", ARCH_I386) ? NAME_FINE : NAME_NO_EFFECT;
	}
	if (list)
		return NAME_ALIEN;
	return syscall_alias(n->text) ? NAME_LIBC : NAME_UNKNOWN;
}

static void collect_names(struct lint *l, struct group *g, enum name_class want)
{
	if (!l->profile)
		return;
	vec_each(&l->profile->entries, e) {
		if (entry_gated(e) && !e->arches)
			continue; /* for hosts that the table knows nothing of */
		vec_each(&e->names, n)
			if (classify(l, n) == want)
				group_add(g, n->text, n->span);
	}
}

/* Names that say nothing here, wherever they stand. */
static void cut_idle(struct lint *l, struct diag *d, const struct group *g)
{
	oci_fix_cut_words(l->profile, l->ds, d, g, NULL);
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
}

RULE(SC103, "alien-arch", WARNING, JSON, sc_alien_arch,
     "a call of architectures that the profile does not declare",
     "A real system call, on architectures that the profile does not declare: getxpid, getxuid and "
     "getxgid exist on Alpha only. Runtimes skip the name.")

void sc_alien_arch(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	const char *where = "";
	struct diag *d;

	collect_names(l, &g, NAME_ALIEN);
	if (!g.hits.n)
		return;
	for (size_t i = 0; i < g.hits.n && i < 4; i++) {
		const char *list = syscall_foreign_arches(g.hits.v[i].text);

		if (!strstr(where, list))
			where = arena_printf(l->arena, "%s%s%s", where, *where ? "; " : "", list);
	}
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: real calls, but on other architectures only "
		     "(%s); without effect on the declared %s",
		     group_list(&g), where, lint_arches(l, l->profile->declared));
	diag_help(l->ds, d, "remove %s, or declare the architecture", PLURAL(g, "it", "them"));
	cut_idle(l, d, &g);
	group_labels(l->ds, d, &g);
}

RULE(SC104, "no-effect-on-arch", INFO, JSON, sc_no_effect_on_arch,
     "a call with no number on any declared architecture",
     "A real name that has a number on none of the declared architectures and that no multiplexer "
     "carries there, so that libseccomp adds nothing for it: harmless in a list that is kept for "
     "many architectures. 'recv' and 'send' on i386 are calls 10 and 9 of socketcall: where "
     "socketcall is allowed as a whole they add nothing.")

void sc_no_effect_on_arch(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	bool mux = false;
	struct diag *d;

	collect_names(l, &g, NAME_NO_EFFECT);
	if (!g.hits.n)
		return;
	for (size_t i = 0; i < g.hits.n; i++)
		mux |= is_socketcall_only(g.hits.v[i].text);
	const char *known = lint_arches(l, l->profile->declared);
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: no number on any declared architecture%s%s%s: %s no effect",
		     group_list(&g), *known ? " (" : "", known, *known ? ")" : "",
		     PLURAL(g, "it has", "they have"));
	if (mux && l->profile->declared & ARCH_BIT(ARCH_I386))
		diag_help(l->ds, d,
			  "remove %s; i386 carries recv and send inside socketcall, which "
			  "is allowed as a whole",
			  PLURAL(g, "it", "them"));
	else
		diag_help(l->ds, d, "remove %s, or declare the architecture that has %s",
			  PLURAL(g, "it", "them"), PLURAL(g, "it", "them"));
	cut_idle(l, d, &g);
	group_labels(l->ds, d, &g);
}

/* ---- entries against each other ---- */

struct use { /* one name in one entry */
	const struct oci_entry *entry;
	const struct oci_word *name;
	size_t order;
};

struct uses {
	struct use *v;
	size_t n;
};

static int compare_uses(const void *x, const void *y)
{
	const struct use *a = x, *b = y;
	int c = str_cmp(a->name->text, b->name->text);

	return c ? c : (a->order > b->order) - (a->order < b->order);
}

/* How often each call is used; what is none is not counted. */
static const uint32_t *count_uses(struct lint *l, size_t *all)
{
	uint32_t *n = ARENA_ARRAY(l->arena, uint32_t, syscall_count());

	vec_each(&l->profile->entries, e) {
		*all += e->names.n;
		vec_each(&e->names, name)
			if (e->readable && name->sys)
				n[syscall_index(name->sys)]++;
	}
	return n;
}

/* Every use in a readable entry of a name that may have another, by name, then in file order. */
static const struct uses *sort_uses(struct lint *l)
{
	struct uses *u = ARENA_NEW(l->arena, struct uses);
	size_t all = 0, order = 0;

	l->uses = u;
	if (!l->profile)
		return u;
	const uint32_t *n = count_uses(l, &all);
	u->v = ARENA_ARRAY(l->arena, struct use, all + 1);
	vec_each(&l->profile->entries, e) {
		if (!e->readable)
			continue;
		vec_each(&e->names, name) {
			order++;
			if (!name->sys || n[syscall_index(name->sys)] > 1)
				u->v[u->n++] = (struct use){ e, name, order };
		}
	}
	qsort(u->v, u->n, sizeof(*u->v), compare_uses);
	return u;
}

/* What no runtime loads has no winner among its entries. */
static bool is_refused(const struct lint *l, struct span name)
{
	for (size_t i = 0; i < l->refused.hits.n; i++)
		if (l->refused.hits.v[i].span.begin == name.begin)
			return true;
	return false;
}

/* These places of names, which say what stands before them. */
static void cut_again(struct lint *l, struct diag *d, const struct group *later)
{
	span_list places = { 0 };

	vec_each(&later->hits, h)
		vec_push(l->arena, &places, h->span);
	oci_fix_cut_names(l->profile, l->ds, d, &places);
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
}

typedef bool pair_fn(const struct oci_entry *earlier, const struct oci_entry *later);

/*
 * The first pair of two uses of one name that fn accepts, name by name. A use is compared with the
 * 64 before it: profiles have five, and hostile input must not take quadratic time.
 */
static void collect_pairs(struct lint *l, pair_fn *fn, struct group *later, struct group *earlier)
{
	const struct uses *u = l->uses ? l->uses : sort_uses(l);

	for (size_t i = 1; i < u->n; i++) {
		for (size_t k = i; k-- > 0 && i - k <= 64;) {
			const struct oci_word *name = u->v[i].name, *other = u->v[k].name;

			if (!str_eq(other->text, name->text))
				break;
			if (!fn(u->v[k].entry, u->v[i].entry))
				continue;
			if (group_add(later, name->text, name->span))
				vec_push(l->arena, &earlier->hits,
					 ((struct hit){ other->text, other->span }));
			break;
		}
	}
}

static void note_earlier(struct lint *l, struct diag *d, const struct group *earlier,
			 const char *text)
{
	diag_note(l->ds, d, earlier->hits.v[0].span, "%s", text);
}

static bool same_arg(const struct oci_arg *a, const struct oci_arg *b)
{
	return a->index == b->index && a->op == b->op && a->value == b->value &&
	       (a->op != OCI_MASKED_EQ || a->two == b->two);
}

static bool same_args(const struct oci_entry *x, const struct oci_entry *y)
{
	if (x->args.n != y->args.n || x->args.n > 6)
		return false;
	for (size_t i = 0; i < x->args.n; i++) {
		bool found = false;

		for (size_t k = 0; k < y->args.n; k++)
			found |= same_arg(&x->args.v[i], &y->args.v[k]);
		if (!found)
			return false;
	}
	return true;
}

static bool same_gate(const struct oci_entry *x, const struct oci_entry *y)
{
	return !memcmp(x->gate, y->gate, sizeof(*x->gate));
}

static bool in_one_entry(const struct oci_entry *x, const struct oci_entry *y)
{
	return x == y;
}

RULE(SC106, "duplicate-in-rule", INFO, JSON, sc_duplicate_in_rule, "a name twice in one entry",
     "A name stands twice in one entry. Harmless, and a sign of an edit that went wrong.")

void sc_duplicate_in_rule(struct lint *l, enum diag_id id)
{
	struct group later = GROUP(l), earlier = GROUP(l);
	struct diag *d;

	collect_pairs(l, in_one_entry, &later, &earlier);
	if (!later.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&later), "%s %s twice in one entry", group_list(&later),
		     PLURAL(later, "stands", "stand"));
	diag_help(l->ds, d, "remove one");
	cut_again(l, d, &later);
	note_earlier(l, d, &earlier, "first here");
}

static bool says_the_same(const struct oci_entry *x, const struct oci_entry *y)
{
	return x != y && verdict_eq(x->verdict, y->verdict) && same_args(x, y) && same_gate(x, y);
}

RULE(SC107, "duplicate-across-rules", WARNING, JSON, sc_duplicate_across_rules,
     "two entries that say the same",
     "Two entries say the same of a call under the same conditions. Harmless until one of them is "
     "changed.")

void sc_duplicate_across_rules(struct lint *l, enum diag_id id)
{
	struct group later = GROUP(l), earlier = GROUP(l);
	struct diag *d;

	collect_pairs(l, says_the_same, &later, &earlier);
	if (!later.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&later), "%s: two entries say the same of %s",
		     group_list(&later), PLURAL(later, "it", "them"));
	diag_help(l->ds, d, "keep it in one entry");
	cut_again(l, d, &later);
	note_earlier(l, d, &earlier, "first here");
}

RULE_TOLD(SC108, "contradictory-unconditional", HIGH, JSON,
	  "two unconditional entries that disagree",
	  "Two entries without conditions give one call different actions. libseccomp keeps the "
	  "first and accepts and ignores the second, in either order: tried with 2.5.4.")

RULE_TOLD(
	SC109, "arg-rule-shadowed", HIGH, JSON, "conditions that an unconditional entry swallows",
	"One entry looks at arguments and another does not. libseccomp lets the unconditional one "
	"swallow the other, in whichever order they stand: the conditions have no effect.")

/* A refusal that the runtimes leave out, beside an allow that they do not. */
static bool is_left_out(const struct oci_entry *deny, const struct oci_entry *allow)
{
	return deny->is_default && verdict_refuses(deny->verdict) && entry_permits(allow) &&
	       allow->always && oci_gate_implies(deny->gate, allow->gate);
}

static bool loses_refusal(const struct oci_entry *x, const struct oci_entry *y)
{
	return is_left_out(x, y) || is_left_out(y, x);
}

RULE(SC110, "deny-equals-default", HIGH, JSON, sc_deny_equals_default,
     "a refusal that runtimes leave out beside an allow",
     "A refusal with the default's own action and errno is left out by runc and crun before "
     "libseccomp sees it. An entry that allows the same call then stays alone: the call is "
     "allowed.")

void sc_deny_equals_default(struct lint *l, enum diag_id id)
{
	struct group later = GROUP(l), earlier = GROUP(l);
	struct diag *d;

	collect_pairs(l, loses_refusal, &later, &earlier);
	if (!later.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&later),
		     "%s: allowed and refused; the refusal says what "
		     "the default says, so runc and crun leave it out and the call stays allowed",
		     group_list(&later));
	diag_help(l->ds, d,
		  "remove the entry that allows, or give the refusal another errno and "
		  "the allowing entry conditions");
	note_earlier(l, d, &earlier, "the other entry");
}

RULE(SC153, "overlapping-entries", HIGH, JSON, sc_overlapping_entries,
     "two entries with different actions that one call meets both",
     "Two entries with different actions whose conditions some calls meet both. No runtime defines "
     "which decides: it is whatever libseccomp's merged tree of comparisons yields, and that has "
     "changed between releases. Entries without a condition (SC108, SC109) and with the same "
     "condition (SC112) are other rules.\n\n"
     "Way out: let the conditions exclude each other. 'pale sim' and 'pale explain' tell what the "
     "libseccomp installed here makes of it.")

void sc_overlapping_entries(struct lint *l, enum diag_id id)
{
	struct oci_disputed both;
	struct str name;
	size_t at = 0;

	while (oci_overlap_next(l->overlaps, &at, &name, &both)) {
		if (is_refused(l, both.second))
			continue;
		BUF_AUTO call = { 0 };
		oci_print_witness(&call, name, both.args);
		struct diag *d = diag_add(l->ds, id, both.second,
					  "%s meets two entries with different actions, and "
					  "which decides is up to libseccomp",
					  call.p);
		diag_note(l->ds, d, both.first, "the other entry");
		diag_help(l->ds, d, "let their conditions exclude each other");
	}
}

/* Rows that --list-rules and --explain show: oci_refused() says these, above. */
RULE_TOLD(
	SC112, "same-cond-two-actions", ERROR, JSON,
	"conditions that two entries give different actions, which libseccomp refuses",
	"libseccomp merges the conditions of one call into a tree, and answers EEXIST to an entry "
	"that ends where another action's conditions go on: the same conditions with two actions, "
	"or fewer of them behind more (in the other order the entry with fewer decides alone). "
	"With i386, s390x or ppc64le listed, 'socket' is socketcall(1) there too, so that an entry "
	"without conditions has one: entries for socket, connect, shmget and the like, the "
	"conditional one first, do not load. runc says 'error adding seccomp rule for syscall "
	"NAME: file exists', crun 'seccomp_rule_add_array: File exists'. What the library here "
	"answers is what is told, in each environment in which other entries are in force.\n\n"
	"Way out: keep one action, put the entry with fewer conditions first, or let the "
	"conditions exclude each other.")

RULE_TOLD(SC166, "endless-entries", ERROR, JSON,
	  "entries with which libseccomp does not come to an end",
	  "libseccomp 2.5.4 compares 64 bits by order in several nodes, which share what comes "
	  "behind. Two entries with other actions that begin with one such comparison (arg0 > 5 "
	  "and arg1 >= 1; arg0 > 5 and arg1 != 3) can make a circle of that list, in which it goes "
	  "on for ever: runc and crun hang and no container starts. Told after one second of "
	  "processor time in the library.\n\n"
	  "Way out: compare with EQ or MASKED_EQ first, or say it in one entry.")

RULE_TOLD(SC167, "refusal-not-decided", INFO, JSON,
	  "whether libseccomp takes the entries is not known",
	  "The library is asked about at most 1000 rules of calls that entries give different "
	  "actions, in at most 64 environments. Beyond, whether SC112 holds is not known.\n\n"
	  "Way out: fewer entries for one call.")

RULE(SC133, "default-allow", HIGH, BOTH, sc_default_allow, "what no rule names is allowed",
     "What no rule names is allowed. Every call that was forgotten is open, and so is every call "
     "that a newer kernel adds.")

/* ---- the default ---- */

void sc_default_allow(struct lint *l, enum diag_id id)
{
	struct diag *d;

	if (!l->facts || !l->facts->has_default || l->facts->dflt.kind != VERDICT_ALLOW)
		return;
	d = diag_add(l->ds, id, l->facts->dflt_span,
		     "what no rule names is allowed: every call that "
		     "was forgotten, and every call that a newer kernel adds");
	diag_help(l->ds, d,
		  "refuse by default and list what the program needs (pale learn proposes it)");
}

RULE(SC134, "default-log-left", HIGH, BOTH, sc_default_log_left, "the default logs or traces",
     "The default logs (and allows) or traces: a profile for learning that was left in place.")

void sc_default_log_left(struct lint *l, enum diag_id id)
{
	struct diag *d;

	if (!l->facts || !l->facts->has_default ||
	    (l->facts->dflt.kind != VERDICT_LOG && l->facts->dflt.kind != VERDICT_TRACE))
		return;
	d = diag_add(
		l->ds, id, l->facts->dflt_span, "%s",
		l->facts->dflt.kind == VERDICT_LOG ?
			"the default logs and allows: nothing is refused, this is a profile for "
			"learning" :
			"the default hands calls to a tracer; without one they fail with ENOSYS");
	diag_help(l->ds, d, "refuse by default once the list is complete");
}
