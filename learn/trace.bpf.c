/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel half of the eBPF backend. Everything is aggregated here: counters per CPU, values
 * and paths in maps, so that nothing streams and nothing can be dropped unseen; what finds no
 * room is counted in `losses`. Attached to tracepoints: trampolines (fentry, LSM) and kprobes are
 * refused on many machines, and used for nothing that a recording cannot do without. Each program
 * exists three times: as tp_btf (task storage, direct loads); as raw_tp (a hash by thread id), for
 * kernels without the others; and as tp, an event of perf's. Here are the programs; what they do is
 * in the headers, from the kernel's types up to tasks.
 *
 * Since Linux 7.0 a task can be switched out of a program of the first two, and until it goes on
 * the kernel skips that program on that CPU, for everybody (__bpf_trace_run()). Events of perf's
 * come with preemption off (include/trace/perf.h), but a program of theirs is skipped while any
 * other user's runs on its CPU (trace_call_bpf()). What is never skipped is event_fentry below.
 *
 * No vmlinux.h: only the fields read are declared; CO-RE finds them in the running kernel.
 */
#include "learn/rings.bpf.h"
#include "learn/tasks.bpf.h"

/* What a program of a perf event's answers: 0 would keep the event from everybody's counters. */
#define PASS_ON 1

/* ---- the programs: ctx is the array of the tracepoint's arguments, or perf's event ---- */

SEC("tp_btf/sys_enter")
int enter_btf(__u64 *ctx)
{
	return on_enter(true, (void *)ctx[0], NULL, ctx[1]);
}

SEC("tp_btf/sys_exit")
int exit_btf(__u64 *ctx)
{
	return on_exit(true, (void *)ctx[0], (long)ctx[1]);
}

SEC("tp_btf/sched_process_fork")
int fork_btf(__u64 *ctx)
{
	struct task_struct *child = (void *)ctx[1];
	struct mark *parent = mark_get(true), *m;

	if (parent || cgroups_nr)
		pass_on((__u32)child->pid);
	if (!is_followed(parent)) {
		set_marked((__u32)child->pid, false);
		return 0;
	}
	m = bpf_task_storage_get(&marks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	set_near(child);
	if (m)
		m->followed = parent->followed;
	set_marked((__u32)child->pid, m != NULL);
	note_task(child); /* its parent may look at it before it has made a call */
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
	__u64 at[2] = {};

	/* As numbers: what the verifier knows for a task no function may be given. */
	bpf_probe_read_kernel(at, sizeof(at), &ctx[1]);
	return on_signal((__u32)ctx[0], at[0], at[1]);
}

/* Run once, by the loader: /proc/kallsyms is a hundred thousand lines. */
SEC("syscall")
int find_blobs(void *ctx __attribute__((unused)))
{
	static const char name[] = "apparmor_blob_sizes";

	return (int)bpf_kallsyms_lookup_name(name, sizeof(name), 0, &blob_sizes);
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
	return is_optional((__u32)ctx[2], (__u32)ctx[3]) ?
		       0 :
		       on_capable(true, (__u32)ctx[2], (int)ctx[4]);
}

SEC("fexit/cap_capable")
int capable_end_raw(__u64 *ctx)
{
	return is_optional((__u32)ctx[2], (__u32)ctx[3]) ?
		       0 :
		       on_capable(false, (__u32)ctx[2], (int)ctx[4]);
}

/*
 * Where BPF is among the security modules it is asked last, of what the others granted, and is never
 * skipped as the end of a function is. What it answers is theirs.
 */
SEC("lsm/capable")
int capable_lsm_btf(__u64 *ctx)
{
	if (!is_optional((__u32)ctx[2], (__u32)ctx[3]))
		on_capable(true, (__u32)ctx[2], 0);
	return 0;
}

SEC("lsm/capable")
int capable_lsm_raw(__u64 *ctx)
{
	if (!is_optional((__u32)ctx[2], (__u32)ctx[3]))
		on_capable(false, (__u32)ctx[2], 0);
	return 0;
}

/*
 * Perf calls this function of each event of a CPU's, with preemption off, and no other user of BPF
 * can have it skipped. All events end in it, those of other users too: the cookie tells ours.
 */
SEC("fentry/perf_swevent_event")
int event_fentry(__u64 *ctx)
{
	struct perf_event *event = (void *)ctx[0];
	struct perf_sample_data *data = (void *)ctx[2];
	__u32 kind = (__u32)event->attr.config1;
	__u64 *n;

	if (event->attr.config2 != cookie)
		return 0;
	if (bpf_core_field_exists(data->sample_flags) && !(data->sample_flags & SAMPLE_RAW))
		return 0;
	n = bpf_map_lookup_elem(&runs, &kind);
	if (!n)
		return 0;
	(*n)++;
	return on_event(kind, data->raw->frag.data);
}

SEC("tp/raw_syscalls/sys_enter")
int enter_tp(struct trace_event_raw_sys_enter *ctx)
{
	on_enter(false, NULL, ctx, (__u64)ctx->id);
	return PASS_ON;
}

SEC("tp/raw_syscalls/sys_exit")
int exit_tp(struct trace_event_raw_sys_exit *ctx)
{
	on_exit(false, NULL, ctx->ret);
	return PASS_ON;
}

SEC("tp/sched/sched_process_fork")
int fork_tp(struct trace_event_raw_sched_process_fork *ctx)
{
	on_fork_event((__u32)ctx->child_pid);
	return PASS_ON;
}

SEC("tp/sched/sched_prepare_exec")
int prepare_tp(struct trace_event_raw_sched_prepare_exec *ctx)
{
	on_prepare(ctx, ctx->__data_loc_interp, ctx->__data_loc_filename);
	return PASS_ON;
}

SEC("tp/sched/sched_process_exec")
int exec_tp(struct trace_event_raw_sched_process_exec *ctx)
{
	on_exec_event((__u32)ctx->old_pid);
	return PASS_ON;
}

SEC("tp/sched/sched_process_exit")
int gone_tp(void *ctx)
{
	(void)ctx;
	on_gone((__u32)bpf_get_current_pid_tgid());
	return PASS_ON;
}

SEC("tp/capability/cap_capable")
int capable_tp(struct trace_event_raw_cap_capable *ctx)
{
	on_capable(false, (__u32)ctx->cap, ctx->ret);
	return PASS_ON;
}

/* A request of a ring is handed in: since Linux 6.3. */
SEC("tp_btf/io_uring_submit_req")
int request_btf(__u64 *ctx)
{
	__u64 request = 0;

	/* To functions that are verified by themselves an address is handed as a number. */
	bpf_probe_read_kernel(&request, sizeof(request), &ctx[0]);
	return on_request(request);
}

SEC("raw_tp/io_uring_submit_req")
int request_raw(__u64 *ctx)
{
	return on_request(ctx[0]);
}

SEC("tp/io_uring/io_uring_submit_req")
int request_tp(struct trace_event_raw_io_uring_submit_req *ctx)
{
	on_request((__u64)ctx->req);
	return PASS_ON;
}

SEC("raw_tp/sys_enter")
int enter_raw(__u64 *ctx)
{
	return on_enter(false, (void *)ctx[0], NULL, ctx[1]);
}

SEC("raw_tp/sys_exit")
int exit_raw(__u64 *ctx)
{
	return on_exit(false, NULL, (long)ctx[1]);
}

SEC("raw_tp/sched_process_fork")
int fork_raw(__u64 *ctx)
{
	struct task_struct *child = (void *)ctx[1];

	on_fork((__u32)BPF_CORE_READ(child, pid));
	if (marked_bits((__u32)BPF_CORE_READ(child, pid)) & IS_MARKED)
		note_task(child);
	return 0;
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

	return on_gone((__u32)BPF_CORE_READ(t, pid));
}

SEC("raw_tp/signal_generate")
int signal_raw(__u64 *ctx)
{
	return on_signal((__u32)ctx[0], ctx[1], ctx[2]);
}

SEC("raw_tp/cap_capable")
int capable_raw(__u64 *ctx)
{
	return on_capable(false, (__u32)ctx[3], (int)ctx[4]);
}

/* Beside those of any tier: what a call changes by name. The kernel's arguments are said in front. */

#define NAMED_IN_DIRECTORY(what, changed) /* path of the directory, dentry */                      \
	SEC("fentry/security_path_" #what)                                                         \
	int name_##what(__u64 *ctx)                                                                \
	{                                                                                          \
		return on_named(mount_of(ctx[0]), ctx[1], 0, 0, changed);                          \
	}
#define NAMED_BY_PATH(what)                                                                        \
	SEC("fentry/security_path_" #what)                                                         \
	int name_##what(__u64 *ctx)                                                                \
	{                                                                                          \
		return on_named(mount_of(ctx[0]), dentry_of(ctx[0]), 0, 0, CHANGED_ONE);           \
	}

NAMED_IN_DIRECTORY(unlink, CHANGED_ONE)
NAMED_IN_DIRECTORY(rmdir, CHANGED_ONE)
NAMED_IN_DIRECTORY(mkdir, CHANGED_MADE_DIR)
NAMED_IN_DIRECTORY(mknod, CHANGED_ONE)
NAMED_IN_DIRECTORY(symlink, CHANGED_ONE)
NAMED_BY_PATH(truncate)
NAMED_BY_PATH(chmod)
NAMED_BY_PATH(chown)

SEC("fentry/security_path_link") /* old dentry, path of the new directory, new dentry */
int name_link(__u64 *ctx)
{
	return on_named(mount_of(ctx[1]), ctx[0], mount_of(ctx[1]), ctx[2], CHANGED_LINK);
}

SEC("fentry/security_path_rename") /* path and dentry of the old, and of the new one, flags */
int name_rename(__u64 *ctx)
{
	return on_named(mount_of(ctx[0]), ctx[1], mount_of(ctx[2]), ctx[3],
			ctx[4] & TRACE_EXCHANGE ? CHANGED_BOTH : CHANGED_NAME);
}

SEC("fentry/security_file_open")
int name_opened(__u64 *ctx)
{
	return on_opened(ctx[0]);
}

SEC("fentry/security_unix_stream_connect") /* socket, the sock that it is to be connected to */
int name_connect(__u64 *ctx)
{
	struct unix_sock *to = (void *)ctx[1];

	if (!bpf_core_field_exists(to->path)) /* a module's type */
		return 0;
	return on_named((__u64)BPF_CORE_READ(to, path.mnt), (__u64)BPF_CORE_READ(to, path.dentry),
			0, 0, CHANGED_SOCKET);
}

SEC("fentry/security_ptrace_access_check") /* who is asked about, PTRACE_MODE_* */
int asked_peer(__u64 *ctx)
{
	__u64 at[2] = {};

	/* As numbers: what the verifier knows for a task no function may be given. */
	bpf_probe_read_kernel(at, sizeof(at), &ctx[0]);
	return on_asked(at[0], (__u32)at[1]);
}

SEC("fentry/ns_get_path") /* of a link of /proc that is followed; perf's alone is of nobody's call */
int asked_space(__u64 *ctx)
{
	(void)ctx;
	return on_space();
}

SEC("fentry/security_setprocattr") /* whose, name, value, size */
int name_label(__u64 *ctx)
{
	return on_label(ctx[1], ctx[2], ctx[3]);
}

/* What rings of io_uring do with sockets. */

SEC("fentry/security_socket_create") /* family, type, protocol, whether it is the kernel's own */
int ring_socket(__u64 *ctx)
{
	return on_ring_socket(ctx[0], ctx[1], ctx[2], (__u32)ctx[3]);
}

SEC("fentry/security_socket_bind") /* socket, address in the kernel, its length */
int ring_bind(__u64 *ctx)
{
	return on_ring_address(ADDRESS_BIND, ctx[0], ctx[1], (__u32)ctx[2], 0);
}

SEC("fentry/security_socket_connect") /* likewise */
int ring_connect(__u64 *ctx)
{
	return on_ring_connect(ctx[0], ctx[1], (__u32)ctx[2]);
}

SEC("fentry/security_socket_sendmsg") /* socket, message */
int ring_sendmsg(__u64 *ctx)
{
	return on_ring_sent(ctx[0], ctx[1]);
}

SEC("fentry/security_socket_accept")
int ring_accept(__u64 *ctx)
{
	(void)ctx;
	return on_ring_accept();
}

SEC("fentry/security_uring_override_creds") /* since Linux 5.16 */
int ring_credentials(__u64 *ctx)
{
	(void)ctx;
	return on_ring_credentials();
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
