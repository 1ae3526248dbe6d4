/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where refusals are heard of as they come: standard input, a log that grows and is rotated, the
 * kernel's log (/dev/kmsg), audit's multicast group, the journal. What each gives are lines, with
 * who wrote them as far as the source knows.
 */
#include <sys/types.h>

#include "compiler/file/journal.h"
#include "compiler/file/lines.h"

enum watch_kind { WATCH_INPUT, WATCH_FILE, WATCH_KMSG, WATCH_AUDIT, WATCH_JOURNAL, WATCH_KIND_NR };

enum { WATCH_LINE_MAX = 1 << 17 }; /* bytes of a line; the rest is dropped */

/* What the kernel did not keep for us. */
struct watch_dropped {
	uint64_t records; /* so many, by the gaps that it shows and what it says */
	uint64_t times;   /* it dropped some, and does not say how many */
};

struct watch_source {
	enum watch_kind kind;
	const char *name;   /* safe to print */
	int fd;             /* to be polled; -1: it is asked again each second */
	struct lines lines; /* of text */
	struct watch_dropped dropped;
	bool ended;
	uint64_t rotated;
	/* a log */
	const char *path;
	dev_t device;
	ino_t inode;
	int notices; /* inotify(7), fd then */
	/* the kernel's log */
	uint64_t sequence; /* of the record after the last */
	char *record;      /* one, where records are read */
	/* the journal */
	pid_t reader;
};

struct watch_line {
	struct str text; /* good until the next */
	bool cut;        /* it goes on */
	enum journal_origin from;
};

/*
 * Opens one, at its end: what was written before is not told. `path` is of a log, else NULL. Texts
 * are the arena's. 0, or -errno; the caller closes it in either case.
 */
int watch_open(struct arena *a, enum watch_kind kind, const char *path, struct watch_source *s);
/* 1 and a line; 0: there is none now, or no more (s->ended); -errno: it cannot be read any more. */
int watch_next(struct watch_source *s, struct watch_line *line);
void watch_close(struct watch_source *s);
/* May this user read the system's journal? */
bool watch_journal_readable(void);
/* The word of --from: "kmsg"; of a log NULL. */
const char *watch_word(enum watch_kind kind);
