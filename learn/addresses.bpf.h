/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses that are bound, connected and sent to. */
#ifndef LEARN_ADDRESSES_BPF_H
#define LEARN_ADDRESSES_BPF_H

#include "learn/asks.bpf.h"
#include "learn/record/address.h"

/* The type of the socket behind a descriptor; -1: there is none. */
static __always_inline int socket_type(__u32 fd)
{
	struct file *f = file_of((void *)bpf_get_current_task(), fd);
	const struct socket *s;

	if (!f || (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return -1;
	s = BPF_CORE_READ(f, private_data);
	return address_type(BPF_CORE_READ(s, type));
}

/*
 * With an ADDRESS_*: the address lies in the kernel, and the socket is no descriptor but that itself; NULL: it
 * is not known.
 */
enum { ADDRESS_KERNEL = 0x100 };

static __always_inline long read_address(void *to, __u32 n, __u64 at, __u32 op)
{
	return op & ADDRESS_KERNEL ? bpf_probe_read_kernel(to, n, (void *)at) :
				     bpf_probe_read_user(to, n, (void *)at);
}

static __always_inline int type_of(__u32 op, __u64 of)
{
	if (!(op & ADDRESS_KERNEL))
		return socket_type((__u32)of);
	return of ? address_type(BPF_CORE_READ((struct socket *)of, type)) : ADDRESS_UNKNOWN;
}

/*
 * As it is asked for, before anybody grants it. op: ADDRESS_*; of: a descriptor, or with ADDRESS_KERNEL a
 * struct socket.
 */
ALONE int record_address(__u32 op, __u64 of, __u64 at, __u32 len)
{
	__u64 words[ADDRESS_MOST / 8] = {};
	struct trace_count fresh = {}, *n;
	struct address k = {};
	int type;

	if (len < 16 || (type = type_of(op, of)) < 0)
		return 0;
	if (read_address(words, 16, at, op) ||
	    ((__u16)words[0] == AF_INET6 && len >= ADDRESS_MOST &&
	     read_address(&words[2], 8, at + 16, op))) {
		count_loss(TRACE_LOSS_READS);
		return 0;
	}
	if (!address_read((void *)words, len, &k))
		return 0;
	k.op = (__u8)op;
	k.type = type;
	n = bpf_map_lookup_elem(&addresses, &k);
	if (!n) {
		__u32 group = address_group(&k);
		__u32 *ports = bpf_map_lookup_elem(&ports_kept, &group);

		if (!ports)
			return 0;
		if (*ports >= TRACE_VALUES) {
			k.port = 0;
			k.others = 1;
		}
		if (!bpf_map_update_elem(&addresses, &k, &fresh, BPF_NOEXIST) && !k.others)
			__sync_fetch_and_add(ports, 1);
		n = bpf_map_lookup_elem(&addresses, &k);
	}
	if (!n) {
		count_loss(TRACE_LOSS_VALUES);
		return 0;
	}
	if (!n->count)
		n->first_ns = since_start();
	__sync_fetch_and_add(&n->count, 1);
	return 0;
}

/*
 * The name of an abstract address of len bytes, and what was done with it, as a rule of its own. At most
 * so many names of each are kept.
 */
ALONE int record_abstract(__u32 op, __u64 of, __u64 at, __u32 len)
{
	__u32 n = len > 3 ? len - 3 : 0, group, *kept;
	struct scratch *s = scratch_get();
	int type = type_of(op, of);

	if (!s || type < 0)
		return 0;
	group = ADDRESS_GROUPS + (op & 0xff) * ADDRESS_TYPES + (__u32)type;
	kept = bpf_map_lookup_elem(&ports_kept, &group);
	if (!kept)
		return 0;
	s->last = 0;
	if (n && *kept >= TRACE_VALUES) {
		n = TRACE_ABSTRACT_OTHERS;
	} else if (n) {
		n = bounded(n, 127); /* a sun_path has 108 bytes */
		if (read_address(s->buf, n, at + 3, op)) {
			count_loss(TRACE_LOSS_UNRESOLVED);
			return 0;
		}
		s->off = 0;
		s->len = n;
		s->parent = 0;
		s->kind = TRACE_WORD;
		s->perms = s->flags = 0;
		s->about = 0;
		s->not_owned = 0;
		if (intern())
			return 0;
	}
	s->ask.what = TRACE_OP_BIND;
	s->ask.names[0] = s->last;
	s->ask.names[1] = s->ask.names[2] = 0;
	s->ask.value = TRACE_ABSTRACT(op & 0xff, type, n);
	if (!bpf_map_lookup_elem(&asks, &s->ask))
		__sync_fetch_and_add(kept, 1);
	return record_ask(s->ask.value);
}

/*
 * A unix socket's address; how: what its path is used for, as record_join() has it; 0: the kernel told it
 * elsewhere.
 */
static __always_inline int record_unix(__u32 op, __u64 of, __u64 at, __u32 len, __u32 how)
{
	__u16 family = 0;
	char first = 0;

	if (len < 2 || len > UNIX_MOST || read_address(&family, sizeof(family), at, op) ||
	    family != AF_UNIX)
		return 0;
	if (len == 2) /* a name of the kernel's own choice */
		return (op & 0xff) == ADDRESS_BIND ? record_abstract(op, of, at, len) : 0;
	if (read_address(&first, 1, at + 2, op))
		return 0;
	if (!first)
		return record_abstract(op, of, at, len);
	if (op & ADDRESS_KERNEL)
		how |= how ? JOIN_KERNEL : 0;
	return how ? record_join(-1, at + 2, len - 2, how) : 0;
}

/* The fifth argument, which is sendto's address. */
static __always_inline __u64 fifth(bool btf, void *regs, struct trace_event_raw_sys_enter *event,
				   bool compat)
{
	struct pt_regs___x86 *x = regs;
	__u64 v = 0;

	if (event) {
		bpf_probe_read_kernel(&v, sizeof(v), &event->args[4]);
		return v;
	}
	if (bpf_core_field_exists(x->r8)) {
		if (btf)
			return compat ? (__u32)x->di : x->r8;
		return compat ? (__u32)BPF_CORE_READ(x, di) : BPF_CORE_READ(x, r8);
	}
	bpf_probe_read_kernel(&v, sizeof(v), regs + 4 * sizeof(__u64));
	return v;
}

struct sent { /* the head of a struct msghdr */
	__u64 name;
	__u32 len, pad;
};

/* Not by native calls: its words have 32 bits (include/net/compat.h; x32's calls take that, too). */
struct sent_32 {
	__u32 name, len;
};

static __always_inline __u32 message_size(__u32 call)
{
	return call / TRACE_NRS == TRACE_NATIVE ? TRACE_MESSAGE_SIZE : TRACE_MESSAGE_SIZE / 2;
}

/* To whom it is sent: of most messages nobody is named, as their socket is connected. */
static __always_inline int record_sent_to(__u64 name, __u32 len, __u32 call, __u32 fd)
{
	struct scratch *s;

	if (!name || !len)
		return 0;
	record_address(ADDRESS_SEND, fd, name, len);
	if (no_files)
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	s->ask.call = call;
	if (!sees_asked && is_below_proc(name + 2)) /* behind the family */
		look(name + 2, 0);
	record_unix(ADDRESS_SEND, fd, name, len, TRACE_W | (TRACE_FOLLOW | TRACE_SOCKET) << 16);
	scratch_give(s);
	return 0;
}

/* By a struct msghdr, which a struct mmsghdr begins with. Not 0: the kernel cannot read it either. */
ALONE int record_sent_by(__u64 at, __u32 call, __u32 fd)
{
	struct sent to = {};
	struct sent_32 by = {};

	if (call / TRACE_NRS == TRACE_NATIVE) {
		if (bpf_probe_read_user(&to, sizeof(to), (void *)at))
			return 1;
	} else {
		if (bpf_probe_read_user(&by, sizeof(by), (void *)at))
			return 1;
		to.name = by.name;
		to.len = by.len;
	}
	return record_sent_to(to.name, to.len, call, fd);
}

ALONE int record_sent_some(__u64 at, __u32 n, __u32 call, __u32 fd)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TRACE_MESSAGES_SOME && i < n; i++)
		if (record_sent_by(at + i * message_size(call), call, fd))
			return 1;
	return 0;
}

/* Of n messages at once each has its own. */
ALONE int record_sent_all(__u64 at, __u32 n, __u32 call, __u32 fd)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TRACE_MESSAGES && i < n; i += TRACE_MESSAGES_SOME)
		if (record_sent_some(at + i * message_size(call), n - i, call, fd))
			return 0;
	return 0;
}

/* Of one message. */
static __always_inline void record_sent(__u32 call, __u8 address, const __u64 args[6])
{
	if (address == TRACE_SENDMSG)
		record_sent_by(args[1], call, (__u32)args[0]);
	else
		record_sent_to(args[4], (__u32)args[5], call, (__u32)args[0]);
}

#endif
