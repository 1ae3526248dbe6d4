/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/serve.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "learn/model.h"

static const struct {
	const char *call;
	enum trace_serves serves;
} rows[] = {
#define SERVES(call, by) { #call, TRACE_SERVES_##by },
#include "learn/serves.def"
#undef SERVES
};

static enum trace_serves serves_of(const struct learn_serve *s, const char *call)
{
	if (s->by == SERVE_BY_CALL)
		return strcmp(s->call, call) ? TRACE_SERVES_NOT : TRACE_SERVES_NOW;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool says = rows[i].serves == TRACE_SERVES_SEND ||
			    rows[i].serves == TRACE_SERVES_SENDMSG;

		if (!strcmp(rows[i].call, call) &&
		    (s->by == SERVE_BY_WAIT || (s->by == SERVE_BY_READY && says)))
			return rows[i].serves;
	}
	return TRACE_SERVES_NOT;
}

bool serve_looks_at(const struct learn_serve *s, const char *call)
{
	return serves_of(s, call) != TRACE_SERVES_NOT;
}

void serve_fill(struct trace_call *calls, const struct learn_serve *s)
{
	for (unsigned i = 0; i < TRACE_ABIS * TRACE_NRS; i++) {
		int a = abi_arch(i / TRACE_NRS);
		const struct syscall_info *call =
			a < 0 ? NULL : syscall_by_nr((enum arch)a, i % TRACE_NRS);

		if (call)
			calls[i].serves = (uint8_t)serves_of(s, call->name);
	}
}

const char *serve_due(const struct learn_serve *s, uint64_t since_start_ns)
{
	if (s->wanted && *s->wanted)
		return "SIGUSR2";
	if (s->by == SERVE_BY_TIME && since_start_ns >= s->after_s * 1000000000u)
		return "after";
	return NULL;
}
