/* SPDX-License-Identifier: Apache-2.0 */
/* AP3: what a program under an AppArmor profile may do to the machine. */
#include <string.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_risk.h"

/* ---- everything of a class ---- */

RULE(AP302, "all-rule", HIGH, APPARMOR, ap_all_rule,
     "`all,` allows everything that AppArmor knows of",
     "`all,` stands for every file with every permission, every capability, network, mount, signal, "
     "ptrace, change of profile and whatever else the release mediates. What is left of the profile "
     "are its deny rules: that confines a program to all but a list, and a list of what is dangerous "
     "is never whole.\n\n"
     "Way out: the rules that the program needs; pale learn finds them.")
void ap_all_rule(struct lint *l, enum diag_id id)
{
	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		struct diag *d;

		if (r->class != AA_CLASS_ALL || r->prefix.mode != AA_MODE_ALLOW)
			continue;
		d = aa_tell(
			l, id, r->use,
			"'all' allows every access there is: only deny rules are left to confine '%s'",
			str_safe_of(l->arena, l->aa->profile->label));
		if (d)
			diag_help(
				l->ds, d,
				"write the rules that the program needs; 'pale learn' finds them");
	}
}

static const struct ask {
	enum diag_id id;
	enum severity severity;
	enum aa_class class;
	const char *access, *does;
} asks[] = {
#define ASK(id, severity, class, access, does)                                                     \
	{ DIAG_##id, SEVERITY_##severity, AA_CLASS_##class, access, does },
#include "compiler/lint/aa_asks.def"
#undef ASK
};

/* Is a rule that allows this, and is of its class, one that the finding is about? */
typedef bool about_fn(const struct aa_rule *r);

static bool is_any(const struct aa_rule *r)
{
	return r->class != AA_CLASS_CAPABILITY || r->caps != UINT64_MAX;
}

/* Of its class; `network unix stream,` by itself is the parser's way to say `unix,`. */
static bool is_of(const struct aa_rule *r, enum aa_class class)
{
	return r->class == class || (class == AA_CLASS_UNIX && r->class == AA_CLASS_NETWORK &&
				     !r->network.any && r->network.families == 1 << AF_UNIX);
}

static void find_asks(struct lint *l, enum diag_id id, about_fn *about, struct aa_risks *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		const struct ask *a = &asks[i];
		const struct aa_rule *r;
		if (a->id != id ||
		    (!aa_risk_has(l, a->class) &&
		     (a->class != AA_CLASS_UNIX || !aa_risk_has(l, AA_CLASS_NETWORK))))
			continue;
		r = aa_risk_allowed_of(l, a->access, a->class);
		if (r && is_of(r, a->class) && about(r))
			vec_push(l->arena, &out->list,
				 ((struct aa_risk){
					 r->use, r->class == a->class ? a->severity : SEVERITY_INFO,
					 a->access, a->does }));
	}
}

static void tell_asks(struct lint *l, enum diag_id id, const char *help)
{
	struct aa_risks risks = { .list = { 0 } };

	if (!aa_risk_counts(l))
		return;
	find_asks(l, id, is_any, &risks);
	aa_risk_tell(l, id, &risks, help);
}

RULE(AP303, "capability-all", HIGH, APPARMOR, ap_capability_all,
     "`capability,` allows every capability",
     "'capability,' without a list stands for all of them, those that later kernels add too: with "
     "sys_admin, sys_module, sys_rawio or mac_admin among them the profile can be left. A process "
     "has only the capabilities that its user and its container give it; this rule counts on "
     "these, and adds nothing.\n\n"
     "It is silent where deny rules take away all that AP304 knows.\n\n"
     "Way out: list the capabilities that the program uses; 'pale learn' finds them.")
static bool is_all_caps(const struct aa_rule *r)
{
	return r->class == AA_CLASS_CAPABILITY && r->caps == UINT64_MAX;
}

void ap_capability_all(struct lint *l, enum diag_id id)
{
	struct aa_risks risks = { .list = { 0 } };

	if (!aa_risk_counts(l))
		return;
	find_asks(l, DIAG_AP304, is_all_caps, &risks);
	aa_risk_tell(l, id, &risks, "list the capabilities that the program uses");
}

RULE(AP304, "dangerous-capability", HIGH, APPARMOR, ap_dangerous_capability,
     "a capability leads out of the profile, or to other users' processes",
     "The profile allows a capability with which a process that has it can leave the profile, or "
     "do what concerns the whole machine: sys_admin, sys_module, sys_rawio, sys_ptrace, "
     "dac_read_search, mac_admin, mac_override, setfcap, bpf, perfmon, net_admin "
     "(capabilities(7)). Some daemons are there to do just that; the finding says what the rule "
     "lets them do, so that somebody has thought of it.\n\n"
     "AppArmor gives no capability: the process must have it, and a container's runtime takes "
     "most away. A profile that allows it counts on that.\n\n"
     "Way out: leave it out where the program runs without; a narrower one (bpf or perfmon "
     "instead of sys_admin); a helper with a profile of its own.")
void ap_dangerous_capability(struct lint *l, enum diag_id id)
{
	tell_asks(l, id,
		  "leave it out where the program does without, or give it to a helper "
		  "with a profile of its own");
}

RULE(AP308, "ptrace-all", HIGH, APPARMOR, ap_ptrace_all, "unconfined processes may be traced",
     "Who traces a process writes its memory and registers: it does whatever that process may do. "
     "With 'ptrace,', 'ptrace trace,' or peer=unconfined an unconfined process of the same user "
     "is enough to leave the profile. To read (ps, which is 'ptrace read') is no finding.\n\n"
     "Way out: 'ptrace (read),' for what only looks; peer=@{profile_name} for a program that "
     "traces its own processes.")
void ap_ptrace_all(struct lint *l, enum diag_id id)
{
	tell_asks(l, id, "'ptrace (read)' for what only looks, or peer=@{profile_name}");
}

RULE(AP309, "signal-all", HIGH, APPARMOR, ap_signal_all, "any process may be killed",
     "'signal,' or 'signal send,' without a peer lets the program stop and kill every process that "
     "its user may signal, confined and unconfined ones alike: as root all of them. "
     "abstractions/base has what most programs need.\n\n"
     "Way out: peer=@{profile_name}, or the profiles that it signals; set=(term kill) for the "
     "signals that it sends.")
void ap_signal_all(struct lint *l, enum diag_id id)
{
	static const char *const accesses[] = { "signal send kill peer=unconfined",
						"signal send kill peer=pale-any" };
	struct aa_risks risks = { .list = { 0 } };
	struct aa_verdict one, other;

	if (!aa_risk_counts(l) || !aa_risk_has(l, AA_CLASS_SIGNAL))
		return;
	one = aa_asks(l, accesses[0], FILE_OTHER);
	other = aa_asks(l, accesses[1], FILE_OTHER);
	if (!aa_allows(&one) || !aa_allows(&other))
		return;
	vec_each(&l->aa->q->rules, r)
		if ((*r)->class == AA_CLASS_SIGNAL && (*r)->prefix.mode == AA_MODE_ALLOW &&
		    !risks.list.n && aa_is_decided_by(&one, (*r)->use) &&
		    aa_is_decided_by(&other, (*r)->use))
			vec_push(l->arena, &risks.list,
				 ((struct aa_risk){ (*r)->use, SEVERITY_HIGH, accesses[0],
						    "so it is to every other process" }));
	aa_risk_tell(l, id, &risks, "say to whom: peer=@{profile_name}, and which: set=(term)");
}

RULE(AP310, "unix-all", HIGH, APPARMOR, ap_unix_all, "any abstract unix socket may be talked to",
     "'unix,' without an address and a peer lets the program connect to every daemon that listens "
     "at an abstract address. Such addresses are no files: mount namespaces do not keep them apart, "
     "only network namespaces do. containerd's shims listened there, and a container in the host's "
     "network was root (CVE-2020-15257).\n\n"
     "'network unix stream,' allows the same, and that is information: it names what it is for, and has no "
     "words for addresses. Told where unix sockets are "
     "mediated by address; where not, no rule can do better.\n\n"
     "Way out: unix peer=(label=@{profile_name}), and addr= of what it talks to.")
void ap_unix_all(struct lint *l, enum diag_id id)
{
	if (aa_risk_counts(l) && l->aa->q->target.mediated >> AA_CLASS_UNIX & 1)
		tell_asks(l, id, "say with whom: unix peer=(label=@{profile_name}), or addr=");
}

RULE(AP311, "dbus-all", HIGH, APPARMOR, ap_dbus_all,
     "D-Bus lets the program run commands unconfined, or read all messages",
     "'dbus,' or 'dbus bus=session,' without a name lets any method of any service be called. "
     "systemd's StartTransientUnit is one of them: it runs a command outside of the profile, for "
     "the user on the session's bus, for root on the system's. 'dbus eavesdrop' reads what all "
     "programs say to one another.\n\n"
     "dbus-daemon asks AppArmor, dbus-broker and kernels without it do not; the finding is about "
     "the rule.\n\n"
     "Way out: the services that the program calls, by peer=(name=...), path and interface; the "
     "'strict' abstractions (dbus-session-strict) with rules of its own.")
void ap_dbus_all(struct lint *l, enum diag_id id)
{
	tell_asks(l, id, "name the services that the program calls: peer=(name=...), interface=");
}

/* ---- change of profile ---- */

static void tell_unsafe_change(struct lint *l, enum diag_id id, const struct aa_rule *r)
{
	struct diag *d = aa_tell(
		l, id, r->use,
		"'unsafe' passes the environment on to the other profile as it is: LD_PRELOAD "
		"and the like run code of this one there");
	if (d)
		diag_help(l->ds, d, "leave 'unsafe' out");
}

RULE(AP312, "change-profile-free", HIGH, APPARMOR, ap_change_profile_free,
     "the program may take its profile off, or carry its environment into another",
     "'change_profile,' and 'change_profile -> **,' reach every profile there is, and 'unconfined' "
     "among them: the program is confined as long as it wants to be. 'unsafe' leaves LD_PRELOAD and "
     "other variables as they are, by which code of the one profile runs under the other.\n\n"
     "Way out: the profiles that it changes to, by name.")
void ap_change_profile_free(struct lint *l, enum diag_id id)
{
	tell_asks(l, id, "name the profiles that it changes to");
	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->rules, r)
		if ((*r)->class == AA_CLASS_CHANGE_PROFILE && (*r)->change.unsafe &&
		    (*r)->prefix.mode == AA_MODE_ALLOW)
			tell_unsafe_change(l, id, *r);
}

/* ---- what confines nothing ---- */

static void tell_profile(struct lint *l, enum diag_id id, const char *what, const char *help)
{
	const struct aa_profile *p = l->aa->profile;
	const struct aa_from *from = p->from;
	struct diag *d;

	while (from && from->parent)
		from = from->parent;
	d = diag_add(l->ds, id, from ? from->include->head : aa_risk_flags(p), "%s", what);
	diag_help(l->ds, d, "%s", help);
	/* Of the other modes no log has tried the rules. */
	if (!from && p->header->flags & AA_FLAG_COMPLAIN)
		aa_fix_cut_flag(l, d, p, "complain", FIX_UNSAFE, FIX_TIGHTER);
}

RULE(AP313, "confines-nothing", HIGH, APPARMOR, ap_confines_nothing,
     "the profile's mode lets everything pass",
     "flags=(complain) logs what the rules do not allow, and lets it pass; 'unconfined' and "
     "'default_allow' (which 5.0's parser writes as unconfined) do not even log. 'prompt' asks a "
     "notifier, and refuses where none listens. That is right while a profile is being written, "
     "and no confinement when it is shipped: nothing else that pale would say of the rules' risks "
     "is said of such a profile.\n\n"
     "A profile that only gives a program a name, so that it may make user namespaces on Ubuntu, is "
     "told as well: it confines nothing.\n\n"
     "Way out: take the flag away once the log is quiet; 'pale learn' and 'pale why' read it.")
void ap_confines_nothing(struct lint *l, enum diag_id id)
{
	unsigned flags = l->aa->profile->header->flags;

	if (flags & AA_FLAG_COMPLAIN)
		tell_profile(l, id,
			     "this profile complains: what its rules do not allow is logged and "
			     "passes",
			     "take 'complain' away once the log is quiet");
	else if (flags & AA_FLAG_UNCONFINED)
		tell_profile(l, id,
			     "this profile is 'unconfined': it is a name, and no rule counts",
			     "take 'unconfined' away, with rules for what the program does");
	else if (flags & AA_FLAG_DEFAULT_ALLOW)
		tell_profile(l, id,
			     "this profile allows by default: the parser writes it as unconfined, "
			     "and no rule counts",
			     "take 'default_allow' away, with rules for what the program does");
	else if (flags & AA_FLAG_PROMPT)
		tell_profile(l, id,
			     "this profile asks a notifier for what its rules do not allow: "
			     "whoever answers there decides",
			     "take 'prompt' away once the rules are there");
}

/* ---- sockets ---- */

/* What a rule names by itself is what it is for: of netlink, most programs' resolver. */
static enum severity network_severity(const struct aa_rule *r, enum severity severity)
{
	bool one = r->network.families && !(r->network.families & (r->network.families - 1));

	return r->network.any || !one ? severity : SEVERITY_INFO;
}

RULE(AP314, "network-wide", WARNING, APPARMOR, ap_network_wide,
     "`network,` opens families of sockets that hardly a program needs",
     "'network,' stands for every family and type of socket: packet and raw sockets, which read and "
     "forge traffic; vsock, which leads to the hypervisor; netlink; alg, the kernel's ciphers, which "
     "Docker denies since CVE-2026-31431. Each family is another part of the kernel, and several "
     "were the way to root. A rule that names one of them is what it is for: of packet, alg and "
     "vsock that is told as information, of raw and netlink not at all.\n\n"
     "Way out: 'network inet stream, network inet6 stream,' and what else the program opens; where "
     "'network,' must stay, 'deny network alg,' and the like behind it.")
static bool is_about_network(const struct aa_rule *r)
{
	return r->class == AA_CLASS_NETWORK;
}

static bool is_worth_telling(const struct aa_risk *r)
{
	return r->severity != SEVERITY_INFO || (strcmp(r->access, "socket netlink raw") != 0 &&
						strcmp(r->access, "socket inet raw") != 0);
}

void ap_network_wide(struct lint *l, enum diag_id id)
{
	/* What is not told of stays. */
	static const char *const sockets[] = { "network inet stream",  "network inet dgram",
					       "network inet6 stream", "network inet6 dgram",
					       "network unix",         NULL };
	struct aa_risks all = { .list = { 0 } }, told = { .list = { 0 }, .narrower = sockets };

	if (!aa_risk_counts(l))
		return;
	find_asks(l, id, is_about_network, &all);
	vec_each(&all.list, r) {
		const struct aa_rule *by = aa_risk_allowed(l, r->access);
		r->severity = network_severity(by, r->severity);
		if (is_worth_telling(r))
			vec_push(l->arena, &told.list, *r);
	}
	aa_risk_tell(l, id, &told,
		     "name what the program opens: 'network inet stream, network inet6 stream,'");
}

/* ---- newer parts of the kernel ---- */

RULE(AP323, "userns-allowed", WARNING, APPARMOR, ap_userns_allowed, "user namespaces may be made",
     "'userns,' lets the program make a user namespace, in which it has every capability over what "
     "is namespaced, and reaches code of the kernel that only root reached before: CVE-2022-0185 "
     "(mounts), CVE-2024-1086 (nf_tables). Browsers and sandboxes need it; Ubuntu since 23.10 lets "
     "only programs do it whose profile says so.\n\n"
     "Told where the abi mediates it; where it does not, everything may.\n\n"
     "Way out: leave the rule out where the program is no sandbox itself.")
void ap_userns_allowed(struct lint *l, enum diag_id id)
{
	tell_asks(l, id, "leave it out where the program makes no sandbox of its own");
}

RULE(AP324, "io-uring-allowed", WARNING, APPARMOR, ap_io_uring_allowed, "io_uring is allowed",
     "io_uring does the work of openat, connect, send and others without a system call: no seccomp "
     "filter sees it, and it was among the kernel's most exploited parts (CVE-2023-2598, "
     "CVE-2024-0582; Docker and containerd took it out of their default profiles). 'io_uring "
     "sqpoll' is a kernel thread that does it; 'override_creds' takes another's rights.\n\n"
     "Told where the abi mediates it.\n\n"
     "Way out: leave the rule out; most programs fall back to system calls.")
void ap_io_uring_allowed(struct lint *l, enum diag_id id)
{
	tell_asks(l, id, "leave it out: most programs fall back to system calls");
}
