/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/halves.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/mount.h>

#include "compiler/apparmor/apparmor.h"
#include "compiler/apparmor/features.h"
#include "compiler/base/bug.h"
#include "grammar/apparmor_tree.h"

static const struct apparmor_half halves[] = {
	{ AA_CLASS_MOUNT, AA_MOUNT, true, { "mount", "move_mount" } },
	{ AA_CLASS_MOUNT, AA_REMOUNT, false, { "mount" } },
	{ AA_CLASS_MOUNT, AA_UMOUNT, true, { "umount2", "umount" } },
	{ AA_CLASS_PIVOT_ROOT, AA_MOUNT, true, { "pivot_root" } },
	{ AA_CLASS_PTRACE,
	  AA_MOUNT,
	  true,
	  { "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd" } },
	{ AA_CLASS_MQUEUE, AA_MOUNT, false, { "mq_open" } },
	{ AA_CLASS_USERNS, AA_MOUNT, true, { "unshare", "clone", "clone3" } },
	{ AA_CLASS_IO_URING, AA_MOUNT, false, { "io_uring_setup" } },
};

/* ---- seccomp's half ---- */

/* Its flags have CLONE_NEWUSER, where a filter sees them. */
static bool makes_namespaces(const char *call)
{
	return !strcmp(call, "unshare") || !strcmp(call, "clone");
}

/* Does some such call pass? `flags`: the mounts that are asked about; NULL: any. */
static bool way_passes(const struct policy *p, enum arch a, const char *call,
		       const struct cond *flags, const struct origin **by)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	struct cond has = { .kind = COND_CMP,
			    .cmp = { .arg = !strcmp(call, "clone") && a == ARCH_S390X,
				     .width = 64,
				     .op = CMP_EQ,
				     .mask = CLONE_NEWUSER,
				     .value = CLONE_NEWUSER } };
	bool is_mount = !strcmp(call, "mount");
	uint64_t sample[6] = { 0 };

	if (!s || s->nr[a] < 0)
		return false;
	if (makes_namespaces(call))
		sample[has.cmp.arg] = CLONE_NEWUSER;
	if (flags && is_mount)
		sample[3] = flags->cmp.value;
	return policy_lets(p, a, (uint32_t)s->nr[a] + arch_info(a)->nr_base,
			   makes_namespaces(call) ? &has :
			   is_mount               ? flags :
						    NULL,
			   sample, by);
}

/* ---- AppArmor's half ---- */

const struct apparmor_half *apparmor_half_at(size_t i)
{
	return i < ARRAY_SIZE(halves) ? &halves[i] : NULL;
}

/* The rules of others that trace this program are about no call of its own. */
bool apparmor_half_speaks(const struct apparmor_half *h, const struct aa_rule *r)
{
	if (r->class != h->class || (r->class == AA_CLASS_MOUNT && r->mount.kind != h->kind))
		return false;
	return r->class != AA_CLASS_PTRACE || r->perms & AA_PTRACE_TRACE;
}

static bool is_whole(const struct aa_rule *r)
{
	return !r->origin->stmt->rule->items->next;
}

static bool is_remount(const struct aa_rule *r)
{
	return r->class == AA_CLASS_MOUNT && r->mount.kind == AA_REMOUNT;
}

/*
 * What mount(2)'s flags are for a rule with one list of options, and for a remount (mount.c,
 * apparmor_sb_mount: whatever has MS_REMOUNT, be it a bind): false where it says none.
 */
static bool options_of(const struct aa_rule *r, struct cond *flags)
{
	const struct aa_mount_flags *f = r->mount.flags.n == 1 ? r->mount.flags.v : NULL;
	uint64_t must = is_remount(r) ? MS_REMOUNT : 0, mask = must, value = must;

	if (r->class != AA_CLASS_MOUNT || r->mount.kind == AA_UMOUNT || (!f && !must))
		return false;
	if (f) {
		mask = f->op == AA_OP_IN ? ~(uint64_t)f->set | must : ~UINT64_C(0);
		value = (f->op == AA_OP_IN ? 0 : f->set) | must;
	}
	*flags = (struct cond){
		.kind = COND_CMP,
		.cmp = { .arg = 3, .width = 64, .op = CMP_EQ, .mask = mask, .value = value }
	};
	return true;
}

/* move_mount(2) is asked about as MS_MOVE alone (mount.c, aa_move_mount): do its options have that? */
static bool may_be_moved(const struct aa_rule *r)
{
	vec_each(&r->mount.flags, f)
		if (f->set & MS_MOVE)
			return true;
	return !r->mount.flags.n;
}

static void put_calls(struct buf *out, const struct apparmor_half *h, enum arch a)
{
	for (size_t i = 0; i < HALF_CALLS && h->calls[i]; i++) {
		const struct syscall_info *s = syscall_by_name(str_c(h->calls[i]));

		if (s && s->nr[a] >= 0)
			buf_printf(out, "%s%s", out->n ? ", " : "", h->calls[i]);
	}
}

static const char *word_of(const struct aa_rule *r, struct diags *ds)
{
	BUF_AUTO b = { 0 };

	buf_safe(&b, r->origin->stmt->rule->items->word.text);
	return buf_keep(ds->arena, &b);
}

/* The rule that refuses such a call, or the policy's `default` line. */
static void note_refusal(const struct policy *p, const struct apparmor_half *h, enum arch a,
			 struct diag *d, struct diags *ds)
{
	const struct ast_stmt *dflt = policy_header(p, AST_HEADER_DEFAULT);

	for (size_t i = 0, at, end; i < HALF_CALLS && h->calls[i]; i++) {
		const struct syscall_info *s = syscall_by_name(str_c(h->calls[i]));

		if (!s || s->nr[a] < 0)
			continue;
		policy_calls_of(p, a, (uint32_t)s->nr[a] + arch_info(a)->nr_base, &at, &end);
		for (; at < end; at++) {
			const struct call_rule *rule = &p->calls.v[at];

			if (!verdict_refuses(rule->verdict) || !rule->origin)
				continue;
			diag_note(ds, d, rule->origin->span, "this rule refuses it");
			return;
		}
	}
	if (dflt)
		diag_note(ds, d, dflt->keyword, "what no rule lets pass gets this");
}

/* A rule that lets pass what no call does. */
static bool check_rule(const struct policy *p, const struct apparmor_half *h,
		       const struct aa_rule *r, enum arch a, struct diags *ds)
{
	struct cond flags;
	bool some = options_of(r, &flags);
	const struct origin *by = NULL;
	BUF_AUTO calls = { 0 };
	struct diag *d;

	for (size_t i = 0; i < HALF_CALLS && h->calls[i]; i++)
		if ((i == 0 || r->class != AA_CLASS_MOUNT || r->mount.kind != AA_MOUNT ||
		     may_be_moved(r)) &&
		    way_passes(p, a, h->calls[i], some ? &flags : NULL, &by))
			return true;
	put_calls(&calls, h, a);
	d = diag_add(ds, DIAG_PL140, r->origin->span,
		     "AppArmor lets '%s' pass, and seccomp refuses %s%s", word_of(r, ds), calls.p,
		     some && is_remount(r) && !r->mount.flags.n ? " with MS_REMOUNT" :
		     some                                       ? " with such flags" :
		     r->class == AA_CLASS_USERNS                ? " with CLONE_NEWUSER" :
								  "");
	diag_rule(ds, d, DIAG_DS519);
	note_refusal(p, h, a, d, ds);
	diag_help(ds, d, "allow the call, or drop the rule");
	return false;
}

/* A call that passes, and AppArmor has no rule that lets it. */
static bool check_calls(const struct policy *p, const struct apparmor_half *h,
			const struct aa_rule *denies, enum arch a, struct diags *ds)
{
	for (size_t i = 0; i < HALF_CALLS && h->calls[i]; i++) {
		const struct origin *by = NULL;
		struct diag *d;

		if (!way_passes(p, a, h->calls[i], NULL, &by))
			continue;
		d = diag_add(ds, DIAG_PL140, by ? by->span : p->span,
			     "seccomp lets %s%s pass, and AppArmor refuses it", h->calls[i],
			     makes_namespaces(h->calls[i]) ? " with CLONE_NEWUSER" : "");
		diag_rule(ds, d, DIAG_DS519);
		if (denies)
			diag_note(ds, d, denies->origin->span, "this rule denies all of the class");
		diag_help(ds, d, "%s, or refuse the call",
			  denies ? "drop that rule" :
				   arena_printf(ds->arena, "write '%s;', or what of it is meant",
						h->class == AA_CLASS_MOUNT && h->kind == AA_UMOUNT ?
							"umount" :
							aa_class_name(h->class)));
		return false;
	}
	return true;
}

/* A mount(2) that passes may be one of those that change a mount. */
static bool lets_calls(const struct apparmor_half *h, const struct aa_rule *r)
{
	return apparmor_half_speaks(h, r) || (h->class == AA_CLASS_MOUNT && h->kind == AA_MOUNT &&
					      r->class == h->class && r->mount.kind == AA_REMOUNT);
}

/* Each kind is told once. False: they disagree. */
static bool check_half(const struct policy *p, const struct apparmor_half *h, enum arch a,
		       bool mediated, struct diags *ds)
{
	const struct aa_rule *denies = NULL;
	bool allows = false, well = true;

	vec_each(&p->others, rule)
		if (apparmor_half_speaks(h, *rule) && (*rule)->prefix.mode == AA_MODE_DENY &&
		    is_whole(*rule))
			denies = *rule;
	vec_each(&p->others, rule) {
		if ((*rule)->prefix.mode != AA_MODE_ALLOW || !lets_calls(h, *rule))
			continue;
		allows = true;
		if (!denies && well && apparmor_half_speaks(h, *rule))
			well = check_rule(p, h, *rule, a, ds);
	}
	if (h->asked && mediated && (denies || !allows))
		well &= check_calls(p, h, denies, a, ds);
	return well;
}

/* ---- capabilities ---- */

static const struct apparmor_gate gates[] = {
	{ CAP_CHOWN,
	  { "chown", "fchown", "lchown", "fchownat", "chown32", "fchown32", "lchown32" } },
	{ CAP_KILL,
	  { "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal",
	    "ioctl" } },
	{ CAP_SETUID,
	  { "setuid", "setreuid", "setresuid", "setfsuid", "setuid32", "setreuid32", "setresuid32",
	    "setfsuid32" } },
	{ CAP_NET_BIND_SERVICE, { "bind", "socketcall", "io_uring_enter" } },
	{ CAP_SYS_MODULE, { "init_module", "finit_module", "delete_module" } },
	{ CAP_SYS_CHROOT, { "chroot", "fchroot", "setns" } },
	{ CAP_SYS_PACCT, { "acct" } },
	{ CAP_SYS_BOOT, { "reboot", "kexec_load", "kexec_file_load" } },
	{ CAP_SYS_TIME,
	  { "settimeofday", "clock_settime", "clock_settime64", "adjtimex", "clock_adjtime",
	    "clock_adjtime64", "stime", "ioctl" } },
	{ CAP_MKNOD, { "mknod", "mknodat" } },
	{ CAP_SYS_TTY_CONFIG, { "vhangup", "ioctl" } },
	{ CAP_WAKE_ALARM,
	  { "timer_create", "timerfd_create", "timerfd_settime", "clock_nanosleep" } },
};

const struct apparmor_gate *apparmor_gate_at(size_t i)
{
	return i < ARRAY_SIZE(gates) ? &gates[i] : NULL;
}

/* Is there some environment, architecture and arguments with which one of the calls passes? */
static bool gate_opens(const struct policy *p, const struct apparmor_gate *g)
{
	const struct origin *by;

	for (int a = 0; a < ARCH_NR; a++)
		for (size_t i = 0; p->arches & ARCH_BIT(a) && i < GATE_CALLS && g->calls[i]; i++)
			if (way_passes(p, (enum arch)a, g->calls[i], NULL, &by))
				return true;
	return false;
}

/* "chroot, fchroot, setns": what one of the policy's architectures has. */
static const char *gate_calls(const struct policy *p, const struct apparmor_gate *g,
			      struct diags *ds)
{
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < GATE_CALLS && g->calls[i]; i++) {
		const struct syscall_info *s = syscall_by_name(str_c(g->calls[i]));
		bool there = false;

		for (int a = 0; a < ARCH_NR && s; a++)
			there |= p->arches & ARCH_BIT(a) && s->nr[a] >= 0;
		if (there)
			buf_printf(&b, "%s%s", b.n ? ", " : "", g->calls[i]);
	}
	return buf_keep(ds->arena, &b);
}

static void check_capability(const struct policy *p, const struct capability_rule *c,
			     struct diags *ds)
{
	struct diag *d;

	for (size_t i = 0; i < ARRAY_SIZE(gates); i++) {
		if (gates[i].cap != c->cap || gate_opens(p, &gates[i]))
			continue;
		/* Nothing passes that should not: the statement is idle. */
		d = diag_add_as(
			ds, DIAG_PL140, SEVERITY_INFO, c->origin->span,
			"AppArmor lets capability '%s' be used, and seccomp refuses all that it "
			"is for: %s",
			capability_name(c->cap), gate_calls(p, &gates[i], ds));
		diag_rule(ds, d, DIAG_DS519);
		diag_help(ds, d, "allow the call that is meant, or drop the capability");
	}
}

/* Classes that are mediated under the abi that is compiled for it. */
static unsigned mediated_for(struct arena *a, const struct policy *p,
			     const struct apparmor_target *t)
{
	const struct aa_features *abi = aa_features_of_abi(a, str_c(apparmor_abi(p, t)));

	return aa_features_classes(t ? t->release : AA_RELEASE_5_0, abi,
				   t && t->kernel ? aa_features_of_kernel(a, t->kernel) : NULL);
}

void apparmor_check_halves(const struct policy *p, const struct apparmor_target *targets, size_t n,
			   struct diags *ds)
{
	unsigned mediated = n ? 0 : mediated_for(ds->arena, p, NULL);

	for (size_t i = 0; i < n; i++)
		mediated |= mediated_for(ds->arena, p, &targets[i]);
	if (!(p->layers & LAYER_SECCOMP) || !(p->layers & LAYER_APPARMOR))
		return;
	vec_each(&p->caps, c)
		if (c->action == RULE_ALLOW)
			check_capability(p, c, ds);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		bool well = true;

		for (int a = 0; a < ARCH_NR && well; a++)
			if (p->arches & ARCH_BIT(a))
				well = check_half(p, &halves[i], (enum arch)a,
						  mediated >> halves[i].class & 1, ds);
	}
}
