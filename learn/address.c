/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/address.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "learn/proc.h"

static __u8 type_of(int socket)
{
	int type = 0;
	socklen_t n = sizeof(type);

	if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &n))
		return ADDRESS_UNKNOWN;
	return (__u8)address_type(type);
}

bool address_take(pid_t tid, int fd, const __u8 raw[ADDRESS_MOST], __u32 len, struct address *out)
{
	long long pid = proc_field(tid, "status", "\nTgid:", "%lld");
	int process, mine = -1;

	*out = (struct address){ .type = ADDRESS_UNKNOWN };
	if (!address_read(raw, len, out))
		return false;
	process = pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
	if (process >= 0)
		mine = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	if (mine >= 0) {
		out->type = type_of(mine);
		close(mine);
	}
	if (process >= 0)
		close(process);
	return true;
}
