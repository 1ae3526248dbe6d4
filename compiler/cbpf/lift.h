/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From a program back to what it answers: every instruction that seccomp filters may have, X
 * and scratch memory included. The result stands in the same canonical form as a policy's
 * decision, so a program is proved equal to its policy by comparing two node numbers.
 */
#include "compiler/cbpf/cbpf.h"
#include "compiler/decision/decision.h"

/*
 * What a program that cbpf_check() accepts answers, as a root in d's manager: DD_CALL, the
 * arguments and DD_IP are its fields. `scratch` may be freed afterwards. DD_NONE: past the
 * manager's budget, or more machine states than a program of this size can sensibly have; such
 * a program is not decided (no program that a known generator makes is).
 */
dd_node cbpf_lift(struct dd *d, struct arena *scratch, const struct cbpf *prog);
