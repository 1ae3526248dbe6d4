/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the live view goes. The picture stands in the flow of what the terminal shows, as lines that
 * are written over from their first one on: no mode of the terminal is changed, so whatever ends us
 * leaves it as it was.
 */
#include "compiler/cmd/live.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/clock.h"

#define SECOND   UINT64_C(1000000000)
#define LINES_NS (10 * SECOND)

static bool can_move(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

enum live_mode live_choose(const struct option_value *asked, bool is_command)
{
	enum { AUTO, SCREEN, LINES, OFF } word = asked->given ? asked->word : OFF;

	/* A command writes to the same terminal. */
	if (!asked->given)
		return !is_command && can_move() ? LIVE_SCREEN : LIVE_OFF;
	if (word == AUTO)
		word = !is_command && can_move() ? SCREEN : LINES;
	if (word == SCREEN)
		return can_move() ? LIVE_SCREEN : LIVE_LINES;
	return word == LINES ? LIVE_LINES : LIVE_OFF;
}

/* ---- the terminal ---- */

/* One of our own, which does not make us wait where somebody holds its output (Ctrl-S). */
static int open_terminal(void)
{
	char path[PATH_MAX];
	struct stat a, b;
	int fd;

	if (ttyname_r(STDERR_FILENO, path, sizeof(path)))
		return -1;
	fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &a) && !fstat(STDERR_FILENO, &b) && a.st_rdev == b.st_rdev)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* True: all of it has gone out. What is left goes first, for it may end in the middle of a name. */
static bool flush(struct live_view *v)
{
	while (v->sent < v->unsent.n) {
		struct pollfd p = { .fd = v->fd, .events = POLLOUT };
		ssize_t n;

		if (!v->is_own && poll(&p, 1, 0) <= 0)
			return false;
		n = write(v->fd, v->unsent.p + v->sent, v->unsent.n - v->sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			v->is_off = true;
		if (n <= 0)
			return false;
		v->sent += (size_t)n;
	}
	v->sent = v->unsent.n = 0;
	return true;
}

/* A shell has the terminal while we are in the background. */
static bool is_ours(const struct live_view *v)
{
	pid_t front = tcgetpgrp(v->fd);

	return front < 0 || front == getpgrp();
}

static void look_at_size(const struct live_view *v, unsigned *width, unsigned *height)
{
	struct winsize size = { 0 };

	(void)ioctl(v->fd, TIOCGWINSZ, &size);
	*width = size.ws_col ? size.ws_col : 80;
	*height = size.ws_row ? size.ws_row : 24;
}

/* The rows that our lines take up: those that have become longer than the terminal is wide take several. */
static size_t rows_above(const struct live_view *v, unsigned width, unsigned height)
{
	size_t rows = 0;

	for (size_t i = 0; i < v->rows; i++)
		rows += v->lengths[i] ? (v->lengths[i] + width - 1) / width : 1;
	return rows < height ? rows : height - 1;
}

/* To where our first line begins, and away with all below it. */
static void put_back(struct live_view *v, unsigned width, unsigned height)
{
	size_t rows = v->is_fresh ? 0 : rows_above(v, width, height);

	buf_puts(&v->unsent, "\r");
	if (rows)
		buf_printf(&v->unsent, "\033[%zuA", rows);
	buf_puts(&v->unsent, "\033[J");
	v->rows = 0;
}

/* How long each line is on the screen: colours take no room. */
static void note_lengths(struct live_view *v, const struct buf *picture)
{
	size_t n = 0;

	v->rows = 0;
	for (size_t i = 0; i < picture->n; i++) {
		if (picture->p[i] == '\033') {
			while (picture->p[i] != 'm')
				i++;
		} else if (picture->p[i] != '\n') {
			n++;
		} else if (v->rows < ARRAY_SIZE(v->lengths)) {
			v->lengths[v->rows++] = n;
			n = 0;
		}
	}
}

static void draw(struct live_view *v, const struct live_look *look)
{
	unsigned width, height;
	BUF_AUTO picture = { 0 };

	look_at_size(v, &width, &height);
	if (v->rows && look->clock_ns - v->drawn_ns < SECOND && width == v->width &&
	    height == v->height)
		return;
	if (!flush(v))
		return;
	if (v->resumed && *v->resumed != v->resumed_seen) {
		v->resumed_seen = *v->resumed;
		v->is_fresh = true; /* a shell has written meanwhile */
	}
	if (!is_ours(v)) {
		v->is_fresh = true;
		return;
	}
	v->drawn_ns = look->clock_ns;
	v->width = width;
	v->height = height;
	live_picture(&picture, &v->text, look, width > 1 ? width - 1 : 1,
		     height > 2 ? height - 1 : 1);
	put_back(v, width, height);
	v->is_fresh = false;
	note_lengths(v, &picture);
	buf_add(&v->unsent, picture.p, picture.n);
	flush(v);
}

/* ---- lines ---- */

static void say(struct live_view *v, const struct live_look *look)
{
	struct live_then now = { .calls = look->calls, .files = look->files, .caps = look->caps };
	bool lossy = run_lossy(&look->lost);

	if (!look->ns || look->clock_ns - v->drawn_ns < LINES_NS || !flush(v))
		return;
	if (!memcmp(&now, &v->said, sizeof(now)) && lossy == v->was_lossy)
		return;
	v->drawn_ns = look->clock_ns;
	v->said = now;
	v->was_lossy = lossy;
	live_line(&v->unsent, &v->text, look);
	buf_putc(&v->unsent, '\n');
	flush(v);
}

/* ---- both ---- */

static uint64_t own_ns(void)
{
	struct rusage u = { 0 };

	(void)getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * SECOND +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void show(void *who, const struct live_look *look)
{
	struct live_view *v = who;

	if (v->is_off)
		return;
	if (!v->text.is_ready)
		v->drawn_ns = v->mode == LIVE_SCREEN ? 0 : v->drawn_ns;
	v->text.is_ready = true;
	live_note(&v->text, look, own_ns());
	if (v->mode == LIVE_SCREEN)
		draw(v, look);
	else
		say(v, look);
}

void live_open(struct live_view *v, enum live_mode mode, const char *what,
	       const struct recording *earlier)
{
	v->mode = mode;
	v->text.what = what;
	v->text.earlier = earlier;
	v->text.colour = mode == LIVE_SCREEN && !getenv("NO_COLOR");
	v->live.show = show;
	v->live.who = v;
	v->is_fresh = true;
	if (mode == LIVE_LINES) /* the first one after a second */
		v->drawn_ns = clock_ns() - LINES_NS + SECOND;
	v->fd = mode == LIVE_SCREEN ? open_terminal() : -1;
	v->is_own = v->fd >= 0;
	if (!v->is_own)
		v->fd = STDERR_FILENO;
	if (mode == LIVE_SCREEN)
		draw(v, &v->live.look);
}

void live_close(struct live_view *v, const struct recording *r)
{
	unsigned width, height;

	if (v->mode == LIVE_SCREEN && !v->is_off && flush(v) && is_ours(v)) {
		look_at_size(v, &width, &height);
		if (v->rows)
			put_back(v, width, height);
		flush(v);
	}
	if (v->mode != LIVE_OFF && r && !v->is_off) {
		BUF_AUTO line = { 0 };

		live_last(&line, r);
		buf_putc(&line, '\n');
		tell_text(&line);
	}
	if (v->is_own)
		close(v->fd);
	buf_free(&v->unsent);
	v->mode = LIVE_OFF;
}
