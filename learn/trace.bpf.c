/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel half of the eBPF backend. Everything is aggregated here: counters per CPU, values
 * and paths in maps, so that nothing streams and nothing can be dropped unseen; what finds no
 * room is counted in `losses`. Attached to tracepoints: trampolines (fentry, LSM) and kprobes are
 * refused on many machines, and used for nothing that a recording cannot do without. Each program
 * exists three times: as tp, an event of perf's; as tp_btf (task storage, direct loads); and as
 * raw_tp (a hash by thread id), for kernels without the others. Here are the programs; what they
 * do is in the headers, from the kernel's types up to tasks.
 *
 * Since Linux 7.0 a task can be switched out of a program of the latter two, and until it goes on
 * the kernel skips that program on that CPU, for everybody (__bpf_trace_run()). Events of perf's
 * come with preemption off (include/trace/perf.h), so these miss nothing.
 *
 * No vmlinux.h: only the fields read are declared; CO-RE finds them in the running kernel.
 */
#include "learn/tasks.bpf.h"

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
	struct mark *parent = mark_get(true), *m;

	if (!is_followed(parent))
		return 0;
	m = bpf_task_storage_get(&marks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (m)
		m->followed = parent->followed;
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

/* Run by the loader once all else is attached: through the tasks that there are (iter/task). */
SEC("iter/task")
int pick_btf(__u64 *ctx)
{
	struct task_struct *t = (void *)ctx[1];

	return t ? on_task(true, t) : 0; /* NULL: behind the last one */
}

SEC("iter/task")
int pick_raw(__u64 *ctx)
{
	struct task_struct *t = (void *)ctx[1];

	return t ? on_task(false, t) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
