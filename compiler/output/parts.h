/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Parts that a run before left: a filter that was split in more files than now, PREFIX<k>.bpf.
 * Inside compiler/output only.
 */
#include "compiler/output/output.h"

struct parts_there { /* what could be a part of something in a directory, sorted; 0: not looked at */
	const char *dir; /* "DIR/", or ""; NULL: none was looked into */
	path_list names;
};

/*
 * Paths of the files PREFIX<k>.bpf with k > last, into *out, all in the arena. 0 or -errno: the
 * directory cannot be read; one that is not there has none. Thousands of filters in one directory
 * are one look into it: *there is the last one's.
 */
int old_parts(struct arena *a, const char *prefix, size_t last, struct parts_there *there,
	      path_list *out);
