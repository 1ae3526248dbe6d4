/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a stopped task is about to bind, connect or send to, as trace.bpf.c has it of its own tasks. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "learn/record/address.h"

struct addressed { /* what a call was given for an address, and for which descriptor */
	uint64_t at;
	uint32_t len;
	int fd;
	unsigned op; /* ADDRESS_* */
};

/* How many a call may have: takes is as of struct trace_call. */
unsigned address_count(unsigned takes, const uint64_t args[6]);
/* One of them; of sendmsg(2) and sendmmsg(2) it stands in memory, compat: in words of 32 bits. False: there is none. */
bool address_find(pid_t tid, unsigned takes, const uint64_t args[6], unsigned which, bool compat,
		  struct addressed *out);
/* ADDRESS_* of the socket that a task has; one that may not be looked at is of a type that is not known. */
__u8 address_type_of(pid_t tid, int fd);
/*
 * raw: the first n bytes of the address, zeros behind them, of which it gave `len`. False: it is none of IP's. A descriptor that may not be looked at is of a type that
 * is not known.
 */
bool address_take(pid_t tid, int fd, const __u8 raw[ADDRESS_MOST], __u32 len, struct address *out);
