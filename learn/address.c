/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/address.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "learn/proc.h"
#include "learn/stopped.h"
#include "learn/trace.h"

static __u8 type_of(int socket)
{
	int type = 0;
	socklen_t n = sizeof(type);

	if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &n))
		return ADDRESS_UNKNOWN;
	return (__u8)address_type(type);
}

__u8 address_type_of(pid_t tid, int fd)
{
	long long pid = proc_field(tid, "status", "\nTgid:", "%lld");
	int process = pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1, mine = -1;
	__u8 type = ADDRESS_UNKNOWN;

	if (process >= 0)
		mine = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	if (mine >= 0) {
		type = type_of(mine);
		close(mine);
	}
	if (process >= 0)
		close(process);
	return type;
}

unsigned address_count(unsigned takes, const uint64_t args[6])
{
	if (takes != TRACE_SENDMMSG)
		return 1;
	return (uint32_t)args[2] < TRACE_MESSAGES ? (uint32_t)args[2] : TRACE_MESSAGES;
}

bool address_find(pid_t tid, unsigned takes, const uint64_t args[6], unsigned which, bool compat,
		  struct addressed *out)
{
	struct { /* the head of a struct msghdr */
		uint64_t name;
		uint32_t len, pad;
	} to = { args[1], (uint32_t)args[2], 0 };
	struct {
		uint32_t name, len;
	} by;

	if (takes >= TRACE_SENDMSG && compat) {
		if (!stopped_memory(tid, args[1] + which * TRACE_MESSAGE_SIZE / 2, &by, sizeof(by)))
			return false;
		to.name = by.name;
		to.len = by.len;
	} else if (takes >= TRACE_SENDMSG) {
		if (!stopped_memory(tid, args[1] + which * TRACE_MESSAGE_SIZE, &to, sizeof(to)))
			return false;
	} else if (takes == TRACE_SENDTO) {
		to.name = args[4];
		to.len = (uint32_t)args[5];
	}
	*out = (struct addressed){ to.name, to.len, (int)args[0],
				   takes >= TRACE_SENDTO ? ADDRESS_SEND : takes - 1 };
	return to.name && to.len;
}

bool address_take(pid_t tid, int fd, const __u8 raw[ADDRESS_MOST], __u32 len, struct address *out)
{
	*out = (struct address){ .type = ADDRESS_UNKNOWN };
	if (!address_read(raw, len, out))
		return false;
	out->type = address_type_of(tid, fd);
	return true;
}
