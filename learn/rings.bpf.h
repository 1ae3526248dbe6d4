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

/* For what a ring does by the call; NULL: none does, or it is taken, and that is counted. */
static __always_inline struct scratch *take_for_ring(void)
{
	__u32 call = ring_call();
	struct scratch *s = call == TRACE_NO_CALL ? NULL : take_for_unruled();

	if (s)
		s->ask.call = call;
	return s;
}

/* how: of a path, as record_unix() has it. */
static __always_inline int on_ring_address(__u32 op, __u64 sock, __u64 at, __u32 len, __u32 how)
{
	struct scratch *s = at && len ? take_for_ring() : NULL;

	if (!s)
		return 0;
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
	struct scratch *s = take_for_ring();

	if (!s)
		return 0;
	s->ask.what = TRACE_OP_RING;
	s->ask.names[0] = s->ask.names[1] = s->ask.names[2] = 0;
	record_ask(TRACE_RING_OTHERS);
	scratch_give_second(s);
	return 0;
}

/* ---- where no program may stand at functions: a request, as it is handed in ---- */

enum { /* enum io_uring_op */
       RING_SENDMSG = 9,
       RING_ACCEPT = 13,
       RING_CONNECT = 16,
       RING_SEND = 26,
       RING_SOCKET = 45,
       RING_SEND_ZC = 47,
       RING_SENDMSG_ZC = 48,
       RING_BIND = 56
};
#define RING_FIXED_FILE 1u /* IOSQE_FIXED_FILE, which its flags begin with */

/* The file that a request is about: in the ring's own table its address has flags in its lowest bits. */
static __always_inline struct file *request_file(struct io_kiocb *req)
{
	__u32 fd = (__u32)BPF_CORE_READ(req, cqe.fd);
	struct io_rsrc_node **slot, *node = NULL;

	if (!(BPF_CORE_READ(req, flags) & RING_FIXED_FILE))
		return file_of((void *)bpf_get_current_task(), fd);
	if (!bpf_core_field_exists(struct io_rsrc_node, file_ptr) ||
	    !bpf_core_field_exists(struct io_file_table, data) ||
	    fd >= BPF_CORE_READ(req, ctx, file_table.data.nr))
		return NULL;
	slot = BPF_CORE_READ(req, ctx, file_table.data.nodes) + fd;
	bpf_probe_read_kernel(&node, sizeof(node), slot);
	return node ? (struct file *)(BPF_CORE_READ(node, file_ptr) & ~7ul) : NULL;
}

static __always_inline struct socket *request_socket(struct io_kiocb *req)
{
	struct file *f = request_file(req);

	if (!f || (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return BPF_CORE_READ(f, private_data);
}

/*
 * What it asks for, granted or not: of a path, too, which nobody tells otherwise. The address is the one that
 * the kernel will use, as it was copied when the request was prepared.
 */
ALONE int on_request_address(__u32 op, __u64 request, __u64 at, __u32 len, __u32 how)
{
	struct scratch *s;

	if (!at || !len)
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	s->vfs = (__u64)request_socket((void *)request);
	s->text = at;
	s->ask.call = ring_call();
	record_address(op | ADDRESS_KERNEL, s->vfs, s->text, len);
	record_unix(op | ADDRESS_KERNEL, s->vfs, s->text, len, how);
	scratch_give(s);
	return 0;
}

ALONE int on_request_sent(__u64 request)
{
	struct io_async_msghdr *data = BPF_CORE_READ((struct io_kiocb *)request, async_data);

	if (!data)
		return 0;
	return on_request_address(ADDRESS_SEND, request, (__u64)BPF_CORE_READ(data, msg.msg_name),
				  (__u32)BPF_CORE_READ(data, msg.msg_namelen),
				  TRACE_W | (TRACE_FOLLOW | TRACE_SOCKET) << 16);
}

/*
 * What was copied lies in a struct io_async_msghdr, or by itself, as here on 6.18: the former begins with an
 * address of the kernel's or NULL, which is a multiple of 8, and no family that is looked at is one.
 */
ALONE int on_request_named(__u32 op, __u64 request, __u32 len, __u32 how)
{
	struct io_async_msghdr *data = BPF_CORE_READ((struct io_kiocb *)request, async_data);
	__u64 first = 0;

	if (!data || bpf_probe_read_kernel(&first, sizeof(first), data))
		return 0;
	if ((__u16)first % 8)
		return on_request_address(op, request, (__u64)data, len, how);
	if (first && !(first >> 63)) /* another family */
		return 0;
	return on_request_address(op, request, (__u64)&data->addr, len, how);
}

static __always_inline int on_request(__u64 request)
{
	__u32 call = ring_call();
	struct io_kiocb *req = (void *)request;

	if (call == TRACE_NO_CALL || !bpf_core_type_exists(struct io_bind))
		return 0;
	switch (BPF_CORE_READ(req, opcode)) {
	case RING_SOCKET:
		return on_ring_socket((__u32)BPF_CORE_READ((struct io_socket *)req, domain),
				      (__u32)BPF_CORE_READ((struct io_socket *)req, type),
				      (__u32)BPF_CORE_READ((struct io_socket *)req, protocol), 0);
	case RING_CONNECT:
		return on_request_named(ADDRESS_CONNECT, request,
					(__u32)BPF_CORE_READ((struct io_connect *)req, addr_len),
					TRACE_R | TRACE_W | (TRACE_FOLLOW | TRACE_SOCKET) << 16);
	case RING_BIND:
		return on_request_named(ADDRESS_BIND, request,
					(__u32)BPF_CORE_READ((struct io_bind *)req, addr_len),
					TRACE_W | TRACE_MADE << 16);
	case RING_ACCEPT: return on_ring_accept();
	case RING_SEND:
	case RING_SENDMSG:
	case RING_SEND_ZC:
	case RING_SENDMSG_ZC: return on_request_sent(request);
	}
	return 0;
}

#endif
