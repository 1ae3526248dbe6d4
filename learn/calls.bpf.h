/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A system call as it begins: whose it is, counts, arguments, the names it gives; its end is in ends.bpf.h. */
#ifndef LEARN_CALLS_BPF_H
#define LEARN_CALLS_BPF_H

#include "learn/border.bpf.h"
#include "learn/addresses.bpf.h"
#include "learn/phases.bpf.h"

/* Which of the cgroups the task is in or below; -1: none. */
static __always_inline int which_cgroup(void)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < TRACE_WATCHED; i++) {
		__u64 id;

		if (i >= (int)cgroups_nr || i >= (int)cgroups_used)
			break;
		id = cgroup_ids[i]; /* none is 0, and so is an ancestor that there is not */
		if (id && bpf_get_current_ancestor_cgroup_id((int)cgroup_levels[i]) == id)
			return i;
	}
	return -1;
}

/* Since Linux 5.15: which call a task is in need not be noted for each. */
static __always_inline bool tells_call(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

/* The task that runs: as tp_btf's programs may read it, and as the others have it. */
static __always_inline struct task_struct *task_now(bool btf)
{
	return btf ? (void *)bpf_get_current_task_btf() : (void *)bpf_get_current_task();
}

/* The thread id by which the kernel itself knows the task that runs. */
static __always_inline __u32 tid_of(bool btf, struct task_struct *t)
{
	return btf ? (__u32)t->pid : (__u32)bpf_get_current_pid_tgid();
}

/*
 * Whoever makes a mark, or takes one away, says so here. Each new task gets its bits as it is made,
 * set or not: so none is left of one that had its number before.
 */
static __always_inline void set_marked(__u32 tid, bool is)
{
	__u64 *word = marked_word(tid), mask = (__u64)(IS_MARKED | IS_NOTED) << tid % 32 * 2,
	      want = is ? (__u64)IS_MARKED << tid % 32 * 2 : 0;

	if (!word || (*word & mask) == want)
		return;
	__sync_fetch_and_and(word, ~mask);
	if (is)
		__sync_fetch_and_or(word, want);
}

/*
 * Where a task's registers lie tells tasks apart as its thread id does, if not for sure, and is at hand:
 * no helper is to be called for it, of which each costs as much as all of the rest.
 */
static __always_inline __u32 stack_of(void *regs)
{
	__u64 at = (__u64)regs;

	/* To the verifier an address is no number, and what lies between two of them is. */
	asm volatile("%0 -= %1" : "+r"(at) : "r"(stacks));
	return (__u32)(at >> STACK_SHIFT);
}

/* Is there a mark of the task whose registers these are, or was there one of another of its place? */
static __always_inline bool is_near(void *regs)
{
	__u32 i = stack_of(regs);

	return stacks[bounded(i / 64, TRACE_STACKS / 64 - 1)] >> i % 64 & 1;
}

/* Whoever makes a mark says so here, before the task's next call. */
static __always_inline void set_near(struct task_struct *t)
{
	__u32 i;

	if (cgroups_nr || !tells_call()) /* nobody asks */
		return;
	i = stack_of((void *)bpf_task_pt_regs(t));
	__sync_fetch_and_or(&stacks[bounded(i / 64, TRACE_STACKS / 64 - 1)], 1ull << i % 64);
}

/* At its first call a recorded task is noted among `ours`. */
static __always_inline void note_once(__u32 tid)
{
	__u64 *word = marked_word(tid), bit = (__u64)IS_NOTED << tid % 32 * 2;

	if (!word || *word & bit)
		return;
	__sync_fetch_and_or(word, bit);
	note_ours();
}

static __always_inline struct mark *mark_find(bool btf)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	return btf ? bpf_task_storage_get(&marks, bpf_get_current_task_btf(), NULL, 0) :
		     bpf_map_lookup_elem(&marks_by_tid, &tid);
}

/* The mark of a task that is recorded: it is in a cgroup that is, or followed since it was made. */
static __always_inline struct mark *mark_get(bool btf)
{
	int in = cgroups_nr ? which_cgroup() : -1;
	struct mark *m, fresh = {};
	__u32 tid;

	if (in < 0 && cgroups_nr && !pids_nr)
		return NULL;
	m = mark_find(btf);
	if (in < 0 && m && cgroups_nr && !m->followed)
		return NULL;
	if (m || in < 0)
		return m;
	if (in < TRACE_WATCHED)
		cgroup_seen[bounded((__u32)in, TRACE_WATCHED - 1)] = 1;
	if (border && !is_inside())
		return NULL;
	tid = (__u32)bpf_get_current_pid_tgid();
	if (btf) {
		m = bpf_task_storage_get(&marks, bpf_get_current_task_btf(), NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		bpf_map_update_elem(&marks_by_tid, &tid, &fresh, BPF_ANY);
		m = bpf_map_lookup_elem(&marks_by_tid, &tid);
	}
	if (border && m)
		m->call = TRACE_NO_CALL; /* it may be in its exec */
	if (border && !start_ns)
		begin_inside();
	presume_serving(tgid_here());
	set_marked(tid, m != NULL);
	count_loss(m ? TRACE_TASKS : TRACE_LOSS_TASKS);
	return m;
}

static __always_inline int abi_of(bool btf, struct task_struct *t, __u64 nr)
{
	struct task_struct___x86 *x = (void *)t;

	if (bpf_core_field_exists(x->thread_info.status)) {
		__u32 status = btf ? x->thread_info.status : BPF_CORE_READ(x, thread_info.status);

		if (status & TS_COMPAT)
			return TRACE_COMPAT;
		return nr & X32_BIT && (__u32)nr != (__u32)-1 ? TRACE_X32 : TRACE_NATIVE;
	}
	if (BPF_CORE_READ(t, thread_info.flags) >> ARM64_TIF_32BIT & 1)
		return -1; /* AArch32: no table for it */
	return TRACE_NATIVE;
}

/* The number of the call whose registers these are, the programs' own argument; -1: none. */
static __always_inline __s64 nr_of(void *regs)
{
	struct pt_regs___x86 *x = regs;
	struct pt_regs___arm64 *a = regs;

	if (bpf_core_field_exists(x->orig_ax))
		return (__s64)x->orig_ax;
	return a->syscallno;
}

/* The call that the task is in, where tells_call(); TRACE_NO_CALL: none. */
static __always_inline __u32 call_now(void)
{
	__s64 nr = nr_of((void *)bpf_task_pt_regs(bpf_get_current_task_btf()));
	int abi = abi_of(false, task_now(false), (__u64)nr);

	if (nr < 0 || abi < 0)
		return TRACE_NO_CALL;
	if (abi == TRACE_X32)
		nr &= ~(__s64)X32_BIT;
	return nr < TRACE_NRS ? (__u32)abi * TRACE_NRS + (__u32)nr : TRACE_NO_CALL;
}

/* A thread of a ring's: it works for a process, and makes no calls. */
static __always_inline bool is_worker(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	return BPF_CORE_READ(t, flags) & PF_IO_WORKER &&
	       (marked_bits((__u32)BPF_CORE_READ(t, tgid)) & IS_MARKED);
}

/*
 * By which call a thread of a ring's works: its registers are those of the call that made it, where
 * anything is left of them (arch/x86/kernel/process.c, copy_thread()).
 */
static __always_inline __u32 workers_call(void)
{
	__u32 call = tells_call() ? call_now() : TRACE_NO_CALL;

	return call % TRACE_NRS == TRACE_RING_SETUP || call % TRACE_NRS == TRACE_RING_ENTER ?
		       call :
		       TRACE_RING_ENTER;
}

/* The call by which a ring of the workload's does what the task that runs is doing; TRACE_NO_CALL: none. */
static __always_inline __u32 ring_call(void)
{
	struct mark *m;
	__u32 call;

	if (is_worker())
		return workers_call();
	if (!(marked_bits((__u32)bpf_get_current_pid_tgid()) & IS_MARKED))
		return TRACE_NO_CALL;
	m = marks_by_task ? mark_find(true) : mark_find(false);
	if (!m)
		return TRACE_NO_CALL;
	call = m->rule || !tells_call() ? m->call : call_now();
	return call % TRACE_NRS == TRACE_RING_ENTER ? call : TRACE_NO_CALL;
}

/* The registers of tp_btf's program can be read as they lie. */
static __always_inline void load_args(__u64 args[6], void *regs, bool compat)
{
	struct pt_regs___x86 *x = regs;

	args[0] = compat ? (__u32)x->bx : x->di;
	args[1] = compat ? (__u32)x->cx : x->si;
	args[2] = compat ? (__u32)x->dx : x->dx;
	args[3] = compat ? (__u32)x->si : x->r10;
	args[4] = compat ? (__u32)x->di : x->r8;
	args[5] = compat ? (__u32)x->bp : x->r9;
}

static __always_inline void read_args(bool btf, __u64 args[6], void *regs, bool compat)
{
	struct pt_regs___x86 *x = regs;
	struct pt_regs___arm64 *a = regs;

	if (btf && bpf_core_field_exists(x->r10)) {
		load_args(args, regs, compat);
		return;
	}
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

/* Even, so that no path's is one of these. */
enum { KNOWN_VALUE = 2, KNOWN_TUPLE = 4 };

static __always_inline void count_use(struct trace_uses *u, __u64 a, __u64 b)
{
	__sync_fetch_and_add(&u->count, 1);
	if (is_steady)
		know(a, b, u->at, 0);
}

ALONE int record_value(__u32 call, __u32 arg, __u64 value)
{
	struct arg_key ak = { call, arg };
	struct trace_value_key vk = { call, arg, value };
	struct trace_bits *b, none = {};
	struct value_state *st, fresh = {};
	struct trace_uses *n, first = { 1, 0, 0 };
	__u64 print = (__u64)call << 32 | arg << 8 | KNOWN_VALUE;

	if (is_steady && known_again(value, print))
		return 0;
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
		count_use(n, value, print);
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
	first.at = again_take();
	if (!bpf_map_update_elem(&values, &vk, &first, BPF_NOEXIST)) {
		__sync_fetch_and_add(&st->distinct, 1);
		return 0;
	}
	n = bpf_map_lookup_elem(&values, &vk);
	if (n)
		__sync_fetch_and_add(&n->count, 1);
	else
		count_loss(TRACE_LOSS_VALUES);
	return 0;
}

static __always_inline void record_tuple(__u32 call, const __u64 args[6])
{
	struct trace_tuple_key k = { call, { (__u32)args[0], (__u32)args[1], (__u32)args[2] } };
	__u64 a = (__u64)k.args[0] << 32 | k.args[1],
	      b = (__u64)k.args[2] << 32 | call << 3 | KNOWN_TUPLE;
	struct trace_uses *n, first = { 1, 0, 0 };

	if (is_steady && known_again(a, b))
		return;
	n = bpf_map_lookup_elem(&tuples, &k);
	if (!n) {
		first.at = again_take();
		if (!bpf_map_update_elem(&tuples, &k, &first, BPF_NOEXIST))
			return;
		n = bpf_map_lookup_elem(&tuples, &k);
	}
	if (n)
		count_use(n, a, b);
	else
		count_loss(TRACE_LOSS_VALUES);
}

/* The flags that a structure of the call's begins with. No address: the kernel has none either. */
static __always_inline void record_pointed(__u32 call, __u32 arg, __u64 address)
{
	__u64 value = 0;

	if (!address)
		return;
	if (bpf_probe_read_user(&value, sizeof(value), (void *)address))
		count_loss(TRACE_LOSS_READS);
	else
		record_value(call, arg, value);
}

/* An argument that is recorded, or what it points to. */
ALONE int enter_value(__u32 at, __u32 arg, __u64 value, __u64 other)
{
	const volatile struct trace_call *info = &calls[at & (TRACE_CALLS - 1)];

	if (info->of)
		value = trace_of(value, other);
	if (info->in)
		record_pointed(at, arg, value);
	else
		record_value(at, arg,
			     info->of || info->wide >> (arg & 7) & 1 ? value : (__u32)value);
	return 0;
}

/* A recorded task that was moved out of the cgroup: what it does there is lost, and said. */
static __always_inline void note_left(bool btf)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	bool gone;

	set_marked(tid, false);
	if (btf)
		gone = !bpf_task_storage_delete(&marks, bpf_get_current_task_btf());
	else
		gone = !bpf_map_delete_elem(&marks_by_tid, &tid);
	if (gone) {
		count_loss(TRACE_LOSS_LEFT);
		forget_program(); /* it may come back with another one */
	}
}

enum whose { NOBODYS, WORKLOADS, RUNTIMES };

/*
 * Is the task recorded? Each call of the whole machine asks this, so whoever is not pays a look at
 * a bit for it. In a cgroup a task is met, and marked, at its first call.
 */
static __always_inline enum whose whose(bool btf, bool is)
{
	bool in;

	if (!cgroups_nr)
		return is ? WORKLOADS : NOBODYS;
	in = which_cgroup() >= 0;
	if (in == is)
		return is ? WORKLOADS : NOBODYS;
	if (mark_get(btf))
		return WORKLOADS;
	if (border && in)
		return RUNTIMES;
	note_left(btf); /* by the call before, perhaps */
	return NOBODYS;
}

/* Of a process that starts: TRACE_SERVING where this call shows that it has. */
static __always_inline __u32 end_of_start(bool btf, void *regs,
					  struct trace_event_raw_sys_enter *event, __u32 call,
					  __u8 by, bool compat)
{
	__u64 args[6] = {};

	if (compat && by == TRACE_SERVES_SENDMSG)
		return 0;
	if (event)
		bpf_probe_read_kernel(args, sizeof(args), event->args);
	else
		read_args(btf, args, regs, compat);
	return begin_serving(by, call, args);
}

APART __u32 end_of_start_btf(void *regs, __u32 call, __u32 by, __u32 abi)
{
	return end_of_start(true, regs, NULL, call, (__u8)by, abi == TRACE_COMPAT);
}

/* By what is mapped executable a libc is known. A number that is no descriptor's the kernel refuses. */
ALONE int note_mapped(__u32 fd)
{
	struct file *f = file_of((void *)bpf_get_current_task(), fd);
	struct scratch *s = f ? scratch_take() : NULL;

	if (!s)
		return 0;
	record_file_here((__u64)f, TRACE_M);
	scratch_give(s);
	return 0;
}

/* What of a rule matters where no files are recorded. Whether the call succeeds is not waited for. */
APART int look_without_files(struct mark *m, __u32 rule)
{
	const volatile struct trace_rule *r = &rules[bounded(rule, TRACE_RULES - 1)];
	__u64 asked = r->at >= 0 ? arg_at(m, r->at) : TRACE_O_CREAT, at;
	char name[8] = {};
	__u16 family = 0;

	if (r->op == TRACE_OP_MMAP)
		return arg_at(m, r->path[0]) & PROT_EXEC ? note_mapped((__u32)arg_at(m, r->fd[0])) :
							   0;
	if (wrote || r->path[0] < 0 ||
	    (r->flags[0] & TRACE_HOW &&
	     bpf_probe_read_user(&asked, sizeof(asked), (void *)asked)) ||
	    !trace_writes(r->op, r->perms[0], asked))
		return 0;
	at = arg_at(m, r->path[0]);
	if (r->op == TRACE_OP_BIND) {
		if (bpf_probe_read_user(&family, sizeof(family), (void *)at) || family != AF_UNIX)
			return 0;
		at += sizeof(family);
	}
	if (bpf_probe_read_user_str(name, KEPT_HEAD + 1, (void *)at) > 1 && is_kept(name))
		wrote = 1;
	return 0;
}

/*
 * Where a call's arguments lie behind a pointer it is another call that is made (socketcall(2)): its
 * index, and m->args are that one's. 0: one of which there is nothing to tell.
 */
ALONE int unpack(struct mark *m, __u32 how)
{
	__u32 words[6] = {}, call, which;
	__u64 at;

	if (!m)
		return 0;
	which = how & TRACE_PACKED_ALL ? 0 : (__u32)m->args[0];
	at = how & TRACE_PACKED_ALL ? m->args[0] : m->args[1];
	if (which >= TRACE_SELECTORS || (!which && !(how & TRACE_PACKED_ALL)))
		return 0;
	call = selected[bounded(which, TRACE_SELECTORS - 1)];
	/* As many as the kernel reads are three to six, and behind them a page may end. */
	if (!call || (bpf_probe_read_user(words, sizeof(words), (void *)at) &&
		      bpf_probe_read_user(words, sizeof(words) / 2, (void *)at)))
		return 0;
	for (__u32 i = 0; i < 6; i++)
		m->args[i] = words[i];
	return (int)call;
}

/* A call of the workload's of which more is looked at than that it was made; at: with the phase. */
static __always_inline int on_look(bool btf, void *regs, struct trace_event_raw_sys_enter *event,
				   __u32 at, __u32 abi)
{
	__u32 call = bounded(at, TRACE_CALLS - 1);
	const volatile struct trace_call *info = &calls[call];
	bool values = true; /* that a proposal can hold the call to */
	struct mark *m;

	if (tells_call() && info->address == TRACE_SENDTO &&
	    !fifth(btf, regs, event, abi == TRACE_COMPAT))
		return 0;
	m = mark_find(btf);
	if (!m)
		return 0;
	m->call = call;
	m->rule = no_files ? 0 : info->rule;
	m->nnamed = 0;
	if (!(info->args | info->rule | info->tuple | info->address))
		return 0;
	if (event)
		bpf_probe_read_kernel(m->args, 6 * sizeof(m->args[0]), event->args);
	else
		read_args(btf, m->args, regs, abi == TRACE_COMPAT);
	if (info->tuple & (TRACE_PACKED_ARGS | TRACE_PACKED_ALL)) {
		call = bounded((__u32)unpack(m, info->tuple), TRACE_CALLS - 1);
		if (!call)
			return 0;
		m->call = call;
		info = &calls[call];
		m->rule = no_files ? 0 : info->rule;
		values = false;
	}
	if (info->tuple & TRACE_TUPLE)
		record_tuple(at, m->args);
	if (info->address == TRACE_SENDTO || info->address == TRACE_SENDMSG)
		record_sent(call, info->address, m->args);
	else if (info->address && info->address < TRACE_SENDTO)
		record_address(info->address - 1, (__u32)m->args[0], m->args[1], (__u32)m->args[2]);
	if (values && info->args && (!info->only || arg_at(m, info->only - 1)))
		for (__u32 i = 0; i < 6; i++)
			if (info->args >> i & 1)
				enter_value(at, i, m->args[i], arg_at(m, info->of - 1));
	if (no_files && info->rule)
		return look_without_files(m, info->rule);
	if (info->tuple & TRACE_EARLY)
		enter_ask(m);
	return 0;
}

APART int on_look_btf(void *regs, __u32 at, __u32 abi)
{
	return on_look(true, regs, NULL, at, abi);
}

static __always_inline void enter_messages(bool btf, void *regs,
					   struct trace_event_raw_sys_enter *event, __u32 call,
					   bool compat)
{
	__u32 words[3] = {};
	__u64 args[6] = {};

	if (event)
		bpf_probe_read_kernel(args, sizeof(args), event->args);
	else
		read_args(btf, args, regs, compat);
	if (calls[bounded(call, TRACE_CALLS - 1)].tuple & TRACE_PACKED_ARGS) {
		call = selected[TRACE_PACKED_SENDMMSG];
		if ((__u32)args[0] != TRACE_PACKED_SENDMMSG || !call ||
		    bpf_probe_read_user(words, sizeof(words), (void *)args[1]))
			return;
		for (int i = 0; i < 3; i++)
			args[i] = words[i];
	}
	record_sent_all(args[1], (__u32)args[2], call, (__u32)args[0]);
}

/* Whether the call succeeds is not waited for. */
ALONE int look_named(__u32 call, __u64 text, __u32 how)
{
	struct scratch *s = scratch_take();

	if (!s)
		return 0;
	s->ask.call = call;
	look(text, how);
	scratch_give(s);
	return 0;
}

/* A name that may lead by another process, which few do. */
static __always_inline void
enter_named(bool btf, void *regs, struct trace_event_raw_sys_enter *event, __u32 call, bool compat)
{
	const volatile struct trace_call *info = &calls[bounded(call, TRACE_CALLS - 1)];
	__u64 args[6] = {}, text, at;

	if (event)
		bpf_probe_read_kernel(args, sizeof(args), event->args);
	else
		read_args(btf, args, regs, compat);
	text = info->names & TRACE_NAMES_SECOND ? args[1] : args[0];
	if (!is_below_proc(text))
		return;
	at = info->names_at == 2 ? args[2] :
	     info->names_at == 3 ? args[3] :
	     info->names_at == 4 ? args[4] :
				   0;
	look_named(call, text,
		   (info->names & TRACE_NAMES_KEPT || at & TRACE_NOFOLLOW ? LOOK_KEPT : 0) |
			   (info->names & TRACE_NAMES_BASE ? LOOK_BASE : 0));
}

/* The arguments stand in the registers, or in `event` where that is not NULL. */
static __always_inline int on_enter(bool btf, void *regs, struct trace_event_raw_sys_enter *event,
				    __u64 nr)
{
	struct task_struct *t;
	struct trace_count *c;
	struct process *p;
	enum whose is;
	__u32 tid, bits, call, at; /* its number, and with the phase */
	__u8 look;
	int abi;

	if (btf && tells_call() && !cgroups_nr && !is_near(regs))
		return 0;
	t = task_now(btf);
	tid = tid_of(btf, t);
	bits = marked_bits(tid);
	is = whose(btf, bits & IS_MARKED);
	if (is == NOBODYS)
		return 0;
	if (is == WORKLOADS && !(bits & IS_NOTED))
		note_once(tid);
	abi = abi_of(btf, t, nr);
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
	if (is == RUNTIMES) {
		count_runtime(call);
		return 0;
	}
	p = process_of(btf ? (__u32)t->tgid : tgid_here());
	if (!p)
		return 0;
	at = call | serving(p->phase);
	look = looks[bounded(call, TRACE_CALLS - 1)];
	if (at == call && look & TRACE_LOOKS_SERVES) {
		__u8 serves = calls[bounded(call, TRACE_CALLS - 1)].serves;

		at |= btf ? end_of_start_btf(regs, call, serves, (__u32)abi) :
			    end_of_start(false, regs, event, call, serves, abi == TRACE_COMPAT);
	}
	if (!has_made(p->program, at))
		note_made(p->program, at);
	c = counter_at(&counts, at);
	if (!c)
		return 0;
	if (!c->count)
		c->first_ns = since_start();
	c->count++;
	if (look & TRACE_LOOKS_NAME)
		enter_named(btf, regs, event, call, abi == TRACE_COMPAT);
	if (tells_call() && !(look & TRACE_LOOKS))
		return 0;
	/* From here, and not from on_look(): its functions lie too deep for one more. */
	if (look & TRACE_LOOKS_MANY)
		enter_messages(btf, regs, event, call, abi == TRACE_COMPAT);
	return btf ? on_look_btf(regs, at, (__u32)abi) :
		     on_look(false, regs, event, at, (__u32)abi);
}

#endif
