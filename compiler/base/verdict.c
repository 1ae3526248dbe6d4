/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/verdict.h"

#include <errno.h>
#include <linux/seccomp.h>

#include "compiler/base/bug.h"

static const struct {
	uint32_t ret;
	const char *text;
	bool data; /* the low 16 bits mean something */
} kinds[VERDICT_NR] = {
	[VERDICT_KILL_PROCESS] = { SECCOMP_RET_KILL_PROCESS, "KILL_PROCESS", false },
	[VERDICT_KILL_THREAD] = { SECCOMP_RET_KILL_THREAD, "KILL_THREAD", false },
	[VERDICT_TRAP] = { SECCOMP_RET_TRAP, "TRAP", true },
	[VERDICT_ERRNO] = { SECCOMP_RET_ERRNO, "ERRNO", true },
	[VERDICT_NOTIFY] = { SECCOMP_RET_USER_NOTIF, "NOTIFY", false },
	[VERDICT_TRACE] = { SECCOMP_RET_TRACE, "TRACE", true },
	[VERDICT_LOG] = { SECCOMP_RET_LOG, "LOG", false },
	[VERDICT_ALLOW] = { SECCOMP_RET_ALLOW, "ALLOW", false },
};

#define ERRNO_MAX 4095 /* MAX_ERRNO: kernel/seccomp.c clamps larger ones to it */

bool verdict_eq(struct verdict a, struct verdict b)
{
	return a.kind == b.kind && (!kinds[a.kind].data || a.data == b.data);
}

bool verdict_refuses(struct verdict v)
{
	return v.kind <= VERDICT_ERRNO;
}

uint32_t verdict_to_ret(struct verdict v)
{
	BUG_ON(v.kind >= VERDICT_NR);
	return kinds[v.kind].ret | (kinds[v.kind].data ? v.data : 0u);
}

struct verdict verdict_from_ret(uint32_t ret)
{
	uint16_t data = (uint16_t)(ret & SECCOMP_RET_DATA);

	for (unsigned k = 0; k < VERDICT_NR; k++) {
		if (kinds[k].ret != (ret & SECCOMP_RET_ACTION_FULL))
			continue;
		if (k == VERDICT_ERRNO && data > ERRNO_MAX)
			data = ERRNO_MAX;
		return (struct verdict){ (enum verdict_kind)k, kinds[k].data ? data : 0 };
	}
	return (struct verdict){ VERDICT_KILL_PROCESS, 0 };
}

void verdict_print(struct buf *b, struct verdict v)
{
	BUG_ON(v.kind >= VERDICT_NR);
	buf_puts(b, kinds[v.kind].text);
	if (kinds[v.kind].data)
		buf_printf(b, "(%u)", v.data);
}

const char *verdict_kind_name(enum verdict_kind kind)
{
	BUG_ON(kind >= VERDICT_NR);
	return kinds[kind].text;
}

int verdict_parse(struct str s, struct verdict *out)
{
	for (unsigned k = 0; k < VERDICT_NR; k++) {
		struct str name = str_c(kinds[k].text), rest;
		uint64_t data = 0;

		if (!str_starts(s, kinds[k].text))
			continue;
		rest = (struct str){ s.p + name.n, s.n - name.n };
		if (kinds[k].data) {
			if (rest.n < 3 || rest.p[0] != '(' || rest.p[rest.n - 1] != ')')
				continue;
			if (str_u64((struct str){ rest.p + 1, rest.n - 2 }, &data) ||
			    data > (k == VERDICT_ERRNO ? ERRNO_MAX : UINT16_MAX))
				return -EINVAL;
		} else if (rest.n) {
			continue;
		}
		*out = (struct verdict){ (enum verdict_kind)k, (uint16_t)data };
		return 0;
	}
	return -EINVAL;
}
