/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a ring of io_uring does with sockets, which no call shows: seen where security modules are asked
 * (security/security.c, security_socket_*()), by the task itself in io_uring_enter(2), by the kernel's thread
 * that polls for it, or by a worker. There a socket is what it is, with or without a descriptor.
 */
#ifndef LEARN_RINGS_BPF_H
#define LEARN_RINGS_BPF_H

#include "learn/named.bpf.h"

static __always_inline int on_ring_socket(__u64 family, __u64 type, __u64 protocol, __u64 kern)
{
	__u64 args[6] = { (__u32)family, (__u32)type, (__u32)protocol };
	__u32 call = kern ? TRACE_NO_CALL : ring_call();

	if (call != TRACE_NO_CALL)
		record_tuple(call | serving(phase_of(tgid_here())), args);
	return 0;
}

/* how: of a path, as record_unix() has it. */
static __always_inline int on_ring_address(__u32 op, __u64 sock, __u64 at, __u32 len, __u32 how)
{
	__u32 call = at && len ? ring_call() : TRACE_NO_CALL;
	struct scratch *s;

	if (call == TRACE_NO_CALL)
		return 0;
	s = take_for_unruled();
	if (!s)
		return 0;
	s->ask.call = call;
	s->vfs = sock;
	s->text = at;
	record_address(op | ADDRESS_KERNEL, s->vfs, s->text, len);
	record_unix(op | ADDRESS_KERNEL, s->vfs, s->text, len, how);
	scratch_give_second(s);
	return 0;
}

/* A stream's path is what name_connect has; of datagrams no function tells it. */
static __always_inline int on_ring_connect(__u64 sock, __u64 at, __u32 len)
{
	bool told = BPF_CORE_READ((struct socket *)sock, type) != SOCK_DGRAM;

	return on_ring_address(ADDRESS_CONNECT, sock, at, len,
			       told ? 0 : TRACE_R | TRACE_W | (TRACE_FOLLOW | TRACE_SOCKET) << 16);
}

static __always_inline int on_ring_sent(__u64 sock, __u64 msg)
{
	struct msghdr *m = (void *)msg;

	return on_ring_address(ADDRESS_SEND, sock, (__u64)BPF_CORE_READ(m, msg_name),
			       (__u32)BPF_CORE_READ(m, msg_namelen),
			       TRACE_W | (TRACE_FOLLOW | TRACE_SOCKET) << 16);
}

/* It waits for others by a ring, which is what a call of accept(2) would show. */
static __always_inline int on_ring_accept(void)
{
	__u32 call = ring_serves && !serving(phase_of(tgid_here())) ? ring_call() : TRACE_NO_CALL;
	__u64 args[6] = {};

	if (call != TRACE_NO_CALL)
		begin_serving(TRACE_SERVES_ACCEPT, TRACE_RING_ENTER | (call & ~(TRACE_NRS - 1u)),
			      args);
	return 0;
}

/* A request that is made with credentials which its ring was told to keep. */
static __always_inline int on_ring_credentials(void)
{
	__u32 call = ring_call();
	struct scratch *s;

	if (call == TRACE_NO_CALL)
		return 0;
	s = take_for_unruled();
	if (!s)
		return 0;
	s->ask.call = call;
	s->ask.what = TRACE_OP_RING;
	s->ask.names[0] = s->ask.names[1] = s->ask.names[2] = 0;
	record_ask(TRACE_RING_OTHERS);
	scratch_give_second(s);
	return 0;
}

#endif
