/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whose a refusal is: the process' number, as the kernel's first namespace of processes has it, to
 * where it runs (site.h). What is found is kept for a while: a burst asks once, and of a process
 * that has ended meanwhile it is still known.
 */
#include <stdint.h>

#include "compiler/watch/site.h"

struct whose;

/* What holds files is below `root`, as for site_names(). The tables' room is taken at once. */
struct whose *whose_new(struct arena *a, const char *root);
void whose_end(struct whose *w);
/* Are the numbers that the kernel writes also those of /proc here? */
bool whose_here(void);
/* One that runs now, in a container: so it is known for a while when it has ended. Where it is; NULL: not known. */
const struct site *whose_meet(struct whose *w, uint64_t pid, uint64_t now_ns);
/* Of cgroups whose names tell no container: containerd's are looked for; is this path one's? (site.h) */
void whose_look(struct whose *w, uint64_t now_ns);
bool whose_around(const struct whose *w, const char *path);
/* pid 0: UNASKED. `record_ns`: when it was, since 1970; 0: not known; `now_ns` likewise. A process
 * that began after it is another one: GONE. */
void whose_find(struct whose *w, uint64_t pid, uint64_t record_ns, uint64_t now_ns,
		struct site *out);
