/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ports that are bound and connected. */
#ifndef LEARN_ADDRESSES_BPF_H
#define LEARN_ADDRESSES_BPF_H

#include "learn/paths.bpf.h"
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

/* As it is asked for, before anybody grants it. op: ADDRESS_BIND, ADDRESS_CONNECT. */
int record_address(__u32 op, __u32 fd, __u64 at, __u32 len)
{
	__u64 words[ADDRESS_MOST / 8] = {};
	struct trace_count fresh = {}, *n;
	struct address k = {};
	int type;

	if (len < 16 || (type = socket_type(fd)) < 0)
		return 0;
	if (bpf_probe_read_user(words, 16, (void *)at) ||
	    ((__u16)words[0] == AF_INET6 && len >= ADDRESS_MOST &&
	     bpf_probe_read_user(&words[2], 8, (void *)(at + 16)))) {
		count_loss(TRACE_LOSS_READS);
		return 0;
	}
	if (!address_read((void *)words, len, &k))
		return 0;
	k.op = op & 1;
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

#endif
