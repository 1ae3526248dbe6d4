/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Start and serving: a process serves from where it begins to wait for others, with all of its threads,
 * and so does what it starts since, whatever that executes. So would a filter hold that it gives itself
 * there (SECCOMP_FILTER_FLAG_TSYNC).
 */
#ifndef LEARN_PHASES_BPF_H
#define LEARN_PHASES_BPF_H

#include "learn/programs.bpf.h"

__u32 serve_all; /* the loader, or the service's own word: every process serves */
__u64 serve_ns;  /* when the first process came to; 0: none has */
__u32 serve_by;  /* and by which call, or TRACE_BY_READY */

enum {              /* of a process */
       IS_BORN = 1, /* it was made, or executed its program, while it was looked at */
       IS_SERVING =
	       2, /* without the other one: it ran before, so it is taken for one that serves */
};

MAP(listeners, LRU_HASH, __u64, __u8, 1024); /* epolls that have a socket which listens */

static __always_inline __u32 phase_of(__u32 tgid)
{
	struct process *p = process_of(tgid);

	return p ? p->phase : 0;
}

static __always_inline void set_phase(__u32 tgid, __u32 bits)
{
	struct process *p = process_of(tgid);

	if (p && p->phase != bits)
		p->phase = (__u8)bits;
}

/* TRACE_SERVING, which goes into the index of a call that a process of that phase makes; 0. */
static __always_inline __u32 serving(__u32 phase)
{
	return serve_all || phase & IS_SERVING ? TRACE_SERVING : 0;
}

/* The task makes another one. By number: of a thread nobody asks for what its process is. */
static __always_inline void pass_on(__u32 child)
{
	struct process *p = process_of(tgid_here()), *c = process_of(child);

	if (!p || !c)
		return;
	c->phase = IS_BORN | (p->phase & IS_SERVING);
	c->program = p->program;
}

/* A task is met that ran before: whether it still starts cannot be known. */
static __always_inline void presume_serving(__u32 tgid)
{
	if (!(phase_of(tgid) & IS_BORN))
		set_phase(tgid, IS_SERVING);
}

/* What was taken for one that serves starts a program. */
static __always_inline void start_program(void)
{
	if (!(phase_of(tgid_here()) & IS_BORN))
		set_phase(tgid_here(), IS_BORN);
}

static __always_inline struct socket *socket_of(__u32 fd)
{
	struct file *f = file_of((void *)bpf_get_current_task(), fd);

	if (!f || (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return BPF_CORE_READ(f, private_data);
}

ALONE int is_listening(__u32 fd)
{
	struct socket *s = socket_of(fd);

	return s && BPF_CORE_READ(s, sk, __sk_common.skc_state) == TCP_LISTEN;
}

/* The kernel's own of the epoll behind a descriptor; of another file it is none that is known. */
static __always_inline __u64 epoll_of(__u32 fd)
{
	struct file *f = file_of((void *)bpf_get_current_task(), fd);

	return f ? (__u64)BPF_CORE_READ(f, private_data) : 0;
}

static __always_inline int add_listener(__u32 epoll, __u32 op, __u32 fd)
{
	__u64 key;
	__u8 one = 1;

	if ((op != TRACE_EPOLL_ADD && op != TRACE_EPOLL_MOD) || !is_listening(fd))
		return 0;
	key = epoll_of(epoll);
	if (key)
		bpf_map_update_elem(&listeners, &key, &one, BPF_ANY);
	return 0;
}

static __always_inline int waits_epoll(__u32 fd)
{
	__u64 key = epoll_of(fd);

	return key && bpf_map_lookup_elem(&listeners, &key);
}

/* The struct pollfd at an address; 0 also where nothing can be read. */
ALONE int polls_listening(__u64 at)
{
	__u32 fd;

	return !bpf_probe_read_user(&fd, sizeof(fd), (void *)at) && is_listening(fd);
}

static __always_inline int waits_poll(__u64 at, __u32 n)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TRACE_POLLED && i < n; i++)
		if (polls_listening(at + i * 8))
			return 1;
	return 0;
}

/* Of the 32 descriptors of a word of an fd_set, the first of which is `from`, those below n. */
ALONE int selects_listening(__u64 at, __u32 from, __u32 n)
{
	__u32 word = 0;

	if (bpf_probe_read_user(&word, sizeof(word), (void *)at))
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < 32; i++)
		if (word >> i & 1 && from + i < n && is_listening(from + i))
			return 1;
	return 0;
}

static __always_inline int waits_select(__u32 n, __u64 at)
{
	if (!at)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TRACE_SELECTED && i < n; i += 32)
		if (selects_listening(at + i / 8, i, n))
			return 1;
	return 0;
}

/* Does that line stand there, behind the end of another one, or at the very beginning? */
ALONE int is_ready(__u64 at, __u32 first)
{
	__u8 text[8] = { '\n' };
	__u64 window = 0;

	if (first ? bpf_probe_read_user(text + 1, 7, (void *)at) :
		    bpf_probe_read_user(text, 8, (void *)at))
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < 8; i++)
		window = window << 8 | text[i];
	return window == TRACE_READY_LINE;
}

/* sd_notify(3): "READY=1" on a line of its own, in a datagram to a local socket. */
ALONE int says_ready(__u32 fd, __u64 at, __u64 len)
{
	struct socket *s;
	__u8 c = 0;

	if (len < 7 || bpf_probe_read_user(&c, 1, (void *)at) || c < 'A' || c > 'Z')
		return 0;
	s = socket_of(fd);
	if (!s || BPF_CORE_READ(s, type) != SOCK_DGRAM ||
	    BPF_CORE_READ(s, sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	if (is_ready(at, 1))
		return 1;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i + 8 <= TRACE_READY && i + 8 <= len; i++)
		if (is_ready(at + i, 0))
			return 1;
	return 0;
}

/* The first piece of a struct msghdr, as 64-bit programs have it. */
static __always_inline int says_message(__u32 fd, __u64 msghdr)
{
	__u64 iov = 0, piece[2];

	if (bpf_probe_read_user(&iov, sizeof(iov), (void *)(msghdr + 16)) ||
	    bpf_probe_read_user(piece, sizeof(piece), (void *)iov))
		return 0;
	return says_ready(fd, piece[0], piece[1]);
}

/* Does the call that begins, of a process that starts, show that it has? The call's first arguments. */
ALONE int shows_serving(__u32 by, __u64 a0, __u64 a1, __u64 a2)
{
	switch (by) {
	case TRACE_SERVES_NOW:
	case TRACE_SERVES_ACCEPT: return 1;
	case TRACE_SERVES_ADD: return add_listener((__u32)a0, (__u32)a1, (__u32)a2);
	case TRACE_SERVES_EPOLL: return waits_epoll((__u32)a0);
	case TRACE_SERVES_POLL: return waits_poll(a0, (__u32)a1);
	case TRACE_SERVES_SELECT: return waits_select((__u32)a0, a1);
	case TRACE_SERVES_SEND: return says_ready((__u32)a0, a1, a2);
	case TRACE_SERVES_SENDMSG: return says_message((__u32)a0, a1);
	}
	return 0;
}

/* It serves from this call on. TRACE_SERVING; 0: it does not. */
static __always_inline __u32 begin_serving(__u32 by, __u32 call, const __u64 args[6])
{
	bool is_word = by == TRACE_SERVES_SEND || by == TRACE_SERVES_SENDMSG;

	if (!shows_serving(by, args[0], args[1], args[2]))
		return 0;
	if (!serve_ns) {
		serve_ns = since_start();
		serve_by = is_word ? TRACE_BY_READY : call;
	}
	if (is_word)
		serve_all = 1; /* which is said of all of a service */
	else
		set_phase(tgid_here(), IS_BORN | IS_SERVING);
	return TRACE_SERVING;
}

#endif
