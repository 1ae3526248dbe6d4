/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A call of the hook as runtimes and engines write it: {"path": ..., "args": [...]}. */
#include "learn/hook/hook.h"

#define HOOK_ARGS 7

/* The options of such a call; how many. */
size_t hook_call_args(const struct hook_call *call, const char *args[HOOK_ARGS]);
/* On one line. */
void hook_call_put(struct buf *out, const struct hook_call *call);
/* Does this object call it just so? */
bool hook_call_is(const struct json *object, const struct hook_call *call);
/* Does it call a hook of pale's at all, wherever that lies? */
bool hook_call_is_ours(const struct json *object);
