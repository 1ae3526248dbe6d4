/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Names are looked up when all is over, where the kernel did not tell what they led to. Symbolic
 * links in them may lead elsewhere by then: what was seen to be made, removed and renamed, and when
 * a link was last changed, says whether they led there when the name was used. Where that cannot be
 * told, the name is told instead of a file.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"

struct links;

enum link_change {
	LINK_MADE = 1,    /* by symlink() */
	LINK_NO_DIR = 2,  /* made or removed as what is no directory */
	LINK_RENAMED = 4, /* from or to it */
	LINK_DIR = 8,     /* alone: a directory, made, removed or renamed */
};

/* started_ns: since the epoch, when the run began; what is counted from that is first_ns below. */
struct links *links_new(struct arena *a, uint64_t started_ns);
/* The file of this path, resolved, was changed so, `count` times, the first at first_ns. */
void links_changed(struct links *l, struct str path, enum link_change how, uint64_t count,
		   uint64_t first_ns);
/* Was it there when first_ns was, and as it is? */
bool links_is_as_old(const struct links *l, const struct stat *st, uint64_t first_ns);
/* May the file of this path, or a directory that it is in, have been made, removed or renamed from then on? */
bool links_changed_since(const struct links *l, struct str path, uint64_t first_ns);
/*
 * Does the absolute name lead today where it led from first_ns on? follow: its last component counts.
 * What cannot be looked at is as it was.
 */
bool links_are_as_then(const struct links *l, const char *name, bool follow, uint64_t first_ns);
