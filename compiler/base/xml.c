/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/xml.h"

static const char *entity(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&apos;";
	default: return NULL;
	}
}

/* U+FFFE or U+FFFF: no Char of XML 1.0, although UTF-8 has them. */
static bool is_no_char(const char *p, size_t n)
{
	return n >= 3 && (unsigned char)p[0] == 0xef && (unsigned char)p[1] == 0xbf &&
	       (unsigned char)p[2] >= 0xbe;
}

void xml_put(struct buf *out, struct str s)
{
	BUF_AUTO safe = { 0 };

	buf_safe(&safe, s);
	out->failed |= safe.failed;
	for (size_t i = 0; i < safe.n; i++) {
		const char *name = entity(safe.p[i]);

		if (name) {
			buf_puts(out, name);
		} else if (is_no_char(safe.p + i, safe.n - i)) {
			buf_printf(out, "\\xef\\xbf\\x%02x", (unsigned char)safe.p[i + 2]);
			i += 2;
		} else {
			buf_putc(out, safe.p[i]);
		}
	}
}

void xml_attribute(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, " %s=\"", name);
	xml_put(out, str_c(value));
	buf_putc(out, '"');
}

void xml_number(struct buf *out, const char *name, size_t n)
{
	buf_printf(out, " %s=\"%zu\"", name, n);
}
