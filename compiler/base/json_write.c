/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/json_write.h"

#include <string.h>

/* What is written for one well-formed character that cannot stand as it is; else false. */
static bool put_escape(struct buf *out, const char *p, size_t len)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	unsigned char c = (unsigned char)*p;
	const char *hit = c ? strchr(from, c) : NULL;
	bool c1 = len == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0;

	if (hit)
		buf_printf(out, "\\%c", to[hit - from]);
	else if (c < 0x20 || c == 0x7f)
		buf_printf(out, "\\u%04x", c);
	else if (c1)
		buf_printf(out, "\\u%04x", (unsigned char)p[1]);
	else
		return false;
	return true;
}

void json_put_string(struct buf *out, struct str s)
{
	size_t len;

	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i += len ? len : 1) {
		len = utf8_len(s.p + i, s.n - i);
		if (!len)
			buf_puts(out, "\\ufffd");
		else if (!put_escape(out, s.p + i, len))
			buf_add(out, s.p + i, len);
	}
	buf_putc(out, '"');
}
