/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AP: what a profile says and the parser, its abi or a kernel does not do. What kernels do was
 * measured on 6.1, 6.12, 7.2 and 7.3 (tests/guest/truth.py).
 */
#include <string.h>
#include <sys/mount.h>

#include "compiler/apparmor/features.h"
#include "compiler/base/bug.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_probe.h"

/* ---- classes that are not mediated ---- */

/* Of those that are not asked about by a class's rules, an access that shows it. */
static const char *const shown[AA_CLASS_NR] = {
	[AA_CLASS_USERNS] = "userns create",
	[AA_CLASS_IO_URING] = "io_uring sqpoll",
	[AA_CLASS_PTRACE] = "ptrace trace peer=unconfined",
	[AA_CLASS_SIGNAL] = "signal send kill peer=unconfined",
	[AA_CLASS_MOUNT] = "mount fstype=tmpfs tmpfs -> /mnt/",
	[AA_CLASS_PIVOT_ROOT] = "pivot_root oldroot=/mnt/old/ /mnt/",
};

/* Are the file's features, on a kernel that has all, without it? */
static bool is_abis_doing(const struct aa_facts *f, enum aa_class class)
{
	return !(aa_features_classes(f->release, f->policy->features, NULL) >> class & 1);
}

/* A rule that means to refuse something: a deny, or one that allows less than its whole class. */
static bool holds_back(const struct aa_rule *r)
{
	return r->prefix.mode != AA_MODE_ALLOW || r->use->stmt->items->next;
}

/* Another abi in the place of the file's own. */
static void write_abi(struct lint *l, struct diag *d, const char *abi)
{
	const struct aa_policy *p = l->aa->policy;
	struct str text;

	if (!p->abi || p->abi_from)
		return;
	text = span_text(l->ds->sources, p->abi->span);
	if (!text.n || text.p[0] == '"')
		return;
	diag_fix(l->ds, d, p->abi->span,
		 str_c(arena_printf(l->arena, text.p[0] == '<' ? "<abi/%s>" : "abi/%s", abi)));
	diag_fix_means(d, FIX_UNSAFE, FIX_TIGHTER);
}

static void tell_unmediated(struct lint *l, enum diag_id id, const struct aa_rule *r,
			    const char *whose)
{
	const struct aa_facts *f = l->aa;
	const char *name = aa_class_name(r->class);
	struct diag *d;

	d = aa_tell(l, id, r->use,
		    "%s does not mediate %s, so that this rule counts for nothing: '%s' is allowed",
		    whose, name, shown[r->class]);
	if (!d)
		return;
	if (f->policy->abi && !f->policy->abi_from && id == DIAG_AP216)
		diag_note(l->ds, d, f->policy->abi->span, "this abi");
	if (id == DIAG_AP216)
		write_abi(l, d, r->class == AA_CLASS_USERNS ? "4.0" : "5.0");
	if (id == DIAG_AP216)
		diag_help(l->ds, d, "write 'abi <abi/%s>,', and a rule for what else that mediates",
			  r->class == AA_CLASS_USERNS ? "4.0" : "5.0");
	else
		diag_help(
			l->ds, d,
			"what is to be refused there must be refused by other means: a seccomp filter");
}

static bool is_unmediated(const struct lint *l, const struct aa_rule *r)
{
	return shown[r->class] && !(l->aa->policy->target.mediated >> r->class & 1) &&
	       holds_back(r);
}

RULE(AP216, "abi-older-than-rule", HIGH, APPARMOR, ap_abi_older_than_rule,
     "rules of a class that the file's abi does not mediate",
     "The abi line says for which kernel features a profile was written, and everything newer is left "
     "as it was before: allowed. abi/3.0 knows neither userns nor io_uring, abi/4.0 no io_uring. The "
     "parser takes rules about them, drops them without a word, and what they were to refuse is "
     "allowed: under abi/3.0 `deny userns,` stops no unshare(CLONE_NEWUSER), on any kernel (seen on "
     "6.1, 6.12, 7.2, 7.3). A rule that allows all of its class is left alone: it does no harm.\n\n"
     "Way out: the abi that has the class, with rules for what else it mediates.")
void ap_abi_older_than_rule(struct lint *l, enum diag_id id)
{
	const struct aa_facts *f = l->aa;
	const char *abi;

	if (!f->policy->abi)
		return;
	abi = arena_printf(l->arena, "'%s'", str_safe_of(l->arena, f->policy->abi->text));
	vec_each(&f->q->rules, r)
		if (is_unmediated(l, *r) && is_abis_doing(f, (*r)->class))
			tell_unmediated(l, id, *r, abi);
}

RULE(AP217, "rule-not-enforced", WARNING, APPARMOR, ap_rule_not_enforced,
     "rules of a class that the kernel that is named does not mediate",
     "Asked for a kernel (--target apparmor=5.0,kernel=6.1, or --features), rules of a class that it "
     "does not have count for nothing, and what they were to refuse is allowed: Linux 6.1 has neither "
     "userns nor io_uring, which came with 6.7.\n\n"
     "Way out: a newer kernel, or another means of refusing it there.")
void ap_rule_not_enforced(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->rules, r)
		if (is_unmediated(l, *r) && !is_abis_doing(l->aa, (*r)->class))
			tell_unmediated(l, id, *r, "the kernel that is asked about");
}

/* ---- no abi at all ---- */

/* The newest of AppArmor's own that is there and that the release has; NULL: none. */
static const char *newest_abi(const struct lint *l)
{
	static const struct {
		enum aa_release since;
		const char *name;
	} abis[] = { { AA_RELEASE_5_0, "abi/5.0" },
		     { AA_RELEASE_4_0, "abi/4.0" },
		     { AA_RELEASE_3_0, "abi/3.0" } };

	for (size_t i = 0; i < sizeof(abis) / sizeof(abis[0]); i++) {
		struct aa_seen seen = { .dead = false };
		struct aa_found found;
		if (l->aa->release < abis[i].since)
			continue;
		found = aa_library_find(l->aa->library, str_c(abis[i].name), true, &seen);
		if (found.entry && found.entry->kind == AA_ENTRY_FILE)
			return abis[i].name;
	}
	return NULL;
}

RULE(AP215, "abi-missing", WARNING, APPARMOR_FILE, ap_abi_missing,
     "no abi line: what is mediated hangs on the machine that loads the profile",
     "Without an abi line the parser takes the features that its machine's parser.conf pins, or those "
     "of the running kernel: the same file refuses more on the next machine. Namespaces of users are "
     "refused since Linux 6.7 and allowed under 6.1; since 6.17 rules about unix sockets are asked "
     "where before `network,` was enough.\n\n"
     "Way out: `abi <abi/4.0>,` (or 3.0) as the first line, and a look at what that mediates.")
void ap_abi_missing(struct lint *l, enum diag_id id)
{
	const struct aa_policy *p = l->aa->policy;
	struct diag *d;

	if (p->abi || !p->profiles.n || p->profiles.v[0]->from)
		return;
	d = diag_add(
		l->ds, id, p->profiles.v[0]->stmt->head,
		"no 'abi' line: which classes are mediated, user namespaces and io_uring among "
		"them, hangs on the machine that loads this");
	diag_help(l->ds, d,
		  "write 'abi <abi/3.0>,' or a newer one above the first profile; 'pale diff "
		  "--target' shows what it changes");
	const char *abi = newest_abi(l);
	struct span top = l->aa->file->stmts->span;
	if (!abi)
		return;
	top.end = top.begin;
	diag_fix(l->ds, d, top, str_c(arena_printf(l->arena, "abi <%s>,\n", abi)));
	diag_fix_means(d, FIX_UNSAFE, FIX_OTHER);
}

/* ---- classes that are, and that no rule speaks of ---- */

/* Everything of files, capabilities and networks: whoever writes this means to confine little. */
static bool allows_all_else(struct lint *l)
{
	bool files = false, caps = false, net = false;

	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;

		if (r->prefix.mode != AA_MODE_ALLOW)
			continue;
		files |= r->class == AA_CLASS_FILE && r->file.all;
		caps |= r->class == AA_CLASS_CAPABILITY && r->caps == UINT64_MAX;
		net |= r->class == AA_CLASS_NETWORK && r->network.any;
	}
	return files && caps && net;
}

static bool speaks_of(const struct lint *l, enum aa_class class)
{
	vec_each(&l->aa->q->rules, r)
		if ((*r)->class == class || (*r)->class == AA_CLASS_ALL)
			return true;
	return false;
}

RULE(AP231, "class-newly-mediated", HIGH, APPARMOR, ap_class_newly_mediated,
     "a profile that allows all it knows, and whose abi mediates more",
     "`file, capability, network,` allowed everything once. abi/4.0 mediates user namespaces, abi/5.0 "
     "io_uring too, and what is mediated and not allowed is refused: containers and browsers in such a "
     "profile fail at unshare(CLONE_NEWUSER) with EACCES since Linux 6.7 (seen on 6.12).\n\n"
     "Way out: the class's own rule (`userns,`) where the program needs it, or a deny rule that says "
     "that it is meant.")
void ap_class_newly_mediated(struct lint *l, enum diag_id id)
{
	static const enum aa_class newer[] = { AA_CLASS_USERNS, AA_CLASS_IO_URING };
	const struct aa_facts *f = l->aa;

	if (!allows_all_else(l))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(newer); i++) {
		struct diag *d;

		if (!(f->policy->target.mediated >> newer[i] & 1) || speaks_of(l, newer[i]))
			continue;
		struct aa_verdict v = aa_asks(l, shown[newer[i]], FILE_OTHER);
		if (!aa_refuses(&v))
			continue;
		d = diag_add(
			l->ds, id, f->profile->stmt->head,
			"files, capabilities and networks are allowed whole, and no rule speaks of "
			"%s, which this abi mediates: '%s' is refused",
			aa_class_name(newer[i]), shown[newer[i]]);
		diag_help(l->ds, d, "write '%s,' or 'deny %s,'", aa_class_name(newer[i]),
			  aa_class_name(newer[i]));
		aa_fix_add(l, d, f->profile,
			   arena_printf(l->arena, "%s,", aa_class_name(newer[i])));
	}
}

/* ---- conditions that nobody looks at ---- */

static bool has_dropped(const struct aa_rule *r)
{
	const struct aa_network_rule *n = &r->network;

	return n->own.ip.said || n->own.port_said || n->peer.ip.said || n->peer.port_said ||
	       aa_rule_cond(r, AA_COND_INTERFACE, false) ||
	       aa_rule_cond(r, AA_COND_INTERFACE, true);
}

/* "inet stream", of the first family and type of the rule; NULL: no sim has a word for it. */
static const char *socket_of(struct lint *l, const struct aa_network_rule *n)
{
	for (int family = 0; family < 64; family++)
		for (int type = 0; type < 32; type++) {
			const char *f, *t;

			if (!(n->families >> family & 1) || !(n->types >> type & 1))
				continue;
			f = aa_family_name(l->arena, family);
			t = aa_type_name(AA_CLASS_NETWORK, type);
			if (f && t)
				return arena_printf(l->arena, "socket %s %s", f, t);
		}
	return NULL;
}

static bool is_dropped(const struct aa_item *i)
{
	static const char *const words[] = { "ip", "port", "interface" };

	if (i->kind == AA_GROUP)
		return str_is(i->word.text, "peer");
	for (size_t k = 0; i->kind == AA_COND && k < ARRAY_SIZE(words); k++)
		if (str_is(i->word.text, words[k]))
			return true;
	return false;
}

static void cut_dropped(struct lint *l, struct diag *d, const struct aa_use *use)
{
	for (const struct aa_item *i = use->stmt->items; i; i = i->next)
		if (is_dropped(i))
			aa_fix_cut_item(l, d, use, i, FIX_SAFE, FIX_SAME);
}

RULE(AP221, "inet-condition-dropped", HIGH, APPARMOR, ap_inet_condition_dropped,
     "addresses, ports and interfaces of network rules, which no kernel looks at",
     "`network inet stream port=443,` reads as if other ports were refused. Every parser up to 5.0.2 "
     "drops ip, port, interface and peer for every kernel up to 7.3 without a word: the rule allows all "
     "of `inet stream`, and a deny with such a condition refuses all of it (seen on 6.1, 6.12, 7.2, "
     "7.3: a socket that is to bind port 5001 binds 5002).\n\n"
     "Way out: `network inet stream,`, which says what happens, and a packet filter for addresses.")
void ap_inet_condition_dropped(struct lint *l, enum diag_id id)
{
	if (l->aa->policy->target.addresses)
		return;
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		const char *access;
		struct diag *d;

		if (r->class != AA_CLASS_NETWORK || !has_dropped(r))
			continue;
		access = socket_of(l, &r->network);
		if (!access)
			continue;
		struct aa_verdict v = aa_asks(l, access, FILE_OTHER);
		const char *outcome = aa_refuses(&v) ? "refused" : "allowed";
		if (aa_decides(&v) != r->use)
			continue; /* another rule has it so anyway */
		d = aa_tell(
			l, id, r->use,
			"no Linux up to 7.3 looks at addresses, ports or interfaces: '%s' is %s, whichever they are",
			access, outcome);
		if (!d)
			continue;
		diag_help(
			l->ds, d,
			"leave them out, and filter packets by nftables or the service's own settings");
		cut_dropped(l, d, r->use);
	}
}

/* ---- message queues ---- */

static bool may_open_queues(const struct aa_rule *r)
{
	return r->prefix.mode == AA_MODE_ALLOW && r->mqueue.type != AA_MQUEUE_SYSV;
}

static bool has_attach(const struct aa_facts *f)
{
	return f->profile->header->flags & AA_FLAG_ATTACH;
}

RULE(AP232, "mqueue-without-effect", WARNING, APPARMOR, ap_mqueue_without_effect,
     "rules about message queues, which no kernel asks",
     "No Linux up to 7.3 asks `mqueue` rules, whatever the abi: a queue of System V is open to all, and "
     "that of mq_open(3) is asked as the file /name, which has no path without the flag "
     "attach_disconnected. Seen on 6.1, 6.12, 7.2 and 7.3: `audit deny mqueue,` refuses nothing.\n\n"
     "Way out: a file rule for '/name' with flags=(attach_disconnected), and a seccomp filter for msgget.")
void ap_mqueue_without_effect(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		struct diag *d;

		if (r->class != AA_CLASS_MQUEUE || (may_open_queues(r) && !has_attach(l->aa)))
			continue; /* AP233's */
		d = aa_tell(
			l, id, r->use,
			"no Linux up to 7.3 asks rules about message queues: this one counts for nothing");
		if (!d)
			continue;
		diag_help(
			l->ds, d,
			"mq_open(3) is asked as the file '/NAME' of a disconnected path: write a file rule for that");
		aa_fix_cut(l, d, r->use, FIX_SAFE, FIX_SAME);
	}
}

RULE(AP233, "mq-open-needs-attach", WARNING, APPARMOR, ap_mq_open_needs_attach,
     "a rule allows message queues, and the profile cannot open one",
     "mq_open(3) is asked as an open of the file /name in a file system that is mounted nowhere, and a "
     "profile without attach_disconnected is refused all such paths, `all,` or not: EACCES on 6.1, "
     "6.12, 7.2 and 7.3. `mqueue` rules change nothing about it.\n\n"
     "Way out: flags=(attach_disconnected) and `/name rw,`; or attach_disconnected.path=/mq, and "
     "`/mq/name rw,`, so that the names mix with no others.")
void ap_mq_open_needs_attach(struct lint *l, enum diag_id id)
{
	if (has_attach(l->aa))
		return;
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		struct diag *d;

		if (r->class != AA_CLASS_MQUEUE || !may_open_queues(r))
			continue;
		struct aa_verdict v = aa_asks(l, "mqueue open type=posix /name", FILE_OTHER);
		if (!aa_refuses(&v))
			continue;
		d = aa_tell(
			l, id, r->use,
			"mq_open(3) is asked as a file without a path: 'mqueue open type=posix /name' is refused without the flag 'attach_disconnected'");
		if (d)
			diag_help(
				l->ds, d,
				"flags=(attach_disconnected.path=/mq) and '/mq/NAME rw,' (4.0 and later), or flags=(attach_disconnected) and '/NAME rw,'");
	}
}

/* ---- flags ---- */

static struct span head_of(const struct lint *l)
{
	return l->aa->profile->stmt->head;
}

RULE(AP234, "default-allow-is-unconfined", WARNING, APPARMOR, ap_default_allow_is_unconfined,
     "flags=(default_allow) loads as unconfined",
     "default_allow is meant to refuse what deny rules name. Kernels up to 7.3 load such a profile as "
     "unconfined: its file rules are not asked at all (seen with 4.1.0 and 5.0.2 on 6.1, 6.12, 7.2, "
     "7.3; /sys/kernel/security/apparmor/profiles shows the mode).\n\n"
     "Way out: a profile in enforce mode that allows `all,` and denies what is to be denied.")
void ap_default_allow_is_unconfined(struct lint *l, enum diag_id id)
{
	const struct aa_facts *f = l->aa;
	struct diag *d;

	if (!(f->profile->header->flags & AA_FLAG_DEFAULT_ALLOW))
		return;
	d = diag_add(
		l->ds, id, head_of(l),
		"'default_allow' loads as unconfined on every Linux up to 7.3: no deny rule of '%s' is asked about files",
		str_safe_of(l->arena, f->profile->label));
	diag_help(l->ds, d, "leave the flag out, and write 'all,' beside the deny rules");
}

RULE(AP235, "flag-without-effect", INFO, APPARMOR, ap_flag_without_effect,
     "error= and kill.signal=, which no kernel heeds",
     "flags=(error=ENOENT) still refuses with EACCES, and kill.signal=term still kills with SIGKILL, on "
     "6.1, 6.12, 7.2 and 7.3, though 7.2 lists the feature.\n\n"
     "Way out: do not count on them.")
void ap_flag_without_effect(struct lint *l, enum diag_id id)
{
	const struct aa_header *h = l->aa->profile->header;
	struct diag *d;

	if (!h->error && !h->kill_signal)
		return;
	d = diag_add(l->ds, id, head_of(l), "no Linux up to 7.3 heeds '%s': %s",
		     h->error ? "error=" : "kill.signal=",
		     h->error ? "refused is EACCES" : "killed is by SIGKILL");
	diag_help(l->ds, d, "leave it out, or do not count on it");
	aa_fix_cut_flag(l, d, l->aa->profile, h->error ? "error=" : "kill.signal=", FIX_SAFE,
			FIX_ERRNO);
}

/* ---- 4.1.0, whose policies vary ---- */

RULE(AP236, "exact-x-loses-m", WARNING, APPARMOR, ap_exact_x_loses_m,
     "whether a path may be mapped hangs on the memory of the parser (4.1.0)",
     "apparmor_parser 4.1.0, which Debian 13 ships, makes two policies of one text where an exact rule "
     "about executing a path stands beside a pattern that implies m, or says it: in one the path may be "
     "mapped for execution, in the other it may not, and m that the pattern says itself is lost, too. Which one is "
     "chosen by whether the one rule's memory lies before the other's: on a quiet system it is the same each time; the "
     "length of the file's name has changed it (29 of 40 names one, 11 the other), and an allocator that hands out "
     "addresses from the top down always does.\n\n"
     "Way out: write m at the exact rule itself, where it is meant, or use 4.1.2 or later.")
void ap_exact_x_loses_m(struct lint *l, enum diag_id id)
{
	const struct aa_facts *f = l->aa;
	struct machine_walk w;

	if (f->release != AA_RELEASE_4_1)
		return;
	w = machine_walk(l->arena, &f->q->means.machine, NULL, MACHINE_PATHS, false);
	aa_decided(l, w.decided);
	vec_each(&w.found, found) {
		const struct aa_answer *a = aa_means_class(f->q->means.pool, found->a);
		const char *access;
		struct diag *d;

		if (!a->varies[FILE_OWNER] && !a->varies[FILE_OTHER])
			continue;
		enum file_who who = a->varies[FILE_OTHER] ? FILE_OTHER : FILE_OWNER;
		struct aa_verdict v = aa_asks_path(l, found->path, PERM_M, who);
		access =
			aa_path_access(l, found->path, PERM_M, a->varies[!who] ? FILE_WHO_NR : who);
		const struct aa_use *use = aa_decides(&v);
		if (!use)
			continue;
		d = aa_tell(
			l, id, use,
			"4.1.0 makes two policies of this: whether '%s' is granted hangs on where its parser's memory lies",
			access);
		if (d)
			diag_help(l->ds, d, "write 'm' at the exact rule, where it is meant");
	}
}

/* ---- what reads as something else ---- */

RULE(AP237, "value-begins-with-equals", HIGH, APPARMOR, ap_value_begins_with_equals,
     "`path==/org/x` asks for a path that begins with '='",
     "Conditions are written with one '='. With two the second is taken for the first letter of the "
     "value: `dbus send bus=system path==/org/x,` compiles to the same bytes as `path=\"=/org/x\"` "
     "under 3.0.8 and 5.0.2, no parser says a word, and nothing that exists matches.\n\n"
     "Way out: one '='.")
void ap_value_begins_with_equals(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->rules, it)
		vec_each(&(*it)->conds, c) {
			const struct aa_word *w = c->values;
			struct diag *d;

			if (!w || w->quoted || w->text.n < 2 || w->text.p[0] != '=')
				continue;
			d = aa_tell(
				l, id, (*it)->use,
				"the value of '%s' begins with '=': nothing that exists matches it",
				str_safe_of(l->arena, c->item->word.text));
			if (!d)
				continue;
			struct span second = { w->span.source, w->span.begin, w->span.begin + 1 };
			diag_help(l->ds, d, "write one '='");
			aa_fix_word(l, d, (*it)->use, second, "", FIX_OTHER);
		}
}

/* "rslave": just how a mount passes on what is mounted below it (mount(2)), and no other flag. */
static const char *propagation(const struct aa_rule *r)
{
	const unsigned how = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
	const struct aa_mount_flags *f = r->mount.flags.v;

	if (r->class != AA_CLASS_MOUNT || r->prefix.mode != AA_MODE_ALLOW ||
	    r->mount.flags.n != 1 || f->op != AA_OP_EQ || !(f->set & how) ||
	    f->set & ~(how | MS_REC))
		return NULL;
	return aa_mount_option(f->set);
}

/* A mount point of the rule's that needs no quotes; NULL: none is found. */
static const char *point_of(struct lint *l, const struct aa_rule *r)
{
	struct str path = { "/", 1 };
	BUF_AUTO plain = { 0 };

	if (r->mount.point.glob)
		path = aa_probe_path(l->arena, r->mount.point.glob);
	if (!path.p)
		return NULL;
	aa_access_put_path(&plain, path);
	return plain.p[0] == '"' ? NULL : buf_keep(l->arena, &plain);
}

RULE(AP238, "mount-exact-flags", WARNING, APPARMOR, ap_mount_exact_flags,
     "`options=(rslave)` allows a mount with just this flag, and callers add others",
     "With '=' a mount must have exactly the flags that are listed. Programs that change how mounts "
     "propagate often add MS_SILENT or another flag, and are refused: the rule looks right, and the log "
     "shows flags=\"rw, rslave, silent\".\n\n"
     "Way out: `options in (rslave,silent)`, which allows any of them.")
void ap_mount_exact_flags(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->rules, it) {
		const char *option = propagation(*it), *point = option ? point_of(l, *it) : NULL;
		const char *alone, *silent;
		struct diag *d;

		if (!point)
			continue;
		alone = arena_printf(l->arena, "mount options=(%s) -> %s", option, point);
		silent = arena_printf(l->arena, "mount options=(%s,silent) -> %s", option, point);
		struct aa_verdict a = aa_asks(l, alone, FILE_OTHER);
		struct aa_verdict s = aa_asks(l, silent, FILE_OTHER);
		if (!aa_allows(&a) || !aa_refuses(&s))
			continue;
		d = aa_tell(l, id, (*it)->use, "'options=' asks for exactly '%s': '%s' is refused",
			    option, silent);
		if (!d)
			continue;
		diag_help(l->ds, d, "write 'options in (%s,silent)'", option);
		for (const struct aa_item *i = (*it)->use->stmt->items; i; i = i->next)
			if (i->kind == AA_COND && str_starts(i->word.text, "option"))
				aa_fix_word(
					l, d, (*it)->use, i->span,
					arena_printf(l->arena, "options in (%s,silent)", option),
					FIX_LOOSER);
	}
}

RULE(AP239, "remount-without-arrow", HIGH, APPARMOR, ap_remount_without_arrow,
     "a path of a mount rule with the option remount that stands in the place of a source",
     "In `mount options=(ro,remount,bind) /srv/,` the path stands where a source does, and a remount "
     "has none: its mount point is behind an arrow. The parser takes the rule, and no remount is allowed "
     "by it (lxd#13826).\n\n"
     "Way out: `mount options=(ro,remount,bind) -> /srv/,`, or `remount options=(ro,bind) /srv/,`.")
void ap_remount_without_arrow(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		bool remount = false;
		struct diag *d;

		if (r->class != AA_CLASS_MOUNT || r->mount.kind != AA_MOUNT ||
		    !r->mount.source.word || r->mount.point.word)
			continue;
		vec_each(&r->mount.flags, f)
			remount |= (f->set & MS_REMOUNT) != 0;
		if (!remount)
			continue;
		d = aa_tell(
			l, id, r->use,
			"the path stands as the source of a mount, which a remount does not have: no remount of it is allowed by this rule");
		if (!d)
			continue;
		struct span front = r->mount.source.word->span;
		front.end = front.begin;
		diag_help(l->ds, d, "write an arrow in front of the path: '-> %s'",
			  str_safe_of(l->arena, r->mount.source.word->text));
		aa_fix_word(l, d, r->use, front, "-> ", FIX_OTHER);
	}
}

/* ---- comments ---- */

struct looking {
	struct lint *l;
	enum diag_id id;
	bool hashes, bare; /* includes are written #include, or include */
	VEC(const struct ast_comment *) found;
};

/* " include <abstractions/base>": behind a '#' and a blank. */
static bool looks_like_include(struct str text)
{
	size_t i = 0, n;
	static const char word[] = "include";

	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\t'))
		i++;
	if (!i || text.n - i < sizeof(word) || memcmp(text.p + i, word, sizeof(word) - 1) != 0)
		return false;
	i += sizeof(word) - 1;
	n = i;
	while (i < text.n && text.p[i] == ' ')
		i++;
	if (i == n || i + 2 >= text.n || text.p[i] != '<' || text.p[text.n - 1] != '>')
		return false;
	for (size_t at = i + 1; at < text.n - 1; at++) /* one name */
		if (memchr("<># \t", text.p[at], 5))
			return false;
	return true;
}

static void look_at(struct looking *k, const struct ast_comment *c)
{
	for (; c; c = c->next)
		if (looks_like_include(c->text))
			vec_push(k->l->arena, &k->found, c);
}

static void look_through(struct looking *k, const struct aa_stmt *s)
{
	for (; s; s = s->next) {
		look_at(k, s->leading);
		look_at(k, s->inner);
		if (s->kind == AA_STMT_INCLUDE) {
			k->hashes |= s->hash;
			k->bare |= !s->hash;
		}
		look_through(k, s->body);
		if (s->otherwise)
			look_through(k, s->otherwise);
	}
}

/* Is there such a file? Whether the profile is still taken with it is proved where the fix is made. */
static bool can_be_included(struct lint *l, struct str comment)
{
	const char *open = memchr(comment.p, '<', comment.n);
	struct str inside = { open + 1, (size_t)(comment.p + comment.n - open) - 2 };
	struct str name = aa_include_name(inside, true);
	struct aa_seen seen = { 0 };
	struct aa_found found;

	if (!name.n)
		return false;
	found = aa_library_find(l->aa->library, name, true, &seen);
	return found.entry && !found.entry->errors &&
	       (found.entry->kind == AA_ENTRY_FILE || found.entry->kind == AA_ENTRY_DIRECTORY);
}

/* Without the blanks behind the '#'. */
static void uncomment(struct lint *l, struct diag *d, const struct ast_comment *c)
{
	struct str text = l->aa->file->source->text;
	struct span blanks = { c->span.source, c->span.begin + 1, c->span.begin + 1 };

	if (!can_be_included(l, c->text))
		return;
	while (blanks.end < text.n && (text.p[blanks.end] == ' ' || text.p[blanks.end] == '\t'))
		blanks.end++;
	diag_fix(l->ds, d, blanks, STR(""));
	diag_fix_means(d, FIX_UNSAFE, FIX_LOOSER);
}

RULE(AP240, "comment-looks-like-include", WARNING, APPARMOR_FILE, ap_comment_looks_like_include,
     "`# include <file>` with a blank is a comment, in a file that writes #include",
     "`#include <abstractions/base>` includes; with a blank behind the '#' it is a comment, and nothing "
     "is said until a variable or a permission is missing. Told where the file's other includes are "
     "written with '#', so that this one was likely meant as one of them. A fix is offered where the file is there.\n\n"
     "Way out: `include <abstractions/base>`, without a '#'.")
void ap_comment_looks_like_include(struct lint *l, enum diag_id id)
{
	struct looking k = { .l = l, .id = id };
	struct diag *d = NULL;

	look_at(&k, l->aa->file->trailer);
	look_through(&k, l->aa->file->stmts);
	/* Where what is missing keeps the text from being taken, none of them needs to be an include. */
	if ((!k.hashes && l->aa->policy) || k.bare)
		return;
	vec_each(&k.found, c) {
		if (d) {
			diag_again_as(l->ds, d, (*c)->span, "and this");
			diag_also(l->ds, d, (*c)->text);
			continue;
		}
		d = diag_add(
			l->ds, id, (*c)->span,
			"this is a comment and includes nothing, for the blank behind the '#'");
		diag_help(
			l->ds, d,
			"write 'include <...>', without a '#'; if it is meant to be left out, say so in words");
		if (l->aa->policy) /* else nothing shows what it would change */
			uncomment(l, d, *c);
	}
}
