/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/file/session.h"

struct ast_call_args;

/*
 * A call of the command line, in the notation of policies or as strace(1) prints it: what stands
 * behind a pointer ("...", [...], {...}) becomes one quoted text; comments, a decoded descriptor
 * (3</tmp/x>), what -f, -t, -r, -i, -n and -Y put in front and the result behind go; modes (0644)
 * are octal. NULL, told: it does not read, or is a line of strace's that holds no call.
 */
struct ast_call_args *strace_parse(struct session *s, const char *text);
/*
 * The calls of n such texts, as far as names can be read off them before they are parsed: of a
 * number (#41) what every architecture calls so.
 */
struct oci_asked_calls;
const struct oci_asked_calls *strace_asked(struct session *s, const char *const *texts, int n);
