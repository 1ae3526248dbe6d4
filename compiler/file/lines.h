/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A file of any length, line by line: a log is not kept whole to be read. */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"

struct lines {
	int fd;
	char *bytes;
	size_t size, at, n;
	uint64_t number; /* of the line that was given last, from 1 */
	bool dropping, ended;
	/*
	 * Set by who follows what is written meanwhile. follows: where nothing is to be read yet it is
	 * -EAGAIN, and what there is of a line waits for its end; grows: so is the end of a file.
	 */
	bool follows, grows;
	bool busy; /* of what is dropped there is more at once, and others have their turn first */
};

/* Of a line no more than `most` bytes are given; as many are kept, in the arena. */
void lines_open(struct lines *l, struct arena *a, int fd, size_t most);
/*
 * 1 and the next line without its end, good until the next call (*cut: it goes on, and the rest is
 * dropped); 0: there is no more; -errno of read(2), after -EAGAIN it goes on.
 */
int lines_next(struct lines *l, struct str *line, bool *cut);
