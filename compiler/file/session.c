/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/session.h"

#include <stdarg.h>

void session_say(struct session *s, const char *fmt, ...)
{
	BUF_AUTO text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	vec_push(s->arena, &s->lines, buf_keep(s->arena, &text));
}
