/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/replay/replaying.h"

#include <limits.h>

void replay_bad(struct replay *r, struct replay_bad *kind, const char *why)
{
	if (kind->lines++)
		return;
	kind->file = r->file;
	kind->number = r->number;
	kind->why = arena_strdup(r->s->arena, why);
}

uint64_t replay_since(const struct replay *r, uint64_t ns)
{
	return ns > r->begin_ns ? ns - r->begin_ns : 0;
}

unsigned replay_pid(struct str pid)
{
	uint64_t n;

	return str_u64(pid, &n) || n > INT_MAX ? 0 : (unsigned)n;
}
