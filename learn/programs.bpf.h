/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which program makes which call in which phase: processes bear the number of the one that they run, and
 * of each number the calls are a row of bits. What is between a fork and an exec is that of the maker's.
 */
#ifndef LEARN_PROGRAMS_BPF_H
#define LEARN_PROGRAMS_BPF_H

#include "learn/paths.bpf.h"

#define ROW    (2 * TRACE_CALLS / 64) /* of a program: its start, and behind that its serving */
#define MADE   (TRACE_PROGRAMS * ROW)
#define PACKED 32 /* an element of an array takes eight bytes or more */

/* What is kept of a process: bytes, since its threads may write the one and the other at once. */
struct process {
	__u8 phase;   /* phases.bpf.h */
	__u8 program; /* TRACE_BY_* */
};
struct some_processes {
	struct process of[PACKED];
};

MAP(processes, ARRAY, __u32, struct some_processes, TRACE_TIDS / PACKED);
MAP(programs, HASH, __u64, __u32, TRACE_PROGRAMS); /* by the id of its path */
__u32 programs_used;
__u64 made[MADE];

/* NULL: no kernel has so large a number. */
static __always_inline struct process *process_of(__u32 tgid)
{
	__u32 i = tgid / PACKED;
	struct some_processes *some = bpf_map_lookup_elem(&processes, &i);

	return some ? &some->of[tgid % PACKED] : NULL;
}

static __always_inline __u32 tgid_here(void)
{
	return (__u32)(bpf_get_current_pid_tgid() >> 32);
}

static __always_inline __u32 number_of_path(__u64 id)
{
	__u32 *known = bpf_map_lookup_elem(&programs, &id), fresh;

	if (known)
		return *known;
	if (programs_used >= TRACE_PROGRAMS - TRACE_BY_FIRST)
		return TRACE_BY_OTHERS;
	fresh = __sync_fetch_and_add(&programs_used, 1) + TRACE_BY_FIRST;
	if (fresh >= TRACE_PROGRAMS)
		return TRACE_BY_OTHERS;
	if (bpf_map_update_elem(&programs, &id, &fresh, BPF_NOEXIST)) { /* another CPU was first */
		known = bpf_map_lookup_elem(&programs, &id);
		fresh = known ? *known : TRACE_BY_OTHERS;
	}
	return fresh;
}

/* Of what the task runs: by its path, which is no use of that file, and none that is lost. */
static __always_inline __u32 number_program(struct scratch *s)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct file *exe = BPF_CORE_READ(t, mm, exe_file);

	if (!exe ||
	    walk((__u64)BPF_CORE_READ(exe, f_path.mnt), (__u64)BPF_CORE_READ(exe, f_path.dentry)))
		return TRACE_BY_OTHERS;
	s->parent = 0;
	s->kind = TRACE_LEAF;
	s->perms = TRACE_NAMED;
	s->flags = 0;
	s->about = 0;
	s->not_owned = 0;
	s->last = 0;
	return intern() ? TRACE_BY_OTHERS : number_of_path(s->last);
}

/* The task has executed a program; s NULL: it is looked at with the next call. */
static __always_inline void begin_program(struct scratch *s)
{
	struct process *p = process_of(tgid_here());
	__u32 by = s ? number_program(s) : TRACE_BY_UNKNOWN;

	if (p)
		p->program = (__u8)by;
}

static __always_inline void forget_program(void)
{
	struct process *p = process_of(tgid_here());

	if (p)
		p->program = TRACE_BY_UNKNOWN;
}

/* It ran before it was looked at, and makes a call. */
static __always_inline __u32 meet_program(void)
{
	struct scratch *s = scratch_try();
	struct process *p;
	__u32 by;

	if (!s)
		return TRACE_BY_OTHERS; /* this once */
	by = number_program(s);
	scratch_give(s);
	p = process_of(tgid_here());
	if (p)
		p->program = (__u8)by;
	return by;
}

/* For the first time, of this program and phase. at: the call, with TRACE_SERVING. */
ALONE int note_made(__u32 by, __u32 at)
{
	__u32 i;

	if (by == TRACE_BY_UNKNOWN)
		by = meet_program();
	i = by * ROW + (at & (2 * TRACE_CALLS - 1)) / 64;
	__sync_fetch_and_or(&made[bounded(i, MADE - 1)], 1ull << at % 64);
	return 0;
}

/* Nothing ever stands in the row of what is not known. */
static __always_inline bool has_made(__u32 by, __u32 at)
{
	__u32 i = by * ROW + at / 64;

	return made[bounded(i, MADE - 1)] >> at % 64 & 1;
}

#endif
