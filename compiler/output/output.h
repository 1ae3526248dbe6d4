/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Files that are written, all or none of them: every text goes to a temporary file in the
 * directory of its own, is synced, and only then do all get their names; what stood there is
 * kept until the last one has. A failure, or a signal that ends the command (sigpending(2) is
 * asked: they are held back meanwhile), leaves the old files and nothing else. Where a file
 * system exchanges no names, the old file is kept as a link or a copy. One run of a user at a
 * time writes in a directory (lock.h).
 *
 * A link is followed and stays a link; one that leads to nothing is refused. In a directory that
 * others may write to and where each keeps his own files (sticky, as /tmp), another's link is
 * not followed and another's file not replaced: what the kernel refuses itself where
 * fs.protected_symlinks and fs.protected_regular are set (proc_sys_fs(5)).
 */
#include <stdbool.h>
#include <stddef.h>

#include "compiler/base/str.h"
#include "compiler/base/vec.h"

struct output_file {
	const char *path;
	const struct buf *text; /* one that failed for want of memory is not written */
	unsigned mode;          /* of a new file, under the umask; an old one keeps its own */
	bool remove;            /* the file goes, where there is one; nothing is written */
};

/*
 * One line for the user, "pale: ...", at once: that another run is waited for, what a killed one
 * had left, why a file is not written. Names stand in it as they are.
 */
typedef void output_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Writes whole files in one step. Devices and pipes are written to as they are. 0, or -errno after
 * a line.
 */
int output_write_all(const struct output_file *files, size_t n, output_say *say);
/* A text to what is open already. 0 or -errno; nothing is said. */
int output_write_bytes(int fd, const struct buf *text);
/*
 * Could it be written, as far as can be known before? For work that is long or cannot be
 * repeated. 0, or -errno after a line.
 */
int output_check(const char *path, output_say *say);

typedef VEC(const char *) path_list;

struct output_parts {       /* of files that are written together, PREFIX<k>.bpf and on: */
	const char *prefix; /* a path, "DIR/web.x86_64." */
	size_t last;        /* those with k > last are a run's before that had more, and go */
};
typedef VEC(struct output_parts) parts_list;

/*
 * output_write_all(), and in the same step the old parts go: they are looked for when no other run
 * writes in the directory. *gone: those, in the arena.
 */
int output_write_parts(struct arena *a, const struct output_file *files, size_t n,
		       const parts_list *parts, path_list *gone, output_say *say);
