/* SPDX-License-Identifier: Apache-2.0 */
/* SC: ways round: multiplexers, io_uring, and calls that do the same (siblings.def). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"
#include "compiler/lint/unit_facts.h"

/* Calls that pass inside their multiplexer although they are restricted themselves. */
struct carried {
	struct group calls;
	const char *mux;   /* of the first */
	unsigned on, open; /* open: the multiplexer passes as a whole */
};

static void add_carried(struct lint *l, struct carried *c, const struct syscall_info *s,
			unsigned restricted)
{
	const char *mux;
	unsigned past = facts_carried_past(l->facts, s, restricted, &mux);

	if (!past)
		return;
	c->on |= past;
	c->open |= past & facts_always(l->facts, mux);
	c->mux = c->mux ? c->mux : mux;
	group_add(&c->calls, str_c(s->name), facts_span(l->facts, s->name));
}

/* Reading a policy says it too (policy/calls.c), but not of comparisons of registers. */
static bool is_told(const struct lint *l)
{
	for (size_t i = 0; l->policy && i < l->ds->list.n; i++)
		if (l->ds->list.v[i]->id == DIAG_PL255 || l->ds->list.v[i]->id == DIAG_PL126)
			return true;
	return false;
}

RULE(SC123, "multiplexer", HIGH, BOTH, sc_multiplexer,
     "restrictions that a multiplexed call does not meet",
     "i386, s390x and ppc64le carry socket calls inside socketcall and System V IPC inside ipc, "
     "with the arguments in memory. A condition on socket does not hold there: libseccomp adds "
     "socketcall(1) without it, and a profile that allows socketcall as a whole has no condition "
     "at all. An entry that refuses socket is walked around where another one allows socketcall. "
     "Any x86_64 process can make i386 calls by int 0x80.\n\n"
     "Way out: leave i386 out, or refuse socketcall with ENOSYS (glibc then uses the direct "
     "calls).")

/* what: "the conditions on 'socket' do"; adds: "libseccomp also allows" */
static void tell_carried(struct lint *l, enum diag_id id, const struct carried *c, const char *what,
			 const char *adds)
{
	struct diag *d;

	if (c->open)
		d = diag_add(l->ds, id, group_span(&c->calls),
			     "%s not hold for %s: '%s' "
			     "is allowed as a whole there, with its arguments in memory%s",
			     what, lint_arches(l, c->on), c->mux,
			     c->on & ARCH_BIT(ARCH_I386) ?
				     ", and any x86_64 process can make i386 calls" :
				     "");
	else
		d = diag_add(l->ds, id, group_span(&c->calls),
			     "%s not hold for %s: %s '%s' for %s, without conditions", what,
			     lint_arches(l, c->on), adds, c->mux, PLURAL(c->calls, "it", "them"));
	diag_help(l->ds, d, "leave %s out, or refuse %s in %s", lint_arches(l, c->on), c->mux,
		  l->facts->json ? "an entry of its own, with another errno than the default's" :
				   "a rule of its own");
}

void sc_multiplexer(struct lint *l, enum diag_id id)
{
	struct carried tested = { .calls = GROUP(l) }, refused = { .calls = GROUP(l) };

	if (!l->facts || !l->facts->arches_written)
		return;
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *s = syscall_at(i);
		unsigned selector;

		if (!syscall_multiplexer(s, &selector))
			continue;
		add_carried(l, &tested, s, facts_tested(l->facts, s->name));
		add_carried(l, &refused, s, facts_refused_by_rule(l->facts, s->name));
	}
	if (is_told(l))
		return;
	const char *adds = l->facts->json ? "libseccomp also allows" : "this policy also allows";
	if (tested.calls.hits.n)
		tell_carried(l, id, &tested,
			     arena_printf(l->arena, "the conditions on %s do",
					  group_list(&tested.calls)),
			     adds);
	if (refused.calls.hits.n)
		tell_carried(l, id, &refused,
			     arena_printf(l->arena, "the refusal of %s does",
					  group_list(&refused.calls)),
			     "another rule allows");
}

enum { FAMILY_MAX = 13 };

static const struct family {
	const char *why;
	const char *calls[FAMILY_MAX + 1]; /* ends with NULL */
} families[] = {
#define SIBLINGS(why, ...) { why, { __VA_ARGS__, NULL } },
#include "compiler/tables/siblings.def"
#undef SIBLINGS
};

/* What may be asked of a member; *round: it is a way round alone. */
static const char *question_of(const char *member, bool *round)
{
	*round = *member == '+';
	return member + *round;
}

static const char *const ring_ops[] = {
	"accept4",  "connect",   "epoll_ctl", "fallocate", "fgetxattr", "ftruncate",
	"getxattr", "linkat",    "madvise",   "mkdirat",   "openat",    "openat2",
	"recvmsg",  "renameat2", "sendmsg",   "setxattr",  "shutdown",  "socket",
	"splice",   "statx",     "symlinkat", "tee",       "unlinkat",
};

/* Does another call of its family pass as it is? Then it restricts nothing: openat2 beside openat. */
static bool is_given_otherwise(struct lint *l, const char *call, unsigned on)
{
	bool round;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		unsigned other = 0;
		bool has = false;
		for (const char *const *q = families[i].calls; *q; q++) {
			const char *question = question_of(*q, &round);
			if (!strcmp(question, call))
				has = true;
			else if (!round && !strchr(question, '('))
				other |= facts_always(l->facts, question);
		}
		if (has && (other & on))
			return true;
	}
	return false;
}

RULE(SC132, "io_uring-bypass", HIGH, BOTH, sc_io_uring_bypass,
     "io_uring allowed beside restricted calls",
     "io_uring is allowed. Its operations (open, connect, send, ...) are carried out by the kernel "
     "without passing any filter, so what is restricted by call is open by ring. A call beside which another "
     "one does the same (openat2, where openat is allowed) is no restriction.")

void sc_io_uring_bypass(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct span span;
	struct diag *d;
	unsigned both;

	if (!l->facts)
		return;
	both = facts_some(l->facts, "io_uring_setup") & facts_some(l->facts, "io_uring_enter");
	span = facts_span(l->facts, "io_uring_setup");
	for (size_t i = 0; both && i < ARRAY_SIZE(ring_ops); i++)
		if (both & facts_has(l->facts, ring_ops[i]) &
			    ~facts_always(l->facts, ring_ops[i]) &&
		    !is_given_otherwise(l, ring_ops[i], both))
			group_add(&g, str_c(ring_ops[i]), span);
	if (!g.hits.n)
		return;
	d = diag_add(l->ds, id, span,
		     "io_uring is allowed and does what is restricted here "
		     "without any call that a filter sees: %s",
		     group_list(&g));
	diag_help(l->ds, d, "refuse io_uring_setup, io_uring_enter and io_uring_register");
}

static const char *call_of(struct lint *l, const char *question)
{
	if (!strchr(question, '('))
		return question;
	return arena_printf(l->arena, PRISTR, STRARG(facts_call(question)));
}

/*
 * Does the entry spell a default out? Under a default of ENOSYS what is known and not meant is named to
 * be refused with EPERM, as `pale compile` writes it: more than half of all calls that are not allowed.
 */
static bool is_the_rest(const struct lint *l, const struct oci_entry *entry)
{
	size_t others = entry->names.n * 2; /* with those that are allowed */

	vec_each(&l->profile->entries, e)
		if (entry_permits(e))
			others += e->names.n;
	return others > syscall_count();
}

/* Is there an entry that refuses it, and means it? One that allows it may have been left out. */
static bool is_refused_by_rule(struct lint *l, const char *call, unsigned on)
{
	if (!(facts_refused_by_rule(l->facts, call) & on))
		return false;
	if (!l->profile)
		return true;
	const struct syscall_info *sys = syscall_by_name(str_c(call));
	vec_each(&l->profile->entries, e) {
		if (!e->readable || entry_permits(e))
			continue;
		vec_each(&e->names, n)
			if (n->sys == sys && !is_the_rest(l, e))
				return true;
	}
	return false;
}

/* What one run of a rule tells of: an entry's refusal, and what is open beside it, by any family. */
struct holes {
	enum diag_id id;
	bool by_rule; /* refused by a rule that says so, in all environments */
	struct group told;
};

/* One cause, one finding: has another family told of this way round these refusals? */
static bool is_hole_told(struct lint *l, struct holes *h, const struct group *refused,
			 const char *call)
{
	return !group_add(&h->told,
			  str_c(arena_printf(l->arena, "%s %s", group_list(refused), call)),
			  NO_SPAN);
}

/* Whether who reads the file can refuse it: runtimes and systemd look names up in their libseccomp. */
static bool is_nameable(const struct lint *l, const char *call)
{
	const unsigned newest = ~LIBSECCOMP_DEBIAN12;

	return !(l->facts->json || l->unit) || libseccomp_knows(newest, str_c(call));
}

/* In a user namespace of its own a program has CAP_SYS_ADMIN over what is made there, whatever it had before. */
static bool may_make_user_namespace(const struct lint *l, unsigned on)
{
	static const char *const ways[] = { "unshare(flags has CLONE_NEWUSER)",
					    "clone(flags has CLONE_NEWUSER)", "clone3" };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (facts_ask(l->facts, ways[i], "").some & on)
			return true;
	return false;
}

static bool lacks(const struct lint *l, int cap)
{
	return cap >= 0 && !(l->unit->caps >> cap & 1);
}

/*
 * A unit's bounding set may lack what the kernel asks for: ProtectClock= takes the clock's capability, not stime(2). For
 * mounts, namespaces and roots (fs/namespace.c, may_mount; kernel/nsproxy.c; fs/open.c) that is one over the user namespace at hand.
 */
static bool is_out_of_bounds(const struct lint *l, const char *call, unsigned on)
{
	int there = strcmp(call, "unshare") ? lint_risk_asks_there(call) :
					      capability_find(STR("CAP_SYS_ADMIN"));

	return l->unit && (lacks(l, lint_risk_asks(call)) ||
			   (lacks(l, there) && !may_make_user_namespace(l, on)));
}

static void tell_too(struct lint *l, struct diag *d, const struct group *calls, bool varies)
{
	if (!l->unit)
		diag_help(l->ds, d, "refuse %s too", group_list(calls));
	else if (varies)
		diag_help(
			l->ds, d,
			"refuse %s whole; the groups are systemd %s's here, and those of other releases "
			"hold other calls (--systemd)",
			group_list(calls), systemd_name(l->systemd));
	else
		diag_help(l->ds, d, "refuse %s whole", group_list(calls));
}

static void check_siblings(struct lint *l, struct holes *h, const struct family *f)
{
	struct group refused = GROUP(l), open = GROUP(l), nameable = GROUP(l);
	bool round, varies = false;
	unsigned on = 0;
	struct diag *d;

	for (const char *const *q = f->calls; *q; q++) {
		const char *question = question_of(*q, &round), *call = call_of(l, question);
		if (round || (h->by_rule && !strcmp(call, "clone3")))
			continue; /* refused because clone's conditions cannot be put to it: SC126, SC127 */
		if (h->by_rule && !facts_refused_by_rule(l->facts, call))
			continue; /* is_refused_by_rule() would say so, after all that is asked below */
		unsigned no = facts_named(l->facts, call) & ~facts_ask(l->facts, question, "").some;
		no &= ~facts_refused(l->facts, call) | facts_loud(l->facts, call, no);
		if (h->by_rule && !is_refused_by_rule(l, call, no))
			no = 0;
		if (no)
			group_add(&refused, str_c(call), facts_span(l->facts, call));
		on |= no;
	}
	for (const char *const *q = f->calls; on && *q; q++) {
		const char *question = question_of(*q, &round), *call = call_of(l, question);
		struct fact_answer w = facts_ask(l->facts, question, "");
		if (!(w.some & on) || is_out_of_bounds(l, call, on) ||
		    is_hole_told(l, h, &refused, call))
			continue;
		group_add(&open, str_c(round ? question : call), facts_span(l->facts, call));
		varies |= l->unit && unit_group_varies(str_c(call));
		if (is_nameable(l, call)) /* a unit refuses calls, and no arguments */
			group_add(&nameable, str_c(round && !l->unit ? question : call), NO_SPAN);
	}
	if (!refused.hits.n || !open.hits.n || l->facts->undecided)
		return;
	d = diag_add(l->ds, h->id, group_span(&refused),
		     "%s %s refused, and what does the same stays allowed: %s (%s)",
		     group_list(&refused), PLURAL(refused, "is", "are"), group_list(&open), f->why);
	if (nameable.hits.n) {
		tell_too(l, d, &nameable, varies);
		return;
	}
	diag_severity(l->ds, d, SEVERITY_INFO);
	diag_help(
		l->ds, d,
		"no libseccomp knows the name yet: a list of what is allowed refuses it, with all that is not in it");
}

RULE(SC131, "sibling-hole", HIGH, BOTH, sc_sibling_hole,
     "a deny list that forgets calls of a family",
     "A deny list refuses one call of a family and leaves others that do the same: chmod, and "
     "fchmodat, which is what the C library calls; mount, and fsmount with move_mount. The "
     "families stand in siblings.def, each with its reason; a sibling that does the same only with "
     "certain arguments counts where those pass. Where no libseccomp knows the open call (fchroot, of Linux 7.3), "
     "nobody can write it into a profile or a unit, and this is told as information. Of a unit whose bounding set lacks "
     "the capability that the kernel asks for at the open call (ProtectClock= takes CAP_SYS_TIME, without which stime sets "
     "no clock; of CAP_SYS_ADMIN where user namespaces are refused, too) nothing is told. Groups of calls are those of the release of systemd that --systemd names, and the help says so where "
     "releases differ: '~@mount' leaves open_tree_attr open before 262, and open_tree from then on.")

void sc_sibling_hole(struct lint *l, enum diag_id id)
{
	struct holes h = { .id = id, .told = GROUP(l) };

	if (!l->facts || !l->facts->has_default || l->facts->dflt.kind != VERDICT_ALLOW)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		check_siblings(l, &h, &families[i]);
}

RULE(SC130, "twin-stays-open", HIGH, BOTH, sc_twin_stays_open,
     "an allow list that refuses a call by name, and allows what does the same",
     "What an allow list does not name is refused; a rule that refuses a call all the same says that it "
     "is meant. Where another call that does the same is allowed (openat beside openat2, execveat beside "
     "execve; siblings.def has the families), the refusal is got round. Refusals with ENOSYS are left "
     "alone: they send programs to the older call.\n\n"
     "Way out: refuse the others too, or take the refusal out.")

void sc_twin_stays_open(struct lint *l, enum diag_id id)
{
	struct holes h = { .id = id, .by_rule = true, .told = GROUP(l) };

	if (!l->facts || !facts_refuses(l->facts) || !facts_refuses_by_rule(l->facts, "clone3"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		check_siblings(l, &h, &families[i]);
}

RULE(SC143, "vdso-fallback", INFO, BOTH, sc_vdso_fallback,
     "calls that programs make only where the vDSO cannot read the time",
     "clock_gettime, gettimeofday or time is refused by the default. Programs read the time in the vDSO, without a call, as long as "
     "the machine's clock lets them; where it does not (a clock source such as hpet or acpi_pm, some hypervisors, vdso=0) "
     "the vDSO makes the call, and what worked on one machine fails on another. So a profile that was learned may lack them. "
     "Evidence: Linux, Documentation/userspace-api/seccomp_filter.rst, Caveats; vdso(7).\n\n"
     "Way out: allow them: they read the clock and nothing else.")
void sc_vdso_fallback(struct lint *l, enum diag_id id)
{
	static const char *const calls[] = { "clock_gettime", "gettimeofday", "time" };
	struct group g = GROUP(l);
	struct diag *d;

	for (size_t i = 0; l->facts && i < ARRAY_SIZE(calls); i++)
		if (facts_refused(l->facts, calls[i]) & ~facts_refused_by_rule(l->facts, calls[i]))
			group_add(&g, str_c(calls[i]), facts_span(l->facts, calls[i]));
	if (!g.hits.n || !facts_refuses(l->facts))
		return;
	d = diag_add(
		l->ds, id, group_span(&g),
		"%s %s refused, which programs call only where the vDSO cannot read the clock: "
		"it works on one machine and not on another",
		group_list(&g), PLURAL(g, "is", "are"));
	diag_help(l->ds, d, "allow %s", PLURAL(g, "it", "them"));
}
