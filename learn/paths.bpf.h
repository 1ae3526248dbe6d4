/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths as the kernel has them, and files as they are used, into the maps. */
#ifndef LEARN_PATHS_BPF_H
#define LEARN_PATHS_BPF_H

#include "learn/state.bpf.h"

#include <bpf/bpf_core_read.h>

#include "learn/kernel.bpf.h"

_Static_assert(TRACE_TEXT <= 127, "intern()'s mask would cut it");

static __always_inline struct scratch *scratch_at(__u32 i)
{
	return bpf_map_lookup_elem(&scratches, &i);
}

/* The one that the program which runs has taken. */
static __always_inline struct scratch *scratch_get(void)
{
	struct scratch *s = scratch_at(0);

	return s && s->second ? scratch_at(1) : s;
}

/* NULL: it is taken. */
static __always_inline struct scratch *scratch_try(void)
{
	struct scratch *s = scratch_at(0);

	if (!s || __sync_lock_test_and_set(&s->busy, 1))
		return NULL;
	s->shelved = s->second;
	s->second = 0;
	return s;
}

/*
 * Two tasks on one CPU may be in different programs at once where tracepoints can be preempted:
 * the second finds the scratch taken, and what it came for is counted as missed.
 */
static __always_inline struct scratch *scratch_take(void)
{
	struct scratch *s = scratch_try();

	if (!s)
		count_loss(TRACE_LOSS_BUSY);
	return s;
}

static __always_inline void scratch_give(struct scratch *s)
{
	s->second = s->shelved;
	__sync_lock_test_and_set(&s->busy, 0);
}

/*
 * A scratch for programs that can be preempted by those that take the first one, and never the other
 * way round. NULL: it is taken, which is no loss.
 */
static __always_inline struct scratch *scratch_take_second(void)
{
	struct scratch *first = scratch_at(0), *s = scratch_at(1);

	if (!first || !s || first->busy || __sync_lock_test_and_set(&s->busy, 1))
		return NULL;
	s->second = 1;
	first->second = 1;
	return s;
}

static __always_inline void scratch_give_second(struct scratch *s)
{
	struct scratch *first = scratch_at(0);

	if (first)
		first->second = 0;
	__sync_lock_test_and_set(&s->busy, 0);
}

/* Which task of which pid namespace: by its number in its own one, as its fellows know it. */
ALONE __u64 pid_key_at(__u64 at)
{
	struct pid *pid = (void *)at;
	void *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	struct upid *own = numbers + BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);

	return (__u64)BPF_CORE_READ(own, ns, ns.inum) << 32 | (__u32)BPF_CORE_READ(own, nr);
}

static __always_inline __u64 pid_key(struct pid *pid)
{
	return pid_key_at((__u64)pid);
}

/* Who is about to write or make it for the first time. */
static __always_inline void note_maker(struct trace_path *v)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	v->pid = (__u32)pid_key(BPF_CORE_READ(t, group_leader, thread_pid));
	v->parent = (__u32)pid_key(BPF_CORE_READ(t, real_parent, group_leader, thread_pid));
}

/* One piece of intern()'s. 1: there are more to come; 0: it was the last; -1: no room. */
ALONE int intern_piece(void)
{
	struct scratch *s = scratch_get();
	struct trace_path *v;
	bool last;
	__u32 n;

	if (!s)
		return -1;
	n = s->len;
	last = n <= TRACE_TEXT;
	if (!last)
		n = TRACE_TEXT;
	__builtin_memset(&s->key, 0, sizeof(s->key));
	s->key.parent = s->parent;
	s->key.kind = last ? s->kind : TRACE_PIECE;
	s->key.perms = last ? s->perms : 0;
	s->key.flags = last ? s->flags : 0;
	s->key.about = last ? s->about : 0;
	/* The mask is for verifiers before 6.3: n's bound may stand in another register. */
	if (n && n <= TRACE_TEXT)
		bpf_probe_read_kernel(s->key.text, bounded(n, 127),
				      &s->buf[bounded(s->off, TRACE_PATH - 1)]);
	v = bpf_map_lookup_elem(&paths, &s->key);
	if (!v) {
		s->val.id = ((__u64)bpf_get_smp_processor_id() + 1) << 33 |
			    (__u64)(s->second != 0) << 32 | ++s->next_id;
		s->val.first_ns = since_start();
		s->val.pid = s->val.parent = 0;
		s->val.at = again_take();
		if (s->key.perms & (TRACE_W | TRACE_A | TRACE_L))
			note_maker(&s->val);
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
		s->again = v->at;
		return 0;
	}
	s->off += n;
	s->len -= n;
	return 1;
}

/*
 * The text s->buf[off, off + len) into the map, in pieces; s->parent becomes the id of
 * its last piece, which has s->kind. -1: no room.
 */
ALONE int intern(void)
{
	int more = 1;

	for (int i = 0; i < TRACE_PATH / TRACE_TEXT + 1 && more == 1; i++)
		more = intern_piece();
	if (more == 1)
		count_loss(TRACE_LOSS_TRUNCATED);
	return more ? -1 : 0;
}

/*
 * Each read costs as much as all else of a step, so it is one where the kernel has them as struct link
 * has. In the scratch: before Linux 6.13 there are 512 bytes of stack for all that call each other.
 */
static __always_inline void read_link(struct dentry *d, struct link *l)
{
	const __u32 parent = bpf_core_field_offset(struct dentry, d_parent),
		    name = bpf_core_field_offset(struct dentry, d_name);

	if (name == parent + sizeof(l->parent) &&
	    bpf_core_field_offset(struct qstr, len) ==
		    __builtin_offsetof(struct link, len) - sizeof(l->parent) &&
	    bpf_core_field_offset(struct qstr, name) == 2 * sizeof(l->len)) {
		bpf_probe_read_kernel(l, sizeof(*l), (void *)d + parent);
		return;
	}
	l->parent = BPF_CORE_READ(d, d_parent);
	l->len = BPF_CORE_READ(d, d_name.len);
	l->name = BPF_CORE_READ(d, d_name.name);
}

/* What has been read as it lies is no number to the verifier, of which functions of their own are made. */
static __always_inline __u64 plain(struct scratch *s, const void *address)
{
	s->plain = (__u64)address;
	return s->plain;
}

/* Some of stride()'s. 1: there are more to come; 0: the root is reached; else as walk(). */
ALONE int step(void)
{
	struct scratch *s = scratch_get();
	struct dentry *d, *root;
	struct mount *mnt;

	if (!s)
		return -1;
	d = (void *)s->dentry;
	mnt = (void *)s->mount;
	root = BPF_CORE_READ(mnt, mnt.mnt_root);
	for (int i = 0; i < TRACE_STEPS; i++) {
		struct link *l = &s->link;
		__u32 len;

		if (d != root)
			read_link(d, l);
		if (d == root || d == l->parent) {
			struct mount *up = BPF_CORE_READ(mnt, mnt_parent);

			if (d != root)
				return -2;
			s->mount = (__u64)mnt;
			if (up == mnt)
				return 0;
			d = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = up;
			root = BPF_CORE_READ(mnt, mnt.mnt_root);
			continue;
		}
		len = bounded(l->len, 255);
		if (s->off < len + 1)
			return -1;
		/* off lives in memory, so that the verifier does not follow its values. */
		s->off -= len + 1;
		s->buf[bounded(s->off, TRACE_PATH - 1)] = '/';
		bpf_probe_read_kernel(&s->buf[bounded(s->off + 1, TRACE_PATH - 1)], len, l->name);
		d = l->parent;
	}
	s->dentry = (__u64)d;
	s->mount = (__u64)mnt;
	return 1;
}

ALONE int stride(void)
{
	int more = 1;

	for (int i = 0; i < TRACE_STRIDE && more == 1; i++)
		more = step();
	return more;
}

/*
 * The absolute name of (dentry, mount) in its mount namespace, as AppArmor sees it, to
 * s->buf[off, off + len). -1: too long; -2: not below any root (pipes, sockets).
 */
ALONE int walk(__u64 vfs, __u64 dentry)
{
	struct scratch *s = scratch_get();
	struct mount *mnt;
	int more = 1;

	if (!s)
		return -1;
	s->off = TRACE_PATH;
	s->dentry = dentry;
	s->mount = vfs - bpf_core_field_offset(struct mount, mnt);
	for (int i = 0; i < TRACE_WALK && more == 1; i++)
		more = stride();
	if (more)
		return more < 0 ? more : -1;
	mnt = (void *)s->mount;
	/* The kernel's internal mounts carry an error pointer for a namespace. */
	if ((__u64)READ(mnt, mnt_ns) + 4096 < 8192)
		return -2;
	if (s->off == TRACE_PATH) {
		s->off--;
		s->buf[TRACE_PATH - 1] = '/';
	}
	s->len = TRACE_PATH - s->off;
	return 0;
}

/* A walk came to no end: what can be told is the end of the name. */
static __always_inline void record_end(struct scratch *s)
{
	count_loss(TRACE_LOSS_TRUNCATED);
	if (s->off < TRACE_PATH - TRACE_TEXT)
		s->off = TRACE_PATH - TRACE_TEXT;
	s->len = TRACE_PATH - s->off;
	s->kind = TRACE_LOST;
	s->flags = 0;
	intern();
}

#define FINGERPRINT_STEPS 24 /* components and mounts */

static __always_inline void mix(struct scratch *s, __u64 with)
{
	__u64 a = (s->print[0] ^ with) * 0x9e3779b97f4a7c15,
	      b = (s->print[1] + with) * 0xc2b2ae3d27d4eb4f;

	s->print[0] = a ^ a >> 32;
	s->print[1] = b ^ b >> 29;
}

/* fingerprint()'s, of a component or a mount. 1: there are more to come; 0: it is whole; -1: there is no root. */
APART int print_step(struct scratch *s)
{
	/* From memory: what is mixed has to be a number to the verifier. */
	__u64 at = s->dentry, on = s->mount;
	struct dentry *d = (void *)at;
	struct mount *mnt = (void *)on;

	if (at != plain(s, READ(mnt, mnt.mnt_root))) {
		mix(s, at);
		mix(s, READ(d, d_name.hash_len));
		s->dentry = (__u64)READ(d, d_parent);
		return s->dentry == at ? -1 : 1;
	}
	mix(s, on);
	s->mount = (__u64)READ(mnt, mnt_parent);
	s->dentry = (__u64)READ(mnt, mnt_mountpoint);
	if (s->mount != on)
		return 1;
	mix(s, plain(s, READ(mnt, mnt_ns)));
	s->print[1] |= 1; /* what is known by itself has none of the kind */
	return 0;
}

/*
 * Most files are used over and over. Where reads are cheap it is cheaper to see that all that a walk
 * would come by is what it was, names by the hash that the kernel has of each, than to look up the whole
 * name. False: it is too deep, or reads are not.
 */
ALONE int fingerprint(__u64 vfs, __u64 dentry)
{
	struct scratch *s = scratch_get();
	int more = 1;

	if (!s || !casts)
		return 0;
	s->dentry = dentry;
	s->mount = vfs - bpf_core_field_offset(struct mount, mnt);
	s->print[0] = s->print[1] = 0;
	mix(s, (__u64)s->kind << 32 | (__u64)s->flags << 16 | s->perms << 8 | s->more << 1 |
		       s->not_owned);
	for (int i = 0; i < FINGERPRINT_STEPS && more == 1; i++)
		more = print_step(s);
	return !more;
}

/* record_path()'s. */
static __always_inline int record_at(__u64 path)
{
	struct scratch *s = scratch_get();
	struct path *p = (void *)path;
	int prints, err;
	__u64 vfs, dentry;
	struct known *k;

	if (!s)
		return -1;
	vfs = plain(s, READ(p, mnt));
	dentry = plain(s, READ(p, dentry));
	/* The second scratch's programs can be preempted by the first one's, which know() other things. */
	prints = !s->second && fingerprint(vfs, dentry);
	k = prints ? known_again(s->print[0], s->print[1]) : NULL;
	if (k) {
		s->parent = s->last = k->id;
		return 0;
	}
	err = walk(vfs, dentry);
	if (err == -2)
		count_loss(TRACE_DISCONNECTED);
	if (err == -1 && s->perms)
		record_end(s);
	err = err ? err : intern();
	if (prints && !err)
		know(s->print[0], s->print[1], s->again, s->last);
	return err;
}

static __always_inline int record_path(struct scratch *s, struct path *p, __u8 kind, __u8 perms,
				       __u16 flags)
{
	s->parent = 0;
	s->kind = kind;
	s->perms = perms;
	s->flags = flags;
	return record_at((__u64)p);
}

static __always_inline struct file *file_of(struct task_struct *t, __u32 fd)
{
	struct fdtable *fdt = READ(t, files, fdt);
	struct file **slot, *f = NULL;

	if (fd >= READ(fdt, max_fds))
		return NULL;
	slot = READ(fdt, fd) + fd;
	bpf_probe_read_kernel(&f, sizeof(f), slot);
	return f;
}

/*
 * Do this task's names lead where they would lead the loader, which looks up what the kernel
 * did not resolve for us? Not below another root, and not among other mounts. Uses the buffer.
 */
static __always_inline void elsewhere(struct scratch *s)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct fs_struct *fs = READ(t, fs);

	/* It lies in memory, where the verifier does not tell the two apart. */
	s->away = TRACE_ELSEWHERE;
	s->root = 0;
	if (READ(t, nsproxy, mnt_ns, ns.inum) != (border ? home_mntns : mntns_ino))
		return;
	if (walk(plain(s, READ(fs, root.mnt)), plain(s, READ(fs, root.dentry))))
		return;
	s->away = s->len == 1 ? 0 : TRACE_ELSEWHERE | TRACE_ROOTED;
	s->root = (__u16)s->len;
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

static __always_inline bool is_ours(__u64 key)
{
	return bpf_map_lookup_elem(&ours, &key) != NULL;
}

static __always_inline void note_task(struct task_struct *t)
{
	__u64 own = pid_key(BPF_CORE_READ(t, thread_pid)),
	      leader = pid_key(BPF_CORE_READ(t, group_leader, thread_pid));
	__u8 one = 1;

	bpf_map_update_elem(&ours, &own, &one, BPF_ANY);
	bpf_map_update_elem(&ours, &leader, &one, BPF_ANY);
}

ALONE int note_ours(void)
{
	note_task((void *)bpf_get_current_task());
	return 0;
}

/*
 * Of a file of /proc. Below /proc/PID of another process: the kernel may ask for the right to trace that
 * one. TRACE_PEERS, with TRACE_OURS; 0.
 */
ALONE int peers_of(__u64 of)
{
	struct task_struct *t = (void *)bpf_get_current_task(), *other;
	struct inode *inode = (void *)of;
	struct hlist_node *first;
	struct proc_inode *proc;
	struct pid *pid;

	proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	pid = BPF_CORE_READ(proc, pid);
	if (!pid)
		return 0;
	first = BPF_CORE_READ(pid, tasks[0].first);
	if (!first)
		return TRACE_PEERS; /* it has ended meanwhile, and we have not */
	other = (void *)first - bpf_core_field_offset(struct task_struct, pid_links);
	if (BPF_CORE_READ(other, signal) == BPF_CORE_READ(t, signal))
		return 0;
	return TRACE_PEERS |
	       (is_ours(pid_key(BPF_CORE_READ(other, group_leader, thread_pid))) ? TRACE_OURS : 0);
}

/* Whom the task acts as, where files are concerned. */
ALONE __u32 note_fsuid(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	__u32 uid = READ(t, cred, fsuid.val);

	if (!fsuid_first)
		fsuid_first = uid + 1;
	else if (fsuid_first != uid + 1)
		fsuids_differ = 1;
	return uid;
}

/* AppArmor finds no root above it, and calls it "/" (path.c, d_namespace_path). */
static __always_inline int record_namespace(__u32 perms)
{
	struct scratch *s = scratch_get();

	if (!s)
		return 0;
	count_loss(TRACE_NAMESPACES);
	s->buf[TRACE_PATH - 1] = '/';
	s->off = TRACE_PATH - 1;
	s->len = 1;
	s->parent = 0;
	s->kind = TRACE_LEAF;
	s->perms = (__u8)perms;
	s->flags = 0;
	s->about = 0;
	return intern();
}

enum { TRIED_FILE = TRACE_TRIED | TRACE_IF_REFUSED }; /* of a file that is known to be there */

/* perms: with TRIED_FILE << 16; 0: what the open itself asked for, s->asked with it. */
static __always_inline int record_file_here(__u64 file, __u32 perms)
{
	struct file *f = (void *)file;
	struct inode *inode = READ(f, f_inode);
	struct scratch *s = scratch_get();
	__u16 flags = perms >> 16 & TRIED_FILE, mode;
	unsigned long magic;
	int peers;

	if (!s)
		return 0;
	perms &= 0xff;
	if (!perms)
		perms = open_perms(READ(f, f_mode), READ(f, f_flags), s->asked);
	if (!perms)
		return 0;
	s->not_owned = note_fsuid() != READ(inode, i_uid.val);
	mode = READ(inode, i_mode);
	if (flags && ((mode & S_IFMT) != S_IFREG || !(mode & 0111)))
		return 0; /* what is no program is not asked about */
	if ((mode & S_IFMT) == S_IFDIR)
		flags |= TRACE_DIR;
	magic = READ(inode, i_sb, s_magic);
	peers = magic == PROC_MAGIC && !sees_asked ? peers_of(plain(s, inode)) : 0;
	flags |= peers & TRACE_PEERS;
	s->about = peers & TRACE_OURS;
	if (magic == NSFS_MAGIC)
		return record_namespace(perms);
	s->away = 0;
	if (perms & TRACE_X)
		elsewhere(s);
	flags |= s->away;
	return record_path(s, &f->f_path, TRACE_LEAF, (__u8)perms, flags);
}

ALONE int record_file(__u64 file, __u32 perms)
{
	return record_file_here(file, perms);
}

/* 0: there is none, which is counted. */
static __always_inline __u64 find_file(int fd)
{
	struct file *f = file_of((void *)bpf_get_current_task(), (__u32)fd);

	if (!f)
		count_loss(TRACE_LOSS_UNRESOLVED);
	return (__u64)f;
}

static __always_inline int record_fd(int fd, __u32 perms)
{
	__u64 file = find_file(fd);

	return file ? record_file(file, perms) : 0;
}

/* The number behind "/proc/self/fd/" or "/dev/fd/" at s->buf; -1: something else. */
ALONE int self_fd(void)
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

enum {
	JOIN_KERNEL = 0x100, /* the text is in kernel memory */
	JOIN_TRY = 0x200,    /* a page that is not there yet is no loss */
};

static __always_inline long read_text(struct scratch *s, __u64 text, __u32 len, __u32 how)
{
	if (!len || len >= TRACE_PATH)
		len = TRACE_PATH - 1;
	len = bounded(len + 1, 2 * TRACE_PATH - 1); /* the NUL that a sockaddr_un need not have */
	if (how & JOIN_KERNEL)
		return bpf_probe_read_kernel_str(s->buf, len, (void *)text);
	return bpf_probe_read_user_str(s->buf, len, (void *)text);
}

/*
 * A path as a program wrote it: `text` seen from directory `dir` (negative: the working one),
 * at most `len` bytes when that is not 0. how: perms | flags << 16 | JOIN_KERNEL. Looked at
 * only when the call has succeeded: by then the text's page is there.
 */
ALONE int record_join(int dir, __u64 text, __u32 len, __u32 how)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct fs_struct *fs = READ(t, fs);
	struct scratch *s = scratch_get();
	struct path *base = &fs->pwd;
	__u32 perms = how & 0xff;
	long n = 1;
	int fd, err;

	if (!s)
		return 0;
	s->buf[0] = 0;
	s->last = 0;
	s->not_owned = !(how >> 16 & TRACE_MADE);
	note_fsuid();
	if (text)
		n = read_text(s, text, len, how);
	s->about = 0;
	if (n < 0) {
		if (!(how & JOIN_TRY))
			count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	/* Kernels before 6.13 count no NUL for an empty text: AT_EMPTY_PATH, a NULL path. */
	fd = n <= 1 ? dir : self_fd();
	if (fd >= 0) {
		__u64 file = find_file(fd);

		return file ? record_file_here(file, perms | (how & (__u32)TRIED_FILE << 16)) : 0;
	}
	if (n <= 1)
		return 0;
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
	elsewhere(s);
	err = record_path(s, base, TRACE_BASE, 0, 0);
	if (err)
		count_loss(err == -1 ? TRACE_LOSS_TRUNCATED : TRACE_LOSS_UNRESOLVED);
	n = read_text(s, text, len, how); /* the walk has used the buffer */
	if (n <= 1)
		return 0;
	s->off = 0;
	s->len = (__u32)n - 1;
	s->kind = err ? TRACE_LOST : TRACE_JOIN;
	s->perms = (__u8)perms;
	s->flags = (__u16)((how >> 16) | s->away);
	if (!err)
		return intern();
	s->parent = 0;
	intern();
	s->last = 0;
	return 0;
}

#endif
