/* SPDX-License-Identifier: Apache-2.0 */
/* SR: what passes and can be used against the machine (risk.def says what, and when). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"
#include "compiler/oci/fix.h"

static const struct risk {
	enum diag_id id;
	const char *call, *gates, *kernel, *danger;
} risks[] = {
#define RISK(id, call, gates, kernel, danger) { DIAG_##id, call, gates, kernel, danger },
#include "compiler/tables/risk.def"
#undef RISK
};

static const struct { /* what follows the list of names */
	enum diag_id id;
	const char *why, *help;
} texts[] = {
#define RISK_TEXT(id, why, help) { DIAG_##id, why, help },
#include "compiler/lint/risk_text.def"
#undef RISK_TEXT
};

int lint_risk_asks(const char *call)
{
	/* capable(): kernel/module/main.c, kernel/kexec.c, kernel/time/time.c, kernel/acct.c, arch/x86/kernel/ioport.c. */
	static const char *const machines[] = { "CAP_SYS_MODULE", "CAP_SYS_BOOT", "CAP_SYS_TIME",
						"CAP_SYS_PACCT", "CAP_SYS_RAWIO" };

	for (size_t i = 0; i < ARRAY_SIZE(risks); i++)
		for (size_t c = 0; !strcmp(risks[i].call, call) && c < ARRAY_SIZE(machines); c++)
			if (!strcmp(risks[i].kernel, machines[c]) && !*risks[i].danger)
				return capability_find(str_c(machines[c]));
	return -1;
}

int lint_risk_asks_there(const char *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++)
		if (!strcmp(risks[i].call, call) && *risks[i].kernel)
			return capability_find(str_c(risks[i].kernel));
	return -1;
}

/* Calls of one rule that pass, in all environments or with capabilities alone. */
struct open_calls {
	struct group calls;
	bool always;         /* each of them whatever its arguments */
	const char *witness; /* of the first that a condition is asked of, or that has conditions */
	const char *gate;    /* the capability that a Docker profile gates one with; "" */
};

static const char *question_of(struct lint *l, const struct risk *r)
{
	return *r->danger ? arena_printf(l->arena, "%s(%s)", r->call, r->danger) : r->call;
}

/* The default's own openness is SC133's to say. */
static void add_open(struct lint *l, struct open_calls *o, const struct risk *r,
		     const struct fact_answer *w)
{
	bool always = w->always & w->some;

	if (!group_add(&o->calls, str_c(r->call), facts_span(l->facts, r->call)))
		return;
	o->always &= always;
	if (!o->witness && (*r->danger || !always || w->with_caps))
		o->witness = facts_witness(l->facts, w);
	if (!*o->gate)
		o->gate = arena_printf(l->arena, "%.*s", (int)strcspn(r->gates, "|"), r->gates);
}

/* Where another rule says the same harm of this call, and why: SC126 of clone3, SC123 of what
 * carries calls that are filtered. */
static unsigned told_apart(struct lint *l, const struct risk *r)
{
	const char *mux = NULL;
	unsigned on = 0;

	if (!strcmp(r->call, "clone3"))
		return facts_clone3_past(l->facts);
	if (r->id != DIAG_SR228 || !l->facts->arches_written)
		return 0;
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *s = syscall_at(i);
		unsigned selector;

		if (!syscall_multiplexer(s, &selector))
			continue;
		unsigned restricted =
			facts_tested(l->facts, s->name) | facts_refused_by_rule(l->facts, s->name);
		unsigned past = facts_carried_past(l->facts, s, restricted, &mux);
		on |= past && !strcmp(mux, r->call) ? past : 0;
	}
	return on;
}

static void collect_open(struct lint *l, enum diag_id id, struct open_calls *plain,
			 struct open_calls *gated)
{
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		const struct risk *r = &risks[i];
		if (r->id != id || !facts_named(l->facts, r->call))
			continue;
		struct fact_answer w = facts_ask(l->facts, question_of(l, r), r->gates);
		if (w.some & ~told_apart(l, r))
			add_open(l, w.with_caps ? gated : plain, r, &w);
	}
}

/* "; the kernel asks for CAP_SYS_ADMIN": for all of the calls, or for which. */
static const char *kernel_asks(struct lint *l, enum diag_id id, const struct group *calls)
{
	const char *out = "", *last = NULL;
	struct group with = { .arena = l->arena };
	bool same = true;

	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		const struct risk *r = &risks[i];
		if (r->id != id || !group_has(calls, str_c(r->call)))
			continue;
		same &= !last || !strcmp(last, r->kernel);
		last = r->kernel;
		if (*r->kernel)
			group_add(&with,
				  str_c(arena_printf(l->arena, "%s for %s", r->kernel, r->call)),
				  NO_SPAN);
	}
	if (same && last && *last)
		return arena_printf(l->arena, "; the kernel asks for %s", last);
	for (size_t i = 0; i < with.hits.n; i++)
		out = arena_printf(l->arena, "%s%s" PRISTR, out,
				   i ? ", " : "; the kernel asks for ",
				   STRARG(with.hits.v[i].text));
	return out;
}

static size_t text_of(enum diag_id id)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].id == id)
			return i;
	BUG("a risk without its text");
}

/* Calls that are harmful whatever their arguments are taken from the lists that allow them. */
static void cut_open(struct lint *l, struct diag *d, const struct open_calls *o)
{
	/* Of these two what is harmless of the call is no loss. */
	bool whole = d->id == DIAG_SR203 || d->id == DIAG_SR205;

	if (!l->profile || (o->witness && !whole) || !o->always || !facts_refuses(l->facts))
		return;
	oci_fix_cut_words(l->profile, l->ds, d, &o->calls, entry_permits);
	vec_each(&o->calls.hits, h)
		diag_fix_call(l->ds, d, h->text);
	diag_fix_means(d, FIX_UNSAFE, FIX_TIGHTER);
}

static void tell_open(struct lint *l, enum diag_id id, const struct open_calls *o, bool gated)
{
	size_t t = text_of(id);
	const char *how = "allowed without a condition";

	if (!o->calls.hits.n)
		return;
	if (gated)
		how = arena_printf(l->arena, "allowed in some environments, as in %s", o->witness);
	else if (!o->always)
		how = arena_printf(l->arena, "allowed under conditions that let %s through",
				   o->witness);
	else if (o->witness)
		how = arena_printf(l->arena, "%s, %s too", how, o->witness);
	struct diag *d = diag_add(l->ds, id, group_span(&o->calls), "%s %s %s: %s%s",
				  group_list(&o->calls), PLURAL(o->calls, "is", "are"), how,
				  texts[t].why, kernel_asks(l, id, &o->calls));
	if (gated && diag_info(id)->severity < SEVERITY_INFO)
		diag_severity(l->ds, d, (enum severity)(diag_info(id)->severity + 1));
	if (*o->gate && l->facts->json)
		diag_help(l->ds, d, "%s; in a Docker profile: \"includes\": {\"caps\": [\"%s\"]}",
			  texts[t].help, o->gate);
	else
		diag_help(l->ds, d, "%s", texts[t].help);
	if (!gated)
		cut_open(l, d, o);
	group_labels(l->ds, d, &o->calls);
}

RULE(SR201, "risk-modules", HIGH, BOTH, sr_open_call, "kernel modules allowed",
     "Loading and unloading kernel modules.")

RULE(SR202, "risk-reboot", HIGH, BOTH, sr_open_call, "kexec or reboot allowed",
     "Restarting the machine or its kernel.")

RULE(SR203, "risk-bpf", HIGH, BOTH, sr_open_call, "bpf allowed",
     "bpf(BPF_PROG_LOAD): programs in the kernel. CVE-2021-3490, CVE-2023-2163 were ways past its "
     "verifier.")

RULE(SR204, "risk-io_uring", HIGH, BOTH, sr_open_call, "io_uring allowed",
     "io_uring: CVE-2023-2598, CVE-2024-0582 among many; its operations pass no filter (SC132). "
     "Docker took it out in November 2023.")

RULE(SR205, "risk-ptrace", HIGH, BOTH, sr_open_call, "ptrace or process_vm_* allowed",
     "ptrace and process_vm_*: other processes' memory. Before Linux 4.8 a tracer could change a "
     "call after the filter had passed it; CVE-2019-13272.")

RULE(SR206, "risk-perf", HIGH, BOTH, sr_open_call, "perf_event_open allowed",
     "perf_event_open: CVE-2013-2094, CVE-2017-6001.")

RULE(SR207, "risk-userfaultfd", HIGH, BOTH, sr_open_call, "userfaultfd allowed",
     "userfaultfd: lets a program stop the kernel in the middle of a copy, which exploits use to "
     "win races. Off for the unprivileged since 5.11.")

RULE(SR208, "risk-keyrings", HIGH, BOTH, sr_open_call, "keyrings allowed",
     "The kernel's keyrings are not namespaced; CVE-2016-0728.")

RULE(SR209, "risk-mount", HIGH, BOTH, sr_open_call, "mounting allowed", "mount and its family.")

RULE(SR210, "risk-namespaces", HIGH, BOTH, sr_open_call, "namespaces allowed",
     "Calls that make or enter namespaces, where a CLONE_NEW* flag passes (clone3 keeps its flags "
     "in memory). A user namespace gives its maker capabilities over interfaces that only root "
     "could reach: CVE-2022-0185, CVE-2024-1086.")

RULE(SR211, "risk-handles", HIGH, BOTH, sr_open_call, "open_by_handle_at allowed",
     "open_by_handle_at opens any inode of a mounted file system by number (the 'Shocker' "
     "breakout).")

RULE(SR212, "risk-chroot", WARNING, BOTH, sr_open_call, "chroot or fchroot allowed",
     "chroot, and fchroot since Linux 7.3: with a directory descriptor held open, a second chroot "
     "leaves the first. fchroot(FD_FAILFS_ROOT), which gives all of it up, is not counted.")

RULE(SR213, "risk-ioctl", INFO, BOTH, sr_open_call, "ioctl allowed that types into a terminal",
     "ioctl where TIOCSTI or TIOCLINUX passes: they put characters into the terminal's input "
     "(CVE-2017-5226, CVE-2023-1523). Linux 6.2 and later can switch TIOCSTI off "
     "(dev.tty.legacy_tiocsti). The comparison must be masked to 32 bits (CVE-2023-28100).")

RULE(SR214, "risk-personality", WARNING, BOTH, sr_open_call,
     "personality allowed that undoes protections",
     "personality where READ_IMPLIES_EXEC or ADDR_NO_RANDOMIZE passes.")

RULE(SR215, "risk-socket-families", WARNING, BOTH, sr_open_call,
     "socket allowed with a family of risk",
     "socket where one of these families passes: AF_ALG (CVE-2026-31431), AF_VSOCK to the "
     "hypervisor, AF_PACKET (CVE-2017-7308).")

RULE(SR216, "risk-syslog", WARNING, BOTH, sr_open_call, "the kernel's log allowed",
     "syslog: the kernel's log. Docker gates it by CAP_SYSLOG.")

RULE(SR217, "risk-swap", HIGH, BOTH, sr_open_call, "swap, accounting or quotas allowed",
     "Swap, accounting and quotas of the machine.")

RULE(SR218, "risk-ports", HIGH, BOTH, sr_open_call, "direct hardware access allowed",
     "Ports and processor modes.")

RULE(SR219, "risk-clock", WARNING, BOTH, sr_open_call, "setting the clock allowed",
     "Setting the clock; time of day is not namespaced.")

RULE(SR220, "risk-pidfd", WARNING, BOTH, sr_open_call, "reaching into other processes allowed",
     "pidfd_getfd, process_madvise, kcmp: other processes' descriptors, memory advice, kernel "
     "pointers.")

RULE(SR221, "risk-mempolicy", WARNING, BOTH, sr_open_call, "memory policy allowed",
     "Memory policy and page migration; CVE-2017-14140.")

RULE(SR222, "risk-obsolete", INFO, BOTH, sr_open_call, "obsolete calls allowed", "Obsolete calls.")

RULE(SR223, "risk-fanotify", INFO, BOTH, sr_open_call, "fanotify or security attributes allowed",
     "fanotify watches whole file systems; lsm_set_self_attr changes security attributes.")

RULE(SR225, "risk-vmsplice", INFO, BOTH, sr_open_call, "vmsplice allowed",
     "vmsplice: pages shared with pipes; CVE-2022-0847 used that machinery.")

RULE(SR228, "risk-multiplexer", WARNING, BOTH, sr_open_call, "socketcall or ipc allowed as a whole",
     "socketcall and ipc carry other calls with their arguments in memory, where no filter looks.")

RULE(SR229, "risk-mknod", WARNING, BOTH, sr_open_call, "mknod allowed",
     "mknod, where S_IFCHR or S_IFBLK passes: makes device nodes for a process with CAP_MKNOD, "
     "which Docker grants by default; the device cgroup is then the only barrier.")

void sr_open_call(struct lint *l, enum diag_id id)
{
	struct open_calls plain = { .calls = GROUP(l), .always = true, .gate = "" }, gated = plain;

	if (!l->facts || !facts_refuses(l->facts))
		return;
	collect_open(l, id, &plain, &gated);
	tell_open(l, id, &plain, false);
	tell_open(l, id, &gated, true);
}

RULE(SR224, "risk-fileless", INFO, BOTH, sr_fileless_exec, "memfd_create and execveat allowed",
     "memfd_create and execveat together execute what never was a file, past whatever watches "
     "files.")

/* Two calls that are harmless alone: anonymous file, then execute it. */
void sr_fileless_exec(struct lint *l, enum diag_id id)
{
	struct diag *d;

	if (!l->facts || !facts_refuses(l->facts) ||
	    !(facts_some(l->facts, "memfd_create") & facts_some(l->facts, "execveat")))
		return;
	d = diag_add(l->ds, id, facts_span(l->facts, "memfd_create"),
		     "'memfd_create' and 'execveat' "
		     "are both allowed: a program can be executed that never was a file");
	diag_help(l->ds, d, "leave execveat out unless the program calls fexecve()");
	diag_note(l->ds, d, facts_span(l->facts, "execveat"), "the second half");
}

RULE(SR230, "risk-ring-filter", WARNING, BOTH, sr_ring_filter,
     "no ring can be made, but io_uring_register takes a BPF program",
     "io_uring_setup is refused, and io_uring_register(-1, IORING_REGISTER_BPF_FILTER) passes. "
     "Until Linux 7.0 nearly all of io_uring_register needed a ring; since then a task hands the "
     "kernel a classic BPF program for rings that it or its children will have, with no ring and "
     "no capability under no_new_privs (io_uring/register.c).\n\n"
     "Way out: refuse io_uring_register too, or allow it by opcode.")

void sr_ring_filter(struct lint *l, enum diag_id id)
{
	static const char question[] =
		"io_uring_register(fd == 0xffffffff and (opcode & 0x7fffffff) == "
		"IORING_REGISTER_BPF_FILTER)";
	struct fact_answer w;
	struct diag *d;
	unsigned on;

	if (!l->facts)
		return;
	/* Where no rule is about io_uring, the default's own openness is SC133's to say. */
	on = facts_named(l->facts, "io_uring_setup") | facts_named(l->facts, "io_uring_register");
	on &= facts_has(l->facts, "io_uring_setup") & ~facts_some(l->facts, "io_uring_setup");
	if (!on)
		return;
	w = facts_ask(l->facts, question, "");
	if (!(w.some & on))
		return;
	d = diag_add(
		l->ds, id, facts_span(l->facts, "io_uring_register"),
		"no ring can be made here, and %s passes: since Linux 7.0 it hands the kernel a "
		"classic BPF program without a ring, and without a capability",
		facts_witness(l->facts, &w));
	diag_help(l->ds, d, "refuse 'io_uring_register' too, or allow the opcodes that are needed");
}
