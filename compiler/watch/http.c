/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

int http_open(struct http *h, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	const int on = 1;

	*h = (struct http){ .fd = -1 };
	h->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->listening < 0)
		return -errno;
	(void)setsockopt(h->listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(h->listening, (const struct sockaddr *)&at, sizeof(at)) ||
	    listen(h->listening, 4) || getsockname(h->listening, (struct sockaddr *)&at, &size))
		return -errno;
	h->port = ntohs(at.sin_port);
	return 0;
}

static void hang_up(struct http *h)
{
	if (h->fd >= 0)
		close(h->fd);
	buf_free(&h->answer);
	h->answer = (struct buf){ 0 };
	h->fd = -1;
	h->read = h->written = 0;
}

void http_close(struct http *h)
{
	hang_up(h);
	if (h->listening >= 0)
		close(h->listening);
	h->listening = -1;
}

int http_wants(const struct http *h, short *events)
{
	*events = h->answer.n ? POLLOUT : POLLIN;
	return h->fd >= 0 ? h->fd : h->listening;
}

static void accept_one(struct http *h, uint64_t now_ns)
{
	h->fd = accept4(h->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	h->until_ns = now_ns + HTTP_SECONDS * SECOND;
}

static void answer(struct http *h, const char *status, const struct buf *body)
{
	buf_printf(&h->answer,
		   "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		   "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		   status, body->n);
	if (body->n)
		buf_add(&h->answer, body->p, body->n);
}

static void answer_short(struct http *h, const char *status)
{
	BUF_AUTO body = { 0 };

	buf_printf(&body, "%s\n", status);
	answer(h, status, &body);
}

/* The whole head is there: what it asks for. */
static void understand(struct http *h, http_body_fn *body, void *who)
{
	struct str r = { h->request, h->read };
	BUF_AUTO text = { 0 };

	if (!str_starts(r, "GET ")) {
		answer_short(h, "405 Method Not Allowed");
	} else if (!str_starts(r, "GET /metrics ") && !str_starts(r, "GET /metrics?")) {
		answer_short(h, "404 Not Found");
	} else {
		body(who, &text);
		answer(h, "200 OK", &text);
	}
}

static void read_request(struct http *h, http_body_fn *body, void *who)
{
	ssize_t n = recv(h->fd, h->request + h->read, sizeof(h->request) - h->read, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(h);
		return;
	}
	h->read += (size_t)n;
	if (memmem(h->request, h->read, "\r\n\r\n", 4))
		understand(h, body, who);
	else if (h->read == sizeof(h->request))
		answer_short(h, "431 Request Header Fields Too Large");
	if (h->answer.failed)
		hang_up(h);
}

static void write_answer(struct http *h)
{
	ssize_t n = send(h->fd, h->answer.p + h->written, h->answer.n - h->written, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		h->written += (size_t)n;
	if (n <= 0 || h->written == h->answer.n)
		hang_up(h);
}

void http_step(struct http *h, uint64_t now_ns, http_body_fn *body, void *who)
{
	if (h->listening < 0)
		return;
	if (h->fd >= 0 && now_ns >= h->until_ns)
		hang_up(h);
	if (h->fd < 0)
		accept_one(h, now_ns);
	if (h->fd >= 0 && !h->answer.n)
		read_request(h, body, who);
	if (h->fd >= 0 && h->answer.n)
		write_answer(h);
}
