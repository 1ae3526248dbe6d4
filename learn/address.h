/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a stopped task is about to bind or connect, as trace.bpf.c has it of its own tasks. */
#include <stdbool.h>
#include <sys/types.h>

#include "learn/record/address.h"

/*
 * raw: the first n bytes of the address, zeros behind them, of which it gave `len`; op: ADDRESS_BIND,
 * ADDRESS_CONNECT. False: it is none of IP's. A descriptor that may not be looked at is of a type that
 * is not known.
 */
bool address_take(pid_t tid, int fd, const __u8 raw[ADDRESS_MOST], __u32 len, struct address *out);
