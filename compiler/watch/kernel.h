/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The sources of source.h that give records, not text. Nobody but source.c includes it. */
#include "compiler/watch/source.h"

/* These are watch_open() and watch_next() of their kind. */
int kmsg_open(struct arena *a, struct watch_source *s);
int kmsg_next(struct watch_source *s, struct watch_line *line);
int audit_open(struct arena *a, struct watch_source *s);
int audit_next(struct watch_source *s, struct watch_line *line);
