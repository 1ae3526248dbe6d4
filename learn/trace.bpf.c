/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel half of the eBPF backend. Everything is aggregated here: counters per CPU, values
 * and paths in maps, so that nothing streams and nothing can be dropped unseen; what finds no
 * room is counted in `losses`. Attached to tracepoints: trampolines (fentry, LSM) and kprobes are
 * refused on many machines, and used for nothing that a recording cannot do without. Each program exists three times: as tp, an event of perf's; as tp_btf
 * (task storage, direct loads); and as raw_tp (a hash by thread id), for kernels without the others.
 *
 * Since Linux 7.0 a task can be switched out of a program of the latter two, and until it goes on
 * the kernel skips that program on that CPU, for everybody (__bpf_trace_run()). Events of perf's
 * come with preemption off (include/trace/perf.h), so these miss nothing.
 *
 * No vmlinux.h: only the fields read are declared; CO-RE finds them in the running kernel.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "learn/trace.h"

_Static_assert(TRACE_TEXT <= 511, "intern()'s mask would cut it");

#define CORE            __attribute__((preserve_access_index))
#define ENOENT          2
#define AF_UNIX         1
#define PROT_EXEC       4
#define O_APPEND        02000
#define FMODE_READ      1u
#define FMODE_WRITE     2u
#define FMODE_PATH      0x4000u
#define FMODE_CREATED   0x100000u
#define TS_COMPAT       2u /* arch/x86/include/asm/thread_info.h */
#define ARM64_TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */
#define X32_BIT         0x40000000u
#define PROC_MAGIC      0x9fa0 /* PROC_SUPER_MAGIC */
#define S_IFMT          0170000
#define S_IFDIR         0040000

struct qstr {
	__u32 len;
	const unsigned char *name;
} CORE;
typedef struct {
	__u32 val;
} CORE kuid_t;
struct super_block {
	unsigned long s_magic;
} CORE;
struct inode {
	__u16 i_mode;
	kuid_t i_uid;
	struct super_block *i_sb;
} CORE;
struct hlist_node {
	struct hlist_node *next;
} CORE;
struct hlist_head {
	struct hlist_node *first;
} CORE;
struct pid {
	struct hlist_head tasks[1]; /* by PIDTYPE_*: 0 is PIDTYPE_PID */
} CORE;
struct proc_inode {
	struct pid *pid; /* of the directory that it is below; NULL: below none */
	struct inode vfs_inode;
} CORE;
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} CORE;
struct vfsmount {
	struct dentry *mnt_root;
} CORE;
struct ns_common {
	unsigned int inum;
} CORE;
struct mnt_namespace {
	struct ns_common ns;
} CORE;
struct nsproxy {
	struct mnt_namespace *mnt_ns;
} CORE;
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
} CORE;
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} CORE;
struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
} CORE;
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;
struct files_struct {
	struct fdtable *fdt;
} CORE;
struct fs_struct {
	struct path root, pwd;
} CORE;
struct cred {
	kuid_t fsuid;
} CORE;
struct mm_struct {
	struct file *exe_file;
} CORE;
struct thread_info {
	unsigned long flags;
} CORE;
struct thread_info___x86 {
	__u32 status;
} CORE;
struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
	struct files_struct *files;
	struct fs_struct *fs;
	const struct cred *cred;
	struct mm_struct *mm;
	struct nsproxy *nsproxy;
	void *signal;                   /* what the threads of a process have in common */
	struct hlist_node pid_links[1]; /* by PIDTYPE_* */
} CORE;
struct task_struct___x86 {
	struct thread_info___x86 thread_info;
} CORE;
struct vm_area_struct {
	unsigned long vm_end;
	struct file *vm_file;
} CORE;
struct linux_binprm {
	const char *filename;
	const char *interp;
} CORE;
struct pt_regs___x86 { /* arch/x86/include/asm/ptrace.h */
	unsigned long bx, cx, dx, si, di, bp, r8, r9, r10;
} CORE;
struct pt_regs___arm64 {
	__u64 regs[31];
	__u64 orig_x0;
} CORE;
struct kernel_siginfo {
	int si_code;
} CORE;

/* What perf's events carry, as the TRACE_EVENT() of each has it. */
struct trace_event_raw_sys_enter {
	long id;
	unsigned long args[6];
} CORE;
struct trace_event_raw_sys_exit {
	long ret;
} CORE;
struct trace_event_raw_sched_process_fork {
	int child_pid;
} CORE;
struct trace_event_raw_sched_prepare_exec { /* since Linux 6.10 */
	__u32 __data_loc_interp;
	__u32 __data_loc_filename;
} CORE;
struct trace_event_raw_sched_process_exec {
	int old_pid;
} CORE;
struct trace_event_raw_cap_capable {
	int cap;
	int ret;
} CORE;

/* ---- set by the loader before load ---- */

const volatile __u64 cgroup_id; /* 0: a command; else tasks in or below this cgroup */
const volatile __u32 cgroup_level;
const volatile __u64 pidns_dev, pidns_ino; /* of the loader */
const volatile __u32 mntns_ino;            /* likewise */
const volatile struct trace_call calls[TRACE_CALLS];
const volatile struct trace_rule rules[TRACE_RULES];

/* ---- shared while it runs ---- */

__u32 target;   /* the blocked child, in the loader's pid namespace */
__u64 start_ns; /* when the target's exec happened; cgroup: when recording began */

struct mark {       /* one recorded task */
	__u32 call; /* the call it is in; TRACE_NO_CALL */
	__u8 rule;
	__u64 args[6];
};

struct value_state {
	__u32 distinct;
	__u32 over;
};

struct arg_key {
	__u32 call, arg;
};

struct mapping { /* what lies at an address */
	__u64 end;
	__u64 file; /* 0: none */
};

struct scratch {
	char buf[2 * TRACE_PATH]; /* paths are written from the middle to the front */
	struct trace_path_key key;
	struct trace_path val;
	__u64 next_id;
	__u32 off, len; /* of the text to intern */
	__u64 parent;
	volatile __u64 text; /* an address, on its way to a function that takes scalars */
	__u64 busy;          /* a program uses this scratch */
	__u64 last;          /* id of the path that was recorded last; 0: none was */
	__u64 asked;         /* O_* of the open under way */
	__u8 kind, perms, flags;
	__u8 not_owned;
};

#define MAP(name_, type_, key_, value_, max_)                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##type_);                                                \
		__type(key, key_);                                                                 \
		__type(value, value_);                                                             \
		__uint(max_entries, max_);                                                         \
	} name_ SEC(".maps")

MAP(counts, PERCPU_ARRAY, __u32, struct trace_count, TRACE_CALLS);
MAP(bits, PERCPU_HASH, struct arg_key, struct trace_bits, 1024);
MAP(distinct, HASH, struct arg_key, struct value_state, 1024);
MAP(values, HASH, struct trace_value_key, __u64, 16384);
MAP(tuples, HASH, struct trace_tuple_key, __u64, 1024);
MAP(caps, HASH, struct trace_cap_key, struct trace_count, 4096);
MAP(received, PERCPU_ARRAY, __u32, struct trace_count, 128);
MAP(paths, HASH, struct trace_path_key, struct trace_path, 16384);
MAP(pairs, HASH, struct trace_pair_key, __u64, 16384);
MAP(losses, PERCPU_ARRAY, __u32, __u64, TRACE_LOSS_NR);
MAP(scratches, PERCPU_ARRAY, __u32, struct scratch, 1);
MAP(marks_by_tid, HASH, __u32, struct mark, 65536);
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mark);
} marks SEC(".maps");

static __always_inline void count_loss(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&losses, &what);

	if (n)
		(*n)++;
}

/* Bounds an index where the verifier sees it: the compiler must not reason the mask away. */
static __always_inline __u32 bounded(__u32 i, __u32 mask)
{
	asm volatile("%0 &= %1" : "+r"(i) : "r"(mask));
	return i;
}

static __always_inline __u64 since_start(void)
{
	return bpf_ktime_get_ns() - start_ns;
}

/* ---- paths ---- */

static __always_inline struct scratch *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

/*
 * Two tasks on one CPU may be in different programs at once where tracepoints can be preempted:
 * the second finds the scratch taken, and what it came for is counted as missed.
 */
static __always_inline struct scratch *scratch_take(void)
{
	struct scratch *s = scratch_get();

	if (!s || !__sync_lock_test_and_set(&s->busy, 1))
		return s;
	count_loss(TRACE_LOSS_BUSY);
	return NULL;
}

static __always_inline void scratch_give(struct scratch *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
}

/*
 * Functions that are not static are verified once, by themselves, and not along every path that
 * leads to them: that keeps these programs far below the verifier's limit. They may take scalars
 * only; the rest travels in the scratch.
 *
 * intern: the text s->buf[off, off + len) into the map, in pieces; s->parent becomes the id of
 * its last piece, which has s->kind. -1: no room.
 */
int intern(void)
{
	struct scratch *s = scratch_get();

	if (!s)
		return -1;
	for (int i = 0; i < TRACE_PATH / TRACE_TEXT + 1; i++) {
		__u32 n = s->len;
		bool last = n <= TRACE_TEXT;
		struct trace_path *v;

		if (!last)
			n = TRACE_TEXT;
		__builtin_memset(&s->key, 0, sizeof(s->key));
		s->key.parent = s->parent;
		s->key.kind = last ? s->kind : TRACE_PIECE;
		s->key.perms = last ? s->perms : 0;
		s->key.flags = last ? s->flags : 0;
		/* The mask is for verifiers before 6.3: n's bound may stand in another register. */
		if (n && n <= TRACE_TEXT)
			bpf_probe_read_kernel(s->key.text, bounded(n, 511),
					      &s->buf[bounded(s->off, TRACE_PATH - 1)]);
		v = bpf_map_lookup_elem(&paths, &s->key);
		if (!v) {
			s->val.id = ((__u64)bpf_get_smp_processor_id() + 1) << 32 | ++s->next_id;
			s->val.first_ns = since_start();
			bpf_map_update_elem(&paths, &s->key, &s->val, BPF_NOEXIST);
			v = bpf_map_lookup_elem(&paths, &s->key);
			if (!v) {
				count_loss(TRACE_LOSS_PATHS);
				return -1;
			}
		}
		s->parent = v->id;
		if (last) {
			__sync_fetch_and_add(&v->count, 1);
			if (s->not_owned && !v->not_owned)
				v->not_owned = 1;
			s->last = v->id;
			return 0;
		}
		s->off += n;
		s->len -= n;
	}
	count_loss(TRACE_LOSS_TRUNCATED);
	return -1;
}

/*
 * The absolute name of (dentry, mount) in its mount namespace, as AppArmor sees it, to
 * s->buf[off, off + len). -1: too deep or too long; -2: not below any root (pipes, sockets).
 */
int walk(__u64 vfs, __u64 dentry)
{
	struct mount *mnt = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
	struct dentry *d = (void *)dentry;
	struct scratch *s = scratch_get();
	int i;

	if (!s)
		return -1;
	s->off = TRACE_PATH;
	for (i = 0; i < TRACE_DEPTH; i++) {
		struct dentry *parent = BPF_CORE_READ(d, d_parent);
		struct dentry *root = BPF_CORE_READ(mnt, mnt.mnt_root);
		__u32 len;

		if (d == root || d == parent) {
			struct mount *up = BPF_CORE_READ(mnt, mnt_parent);

			if (d != root)
				return -2;
			if (up == mnt)
				break;
			d = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = up;
			continue;
		}
		len = bounded(BPF_CORE_READ(d, d_name.len), 255);
		if (s->off < len + 1)
			goto deep;
		/* off lives in memory, so that the verifier does not follow its values. */
		s->off -= len + 1;
		s->buf[bounded(s->off, TRACE_PATH - 1)] = '/';
		bpf_probe_read_kernel(&s->buf[bounded(s->off + 1, TRACE_PATH - 1)], len,
				      BPF_CORE_READ(d, d_name.name));
		d = parent;
	}
	if (i == TRACE_DEPTH)
		goto deep;
	/* The kernel's internal mounts carry an error pointer for a namespace. */
	if ((__u64)BPF_CORE_READ(mnt, mnt_ns) + 4096 < 8192)
		return -2;
	if (s->off == TRACE_PATH) {
		s->off--;
		s->buf[TRACE_PATH - 1] = '/';
	}
	s->len = TRACE_PATH - s->off;
	return 0;
deep:
	count_loss(TRACE_LOSS_TRUNCATED);
	return -1;
}

static __always_inline int record_path(struct scratch *s, struct path *p, __u8 kind, __u8 perms,
				       __u8 flags)
{
	int err;

	s->parent = 0;
	s->kind = kind;
	s->perms = perms;
	s->flags = flags;
	err = walk((__u64)BPF_CORE_READ(p, mnt), (__u64)BPF_CORE_READ(p, dentry));
	if (err == -2)
		count_loss(TRACE_DISCONNECTED);
	return err ? err : intern();
}

static __always_inline struct file *file_of(struct task_struct *t, __u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	struct file **slot, *f = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	slot = BPF_CORE_READ(fdt, fd) + fd;
	bpf_probe_read_kernel(&f, sizeof(f), slot);
	return f;
}

/*
 * Do this task's names lead where they would lead the loader, which looks up what the kernel
 * did not resolve for us? Not below another root, and not among other mounts. Uses the buffer.
 */
int elsewhere(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct fs_struct *fs = BPF_CORE_READ(t, fs);
	struct scratch *s = scratch_get();

	if (!s || BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum) != mntns_ino)
		return TRACE_ELSEWHERE;
	if (walk((__u64)BPF_CORE_READ(fs, root.mnt), (__u64)BPF_CORE_READ(fs, root.dentry)))
		return TRACE_ELSEWHERE;
	return s->len == 1 ? 0 : TRACE_ELSEWHERE;
}

/* What an open asks AppArmor for: aa_map_file_to_perms() in its security/apparmor/include/file.h. */
static __always_inline __u32 open_perms(unsigned int mode, unsigned int oflags, __u64 asked)
{
	__u32 perms = 0;

	if (mode & FMODE_PATH)
		return 0;
	if (mode & FMODE_READ)
		perms |= TRACE_R;
	if (mode & FMODE_WRITE)
		perms |= oflags & O_APPEND ? TRACE_A : TRACE_W;
	if (mode & FMODE_CREATED || asked & (TRACE_O_CREAT | TRACE_O_TRUNC))
		perms |= TRACE_W;
	return perms;
}

/* Below /proc/PID of another process: the kernel may ask for the right to trace that one. */
static __always_inline bool is_peers(struct task_struct *t, struct inode *inode)
{
	struct hlist_node *first;
	struct proc_inode *proc;
	struct task_struct *other;
	struct pid *pid;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != PROC_MAGIC)
		return false;
	proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	pid = BPF_CORE_READ(proc, pid);
	if (!pid)
		return false;
	first = BPF_CORE_READ(pid, tasks[0].first);
	if (!first)
		return true; /* it has ended meanwhile, and we have not */
	other = (void *)first - bpf_core_field_offset(struct task_struct, pid_links);
	return BPF_CORE_READ(other, signal) != BPF_CORE_READ(t, signal);
}

/* perms == 0: what the open itself asked for, s->asked with it. */
int record_file(__u64 file, __u32 perms)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct file *f = (void *)file;
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct scratch *s = scratch_get();
	__u8 flags = 0;

	if (!s)
		return 0;
	if (!perms)
		perms = open_perms(BPF_CORE_READ(f, f_mode), BPF_CORE_READ(f, f_flags), s->asked);
	if (!perms)
		return 0;
	s->not_owned = BPF_CORE_READ(t, cred, fsuid.val) != BPF_CORE_READ(inode, i_uid.val);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		flags |= TRACE_DIR;
	if (is_peers(t, inode))
		flags |= TRACE_PEERS;
	if (perms & TRACE_X)
		flags |= (__u8)elsewhere();
	return record_path(s, &f->f_path, TRACE_LEAF, (__u8)perms, flags);
}

int record_fd(int fd, __u32 perms)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct file *f = file_of(t, (__u32)fd);

	if (!f) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	return record_file((__u64)f, perms);
}

/* The number behind "/proc/self/fd/" or "/dev/fd/" at s->buf; -1: something else. */
int self_fd(void)
{
	static const char proc[] = "/proc/self/fd/", dev[] = "/dev/fd/";
	struct scratch *s = scratch_get();
	int at = sizeof(proc) - 1, fd = 0, i;

	if (!s)
		return -1;
	for (i = 0; i < (int)sizeof(proc) - 1; i++)
		if (s->buf[i] != proc[i])
			at = sizeof(dev) - 1;
	for (i = 0; i < (int)sizeof(dev) - 1 && at == sizeof(dev) - 1; i++)
		if (s->buf[i] != dev[i])
			return -1;
	for (i = 0; i < 7; i++) {
		char c = s->buf[at + i];

		if (!c)
			return i ? fd : -1;
		if (c < '0' || c > '9')
			return -1;
		fd = fd * 10 + (c - '0');
	}
	return -1;
}

enum { JOIN_KERNEL = 0x100 }; /* the text is in kernel memory */

static __always_inline long read_text(struct scratch *s, __u64 text, __u32 len, __u32 how)
{
	if (how & JOIN_KERNEL)
		return bpf_probe_read_kernel_str(s->buf, TRACE_PATH, (void *)text);
	if (!len || len >= TRACE_PATH)
		len = TRACE_PATH - 1;
	/* +1: room for the NUL that a sockaddr_un need not have. */
	return bpf_probe_read_user_str(s->buf, bounded(len + 1, 2 * TRACE_PATH - 1), (void *)text);
}

/*
 * A path as a program wrote it: `text` seen from directory `dir` (negative: the working one),
 * at most `len` bytes when that is not 0. how: perms | flags << 16 | JOIN_KERNEL. Looked at
 * only when the call has succeeded: by then the text's page is there.
 */
int record_join(int dir, __u64 text, __u32 len, __u32 how)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct fs_struct *fs = BPF_CORE_READ(t, fs);
	struct scratch *s = scratch_get();
	struct path *base = &fs->pwd;
	__u32 perms = how & 0xff;
	__u8 away;
	long n = 1;
	int fd;

	if (!s)
		return 0;
	s->buf[0] = 0;
	s->last = 0;
	s->not_owned = 1;
	if (text)
		n = read_text(s, text, len, how);
	if (n < 0) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	/* Kernels before 6.13 count no NUL for an empty text. */
	if (n <= 1) /* AT_EMPTY_PATH, a NULL path: the descriptor itself */
		return dir >= 0 ? record_fd(dir, perms) : 0;
	fd = self_fd();
	if (fd >= 0)
		return record_fd(fd, perms);
	if (s->buf[0] == '/') {
		base = &fs->root;
	} else if (dir >= 0) {
		struct file *f = file_of(t, (__u32)dir);

		if (!f) {
			count_loss(TRACE_LOSS_UNRESOLVED);
			return 0;
		}
		base = &f->f_path;
	}
	away = (__u8)elsewhere();
	if (record_path(s, base, TRACE_BASE, 0, 0)) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	n = read_text(s, text, len, how); /* the walk has used the buffer */
	if (n <= 1)
		return 0;
	s->off = 0;
	s->len = (__u32)n - 1;
	s->kind = TRACE_JOIN;
	s->perms = (__u8)perms;
	s->flags = (__u8)(how >> 16) | away;
	return intern();
}

/* ---- calls ---- */

static __always_inline bool in_cgroup(void)
{
	return bpf_get_current_ancestor_cgroup_id(cgroup_level) == cgroup_id;
}

static __always_inline struct mark *mark_get(bool btf)
{
	struct mark *m, fresh = {};
	__u32 tid;

	if (btf) {
		bool mine = cgroup_id && in_cgroup();

		if (cgroup_id && !mine)
			return NULL;
		m = bpf_task_storage_get(&marks, bpf_get_current_task_btf(), NULL, 0);
		if (m || !mine)
			return m;
		m = bpf_task_storage_get(&marks, bpf_get_current_task_btf(), NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		if (cgroup_id && !in_cgroup())
			return NULL;
		tid = (__u32)bpf_get_current_pid_tgid();
		m = bpf_map_lookup_elem(&marks_by_tid, &tid);
		if (m || !cgroup_id)
			return m;
		bpf_map_update_elem(&marks_by_tid, &tid, &fresh, BPF_ANY);
		m = bpf_map_lookup_elem(&marks_by_tid, &tid);
	}
	count_loss(m ? TRACE_TASKS : TRACE_LOSS_TASKS);
	return m;
}

static __always_inline int abi_of(bool btf, __u64 nr)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct task_struct___x86 *x = (void *)t;

	if (bpf_core_field_exists(x->thread_info.status)) {
		__u32 status;

		if (btf)
			status = ((struct task_struct___x86 *)bpf_get_current_task_btf())
					 ->thread_info.status;
		else
			status = BPF_CORE_READ(x, thread_info.status);
		if (status & TS_COMPAT)
			return TRACE_COMPAT;
		return nr & X32_BIT && (__u32)nr != (__u32)-1 ? TRACE_X32 : TRACE_NATIVE;
	}
	if (BPF_CORE_READ(t, thread_info.flags) >> ARM64_TIF_32BIT & 1)
		return -1; /* AArch32: no table for it */
	return TRACE_NATIVE;
}

static __always_inline void read_args(__u64 args[6], void *regs, bool compat)
{
	struct pt_regs___x86 *x = regs;
	struct pt_regs___arm64 *a = regs;

	if (bpf_core_field_exists(x->r10)) {
		args[0] = compat ? (__u32)BPF_CORE_READ(x, bx) : BPF_CORE_READ(x, di);
		args[1] = compat ? (__u32)BPF_CORE_READ(x, cx) : BPF_CORE_READ(x, si);
		args[2] = compat ? (__u32)BPF_CORE_READ(x, dx) : BPF_CORE_READ(x, dx);
		args[3] = compat ? (__u32)BPF_CORE_READ(x, si) : BPF_CORE_READ(x, r10);
		args[4] = compat ? (__u32)BPF_CORE_READ(x, di) : BPF_CORE_READ(x, r8);
		args[5] = compat ? (__u32)BPF_CORE_READ(x, bp) : BPF_CORE_READ(x, r9);
		return;
	}
	args[0] = BPF_CORE_READ(a, orig_x0);
	bpf_probe_read_kernel(&args[1], 5 * sizeof(__u64), (void *)a + sizeof(__u64));
}

int record_value(__u32 call, __u32 arg, __u64 value)
{
	struct arg_key ak = { call, arg };
	struct trace_value_key vk = { call, arg, value };
	struct trace_bits *b, none = {};
	struct value_state *st, fresh = {};
	__u64 one = 1, *n;

	b = bpf_map_lookup_elem(&bits, &ak);
	if (!b) {
		bpf_map_update_elem(&bits, &ak, &none, BPF_NOEXIST);
		b = bpf_map_lookup_elem(&bits, &ak);
		if (!b) {
			count_loss(TRACE_LOSS_VALUES);
			return 0;
		}
	}
	b->ones |= value;
	b->zeros |= ~value;
	n = bpf_map_lookup_elem(&values, &vk);
	if (n) {
		__sync_fetch_and_add(n, 1);
		return 0;
	}
	st = bpf_map_lookup_elem(&distinct, &ak);
	if (!st) {
		bpf_map_update_elem(&distinct, &ak, &fresh, BPF_NOEXIST);
		st = bpf_map_lookup_elem(&distinct, &ak);
		if (!st) {
			count_loss(TRACE_LOSS_VALUES);
			return 0;
		}
	}
	if (st->distinct >= TRACE_VALUES) {
		st->over = 1; /* unbounded: the bits above go on, and stand for it */
		return 0;
	}
	if (!bpf_map_update_elem(&values, &vk, &one, BPF_NOEXIST)) {
		__sync_fetch_and_add(&st->distinct, 1);
		return 0;
	}
	n = bpf_map_lookup_elem(&values, &vk);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		count_loss(TRACE_LOSS_VALUES);
	return 0;
}

static __always_inline void record_tuple(__u32 call, const __u64 args[6])
{
	struct trace_tuple_key k = { call, { (__u32)args[0], (__u32)args[1], (__u32)args[2] } };
	__u64 one = 1, *n = bpf_map_lookup_elem(&tuples, &k);

	if (!n && bpf_map_update_elem(&tuples, &k, &one, BPF_NOEXIST)) {
		n = bpf_map_lookup_elem(&tuples, &k);
		if (!n)
			count_loss(TRACE_LOSS_VALUES);
	}
	if (n)
		__sync_fetch_and_add(n, 1);
}

/* A recorded task that was moved out of the cgroup: what it does there is lost, and said. */
static __always_inline void note_left(bool btf)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	bool gone;

	if (btf)
		gone = !bpf_task_storage_delete(&marks, bpf_get_current_task_btf());
	else
		gone = !bpf_map_delete_elem(&marks_by_tid, &tid);
	if (gone)
		count_loss(TRACE_LOSS_LEFT);
}

/* The arguments stand in the registers, or in `event` where that is not NULL. */
static __always_inline int on_enter(bool btf, void *regs, struct trace_event_raw_sys_enter *event,
				    __u64 nr)
{
	struct mark *m = mark_get(btf);
	const volatile struct trace_call *info;
	struct trace_count *c;
	__u32 call;
	int abi;

	if (!m && cgroup_id)
		note_left(btf);
	if (!m)
		return 0;
	m->rule = 0;
	abi = abi_of(btf, nr);
	if (abi < 0) {
		count_loss(TRACE_LOSS_ABI);
		return 0;
	}
	if (abi == TRACE_X32)
		nr &= ~(__u64)X32_BIT;
	if ((__u32)nr >= TRACE_NRS) {
		count_loss(TRACE_LOSS_CALLS);
		return 0;
	}
	call = ((__u32)abi * TRACE_NRS + (__u32)nr) & (TRACE_CALLS - 1);
	c = bpf_map_lookup_elem(&counts, &call);
	if (!c)
		return 0;
	if (!c->count)
		c->first_ns = since_start();
	c->count++;
	m->call = call;
	info = &calls[bounded(call, TRACE_CALLS - 1)];
	if (!(info->args | info->rule | info->tuple))
		return 0;
	m->rule = info->rule;
	if (event)
		bpf_probe_read_kernel(m->args, sizeof(m->args), event->args);
	else
		read_args(m->args, regs, abi == TRACE_COMPAT);
	if (info->tuple)
		record_tuple(call, m->args);
	for (__u32 i = 0; i < 6; i++)
		if (info->args >> i & 1)
			record_value(call, i, info->wide >> i & 1 ? m->args[i] : (__u32)m->args[i]);
	return 0;
}

static __always_inline __u64 arg_at(const struct mark *m, int i)
{
	switch (i) { /* a variable index into args is more than the verifier likes */
	case 0: return m->args[0];
	case 1: return m->args[1];
	case 2: return m->args[2];
	case 3: return m->args[3];
	case 4: return m->args[4];
	case 5: return m->args[5];
	}
	return 0;
}

static __always_inline int exit_open(struct mark *m, const volatile struct trace_rule *r, int fd)
{
	__u64 asked = r->at >= 0 ? arg_at(m, r->at) : 0;
	struct scratch *s = scratch_get();

	if (!s)
		return 0;
	if (r->flags[0] & TRACE_HOW && bpf_probe_read_user(&asked, sizeof(asked), (void *)asked)) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	s->asked = asked;
	return record_fd(fd, 0);
}

/*
 * Whether a lock asks for w too hangs on its kind alone: apparmor_file_lock() in its lsm.c.
 * F_UNLCK asks for k as well.
 */
static __always_inline int exit_lock(struct mark *m, const volatile struct trace_rule *r)
{
	__u32 command = (__u32)arg_at(m, r->at), perms = r->perms[0];
	__s16 type = 0;

	if (r->op == TRACE_OP_FLOCK) {
		if ((command & ~TRACE_LOCK_NB) == TRACE_LOCK_EX)
			perms |= TRACE_W;
	} else if (command == TRACE_F_SETLEASE) {
		type = (__s16)m->args[2];
	} else if (!trace_is_lock(command)) {
		return 0;
	} else if (bpf_probe_read_user(&type, sizeof(type), (void *)m->args[2])) {
		count_loss(TRACE_LOSS_UNRESOLVED);
	}
	if (type == TRACE_F_WRLCK)
		perms |= TRACE_W;
	return record_fd((int)arg_at(m, r->fd[0]), perms);
}

static long on_vma(struct task_struct *t, struct vm_area_struct *vma, struct mapping *found)
{
	(void)t;
	found->end = BPF_CORE_READ(vma, vm_end);
	found->file = (__u64)BPF_CORE_READ(vma, vm_file);
	return 0;
}

/*
 * Each file between the addresses. While other threads change mappings they hold the lock that
 * bpf_find_vma() only tries, and compilers at run time do little else: told, but no loss.
 */
int record_mapped(__u64 begin, __u64 end, __u32 perms)
{
	struct mapping found = {};

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) {
		count_loss(TRACE_UNSEEN_EXEC);
		return 0;
	}
	for (int i = 0; i < 8 && begin < end; i++) {
		long err = bpf_find_vma(bpf_get_current_task_btf(), begin, on_vma, &found, 0);

		if (err == -ENOENT) /* unmapped by another thread since */
			return 0;
		if (err)
			break;
		if (found.file)
			record_file(found.file, perms);
		begin = found.end;
	}
	if (begin < end)
		count_loss(TRACE_UNSEEN_EXEC);
	return 0;
}

int record_pair(__u64 from, __u64 to, __u32 op)
{
	struct trace_pair_key k = {};
	__u64 one = 1;

	if (!from || !to)
		return 0; /* counted already */
	k.from = from;
	k.to = to;
	k.op = op;
	if (bpf_map_update_elem(&pairs, &k, &one, BPF_ANY))
		count_loss(TRACE_LOSS_PATHS);
	return 0;
}

static __always_inline int exit_path(struct mark *m, const volatile struct trace_rule *r)
{
	__u32 flags = r->flags[0], at = r->at >= 0 ? (__u32)arg_at(m, r->at) : 0,
	      perms = r->perms[1];
	int dir = r->fd[0] >= 0 ? (int)arg_at(m, r->fd[0]) : -1;
	struct scratch *s = scratch_get();
	__u64 from;

	if (!s)
		return 0;
	if (r->op != TRACE_OP_RENAME)
		flags = trace_at(flags, at);
	else if (at & TRACE_EXCHANGE)
		perms = r->perms[0];
	record_join(dir, arg_at(m, r->path[0]), 0, r->perms[0] | flags << 16);
	if (r->path[1] < 0)
		return 0;
	from = s->last;
	dir = r->fd[1] >= 0 ? (int)arg_at(m, r->fd[1]) : -1;
	record_join(dir, arg_at(m, r->path[1]), 0, perms | r->flags[1] << 16);
	return record_pair(from, s->last, r->op);
}

static __always_inline int exit_bind(struct mark *m, const volatile struct trace_rule *r)
{
	const char *addr = (const char *)arg_at(m, r->path[0]);
	__u32 len = (__u32)arg_at(m, r->path[0] + 1);
	__u16 family = 0;
	char first = 0;

	if (len <= 2 || bpf_probe_read_user(&family, sizeof(family), addr) || family != AF_UNIX)
		return 0;
	if (bpf_probe_read_user(&first, 1, addr + 2) || !first)
		return 0; /* abstract: AppArmor's unix rules, not files */
	return record_join(-1, (__u64)addr + 2, len - 2, r->perms[0] | r->flags[0] << 16);
}

static __always_inline int record_return(struct mark *m, const volatile struct trace_rule *r,
					 long ret)
{
	switch (r->op) {
	case TRACE_OP_OPEN: return exit_open(m, r, (int)ret);
	case TRACE_OP_MMAP:
		if (arg_at(m, r->path[0]) & PROT_EXEC && (int)arg_at(m, r->fd[0]) >= 0)
			return record_fd((int)arg_at(m, r->fd[0]), TRACE_M);
		return 0;
	case TRACE_OP_MPROTECT:
		if (!(arg_at(m, r->at) & PROT_EXEC))
			return 0;
		return record_mapped(m->args[0], m->args[0] + m->args[1], r->perms[0]);
	case TRACE_OP_FLOCK:
	case TRACE_OP_FCNTL: return exit_lock(m, r);
	case TRACE_OP_FD: return record_fd((int)arg_at(m, r->fd[0]), r->perms[0]);
	case TRACE_OP_PATH:
	case TRACE_OP_RENAME:
	case TRACE_OP_LINK: return exit_path(m, r);
	case TRACE_OP_BIND:
		/* A connect() under way (EINPROGRESS) has passed its hook too, but only for IP. */
		return exit_bind(m, r);
	}
	return 0;
}

static __always_inline int on_exit(bool btf, long ret)
{
	struct mark *m = mark_get(btf);
	struct scratch *s;
	__u8 rule;

	if (!m && cgroup_id)
		note_left(btf); /* by this very call, perhaps */
	if (!m)
		return 0;
	m->call = TRACE_NO_CALL;
	if (!m->rule)
		return 0;
	rule = m->rule;
	m->rule = 0;
	if (ret < 0 && ret > -4096)
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	record_return(m, &rules[bounded(rule, TRACE_RULES - 1)], ret);
	scratch_give(s);
	return 0;
}

/* ---- tasks ---- */

static __always_inline bool is_target(void)
{
	struct bpf_pidns_info ns = {};

	if (!target || bpf_get_ns_current_pid_tgid(pidns_dev, pidns_ino, &ns, sizeof(ns)))
		return false;
	return ns.tgid == target;
}

static __always_inline void record_program(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct file *exe = BPF_CORE_READ(t, mm, exe_file);

	if (exe && record_file((__u64)exe, TRACE_X | TRACE_R | TRACE_M) == -2)
		count_loss(TRACE_MEMORY);
}

static __always_inline void record_script(__u64 filename)
{
	record_join(-1, filename, 0,
		    TRACE_X | TRACE_R | (TRACE_SCRIPT | TRACE_FOLLOW) << 16 | JOIN_KERNEL);
}

/* A thread that execs takes its leader's number: its mark moves along. */
static __always_inline void move_mark(__u32 old_tid)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct mark *m;

	if (old_tid == tid)
		return;
	m = bpf_map_lookup_elem(&marks_by_tid, &old_tid);
	if (m) {
		bpf_map_update_elem(&marks_by_tid, &tid, m, BPF_ANY);
		bpf_map_delete_elem(&marks_by_tid, &old_tid);
	}
}

/* The mark of a task that execs, which for the target is where the recording begins. */
static __always_inline struct mark *mark_exec(bool btf)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct mark *m = mark_get(btf), fresh = {};

	if (m || cgroup_id || start_ns || !is_target())
		return m;
	start_ns = bpf_ktime_get_ns();
	if (btf)
		m = bpf_task_storage_get(&marks, bpf_get_current_task_btf(), NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	else if (!bpf_map_update_elem(&marks_by_tid, &tid, &fresh, BPF_ANY))
		m = bpf_map_lookup_elem(&marks_by_tid, &tid);
	count_loss(m ? TRACE_TASKS : TRACE_LOSS_TASKS);
	return m;
}

static __always_inline int on_exec(bool btf, struct linux_binprm *bprm, __u32 old_tid)
{
	const char *filename = BPF_CORE_READ(bprm, filename);
	struct scratch *s;

	if (!btf)
		move_mark(old_tid);
	if (!mark_exec(btf))
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	record_program();
	if (filename != BPF_CORE_READ(bprm, interp))
		record_script((__u64)filename);
	scratch_give(s);
	return 0;
}

/* Are the two texts of s->buf the same, from 0 and from TRACE_PATH on, `len` bytes of each? */
int same_text(__u32 len)
{
	struct scratch *s = scratch_get();

	for (__u32 i = 0; s && i < TRACE_PATH && i < len; i++)
		if (s->buf[i] != s->buf[TRACE_PATH + i])
			return 0;
	return 1;
}

/* Before the exec, past the point of no return: what will run was named by a script's first line. */
static __always_inline int on_prepare(void *event, __u32 interp, __u32 filename)
{
	struct scratch *s;
	long n, m;

	if (!mark_exec(false))
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	n = bpf_probe_read_kernel_str(s->buf, TRACE_PATH, event + (filename & 0xffff));
	m = bpf_probe_read_kernel_str(s->buf + TRACE_PATH, TRACE_PATH, event + (interp & 0xffff));
	s->text = (__u64)event + (filename & 0xffff);
	if (n != m || n < 0 || !same_text((__u32)n))
		record_script(s->text);
	scratch_give(s);
	return 0;
}

/* What a kernel's timer, queue or descriptor sends: SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO. */
static __always_inline bool is_kernels(int code)
{
	return code > 0 || (code <= -2 && code >= -5);
}

/*
 * Where it is sent, not where it is delivered: a signal that kills by default is delivered as
 * SIGKILL, and one that is ignored never, but the sender of either needed permission.
 */
static __always_inline int on_signal(bool btf, __u32 sig, struct kernel_siginfo *info,
				     struct task_struct *to)
{
	struct trace_count *c;
	struct mark *m;
	__u32 tid;

	/* Small pointers are the kernel's own senders, which ask nobody. */
	if ((__u64)info < 4096 || is_kernels(BPF_CORE_READ(info, si_code)))
		return 0;
	if (btf) {
		m = bpf_task_storage_get(&marks, to, NULL, 0);
	} else {
		tid = (__u32)BPF_CORE_READ(to, pid);
		m = bpf_map_lookup_elem(&marks_by_tid, &tid);
	}
	if (!m)
		return 0;
	c = bpf_map_lookup_elem(&received, &sig);
	if (!c)
		return 0;
	if (!c->count)
		c->first_ns = since_start();
	c->count++;
	return 0;
}

static __always_inline int on_capable(bool btf, __u32 cap, int ret)
{
	struct mark *m = mark_get(btf);
	struct trace_cap_key k;
	struct trace_count *c, fresh = { 1, 0 };

	if (!m || ret)
		return 0;
	k.call = m->call;
	k.cap = cap;
	c = bpf_map_lookup_elem(&caps, &k);
	if (c) {
		__sync_fetch_and_add(&c->count, 1);
		return 0;
	}
	fresh.first_ns = since_start();
	if (bpf_map_update_elem(&caps, &k, &fresh, BPF_ANY))
		count_loss(TRACE_LOSS_CAPS);
	return 0;
}

static __always_inline int on_fork(__u32 child)
{
	struct mark fresh = {};

	if (!mark_get(false) || cgroup_id)
		return 0;
	count_loss(bpf_map_update_elem(&marks_by_tid, &child, &fresh, BPF_ANY) ? TRACE_LOSS_TASKS :
										 TRACE_TASKS);
	return 0;
}

/* ---- the programs: ctx is the array of the tracepoint's arguments, or perf's event ---- */

SEC("tp_btf/sys_enter")
int enter_btf(__u64 *ctx)
{
	return on_enter(true, (void *)ctx[0], NULL, ctx[1]);
}

SEC("tp_btf/sys_exit")
int exit_btf(__u64 *ctx)
{
	return on_exit(true, (long)ctx[1]);
}

SEC("tp_btf/sched_process_fork")
int fork_btf(__u64 *ctx)
{
	struct task_struct *child = (void *)ctx[1];
	struct mark *m;

	if (!mark_get(true))
		return 0;
	if (cgroup_id)
		return 0; /* marked by its first call */
	m = bpf_task_storage_get(&marks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	count_loss(m ? TRACE_TASKS : TRACE_LOSS_TASKS);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int exec_btf(__u64 *ctx)
{
	return on_exec(true, (void *)ctx[2], (__u32)ctx[1]);
}

SEC("tp_btf/signal_generate")
int signal_btf(__u64 *ctx)
{
	return on_signal(true, (__u32)ctx[0], (void *)ctx[1], (void *)ctx[2]);
}

SEC("tp_btf/cap_capable")
int capable_btf(__u64 *ctx)
{
	return on_capable(true, (__u32)ctx[3], (int)ctx[4]);
}

/* Before Linux 6.15 the function has no tracepoint: its own end is looked at where that is allowed. */
SEC("fexit/cap_capable")
int capable_end_btf(__u64 *ctx)
{
	return on_capable(true, (__u32)ctx[2], (int)ctx[4]);
}

SEC("fexit/cap_capable")
int capable_end_raw(__u64 *ctx)
{
	return on_capable(false, (__u32)ctx[2], (int)ctx[4]);
}

SEC("tp/raw_syscalls/sys_enter")
int enter_tp(struct trace_event_raw_sys_enter *ctx)
{
	return on_enter(false, NULL, ctx, (__u64)ctx->id);
}

SEC("tp/raw_syscalls/sys_exit")
int exit_tp(struct trace_event_raw_sys_exit *ctx)
{
	return on_exit(false, ctx->ret);
}

SEC("tp/sched/sched_process_fork")
int fork_tp(struct trace_event_raw_sched_process_fork *ctx)
{
	return on_fork((__u32)ctx->child_pid);
}

SEC("tp/sched/sched_prepare_exec")
int prepare_tp(struct trace_event_raw_sched_prepare_exec *ctx)
{
	return on_prepare(ctx, ctx->__data_loc_interp, ctx->__data_loc_filename);
}

SEC("tp/sched/sched_process_exec")
int exec_tp(struct trace_event_raw_sched_process_exec *ctx)
{
	struct scratch *s;

	move_mark((__u32)ctx->old_pid);
	if (!mark_get(false))
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	record_program();
	scratch_give(s);
	return 0;
}

SEC("tp/sched/sched_process_exit")
int gone_tp(void *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	(void)ctx;
	bpf_map_delete_elem(&marks_by_tid, &tid);
	return 0;
}

SEC("tp/capability/cap_capable")
int capable_tp(struct trace_event_raw_cap_capable *ctx)
{
	return on_capable(false, (__u32)ctx->cap, ctx->ret);
}

SEC("raw_tp/sys_enter")
int enter_raw(__u64 *ctx)
{
	return on_enter(false, (void *)ctx[0], NULL, ctx[1]);
}

SEC("raw_tp/sys_exit")
int exit_raw(__u64 *ctx)
{
	return on_exit(false, (long)ctx[1]);
}

SEC("raw_tp/sched_process_fork")
int fork_raw(__u64 *ctx)
{
	struct task_struct *child = (void *)ctx[1];

	return on_fork((__u32)BPF_CORE_READ(child, pid));
}

SEC("raw_tp/sched_process_exec")
int exec_raw(__u64 *ctx)
{
	return on_exec(false, (void *)ctx[2], (__u32)ctx[1]);
}

SEC("raw_tp/sched_process_exit")
int gone_raw(__u64 *ctx)
{
	struct task_struct *t = (void *)ctx[0];
	__u32 tid = (__u32)BPF_CORE_READ(t, pid);

	bpf_map_delete_elem(&marks_by_tid, &tid);
	return 0;
}

SEC("raw_tp/signal_generate")
int signal_raw(__u64 *ctx)
{
	return on_signal(false, (__u32)ctx[0], (void *)ctx[1], (void *)ctx[2]);
}

SEC("raw_tp/cap_capable")
int capable_raw(__u64 *ctx)
{
	return on_capable(false, (__u32)ctx[3], (int)ctx[4]);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
