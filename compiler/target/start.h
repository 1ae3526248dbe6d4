/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/target/target.h"

/*
 * Warns where nothing can be started under the policy: execve refused, or, in a container, a call
 * that its runtime was measured to make before the program's first instruction (language.md,
 * rule 10; starts.def).
 */
void target_check_start(struct compilation *c, const struct policy *p, bool in_container);
