/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and capabilities.
 */
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/proposal.h"

#define LOST_TOLD 64 /* files without a path that are told by name */

/* ---- files, capabilities ---- */

/*
 * A file that was only appended to needs w all the same: apparmor_file_permission() asks for it
 * at the first write, whatever the mode of the open.
 */
static const char *perm_letters(struct arena *a, unsigned perms)
{
	return arena_printf(a, "%s%s%s%s%s%s", perms & PERM_M ? "m" : "", perms & PERM_R ? "r" : "",
			    perms & (PERM_W | PERM_A) ? "w" : "", perms & PERM_L ? "l" : "",
			    perms & PERM_K ? "k" : "", perms & PERM_X ? "ix" : "");
}

/* "41x, first at 0.2 ms, 30 files: all that is there; no other name there" */
static const char *file_evidence(struct proposal *p, const struct proposed_file *f)
{
	BUF_AUTO out = { 0 };

	buf_puts(&out, f->held ? proposal_held(p, f->in) :
				 proposal_file_evidence(p, f->count, f->first_ns, f->in));
	if (f->why && f->files > 1)
		buf_printf(&out, ", %zu files", f->files);
	else if ((f->perms & (PERM_A | PERM_W)) == PERM_A)
		buf_puts(&out, ", appended to only");
	if (f->socket)
		buf_puts(&out, ", connected or sent to, which asks for r and w since Linux 6.17");
	if (f->why)
		buf_printf(&out, ": %s", f->why);
	if (f->why && f->counted && f->others)
		buf_printf(&out, "; %llu other name%s %s", (unsigned long long)f->others,
			   f->others == 1 ? "" : "s", f->gathered ? "there" : "like it");
	else if (f->why && f->counted)
		buf_printf(&out, "; no other name %s", f->gathered ? "there" : "like it");
	return buf_keep(p->a, &out);
}

void propose_files(struct proposal *p)
{
	struct proposed_files files = { 0 };

	generalize_files(p->a, p->r, p->opt->exact, &files);
	p->group =
		p->opt->exact ?
			"files, as the kernel resolved them; what is executed, and what runs it, with "
			"m and r, as a start under the profile asks" :
			"files, as the kernel resolved them; @{multiarch} is any architecture's; what "
			"is executed, and what runs it, with m and r, as a start under the profile asks";
	vec_each(&files.list, f) {
		struct ast_stmt *st = proposal_add(p, AST_STMT_FILE);

		st->owner = f->owner;
		st->perms = ast_word_new(p->a, perm_letters(p->a, f->perms));
		st->paths = ast_word_new(p->a, str_dup(p->a, f->glob));
		ast_comment_add(p->a, &st->trailing, "%s", file_evidence(p, f));
	}
	p->group = NULL;
}

/* Its rule is there: it ran at another time. */
static bool was_executed(const struct proposal *p, const struct recorded_lost *l)
{
	vec_each(&p->r->files, f)
		if (l->why == LOST_EXEC && f->perms & PERM_X && str_eq(f->path, l->name))
			return true;
	return false;
}

void propose_lost(struct proposal *p, struct ast_comment **to)
{
	static const char *const why[LOST_NR] = {
		[LOST_LONG] = "its path has more than 4,096 bytes",
		[LOST_LINK] = "a link in it has changed since",
		[LOST_EXEC] =
			("its exec came to nothing, and whether it was a program then is not known: it "
			 "is gone or another since, or was below another root or among other mounts"),
	};
	size_t n = 0;

	vec_each(&p->r->lost, l) {
		BUF_AUTO safe = { 0 };

		if (was_executed(p, l) || ++n > LOST_TOLD)
			continue;
		buf_safe(&safe, l->name);
		ast_comment_add(p->a, to, "no rule for file %s %s, as %s",
				perm_letters(p->a, l->perms), safe.p ? safe.p : "", why[l->why]);
	}
	if (p->r->run.losses.paths_relinked)
		ast_comment_add(
			p->a, to,
			"  eBPF may have no program here where the kernel resolves names, so they "
			"are looked up when the run has ended ('--backend ptrace' sees them)");
	if (n > LOST_TOLD)
		ast_comment_add(p->a, to, "and for %zu more, which the recording has",
				n - LOST_TOLD);
}

/* Calls that can mean sys_admin. */
static const char *const admin_calls[] = {
	"bpf",
	"fanotify_init",
	"fanotify_mark",
	"fgetxattr",
	"fremovexattr",
	"fsconfig",
	"fsetxattr",
	"fsmount",
	"fsopen",
	"fspick",
	"getxattr",
	"getxattrat",
	"ioctl",
	"iopl",
	"ioprio_set",
	"keyctl",
	"landlock_restrict_self",
	"lgetxattr",
	"lookup_dcookie",
	"lremovexattr",
	"lsetxattr",
	"madvise",
	"mount",
	"mount_setattr",
	"move_mount",
	"msgctl",
	"open_tree",
	"open_tree_attr",
	"perf_event_open",
	"pivot_root",
	"prctl",
	"ptrace",
	"quotactl",
	"quotactl_fd",
	"removexattr",
	"removexattrat",
	"seccomp",
	"semctl",
	"sendmmsg",
	"sendmsg",
	"setdomainname",
	"sethostname",
	"setns",
	"setxattr",
	"setxattrat",
	"shmctl",
	"swapoff",
	"swapon",
	"syslog",
	"umount",
	"umount2",
	"unshare",
	"vhangup",
};

/*
 * A new ring asks for ipc_lock in silence, and counts what it locks against RLIMIT_MEMLOCK without it:
 * registered buffers (io_uring.c, io_uring_create(); rsrc.c, io_account_mem()). io_uring_register(2)
 * with IORING_REGISTER_BUFFERS, _BUFFERS2 or _BUFFERS_UPDATE; older recordings do not say with what.
 */
bool proposal_locks_rings(const struct proposal *p)
{
	for (enum arch a = 0; a < ARCH_NR; a++) {
		const struct recorded_call *c = proposal_call(p, a, "io_uring_register");
		const struct recorded_arg *opcode = c ? proposal_arg(c, 1) : NULL;

		if (c && (!opcode || opcode->unbounded))
			return true;
		for (size_t i = 0; opcode && i < opcode->values.n; i++) {
			uint64_t what = opcode->values.v[i].value & 0x7fffffff;

			if (what == IORING_REGISTER_BUFFERS || what == IORING_REGISTER_BUFFERS2 ||
			    what == IORING_REGISTER_BUFFERS_UPDATE)
				return true;
		}
	}
	return false;
}

/*
 * The tracepoint also fires for questions that the kernel asks without need (accounting of
 * memory asks for sys_admin all the time): only calls that can mean sys_admin count for it.
 */
bool proposal_is_noise(const struct recorded_capability *c)
{
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

	if (c->cap != CAP_SYS_ADMIN || !s)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(admin_calls); i++)
		if (!strcmp(admin_calls[i], s->name))
			return false;
	return true;
}

/* Looks at files of which no descriptor is asked for more. */
static const char *const reading_calls[] = {
	"access",  "faccessat", "faccessat2", "lstat", "newfstatat", "open", "openat",
	"openat2", "pread64",   "preadv",     "read",  "readv",      "stat", "statx",
};

/*
 * Each look at a file below /proc/sys/net asks for net_admin, in silence, and goes by the file's mode
 * without (net/sysctl_net.c, net_ctl_permissions()): to its owner, who reads it, it gives nothing. What
 * else asks for it when it is opened is /dev/ppp (ppp_generic.c, ppp_open()).
 */
bool proposal_reads_sysctl(const struct recording *r, const struct recorded_capability *c)
{
	static const char net[] = "/proc/sys/net/";
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
	bool reads = false, found = false;

	for (size_t i = 0; s && i < ARRAY_SIZE(reading_calls); i++)
		reads |= !strcmp(reading_calls[i], s->name);
	if (c->cap != CAP_NET_ADMIN || !reads)
		return false;
	vec_each(&r->files, f) {
		if (str_is(f->path, "/dev/ppp"))
			return false;
		if (!str_starts(f->path, net))
			continue;
		if (!f->owned || f->perms & (PERM_W | PERM_A))
			return false;
		found = true;
	}
	return found;
}

/*
 * What a process has on the kernel's stack, and where its pages lie, is shown to sys_admin alone
 * (fs/proc/base.c, proc_pid_stack(); task_mmu.c, pagemap_read()).
 */
static bool reads_for_admins(const struct proposal *p, const struct recorded_capability *c)
{
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
	bool reads = false;

	for (size_t i = 0; s && i < ARRAY_SIZE(reading_calls); i++)
		reads |= !strcmp(reading_calls[i], s->name);
	if (c->cap != CAP_SYS_ADMIN || !reads)
		return false;
	vec_each(&p->r->files, f) {
		const char *base = memrchr(f->path.p, '/', f->path.n);

		/* Paths of a recording end in a NUL byte. */
		if (str_starts(f->path, "/proc/") &&
		    (!strcmp(base, "/stack") || !strcmp(base, "/pagemap")))
			return true;
	}
	return false;
}

static bool is_noise(const struct proposal *p, const struct recorded_capability *c)
{
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

	if (p->r->caps_judged || reads_for_admins(p, c))
		return false;
	if (proposal_reads_sysctl(p->r, c))
		return true;
	if (c->cap == CAP_IPC_LOCK && s && !strcmp(s->name, "io_uring_setup"))
		return !proposal_locks_rings(p);
	/* clone() asks for memory each time, and for this where it makes a namespace. */
	if (c->cap == CAP_SYS_ADMIN && s && !strcmp(s->name, "clone3"))
		return !proposal_had_flag(p, "clone3", PROPOSAL_NEW_FLAGS3);
	if (c->cap == CAP_SYS_ADMIN && s && !strcmp(s->name, "clone"))
		return !proposal_had_flag(p, "clone", PROPOSAL_NEW_FLAGS);
	return proposal_is_noise(c);
}

static bool made_user_space(const struct proposal *p)
{
	static const char *const makers[] = { "unshare", "clone", "clone3" };

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (proposal_had_flag(p, makers[i], CLONE_NEWUSER))
			return true;
	vec_each(&p->r->rules, r)
		if (str_is(r->text, "userns create"))
			return true;
	return false;
}

/*
 * Who maps its parent's root into a new user namespace is to have had setfcap as it made that, since Linux 5.12: the
 * kernel looks at it and asks nobody (kernel/user_namespace.c, create_user_ns(), parent_could_setfcap). Who
 * became another user asked for setuid, and then it may be that one's id that was mapped.
 */
static bool maps_root(const struct proposal *p, struct recorded_capability *out)
{
	static const char map[] = "/uid_map";
	const size_t n = sizeof(map) - 1, words = p->r->runs ? (p->r->runs->n + 63) / 64 : 0;
	uint64_t *in = words ? ARENA_ARRAY(p->a, uint64_t, words) : NULL;

	*out = (struct recorded_capability){ .cap = CAP_SETFCAP,
					     .arch = p->r->run.host,
					     .nr = RECORDING_NO_CALL,
					     .first_ns = UINT64_MAX,
					     .in = in };
	if (!p->r->run.caps_observed || !(p->r->run.caps_held >> CAP_SETFCAP & 1) ||
	    !made_user_space(p))
		return false;
	vec_each(&p->r->caps, c)
		if (c->cap == CAP_SETFCAP || c->cap == CAP_SETUID)
			return false;
	vec_each(&p->r->files, f) {
		if (!(f->perms & PERM_W) || f->path.n < n ||
		    memcmp(f->path.p + f->path.n - n, map, n) != 0)
			continue;
		for (size_t i = 0; f->in && i < words; i++)
			in[i] |= f->in[i];
		out->count = count_add(out->count, f->count);
		out->first_ns = f->first_ns < out->first_ns ? f->first_ns : out->first_ns;
	}
	return out->count;
}

void propose_judge_capabilities(const struct proposal *p, struct recording *r)
{
	struct recorded_capability root;
	bool maps = maps_root(p, &root);
	size_t left = 0;

	vec_each(&r->caps, c)
		if (!is_noise(p, c))
			r->caps.v[left++] = *c;
	r->caps.n = left;
	if (maps)
		vec_push(p->a, &r->caps, root);
	r->caps_judged = true;
}

static void propose_root_map(struct proposal *p)
{
	struct recorded_capability root;
	struct ast_stmt *st;

	if (p->r->caps_judged || !maps_root(p, &root))
		return;
	st = proposal_add(p, AST_STMT_CAPABILITY);
	ast_words_add(p->a, &st->words, capability_name(root.cap));
	ast_comment_add(
		p->a, &st->trailing,
		"%s, for root's id in a new user namespace: the kernel looks at it and asks nobody",
		proposal_evidence(p, root.count, root.first_ns, root.in));
}

static void propose_capability(struct proposal *p, unsigned cap)
{
	uint64_t first = UINT64_MAX, count = 0;
	const uint64_t *in = NULL;
	BUF_AUTO where = { 0 };
	struct ast_stmt *st;

	vec_each(&p->r->caps, c) {
		const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

		if (c->cap != cap || is_noise(p, c))
			continue;
		in = count ? recording_join_runs(p->a, p->r, in, c->in) : c->in;
		count = count_add(count, c->count);
		first = c->first_ns < first ? c->first_ns : first;
		if (where.n < 60 && c->nr != RECORDING_NO_CALL)
			buf_printf(&where, "%s%s", where.n ? ", " : "", s ? s->name : "?");
	}
	if (!count || !capability_name(cap))
		return;
	if (!p->r->run.caps_observed && !p->r->run.no_files && p->r->run.caps_held >> cap & 1)
		return; /* propose_held() has it */
	st = proposal_add(p, AST_STMT_CAPABILITY);
	ast_words_add(p->a, &st->words, capability_name(cap));
	ast_comment_add(p->a, &st->trailing, "%s%s%s", proposal_evidence(p, count, first, in),
			where.n ? ", in " : "", where.p ? where.p : "");
}

/* Not seen: then all that the command had, so that the proposal does not refuse what it did. */
static void propose_held(struct proposal *p)
{
	struct ast_stmt *st;

	if (!p->r->run.caps_held)
		return;
	st = proposal_add(p, AST_STMT_CAPABILITY);
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		if (p->r->run.caps_held >> cap & 1)
			ast_words_add(p->a, &st->words, capability_name(cap));
	ast_comment_add(p->a, &st->leading,
			"not observed: all that the command had; take out what it does not need");
}

void propose_capabilities(struct proposal *p)
{
	p->group = "capabilities";
	/* Without files the policy is not AppArmor's, which alone would refuse them. */
	if (!p->r->run.caps_observed && !p->opt->only_facts && !p->r->run.no_files)
		propose_held(p);
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		propose_capability(p, cap);
	propose_root_map(p);
	p->group = NULL;
}
