/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * `pale learn --live`: a run as it is recorded, on standard error. On a terminal it is a few lines that
 * are written over, elsewhere a line now and then; live_text.c has what stands there, live.c where it
 * goes. Nothing here waits: a terminal that does not take a picture misses it.
 */
#include "compiler/cmd/options.h"
#include "learn/live.h"
#include "learn/record/recording.h"

enum { LIVE_SECONDS = 10 }; /* what is "new" was not seen before these */

struct live_then { /* how it stood at some time */
	uint64_t clock_ns, made, own_ns;
	size_t calls, files, caps;
};

struct live_text {                               /* what a picture is made of beside the look */
	const char *what;                        /* "the container 'web'" */
	const struct recording *earlier;         /* of runs before this one; NULL */
	struct live_then then[LIVE_SECONDS + 1]; /* by seconds, the last one first */
	size_t n;
	bool colour;
	bool is_ready; /* it is recorded: whatever comes is seen */
};

enum live_mode { LIVE_OFF, LIVE_SCREEN, LIVE_LINES };

struct live_view {
	struct live live;
	struct live_text text;
	enum live_mode mode;
	const volatile sig_atomic_t *resumed; /* counted up by SIGCONT */
	sig_atomic_t resumed_seen;
	int fd;
	bool is_own;   /* fd was opened here */
	bool is_fresh; /* nothing of ours stands above the cursor */
	bool is_off;   /* the terminal is gone */
	uint64_t drawn_ns;
	size_t lengths[64], rows; /* of the lines that stand there */
	unsigned width, height;
	struct buf unsent;
	size_t sent;
	struct live_then said; /* of lines */
	bool was_lossy, has_said;
};

/* What is asked for, of a command or of what runs already. */
enum live_mode live_choose(const struct option_value *asked, bool is_command);
/* `what`, earlier: borrowed. */
void live_open(struct live_view *v, enum live_mode mode, const char *what,
	       const struct recording *earlier);
/* The end: takes the picture away and leaves a line; r NULL: there is no recording. */
void live_close(struct live_view *v, const struct recording *r);

/* live_text.c. Remembers how it stands, once a second. */
void live_note(struct live_text *t, const struct live_look *look, uint64_t own_ns);
/* At most `height` lines, none longer than `width`, each ended. */
void live_picture(struct buf *out, const struct live_text *t, const struct live_look *look,
		  unsigned width, unsigned height);
/* The same on a line, without its end. */
void live_line(struct buf *out, const struct live_text *t, const struct live_look *look);
/* And of the whole run. */
void live_last(struct buf *out, const struct recording *r);
