/* SPDX-License-Identifier: Apache-2.0 */
/* What runtimes call once the filter is loaded. */
#include "compiler/base/bug.h"
#include "compiler/oci/oci.h"

static const struct oci_start starts[] = {
#define START(runtime, since, before, plain, call, or, words) \
	{ runtime, since, before, plain, call, or, words },
#include "compiler/oci/starts.def"
#undef START
};

const struct oci_start *oci_start_at(size_t i)
{
	return i < ARRAY_SIZE(starts) ? &starts[i] : NULL;
}

bool oci_start_fails(const struct oci_start *s, struct verdict v, bool or_passes)
{
	switch (v.kind) {
	case VERDICT_KILL_PROCESS:
	case VERDICT_KILL_THREAD:
	case VERDICT_TRAP:
		return true;
	case VERDICT_ERRNO: /* errno 0 is success */
		return *s->words && v.data && !(*s->or && or_passes);
	case VERDICT_NOTIFY: /* its listener may say yes */
	case VERDICT_TRACE:
	case VERDICT_LOG:
	case VERDICT_ALLOW:
	case VERDICT_NR:
		return false;
	}
	BUG("verdict");
}
