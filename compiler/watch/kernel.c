/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's log and audit's records, from the kernel itself. Both outlive the capabilities that
 * opened them: /dev/kmsg asks when it is opened (devkmsg_open()), the group when it is joined
 * (audit_multicast_bind()).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "compiler/watch/kernel.h"

enum {
	SOCKET_BYTES = 8 << 20,
	SKIPPED_MAX = 4096, /* records of other types, before others have their turn */
	STATUS_MIN = offsetof(struct audit_status, lost) + sizeof(uint32_t),
	ANSWERS_MAX = 8, /* messages that are no answer */
};

/* ---- the kernel's log ---- */

int kmsg_open(struct arena *a, struct watch_source *s)
{
	s->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (s->fd < 0)
		return -errno;
	s->record = arena_alloc(a, KERNEL_RECORD_MAX);
	return lseek(s->fd, 0, SEEK_END) < 0 ? -errno : 0;
}

/* A decimal number and the byte behind it; false: it is none. */
static bool take_number(struct str *s, uint64_t *out)
{
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (n == s->n || str_u64((struct str){ s->p, n }, out))
		return false;
	*s = (struct str){ s->p + n + 1, s->n - n - 1 };
	return true;
}

/* What the kernel shows as \xNN (msg_add_ext_text()), in place. */
static struct str unescape(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (i + 3 < n && p[i] == '\\' && p[i + 1] == 'x' && hex_digit(p[i + 2]) >= 0 &&
		    hex_digit(p[i + 3]) >= 0) {
			p[to++] = (char)(hex_digit(p[i + 2]) << 4 | hex_digit(p[i + 3]));
			i += 3;
		} else {
			p[to++] = p[i];
		}
	}
	return (struct str){ p, to };
}

/* "6,1234,567890,-;text\n KEY=value\n" (Documentation/ABI/testing/dev-kmsg) */
bool kmsg_read(struct watch_source *s, size_t n, struct watch_line *line)
{
	struct str rest = { s->record, n };
	uint64_t priority, sequence;

	if (!take_number(&rest, &priority) || !take_number(&rest, &sequence))
		return false;
	/* Not in rest.p: C23's memchr gives a const pointer for a const one. */
	char *text = memchr(s->record + (n - rest.n), ';', rest.n);
	if (!text)
		return false;
	text++;
	char *end = memchr(text, '\n', (size_t)(s->record + n - text));
	if (s->sequence && sequence > s->sequence)
		s->dropped.records += sequence - s->sequence;
	s->sequence = sequence + 1;
	line->text = unescape(text, (size_t)((end ? end : s->record + n) - text));
	line->cut = false;
	/* What programs write there is never of the kernel's facility, 0 (devkmsg_write()). */
	line->from = priority >> 3 ? JOURNAL_PROGRAM : JOURNAL_KERNEL;
	return true;
}

int kmsg_next(struct watch_source *s, struct watch_line *line)
{
	for (;;) {
		ssize_t n = read(s->fd, s->record, KERNEL_RECORD_MAX);

		if (n > 0 && kmsg_read(s, (size_t)n, line))
			return 1;
		/* Overrun: the next one's number tells how many are gone, if one came before. */
		if (n < 0 && errno == EPIPE)
			s->dropped.times += !s->sequence;
		if (n > 0 || (n < 0 && (errno == EINTR || errno == EPIPE)))
			continue;
		if (!n || errno == EAGAIN)
			return 0;
		return -errno;
	}
}

/* ---- audit ---- */

int audit_open(struct arena *a, struct watch_source *s)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK,
				  .nl_groups = 1u << (AUDIT_NLGRP_READLOG - 1) };
	const int size = SOCKET_BYTES;

	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
	if (s->fd < 0)
		return -errno;
	/* Without CAP_NET_ADMIN it is net.core.rmem_max at most. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	s->record = arena_alloc(a, AUDIT_HEAD_MAX + KERNEL_RECORD_MAX);
	return bind(s->fd, (const struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
}

bool audit_read_status(const char *message, size_t n, uint64_t *lost)
{
	struct audit_status status = { 0 };
	struct nlmsghdr head;

	if (n < sizeof(head))
		return false;
	memcpy(&head, message, sizeof(head));
	/* Older kernels have fewer fields behind it, newer ones more. */
	if (head.nlmsg_type != AUDIT_GET || n - sizeof(head) < STATUS_MIN)
		return false;
	n -= sizeof(head);
	memcpy(&status, message + sizeof(head), n < sizeof(status) ? n : sizeof(status));
	*lost = status.lost;
	return true;
}

bool audit_lost_so_far(uint64_t *lost)
{
	const struct nlmsghdr question = { .nlmsg_len = sizeof(question),
					   .nlmsg_type = AUDIT_GET,
					   .nlmsg_flags = NLM_F_REQUEST,
					   .nlmsg_seq = 1 };
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct timeval wait = { .tv_usec = 500000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	char answer[1024];
	bool known = false;

	if (fd < 0)
		return false;
	if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) &&
	    sendto(fd, &question, sizeof(question), 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) == sizeof(question))
		for (unsigned i = 0; !known && i < ANSWERS_MAX; i++) {
			struct sockaddr_nl from = { 0 };
			socklen_t size = sizeof(from);
			ssize_t n = recvfrom(fd, answer, sizeof(answer), 0,
					     (struct sockaddr *)&from, &size);

			if (n <= 0)
				break;
			known = !from.nl_pid && audit_read_status(answer, (size_t)n, lost);
		}
	close(fd);
	return known;
}

static bool is_told(unsigned type)
{
	return type == AUDIT_SECCOMP || type == AUDIT_AVC || type == AUDIT_USER_AVC;
}

/*
 * As the log has it: the type is not part of the text. nlmsg_len is of the text alone on some
 * kernels, of all on others: what was received counts.
 */
bool audit_read_message(struct watch_source *s, size_t n, struct watch_line *line)
{
	char *message = s->record + AUDIT_HEAD_MAX;
	struct nlmsghdr head;
	char type[AUDIT_HEAD_MAX];

	if (n < sizeof(head))
		return false;
	memcpy(&head, message, sizeof(head));
	if (!is_told(head.nlmsg_type))
		return false;
	size_t len = (size_t)snprintf(type, sizeof(type), "type=%u ", head.nlmsg_type);
	char *text = message + sizeof(head);
	size_t left = n - sizeof(head);
	while (left && (!text[left - 1] || text[left - 1] == '\n'))
		left--;
	memcpy(text - len, type, len);
	*line = (struct watch_line){ .text = { text - len, len + left }, .from = JOURNAL_KERNEL };
	return true;
}

int audit_next(struct watch_source *s, struct watch_line *line)
{
	for (unsigned i = 0; i < SKIPPED_MAX; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(s->fd, s->record + AUDIT_HEAD_MAX, KERNEL_RECORD_MAX,
				     MSG_DONTWAIT, (struct sockaddr *)&from, &size);

		if (n > 0 && !from.nl_pid && audit_read_message(s, (size_t)n, line))
			return 1;
		if (n < 0 && errno == ENOBUFS)
			s->dropped.times++; /* the socket was full: the kernel does not count */
		else if (n < 0 && errno != EINTR)
			return errno == EAGAIN ? 0 : -errno;
	}
	return 0;
}
