/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/cmd/ask_apparmor.h"

/* The profile of the file operand as a policy, shown to mean the same before it is written. */
int import_apparmor(struct session *s, const struct options *o);
