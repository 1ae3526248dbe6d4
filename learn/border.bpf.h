/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The border of a container: what its runtime does in its cgroup, to make it or to join it, is not
 * the workload's. Whoever was started through a mount of the very mount namespace that it is in,
 * below a root that is not the host's, is inside. A runtime is not, wherever it is by then: its
 * program is the host's or a memory file's, until it executes what it was told to.
 */
#ifndef LEARN_BORDER_BPF_H
#define LEARN_BORDER_BPF_H

#include "learn/paths.bpf.h"

__u64 host_root; /* the dentry of the host's root; 0: not looked for yet */

struct comm {
	char text[16];
};

MAP(runtime_calls, PERCPU_ARRAY, __u32, struct trace_counts, TRACE_CALLS / TRACE_PACKED);
MAP(runtime_caps, HASH, struct trace_cap_key, struct trace_count, 1024);
MAP(runtime_names, HASH, struct comm, __u64, 64);

_Static_assert((TRACE_MAKERS & (TRACE_MAKERS + 1)) == 0, "a mask");

/* Some steps from a task towards the first process, and no further than that. */
ALONE __u64 step_up(__u64 from)
{
	struct task_struct *t = (void *)from;

#pragma clang loop unroll(disable)
	for (int i = 0; i < BORDER_STEPS && BPF_CORE_READ(t, tgid) != 1; i++)
		t = BPF_CORE_READ(t, group_leader, real_parent);
	return (__u64)t;
}

/* The first process' root: pale's own need not be the host's. */
static __always_inline __u64 find_host_root(void)
{
	__u64 at = bpf_get_current_task();
	struct task_struct *t;

#pragma clang loop unroll(disable)
	for (int i = 0; i < BORDER_WALK; i++)
		at = step_up(at);
	t = (void *)at;
	return BPF_CORE_READ(t, tgid) == 1 ? (__u64)BPF_CORE_READ(t, fs, root.dentry) : 0;
}

/* Is the task that runs the workload's, by itself? Its children are, whatever they do. */
ALONE int is_inside(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct mnt_namespace *own = BPF_CORE_READ(t, nsproxy, mnt_ns);
	void *mnt = BPF_CORE_READ(t, mm, exe_file, f_path.mnt);
	struct mount *m = mnt - bpf_core_field_offset(struct mount, mnt);

	if (!mnt || !own || BPF_CORE_READ(m, mnt_ns) != own)
		return 0;
	if (!host_root)
		host_root = find_host_root();
	return host_root && (__u64)BPF_CORE_READ(t, fs, root.dentry) != host_root;
}

/* That of the struct upid at `from`, if it is in the loader's pid namespace. */
ALONE __u32 number_of(__u64 from)
{
	struct upid *number = (void *)from;

	return BPF_CORE_READ(number, ns, ns.inum) == pidns_ino ? (__u32)BPF_CORE_READ(number, nr) :
								 0;
}

/* The number of a task's process in the loader's pid namespace; 0: it has none there. */
static __always_inline __u32 tgid_of(struct task_struct *t)
{
	struct pid *pid = BPF_CORE_READ(t, group_leader, thread_pid);
	__u64 at = (__u64)pid + bpf_core_field_offset(struct pid, numbers);
	__u32 level = BPF_CORE_READ(pid, level), nr = 0;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < PIDNS_DEEP && i <= level && !nr; i++) {
		nr = number_of(at);
		at += bpf_core_type_size(struct upid);
	}
	return nr;
}

/*
 * Where the task is, for the loader to hold it: from before its program runs, which may end at once.
 */
ALONE int note_mntns(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	__u32 ns = BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
	__u32 tgid = (__u32)BPF_CORE_READ(t, tgid);

	if (ns == mntns_ino || (ns == near_mntns && tgid == near_tgid))
		return (int)ns;
	near_mntns = ns;
	near_tgid = tgid; /* another one may live longer */
	near_pid = tgid_of(t);
	bpf_ringbuf_output(&mntns_met, &ns, sizeof(ns), 0);
	return (int)ns;
}

/* The first one inside: the recording begins, and its names are those of where it is. */
static __always_inline void begin_inside(void)
{
	if (start_ns)
		return;
	start_ns = bpf_ktime_get_ns();
	home_mntns = (__u32)note_mntns();
}

/*
 * The name of a program, if it has one that fits. crun goes on as a copy in memory, which has none: below the
 * host's root it is taken by the word that it was called by.
 */
ALONE int note_maker_path(__u64 task, __u32 i)
{
	struct task_struct *t = (void *)task;
	struct file *exe = BPF_CORE_READ(t, mm, exe_file);
	struct scratch *s = scratch_try();
	__u32 to = bounded(i, TRACE_MAKERS);
	__u32 n;

	if (!s)
		return 0; /* that once: its number is known, and maybe who started it */
	maker_paths[to][0] = 0;
	if (exe && !walk((__u64)BPF_CORE_READ(exe, f_path.mnt),
			 (__u64)BPF_CORE_READ(exe, f_path.dentry))) {
		n = s->len;
		if (n < TRACE_MAKER) {
			n = bounded(n, TRACE_MAKER - 1);
			bpf_probe_read_kernel(maker_paths[to], n,
					      &s->buf[bounded(s->off, TRACE_PATH - 1)]);
			maker_paths[to][n] = 0;
		}
	}
	scratch_give(s);
	return 0;
}

static __always_inline void note_maker_word(struct task_struct *t)
{
	if (!host_root)
		host_root = find_host_root();
	if (!host_root || (__u64)BPF_CORE_READ(t, fs, root.dentry) != host_root ||
	    BPF_CORE_READ(t, cred, uid.val))
		return;
	bpf_probe_read_user_str(maker_word, sizeof(maker_word),
				(void *)BPF_CORE_READ(t, mm, arg_start));
}

/* Who makes a container is known by its program, which may have ended when it is looked for. */
static __always_inline void note_makers(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	note_maker_word(t);
	for (__u32 i = 0; i < TRACE_MAKERS; i++) {
		maker_inos[i] = BPF_CORE_READ(t, mm, exe_file, f_inode, i_ino);
		maker_devs[i] = BPF_CORE_READ(t, mm, exe_file, f_inode, i_sb, s_dev);
		note_maker_path((__u64)t, i);
		t = BPF_CORE_READ(t, group_leader, real_parent);
	}
}

/* It is not, and makes a call. */
static __always_inline void count_runtime(__u32 call)
{
	struct trace_count *c = counter_at(&runtime_calls, call);
	struct comm name = {};
	__u64 one = 1;

	if (!home_mntns) { /* it is on its way, perhaps */
		__u32 before = near_tgid;

		note_mntns();
		if (near_tgid != before)
			note_makers();
	}
	if (c) {
		if (!c->count)
			c->first_ns = since_start();
		c->count++;
	}
	if (!bpf_get_current_comm(&name, sizeof(name)))
		bpf_map_update_elem(&runtime_names, &name, &one, BPF_NOEXIST);
}

#endif
