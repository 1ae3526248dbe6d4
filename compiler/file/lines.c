/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Of a line that is dropped, before who follows others, too, has a turn: it may have no end. */
enum { DROP_MAX = 16 << 20 };

void lines_open(struct lines *l, struct arena *a, int fd, size_t most)
{
	*l = (struct lines){ .fd = fd, .bytes = arena_alloc(a, most), .size = most };
}

static bool is_ready(const struct lines *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return !l->follows || poll(&p, 1, 0) > 0;
}

/* 0, or -errno. What was given is forgotten. */
static int fill(struct lines *l)
{
	if (!is_ready(l))
		return -EAGAIN;
	memmove(l->bytes, l->bytes + l->at, l->n - l->at);
	l->n -= l->at;
	l->at = 0;
	ssize_t got = read(l->fd, l->bytes + l->n, l->size - l->n);
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	l->n += (size_t)got;
	if (!got && l->grows)
		return -EAGAIN;
	l->ended = !got;
	return 0;
}

/* The end of the line at hand; NULL: it is not there yet. */
static const char *find_end(const struct lines *l)
{
	return memchr(l->bytes + l->at, '\n', l->n - l->at);
}

/* What is left of a line that was cut. */
static int drop_rest(struct lines *l)
{
	const char *end;
	size_t passed = 0;
	int err = 0;

	while (!err && !(end = find_end(l)) && !l->ended) {
		passed += l->n - l->at;
		l->at = l->n;
		l->busy = l->follows && passed >= DROP_MAX;
		err = l->busy ? -EAGAIN : fill(l);
	}
	l->at = end ? (size_t)(end - l->bytes) + 1 : l->n;
	l->dropping = err != 0;
	return err;
}

/* What a writer leaves in front of its next line that was not told that its log was cut off. */
static size_t skip_zeros(struct lines *l)
{
	size_t from = l->at;

	while (l->follows && l->at < l->n && !l->bytes[l->at])
		l->at++;
	return l->at - from;
}

int lines_next(struct lines *l, struct str *line, bool *cut)
{
	const char *end = NULL;
	size_t zeros = 0;
	int err;

	l->busy = false;
	err = l->dropping ? drop_rest(l) : 0;
	while (!err) {
		zeros += skip_zeros(l);
		end = find_end(l);
		if (end || l->ended || l->n - l->at == l->size)
			break;
		l->busy = zeros >= DROP_MAX;
		err = l->busy ? -EAGAIN : fill(l);
	}
	if (err || l->at == l->n)
		return err;
	*line = (struct str){ l->bytes + l->at,
			      end ? (size_t)(end - l->bytes) - l->at : l->n - l->at };
	*cut = l->dropping = !end && !l->ended;
	l->at += line->n + (end != NULL);
	l->number++;
	return 1;
}
