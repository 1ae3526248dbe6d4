/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/http.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Up to the line's end, which is taken off; false: there is none. */
static bool take_line(struct str *text, struct str *line)
{
	const char *end = text->n ? memchr(text->p, '\n', text->n) : NULL;
	size_t n;

	if (!end)
		return false;
	n = (size_t)(end - text->p);
	*line = (struct str){ text->p, n && text->p[n - 1] == '\r' ? n - 1 : n };
	*text = (struct str){ end + 1, text->n - n - 1 };
	return true;
}

/* The value of "name: value" where that is its name, whatever the case. */
static bool header_value(struct str line, const char *name, struct str *value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || !str_ieq((struct str){ line.p, n }, str_c(name)))
		return false;
	line = (struct str){ line.p + n + 1, line.n - n - 1 };
	while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = (struct str){ line.p + 1, line.n - 1 };
	*value = line;
	return true;
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct str line, unsigned *status)
{
	uint64_t n;

	if (line.n < 12 || !str_starts(line, "HTTP/1.") || line.p[8] != ' ' ||
	    str_u64((struct str){ line.p + 9, 3 }, &n) || (line.n > 12 && line.p[12] != ' '))
		return false;
	*status = (unsigned)n;
	return true;
}

bool http_read(struct str text, struct http_answer *out)
{
	struct str line, value;
	uint64_t length = 0;
	bool has_length = false;

	*out = (struct http_answer){ .server = STR("") };
	if (!take_line(&text, &line) || !read_status(line, &out->status))
		return false;
	for (unsigned i = 0; i < HTTP_HEADS; i++) {
		if (!take_line(&text, &line))
			return false;
		if (!line.n) {
			out->body = text;
			if (has_length && length > text.n)
				return false;
			if (has_length)
				out->body.n = (size_t)length;
			return true;
		}
		if (header_value(line, "server", &value))
			out->server = value;
		if (header_value(line, "transfer-encoding", &value))
			return false; /* no answer to a request of version 1.0 */
		if (header_value(line, "content-length", &value)) {
			if (str_u64(value, &length))
				return false;
			has_length = true;
		}
	}
	return false;
}

static int talk(int fd, const char *request, struct buf *out)
{
	char part[16384];

	for (size_t sent = 0, all = strlen(request); sent < all;) {
		ssize_t n = send(fd, request + sent, all - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		sent += n > 0 ? (size_t)n : 0;
	}
	for (;;) {
		ssize_t n = recv(fd, part, sizeof(part), 0);

		if (!n)
			return out->failed ? -ENOMEM : 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_add(out, part, (size_t)n);
		if (out->n > HTTP_MOST)
			return -EFBIG;
	}
}

int http_get(const char *path, const char *target, unsigned wait_ms, struct buf *out)
{
	struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	BUF_AUTO request = { 0 };
	int fd, err;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	buf_printf(&request,
		   "GET %s HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n",
		   target);
	if (request.failed)
		return -ENOMEM;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		err = -errno;
	else
		err = talk(fd, request.p, out);
	close(fd);
	return err;
}
