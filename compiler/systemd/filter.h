/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the filters let pass that systemd loads for a unit, as the text of a policy. Each setting is a filter of its
 * own, and the kernel takes the most restrictive answer, which is what rules of a policy mean together; of two
 * errors it takes the newer filter's, SystemCallFilter='s, which is loaded last.
 *
 * As systemd 252 does on the machine that pale is built for, with a libseccomp that knows every name: its core/
 * load-fragment.c reads the lists, core/execute.c has the order, shared/seccomp-util.c the filters. tests/import
 * holds the text to what its library loads. What the groups of calls hold is that of the release that is asked for.
 */
#include "compiler/base/inner.h"
#include "compiler/deploy/deploy.h"
#include "compiler/systemd/settings.h"

struct unit_filter {
	struct str text;    /* of one policy, "unit" */
	const uint32_t *at; /* of its bytes, in the unit itself, as struct inner has them */
	bool allows;        /* SystemCallFilter= says what passes, and all else does not */
	struct span exec;   /* where its lists refuse execve; NO_SPAN: they do not */
};

/* False: nothing of the unit filters calls. Owner: the arena. */
bool unit_filter(struct arena *a, const struct deployment *d, enum systemd_release r,
		 struct unit_filter *out);

/*
 * Capabilities (bit: number) that CapabilityBoundingSet= leaves, and settings as ProtectClock=; *at: its last line, NULL where
 * it is not said.
 */
uint64_t unit_capabilities(const struct deployment *d, const struct deploy_setting **at);
