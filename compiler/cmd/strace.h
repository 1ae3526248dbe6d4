/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/base/arena.h"

/*
 * A call as strace(1) prints it, in the notation of policies: what stands behind a pointer
 * ("...", [...], {...}) becomes one quoted text; comments, a decoded descriptor (3</tmp/x>), the
 * process in front and the result behind go; modes (0644) are octal. Other text stays as it is.
 */
const char *strace_call(struct arena *a, const char *text);
