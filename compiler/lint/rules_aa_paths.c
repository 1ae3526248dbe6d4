/* SPDX-License-Identifier: Apache-2.0 */
/* AP3 of paths: what may be done to the machine through a file. */
#include <string.h>

#include "compiler/lint/aa_paths.h"
#include "compiler/lint/aa_risk.h"

/* ---- all that one rule lets be done is one finding ---- */

static bool is_wide(const struct aa_path_hits *hits, const struct aa_path_hit *hit)
{
	return hits->wide && hits->wide->rule->use->stmt == hit->file->rule->use->stmt;
}

/* Is the rule about the secret itself, and no pattern that reaches too far? */
static bool is_named(const struct aa_path_hit *hit)
{
	const struct aa_word *w = hit->file->rule->file.path.word;
	const char *name = hit->row->name;

	return name && w && memmem(w->text.p, w->text.n, name, strlen(name));
}

static void add_risk(struct lint *l, struct aa_risks *out, const struct aa_path_hit *hit)
{
	const struct aa_use *use = hit->file->rule->use;
	enum severity severity = is_named(hit) ? SEVERITY_INFO : hit->row->severity;

	if (is_named(hit) && !aa_is_own(use))
		return; /* who includes it asks for it */
	vec_push(l->arena, &out->list,
		 ((struct aa_risk){ use, severity, hit->access, hit->row->does }));
}

static void tell_causes(struct lint *l, enum diag_id id, const char *help)
{
	const struct aa_path_hits *hits;
	struct aa_risks risks = { .list = { 0 } };

	if (!aa_risk_counts(l))
		return;
	hits = aa_paths_hits(l);
	vec_each(&hits->list, hit)
		if (hit->row->id == id && !is_wide(hits, hit))
			add_risk(l, &risks, hit);
	aa_risk_tell(l, id, &risks, help);
}

RULE(AP301, "file-everything", HIGH, APPARMOR, ap_file_everything,
     "one rule lets every file be written",
     "A rule such as 'file,', '/** rw,' or '/{,**} rwix,' lets every file be written that the "
     "process may write by its user and group. What is left of the confinement are the profile's "
     "deny rules, and a list of what is dangerous is never whole: pale asks for what can be done "
     "to a machine through a path (aa_paths.def), and the finding says what of it stands open. "
     "That is one finding: what else AP315 to AP321 say of single paths is not said of this "
     "rule.\n\n"
     "It is found by what the rules mean together. A rule counts whose pattern matches files "
     "everywhere, in /etc, /usr, /var, /home, /root, /boot and /opt, and that decides one of "
     "them.\n\n"
     "Way out: the directories that the program writes. 'pale learn' finds them.")
void ap_file_everything(struct lint *l, enum diag_id id)
{
	const struct aa_path_hits *hits;
	struct aa_risks open = { .list = { 0 } };
	const char *text;
	struct diag *d;

	if (!aa_risk_counts(l))
		return;
	hits = aa_paths_hits(l);
	if (!hits->wide)
		return;
	vec_each(&hits->list, hit)
		if (is_wide(hits, hit) && hit->row->id != DIAG_AP322)
			add_risk(l, &open, hit);
	text = arena_printf(l->arena, "under '%s' every file may be written%s: '%s' is allowed%s%s",
			    str_safe_of(l->arena, l->aa->profile->label),
			    hits->wide->owner == AA_OWNER_ONLY ? " that the process owns" : "",
			    hits->wide_access,
			    open.list.n ? ", and what harms the machine, too: " : "",
			    open.list.n ? aa_risk_list(l, &open) : "");
	vec_each(&open.list, r)
		r->severity = SEVERITY_HIGH;
	d = aa_risk_say(l, id, hits->wide->rule->use, &open, text);
	if (d)
		diag_help(l->ds, d,
			  "allow the directories that the program writes; 'pale learn' finds them");
}

RULE(AP315, "proc-write", HIGH, APPARMOR, ap_proc_write,
     "what is written under /proc changes the whole machine",
     "Files under /proc that the kernel acts upon: core_pattern, modprobe and hotplug name programs "
     "that it runs as root and outside of any container; sysrq-trigger reboots; binfmt_misc puts an "
     "interpreter in front of other people's programs; settings under /proc/sys/kernel, vm and fs "
     "that no namespace has for itself. Container runtimes mount /proc/sys read-only and mask the "
     "rest; a profile is the second lock, for a runtime that gets that wrong (CVE-2025-31133, "
     "CVE-2025-52565, CVE-2025-52881: what was meant for one file of /proc is written to "
     "another). A warning: /proc/PID/mem, by which a process writes its own memory and that of those which ptrace "
     "rules let it trace, read-only pages of code too.\n\n"
     "/proc/PID/attr is none of them: a process writes its own, and change_profile rules say what "
     "comes of it. Found by the automaton of all rules, deny rules and priorities in it; the "
     "message has an access that is allowed.\n\n"
     "Way out: the settings that the program changes, one by one, or a deny rule for these.")
void ap_proc_write(struct lint *l, enum diag_id id)
{
	tell_causes(l, id, "name the settings that the program changes, one by one, or deny these");
}

RULE(AP316, "sys-write", HIGH, APPARMOR, ap_sys_write,
     "what is written under /sys changes the whole machine",
     "Files under /sys that the kernel acts upon: release_agent of a cgroup (CVE-2022-0492) and "
     "uevent_helper name programs that it runs as root and outside of any container; devices.allow "
     "gives devices; efivars change the firmware; debugfs and tracefs are the kernel's "
     "instruments; bind, unbind, config and resource files take devices away or write their "
     "registers. Container runtimes mount /sys read-only; a profile is the second lock.\n\n"
     "Found by the automaton of all rules; the message has an access that is allowed.\n\n"
     "Way out: the files that the program writes, one by one, or a deny rule for these.")
void ap_sys_write(struct lint *l, enum diag_id id)
{
	tell_causes(l, id, "name the files that the program writes, one by one, or deny these");
}

RULE(AP317, "runtime-socket", HIGH, APPARMOR, ap_runtime_socket,
     "the socket of what starts containers is open",
     "Who may write to the socket of Docker, containerd, CRI-O, Podman, BuildKit, LXD or Incus can "
     "start a container that has the whole machine in it, which is root without a password, and no "
     "profile is in its way (CIS Docker 5.32: no container mounts the socket). The kubelet's keys "
     "are the same in a cluster.\n\n"
     "Found by the automaton of all rules; the message has an access that is allowed.\n\n"
     "Way out: no rule for the socket; a proxy that passes on the few requests that are needed.")
void ap_runtime_socket(struct lint *l, enum diag_id id)
{
	tell_causes(l, id,
		    "leave the socket out; a proxy passes on the few requests that are needed");
}

RULE(AP318, "device", HIGH, APPARMOR, ap_device, "a device leads past all rules about paths",
     "Memory (/dev/mem, kmem, port, msr), disks below their file system, input devices that type "
     "for the user, kexec: what is done there no rule about a path sees. The device cgroup of a "
     "container and the file's owner stand before it; a profile that lets it through counts on "
     "these.\n\n"
     "Found by the automaton of all rules; the message has an access that is allowed. Graphics "
     "(/dev/dri), /dev/net/tun and /dev/fuse are no findings: programs need them, and the kernel "
     "asks for more there.\n\n"
     "Way out: the devices that the program uses, by name.")
void ap_device(struct lint *l, enum diag_id id)
{
	tell_causes(l, id, "name the devices that the program uses, one by one");
}

RULE(AP319, "secret-readable", WARNING, APPARMOR, ap_secret_readable, "a pattern reaches secrets",
     "A rule with a star, such as '/etc/** r,', reaches what nobody meant by it: the hashes of "
     "passwords, the machine's key, private keys and passwords of users, a pod's token. A rule that "
     "names one such file outright is told as information: that is what it is for.\n\n"
     "Found by the automaton of all rules, so that a deny rule for it is silence; the message has "
     "an access that is allowed.\n\n"
     "Way out: the files that the program reads, or a deny rule for these.")
void ap_secret_readable(struct lint *l, enum diag_id id)
{
	tell_causes(l, id, "name the files that the program reads, or deny these");
}

RULE(AP320, "policy-write", HIGH, APPARMOR, ap_policy_write,
     "the program may change the policy that confines it",
     "Files of profiles (/etc/apparmor.d), what was compiled of them (/var/cache/apparmor), the "
     "parser's configuration, and the kernel's files by which profiles are loaded and removed, for "
     "which CAP_MAC_ADMIN is asked, too. Who writes there is confined as long as it wants to be.\n\n"
     "Found by the automaton of all rules; the message has an access that is allowed.\n\n"
     "Way out: leave it to another program, with a profile of its own, that only does this.")
void ap_policy_write(struct lint *l, enum diag_id id)
{
	tell_causes(l, id, "leave that to a program of its own, which does nothing else");
}

RULE(AP321, "persistence-write", HIGH, APPARMOR, ap_persistence_write,
     "what is written there runs later, unconfined",
     "Files that others run or load, root among them: cron tables, units of systemd, ld.so.preload "
     "and libraries, programs, shells' start-up files, sudoers and accounts, PAM, udev, modprobe, "
     "the kernel in /boot, a user's session. What a confined program writes there runs outside of "
     "its profile. Of a user's own files the finding is a warning.\n\n"
     "Found by the automaton of all rules; the message has an access that is allowed.\n\n"
     "Way out: the files that the program writes, one by one, or a deny rule for these; "
     "abstractions/private-files has one for a user's files.")
void ap_persistence_write(struct lint *l, enum diag_id id)
{
	tell_causes(l, id, "name what the program writes, one by one, or deny these");
}

/* ---- interpreters ---- */

static bool may_read_back(const struct aa_opened *f)
{
	unsigned both = PERM_R | PERM_W;

	return f->rule && f->rule->use && aa_is_own(f->rule->use) && f->mode == AA_MODE_ALLOW &&
	       f->path->has & GLOB_HAS_STAR && (f->perms & both) == both;
}

/* A path of the rule's that may be written and read back; NULL: none. */
static const char *read_back(struct lint *l, const struct aa_opened *f)
{
	enum file_who who = f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER;
	size_t budget = GLOB_BUDGET;
	struct aa_verdict v;
	const char *path;

	if (glob_overlap(l->arena, f->path, f->path, &budget, &path) != GLOB_YES ||
	    aa_path_fault(str_c(path)) || path[strlen(path) - 1] == '/')
		return NULL;
	v = aa_asks_path(l, str_c(path), PERM_R | PERM_W, who);
	return aa_allows(&v) ? path : NULL;
}

/* Of the first few: that is enough to say that there is one. */
static const char *find_read_back(struct lint *l)
{
	const char *path = NULL;
	size_t left = 8;

	vec_each(&l->aa->q->files.list, f)
		if (may_read_back(f) && !path && left) {
			path = read_back(l, f);
			left--;
		}
	return path;
}

RULE(AP322, "interpreter-and-writable", INFO, APPARMOR, ap_interpreter,
     "an interpreter runs what the program writes",
     "The profile lets a shell, Python, Perl or another interpreter be executed under itself (ix), "
     "and lets files be written that it may read back: so its exec rules do not say which code "
     "runs, and none of what is written needs 'x' or 'm'. All of it stays under this profile, "
     "whatever that allows.\n\n"
     "Way out: a child profile for the interpreter ('cx -> name') that reads only the scripts it is "
     "for; or take this profile for one that runs any code, and judge its other rules by that.")
void ap_interpreter(struct lint *l, enum diag_id id)
{
	const char *path = NULL;
	struct diag *d = NULL;

	if (!aa_risk_counts(l))
		return;
	vec_each(&aa_paths_hits(l)->list, hit) {
		const struct aa_use *use = hit->file->rule->use;
		if (hit->row->id != id || hit->exec != AA_EXEC_IX || !aa_is_own(use))
			continue;
		path = path ? path : find_read_back(l);
		if (!path)
			return;
		if (d) {
			diag_again_as(l->ds, d, aa_place(use), "and '%s'", hit->access);
			diag_also(l->ds, d, str_c(hit->access));
			continue;
		}
		d = aa_tell(l, id, use,
			    "'%s' is allowed under this profile itself, and %s may be written and "
			    "read back: what is written there runs as a script",
			    hit->access, str_safe(l->arena, path));
		if (!d)
			return;
		diag_help(l->ds, d,
			  "a child profile for the interpreter ('cx') that reads only its scripts");
	}
}

/* ---- hand-made complements ---- */

/* A deny of all under /proc or /sys but what a class in brackets leaves out. */
static bool is_complement(const struct aa_rule *r)
{
	const struct aa_word *w = r->class == AA_CLASS_FILE ? r->file.path.word : NULL;
	const struct glob *g = w ? r->file.path.glob : NULL;

	return g && r->prefix.mode == AA_MODE_DENY && r->perms & PERM_W &&
	       g->has & GLOB_HAS_NEGATED && memmem(w->text.p, w->text.n, "[^", 2) &&
	       (str_starts(g->prefix, "/proc/") || str_starts(g->prefix, "/sys/"));
}

/* What is left out on purpose everywhere: containers have cgroups, and processes, of their own. */
static bool is_gap(const struct aa_path_hit *hit, enum diag_id of)
{
	return hit->row->id == of && !strstr(hit->access, " /sys/fs/cgroup/") &&
	       !strstr(hit->access, "/mem w");
}

static void tell_gaps(struct lint *l, enum diag_id id, const struct aa_rule *first, enum diag_id of)
{
	struct aa_risks gaps = { .list = { 0 } };
	const char *text;
	struct diag *d;

	vec_each(&aa_paths_hits(l)->list, hit)
		if (is_gap(hit, of))
			add_risk(l, &gaps, hit);
	if (!gaps.list.n)
		return;
	text = arena_printf(
		l->arena,
		"this and the like, which spell out 'all but' by hand, leave more open: %s",
		aa_risk_list(l, &gaps));
	vec_each(&gaps.list, r)
		r->severity = diag_info(id)->severity;
	d = aa_risk_say(l, id, first->use, &gaps, text);
	if (d)
		diag_help(
			l->ds, d,
			"allow what is written instead of denying all else, or deny these by name");
}

RULE(AP326, "proc-complement-gap", WARNING, APPARMOR, ap_complement_gap,
     "deny rules that spell out 'all but' by hand leave gaps",
     "AppArmor has no word for 'all but these', so profiles spell it out: "
     "'deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],...}/** w,'. A class in brackets "
     "speaks of one byte at one place, so a name that shares a letter there with an excepted one "
     "slips through: of three letters with 's' as the third none is denied by that.\n\n"
     "The automaton of all rules is asked which files under /proc and /sys that change the machine "
     "(AP315, AP316; not cgroups, which such profiles mean to leave out) may be written in spite of "
     "the deny rules; the message has them.\n\n"
     "Way out: allow what is written and nothing else; or deny by name what is left.")
void ap_complement_gap(struct lint *l, enum diag_id id)
{
	const struct aa_rule *proc = NULL, *sys = NULL;

	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		if (!is_complement(r))
			continue;
		if (str_starts(r->file.path.glob->prefix, "/proc/"))
			proc = proc ? proc : r;
		else
			sys = sys ? sys : r;
	}
	if (proc)
		tell_gaps(l, id, proc, DIAG_AP315);
	if (sys)
		tell_gaps(l, id, sys, DIAG_AP316);
}
