/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is signalled, and who signals: by the label of AppArmor's, which is what that is asked about, or
 * where there is none by the program.
 */
#ifndef LEARN_SIGNALS_BPF_H
#define LEARN_SIGNALS_BPF_H

#include "learn/paths.bpf.h"

/* ---- processes by their numbers ---- */

static __always_inline __u64 task_of_pid(struct pid *pid)
{
	struct hlist_node *first = BPF_CORE_READ(pid, tasks[0].first);

	return first ? (__u64)first - bpf_core_field_offset(struct task_struct, pid_links) : 0;
}

/* The namespace in which this struct pid has its number `level`. */
static __always_inline __u64 pidns_at(struct pid *pid, __u32 level)
{
	struct upid *u = (void *)pid + bpf_core_field_offset(struct pid, numbers);

	u = (void *)u + level * bpf_core_type_size(struct upid);
	return (__u64)BPF_CORE_READ(u, ns);
}

/*
 * Whom the number stands for there: find_pid_ns(), by the tree of include/linux/xarray.h, whose nodes have 64
 * slots. 0: nobody.
 */
ALONE __u64 find_task(__u64 pidns, __u32 nr)
{
	struct pid_namespace *ns = (void *)pidns;
	__u64 entry = (__u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head);

	if (bpf_core_field_size(struct xa_node, slots) != 64 * sizeof(void *))
		return 0;
	nr -= BPF_CORE_READ(ns, idr.idr_base);
	for (int i = 0; i < 6 && (entry & 3) == 2; i++) { /* a node, and none of the marks below */
		struct xa_node *node = (void *)(entry - 2);
		__u8 shift = BPF_CORE_READ(node, shift);

		if (entry < 4096 || shift > 30 || (!i && (__u64)nr >> shift >= 64))
			return 0;
		bpf_probe_read_kernel(&entry, sizeof(entry),
				      (void *)node + bpf_core_field_offset(struct xa_node, slots) +
					      (nr >> shift & 63) * sizeof(void *));
		if (!shift)
			return entry ? task_of_pid((void *)entry) : 0;
	}
	return 0;
}

/*
 * Of whom the descriptor is: on kernels since 6.9 they are files of a pidfs, before by that name alone. other: it
 * is of something else, as setns(2) takes namespaces, too, and of a call that failed it may be anything. dirs:
 * pidfd_send_signal(2) takes directories of /proc as well (fs/proc/base.c, tgid_pidfd_to_pid()).
 */
static __always_inline __u64 pid_of_descriptor(int fd, bool dirs, bool *other)
{
	struct file *f = file_of((void *)bpf_get_current_task(), (__u32)fd);
	unsigned long magic;
	struct inode *inode;
	__u64 name = 0;

	*other = true;
	if (!f)
		return 0;
	inode = BPF_CORE_READ(f, f_inode);
	magic = BPF_CORE_READ(inode, i_sb, s_magic);
	if (magic == PIDFS_MAGIC) {
		*other = false;
		return (__u64)BPF_CORE_READ(inode, i_private);
	}
	if (magic == PROC_MAGIC && dirs) {
		struct proc_inode *proc =
			(void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);

		*other = false;
		return (__u64)BPF_CORE_READ(proc, pid);
	}
	bpf_probe_read_kernel(&name, sizeof(name), BPF_CORE_READ(f, f_path.dentry, d_name.name));
	if (name != PIDFD_NAME ||
	    BPF_CORE_READ(f, f_path.dentry, d_parent) != BPF_CORE_READ(f, f_path.dentry))
		return 0;
	*other = false;
	return (__u64)BPF_CORE_READ(f, private_data);
}

/* ---- who they are ---- */

/* Is it in one of the cgroups, and inside, though it has made no call since the recording began? */
ALONE int is_member(__u64 task)
{
	struct task_struct *t = (void *)task;
	struct cgroup *g = BPF_CORE_READ(t, cgroups, dfl_cgrp), *up = NULL;
	__u32 level = (__u32)BPF_CORE_READ(g, level);

	if (!bpf_core_field_exists(g->ancestors) ||
	    (border && BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum) != home_mntns))
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TRACE_WATCHED && i < cgroups_nr && i < cgroups_used; i++) {
		__u32 at = cgroup_levels[i];

		if (!cgroup_ids[i] || at > level)
			continue;
		bpf_probe_read_kernel(&up, sizeof(up),
				      (void *)g + bpf_core_field_offset(struct cgroup, ancestors) +
					      at * sizeof(up));
		if (BPF_CORE_READ(up, kn, id) == cgroup_ids[i])
			return 1;
	}
	return 0;
}

/* Is that task recorded? Of one that is about to end there may be no mark any more, and the bit stays. */
static __always_inline bool is_recorded(__u64 task)
{
	struct task_struct *t = (void *)task;

	return marked_bits((__u32)BPF_CORE_READ(t, pid)) & IS_MARKED ||
	       (cgroups_nr && is_member(task));
}

/* To s->buf, with its length; 0: there is none, or it is of several profiles, or of a namespace of AppArmor's. */
ALONE int read_label(__u64 task)
{
	struct lsm_blob_sizes *sizes = (void *)blob_sizes;
	struct task_struct *t = (void *)task;
	struct scratch *s = scratch_get();
	struct aa_label *label = NULL;
	long n;

	if (!s || !blob_sizes || !bpf_core_field_exists(label->hname))
		return 0;
	if (bpf_probe_read_kernel(&label, sizeof(label),
				  BPF_CORE_READ(t, real_cred, security) +
					  BPF_CORE_READ(sizes, lbs_cred)) ||
	    !label || BPF_CORE_READ(label, size) != 1 || BPF_CORE_READ(label, vec[0], ns, level))
		return 0;
	n = bpf_probe_read_kernel_str(s->buf, TRACE_PATH, BPF_CORE_READ(label, hname));
	return n > 1 ? (int)n - 1 : 0;
}

/* Its label or its program as a WORD: s->last is the id. enum trace_peer. */
ALONE int name_peer(__u64 task)
{
	struct task_struct *t = (void *)task;
	struct file *exe = BPF_CORE_READ(t, mm, exe_file);
	struct scratch *s = scratch_get();
	int peer = TRACE_PEER_LABEL, n;

	if (!s)
		return TRACE_PEER_UNKNOWN;
	s->last = 0;
	n = read_label(task);
	s->off = 0;
	s->len = (__u32)n;
	if (n <= 0) {
		peer = TRACE_PEER_PROGRAM;
		if (!exe || walk((__u64)BPF_CORE_READ(exe, f_path.mnt),
				 (__u64)BPF_CORE_READ(exe, f_path.dentry)))
			return TRACE_PEER_UNKNOWN; /* one of the kernel's, say */
	}
	s->parent = 0;
	s->kind = TRACE_WORD;
	s->perms = s->flags = 0;
	s->about = 0;
	s->not_owned = 0;
	return intern() ? TRACE_PEER_UNKNOWN : peer;
}

/* ---- signals ---- */

static __always_inline void count_beyond(__u32 sig, __u32 ways)
{
	__u32 i = (ways & 3) * TRACE_SIGNAL_WAYS + (sig & (TRACE_SIGNAL_WAYS - 1));
	struct trace_count *c = counter_at(&signals_beyond, i);

	if (!c)
		return;
	if (!c->count)
		c->first_ns = since_start();
	__sync_fetch_and_add(&c->count, 1);
}

/* What finds no room is of an unknown peer. */
static __always_inline void count_signal(const struct trace_signal_key *k)
{
	if (!count_up(&signals, k))
		count_beyond(k->signal, k->ways);
}

/* other: the task outside; 0: it is not known. */
static __always_inline void record_outside(__u32 sig, __u32 ways, __u64 other)
{
	struct trace_signal_key k = { .signal = (__u8)sig, .ways = (__u8)ways };
	struct scratch *s = scratch_get();

	if (other && s) {
		k.peer = (__u8)name_peer(other);
		k.who = k.peer ? s->last : 0;
	}
	count_signal(&k);
}

/* Between processes that are recorded (`ways` is both), or one that is and `other`. */
ALONE int record_signal(__u32 sig, __u32 ways, __u64 other)
{
	struct trace_signal_key own = { .signal = (__u8)sig, .ways = 3, .peer = TRACE_PEER_OURS };
	struct scratch *s;

	if (ways == 3) {
		count_signal(&own);
		return 0;
	}
	s = scratch_take_second();
	record_outside(sig, ways, s ? other : 0);
	if (s)
		scratch_give_second(s);
	return 0;
}

/* kill(2) with 0 and its kin, with success, of which no signal tells. Of a group it is not known who was asked. */
ALONE int record_exists(int of, bool held)
{
	struct task_struct *t = (void *)bpf_get_current_task(), *other;
	struct pid *own = BPF_CORE_READ(t, thread_pid), *pid;
	struct trace_signal_key k = { .ways = 3, .peer = TRACE_PEER_OURS };
	bool none = false;

	if (held) {
		pid = (void *)pid_of_descriptor(of, true, &none);
		other = pid ? (void *)task_of_pid(pid) : NULL;
	} else {
		other = of > 0 ? (void *)find_task(pidns_at(own, BPF_CORE_READ(own, level)),
						   (__u32)of) :
				 NULL;
	}
	if (other &&
	    (BPF_CORE_READ(other, signal) == BPF_CORE_READ(t, signal) || is_recorded((__u64)other)))
		count_signal(&k);
	else
		record_outside(0, TRACE_SENT, (__u64)other);
	return 0;
}

#endif
