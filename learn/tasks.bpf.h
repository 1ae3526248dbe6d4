/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tasks as they fork, execute, are signalled and asked for capabilities. */
#ifndef LEARN_TASKS_BPF_H
#define LEARN_TASKS_BPF_H

#include "learn/calls.bpf.h"

static __always_inline bool is_target(void)
{
	struct bpf_pidns_info ns = {};

	if (!target || bpf_get_ns_current_pid_tgid(pidns_dev, pidns_ino, &ns, sizeof(ns)))
		return false;
	return ns.tgid == target;
}

/* What runs a script is mapped like what is executed, and not asked about as that (proc_asks_interpreters()). */
static __always_inline void record_program(bool script)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct file *exe = BPF_CORE_READ(t, mm, exe_file);

	if (exe && record_file((__u64)exe, (script ? 0 : TRACE_X) | TRACE_R | TRACE_M) == -2)
		count_loss(TRACE_MEMORY);
}

static __always_inline void record_script(__u64 filename)
{
	record_join(-1, filename, 0, TRACE_X | (TRACE_SCRIPT | TRACE_FOLLOW) << 16 | JOIN_KERNEL);
}

/* A thread that execs takes its leader's number: its mark moves along. */
static __always_inline void move_mark(bool btf, __u32 old_tid)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct mark *m;

	if (old_tid == tid)
		return;
	set_marked(tid, marked_bits(old_tid) & IS_MARKED);
	set_marked(old_tid, false);
	if (btf)
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

	if (m || cgroups_nr || start_ns || !is_target())
		return m;
	start_ns = bpf_ktime_get_ns();
	if (btf) {
		set_near(bpf_get_current_task_btf());
		m = bpf_task_storage_get(&marks, bpf_get_current_task_btf(), NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else if (!bpf_map_update_elem(&marks_by_tid, &tid, &fresh, BPF_ANY))
		m = bpf_map_lookup_elem(&marks_by_tid, &tid);
	set_marked(tid, m != NULL);
	count_loss(m ? TRACE_TASKS : TRACE_LOSS_TASKS);
	return m;
}

static __always_inline int on_exec(bool btf, struct linux_binprm *bprm, __u32 old_tid)
{
	const char *filename = BPF_CORE_READ(bprm, filename);
	bool script = filename != BPF_CORE_READ(bprm, interp);
	struct scratch *s;

	move_mark(btf, old_tid);
	if (!mark_exec(btf))
		return 0;
	start_program();
	s = scratch_take();
	begin_program(s);
	if (!s)
		return 0;
	record_program(script);
	if (script)
		record_script((__u64)filename);
	scratch_give(s);
	return 0;
}

/* Are the two texts of s->buf the same, from 0 and from TRACE_PATH on, `len` bytes of each? */
ALONE int same_text(__u32 len)
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
	struct mark *mark = mark_exec(false);
	struct scratch *s;
	long n, m;

	if (!mark)
		return 0;
	mark->script = 0;
	s = scratch_take();
	if (!s)
		return 0;
	n = bpf_probe_read_kernel_str(s->buf, TRACE_PATH, event + (filename & 0xffff));
	m = bpf_probe_read_kernel_str(s->buf + TRACE_PATH, TRACE_PATH, event + (interp & 0xffff));
	s->text = (__u64)event + (filename & 0xffff);
	if (n != m || n < 0 || !same_text((__u32)n)) {
		mark->script = 1;
		record_script(s->text);
	}
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
 * SIGKILL, and one that is ignored never, but the sender of either needed permission. The task that runs
 * sends it.
 */
static __always_inline int between(bool from, bool to, __u32 sig, __u64 target)
{
	if (from && to)
		return record_signal(sig, TRACE_SENT | TRACE_RECEIVED, 0);
	if (from)
		return record_signal(sig, TRACE_SENT, target);
	return to ? record_signal(sig, TRACE_RECEIVED, bpf_get_current_task()) : 0;
}

/*
 * What has no siginfo the kernel sends in the name of the task that runs (SEND_SIG_NOINFO): to itself, which
 * wrote where nobody reads or past its limit or is traced, without a question; to its children as it dies
 * (PR_SET_PDEATHSIG), and to those whose terminal it gives up (tty_jobctrl.c, disassociate_ctty()), asking.
 */
static __always_inline bool is_to_itself(__u32 sig, struct task_struct *to)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	return sig != SIGHUP && sig != SIGCONT &&
	       BPF_CORE_READ(to, signal) == BPF_CORE_READ(t, signal);
}

static __always_inline int on_signal(__u32 sig, __u64 siginfo, __u64 to)
{
	struct kernel_siginfo *info = (void *)siginfo;

	/* That small a pointer is the kernel's own, SEND_SIG_PRIV, which asks nobody. */
	if (info ? siginfo < 4096 || is_kernels(BPF_CORE_READ(info, si_code)) :
		   is_to_itself(sig, (void *)to))
		return 0;
	return between(is_recorded(bpf_get_current_task()), is_recorded(to), sig, to);
}

/*
 * The same by perf's event, which calls it SI_USER where the kernel sends in the name of a task: of
 * these two, to the task itself, which wrote where nobody reads or past its limit. Whom it is sent to it tells
 * by the number that the kernel itself knows.
 */
static __always_inline int on_signal_event(struct trace_event_raw_signal_generate *e)
{
	__u32 sig = (__u32)BPF_CORE_READ(e, sig), tid = (__u32)BPF_CORE_READ(e, pid);
	struct task_struct *t = (void *)bpf_get_current_task(), *to;
	int code = BPF_CORE_READ(e, code);

	if (is_kernels(code) || (!code && (sig == SIGPIPE || sig == SIGXFSZ) &&
				 tid == (__u32)bpf_get_current_pid_tgid()))
		return 0;
	to = (void *)find_task(pidns_at(BPF_CORE_READ(t, thread_pid), 0), tid);
	return between(is_recorded((__u64)t),
		       marked_bits(tid) & IS_MARKED || (to && is_recorded((__u64)to)), sig,
		       (__u64)to);
}

/* The kernel asks, and goes on without: whether a reserve may be used, or a limit kept for later. */
static __always_inline bool is_optional(__u32 cap, __u32 opts)
{
	return opts & CAP_OPT_NOAUDIT && cap == CAP_SYS_RESOURCE;
}

static __always_inline void count_cap(void *map, const struct trace_cap_key *k)
{
	if (!count_up(map, k))
		count_loss(TRACE_LOSS_CAPS);
}

static __always_inline int on_capable(bool btf, __u32 cap, int ret)
{
	struct mark *m = mark_get(btf);
	struct trace_cap_key k;

	if (ret)
		return 0;
	k.cap = cap;
	if (m) {
		k.call = m->rule || !tells_call() ? m->call : call_now();
		if (k.call != TRACE_NO_CALL)
			k.call |= serving(phase_of(tgid_here()));
		count_cap(&caps, &k);
	} else if (is_worker()) {
		k.call = workers_call() | serving(phase_of(tgid_here()));
		count_cap(&caps, &k);
	} else if (border && which_cgroup() >= 0) {
		k.call = tells_call() ? call_now() : TRACE_NO_CALL;
		count_cap(&runtime_caps, &k);
	}
	return 0;
}

/* A child of it is recorded from its start on; in a cgroup it is by its first call, if by itself. */
static __always_inline bool is_followed(const struct mark *m)
{
	return m && (!cgroups_nr || m->followed || border);
}

static __always_inline int on_fork(__u32 child)
{
	struct mark *m = mark_get(false), fresh = {};

	bool is = is_followed(m);

	if (m || cgroups_nr)
		pass_on(child);
	if (is) {
		fresh.followed = m->followed;
		is = !bpf_map_update_elem(&marks_by_tid, &child, &fresh, BPF_ANY);
		count_loss(is ? TRACE_TASKS : TRACE_LOSS_TASKS);
	}
	set_marked(child, is);
	return 0;
}

/* Of a child there is its number as the kernel itself has it, by which those of the first namespace know it. */
ALONE int note_child(__u32 child)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct pid *maker = BPF_CORE_READ(t, thread_pid);
	__u64 key = pid_key(maker) >> 32 << 32 | child;
	__u8 one = 1;

	if (!BPF_CORE_READ(maker, level))
		bpf_map_update_elem(&ours, &key, &one, BPF_ANY);
	return 0;
}

/* Its maker may look at it before it has made a call. */
static __always_inline int on_fork_event(__u32 child)
{
	on_fork(child);
	return marked_bits(child) & IS_MARKED ? note_child(child) : 0;
}

/* Each task that there is, while new ones are followed already: is it one to be recorded? */
static __always_inline int on_task(bool btf, struct task_struct *t)
{
	struct mark fresh = { .call = TRACE_NO_CALL, .followed = 1 }, *m;
	bool mine = false;
	__u32 tgid, tid;

	tgid = tgid_of(t);
	for (int i = 0; i < TRACE_WATCHED && i < (int)pids_nr; i++)
		mine |= pids[i] == tgid;
	if (!mine || !tgid)
		return 0;
	tid = (__u32)BPF_CORE_READ(t, pid);
	if (btf) {
		if (bpf_task_storage_get(&marks, t, NULL, 0))
			return 0;
		set_near(t);
		m = bpf_task_storage_get(&marks, t, &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		if (bpf_map_lookup_elem(&marks_by_tid, &tid))
			return 0;
		bpf_map_update_elem(&marks_by_tid, &tid, &fresh, BPF_NOEXIST);
		m = bpf_map_lookup_elem(&marks_by_tid, &tid);
	}
	presume_serving((__u32)BPF_CORE_READ(t, tgid));
	set_marked(tid, m != NULL);
	picked += m != NULL; /* where there is no room there is no end of tasks without a mark */
	count_loss(m ? TRACE_TASKS : TRACE_LOSS_TASKS);
	return 0;
}

static __always_inline int on_exec_event(__u32 old_tid)
{
	struct scratch *s;
	struct mark *m;

	move_mark(false, old_tid);
	m = mark_get(false);
	if (!m)
		return 0;
	start_program();
	s = scratch_take();
	begin_program(s);
	if (!s)
		return 0;
	record_program(m->script);
	scratch_give(s);
	return 0;
}

static __always_inline int on_gone(__u32 tid)
{
	bpf_map_delete_elem(&marks_by_tid, &tid);
	return 0;
}

/* One of our own events, whose record lies at `r`. */
static __always_inline int on_event(__u32 kind, void *r)
{
	struct trace_event_raw_sys_enter *enter = r;
	struct trace_event_raw_sys_exit *leave = r;
	struct trace_event_raw_sched_process_fork *fork = r;
	struct trace_event_raw_sched_prepare_exec *prepare = r;
	struct trace_event_raw_sched_process_exec *exec = r;
	struct trace_event_raw_cap_capable *cap = r;

	switch (kind) {
	case TRACE_EVENT_ENTER: return on_enter(false, NULL, enter, BPF_CORE_READ(enter, id));
	case TRACE_EVENT_EXIT: return on_exit(false, NULL, BPF_CORE_READ(leave, ret));
	case TRACE_EVENT_FORK: return on_fork_event((__u32)BPF_CORE_READ(fork, child_pid));
	case TRACE_EVENT_PREPARE:
		return on_prepare(r, BPF_CORE_READ(prepare, __data_loc_interp),
				  BPF_CORE_READ(prepare, __data_loc_filename));
	case TRACE_EVENT_EXEC: return on_exec_event((__u32)BPF_CORE_READ(exec, old_pid));
	case TRACE_EVENT_GONE: return on_gone((__u32)bpf_get_current_pid_tgid());
	case TRACE_EVENT_SIGNAL: return on_signal_event(r);
	case TRACE_EVENT_CAPABLE:
		if (!bpf_core_field_exists(cap->cap)) /* before Linux 6.15 */
			return 0;
		return on_capable(false, (__u32)BPF_CORE_READ(cap, cap), BPF_CORE_READ(cap, ret));
	}
	return 0;
}

#endif
