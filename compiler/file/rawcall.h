/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Calls as numbers, a line each: "x86_64 41 2 1 0 0 0 0". */
#include "compiler/base/str.h"
#include "compiler/policy/policy.h"

/* NULL and the call, or what is wrong with the line; *arch stays where none is named. */
const char *rawcall_read(struct str line, enum arch *arch, struct call *c);
