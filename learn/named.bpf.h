/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a call changes by its name, as the kernel resolved it: seen where security modules are asked
 * (security/security.c, security_path_*()), at the moment of the call. Where no program may stand
 * there, ends.bpf.h has the name as it was written, and the loader looks it up.
 *
 * Here, too, is what no call names that has a rule: a core dump, a file that an event of fanotify's opens,
 * a name in a structure, whatever a ring of io_uring does. That is recorded as it is asked for.
 */
#ifndef LEARN_NAMED_BPF_H
#define LEARN_NAMED_BPF_H

#include "learn/ends.bpf.h"

static __always_inline bool is_by_name(const struct mark *m)
{
	switch (rule_of(m)->op) {
	case TRACE_OP_PATH:
	case TRACE_OP_RENAME:
	case TRACE_OP_LINK:
	case TRACE_OP_PIN:
	case TRACE_OP_BIND: return true;
	}
	return false; /* an open that makes its file, a change by descriptor */
}

/*
 * The name of the object at (s->text, s->vfs), dentry and mount, as a BASE: s->last is its id, as long as the call may fail. Who owns it, as
 * AppArmor's hooks have it (its lsm.c, common_perm_create() and others): what is made is its maker's.
 * enum about; -1: without a name.
 */
ALONE int name_object(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct scratch *s = scratch_get();
	struct dentry *d;
	struct inode *inode;
	int about = 0;

	if (!s)
		return -1;
	s->parent = 0;
	s->kind = TRACE_BASE;
	s->perms = 0;
	s->flags = 0;
	s->last = 0;
	d = (void *)s->text;
	inode = BPF_CORE_READ(d, d_inode);
	if (walk(s->vfs, (__u64)d) || intern() || !s->last)
		return -1;
	if (!inode)
		return 0;
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		about |= ABOUT_DIR;
	if (BPF_CORE_READ(t, cred, fsuid.val) != BPF_CORE_READ(inode, i_uid.val))
		about |= ABOUT_NOT_OWNED;
	return about;
}

static __always_inline int keep_name(struct mark *m, struct scratch *s, int which, __u64 mount,
				     __u64 dentry)
{
	int about;

	s->vfs = mount;
	s->text = dentry;
	about = name_object();
	if (about < 0)
		return -1;
	m->named[which] = s->last;
	m->about[which] = (__u8)about;
	return 0;
}

enum change {
	CHANGED_ONE,
	CHANGED_MADE_DIR,
	CHANGED_SOCKET,
	CHANGED_LINK,
	CHANGED_NAME,
	CHANGED_BOTH
};

/* The dentries and mounts are those of the scratch, the second one 0 where there is none. */
ALONE int record_at_once(__u32 what)
{
	struct scratch *s = scratch_get();
	struct changed c = { .perms = { TRACE_W, TRACE_W }, .op = TRACE_OP_PATH };
	int about;

	if (!s)
		return 0;
	about = name_object();
	c.named[0] = s->last;
	c.about[0] = (__u32)about;
	if (about >= 0 && s->other_text) {
		s->vfs = s->other_vfs;
		s->text = s->other_text;
		about = name_object();
		c.named[1] = s->last;
		c.about[1] = (__u32)about;
	}
	if (about < 0) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	switch (what) {
	case CHANGED_MADE_DIR: c.about[0] |= ABOUT_DIR; break;
	case CHANGED_SOCKET:
		c.about[0] |= ABOUT_SOCKET;
		c.perms[0] = TRACE_R | TRACE_W;
		break;
	case CHANGED_LINK:
		c.op = TRACE_OP_LINK;
		c.perms[0] = TRACE_R;
		c.perms[1] = TRACE_L;
		break;
	case CHANGED_BOTH: c.exchanged = true; /* fallthrough */
	case CHANGED_NAME: c.perms[0] = TRACE_R | TRACE_W; break;
	}
	return record_changed(s, &c);
}

static __always_inline int keep_names(struct mark *m, __u64 mount, __u64 dentry, __u64 mount2,
				      __u64 dentry2)
{
	struct scratch *s;

	if (m->nnamed || !is_by_name(m))
		return 0;
	s = scratch_take_second();
	if (!s)
		return 0;
	if (!keep_name(m, s, 0, mount, dentry) &&
	    (!dentry2 || !keep_name(m, s, 1, mount2, dentry2)))
		m->nnamed = dentry2 ? 2 : 1;
	scratch_give_second(s);
	return 0;
}

static __always_inline struct scratch *take_for_unruled(void)
{
	struct scratch *s = scratch_take_second();

	if (!s)
		count_loss(TRACE_LOSS_BUSY);
	return s;
}

/* dentry2: 0 where there is one object. The first question of a call is about what it names. */
static __always_inline int on_named(__u64 mount, __u64 dentry, __u64 mount2, __u64 dentry2,
				    __u32 what)
{
	/* Two of it: the verifier is to see one only, and so the constant where it is decided. */
	struct mark *m = marks_by_task ? mark_get(true) : mark_get(false);
	struct scratch *s;

	if (!dentry)
		return 0;
	if (m && m->rule)
		return keep_names(m, mount, dentry, mount2, dentry2);
	if (!m && !is_worker())
		return 0;
	s = take_for_unruled();
	if (!s)
		return 0;
	s->vfs = mount;
	s->text = dentry;
	s->other_vfs = mount2;
	s->other_text = dentry2;
	record_at_once(what);
	scratch_give_second(s);
	return 0;
}

/* The kernel writes what it was, with credentials that are a copy of its own (fs/coredump.c). */
static __always_inline bool dumps_core(struct task_struct *t)
{
	struct signal_struct *s = BPF_CORE_READ(t, signal);

	return bpf_core_field_exists(s->core_state) && BPF_CORE_READ(s, core_state);
}

/*
 * A file is opened. What is opened for somebody else, as a file system does whose files lie in another
 * one, is not the task's own doing.
 */
static __always_inline int on_opened(__u64 file)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct file *f = (void *)file;
	struct mark *m = NULL;
	struct scratch *s;

	if ((marked_bits((__u32)BPF_CORE_READ(t, pid)) & IS_MARKED))
		m = marks_by_task ? mark_find(true) : mark_find(false);
	else if (!is_worker())
		return 0;
	if ((m && m->rule) ||
	    (BPF_CORE_READ(f, f_cred) != BPF_CORE_READ(t, real_cred) && !dumps_core(t)))
		return 0;
	s = take_for_unruled();
	if (!s)
		return 0;
	s->asked = BPF_CORE_READ(f, f_flags);
	s->text = file;
	record_file(s->text, 0);
	scratch_give_second(s);
	return 0;
}

/* What is written to /proc/self/attr/current or exec: by it AppArmor changes profiles. */
static __always_inline int on_label(__u64 name, __u64 value, __u64 size)
{
	struct mark *m = marks_by_task ? mark_get(true) : mark_get(false);
	struct scratch *s;
	char attr = 0;

	if (!m || !size)
		return 0;
	s = scratch_take_second();
	if (!s) {
		count_loss(TRACE_LOSS_BUSY);
		return 0;
	}
	s->off = 0;
	s->len = size < TRACE_PATH ? (__u32)size : TRACE_PATH - 1;
	bpf_probe_read_kernel(&attr, 1, (void *)name);
	bpf_probe_read_kernel(s->buf, bounded(s->len, TRACE_PATH - 1), (void *)value);
	s->parent = 0;
	s->kind = TRACE_WORD;
	s->perms = s->flags = 0;
	s->about = 0;
	s->not_owned = 0;
	if (!intern()) {
		s->ask.call = tells_call() ? call_now() : m->call;
		s->ask.what = TRACE_OP_LABEL;
		s->ask.names[0] = s->last;
		s->ask.names[1] = s->ask.names[2] = 0;
		record_ask(attr == 'e');
	}
	scratch_give_second(s);
	return 0;
}

/*
 * May the task read, or trace, another one? Asked by whichever call, of whichever name, wherever that led
 * (kernel/ptrace.c, __ptrace_may_access()): not of its own process, and behind the questions of users.
 * Without the scratch, so that nobody can have it.
 */
static __always_inline int on_asked(__u64 about, __u32 mode)
{
	struct mark *m = marks_by_task ? mark_get(true) : mark_get(false);
	struct task_struct *other = (void *)about;
	struct trace_ask_key key = { .what = TRACE_OP_ASKED };

	if (m)
		key.call = tells_call() ? call_now() : m->call;
	else if (is_worker())
		key.call = workers_call();
	else
		return 0;
	key.value = mode & TRACE_ASK_ATTACH;
	if (is_ours(pid_key(BPF_CORE_READ(other, group_leader, thread_pid))))
		key.value |= TRACE_ASK_OURS;
	if (!count_up(&asks, &key))
		count_loss(TRACE_LOSS_PATHS);
	return 0;
}

/* A namespace is looked at by its name in /proc, as stat(2) does; what opens it is looked at when it has. */
static __always_inline int on_space(void)
{
	struct mark *m = marks_by_task ? mark_get(true) : mark_get(false);

	if (m && rule_of(m)->op != TRACE_OP_OPEN)
		count_loss(TRACE_NAMESPACES);
	return 0;
}

static __always_inline __u64 mount_of(__u64 path)
{
	return (__u64)BPF_CORE_READ((struct path *)path, mnt);
}

static __always_inline __u64 dentry_of(__u64 path)
{
	return (__u64)BPF_CORE_READ((struct path *)path, dentry);
}

#endif
