/* SPDX-License-Identifier: Apache-2.0 */
/* What runtimes call once the filter is loaded. */
#include <errno.h>

#include "compiler/base/bug.h"
#include "compiler/oci/runtime/runtime.h"

static const struct oci_start starts[] = {
#define START(runtime, since, before, when, call, or, spared, words)                               \
	{ runtime, since, before, OCI_START_##when, call, or, spared, words },
#include "compiler/oci/runtime/starts.def"
#undef START
};

const struct oci_start *oci_start_at(size_t i)
{
	return i < ARRAY_SIZE(starts) ? &starts[i] : NULL;
}

bool oci_start_made(const struct oci_start *s, const struct oci_runtime *rt)
{
	return s->runtime == (int)rt->kind && s->since <= rt->version &&
	       (!s->before || rt->version < s->before);
}

static bool survives(const struct oci_start *s, unsigned err, bool or_passes)
{
	bool spared = err < 64 && s->spared >> err & 1;

	if (!err || !*s->words) /* 0 is success */
		return true;
	return *s->or ? or_passes && (spared || !s->spared) : spared;
}

bool oci_start_fails(const struct oci_start *s, struct verdict v, bool or_passes)
{
	switch (v.kind) {
	case VERDICT_KILL_PROCESS:
	case VERDICT_KILL_THREAD:
	case VERDICT_TRAP: return true;
	case VERDICT_ERRNO: return !survives(s, v.data, or_passes);
	case VERDICT_NOTIFY: /* its listener may say yes */
	case VERDICT_TRACE:
	case VERDICT_LOG:
	case VERDICT_ALLOW:
	case VERDICT_NR: return false;
	}
	BUG("verdict");
}
