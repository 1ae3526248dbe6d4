/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/hook/call.h"

#include "compiler/base/json_write.h"

/* All of them, with the program's name and the command. */
static size_t call_args(const struct hook_call *call, const char *args[2 + HOOK_ARGS])
{
	args[0] = "pale";
	args[1] = "hook";
	return 2 + hook_call_args(call, args + 2);
}

size_t hook_call_args(const struct hook_call *call, const char *args[HOOK_ARGS])
{
	size_t n = 0;

	args[n++] = "--directory";
	args[n++] = call->directory;
	if (call->every) {
		args[n++] = "--every";
		args[n++] = call->every;
	}
	if (call->strict)
		args[n++] = "--strict";
	if (call->always)
		args[n++] = "--always";
	if (call->no_files)
		args[n++] = "--no-files";
	return n;
}

void hook_call_put(struct buf *out, const struct hook_call *call)
{
	struct json_writer w = { .out = out };
	const char *args[2 + HOOK_ARGS];
	size_t n = call_args(call, args);

	json_open(&w, NULL, '{');
	json_text(&w, "path", call->program);
	json_open(&w, "args", '[');
	for (size_t i = 0; i < n; i++)
		json_text(&w, NULL, args[i]);
	json_close(&w, ']');
	json_close(&w, '}');
}

static bool is_text(const struct json *v, const char *text)
{
	return v && v->kind == JSON_STRING && str_is(v->text, text);
}

bool hook_call_is(const struct json *object, const struct hook_call *call)
{
	const struct json *args = json_get_fold(object, "args"), *arg;
	const char *want[2 + HOOK_ARGS];
	size_t n = call_args(call, want), i = 0;

	if (!is_text(json_get_fold(object, "path"), call->program))
		return false;
	if (!args || args->kind != JSON_ARRAY || args->count != n)
		return false;
	for (arg = args->first; arg; arg = arg->next)
		if (!is_text(arg, want[i++]))
			return false;
	return true;
}

bool hook_call_is_ours(const struct json *object)
{
	const struct json *args = json_get_fold(object, "args");
	const struct json *first = args && args->kind == JSON_ARRAY ? args->first : NULL;

	return is_text(first, "pale") && is_text(first->next, "hook");
}
