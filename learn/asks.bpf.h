/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What AppArmor's classes beside files are asked: mounts, tracing, queues; asks.c makes rules of it. */
#ifndef LEARN_ASKS_BPF_H
#define LEARN_ASKS_BPF_H

#include "learn/signals.bpf.h"

/* -1: none. */
static __always_inline __u64 arg_at(const struct mark *m, int i)
{
	return m->args[bounded((__u32)i, 7)];
}

/* s->ask is whole but for its value. */
ALONE int record_ask(__u64 value)
{
	struct scratch *s = scratch_get();

	if (!s)
		return 0;
	s->ask.value = value;
	if (!count_up(&asks, &s->ask))
		count_loss(TRACE_LOSS_PATHS);
	return 0;
}

/* A word that a program gave, as it stands; s->last is its id, 0: it is lost, and counted. */
ALONE int record_word(__u64 text)
{
	struct scratch *s = scratch_get();
	long n;

	if (!s)
		return 0;
	s->last = 0;
	n = bpf_probe_read_user_str(s->buf, TRACE_PATH, (void *)text);
	if (n <= 1) {
		if (n < 0)
			count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	s->off = 0;
	s->len = (__u32)n - 1;
	s->parent = 0;
	s->kind = TRACE_WORD;
	s->perms = s->flags = 0;
	s->about = 0;
	s->not_owned = 0;
	return intern();
}

/* 0: it is there, or nobody gave one. */
static __always_inline int ask_name(struct mark *m, const volatile struct trace_rule *r, int i,
				    __u64 text, __u32 how)
{
	int dir = r->fd[i] >= 0 ? (int)arg_at(m, r->fd[i]) : -1;
	struct scratch *s = scratch_get();

	if (!s || !text)
		return 0;
	record_join(dir, text, 0, TRACE_NAMED | (__u32)r->flags[i] << 16 | how);
	if (i)
		s->ask.names[1] = s->last;
	else
		s->ask.names[0] = s->last;
	return !s->last;
}

static __always_inline const volatile struct trace_rule *rule_of(const struct mark *m)
{
	return &rules[bounded(m->rule, TRACE_RULES - 1)];
}

/* The names of a mount, of s->call; not 0: one is not there, or not yet. */
ALONE int ask_names(__u64 value, __u32 how)
{
	struct scratch *s = scratch_get();
	const volatile struct trace_rule *r;
	struct mark *m;

	if (!s)
		return 1;
	m = &s->call;
	r = rule_of(m);
	s->ask.names[0] = s->ask.names[1] = s->ask.names[2] = 0;
	if (ask_name(m, r, 0, arg_at(m, r->path[0]), how))
		return 1;
	if (r->path[1] >= 0 && !(r->op == TRACE_OP_MOVE && value & TRACE_EMPTY_PATH) &&
	    ask_name(m, r, 1, arg_at(m, r->path[1]), how))
		return 1;
	return 0;
}

/* Before the call: what is mounted over has another name afterwards, and what moves none. */
static __always_inline void enter_ask(struct mark *m)
{
	const volatile struct trace_rule *r = rule_of(m);
	__u64 value = r->at >= 0 ? arg_at(m, r->at) : 0;
	struct scratch *s = scratch_take();

	m->early = 0;
	if (!s)
		return;
	s->call = *m;
	if (!ask_names(value, JOIN_TRY)) {
		m->early = 1;
		m->args[5] = m->args[2]; /* the file system is a word, which is read later */
		m->args[0] = s->ask.names[0];
		m->args[1] = s->ask.names[1];
		m->args[3] = value;
	}
	scratch_give(s);
}

static __always_inline int exit_mount(struct mark *m, const volatile struct trace_rule *r)
{
	__u64 value = r->at >= 0 ? arg_at(m, r->at) : 0, type = m->args[2];
	struct scratch *s = scratch_get();

	if (!s)
		return 0;
	s->ask.what = r->op;
	if (m->early) {
		value = m->args[3];
		type = m->args[5];
		s->ask.names[0] = m->args[0];
		s->ask.names[1] = m->args[1];
		s->ask.names[2] = 0;
	} else {
		ask_names(value, 0);
	}
	if (r->op == TRACE_OP_MOUNT && type) {
		record_word(type);
		s->ask.names[2] = s->last;
	}
	return record_ask(value);
}

static __always_inline __u64 ask_of_pidfd(int fd, bool *own)
{
	struct pid *pid = (void *)pid_of_descriptor(fd, false, own);

	return pid && is_ours(pid_key(pid)) ? TRACE_ASK_OURS : 0;
}

/* What of /proc/PID/ is looked through: exe, cwd, root, fd/N, ns/KIND, map_files/RANGE. */
static __always_inline bool is_link(const char *at)
{
	return (at[0] == 'e' && at[1] == 'x') || (at[0] == 'c' && at[1] == 'w') ||
	       (at[0] == 'r' && at[1] == 'o') ||
	       (at[0] == 'f' && at[1] == 'd' && at[2] == '/' && at[3]) ||
	       (at[0] == 'n' && at[1] == 's' && at[2] == '/' && at[3]) ||
	       (at[0] == 'm' && at[3] == '_');
}

/* A process by a number that the task gave. */
static __always_inline __u64 ask_of(__u32 nr, bool *own)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	__u64 key = pid_key(BPF_CORE_READ(t, thread_pid)),
	      leader = pid_key(BPF_CORE_READ(t, group_leader, thread_pid));

	*own = !nr || nr == (__u32)key || nr == (__u32)leader;
	return is_ours(key >> 32 << 32 | nr) ? TRACE_ASK_OURS : 0;
}

/* The decimal number at s->word[from], and s->at, where it ends; 0: it is none, or too long. */
ALONE int read_number(__u32 from)
{
	struct scratch *s = scratch_get();
	__u32 nr = 0;

	if (!s)
		return 0;
	for (__u32 i = 0; i < 11; i++) {
		char c = s->word[bounded(from + i, sizeof(s->word) - 1)];

		if (c < '0' || c > '9') {
			s->at = from + i;
			return (int)nr;
		}
		nr = nr * 10 + (__u32)(c - '0');
	}
	s->at = sizeof(s->word) - 1; /* nothing stands there */
	return 0;
}

static __always_inline char word_at(const struct scratch *s, __u32 at)
{
	return s->word[bounded(at, sizeof(s->word) - 1)];
}

/* Does more stand behind what is_link() has at s->word[at]? Some have a number or a word of their own. */
static __always_inline bool leads_on(const struct scratch *s, __u32 at)
{
	char first = word_at(s, at);
	int slashes = first == 'f' || first == 'n' || first == 'm' ? 2 : 1;

	for (__u32 i = 2; i < sizeof(s->word) / 2; i++) {
		char c = word_at(s, at + i);

		slashes -= c == '/';
		if (!c || !slashes)
			return c;
	}
	return false;
}

/* What stands behind "/proc/NR/", or "/proc/NR/task/NR/", at s->word[at]. */
ALONE int look_at(__u32 nr, __u32 at, __u32 kept)
{
	struct scratch *s = scratch_get();
	bool own = false;
	__u64 value;

	if (!s || !is_link(&s->word[bounded(at, 31)]) || (kept && !leads_on(s, bounded(at, 31))))
		return 0;
	if (word_at(s, at) == 'n' && !rules[calls[bounded(s->ask.call, TRACE_CALLS - 1)].rule].op)
		count_loss(TRACE_NAMESPACES); /* looked at by its name, and not opened */
	value = ask_of(nr, &own);
	if (own)
		return 0;
	s->ask.what = TRACE_OP_PEER;
	s->ask.names[0] = s->ask.names[1] = s->ask.names[2] = 0;
	return record_ask(value);
}

/* Few names are, which the first bytes tell. */
static __always_inline bool is_below_proc(__u64 text)
{
	__u64 head = 0;

	return !bpf_probe_read_user(&head, sizeof(head), (void *)text) &&
	       (head & TRACE_PROC_MASK) == TRACE_PROC_HEAD;
}

enum look {                  /* of a name */
	    LOOK_KEPT = 1,   /* what is last in it is not followed, */
	    LOOK_BASE = 2,   /* or names will be seen from there, where it is no link, */
	    LOOK_TARGET = 4, /* or a link is made that says it */
};

/* What is looked up by it later does not begin so, and is not looked at: that there may be such names is told. */
static __always_inline void note_base(const struct scratch *s, __u32 nr, __u32 how)
{
	bool own = false;

	if (how & LOOK_BASE && is_link(&s->word[bounded(s->at + 1, 31)]))
		return;
	ask_of(nr, &own);
	if (!own)
		count_loss(TRACE_BELOW);
}

/* "/proc/self/ns/", of a call that asks about what is there. */
static __always_inline void note_own_space(const struct scratch *s, __u32 how)
{
	static const char own[] = "self/ns/";

	if (how & LOOK_KEPT || rules[calls[bounded(s->ask.call, TRACE_CALLS - 1)].rule].op)
		return;
	for (__u32 i = 0; i < sizeof(own) - 1; i++)
		if (s->word[sizeof("/proc/") - 1 + i] != own[i])
			return;
	count_loss(TRACE_NAMESPACES);
}

/*
 * Such a name, of another process: the kernel asks whether that one may be read
 * (fs/proc/base.c, proc_pid_get_link). how: enum look.
 */
ALONE int look(__u64 text, __u32 how)
{
	static const char proc[] = "/proc/";
	struct scratch *s = scratch_get();
	__u32 nr;

	if (!s)
		return 0;
	__builtin_memset(s->word, 0, sizeof(s->word) / 2);
	if (bpf_probe_read_user_str(s->word, sizeof(s->word) / 2, (void *)text) < 8)
		return 0;
	for (__u32 i = 0; i < sizeof(proc) - 1; i++)
		if (s->word[i] != proc[i])
			return 0;
	nr = (__u32)read_number(sizeof(proc) - 1);
	if (!nr)
		note_own_space(s, how);
	if (!nr || (word_at(s, s->at) && word_at(s, s->at) != '/'))
		return 0;
	if (word_at(s, s->at) && word_at(s, s->at + 1) == 't') /* task/TID/ */
		read_number(s->at + 1 + sizeof("task/") - 1);
	if (how & (LOOK_BASE | LOOK_TARGET))
		note_base(s, nr, how);
	return word_at(s, s->at) == '/' && !(how & LOOK_TARGET) ?
		       look_at(nr, s->at + 1, how & LOOK_KEPT) :
		       0;
}

static __always_inline int exit_ask(struct mark *m, const volatile struct trace_rule *r)
{
	struct scratch *s = scratch_get();
	__u32 flags = 0, request;
	bool own = false;
	__u64 value;

	if (!s)
		return 0;
	s->ask.names[0] = s->ask.names[1] = s->ask.names[2] = 0;
	s->ask.what = r->op;
	switch (r->op) {
	case TRACE_OP_QUEUE:
		record_word(arg_at(m, r->path[0]));
		s->ask.names[0] = s->last;
		return record_ask(r->at >= 0 ? (__u32)arg_at(m, r->at) : 0);
	case TRACE_OP_RING: /* behind the numbers of entries (io_uring_setup(2)) */
		if (bpf_probe_read_user(&flags, sizeof(flags),
					(void *)arg_at(m, r->path[0]) + 2 * sizeof(__u32)))
			count_loss(TRACE_LOSS_UNRESOLVED);
		return record_ask(flags);
	case TRACE_OP_PTRACE:
		request = (__u32)arg_at(m, r->at);
		if (request == TRACE_TRACEME)
			return record_ask(request | TRACE_ASK_OURS);
		if (sees_asked || (request != TRACE_ATTACH && request != TRACE_SEIZE))
			return 0;
		return record_ask(request | ask_of((__u32)arg_at(m, r->fd[0]), &own));
	case TRACE_OP_EXISTS:
	case TRACE_OP_HELD:
		return (__u32)arg_at(m, r->at) ?
			       0 :
			       record_exists((int)arg_at(m, r->fd[0]), r->op == TRACE_OP_HELD);
	case TRACE_OP_LOOK: return look(arg_at(m, r->path[0]), 0);
	case TRACE_OP_PIDFD:
		if (r->at >= 0 && !trace_enters((__u32)arg_at(m, r->at)))
			return 0;
		value = ask_of_pidfd((int)arg_at(m, r->fd[0]), &own);
		return own ? 0 : record_ask(value);
	case TRACE_OP_PEER:
		if (!trace_asks_peer(r->at, r->at < 0 ? 0 : (__u32)arg_at(m, r->at)) ||
		    (int)arg_at(m, r->fd[0]) < 0)
			return 0;
		value = ask_of((__u32)arg_at(m, r->fd[0]), &own);
		if (own && r->fd[1] >= 0)
			value = ask_of((__u32)arg_at(m, r->fd[1]), &own);
		return own ? 0 : record_ask(value);
	}
	return 0;
}

#endif
