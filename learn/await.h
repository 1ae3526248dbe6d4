/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How a tracer waits for the next stop. A task that stops wakes its tracer, on another processor that has
 * gone to sleep meanwhile, and is woken from there: that costs more than all that is done at a stop, most of all in
 * a virtual machine. So it stays awake for a while where stops have lately been soon, of tasks that have made
 * many: in those of short jobs it only stands in the others' way, as was measured (tests/bench/bench_learn.py).
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct await {
	bool is_lasting;    /* the task that was stopped last has made many stops */
	unsigned soon;      /* of the last stops, about: it goes up and down */
	uint64_t looked_ns; /* when the caller was last told to look at what else there is */
};

/*
 * The same as waitpid(-1, status, __WALL); and 0, some times in a second: a signal that comes while it is awake ends nothing
 * with EINTR, so what it would have told is to be looked at.
 */
pid_t await_stop(struct await *a, int *status);
