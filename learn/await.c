/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/await.h"

#include <sched.h>
#include <sys/wait.h>

#include "compiler/base/clock.h"

enum {
	SOON_NS = 30000,
	LOOK_NS = 10000000,
	SOON_MOST = 32,
};

pid_t await_stop(struct await *a, int *status)
{
	uint64_t began = clock_ns(), now = began;
	pid_t tid = 0;

	if (now - a->looked_ns > LOOK_NS) {
		a->looked_ns = now;
		return 0;
	}
	while (a->is_lasting && a->soon && !tid && now - began < SOON_NS) {
		tid = waitpid(-1, status, __WALL | WNOHANG);
		if (!tid)
			sched_yield(); /* to the task, where both are on one processor */
		now = clock_ns();
	}
	if (!tid)
		tid = waitpid(-1, status, __WALL);
	if (tid > 0 && clock_ns() - began < SOON_NS)
		a->soon += a->soon < SOON_MOST;
	else
		a->soon -= a->soon > 0;
	return tid;
}
