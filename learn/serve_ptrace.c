/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/serve_ptrace.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "learn/stopped.h"

#define FDINFO_LINES 4096

/* Its socket of that number, as one of ours: -1: it is none, or not to be had. */
static int borrow(const struct serve_stopped *s, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0), out;

	if (pidfd < 0)
		return -1;
	out = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	return out;
}

/* SO_* of a socket; -1: it has none. */
static int option_of(int fd, int option)
{
	socklen_t n = sizeof(option);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &n) ? -1 : value;
}

static bool is_listening(const struct serve_stopped *s, int fd)
{
	int ours = fd < 0 ? -1 : borrow(s, fd);
	bool is = ours >= 0 && option_of(ours, SO_ACCEPTCONN) > 0;

	if (ours >= 0)
		close(ours);
	return is;
}

/* Among what an epoll watches, as proc(5) lists it. */
static bool waits_epoll(const struct serve_stopped *s, int epoll)
{
	char path[64], line[256];
	unsigned looked = 0, lines = 0;
	bool found = false;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)s->tid, epoll);
	f = fopen(path, "re");
	while (f && !found && looked < TRACE_POLLED && lines++ < FDINFO_LINES &&
	       fgets(line, sizeof(line), f)) {
		if (sscanf(line, "tfd: %d", &fd) != 1)
			continue;
		looked++;
		found = is_listening(s, fd);
	}
	if (f)
		fclose(f);
	return found;
}

static bool waits_poll(const struct serve_stopped *s)
{
	struct pollfd fds[TRACE_POLLED];
	size_t n = (uint32_t)s->args[1];

	if (n > TRACE_POLLED)
		n = TRACE_POLLED;
	if (!n || !stopped_memory(s->tid, s->args[0], fds, n * sizeof(*fds)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_listening(s, fds[i].fd))
			return true;
	return false;
}

static bool waits_select(const struct serve_stopped *s)
{
	unsigned char bits[TRACE_SELECTED / 8] = { 0 };
	size_t n = (uint32_t)s->args[0];

	if (n > TRACE_SELECTED)
		n = TRACE_SELECTED;
	if (!n || !s->args[1] || !stopped_memory(s->tid, s->args[1], bits, (n + 7) / 8))
		return false;
	for (size_t i = 0; i < n; i++)
		if (bits[i / 8] >> i % 8 & 1 && is_listening(s, (int)i))
			return true;
	return false;
}

static bool says_ready(const struct serve_stopped *s, uint64_t at, uint64_t len)
{
	char text[TRACE_READY + 1] = "";
	const char *line = text;
	bool says = false;
	int ours;

	if (len > TRACE_READY)
		len = TRACE_READY;
	if (len < 7 || !stopped_memory(s->tid, at, text, len) || text[0] < 'A' || text[0] > 'Z')
		return false;
	while (line && !says) {
		says = !strncmp(line, "READY=1", 7);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	ours = says ? borrow(s, (int)s->args[0]) : -1;
	says = ours >= 0 && option_of(ours, SO_DOMAIN) == AF_UNIX &&
	       option_of(ours, SO_TYPE) == SOCK_DGRAM;
	if (ours >= 0)
		close(ours);
	return says;
}

static bool says_message(const struct serve_stopped *s)
{
	struct msghdr msg;
	struct iovec piece;

	return !s->compat && stopped_memory(s->tid, s->args[1], &msg, sizeof(msg)) &&
	       stopped_memory(s->tid, (uintptr_t)msg.msg_iov, &piece, sizeof(piece)) &&
	       says_ready(s, (uintptr_t)piece.iov_base, piece.iov_len);
}

bool serve_shows(const struct serve_stopped *s, unsigned by)
{
	switch ((enum trace_serves)by) {
	case TRACE_SERVES_NOT:
	case TRACE_SERVES_ADD: return false; /* the wait itself is looked at */
	case TRACE_SERVES_NOW:
	case TRACE_SERVES_ACCEPT: return true;
	case TRACE_SERVES_EPOLL: return waits_epoll(s, (int)s->args[0]);
	case TRACE_SERVES_POLL: return waits_poll(s);
	case TRACE_SERVES_SELECT: return waits_select(s);
	case TRACE_SERVES_SEND: return says_ready(s, s->args[1], s->args[2]);
	case TRACE_SERVES_SENDMSG: return says_message(s);
	}
	return false;
}
