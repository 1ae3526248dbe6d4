/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/grpc.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "compiler/base/clock.h"

enum { /* RFC 9113, section 6 */
       FRAME_DATA = 0,
       FRAME_HEADERS = 1,
       FRAME_RST_STREAM = 3,
       FRAME_SETTINGS = 4,
       FRAME_PING = 6,
       FRAME_GOAWAY = 7,
       FRAME_WINDOW_UPDATE = 8,
       END_STREAM = 0x1, /* of DATA and HEADERS */
       ACK = 0x1,        /* of SETTINGS and PING */
       END_HEADERS = 0x4,
       PADDED = 0x8,
       FRAME_HEAD = 9,
       FRAME_MOST = 16384, /* as long as nothing else was agreed */
       FIRST_WINDOW = 65535,
       INITIAL_WINDOW_SIZE = 4,
       MESSAGE_HEAD = 5,
       STREAM = 1,
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static uint32_t number(const char *p, size_t n)
{
	uint32_t out = 0;

	for (size_t i = 0; i < n; i++)
		out = out << 8 | (uint8_t)p[i];
	return out;
}

static void put_number(struct buf *out, uint32_t value, unsigned bytes)
{
	while (bytes--)
		buf_putc(out, (char)(value >> 8 * bytes));
}

static void put_frame(struct buf *out, unsigned type, unsigned flags, unsigned stream,
		      struct str payload)
{
	put_number(out, (uint32_t)payload.n, 3);
	put_number(out, type, 1);
	put_number(out, flags, 1);
	put_number(out, stream, 4);
	buf_add(out, payload.p, payload.n);
}

/* ---- the answer ---- */

static void take_data(struct grpc_answer *a, unsigned flags, struct str payload)
{
	size_t pad = 0;

	if (flags & PADDED) {
		if (!payload.n || (uint8_t)payload.p[0] >= payload.n) {
			a->error = -EPROTO;
			return;
		}
		pad = (uint8_t)payload.p[0];
		payload = (struct str){ payload.p + 1, payload.n - 1 - pad };
	}
	if (a->body.n + payload.n > GRPC_MOST)
		a->error = -EFBIG;
	else
		buf_add(&a->body, payload.p, payload.n);
}

static void take_frame(struct grpc_answer *a, const char *head, struct str payload,
		       struct buf *reply)
{
	unsigned type = (uint8_t)head[3], flags = (uint8_t)head[4];
	bool ours = (number(head + 5, 4) & INT32_MAX) == STREAM;

	if (type == FRAME_SETTINGS && !(flags & ACK))
		put_frame(reply, FRAME_SETTINGS, ACK, 0, STR(""));
	else if (type == FRAME_PING && !(flags & ACK) && payload.n == 8)
		put_frame(reply, FRAME_PING, ACK, 0, payload);
	else if (type == FRAME_GOAWAY || (type == FRAME_RST_STREAM && ours))
		a->error = -EPROTO;
	else if (type == FRAME_DATA && ours)
		take_data(a, flags, payload);
	a->ended |= (type == FRAME_DATA || type == FRAME_HEADERS) && ours && flags & END_STREAM;
}

size_t grpc_take(struct grpc_answer *a, struct str bytes, struct buf *reply)
{
	size_t at = 0;

	while (!a->ended && !a->error && bytes.n - at >= FRAME_HEAD) {
		size_t n = number(bytes.p + at, 3);

		if (n > FRAME_MOST || a->frames++ == GRPC_FRAMES) {
			a->error = -EPROTO;
			break;
		}
		if (bytes.n - at - FRAME_HEAD < n)
			break;
		take_frame(a, bytes.p + at, (struct str){ bytes.p + at + FRAME_HEAD, n }, reply);
		at += FRAME_HEAD + n;
	}
	return at;
}

bool grpc_message(const struct grpc_answer *a, struct str *out)
{
	/* Not compressed: none of that was offered. */
	if (!a->ended || a->error || a->body.n < MESSAGE_HEAD || a->body.p[0] ||
	    number(a->body.p + 1, 4) != a->body.n - MESSAGE_HEAD)
		return false;
	*out = (struct str){ a->body.p + MESSAGE_HEAD, a->body.n - MESSAGE_HEAD };
	return true;
}

/* ---- the question ---- */

/* RFC 7541, 6.2.2: neither indexed nor compressed; all are shorter than 127 bytes. */
static void put_field(struct buf *out, const char *name, const char *value)
{
	buf_putc(out, 0);
	buf_putc(out, (char)strlen(name));
	buf_puts(out, name);
	buf_putc(out, (char)strlen(value));
	buf_puts(out, value);
}

static void put_question(struct buf *out, const char *method, struct str message)
{
	BUF_AUTO part = { 0 };

	buf_puts(out, preface);
	put_number(&part, INITIAL_WINDOW_SIZE, 2);
	put_number(&part, GRPC_MOST, 4);
	put_frame(out, FRAME_SETTINGS, 0, 0, (struct str){ part.p, part.n });
	part.n = 0;
	put_number(&part, GRPC_MOST - FIRST_WINDOW, 4);
	put_frame(out, FRAME_WINDOW_UPDATE, 0, 0, (struct str){ part.p, part.n });
	part.n = 0;
	put_field(&part, ":method", "POST");
	put_field(&part, ":scheme", "http");
	put_field(&part, ":path", method);
	put_field(&part, ":authority", "localhost");
	put_field(&part, "content-type", "application/grpc");
	put_field(&part, "te", "trailers");
	put_frame(out, FRAME_HEADERS, END_HEADERS, STREAM, (struct str){ part.p, part.n });
	part.n = 0;
	put_number(&part, 0, 1);
	put_number(&part, (uint32_t)message.n, 4);
	buf_add(&part, message.p, message.n);
	put_frame(out, FRAME_DATA, END_STREAM, STREAM, (struct str){ part.p, part.n });
	out->failed |= part.failed;
}

static int64_t now_ms(void)
{
	return (int64_t)(clock_ns() / 1000000);
}

/* 0, or -errno: what the socket takes of it is gone. */
static int send_some(int fd, struct buf *what)
{
	ssize_t n = send(fd, what->p, what->n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	what->n -= (size_t)n;
	memmove(what->p, what->p + n, what->n);
	return 0;
}

static int receive_some(int fd, struct buf *got, struct grpc_answer *a, struct buf *reply)
{
	char part[16384];
	ssize_t n = recv(fd, part, sizeof(part), MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!n)
		return -EPROTO;
	buf_add(got, part, (size_t)n);
	n = (ssize_t)grpc_take(a, (struct str){ got->p, got->n }, reply);
	if (got->failed || reply->failed || a->body.failed)
		return -ENOMEM;
	got->n -= (size_t)n;
	memmove(got->p, got->p + n, got->n);
	return a->error;
}

/* Until the answer is whole. */
static int talk(int fd, struct buf *question, struct grpc_answer *a, int64_t until)
{
	BUF_AUTO got = { 0 };
	int err = 0;

	while (!a->ended && !err) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - now_ms();

		if (left <= 0)
			return -EAGAIN;
		p.events |= question->n ? POLLOUT : 0;
		if (poll(&p, 1, (int)left) < 0)
			err = errno == EINTR ? 0 : -errno;
		else if (p.revents & POLLOUT)
			err = send_some(fd, question);
		else if (p.revents)
			err = receive_some(fd, &got, a, question);
	}
	return err;
}

static int ask(const char *path, struct buf *question, struct grpc_answer *a, unsigned wait_ms)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, (const struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
	if (!err)
		err = talk(fd, question, a, now_ms() + wait_ms);
	close(fd);
	return err;
}

int grpc_call(const char *path, const char *method, struct str message, unsigned wait_ms,
	      struct buf *out)
{
	struct grpc_answer a = { 0 };
	BUF_AUTO question = { 0 };
	struct str answer;
	int err;

	put_question(&question, method, message);
	err = question.failed ? -ENOMEM : ask(path, &question, &a, wait_ms);
	if (!err && grpc_message(&a, &answer))
		buf_add(out, answer.p, answer.n);
	else if (!err)
		err = -EPROTO;
	buf_free(&a.body);
	return err || !out->failed ? err : -ENOMEM;
}
