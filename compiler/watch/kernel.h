/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The sources of source.h that give records, not text. source.c alone opens them; a fuzzer reads. */
#include "compiler/watch/source.h"

enum {
	KERNEL_RECORD_MAX = 16384, /* AUDIT_MESSAGE_TEXT_MAX is 8560, a record of kmsg 8192 */
	AUDIT_HEAD_MAX = 32,       /* "type=1326 " */
};

/* These are watch_open() and watch_next() of their kind. */
int kmsg_open(struct arena *a, struct watch_source *s);
int kmsg_next(struct watch_source *s, struct watch_line *line);
int audit_open(struct arena *a, struct watch_source *s);
int audit_next(struct watch_source *s, struct watch_line *line);

/*
 * How many records audit has lost since the machine started, as it is asked (AUDIT_GET; that takes
 * CAP_AUDIT_CONTROL): from then on what it says of it in the kernel's log is a number. False: not known.
 */
bool audit_lost_so_far(uint64_t *lost);
/* A message of n bytes: is it that answer? */
bool audit_read_status(const char *message, size_t n, uint64_t *lost);

/* One record of n bytes, in s->record of kmsg, AUDIT_HEAD_MAX bytes behind it of audit. False: none. */
bool kmsg_read(struct watch_source *s, size_t n, struct watch_line *line);
bool audit_read_message(struct watch_source *s, size_t n, struct watch_line *line);
